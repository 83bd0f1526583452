//! Fonts as far as reading needs them: codes in a string, what each stands for, how far it moves the pen.

use super::cmap::{CMap, Text, code};
use super::encoding::{Base, named};
use super::metrics;
use super::object::{array, dict, get, name, number, numbers, resolve, sub};
use super::token::{Token, Tokens};
use lopdf::{Dictionary, Document, Object};
use std::collections::HashMap;

/// One font.
pub(super) struct Font {
    kind: Kind,
    to_unicode: Option<CMap>,
    /// Glyph space to text space, horizontally (Type 3 fonts have a matrix of their own).
    pub scale: f64,
    /// Height of an em for size 1.
    pub em: f64,
    pub vertical: bool,
}

enum Kind {
    Simple {
        chars: Box<[Option<char>; 256]>,
        widths: Box<[f32; 256]>,
    },
    Composite {
        encoding: Option<CMap>,
        /// The codes are UTF-16 themselves (`UniJIS-UTF16-H` and the like).
        unicode: bool,
        /// One of Adobe's character collections.
        adobe: Option<Collection>,
        glyphs: HashMap<u32, char>,
        widths: HashMap<u32, f32>,
        default: f32,
    },
}

/// One code of a string.
pub(super) struct Code {
    pub len: usize,
    /// `None`: the font does not say.
    pub text: Option<Text>,
    /// Advance for size 1.
    pub width: f64,
    /// A single-byte space: word spacing applies.
    pub space: bool,
}

impl Font {
    /// A font without a dictionary: codes are taken for ASCII.
    pub fn unknown() -> Font {
        Font {
            kind: Kind::Simple {
                chars: Box::new(std::array::from_fn(|code| Base::WinAnsi.char(code as u8))),
                widths: Box::new([500.0; 256]),
            },
            to_unicode: None,
            scale: 0.001,
            em: 1.0,
            vertical: false,
        }
    }

    /// `stream` decodes a stream of the document.
    pub fn load(doc: &Document, font: &Dictionary, stream: &mut dyn FnMut(&Object) -> Option<Vec<u8>>) -> Font {
        let to_unicode = font
            .get(b"ToUnicode")
            .ok()
            .and_then(&mut *stream)
            .map(|bytes| CMap::parse(&bytes));
        let composite = name(doc, font, b"Subtype") == b"Type0";
        let (kind, vertical) = if composite {
            composite_kind(doc, font, stream)
        } else {
            (simple_kind(doc, font, stream), false)
        };
        let matrix = numbers::<6>(doc, font, b"FontMatrix").filter(|_| name(doc, font, b"Subtype") == b"Type3");
        Font {
            kind,
            to_unicode: to_unicode.filter(CMap::has_texts),
            scale: matrix.map_or(0.001, |[a, ..]| a.abs()),
            em: matrix.map_or(1.0, |matrix| type3_em(doc, font, matrix)),
            vertical,
        }
    }

    /// The code at the start of `bytes`, which are not empty.
    pub fn next(&self, bytes: &[u8]) -> Code {
        match &self.kind {
            Kind::Simple { chars, widths } => {
                let byte = bytes.first().copied().unwrap_or_default();
                let said = self.to_unicode.as_ref().and_then(|map| map.text(u32::from(byte)));
                let own = chars.get(usize::from(byte)).copied().flatten().map(Text::One);
                Code {
                    len: 1,
                    text: said.or(own),
                    width: f64::from(widths.get(usize::from(byte)).copied().unwrap_or_default()) * self.scale,
                    space: byte == 32,
                }
            }
            Kind::Composite {
                encoding,
                unicode,
                adobe,
                glyphs,
                widths,
                default,
            } => {
                let len = encoding.as_ref().and_then(|map| map.code_len(bytes)).unwrap_or(2);
                let len = len.min(bytes.len()).max(1);
                let code = code(bytes.get(..len).unwrap_or_default());
                let cid = encoding
                    .as_ref()
                    .map_or(Some(code), |map| map.cid(code))
                    .unwrap_or(code);
                let said = self.to_unicode.as_ref().and_then(|map| map.text(code));
                let own = || match cid {
                    _ if *unicode => char::from_u32(code),
                    _ => adobe
                        .as_ref()
                        .and_then(|adobe| adobe.char(cid))
                        .or_else(|| glyphs.get(&cid).copied()),
                };
                let width = widths.get(&cid).copied().unwrap_or(*default);
                Code {
                    len,
                    text: said.or_else(|| own().map(Text::One)),
                    width: f64::from(width) * self.scale,
                    space: len == 1 && code == 32,
                }
            }
        }
    }
}

/// A Type 3 font has glyphs of any size: its box says how high, or else its widths do.
fn type3_em(doc: &Document, font: &Dictionary, [a, _, _, d, ..]: [f64; 6]) -> f64 {
    let high = numbers::<4>(doc, font, b"FontBBox").map_or(0.0, |[_, low, _, high]| (high - low).abs());
    let widths = array(doc, font, b"Widths")
        .iter()
        .filter_map(|object| number(resolve(doc, object)));
    let wide = widths.fold(0.0, f64::max);
    let em = (high * d.abs()).max(wide * a.abs());
    if em > 0.0 { em } else { 1.0 }
}

