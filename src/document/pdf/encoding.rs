//! What a glyph name or a byte of a simple font stands for (ISO 32000-1, annex D), and text strings outside of content.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::OnceLock;

/// Names of the Adobe Glyph List that letters, digits and marks need, `name hex name hex …`.
const GLYPHS: &str = include_str!("glyphs.txt");

/// `StandardEncoding` from 0xA1 on; a dot: nothing.
const STANDARD_HIGH: &str = concat!(
    "¡¢£\u{2044}¥ƒ§¤\'“«‹›ﬁﬂ.–†‡·.¶•‚„”»…‰.¿.`´ˆ˜¯˘˙¨.˚¸.˝˛ˇ",
    "—................Æ.ª....ŁØŒº.....æ...ı..łøœß"
);

/// `PDFDocEncoding` where it is not Latin-1: from 0x18 on, and from 0x80 on.
const PDF_DOC_LOW: &str = "˘ˇˆ˙˝˛˚˜";
const PDF_DOC_HIGH: &str = "•†‡…—–ƒ\u{2044}‹›\u{2212}‰„“”‘’‚™ﬁﬂŁŒŠŸŽıłœšž.€";

/// The encodings that a font can name.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Base {
    Standard,
    WinAnsi,
    MacRoman,
}

impl Base {
    pub fn named(name: &[u8]) -> Option<Base> {
        match name {
            b"StandardEncoding" => Some(Base::Standard),
            b"WinAnsiEncoding" => Some(Base::WinAnsi),
            b"MacRomanEncoding" => Some(Base::MacRoman),
            _ => None,
        }
    }

    /// What a code stands for.
    pub fn char(self, code: u8) -> Option<char> {
        let single = |charset: &'static encoding_rs::Encoding| {
            let bytes = [code];
            let (text, _) = charset.decode_without_bom_handling(&bytes);
            text.chars().next()
        };
        match (self, code) {
            (_, 0..=31) => None,
            (Base::Standard, 0x27) => Some('’'),
            (Base::Standard, 0x60) => Some('‘'),
            (_, 0x20..=0x7e) => Some(char::from(code)),
            (Base::Standard, _) => nth(STANDARD_HIGH, 0xa1, code),
            (Base::WinAnsi, _) => single(encoding_rs::WINDOWS_1252)
                .filter(|c| !c.is_control())
                .or(Some('•')),
            (Base::MacRoman, _) => single(encoding_rs::MACINTOSH),
        }
    }
}

/// The character of a glyph name (Adobe Glyph List Specification, section 2), `None` for names such as `g23`.
pub(super) fn named(name: &[u8]) -> Option<char> {
    static TABLE: OnceLock<HashMap<&'static str, char>> = OnceLock::new();
    let table = TABLE.get_or_init(|| {
        let words: Vec<&str> = GLYPHS.split_ascii_whitespace().collect();
        let pair = |pair: &[&'static str]| Some((*pair.first()?, hex(pair.get(1)?)?));
        words.chunks(2).filter_map(pair).collect()
    });
    let name = std::str::from_utf8(name).ok()?;
    // `one.oldstyle`, `one_two`: the first component says it.
    let stem = name.split('.').next()?.split('_').next()?;
    let stem = ["oldstyle", "fitted", "tabular"]
        .iter()
        .find_map(|style| stem.strip_suffix(style))
        .filter(|stem| !stem.is_empty())
        .unwrap_or(stem);
    if let Some(c) = table.get(stem) {
        return Some(*c);
    }
    let coded = stem.strip_prefix("uni").and_then(|rest| rest.get(..4));
    coded
        .or_else(|| stem.strip_prefix('u').filter(|rest| (4..=6).contains(&rest.len())))
        .and_then(hex)
}

fn hex(digits: &str) -> Option<char> {
    u32::from_str_radix(digits, 16).ok().and_then(char::from_u32)
}

/// How a text string outside of content is written.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Written {
    Bytes,
    Utf16Be,
    Utf16Le,
}

