//! Prose: "født 1. januar 1990 … de sidste fire cifre er 1234". Date and serial far apart, a phrase between them.
//!
//! Starts from the phrase, which is rare, and looks a fixed way to both sides.

use super::context::{self, after, before};
use super::features::{self as f, Evidence};
use super::find::Reading;
use super::number::Cpr;
use super::score;
use super::words::{Says, words_in};
use regex::Regex;
use std::ops::Range;
use std::sync::LazyLock;
use time::Date;

/// Bytes from the phrase back to the birth date.
const BACK: usize = 400;
/// The same for a hint.
const BACK_HINT: usize = 100;
/// Bytes from the phrase to its digits, and on to a birth date that comes after it.
const ON: usize = 200;
/// Bytes from a CPR word to a birth date in words with its serial.
const BESIDE: usize = 90;
/// Bytes that hold the serial behind a date.
const BEHIND_IT: usize = 16;
/// Birth dates before the phrase that are considered.
const DATES_BACK: usize = 4;

/// Month names by their first letters, in five languages; what follows the stem does not matter.
const MONTHS: [&[&str]; 12] = [
    &["jan"],
    &["feb"],
    &["mar", "mär", "mrz"],
    &["apr"],
    &["maj", "may", "mai"],
    &["jun"],
    &["jul"],
    &["aug"],
    &["sep"],
    &["okt", "oct"],
    &["nov"],
    &["dec", "des", "dez"],
];

const MONTH: &str = r"(?:jan|feb|mar|mär|mrz|apr|maj|may|mai|jun|jul|aug|sep|okt|oct|nov|dec|des|dez)[a-zæøåäöü]{0,7}";

/// The serial after the phrase.
static SERIAL: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"^[^0-9]{0,80}?([0-9] ?[0-9] ?[0-9] ?[0-9])(?:\D|$)").ok());

/// The serial right behind a date in words.
static BEHIND: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"^[ ,/–-]{1,3}([0-9]{4})(?:\D|$)").ok());

/// Birth dates as people write them: day month year, month day year, year-month-day, with signs, six or eight digits.
static DATES: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let pattern = format!(
        r"(?i)(?-u:\b)(?P<d1>[0-9]{{1,2}})\.?(?: of)? *(?P<m1>{MONTH})\.?,? *(?P<y1>[0-9]{{4}}|[0-9]{{2}})(?-u:\b)|(?-u:\b)(?P<m2>{MONTH})\.? *(?P<d2>[0-9]{{1,2}})(?:st|nd|rd|th)?,? *(?P<y2>[0-9]{{4}})(?-u:\b)|(?-u:\b)(?P<y3>[0-9]{{4}})-(?P<m3>[0-9]{{2}})-(?P<d3>[0-9]{{2}})(?-u:\b)|(?-u:\b)(?P<d4>[0-9]{{1,2}}) ?[./ -] ?(?P<m4>[0-9]{{1,2}}) ?[./ -] ?(?P<y4>[0-9]{{4}}|[0-9]{{2}})(?-u:\b)|(?-u:\b)(?P<d5>[0-9]{{2}})(?P<m5>[0-9]{{2}})(?P<y5>[0-9]{{4}}|[0-9]{{2}})(?-u:\b)"
    );
    Regex::new(&pattern).ok()
});

/// The numbers whose phrase this is. The birth date nearest before it is meant, else the first after it; a few others
/// are given with less weight, since whose digits they are is a reader's guess.
/// A `hint` speaks only where a CPR or birth word stands near it.
pub(super) fn read(text: &str, phrase: &Range<usize>, hint: bool, today: Date, found: &mut Vec<Reading>) {
    let tail = after(text, phrase.end, ON);
    if !serial_follows(tail.as_bytes()) {
        return;
    }
    let personal = personal(text, phrase);
    if hint && !personal {
        return;
    }
    let back = if hint { BACK_HINT } else { BACK };
    let Some(serials) = SERIAL.as_ref() else { return };
    let Some(serial) = serials.captures(tail).and_then(|captures| captures.get(1)) else {
        return;
    };
    let serial_ends = phrase.end + serial.end();
    let serial = digits_of(serial.as_str(), phrase.end + serial.start());
    let lead = before(text, phrase.start, back);
    let mut places = dates(lead, phrase.start - lead.len());
    places.reverse();
    places.truncate(DATES_BACK);
    places.extend(dates(after(text, serial_ends, ON), serial_ends).into_iter().take(1));
    let known = found.len();
    for place in places {
        if let Some(mut reading) = joined(text, &place, &serial, today) {
            reading.evidence.when(found.len() > known, f::FURTHER_DATE);
            reading.evidence.when(personal, f::PROSE_PERSONAL);
            found.push(reading);
        }
    }
}

/// Whether the first digits are four, as [`SERIAL`] wants them; asked before what costs more.
fn serial_follows(tail: &[u8]) -> bool {
    let first = tail.iter().position(u8::is_ascii_digit).unwrap_or(tail.len());
    let mut rest = tail.get(first..).unwrap_or_default();
    for n in 0..4 {
        if n > 0 {
            rest = rest.strip_prefix(b" ").unwrap_or(rest);
        }
        match rest.split_first() {
            Some((digit, more)) if digit.is_ascii_digit() => rest = more,
            _ => return false,
        }
    }
    !rest.first().is_some_and(u8::is_ascii_digit)
}

