//! Number formats of spreadsheets, as far as they decide what a number looks like: leading zeros, signs between digits, dates.

use super::gather::{Piece, What};
use std::collections::HashMap;

/// Numbers that lost a zero or their signs, and how the sheets show them: the copies in pivot caches and charts have no format
/// of their own.
pub(super) type Shown = HashMap<String, String>;

/// Remembers how a number is shown, when it may be an identifier.
pub(super) fn remember(shown: &mut Shown, value: &str, text: &str) {
    const MOST: usize = 1 << 20;
    if (9..=10).contains(&value.len()) && value != text && shown.len() < MOST {
        shown.insert(value.to_owned(), text.to_owned());
    }
}

/// A shown text whose digits come from a bare value that stands at `source`; zeros that the value does not have come from its
/// first digit.
pub(super) fn as_shown<'t>(text: &str, value: &'t str, source: usize) -> Vec<Piece<'t>> {
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    let mut missing = digits.saturating_sub(value.len());
    let mut stretches = Stretches::new(value, source);
    for c in text.chars() {
        if !c.is_ascii_digit() {
            stretches.sign(c);
        } else if missing > 0 {
            missing -= 1;
            stretches.lost_zero();
        } else {
            stretches.digit();
        }
    }
    stretches
        .done()
        .into_iter()
        .map(|what| Piece { what, marks: 0 })
        .collect()
}

/// The digits of a value with signs between them: what stands together in the value is one stretch of source.
struct Stretches<'t> {
    value: &'t str,
    source: usize,
    from: usize,
    to: usize,
    out: Vec<What<'t>>,
}

impl<'t> Stretches<'t> {
    fn new(value: &'t str, source: usize) -> Stretches<'t> {
        Stretches {
            value,
            source,
            from: 0,
            to: 0,
            out: Vec::new(),
        }
    }

    fn digit(&mut self) {
        self.to += 1;
    }

    fn cut(&mut self) {
        if let Some(digits) = self.value.get(self.from..self.to).filter(|digits| !digits.is_empty()) {
            self.out.push(What::Plain(digits, self.source + self.from));
        }
        self.from = self.to;
    }

    fn sign(&mut self, c: char) {
        self.cut();
        self.out.push(What::Gap(c));
    }

    fn lost_zero(&mut self) {
        self.cut();
        self.out.push(What::Unit('0', self.source, self.source + 1));
    }

    fn done(mut self) -> Vec<What<'t>> {
        self.cut();
        self.out
    }
}

/// The number as it would be with the zero that it may have lost, when it is one of nine digits.
pub(super) fn guessed<'t>(value: &'t str, source: usize) -> Option<Vec<Piece<'t>>> {
    let nine = value.len() == 9 && !value.starts_with('0') && value.bytes().all(|b| b.is_ascii_digit());
    let pieces = [What::Unit('0', source, source + 1), What::Plain(value, source)];
    nine.then(|| pieces.map(|what| Piece { what, marks: 0 }).to_vec())
}

/// A longer format is nobody's way to show a number.
const LONGEST: usize = 64;

/// What a cell's style does to its number.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Format {
    /// Shown as it is.
    #[default]
    General,
    /// Digits with signs between them, e.g. `000000-0000`.
    Digits(Vec<Slot>),
    /// A date; times count as dates too.
    Date,
    /// `;;;`: nothing is shown.
    Nothing,
}

/// One character of a format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Slot {
    /// A digit, zero when there is none.
    Zero,
    /// A digit, nothing when there is none.
    Digit,
    /// Stands for itself.
    Sign(char),
}

impl Format {
    /// Of a built-in number (ECMA-376 part 1, 18.8.30).
    pub fn built_in(id: u32) -> Format {
        match id {
            14..=22 | 27..=36 | 45..=47 | 50..=58 => Format::Date,
            _ => Format::General,
        }
    }

    /// Of a format code.
    pub fn of(code: &str) -> Format {
        if code.trim() == ";;;" || code.trim() == ";;" {
            return Format::Nothing;
        }
        let first = code.split(';').next().unwrap_or_default();
        let mut slots = Vec::new();
        let mut chars = first.chars();
        let mut date = false;
        while let Some(c) = chars.next() {
            match c {
                '0' => slots.push(Slot::Zero),
                '#' | '?' => slots.push(Slot::Digit),
                '\\' => slots.extend(chars.next().map(Slot::Sign)),
                '_' | '*' => {
                    chars.next();
                }
                '"' => slots.extend(chars.by_ref().take_while(|c| *c != '"').map(Slot::Sign)),
                '[' => {
                    let inner: String = chars.by_ref().take_while(|c| *c != ']').collect();
                    date |= inner.chars().all(|c| matches!(c.to_ascii_lowercase(), 'h' | 'm' | 's'));
                }
                'd' | 'D' | 'm' | 'M' | 'y' | 'Y' | 'h' | 'H' | 's' | 'S' | 'å' | 'Å' => date = true,
                '-' | '/' | ' ' | '(' | ')' | ':' | '\u{a0}' | '–' => slots.push(Slot::Sign(c)),
                // Thousands, decimals, exponents, percents, text: shown well enough as it is.
                _ if !date => return Format::General,
                _ => {}
            }
        }
        let places = slots.iter().filter(|slot| !matches!(slot, Slot::Sign(_))).count();
        if date {
            Format::Date
        } else if places >= 2 && slots.len() <= LONGEST {
            Format::Digits(slots)
        } else {
            Format::General
        }
    }

