//! Encodings and seals inside plain text: uuencode, BinHex, PGP armour, and yEnc that is not whole.

use super::yenc;
use crate::content::{Budget, Child, Content, Hint, Spent};
use crate::document::{doubt, entry_doubt};
use crate::types::{DoubtKind, PartPath, SealKind};
use std::borrow::Cow;

/// Looks for them.
pub(super) fn look(content: &mut Content<'_>, bytes: &[u8], budget: &mut Budget) {
    let has = |needle: &[u8]| memchr::memmem::find(bytes, needle).is_some();
    let begun = memchr::memmem::find_iter(bytes, b"=ybegin ").count();
    if yenc::files(bytes).iter().filter(|file| file.whole).count() < begun {
        let reason = "a yEnc block in the text is damaged, or a piece of a larger file";
        content.doubts.push(doubt(DoubtKind::Unread, reason));
    }
    if has(b"(This file must be converted with BinHex") {
        content
            .doubts
            .push(doubt(DoubtKind::Unread, "a BinHex block in the text was not read"));
    }
    if has(b"-----BEGIN PGP MESSAGE-----") {
        content
            .doubts
            .push(doubt(DoubtKind::Encrypted, "a PGP block in the text could not be read"));
        content.seals.push((PartPath::default(), SealKind::Encrypted));
    }
    if has(b"-----BEGIN PGP SIGNED MESSAGE-----") {
        content.seals.push((PartPath::default(), SealKind::Signed));
    }
    if let Err(spent) = uuencoded(content, bytes, budget) {
        content.doubts.push(doubt(spent.doubt(), spent.to_string()));
    }
}

/// Every `begin 644 name` block becomes a second reading.
fn uuencoded(content: &mut Content<'_>, bytes: &[u8], budget: &mut Budget) -> Result<(), Spent> {
    if memchr::memmem::find(bytes, b"begin ").is_none() {
        return Ok(());
    }
    let mut lines = bytes
        .split(|b| *b == b'\n')
        .map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    let mut number = 0u32;
    while let Some(line) = lines.next() {
        let Some((margin, name)) = header(line) else {
            continue;
        };
        number += 1;
        if number > budget.limits().parts {
            return Err(Spent::Parts);
        }
        let mut data = Vec::new();
        let mut whole = false;
        for line in lines.by_ref() {
            // A mail program that quotes takes the blank behind its mark off an empty line.
            let Some(line) = line.strip_prefix(margin).or(line.strip_prefix(margin.trim_ascii_end())) else {
                break;
            };
            if line.trim_ascii_end() == b"end" {
                whole = true;
                break;
            }
            if !decode_line(line, &mut data) {
                break;
            }
        }
        budget.produce(data.len() as u64)?;
        if !whole {
            content.doubts.push(entry_doubt(
                DoubtKind::Broken,
                number,
                "a uuencoded file in the text is damaged",
            ));
        }
        content.children.push(Child {
            path: PartPath(vec![number]),
            bytes: Cow::Owned(data),
            hint: Hint {
                name: Some(name),
                attachment: true,
                ..Hint::default()
            },
            alternative: true,
        });
    }
    Ok(())
}

/// `begin 644 name` gives the name, and what stands before it: the quote marks of a reply, or an indentation.
fn header(line: &[u8]) -> Option<(&[u8], String)> {
    const DEEPEST: usize = 32;
    let margin = line
        .iter()
        .take(DEEPEST)
        .take_while(|b| matches!(**b, b'>' | b'|' | b':' | b' ' | b'\t'))
        .count();
    let (margin, line) = line.split_at_checked(margin)?;
    let rest = line.strip_prefix(b"begin ")?;
    let digits = rest.iter().take_while(|b| b.is_ascii_digit()).count();
    let name = rest.get(digits..)?.strip_prefix(b" ")?;
    (3..=4)
        .contains(&digits)
        .then(|| (margin, String::from_utf8_lossy(name).into_owned()))
}

/// One line (POSIX `uuencode`): a length and groups of four characters. False when it is none.
fn decode_line(line: &[u8], out: &mut Vec<u8>) -> bool {
    let six = |b: Option<&u8>| b.map_or(0, |b| b.wrapping_sub(32) & 63);
    let Some((first, body)) = line.split_first() else {
        return true;
    };
    if !(32..=96).contains(first) {
        return false;
    }
    let want = usize::from(six(Some(first)));
    let start = out.len();
    for group in body.chunks(4) {
        let [a, b, c, d] = [0, 1, 2, 3].map(|i| six(group.get(i)));
        out.extend([a << 2 | b >> 4, b << 4 | c >> 2, c << 6 | d]);
    }
    out.truncate(start + want);
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_uuencode_is_decoded() {
        let mut out = Vec::new();
        assert!(decode_line(b"#0V%T", &mut out));
        assert_eq!(out, b"Cat");
    }

    #[test]
    fn a_file_begins_behind_the_marks_of_a_reply() {
        assert_eq!(header(b"> > begin 644 a b"), Some((&b"> > "[..], "a b".to_owned())));
        assert_eq!(header(b"begin 644 a"), Some((&b""[..], "a".to_owned())));
        assert!(header(b"> begin 6 a").is_none() && header(b"x begin 644 a").is_none());
    }
}
