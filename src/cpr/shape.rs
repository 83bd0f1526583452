//! Shapes: which digits of a cluster, in which grouping, can be one number.
//!
//! Answers only whether the writing is one that people and programs use; whether the date exists is [`super::number`]'s
//! question, how likely it is [`super::score`]'s.

use super::atoms::{Atom, Gap, Kind};
use super::number::Cpr;
use std::ops::Range;
use time::Date;

/// How a number is grouped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Grouping {
    /// All ten together.
    Bare,
    /// Date, separator, serial; perhaps with signs in the date.
    Parted,
    /// Five pairs.
    Pairs,
    /// Ten single digits, as in the boxes of a form.
    Singles,
}

/// What a form must have beside it to be a reading at all: the less it looks like a CPR number, the more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Need {
    /// Stands for itself.
    Nothing,
    /// Modulus 11, a birth or person word, a name, or a label.
    Support,
    /// A label near by: lost zero, line end within the date.
    Label,
}

/// One possible reading.
#[derive(Clone, Debug)]
pub(super) struct Shape {
    /// The number read from it.
    pub(super) cpr: Cpr,
    /// First to last byte of the writing.
    pub(super) span: Range<usize>,
    /// One range a character.
    pub(super) digits: Vec<Range<usize>>,
    /// How it is grouped.
    pub(super) grouping: Grouping,
    /// What stands between date and serial.
    pub(super) separator: Gap,
    /// Signs within the date.
    pub(super) parted_date: bool,
    /// Day or month of one digit.
    pub(super) short_date: bool,
    /// Four-digit year, and it agrees with the seventh digit.
    pub(super) full_year: bool,
    /// A digit follows or precedes behind a character that takes no room.
    pub(super) cut: bool,
    /// What stands before the first digit, if another digit is near.
    pub(super) before: Gap,
    /// What stands after the last digit, if another digit is near.
    pub(super) after: Gap,
    /// The day looks like the end of another date.
    pub(super) borrowed_day: bool,
    /// Another number follows or precedes with nothing between.
    pub(super) chained: bool,
    /// What it must have beside it.
    pub(super) needs: Need,
    /// A character that takes no room within it.
    pub(super) invisible: bool,
}

/// Lengths of day, month, year in digits.
#[derive(Clone, Copy)]
struct Lengths {
    day: usize,
    month: usize,
    year: usize,
}

impl Lengths {
    /// `10190-1234`: as a number of a spreadsheet.
    fn may_lose_its_zero(self) -> bool {
        self.day == 1 && self.month == 2 && self.year == 2
    }
}

/// The usual ones first: the first reading that holds is taken.
const LENGTHS: [Lengths; 8] = [
    Lengths {
        day: 2,
        month: 2,
        year: 2,
    },
    Lengths {
        day: 2,
        month: 2,
        year: 4,
    },
    Lengths {
        day: 1,
        month: 2,
        year: 2,
    },
    Lengths {
        day: 1,
        month: 1,
        year: 2,
    },
    Lengths {
        day: 2,
        month: 1,
        year: 2,
    },
    Lengths {
        day: 1,
        month: 2,
        year: 4,
    },
    Lengths {
        day: 1,
        month: 1,
        year: 4,
    },
    Lengths {
        day: 2,
        month: 1,
        year: 4,
    },
];

const NO_GAP: Gap = Gap {
    kind: Kind::Break,
    spaced: false,
    line: false,
    wide: false,
};

/// Whether a number can begin with the digit at `first` at all: no other touches it.
#[inline]
pub(super) fn begins(atoms: &[Atom], first: usize) -> bool {
    let touches = atoms.get(first).is_some_and(|atom| atom.gap.kind == Kind::Touching);
    !touches || chained_to_last(atoms, first)
}

/// The reading that begins with the digit at `first`, if there is one.
pub(super) fn read(text: &str, atoms: &[Atom], first: usize, today: Date) -> Option<Shape> {
    let before = atoms.get(first)?.gap;
    if before.kind == Kind::Touching {
        return chained_to_last(atoms, first)
            .then(|| dated(atoms, first, LENGTHS[0], today))
            .flatten();
    }
    let days = Days::at(atoms, first);
    LENGTHS
        .iter()
        .filter(|lengths| days.fit(lengths))
        .find_map(|&lengths| {
            dated(atoms, first, lengths, today).or_else(|| letters(text, atoms, first, lengths, today))
        })
        .or_else(|| spread(atoms, first, today))
        .or_else(|| year_first(atoms, first, today))
}

