//! Texts being gathered from the parts of a package: each place has one, and lines are laid into all the places that
//! show them.

use super::xml::Part;
use crate::content::{Budget, SourceMap, Spent, Spot, View};
use crate::document::html::entity::reference;
use crate::types::{Location, OfficePlace, PartPath};
use std::collections::HashMap;
use std::ops::Range;

/// Stands between texts that have nothing to do with each other: no written form of a number has it within.
const WALL: &str = "\u{1e}\n";
/// A line break within a cell: neither the end of the row nor a blank.
pub(super) const CELL_BREAK: char = '\u{2028}';

/// Brought in by a tracked change.
pub(super) const INSERTED: u8 = 1;
/// Taken out by a tracked change.
pub(super) const DELETED: u8 = 2;
/// Formatted so that it is not shown.
pub(super) const HIDDEN: u8 = 4;
/// Covered with its own colour.
pub(super) const COVERED: u8 = 8;

/// One stretch of text with its source.
#[derive(Clone, Copy)]
pub(super) struct Piece<'t> {
    pub what: What<'t>,
    pub marks: u8,
}

/// What a piece is made of.
#[derive(Clone, Copy)]
pub(super) enum What<'t> {
    /// Source that stands for itself, from this byte on.
    Plain(&'t str, usize),
    /// One character that comes from these bytes of source.
    Unit(char, usize, usize),
    /// Not in the source.
    Gap(char),
}

impl What<'_> {
    fn has_digit(&self) -> bool {
        match self {
            What::Plain(text, _) => text.bytes().any(|b| b.is_ascii_digit() || b >= 128),
            What::Unit(c, _, _) => c.is_numeric(),
            What::Gap(_) => false,
        }
    }
}

/// Cuts source text at its references.
pub(super) fn pieces<'t>(part: &Part<'t>, range: Range<usize>, raw: bool, marks: u8, out: &mut Vec<Piece<'t>>) {
    let mut at = range.start;
    let mut push = |what| out.push(Piece { what, marks });
    while let Some(rest) = part.text.get(at..range.end).filter(|rest| !rest.is_empty()) {
        let next = if raw {
            None
        } else {
            memchr::memchr(b'&', rest.as_bytes())
        };
        match next {
            Some(0) => {
                let len = match reference(rest) {
                    Some(found) => {
                        push(What::Unit(found.character, part.base + at, part.base + at + found.len));
                        found.len
                    }
                    None => {
                        push(What::Plain("&", part.base + at));
                        1
                    }
                };
                at += len;
            }
            _ => {
                let plain = next.map_or(rest, |end| rest.get(..end).unwrap_or(rest));
                push(What::Plain(plain, part.base + at));
                at += plain.len();
            }
        }
    }
}

/// One text.
#[derive(Default)]
pub(super) struct Text {
    pub text: String,
    pub map: SourceMap,
    pub spots: Vec<(usize, Spot)>,
    runs: usize,
}

impl Text {
    /// Adds a piece.
    pub fn add(&mut self, what: &What<'_>) {
        let at = self.text.len();
        match *what {
            What::Plain(text, source) => {
                self.map.linear(at, source, text.len());
                self.text.push_str(text);
                self.runs += 1;
            }
            What::Unit(c, from, to) => {
                self.text.push(c);
                self.map.unit(at..self.text.len(), from..to);
                self.runs += 1;
            }
            What::Gap(c) => self.text.push(c),
        }
    }

