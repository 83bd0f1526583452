//! The cells of one sheet.

use crate::content::{Content, SourceMap, Spot, View};
use crate::types::{Concealed, Location, OfficePlace, PartPath};
use std::collections::{BTreeMap, HashSet};

/// Empty columns laid out one by one; further ones follow each other.
const WIDEST: u32 = 64;

/// How a cell is shown.
pub(in crate::document) struct Style {
    pub format: u16,
    /// White on white.
    pub unseen: bool,
}

/// One sheet.
pub(in crate::document) struct Sheet {
    name: String,
    pub concealed: Concealed,
    cells: BTreeMap<(u32, u32), (String, bool)>,
    /// Nine digits that may have lost their zero.
    guesses: Vec<(u32, u32, String)>,
    /// Row, column, texts.
    pub formulas: Vec<(u32, u32, String)>,
    pub hidden_columns: HashSet<u32>,
    pub hidden_rows: HashSet<u32>,
    /// Bytes of text since somebody asked: one shared string may fill many cells.
    pub grown: u64,
}

impl Sheet {
    pub fn new(name: &str, concealed: Concealed) -> Sheet {
        Sheet {
            name: name.to_owned(),
            concealed,
            cells: BTreeMap::new(),
            guesses: Vec::new(),
            formulas: Vec::new(),
            hidden_columns: HashSet::new(),
            hidden_rows: HashSet::new(),
            grown: 0,
        }
    }

    /// What a cell shows; of two texts in one cell both are kept.
    pub fn put(&mut self, row: u32, column: u32, text: String, unseen: bool) {
        self.grown += text.len() as u64;
        let cell = self.cells.entry((row, column)).or_default();
        if !cell.0.is_empty() {
            cell.0.push('\n');
        }
        cell.0.push_str(&text);
        cell.1 |= unseen;
    }

    /// A number as shown, and as it would be with the zero that numbers lose.
    pub fn put_number(&mut self, row: u32, column: u32, shown: String, unseen: bool) {
        if shown.len() == 9 && shown.bytes().all(|b| b.is_ascii_digit()) {
            self.guesses.push((row, column, format!("0{shown}\n")));
        }
        self.put(row, column, shown, unseen);
    }

    /// Rows as lines, columns with tabs between them.
    pub fn view(mut self, content: &mut Content<'_>) {
        let mut text = String::new();
        let mut spots = Vec::new();
        let mut before: Option<(u32, u32)> = None;
        for ((row, column), (cell, unseen)) in &self.cells {
            let gap = match before {
                Some((last, _)) if last != *row => {
                    text.push('\n');
                    (*column).min(WIDEST)
                }
                Some((_, last)) => (column - last).min(WIDEST),
                None => (*column).min(WIDEST),
            };
            text.extend(std::iter::repeat_n('\t', gap as usize));
            before = Some((*row, *column));
            let concealed = match self.concealed {
                Concealed::No if self.hidden_rows.contains(row) => Concealed::Row,
                Concealed::No if self.hidden_columns.contains(column) => Concealed::Column,
                Concealed::No if *unseen => Concealed::Format,
                concealed => concealed,
            };
            let spot = Spot::Cell {
                row: *row,
                column: *column,
                concealed,
            };
            spots.push((text.len(), spot));
            text.push_str(cell);
        }
        content.views.push(View {
            location: Location::Office(OfficePlace::Sheet(self.concealed, self.name.clone())),
            hidden: self.concealed != Concealed::No,
            fake_redaction: false,
            text,
            map: SourceMap::default(),
            part: PartPath::default(),
            spots,
            guess: false,
        });
        self.beside(content);
    }

    /// Formulas, and guesses.
    fn beside(&mut self, content: &mut Content<'_>) {
        let formula = OfficePlace::Formula {
            sheet: self.name.clone(),
            cell: String::new(),
        };
        let formulas = std::mem::take(&mut self.formulas);
        lines(content, formula, formulas, Concealed::No, false);
        let sheet = OfficePlace::Sheet(self.concealed, self.name.clone());
        let guesses = std::mem::take(&mut self.guesses);
        lines(content, sheet, guesses, self.concealed, true);
    }
}

fn lines(
    content: &mut Content<'_>,
    place: OfficePlace,
    list: Vec<(u32, u32, String)>,
    concealed: Concealed,
    guess: bool,
) {
    let mut text = String::new();
    let mut spots = Vec::new();
    for (row, column, line) in list {
        spots.push((text.len(), Spot::Cell { row, column, concealed }));
        text.push_str(&line);
    }
    if text.is_empty() {
        return;
    }
    content.views.push(View {
        hidden: place.is_hidden(),
        location: Location::Office(place),
        fake_redaction: false,
        text,
        map: SourceMap::default(),
        part: PartPath::default(),
        spots,
        guess,
    });
}

/// A floating point number as text, whole ones without a point.
pub(in crate::document) fn number(data: &[u8], at: usize) -> Option<String> {
    let raw = data.get(at..at + 8)?.try_into().ok()?;
    Some(written(f64::from_le_bytes(raw)))
}

/// A number packed into 30 bits ([MS-XLS] 2.5.217).
pub(in crate::document) fn rk(raw: u32) -> String {
    let value = if raw & 2 != 0 {
        f64::from(raw as i32 >> 2)
    } else {
        f64::from_bits(u64::from(raw & !3) << 32)
    };
    written(if raw & 1 != 0 { value / 100.0 } else { value })
}

fn written(value: f64) -> String {
    if value.fract() == 0.0 && value.abs() < 1e15 {
        format!("{}", value as i64)
    } else {
        format!("{value}")
    }
}
