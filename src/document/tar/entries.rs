//! From header blocks to entries: GNU long names and pax headers are taken together with the header that they are for.

use super::header::{BLOCK, Header, more_sparse, records};
use std::ops::Range;

/// One entry.
pub(super) struct Entry {
    /// Place of its own header block.
    pub header: usize,
    /// From 1.
    pub number: u32,
    /// Name for people.
    pub name: String,
    /// Names and other texts of its headers, by place; `true`: a file name.
    pub labels: Vec<(Range<usize>, bool)>,
    /// Its data as stored, cut at the end of the file.
    pub data: Range<usize>,
    /// Where the next header is.
    pub end: usize,
    /// Its data goes on behind the end of the file.
    pub cut: bool,
    /// Stretches of a sparse file, and its length with holes.
    pub sparse: Option<(Vec<(u64, u64)>, u64)>,
    /// The size stands in a pax header, too.
    pub pax_size: bool,
}

/// The archive as a whole.
#[derive(Default)]
pub(super) struct Archive {
    pub entries: Vec<Entry>,
    /// All header blocks, also those of long names and pax.
    pub headers: Vec<usize>,
    /// Bytes that belong to no entry and are not zero.
    pub gaps: Vec<Range<usize>>,
    /// A header is damaged, or the end mark is missing.
    pub broken: bool,
    /// Something follows the end mark.
    pub behind: bool,
    /// There are more entries than asked for.
    pub more: bool,
}

/// What pax and GNU headers say of the next entry.
#[derive(Default)]
struct Before {
    labels: Vec<(Range<usize>, bool)>,
    name: Option<String>,
    size: Option<u64>,
    sparse: Vec<(String, String)>,
}

/// Takes an archive apart; at most `limit` entries.
pub(super) fn archive(bytes: &[u8], limit: usize) -> Archive {
    let mut archive = Archive::default();
    let mut before = Before::default();
    let (mut at, mut ended) = (0, false);
    while at < bytes.len() {
        let block = bytes.get(at..bytes.len().min(at + BLOCK)).unwrap_or_default();
        if block.iter().all(|b| *b == 0) {
            // Two such blocks are the end; one alone stands in archives that were put together.
            ended = true;
            at += BLOCK;
            continue;
        }
        archive.behind |= ended;
        let Some(header) = Header::read(bytes, at) else {
            archive.broken |= !ended;
            archive.gaps.push(at..bytes.len());
            break;
        };
        if archive.entries.len() >= limit {
            archive.more = true;
            archive.gaps.push(at..bytes.len());
            break;
        }
        archive.headers.push(at);
        at = match header.kind {
            b'x' | b'X' | b'g' | b'L' | b'K' => describe(bytes, &header, &mut before, &mut archive),
            _ => entry(bytes, &header, std::mem::take(&mut before), &mut archive),
        };
    }
    // A program that was interrupted, or a mail that was cut at a block.
    archive.broken |= !ended && !archive.more;
    archive
}

/// Range of data of `size` bytes from `start` on, its padded end, and whether the file ends before.
fn extent(bytes: &[u8], start: usize, size: u64) -> (Range<usize>, usize, bool) {
    let end = usize::try_from(size).ok().and_then(|size| start.checked_add(size));
    match end {
        Some(end) if end <= bytes.len() => (start..end, end.next_multiple_of(BLOCK), false),
        _ => (start.min(bytes.len())..bytes.len(), bytes.len(), true),
    }
}

/// A header that speaks of the next one; gives the place of that.
fn describe(bytes: &[u8], header: &Header<'_>, before: &mut Before, archive: &mut Archive) -> usize {
    let (data, end, cut) = extent(bytes, header.at + BLOCK, header.size);
    archive.broken |= cut;
    if matches!(header.kind, b'L' | b'K') {
        let raw = bytes.get(data.clone()).unwrap_or_default();
        let len = memchr::memchr(0, raw).unwrap_or(raw.len());
        let range = data.start..data.start + len;
        if header.kind == b'L' {
            before.name = Some(text(bytes, &range));
        }
        before.labels.push((range, true));
        return end;
    }
    before.labels.push((header.name(), false));
    for (key, value) in records(bytes, data) {
        let said = text(bytes, &value);
        match key.as_str() {
            "path" | "GNU.sparse.name" => before.name = Some(said),
            "size" => before.size = said.parse().ok(),
            _ if key.starts_with("GNU.sparse.") => before.sparse.push((key.clone(), said)),
            _ => {}
        }
        let numbers = matches!(key.as_str(), "mtime" | "atime" | "ctime" | "size" | "uid" | "gid");
        if !numbers && !key.starts_with("GNU.sparse.") || key == "GNU.sparse.name" {
            let is_name = matches!(key.as_str(), "path" | "linkpath" | "GNU.sparse.name");
            before.labels.push((value, is_name));
        }
    }
    end
}

