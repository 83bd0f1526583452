//! Encoded words (RFC 2047) in a text: the fields of delivery reports and receipts, a pasted header. Header fields of mails
//! themselves are `message`'s business.

use crate::document::{base64, charset, quoted};
use memchr::memmem;
use std::ops::Range;

/// A word, by its place and what it says.
struct Word {
    at: Range<usize>,
    text: String,
}

/// The lines that hold encoded words, with these decoded. `None` when there are none.
pub(super) fn decoded(bytes: &[u8]) -> Option<String> {
    let mut out = String::new();
    let mut last: Option<usize> = None;
    for word in words(bytes) {
        let gap = bytes.get(last.unwrap_or(0)..word.at.start).unwrap_or_default();
        // Blanks and folds between two words are not shown.
        if last.is_none() || !gap.trim_ascii().is_empty() {
            between(&mut out, gap, last.is_some());
        }
        out.push_str(&word.text);
        last = Some(word.at.end);
    }
    let rest = bytes.get(last?..).unwrap_or_default();
    out.push_str(&lossy(rest.split(|&b| b == b'\n').next().unwrap_or_default()));
    Some(out)
}

/// The end of the line before and the start of the line behind a gap; whole lines in between hold no word.
fn between(out: &mut String, gap: &[u8], goes_on: bool) {
    match (memchr::memchr(b'\n', gap), memchr::memrchr(b'\n', gap)) {
        (Some(first), Some(last)) => {
            if goes_on {
                out.push_str(&lossy(gap.get(..first).unwrap_or_default()));
                out.push('\n');
            }
            out.push_str(&lossy(gap.get(last + 1..).unwrap_or_default()));
        }
        _ => out.push_str(&lossy(gap)),
    }
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn words(bytes: &[u8]) -> impl Iterator<Item = Word> {
    let mut at = 0;
    std::iter::from_fn(move || {
        loop {
            let start = at + memmem::find(bytes.get(at..)?, b"=?")?;
            match word(bytes, start) {
                Some(word) => {
                    at = word.at.end;
                    return Some(word);
                }
                None => at = start + 2,
            }
        }
    })
}

/// The word at `start`.
fn word(bytes: &[u8], start: usize) -> Option<Word> {
    const LONGEST: usize = 1_000;
    let rest = bytes.get(start + 2..bytes.len().min(start + LONGEST))?;
    let mark = rest.iter().position(|b| *b == b'?' || !b.is_ascii_graphic())?;
    let label = std::str::from_utf8(rest.get(..mark)?).ok()?;
    let [b'?', kind, b'?', payload @ ..] = rest.get(mark..)? else {
        return None;
    };
    let len = memmem::find(payload, b"?=")?;
    let payload = payload.get(..len).filter(|p| !p.contains(&b'\n'))?;
    let data = match kind.to_ascii_lowercase() {
        b'b' => base64::decode(payload),
        b'q' => {
            let blanks: Vec<u8> = payload.iter().map(|b| if *b == b'_' { b' ' } else { *b }).collect();
            quoted::decode(&blanks)
        }
        _ => return None,
    };
    let label = label.split('*').next().unwrap_or_default();
    let text = charset::readings(&data, &[label]).all.into_iter().next()?.text;
    Some(Word {
        at: start..start + 2 + mark + 3 + len + 2,
        text,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_with_words_are_read_as_a_mail_program_shows_them() {
        let read = |text: &str| decoded(text.as_bytes());
        assert_eq!(
            read("A: 1\nB: =?utf-8?B?MDE=?= =?utf-8?Q?=30_1?= x\nC: 2\n").as_deref(),
            Some("B: 010 1 x")
        );
        assert_eq!(
            read("A: =?utf-8?Q?0?=\n =?utf-8?Q?1?=\nB: 2\nC: =?iso-8859-1?q?=E6?=").as_deref(),
            Some("A: 01\nC: æ")
        );
        assert_eq!(read("hvad =? er =?x? det"), None);
    }
}