fn simple_kind(doc: &Document, font: &Dictionary, stream: &mut dyn FnMut(&Object) -> Option<Vec<u8>>) -> Kind {
    let base_font = name(doc, font, b"BaseFont");
    let descriptor = sub(doc, font, b"FontDescriptor");
    let encoding = get(doc, font, b"Encoding");
    let base = match encoding {
        Object::Name(name) => Base::named(name),
        other => dict(other).and_then(|encoding| Base::named(super::object::name(doc, encoding, b"BaseEncoding"))),
    };
    let truetype = name(doc, font, b"Subtype") == b"TrueType";
    let fallback = if truetype { Base::WinAnsi } else { Base::Standard };
    let base_chars: [Option<char>; 256] = std::array::from_fn(|code| base.unwrap_or(fallback).char(code as u8));
    let mut chars = Box::new(base_chars);
    if base.is_none()
        && let Some(program) = descriptor.and_then(|d| d.get(b"FontFile").ok()).and_then(stream)
    {
        built_in(&program, &mut chars);
    }
    if let Some(encoding) = dict(encoding) {
        differences(doc, encoding, &mut chars);
    }
    let widths = simple_widths(doc, font, descriptor, base_font, &chars);
    Kind::Simple { chars, widths }
}

/// `/Differences [code name name … code name …]`.
fn differences(doc: &Document, encoding: &Dictionary, chars: &mut [Option<char>; 256]) {
    let mut at = 0;
    for object in array(doc, encoding, b"Differences") {
        match resolve(doc, object) {
            Object::Name(name) => {
                if let Some(slot) = chars.get_mut(at) {
                    *slot = named(name);
                }
                at = at.saturating_add(1);
            }
            other => at = number(other).map_or(at, |code| code.max(0.0) as usize),
        }
    }
}

/// The encoding in the clear part of a Type 1 program: `dup 49 /one put`.
fn built_in(program: &[u8], chars: &mut [Option<char>; 256]) {
    let Some(start) = memchr::memmem::find(program, b"/Encoding") else {
        return;
    };
    let end = memchr::memmem::find(program, b"eexec").unwrap_or(program.len());
    let clear = program.get(start..end).unwrap_or_default();
    if clear
        .get(..40)
        .is_some_and(|head| memchr::memmem::find(head, b"StandardEncoding").is_some())
    {
        return;
    }
    *chars = [None; 256];
    let mut tokens = Tokens::new(clear);
    let mut code = None;
    for _ in 0..4000 {
        match tokens.next_token() {
            Some((Token::Number(value), _)) => code = Some(value),
            Some((Token::Name(glyph), _)) => {
                if let Some(slot) = code.take().and_then(|code| chars.get_mut(code.max(0.0) as usize)) {
                    *slot = named(&glyph);
                }
            }
            Some((Token::Word(word), _)) if clear.get(word.clone()) == Some(b"def") && word.start > 60 => return,
            Some(_) => {}
            None => return,
        }
    }
}

fn simple_widths(
    doc: &Document,
    font: &Dictionary,
    descriptor: Option<&Dictionary>,
    base_font: &[u8],
    chars: &[Option<char>; 256],
) -> Box<[f32; 256]> {
    let missing = descriptor
        .and_then(|d| number(get(doc, d, b"MissingWidth")))
        .unwrap_or(0.0) as f32;
    let list = array(doc, font, b"Widths");
    let mut widths = Box::new([missing; 256]);
    if list.is_empty() {
        for (width, c) in widths.iter_mut().zip(chars) {
            *width = standard_width(base_font, *c);
        }
        return widths;
    }
    let first = number(get(doc, font, b"FirstChar")).unwrap_or(0.0).max(0.0) as usize;
    for (i, object) in list.iter().take(256).enumerate() {
        if let (Some(slot), Some(width)) = (widths.get_mut(first.saturating_add(i)), number(resolve(doc, object))) {
            *slot = width as f32;
        }
    }
    widths
}

/// Width in one of the fonts that need no widths in the file; an unknown font is taken for Helvetica.
fn standard_width(base_font: &[u8], c: Option<char>) -> f32 {
    let has = |part: &[u8]| memchr::memmem::find(base_font, part).is_some();
    if has(b"Courier") {
        return 600.0;
    }
    let italic = has(b"Italic") || has(b"Oblique");
    let table = match (has(b"Times"), has(b"Bold"), italic) {
        (true, true, true) => &metrics::TIMES_BOLD_ITALIC,
        (true, true, false) => &metrics::TIMES_BOLD,
        (true, false, true) => &metrics::TIMES_ITALIC,
        (true, false, false) => &metrics::TIMES,
        (false, true, _) => &metrics::HELVETICA_BOLD,
        (false, false, _) => &metrics::HELVETICA,
    };
    let Some(c) = c else {
        return 0.0;
    };
    let byte = if c.is_ascii() {
        c as usize
    } else {
        let mut buffer = [0; 4];
        let text: &str = c.encode_utf8(&mut buffer);
        let (bytes, _, failed) = encoding_rs::WINDOWS_1252.encode(text);
        bytes.first().filter(|_| !failed).map_or(0, |byte| usize::from(*byte))
    };
    byte.checked_sub(32)
        .and_then(|i| table.get(i))
        .map_or(500.0, |width| f32::from(*width))
}

