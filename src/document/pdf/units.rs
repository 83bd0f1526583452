//! Where the characters of a view come from. A PDF's text has no bytes of its own to point at (it is packed, encoded by the
//! font, placed by matrices), so each view numbers its characters ([`crate::content::Form::Units`]); reading again in the
//! same order gives the same numbers, and then what stands behind those that must go.

use super::canvas::{Glyph, Key};
use lopdf::ObjectId;
use std::collections::BTreeMap;
use std::ops::Range;

/// A step from an object to something in it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Step {
    Key(Vec<u8>),
    Index(usize),
}

/// What stands behind one unit.
#[derive(Clone, Debug)]
pub(super) enum Target {
    /// A glyph of a page; drawn on it where a reader sees it.
    Glyph {
        page: Option<ObjectId>,
        glyph: Box<Glyph>,
        shown: bool,
        /// Nobody sees it, nor anything over it.
        hidden: bool,
    },
    /// Bytes of a string in the content.
    Aside {
        key: Key,
        token: Range<usize>,
        bytes: Range<usize>,
    },
    /// Bytes of a string in an object.
    Text {
        object: ObjectId,
        path: Vec<Step>,
        bytes: Range<usize>,
    },
    /// Bytes of a stream's data.
    Data { object: ObjectId, bytes: Range<usize> },
    /// Not written to the copy at all.
    Dropped,
    /// It cannot be taken out.
    Fixed,
}

/// What is to go, and what comes in its place: a letter is a filled box on a page, words are words in one, nothing is nothing.
pub(super) struct Gone {
    pub target: Target,
    pub with: String,
}

/// Numbers the units, and gathers what is wanted.
#[derive(Default)]
pub(super) struct Units {
    next: usize,
    wanted: BTreeMap<usize, String>,
    pub found: Vec<Gone>,
    /// Attached files: number of the child -> its stream.
    pub files: BTreeMap<usize, ObjectId>,
    /// Pictures of scanned pages: number of the child -> its stream.
    pub scans: BTreeMap<usize, ObjectId>,
}

impl Units {
    pub fn wanting(wanted: BTreeMap<usize, String>) -> Units {
        Units {
            wanted,
            ..Units::default()
        }
    }

    /// The next `len` units, `target` saying what stands behind each. Gives the first.
    pub fn block(&mut self, len: usize, mut target: impl FnMut(usize, &mut Vec<Target>)) -> usize {
        let base = self.next;
        self.next += len;
        for (unit, with) in self.wanted.range(base..self.next) {
            let mut here = Vec::new();
            target(unit - base, &mut here);
            let gone = |target| Gone {
                target,
                with: with.clone(),
            };
            self.found.extend(here.into_iter().map(gone));
        }
        base
    }
}
