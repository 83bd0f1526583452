//! An archive with some entries changed: those are written anew, everything else is copied byte for byte, in its order.

use super::directory::{Directory, Record, extra_fields, local};
use super::{UNICODE_PATH, directory_of};
use crate::content::{CannotEdit, Changes, Content, Splice, TextEdit, splice};
use crate::document::inflate::{crc32, deflate};
use crate::document::{office, text};
use crate::types::Location;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;

/// What becomes of one entry.
#[derive(Default)]
struct Edit<'c> {
    /// New content.
    data: Option<Cow<'c, [u8]>>,
    /// New name, as raw bytes.
    name: Option<Vec<u8>>,
}

/// Writes the archive anew.
pub(in crate::document) fn rebuild(
    bytes: &[u8],
    content: &Content<'_>,
    changes: &Changes,
) -> Result<Vec<u8>, CannotEdit> {
    let directory = directory_of(bytes, usize::MAX).ok_or(CannotEdit::Unsupported("an archive without a directory"))?;
    if directory.base > 0 || directory.miscounted || directory.zip64 {
        return Err(CannotEdit::Unsupported("an archive of unusual build"));
    }
    if !content.seals.is_empty() {
        return Err(CannotEdit::Sealed);
    }
    let any = !changes.texts.is_empty() || !changes.children.is_empty();
    let absorbed = office::absorbed_edits(content, &changes.texts, bytes.len(), any)?;
    let splices = text::splices(content, absorbed.rest.iter().cloned())?;
    let mut edits = edits(bytes, content, changes, &absorbed.rest, &directory, &splices)?;
    for (number, data) in absorbed.entries {
        let record = number
            .checked_sub(1)
            .ok_or(CannotEdit::Unsupported("an entry without a record"))?;
        edits.entry(record as usize).or_default().data = Some(Cow::Owned(data));
    }
    let mut order: Vec<usize> = (0..directory.records.len()).collect();
    order.sort_by_key(|i| directory.records.get(*i).map(|record| record.local));
    let mut out = Vec::with_capacity(bytes.len());
    let mut offsets = BTreeMap::new();
    let mut packed = BTreeMap::new();
    let mut at = 0;
    for index in order {
        let Some(record) = directory.records.get(index) else {
            continue;
        };
        if record.local < at {
            return Err(CannotEdit::Unsupported("an archive whose entries overlap"));
        }
        out.extend_from_slice(slice(bytes, at..record.local)?);
        offsets.insert(index, out.len());
        let end = match edits.get(&index) {
            Some(edit) => {
                let (end, len) = write_entry(&mut out, bytes, record, edit)?;
                packed.insert(index, len);
                end
            }
            None => record.local,
        };
        at = end;
    }
    out.extend_from_slice(slice(bytes, at..directory.start)?);
    let start = out.len();
    for (index, record) in directory.records.iter().enumerate() {
        let offset = offsets.get(&index).copied().unwrap_or_default();
        write_record(
            &mut out,
            bytes,
            record,
            edits.get(&index),
            packed.get(&index).copied(),
            offset,
            &splices,
        )?;
    }
    write_end(&mut out, bytes, &directory, start, &splices)?;
    Ok(out)
}

fn slice(bytes: &[u8], range: Range<usize>) -> Result<&[u8], CannotEdit> {
    bytes
        .get(range)
        .ok_or_else(|| CannotEdit::Unsound("the archive is damaged".to_owned()))
}

/// Edits by record.
fn edits<'c>(
    bytes: &[u8],
    content: &Content<'_>,
    changes: &'c Changes,
    names: &[TextEdit],
    directory: &Directory,
    splices: &[Splice],
) -> Result<BTreeMap<usize, Edit<'c>>, CannotEdit> {
    let mut edits: BTreeMap<usize, Edit<'c>> = BTreeMap::new();
    for (index, data) in &changes.children {
        let number = content
            .children
            .get(*index)
            .and_then(|child| child.path.0.first().copied());
        let record = number
            .and_then(|n| n.checked_sub(1))
            .ok_or(CannotEdit::Unsupported("an entry without a record"))?;
        edits.entry(record as usize).or_default().data = Some(Cow::Borrowed(data));
    }
    for edit in names {
        let view = content
            .views
            .get(edit.view)
            .ok_or(CannotEdit::Untraceable("there is no such text"))?;
        if !matches!(view.location, Location::FileName | Location::ArchiveComment) {
            return Err(CannotEdit::Unsupported("bytes between the entries of an archive"));
        }
    }
    for (index, record) in directory.records.iter().enumerate() {
        let has_unicode = extra_fields(bytes, &record.extra).any(|(id, _)| id == UNICODE_PATH);
        let inside = |range: &Range<usize>, s: &Splice| s.range.start >= range.start && s.range.end <= range.end;
        if splices.iter().any(|s| inside(&record.extra, s))
            || has_unicode && splices.iter().any(|s| inside(&record.name, s))
        {
            return Err(CannotEdit::Unsupported("an entry that has its name twice"));
        }
        if splices.iter().any(|s| inside(&record.name, s)) {
            edits.entry(index).or_default().name = Some(edited(bytes, &record.name, splices)?);
        }
    }
    Ok(edits)
}

/// A range with the splices inside it carried out.
fn edited(bytes: &[u8], range: &Range<usize>, splices: &[Splice]) -> Result<Vec<u8>, CannotEdit> {
    let inside = splices
        .iter()
        .filter(|s| s.range.start >= range.start && s.range.end <= range.end);
    let moved = inside.map(|s| Splice {
        range: s.range.start - range.start..s.range.end - range.start,
        with: s.with.clone(),
    });
    splice(slice(bytes, range.clone())?, moved.collect())
}