    /// Adds a whole line.
    pub fn line(&mut self, pieces: &[Piece<'_>], keep: impl Fn(u8) -> bool) {
        let before = self.text.len();
        for piece in pieces.iter().filter(|piece| keep(piece.marks)) {
            self.add(&piece.what);
        }
        if self.text.len() > before {
            self.text.push('\n');
        }
    }

    /// The same with finer places, by piece.
    fn line_with(&mut self, pieces: &[Piece<'_>], spots: &[(usize, Spot)], keep: impl Fn(u8) -> bool) {
        let before = self.text.len();
        let mut spots = spots.iter().peekable();
        for (i, piece) in pieces.iter().enumerate() {
            while let Some((_, spot)) = spots.next_if(|(at, _)| *at <= i) {
                self.spots.push((self.text.len(), *spot));
            }
            if keep(piece.marks) {
                self.add(&piece.what);
            }
        }
        if self.text.len() > before {
            self.text.push('\n');
        }
    }

    /// Nothing before this has to do with what follows.
    pub fn wall(&mut self) {
        if !self.text.is_empty() && !self.text.ends_with(WALL) {
            self.text.push_str(WALL);
        }
    }
}

/// Bytes that one stretch in a source map takes.
const RUN: u64 = 40;

/// Different places kept apart; the rest share one.
const PLACES: usize = 4096;

/// Where a text belongs: part, place, hidden, covered.
type Key = (u32, Location, bool, bool);

/// All texts of one thing, with the order in which they came up.
#[derive(Default)]
pub(super) struct Sheaf {
    texts: HashMap<Key, (usize, Text)>,
    booked: u64,
    strings: Vec<Text>,
    guesses: Vec<(Location, Text)>,
    again: Vec<(Location, bool, Text)>,
}

impl Sheaf {
    /// The text of a place in the part of that number.
    pub fn at(&mut self, part: u32, location: Location, hidden: bool, covered: bool) -> &mut Text {
        let order = self.texts.len();
        let mut key = (part, location, hidden, covered);
        if order >= PLACES && !self.texts.contains_key(&key) {
            key = (0, Location::Office(OfficePlace::Data), true, false);
        }
        let (_, text) = self.texts.entry(key).or_insert_with(|| (order, Text::default()));
        text
    }

    /// The text of an office place.
    pub fn office(&mut self, part: u32, place: OfficePlace) -> &mut Text {
        let hidden = place.is_hidden();
        self.at(part, Location::Office(place), hidden, false)
    }

    /// Lays a finished paragraph or row into the places that show it.
    pub fn lay(&mut self, part: u32, location: &Location, hidden: bool, spots: &[(usize, Spot)], line: &[Piece<'_>]) {
        if line.is_empty() {
            return;
        }
        let marks = line.iter().fold(0, |all, piece| all | piece.marks);
        let text = self.at(part, location.clone(), hidden, false);
        text.line_with(line, spots, |m| m & (DELETED | HIDDEN | COVERED) == 0);
        if matches!(location, Location::Office(OfficePlace::Sheet(..))) {
            text.wall();
        }
        if marks & DELETED != 0 {
            let place = Location::Office(OfficePlace::TrackedChange);
            self.beside(part, place, line, DELETED, INSERTED | HIDDEN | COVERED);
        }
        if marks & HIDDEN != 0 {
            self.beside(part, Location::HiddenText, line, HIDDEN, DELETED | COVERED);
        }
        if marks & COVERED != 0 {
            self.beside(part, location.clone(), line, COVERED, DELETED | HIDDEN);
            let text = self.at(part, location.clone(), true, true);
            text.line(line, |m| m & COVERED != 0);
        }
    }

    /// A line as it reads with the pieces of one kind in it, and these alone where they touch other digits.
    fn beside(&mut self, part: u32, location: Location, line: &[Piece<'_>], kind: u8, without: u8) {
        let text = self.at(part, location, true, false);
        text.line(line, |m| m & kind != 0 || m & without == 0);
        if line
            .iter()
            .any(|piece| piece.marks & kind == 0 && piece.what.has_digit())
        {
            text.line(line, |m| m & kind != 0);
        }
    }

    /// A place's text once more, with other surroundings.
    pub fn again(&mut self, location: Location, hidden: bool, text: Text) {
        if !text.text.is_empty() {
            self.again.push((location, hidden, text));
        }
    }

    /// Numbers that may have lost a zero, in their place.
    pub fn guess(&mut self, location: Location, text: Text) {
        if !text.text.is_empty() {
            self.guesses.push((location, text));
        }
    }

    /// Strings of a binary part: a second reading of what stands elsewhere, mostly.
    pub fn strings(&mut self, text: String, map: SourceMap) {
        if text.contains(|c: char| c.is_ascii_digit()) {
            self.strings.push(Text {
                text,
                map,
                ..Text::default()
            });
        }
    }

    /// Books what has been gathered since the last call.
    ///
    /// # Errors
    /// The limit that it is over.
    pub fn book(&mut self, budget: &mut Budget) -> Result<(), Spent> {
        let texts = self.texts.values().map(|(_, text)| text);
        let guesses = self.guesses.iter().map(|(_, text)| text);
        let again = self.again.iter().map(|(_, _, text)| text);
        let size = |text: &Text| text.text.len() as u64 + RUN * text.runs as u64 + 16 * text.spots.len() as u64;
        let all: u64 = texts.chain(guesses).chain(again).map(size).sum();
        let fresh = all.saturating_sub(self.booked);
        self.booked = all;
        budget.produce(fresh)
    }

    /// The views, those that a reader is shown first.
    pub fn views(self) -> Vec<View> {
        let mut texts: Vec<_> = self
            .texts
            .into_iter()
            .filter(|(_, (_, text))| !text.text.is_empty())
            .collect();
        texts.sort_by_key(|((_, location, hidden, covered), (order, _))| {
            (*location == Location::Source, *hidden, *covered, *order)
        });
        let view = |((_, location, hidden, fake_redaction), (_, text)): (Key, (usize, Text))| View {
            location,
            hidden,
            fake_redaction,
            text: text.text,
            map: text.map,
            // A place in a document says more than the number of an entry; and the same number told twice is told once.
            part: PartPath::default(),
            spots: text.spots,
            guess: false,
        };
        let strings = self
            .strings
            .into_iter()
            .map(|text| ((0, Location::Source, true, false), (0, text)));
        let again = self.again.into_iter();
        let again = again.map(|(location, hidden, text)| ((0, location, hidden, false), (0, text)));
        let guesses = self.guesses.into_iter().map(|(location, text)| View {
            guess: true,
            ..view(((0, location, false, false), (0, text)))
        });
        texts
            .into_iter()
            .chain(again)
            .chain(strings)
            .map(view)
            .chain(guesses)
            .collect()
    }
}
