//! Content-Transfer-Encoding (RFC 2045 §5, §6): lenient decoders that say what was wrong, and the way back.
//!
//! Our own, because redaction writes into the encoded bytes: only the changed escapes or base64 quanta may change.

pub(super) mod base64;
pub(super) mod quoted;

use crate::content::{CannotEdit, Splice};
use std::borrow::Cow;

/// The encodings of RFC 2045.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Encoding {
    /// `7bit`, or nothing declared.
    #[default]
    SevenBit,
    /// `8bit`.
    EightBit,
    /// `binary`.
    Binary,
    QuotedPrintable,
    Base64,
}

impl Encoding {
    /// By its exact name, without regard to case.
    pub(super) fn named(name: &str) -> Option<Encoding> {
        Some(match name.to_ascii_lowercase().as_str() {
            "7bit" => Encoding::SevenBit,
            "8bit" => Encoding::EightBit,
            "binary" => Encoding::Binary,
            "quoted-printable" => Encoding::QuotedPrintable,
            "base64" => Encoding::Base64,
            _ => return None,
        })
    }

    /// The bytes stand for themselves.
    pub(super) fn is_identity(self) -> bool {
        !matches!(self, Encoding::QuotedPrintable | Encoding::Base64)
    }
}

/// Decoded bytes, and what a stricter or laxer decoder would do otherwise.
pub(super) struct Decoded<'a> {
    pub(super) bytes: Cow<'a, [u8]>,
    pub(super) odd: Vec<&'static str>,
}

/// Takes the encoding off.
pub(super) fn decode(encoding: Encoding, source: &[u8]) -> Decoded<'_> {
    match encoding {
        Encoding::Base64 => base64::decode(source),
        Encoding::QuotedPrintable => quoted::decode(source),
        _ => Decoded {
            bytes: Cow::Borrowed(source),
            odd: Vec::new(),
        },
    }
}

/// The splices (relative to `source`) that make `source` decode to `new` instead of `old`.
///
/// # Errors
/// When the source cannot carry the new bytes.
pub(super) fn replace(encoding: Encoding, source: &[u8], old: &[u8], new: &[u8]) -> Result<Vec<Splice>, CannotEdit> {
    if old == new {
        return Ok(Vec::new());
    }
    let same = old.len() == new.len();
    match encoding {
        Encoding::Base64 if same => Ok(base64::splices(source, old, new)),
        Encoding::QuotedPrintable if same => Ok(quoted::splices(source, old, new)),
        Encoding::Base64 => Ok(whole(source, base64::encode_like(source, new))),
        Encoding::QuotedPrintable => Ok(vec![quoted::middle(source, old, new)]),
        Encoding::SevenBit if !new.is_ascii() && old.is_ascii() => Err(CannotEdit::Unsound(
            "8-bit bytes would stand in a 7-bit part".to_owned(),
        )),
        _ if same => Ok(changed_runs(old, new)),
        _ => Ok(whole(source, new.to_vec())),
    }
}

fn whole(source: &[u8], with: Vec<u8>) -> Vec<Splice> {
    vec![Splice {
        range: 0..source.len(),
        with,
    }]
}

/// One splice for each run of changed bytes; both sides have the same length.
fn changed_runs(old: &[u8], new: &[u8]) -> Vec<Splice> {
    let mut splices: Vec<Splice> = Vec::new();
    for (i, (a, b)) in old.iter().zip(new).enumerate() {
        if a == b {
            continue;
        }
        match splices.last_mut() {
            Some(last) if last.range.end == i => {
                last.range.end += 1;
                last.with.push(*b);
            }
            _ => splices.push(Splice {
                range: i..i + 1,
                with: vec![*b],
            }),
        }
    }
    splices
}

/// The line break a text uses, CRLF when it has none.
fn line_break(source: &[u8]) -> &'static [u8] {
    match memchr::memchr(b'\n', source) {
        Some(0) => b"\n",
        Some(i) if source.get(i - 1) != Some(&b'\r') => b"\n",
        _ => b"\r\n",
    }
}
