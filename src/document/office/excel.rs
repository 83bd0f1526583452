//! The parts of a workbook that must be read together: sheets, what they share, and the copies of their data.

use super::attributes::{self, loose};
use super::covers;
use super::format::Shown;
use super::gather::Sheaf;
use super::package::Relations;
use super::pivot;
use super::sheet;
use super::workbook::Workbook;
use super::xml::{Event, Events, Faults, Part};
use crate::content::{Budget, Spent};
use crate::types::{Concealed, Location, OfficePlace};
use std::collections::HashSet;

/// Reads what belongs to sheets; gives the names of the parts that need no other reader.
pub(super) fn read<'t>(
    parts: &[Part<'t>],
    roots: &[&str],
    relations: &Relations,
    shown: &mut Shown,
    sheaf: &mut Sheaf,
    faults: &mut Faults,
    budget: &mut Budget,
) -> Result<HashSet<&'t str>, Spent> {
    let mut workbook = Workbook::default();
    let mut done = HashSet::new();
    for (part, root) in parts.iter().zip(roots) {
        match *root {
            "sst" => {
                workbook.read_strings(part, budget)?;
                done.insert(part.name);
            }
            "styleSheet" => workbook.read_styles(part, budget)?,
            "workbook" => workbook.read_sheets(part, |id| relations.by_id(part.name, id), budget)?,
            _ => {}
        }
    }
    // Visible sheets first: a string that both kinds show is told where people see it.
    for away in [false, true] {
        for (part, root) in parts.iter().zip(roots) {
            let concealed = workbook.sheets.get(part.name).is_some_and(|(_, c)| *c != Concealed::No);
            if matches!(*root, "worksheet" | "dialogsheet" | "macrosheet" | "chartsheet") && concealed == away {
                let drawing = relations.by_type(part.name, "/drawing");
                let drawing = drawing.and_then(|path| parts.iter().find(|part| part.name == path));
                let covered = drawing.map_or_else(|| Ok(Vec::new()), |drawing| covers::cells(drawing.text, budget))?;
                faults.join(sheet::read(part, &mut workbook, covered, shown, sheaf, budget)?);
                done.insert(part.name);
            }
        }
    }
    unused(parts, roots, &workbook, sheaf, faults, budget)?;
    for (part, root) in parts.iter().zip(roots) {
        match *root {
            "pivotCacheDefinition" => faults.join(pivot::definition(part, shown, sheaf, budget)?),
            "pivotCacheRecords" => {
                let names = pivot::fields(parts, part, relations, budget)?;
                faults.join(pivot::records(part, &names, shown, sheaf, budget)?);
            }
            _ => continue,
        }
        done.insert(part.name);
    }
    Ok(done)
}

/// Shared strings that no cell shows, and what else the part says.
fn unused(
    parts: &[Part<'_>],
    roots: &[&str],
    workbook: &Workbook<'_>,
    sheaf: &mut Sheaf,
    faults: &mut Faults,
    budget: &mut Budget,
) -> Result<(), Spent> {
    let Some((part, _)) = parts.iter().zip(roots).find(|(_, root)| **root == "sst") else {
        return Ok(());
    };
    for index in (0..workbook.len()).filter(|i| workbook.used.get(*i) == Some(&false)) {
        let text = sheaf.office(part.number, OfficePlace::Data);
        text.line(workbook.string(index), |_| true);
        text.wall();
    }
    let mut events = Events::of(part.text);
    while let Some(event) = events.next(budget)? {
        match event {
            Event::Start(tag) => attributes::read(part, &tag, &OfficePlace::Data, sheaf),
            Event::Text(range, raw) if events.parent(1) != "t" => {
                loose(
                    part,
                    range,
                    raw,
                    &Location::Office(OfficePlace::Data),
                    true,
                    None,
                    sheaf,
                );
            }
            Event::Aside(range) => loose(part, range, true, &Location::HiddenText, true, None, sheaf),
            _ => {}
        }
    }
    faults.join(events.faults);
    sheaf.book(budget)
}
