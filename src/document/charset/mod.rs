//! Bytes to Unicode text with a map back, in every charset that mail declares, lies about or leaves out.
//!
//! Several readings are given when they differ in their digits: which of them a recipient sees depends on the program,
//! and a number in any of them has left the house.

mod legacy;
mod shifted;
mod unicode;

use crate::content::{Form, SourceMap};
use encoding_rs::Encoding;

pub(super) use legacy::cp437;

/// One way to read bytes as text.
pub(super) struct Reading {
    /// Decoded; undecodable bytes are U+FFFD.
    pub text: String,
    /// From text to bytes.
    pub map: SourceMap,
    /// Bytes shown one by one because the charset is in doubt.
    pub raw: bool,
    /// Some bytes had no meaning in this charset.
    pub lossy: bool,
}

impl Reading {
    fn new(form: Form) -> Reading {
        Reading {
            text: String::new(),
            map: SourceMap::new(form),
            raw: false,
            lossy: false,
        }
    }

    /// An empty reading to be made of the *text* of another, and carried down to its bytes at the end.
    pub fn over(below: &Reading) -> Reading {
        Reading {
            raw: below.raw,
            lossy: below.lossy,
            ..Reading::new(Form::Ascii)
        }
    }

    /// Text that stands for itself byte for byte.
    pub fn plain(&mut self, text: &str, source: usize) {
        self.map.linear(self.text.len(), source, text.len());
        self.text.push_str(text);
    }

    /// Text that comes from `len` source bytes as one unit.
    fn unit(&mut self, text: &str, source: usize, len: usize) {
        let at = self.text.len();
        self.text.push_str(text);
        self.map.unit(at..self.text.len(), source..source + len);
    }

    /// A byte without meaning.
    fn bad(&mut self, source: usize, len: usize) {
        self.unit("\u{fffd}", source, len);
        self.lossy = true;
    }
}

/// All readings worth looking at, the likeliest first, and whether a declared charset is unknown to us.
pub(super) struct Readings {
    /// Never empty.
    pub all: Vec<Reading>,
    /// A label that names no charset that we know, over bytes that are not plain ASCII.
    pub unknown: bool,
}

