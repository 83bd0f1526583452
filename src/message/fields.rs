//! The header block: where each field stands in the raw bytes, and what is odd about the block.
//!
//! Positions, not values: edits are spliced into these ranges, and the milter counts these fields. Lines end with LF, a CR
//! before it belongs to the line break. What the fields mean is `entity`'s business.

use memchr::{memchr, memchr_iter, memmem};
use std::ops::Range;

/// One header field, by its place in the raw bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// The name, without blanks and colon.
    pub name_range: Range<usize>,
    /// From behind the colon to before the last line break: leading blank and folds belong to it.
    pub value_range: Range<usize>,
}

impl Field {
    /// Compares the name as RFC 5322 does, without regard to case; NUL bytes are dropped, as some programs do.
    pub(super) fn is(&self, bytes: &[u8], name: &str) -> bool {
        let own = self.name(bytes);
        if memchr(0, own).is_none() {
            return own.eq_ignore_ascii_case(name.as_bytes());
        }
        let own = own.iter().filter(|b| **b != 0).map(u8::to_ascii_lowercase);
        own.eq(name.bytes())
    }

    /// The name as written.
    pub(super) fn name<'b>(&self, bytes: &'b [u8]) -> &'b [u8] {
        bytes.get(self.name_range.clone()).unwrap_or_default()
    }
}

/// Postfix cuts a field at this size (`header_size_limit`), other programs read on.
const FIELD_LIMIT: usize = 102_400;

/// A header block and the start of the body behind it.
#[derive(Clone, Debug, Default)]
pub(super) struct Block {
    pub(super) fields: Vec<Field>,
    /// Lines before the body that belong to no field.
    pub(super) strays: Vec<Range<usize>>,
    /// Where the body starts; the end of the range when there is none.
    pub(super) body: usize,
    /// What mail programs read differently, one sentence each.
    pub(super) odd: Vec<&'static str>,
    /// More fields than allowed; the rest was not listed.
    pub(super) over: bool,
}

/// How to read a block.
#[derive(Clone, Copy, Debug)]
pub(super) struct How {
    /// The block of a mail: an mbox `From ` line may stand in front.
    pub(super) mail: bool,
    /// A line that is no header is skipped; else the body starts there (Postfix's `cleanup` does that).
    pub(super) skip_strays: bool,
    /// Fields at most.
    pub(super) max: usize,
}

/// Reads the header block at the start of `range`.
pub(super) fn block(bytes: &[u8], range: Range<usize>, how: How) -> Block {
    let mut block = Block {
        body: range.end,
        ..Block::default()
    };
    let mut at = range.start;
    while at < range.end {
        let next = line_end(bytes, at, range.end);
        let line = trimmed(bytes, at, next);
        if line.is_empty() {
            block.body = next;
            break;
        }
        if !take_line(&mut block, bytes, line.clone(), at == range.start && how.mail) {
            add(&mut block.odd, "a line in the header is no header field");
            if !how.skip_strays {
                block.body = at;
                break;
            }
            block.strays.push(line);
        }
        if block.fields.len() > how.max {
            block.fields.truncate(how.max);
            block.over = true;
            block.body = next;
            break;
        }
        at = next;
    }
    check_bytes(&mut block, bytes, range);
    block
}

/// Adds one line to the block; false when it is no header line.
fn take_line(block: &mut Block, bytes: &[u8], line: Range<usize>, first: bool) -> bool {
    let text = bytes.get(line.clone()).unwrap_or_default();
    if matches!(text.first(), Some(b' ' | b'\t')) {
        let Some(field) = block.fields.last_mut() else {
            return false;
        };
        if text.iter().all(|&b| b == b' ' || b == b'\t') {
            add(&mut block.odd, "a folded header line holds only blanks");
        }
        field.value_range.end = line.end;
        return true;
    }
    if first && (text.starts_with(b"From ") || text.starts_with(b">From ")) {
        block.strays.push(line);
        return true;
    }
    let Some(colon) = memchr(b':', text) else {
        return false;
    };
    let name = text.get(..colon).unwrap_or_default();
    let trimmed = name.trim_ascii_end();
    if trimmed.is_empty() || !trimmed.iter().all(|b| b.is_ascii_graphic() || *b == 0) {
        return false;
    }
    if trimmed.len() != name.len() {
        add(&mut block.odd, "a blank stands before the colon of a header field");
    }
    block.fields.push(Field {
        name_range: line.start..line.start + trimmed.len(),
        value_range: line.start + colon + 1..line.end,
    });
    true
}

