//! The texts of a mail outside its parts' bodies: header fields, file names, preambles and other gaps.
//!
//! Which views there are, and in which order, follows from the structure alone ([`plan`]); `rebuild` plans again and finds
//! the same, so that the way back need not be carried in the view.

use super::charset;
use super::entity::FileName;
use super::fields::Field;
use super::structure::Tree;
use super::words::{self, Backslash, Text};
use super::{doubt, doubt_spent};
use crate::content::{Budget, Content, ContentDoubt, SourceMap, View};
use crate::types::{DoubtKind, Location, PartPath};
use std::collections::{HashMap, HashSet};
use std::ops::Range;

/// Longer fields are shown raw; the block that holds one is in doubt anyway.
const DECODED_FIELD: usize = 102_400;

/// Where a view comes from.
pub(super) enum Source<'t> {
    /// A header field; the second: ranges in it that are views of their own.
    Field(&'t Field, Vec<Range<usize>>),
    /// A file name parameter.
    Name(&'t FileName),
    /// Raw bytes.
    Raw(Range<usize>),
}

/// A view to be.
pub(super) struct Planned<'t> {
    pub(super) part: PartPath,
    pub(super) location: Location,
    pub(super) source: Source<'t>,
}

/// All views of headers, file names and gaps, in their fixed order.
pub(super) fn plan<'t>(bytes: &[u8], tree: &'t Tree) -> Vec<Planned<'t>> {
    let mut planned = Vec::new();
    for part in &tree.parts {
        let mut seen: HashMap<Vec<u8>, u32> = HashMap::new();
        let own = part.entity.names.iter().chain(&part.entity.continued);
        let names: Vec<Range<usize>> = own.flat_map(FileName::ranges).collect();
        for field in &part.block.fields {
            let name = field.name(bytes);
            let mime = name.get(..8).is_some_and(|n| n.eq_ignore_ascii_case(b"content-"));
            let index = seen.entry(name.to_ascii_lowercase()).or_default();
            *index += 1;
            let value = field.value_range.clone();
            if name.iter().filter(|b| b.is_ascii_digit()).count() > 8 {
                // A name with room for a number; a change of it would not be the same field and is refused.
                planned.push(Planned {
                    part: part.path.clone(),
                    location: location(String::from_utf8_lossy(name).into_owned(), *index),
                    source: Source::Raw(field.name_range.clone()),
                });
            }
            if bytes.get(value.clone()).unwrap_or_default().trim_ascii().is_empty() {
                continue;
            }
            let within = |r: &&Range<usize>| mime && r.start >= value.start && r.end <= value.end;
            planned.push(Planned {
                part: part.path.clone(),
                location: location(String::from_utf8_lossy(name).into_owned(), *index),
                source: Source::Field(field, names.iter().filter(within).cloned().collect()),
            });
        }
        planned.extend(part.entity.names.iter().map(|name| Planned {
            part: part.leaf_path(),
            location: Location::FileName,
            source: Source::Name(name),
        }));
        planned.extend(part.entity.continued.iter().map(|value| Planned {
            part: part.leaf_path(),
            location: Location::Attribute("MIME parameter".to_owned()),
            source: Source::Name(value),
        }));
    }
    planned.extend(tree.gaps.iter().map(|(part, range)| Planned {
        part: part.clone(),
        location: Location::Gap,
        source: Source::Raw(range.clone()),
    }));
    planned
}

fn location(name: String, index: u32) -> Location {
    if is_address_field(&name) {
        Location::DisplayName { header: name }
    } else {
        Location::Header { name, index }
    }
}

fn is_address_field(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let name = name.strip_prefix("resent-").unwrap_or(&name);
    matches!(name, "from" | "to" | "cc" | "bcc" | "reply-to" | "sender")
}

