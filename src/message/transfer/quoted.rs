//! quoted-printable (RFC 2045 §6.7), read leniently, written back escape by escape.

use super::{Decoded, line_break};
use crate::content::Splice;
use crate::message::fields::{add, line_end, trimmed};
use std::borrow::Cow;
use std::ops::Range;

/// A stretch of the source and what it decodes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::message) enum Piece {
    /// Stands for itself.
    Literal(Range<usize>),
    /// `=XX`.
    Escape(Range<usize>, u8),
    /// A `=` that starts no escape; kept, as most programs do.
    Bad(usize),
}

/// Calls `each` for every piece, in order. Soft line breaks and blanks at line ends decode to nothing.
fn pieces(source: &[u8], mut each: impl FnMut(Piece)) {
    let mut at = 0;
    while at < source.len() {
        let next = line_end(source, at, source.len());
        let line = trimmed(source, at, next);
        let text = source.get(line.clone()).unwrap_or_default();
        // RFC 2045 §6.7 rule 3: blanks at the end of a line were added in transport.
        let kept = text.trim_ascii_end().len();
        let soft = text.get(..kept).is_some_and(|t| t.ends_with(b"="));
        let end = at + if soft { kept - 1 } else { kept };
        line_pieces(source, at..end, &mut each);
        if !soft && line.end < next {
            each(Piece::Literal(line.end..next));
        }
        at = next;
    }
}

fn line_pieces(source: &[u8], line: Range<usize>, each: &mut impl FnMut(Piece)) {
    let mut at = line.start;
    while let Some(i) = memchr::memchr(b'=', source.get(at..line.end).unwrap_or_default()) {
        let equals = at + i;
        if i > 0 {
            each(Piece::Literal(at..equals));
        }
        let hex = (equals + 2 < line.end).then(|| {
            let digit = |n: usize| source.get(equals + n).and_then(|b| char::from(*b).to_digit(16));
            Some((digit(1)? << 4 | digit(2)?) as u8)
        });
        match hex.flatten() {
            Some(byte) => {
                each(Piece::Escape(equals..equals + 3, byte));
                at = equals + 3;
            }
            None => {
                each(Piece::Bad(equals));
                at = equals + 1;
            }
        }
    }
    if at < line.end {
        each(Piece::Literal(at..line.end));
    }
}

/// Decodes.
pub(in crate::message) fn decode(source: &[u8]) -> Decoded<'static> {
    let mut out = Vec::with_capacity(source.len());
    let mut odd = Vec::new();
    pieces(source, |piece| match piece {
        Piece::Literal(range) => out.extend_from_slice(source.get(range).unwrap_or_default()),
        Piece::Escape(_, byte) => out.push(byte),
        Piece::Bad(_) => {
            add(&mut odd, "quoted-printable holds an equals sign that starts no escape");
            out.push(b'=');
        }
    });
    Decoded {
        bytes: Cow::Owned(out),
        odd,
    }
}

/// Another reading of an unsound source: an equals sign that starts no escape is dropped.
pub(in crate::message) fn without_bad(source: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(source.len());
    pieces(source, |piece| match piece {
        Piece::Literal(range) => out.extend_from_slice(source.get(range).unwrap_or_default()),
        Piece::Escape(_, byte) => out.push(byte),
        Piece::Bad(_) => {}
    });
    out
}

/// The splices that turn `old` into `new` (same length): only escapes and characters of changed bytes.
pub(in crate::message) fn splices(source: &[u8], old: &[u8], new: &[u8]) -> Vec<Splice> {
    let mut splices = Vec::new();
    let mut n = 0;
    let mut put = |range: Range<usize>, escaped: bool| {
        if let (Some(before), Some(after)) = (old.get(n), new.get(n))
            && before != after
        {
            splices.push(Splice {
                range,
                with: written(*after, escaped),
            });
        }
        n += 1;
    };
    pieces(source, |piece| match piece {
        Piece::Literal(range) => range.for_each(|i| put(i..i + 1, false)),
        Piece::Escape(range, _) => put(range, true),
        Piece::Bad(at) => put(at..at + 1, false),
    });
    splices
}

