//! Blocks in base64 or quoted-printable, and encoded words, that stand in a text: a mail whose source was pasted or came back in an old
//! delivery report, a file inside JSON or XML. Second readings: what they hold is found, and cannot be written back.

use super::{words, yenc};
use crate::content::{Budget, Child, Content, Hint, Spent};
use crate::document::{base64, charset, quoted, sniff};
use crate::types::PartPath;
use std::borrow::Cow;
use std::ops::Range;

/// Base64 without a header that announces it is believed from this length on; shorter words are too often just words.
const UNANNOUNCED: usize = 64;
/// A line of base64 that is as long as this goes on in the next line.
const GOES_ON: usize = 32;

/// Adds every block as a child.
pub(in crate::document) fn add(content: &mut Content<'_>, bytes: &[u8], budget: &mut Budget) -> Result<(), Spent> {
    let taken = add_announced(content, bytes, budget)?;
    for run in runs(bytes) {
        let next = taken.partition_point(|block| block.end <= run.start);
        if taken.get(next).is_some_and(|block| block.contains(&run.start)) {
            continue;
        }
        let data = base64::decode(bytes.get(run).unwrap_or_default());
        budget.in_time()?;
        if sniff::is_known(&data) || reads_as_text(&data) {
            push(content, data, budget)?;
        }
    }
    Ok(())
}

/// Adds what says itself that it is encoded; gives the places of the blocks.
pub(super) fn add_announced(
    content: &mut Content<'_>,
    bytes: &[u8],
    budget: &mut Budget,
) -> Result<Vec<Range<usize>>, Spent> {
    let mut taken: Vec<Range<usize>> = Vec::new();
    for (block, encoding) in announced(bytes) {
        let source = bytes.get(block.clone()).unwrap_or_default();
        let data = match encoding {
            Encoding::Base64 => base64::decode(source),
            Encoding::QuotedPrintable => quoted::decode(source),
        };
        taken.push(block);
        push(content, data, budget)?;
    }
    for file in yenc::files(bytes) {
        push(content, file.data, budget)?;
    }
    if let Some(text) = words::decoded(bytes) {
        push(content, text.into_bytes(), budget)?;
    }
    Ok(taken)
}

pub(super) fn push(content: &mut Content<'_>, data: Vec<u8>, budget: &mut Budget) -> Result<(), Spent> {
    if content.children.len() as u64 >= u64::from(budget.limits().parts) {
        return Err(Spent::Parts);
    }
    budget.produce(data.len() as u64)?;
    content.children.push(Child {
        path: PartPath(vec![u32::try_from(content.children.len() + 1).unwrap_or(u32::MAX)]),
        bytes: Cow::Owned(data),
        hint: Hint {
            attachment: true,
            ..Hint::default()
        },
        alternative: true,
    });
    Ok(())
}

/// Text in UTF-8, in UTF-16, or in an eight-bit charset of the West. By chance bytes are none of these.
pub(super) fn reads_as_text(data: &[u8]) -> bool {
    if charset::is_wide(data) {
        return true;
    }
    let control = |b: &u8| *b < 32 && !matches!(*b, b'\t' | b'\n' | b'\r' | 12);
    let high = data.iter().filter(|b| **b >= 128).count();
    !data.iter().any(control) && (std::str::from_utf8(data).is_ok() || high * 4 <= data.len())
}

#[derive(Clone, Copy, PartialEq)]
enum Encoding {
    Base64,
    QuotedPrintable,
}

/// Blocks behind a `Content-Transfer-Encoding` field and its blank line, or behind `begin-base64` (POSIX `uuencode -m`).
fn announced(bytes: &[u8]) -> Vec<(Range<usize>, Encoding)> {
    let mut blocks = Vec::new();
    let mut header: Option<Encoding> = None;
    let mut body: Option<(Encoding, usize)> = None;
    let mut at = 0;
    for whole in bytes.split_inclusive(|&b| b == b'\n') {
        let (start, line) = (at, whole.trim_ascii_end());
        at += whole.len();
        if let Some((encoding, from)) = body
            && ends(line, encoding)
        {
            blocks.push((from..start, encoding));
            body = None;
        }
        if body.is_some() {
            continue;
        }
        if line.starts_with(b"begin-base64 ") {
            body = Some((Encoding::Base64, at));
        } else if line.is_empty() {
            body = header.take().map(|encoding| (encoding, at));
        } else {
            header = field(line).or(header.filter(|_| line.contains(&b':') || whole.starts_with(b" ")));
        }
    }
    if let Some((encoding, from)) = body {
        blocks.push((from..bytes.len(), encoding));
    }
    blocks
}

