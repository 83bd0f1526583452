//! Bytes to characters, each character with the bytes it came from: headers only. Part bodies go to `document` as bytes.

use encoding_rs::{CoderResult, Encoding, REPLACEMENT, UTF_8, WINDOWS_1252};
use std::ops::Range;

/// Calls `each` with every character and its bytes. No label, or an unknown one: UTF-8 when it is valid, else
/// windows-1252, so that ASCII digits are always seen.
pub(super) fn characters(bytes: &[u8], label: Option<&str>, mut each: impl FnMut(char, Range<usize>)) {
    let label = label.unwrap_or_default().trim();
    if is_utf7(label) {
        return utf7(bytes, each);
    }
    if label.to_ascii_lowercase().starts_with("utf-32") {
        return utf32(bytes, !label.to_ascii_lowercase().ends_with("le"), each);
    }
    let encoding = Encoding::for_label(label.as_bytes()).filter(|e| *e != REPLACEMENT);
    match encoding {
        Some(encoding) if encoding != UTF_8 => by_decoder(bytes, encoding, each),
        None if std::str::from_utf8(bytes).is_err() => by_decoder(bytes, WINDOWS_1252, each),
        _ => {
            let mut at = 0;
            for chunk in bytes.utf8_chunks() {
                for c in chunk.valid().chars() {
                    each(c, at..at + c.len_utf8());
                    at += c.len_utf8();
                }
                if !chunk.invalid().is_empty() {
                    each('\u{fffd}', at..at + chunk.invalid().len());
                    at += chunk.invalid().len();
                }
            }
        }
    }
}

/// `utf-7` and the names it had before (`unicode-1-1-utf-7`, `x-unicode-2-0-utf-7`).
fn is_utf7(label: &str) -> bool {
    let label = label.to_ascii_lowercase();
    label.ends_with("utf-7") || label == "utf7"
}

/// Whether [`characters`] can read this charset; without a label it does what it can.
pub(super) fn is_known(label: Option<&str>) -> bool {
    let label = label.unwrap_or_default().trim();
    label.is_empty()
        || is_utf7(label)
        || label.to_ascii_lowercase().starts_with("utf-32")
        || Encoding::for_label(label.as_bytes()).is_some_and(|e| e != REPLACEMENT)
}

/// Whether ASCII bytes stand for themselves anywhere in this charset, so that one can be written over a character.
pub(super) fn is_stateless(label: Option<&str>) -> bool {
    let label = label.unwrap_or_default().trim().to_ascii_lowercase();
    !(is_utf7(&label) || label.contains("2022") || label.contains("hz"))
}

/// One byte at a time, so that each character is seen with its bytes, in multi-byte and stateful charsets alike.
fn by_decoder(bytes: &[u8], encoding: &'static Encoding, mut each: impl FnMut(char, Range<usize>)) {
    let mut decoder = encoding.new_decoder_without_bom_handling();
    let mut buffer = [0_u8; 64];
    let mut start = 0;
    for at in 0..=bytes.len() {
        let last = at == bytes.len();
        let mut input = bytes.get(at..(at + 1).min(bytes.len())).unwrap_or_default();
        loop {
            let (result, read, written, _) = decoder.decode_to_utf8(input, &mut buffer, last);
            let text = buffer
                .get(..written)
                .and_then(|b| std::str::from_utf8(b).ok())
                .unwrap_or_default();
            let end = (at + 1).min(bytes.len());
            for (n, c) in text.chars().enumerate() {
                each(c, if n == 0 { start..end } else { end..end });
                start = end;
            }
            input = input.get(read..).unwrap_or_default();
            if result == CoderResult::InputEmpty {
                break;
            }
        }
    }
}

fn utf32(bytes: &[u8], big: bool, mut each: impl FnMut(char, Range<usize>)) {
    for (i, unit) in bytes.chunks(4).enumerate() {
        let code = match <[u8; 4]>::try_from(unit) {
            Ok(unit) if big => u32::from_be_bytes(unit),
            Ok(unit) => u32::from_le_bytes(unit),
            Err(_) => 0xFFFD,
        };
        each(char::from_u32(code).unwrap_or('\u{fffd}'), i * 4..i * 4 + unit.len());
    }
}

/// RFC 2152.
fn utf7(bytes: &[u8], mut each: impl FnMut(char, Range<usize>)) {
    let mut at = 0;
    while let Some(&b) = bytes.get(at) {
        if b != b'+' {
            each(if b.is_ascii() { char::from(b) } else { '\u{fffd}' }, at..at + 1);
            at += 1;
            continue;
        }
        let rest = bytes.get(at + 1..).unwrap_or_default();
        let run = rest
            .iter()
            .take_while(|b| b.is_ascii_alphanumeric() || b"+/".contains(b))
            .count();
        let closed = rest.get(run) == Some(&b'-');
        let end = at + 1 + run + usize::from(closed);
        if run == 0 {
            each('+', at..end);
        } else {
            let decoded = super::transfer::base64::decode(rest.get(..run).unwrap_or_default()).bytes;
            let units = decoded.chunks_exact(2).map(|u| u16::from_be_bytes([u[0], u[1]]));
            for c in char::decode_utf16(units) {
                each(c.unwrap_or('\u{fffd}'), at..end);
            }
        }
        at = end;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8], label: Option<&str>) -> String {
        let mut text = String::new();
        characters(bytes, label, |c, _| text.push(c));
        text
    }

    #[test]
    fn every_label_shows_ascii_digits() {
        for label in [
            None,
            Some("utf-8"),
            Some("x-unknown"),
            Some("iso-2022-kr"),
            Some("iso-8859-1"),
            Some("shift_jis"),
        ] {
            assert_eq!(read(b"a 12-34", label), "a 12-34", "{label:?}");
        }
        assert_eq!(read(b"\xe6 1", None), "æ 1");
        assert_eq!(read(b"1\x002\x00", Some("utf-16le")), "12");
        assert_eq!(read(b"\x00\x00\x001", Some("utf-32be")), "1");
        assert_eq!(read(b"+ADEAMg-3+-", Some("UTF-7")), "123+");
    }

    #[test]
    fn a_character_knows_its_bytes() {
        let mut seen = Vec::new();
        characters(b"\x82\xa01", Some("shift_jis"), |c, range| seen.push((c, range)));
        assert_eq!(seen, [('あ', 0..2), ('1', 2..3)]);
    }
}
