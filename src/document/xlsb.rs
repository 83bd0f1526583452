//! Excel's binary workbooks ([MS-XLSB]): the parts of a package that are no XML. Cells as their format shows them; whatever else
//! stands in the parts is looked at for readable runs. Nothing of it is ever written back.

use super::cfb::cells::{Sheet, Style, number, rk};
use super::{doubt, office, strings};
use crate::content::{Budget, Child, Content, SourceMap, Spent, View};
use crate::types::{Concealed, DoubtKind, Location, OfficePlace, PartPath};
use std::collections::HashMap;

/// More columns than Excel has.
const WIDEST: u32 = 16_384;

/// Reads the binary parts, when the package is a binary workbook; they are children no longer then.
pub(super) fn read(content: &mut Content<'_>, budget: &mut Budget) {
    let workbook = |child: &Child<'_>| lower(child) == "xl/workbook.bin" && !child.alternative;
    if !content.children.iter().any(workbook) {
        return;
    }
    let ours = |child: &Child<'_>| {
        let name = lower(child);
        name.starts_with("xl/") && name.ends_with(".bin") && !child.alternative && !child.bytes.starts_with(b"\xd0\xcf")
    };
    let (parts, left): (Vec<_>, Vec<_>) = std::mem::take(&mut content.children).into_iter().partition(ours);
    content.children = left;
    if let Err(spent) = all(&parts, content, budget) {
        content.doubts.push(doubt(spent.doubt(), spent.to_string()));
    }
    content.absorbed.extend(parts);
}

fn lower(child: &Child<'_>) -> String {
    child.hint.name.as_deref().unwrap_or_default().to_ascii_lowercase()
}

/// What the sheets need of the other parts.
#[derive(Default)]
struct Book {
    shared: Vec<String>,
    formats: HashMap<u16, String>,
    white: Vec<bool>,
    styles: Vec<Style>,
    date_1904: bool,
    /// Relation, name, state.
    sheets: Vec<(String, String, Concealed)>,
}

fn all(parts: &[Child<'_>], content: &mut Content<'_>, budget: &mut Budget) -> Result<(), Spent> {
    let relations = relations(content);
    let mut book = Book::default();
    for part in parts.iter().filter(|part| !is_sheet(part)) {
        book.learn(part, content, budget)?;
    }
    for part in parts.iter().filter(|part| is_sheet(part)) {
        book.sheet(part, &relations, content, budget)?;
    }
    let names: Vec<&str> = book.sheets.iter().map(|(_, name, _)| name.as_str()).collect();
    push(content, OfficePlace::SheetName, names.join("\n"));
    for part in parts {
        strings::add(content, &part.bytes, PartPath::default());
    }
    Ok(())
}

fn is_sheet(part: &Child<'_>) -> bool {
    const BEGIN_SHEET: [u8; 2] = [0x81, 0x01];
    part.bytes.starts_with(&BEGIN_SHEET)
}

/// Targets of the workbook's relations, without their folder.
fn relations(content: &Content<'_>) -> HashMap<String, String> {
    let named = |child: &&Child<'_>| lower(child) == "xl/_rels/workbook.bin.rels";
    let part = content.absorbed.iter().chain(&content.children).find(named);
    let text = part
        .map(|part| String::from_utf8_lossy(&part.bytes).into_owned())
        .unwrap_or_default();
    let value = |tag: &str, name: &str| {
        let (_, rest) = tag.split_once(&format!(" {name}=\""))?;
        rest.split_once('"').map(|(value, _)| value.to_owned())
    };
    let tags = text.split("<Relationship ").map(|tag| format!(" {tag}"));
    tags.filter_map(|tag| Some((value(&tag, "Id")?, value(&tag, "Target")?)))
        .map(|(id, target)| (id, target.rsplit('/').next().unwrap_or_default().to_ascii_lowercase()))
        .collect()
}

fn push(content: &mut Content<'_>, place: OfficePlace, text: String) {
    if !text.is_empty() {
        content.views.push(View {
            hidden: place.is_hidden(),
            location: Location::Office(place),
            fake_redaction: false,
            text,
            map: SourceMap::default(),
            part: PartPath::default(),
            spots: Vec::new(),
            guess: false,
        });
    }
}

/// Records of a part: number, data.
struct Records<'t> {
    bytes: &'t [u8],
    at: usize,
}

impl<'t> Records<'t> {
    fn varying(&mut self, most: u32) -> Option<usize> {
        let mut value = 0;
        for i in 0..most {
            let byte = *self.bytes.get(self.at)?;
            self.at += 1;
            value |= usize::from(byte & 0x7f) << (7 * i);
            if byte & 0x80 == 0 {
                break;
            }
        }
        Some(value)
    }
}

impl<'t> Iterator for Records<'t> {
    type Item = (usize, &'t [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let id = self.varying(2)?;
        let len = self.varying(4)?;
        let end = self.at.saturating_add(len).min(self.bytes.len());
        let data = self.bytes.get(self.at..end)?;
        self.at = end;
        Some((id, data))
    }
}

fn u16_at(data: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(data.get(at..at + 2)?.try_into().ok()?))
}

fn u32_at(data: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(data.get(at..at + 4)?.try_into().ok()?))
}

/// A string with its length before it, and where it ends.
fn text(data: &[u8], at: usize) -> Option<(String, usize)> {
    let len = u32_at(data, at)? as usize;
    let end = (at + 4).checked_add(len.checked_mul(2)?)?;
    let units = data.get(at + 4..end)?.chunks_exact(2);
    let units = units.map(|pair| u16::from_le_bytes([pair[0], pair[1]]));
    let text = char::decode_utf16(units).map(|c| c.unwrap_or('\u{fffd}')).collect();
    Some((text, end))
}

