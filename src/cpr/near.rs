//! Forms that are looked for only near a CPR word: scanned letters that look like digits, and digits written as words.

use super::context::after;
use super::features::{self as f, Evidence};
use super::find::Reading;
use super::number::Cpr;
use super::score;
use std::ops::Range;
use time::Date;

/// Bytes after a label in which scanned numbers are looked for.
const REACH: usize = 72;
/// Bytes after a label in which spelled digits are looked for: ten words and more.
const REACH_SPELLED: usize = 200;
/// So many of the ten must be digits as they stand.
const TRUE_DIGITS: usize = 5;

/// The digit that a scanner may have meant.
fn confused(c: char) -> Option<u8> {
    match c {
        'O' | 'o' | 'Q' | 'D' | 'Ø' => Some(0),
        'l' | 'I' | 'i' | '|' | '!' => Some(1),
        'Z' | 'z' => Some(2),
        'S' | 's' => Some(5),
        'G' | 'b' => Some(6),
        'B' => Some(8),
        'g' | 'q' => Some(9),
        _ => None,
    }
}

/// The scanned numbers soon after the label that ends at `from`.
pub(super) fn scanned(text: &str, from: usize, today: Date, found: &mut Vec<Reading>) {
    let window = after(text, from, REACH);
    let mut glued = true; // the label's own letters
    for (at, c) in window.char_indices() {
        let fits = c.is_ascii_digit() || confused(c).is_some();
        if fits && !glued {
            found.extend(scanned_at(text, from + at, today));
        }
        glued = c.is_alphanumeric();
    }
}

fn scanned_at(text: &str, start: usize, today: Date) -> Option<Reading> {
    let mut chars = [b'0'; 10];
    let mut digits: Vec<Range<usize>> = Vec::with_capacity(10);
    let mut true_digits = 0;
    let mut separators = 0;
    for (at, c) in after(text, start, 48).char_indices() {
        let value = c.to_digit(10).and_then(|value| u8::try_from(value).ok());
        if let Some(value) = value.or_else(|| confused(c)) {
            // An eleventh: longer than a number.
            *chars.get_mut(digits.len())? = b'0' + value;
            digits.push(start + at..start + at + c.len_utf8());
            true_digits += usize::from(c.is_ascii_digit());
        } else if digits.len() == 10 {
            if c.is_alphanumeric() {
                return None;
            }
            break;
        } else if matches!(digits.len(), 2 | 4 | 6)
            && matches!(c, '-' | ' ' | '.' | '/' | '–' | '\u{a0}')
            && separators < 5
        {
            separators += 1;
        } else {
            return None;
        }
    }
    if digits.len() != 10 || true_digits < TRUE_DIGITS || true_digits == 10 {
        return None;
    }
    let cpr = Cpr::from_chars(chars, today).ok()?;
    let mut evidence = Evidence::default();
    evidence.add(f::CPR_WORD);
    evidence.add(f::LOOKALIKE_LETTERS);
    Some(Reading {
        span: start..digits.last()?.end,
        digits,
        number: cpr.secret(),
        evidence,
        apart: false,
    })
}

/// Danish, Norwegian, Swedish, English, German.
const SPELLED: [&[&str]; 10] = [
    &["nul", "null", "noll", "zero", "oh"],
    &["en", "et", "één", "ett", "one", "eins", "ein", "én", "ét"],
    &["to", "två", "two", "zwei", "zwo"],
    &["tre", "three", "drei"],
    &["fire", "fyra", "four", "vier"],
    &["fem", "five", "fünf"],
    &["seks", "sex", "six", "sechs"],
    &["syv", "sju", "seven", "sieben"],
    &["otte", "åtte", "åtta", "eight", "acht"],
    &["ni", "nio", "nine", "neun"],
];

/// Words that may stand between spelled digits.
const BETWEEN: [&str; 9] = [
    "bindestreg",
    "streg",
    "strek",
    "streck",
    "dash",
    "hyphen",
    "strich",
    "og",
    "and",
];

/// The runs of ten spelled digits after the label that ends at `from`.
pub(super) fn spelled(text: &str, from: usize, today: Date, found: &mut Vec<Reading>) {
    let window = after(text, from, REACH_SPELLED);
    let mut run: Vec<(u8, Range<usize>)> = Vec::new();
    for (at, word) in words(window) {
        // The longest digit word has six letters, the longest between ten.
        let lower = if word.len() <= 10 {
            word.to_lowercase()
        } else {
            String::new()
        };
        let value = SPELLED.iter().position(|names| names.contains(&lower.as_str()));
        if let Some(value) = value.and_then(|value| u8::try_from(value).ok()) {
            run.push((value, from + at..from + at + word.len()));
        } else if BETWEEN.contains(&lower.as_str()) && !run.is_empty() {
            continue;
        } else {
            run.clear();
        }
        let last_ten = run.len().checked_sub(10).and_then(|first| run.get(first..));
        found.extend(last_ten.and_then(|ten| spelled_run(ten, today)));
    }
}

fn spelled_run(run: &[(u8, Range<usize>)], today: Date) -> Option<Reading> {
    let mut chars = [b'0'; 10];
    for (slot, (value, _)) in chars.iter_mut().zip(run) {
        *slot = b'0' + value;
    }
    let cpr = Cpr::from_chars(chars, today).ok()?;
    let mut evidence = Evidence::default();
    evidence.add(f::CPR_WORD);
    evidence.add(f::SPELLED);
    score::number(&cpr, &mut evidence);
    let digits: Vec<Range<usize>> = run.iter().map(|(_, range)| range.clone()).collect();
    Some(Reading {
        span: digits.first()?.start..digits.last()?.end,
        digits,
        number: cpr.secret(),
        evidence,
        apart: false,
    })
}

/// Words with their offsets; anything but letters parts them.
fn words(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.split(|c: char| !c.is_alphanumeric())
        .map(move |word| (word.as_ptr() as usize - text.as_ptr() as usize, word))
        .filter(|(_, word)| !word.is_empty())
}
