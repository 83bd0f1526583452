//! The central directory of a ZIP archive (APPNOTE 6.3.10), read with the places of all its fields. Own code, since
//! what programs disagree about (two directories, other names in the local headers, bytes between entries) must be seen,
//! and no reader that presents one clean list shows it.

use std::ops::Range;

pub(super) const LOCAL: &[u8; 4] = b"PK\x03\x04";
pub(super) const CENTRAL: &[u8; 4] = b"PK\x01\x02";
pub(super) const END: &[u8; 4] = b"PK\x05\x06";
const END64: &[u8; 4] = b"PK\x06\x06";
const LOCATOR64: &[u8; 4] = b"PK\x06\x07";

/// One record of the directory, or one local header.
#[derive(Clone, Debug)]
pub(super) struct Record {
    /// The record's own bytes.
    pub at: Range<usize>,
    pub flags: u16,
    pub method: u16,
    pub crc: u32,
    pub packed: u64,
    pub size: u64,
    /// As written, in the archive's bytes.
    pub name: Range<usize>,
    pub extra: Range<usize>,
    pub comment: Range<usize>,
    /// Where the local header is, prepended bytes counted in. For a local header, its own place.
    pub local: usize,
    /// Some number is in a Zip64 field.
    pub zip64: bool,
}

impl Record {
    pub fn encrypted(&self) -> bool {
        const ENCRYPTED: u16 = 1;
        const MASKED: u16 = 1 << 13;
        self.flags & (ENCRYPTED | MASKED) != 0 || self.method == 99
    }

    /// Sizes stand behind the data.
    pub fn streamed(&self) -> bool {
        self.flags & 8 != 0
    }

    /// Names and comments are UTF-8.
    pub fn utf8(&self) -> bool {
        self.flags & (1 << 11) != 0
    }
}

/// The directory as a whole.
#[derive(Debug)]
pub(super) struct Directory {
    pub records: Vec<Record>,
    /// First byte of the first record.
    pub start: usize,
    /// First byte of the end record.
    pub end: usize,
    pub comment: Range<usize>,
    /// Bytes before the archive that its offsets do not count.
    pub base: usize,
    pub zip64: bool,
    /// The end record's count is not the number of records, or a record is damaged.
    pub miscounted: bool,
}

pub(super) fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(bytes.get(at..at.checked_add(2)?)?.try_into().ok()?))
}

pub(super) fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at.checked_add(4)?)?.try_into().ok()?))
}

fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(bytes.get(at..at.checked_add(8)?)?.try_into().ok()?))
}

fn size_at(bytes: &[u8], at: usize) -> Option<usize> {
    u32_at(bytes, at).map(|n| n as usize)
}

/// Places of all end records, the last first.
pub(super) fn end_records(bytes: &[u8]) -> impl Iterator<Item = usize> {
    memchr::memmem::rfind_iter(bytes, END).filter(|at| at + 22 <= bytes.len())
}

impl Directory {
    /// Reads the directory that the end record at `end` points to; at most `limit` records. `None` when there is none.
    pub fn read(bytes: &[u8], end: usize, limit: usize) -> Option<Directory> {
        let comment_len = usize::from(u16_at(bytes, end + 20)?);
        let comment = end + 22..(end + 22 + comment_len).min(bytes.len());
        let mut count = u64::from(u16_at(bytes, end + 10)?);
        let mut size = size_at(bytes, end + 12)?;
        let mut offset = size_at(bytes, end + 16)?;
        let mut last = end;
        let zip64 = end64(bytes, end);
        if let Some(at) = zip64 {
            count = u64_at(bytes, at + 32)?;
            size = usize::try_from(u64_at(bytes, at + 40)?).ok()?;
            offset = usize::try_from(u64_at(bytes, at + 48)?).ok()?;
            last = at;
        }
        // The directory ends where its end record begins; what its offset says beyond that was prepended later.
        let start = last.checked_sub(size)?;
        let (start, base) = if bytes.get(start..)?.starts_with(CENTRAL) || count == 0 {
            (start, start.checked_sub(offset)?)
        } else {
            (offset, 0)
        };
        let mut directory = Directory {
            records: Vec::new(),
            start,
            end: last,
            comment,
            base,
            zip64: zip64.is_some(),
            miscounted: false,
        };
        directory.fill(bytes, limit);
        directory.miscounted |= directory.records.len() as u64 != count;
        Some(directory)
    }

