//! tar in all its dialects: entries as children, names and what else the headers say as views, and what lies between.

mod entries;
mod header;

use super::{charset, doubt, entry_doubt, text, view};
use crate::content::{Budget, CannotEdit, Changes, Child, Content, Hint, Spent, Splice, View, splice};
use crate::types::{DoubtKind, Location, PartPath};
use entries::{Entry, archive};
use header::{BLOCK, Header, SIZE, sign};
use std::borrow::Cow;
use std::ops::Range;

/// A header with a right checksum is at the start: nothing else has one by chance.
pub(super) fn is_tar(bytes: &[u8]) -> bool {
    Header::read(bytes, 0).is_some()
}

/// Reads an archive.
pub(super) fn read<'a>(bytes: &'a [u8], budget: &mut Budget) -> Content<'a> {
    let mut content = Content::default();
    let limit = budget.limits().parts.saturating_sub(budget.parts()) as usize;
    let archive = archive(bytes, limit);
    for entry in &archive.entries {
        for (range, is_name) in &entry.labels {
            let location = if *is_name {
                Location::FileName
            } else {
                Location::ArchiveComment
            };
            label(&mut content, bytes, range, location, PartPath(vec![entry.number]));
        }
        if let Err(spent) = child(&mut content, bytes, entry, budget) {
            content
                .doubts
                .push(entry_doubt(spent.doubt(), entry.number, spent.to_string()));
        }
    }
    let faults = [
        (archive.broken, DoubtKind::Broken, "the archive is damaged or cut short"),
        (
            archive.behind,
            DoubtKind::Malformed,
            "there is something behind the end of the archive",
        ),
        (
            archive.more,
            DoubtKind::TooLarge,
            "it has more entries than the limit allows",
        ),
    ];
    for (_, kind, reason) in faults.into_iter().filter(|(is, ..)| *is) {
        content.doubts.push(doubt(kind, reason));
    }
    for gap in &archive.gaps {
        if budget.produce(gap.len() as u64).is_ok() {
            label(&mut content, bytes, gap, Location::Gap, PartPath::default());
        }
    }
    content
}

/// One text of the archive's own.
fn label(content: &mut Content<'_>, bytes: &[u8], range: &Range<usize>, location: Location, part: PartPath) {
    let Some(raw) = bytes.get(range.clone()).filter(|raw| !raw.is_empty()) else {
        return;
    };
    let reading = match std::str::from_utf8(raw) {
        Ok(_) => charset::utf8(raw),
        Err(_) => charset::latin1(raw),
    };
    let hidden = location == Location::Gap;
    let label = view(location, reading);
    content.views.push(View {
        hidden,
        map: label.map.clone().shifted(range.start),
        part,
        ..label
    });
}

/// The data of an entry, holes filled.
fn child<'a>(content: &mut Content<'a>, bytes: &'a [u8], entry: &Entry, budget: &mut Budget) -> Result<(), Spent> {
    if entry.cut {
        let reason = "the entry goes on behind the end of the file";
        content
            .doubts
            .push(entry_doubt(DoubtKind::Broken, entry.number, reason));
    }
    if entry.data.is_empty() {
        return Ok(());
    }
    let stored = bytes.get(entry.data.clone()).unwrap_or_default();
    let data = match &entry.sparse {
        None => {
            budget.produce(stored.len() as u64)?;
            Cow::Borrowed(stored)
        }
        Some((map, size)) => match expand(map, *size, stored, budget) {
            Ok(Some(data)) => Cow::Owned(data),
            outcome => {
                let reason = "a sparse entry is damaged or too large; only what is stored of it is read";
                let kind = outcome.err().map_or(DoubtKind::Broken, Spent::doubt);
                content.doubts.push(entry_doubt(kind, entry.number, reason));
                budget.produce(stored.len() as u64)?;
                Cow::Borrowed(stored)
            }
        },
    };
    content.children.push(Child {
        path: PartPath(vec![entry.number]),
        bytes: data,
        hint: Hint {
            name: Some(entry.name.clone()),
            attachment: true,
            ..Hint::default()
        },
        alternative: false,
    });
    Ok(())
}

/// A sparse file as it was; `None` when its map is no sound one.
fn expand(map: &[(u64, u64)], size: u64, stored: &[u8], budget: &mut Budget) -> Result<Option<Vec<u8>>, Spent> {
    budget.produce(size)?;
    let Ok(size) = usize::try_from(size) else {
        return Err(Spent::Bytes);
    };
    let mut data = vec![0; size];
    let mut rest = stored;
    for (offset, len) in map {
        let (Ok(offset), Ok(len)) = (usize::try_from(*offset), usize::try_from(*len)) else {
            return Ok(None);
        };
        let place = offset.checked_add(len).and_then(|end| data.get_mut(offset..end));
        let (Some(place), Some((piece, behind))) = (place, rest.split_at_checked(len)) else {
            return Ok(None);
        };
        place.copy_from_slice(piece);
        rest = behind;
    }
    Ok(rest.is_empty().then_some(data))
}

/// Edits names in place and puts new data between the headers; every other byte stays.
pub(super) fn rebuild(bytes: &[u8], content: &Content<'_>, changes: &Changes) -> Result<Vec<u8>, CannotEdit> {
    let archive = archive(bytes, usize::MAX);
    let mut edited = bytes.to_vec();
    let mut touched: Vec<usize> = Vec::new();
    for edit in text::splices(content, changes.texts.iter().cloned())? {
        let place = edited.get_mut(edit.range.clone());
        let place = place.filter(|place| place.len() == edit.with.len());
        place
            .ok_or(CannotEdit::Unsupported("a name of the archive would change its length"))?
            .copy_from_slice(&edit.with);
        touched.push(edit.range.start);
    }
    let mut splices = Vec::new();
    for (index, data) in &changes.children {
        let number = content.children.get(*index).and_then(|child| child.path.0.first());
        let entry = number.and_then(|n| archive.entries.get((*n as usize).checked_sub(1)?));
        let entry = entry.ok_or(CannotEdit::Unsupported("an entry without a header"))?;
        if entry.sparse.is_some() || entry.cut {
            return Err(CannotEdit::Unsupported("a sparse or damaged entry of an archive"));
        }
        if data.len() != entry.data.len() {
            resize(&mut edited, entry, data.len())?;
            touched.push(entry.header);
        }
        let mut with = data.clone();
        with.resize(data.len().next_multiple_of(BLOCK), 0);
        splices.push(Splice {
            range: entry.data.start..entry.end.min(bytes.len()),
            with,
        });
    }
    for header in &archive.headers {
        let block = *header..header + BLOCK;
        if touched.iter().any(|at| block.contains(at))
            && let Some(block) = edited.get_mut(block)
        {
            sign(block);
        }
    }
    splice(&edited, splices)
}

/// Writes the new size of an entry into its header.
fn resize(edited: &mut [u8], entry: &Entry, size: usize) -> Result<(), CannotEdit> {
    let text = format!("{size:011o}\0");
    let place = entry.header + SIZE.start..entry.header + SIZE.end;
    let place = edited.get_mut(place).filter(|place| place.len() == text.len());
    match place {
        Some(place) if !entry.pax_size => {
            place.copy_from_slice(text.as_bytes());
            Ok(())
        }
        _ => Err(CannotEdit::Unsupported("an entry whose size stands in two places")),
    }
}
