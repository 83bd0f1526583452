//! Lists of MAPI properties within TNEF ([MS-OXTNEF] 2.1.3.4).

use crate::content::{Budget, Content, Spent};
use crate::document::mapi::{self, Attached, Owner, id};
use crate::document::strings;
use crate::types::PartPath;

struct Input<'t> {
    bytes: &'t [u8],
    at: usize,
}

impl<'t> Input<'t> {
    fn take(&mut self, len: usize) -> Option<&'t [u8]> {
        let end = self.at.checked_add(len)?;
        let taken = self.bytes.get(self.at..end)?;
        self.at = end;
        Some(taken)
    }

    fn u16(&mut self) -> Option<u16> {
        Some(u16::from_le_bytes(self.take(2)?.try_into().ok()?))
    }

    fn u32(&mut self) -> Option<u32> {
        Some(u32::from_le_bytes(self.take(4)?.try_into().ok()?))
    }

    /// Length, data, padding to four bytes.
    fn sized(&mut self) -> Option<&'t [u8]> {
        let len = self.u32()? as usize;
        let data = self.take(len)?;
        self.at = self.bytes.len().min(self.at + (4 - len % 4) % 4);
        Some(data)
    }
}

/// Reads a list; `false` when it is damaged.
pub(super) fn read(
    content: &mut Content<'_>,
    bytes: &[u8],
    owner: &Owner,
    attached: &mut Attached,
    budget: &mut Budget,
) -> Result<bool, Spent> {
    let mut input = Input { bytes, at: 0 };
    list(content, &mut input, owner, attached, budget)
}

/// Recipients: several lists.
pub(super) fn rows(content: &mut Content<'_>, bytes: &[u8], budget: &mut Budget) -> Result<bool, Spent> {
    let mut input = Input { bytes, at: 0 };
    let count = input.u32().unwrap_or(0);
    for _ in 0..count {
        budget.in_time()?;
        if !list(content, &mut input, &Owner::Recipient, &mut Attached::default(), budget)? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn list(
    content: &mut Content<'_>,
    input: &mut Input<'_>,
    owner: &Owner,
    attached: &mut Attached,
    budget: &mut Budget,
) -> Result<bool, Spent> {
    let Some(count) = input.u32() else {
        return Ok(false);
    };
    for _ in 0..count {
        budget.in_time()?;
        let start = input.at;
        if one(content, input, owner, attached, budget)?.is_none() {
            let rest = input.bytes.get(start..).unwrap_or_default();
            strings::add(content, rest, PartPath::default());
            return Ok(false);
        }
    }
    Ok(true)
}

/// One property; `None` when it does not fit.
fn one(
    content: &mut Content<'_>,
    input: &mut Input<'_>,
    owner: &Owner,
    attached: &mut Attached,
    budget: &mut Budget,
) -> Result<Option<()>, Spent> {
    let Some((kind, property, name)) = head(input) else {
        return Ok(None);
    };
    const MULTIPLE: u16 = 0x1000;
    let base = kind & !MULTIPLE;
    let variable = matches!(base, 0x1e | 0x1f | 0x0d | 0x102);
    let count = if variable || kind & MULTIPLE != 0 {
        input.u32()
    } else {
        Some(1)
    };
    for _ in 0..count.unwrap_or(0) {
        if !variable {
            let size = match base {
                0x05 | 0x06 | 0x07 | 0x14 | 0x40 => 8,
                0x48 => 16,
                _ => 4,
            };
            if input.take(size).is_none() {
                return Ok(None);
            }
            continue;
        }
        let Some(data) = input.sized() else {
            return Ok(None);
        };
        match base {
            0x1e | 0x1f => {
                let text = if base == 0x1f { wide(data) } else { mapi::narrow(data) };
                attached.learn(property, &text);
                mapi::text(content, owner, property, name.as_deref(), text);
            }
            _ if property == id::ATTACH_DATA => {
                // An object begins with the identifier of its interface.
                let data = if base == 0x0d {
                    data.get(16..).unwrap_or_default()
                } else {
                    data
                };
                budget.produce(data.len() as u64)?;
                attached.data = Some(data.to_vec());
            }
            _ => mapi::binary(content, owner, property, data, budget)?,
        }
    }
    Ok(count.map(drop))
}

fn head(input: &mut Input<'_>) -> Option<(u16, u16, Option<String>)> {
    let kind = input.u16()?;
    let property = input.u16()?;
    if property < 0x8000 {
        return Some((kind, property, None));
    }
    input.take(16)?;
    if input.u32()? == 0 {
        let number = input.u32()?;
        return Some((kind, property, Some(format!("0x{number:04X}"))));
    }
    let name = wide(input.sized()?);
    Some((kind, property, Some(name.trim_end_matches('\0').to_owned())))
}

fn wide(bytes: &[u8]) -> String {
    let units = bytes.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]]));
    char::decode_utf16(units).map(|c| c.unwrap_or('\u{fffd}')).collect()
}