    fn fill(&mut self, bytes: &[u8], limit: usize) {
        let mut at = self.start;
        while self.records.len() < limit && at < self.end {
            let Some(record) = central(bytes, at, self.base) else {
                self.miscounted = true;
                break;
            };
            at = record.at.end;
            self.records.push(record);
        }
    }
}

/// Place of the Zip64 end record, when there is one.
fn end64(bytes: &[u8], end: usize) -> Option<usize> {
    let locator = end.checked_sub(20)?;
    if !bytes.get(locator..)?.starts_with(LOCATOR64) {
        return None;
    }
    let stated = usize::try_from(u64_at(bytes, locator + 8)?).ok()?;
    let behind = |at: &usize| bytes.get(*at..).is_some_and(|rest| rest.starts_with(END64));
    // With bytes prepended the stated place is off; the record then stands right before its locator.
    [Some(stated), locator.checked_sub(56)]
        .into_iter()
        .flatten()
        .find(behind)
}

fn central(bytes: &[u8], at: usize, base: usize) -> Option<Record> {
    if !bytes.get(at..)?.starts_with(CENTRAL) {
        return None;
    }
    let [name, extra, comment] = [28, 30, 32].map(|i| u16_at(bytes, at + i).map(usize::from));
    let name = at + 46..at + 46 + name?;
    let extra = name.end..name.end + extra?;
    let comment = extra.end..extra.end + comment?;
    if comment.end > bytes.len() {
        return None;
    }
    let mut record = Record {
        at: at..comment.end,
        flags: u16_at(bytes, at + 8)?,
        method: u16_at(bytes, at + 10)?,
        crc: u32_at(bytes, at + 16)?,
        packed: u64::from(u32_at(bytes, at + 20)?),
        size: u64::from(u32_at(bytes, at + 24)?),
        name,
        extra,
        comment,
        local: 0,
        zip64: false,
    };
    let mut offset = u64::from(u32_at(bytes, at + 42)?);
    widen(bytes, &mut record, Some(&mut offset));
    record.local = usize::try_from(offset).ok()?.checked_add(base)?;
    Some(record)
}

/// The local header at `at`.
pub(super) fn local(bytes: &[u8], at: usize) -> Option<Record> {
    if !bytes.get(at..)?.starts_with(LOCAL) {
        return None;
    }
    let [name, extra] = [26, 28].map(|i| u16_at(bytes, at + i).map(usize::from));
    let name = at + 30..at + 30 + name?;
    let extra = name.end..name.end + extra?;
    if extra.end > bytes.len() {
        return None;
    }
    let mut record = Record {
        at: at..extra.end,
        flags: u16_at(bytes, at + 6)?,
        method: u16_at(bytes, at + 8)?,
        crc: u32_at(bytes, at + 14)?,
        packed: u64::from(u32_at(bytes, at + 18)?),
        size: u64::from(u32_at(bytes, at + 22)?),
        comment: extra.end..extra.end,
        name,
        extra,
        local: at,
        zip64: false,
    };
    widen(bytes, &mut record, None);
    Some(record)
}

/// Takes the numbers that are too large for their fields from the Zip64 field (APPNOTE 4.5.3).
fn widen(bytes: &[u8], record: &mut Record, offset: Option<&mut u64>) {
    let full = u64::from(u32::MAX);
    let Some((_, data)) = extra_fields(bytes, &record.extra).find(|(id, _)| *id == 1) else {
        return;
    };
    let mut at = data.start;
    let fields = [Some(&mut record.size), Some(&mut record.packed), offset];
    for field in fields.into_iter().flatten().filter(|field| **field == full) {
        if at + 8 <= data.end
            && let Some(value) = u64_at(bytes, at)
        {
            *field = value;
            record.zip64 = true;
            at += 8;
        }
    }
}

/// Id and data of each extra field.
pub(super) fn extra_fields<'b>(
    bytes: &'b [u8],
    extra: &Range<usize>,
) -> impl Iterator<Item = (u16, Range<usize>)> + use<'b> {
    let end = extra.end;
    let mut at = extra.start;
    std::iter::from_fn(move || {
        let id = u16_at(bytes, at)?;
        let len = usize::from(u16_at(bytes, at + 2)?);
        let data = at + 4..at + 4 + len;
        if data.end > end {
            return None;
        }
        at = data.end;
        Some((id, data))
    })
}
