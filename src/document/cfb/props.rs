//! Property sets ([MS-OLEPS]): title, author, keywords, own properties.

use super::file::{u16_at, u32_at, utf16};
use crate::content::{Budget, Content, SourceMap, Spent, View};
use crate::document::mapi;
use crate::types::{Location, OfficePlace, PartPath};
use std::collections::HashMap;

/// More properties than any program writes.
const MOST: u32 = 4096;

/// Views of all strings in a property set stream.
pub(super) fn read(content: &mut Content<'_>, bytes: &[u8], budget: &mut Budget) -> Result<(), Spent> {
    let sections = u32_at(bytes, 24).unwrap_or(0).min(2);
    for section in 0..sections as usize {
        let at = 28 + 20 * section;
        let summary = bytes.get(at..at + 4) == Some(b"\xe0\x85\x9f\xf2");
        if let Some(offset) = u32_at(bytes, at + 16) {
            let set = bytes.get(offset as usize..).unwrap_or_default();
            one(content, set, summary, section, budget)?;
        }
    }
    Ok(())
}

fn one(content: &mut Content<'_>, set: &[u8], summary: bool, section: usize, budget: &mut Budget) -> Result<(), Spent> {
    let count = u32_at(set, 4).unwrap_or(0).min(MOST) as usize;
    let list: Vec<(u32, usize)> = (0..count)
        .filter_map(|i| Some((u32_at(set, 8 + 8 * i)?, u32_at(set, 12 + 8 * i)? as usize)))
        .collect();
    let unicode = list
        .iter()
        .any(|(id, at)| *id == 1 && u16_at(set, at.saturating_add(4)) == Some(1200));
    let names = match list.iter().find(|(id, _)| *id == 0) {
        Some((_, at)) if section == 1 => dictionary(content, set, *at, unicode),
        _ => HashMap::new(),
    };
    for (id, at) in list.into_iter().filter(|(id, _)| *id > 1) {
        let name = match names.get(&id) {
            Some(name) => name.clone(),
            None => known(id, summary && section == 0).to_owned(),
        };
        let mut text = String::new();
        value(set, at, unicode, &mut text);
        // Many properties may name the same bytes.
        budget.produce(text.len() as u64)?;
        push(content, &name, text);
    }
    Ok(())
}

fn push(content: &mut Content<'_>, name: &str, text: String) {
    if !text.is_empty() {
        content.views.push(View {
            location: Location::Office(OfficePlace::Property(name.to_owned())),
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

/// Names of own properties; they may hold text themselves.
fn dictionary(content: &mut Content<'_>, set: &[u8], at: usize, unicode: bool) -> HashMap<u32, String> {
    let mut names = HashMap::new();
    let count = u32_at(set, at).unwrap_or(0).min(MOST);
    let mut at = at.saturating_add(4);
    for _ in 0..count {
        let (Some(id), Some(len)) = (u32_at(set, at), u32_at(set, at.saturating_add(4))) else {
            break;
        };
        let size = if unicode { len as usize * 2 } else { len as usize };
        at += 8;
        let Some(raw) = set.get(at..at.saturating_add(size)) else {
            break;
        };
        let name = if unicode { utf16(raw) } else { mapi::narrow(raw) };
        let name = name.trim_end_matches('\0').to_owned();
        push(content, "own properties", name.clone());
        names.insert(id, name);
        at += if unicode { size.div_ceil(4) * 4 } else { size };
    }
    names
}

/// Strings of one value, also of several in one, each a line.
fn value(set: &[u8], at: usize, unicode: bool, out: &mut String) {
    let kind = u16_at(set, at).unwrap_or(0);
    let mut at = at.saturating_add(4);
    let vector = kind & 0x1000 != 0;
    let count = if vector {
        u32_at(set, at).unwrap_or(0).min(MOST)
    } else {
        1
    };
    at += if vector { 4 } else { 0 };
    for _ in 0..count {
        let mut kind = kind & 0xfff;
        if kind == 12 {
            kind = u16_at(set, at).unwrap_or(0);
            at += 4;
        }
        match kind {
            30 | 8 | 31 => {
                let len = u32_at(set, at).unwrap_or(0) as usize;
                let size = if kind == 31 { len.saturating_mul(2) } else { len };
                at += 4;
                let end = at.saturating_add(size).min(set.len());
                let raw = set.get(at..end).unwrap_or_default();
                let text = if kind == 31 || unicode && kind == 8 {
                    utf16(raw)
                } else {
                    mapi::narrow(raw)
                };
                out.push_str(text.trim_end_matches('\0'));
                out.push('\n');
                at = at.saturating_add(size.div_ceil(4).saturating_mul(4));
            }
            // Whole numbers and such: digits may be one.
            3 | 19 | 22 | 23 => {
                out.push_str(&format!("{}\n", u32_at(set, at).unwrap_or(0)));
                at += 4;
            }
            5 => {
                let raw = set.get(at..at.saturating_add(8)).and_then(|raw| raw.try_into().ok());
                out.push_str(&raw.map_or(String::new(), |raw| format!("{}\n", f64::from_le_bytes(raw))));
                at += 8;
            }
            _ => return,
        }
    }
}

fn known(id: u32, summary: bool) -> &'static str {
    match (summary, id) {
        (true, 2) => "title",
        (true, 3) => "subject",
        (true, 4) => "creator",
        (true, 5) => "keywords",
        (true, 6) => "description",
        (true, 7) => "template",
        (true, 8) => "lastModifiedBy",
        (false, 2) => "category",
        (false, 14) => "manager",
        (false, 15) => "company",
        _ => "other",
    }
}