impl Book {
    fn learn(&mut self, part: &Child<'_>, content: &mut Content<'_>, budget: &mut Budget) -> Result<(), Spent> {
        let mut cells = false;
        let (mut notes, mut names) = (String::new(), String::new());
        for (id, data) in (Records {
            bytes: &part.bytes,
            at: 0,
        }) {
            budget.in_time()?;
            match id {
                19 => self
                    .shared
                    .push(text(data, 1).map(|(text, _)| text).unwrap_or_default()),
                43 => self.white.push(data.get(16..19) == Some(&[0xff; 3])),
                44 => {
                    if let (Some(id), Some((code, _))) = (u16_at(data, 0), text(data, 2)) {
                        self.formats.insert(id, code);
                    }
                }
                617 | 618 => cells = id == 617,
                47 if cells => {
                    let font = usize::from(u16_at(data, 4).unwrap_or(0));
                    self.styles.push(Style {
                        format: u16_at(data, 2).unwrap_or(0),
                        unseen: self.white.get(font).copied().unwrap_or(false) && u16_at(data, 6) == Some(0),
                    });
                }
                153 => self.date_1904 = data.first().is_some_and(|flags| flags & 1 == 1),
                156 => {
                    let concealed = if u32_at(data, 0) == Some(0) {
                        Concealed::No
                    } else {
                        Concealed::Sheet
                    };
                    let relation = text(data, 8);
                    let name = relation.as_ref().and_then(|(_, end)| text(data, *end));
                    if let (Some((relation, _)), Some((name, _))) = (relation, name) {
                        self.sheets.push((relation, name, concealed));
                    }
                }
                39 => names.push_str(&strings::lines(data)),
                637 => notes.extend(text(data, 1).map(|(text, _)| text + "\n")),
                _ => {}
            }
        }
        push(content, OfficePlace::DefinedName, names);
        push(content, OfficePlace::Comment, notes);
        Ok(())
    }

    fn sheet(
        &self,
        part: &Child<'_>,
        relations: &HashMap<String, String>,
        content: &mut Content<'_>,
        budget: &mut Budget,
    ) -> Result<(), Spent> {
        let file = lower(part).rsplit('/').next().unwrap_or_default().to_owned();
        let known = self
            .sheets
            .iter()
            .find(|(relation, _, _)| relations.get(relation) == Some(&file));
        let (name, concealed) = known.map_or((file.as_str(), Concealed::No), |(_, name, state)| {
            (name.as_str(), *state)
        });
        let mut sheet = Sheet::new(name, concealed);
        let (mut row, mut column) = (0, u32::MAX);
        let mut whole = false;
        for (id, data) in (Records {
            bytes: &part.bytes,
            at: 0,
        }) {
            budget.in_time()?;
            match id {
                0 => {
                    row = u32_at(data, 0).unwrap_or(row);
                    column = u32::MAX;
                    if data.get(11).is_some_and(|flags| flags & 0x10 != 0) {
                        sheet.hidden_rows.insert(row);
                    }
                }
                60 => {
                    let (first, last) = (u32_at(data, 0).unwrap_or(1), u32_at(data, 4).unwrap_or(0));
                    if u16_at(data, 16).is_some_and(|flags| flags & 1 == 1) {
                        sheet.hidden_columns.extend(first..=last.min(WIDEST));
                    }
                }
                1..=11 | 62 => {
                    column = u32_at(data, 0).unwrap_or(column);
                    if matches!(id, 2 | 5..=9 | 62) {
                        self.cell(id, data, row, &mut sheet);
                    }
                }
                // The same cells in short: in the column behind the one before, which is not said (BrtShortBlank to BrtShortIsst).
                12..=18 => {
                    column = column.wrapping_add(1);
                    if let Some(long) = [2, 0, 0, 5, 6, 7].get(id.wrapping_sub(13)).filter(|long| **long > 0) {
                        let data = [&column.to_le_bytes(), data].concat();
                        self.cell(*long, &data, row, &mut sheet);
                    }
                }
                130 => whole = true,
                _ => {}
            }
            budget.produce(std::mem::take(&mut sheet.grown))?;
        }
        if !whole {
            let reason = "a sheet is damaged or cut short";
            content.doubts.push(doubt(DoubtKind::Broken, reason));
        }
        sheet.view(content);
        Ok(())
    }

    fn cell(&self, id: usize, data: &[u8], row: u32, sheet: &mut Sheet) {
        let column = u32_at(data, 0).unwrap_or(0);
        let style = u32_at(data, 4).map_or(0, |style| style & 0xff_ffff) as usize;
        let style = self.styles.get(style);
        let unseen = style.is_some_and(|style| style.unseen);
        let written = match id {
            2 => u32_at(data, 8).map(rk),
            5 | 9 => number(data, 8),
            _ => None,
        };
        if let Some(value) = written {
            let format = style.map_or(0, |style| style.format);
            let code = self.formats.get(&format).map(String::as_str);
            let shown = office::as_shown(code, u32::from(format), &value, self.date_1904);
            let unseen = unseen || shown.is_none();
            sheet.put_number(row, column, shown.unwrap_or(value), unseen);
        }
        let string = match id {
            6 | 8 => text(data, 8).map(|(text, _)| text),
            62 => text(data, 9).map(|(text, _)| text),
            7 => u32_at(data, 8).and_then(|index| self.shared.get(index as usize).cloned()),
            _ => None,
        };
        if let Some(string) = string {
            sheet.put(row, column, string, unseen);
        }
        if matches!(id, 8 | 9) {
            let texts = strings::lines(data);
            if !texts.is_empty() {
                sheet.formulas.push((row, column, texts));
            }
        }
    }
}
