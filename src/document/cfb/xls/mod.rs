//! Excel's binary format ([MS-XLS], BIFF5 and BIFF8): cells as their format shows them, notes, names, charts, hidden sheets.

pub(in crate::document) mod cells;
mod record;

use super::file::{Compound, Entry, u16_at, u32_at};
use crate::content::{Budget, Content, SourceMap, Spent, View};
use crate::document::{doubt, strings};
use crate::types::{Concealed, DoubtKind, Location, OfficePlace, PartPath};
use cells::{Sheet, Style, number, rk};
use record::{Record, Records, Text};
use std::collections::HashMap;

/// More columns than this format has.
const WIDEST: u32 = 1024;

/// Workbook globals and what is gathered outside of cells.
#[derive(Default)]
struct Book {
    old: bool,
    date_1904: bool,
    shared: Vec<String>,
    formats: HashMap<u16, String>,
    /// White.
    fonts: Vec<bool>,
    styles: Vec<Style>,
    /// Where a sheet begins, its name, its state.
    sheets: Vec<(usize, String, Concealed)>,
    beside: Vec<(OfficePlace, String)>,
    /// The drawing object in hand is a note.
    note: bool,
    /// The cell whose formula waits for its text.
    waiting: Option<(u32, u32)>,
}

/// Reads the stream of a workbook.
pub(super) fn read(bytes: &[u8], content: &mut Content<'_>, budget: &mut Budget) -> Result<(), Spent> {
    let mut book = Book::default();
    let mut sheet: Option<Sheet> = None;
    let mut depth = 0usize;
    for record in Records::of(bytes) {
        budget.in_time()?;
        match record.id {
            0x2f => {
                let reason = "the workbook is encrypted";
                content.doubts.push(doubt(DoubtKind::Encrypted, reason));
                return Ok(());
            }
            0x809 | 0x409 | 0x209 | 0x009 => {
                if depth == 0 {
                    book.old = u16_at(record.data(), 0).is_some_and(|version| version < 0x600);
                    let known = book.sheets.iter().find(|(at, _, _)| *at == record.at);
                    sheet = known.map(|(_, name, concealed)| Sheet::new(name, *concealed));
                }
                depth += 1;
            }
            0x0a => {
                depth = depth.saturating_sub(1);
                if depth == 0
                    && let Some(sheet) = sheet.take()
                {
                    book.notes_on(content, &sheet);
                    sheet.view(content);
                }
            }
            _ => match sheet.as_mut().filter(|_| depth == 1) {
                Some(sheet) => {
                    book.in_sheet(&record, sheet);
                    budget.produce(std::mem::take(&mut sheet.grown))?;
                }
                None => book.global(&record, depth > 1 || sheet.is_some()),
            },
        }
    }
    if let Some(sheet) = sheet.take() {
        sheet.view(content);
        let reason = "the workbook ends within a sheet";
        content.doubts.push(doubt(DoubtKind::Broken, reason));
    }
    for text in &book.shared {
        budget.produce(text.len() as u64)?;
    }
    // Shared strings that no cell shows are left over.
    let all = book.shared.join("\n");
    push(content, Location::Source, true, all);
    let names: Vec<&str> = book.sheets.iter().map(|(_, name, _)| name.as_str()).collect();
    push(
        content,
        Location::Office(OfficePlace::SheetName),
        false,
        names.join("\n"),
    );
    book.beside(content);
    Ok(())
}

/// The caches of pivot tables, a stream each.
pub(super) fn pivots(file: &mut Compound<'_>, content: &mut Content<'_>, budget: &mut Budget) -> Result<(), Spent> {
    let Some(storage) = file.find(0, "_SX_DB_CUR") else {
        return Ok(());
    };
    for index in file.within(storage) {
        if !file.entries.get(index).is_some_and(Entry::is_stream) {
            continue;
        }
        let bytes = file.stream(index, budget)?;
        let mut lines = String::new();
        for record in Records::of(&bytes) {
            let line = match record.id {
                0xcd => record.text(0, false).unwrap_or_default(),
                0xc9 => number(record.data(), 0).unwrap_or_default(),
                _ => continue,
            };
            lines.push_str(&line);
            lines.push('\n');
        }
        push(content, Location::Office(OfficePlace::PivotCache), true, lines);
    }
    Ok(())
}

