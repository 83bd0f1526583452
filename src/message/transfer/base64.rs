//! base64 (RFC 2045 §6.8), read as the most lenient mail program would, written back quantum by quantum.

use super::{Decoded, line_break};
use crate::content::Splice;
use crate::message::fields::add;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::borrow::Cow;

/// Decodes; every character outside the alphabet is skipped, padding in the middle starts anew.
pub(in crate::message) fn decode(source: &[u8]) -> Decoded<'static> {
    let mut joined = Vec::with_capacity(source.len());
    let mut start = 0;
    for end in memchr::memchr_iter(b'\n', source).chain([source.len()]) {
        joined.extend_from_slice(source.get(start..end).unwrap_or_default().trim_ascii());
        start = end + 1;
    }
    if let Ok(bytes) = STANDARD.decode(&joined) {
        return Decoded {
            bytes: Cow::Owned(bytes),
            odd: Vec::new(),
        };
    }
    drop(joined);
    lenient(source)
}

/// The slow way, with its complaints.
fn lenient(source: &[u8]) -> Decoded<'static> {
    let mut out = Vec::with_capacity(source.len() / 4 * 3 + 3);
    let mut odd = Vec::new();
    let mut bits = 0_u32;
    let mut have = 0_u8;
    let mut padded = false;
    for &b in source {
        if let Some(value) = value(b) {
            if padded && have == 0 {
                add(&mut odd, "base64 goes on behind its padding");
                padded = false;
            } else if padded {
                add(&mut odd, "base64 padding stands in the middle of a group");
                finish(&mut out, bits, have, &mut odd);
                (bits, have, padded) = (0, 0, false);
            }
            bits = bits << 6 | u32::from(value);
            have += 1;
            if have == 4 {
                out.extend_from_slice(&bits.to_be_bytes()[1..]);
                (bits, have) = (0, 0);
            }
        } else if b == b'=' {
            pad(&mut out, &mut bits, &mut have, &mut padded, &mut odd);
        } else if !b.is_ascii_whitespace() {
            add(&mut odd, "base64 holds characters outside its alphabet");
        }
    }
    if have > 0 {
        add(&mut odd, "base64 ends without its padding");
        finish(&mut out, bits, have, &mut odd);
    }
    Decoded {
        bytes: Cow::Owned(out),
        odd,
    }
}

/// One `=`: the second of two, the only one, or one too many.
fn pad(out: &mut Vec<u8>, bits: &mut u32, have: &mut u8, padded: &mut bool, odd: &mut Vec<&'static str>) {
    match (*have, *padded) {
        (3, false) => {
            finish(out, *bits, 3, odd);
            (*bits, *have, *padded) = (0, 0, true);
        }
        (2, false) => *padded = true,
        (2, true) => {
            finish(out, *bits, 2, odd);
            (*bits, *have) = (0, 0);
        }
        _ => add(odd, "base64 padding stands where none belongs"),
    }
}

/// The bytes of an incomplete group.
fn finish(out: &mut Vec<u8>, bits: u32, have: u8, odd: &mut Vec<&'static str>) {
    let unused = match have {
        2 => {
            out.push((bits >> 4) as u8);
            bits & 0xF
        }
        3 => {
            out.push((bits >> 10) as u8);
            out.push((bits >> 2) as u8);
            bits & 3
        }
        _ => {
            add(odd, "base64 ends with a single character");
            0
        }
    };
    if unused != 0 {
        add(odd, "base64 has bits behind its last byte");
    }
}

fn value(b: u8) -> Option<u8> {
    Some(match b {
        b'A'..=b'Z' => b - b'A',
        b'a'..=b'z' => b - b'a' + 26,
        b'0'..=b'9' => b - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    })
}

/// Positions in the source of the characters that carry bits, group after group; for sources that decode without
/// complaint.
pub(in crate::message) fn positions(source: &[u8]) -> impl Iterator<Item = usize> {
    source
        .iter()
        .enumerate()
        .filter(|(_, b)| value(**b).is_some() || **b == b'=')
        .map(|(i, _)| i)
}

/// The splices that turn `old` into `new` (same length): only characters of changed groups, line structure untouched.
pub(in crate::message) fn splices(source: &[u8], old: &[u8], new: &[u8]) -> Vec<Splice> {
    let mut splices = Vec::new();
    let mut places = positions(source);
    for (old, new) in old.chunks(3).zip(new.chunks(3)) {
        let group: Vec<usize> = places.by_ref().take(4).collect();
        if old == new {
            continue;
        }
        for (at, with) in group.iter().zip(STANDARD.encode(new).bytes()) {
            if source.get(*at) != Some(&with) {
                splices.push(Splice {
                    range: *at..*at + 1,
                    with: vec![with],
                });
            }
        }
    }
    splices
}

