//! Look-alikes: signs around a span that it is part of something else.
//!
//! Each lowers this one span only. Rejected outright is a decimal fraction without a CPR word, and nothing else.

use super::atoms::{Gap, Kind};
use super::context::{after, before};
use super::features::{self as f, Evidence};
use super::shape::{Grouping, Shape};
use time::Date;

/// Bytes of a token looked at on each side.
const TOKEN: usize = 64;

/// `3.0101901234` or `0101901234.50`: part of a decimal.
pub(super) fn decimal(text: &str, shape: &Shape) -> bool {
    let plain = shape.grouping == Grouping::Bare;
    let sign = |kind: Kind, spaced: bool, line: bool| kind == Kind::Dot && !spaced && !line;
    plain
        && (sign(shape.before.kind, shape.before.spaced, shape.before.line)
            || sign(shape.after.kind, shape.after.spaced, shape.after.line) && short_fraction(text, shape.span.end))
}

/// After the dot at `at`: up to six digits, and no letter after them (`.7z`, `.2024.pdf` are file names).
fn short_fraction(text: &str, at: usize) -> bool {
    let rest = after(text, at, 10).trim_start_matches('.');
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    let next = rest.get(digits..).and_then(|tail| tail.chars().next());
    (1..=6).contains(&digits) && !next.is_some_and(|c| c.is_alphanumeric() || c == '.')
}

/// Adds every sign against.
pub(super) fn weigh(text: &str, shape: &Shape, evidence: &mut Evidence) {
    let lead = before(text, shape.span.start, TOKEN);
    let tail = after(text, shape.span.end, TOKEN);
    glue(lead, tail, shape.grouping == Grouping::Bare, evidence);
    let hangs = |gap: Gap| matches!(gap.kind, Kind::Hyphen | Kind::Dot) && !gap.spaced && !gap.line;
    match (hangs(shape.before), hangs(shape.after)) {
        _ if shape.borrowed_day => evidence.add(f::LONGER_GROUP),
        (true, true) => evidence.add(f::LONGER_GROUP),
        (false, false) => {}
        _ => evidence.add(f::NEXT_GROUP),
    }
    evidence.when(phone_plus(lead), f::PLUS_PREFIX);
    evidence.when(payment_line(lead, tail), f::PAYMENT_LINE);
    evidence.when(message_id(lead, tail), f::MESSAGE_ID);
    if shape.grouping == Grouping::Bare {
        evidence.when(amount(tail), f::AMOUNT);
        evidence.when(registration_number(lead), f::REGISTRATION_NUMBER);
        let secret = shape.cpr.secret();
        let from_one = !shape.full_year && secret.reveal().starts_with('1');
        evidence.when(from_one && !shape.cpr.passes_modulus_11(), f::UNIX_TIME);
    }
    if shape.separator.kind == Kind::Space && shape.grouping == Grouping::Parted {
        evidence.when(time_of_day(shape), f::TIME_OF_DAY);
    }
}

/// Letters at the number, and whether they belong to a code.
fn glue(lead: &str, tail: &str, bare: bool, evidence: &mut Evidence) {
    let in_token = |c: char| c.is_ascii_alphanumeric();
    let left = lead.rfind(|c| !in_token(c)).map_or(lead, |at| {
        lead.get(at..).unwrap_or("").trim_start_matches(|c| !in_token(c))
    });
    let right = tail
        .find(|c| !in_token(c))
        .map_or(tail, |at| tail.get(..at).unwrap_or(""));
    let letters = |part: &str| part.bytes().filter(u8::is_ascii_alphabetic).count();
    if letters(left) + letters(right) == 0 {
        return;
    }
    let digits = |part: &str| part.bytes().any(|b| b.is_ascii_digit());
    // `CPR0101901234`, `0101901234pdf` are words; `a0101901234bf3`, `0101901234ab9f` are codes.
    let hex = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_hexdigit());
    let code = |part: &str| digits(part) && letters(part) > 0;
    // A separator speaks against a code: `notat010190-1234v2` is a file's name.
    let mixed = if bare {
        code(left) || code(right)
    } else {
        code(left) && code(right)
    };
    let both_hex = !left.is_empty() && !right.is_empty() && (hex(left) || hex(right));
    if mixed || both_hex {
        evidence.add(f::GLUED_CODE);
    } else {
        evidence.add(f::GLUED_LETTERS);
    }
}

