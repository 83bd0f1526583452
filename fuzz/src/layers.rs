//! A number looked for in a file as somebody would who knows how files are packed and nothing of our readers: bytes in ASCII
//! and UTF-16, members of zip and gzip, streams of PDF, layer within layer.

use flate2::read::{DeflateDecoder, GzDecoder, ZlibDecoder};
use std::io::Read;

/// Packing within packing that is looked through.
const DEPTH: u32 = 4;
/// Bytes of one layer.
const LARGEST: u64 = 4 << 20;
/// Layers of one file.
const MOST: u32 = 400;

/// The way to the layer that holds the ten digits, if one does.
pub fn holding(bytes: &[u8], digits: &str) -> Option<String> {
    let mut left = MOST;
    layer(bytes, digits, DEPTH, &mut left)
}

fn layer(bytes: &[u8], digits: &str, depth: u32, left: &mut u32) -> Option<String> {
    if let Some(at) = stands_at(bytes, digits) {
        let around = &bytes[at.saturating_sub(40)..bytes.len().min(at + 60)];
        return Some(format!("byte {at}: {:?}", String::from_utf8_lossy(around)));
    }
    if depth == 0 {
        return None;
    }
    for (kind, start) in packed(bytes) {
        *left = left.checked_sub(1)?;
        let mut out = Vec::new();
        let source = &bytes[start..];
        // What was unpacked before a fault counts.
        let _ = match kind {
            Kind::Deflate => DeflateDecoder::new(source).take(LARGEST).read_to_end(&mut out),
            Kind::Zlib => ZlibDecoder::new(source).take(LARGEST).read_to_end(&mut out),
            Kind::Gzip => GzDecoder::new(source).take(LARGEST).read_to_end(&mut out),
        };
        if let Some(found) = layer(&out, digits, depth - 1, left) {
            return Some(format!("packed at {start}, {found}"));
        }
    }
    None
}

#[derive(Clone, Copy)]
enum Kind {
    Deflate,
    Zlib,
    Gzip,
}

/// Where something packed begins.
fn packed(bytes: &[u8]) -> Vec<(Kind, usize)> {
    let mut found = Vec::new();
    for at in 0..bytes.len() {
        let rest = &bytes[at..];
        if rest.starts_with(b"PK\x03\x04") && rest.len() > 30 && rest[8] == 8 {
            let length = |i: usize| usize::from(u16::from_le_bytes([rest[i], rest[i + 1]]));
            let start = at + 30 + length(26) + length(28);
            if start < bytes.len() {
                found.push((Kind::Deflate, start));
            }
        } else if rest.starts_with(b"stream\n") {
            found.push((Kind::Zlib, at + 7));
        } else if rest.starts_with(b"stream\r\n") {
            found.push((Kind::Zlib, at + 8));
        } else if rest.starts_with(&[0x1f, 0x8b, 8]) {
            found.push((Kind::Gzip, at));
        }
    }
    found
}

/// The digits by themselves, in the forms people write them: part of a longer word or number they are something else.
fn stands_at(bytes: &[u8], digits: &str) -> Option<usize> {
    let (date, serial) = digits.split_at_checked(6)?;
    let forms = [
        digits.to_owned(),
        format!("{date}-{serial}"),
        format!("{date} {serial}"),
    ];
    let narrow = forms.iter().map(|form| (form.clone().into_bytes(), 1));
    let wide = forms
        .iter()
        .map(|form| (form.bytes().flat_map(|b| [b, 0]).collect(), 2));
    let wanted: Vec<(Vec<u8>, usize)> = narrow.chain(wide).collect();
    let first = digits.bytes().next()?;
    let starts = bytes.iter().enumerate().filter(|(_, byte)| **byte == first);
    starts.map(|(at, _)| at).find(|at| {
        wanted.iter().any(|(form, step)| {
            bytes[*at..].starts_with(form)
                && !is_part(bytes, at.checked_sub(*step), *step)
                && !is_part(bytes, Some(at + form.len()), *step)
        })
    })
}

/// A letter or digit stands there.
fn is_part(bytes: &[u8], at: Option<usize>, step: usize) -> bool {
    at.is_some_and(|at| {
        let narrow = step == 1 || bytes.get(at + 1) == Some(&0);
        let word = |byte: &u8| byte.is_ascii_alphanumeric() || *byte >= 128;
        narrow && bytes.get(at).is_some_and(word)
    })
}