/// The encoding that a header line announces.
fn field(line: &[u8]) -> Option<Encoding> {
    const NAME: &[u8] = b"content-transfer-encoding:";
    let (name, value) = line.split_at_checked(NAME.len())?;
    if !name.eq_ignore_ascii_case(NAME) {
        return None;
    }
    match value.trim_ascii().to_ascii_lowercase().as_slice() {
        b"base64" => Some(Encoding::Base64),
        b"quoted-printable" => Some(Encoding::QuotedPrintable),
        _ => None,
    }
}

/// The line does not belong to the block any more.
fn ends(line: &[u8], encoding: Encoding) -> bool {
    match encoding {
        Encoding::Base64 => !line.iter().all(|b| base64::is_digit(*b) || *b == b'='),
        Encoding::QuotedPrintable => line.starts_with(b"--"),
    }
}

/// Long runs of base64, over line breaks and the indentation of folded lines.
fn runs(bytes: &[u8]) -> impl Iterator<Item = Range<usize>> {
    let mut at = 0;
    std::iter::from_fn(move || {
        while at < bytes.len() {
            let start = at;
            let mut end = word(bytes, start);
            let mut line = end - start;
            while line >= GOES_ON
                && let Some(next) = next_line(bytes, end)
                && word(bytes, next) > next
            {
                end = word(bytes, next);
                line = end - next;
            }
            at = end.max(start) + 1;
            let run = bytes.get(start..end).unwrap_or_default();
            let has = |is: fn(&u8) -> bool| run.iter().any(is);
            if run.len() >= UNANNOUNCED && has(u8::is_ascii_uppercase) && has(u8::is_ascii_lowercase) {
                return Some(start..end);
            }
        }
        None
    })
}

/// End of the word of base64 at `at`.
fn word(bytes: &[u8], at: usize) -> usize {
    let rest = bytes.get(at..).unwrap_or_default();
    at + rest.iter().take_while(|b| base64::is_digit(**b)).count()
}

/// Start of the next line's text when the line ends at `at`.
fn next_line(bytes: &[u8], at: usize) -> Option<usize> {
    let rest = bytes.get(at..)?;
    let rest = rest.strip_prefix(b"\r").unwrap_or(rest).strip_prefix(b"\n")?;
    let blanks = rest.iter().take_while(|b| matches!(**b, b' ' | b'\t')).count();
    Some(bytes.len() - rest.len() + blanks)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blocks(text: &str) -> Vec<&str> {
        announced(text.as_bytes()).into_iter().map(|(r, _)| &text[r]).collect()
    }

    #[test]
    fn announced_blocks_start_behind_the_blank_line_and_end_where_no_base64_stands() {
        let text =
            "hej\n--a\nContent-Transfer-Encoding: BASE64\nContent-Type: text/plain;\n charset=x\n\nQUJD\nREVG\n--a\n";
        assert_eq!(blocks(text), ["QUJD\nREVG\n"]);
        assert_eq!(blocks("begin-base64 644 a\r\nQUJD\r\n====\r\n").len(), 1);
        assert_eq!(blocks("Content-Transfer-Encoding: base64 er et felt\n\nhej\n"), [""; 0]);
        assert_eq!(
            blocks("Content-Transfer-Encoding: base64\nog saa en linje\n\nQUJD\n"),
            [""; 0]
        );
    }

    #[test]
    fn long_runs_go_on_over_line_breaks() {
        let long = "QUJDabcd".repeat(5);
        let text = format!("<d>{long}\r\n  {long}==</d> {long}");
        let found: Vec<_> = runs(text.as_bytes()).collect();
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].start, 3);
    }
}
