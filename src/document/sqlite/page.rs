//! Pages and records of an SQLite file (sqlite.org/fileformat2.html), read without the library: what was deleted and still
//! stands in the file is no row for it, but anybody can recover it.

use crate::content::{Budget, Spent};
use std::borrow::Cow;
use std::ops::Range;

/// The file and what its header says.
pub(super) struct File<'a> {
    bytes: &'a [u8],
    page: usize,
    usable: usize,
    /// 1 UTF-8, 2 UTF-16LE, 3 UTF-16BE.
    encoding: u8,
}

/// Kinds of b-tree pages.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Table,
    TableInner,
    Index,
    IndexInner,
}

/// One value of a record.
pub(super) enum Value {
    Null,
    Integer(i64),
    Real(f64),
    Text(String),
    Blob(Vec<u8>),
}

/// One row, or one key of an index.
pub(super) struct Row {
    pub id: Option<u64>,
    pub values: Vec<Value>,
}

impl<'a> File<'a> {
    pub fn open(bytes: &'a [u8]) -> Option<File<'a>> {
        let page = match be(bytes, 16..18)? {
            1 => 65_536,
            page => page,
        };
        let reserved = be(bytes, 20..21)?;
        let encoding = u8::try_from(be(bytes, 56..60)?).ok()?;
        let usable = page.checked_sub(reserved)?;
        (page.is_power_of_two() && page >= 512 && usable >= 480).then_some(File {
            bytes,
            page,
            usable,
            encoding,
        })
    }

    /// The header tells of more pages than the file has, or the last page is not whole.
    pub fn is_cut(&self) -> bool {
        let stated = be(self.bytes, 28..32).unwrap_or(0);
        stated > self.pages() || !self.bytes.len().is_multiple_of(self.page)
    }

    /// How many pages the file has, whatever its header says.
    pub fn pages(&self) -> usize {
        self.bytes.len().div_ceil(self.page)
    }

    fn at(&self, number: usize) -> Option<&'a [u8]> {
        let start = number.checked_sub(1)?.checked_mul(self.page)?;
        self.bytes.get(start..self.bytes.len().min(start + self.page))
    }

    fn head(number: usize) -> usize {
        if number == 1 { 100 } else { 0 }
    }

    /// What kind of b-tree page this is, if it is one.
    pub fn kind(&self, number: usize) -> Option<Kind> {
        match self.at(number)?.get(Self::head(number))? {
            0x0d => Some(Kind::Table),
            0x05 => Some(Kind::TableInner),
            0x0a => Some(Kind::Index),
            0x02 => Some(Kind::IndexInner),
            _ => None,
        }
    }

