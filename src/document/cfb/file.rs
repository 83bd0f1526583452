//! The compound file ([MS-CFB]): a small file system in a file. Read without trust: chains may loop, sizes may lie, and what
//! no stream owns may still hold text.

use crate::content::{Budget, Spent};
use std::collections::HashMap;

const FREE: u32 = 0xffff_fffa;
const NONE: u32 = 0xffff_ffff;

/// One name in the directory.
pub(super) struct Entry {
    pub name: String,
    kind: u8,
    left: u32,
    right: u32,
    child: u32,
    start: u32,
    size: u64,
    /// The storage it is in; `None` for the root and for what nobody points at.
    pub parent: Option<usize>,
}

impl Entry {
    pub fn is_stream(&self) -> bool {
        self.kind == 2
    }

    pub fn is_storage(&self) -> bool {
        self.kind == 1
    }
}

/// An opened file.
pub(super) struct Compound<'a> {
    bytes: &'a [u8],
    sector: usize,
    cutoff: u64,
    fat: Vec<u32>,
    minifat: Vec<u32>,
    mini: Vec<u8>,
    pub entries: Vec<Entry>,
    children: HashMap<usize, Vec<usize>>,
    used: Vec<bool>,
    /// A chain that loops, ends early or leaves the file.
    pub damaged: bool,
}

pub(super) fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    let end = at.checked_add(2)?;
    Some(u16::from_le_bytes(bytes.get(at..end)?.try_into().ok()?))
}

pub(super) fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    let end = at.checked_add(4)?;
    Some(u32::from_le_bytes(bytes.get(at..end)?.try_into().ok()?))
}

pub(super) fn utf16(bytes: &[u8]) -> String {
    let units = bytes.chunks_exact(2).map(|pair| match pair {
        [a, b] => u16::from_le_bytes([*a, *b]),
        _ => 0,
    });
    char::decode_utf16(units).map(|c| c.unwrap_or('\u{fffd}')).collect()
}

impl<'a> Compound<'a> {
    /// Opens the file; `None` when there is no directory to be found.
    pub fn open(bytes: &'a [u8], budget: &mut Budget) -> Result<Option<Compound<'a>>, Spent> {
        let shift = u16_at(bytes, 30).unwrap_or(9);
        let sector = match shift {
            12 => 4096,
            _ => 512,
        };
        let mut file = Compound {
            bytes,
            sector,
            // Programs insist on 4096 whatever the header says ([MS-CFB] 2.2).
            cutoff: 4096,
            fat: Vec::new(),
            minifat: Vec::new(),
            mini: Vec::new(),
            entries: Vec::new(),
            children: HashMap::new(),
            used: vec![false; bytes.len() / sector + 1],
            damaged: false,
        };
        file.read_fat();
        let directory = file.chain(u32_at(bytes, 48).unwrap_or(NONE), u64::MAX, budget)?;
        file.read_directory(&directory);
        if file.entries.is_empty() {
            return Ok(None);
        }
        let minifat = file.chain(u32_at(bytes, 60).unwrap_or(NONE), u64::MAX, budget)?;
        file.minifat = numbers(&minifat);
        if let Some((start, size)) = file.entries.first().map(|root| (root.start, root.size)) {
            file.mini = file.chain(start, size, budget)?;
        }
        file.link();
        Ok(Some(file))
    }

    fn sector_at(&self, number: u32) -> Option<&'a [u8]> {
        let at = (number as usize).checked_add(1)?.checked_mul(self.sector)?;
        let end = (at + self.sector).min(self.bytes.len());
        self.bytes.get(at..end).filter(|sector| !sector.is_empty())
    }

