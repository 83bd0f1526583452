//! PNG (W3C, third edition): chunks, of which all but the pixels may hold text.

use super::{Anatomy, be32, child};
use crate::content::{Budget, CannotEdit, Content, Splice};
use crate::document::doubt;
use crate::document::inflate::{End, crc32, inflate, zlib};
use crate::types::DoubtKind;
use std::borrow::Cow;
use std::ops::Range;

const SIGNATURE: usize = 8;

pub(super) struct Chunk {
    pub kind: [u8; 4],
    pub data: Range<usize>,
    /// Its checksum agrees.
    sound: bool,
}

/// All chunks that are whole.
pub(super) fn chunks(bytes: &[u8]) -> Vec<Chunk> {
    let mut chunks = Vec::new();
    let mut at = SIGNATURE;
    while let Some(len) = be32(bytes, at) {
        let Some(kind) = bytes.get(at + 4..at + 8).and_then(|kind| kind.try_into().ok()) else {
            break;
        };
        let data = at + 8..(at + 8).saturating_add(len as usize);
        let Some(crc) = be32(bytes, data.end) else { break };
        let sound = crc32(bytes.get(at + 4..data.end).unwrap_or_default()) == crc;
        at = data.end + 4;
        chunks.push(Chunk { kind, data, sound });
        if kind == *b"IEND" {
            break;
        }
    }
    chunks
}

pub(super) fn anatomy(bytes: &[u8]) -> Anatomy {
    let chunks = chunks(bytes);
    let end = chunks.last().map_or(SIGNATURE, |chunk| chunk.data.end + 4);
    let whole = chunks.last().is_some_and(|chunk| chunk.kind == *b"IEND");
    let pixels = |kind: &[u8; 4]| matches!(kind, b"IHDR" | b"PLTE" | b"IDAT" | b"fdAT" | b"fcTL" | b"IEND");
    let header = chunks.first().filter(|chunk| chunk.kind == *b"IHDR");
    Anatomy {
        size: header.and_then(|chunk| be32(bytes, chunk.data.start).zip(be32(bytes, chunk.data.start + 4))),
        metadata: chunks
            .iter()
            .filter(|chunk| !pixels(&chunk.kind))
            .map(|chunk| chunk.data.clone())
            .collect(),
        behind: (end < bytes.len()).then_some(end..bytes.len()),
        moves: chunks.iter().filter(|chunk| chunk.kind == *b"fcTL").count() > 1,
        cut: !whole || chunks.iter().any(|chunk| !chunk.sound),
    }
}

/// Where the deflated text of a chunk begins.
fn packed(bytes: &[u8], chunk: &Chunk) -> Option<usize> {
    let data = bytes.get(chunk.data.clone())?;
    let nul = |from: usize| memchr::memchr(0, data.get(from..)?).map(|len| from + len + 1);
    let key = nul(0)?;
    let start = match &chunk.kind {
        // Keyword, method.
        b"zTXt" | b"iCCP" => key + 1,
        // Keyword, flag, method, language, translated keyword.
        b"iTXt" if data.get(key) == Some(&1) => nul(nul(key + 2)?)?,
        _ => return None,
    };
    // The zlib header is two bytes.
    (data.len() > start + 2).then_some(chunk.data.start + start)
}

/// Adds packed texts, and those that ImageMagick and exiftool write in hexadecimal ("Raw profile type exif").
pub(super) fn unpack(content: &mut Content<'_>, bytes: &[u8], budget: &mut Budget) {
    for (index, chunk) in chunks(bytes).iter().enumerate() {
        let number = u32::try_from(index + 1).unwrap_or(u32::MAX);
        let data = bytes.get(chunk.data.clone()).unwrap_or_default();
        let raw_profile = data.starts_with(b"Raw profile type ");
        let Some(start) = packed(bytes, chunk) else {
            if raw_profile && chunk.kind == *b"tEXt" {
                content.children.push(child(number, Cow::Owned(profile(data)), true));
            }
            continue;
        };
        let out = inflate(bytes.get(start + 2..chunk.data.end).unwrap_or_default(), budget);
        match out.end {
            End::Whole => {}
            End::Broken => content
                .doubts
                .push(doubt(DoubtKind::Broken, "a packed text of the picture is damaged")),
            End::Spent(spent) => content.doubts.push(doubt(spent.doubt(), spent.to_string())),
        }
        if chunk.kind == *b"iCCP" && !out.bytes.iter().any(u8::is_ascii_digit) {
            continue;
        }
        if raw_profile {
            content
                .children
                .push(child(number, Cow::Owned(profile(&out.bytes)), true));
        }
        content.children.push(child(number, Cow::Owned(out.bytes), false));
    }
}

/// Bytes behind keyword, kind and length, two hexadecimal digits each.
fn profile(text: &[u8]) -> Vec<u8> {
    let lines = text.split(|b| *b == b'\n').filter(|line| {
        let line = line.trim_ascii();
        line.len() >= 16 && line.iter().all(u8::is_ascii_hexdigit) || line.len() % 2 == 0 && line.len() > 10
    });
    let digits: Vec<u8> = lines
        .flatten()
        .filter_map(|b| char::from(*b).to_digit(16))
        .filter_map(|digit| u8::try_from(digit).ok())
        .collect();
    digits
        .chunks_exact(2)
        .map(|pair| pair.iter().fold(0, |n, digit| n << 4 | digit))
        .collect()
}

/// The chunk of that number with a new packed text.
pub(super) fn repack(bytes: &[u8], number: u32, text: &[u8]) -> Result<Splice, CannotEdit> {
    let chunks = chunks(bytes);
    let chunk = (number as usize).checked_sub(1).and_then(|index| chunks.get(index));
    let place = chunk.and_then(|chunk| Some((chunk, packed(bytes, chunk)?)));
    let (chunk, start) = place.ok_or(CannotEdit::Unsupported("a text inside a picture"))?;
    let mut data = bytes.get(chunk.data.start..start).unwrap_or_default().to_vec();
    data.extend(zlib(text));
    let mut with = Vec::new();
    write_chunk(&mut with, &chunk.kind, &data);
    Ok(Splice {
        range: chunk.data.start - 8..chunk.data.end + 4,
        with,
    })
}

/// Adds a chunk. None is as long as its length field could say.
pub(super) fn write_chunk(out: &mut Vec<u8>, kind: &[u8; 4], data: &[u8]) {
    let start = out.len() + 4;
    out.extend(u32::try_from(data.len()).unwrap_or(u32::MAX).to_be_bytes());
    out.extend_from_slice(kind);
    out.extend_from_slice(data);
    let crc = crc32(out.get(start..).unwrap_or_default());
    out.extend(crc.to_be_bytes());
}

/// Puts right checksums on chunks that were edited in place.
pub(super) fn sign(bytes: &mut [u8]) {
    for chunk in chunks(bytes).into_iter().filter(|chunk| !chunk.sound) {
        let crc = crc32(bytes.get(chunk.data.start - 4..chunk.data.end).unwrap_or_default());
        if let Some(place) = bytes.get_mut(chunk.data.end..chunk.data.end + 4) {
            place.copy_from_slice(&crc.to_be_bytes());
        }
    }
}
