//! What pivot tables keep of their source: values in attributes, in one part under the names of their fields, in another row by
//! row.

use super::attributes::{self, loose};
use super::format::{Format, Shown, as_shown};
use super::gather::{Piece, Sheaf, What, pieces};
use super::package::Relations;
use super::xml::{Event, Events, Faults, Part, Tag, decoded};
use crate::content::{Budget, Spent};
use crate::types::{Location, OfficePlace};

/// Reads a definition: the values of each field under its name.
pub(super) fn definition(
    part: &Part<'_>,
    shown: &Shown,
    sheaf: &mut Sheaf,
    budget: &mut Budget,
) -> Result<Faults, Spent> {
    let mut events = Events::of(part.text);
    while let Some(event) = events.next(budget)? {
        let Event::Start(tag) = event else {
            beside(part, event, sheaf);
            continue;
        };
        match tag.name {
            "s" | "n" | "d" | "e" => line(part, value(part, &tag, "v", shown), sheaf),
            "cacheField" => {
                let text = sheaf.office(part.number, OfficePlace::PivotCache);
                text.wall();
                heading(&tag).chars().for_each(|c| text.add(&What::Gap(c)));
                text.add(&What::Gap('\n'));
                attributes::read(part, &tag, &OfficePlace::Data, sheaf);
            }
            "sharedItems" => {
                for bound in ["minValue", "maxValue"] {
                    line(part, value(part, &tag, bound, shown), sheaf);
                }
            }
            _ => attributes::read(part, &tag, &OfficePlace::PivotCache, sheaf),
        }
    }
    sheaf.book(budget)?;
    Ok(events.faults)
}

/// Reads the records, as a table under the names of the fields.
pub(super) fn records(
    part: &Part<'_>,
    names: &str,
    shown: &Shown,
    sheaf: &mut Sheaf,
    budget: &mut Budget,
) -> Result<Faults, Spent> {
    let text = sheaf.office(part.number, OfficePlace::PivotCache);
    names.chars().for_each(|c| text.add(&What::Gap(c)));
    let mut events = Events::of(part.text);
    let mut first = true;
    while let Some(event) = events.next(budget)? {
        match event {
            Event::Start(tag) if tag.name == "r" => first = true,
            Event::Start(tag) if matches!(tag.name, "s" | "n" | "d" | "e" | "b" | "m" | "x") => {
                let text = sheaf.office(part.number, OfficePlace::PivotCache);
                if !std::mem::replace(&mut first, false) {
                    text.add(&What::Gap('\t'));
                }
                // An index into the items of the definition says nothing here.
                if tag.name != "x" {
                    value(part, &tag, "v", shown)
                        .iter()
                        .for_each(|piece| text.add(&piece.what));
                }
            }
            Event::Start(tag) => attributes::read(part, &tag, &OfficePlace::PivotCache, sheaf),
            Event::End("r") => {
                let text = sheaf.office(part.number, OfficePlace::PivotCache);
                text.add(&What::Gap('\n'));
                text.wall();
            }
            other => beside(part, other, sheaf),
        }
    }
    sheaf.book(budget)?;
    Ok(events.faults)
}

/// The names of the fields of the definition that points to these records, as a heading.
pub(super) fn fields(
    parts: &[Part<'_>],
    records: &Part<'_>,
    relations: &Relations,
    budget: &Budget,
) -> Result<String, Spent> {
    let points = |part: &&Part<'_>| relations.by_type(part.name, "/pivotCacheRecords") == Some(records.name);
    let mut names = String::new();
    let Some(part) = parts.iter().find(points) else {
        return Ok(names);
    };
    let mut events = Events::of(part.text);
    while let Some(event) = events.next(budget)? {
        if let Event::Start(tag) = event
            && tag.name == "cacheField"
        {
            names.push_str(if names.is_empty() { "" } else { "\t" });
            names.push_str(&heading(&tag));
        }
    }
    names.push('\n');
    Ok(names)
}

/// A field's name as heading; its own place is read with the attributes.
fn heading(tag: &Tag<'_>) -> String {
    let name = tag.get("name").map(decoded).unwrap_or_default();
    name.chars().filter(|c| !c.is_control() && !c.is_numeric()).collect()
}

fn beside(part: &Part<'_>, event: Event<'_>, sheaf: &mut Sheaf) {
    match event {
        Event::Text(range, raw) => {
            loose(
                part,
                range,
                raw,
                &Location::Office(OfficePlace::PivotCache),
                true,
                None,
                sheaf,
            );
        }
        Event::Aside(range) => loose(part, range, true, &Location::HiddenText, true, None, sheaf),
        Event::Start(_) | Event::End(_) => {}
    }
}

/// A number as the sheets show it, when one of them does; else as it is.
fn value<'t>(part: &Part<'t>, tag: &Tag<'t>, name: &str, shown: &Shown) -> Vec<Piece<'t>> {
    let mut out = Vec::new();
    let Some((value, range)) = tag.get(name).zip(tag.value_of(name)) else {
        return out;
    };
    if tag.name == "n" || name != "v" {
        let source = part.base + range.start;
        match shown.get(value) {
            Some(text) => out = as_shown(text, value, source),
            None => {
                let number = Format::General.show(value, source, false);
                out.extend(number.into_iter().map(|what| Piece { what, marks: 0 }));
            }
        }
    } else {
        pieces(part, range, false, 0, &mut out);
    }
    out
}

fn line(part: &Part<'_>, pieces: Vec<Piece<'_>>, sheaf: &mut Sheaf) {
    if !pieces.is_empty() {
        let text = sheaf.office(part.number, OfficePlace::PivotCache);
        text.line(&pieces, |_| true);
        text.wall();
    }
}
