//! Header blocks of tar archives in all dialects (v7, ustar, GNU, pax) with the places of their fields. Own code, since names must
//! be edited where they stand, and bytes that no entry owns must be seen.

use std::ops::Range;

/// Headers and data come in blocks of this size.
pub(super) const BLOCK: usize = 512;
pub(super) const SIZE: Range<usize> = 124..136;
pub(super) const CHECKSUM: Range<usize> = 148..156;

/// One header block.
pub(super) struct Header<'a> {
    /// Where it stands.
    pub at: usize,
    block: &'a [u8],
    /// What kind of entry.
    pub kind: u8,
    /// Length of the data as this header says.
    pub size: u64,
}

impl<'a> Header<'a> {
    /// The header at `at`, when there is one with a right checksum.
    pub fn read(bytes: &'a [u8], at: usize) -> Option<Header<'a>> {
        let block = bytes.get(at..at.checked_add(BLOCK)?)?;
        let stated = number(block.get(CHECKSUM)?)?;
        if stated != sum(block, i64::from) && stated != sum(block, |b| i64::from(b as i8)) {
            return None;
        }
        Some(Header {
            at,
            block,
            kind: *block.get(156)?,
            size: u64::try_from(number(block.get(SIZE)?).unwrap_or(0)).ok()?,
        })
    }

    /// Where a text field stands in the archive, up to its NUL.
    fn field(&self, range: Range<usize>) -> Range<usize> {
        let raw = self.block.get(range.clone()).unwrap_or_default();
        let len = memchr::memchr(0, raw).unwrap_or(raw.len());
        self.at + range.start..self.at + range.start + len
    }

    /// The name, or its last 100 bytes.
    pub fn name(&self) -> Range<usize> {
        self.field(0..100)
    }

    /// What stands before the name (ustar and pax; GNU has times there).
    pub fn prefix(&self) -> Range<usize> {
        match self.block.get(257..263) {
            Some(b"ustar\0") => self.field(345..500),
            _ => self.at..self.at,
        }
    }

    /// Where a link leads, and the names of owner and group.
    pub fn others(&self) -> [Range<usize>; 3] {
        match self.block.get(257..262) {
            Some(b"ustar") => [self.field(157..257), self.field(265..297), self.field(297..329)],
            _ => [self.field(157..257), 0..0, 0..0],
        }
    }

    /// Places and lengths of the stretches of an old GNU sparse file that this header lists, whether more blocks follow, and
    /// the length with holes.
    pub fn sparse(&self) -> (Vec<(u64, u64)>, bool, u64) {
        let size = self.block.get(483..495).and_then(number).unwrap_or(0);
        let pairs = pairs(self.block.get(386..482).unwrap_or_default());
        (pairs, self.block.get(482) == Some(&1), u64::try_from(size).unwrap_or(0))
    }
}

/// As [`Header::sparse`], of a block that continues it.
pub(super) fn more_sparse(block: &[u8]) -> (Vec<(u64, u64)>, bool) {
    (pairs(block.get(..504).unwrap_or_default()), block.get(504) == Some(&1))
}

fn pairs(raw: &[u8]) -> Vec<(u64, u64)> {
    let value = |raw: &[u8]| number(raw).and_then(|n| u64::try_from(n).ok());
    let pairs = raw.chunks_exact(24).map_while(|pair| {
        let (offset, len) = pair.split_at(12);
        Some((value(offset)?, value(len)?))
    });
    pairs.collect()
}

/// Sum of all bytes, those of the checksum itself taken for blanks.
fn sum(block: &[u8], value: impl Fn(u8) -> i64) -> i64 {
    let each = block.iter().enumerate();
    each.map(|(i, byte)| if CHECKSUM.contains(&i) { 32 } else { value(*byte) })
        .sum()
}

/// Octal digits, or GNU's big-endian binary when the first bit is set. `None` without a digit.
fn number(raw: &[u8]) -> Option<i64> {
    if raw.first().is_some_and(|first| first & 0x80 != 0) {
        let tail = raw.get(raw.len().checked_sub(8)?..)?;
        return i64::try_from(tail.iter().fold(0u64, |n, byte| n << 8 | u64::from(*byte))).ok();
    }
    let text = std::str::from_utf8(raw).ok()?.trim_matches(['\0', ' ']);
    let text = text.split(['\0', ' ']).next()?;
    i64::from_str_radix(text, 8).ok().filter(|n| *n >= 0)
}

/// Puts a right checksum into a header block.
pub(super) fn sign(block: &mut [u8]) {
    let text = format!("{:06o}\0 ", sum(block, i64::from));
    if let Some(field) = block.get_mut(CHECKSUM) {
        field.copy_from_slice(text.as_bytes());
    }
}

/// Keys and places of values of a pax header (POSIX pax, extended header): `LENGTH KEY=VALUE` lines.
pub(super) fn records(bytes: &[u8], data: Range<usize>) -> Vec<(String, Range<usize>)> {
    let mut records = Vec::new();
    let mut at = data.start;
    while at < data.end {
        let Some(line) = bytes.get(at..data.end) else { break };
        let Some(blank) = memchr::memchr(b' ', line.get(..line.len().min(20)).unwrap_or_default()) else {
            break;
        };
        let length = std::str::from_utf8(line.get(..blank).unwrap_or_default()).ok();
        let Some(length) = length.and_then(|text| text.parse::<usize>().ok()) else {
            break;
        };
        let (Some(body), true) = (line.get(blank + 1..length.saturating_sub(1)), length > blank + 1) else {
            break;
        };
        let Some(equals) = memchr::memchr(b'=', body) else {
            break;
        };
        let key = String::from_utf8_lossy(body.get(..equals).unwrap_or_default()).into_owned();
        records.push((key, at + blank + 1 + equals + 1..at + length - 1));
        at += length;
    }
    records
}