fn push(content: &mut Content<'_>, location: Location, hidden: bool, text: String) {
    if !text.is_empty() {
        content.views.push(View {
            location,
            hidden,
            fake_redaction: false,
            text,
            map: SourceMap::default(),
            part: PartPath::default(),
            spots: Vec::new(),
            guess: false,
        });
    }
}

impl Book {
    /// Records before the sheets, and of charts within them.
    fn global(&mut self, record: &Record<'_>, chart: bool) {
        let data = record.data();
        match record.id {
            0x85 => {
                let state = data.get(4).copied().unwrap_or(0) & 3;
                let concealed = if state == 0 { Concealed::No } else { Concealed::Sheet };
                let name = record.short_text(6, self.old).unwrap_or_default();
                self.sheets
                    .push((u32_at(data, 0).unwrap_or(0) as usize, name, concealed));
            }
            0xfc => self.shared = shared(record),
            0x41e => {
                if let (Some(id), Some(code)) = (u16_at(data, 0), record.text(2, self.old)) {
                    self.formats.insert(id, code);
                }
            }
            0x31 => self.fonts.push(matches!(u16_at(data, 4), Some(1 | 9))),
            0xe0 => {
                let style = self.style(data);
                self.styles.push(style);
            }
            0x22 => self.date_1904 = u16_at(data, 0) == Some(1),
            0x18 => {
                let len = data.get(3).copied().unwrap_or(0);
                let name = record.characters(14, usize::from(len), self.old);
                self.say(OfficePlace::DefinedName, name);
                self.say(OfficePlace::DefinedName, Some(strings::lines(data)));
            }
            0x1ae | 0x23 => self.say(OfficePlace::External, record.text(2, self.old)),
            0x5a => self.say(OfficePlace::External, Some(external(record))),
            0x100d if chart => self.say(OfficePlace::Chart, record.short_text(2, self.old)),
            0x203 if chart => self.say(OfficePlace::Chart, number(data, 6)),
            0x204 if chart => self.say(OfficePlace::Chart, record.text(6, self.old)),
            _ => self.drawing(record),
        }
    }

    fn style(&self, data: &[u8]) -> Style {
        let font = usize::from(u16_at(data, 0).unwrap_or(0));
        // There is no font 4.
        let white = self
            .fonts
            .get(if font > 4 { font - 1 } else { font })
            .copied()
            .unwrap_or(false);
        let filled = u32_at(data, 14).is_some_and(|border| border >> 26 != 0);
        Style {
            format: u16_at(data, 2).unwrap_or(0),
            unseen: white && !filled && !self.old,
        }
    }

    fn say(&mut self, place: OfficePlace, text: Option<String>) {
        if let Some(text) = text.filter(|text| !text.is_empty()) {
            self.beside.push((place, text));
        }
    }

    /// Text boxes and notes.
    fn drawing(&mut self, record: &Record<'_>) {
        const NOTE: u16 = 0x19;
        match record.id {
            0x5d => self.note = u16_at(record.data(), 4) == Some(NOTE),
            0x1b6 => {
                let place = if self.note {
                    OfficePlace::Comment
                } else {
                    OfficePlace::TextBox
                };
                let len = usize::from(u16_at(record.data(), 10).unwrap_or(0));
                let text = record.later().and_then(|mut text| text.characters(len));
                self.say(place, text);
            }
            _ => {}
        }
    }

