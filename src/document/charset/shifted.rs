//! Charsets with state: UTF-7, ISO-2022-JP/KR/CN and HZ. Decoded for inspection; only characters outside the shifts can be
//! edited, those inside have no source bytes of their own.

use super::Reading;
use crate::content::Form;
use base64::Engine;
use base64::engine::{GeneralPurpose, GeneralPurposeConfig};
use encoding_rs::Encoding;

const MODIFIED: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(base64::engine::DecodePaddingMode::RequireNone),
);

/// UTF-7 (RFC 2152).
pub(super) fn utf7(bytes: &[u8]) -> Reading {
    let mut out = Reading::new(Form::Ascii);
    let mut at = 0;
    while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
        let direct = memchr::memchr(b'+', rest).unwrap_or(rest.len());
        as_is(&mut out, rest.get(..direct).unwrap_or_default(), at);
        at += direct;
        let Some(shifted) = bytes.get(at + 1..) else {
            break;
        };
        let len = shifted.iter().take_while(|b| is_base64(**b)).count();
        let closed = shifted.get(len) == Some(&b'-');
        if len == 0 && closed {
            out.unit("+", at, 2);
        } else {
            out.text.push_str(&from_base64(shifted.get(..len).unwrap_or_default()));
        }
        at += 1 + len + usize::from(closed);
    }
    out
}

fn is_base64(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b == b'+' || b == b'/'
}

fn from_base64(shifted: &[u8]) -> String {
    // One character too many cannot hold a byte; the rest can be read without it.
    let whole = shifted.len() - usize::from(shifted.len() % 4 == 1);
    let bytes = MODIFIED
        .decode(shifted.get(..whole).unwrap_or_default())
        .unwrap_or_default();
    let units = bytes.chunks_exact(2).map(|pair| match pair {
        [a, b] => u16::from_be_bytes([*a, *b]),
        _ => 0,
    });
    char::decode_utf16(units).map(|c| c.unwrap_or('\u{fffd}')).collect()
}

/// What the bytes between two shifts mean.
#[derive(Clone, Copy)]
enum State {
    Ascii,
    Katakana,
    Double(&'static Encoding),
}

/// Escape sequences of ISO-2022-JP, -KR and -CN that matter: what follows them.
const ESCAPES: [(&[u8], State); 9] = [
    (b"\x1b(B", State::Ascii),
    (b"\x1b(J", State::Ascii),
    (b"\x1b(I", State::Katakana),
    (b"\x1b$@", State::Double(encoding_rs::EUC_JP)),
    (b"\x1b$B", State::Double(encoding_rs::EUC_JP)),
    (b"\x1b$(D", State::Double(encoding_rs::EUC_JP)),
    (b"\x1b$A", State::Double(encoding_rs::GBK)),
    (b"\x1b$)C", State::Ascii),
    (b"\x1b$)A", State::Ascii),
];

/// The bytes have an escape sequence of the ISO-2022 family.
pub(super) fn has_escapes(bytes: &[u8]) -> bool {
    memchr::memmem::find(bytes, b"\x1b$").is_some()
}

/// ISO-2022-JP (RFC 1468), -KR (RFC 1557) and -CN (RFC 1922) in one: the escape says which.
pub(super) fn iso2022(bytes: &[u8]) -> Reading {
    let korean = memchr::memmem::find(bytes, b"\x1b$)C").is_some();
    let by_shift_out = if korean { encoding_rs::EUC_KR } else { encoding_rs::GBK };
    let mut out = Reading::new(Form::Ascii);
    let mut state = State::Ascii;
    let mut at = 0;
    while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
        if let Some((escape, next)) = ESCAPES.iter().find(|(escape, _)| rest.starts_with(escape)) {
            state = *next;
            at += escape.len();
            continue;
        }
        let len = match rest.first() {
            Some(0x0e) => {
                state = State::Double(by_shift_out);
                at += 1;
                continue;
            }
            Some(0x0f) => {
                state = State::Ascii;
                at += 1;
                continue;
            }
            _ => stretch(rest),
        };
        shifted(&mut out, rest.get(..len).unwrap_or_default(), at, state);
        // RFC 1468: every line ends in ASCII.
        if rest.get(..len).is_some_and(|part| part.ends_with(b"\n")) {
            state = State::Ascii;
        }
        at += len;
    }
    out
}

/// Bytes up to the next shift or the end of the line; at least one.
fn stretch(rest: &[u8]) -> usize {
    let end = rest
        .iter()
        .skip(1)
        .position(|b| matches!(b, 0x1b | 0x0e | 0x0f | b'\n'));
    match end {
        None => rest.len(),
        Some(n) if rest.get(n + 1) == Some(&b'\n') => n + 2,
        Some(n) => n + 1,
    }
}

/// HZ (RFC 1843): `~{` and `~}` around GB 2312 in seven bits.
pub(super) fn hz(bytes: &[u8]) -> Reading {
    let mut out = Reading::new(Form::Ascii);
    let mut at = 0;
    while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
        let open = memchr::memmem::find(rest, b"~{").unwrap_or(rest.len());
        as_is(&mut out, rest.get(..open).unwrap_or_default(), at);
        at += open + 2;
        let inner = bytes.get(at..).unwrap_or_default();
        let close = memchr::memmem::find(inner, b"~}").unwrap_or(inner.len());
        let part = inner.get(..close).unwrap_or_default();
        shifted(&mut out, part, at, State::Double(encoding_rs::GBK));
        at += close + 2;
    }
    out
}

fn shifted(out: &mut Reading, part: &[u8], at: usize, state: State) {
    match state {
        State::Ascii => as_is(out, part, at),
        State::Katakana => {
            let half_width = |b: &u8| char::from_u32(0xff61 + u32::from(*b) - 0x21);
            let kana = part.iter().map(|b| {
                if (0x21..0x60).contains(b) {
                    half_width(b)
                } else {
                    Some(char::from(*b))
                }
            });
            out.text.extend(kana.flatten());
        }
        State::Double(encoding) => {
            let high: Vec<u8> = part
                .iter()
                .map(|b| if (0x21..0x7f).contains(b) { b | 0x80 } else { *b })
                .collect();
            out.text.push_str(&encoding.decode_without_bom_handling(&high).0);
        }
    }
}

/// ASCII outside the shifts; other bytes as UTF-8 where valid.
fn as_is(out: &mut Reading, part: &[u8], at: usize) {
    let mut at = at;
    for chunk in part.utf8_chunks() {
        out.plain(chunk.valid(), at);
        at += chunk.valid().len();
        if !chunk.invalid().is_empty() {
            out.bad(at, chunk.invalid().len());
            at += chunk.invalid().len();
        }
    }
}
