//! Eight-bit and multi-byte charsets in which ASCII stands for itself.

use super::Reading;
use crate::content::Form;
use encoding_rs::Encoding;

/// The upper half of code page 437: names in ZIP archives without the UTF-8 flag (APPNOTE 6.3.10, appendix D), and near
/// enough to 850 and 865 for everything that is a digit, a separator or a Danish capital.
const CP437: &str = "ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀\
αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u{a0}";

/// Any single-byte charset of the Encoding Standard.
pub(super) fn single_byte(bytes: &[u8], encoding: &'static Encoding) -> Reading {
    let high: Vec<Option<char>> = (128..=255u8)
        .map(|b| {
            let byte = [b];
            let (text, bad) = encoding.decode_without_bom_handling(&byte);
            text.chars().next().filter(|_| !bad)
        })
        .collect();
    by_table(bytes, &high)
}

/// Code page 437.
pub fn cp437(bytes: &[u8]) -> Reading {
    let high: Vec<Option<char>> = CP437.chars().map(Some).collect();
    by_table(bytes, &high)
}

/// Byte by byte, U+0000 to U+00FF.
pub(super) fn latin1(bytes: &[u8]) -> Reading {
    let high: Vec<Option<char>> = (128..=255u8).map(|b| Some(char::from(b))).collect();
    by_table(bytes, &high)
}

fn by_table(bytes: &[u8], high: &[Option<char>]) -> Reading {
    let mut out = Reading::new(Form::Ascii);
    let mut at = 0;
    while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
        at += ascii(&mut out, rest, at);
        while let Some(&b) = bytes.get(at).filter(|b| **b >= 128) {
            match high.get(usize::from(b - 128)).copied().flatten() {
                Some(c) => out.unit(c.encode_utf8(&mut [0; 4]), at, 1),
                None => out.bad(at, 1),
            }
            at += 1;
        }
    }
    out
}

/// Multi-byte charsets of the Encoding Standard (GBK, Big5, EUC, Shift_JIS, UHC), character by character, since the map
/// needs each one's bytes.
pub(super) fn multi_byte(bytes: &[u8], encoding: &'static Encoding) -> Reading {
    let mut out = Reading::new(Form::Ascii);
    let mut at = 0;
    while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
        at += ascii(&mut out, rest, at);
        while bytes.get(at).is_some_and(|b| *b >= 128) {
            at += one(&mut out, bytes, at, encoding);
        }
    }
    out
}

/// Decodes the character at `at`; gives its length. An undecodable lead byte is taken alone, so that a digit after it
/// stays a digit, as in browsers.
fn one(out: &mut Reading, bytes: &[u8], at: usize, encoding: &'static Encoding) -> usize {
    for len in 1..=4 {
        let Some(slice) = bytes.get(at..at + len) else {
            break;
        };
        if let Some(text) = encoding.decode_without_bom_handling_and_without_replacement(slice) {
            out.unit(&text, at, len);
            return len;
        }
    }
    out.bad(at, 1);
    1
}

/// Takes the ASCII bytes at the start of `rest`; gives their number.
fn ascii(out: &mut Reading, rest: &[u8], at: usize) -> usize {
    let len = Encoding::ascii_valid_up_to(rest);
    if let Some(Ok(text)) = rest.get(..len).map(std::str::from_utf8) {
        out.plain(text, at);
    }
    len
}
