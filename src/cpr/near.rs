//! Forms that are looked for only near a CPR word: scanned letters that look like digits, digits with odd signs between
//! them, and digits written as words.

use super::context::{self, after};
use super::features::{self as f, Evidence};
use super::find::Reading;
use super::number::Cpr;
use super::score;
use std::ops::Range;
use time::Date;

/// Bytes after a label in which scanned numbers are looked for.
const REACH: usize = 72;
/// Bytes that one of them can take.
const REACH_SCANNED: usize = 64;
/// Bytes after a label in which spelled digits are looked for: ten words and more.
const REACH_SPELLED: usize = 200;
/// Groups of digits after a label that are tried.
const STARTS: usize = 4;
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

/// Stands in [`super::Hit::why`] of a number with letters that were taken for digits.
pub const LETTERS_LIKE_DIGITS: &str = f::LOOKALIKE_LETTERS.name;

/// A scanned text with digits in place of the letters that look like them, in words that are nothing but digits and such
/// letters, and have more of the former. Each character stays where it is. `None` when no word changes.
pub fn letters_as_digits(text: &str) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    let mut changed = false;
    for word in text.split_inclusive(char::is_whitespace) {
        let signs = word.chars().filter(|c| c.is_alphanumeric());
        let (digits, others): (Vec<char>, Vec<char>) = signs.partition(char::is_ascii_digit);
        // `Ø` is longer than a digit: it is read beside a CPR word only.
        let alike = |c: &char| c.is_ascii() && confused(*c).is_some();
        if others.is_empty() || digits.len() < others.len() || !others.iter().all(alike) {
            out.push_str(word);
            continue;
        }
        changed = true;
        let digit = |c: char| {
            confused(c)
                .filter(|_| c.is_ascii_alphabetic())
                .map(|value| char::from(b'0' + value))
        };
        out.extend(word.chars().map(|c| digit(c).unwrap_or(c)));
    }
    changed.then_some(out)
}

/// The scanned numbers soon after the label that ends at `from`.
pub(super) fn scanned(text: &str, from: usize, today: Date, found: &mut Vec<Reading>) {
    let digits = after(text, from, REACH + REACH_SCANNED);
    if digits.bytes().filter(u8::is_ascii_digit).count() < TRUE_DIGITS {
        return;
    }
    let window = after(text, from, REACH);
    let mut glued = true; // the label's own letters
    let mut looked_at = 0;
    for (at, c) in window.char_indices() {
        let fits = c.is_ascii_digit() || confused(c).is_some();
        if fits && !glued && looked_at < STARTS {
            looked_at += usize::from(c.is_ascii_digit());
            found.extend(scanned_at(text, from + at, today));
        }
        glued = c.is_alphanumeric();
    }
}

fn scanned_at(text: &str, start: usize, today: Date) -> Option<Reading> {
    let mut chars = [b'0'; 10];
    let mut places = [(0, 0); 10];
    let mut count = 0;
    let mut true_digits = 0;
    let mut gap = 0;
    let window = after(text, start, REACH_SCANNED);
    let mut skip_to = 0;
    let mut parted_serial = false;
    for (at, c) in window.char_indices() {
        if at < skip_to {
            continue;
        }
        // `010190 bindestreg 1234`
        let behind = || window.get(at..).unwrap_or("");
        if count == 6
            && let Some(word) = DASH_WORDS.iter().find(|&&word| behind().starts_with(word))
        {
            skip_to = at + word.len();
            continue;
        }
        let value = c.to_digit(10).and_then(|value| u8::try_from(value).ok());
        // Between signs, `|` is a border, not a one.
        let meant = || if c == '|' && gap > 0 { None } else { confused(c) };
        if let Some(value) = value.or_else(meant) {
            // An eleventh: longer than a number.
            *chars.get_mut(count)? = b'0' + value;
            *places.get_mut(count)? = (start + at, start + at + c.len_utf8());
            count += 1;
            true_digits += usize::from(c.is_ascii_digit());
            gap = 0;
        } else if count == 10 {
            if c.is_alphanumeric() {
                return None;
            }
            // A further number may follow after a blank or at the end of a sentence, not behind a sign.
            if c.is_whitespace() || gap > 0 || !matches!(c, '-' | '.' | ',' | '/' | ':' | '=' | '_') {
                break;
            }
            gap = 1;
        } else {
            gap += 1;
            parted_serial |= count > 6;
            let joint = matches!(count, 2 | 4 | 6 | 8);
            let blank = c == ' ' && gap == 1;
            if !(joint || blank) || !between(c) || gap > WIDEST {
                return None;
            }
        }
    }
    let loose = true_digits == 10;
    if count != 10 || true_digits < TRUE_DIGITS {
        return None;
    }
    let cpr = Cpr::from_chars(chars, today).ok()?;
    // Ten digits together are no odd form, and a nearer label takes the CPR word's place.
    let digits: Vec<Range<usize>> = places.iter().map(|&(from, to)| from..to).collect();
    let span = start..digits.last()?.end;
    if loose && (span.len() == 10 || !context::around(text, &span).cpr) {
        return None;
    }
    let mut evidence = Evidence::default();
    evidence.add(f::CPR_WORD);
    evidence.add(if loose { f::LOOSE } else { f::LOOKALIKE_LETTERS });
    evidence.when(loose && parted_serial, f::LOOSE_SERIAL);
    score::number(&cpr, &mut evidence);
    Some(Reading {
        span,
        digits,
        number: cpr.secret(),
        evidence,
        apart: false,
        faint: false,
    })
}