/// `+` as in telephone numbers; between letters it is a blank of a URL.
fn phone_plus(lead: &str) -> bool {
    lead.strip_suffix('+')
        .is_some_and(|rest| !rest.ends_with(|c: char| c.is_alphanumeric() || c == '='))
}

/// FIK line: `+71<123456789012345+12345678<`.
fn payment_line(lead: &str, tail: &str) -> bool {
    let opens = lead.rfind('<').is_some_and(|at| {
        lead.get(..at)
            .is_some_and(|kind| kind.trim_end().ends_with(|c: char| c.is_ascii_digit()))
    });
    let closes = tail
        .trim_start_matches(|c: char| c.is_ascii_digit())
        .trim_start()
        .starts_with(['+', '<']);
    opens && closes
}

/// Between angle brackets, with an at sign and no blank.
fn message_id(lead: &str, tail: &str) -> bool {
    let stop = |c: char| c.is_whitespace() || matches!(c, '<' | '>');
    let opens = lead
        .rfind(stop)
        .is_some_and(|at| lead.get(at..).is_some_and(|rest| rest.starts_with('<')));
    let end = tail.find(stop);
    let closes = end.is_some_and(|at| tail.get(at..).is_some_and(|rest| rest.starts_with('>')));
    opens && closes && end.and_then(|at| tail.get(..at)).is_some_and(|rest| rest.contains('@'))
}

/// `,50` and no further column.
fn amount(tail: &str) -> bool {
    let Some(rest) = tail.strip_prefix(',') else {
        return false;
    };
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    digits == 2
        && !rest
            .get(2..)
            .is_some_and(|next| next.starts_with([',', ';', '\t', '.']))
}

/// `1234 ` before ten digits.
fn registration_number(lead: &str) -> bool {
    let Some(rest) = lead.strip_suffix([' ', '-']) else {
        return false;
    };
    let digits = rest.bytes().rev().take_while(u8::is_ascii_digit).count();
    digits == 4
        && !rest
            .get(..rest.len() - 4)
            .is_some_and(|more| more.ends_with(['.', '-', '/']))
}

/// The serial reads as HHMM.
fn time_of_day(shape: &Shape) -> bool {
    let secret = shape.cpr.secret();
    let serial = secret.reveal().get(6..).and_then(|serial| serial.parse::<u16>().ok());
    serial.is_some_and(|serial| serial / 100 < 24 && serial % 100 < 60)
}

/// How many of a row of ten-digit numbers are possible CPR numbers with modulus 11 (or on a date without).
///
/// The seam for judging whole lists: a row is what stands close together, so one list never speaks for another.
#[derive(Debug, Default)]
pub(super) struct Rows {
    rows: Vec<Row>,
}

#[derive(Debug)]
struct Row {
    start: usize,
    end: usize,
    seen: u32,
    passed: u32,
}

/// Bytes between two numbers of one row.
const APART: usize = 160;
/// Fewer say nothing.
const ENOUGH: u32 = 8;

impl Rows {
    /// Counts a run of exactly ten digits.
    pub(super) fn count(&mut self, start: usize, end: usize, passed: bool) {
        let passed = u32::from(passed);
        match self.rows.last_mut() {
            Some(row) if start.saturating_sub(row.end) <= APART => {
                row.end = end;
                row.seen += 1;
                row.passed += passed;
            }
            _ => self.rows.push(Row {
                start,
                end,
                seen: 1,
                passed,
            }),
        }
    }

    /// The pass rate in hundredths of the row that holds this offset, when the row is long enough to tell.
    pub(super) fn rate(&self, at: usize) -> Option<u32> {
        let row = self
            .rows
            .get(self.rows.partition_point(|row| row.start <= at).checked_sub(1)?)?;
        (at < row.end && row.seen >= ENOUGH).then(|| row.passed.saturating_mul(100) / row.seen)
    }
}

/// A ten-digit number that a list of CPR numbers would hold.
pub(super) fn passes(chars: [u8; 10], today: Date) -> bool {
    super::number::Cpr::from_chars(chars, today)
        .is_ok_and(|cpr| cpr.passes_modulus_11() || cpr.on_date_without_modulus_11())
}
