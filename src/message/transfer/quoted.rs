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

/// The splice that turns `old` into `new` of another length: what both begin and end with stays as it is written.
pub(in crate::message) fn middle(source: &[u8], old: &[u8], new: &[u8]) -> Splice {
    let is = |i: usize, byte: u8| old.get(i) == Some(&byte);
    let mut start = old.iter().zip(new).take_while(|(a, b)| a == b).count();
    // A line break changes whole: what is dropped before it would count otherwise.
    while start > 0 && is(start - 1, b'\r') {
        start -= 1;
    }
    let most = old.len().min(new.len()) - start;
    let tail = old.iter().rev().zip(new.iter().rev()).take(most);
    let mut end = old.len() - tail.take_while(|(a, b)| a == b).count();
    if end > start && is(end - 1, b'\r') && is(end, b'\n') {
        end += 1;
    }
    // From behind the byte before to the byte behind: soft breaks and dropped blanks in between are written anew.
    let (mut from, mut to, mut n) = (0, source.len(), 0);
    let mut put = |range: Range<usize>| {
        if n < start {
            from = range.end;
        }
        if n == end {
            to = range.start;
        }
        n += 1;
    };
    pieces(source, |piece| match piece {
        Piece::Literal(range) => range.for_each(|i| put(i..i + 1)),
        Piece::Escape(range, _) => put(range),
        Piece::Bad(at) => put(at..at + 1),
    });
    let kept = old.len() - end;
    let eol = line_break(source);
    let mut with = encoded(new.get(start..new.len() - kept).unwrap_or_default(), eol);
    // A blank must not come to stand at the end of a line, and two lines not become one long one.
    if with.is_empty() || memchr::memchr(b'\n', source.get(from..to).unwrap_or_default()).is_some() {
        with.push(b'=');
        with.extend_from_slice(eol);
    }
    Splice { range: from..to, with }
}

/// Bytes as they may stand in the middle of a line; line breaks are escaped too, since they need not be those of text.
fn encoded(bytes: &[u8], eol: &[u8]) -> Vec<u8> {
    const WIDTH: usize = 60;
    let mut out = Vec::with_capacity(bytes.len() + bytes.len() / 8);
    let mut width = 0;
    for &byte in bytes {
        let one = written(byte, false);
        if width + one.len() > WIDTH {
            out.push(b'=');
            out.extend_from_slice(eol);
            width = 0;
        }
        width += one.len();
        out.extend_from_slice(&one);
    }
    out
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
        fn a_change_of_another_length_touches_only_what_is_between(
            source in "([0-9a-z ]|=[0-9A-F][0-9A-F]|=\r\n|\r\n|\n){0,80}",
            at in any::<proptest::sample::Index>(),
            gone in 0..9_usize,
            with in proptest::collection::vec(any::<u8>(), 0..200),
        ) {
            let decoded = decode(source.as_bytes());
            prop_assume!(decoded.odd.is_empty());
            let old = decoded.bytes.into_owned();
            let at = at.index(old.len() + 1);
            let behind = (at + gone).min(old.len());
            let new = [&old[..at], with.as_slice(), &old[behind..]].concat();
            let splice = middle(source.as_bytes(), &old, &new);
            let edited = crate::content::splice(source.as_bytes(), vec![splice]).expect("sound");
            prop_assert_eq!(decode(&edited).bytes.into_owned(), new);
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
