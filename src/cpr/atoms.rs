//! Clusters: digits that stand close enough together to be one number, with what stands between them.
//!
//! One pass, each character looked at once. A cluster ends at the first character that no written form has between its
//! digits. Long clusters are handed on in windows, so memory stays bounded in a text that is nothing but digits.

use super::find::FEWEST;
use super::fold::{Class, begins, unit};
use super::scan::Places;
use std::ops::Range;

/// More than this between two digits separates them for good. Quote marks of deep replies fit.
const WIDEST_GAP: u16 = 48;

/// Atoms gathered before a long cluster is handed on.
const WINDOW: usize = 4096;

/// Atoms kept on both sides of a cut, more than the longest form has.
const MARGIN: usize = 32;

/// What stands before a digit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Start of the cluster.
    Break,
    /// Nothing.
    Touching,
    /// Only characters that take no room.
    Invisible,
    /// Only a soft hyphen.
    Soft,
    /// Blanks.
    Space,
    /// A line end, perhaps quote marks, no sign.
    Line,
    /// Dash, perhaps with blanks or a line end.
    Hyphen,
    /// Full stop.
    Dot,
    /// Slash.
    Slash,
    /// Comma.
    Comma,
    /// Semicolon, tab, bar, quotes, brackets.
    Column,
    /// `_`.
    Underscore,
    /// `+`.
    Plus,
    /// Several signs that do not go together.
    Mixed,
}

/// The gap before a digit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Gap {
    /// What it is.
    pub(super) kind: Kind,
    /// Blanks beside the sign.
    pub(super) spaced: bool,
    /// A line end in it.
    pub(super) line: bool,
    /// More than three blanks: laid out as columns.
    pub(super) wide: bool,
}

impl Gap {
    const BREAK: Gap = Gap {
        kind: Kind::Break,
        spaced: false,
        line: false,
        wide: false,
    };

    const TOUCHING: Gap = Gap {
        kind: Kind::Touching,
        ..Gap::BREAK
    };

    /// A sign with nothing beside it: what it joins belongs together.
    pub(super) fn sign_at_once(self) -> bool {
        matches!(self.kind, Kind::Hyphen | Kind::Dot | Kind::Slash) && !self.spaced && !self.line
    }

    /// More than blanks between the digits.
    pub(super) fn signed(self) -> bool {
        !self.tight() && self.kind != Kind::Space
    }

    /// Nothing to be seen between the digits.
    pub(super) fn tight(self) -> bool {
        matches!(self.kind, Kind::Touching | Kind::Invisible | Kind::Soft)
    }
}

/// One digit.
#[derive(Clone, Copy, Debug)]
pub(super) struct Atom {
    /// First byte.
    pub(super) start: usize,
    /// Byte after the last.
    pub(super) end: usize,
    /// 0 to 9.
    pub(super) value: u8,
    /// What stands before it.
    pub(super) gap: Gap,
}

/// Calls `visit` with every cluster that may hold a number. A long cluster comes in several windows; the range says
/// which atoms are new, those around it are context.
pub(super) fn clusters(text: &str, visit: &mut dyn FnMut(&[Atom], Range<usize>)) {
    let mut places = Places::new(text);
    clusters_at(text, |at| places.next(at), true, &mut |atoms, new| {
        if atoms.len() >= FEWEST as usize {
            visit(atoms, new);
        }
    });
}

/// The same with every cluster there is, at the pace of reading each byte.
pub(super) fn all_clusters(text: &str, visit: &mut dyn FnMut(&[Atom], Range<usize>)) {
    let next = |at: usize| {
        let rest = text.as_bytes().get(at..)?;
        rest.iter().position(|&byte| begins(byte)).map(|behind| at + behind)
    };
    clusters_at(text, next, false, visit);
}

fn clusters_at(
    text: &str,
    mut next: impl FnMut(usize) -> Option<usize>,
    ends_only: bool,
    visit: &mut dyn FnMut(&[Atom], Range<usize>),
) {
    let mut atoms: Vec<Atom> = Vec::new();
    let mut at = 0;
    while let Some(place) = next(at) {
        at = place;
        match unit(text, at) {
            Some((Class::Digit(value), length)) => {
                atoms.clear();
                atoms.push(Atom {
                    start: at,
                    end: at + length,
                    value,
                    gap: Gap::BREAK,
                });
                at = cluster(text, at + length, &mut atoms, ends_only, visit);
            }
            Some((_, length)) => at += length,
            None => at += 1,
        }
    }
}

/// Reads on from the first digit to the end of its cluster; gives the offset after it. Of more digits together than any form
/// has, `ends_only` are read: no number touches those between.
fn cluster(
    text: &str,
    mut at: usize,
    atoms: &mut Vec<Atom>,
    ends_only: bool,
    visit: &mut dyn FnMut(&[Atom], Range<usize>),
) -> usize {
    let mut done = 0;
    let mut together = 0;
    let mut between = Between::default();
    while let Some((class, length)) = unit(text, at) {
        if let Class::Digit(value) = class {
            let gap = if between.nothing() {
                Gap::TOUCHING
            } else {
                std::mem::take(&mut between).gap()
            };
            together = if gap.kind == Kind::Touching { together + 1 } else { 0 };
            if ends_only && together == 2 * MARGIN {
                at += digits_from(text, at).saturating_sub(MARGIN);
                continue;
            }
            atoms.push(Atom {
                start: at,
                end: at + length,
                value,
                gap,
            });
            if atoms.len() >= WINDOW {
                visit(atoms, done..atoms.len() - MARGIN);
                atoms.drain(..atoms.len() - 2 * MARGIN);
                done = MARGIN;
            }
        } else if !between.take_in(class) {
            break;
        }
        at += length;
    }
    visit(atoms, done..atoms.len());
    at
}