/// Writes header and data of a changed entry; gives the end of the old one and the new packed length.
fn write_entry(out: &mut Vec<u8>, bytes: &[u8], record: &Record, edit: &Edit<'_>) -> Result<(usize, u64), CannotEdit> {
    let head = local(bytes, record.local).ok_or_else(|| CannotEdit::Unsound("the archive is damaged".to_owned()))?;
    if record.zip64 || head.zip64 {
        return Err(CannotEdit::Unsupported("an entry of a Zip64 archive"));
    }
    if record.encrypted() || head.encrypted() {
        return Err(CannotEdit::Sealed);
    }
    if edit.data.is_some() && !matches!(record.method, 0 | 8) {
        return Err(CannotEdit::Unsupported("an entry packed in an unusual way"));
    }
    let old = head.at.end..head.at.end + usize::try_from(record.packed).unwrap_or(usize::MAX - head.at.end);
    let (data, size, crc) = match edit.data.as_deref() {
        Some(data) if record.method == 0 => (data.to_vec(), data.len() as u64, crc32(data)),
        Some(data) => (deflate(data), data.len() as u64, crc32(data)),
        None => (slice(bytes, old.clone())?.to_vec(), record.size, record.crc),
    };
    let name = edit
        .name
        .as_deref()
        .map_or_else(|| slice(bytes, head.name.clone()), Ok)?;
    let mut header = slice(bytes, head.at.start..head.name.start)?.to_vec();
    // Sizes are known now: no descriptor behind the data.
    put16(&mut header, 6, usize::from(head.flags & !8))?;
    put32(&mut header, 14, u64::from(crc))?;
    put32(&mut header, 18, data.len() as u64)?;
    put32(&mut header, 22, size)?;
    put16(&mut header, 26, name.len())?;
    out.extend_from_slice(&header);
    out.extend_from_slice(name);
    out.extend_from_slice(slice(bytes, head.extra.clone())?);
    out.extend_from_slice(&data);
    Ok((
        old.end + super::entry::descriptor(bytes, record, old.end),
        data.len() as u64,
    ))
}

/// Writes the record of an entry.
fn write_record(
    out: &mut Vec<u8>,
    bytes: &[u8],
    record: &Record,
    edit: Option<&Edit<'_>>,
    packed: Option<u64>,
    offset: usize,
    splices: &[Splice],
) -> Result<(), CannotEdit> {
    let comment = edited(bytes, &record.comment, splices)?;
    if record.zip64 && (offset != record.local || edit.is_some()) {
        return Err(CannotEdit::Unsupported("an entry of a Zip64 archive"));
    }
    let mut header = slice(bytes, record.at.start..record.name.start)?.to_vec();
    let name = edit
        .and_then(|e| e.name.as_deref())
        .map_or_else(|| slice(bytes, record.name.clone()), Ok)?;
    if let (Some(edit), Some(packed)) = (edit, packed) {
        put16(&mut header, 8, usize::from(record.flags & !8))?;
        put32(&mut header, 20, packed)?;
        if let Some(data) = edit.data.as_deref() {
            put32(&mut header, 16, u64::from(crc32(data)))?;
            put32(&mut header, 24, data.len() as u64)?;
        }
    }
    put16(&mut header, 28, name.len())?;
    put16(&mut header, 32, comment.len())?;
    if !record.zip64 {
        put32(&mut header, 42, offset as u64)?;
    }
    out.extend_from_slice(&header);
    out.extend_from_slice(name);
    out.extend_from_slice(slice(bytes, record.extra.clone())?);
    out.extend_from_slice(&comment);
    Ok(())
}

/// Writes the end record, and what lies between the directory and it.
fn write_end(
    out: &mut Vec<u8>,
    bytes: &[u8],
    directory: &Directory,
    start: usize,
    splices: &[Splice],
) -> Result<(), CannotEdit> {
    let comment = edited(bytes, &directory.comment, splices)?;
    let size = out.len() - start;
    let mut header = slice(bytes, directory.end..directory.end + 22)?.to_vec();
    put32(&mut header, 12, size as u64)?;
    put32(&mut header, 16, start as u64)?;
    put16(&mut header, 20, comment.len())?;
    out.extend_from_slice(&header);
    out.extend_from_slice(&comment);
    out.extend_from_slice(slice(bytes, directory.comment.end..bytes.len())?);
    Ok(())
}

fn put16(header: &mut [u8], at: usize, value: usize) -> Result<(), CannotEdit> {
    let value =
        u16::try_from(value).map_err(|_| CannotEdit::Unsound("a field of the archive grew too long".to_owned()))?;
    put(header, at, &value.to_le_bytes())
}

fn put32(header: &mut [u8], at: usize, value: u64) -> Result<(), CannotEdit> {
    let value = u32::try_from(value).map_err(|_| CannotEdit::Unsound("the archive grew too long".to_owned()))?;
    put(header, at, &value.to_le_bytes())
}

fn put(header: &mut [u8], at: usize, value: &[u8]) -> Result<(), CannotEdit> {
    let field = header.get_mut(at..at + value.len());
    field
        .ok_or_else(|| CannotEdit::Unsound("the archive is damaged".to_owned()))?
        .copy_from_slice(value);
    Ok(())
}