/// A hyphen in words.
const DASH_WORDS: [&str; 4] = ["bindestreg", "streg", "minus", "dash"];

/// Characters between two digits that a scanner, or a hurried writer, leaves there.
const WIDEST: usize = 5;

fn between(c: char) -> bool {
    matches!(
        c,
        '-' | ' '
            | '.'
            | ','
            | ':'
            | ';'
            | '='
            | '/'
            | '('
            | ')'
            | '['
            | ']'
            | '~'
            | '_'
            | '|'
            | '\''
            | '*'
            | '–'
            | '·'
            | '…'
            | '\u{a0}'
    )
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

/// Danish ten to nineteen, and the tens; `XogY` is one above a ten.
const TEENS: [&str; 10] = [
    "ti", "elleve", "tolv", "tretten", "fjorten", "femten", "seksten", "sytten", "atten", "nitten",
];
const TENS: [&[&str]; 8] = [
    &["tyve"],
    &["tredive", "tredve"],
    &["fyrre", "fyrretyve"],
    &["halvtreds"],
    &["tres"],
    &["halvfjerds"],
    &["firs"],
    &["halvfems"],
];

/// The value of a Danish word for 10 to 99.
fn two_digits(word: &str) -> Option<u8> {
    let tens = |word: &str| TENS.iter().position(|names| names.contains(&word)).map(|at| at + 2);
    let value = TEENS
        .iter()
        .position(|&name| name == word)
        .map(|at| at + 10)
        .or_else(|| tens(word).map(|tens| tens * 10))
        .or_else(|| {
            let (one, ten) = word.split_once("og")?;
            let one = SPELLED
                .iter()
                .position(|names| names.contains(&one))
                .filter(|&one| one > 0)?;
            Some(tens(ten)? * 10 + one)
        })?;
    u8::try_from(value).ok()
}

/// Whether a word can be one of these numbers, by its first letter.
fn begins_a_number(word: &str) -> bool {
    let first = word.bytes().next().unwrap_or(0).to_ascii_lowercase();
    !first.is_ascii()
        || matches!(
            first,
            b'a' | b'd' | b'e' | b'f' | b'h' | b'n' | b'o' | b's' | b't' | b'v' | b'z'
        )
}

/// The runs of ten spelled digits after the label that ends at `from`: one word a digit, or one for two (`fjorten`).
pub(super) fn spelled(text: &str, from: usize, today: Date, found: &mut Vec<Reading>) {
    let window = after(text, from, REACH_SPELLED);
    let mut run: Vec<(u8, Range<usize>)> = Vec::new();
    let mut lower = String::new();
    for (at, word) in words(window) {
        if run.is_empty() && !begins_a_number(word) {
            continue;
        }
        lower.clear();
        // The longest, `otteoghalvfjerds`, has sixteen letters.
        if word.len() <= 20 {
            lower.extend(word.chars().flat_map(char::to_lowercase));
        }
        let place = from + at..from + at + word.len();
        let value = SPELLED.iter().position(|names| names.contains(&lower.as_str()));
        if let Some(value) = value.and_then(|value| u8::try_from(value).ok()) {
            run.push((value, place));
        } else if let Some(value) = two_digits(&lower) {
            // Each of the two digits gets a part of the word.
            let middle = text.ceil_char_boundary(place.start + 1);
            run.push((value / 10, place.start..middle));
            run.push((value % 10, middle..place.end));
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
        faint: false,
    })
}

/// Words with their offsets; anything but letters parts them.
fn words(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.split(|c: char| !c.is_alphanumeric())
        .map(move |word| (word.as_ptr() as usize - text.as_ptr() as usize, word))
        .filter(|(_, word)| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_word_begins_as_one() {
        let ones = SPELLED.iter().chain(&TENS).flat_map(|words| words.iter());
        for word in ones.chain(&TEENS) {
            assert!(begins_a_number(word) && begins_a_number(&word.to_uppercase()), "{word}");
        }
    }

    #[test]
    fn letters_become_the_digits_that_they_look_like_among_digits_only() {
        let repaired = |text| letters_as_digits(text);
        assert_eq!(repaired("Sag O1O19O-l234."), Some("Sag 010190-1234.".to_owned()));
        assert_eq!(repaired("O1O19O l234\nB-hus"), Some("010190 1234\nB-hus".to_owned()));
        assert_eq!(repaired("060B51-0Z38 og 12"), Some("060851-0238 og 12".to_owned()));
        for text in ["Ole Olsen, SOS 1", "A4-ark 010190-1234", "10kg", "", "DOI 12ab"] {
            assert_eq!(repaired(text), None, "{text}");
        }
    }
}
