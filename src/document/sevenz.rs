//! 7z archives, through a crate that decodes them in Rust; never rewritten.

use super::inflate::End;
use super::{charset, doubt, entry_doubt, stream, view};
use crate::content::{Budget, Child, Content, Hint, SourceMap, View};
use crate::types::{DoubtKind, Location, PartPath};
use sevenz_rust2::{ArchiveReader, Error, Password};
use std::borrow::Cow;
use std::collections::{HashMap, VecDeque};
use std::io::{Cursor, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Memory for headers and for dictionaries, KiB; 7-Zip's "ultra" wants 64 MiB.
const MEMORY_KIB: usize = 256 << 10;

pub(super) fn is_7z(bytes: &[u8]) -> bool {
    bytes.starts_with(b"7z\xbc\xaf\x27\x1c")
}

/// Reads an archive.
pub(super) fn read<'a>(bytes: &'a [u8], budget: &mut Budget) -> Content<'a> {
    let mut content = Content::default();
    // A decoder that panics is a damaged file; what it gave before that stays.
    let outcome = catch_unwind(AssertUnwindSafe(|| entries(&mut content, bytes, budget)));
    match outcome {
        Ok(Ok(())) => {}
        Ok(Err(error)) => {
            let (kind, reason) = judge(&error);
            content.doubts.push(doubt(kind, reason));
        }
        Err(_) => content.doubts.push(doubt(DoubtKind::Broken, "the archive is damaged")),
    }
    if !content.doubts.is_empty() && budget.produce(bytes.len() as u64).is_ok() {
        let mut source = view(Location::Source, charset::latin1(bytes));
        source.hidden = true;
        content.views.push(source);
    }
    content
}

fn judge(error: &Error) -> (DoubtKind, &'static str) {
    match error {
        Error::PasswordRequired | Error::MaybeBadPassword(_) => (DoubtKind::Encrypted, "the archive is encrypted"),
        Error::UnsupportedCompressionMethod(method) if method.to_ascii_uppercase().contains("AES") => {
            (DoubtKind::Encrypted, "the archive is encrypted")
        }
        Error::UnsupportedCompressionMethod(_) | Error::Unsupported(_) | Error::ExternalUnsupported => {
            (DoubtKind::Unread, "no reader for a compression method of the archive")
        }
        Error::MaxMemLimited { .. } => (DoubtKind::TooLarge, "it wants more memory than the limit allows"),
        _ => (DoubtKind::Broken, "the archive is damaged or cut short"),
    }
}

fn entries(content: &mut Content<'_>, bytes: &[u8], budget: &mut Budget) -> Result<(), Error> {
    let mut archive = ArchiveReader::new_with_memory_limit(Cursor::new(bytes), Password::empty(), MEMORY_KIB)?;
    archive.set_thread_count(1);
    let limit = budget.limits().parts.saturating_sub(budget.parts()) as usize;
    let files = archive.archive().files.iter();
    for (index, file) in files.take(limit).enumerate() {
        name(content, &file.name, index);
    }
    if archive.archive().files.len() > limit {
        let reason = "it has more entries than the limit allows";
        content.doubts.push(doubt(DoubtKind::TooLarge, reason));
    }
    let cap = stream::cap(bytes.len(), budget);
    // Entries come block by block, not in the order of the list, and several may have one name.
    let mut places: HashMap<String, VecDeque<usize>> = HashMap::new();
    for (index, file) in archive.archive().files.iter().enumerate() {
        places.entry(file.name.clone()).or_default().push_back(index);
    }
    archive.for_each_entries(|entry, reader| {
        let index = places
            .get_mut(&entry.name)
            .and_then(VecDeque::pop_front)
            .unwrap_or(limit);
        if entry.is_directory || index >= limit {
            return Ok(index < limit);
        }
        Ok(child(content, &entry.name, index, reader, cap, budget))
    })
}

fn number(index: usize) -> u32 {
    u32::try_from(index + 1).unwrap_or(u32::MAX)
}

/// The name of an entry; it stands packed in the archive, so that no byte of the file is its source.
fn name(content: &mut Content<'_>, name: &str, index: usize) {
    let mut label = view(Location::FileName, charset::utf8(name.as_bytes()));
    label.map = SourceMap::default();
    content.views.push(View {
        part: PartPath(vec![number(index)]),
        ..label
    });
}

/// The data of one entry; says whether the entries packed together with it may be read.
fn child(
    content: &mut Content<'_>,
    name: &str,
    index: usize,
    reader: &mut dyn Read,
    cap: u64,
    budget: &mut Budget,
) -> bool {
    let mut data = Vec::new();
    let end = stream::pump(reader, cap, &mut data, budget);
    match end {
        End::Whole => {}
        End::Broken => content.doubts.push(entry_doubt(
            DoubtKind::Broken,
            number(index),
            "an entry of the archive is damaged",
        )),
        End::Spent(spent) => content
            .doubts
            .push(entry_doubt(spent.doubt(), number(index), spent.to_string())),
    }
    content.children.push(Child {
        path: PartPath(vec![number(index)]),
        bytes: Cow::Owned(data),
        hint: Hint {
            name: Some(name.to_owned()),
            attachment: true,
            ..Hint::default()
        },
        alternative: false,
    });
    end == End::Whole
}
