//! Content as SMTP takes it: CRLF lines in blocks, the last line break left to lettre, which writes it with the dot.
//!
//! Stored mail has CRLF lines already. A bare LF would be read as a line end by some servers and as text by others, which
//! is how a second mail is smuggled behind a false dot (CVE-2023-51764): it becomes CRLF here. A bare CR ends a line
//! nowhere and stays.

/// Bytes in one write.
const BLOCK: usize = 64 << 10;

/// Blocks of `pieces`, one after the other as if they were one text.
pub(super) struct Lines<'a> {
    pieces: &'a [&'a [u8]],
    /// Piece and byte that come next.
    at: (usize, usize),
    /// Bytes of all pieces that are to be written.
    left: usize,
    /// The byte before was a CR.
    after_cr: bool,
}

impl<'a> Lines<'a> {
    pub(super) fn new(pieces: &'a [&'a [u8]]) -> Lines<'a> {
        let whole: usize = pieces.iter().map(|piece| piece.len()).sum();
        let mut tail = pieces.iter().rev().flat_map(|piece| piece.iter().rev());
        let line_break = match (tail.next(), tail.next()) {
            (Some(b'\n'), Some(b'\r')) => 2,
            (Some(b'\n'), _) => 1,
            _ => 0,
        };
        Lines {
            pieces,
            at: (0, 0),
            left: whole - line_break,
            after_cr: false,
        }
    }
}

impl Iterator for Lines<'_> {
    type Item = Vec<u8>;

    fn next(&mut self) -> Option<Vec<u8>> {
        let mut block = Vec::new();
        while self.left > 0 && block.len() < BLOCK {
            let piece = self.pieces.get(self.at.0)?;
            let rest = piece.get(self.at.1..).unwrap_or_default();
            let take = rest.len().min(self.left).min(BLOCK - block.len());
            for &byte in rest.iter().take(take) {
                if byte == b'\n' && !self.after_cr {
                    block.push(b'\r');
                }
                block.push(byte);
                self.after_cr = byte == b'\r';
            }
            self.left -= take;
            self.at = if take == rest.len() {
                (self.at.0 + 1, 0)
            } else {
                (self.at.0, self.at.1 + take)
            };
        }
        (!block.is_empty()).then_some(block)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn written(pieces: &[&[u8]]) -> Vec<u8> {
        Lines::new(pieces).flatten().collect()
    }

    #[test]
    fn the_last_line_break_is_left_to_the_dot() {
        assert_eq!(written(&[b"a\r\nb\r\n"]), b"a\r\nb");
        assert_eq!(written(&[b"a\r\n\r\n"]), b"a\r\n");
        assert_eq!(written(&[b"a", b"\r", b"\n"]), b"a");
        assert_eq!(written(&[b"a"]), b"a");
        assert_eq!(written(&[b"\r\n"]), b"");
        assert_eq!(written(&[]), b"");
    }

    #[test]
    fn a_bare_line_feed_becomes_a_line_break() {
        assert_eq!(written(&[b"a\n.\nb\r", b"\n.\rc\n"]), b"a\r\n.\r\nb\r\n.\rc");
    }

    proptest! {
        #[test]
        fn crlf_content_is_not_changed_however_it_is_cut(
            lines in prop::collection::vec("[a-z.]{0,40}", 0..6000), cut in 0usize..200_000
        ) {
            let text: String = lines.iter().map(|line| format!("{line}\r\n")).collect();
            let (left, right) = text.as_bytes().split_at(cut.min(text.len()));
            let mut whole = written(&[left, right]);
            if !text.is_empty() {
                whole.extend_from_slice(b"\r\n");
            }
            prop_assert_eq!(whole, text.as_bytes());
        }
    }
}