impl Written {
    pub fn of(bytes: &[u8]) -> Written {
        match bytes {
            [0xfe, 0xff, ..] => Written::Utf16Be,
            [0xff, 0xfe, ..] => Written::Utf16Le,
            _ => Written::Bytes,
        }
    }

    pub fn encode(self, text: &str) -> Vec<u8> {
        match self {
            Written::Bytes => text.as_bytes().to_vec(),
            Written::Utf16Be => text.encode_utf16().flat_map(u16::to_be_bytes).collect(),
            Written::Utf16Le => text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
        }
    }
}

/// A text string (ISO 32000-1, 7.9.2.2): each character with its bytes. NULs are left out: programs that forget the mark of
/// UTF-16 leave them between the digits.
pub(super) fn text_string(bytes: &[u8]) -> Vec<(char, Range<usize>)> {
    match Written::of(bytes) {
        Written::Bytes => {
            let utf8 = bytes.strip_prefix(b"\xef\xbb\xbf");
            let from = if utf8.is_some() { 3 } else { 0 };
            let rest = bytes.get(from..).unwrap_or_default();
            // Some programs write UTF-8 without its mark.
            let valid = utf8.is_some() || !rest.is_ascii();
            match std::str::from_utf8(rest).ok().filter(|_| valid) {
                Some(text) => text
                    .char_indices()
                    .map(|(at, c)| (c, from + at..from + at + c.len_utf8()))
                    .filter(|(c, _)| *c != '\0')
                    .collect(),
                None => (0..rest.len())
                    .filter_map(|i| Some((pdf_doc(*rest.get(i)?), from + i..from + i + 1)))
                    .filter(|(c, _)| *c != '\0')
                    .collect(),
            }
        }
        form => {
            let unit = |pair: &[u8]| match (form, pair) {
                (Written::Utf16Le, [a, b]) => u16::from_le_bytes([*a, *b]),
                (_, [a, b]) => u16::from_be_bytes([*a, *b]),
                _ => 0,
            };
            let units = bytes.get(2..).unwrap_or_default().chunks(2).map(unit);
            let mut at = 2;
            char::decode_utf16(units)
                .map(|decoded| {
                    let c = decoded.unwrap_or(char::REPLACEMENT_CHARACTER);
                    let start = at;
                    at += 2 * c.len_utf16();
                    (c, start..at.min(bytes.len()))
                })
                .filter(|(c, _)| *c != '\0')
                .collect()
        }
    }
}

fn pdf_doc(byte: u8) -> char {
    let special = nth(PDF_DOC_LOW, 0x18, byte).or_else(|| nth(PDF_DOC_HIGH, 0x80, byte));
    special.unwrap_or(char::from(byte))
}

/// The character of `code` in a table that begins at `first`.
fn nth(table: &str, first: u8, code: u8) -> Option<char> {
    let at = usize::from(code.checked_sub(first)?);
    table.chars().nth(at).filter(|c| *c != '.')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn glyph_names_are_read_in_all_their_styles() {
        let all = ["seven", "seven.lf", "uni0037", "u0037", "sevenoldstyle", "seven_tab"];
        assert!(all.iter().all(|name| named(name.as_bytes()) == Some('7')));
        assert_eq!(named(b"g23"), None);
        assert_eq!(named(b"aring"), Some('å'));
    }

    #[test]
    fn text_strings_are_read_in_their_three_forms() {
        let text = |bytes: &[u8]| -> String { text_string(bytes).iter().map(|(c, _)| *c).collect() };
        assert_eq!(text(b"\xfe\xff\0a\0\xe6"), "aæ");
        assert_eq!(text(b"\xef\xbb\xbfa\xc3\xa6"), "aæ");
        assert_eq!(text(b"a\xe6\x85"), "aæ–");
        assert_eq!(text_string(b"\xfe\xff\0a\0b").last(), Some(&('b', 4..6)));
    }
}