/// A charset, with where its text starts when there is a mark.
#[derive(Clone, Copy, PartialEq)]
enum Charset {
    Utf8,
    Utf16Le,
    Utf16Be,
    Utf32Le,
    Utf32Be,
    Utf7,
    Iso2022,
    Hz,
    Cp437,
    Latin1,
    Other(&'static Encoding),
}

/// Reads `bytes` in the declared charsets and in those that the bytes themselves speak for.
pub(super) fn readings(bytes: &[u8], declared: &[&str]) -> Readings {
    if bytes.len() > HUGE && control_heavy(bytes) && !is_wide(bytes) {
        return Readings {
            all: vec![Reading {
                raw: true,
                ..coarse(bytes, 0, Form::Ascii)
            }],
            unknown: false,
        };
    }
    let (candidates, unknown) = candidates(bytes, declared);
    let skip = unicode::mark(bytes).map_or(0, |(_, len)| len);
    let mut all: Vec<Reading> = Vec::new();
    let mut signatures = Vec::new();
    let mut better = None;
    for charset in candidates {
        let reading = decode(bytes, charset, skip);
        let signature = digit_signature(&reading.text);
        if signatures.contains(&signature) {
            // Same digits; but the text around them is better in a reading without undecodable bytes.
            if !reading.raw && !reading.lossy && all.first().is_some_and(|first| first.lossy) && better.is_none() {
                better = Some(reading);
            }
            continue;
        }
        signatures.push(signature);
        all.push(reading);
    }
    if let (Some(better), Some(first)) = (better, all.first_mut())
        && digit_signature(&better.text) == digit_signature(&first.text)
    {
        *first = better;
    }
    Readings { all, unknown }
}

/// The bytes one by one, for what is no text at all.
pub(super) fn latin1(bytes: &[u8]) -> Reading {
    if bytes.len() > LARGE && control_heavy(bytes) {
        return coarse(bytes, 0, Form::Ascii);
    }
    decode(bytes, Charset::Latin1, 0)
}

/// The bytes as UTF-16, little end first, from `skip` on: what binary files of Windows programs hold.
pub(super) fn utf16le(bytes: &[u8], skip: usize) -> Reading {
    if bytes.len() > LARGE {
        return coarse(bytes, skip, Form::Utf16Le);
    }
    decode(bytes, Charset::Utf16Le, skip)
}

/// The same, big end first.
pub(super) fn utf16be(bytes: &[u8], skip: usize) -> Reading {
    if bytes.len() > LARGE {
        return coarse(bytes, skip, Form::Utf16Be);
    }
    decode(bytes, Charset::Utf16Be, skip)
}

/// UTF-8 where it is valid, bytes one by one where it is not.
pub(super) fn utf8(bytes: &[u8]) -> Reading {
    decode(bytes, Charset::Utf8, 0)
}

/// Binary files above this are read without what is not ASCII.
const LARGE: usize = 64 << 10;

/// The same for what is declared to be text, where the letters around a number are worth more.
const HUGE: usize = 4 << 20;

/// A binary file as ASCII, one character for each unit, whatever is not ASCII being a control character. The map of a full
/// reading takes some forty bytes for each byte that is no ASCII: 20 MB of packed data do not fit into a worker so.
fn coarse(bytes: &[u8], skip: usize, form: Form) -> Reading {
    let bytes = bytes.get(skip..).unwrap_or_default();
    let step = if form == Form::Ascii { 1 } else { 2 };
    let ascii = |code: u16| match u8::try_from(code) {
        Ok(byte) if byte.is_ascii() => char::from(byte),
        // No-break space and soft hyphen stand between the digits of a number.
        Ok(0xa0) => ' ',
        Ok(0xad) => '-',
        _ => '\u{1a}',
    };
    let mut reading = Reading::new(form);
    reading.text = bytes
        .chunks_exact(step)
        .map(|unit| match (unit, form) {
            ([low, high], Form::Utf16Le) => ascii(u16::from_le_bytes([*low, *high])),
            ([high, low], Form::Utf16Be) => ascii(u16::from_be_bytes([*high, *low])),
            ([byte], _) => ascii(u16::from(*byte)),
            _ => '\u{1a}',
        })
        .collect();
    reading.map.scaled(0, skip, reading.text.len(), step);
    reading
}

fn candidates(bytes: &[u8], declared: &[&str]) -> (Vec<Charset>, bool) {
    let mut list: Vec<Charset> = Vec::new();
    let mut add = |charset: Charset| {
        if !list.contains(&charset) {
            list.push(charset);
        }
    };
    let ascii = bytes.is_ascii();
    let mut unknown = false;
    if let Some((charset, _)) = unicode::mark(bytes) {
        add(charset);
    }
    // ASCII says nothing of the bytes above it, and what is declared so is UTF-8 more often than windows-1252.
    let says_something =
        |label: &&&str| !matches!(label.trim().to_ascii_lowercase().as_str(), "" | "us-ascii" | "ascii");
    for label in declared.iter().filter(says_something) {
        match by_label(label) {
            Some(charset) => add(charset),
            None => unknown |= !ascii,
        }
    }
    unicode::by_nuls(bytes).into_iter().for_each(&mut add);
    if std::str::from_utf8(bytes).is_ok() {
        add(Charset::Utf8);
    } else {
        add(Charset::Other(encoding_rs::WINDOWS_1252));
    }
    if shifted::has_escapes(bytes) {
        add(Charset::Iso2022);
    }
    if memchr::memmem::find(bytes, b"~{").is_some() {
        add(Charset::Hz);
    }
    // `+AD` begins ASCII digits written in UTF-7, which some programs read undeclared.
    if memchr::memmem::find(bytes, b"+AD").is_some() {
        add(Charset::Utf7);
    }
    if control_heavy(bytes) {
        add(Charset::Latin1);
    }
    (list, unknown)
}

/// NUL bytes, or more than one control byte in 32: no text in an ASCII-compatible charset.
pub(super) fn control_heavy(bytes: &[u8]) -> bool {
    let control = |b: &&u8| **b < 32 && !matches!(**b, b'\t' | b'\n' | b'\r' | 12 | 27);
    memchr::memchr(0, bytes).is_some() || bytes.iter().filter(control).count() > bytes.len() / 32
}

/// The bytes are text in UTF-16 or UTF-32, by their mark or because their NULs say so and the result is text.
pub(super) fn is_wide(bytes: &[u8]) -> bool {
    const SAMPLE: usize = 4096;
    if unicode::mark(bytes).is_some_and(|(charset, _)| charset != Charset::Utf8) {
        return true;
    }
    let sample = bytes.get(..SAMPLE).unwrap_or(bytes);
    unicode::by_nuls(bytes).into_iter().any(|charset| {
        let reading = decode(sample, charset, 0);
        !reading.lossy && !control_heavy(reading.text.as_bytes())
    })
}

fn by_label(label: &str) -> Option<Charset> {
    let label = label.trim().trim_matches(['"', '\'']).to_ascii_lowercase();
    Some(match label.as_str() {
        "utf-7" | "utf7" | "unicode-1-1-utf-7" | "csunicode11utf7" | "unicode-2-0-utf-7" | "x-unicode-2-0-utf-7" => {
            Charset::Utf7
        }
        "utf-32" | "utf32" | "utf-32be" | "ucs-4" => Charset::Utf32Be,
        "utf-32le" => Charset::Utf32Le,
        // RFC 2781 §4.3: without a mark it should be taken as big-endian; Windows programs mean little-endian, and
        // the NUL pattern adds that reading.
        "utf-16" | "utf16" | "utf-16be" | "ucs-2" | "iso-10646-ucs-2" | "unicodefffe" => Charset::Utf16Be,
        "utf-16le" | "unicode" => Charset::Utf16Le,
        "hz-gb-2312" | "hz" => Charset::Hz,
        "cp437" | "ibm437" | "437" | "cp850" | "ibm850" | "850" | "cp865" | "ibm865" | "865" | "cp858" => {
            Charset::Cp437
        }
        _ if label.starts_with("iso-2022-") || label.starts_with("csiso2022") => Charset::Iso2022,
        _ => match Encoding::for_label(label.as_bytes())? {
            encoding if encoding == encoding_rs::UTF_8 => Charset::Utf8,
            encoding if encoding == encoding_rs::REPLACEMENT => Charset::Iso2022,
            encoding => Charset::Other(encoding),
        },
    })
}

fn decode(bytes: &[u8], charset: Charset, skip: usize) -> Reading {
    // A mark belongs to one charset only; other readings of the same bytes show it.
    let skip = match unicode::mark(bytes) {
        Some((marked, _)) if marked != charset && !matches!(charset, Charset::Utf16Le) => 0,
        _ => skip.min(bytes.len()),
    };
    let mut reading = match charset {
        Charset::Utf8 => unicode::utf8(bytes, skip),
        Charset::Utf16Le => unicode::utf16(bytes, skip, Form::Utf16Le),
        Charset::Utf16Be => unicode::utf16(bytes, skip, Form::Utf16Be),
        Charset::Utf32Le => unicode::utf32(bytes, skip, Form::Utf32Le),
        Charset::Utf32Be => unicode::utf32(bytes, skip, Form::Utf32Be),
        Charset::Utf7 => shifted::utf7(bytes),
        Charset::Iso2022 => shifted::iso2022(bytes),
        Charset::Hz => shifted::hz(bytes),
        Charset::Cp437 => legacy::cp437(bytes),
        Charset::Latin1 => legacy::latin1(bytes),
        Charset::Other(encoding) if encoding.is_single_byte() => legacy::single_byte(bytes, encoding),
        Charset::Other(encoding) => legacy::multi_byte(bytes, encoding),
    };
    reading.raw = charset == Charset::Latin1;
    reading
}

/// The digits and how far apart they stand (up to four characters): two readings with the same signature give a
/// detector the same numbers.
fn digit_signature(text: &str) -> u64 {
    use std::hash::{DefaultHasher, Hasher};
    let mut hash = DefaultHasher::new();
    let mut distance = 4u8;
    // NUL is dropped before anyone looks: UTF-16 read byte by byte gives the same numbers.
    for c in text.chars().filter(|c| *c != '\0') {
        if c.is_ascii_digit() || (!c.is_ascii() && c.is_numeric()) {
            hash.write_u8(distance);
            hash.write_u32(u32::from(c));
            distance = 0;
        } else {
            distance = (distance + 1).min(4);
        }
    }
    hash.finish()
}

#[cfg(test)]
mod tests;