/// Whether four digits stand anywhere behind a sign of [`BEHIND`].
fn serial_within(piece: &[u8]) -> bool {
    piece.array_windows().enumerate().any(|(at, &[sign, a, b, c, d])| {
        // U+2013 ends with 0x93.
        a.is_ascii_digit()
            && matches!(sign, b' ' | b',' | b'/' | b'-' | 0x93)
            && [b, c, d].iter().all(u8::is_ascii_digit)
            && !piece.get(at + 5).is_some_and(u8::is_ascii_digit)
    })
}

/// A CPR or birth word near a hint.
fn personal(text: &str, phrase: &Range<usize>) -> bool {
    let near = |piece: &str| {
        let lower = piece.to_lowercase();
        words_in(&lower)
            .iter()
            .any(|word| matches!(word.says, Says::Cpr | Says::Birth))
            || lower.contains("seks cifre")
    };
    near(before(text, phrase.start, BACK_HINT)) || near(after(text, phrase.end, 40))
}

/// A date as people write it with its serial right behind it, soon after the CPR word that ends at `from`: `1. januar 1990-1234`.
pub(super) fn beside(text: &str, from: usize, today: Date, found: &mut Vec<Reading>) {
    let Some(serials) = BEHIND.as_ref() else { return };
    if !serial_within(after(text, from, BESIDE + BEHIND_IT).as_bytes()) {
        return;
    }
    for place in dates(after(text, from, BESIDE), from) {
        let behind = serials
            .captures(after(text, place.end, BEHIND_IT))
            .and_then(|captures| captures.get(1));
        if let Some(serial) = behind {
            let digits = digits_of(serial.as_str(), place.end + serial.start());
            let reading = joined(text, &place, &digits, today);
            // A nearer label, or the end of the sentence, takes the CPR word's place.
            let reading = reading.filter(|reading| context::around(text, &reading.span).cpr);
            // One piece: where the ordinary forms read it too, the stronger reading is taken.
            found.extend(reading.map(|reading| Reading {
                apart: false,
                ..reading
            }));
        }
    }
}

/// Where dates stand in a piece of the text that begins at `base`.
fn dates(piece: &str, base: usize) -> Vec<Range<usize>> {
    let matches = DATES.iter().flat_map(|dates| dates.find_iter(piece));
    matches.map(|date| base + date.start()..base + date.end()).collect()
}

/// Date and serial as one number.
fn joined(text: &str, place: &Range<usize>, serial: &[(u8, Range<usize>)], today: Date) -> Option<Reading> {
    let base = place.start;
    let date = DATES.as_ref()?.captures(text.get(place.clone())?)?;
    let group = |names: [&str; 5]| names.into_iter().find_map(|name| date.name(name));
    let day = group(["d1", "d2", "d3", "d4", "d5"])?;
    let month = group(["m1", "m2", "m3", "m4", "m5"])?;
    let year = group(["y1", "y2", "y3", "y4", "y5"])?;
    let day_value: u8 = day.as_str().parse().ok()?;
    let month_value: u8 = month.as_str().parse().ok().or_else(|| month_of(month.as_str()))?;
    let year_value: u16 = year.as_str().parse().ok()?;
    let mut written = format!("{day_value:02}{month_value:02}{:02}", year_value % 100);
    written.extend(serial.iter().map(|(value, _)| char::from(b'0' + value)));
    let cpr = Cpr::parse(&written, today).ok()?;
    if year.len() == 4 && i32::from(year_value) != cpr.birth().year() {
        return None;
    }
    let mut digits = digits_of(day.as_str(), base + day.start());
    if month.as_str().parse::<u8>().is_ok() {
        digits.extend(digits_of(month.as_str(), base + month.start()));
    } else {
        digits.push((0, base + month.start()..base + month.end()));
    }
    digits.extend(digits_of(year.as_str(), base + year.start()));
    digits.extend_from_slice(serial);
    let mut digits: Vec<Range<usize>> = digits.into_iter().map(|(_, range)| range).collect();
    digits.sort_by_key(|range| range.start);
    let mut evidence = Evidence::default();
    evidence.add(f::PROSE);
    score::number(&cpr, &mut evidence);
    Some(Reading {
        span: digits.first()?.start..digits.last()?.end,
        digits,
        number: cpr.secret(),
        evidence,
        apart: true,
        faint: false,
    })
}

fn month_of(word: &str) -> Option<u8> {
    let lower = word.to_lowercase();
    let at = MONTHS
        .iter()
        .position(|stems| stems.iter().any(|stem| lower.starts_with(stem)))?;
    u8::try_from(at + 1).ok()
}

/// Each ASCII digit with its place.
fn digits_of(part: &str, base: usize) -> Vec<(u8, Range<usize>)> {
    let digits = part.bytes().enumerate().filter(|(_, byte)| byte.is_ascii_digit());
    digits
        .map(|(at, byte)| (byte - b'0', base + at..base + at + 1))
        .collect()
}
