//! ZIP and the packages built on it. All readings that programs give of one archive are read: the central directory, local
//! headers that it leaves out, bytes between and around.

mod directory;
mod entry;
mod gaps;
mod package;
mod rebuild;

use super::{charset, doubt, entry_doubt, view};
use crate::content::{Budget, Content, Hint, View};
use crate::types::{DoubtKind, Location, PartPath};
use directory::{Directory, Record, end_records, extra_fields};
use std::ops::Range;

pub(super) use rebuild::rebuild;

/// Extra field with the name in UTF-8 (APPNOTE 4.6.9).
const UNICODE_PATH: u16 = 0x7075;
/// Extra field with the comment in UTF-8 (APPNOTE 4.6.8).
const UNICODE_COMMENT: u16 = 0x6375;

/// Reads an archive.
pub(super) fn read<'a>(bytes: &'a [u8], _hint: &Hint, budget: &mut Budget) -> Content<'a> {
    let mut content = Content::default();
    let limit = budget.limits().parts.saturating_sub(budget.parts()) as usize;
    let Some(directory) = directory_of(bytes, limit) else {
        content
            .doubts
            .push(doubt(DoubtKind::Broken, "the archive has no directory"));
        let all = 0..bytes.len();
        gaps::scan(&mut content, bytes, std::slice::from_ref(&all), budget);
        return content;
    };
    judge(&mut content, &directory, bytes, limit);
    let mut taken = Vec::new();
    for (index, record) in directory.records.iter().enumerate() {
        let number = u32::try_from(index + 1).unwrap_or(u32::MAX);
        names(&mut content, bytes, record, number);
        taken.push(entry::read(&mut content, bytes, record, number, budget));
    }
    push_label(
        &mut content,
        bytes,
        directory.comment.clone(),
        Location::ArchiveComment,
        0,
        false,
    );
    package::judge(&mut content, bytes.len(), budget);
    taken.push(directory.start..directory.comment.end);
    let free = gaps::between(&mut content, bytes, taken);
    gaps::scan(&mut content, bytes, &free, budget);
    content
}

/// The directory that most programs take: of the last end record whose comment reaches the end of the file, else of the
/// last one that has a directory at all.
fn directory_of(bytes: &[u8], limit: usize) -> Option<Directory> {
    const TRIES: usize = 64;
    let mut fallback = None;
    for at in end_records(bytes).take(TRIES) {
        let Some(directory) = Directory::read(bytes, at, limit) else {
            continue;
        };
        let exact = directory::u16_at(bytes, at + 20).is_some_and(|len| at + 22 + usize::from(len) == bytes.len());
        if exact {
            return Some(directory);
        }
        fallback = fallback.or(Some(directory));
    }
    fallback
}

/// What is wrong with the directory itself.
fn judge(content: &mut Content<'_>, directory: &Directory, bytes: &[u8], limit: usize) {
    if directory.records.len() >= limit && directory.miscounted {
        content
            .doubts
            .push(doubt(DoubtKind::TooLarge, "it has more entries than the limit allows"));
    } else if directory.miscounted {
        content
            .doubts
            .push(doubt(DoubtKind::Malformed, "the directory and its count do not agree"));
    }
    if directory.base > 0 {
        content
            .doubts
            .push(doubt(DoubtKind::Malformed, "there is something before the archive"));
    }
    let mut names: Vec<&[u8]> = directory
        .records
        .iter()
        .filter_map(|r| bytes.get(r.name.clone()))
        .collect();
    names.sort_unstable();
    if names.windows(2).any(|pair| pair.first() == pair.last()) {
        content
            .doubts
            .push(doubt(DoubtKind::Malformed, "two entries have the same name"));
    }
}

/// Name and comments of one entry as views.
fn names(content: &mut Content<'_>, bytes: &[u8], record: &Record, number: u32) {
    push_label(
        content,
        bytes,
        record.name.clone(),
        Location::FileName,
        number,
        record.utf8(),
    );
    push_label(
        content,
        bytes,
        record.comment.clone(),
        Location::ArchiveComment,
        number,
        record.utf8(),
    );
    for (id, data) in extra_fields(bytes, &record.extra) {
        let location = match id {
            UNICODE_PATH => Location::FileName,
            UNICODE_COMMENT => Location::ArchiveComment,
            _ => continue,
        };
        // Version and checksum come first.
        push_label(content, bytes, data.start + 5..data.end, location, number, true);
    }
    extras(content, bytes, &record.extra, number);
}

/// Extra fields with a text in them: all but those of numbers only, and of these what holds digits in the clear.
fn extras(content: &mut Content<'_>, bytes: &[u8], extra: &Range<usize>, number: u32) {
    let digits = |data: &Range<usize>| {
        let raw = bytes.get(data.clone()).unwrap_or_default();
        raw.windows(4).any(|four| four.iter().all(u8::is_ascii_digit))
    };
    for (id, data) in extra_fields(bytes, extra) {
        let text = !KNOWN_EXTRA.contains(&id) || !matches!(id, UNICODE_PATH | UNICODE_COMMENT) && digits(&data);
        if text {
            push_label(content, bytes, data, Location::ArchiveComment, number, false);
        }
    }
}

/// Extra fields of numbers only: Zip64, NTFS and Unix times and owners, alignment, and the two names read above.
const KNOWN_EXTRA: [u16; 11] = [
    1,
    0x000a,
    0x000d,
    0x5455,
    0x5855,
    0x7855,
    0x7875,
    0x9901,
    0xcafe,
    UNICODE_PATH,
    UNICODE_COMMENT,
];

/// One text of the archive's own.
fn push_label(
    content: &mut Content<'_>,
    bytes: &[u8],
    range: Range<usize>,
    location: Location,
    number: u32,
    utf8: bool,
) {
    let Some(raw) = bytes.get(range.clone()).filter(|raw| !raw.is_empty()) else {
        return;
    };
    let reading = if utf8 || std::str::from_utf8(raw).is_ok() {
        charset::utf8(raw)
    } else {
        charset::cp437(raw)
    };
    let label = view(location, reading);
    content.views.push(View {
        map: label.map.clone().shifted(range.start),
        part: if number == 0 {
            PartPath::default()
        } else {
            PartPath(vec![number])
        },
        ..label
    });
}

/// The name of an entry for people: the Unicode name when there is one.
fn display_name(bytes: &[u8], record: &Record) -> String {
    let unicode = extra_fields(bytes, &record.extra).find(|(id, _)| *id == UNICODE_PATH);
    let range = unicode.map_or(record.name.clone(), |(_, data)| data.start + 5..data.end);
    let raw = bytes.get(range).unwrap_or_default();
    match std::str::from_utf8(raw) {
        Ok(name) => name.to_owned(),
        Err(_) => charset::cp437(raw).text,
    }
}