    fn in_sheet(&mut self, record: &Record<'_>, sheet: &mut Sheet) {
        let data = record.data();
        let place = || Some((u32::from(u16_at(data, 0)?), u32::from(u16_at(data, 2)?)));
        let (row, column) = place().unwrap_or_default();
        let style = usize::from(u16_at(data, 4).unwrap_or(0));
        match record.id {
            0xfd => {
                let index = u32_at(data, 6).unwrap_or(u32::MAX) as usize;
                let text = self.shared.get(index).cloned().unwrap_or_default();
                self.cell(sheet, row, column, style, text);
            }
            0x203 => self.value(sheet, row, column, style, number(data, 6)),
            0x27e => self.value(sheet, row, column, style, u32_at(data, 6).map(rk)),
            0xbd => {
                for i in 0..data.len().saturating_sub(6) / 6 {
                    let style = usize::from(u16_at(data, 4 + 6 * i).unwrap_or(0));
                    let value = u32_at(data, 6 + 6 * i).map(rk);
                    self.value(sheet, row, column + i as u32, style, value);
                }
            }
            0x06 | 0x406 => {
                // Texts within the formula itself.
                let texts = strings::lines(data.get(20..).unwrap_or_default());
                if !texts.is_empty() {
                    sheet.formulas.push((row, column, texts));
                }
                // Not a number: the text follows in a record of its own.
                if u16_at(data, 12) == Some(0xffff) {
                    self.waiting = Some((row, column));
                } else {
                    self.value(sheet, row, column, style, number(data, 6));
                }
            }
            0x207 => {
                if let (Some((row, column)), Some(text)) = (self.waiting.take(), record.text(0, self.old)) {
                    self.cell(sheet, row, column, 0, text);
                }
            }
            0x204 | 0xd6 => {
                let text = record.text(6, self.old).unwrap_or_default();
                self.cell(sheet, row, column, style, text);
            }
            0x7d => {
                if u16_at(data, 8).is_some_and(|flags| flags & 1 == 1) {
                    sheet.hidden_columns.extend(row..=column.min(WIDEST));
                }
            }
            0x208 => {
                if u16_at(data, 12).is_some_and(|flags| flags & 0x20 != 0) {
                    sheet.hidden_rows.insert(row);
                }
            }
            0x14 => self.say(OfficePlace::PageHeader, record.text(0, self.old)),
            0x15 => self.say(OfficePlace::PageFooter, record.text(0, self.old)),
            0x1c => self.say(OfficePlace::Author, record.text(8, self.old)),
            0x1be => {
                let mut text = Text::over(record, 4);
                for _ in 0..4 {
                    let line = text.sized(2, self.old);
                    self.say(OfficePlace::Validation, line);
                }
                self.say(OfficePlace::Validation, Some(strings::lines(data)));
            }
            // Conditional formats and filters.
            0x1b1 | 0x9e | 0x87a => self.say(OfficePlace::Validation, Some(strings::lines(data))),
            0x1b8 | 0x800 => self.say(OfficePlace::Link, Some(strings::lines(data))),
            _ => self.drawing(record),
        }
    }

    fn value(&self, sheet: &mut Sheet, row: u32, column: u32, style: usize, value: Option<String>) {
        let Some(value) = value else {
            return;
        };
        let format = self.styles.get(style).map_or(0, |style| style.format);
        let code = self.formats.get(&format).map(String::as_str);
        let shown = crate::document::office::as_shown(code, u32::from(format), &value, self.date_1904);
        let unseen = self.styles.get(style).is_some_and(|style| style.unseen) || shown.is_none();
        sheet.put_number(row, column, shown.unwrap_or(value), unseen);
    }

    fn cell(&self, sheet: &mut Sheet, row: u32, column: u32, style: usize, text: String) {
        let unseen = self.styles.get(style).is_some_and(|style| style.unseen);
        sheet.put(row, column, text, unseen);
    }

    fn notes_on(&mut self, content: &mut Content<'_>, sheet: &Sheet) {
        if sheet.concealed == Concealed::No {
            self.beside(content);
        }
    }

    /// What stands beside the cells, each place a view, each text a line.
    fn beside(&mut self, content: &mut Content<'_>) {
        let mut places: Vec<(OfficePlace, String)> = Vec::new();
        for (place, text) in std::mem::take(&mut self.beside) {
            match places.iter_mut().find(|(known, _)| *known == place) {
                Some((_, lines)) => {
                    lines.push('\n');
                    lines.push_str(&text);
                }
                None => places.push((place, text)),
            }
        }
        for (place, text) in places {
            push(content, Location::Office(place.clone()), place.is_hidden(), text);
        }
    }
}

/// The shared string table.
fn shared(record: &Record<'_>) -> Vec<String> {
    let count = u32_at(record.data(), 4).unwrap_or(0);
    let mut text = Text::over(record, 8);
    let mut out = Vec::new();
    while out.len() < count as usize {
        match text.sized(2, false) {
            Some(string) => out.push(string),
            None => break,
        }
    }
    out
}

/// Cells of other workbooks, as last seen.
fn external(record: &Record<'_>) -> String {
    let mut text = Text::over(record, 4);
    let mut out = String::new();
    while let Some(kind) = text.byte() {
        let value = match kind {
            1 => text.take(8).and_then(|raw| number(&raw, 0)),
            2 => text.sized(2, false),
            _ => text.take(8).map(|_| String::new()),
        };
        let Some(value) = value else {
            break;
        };
        out.push_str(&value);
        out.push('\n');
    }
    out
}