/// With which lengths the first digits could be a day and a month at all. Nine in ten random ones could not, and every
/// question after this one costs more.
struct Days {
    /// By the length of the day, then of the month.
    fit: [[bool; 2]; 2],
    /// Signs stand around a month of one digit behind a day of one and of two digits, and of two behind a day of one.
    signed: [[bool; 2]; 2],
}

impl Days {
    fn at(atoms: &[Atom], first: usize) -> Days {
        let value = |n: usize| atoms.get(first + n).map_or(99, |atom| atom.value);
        let [a, b, c, d] = [value(0), value(1), value(2), value(3)];
        let pair = |tens: u8, ones: u8| tens.saturating_mul(10).saturating_add(ones);
        let day = |day: u8| matches!(day, 1..=31 | 61..=91);
        let month = |month: u8| matches!(month, 1..=12);
        let long = day(pair(a, b));
        let signed = |n: usize| atoms.get(first + n).is_some_and(|atom| atom.gap.signed());
        Days {
            fit: [
                [day(a) && month(b), day(a) && month(pair(b, c))],
                [long && month(c), long && month(pair(c, d))],
            ],
            signed: [
                [signed(1) && signed(2), signed(1) && signed(3)],
                [signed(2) && signed(3), true],
            ],
        }
    }

    fn fit(&self, lengths: &Lengths) -> bool {
        let of = |table: &[[bool; 2]; 2]| {
            let by_day = table.get(lengths.day - 1);
            by_day.and_then(|by_month| by_month.get(lengths.month - 1)) == Some(&true)
        };
        of(&self.fit) && (lengths.may_lose_its_zero() || of(&self.signed))
    }
}

/// `19900101-1234`, `1990-01-01-1234`: as registers write dates. Also how time stamps look, so only beside a label.
fn year_first(atoms: &[Atom], first: usize, today: Date) -> Option<Shape> {
    let all = atoms.get(first..first + 12)?;
    let &[_, _, _, _, m, _, d, ..] = all else { return None };
    if m.value > 1 || !matches!(d.value, 0..=3 | 6..=9) {
        return None;
    }
    let after = atoms.get(first + 12).map_or(NO_GAP, |atom| atom.gap);
    let joint = |n: usize, gap: Gap| match n {
        4 | 6 => matches!(gap.kind, Kind::Hyphen | Kind::Dot | Kind::Slash | Kind::Space),
        8 => !matches!(gap.kind, Kind::Mixed | Kind::Line),
        _ => false,
    };
    let fits = all
        .iter()
        .enumerate()
        .skip(1)
        .all(|(n, atom)| atom.gap.tight() || joint(n, atom.gap));
    if !fits || after.kind == Kind::Touching {
        return None;
    }
    let mut chars = [b'0'; 10];
    for (slot, from) in chars.iter_mut().zip([6, 7, 4, 5, 2, 3, 8, 9, 10, 11]) {
        *slot = b'0' + all.get(from)?.value;
    }
    let cpr = Cpr::from_chars(chars, today).ok()?;
    if number_of(all.iter().take(4)) != cpr.birth().year() {
        return None;
    }
    let mut shape = shape(all, cpr, Grouping::Parted, after);
    shape.separator = all.get(8)?.gap;
    shape.full_year = true;
    shape.needs = Need::Label;
    Some(shape)
}

