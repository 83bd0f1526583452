//! Where the text of a part is going just now: paragraphs, table rows, and what stands inside them with a text of its own (text
//! boxes, notes, comments).

use super::gather::{CELL_BREAK, Piece, Sheaf, What};
use crate::content::Spot;
use crate::types::{Location, OfficePlace};

/// More columns than this are not laid out one by one.
const WIDEST: u32 = 64;
/// Pieces of one line; what comes after them begins a new one.
const PIECES: usize = 100_000;

/// One text being written.
struct Flow<'t> {
    location: Location,
    hidden: bool,
    spot: Option<Spot>,
    row: bool,
    /// The cell in hand has text already.
    filled: bool,
    line: Vec<Piece<'t>>,
    /// Places within the line, by piece.
    spots: Vec<(usize, Spot)>,
    /// The same row with the values behind its cells in their place, for formats that say each number twice.
    mirror: Option<Vec<Piece<'t>>>,
    /// Where the cell in hand begins in it.
    cell_start: usize,
    /// Tabs in the widest row directly inside so far.
    width: usize,
}

impl Flow<'_> {
    fn gap(&mut self, c: char) {
        let piece = Piece {
            what: What::Gap(c),
            marks: 0,
        };
        self.line.push(piece);
        if let Some(mirror) = &mut self.mirror {
            mirror.push(piece);
        }
    }
}

/// The texts that stand open, the innermost last.
pub(super) struct Flows<'t> {
    stack: Vec<Flow<'t>>,
    part: u32,
}

