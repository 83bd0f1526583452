//! Pictures in drawings ([MS-ODRAW] 2.2.23): found by their record headers, wherever in a stream they stand.

use super::file::{u16_at, u32_at};
use crate::content::{Budget, Child, Content, Hint, Spent};
use crate::document::mapi::next;
use crate::document::strings;
use crate::types::PartPath;
use std::borrow::Cow;

/// Adds each picture as a child; metafiles are unpacked.
pub(super) fn find(content: &mut Content<'_>, bytes: &[u8], budget: &mut Budget) -> Result<(), Spent> {
    let mut at = 0;
    // The high byte of all these record types.
    while let Some(found) = bytes.get(at..).and_then(|rest| memchr::memchr(0xf0, rest)) {
        let header = (at + found).checked_sub(3);
        at += found + 1;
        let picture = header.and_then(|header| blip(bytes, header));
        let Some((kind, data, end)) = picture else {
            continue;
        };
        at = end;
        match kind {
            Kind::Picture(media_type) => {
                budget.produce(data.len() as u64)?;
                content.children.push(Child {
                    path: PartPath(vec![next(content)]),
                    bytes: Cow::Owned(data.to_vec()),
                    hint: Hint {
                        media_type: media_type.to_owned(),
                        attachment: true,
                        ..Hint::default()
                    },
                    alternative: false,
                });
            }
            Kind::Packed => {
                let unpacked = inflate(data, budget)?;
                strings::add(content, &unpacked, PartPath::default());
            }
            Kind::Metafile => strings::add(content, data, PartPath::default()),
        }
    }
    Ok(())
}

enum Kind {
    Picture(&'static str),
    /// Drawing commands, compressed.
    Packed,
    Metafile,
}

fn blip(bytes: &[u8], at: usize) -> Option<(Kind, &[u8], usize)> {
    let instance = u16_at(bytes, at)? >> 4;
    let version = u16_at(bytes, at)? & 15;
    let kind = u16_at(bytes, at + 2)?;
    let len = u32_at(bytes, at + 4)? as usize;
    let end = at.checked_add(8)?.checked_add(len)?;
    let data = bytes.get(at + 8..end)?;
    // Two identifiers instead of one, when the picture has been changed.
    let second = |first: u16| if instance == first { 0 } else { 16 };
    let (what, skip) = match (version, kind) {
        (0, 0xf01a) => (Kind::Packed, 16 + second(0x3d4) + 34),
        (0, 0xf01b) => (Kind::Packed, 16 + second(0x216) + 34),
        (0, 0xf01c) => (Kind::Packed, 16 + second(0x542) + 34),
        (0, 0xf01d | 0xf02a) => (
            Kind::Picture("image/jpeg"),
            17 + if matches!(instance, 0x46a | 0x6e2) { 0 } else { 16 },
        ),
        (0, 0xf01e) => (Kind::Picture("image/png"), 17 + second(0x6e0)),
        (0, 0xf01f) => (Kind::Metafile, 17 + second(0x7a8)),
        (0, 0xf029) => (Kind::Picture("image/tiff"), 17 + second(0x6e4)),
        _ => return None,
    };
    let body = data.get(skip..)?;
    let what = match what {
        // The compression of a metafile is the last but one byte of its header.
        Kind::Packed if data.get(skip - 2) == Some(&0xfe) => Kind::Metafile,
        Kind::Picture(_) if !is_picture(body) => return None,
        what => what,
    };
    Some((what, body, end))
}

fn is_picture(body: &[u8]) -> bool {
    [&b"\x89PNG"[..], b"\xff\xd8\xff", b"II*\0", b"MM\0*"]
        .iter()
        .any(|magic| body.starts_with(magic))
}

/// zlib, within the budget.
pub(super) fn inflate(data: &[u8], budget: &mut Budget) -> Result<Vec<u8>, Spent> {
    // Two bytes of zlib header, then plain deflate.
    let out = crate::document::inflate::inflate(data.get(2..).unwrap_or_default(), budget);
    match out.end {
        crate::document::inflate::End::Spent(spent) => Err(spent),
        _ => Ok(out.bytes),
    }
}
