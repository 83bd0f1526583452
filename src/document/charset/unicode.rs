//! UTF-8, UTF-16 and UTF-32, with and without byte order mark.

use super::{Charset, Reading};
use crate::content::Form;

/// The byte order mark at the start, and its length. UTF-32 is asked first: its little-endian mark begins as UTF-16's.
pub(super) fn mark(bytes: &[u8]) -> Option<(Charset, usize)> {
    const MARKS: [(&[u8], Charset); 5] = [
        (b"\xef\xbb\xbf", Charset::Utf8),
        (b"\xff\xfe\0\0", Charset::Utf32Le),
        (b"\0\0\xfe\xff", Charset::Utf32Be),
        (b"\xff\xfe", Charset::Utf16Le),
        (b"\xfe\xff", Charset::Utf16Be),
    ];
    let (mark, charset) = MARKS.into_iter().find(|(mark, _)| bytes.starts_with(mark))?;
    Some((charset, mark.len()))
}

/// Charsets that the places of NUL bytes speak for: ASCII text in UTF-16 has a NUL in every second byte.
pub(super) fn by_nuls(bytes: &[u8]) -> Vec<Charset> {
    const SAMPLE: usize = 1 << 16;
    let sample = bytes.get(..SAMPLE).unwrap_or(bytes);
    let mut nuls = [0usize; 4];
    for (i, _) in sample.iter().enumerate().filter(|(_, b)| **b == 0) {
        nuls[i % 4] += 1;
    }
    let [a, b, c, d] = nuls;
    let (half, quarter) = (sample.len() / 2, sample.len() / 4);
    if quarter == 0 || a + b + c + d == 0 {
        return Vec::new();
    }
    // A third of the characters is enough: Greek or Danish letters may stand between.
    let much = |n: usize| n * 3 >= quarter;
    match (much(a), much(b), much(c), much(d)) {
        (false, true, true, true) => vec![Charset::Utf32Le, Charset::Utf16Le],
        (true, true, true, false) => vec![Charset::Utf32Be, Charset::Utf16Be],
        (false, true, false, true) => vec![Charset::Utf16Le],
        (true, false, true, false) => vec![Charset::Utf16Be],
        _ if a + c == 0 && (b + d) * 2 >= half => vec![Charset::Utf16Le],
        _ if b + d == 0 && (a + c) * 2 >= half => vec![Charset::Utf16Be],
        _ => Vec::new(),
    }
}

/// UTF-8; each invalid sequence is one U+FFFD.
pub(super) fn utf8(bytes: &[u8], skip: usize) -> Reading {
    let mut out = Reading::new(Form::Ascii);
    let mut at = skip;
    for chunk in bytes.get(skip..).unwrap_or_default().utf8_chunks() {
        out.plain(chunk.valid(), at);
        at += chunk.valid().len();
        if !chunk.invalid().is_empty() {
            out.bad(at, chunk.invalid().len());
            at += chunk.invalid().len();
        }
    }
    out
}

/// UTF-16 in the byte order of `form`; unpaired surrogates and an odd last byte are U+FFFD.
pub(super) fn utf16(bytes: &[u8], skip: usize, form: Form) -> Reading {
    let little = form == Form::Utf16Le;
    let mut out = Reading::new(form);
    let body = bytes.get(skip..).unwrap_or_default();
    let units = body.chunks_exact(2).map(|pair| match pair {
        [a, b] if little => u16::from_le_bytes([*a, *b]),
        [a, b] => u16::from_be_bytes([*a, *b]),
        _ => 0,
    });
    let mut at = skip;
    for decoded in char::decode_utf16(units) {
        match decoded {
            Ok(c) => {
                wide(&mut out, c, at, 2 * c.len_utf16());
                at += 2 * c.len_utf16();
            }
            Err(_) => {
                out.bad(at, 2);
                at += 2;
            }
        }
    }
    if body.len() % 2 == 1 {
        out.bad(at, 1);
    }
    out
}

/// UTF-32 in the byte order of `form`.
pub(super) fn utf32(bytes: &[u8], skip: usize, form: Form) -> Reading {
    let little = form == Form::Utf32Le;
    let mut out = Reading::new(form);
    let mut at = skip;
    for chunk in bytes.get(skip..).unwrap_or_default().chunks(4) {
        let value = match chunk {
            [a, b, c, d] if little => Some(u32::from_le_bytes([*a, *b, *c, *d])),
            [a, b, c, d] => Some(u32::from_be_bytes([*a, *b, *c, *d])),
            _ => None,
        };
        match value.and_then(char::from_u32) {
            Some(c) => wide(&mut out, c, at, 4),
            None => out.bad(at, chunk.len()),
        }
        at += chunk.len();
    }
    out
}

/// One character that takes `len` bytes; ASCII keeps the map small.
fn wide(out: &mut Reading, c: char, source: usize, len: usize) {
    if c.is_ascii() {
        out.map.scaled(out.text.len(), source, 1, len);
        out.text.push(c);
    } else {
        out.unit(c.encode_utf8(&mut [0; 4]), source, len);
    }
}