/// One byte, in the manner it was written before where that is allowed.
fn written(byte: u8, escaped: bool) -> Vec<u8> {
    if !escaped && byte.is_ascii_graphic() && byte != b'=' {
        return vec![byte];
    }
    format!("={byte:02X}").into_bytes()
}

/// Encodes `new` anew, with the line breaks of `source`; lines of at most 76 characters.
pub(in crate::message) fn encode_like(source: &[u8], new: &[u8]) -> Vec<u8> {
    let eol = line_break(source);
    let mut out = Vec::with_capacity(new.len() + new.len() / 8);
    for line in new.split_inclusive(|&b| b == b'\n') {
        let text = line.strip_suffix(b"\n").unwrap_or(line);
        let (text, broken) = match text.strip_suffix(b"\r") {
            Some(shorter) if text.len() < line.len() => (shorter, true),
            _ => (text, text.len() < line.len()),
        };
        encode_line(&mut out, text, eol);
        if broken {
            out.extend_from_slice(eol);
        }
    }
    out
}

fn encode_line(out: &mut Vec<u8>, text: &[u8], eol: &[u8]) {
    let mut width = 0;
    for (i, &byte) in text.iter().enumerate() {
        let last = i + 1 == text.len();
        let blank = byte == b' ' || byte == b'\t';
        let escaped = !(byte.is_ascii_graphic() && byte != b'=' || blank && !last);
        let size = if escaped { 3 } else { 1 };
        if width + size > 75 {
            out.push(b'=');
            out.extend_from_slice(eol);
            width = 0;
        }
        if escaped {
            out.extend_from_slice(&written(byte, true));
        } else {
            out.push(byte);
        }
        width += size;
    }
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
    fn escapes_soft_breaks_and_blanks_at_line_ends() {
        assert_eq!(read("a=3D=\r\nb \t\r\nc=20\r\n"), ("a=b\r\nc \r\n".to_owned(), 0));
        assert_eq!(read("01=  \n23="), ("0123".to_owned(), 0));
        assert_eq!(read("=3g0"), ("=3g0".to_owned(), 1));
        assert_eq!(read("==30"), ("=0".to_owned(), 1));
        assert_eq!(read("=e6"), ("\u{fffd}".to_owned(), 0));
    }

    #[test]
    fn a_changed_digit_keeps_its_manner() {
        let source = b"x=30=\r\n1y";
        let edited = crate::content::splice(source, splices(source, b"x01y", b"x**y")).expect("sound");
        assert_eq!(edited, b"x=2A=\r\n*y");
    }

    proptest! {
        #[test]
        fn what_is_encoded_decodes_to_the_same(text in "[a-zA-Z0-9æøå= \t.-]{0,200}(\r\n[a-z0-9= ]{0,90}){0,4}") {
            let source = encode_like(b"\r\n", text.as_bytes());
            prop_assert!(source.split(|&b| b == b'\n').all(|line| line.len() <= 77));
            let decoded = decode(&source);
            prop_assert!(decoded.odd.is_empty());
            prop_assert_eq!(decoded.bytes.into_owned(), text.as_bytes());
        }

        #[test]
        fn a_change_of_the_same_length_maps_back(
            source in "([0-9a-z =]|=[0-9A-F][0-9A-F]|=\r\n|\r\n){1,80}",
            at in any::<proptest::sample::Index>(),
        ) {
            let old = decode(source.as_bytes()).bytes.into_owned();
            prop_assume!(!old.is_empty());
            let mut new = old.clone();
            let at = at.index(old.len());
            prop_assume!(old[at] != b'\n' && old[at] != b'\r' && old[at] != b'=');
            new[at] = b'*';
            let edited = crate::content::splice(source.as_bytes(), splices(source.as_bytes(), &old, &new)).expect("sound");
            prop_assert_eq!(decode(&edited).bytes.into_owned(), new);
        }
    }
}
