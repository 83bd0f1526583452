//! Worksheets of OOXML: rows as lines, cells as columns with tabs between them, numbers as their format shows them.

use super::attributes::{self, loose};
use super::covers::Cells;
use super::format::{Format, Shown, guessed, remember};
use super::gather::{CELL_BREAK, Piece, Sheaf, Text, What};
use super::workbook::{Style, Workbook, cell_pieces};
use super::xml::{Event, Events, Faults, Part, Tag};
use crate::content::{Budget, Spent, Spot};
use crate::types::{Concealed, Location, OfficePlace};
use std::collections::HashMap;
use std::ops::Range;

/// Columns laid out one by one; further ones follow each other.
const WIDEST: u32 = 64;

/// Rows about this long and longer are not counted in columns by the detector.
const LONG_ROW: usize = 900;
/// Columns whose headings are kept.
const MOST_HEADINGS: u32 = 1024;

/// Reads one sheet.
///
/// # Errors
/// The limit that is over; what was read until then is in the sheaf.
pub(super) fn read<'t>(
    part: &Part<'t>,
    workbook: &mut Workbook<'t>,
    under: Vec<Cells>,
    shown: &mut Shown,
    sheaf: &mut Sheaf,
    budget: &mut Budget,
) -> Result<Faults, Spent> {
    let fallback = || {
        (
            part.name.rsplit('/').next().unwrap_or_default().to_owned(),
            Concealed::No,
        )
    };
    let (name, concealed) = workbook.sheets.get(part.name).cloned().unwrap_or_else(fallback);
    let mut walk = Walk {
        part,
        workbook,
        under,
        shown,
        name,
        sheet: concealed,
        hidden_columns: Hidden::default(),
        row: 0,
        column: 0,
        width: 0,
        row_hidden: false,
        cell: Cell::default(),
        rows: Text::default(),
        covered: Text::default(),
        guesses: Text::default(),
        headings: HashMap::new(),
        headed: false,
        headed_cells: Text::default(),
        row_start: 0,
        longest: 0,
        written: 0,
        booked: 0,
    };
    let mut events = Events::of(part.text);
    let outcome = loop {
        match events.next(budget) {
            Ok(Some(event)) => {
                if let Err(spent) = walk.event(event, &events, sheaf, budget) {
                    break Err(spent);
                }
            }
            Ok(None) => break Ok(events.faults),
            Err(spent) => break Err(spent),
        }
    };
    let Walk {
        rows,
        covered,
        guesses,
        headed_cells,
        name,
        sheet,
        ..
    } = walk;
    let location = Location::Office(OfficePlace::Sheet(sheet, name));
    *sheaf.at(part.number, location.clone(), sheet != Concealed::No, false) = rows;
    *sheaf.at(part.number, location.clone(), true, true) = covered;
    sheaf.again(location.clone(), sheet != Concealed::No, headed_cells);
    sheaf.guess(location, guesses);
    sheaf.book(budget)?;
    outcome
}

/// Which columns are hidden; no sheet has more than 16,384.
#[derive(Default)]
pub(super) struct Hidden {
    columns: Vec<bool>,
    ranges: u32,
}

impl Hidden {
    const MOST: u32 = 16_384;

    pub fn add(&mut self, columns: Range<u32>) {
        // As many ranges as columns say everything.
        self.ranges = self.ranges.saturating_add(1);
        if self.ranges > Hidden::MOST {
            return;
        }
        let end = columns.end.min(Hidden::MOST) as usize;
        if self.columns.len() < end {
            self.columns.resize(end, false);
        }
        let range = columns.start.min(Hidden::MOST) as usize..end;
        self.columns.get_mut(range).unwrap_or_default().fill(true);
    }

    pub fn contains(&self, column: u32) -> bool {
        self.columns.get(column as usize) == Some(&true)
    }
}

/// The cell in hand.
#[derive(Default)]
struct Cell<'t> {
    open: bool,
    kind: &'t str,
    style: usize,
    pieces: Vec<Piece<'t>>,
    value: Option<Range<usize>>,
}

