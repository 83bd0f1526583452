//! Look-alikes: signs around a span that it is part of something else.
//!
//! Each lowers this one span only. Rejected outright is what [`plainly`] names; all else is a weight.

use super::Checksum;
use super::atoms::{Gap, Kind};
use super::context::{after, before};
use super::features::{self as f, Evidence};
use super::number::Series;
use super::shape::{Grouping, Shape};
use super::words::words_in;
use time::Date;

/// Bytes of a token looked at on each side.
const TOKEN: usize = 64;

/// Whether the digits are plainly something else: part of a decimal, of a hash or other code, of base64, of a DOI. A heading
/// far above does not change that; only a CPR word beside it does.
pub(super) fn plainly(text: &str, shape: &Shape, heading: bool) -> bool {
    if shape.grouping != Grouping::Bare {
        return false;
    }
    let lead = before(text, shape.span.start, TOKEN);
    let tail = after(text, shape.span.end, TOKEN);
    !heading && decimal(shape, lead, tail)
        || inside_a_name(lead, tail)
        || code(lead, tail, true)
        || base64(lead, tail)
        || doi(lead)
        || boundary(lead)
        || pdf_offset(tail)
}

/// `3.0101901234`, `0101901234.50`, `3,0101901234`: part of a decimal.
fn decimal(shape: &Shape, lead: &str, tail: &str) -> bool {
    let at_once = |gap: Gap, kind: Kind| gap.kind == kind && !gap.spaced && !gap.line;
    let column = |next: Option<char>| next.is_none_or(|c| matches!(c, ',' | ';' | '\t' | '"' | '\n' | '\r' | '|'));
    let whole = || {
        let rest = lead.strip_suffix(',').unwrap_or("");
        let digits = rest.bytes().rev().take_while(u8::is_ascii_digit).count();
        (1..=4).contains(&digits) && !rest.get(..rest.len() - digits).is_some_and(|more| more.ends_with(','))
    };
    // `.0110343353`, as programs print fractions.
    let point = || {
        lead.strip_suffix('.')
            .is_some_and(|rest| rest.ends_with(['[', '(', ' ', '-', ',', '=', '\t', '\n']))
    };
    at_once(shape.before, Kind::Dot)
        || point()
        || at_once(shape.after, Kind::Dot) && short_fraction(tail)
        || at_once(shape.before, Kind::Comma) && !column(tail.chars().next()) && whole()
}

/// After a dot: up to six digits, and no letter after them (`.7z`, `.2024.pdf` are file names).
fn short_fraction(tail: &str) -> bool {
    let rest = tail.trim_start_matches('.');
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    let next = rest.get(digits..).and_then(|tail| tail.chars().next());
    (1..=6).contains(&digits) && !next.is_some_and(|c| c.is_alphanumeric() || c == '.')
}

/// The letters and digits that touch a span, on both sides.
fn touching<'t>(lead: &'t str, tail: &'t str) -> (&'t str, &'t str) {
    let other = |c: char| !c.is_ascii_alphanumeric();
    let left = lead
        .rfind(other)
        .map_or(lead, |at| lead.get(at..).unwrap_or("").trim_start_matches(other));
    let right = tail.find(other).map_or(tail, |at| tail.get(..at).unwrap_or(""));
    (left, right)
}

/// The token mixes letters and digits beyond the number itself. `CPR0101901234`, `0101901234pdf` are words;
/// `a0101901234bf3`, `0101901234ab9f`, `0x0101901234`, `0101901234UL` are codes.
fn code(lead: &str, tail: &str, bare: bool) -> bool {
    let (mut left, right) = touching(lead, tail);
    // `cpr%3D0101901234`: the letter belongs to an escape.
    if lead
        .get(..lead.len() - left.len())
        .is_some_and(|rest| rest.ends_with('%'))
    {
        left = left.get(2..).unwrap_or("");
    }
    let letters = |part: &str| part.bytes().any(|b| b.is_ascii_alphabetic());
    let mixed = |part: &str| letters(part) && part.bytes().any(|b| b.is_ascii_digit());
    let hex = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_hexdigit());
    // `c7cd481b-0101901234`, `0c193feb.0101901234`
    let hash = lead
        .strip_suffix(['-', '.', '_'])
        .map_or("", |rest| touching(rest, "").0);
    if bare && hash.len() >= 8 && hex(hash) && mixed(hash) {
        return true;
    }
    // The types of C's numbers.
    let suffix = ["U", "UL", "ULL", "L", "LL", "ul", "ull", "ll"].contains(&right)
        && !tail
            .get(right.len()..)
            .is_some_and(|rest| rest.starts_with(char::is_alphabetic));
    // A separator speaks against a code: `notat010190-1234v2` is a file's name.
    if bare {
        mixed(left) || mixed(right) || suffix
    } else {
        mixed(left) && mixed(right)
    }
}

