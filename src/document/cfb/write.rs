//! A storage inside a compound file as a compound file of its own, so that whoever reads such files can read it: embedded
//! objects and nested messages. Written for our readers: the directory is a list where programs keep a balanced tree.

use super::file::Compound;
use crate::content::{Budget, Spent};

const SECTOR: usize = 512;
const CUTOFF: usize = 4096;
const END: u32 = 0xffff_fffe;
const NONE: u32 = 0xffff_ffff;

#[derive(Default)]
struct Writer {
    sectors: Vec<u8>,
    fat: Vec<u32>,
    mini: Vec<u8>,
    minifat: Vec<u32>,
    directory: Vec<[u8; 128]>,
}

impl Writer {
    /// Writes a chain, gives its first sector.
    fn chain(&mut self, bytes: &[u8]) -> u32 {
        append(bytes, SECTOR, &mut self.sectors, &mut self.fat)
    }

    fn stream(&mut self, bytes: &[u8]) -> u32 {
        if bytes.len() >= CUTOFF {
            self.chain(bytes)
        } else {
            append(bytes, 64, &mut self.mini, &mut self.minifat)
        }
    }

    fn finish(mut self) -> Vec<u8> {
        let mini = std::mem::take(&mut self.mini);
        let start = self.chain(&mini);
        if let Some(root) = self.directory.first_mut() {
            root[116..120].copy_from_slice(&start.to_le_bytes());
            root[120..124].copy_from_slice(&(mini.len() as u32).to_le_bytes());
        }
        let minifat: Vec<u8> = self.minifat.iter().flat_map(|n| n.to_le_bytes()).collect();
        let minifat_at = self.chain(&minifat);
        let directory: Vec<u8> = self.directory.concat();
        let directory_at = self.chain(&directory);
        let fat_at = self.fat.len();
        let mut fat_sectors = 1;
        while fat_sectors * 128 < fat_at + fat_sectors + fat_sectors.saturating_sub(109).div_ceil(127) {
            fat_sectors += 1;
        }
        let numbers: Vec<u32> = (fat_at..fat_at + fat_sectors).map(|n| n as u32).collect();
        self.fat.resize(fat_at + fat_sectors, 0xffff_fffd);
        // What the header has no room for is listed in sectors behind.
        let (first, more) = numbers.split_at(numbers.len().min(109));
        let lists = more.len().div_ceil(127);
        let lists_at = self.fat.len() as u32;
        self.fat.resize(self.fat.len() + lists, 0xffff_fffc);
        self.fat.resize(fat_sectors * 128, NONE);
        let mut out = header(directory_at, minifat_at, first, if lists > 0 { lists_at } else { END });
        out.extend_from_slice(&self.sectors);
        out.extend(self.fat.iter().flat_map(|n| n.to_le_bytes()));
        for (i, list) in more.chunks(127).enumerate() {
            let mut sector: Vec<u32> = list.to_vec();
            sector.resize(127, NONE);
            sector.push(if i + 1 < lists { lists_at + i as u32 + 1 } else { END });
            out.extend(sector.iter().flat_map(|n| n.to_le_bytes()));
        }
        out
    }
}

fn append(bytes: &[u8], size: usize, data: &mut Vec<u8>, table: &mut Vec<u32>) -> u32 {
    if bytes.is_empty() {
        return END;
    }
    let start = table.len() as u32;
    let count = bytes.len().div_ceil(size);
    data.extend_from_slice(bytes);
    data.resize(data.len().div_ceil(size) * size, 0);
    for i in 1..=count {
        table.push(if i < count { start + i as u32 } else { END });
    }
    start
}

fn header(directory: u32, minifat: u32, fat: &[u32], lists: u32) -> Vec<u8> {
    let mut out = vec![0u8; SECTOR];
    out[..8].copy_from_slice(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1");
    out[24..34].copy_from_slice(&[0x3e, 0, 3, 0, 0xfe, 0xff, 9, 0, 6, 0]);
    let mut put = |at: usize, value: u32| out[at..at + 4].copy_from_slice(&value.to_le_bytes());
    put(48, directory);
    put(56, CUTOFF as u32);
    put(60, minifat);
    put(68, lists);
    for i in 0..109 {
        put(76 + 4 * i, fat.get(i).copied().unwrap_or(NONE));
    }
    out
}

/// The file that a storage would be.
pub(super) fn storage(file: &mut Compound<'_>, storage: usize, budget: &mut Budget) -> Result<Vec<u8>, Spent> {
    let mut writer = Writer::default();
    writer.directory.push(entry("Root Entry", 5));
    // Old index and new index of storages whose children are still to be written.
    let mut todo = vec![(storage, 0usize)];
    while let Some((old, new)) = todo.pop() {
        let mut before = None;
        for index in file.within(old) {
            let at = writer.directory.len();
            let Some((name, stream)) = file.entries.get(index).map(|e| (e.name.clone(), e.is_stream())) else {
                continue;
            };
            let mut raw = entry(&name, if stream { 2 } else { 1 });
            if stream {
                let bytes = file.stream(index, budget)?;
                raw[116..120].copy_from_slice(&writer.stream(&bytes).to_le_bytes());
                raw[120..124].copy_from_slice(&(bytes.len() as u32).to_le_bytes());
            } else {
                todo.push((index, at));
            }
            writer.directory.push(raw);
            let (link, slot) = match before {
                None => (new, 76),
                Some(before) => (before, 72),
            };
            if let Some(raw) = writer.directory.get_mut(link) {
                raw[slot..slot + 4].copy_from_slice(&(at as u32).to_le_bytes());
            }
            before = Some(at);
        }
    }
    Ok(writer.finish())
}

fn entry(name: &str, kind: u8) -> [u8; 128] {
    let mut raw = [0u8; 128];
    let units: Vec<u16> = name.encode_utf16().take(31).collect();
    for (i, unit) in units.iter().enumerate() {
        raw[2 * i..2 * i + 2].copy_from_slice(&unit.to_le_bytes());
    }
    raw[64] = (2 * units.len() + 2) as u8;
    raw[66] = kind;
    raw[68..80].copy_from_slice(&[0xff; 12]);
    raw[116..120].copy_from_slice(&END.to_le_bytes());
    raw
}
