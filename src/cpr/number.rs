//! What a CPR number is: ten characters, a possible birth date, a serial that tells the century.
//!
//! Knows nothing of text and separators; [`super::Detector`] hands it ten canonical characters. Facts: CPR-kontoret,
//! "Personnummeret i CPR" (century table) and the eCPR description of the Danish regions (letter forms).

use super::{Secret, exempt};
use std::fmt;
use time::{Date, Month};
use zeroize::Zeroize;

/// Modulus 11 weights, the check digit's own included.
const WEIGHTS: [u32; 10] = [4, 3, 2, 7, 6, 5, 4, 3, 2, 1];

/// Added to the day in replacement numbers.
const REPLACEMENT_DAY: u8 = 60;

/// Which series a number belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Series {
    /// Issued by the CPR office.
    Ordinary,
    /// Replacement number (erstatningsnummer): day + 60.
    Replacement,
    /// Hospital number: `DDMMYY`, a digit, two letters, a digit.
    Letters,
}

/// A well-formed number. Printed never (`Debug` and `Display` mask), wiped when dropped.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Cpr {
    chars: [u8; 10],
    birth: Date,
    letters: bool,
    replacement: bool,
}

/// Why ten characters are no CPR number. Carries no digit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NumberError {
    /// Not ten digits, nor six digits, a digit, two letters, a digit.
    #[error("a CPR number has ten digits, DDMMYYSSSS")]
    Shape,
    /// No such day in the year that the seventh digit gives.
    #[error("the first six digits are not a date")]
    Date,
    /// A birth date after today.
    #[error("the birth date lies in the future")]
    Future,
    /// Serial 0000 is never issued.
    #[error("the serial is 0000")]
    Serial,
}

impl Cpr {
    /// Reads the canonical ten characters, a hyphen in the middle allowed. For anything a person typed freely, use the
    /// detector.
    ///
    /// # Errors
    /// When it is not a possible number for someone born no later than `today`.
    pub fn parse(written: &str, today: Date) -> Result<Cpr, NumberError> {
        let mut chars = [0_u8; 10];
        let mut count = 0;
        for (at, byte) in written.trim().bytes().enumerate() {
            if at == 6 && byte == b'-' {
                continue;
            }
            *chars.get_mut(count).ok_or(NumberError::Shape)? = byte.to_ascii_uppercase();
            count += 1;
        }
        if count == 10 {
            Cpr::from_chars(chars, today)
        } else {
            Err(NumberError::Shape)
        }
    }

    /// Checks ten canonical characters (capitals in the letter form).
    pub(super) fn from_chars(chars: [u8; 10], today: Date) -> Result<Cpr, NumberError> {
        let [d1, d2, m1, m2, y1, y2, s1, s2, s3, s4] = chars;
        let letters = s2.is_ascii_uppercase() && s3.is_ascii_uppercase();
        let digits = [d1, d2, m1, m2, y1, y2, s1, s4].iter().all(u8::is_ascii_digit);
        if !digits || !(letters || s2.is_ascii_digit() && s3.is_ascii_digit()) {
            return Err(NumberError::Shape);
        }
        if [s1, s2, s3, s4] == *b"0000" {
            return Err(NumberError::Serial);
        }
        let written_day = pair(d1, d2);
        let replacement = written_day > REPLACEMENT_DAY;
        let day = if replacement {
            written_day - REPLACEMENT_DAY
        } else {
            written_day
        };
        let month = Month::try_from(pair(m1, m2)).map_err(|_| NumberError::Date)?;
        let in_year = |year: i32| match Date::from_calendar_date(year, month, day) {
            Ok(birth) if birth > today => Err(NumberError::Future),
            Ok(birth) => Ok(birth),
            Err(_) => Err(NumberError::Date),
        };
        let year = birth_year(pair(y1, y2), s1 - b'0');
        // The regions' own example, `010190 6AB1`, does not keep to the century table: any living person's year will do.
        let birth = if letters && year < 1900 {
            in_year(1900 + i32::from(pair(y1, y2)))?
        } else if letters {
            in_year(year).or_else(|_| in_year(1900 + i32::from(pair(y1, y2))))?
        } else {
            in_year(year)?
        };
        Ok(Cpr {
            chars,
            birth,
            letters,
            replacement,
        })
    }

    /// The birth date, century resolved by the seventh digit.
    pub fn birth(&self) -> Date {
        self.birth
    }

    /// Which series.
    pub fn series(&self) -> Series {
        match (self.letters, self.replacement) {
            (true, _) => Series::Letters,
            (false, true) => Series::Replacement,
            (false, false) => Series::Ordinary,
        }
    }

    /// The checksum holds. Speaks for a number; its failing proves nothing (since October 2007 numbers without it are
    /// issued, and replacement numbers need not have it).
    pub fn passes_modulus_11(&self) -> bool {
        !self.letters && weighted(&self.chars).is_multiple_of(11)
    }

    /// The CPR office has issued numbers without modulus 11 on this birth date.
    pub fn on_date_without_modulus_11(&self) -> bool {
        exempt::listed(self.birth)
    }