/// `textscalc0101901234xml_1`: letters on both sides, and the word before says nothing of a person.
fn inside_a_name(lead: &str, tail: &str) -> bool {
    let (left, right) = touching(lead, tail);
    left.len() >= 3 && right.len() >= 2 && words_in(&left.to_lowercase()).is_empty()
}

/// `…b24/0101901234+Zm9v…`: the neighbour behind one `/` or `+` is a long mixture of small and capital letters and digits.
fn base64(lead: &str, tail: &str) -> bool {
    let piece = |part: &str| {
        part.len() >= 12
            && part.bytes().any(|b| b.is_ascii_digit())
            && part.bytes().any(|b| b.is_ascii_lowercase())
            && part.bytes().any(|b| b.is_ascii_uppercase())
    };
    let left = lead.strip_suffix(['/', '+']).map_or("", |rest| touching(rest, "").0);
    let right = tail.strip_prefix(['/', '+']).map_or("", |rest| touching("", rest).1);
    piece(left) || piece(right)
}

/// `10.1016/j.abc.0101901234`: ISO 26324, a prefix `10.` with four digits and more, a slash.
fn doi(lead: &str) -> bool {
    let token = lead.rsplit(char::is_whitespace).next().unwrap_or("");
    token.match_indices("10.").any(|(at, _)| {
        let rest = token.get(at + 3..).unwrap_or("");
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        digits >= 4 && rest.get(digits..).is_some_and(|rest| rest.starts_with('/'))
    })
}

/// Adds every sign against.
pub(super) fn weigh(text: &str, shape: &Shape, labelled: bool, person: bool, evidence: &mut Evidence) {
    let named = labelled || person;
    let lead = before(text, shape.span.start, TOKEN);
    let tail = after(text, shape.span.end, TOKEN);
    glue(lead, tail, shape.grouping == Grouping::Bare, named, evidence);
    let hangs = |gap: Gap| matches!(gap.kind, Kind::Hyphen | Kind::Dot) && !gap.spaced && !gap.line;
    let (left, right) = (hangs(shape.before), hangs(shape.after));
    let long = left && long_group(lead.bytes().rev()) || right && long_group(tail.bytes());
    if shape.borrowed_day || left && right || long {
        evidence.add(f::LONGER_GROUP);
    } else if left || right {
        evidence.add(f::NEXT_GROUP);
    }
    let short = |digits: usize| (1..=3).contains(&digits);
    let group = lead
        .strip_suffix(['-', '.'])
        .map_or(0, |rest| rest.bytes().rev().take_while(u8::is_ascii_digit).count());
    evidence.when(
        shape.grouping == Grouping::Bare && !labelled && left && !long && short(group),
        f::HUNG,
    );
    let sure = shape.grouping == Grouping::Bare && shape.cpr.passes_modulus_11();
    evidence.when(
        !labelled
            && !sure
            && tail.starts_with('@')
            && tail
                .get(1..)
                .is_some_and(|host| host.starts_with(|c: char| c.is_alphanumeric())),
        f::MAIL_ADDRESS,
    );
    evidence.when(phone_plus(lead), f::PLUS_PREFIX);
    evidence.when(!labelled && in_url(lead), f::URL);
    // A key of one or two letters says nothing.
    let named_key = assigned(lead) && touching(lead.trim_end_matches(['=', '@']), "").0.len() >= 3;
    let key = in_url(lead) || named_key;
    evidence.when(shape.grouping == Grouping::Bare && !named && key, f::BARE_KEY);
    let secret = shape.cpr.secret();
    // Days over 60 are replacement numbers here and years of birth there; on other days both are possible.
    let replacement = shape.cpr.series() == Series::Replacement;
    evidence.when(
        replacement && !shape.cpr.passes_modulus_11() && swedish(secret.reveal()),
        f::SWEDISH,
    );
    evidence.when(payment_line(lead, tail), f::PAYMENT_LINE);
    evidence.when(message_id(lead, tail), f::MESSAGE_ID);
    if shape.grouping == Grouping::Bare {
        evidence.when(amount(tail), f::AMOUNT);
        let banking = registration_number(lead) && {
            let lower = lead.to_lowercase();
            ["konto", "bank", "indsæt", "overfør", "betal", "kto"]
                .iter()
                .any(|word| lower.contains(word))
        };
        evidence.when(account(lead) || banking, f::ACCOUNT);
        evidence.when(!labelled && assigned(lead), f::ASSIGNED);
        let column = |gap: Gap| gap.kind == Kind::Comma && !gap.spaced && !gap.line;
        evidence.when(
            !labelled && column(shape.before) && column(shape.after),
            f::AMONG_NUMBERS,
        );
        evidence.when(registration_number(lead), f::REGISTRATION_NUMBER);
        let from_one = !shape.full_year && secret.reveal().starts_with('1');
        evidence.when(from_one && !shape.cpr.passes_modulus_11(), f::UNIX_TIME);
    }
    if shape.separator.kind == Kind::Space && shape.grouping == Grouping::Parted {
        evidence.when(time_of_day(shape), f::TIME_OF_DAY);
    }
}