/// How many ASCII digits stand at `at` and behind.
fn digits_from(text: &str, at: usize) -> usize {
    let rest = text.as_bytes().get(at..).unwrap_or_default();
    rest.iter().take_while(|byte| byte.is_ascii_digit()).count()
}

/// The end of the cluster that may begin at `at`, when it has fewer than `enough` digits.
pub(super) fn few_digits(text: &str, mut at: usize, enough: u32) -> Option<usize> {
    let mut digits = 0;
    let mut between = Between::default();
    while let Some((class, length)) = unit(text, at) {
        if let Class::Digit(_) = class {
            digits += 1;
            if digits >= enough {
                return None;
            }
            between = Between::default();
        } else if digits == 0 {
            return Some(at + length);
        } else if !between.take_in(class) {
            break;
        }
        at += length;
    }
    Some(at)
}

/// Counts what stands between two digits.
#[derive(Default)]
struct Between {
    seen: u16,
    spaces: u16,
    lines: u16,
    marks: u16,
    dashes: u16,
    dots: u16,
    slashes: u16,
    commas: u16,
    columns: u16,
    opened: u16,
    closed: u16,
    underscores: u16,
    pluses: u16,
    soft: u16,
    invisible: bool,
}

impl Between {
    /// Counts one character; false when it ends the cluster.
    fn take_in(&mut self, class: Class) -> bool {
        let counter = match class {
            Class::Invisible => {
                self.invisible = true;
                return true;
            }
            Class::Digit(_) | Class::Other => return false,
            Class::Mark if self.lines == 0 => return false,
            Class::Mark => &mut self.marks,
            Class::SoftHyphen => &mut self.soft,
            Class::Space => &mut self.spaces,
            Class::Newline => &mut self.lines,
            Class::Dash => &mut self.dashes,
            Class::Dot => &mut self.dots,
            Class::Slash => &mut self.slashes,
            Class::Comma => &mut self.commas,
            Class::Column => &mut self.columns,
            Class::Open => &mut self.opened,
            Class::Close => &mut self.closed,
            Class::Underscore => &mut self.underscores,
            Class::Plus => &mut self.pluses,
        };
        *counter += 1;
        self.seen += 1;
        self.seen <= WIDEST_GAP
    }

    fn nothing(&self) -> bool {
        self.seen == 0 && !self.invisible
    }

    fn gap(self) -> Gap {
        // `(010190)-(1234)`, `[1][2]`; but `1.2.59) - 2026` closes what was opened before.
        let brackets = if self.opened == self.closed {
            self.opened + self.closed
        } else {
            WIDEST_GAP
        };
        let columns = self.columns + brackets;
        let signs = [
            (self.dashes, Kind::Hyphen),
            (self.dots, Kind::Dot),
            (self.slashes, Kind::Slash),
            (self.commas + columns, Kind::Column),
            (self.underscores, Kind::Underscore),
            (self.pluses, Kind::Plus),
        ];
        let mut there = signs.into_iter().filter(|&(count, _)| count > 0);
        let kind = match (there.next(), there.next()) {
            (None, _) if self.lines > 0 => Kind::Line,
            (None, _) if self.spaces > 0 => Kind::Space,
            (None, _) if self.soft > 0 => Kind::Soft,
            (None, _) if self.invisible => Kind::Invisible,
            (None, _) => Kind::Touching,
            (Some((1, Kind::Column)), None) if self.commas == 1 => Kind::Comma,
            (Some((1..=2, kind)), None) => kind,
            (Some((3..=6, Kind::Column)), None) => Kind::Column,
            // `"010190"-"1234"`, `(010190)-(1234)`
            (Some((1, Kind::Hyphen)), Some((1..=4, Kind::Column))) if there.next().is_none() => Kind::Column,
            _ => Kind::Mixed,
        };
        Gap {
            kind,
            spaced: self.spaces > 0,
            line: self.lines > 0,
            wide: self.spaces > 3,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(text: &str) -> Vec<Kind> {
        let mut kinds = Vec::new();
        all_clusters(text, &mut |atoms, new| {
            kinds.extend(atoms[new].iter().map(|atom| atom.gap.kind))
        });
        kinds
    }

    #[test]
    fn gaps_are_named_by_their_sign() {
        let cases = [
            ("12", Kind::Touching),
            ("1-2", Kind::Hyphen),
            ("1 – 2", Kind::Hyphen),
            ("1-\r\n> > 2", Kind::Hyphen),
            ("1\n2", Kind::Line),
            ("1\u{a0}2", Kind::Space),
            ("1\u{200b}2", Kind::Invisible),
            ("1\u{ad}2", Kind::Soft),
            ("1.2", Kind::Dot),
            ("1,2", Kind::Comma),
            ("1;2", Kind::Column),
            ("1\",\"2", Kind::Column),
            ("1\t2", Kind::Column),
            ("1%2D2", Kind::Hyphen),
            ("1.-2", Kind::Mixed),
            ("1x2", Kind::Break),
            ("1>2", Kind::Break),
        ];
        for (text, kind) in cases {
            assert_eq!(kinds(text).get(1), Some(&kind), "{text:?}");
        }
    }

    #[test]
    fn long_clusters_come_in_windows_and_every_digit_once() {
        let text = "1 2".repeat(20_000);
        let mut starts = Vec::new();
        all_clusters(&text, &mut |atoms, new| {
            assert!(atoms.len() <= WINDOW);
            starts.extend(atoms[new].iter().map(|atom| atom.start));
        });
        assert_eq!(starts.len(), 40_000);
        assert!(starts.is_sorted_by(|a, b| a < b));
    }
}