impl<'t> Flows<'t> {
    /// The text of the part itself.
    pub fn new(part: u32, location: Location, hidden: bool) -> Flows<'t> {
        let mut flows = Flows {
            stack: Vec::new(),
            part,
        };
        flows.open(location, hidden, None);
        flows
    }

    /// A text of its own begins; what is around it goes on afterwards as if it were not there.
    pub fn open(&mut self, location: Location, hidden: bool, spot: Option<Spot>) {
        self.stack.push(Flow {
            location,
            hidden,
            spot,
            row: false,
            filled: false,
            line: Vec::new(),
            spots: Vec::new(),
            mirror: None,
            cell_start: 0,
            width: 0,
        });
    }

    /// It ends.
    pub fn close(&mut self, sheaf: &mut Sheaf) {
        self.flush(sheaf);
        // The text of the part itself stays, whatever ends: nothing may fall out.
        if self.stack.len() > 1 {
            self.stack.pop();
        }
    }

    /// A table row begins, a text of its own in the same place.
    pub fn row(&mut self, hidden: bool, mirror: bool) {
        let (location, outer, spot) = match self.stack.last() {
            Some(flow) => (flow.location.clone(), flow.hidden, flow.spot),
            None => (Location::Text, false, None),
        };
        self.open(location, hidden || outer, spot);
        if let Some(flow) = self.stack.last_mut() {
            flow.row = true;
            flow.mirror = mirror.then(Vec::new);
        }
    }

    /// A table begins whose text belongs where its surroundings do.
    pub fn open_same(&mut self) {
        let (location, hidden, spot) = match self.stack.last() {
            Some(flow) => (flow.location.clone(), flow.hidden, flow.spot),
            None => (Location::Text, false, None),
        };
        self.open(location, hidden, spot);
    }

    /// A cell begins there.
    pub fn begin_cell(&mut self, spot: Option<Spot>) {
        if let Some(flow) = self.stack.last_mut() {
            flow.spots.extend(spot.map(|spot| (flow.line.len(), spot)));
            flow.cell_start = flow.mirror.as_ref().map_or(0, Vec::len);
        }
    }

    /// The cell in hand reads like this in its value.
    pub fn mirror(&mut self, value: Vec<Piece<'t>>) {
        if let Some(flow) = self.stack.last_mut()
            && let Some(mirror) = flow.mirror.as_mut().filter(|_| !value.is_empty())
        {
            mirror.truncate(flow.cell_start);
            mirror.extend(value);
        }
    }

    /// In a row: every break is within a cell.
    pub fn in_row(&self) -> bool {
        self.stack.last().is_some_and(|flow| flow.row)
    }

    /// A cell ends that takes `columns` columns.
    pub fn cell(&mut self, columns: u32) {
        if let Some(flow) = self.stack.last_mut() {
            flow.filled = false;
            // The last paragraph of a cell ends with the cell: no break stands between its digits and those of the next.
            let is_break = |piece: &Piece<'_>| matches!(piece.what, What::Gap(CELL_BREAK));
            for line in [Some(&mut flow.line), flow.mirror.as_mut()].into_iter().flatten() {
                if line.last().is_some_and(is_break) {
                    line.pop();
                }
            }
            for _ in 0..columns.clamp(1, WIDEST) {
                flow.gap('\t');
            }
        }
    }

    /// A paragraph begins or ends.
    pub fn paragraph(&mut self, sheaf: &mut Sheaf) {
        match self.stack.last_mut() {
            Some(flow) if flow.row => {
                if flow.filled {
                    flow.gap(CELL_BREAK);
                    flow.filled = false;
                }
            }
            _ => self.flush(sheaf),
        }
    }

    /// Text.
    pub fn pieces(&mut self, sheaf: &mut Sheaf, pieces: &mut Vec<Piece<'t>>) {
        if self.stack.last().is_some_and(|flow| flow.line.len() > PIECES) {
            self.flush(sheaf);
        }
        if let Some(flow) = self.stack.last_mut() {
            flow.filled |= !pieces.is_empty();
            if let Some(mirror) = &mut flow.mirror {
                mirror.extend_from_slice(pieces);
            }
            flow.line.append(pieces);
        }
    }

    /// A character that an element stands for.
    pub fn character(&mut self, sheaf: &mut Sheaf, c: char, source: std::ops::Range<usize>, marks: u8) {
        let c = match c {
            '\n' if self.in_row() => CELL_BREAK,
            '\t' if self.in_row() => ' ',
            c => c,
        };
        self.pieces(
            sheaf,
            &mut vec![Piece {
                what: What::Unit(c, source.start, source.end),
                marks,
            }],
        );
    }

    /// Writes what has been gathered.
    pub fn flush(&mut self, sheaf: &mut Sheaf) {
        let part = self.part;
        self.even();
        if let Some(flow) = self.stack.last_mut() {
            flow.spots
                .extend(flow.spot.filter(|_| flow.spots.is_empty()).map(|spot| (0, spot)));
            sheaf.lay(part, &flow.location, flow.hidden, &flow.spots, &flow.line);
            if let Some(mirror) = flow.mirror.as_mut().filter(|mirror| !mirror.is_empty()) {
                let text = sheaf.at(part, Location::Source, true, false);
                text.line(mirror, |_| true);
                if matches!(flow.location, Location::Office(OfficePlace::Sheet(..))) {
                    text.wall();
                }
                mirror.clear();
            }
            flow.line.clear();
            flow.spots.clear();
            flow.filled = false;
        }
    }

    /// Rows of one table get the same number of columns, so that columns can be counted: empty cells at the end are often
    /// left out.
    fn even(&mut self) {
        let Some((flow, around)) = self.stack.split_last_mut() else {
            return;
        };
        let Some(table) = around.last_mut().filter(|_| flow.row) else {
            flow.width = 0;
            return;
        };
        let is_tab = |piece: &Piece<'_>| matches!(piece.what, What::Gap('\t'));
        for line in [Some(&mut flow.line), flow.mirror.as_mut()].into_iter().flatten() {
            while line.last().is_some_and(is_tab) {
                line.pop();
            }
        }
        if flow.line.is_empty() {
            return;
        }
        let columns = flow.line.iter().filter(|piece| is_tab(piece)).count();
        table.width = table.width.max(columns);
        for _ in columns..table.width {
            flow.gap('\t');
        }
    }

    /// Everything ends.
    pub fn finish(mut self, sheaf: &mut Sheaf) {
        while self.stack.len() > 1 {
            self.close(sheaf);
        }
        self.flush(sheaf);
    }
}