/// The group of digits that hangs on by a sign is longer than a count or a version, and no year or date of a file's name.
fn long_group(mut away: impl Iterator<Item = u8>) -> bool {
    away.next();
    let digits: Vec<u8> = away.take_while(u8::is_ascii_digit).take(16).collect();
    digits.len() > 4 && digits.len() != 8 || digits.len() == 4 && !year(&digits)
}

/// `19..` or `20..`, read from either end.
fn year(digits: &[u8]) -> bool {
    let century =
        |a: Option<&u8>, b: Option<&u8>| matches!((a, b), (Some(b'1'), Some(b'9')) | (Some(b'2'), Some(b'0')));
    century(digits.first(), digits.get(1)) || century(digits.get(3), digits.get(2))
}

/// Letters at the number, and whether they belong to a code.
fn glue(lead: &str, tail: &str, bare: bool, named: bool, evidence: &mut Evidence) {
    let (left, right) = touching(lead, tail);
    let hex = |part: &str| !part.is_empty() && part.bytes().all(|b| matches!(b, b'a'..=b'f'));
    if code(lead, tail, bare) {
        evidence.add(f::GLUED_CODE);
    } else if bare && (hex(left) || hex(right)) {
        evidence.add(f::GLUED_HEX);
    } else if bare && !named && left.len() >= 5 {
        evidence.add(f::GLUED_WORD);
    } else if left.bytes().chain(right.bytes()).any(|b| b.is_ascii_alphabetic()) {
        evidence.add(f::GLUED_LETTERS);
    }
}

/// `+` as in telephone numbers, perhaps with the country's code; between letters it is a blank of a URL.
fn phone_plus(lead: &str) -> bool {
    let lead = lead.trim_end_matches([' ', '(', ')', '-']);
    let code = lead.trim_end_matches(|c: char| c.is_ascii_digit());
    lead.len() - code.len() <= 3
        && code
            .strip_suffix('+')
            .is_some_and(|rest| !rest.ends_with(|c: char| c.is_alphanumeric() || c == '='))
}

/// `=` or `@` behind a name.
fn assigned(lead: &str) -> bool {
    lead.strip_suffix(['=', '@'])
        .is_some_and(|name| name.ends_with(char::is_alphanumeric))
}

/// In a web address, before any blank.
fn in_url(lead: &str) -> bool {
    let token = lead
        .rsplit(|c: char| c.is_whitespace() || matches!(c, '"' | '<' | '>'))
        .next()
        .unwrap_or("");
    token.contains("://") || token.starts_with("www.")
}