/// Adobe's character collections: all begin with ASCII in proportional width, and have it once more in half width (Adobe
/// Technical Notes 5078 to 5080 and 5093).
#[derive(Clone, Copy)]
struct Collection {
    /// CID of the half-width space.
    half: u32,
    /// CID of the full-width zero.
    full: Option<u32>,
}

impl Collection {
    fn named(ordering: &[u8]) -> Option<Collection> {
        let (half, full) = match ordering {
            b"Japan1" => (231, Some(780)),
            b"GB1" => (814, None),
            b"CNS1" => (13648, None),
            b"Korea1" => (8094, None),
            b"KR" => (0, None),
            _ => return None,
        };
        Some(Collection { half, full })
    }

    fn char(self, cid: u32) -> Option<char> {
        match (
            cid.checked_sub(self.half),
            self.full.and_then(|full| cid.checked_sub(full)),
        ) {
            _ if (1..=95).contains(&cid) => char::from_u32(cid + 31),
            (Some(ascii @ 0..=94), _) => char::from_u32(ascii + 32),
            (_, Some(digit @ 0..=9)) => char::from_u32(digit + 48),
            _ => None,
        }
    }
}

fn composite_kind(
    doc: &Document,
    font: &Dictionary,
    stream: &mut dyn FnMut(&Object) -> Option<Vec<u8>>,
) -> (Kind, bool) {
    let encoding_object = get(doc, font, b"Encoding");
    let encoding_name = match encoding_object {
        Object::Name(name) => name.as_slice(),
        _ => b"",
    };
    let encoding = match encoding_object {
        Object::Stream(_) => stream(encoding_object).map(|bytes| CMap::parse(&bytes)),
        _ => None,
    };
    let none = Dictionary::new();
    let descendant = array(doc, font, b"DescendantFonts")
        .first()
        .map(|object| resolve(doc, object));
    let descendant = descendant.and_then(dict).unwrap_or(&none);
    let ordering = sub(doc, descendant, b"CIDSystemInfo").map(|info| get(doc, info, b"Ordering"));
    let adobe = match ordering {
        Some(Object::String(ordering, _)) => Collection::named(ordering),
        _ => None,
    };
    let unicode = encoding_name.starts_with(b"Uni")
        && (memchr::memmem::find(encoding_name, b"UCS2").is_some()
            || memchr::memmem::find(encoding_name, b"UTF16").is_some());
    let descriptor = sub(doc, descendant, b"FontDescriptor");
    let needed = font.get(b"ToUnicode").is_err() && !unicode && adobe.is_none();
    let program = descriptor.filter(|_| needed).and_then(|d| d.get(b"FontFile2").ok());
    let mut glyphs = program
        .and_then(&mut *stream)
        .map(|bytes| super::sfnt::characters(&bytes))
        .unwrap_or_default();
    if let Ok(map @ Object::Reference(_)) = descendant.get(b"CIDToGIDMap")
        && let Some(map) = stream(map).filter(|_| needed)
    {
        let pairs = (0..).zip(map.chunks_exact(2));
        let glyph = |(cid, pair): (u32, &[u8])| Some((cid, *glyphs.get(&code(pair))?));
        glyphs = pairs.filter_map(glyph).collect();
    }
    let kind = Kind::Composite {
        encoding,
        unicode,
        adobe,
        glyphs,
        widths: composite_widths(doc, descendant),
        default: number(get(doc, descendant, b"DW")).unwrap_or(1000.0) as f32,
    };
    let vertical = encoding_name.ends_with(b"-V");
    (kind, vertical)
}

/// `/W [first [w w …] first last w …]`.
fn composite_widths(doc: &Document, font: &Dictionary) -> HashMap<u32, f32> {
    const ENTRIES: usize = 70_000;
    let mut widths = HashMap::new();
    let mut list = array(doc, font, b"W").iter().map(|object| resolve(doc, object));
    while let (Some(first), Some(second)) = (list.next().and_then(number), list.next()) {
        let first = first.max(0.0) as u32;
        let mut put = |at: u32, width: Option<f64>| {
            if let Some(width) = width.filter(|_| widths.len() < ENTRIES) {
                widths.insert(at, width as f32);
            }
        };
        match second {
            Object::Array(each) => {
                for (at, object) in (first..).zip(each.iter().take(ENTRIES)) {
                    put(at, number(resolve(doc, object)));
                }
            }
            last => {
                let width = list.next().and_then(number);
                let last = number(last).unwrap_or(0.0).max(0.0) as u32;
                for at in (first..=last).take(ENTRIES) {
                    put(at, width);
                }
            }
        }
    }
    widths
}
