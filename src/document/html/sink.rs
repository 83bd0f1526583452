//! Text as displayed, gathered from pieces of source: white space collapsed, gaps between blocks as one line break.

use super::entity::reference;
use super::token::is_space;
use crate::content::SourceMap;
use std::ops::Range;

/// What stands between the last piece and the next; the stronger wins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Gap {
    /// The pieces touch.
    None,
    /// Collapsed white space, the first of it at this place.
    Space(usize),
    /// Between cells.
    Tab,
    /// Between blocks.
    Line,
}

/// A text being gathered.
pub(super) struct Sink {
    pub text: String,
    pub map: SourceMap,
    gap: Gap,
}

/// How a piece is to be taken.
#[derive(Clone, Copy)]
pub(super) struct Manner {
    /// White space stays.
    pub pre: bool,
    /// Character references mean something.
    pub references: bool,
}

impl Manner {
    /// Nothing means anything: scripts, comments, CDATA.
    pub const RAW: Manner = Manner {
        pre: true,
        references: false,
    };
    /// Attribute values.
    pub const VALUE: Manner = Manner {
        pre: true,
        references: true,
    };
}

impl Sink {
    pub fn new() -> Sink {
        Sink {
            text: String::new(),
            map: SourceMap::default(),
            gap: Gap::None,
        }
    }

    /// A finished text.
    pub fn with(text: String, map: SourceMap) -> Sink {
        Sink {
            text,
            map,
            gap: Gap::None,
        }
    }

    /// Something comes between.
    pub fn gap(&mut self, gap: Gap) {
        self.gap = self.gap.max(gap);
    }

    /// A piece of its own, on a line of its own.
    pub fn line(&mut self, source: &str, range: Range<usize>, manner: Manner) {
        self.gap(Gap::Line);
        self.piece(source, range, manner);
        self.gap(Gap::Line);
    }

    /// Takes `range` of `source`.
    pub fn piece(&mut self, source: &str, range: Range<usize>, manner: Manner) {
        let bytes = source.as_bytes().get(..range.end).unwrap_or(source.as_bytes());
        let mut at = range.start;
        while let Some(&b) = bytes.get(at) {
            if b == b'&' && manner.references {
                at += self.ampersand(source, at, range.end);
            } else if b == 0 {
                // Browsers drop NUL in text, and so the digits beside it touch.
                at += 1;
            } else if is_space(b) && !manner.pre {
                self.gap(Gap::Space(at));
                at += 1;
            } else {
                let rest = bytes.get(at + 1..).unwrap_or_default();
                let stops = |b: &u8| (*b == b'&' && manner.references) || *b == 0 || (is_space(*b) && !manner.pre);
                let end = rest.iter().position(stops).map_or(bytes.len(), |n| at + 1 + n);
                self.linear(source, at..end);
                at = end;
            }
        }
    }

    fn ampersand(&mut self, source: &str, at: usize, end: usize) -> usize {
        match source.get(at..end).and_then(reference) {
            Some(found) => {
                self.unit(found.character, at..at + found.len);
                found.len
            }
            None => {
                self.linear(source, at..at + 1);
                1
            }
        }
    }

    fn linear(&mut self, source: &str, range: Range<usize>) {
        let Some(piece) = source.get(range.clone()) else {
            return;
        };
        self.flush();
        self.map.linear(self.text.len(), range.start, piece.len());
        self.text.push_str(piece);
    }

    /// One character that comes from `source` as a whole.
    pub fn unit(&mut self, c: char, source: Range<usize>) {
        self.flush();
        let at = self.text.len();
        self.text.push(c);
        self.map.unit(at..self.text.len(), source);
    }

    /// Writes the gap, now that something follows.
    fn flush(&mut self) {
        let gap = std::mem::replace(&mut self.gap, Gap::None);
        if self.text.is_empty() {
            return;
        }
        match gap {
            Gap::None => {}
            Gap::Space(at) => {
                if !self.text.ends_with(['\n', '\t', ' ']) {
                    self.map.unit(self.text.len()..self.text.len() + 1, at..at + 1);
                    self.text.push(' ');
                }
            }
            Gap::Tab => self.text.push('\t'),
            Gap::Line => self.text.push('\n'),
        }
    }
}