/// Date, separator, four digits.
fn dated(atoms: &[Atom], first: usize, lengths: Lengths, today: Date) -> Option<Shape> {
    let date = lengths.day + lengths.month + lengths.year;
    let all = atoms.get(first..first + date + 4)?;
    let written = date_gaps(all, lengths)?;
    if !all.get(date + 1..)?.iter().all(|atom| atom.gap.tight()) {
        return None;
    }
    let separator = all.get(date)?.gap;
    if separator.kind == Kind::Mixed {
        return None;
    }
    let after = atoms.get(first + date + 4).map_or(NO_GAP, |atom| atom.gap);
    let chained = all.first()?.gap.kind == Kind::Touching || after.kind == Kind::Touching;
    if after.kind == Kind::Touching && !(separator.kind == Kind::Hyphen && chained_to_next(atoms, first + date + 4)) {
        return None;
    }
    let mut chars = canonical_date(all, lengths)?;
    for (slot, atom) in chars.iter_mut().skip(6).zip(all.iter().skip(date)) {
        *slot = b'0' + atom.value;
    }
    let cpr = Cpr::from_chars(chars, today).ok()?;
    if lengths.year == 4 && written_year(all, lengths) != cpr.birth().year() {
        return None;
    }
    let parted_date = !all.iter().take(date).skip(1).all(|atom| atom.gap.tight());
    let bare = !parted_date && separator.tight();
    // A sign in the date and none before the serial: `0101 901234` is a telephone or account number.
    let odd = parted_date && separator.tight();
    let mut shape = shape(all, cpr, if bare { Grouping::Bare } else { Grouping::Parted }, after);
    shape.separator = separator;
    shape.parted_date = parted_date;
    shape.short_date = lengths.day == 1 || lengths.month == 1;
    shape.full_year = lengths.year == 4;
    // `01.01.26 1230-1400`: the day is the end of another date.
    let blank_after_day = all.get(lengths.day).is_some_and(|atom| atom.gap.kind == Kind::Space);
    shape.borrowed_day = blank_after_day && shape.before.sign_at_once();
    let needs = if odd { Need::Label } else { written };
    shape.needs = needs.max(joined_by(&shape));
    shape.chained = chained;
    Some(shape)
}

/// Six digits and the same hyphen follow at once: `010190-1234020290-5678`, cells without anything between them.
fn chained_to_next(atoms: &[Atom], next: usize) -> bool {
    let touching = |at: usize| atoms.get(at).is_some_and(|atom| atom.gap.kind == Kind::Touching);
    let hyphen = atoms.get(next + 6).is_some_and(|atom| atom.gap.kind == Kind::Hyphen);
    hyphen && (next..next + 6).all(touching)
}

/// The other side of [`chained_to_next`]: a hyphen and four digits come before, and a hyphen after six.
#[inline]
fn chained_to_last(atoms: &[Atom], first: usize) -> bool {
    let hyphen = |at: usize| atoms.get(at).is_some_and(|atom| atom.gap.kind == Kind::Hyphen);
    first
        .checked_sub(4)
        .is_some_and(|serial| hyphen(serial) && chained_to_next(atoms, first))
}

/// The gaps within a date are ones that dates have, and what a date so written needs beside it.
fn date_gaps(all: &[Atom], lengths: Lengths) -> Option<Need> {
    let date = lengths.day + lengths.month + lengths.year;
    let mut lines = 0;
    for (n, atom) in all.iter().enumerate().take(date).skip(1) {
        let joint = n == lengths.day || n == lengths.day + lengths.month;
        let sign = matches!(
            atom.gap.kind,
            Kind::Space | Kind::Dot | Kind::Slash | Kind::Hyphen | Kind::Underscore
        );
        let wrapped = atom.gap.kind == Kind::Line;
        lines += usize::from(wrapped);
        if !(atom.gap.tight() || wrapped || joint && sign && !atom.gap.wide) {
            return None;
        }
    }
    let first = all.get(lengths.day)?.gap;
    let second = all.get(lengths.day + lengths.month)?.gap;
    let short = lengths.day == 1 || lengths.month == 1;
    let hyphen = all
        .get(date)
        .is_some_and(|atom| atom.gap.kind == Kind::Hyphen && !atom.gap.spaced && !atom.gap.line);
    let lost_zero = lengths.may_lose_its_zero() && !first.signed() && !second.signed();
    if lines > 1 || short && !lost_zero && !(first.signed() && second.signed()) {
        return None;
    }
    Some(match (first.tight(), second.tight()) {
        _ if lines > 0 || lost_zero => Need::Label,
        // `2.3.15` is a version before it is a date.
        _ if short && lengths.year == 2 && !hyphen => Need::Label,
        (true, true) => Need::Nothing,
        (false, false) if goes_with(first.kind, second.kind) => Need::Nothing,
        // `0101 90 1234`; but `2011-01`, `1205.10`, `77 1234` are no dates of birth.
        (true, false) if second.kind == Kind::Space && !second.line => Need::Nothing,
        (false, true) if first.kind == Kind::Space && hyphen => Need::Support,
        _ => Need::Label,
    })
}

