//! Masking: text that may be shown. Generous where the detector is exact: better a masked invoice than a shown number.

use super::atoms;
use super::find::readings;
use std::ops::Range;
use time::Date;

/// Digits in a row from which they are masked: a birth date alone is already personal data.
const STRETCH: usize = 6;

/// Looks at the masked text again: covering one number may bring another date and serial together in prose.
const ROUNDS: usize = 4;

/// For showing: every digit in a stretch of six or more digits (separators between them allowed) becomes `•`, whether or
/// not it is a number; shorter stretches stay. What the detector would read as a number in other ways (a birth date in
/// words and its last four digits, scanned letters, the letters of hospital numbers) is masked too.
pub fn mask(text: &str) -> String {
    masked(text, '•')
}

/// [`mask`] with `*`, for replies and headers that must be ASCII. Other characters stay as they are.
pub fn mask_ascii(text: &str) -> String {
    masked(text, '*')
}

fn masked(text: &str, sign: char) -> String {
    let mut stretches: Vec<Range<usize>> = Vec::new();
    atoms::all_clusters(text, &mut |atoms, new| {
        let new = if atoms.len() < STRETCH { None } else { atoms.get(new) };
        stretches.extend(new.unwrap_or(&[]).iter().map(|atom| atom.start..atom.end));
    });
    let mut hidden = numbers(text);
    hidden.append(&mut stretches);
    let mut more = !hidden.is_empty();
    let mut shown = cover(text, hidden, sign);
    for _ in 1..ROUNDS {
        if !more {
            break;
        }
        let left = numbers(&shown);
        more = !left.is_empty();
        shown = cover(&shown, left, sign);
    }
    shown
}

/// The characters of every reading, with any birth date: what is no number today may be one to tomorrow's detector.
fn numbers(text: &str) -> Vec<Range<usize>> {
    readings(text, Date::MAX)
        .into_iter()
        .flat_map(|reading| reading.digits)
        .collect()
}

/// Puts signs over the ranges.
fn cover(text: &str, mut ranges: Vec<Range<usize>>, sign: char) -> String {
    ranges.sort_by_key(|range| (range.start, range.end));
    let mut shown = String::with_capacity(text.len() + 2 * ranges.len());
    let mut at = 0;
    for range in ranges {
        if range.start < at {
            continue;
        }
        shown.push_str(text.get(at..range.start).unwrap_or(""));
        let written = text.get(range.clone()).unwrap_or("");
        // An escape such as `%30` is one digit; a month's name is as long as it is.
        let signs = if written.chars().all(char::is_alphabetic) {
            written.chars().count()
        } else {
            1
        };
        shown.extend(std::iter::repeat_n(sign, signs));
        at = range.end;
    }
    shown.push_str(text.get(at..).unwrap_or(""));
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stretches_of_six_are_masked_shorter_ones_stay() {
        let cases = [
            ("sag 12345", "sag 12345"),
            ("010190-1234", "••••••-••••"),
            ("a123456b", "a••••••b"),
            ("12 34 56", "•• •• ••"),
            ("12\u{200b}3456", "••\u{200b}••••"),
            ("０１０１９０", "••••••"),
            ("1, 2 og 3", "1, 2 og 3"),
            ("%300101901234", "•••••••••••"),
            ("æøå", "æøå"),
            ("", ""),
        ];
        for (text, expected) in cases {
            assert_eq!(mask(text), expected);
            assert_eq!(mask_ascii(text), expected.replace('•', "*"));
        }
    }

    #[test]
    fn prose_and_letters_are_masked_too() {
        let prose = mask("født 1. januar 1990, de sidste fire cifre er 1234");
        assert_eq!(prose, "født •. •••••• ••••, de sidste fire cifre er ••••");
        assert_eq!(mask("CPR O1O19O-1234"), "CPR ••••••-••••");
        assert_eq!(mask("010190-6AB1"), "••••••-••••");
    }
}