    /// How many digits it shows at least.
    pub fn zeros(&self) -> usize {
        match self {
            Format::Digits(slots) => slots.iter().filter(|slot| **slot == Slot::Zero).count(),
            _ => 0,
        }
    }

    /// The value as shown, with where each character comes from; `source` is where the value stands.
    pub fn show<'t>(&self, value: &'t str, source: usize, date_1904: bool) -> Vec<What<'t>> {
        let end = source + value.len();
        let plain = value.bytes().all(|b| b.is_ascii_digit());
        match self {
            Format::Digits(slots) if plain => laid_out(slots, value, source),
            Format::Date => match value.parse::<f64>().ok().and_then(|serial| date(serial, date_1904)) {
                Some(text) => text.chars().map(|c| What::Unit(c, source, end)).collect(),
                None => vec![What::Plain(value, source)],
            },
            _ if plain => vec![What::Plain(value, source)],
            // `1.01901234E8`, `101901234.0`: whole numbers that a program wrote its own way.
            _ => match whole(value) {
                Some(number) => {
                    let digits = number.to_string();
                    match self {
                        Format::Digits(slots) => laid_out(slots, &digits, source)
                            .into_iter()
                            .flat_map(|what| as_units(what, source, end))
                            .collect(),
                        _ => digits.chars().map(|c| What::Unit(c, source, end)).collect(),
                    }
                }
                None => vec![What::Plain(value, source)],
            },
        }
    }
}

fn as_units<'t>(what: What<'_>, from: usize, to: usize) -> Vec<What<'t>> {
    match what {
        What::Plain(text, _) => text.chars().map(|c| What::Unit(c, from, to)).collect(),
        What::Unit(c, _, _) => vec![What::Unit(c, from, to)],
        What::Gap(c) => vec![What::Gap(c)],
    }
}

fn whole(value: &str) -> Option<u64> {
    let number: f64 = value.trim().parse().ok()?;
    (number.fract() == 0.0 && (0.0..1e15).contains(&number)).then_some(number as u64)
}

/// Digits into slots from the right; what is too many goes before the first. A zero that the value does not have comes from the
/// same byte as its first digit.
fn laid_out<'t>(slots: &[Slot], value: &'t str, source: usize) -> Vec<What<'t>> {
    let places = slots.iter().filter(|slot| !matches!(slot, Slot::Sign(_))).count();
    let mut missing = places.saturating_sub(value.len());
    let mut extra = value.len().saturating_sub(places);
    let mut stretches = Stretches::new(value, source);
    for slot in slots {
        match slot {
            Slot::Sign(c) => stretches.sign(*c),
            Slot::Zero | Slot::Digit if missing > 0 => {
                missing -= 1;
                if *slot == Slot::Zero {
                    stretches.lost_zero();
                }
            }
            Slot::Zero | Slot::Digit => {
                for _ in 0..=std::mem::take(&mut extra) {
                    stretches.digit();
                }
            }
        }
    }
    stretches.done()
}

/// `01-01-1990` for day 32874. The 1900 calendar has a 29 February 1900 that never was.
fn date(serial: f64, date_1904: bool) -> Option<String> {
    if !(1.0..2_958_466.0).contains(&serial) {
        return None;
    }
    let days = serial.floor() as i64;
    let epoch = time::Date::from_calendar_date(if date_1904 { 1904 } else { 1899 }, time::Month::January, 1).ok()?;
    let offset = if date_1904 {
        days
    } else {
        // 30 December 1899 is day 0 from March 1900 on.
        days + 363 + i64::from(days < 60)
    };
    let date = epoch.checked_add(time::Duration::days(offset))?;
    Some(format!(
        "{:02}-{:02}-{:04}",
        date.day(),
        u8::from(date.month()),
        date.year()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(code: &str, value: &str) -> String {
        let shown = Format::of(code).show(value, 0, false);
        let text = |what: What<'_>| match what {
            What::Plain(text, _) => text.to_owned(),
            What::Unit(c, _, _) | What::Gap(c) => c.to_string(),
        };
        shown.into_iter().map(text).collect()
    }

    #[test]
    fn numbers_are_shown_as_their_format_shows_them() {
        assert_eq!(shown("000000-0000", "101901234"), "010190-1234");
        assert_eq!(shown("000000\\-0000", "101901234"), "010190-1234");
        assert_eq!(shown("000000\"-\"0000;@", "3112901234"), "311290-1234");
        assert_eq!(shown("0000000000", "101901234"), "0101901234");
        assert_eq!(shown("######-####", "101901234"), "10190-1234");
        assert_eq!(shown("000000-0000", "1.01901234E8"), "010190-1234");
        assert_eq!(shown("000000-0000", "101901234.0"), "010190-1234");
        assert_eq!(shown("General", "101901234"), "101901234");
        assert_eq!(shown("#,##0.00", "101901234"), "101901234");
        assert_eq!(shown("000000", "10190"), "010190");
        assert_eq!(shown("0-00", "12345"), "123-45");
        assert_eq!(shown("dd-mm-yyyy", "32874"), "01-01-1990");
        assert_eq!(shown("[$-406]d. mmmm yyyy;@", "32874"), "01-01-1990");
        assert_eq!(shown("dd/mm/yy", "59"), "28-02-1900");
        assert_eq!(shown("dd/mm/yy", "61"), "01-03-1900");
        assert_eq!(Format::of(";;;"), Format::Nothing);
    }
}
