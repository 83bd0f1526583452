//! Bytes of the archive that belong to no entry of the directory: second archives, entries left out of the directory,
//! whatever is hidden between. Entries in them are read, the bytes themselves looked at as they are.

use super::directory::{END, LOCAL, Record, local};
use super::entry::push_child;
use super::{charset, display_name, doubt, entry_doubt, push_label, view};
use crate::content::{Budget, Content};
use crate::document::inflate::{End, inflate};
use crate::types::{DoubtKind, Location};
use std::borrow::Cow;
use std::ops::Range;

/// What lies between the `taken` ranges; overlaps are a doubt.
pub(super) fn between(content: &mut Content<'_>, bytes: &[u8], mut taken: Vec<Range<usize>>) -> Vec<Range<usize>> {
    taken.retain(|range| !range.is_empty());
    taken.sort_by_key(|range| (range.start, range.end));
    let mut free = Vec::new();
    let mut at = 0;
    let mut overlap = false;
    for range in taken {
        overlap |= range.start < at;
        if range.start > at {
            free.push(at..range.start);
        }
        at = at.max(range.end);
    }
    free.push(at..bytes.len());
    if overlap {
        content
            .doubts
            .push(doubt(DoubtKind::Malformed, "entries of the archive overlap"));
    }
    // Zeros are alignment.
    free.retain(|range| bytes.get(range.clone()).is_some_and(|gap| gap.iter().any(|b| *b != 0)));
    if !free.is_empty() {
        content.doubts.push(doubt(
            DoubtKind::Malformed,
            "there is something between or behind the entries",
        ));
    }
    free
}

/// Reads what is in the gaps.
pub(super) fn scan<'a>(content: &mut Content<'a>, bytes: &'a [u8], free: &[Range<usize>], budget: &mut Budget) {
    let mut number = 1 + u32::try_from(content.views.len() + content.children.len()).unwrap_or(u32::MAX / 2);
    for range in free {
        if let Err(spent) = budget.in_time() {
            content.doubts.push(doubt(spent.doubt(), spent.to_string()));
            return;
        }
        entries(content, bytes, range, &mut number, budget);
        let mut gap = view(
            Location::Gap,
            charset::latin1(bytes.get(range.clone()).unwrap_or_default()),
        );
        gap.map = gap.map.shifted(range.start);
        gap.hidden = true;
        content.views.push(gap);
    }
}

/// Local headers in a gap, one behind the other.
fn entries<'a>(
    content: &mut Content<'a>,
    bytes: &'a [u8],
    range: &Range<usize>,
    number: &mut u32,
    budget: &mut Budget,
) {
    let within = bytes.get(..range.end).unwrap_or(bytes);
    let mut at = range.start;
    while let Some(found) = within.get(at..).and_then(|rest| memchr::memmem::find(rest, LOCAL)) {
        at += found;
        let Some(head) = local(within, at) else {
            at += LOCAL.len();
            continue;
        };
        let seen = content.children.len().max(content.doubts.len());
        if seen as u64 >= u64::from(budget.limits().parts) {
            content
                .doubts
                .push(doubt(DoubtKind::TooLarge, "it has more entries than the limit allows"));
            return;
        }
        *number += 1;
        at = head.at.end + left_out(content, bytes, within, &head, *number, budget);
    }
}

/// Reads one entry that the directory leaves out; gives the length of its data.
fn left_out<'a>(
    content: &mut Content<'a>,
    bytes: &'a [u8],
    within: &'a [u8],
    head: &Record,
    number: u32,
    budget: &mut Budget,
) -> usize {
    push_label(
        content,
        bytes,
        head.name.clone(),
        Location::FileName,
        number,
        head.utf8(),
    );
    let data = within.get(head.at.end..).unwrap_or_default();
    let name = display_name(bytes, head);
    if head.encrypted() {
        let reason = "an entry of the archive is encrypted";
        content.doubts.push(entry_doubt(DoubtKind::Encrypted, number, reason));
        return 0;
    }
    let (unpacked, used, outcome) = match head.method {
        0 => {
            let stored = data.get(..stored(data, head.packed)).unwrap_or_default();
            (Cow::Borrowed(stored), stored.len(), budget.produce(stored.len() as u64))
        }
        8 => {
            let out = inflate(data, budget);
            let outcome = match out.end {
                End::Spent(spent) => Err(spent),
                End::Whole | End::Broken => Ok(()),
            };
            (Cow::Owned(out.bytes), out.used, outcome)
        }
        _ => {
            let reason = "no reader for the compression method of an entry";
            content.doubts.push(entry_doubt(DoubtKind::Unread, number, reason));
            return 0;
        }
    };
    if let Err(spent) = outcome {
        content
            .doubts
            .push(entry_doubt(spent.doubt(), number, spent.to_string()));
        if head.method == 0 {
            return used;
        }
    }
    push_child(content, unpacked, name, number, true);
    used
}

/// Length of stored data: as stated when there is so much, else up to the next record.
fn stored(data: &[u8], stated: u64) -> usize {
    match usize::try_from(stated) {
        Ok(len) if len > 0 && len <= data.len() => len,
        _ => [&LOCAL[..], super::directory::CENTRAL, END, b"PK\x07\x08"]
            .iter()
            .filter_map(|mark| memchr::memmem::find(data, mark))
            .min()
            .unwrap_or(data.len()),
    }
}
