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
        self.formulas_view(content);
        content.views.push(View {
            location: Location::Office(OfficePlace::Sheet(self.concealed, self.name)),
            hidden: self.concealed != Concealed::No,
            fake_redaction: false,
            text,
            map: SourceMap::default(),
            part: PartPath::default(),
            spots,
        });
    }

    fn formulas_view(&mut self, content: &mut Content<'_>) {
        let mut text = String::new();
        let mut spots = Vec::new();
        for (row, column, line) in std::mem::take(&mut self.formulas) {
            let concealed = Concealed::No;
            spots.push((text.len(), Spot::Cell { row, column, concealed }));
            text.push_str(&line);
        }
        if text.is_empty() {
            return;
        }
        content.views.push(View {
            location: Location::Office(OfficePlace::Formula {
                sheet: self.name.clone(),
                cell: String::new(),
            }),
            hidden: true,
            fake_redaction: false,
            text,
            map: SourceMap::default(),
            part: PartPath::default(),
            spots,
        });
    }
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