/// Two signs of one date: the same twice, `1/1-90`, `1. 1 90`.
fn goes_with(first: Kind, second: Kind) -> bool {
    first == second || matches!((first, second), (Kind::Slash, Kind::Hyphen) | (Kind::Dot, Kind::Space))
}

/// What the joint of date and serial, and the digits beside both, make it need.
fn joined_by(shape: &Shape) -> Need {
    let separator = shape.separator;
    let compact = !shape.parted_date && !shape.full_year;
    let hyphen = separator.kind == Kind::Hyphen;
    let at_once = |gap: Gap| gap.sign_at_once() || gap.kind == Kind::Comma && !gap.spaced && !gap.line;
    // `2.3.14 2021-03-04`, `90.0508 89.6875`, `149.20.4.15) 1472`: the ends belong to other numbers.
    let torn = at_once(shape.after) || shape.before.sign_at_once() || shape.parted_date && at_once(shape.before);
    let alone = shape.before.kind == Kind::Break && shape.after.kind == Kind::Break;
    let row = |gap: Gap| gap.kind == Kind::Space || gap.kind == separator.kind;
    match separator.kind {
        _ if shape.chained => Need::Nothing,
        _ if shape.grouping == Grouping::Parted && torn && !(hyphen && compact) => Need::Label,
        Kind::Line if compact => Need::Support,
        _ if separator.line && !hyphen => Need::Label,
        // A row of numbers that goes on: `1206 90 1206 741`.
        Kind::Space if shape.parted_date && (row(shape.before) || row(shape.after)) => Need::Label,
        // `31/07/02 +0100` has a time zone.
        Kind::Plus if separator.spaced || shape.parted_date => Need::Label,
        Kind::Plus => Need::Support,
        // `100122_0100_06`
        Kind::Underscore if shape.after.kind == Kind::Underscore => Need::Support,
        // Columns of numbers.
        Kind::Comma | Kind::Column if !alone => Need::Support,
        Kind::Space if separator.wide && !alone => Need::Support,
        _ => Need::Nothing,
    }
}

/// `DDMMYY` in canonical form, rest zero.
fn canonical_date(all: &[Atom], lengths: Lengths) -> Option<[u8; 10]> {
    let value = |at: usize| all.get(at).map(|atom| b'0' + atom.value);
    let part = |at: usize, length: usize| -> Option<(u8, u8)> {
        if length == 1 {
            Some((b'0', value(at)?))
        } else {
            Some((value(at + length - 2)?, value(at + length - 1)?))
        }
    };
    let (d1, d2) = part(0, lengths.day)?;
    let (m1, m2) = part(lengths.day, lengths.month)?;
    let (y1, y2) = part(lengths.day + lengths.month, lengths.year)?;
    Some([d1, d2, m1, m2, y1, y2, b'0', b'0', b'0', b'0'])
}

fn written_year(all: &[Atom], lengths: Lengths) -> i32 {
    number_of(all.iter().skip(lengths.day + lengths.month).take(4))
}

fn number_of<'a>(digits: impl Iterator<Item = &'a Atom>) -> i32 {
    digits.fold(0, |sum, atom| sum * 10 + i32::from(atom.value))
}

/// The hospital form: date, digit, two letters, digit.
fn letters(text: &str, atoms: &[Atom], first: usize, lengths: Lengths, today: Date) -> Option<Shape> {
    let date = lengths.day + lengths.month + lengths.year;
    let all = atoms.get(first..first + date + 1)?;
    if lengths.day != 2 || lengths.month != 2 {
        return None;
    }
    let last = all.last()?;
    let tail = text.as_bytes().get(last.end..last.end + 3)?;
    let &[a, b, c] = tail else { return None };
    if !(a.is_ascii_alphabetic() && b.is_ascii_alphabetic() && c.is_ascii_digit()) {
        return None;
    }
    let glued = text.as_bytes().get(last.end + 3).is_some_and(u8::is_ascii_alphanumeric);
    let separator = last.gap;
    let lower = a.is_ascii_lowercase() || b.is_ascii_lowercase();
    if glued || separator.tight() && lower || date_gaps(all, lengths)? == Need::Label {
        return None;
    }
    if !matches!(separator.kind, Kind::Hyphen | Kind::Space) && !separator.tight() {
        return None;
    }
    let mut chars = canonical_date(all, lengths)?;
    for (slot, byte) in chars.iter_mut().skip(6).zip([b'0' + last.value, a, b, c]) {
        *slot = byte.to_ascii_uppercase();
    }
    let cpr = Cpr::from_chars(chars, today).ok()?;
    if lengths.year == 4 && written_year(all, lengths) != cpr.birth().year() {
        return None;
    }
    let parted_date = !all.iter().take(date).skip(1).all(|atom| atom.gap.tight());
    let grouping = if parted_date || !separator.tight() {
        Grouping::Parted
    } else {
        Grouping::Bare
    };
    let mut shape = shape(all, cpr, grouping, NO_GAP);
    if lower || shape.before.sign_at_once() {
        shape.needs = Need::Label;
    }
    for at in last.end..last.end + 3 {
        shape.digits.push(at..at + 1);
    }
    shape.span.end = last.end + 3;
    shape.separator = separator;
    shape.parted_date = parted_date;
    shape.full_year = lengths.year == 4;
    Some(shape)
}