    /// Places of the cells of a page.
    fn cells(&self, number: usize, kind: Kind) -> impl Iterator<Item = usize> + use<'a> {
        let page = self.at(number).unwrap_or_default();
        let head = Self::head(number);
        let count = be(page, head + 3..head + 5).unwrap_or(0);
        let list = head
            + if matches!(kind, Kind::TableInner | Kind::IndexInner) {
                12
            } else {
                8
            };
        (0..count).map_while(move |i| be(page, list + i * 2..list + i * 2 + 2))
    }

    /// Pages below an inner page.
    pub fn below(&self, number: usize, kind: Kind) -> Vec<usize> {
        let page = self.at(number).unwrap_or_default();
        let head = Self::head(number);
        let cells = self.cells(number, kind).filter_map(|cell| be(page, cell..cell + 4));
        cells.chain(be(page, head + 8..head + 12)).collect()
    }

    /// The records of a page that can be read. Cells may share overflow pages, so that what they hold is booked.
    pub fn rows(&self, number: usize, kind: Kind, budget: &mut Budget) -> Result<Vec<Row>, Spent> {
        let mut rows = Vec::new();
        for at in self.cells(number, kind) {
            let Some((id, payload)) = self.cell(number, kind, at) else {
                continue;
            };
            budget.produce(payload.len() as u64)?;
            rows.extend(self.record(&payload).map(|values| Row { id, values }));
        }
        Ok(rows)
    }

    fn cell(&self, number: usize, kind: Kind, mut at: usize) -> Option<(Option<u64>, Cow<'a, [u8]>)> {
        let page = self.at(number)?;
        if kind == Kind::IndexInner {
            at += 4;
        }
        let size = usize::try_from(varint(page, &mut at)?).ok()?;
        let id = if kind == Kind::Table {
            Some(varint(page, &mut at)?)
        } else {
            None
        };
        Some((id, self.payload(page, at, size, kind)?))
    }

    /// The payload of a cell with its overflow pages.
    fn payload(&self, page: &'a [u8], at: usize, size: usize, kind: Kind) -> Option<Cow<'a, [u8]>> {
        let most = match kind {
            Kind::Table => self.usable - 35,
            _ => (self.usable - 12) * 64 / 255 - 23,
        };
        if size <= most {
            return page.get(at..at.checked_add(size)?).map(Cow::Borrowed);
        }
        if size > self.bytes.len() {
            return None;
        }
        let least = (self.usable - 12) * 32 / 255 - 23;
        let local = least + (size - least) % (self.usable - 4);
        let local = if local <= most { local } else { least };
        let mut data = page.get(at..at + local)?.to_vec();
        let mut next = be(page, at + local..at + local + 4)?;
        while data.len() < size {
            // A chain that goes round in a circle ends with the payload.
            let over = self.at(next)?;
            next = be(over, 0..4)?;
            let rest = over.get(4..self.usable.min(over.len()))?;
            data.extend_from_slice(rest.get(..rest.len().min(size - data.len()))?);
            if rest.is_empty() {
                return None;
            }
        }
        Some(Cow::Owned(data))
    }

    fn record(&self, payload: &[u8]) -> Option<Vec<Value>> {
        let mut at = 0;
        let head = usize::try_from(varint(payload, &mut at)?).ok()?;
        let mut body = head;
        let mut values = Vec::new();
        while at < head {
            let serial = varint(payload, &mut at)?;
            let len = File::length(serial)?;
            let raw = payload.get(body..body.checked_add(len)?)?;
            body += len;
            values.push(self.value(serial, raw));
        }
        Some(values)
    }

    /// How long a value of this type is.
    pub fn length(serial: u64) -> Option<usize> {
        match serial {
            0 | 8 | 9 => Some(0),
            1..=4 => usize::try_from(serial).ok(),
            5 => Some(6),
            6 | 7 => Some(8),
            10 | 11 => None,
            _ => usize::try_from((serial - 12) / 2).ok(),
        }
    }

    /// The free blocks of a page, from one to the next.
    pub fn free_blocks(&self, number: usize) -> Vec<&'a [u8]> {
        let page = self.at(number).unwrap_or_default();
        let head = Self::head(number);
        let mut blocks = Vec::new();
        let mut next = be(page, head + 1..head + 3).unwrap_or(0);
        // They stand in order: a chain that turns back is none.
        let mut last = 0;
        while next > last {
            last = next;
            let size = be(page, next + 2..next + 4).unwrap_or(0);
            blocks.extend(
                page.get(next..next.saturating_add(size))
                    .filter(|block| block.len() > 4),
            );
            next = be(page, next..next + 2).unwrap_or(0);
        }
        blocks
    }

    pub fn value(&self, serial: u64, raw: &[u8]) -> Value {
        let integer = || {
            let start = if raw.first().is_some_and(|b| b & 0x80 != 0) {
                -1
            } else {
                0
            };
            raw.iter().fold(start, |n: i64, b| n << 8 | i64::from(*b))
        };
        match serial {
            0 => Value::Null,
            7 => Value::Real(f64::from_bits(integer() as u64)),
            8 => Value::Integer(0),
            9 => Value::Integer(1),
            1..=6 => Value::Integer(integer()),
            _ if serial.is_multiple_of(2) => Value::Blob(raw.to_vec()),
            _ => Value::Text(self.text(raw)),
        }
    }

    fn text(&self, raw: &[u8]) -> String {
        let wide = |unit: fn([u8; 2]) -> u16| {
            let units: Vec<u16> = raw
                .chunks_exact(2)
                .filter_map(|pair| pair.try_into().ok().map(unit))
                .collect();
            String::from_utf16_lossy(&units)
        };
        match self.encoding {
            2 => wide(u16::from_le_bytes),
            3 => wide(u16::from_be_bytes),
            _ => String::from_utf8_lossy(raw).into_owned(),
        }
    }
}

fn be(bytes: &[u8], range: Range<usize>) -> Option<usize> {
    let raw = bytes.get(range)?;
    Some(raw.iter().fold(0, |n, b| n << 8 | usize::from(*b)))
}

/// Seven bits a byte, the ninth byte whole.
pub(super) fn varint(bytes: &[u8], at: &mut usize) -> Option<u64> {
    let mut n = 0u64;
    for i in 0..9 {
        let byte = u64::from(*bytes.get(*at)?);
        *at += 1;
        if i == 8 {
            return Some(n << 8 | byte);
        }
        n = n << 7 | byte & 0x7f;
        if byte & 0x80 == 0 {
            break;
        }
    }
    Some(n)
}
