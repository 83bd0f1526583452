//! Tables of OpenDocument: where a cell stands, what hides it, and the value behind what it shows.

use super::format::{Shown, as_shown, guessed, remember};
use super::gather::{Piece, Sheaf, Text};
use super::sheet::Hidden;
use super::xml::{Part, Tag};
use crate::content::Spot;
use crate::types::{Concealed, Location, OfficePlace};
use std::ops::Range;

/// A table that stands open.
pub(super) struct Table<'t> {
    /// Its name, for spreadsheets the one on the tab.
    pub name: String,
    /// It is a sheet of a spreadsheet.
    pub sheet: bool,
    away: bool,
    hidden_columns: Hidden,
    columns: u32,
    row: u32,
    row_repeat: u32,
    row_hidden: bool,
    column: u32,
    repeat: u32,
    value: Option<(&'t str, Range<usize>)>,
    text: String,
    /// Where the text stands, when it stands in one piece.
    text_at: Option<usize>,
    /// Numbers that may have lost a zero.
    pub guesses: Text,
}

impl<'t> Table<'t> {
    /// Where all of it is.
    pub fn location(&self) -> Location {
        let concealed = if self.away { Concealed::Sheet } else { Concealed::No };
        Location::Office(OfficePlace::Sheet(concealed, self.name.clone()))
    }

    pub fn new(name: String, away: bool, sheet: bool) -> Table<'t> {
        Table {
            name,
            sheet,
            away,
            hidden_columns: Hidden::default(),
            columns: 0,
            row: 0,
            row_repeat: 1,
            row_hidden: false,
            column: 0,
            repeat: 1,
            value: None,
            text: String::new(),
            text_at: None,
            guesses: Text::default(),
        }
    }

    /// A definition of columns.
    pub fn columns(&mut self, tag: &Tag<'t>) {
        let repeat = tag.number("number-columns-repeated").unwrap_or(1).max(1);
        let end = self.columns.saturating_add(repeat);
        if matches!(tag.get("visibility"), Some("collapse" | "filter")) {
            self.hidden_columns.add(self.columns..end);
        }
        self.columns = end;
    }

    /// A row begins.
    pub fn row(&mut self, tag: &Tag<'t>) {
        self.row_repeat = tag.number("number-rows-repeated").unwrap_or(1).max(1);
        self.row_hidden = matches!(tag.get("visibility"), Some("collapse" | "filter"));
        self.column = 0;
    }

    /// It ends.
    pub fn end_row(&mut self) {
        self.row = self.row.saturating_add(self.row_repeat);
    }

    /// A cell begins.
    pub fn cell(&mut self, tag: &Tag<'t>) {
        self.repeat = tag.number("number-columns-repeated").unwrap_or(1).max(1);
        self.value = tag.get("value").zip(tag.value_of("value"));
        self.text.clear();
        self.text_at = None;
    }

    /// A character of what the cell shows.
    pub fn shown(&mut self, c: char, source: usize) {
        if self.value.is_some() && self.text.len() < 64 {
            if self.text.is_empty() {
                self.text_at = Some(source);
            } else if self.text_at.is_some_and(|at| at + self.text.len() != source) {
                self.text_at = None;
            }
            self.text.push(c);
        }
    }

    /// Where the cell in hand stands.
    pub fn spot(&self) -> Option<Spot> {
        let column = self.column;
        let concealed = if self.away {
            Concealed::Sheet
        } else if self.row_hidden {
            Concealed::Row
        } else if self.hidden_columns.contains(column) {
            Concealed::Column
        } else {
            Concealed::No
        };
        self.sheet.then_some(Spot::Cell {
            row: self.row,
            column,
            concealed,
        })
    }

    /// A cell ends; gives how many columns it takes, and its value as it reads. The value in the attribute is the number that is
    /// shown, without its zero and signs: it reads as what is shown, but comes from the attribute. A chart's copy of it is
    /// shown bare, and reads as the sheet shows it.
    pub fn end_cell(&mut self, part: &Part<'t>, shown: &mut Shown, sheaf: &mut Sheaf) -> (u32, Vec<Piece<'t>>) {
        let mut mirror = Vec::new();
        if let Some((value, range)) = self.value.take() {
            let digits: String = self.text.chars().filter(char::is_ascii_digit).collect();
            let missing = digits.len().saturating_sub(value.len());
            let same = digits.len() >= 3
                && digits.get(missing..) == Some(value)
                && digits
                    .get(..missing)
                    .is_some_and(|zeros| zeros.bytes().all(|b| b == b'0'));
            let known = shown.get(value).filter(|_| self.text == value);
            if let Some(known) = known {
                mirror = as_shown(known, value, part.base + range.start);
                let text = self.text_at.map(|at| as_shown(known, value, at)).unwrap_or_default();
                let into = sheaf.at(part.number, Location::Source, true, false);
                into.line(&text, |_| true);
                into.wall();
            } else if let Some(guess) =
                guessed(value, part.base + range.start).filter(|_| self.sheet && self.text == value)
            {
                // Both the text and the value behind it.
                let text = self.text_at.and_then(|at| guessed(value, at));
                for line in text.iter().chain([&guess]) {
                    self.guesses
                        .spots
                        .extend(self.spot().map(|spot| (self.guesses.text.len(), spot)));
                    self.guesses.line(line, |_| true);
                    self.guesses.wall();
                }
                mirror = as_shown(&self.text, value, part.base + range.start);
            } else if same {
                mirror = as_shown(&self.text, value, part.base + range.start);
                remember(shown, value, &self.text);
            }
        }
        self.column = self.column.saturating_add(self.repeat);
        (self.repeat, mirror)
    }
}