    fn take(&mut self, number: u32) -> Option<&'a [u8]> {
        let sector = self.sector_at(number)?;
        if let Some(used) = self.used.get_mut(number as usize) {
            *used = true;
        }
        Some(sector)
    }

    /// The allocation table: 109 sectors are named in the header, the rest in a chain of their own.
    fn read_fat(&mut self) {
        let most = self.bytes.len() / self.sector + 1;
        let mut sectors: Vec<u32> = (0..109).filter_map(|i| u32_at(self.bytes, 76 + 4 * i)).collect();
        let mut next = u32_at(self.bytes, 68).unwrap_or(NONE);
        let mut steps = 0;
        while next < FREE && steps < most {
            steps += 1;
            let Some(sector) = self.take(next) else {
                break;
            };
            let mut list = numbers(sector);
            next = list.pop().unwrap_or(NONE);
            sectors.extend(list);
        }
        for number in sectors.into_iter().filter(|number| *number < FREE) {
            if self.fat.len() > most + self.sector {
                break;
            }
            match self.take(number) {
                Some(sector) => {
                    self.damaged |= sector.len() < self.sector;
                    self.fat.extend(numbers(sector));
                }
                None => self.damaged = true,
            }
        }
    }

    /// The bytes of a chain of sectors, at most `size`.
    fn chain(&mut self, start: u32, size: u64, budget: &mut Budget) -> Result<Vec<u8>, Spent> {
        let mut out = Vec::new();
        let mut next = start;
        let most = self.bytes.len() / self.sector + 1;
        let mut steps = 0;
        let size = usize::try_from(size).unwrap_or(usize::MAX);
        while next < FREE && out.len() < size {
            steps += 1;
            let sector = self.take(next).filter(|_| steps <= most);
            let Some(sector) = sector else {
                self.damaged = true;
                break;
            };
            // The last sector may be short when its stream ends in it; a table never is.
            self.damaged |= size == usize::MAX && sector.len() < self.sector;
            out.extend_from_slice(sector);
            next = self.fat.get(next as usize).copied().unwrap_or(NONE);
        }
        self.damaged |= size != usize::MAX && out.len() < size;
        out.truncate(size);
        budget.produce(out.len() as u64)?;
        Ok(out)
    }

    fn read_directory(&mut self, directory: &[u8]) {
        for raw in directory.chunks_exact(128) {
            let len = usize::from(u16_at(raw, 64).unwrap_or(0)).clamp(2, 64) - 2;
            let size = u64::from(u32_at(raw, 120).unwrap_or(0));
            let high = u64::from(u32_at(raw, 124).unwrap_or(0));
            let number = |at| u32_at(raw, at).unwrap_or(NONE);
            self.entries.push(Entry {
                name: utf16(raw.get(..len).unwrap_or_default()),
                kind: raw.get(66).copied().unwrap_or(0),
                left: number(68),
                right: number(72),
                child: number(76),
                start: number(116),
                // The high half is junk in files with small sectors ([MS-CFB] 2.6.1).
                size: if self.sector == 4096 { size | high << 32 } else { size },
                parent: None,
            });
        }
    }

    /// Tells every entry its storage.
    fn link(&mut self) {
        let mut seen = vec![false; self.entries.len()];
        let mut todo: Vec<(u32, usize)> = self.entries.first().map(|root| (root.child, 0)).into_iter().collect();
        if let Some(first) = seen.first_mut() {
            *first = true;
        }
        while let Some((number, parent)) = todo.pop() {
            let index = number as usize;
            match seen.get_mut(index) {
                Some(seen) if !*seen => *seen = true,
                Some(_) => {
                    self.damaged = true;
                    continue;
                }
                None => continue,
            }
            let Some(entry) = self.entries.get_mut(index) else {
                continue;
            };
            entry.parent = Some(parent);
            self.children.entry(parent).or_default().push(index);
            todo.extend([(entry.left, parent), (entry.right, parent)]);
            if entry.kind == 1 {
                todo.push((entry.child, index));
            }
        }
        self.children.values_mut().for_each(|list| list.sort_unstable());
    }

    /// What a storage holds, in the order of the directory.
    pub fn within(&self, storage: usize) -> Vec<usize> {
        self.children.get(&storage).cloned().unwrap_or_default()
    }

    /// A stream or storage by name, as programs compare names: without regard to case.
    pub fn find(&self, storage: usize, name: &str) -> Option<usize> {
        let same = |index: &&usize| {
            self.entries
                .get(**index)
                .is_some_and(|entry| entry.name.eq_ignore_ascii_case(name))
        };
        self.children.get(&storage)?.iter().find(same).copied()
    }

    /// Streams that the directory lists but no storage holds: deleted, or hidden on purpose.
    pub fn orphans(&self) -> Vec<usize> {
        let lost = |index: &usize| {
            self.entries
                .get(*index)
                .is_some_and(|entry| *index > 0 && entry.kind == 2 && entry.parent.is_none())
        };
        (0..self.entries.len()).filter(lost).collect()
    }

    /// The bytes of a stream.
    pub fn stream(&mut self, index: usize, budget: &mut Budget) -> Result<Vec<u8>, Spent> {
        let Some((start, size)) = self.entries.get(index).map(|entry| (entry.start, entry.size)) else {
            return Ok(Vec::new());
        };
        if size >= self.cutoff || index == 0 {
            return self.chain(start, size, budget);
        }
        let size = size as usize;
        let mut out = Vec::new();
        let mut next = start;
        while next < FREE && out.len() < size {
            let at = next as usize * 64;
            let end = (at + 64).min(self.mini.len());
            let Some(sector) = self.mini.get(at..end).filter(|sector| !sector.is_empty()) else {
                break;
            };
            out.extend_from_slice(sector);
            next = self.minifat.get(next as usize).copied().unwrap_or(NONE);
        }
        self.damaged |= out.len() < size;
        out.truncate(size);
        budget.produce(out.len() as u64)?;
        Ok(out)
    }

    /// The stream of that name in that storage.
    pub fn named(&mut self, storage: usize, name: &str, budget: &mut Budget) -> Result<Option<Vec<u8>>, Spent> {
        match self
            .find(storage, name)
            .filter(|index| self.entries.get(*index).is_some_and(Entry::is_stream))
        {
            Some(index) => self.stream(index, budget).map(Some),
            None => Ok(None),
        }
    }

    /// Sectors that no chain has taken so far.
    pub fn unused(&self) -> Vec<u8> {
        let mut out = Vec::new();
        for (number, used) in self.used.iter().enumerate() {
            if !used && let Some(sector) = u32::try_from(number).ok().and_then(|number| self.sector_at(number)) {
                out.extend_from_slice(sector);
            }
        }
        out
    }

    /// All entries below a storage; they are at most as many as the directory has.
    pub fn below(&self, storage: usize) -> Vec<usize> {
        let mut out = Vec::new();
        let mut todo = vec![storage];
        while let Some(next) = todo.pop() {
            for index in self.within(next) {
                out.push(index);
                if self.entries.get(index).is_some_and(Entry::is_storage) {
                    todo.push(index);
                }
            }
        }
        out
    }
}

fn numbers(bytes: &[u8]) -> Vec<u32> {
    bytes
        .chunks_exact(4)
        .filter_map(|four| Some(u32::from_le_bytes(four.try_into().ok()?)))
        .collect()
}