/// The text of a header field or file name. `None` for raw bytes.
pub(super) fn text(bytes: &[u8], planned: &Planned<'_>) -> Option<Text> {
    match &planned.source {
        Source::Field(field, _) if field.value_range.len() > DECODED_FIELD => None,
        Source::Field(field, skip) => {
            let backslash = match planned.location {
                Location::DisplayName { .. } => Backslash::InQuotes,
                _ => Backslash::Literal,
            };
            Some(words::header(bytes, field.value_range.clone(), backslash, skip))
        }
        Source::Name(name) => Some(name.text(bytes)),
        Source::Raw(_) => None,
    }
}

/// The raw range of a view without decoding.
fn raw_range(planned: &Planned<'_>) -> Range<usize> {
    match &planned.source {
        Source::Field(field, _) => field.value_range.clone(),
        Source::Raw(range) => range.clone(),
        Source::Name(_) => 0..0,
    }
}

/// Adds the views of headers, file names and gaps.
pub(super) fn add(content: &mut Content<'_>, bytes: &[u8], tree: &Tree, budget: &mut Budget) {
    for planned in plan(bytes, tree) {
        let Some(text) = text(bytes, &planned) else {
            raw(
                content,
                bytes,
                raw_range(&planned),
                planned.part,
                planned.location,
                budget,
            );
            continue;
        };
        if let Err(spent) = budget.produce(text.text.len() as u64) {
            return doubt_spent(content, planned.part, spent);
        }
        for reason in &text.odd {
            doubt(content, planned.part.clone(), reason);
        }
        if text.unknown {
            content.doubts.push(ContentDoubt {
                kind: DoubtKind::Unread,
                part: planned.part.clone(),
                location: planned.location.clone(),
                reason: "the charset of an encoded word is not known".to_owned(),
            });
        }
        content.views.push(View {
            location: planned.location,
            hidden: false,
            fake_redaction: false,
            map: text.map(),
            text: text.text,
            part: planned.part,
            spots: Vec::new(),
            guess: false,
        });
    }
}

/// Adds the header fields that only the other reading sees, as second readings.
pub(super) fn add_other(content: &mut Content<'_>, bytes: &[u8], usual: &Tree, other: &Tree, budget: &mut Budget) {
    let start = |planned: &Planned<'_>| match &planned.source {
        Source::Field(field, _) => Some(field.value_range.start),
        _ => None,
    };
    let known: HashSet<usize> = plan(bytes, usual).iter().filter_map(start).collect();
    for planned in plan(bytes, other) {
        if start(&planned).is_none_or(|at| known.contains(&at)) {
            continue;
        }
        let Some(text) = text(bytes, &planned) else {
            continue;
        };
        if let Err(spent) = budget.produce(text.text.len() as u64) {
            return doubt_spent(content, planned.part, spent);
        }
        content.views.push(View {
            location: Location::Source,
            hidden: false,
            fake_redaction: false,
            map: text.map(),
            text: text.text,
            part: planned.part,
            spots: Vec::new(),
            guess: false,
        });
    }
}

/// Adds raw bytes as a view.
pub(super) fn raw(
    content: &mut Content<'_>,
    bytes: &[u8],
    range: Range<usize>,
    part: PartPath,
    location: Location,
    budget: &mut Budget,
) {
    if let Err(spent) = budget.produce(range.len() as u64) {
        return doubt_spent(content, part, spent);
    }
    let raw = bytes.get(range.clone()).unwrap_or_default();
    let (text, map) = match std::str::from_utf8(raw) {
        Ok(text) => (text.to_owned(), SourceMap::identity(raw.len(), range.start)),
        Err(_) => single_bytes(raw, range.start),
    };
    content.views.push(View {
        location,
        hidden: false,
        fake_redaction: false,
        text,
        map,
        part,
        spots: Vec::new(),
        guess: false,
    });
}

fn single_bytes(raw: &[u8], start: usize) -> (String, SourceMap) {
    let mut text = String::with_capacity(raw.len());
    let mut map = SourceMap::default();
    charset::characters(raw, None, |c, range| {
        let at = text.len();
        text.push(c);
        if c.is_ascii() {
            map.linear(at, start + range.start, 1);
        } else {
            map.unit(at..text.len(), start + range.start..start + range.end);
        }
    });
    (text, map)
}