/// Oddities of the raw bytes of the block.
fn check_bytes(block: &mut Block, bytes: &[u8], range: Range<usize>) {
    let raw = bytes.get(range.start..block.body).unwrap_or_default();
    if memchr(0, raw).is_some() {
        add(&mut block.odd, "there is a NUL byte in the header");
    }
    if has_bare_cr(raw) {
        add(
            &mut block.odd,
            "there is a carriage return without line feed in the header",
        );
    }
    if block.fields.iter().any(|f| nearly_mime(f.name(bytes))) {
        add(&mut block.odd, "the name of a header field only looks like one of MIME");
    }
    if block.fields.iter().any(|f| f.value_range.len() > FIELD_LIMIT) {
        add(&mut block.odd, "a header field is longer than 102,400 bytes");
    }
    // A reader that knows only CRLF does not see the end of a header that ends with bare line feeds.
    let rest = bytes.get(range.start..range.end).unwrap_or_default();
    let ends_crlf = raw.ends_with(b"\r\n\r\n") || raw == b"\r\n" || !raw.ends_with(b"\n");
    if !ends_crlf && raw.ends_with(b"\n") && memmem::find(raw, b"\r\n").is_some() {
        let blank_line = raw.ends_with(b"\n\n") || raw.ends_with(b"\n\r\n");
        if blank_line && memmem::find(rest, b"\r\n\r\n").is_some() {
            add(
                &mut block.odd,
                "line breaks of two kinds leave the end of the header in doubt",
            );
        }
    }
}

/// `Content-Type(c)`, `"Content-Type"`, `Content_Type`: lenient programs take these for the real one.
fn nearly_mime(name: &[u8]) -> bool {
    if name.iter().all(|b| b.is_ascii_alphanumeric() || b"-.\0".contains(b)) {
        return false;
    }
    let name = name.split(|&b| b == b'(').next().unwrap_or_default();
    let letters: Vec<u8> = name
        .iter()
        .filter(|b| b.is_ascii_alphabetic())
        .map(u8::to_ascii_lowercase)
        .collect();
    matches!(
        letters.as_slice(),
        b"contenttype" | b"contenttransferencoding" | b"contentdisposition"
    )
}

/// A CR that is not followed by LF. At the very end it counts as half a line break.
pub(super) fn has_bare_cr(raw: &[u8]) -> bool {
    memchr_iter(b'\r', raw).any(|i| raw.get(i + 1).is_some_and(|&b| b != b'\n'))
}

/// Adds a reason once.
pub(super) fn add(odd: &mut Vec<&'static str>, reason: &'static str) {
    if !odd.contains(&reason) {
        odd.push(reason);
    }
}

/// Start of the next line, at most `end`.
pub(super) fn line_end(bytes: &[u8], at: usize, end: usize) -> usize {
    memchr(b'\n', bytes.get(at..end).unwrap_or_default()).map_or(end, |i| at + i + 1)
}

/// The line `at..next` without its line break.
pub(super) fn trimmed(bytes: &[u8], at: usize, next: usize) -> Range<usize> {
    let line = bytes.get(at..next).unwrap_or_default();
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    at..at + line.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAIL: How = How {
        mail: true,
        skip_strays: false,
        max: 10,
    };

    #[test]
    fn folds_belong_to_the_value_and_the_body_starts_behind_the_blank_line() {
        let raw = b"Subject: a\r\n b\r\nX:\r\n\r\nbody";
        let block = block(raw, 0..raw.len(), MAIL);
        assert_eq!(block.fields.len(), 2);
        assert_eq!(&raw[block.fields[0].value_range.clone()], b" a\r\n b");
        assert_eq!(&raw[block.fields[1].value_range.clone()], b"");
        assert_eq!(&raw[block.body..], b"body");
        assert!(block.odd.is_empty());
    }

    #[test]
    fn a_line_that_is_no_header_starts_the_body_or_is_skipped() {
        let raw = b"A: 1\n no\nhello world\nB: 2\n\nbody";
        let strict = block(raw, 0..raw.len(), MAIL);
        assert_eq!(&raw[strict.body..], b"hello world\nB: 2\n\nbody");
        let lenient = block(
            raw,
            0..raw.len(),
            How {
                skip_strays: true,
                ..MAIL
            },
        );
        assert_eq!(lenient.fields.len(), 2);
        assert_eq!(&raw[lenient.body..], b"body");
        assert!(!strict.odd.is_empty() && !lenient.odd.is_empty());
    }

    #[test]
    fn one_kind_of_line_break_is_no_doubt_and_two_at_the_end_are() {
        let odd = |raw: &[u8]| block(raw, 0..raw.len(), MAIL).odd.len();
        assert_eq!(odd(b"A: 1\n\nx\n\n"), 0);
        assert_eq!(odd(b"A: 1\r\n\r\nx\n\ny"), 0);
        assert_eq!(odd(b"A: 1\r\nB: 2\n\nx\r\n\r\ny"), 1);
        assert_eq!(odd(b"A: 1\rB: 2\r\n\r\nx"), 1);
    }
}