fn text(bytes: &[u8], range: &Range<usize>) -> String {
    String::from_utf8_lossy(bytes.get(range.clone()).unwrap_or_default()).into_owned()
}

/// The entry of `header`; gives the place of the next header.
fn entry(bytes: &[u8], header: &Header<'_>, before: Before, archive: &mut Archive) -> usize {
    let mut labels = before.labels;
    let (name, prefix) = (header.name(), header.prefix());
    let own = match prefix.is_empty() {
        true => text(bytes, &name),
        false => format!("{}/{}", text(bytes, &prefix), text(bytes, &name)),
    };
    labels.extend([(prefix, true), (name, true)]);
    let [link, owner, group] = header.others();
    labels.extend([(link, true), (owner, false), (group, false)]);
    // Links, devices and folders have no data, whatever their size says.
    let size = match header.kind {
        b'1'..=b'6' => 0,
        _ => before.size.unwrap_or(header.size),
    };
    let mut start = header.at + BLOCK;
    let mut sparse = None;
    if header.kind == b'S' {
        let (mut map, mut more, real) = header.sparse();
        while let (true, Some(block)) = (more, bytes.get(start..start + BLOCK)) {
            let (next, further) = more_sparse(block);
            map.extend(next);
            more = further;
            start += BLOCK;
        }
        sparse = Some((map, real));
    }
    let (mut data, end, cut) = extent(bytes, start, size);
    if !before.sparse.is_empty() {
        sparse = pax_sparse(bytes, &before.sparse, &mut data);
    }
    let padding = data.end..end.min(bytes.len());
    if bytes
        .get(padding.clone())
        .is_some_and(|raw| raw.iter().any(|b| *b != 0))
    {
        archive.gaps.push(padding);
    }
    archive.entries.push(Entry {
        header: header.at,
        number: u32::try_from(archive.entries.len() + 1).unwrap_or(u32::MAX),
        name: before.name.unwrap_or(own),
        labels,
        data,
        end,
        cut,
        sparse,
        pax_size: before.size.is_some(),
    });
    end
}

/// The stretches of a sparse file in the three ways of GNU tar's pax headers (GNU tar manual, "Sparse Formats").
fn pax_sparse(bytes: &[u8], said: &[(String, String)], data: &mut Range<usize>) -> Option<(Vec<(u64, u64)>, u64)> {
    let value = |key: &str| said.iter().find(|(k, _)| k == key).map(|(_, v)| v.as_str());
    let all = |key: &'static str| said.iter().filter(move |(k, _)| k == key).map(|(_, v)| v.as_str());
    let real = value("GNU.sparse.realsize").or_else(|| value("GNU.sparse.size"))?;
    let real = real.parse().ok()?;
    let numbers: Vec<u64> = if value("GNU.sparse.major") == Some("1") {
        let raw = bytes.get(data.clone())?;
        let mut lines = raw.split(|b| *b == b'\n');
        let mut read = 0;
        let mut next = || {
            let line = lines.next()?;
            read += line.len() + 1;
            std::str::from_utf8(line).ok()?.parse::<u64>().ok()
        };
        let count = next()?;
        let numbers: Option<Vec<u64>> = (0..count.checked_mul(2)?.min(raw.len() as u64))
            .map(|_| next())
            .collect();
        data.start = data.end.min(data.start + read.next_multiple_of(BLOCK));
        numbers?
    } else if let Some(map) = value("GNU.sparse.map") {
        map.split(',').map_while(|n| n.parse().ok()).collect()
    } else {
        let pairs = all("GNU.sparse.offset").zip(all("GNU.sparse.numbytes"));
        pairs.flat_map(|(a, b)| [a, b]).map_while(|n| n.parse().ok()).collect()
    };
    let pairs = numbers.chunks_exact(2).filter_map(|pair| match pair {
        [offset, len] => Some((*offset, *len)),
        _ => None,
    });
    Some((pairs.collect(), real))
}
