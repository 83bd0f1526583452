//! Calendar and contact files (iCalendar RFC 5545, vCard RFC 6350 and 2.1): lines folded in the middle of a number, and
//! values in an encoding of their own.

use super::Reading;
use crate::content::{Budget, Child, Content, Hint, Spent};
use crate::document::{base64, quoted};
use crate::types::PartPath;
use memchr::memmem;
use std::borrow::Cow;

/// Whether the text is one.
pub(super) fn is_contact(bytes: &[u8]) -> bool {
    let begins = |what: &[u8]| memmem::find(bytes, what).is_some_and(|at| at == 0 || bytes.get(at - 1) != Some(&b' '));
    begins(b"BEGIN:VCALENDAR") || begins(b"BEGIN:VCARD") || begins(b"begin:vcard")
}

/// The text with its folds taken out (RFC 5545 §3.1), when a number may go on over one.
pub(super) fn unfolded(reading: &Reading) -> Option<Reading> {
    let source = reading.text.as_str();
    let mut out = Reading::over(reading);
    let mut digits_meet = false;
    let mut at = 0;
    while let Some(fold) = source.get(at..).and_then(next_fold) {
        let (start, end) = (at + fold.0, at + fold.1);
        out.plain(source.get(at..start).unwrap_or_default(), at);
        let digit = |c: Option<char>| c.is_some_and(|c| c.is_numeric() || "-–. ".contains(c));
        digits_meet |= digit(out.text.chars().next_back()) && digit(source.get(end..).and_then(|r| r.chars().next()));
        at = end;
    }
    out.plain(source.get(at..).unwrap_or_default(), at);
    out.map = out.map.through(&reading.map);
    digits_meet.then_some(out)
}

/// Start and end of the next line break with its blank.
fn next_fold(text: &str) -> Option<(usize, usize)> {
    memchr::memchr_iter(b'\n', text.as_bytes())
        .find(|at| matches!(text.as_bytes().get(at + 1), Some(b' ' | b'\t')))
        .map(|at| {
            (
                at - usize::from(text.get(..at).is_some_and(|t| t.ends_with('\r'))),
                at + 2,
            )
        })
}

/// Values in quoted-printable and base64, and those in HTML, as second readings.
pub(super) fn values(content: &mut Content<'_>, bytes: &[u8], budget: &mut Budget) -> Result<(), Spent> {
    for line in lines(bytes) {
        let Some((name, value)) = property(&line) else {
            continue;
        };
        let has = |what: &[u8]| memmem::find(&name, what).is_some();
        let (data, media_type) = if has(b"quoted-printable") {
            (quoted::decode(value), "text/plain")
        } else if has(b"encoding=b") || has(b";base64") {
            (base64::decode(value), "")
        } else if let Some(data) = data_url(value) {
            // vCard 4 (RFC 6350 §6.2.4) writes pictures and sounds so.
            (base64::decode(data), "")
        } else if has(b"text/html") || name.starts_with(b"x-alt-desc") {
            (unescaped(value), "text/html")
        } else {
            continue;
        };
        if content.children.len() as u64 >= u64::from(budget.limits().parts) {
            return Err(Spent::Parts);
        }
        budget.produce(data.len() as u64)?;
        content.children.push(Child {
            path: PartPath(vec![u32::try_from(content.children.len() + 1).unwrap_or(u32::MAX)]),
            bytes: Cow::Owned(data),
            hint: Hint {
                media_type: media_type.to_owned(),
                attachment: true,
                ..Hint::default()
            },
            alternative: true,
        });
    }
    Ok(())
}

/// What stands in a `data:` URL (RFC 2397) in base64.
fn data_url(value: &[u8]) -> Option<&[u8]> {
    let at = memmem::find(value, b";base64,")?;
    value.starts_with(b"data:").then(|| value.get(at + 8..)).flatten()
}

/// Content lines: folded ones joined, and those that vCard 2.1 breaks with an equals sign.
fn lines(bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut lines: Vec<Vec<u8>> = Vec::new();
    for line in bytes.split(|&b| b == b'\n') {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        match lines.last_mut() {
            Some(last) if matches!(line.first(), Some(b' ' | b'\t')) => {
                last.extend_from_slice(line.get(1..).unwrap_or_default());
            }
            Some(last) if last.ends_with(b"=") && is_quoted(last) => {
                last.pop();
                last.extend_from_slice(line);
            }
            _ => lines.push(line.to_vec()),
        }
    }
    lines
}

fn is_quoted(line: &[u8]) -> bool {
    property(line).is_some_and(|(name, _)| memmem::find(&name, b"quoted-printable").is_some())
}

/// Name with parameters, lower case, and value: parted at the first colon outside quotes.
fn property(line: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let mut quoted = false;
    let colon = line.iter().position(|&b| {
        quoted ^= b == b'"';
        b == b':' && !quoted
    })?;
    Some((line.get(..colon)?.to_ascii_lowercase(), line.get(colon + 1..)?))
}

/// RFC 5545 §3.3.11.
fn unescaped(value: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(value.len());
    let mut escape = false;
    for &b in value {
        match (escape, b) {
            (false, b'\\') => escape = true,
            (true, b'n' | b'N') => {
                out.push(b'\n');
                escape = false;
            }
            _ => {
                out.push(b);
                escape = false;
            }
        }
    }
    out
}
