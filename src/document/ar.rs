//! ar and cpio: old and simple archives, inside Debian and RPM packages mostly.

use super::{charset, doubt, entry_doubt, view};
use crate::content::{Budget, Child, Content, Hint, View};
use crate::types::{DoubtKind, Location, PartPath};
use std::borrow::Cow;
use std::ops::Range;

const AR: &[u8] = b"!<arch>\n";

/// ar, or cpio in its ASCII dialects ("newc", "crc" and "odc").
pub(super) fn is_archive(bytes: &[u8]) -> bool {
    bytes.starts_with(AR) || cpio(bytes, 0).is_some()
}

/// One entry: places of name and data, and where the next one is.
struct Entry {
    name: Range<usize>,
    data: Range<usize>,
    next: usize,
}

/// Reads an archive.
pub(super) fn read<'a>(bytes: &'a [u8], budget: &mut Budget) -> Content<'a> {
    let mut content = Content::default();
    let is_ar = bytes.starts_with(AR);
    let mut at = if is_ar { AR.len() } else { 0 };
    for number in 1.. {
        let entry = if is_ar { ar(bytes, at) } else { cpio(bytes, at) };
        let Some(entry) = entry else { break };
        at = entry.next;
        let name = bytes.get(entry.name.clone()).unwrap_or_default();
        if !is_ar && name == b"TRAILER!!!" {
            break;
        }
        if number > budget.limits().parts {
            content
                .doubts
                .push(doubt(DoubtKind::TooLarge, "it has more entries than the limit allows"));
            break;
        }
        if let Err(spent) = budget.produce(entry.data.len() as u64) {
            content
                .doubts
                .push(entry_doubt(spent.doubt(), number, spent.to_string()));
            break;
        }
        push(&mut content, bytes, &entry, number);
    }
    let rest = bytes.get(at..).unwrap_or_default();
    if rest.iter().any(|b| !matches!(b, 0 | b'\n')) {
        let reason = "the archive is damaged, or something is behind it";
        content.doubts.push(doubt(DoubtKind::Broken, reason));
        let mut gap = view(Location::Gap, charset::latin1(rest));
        gap.hidden = true;
        content.views.push(gap);
    }
    content
}

fn push<'a>(content: &mut Content<'a>, bytes: &'a [u8], entry: &Entry, number: u32) {
    let part = PartPath(vec![number]);
    let raw = bytes.get(entry.name.clone()).unwrap_or_default();
    let label = view(Location::FileName, charset::utf8(raw));
    content.views.push(View {
        map: label.map.clone().shifted(entry.name.start),
        part: part.clone(),
        ..label
    });
    if entry.data.is_empty() {
        return;
    }
    content.children.push(Child {
        path: part,
        bytes: Cow::Borrowed(bytes.get(entry.data.clone()).unwrap_or_default()),
        hint: Hint {
            name: Some(String::from_utf8_lossy(raw).trim_end_matches(['/', ' ']).to_owned()),
            attachment: true,
            ..Hint::default()
        },
        alternative: false,
    });
}

/// ar(5): sixty bytes of header, data padded to two.
fn ar(bytes: &[u8], at: usize) -> Option<Entry> {
    let head = bytes.get(at..at.checked_add(60)?)?;
    let size = std::str::from_utf8(head.get(48..58)?)
        .ok()?
        .trim()
        .parse::<usize>()
        .ok()?;
    let data = at + 60..(at + 60).checked_add(size)?;
    (head.ends_with(b"`\n") && data.end <= bytes.len()).then(|| Entry {
        name: at..at + 16,
        next: data.end.next_multiple_of(2).min(bytes.len()),
        data,
    })
}

/// cpio(5): "newc" and "crc" in hexadecimal padded to four, "odc" in octal without padding.
fn cpio(bytes: &[u8], at: usize) -> Option<Entry> {
    let rest = bytes.get(at..)?;
    let number = |range: Range<usize>, radix| {
        let text = std::str::from_utf8(rest.get(range)?).ok()?;
        usize::from_str_radix(text, radix).ok()
    };
    let (head, name_len, size, pad) = match rest.get(..6)? {
        b"070701" | b"070702" => (110, number(94..102, 16)?, number(54..62, 16)?, 4),
        b"070707" => (76, number(59..65, 8)?, number(65..76, 8)?, 1),
        _ => return None,
    };
    let pad = |offset: usize| at + offset.next_multiple_of(pad);
    let name_end = at.checked_add(head)?.checked_add(name_len)?;
    let start = pad(head + name_len);
    let end = start.checked_add(size)?;
    (end <= bytes.len() && name_len > 0).then(|| Entry {
        name: at + head..name_end - 1,
        data: start..end,
        next: pad(end - at).min(bytes.len()),
    })
}