    /// The serial stands in the first half of its date's series: serials are given out from low to high.
    pub(super) fn serial_is_early(&self) -> bool {
        let serial = self
            .chars
            .iter()
            .skip(6)
            .fold(0_u32, |sum, c| sum * 10 + u32::from(c.wrapping_sub(b'0') % 10));
        match self.birth.year() {
            1900..=1936 => serial < 2000,
            1937..=1999 => serial < 3000,
            2000..=2036 => (4000..7000).contains(&serial),
            _ => (5000..7000).contains(&serial),
        }
    }

    /// The canonical ten characters, for comparing and hashing.
    pub fn secret(&self) -> Secret {
        Secret::new(self.chars.iter().map(|&c| char::from(c)).collect())
    }
}

/// Value of two ASCII digits.
fn pair(tens: u8, ones: u8) -> u8 {
    (tens - b'0') * 10 + (ones - b'0')
}

/// Sum of digits times weights, as modulus 11 takes it.
pub(super) fn weighted(digits: &[u8; 10]) -> u32 {
    digits
        .iter()
        .zip(WEIGHTS)
        .map(|(&digit, weight)| u32::from(digit.wrapping_sub(b'0')) * weight)
        .sum()
}

/// The century table: two-digit year and seventh digit give the year of birth.
fn birth_year(year: u8, seventh: u8) -> i32 {
    let century = match (seventh, year) {
        (0..=3, _) => 1900,
        (4 | 9, 0..=36) => 2000,
        (4 | 9, _) => 1900,
        (_, 0..=57) => 2000,
        _ => 1800,
    };
    century + i32::from(year)
}

impl fmt::Debug for Cpr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Cpr(masked)")
    }
}

impl fmt::Display for Cpr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("••••••-••••")
    }
}

impl Drop for Cpr {
    fn drop(&mut self) {
        self.chars.zeroize();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cpr::made_up;
    use time::macros::date;

    const TODAY: Date = date!(2026 - 06 - 15);

    fn year_of(written: &str) -> Result<i32, NumberError> {
        Cpr::parse(written, TODAY).map(|cpr| cpr.birth().year())
    }

    #[test]
    fn seventh_digit_gives_the_century() {
        let cases = [
            ("0101000001", 1900),
            ("0101993999", 1999),
            ("0101004001", 2000),
            ("0101269001", 2026),
            ("0101374001", 1937),
            ("0101999001", 1999),
            ("0101005001", 2000),
            ("0101268001", 2026),
            ("0101585001", 1858),
            ("0101998001", 1899),
        ];
        for (written, year) in cases {
            assert_eq!(year_of(written), Ok(year));
        }
    }

    #[test]
    fn leap_days_exist_in_the_resolved_year() {
        assert_eq!(year_of("2902001234"), Err(NumberError::Date)); // 1900 had none
        assert_eq!(year_of("2902004234"), Ok(2000));
        assert_eq!(year_of("2902881234"), Ok(1988));
        assert_eq!(year_of("2902871234"), Err(NumberError::Date));
    }

    #[test]
    fn today_is_the_last_birth_date() {
        assert_eq!(year_of("1506264001"), Ok(2026));
        assert_eq!(year_of("1606264001"), Err(NumberError::Future));
        assert_eq!(year_of("0101305001"), Err(NumberError::Future));
    }

    #[test]
    fn impossible_shapes_are_refused() {
        for written in [
            "",
            "010190",
            "01019012345",
            "01019O1234",
            "010190A234",
            "010190-12-4",
            "010190 1234",
        ] {
            assert_eq!(year_of(written), Err(NumberError::Shape));
        }
        assert_eq!(year_of("0101900000"), Err(NumberError::Serial));
        assert_eq!(year_of("0013901234"), Err(NumberError::Date));
        assert_eq!(year_of("6001901234"), Err(NumberError::Date));
        assert_eq!(year_of("9201901234"), Err(NumberError::Date));
    }

    #[test]
    fn series_are_told_apart() {
        let series = |written| Cpr::parse(written, TODAY).map(|cpr| cpr.series());
        assert_eq!(series("010190-1234"), Ok(Series::Ordinary));
        assert_eq!(series("6101901234"), Ok(Series::Replacement));
        assert_eq!(series("0101906ab1"), Ok(Series::Letters));
        assert_eq!(series("010190-6AB1"), Ok(Series::Letters));
    }

    #[test]
    fn modulus_11_is_reported_not_demanded() -> Result<(), NumberError> {
        for seed in 0..200 {
            assert!(Cpr::parse(&made_up::number(seed), TODAY)?.passes_modulus_11());
            assert!(!Cpr::parse(&made_up::without_mod11(seed), TODAY)?.passes_modulus_11());
        }
        assert!(!Cpr::parse("2512489996", TODAY)?.passes_modulus_11()); // the well-known test number
        Ok(())
    }

    #[test]
    fn nothing_prints_a_digit() -> Result<(), NumberError> {
        let cpr = Cpr::parse(&made_up::number(7), TODAY)?;
        let shown = format!("{cpr:?} {cpr} {:?}", cpr.secret());
        assert!(!shown.bytes().any(|byte| byte.is_ascii_digit()), "{shown}");
        Ok(())
    }
}