/// Four digits and a hyphen before ten digits.
fn account(lead: &str) -> bool {
    let Some(rest) = lead.strip_suffix('-').or_else(|| lead.strip_suffix(" - ")) else {
        return false;
    };
    let digits = rest.bytes().rev().take_while(u8::is_ascii_digit).count();
    let year = rest
        .get(rest.len() - digits..)
        .is_some_and(|year| year.starts_with("19") || year.starts_with("20"));
    digits == 4 && !year
}

/// `YYMMDD-XXXX` with Luhn over all ten: Skatteverket, "Personnummer".
fn swedish(digits: &str) -> bool {
    let part = |at: usize| {
        digits
            .get(at..at + 2)
            .and_then(|part| part.parse::<u8>().ok())
            .unwrap_or(0)
    };
    (1..=12).contains(&part(2)) && (1..=31).contains(&part(4)) && Checksum::Luhn.holds(digits)
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

/// `,50`, and no further column.
fn amount(tail: &str) -> bool {
    let Some(rest) = tail.strip_prefix(',') else {
        return false;
    };
    if rest.starts_with('-') {
        return true;
    }
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    let mut next = rest.get(2..).unwrap_or("").chars();
    let column = match next.next() {
        Some(';' | '\t' | '"') => true,
        Some(',') => next.next().is_some_and(|c| !c.is_whitespace()),
        _ => false,
    };
    digits == 2 && !column
}

/// `--==_Part_0101901234`: a boundary of MIME; RFC 2045, 6.7, advises `=_` in them.
fn boundary(lead: &str) -> bool {
    let token = lead
        .rsplit(|c: char| c.is_whitespace() || c == '"')
        .next()
        .unwrap_or("");
    token.contains("=_") || token.starts_with("--=")
}

/// `0000000016 00000 n`: an entry of a PDF's table of objects (ISO 32000-1, 7.5.4).
fn pdf_offset(tail: &str) -> bool {
    let bytes = tail.as_bytes();
    bytes.first() == Some(&b' ')
        && bytes
            .get(1..6)
            .is_some_and(|generation| generation.iter().all(u8::is_ascii_digit))
        && matches!(bytes.get(6..8), Some(b" n" | b" f"))
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

/// Rows: ten-digit numbers (perhaps with a hyphen or blank after six) that stand close together. How many have a possible
/// date, and how many modulus 11 as well, tells a list of people from a list of things; one list never speaks for another.
#[derive(Debug, Default)]
pub(super) struct Rows {
    rows: Vec<Row>,
}

/// One row.
#[derive(Debug)]
pub(super) struct Row {
    start: usize,
    end: usize,
    seen: u32,
    dated: u32,
    passed: u32,
}

/// Bytes between two numbers of one row.
const APART: usize = 160;
/// Fewer say nothing.
const ENOUGH: u32 = 6;

impl Rows {
    /// Counts a run of exactly ten digits.
    pub(super) fn count(&mut self, start: usize, end: usize, chars: [u8; 10], today: Date) {
        let cpr = super::number::Cpr::from_chars(chars, today).ok();
        let dated = u32::from(cpr.is_some());
        let passed = u32::from(cpr.is_some_and(|cpr| cpr.passes_modulus_11() || cpr.on_date_without_modulus_11()));
        match self.rows.last_mut() {
            Some(row) if start.saturating_sub(row.end) <= APART => {
                row.end = end;
                row.seen += 1;
                row.dated += dated;
                row.passed += passed;
            }
            _ => self.rows.push(Row {
                start,
                end,
                seen: 1,
                dated,
                passed,
            }),
        }
    }

    /// The row that holds this offset, when it is long enough to tell.
    pub(super) fn around(&self, at: usize) -> Option<&Row> {
        let row = self
            .rows
            .get(self.rows.partition_point(|row| row.start <= at).checked_sub(1)?)?;
        (at < row.end && row.seen >= ENOUGH).then_some(row)
    }
}

impl Row {
    /// How many have a possible date and modulus 11, in hundredths.
    pub(super) fn rate(&self) -> u32 {
        self.passed.saturating_mul(100) / self.seen.max(1)
    }

    /// Nine in ten have a possible date.
    pub(super) fn dated(&self) -> bool {
        self.dated.saturating_mul(10) >= self.seen.saturating_mul(9)
    }
}