/// Encodes `new` with the line width, line breaks and last line break of `source`.
pub(in crate::message) fn encode_like(source: &[u8], new: &[u8]) -> Vec<u8> {
    let first = source.split(|&b| b == b'\n').next().unwrap_or_default().trim_ascii();
    let several = memchr::memchr(b'\n', source.trim_ascii_end()).is_some();
    let width = if several { first.len() / 4 * 4 } else { 76 };
    let width = if (4..=996).contains(&width) { width } else { 76 };
    let eol = line_break(source);
    let text = STANDARD.encode(new);
    let mut out = Vec::with_capacity(text.len() + text.len() / width * 2 + 2);
    for (i, line) in text.as_bytes().chunks(width).enumerate() {
        if i > 0 {
            out.extend_from_slice(eol);
        }
        out.extend_from_slice(line);
    }
    if source.ends_with(b"\n") {
        out.extend_from_slice(eol);
    }
    out
}

/// Another reading of an unsound source: padding is skipped like every other foreign character.
pub(in crate::message) fn without_padding(source: &[u8]) -> Vec<u8> {
    let kept: Vec<u8> = source.iter().copied().filter(|b| *b != b'=').collect();
    lenient(&kept).bytes.into_owned()
}

/// `bytes` as one line, for an encoded word.
pub(in crate::message) fn one_line(bytes: &[u8]) -> Vec<u8> {
    STANDARD.encode(bytes).into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(source: &str) -> (String, usize) {
        let decoded = decode(source.as_bytes());
        (String::from_utf8_lossy(&decoded.bytes).into_owned(), decoded.odd.len())
    }

    #[test]
    fn junk_padding_and_joined_streams_are_read_and_named() {
        assert_eq!(read("aGVq\r\nIG1l\r\n"), ("hej me".to_owned(), 0));
        assert_eq!(read("aGVqIA=="), ("hej ".to_owned(), 0));
        assert_eq!(read("a GV\tqIA = ="), ("hej ".to_owned(), 0));
        assert_eq!(read("aG!Vq"), ("hej".to_owned(), 1));
        assert_eq!(read("aGVqIA"), ("hej ".to_owned(), 1));
        assert_eq!(read("aGVqIA=="), ("hej ".to_owned(), 0));
        assert_eq!(read("aGVqIA==aGVq"), ("hej hej".to_owned(), 1));
        assert_eq!(read("aGVqIA=aGVq"), ("hej hej".to_owned(), 1));
        assert_eq!(read("aGVqIB=="), ("hej ".to_owned(), 1));
        assert_eq!(read("aGVqI"), ("hej".to_owned(), 2));
        assert_eq!(read("="), (String::new(), 1));
    }

    proptest! {
        #[test]
        fn a_change_of_the_same_length_touches_only_its_groups(
            old in proptest::collection::vec(any::<u8>(), 1..300),
            at in any::<proptest::sample::Index>(),
            with in any::<u8>(),
        ) {
            let source = encode_like(b"AAAAAAAA\nAAAA\n", &old);
            let mut new = old.clone();
            let at = at.index(old.len());
            new[at] = with;
            let splices = splices(&source, &old, &new);
            let places: Vec<usize> = positions(&source).skip(at / 3 * 4).take(4).collect();
            prop_assert!(splices.iter().all(|s| places.contains(&s.range.start)));
            let edited = crate::content::splice(&source, splices).expect("sound");
            prop_assert_eq!(edited.len(), source.len());
            prop_assert_eq!(decode(&edited).bytes.into_owned(), new);
        }

        #[test]
        fn what_is_encoded_decodes_without_complaint(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let decoded = decode(&encode_like(b"AAAAAAAA\r\nAAAA", &bytes)).bytes.into_owned();
            prop_assert_eq!(decoded, bytes);
        }

        #[test]
        fn the_slow_way_agrees_with_the_fast_one(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let source = encode_like(b"AAAAAAAA\r\nAAAA", &bytes);
            let slow = lenient(&source);
            prop_assert_eq!(slow.bytes.into_owned(), bytes);
            prop_assert!(slow.odd.is_empty());
        }
    }
}
