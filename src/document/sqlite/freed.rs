//! Rows that were deleted: their cell has become a free block of its page (sqlite.org/fileformat2.html, section 1.6), of which the
//! first four bytes are lost: lengths, the row's number, and at times the type of the first column. The other types tell where one
//! value ends and the next begins.

use super::page::{File, Kind, Row, Value, varint};

/// The lost bytes: next block and size.
const HEAD: usize = 4;
/// Columns of one row.
const COLUMNS: usize = 64;

impl File<'_> {
    /// The rows that can be made out in the free blocks of a page.
    pub fn freed(&self, number: usize, kind: Kind) -> Vec<Row> {
        if kind != Kind::Table {
            return Vec::new();
        }
        let blocks = self.free_blocks(number);
        let rows = blocks.into_iter().filter_map(|block| self.row_of(block));
        rows.map(|values| Row { id: None, values }).collect()
    }

    /// The values of a block: those that fill it to its end are right; else the first column's type is lost, and its value with it.
    fn row_of(&self, block: &[u8]) -> Option<Vec<Value>> {
        let mut other = None;
        for start in HEAD..HEAD + 3 {
            let (mut at, mut serials, mut length) = (start, Vec::new(), 0usize);
            while serials.len() < COLUMNS {
                let Some(serial) = varint(block, &mut at) else { break };
                let Some(len) = File::length(serial) else { break };
                length = length.saturating_add(len);
                serials.push(serial);
                let Some(lost) = block.len().checked_sub(at.saturating_add(length)) else {
                    break;
                };
                let Some(values) = self.values(block, at + lost, &serials) else {
                    continue;
                };
                if lost == 0 {
                    return Some(values);
                }
                other = Some(values);
            }
        }
        other
    }

    /// The values, when all texts are such.
    fn values(&self, block: &[u8], mut at: usize, serials: &[u64]) -> Option<Vec<Value>> {
        let mut values = Vec::with_capacity(serials.len());
        for serial in serials {
            let len = File::length(*serial)?;
            values.push(self.value(*serial, block.get(at..at.checked_add(len)?)?));
            at += len;
        }
        let sound = |value: &Value| match value {
            Value::Text(text) => !text.contains(|c: char| c == '\u{fffd}' || c.is_control() && !c.is_whitespace()),
            _ => true,
        };
        values.iter().all(sound).then_some(values)
    }
}
