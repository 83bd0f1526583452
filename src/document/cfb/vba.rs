//! Macros ([MS-OVBA] 2.4.1): the source text of modules is compressed.

use super::file::{Compound, Entry};
use crate::content::{Budget, Content, SourceMap, Spent, View};
use crate::document::{mapi, strings};
use crate::types::{Location, OfficePlace, PartPath};
use std::collections::HashSet;

/// Reads the modules below a storage.
pub(super) fn read(
    file: &mut Compound<'_>,
    storage: usize,
    content: &mut Content<'_>,
    taken: &mut HashSet<usize>,
    budget: &mut Budget,
) -> Result<(), Spent> {
    for index in file.below(storage) {
        if !file.entries.get(index).is_some_and(Entry::is_stream) {
            continue;
        }
        let bytes = file.stream(index, budget)?;
        taken.insert(index);
        strings::add(content, &bytes, PartPath::default());
        for source in sources(&bytes, budget)? {
            let text = mapi::narrow(&source);
            if text.contains(|c: char| c.is_ascii_digit()) {
                content.views.push(View {
                    location: Location::Office(OfficePlace::Data),
                    hidden: true,
                    fake_redaction: false,
                    text,
                    map: SourceMap::default(),
                    part: PartPath::default(),
                    spots: Vec::new(),
                    guess: false,
                });
            }
        }
    }
    Ok(())
}

/// Nobody writes longer modules.
const LONGEST: usize = 4 << 20;
/// Unpacked length of a chunk.
const CHUNK: usize = 4096;

/// Where the source begins is told in another stream; it is found by its signature here, which finds leftovers too.
fn sources(bytes: &[u8], budget: &mut Budget) -> Result<Vec<Vec<u8>>, Spent> {
    let mut out = Vec::new();
    let mut at = 0;
    while let Some(found) = bytes.get(at..).and_then(|rest| memchr::memchr(1, rest)) {
        at += found;
        let (text, used) = container(bytes.get(at + 1..).unwrap_or_default());
        budget.produce(text.len() as u64)?;
        if text.len() >= 32 && text.iter().all(|b| *b >= 32 || matches!(b, b'\t' | b'\r' | b'\n')) {
            out.push(text);
            at += used;
        }
        at += 1;
        budget.in_time()?;
    }
    Ok(out)
}

/// Chunks until one does not fit.
fn container(bytes: &[u8]) -> (Vec<u8>, usize) {
    let mut out = Vec::new();
    let mut at = 0;
    while let Some([low, high]) = bytes.get(at..at + 2).filter(|_| out.len() < LONGEST) {
        let header = u16::from_le_bytes([*low, *high]);
        if header >> 12 & 7 != 3 {
            break;
        }
        let end = at + usize::from(header & 0xfff) + 3;
        let Some(data) = bytes.get(at + 2..end.min(bytes.len())) else {
            break;
        };
        let good = if header & 0x8000 == 0 {
            out.extend_from_slice(data);
            true
        } else {
            chunk(data, &mut out)
        };
        at = end.min(bytes.len());
        if !good {
            break;
        }
    }
    (out, at)
}

/// One compressed chunk.
fn chunk(data: &[u8], out: &mut Vec<u8>) -> bool {
    let start = out.len();
    let mut input = data.iter().copied();
    while let Some(flags) = input.next() {
        for bit in 0..8 {
            let Some(first) = input.next() else {
                return true;
            };
            if flags >> bit & 1 == 0 {
                out.push(first);
                continue;
            }
            let Some(second) = input.next() else {
                return false;
            };
            let token = u16::from_le_bytes([first, second]);
            let done = out.len() - start;
            let mut bits = 4;
            while 1usize << bits < done {
                bits += 1;
            }
            if bits > 12 {
                return false;
            }
            let len = usize::from(token & (0xffff >> bits)) + 3;
            if done + len > CHUNK {
                return false;
            }
            let offset = usize::from(token >> (16 - bits)) + 1;
            let Some(from) = out.len().checked_sub(offset).filter(|from| *from >= start) else {
                return false;
            };
            for i in from..from + len {
                match out.get(i).copied() {
                    Some(byte) => out.push(byte),
                    None => return false,
                }
            }
        }
    }
    true
}