/// Pairs and single digits, evenly spread.
fn spread(atoms: &[Atom], first: usize, today: Date) -> Option<Shape> {
    let all = atoms.get(first..first + 10)?;
    let before = all.first()?.gap;
    let after = atoms.get(first + 10).map_or(NO_GAP, |atom| atom.gap);
    if after.kind == Kind::Touching {
        return None;
    }
    let singles = !all.iter().skip(1).any(|atom| atom.gap.tight());
    let even = all.get(1)?.gap.kind;
    let fits = |n: usize, gap: Gap| -> bool {
        if singles {
            gap.kind == even || n == 6 && matches!(gap.kind, Kind::Hyphen | Kind::Column)
        } else if n.is_multiple_of(2) {
            gap.kind == Kind::Space && !gap.wide
        } else {
            gap.tight()
        }
    };
    if even == Kind::Mixed || !all.iter().enumerate().skip(1).all(|(n, atom)| fits(n, atom.gap)) {
        return None;
    }
    // A row that goes on in the same way is longer than ten digits.
    let step = if singles { 1 } else { 2 };
    let rhythm = if singles { even } else { Kind::Space };
    let group_ends = |at: Option<usize>| {
        at.and_then(|at| atoms.get(at))
            .is_none_or(|atom| atom.gap.kind != Kind::Touching)
    };
    let goes_on = after.kind == rhythm && group_ends(Some(first + 10 + step));
    let came_so = before.kind == rhythm && group_ends(first.checked_sub(step));
    if goes_on || came_so {
        return None;
    }
    let mut chars = [b'0'; 10];
    for (slot, atom) in chars.iter_mut().zip(all) {
        *slot = b'0' + atom.value;
    }
    let cpr = Cpr::from_chars(chars, today).ok()?;
    let mut shape = shape(
        all,
        cpr,
        if singles { Grouping::Singles } else { Grouping::Pairs },
        after,
    );
    // Rows of small numbers look like this too.
    let wide = all.iter().skip(1).any(|atom| atom.gap.wide);
    let hyphen = singles && all.get(6)?.gap.kind == Kind::Hyphen && even != Kind::Hyphen;
    shape.needs = if wide {
        Need::Label
    } else if hyphen {
        Need::Nothing
    } else if !singles || matches!(even, Kind::Space | Kind::Column | Kind::Hyphen) {
        Need::Support
    } else {
        Need::Label
    };
    Some(shape)
}

fn shape(all: &[Atom], cpr: Cpr, grouping: Grouping, after: Gap) -> Shape {
    let before = all.first().map_or(NO_GAP, |atom| atom.gap);
    let unseen = |gap: Gap| matches!(gap.kind, Kind::Invisible | Kind::Soft);
    let start = all.first().map_or(0, |atom| atom.start);
    let end = all.last().map_or(start, |atom| atom.end);
    Shape {
        cpr,
        span: start..end,
        digits: all.iter().map(|atom| atom.start..atom.end).collect(),
        grouping,
        separator: NO_GAP,
        parted_date: false,
        short_date: false,
        full_year: false,
        cut: unseen(before) || unseen(after),
        before,
        after,
        borrowed_day: false,
        chained: false,
        needs: Need::Nothing,
        invisible: all.iter().skip(1).any(|atom| unseen(atom.gap)),
    }
}
