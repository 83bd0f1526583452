//! RFC 2047 encoded words of a Subject, for showing it (masked) in notices. Not the reading that decides anything: that is
//! the worker's.

use base64::Engine as _;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// The text of a header value: folds removed, encoded words decoded, control characters left out, at most 500 characters.
pub fn decode(value: &[u8]) -> String {
    let raw = String::from_utf8_lossy(value);
    let unfolded = raw.replace(['\r', '\n', '\t'], " ");
    let mut out = String::new();
    let mut rest = unfolded.trim();
    let mut after_word = false;
    while let Some(start) = rest.find("=?") {
        let (before, from) = rest.split_at(start);
        let Some((text, len)) = encoded_word(from) else {
            out.push_str(before);
            out.push_str("=?");
            rest = &from[2..];
            after_word = false;
            continue;
        };
        // Blanks between two encoded words are no part of the text (RFC 2047 §6.2).
        if !(after_word && before.trim().is_empty()) {
            out.push_str(before);
        }
        out.push_str(&text);
        rest = &from[len..];
        after_word = true;
    }
    out.push_str(rest);
    out.chars().filter(|c| !c.is_control()).take(500).collect()
}

/// One `=?charset?B|Q?text?=` at the start of `from`, and its length.
fn encoded_word(from: &str) -> Option<(String, usize)> {
    let inner = from.strip_prefix("=?")?;
    let (charset, rest) = inner.split_once('?')?;
    let (method, rest) = rest.split_once('?')?;
    let (text, _) = rest.split_once("?=")?;
    if text.contains(' ') || charset.len() > 60 {
        return None;
    }
    let bytes = match method {
        "B" | "b" => LENIENT.decode(text).ok()?,
        "Q" | "q" => q_decode(text),
        _ => return None,
    };
    let label = charset.split('*').next().unwrap_or_default();
    let encoding = encoding_rs::Encoding::for_label(label.as_bytes())?;
    let len = 2 + charset.len() + 1 + method.len() + 1 + text.len() + 2;
    Some((encoding.decode_without_bom_handling(&bytes).0.into_owned(), len))
}

fn q_decode(text: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.as_bytes();
    while let Some((&first, rest)) = bytes.split_first() {
        bytes = rest;
        let hex = rest.get(..2).and_then(|h| std::str::from_utf8(h).ok());
        match (first, hex.and_then(|h| u8::from_str_radix(h, 16).ok())) {
            (b'=', Some(byte)) => {
                out.push(byte);
                bytes = rest.get(2..).unwrap_or_default();
            }
            (b'_', _) => out.push(b' '),
            _ => out.push(first),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encoded_words_are_read_and_everything_else_stays() {
        for (raw, text) in [
            (" Sag om Søren", "Sag om Søren"),
            ("=?utf-8?q?S=C3=B8ren_A?=", "Søren A"),
            ("=?utf-8?B?U8O4?=\n =?utf-8?B?cmVu?= x", "Søren x"),
            ("=?iso-8859-1?Q?R=F8d?=", "Rød"),
            ("=?broken", "=?broken"),
            ("a =?nonsense?Q?x?= b", "a =?nonsense?Q?x?= b"),
            ("=?utf-8?Q?=3g?=", "=3g"),
        ] {
            assert_eq!(decode(raw.as_bytes()), text);
        }
    }
}