struct Walk<'w, 't> {
    part: &'w Part<'t>,
    workbook: &'w mut Workbook<'t>,
    /// Cells that a drawing covers.
    under: Vec<Cells>,
    shown: &'w mut Shown,
    name: String,
    sheet: Concealed,
    hidden_columns: Hidden,
    row: u32,
    column: u32,
    /// Columns of the widest row so far: shorter ones are filled up, so that columns can be counted.
    width: u32,
    row_hidden: bool,
    cell: Cell<'t>,
    rows: Text,
    covered: Text,
    guesses: Text,
    /// Headings by column, once their row is done.
    headings: HashMap<u32, String>,
    headed: bool,
    headed_cells: Text,
    row_start: usize,
    longest: usize,
    /// Columns written of the row in hand.
    written: u32,
    booked: usize,
}

impl<'t> Walk<'_, 't> {
    fn event(
        &mut self,
        event: Event<'t>,
        events: &Events<'t>,
        sheaf: &mut Sheaf,
        budget: &mut Budget,
    ) -> Result<(), Spent> {
        match event {
            Event::Start(tag) => self.start(&tag, sheaf),
            Event::End("c") => self.end_cell(),
            Event::End("row") => {
                self.end_row();
                // Strings are used again and again: what is written counts, not what stands in the file.
                let fresh = self.rows.text.len().saturating_sub(self.booked);
                if fresh > 1 << 20 {
                    self.booked = self.rows.text.len();
                    budget.produce(fresh as u64)?;
                }
            }
            Event::End(_) => {}
            Event::Text(range, raw) => self.text(range, raw, events, sheaf),
            Event::Aside(range) => loose(self.part, range, true, &Location::HiddenText, true, None, sheaf),
        }
        Ok(())
    }

    fn start(&mut self, tag: &Tag<'t>, sheaf: &mut Sheaf) {
        match tag.name {
            "col" => {
                let thin = tag
                    .get("width")
                    .and_then(|w| w.parse::<f32>().ok())
                    .is_some_and(|w| w < 0.1);
                if tag.yes("hidden") || thin {
                    let (from, to) = (tag.number("min").unwrap_or(1), tag.number("max").unwrap_or(1));
                    self.hidden_columns.add(from.saturating_sub(1)..to);
                }
            }
            "row" => {
                // Without a number it is the next one.
                self.row = tag.number("r").map_or(self.row, |r| r.saturating_sub(1));
                let flat = tag
                    .get("ht")
                    .and_then(|ht| ht.parse::<f32>().ok())
                    .is_some_and(|ht| ht < 0.1);
                self.row_hidden = tag.yes("hidden") || flat;
                self.column = 0;
                self.written = 0;
            }
            "c" => {
                if let Some((column, row)) = tag.get("r").and_then(reference) {
                    self.column = column;
                    self.row = row;
                }
                self.cell.open = true;
                self.cell.kind = tag.get("t").unwrap_or("n");
                self.cell.style = tag.number("s").unwrap_or(0) as usize;
                self.cell.pieces.clear();
                self.cell.value = None;
            }
            "r" | "t" | "v" | "f" | "is" | "rPr" | "rPh" if self.cell.open => {}
            _ => attributes::read(self.part, tag, &OfficePlace::Validation, sheaf),
        }
    }

    fn text(&mut self, range: Range<usize>, raw: bool, events: &Events<'t>, sheaf: &mut Sheaf) {
        use OfficePlace as P;
        let place = match events.parent(1) {
            "v" if self.cell.open => {
                self.cell.value = Some(range);
                return;
            }
            "t" if self.cell.open => {
                if events.parent(2) == "rPh" {
                    self.cell.pieces.push(Piece {
                        what: What::Gap(CELL_BREAK),
                        marks: 0,
                    });
                }
                return cell_pieces(self.part, range, raw, &mut self.cell.pieces);
            }
            "f" if self.cell.open => return self.formula(range, raw, sheaf),
            "oddHeader" | "evenHeader" | "firstHeader" => P::PageHeader,
            "oddFooter" | "evenFooter" | "firstFooter" => P::PageFooter,
            "formula" | "formula1" | "formula2" | "f" | "sqref" => P::Validation,
            _ => P::Sheet(self.sheet, self.name.clone()),
        };
        let hidden = place.is_hidden();
        loose(self.part, range, raw, &Location::Office(place), hidden, None, sheaf);
    }

    fn formula(&mut self, range: Range<usize>, raw: bool, sheaf: &mut Sheaf) {
        let formula = self.part.text.get(range.clone()).unwrap_or_default();
        // No identifier in so few characters, nor in references alone.
        if formula.len() < 6 {
            return;
        }
        let mut found = Vec::new();
        cell_pieces(self.part, range, raw, &mut found);
        let sheet = self.name.clone();
        let place = OfficePlace::Formula {
            sheet,
            cell: String::new(),
        };
        let text = sheaf.office(self.part.number, place);
        let spot = Spot::Cell {
            row: self.row,
            column: self.column,
            concealed: self.sheet,
        };
        for line in [Some(found.clone()), joined(&found)].into_iter().flatten() {
            text.spots.push((text.text.len(), spot));
            text.line(&line, |_| true);
            text.wall();
        }
    }

    fn end_cell(&mut self) {
        let cell = std::mem::take(&mut self.cell);
        let style = self.workbook.styles.get(cell.style).cloned().unwrap_or_default();
        let value = cell.value.as_ref().and_then(|range| self.part.text.get(range.clone()));
        let source = cell.value.as_ref().map_or(0, |range| self.part.base + range.start);
        let mut index = None;
        let mut own: Vec<Piece<'t>> = cell.pieces;
        match (cell.kind, value, &cell.value) {
            ("s", Some(value), _) => index = value.trim().parse::<usize>().ok(),
            ("str" | "e" | "d" | "inlineStr", Some(_), Some(range)) => {
                cell_pieces(self.part, range.clone(), false, &mut own);
            }
            (_, Some(value), _) => {
                let number = style.format.show(value, source, self.workbook.date_1904);
                if style.format.zeros() >= 9 {
                    remember(self.shown, value, &text_of(&number));
                }
                if style.format == Format::General
                    && let Some(guess) = guessed(value, source)
                {
                    self.guesses.spots.push((self.guesses.text.len(), self.spot(&style)));
                    self.guesses.line(&guess, |_| true);
                    self.guesses.wall();
                }
                own.extend(number.into_iter().map(|what| Piece { what, marks: 0 }));
            }
            _ => {}
        }
        if let Some(used) = index.and_then(|index| self.workbook.used.get_mut(index)) {
            *used = true;
        }
        if !own.is_empty() || index.is_some() {
            self.write(&own, index, &style);
        }
        self.column = self.column.saturating_add(1);
    }

    fn write(&mut self, own: &[Piece<'t>], index: Option<usize>, style: &Style) {
        self.pad(self.column);
        let spot = self.spot(style);
        let string = index.map_or(&[][..], |index| self.workbook.string(index));
        let before = self.rows.text.len();
        self.rows.spots.push((before, spot));
        for piece in own.iter().chain(string) {
            self.rows.add(&piece.what);
        }
        if style.covered || self.under.iter().any(|cells| cells.contains(self.column, self.row)) {
            self.covered.spots.push((self.covered.text.len(), spot));
            for piece in own.iter().chain(string) {
                self.covered.add(&piece.what);
            }
            self.covered.wall();
        }
        self.head(before, spot, own, index);
    }

    /// In a row too long to be taken for one of a table, the heading goes with the cell.
    fn head(&mut self, before: usize, spot: Spot, own: &[Piece<'t>], index: Option<usize>) {
        let text = self.rows.text.get(before..).unwrap_or_default();
        let long = self.rows.text.len() - self.row_start > LONG_ROW || self.longest > LONG_ROW;
        if !self.headed {
            if self.column < MOST_HEADINGS && text.chars().any(char::is_alphabetic) {
                let heading: String = text
                    .chars()
                    .filter(|c| !c.is_control() && *c != CELL_BREAK)
                    .take(64)
                    .collect();
                self.headings.insert(self.column, heading);
            }
            return;
        }
        let digits = text.bytes().filter(u8::is_ascii_digit).count();
        let Some(heading) = self
            .headings
            .get(&self.column)
            .filter(|_| long && digits >= 9 && text.len() <= 32)
        else {
            return;
        };
        self.headed_cells.spots.push((self.headed_cells.text.len(), spot));
        for c in heading.chars().filter(|c| !c.is_numeric()).chain([':', ' ']) {
            self.headed_cells.add(&What::Gap(c));
        }
        let string = index.map_or(&[][..], |index| self.workbook.string(index));
        for piece in own.iter().chain(string) {
            self.headed_cells.add(&piece.what);
        }
        self.headed_cells.wall();
    }

    /// Where the cell in hand stands.
    fn spot(&self, style: &Style) -> Spot {
        let concealed = if self.sheet != Concealed::No {
            self.sheet
        } else if self.row_hidden {
            Concealed::Row
        } else if self.hidden_columns.contains(self.column) {
            Concealed::Column
        } else if style.unseen || style.format == Format::Nothing {
            Concealed::Format
        } else {
            Concealed::No
        };
        Spot::Cell {
            row: self.row,
            column: self.column,
            concealed,
        }
    }

    /// Tabs up to a column.
    fn pad(&mut self, column: u32) {
        let wanted = column.min(WIDEST).max(self.written + u32::from(self.written >= WIDEST));
        for _ in self.written..wanted {
            self.rows.add(&What::Gap('\t'));
        }
        self.written = wanted;
    }

    fn end_row(&mut self) {
        let empty = self.rows.text.is_empty() || self.rows.text.ends_with('\n');
        if !empty {
            self.width = self.width.max(self.written);
            self.pad(self.width);
            self.rows.wall();
            self.longest = self.longest.max(self.rows.text.len() - self.row_start);
            // The first row with two texts or more is the row of headings.
            self.headed |= self.headings.len() > 1;
            if !self.headed {
                self.headings.clear();
            }
        }
        self.row_start = self.rows.text.len();
        self.row = self.row.saturating_add(1);
    }
}

/// A formula whose texts are put together (`"010190-"&"1234"`), as the text that they make. `None`: it has no such place.
fn joined<'t>(formula: &[Piece<'t>]) -> Option<Vec<Piece<'t>>> {
    let mut out: Vec<Piece<'t>> = Vec::with_capacity(formula.len());
    let mut any = false;
    let mut rest = formula.iter();
    while let Some(piece) = rest.next() {
        let before = match out.last().map(|last| last.what) {
            Some(What::Plain(text, source)) => text.trim_end().strip_suffix('"').map(|text| (text, source)),
            _ => None,
        };
        let behind = match rest.as_slice().first().map(|next| next.what) {
            Some(What::Plain(text, source)) => text
                .trim_start()
                .strip_prefix('"')
                .map(|inner| (inner, source + text.len() - inner.len())),
            _ => None,
        };
        match (piece.what, before, behind) {
            (What::Unit('&', _, _), Some((text, source)), Some((inner, at))) => {
                let marks = piece.marks;
                out.pop();
                out.push(Piece {
                    what: What::Plain(text, source),
                    marks,
                });
                out.push(Piece {
                    what: What::Plain(inner, at),
                    marks,
                });
                rest.next();
                any = true;
            }
            _ => out.push(*piece),
        }
    }
    any.then_some(out)
}

fn text_of(number: &[What<'_>]) -> String {
    let mut out = Text::default();
    number.iter().for_each(|what| out.add(what));
    out.text
}

/// Column and row of `B7`, from 0.
fn reference(name: &str) -> Option<(u32, u32)> {
    let letters = name.bytes().take_while(u8::is_ascii_alphabetic).count();
    let mut column: u32 = 0;
    for b in name.bytes().take(letters) {
        column = column
            .checked_mul(26)?
            .checked_add(u32::from(b.to_ascii_uppercase() - b'A') + 1)?;
    }
    let row: u32 = name.get(letters..)?.parse().ok()?;
    Some((column.checked_sub(1)?, row.checked_sub(1)?))
}
