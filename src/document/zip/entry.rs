//! One entry: its local header against its record, and its data as a child.

use super::directory::{Record, local};
use super::{display_name, entry_doubt, extras, push_label};
use crate::content::{Budget, Child, Content, Hint, Spent};
use crate::document::inflate::{End, Inflated, crc32, inflate};
use crate::document::stream;
use crate::types::{DoubtKind, Location, PartPath};
use std::borrow::Cow;
use std::ops::Range;

/// Compression methods that are read.
const STORED: u16 = 0;
const DEFLATED: u16 = 8;
const BZIP2: u16 = 12;
const ZSTD: u16 = 93;
const XZ: u16 = 95;

/// Reads the entry of `record`; gives the bytes of the archive that are its own.
pub(super) fn read<'a>(
    content: &mut Content<'a>,
    bytes: &'a [u8],
    record: &Record,
    number: u32,
    budget: &mut Budget,
) -> Range<usize> {
    let Some(head) = local(bytes, record.local) else {
        content.doubts.push(entry_doubt(
            DoubtKind::Broken,
            number,
            "the directory points to no entry",
        ));
        return 0..0;
    };
    compare(content, bytes, record, &head, number);
    let start = head.at.end;
    let end = usize::try_from(record.packed)
        .ok()
        .and_then(|packed| start.checked_add(packed));
    let end = match end {
        Some(end) if end <= bytes.len() => end,
        _ => {
            content.doubts.push(entry_doubt(
                DoubtKind::Broken,
                number,
                "the entry goes on behind the end of the file",
            ));
            bytes.len()
        }
    };
    let packed = bytes.get(start..end).unwrap_or_default();
    let own = head.at.start..end + descriptor(bytes, record, end);
    let name = display_name(bytes, record);
    if name.ends_with('/') && packed.is_empty() {
        return own;
    }
    if record.encrypted() || head.encrypted() {
        content.doubts.push(entry_doubt(
            DoubtKind::Encrypted,
            number,
            "an entry of the archive is encrypted",
        ));
        return own;
    }
    let Some(unpacked) = unpack(content, packed, record, number, budget) else {
        return own;
    };
    // A folder may have been "compressed" too.
    if !(name.ends_with('/') && unpacked.is_empty()) {
        push_child(content, unpacked, name, number, false);
    }
    own
}

/// Adds an entry's data.
pub(super) fn push_child<'a>(
    content: &mut Content<'a>,
    data: Cow<'a, [u8]>,
    name: String,
    number: u32,
    alternative: bool,
) {
    content.children.push(Child {
        path: PartPath(vec![number]),
        bytes: data,
        hint: Hint {
            name: Some(name),
            attachment: true,
            ..Hint::default()
        },
        alternative,
    });
}

/// The data, as far as it can be had.
fn unpack<'a>(
    content: &mut Content<'a>,
    packed: &'a [u8],
    record: &Record,
    number: u32,
    budget: &mut Budget,
) -> Option<Cow<'a, [u8]>> {
    let mut tell = |kind, reason: String| content.doubts.push(entry_doubt(kind, number, reason));
    let data: Cow<'a, [u8]> = match record.method {
        STORED => match budget.produce(packed.len() as u64) {
            Ok(()) => Cow::Borrowed(packed),
            Err(spent) => {
                tell(spent.doubt(), spent.to_string());
                return None;
            }
        },
        DEFLATED => {
            let Inflated { bytes, used, end } = inflate(packed, budget);
            match end {
                End::Spent(spent) => tell(spent.doubt(), spent.to_string()),
                End::Broken => tell(DoubtKind::Broken, "an entry of the archive is damaged".to_owned()),
                End::Whole if used < packed.len() => {
                    tell(
                        DoubtKind::Malformed,
                        "there is something behind the data of an entry".to_owned(),
                    );
                }
                End::Whole => {}
            }
            if matches!(end, End::Spent(Spent::Bytes | Spent::Time) | End::Broken) {
                return Some(Cow::Owned(bytes));
            }
            Cow::Owned(bytes)
        }
        BZIP2 | ZSTD | XZ => {
            let kind = match record.method {
                BZIP2 => stream::Kind::Bzip2,
                ZSTD => stream::Kind::Zstd,
                _ => stream::Kind::Xz,
            };
            let out = stream::unpack(kind, packed, budget);
            match out.end {
                End::Spent(spent) => tell(spent.doubt(), spent.to_string()),
                End::Broken => tell(DoubtKind::Broken, "an entry of the archive is damaged".to_owned()),
                End::Whole => {}
            }
            if out.end != End::Whole {
                return Some(Cow::Owned(out.bytes));
            }
            Cow::Owned(out.bytes)
        }
        other => {
            tell(
                DoubtKind::Unread,
                format!("no reader for compression method {}", method_name(other)),
            );
            return None;
        }
    };
    if data.len() as u64 != record.size {
        tell(
            DoubtKind::Malformed,
            "an entry is not as long as the directory says".to_owned(),
        );
    } else if crc32(&data) != record.crc {
        tell(
            DoubtKind::Broken,
            "the checksum of an entry does not agree with its data".to_owned(),
        );
    }
    Some(data)
}

fn method_name(method: u16) -> &'static str {
    match method {
        1 => "shrink",
        2..=5 => "reduce",
        6 => "implode",
        9 => "Deflate64",
        14 => "LZMA",
        20 => "Zstandard",
        96 => "JPEG",
        97 => "WavPack",
        98 => "PPMd",
        _ => "of unknown number",
    }
}

/// Length of the data descriptor behind streamed data: 12 or 16 bytes, 20 or 24 in Zip64 (APPNOTE 4.3.9).
pub(super) fn descriptor(bytes: &[u8], record: &Record, end: usize) -> usize {
    if !record.streamed() {
        return 0;
    }
    let rest = bytes.get(end..).unwrap_or_default();
    let (mark, rest) = match rest.strip_prefix(b"PK\x07\x08") {
        Some(rest) => (4, rest),
        None => (0, rest),
    };
    let narrow = [
        record.crc.to_le_bytes(),
        (record.packed as u32).to_le_bytes(),
        (record.size as u32).to_le_bytes(),
    ];
    let mut wide = record.crc.to_le_bytes().to_vec();
    wide.extend_from_slice(&record.packed.to_le_bytes());
    wide.extend_from_slice(&record.size.to_le_bytes());
    if rest.starts_with(&wide) {
        mark + wide.len()
    } else if rest.starts_with(narrow.as_flattened()) {
        mark + 12
    } else {
        0
    }
}

/// Where local header and record say different things, programs read different archives.
fn compare(content: &mut Content<'_>, bytes: &[u8], record: &Record, head: &Record, number: u32) {
    if bytes.get(record.name.clone()) != bytes.get(head.name.clone()) {
        content.doubts.push(entry_doubt(
            DoubtKind::Malformed,
            number,
            "an entry has two different names",
        ));
        push_label(
            content,
            bytes,
            head.name.clone(),
            Location::FileName,
            number,
            head.utf8(),
        );
    }
    if bytes.get(record.extra.clone()) != bytes.get(head.extra.clone()) {
        extras(content, bytes, &head.extra, number);
    }
    let sizes = (record.packed, record.size, record.crc);
    // A streamed entry may leave its numbers out of the local header, or give them all the same.
    let same = sizes == (head.packed, head.size, head.crc) || (head.streamed() && head.crc == 0);
    if !same || record.method != head.method || record.flags & 1 != head.flags & 1 {
        content.doubts.push(entry_doubt(
            DoubtKind::Malformed,
            number,
            "an entry is described in two different ways",
        ));
    }
}
