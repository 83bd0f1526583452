//! Made-up numbers for policies' own tests and ours: policy files write `{cpr}`, and no real person's number may ever
//! stand in a test.
//!
//! They are made from a seed, so a failing test shows the same number again. Nothing guarantees that a number is not
//! by chance somebody's; they are drawn from all dates of 1930 to 1999 and never printed outside tests.

use super::number::weighted;
use time::{Date, Duration, Month};

/// Days from 1 January 1930 to 31 December 1999.
const DAYS: u64 = 25_567;

/// Ten digits: a date from 1930 to 1999, modulus 11 holds.
pub fn number(seed: u64) -> String {
    build(seed, true)
}

/// Ten digits: a date from 1930 to 1999, modulus 11 does not hold.
pub fn without_mod11(seed: u64) -> String {
    build(seed, false)
}

/// The usual written form of ten characters: `DDMMYY-SSSS`. Anything else comes back as it is.
pub fn hyphenated(number: &str) -> String {
    match (number.get(..6), number.get(6..)) {
        (Some(date), Some(serial)) if number.len() == 10 => format!("{date}-{serial}"),
        _ => number.to_owned(),
    }
}

/// The first serial, from a seeded start, with which modulus 11 holds or fails as wanted.
fn build(seed: u64, holds: bool) -> String {
    let mixed = mix(seed);
    let date = birth(mixed % DAYS);
    // 1900s for every year: the seventh digit is 0 to 3.
    let start = (mixed >> 32) % 3999;
    for step in 0..3999 {
        let written = format!("{date}{:04}", (start + step) % 3999 + 1);
        if let Ok(digits) = <&[u8; 10]>::try_from(written.as_bytes())
            && weighted(digits).is_multiple_of(11) == holds
        {
            return written;
        }
    }
    date // not reached: one serial in eleven holds on every date
}

/// `DDMMYY` so many days after 1 January 1930.
fn birth(days: u64) -> String {
    let first = Date::from_calendar_date(1930, Month::January, 1).unwrap_or(Date::MIN);
    let date = first.saturating_add(Duration::days(i64::try_from(days).unwrap_or(0)));
    format!("{:02}{:02}{:02}", date.day(), u8::from(date.month()), date.year() % 100)
}

/// SplitMix64: spreads neighbouring seeds over all dates and serials.
fn mix(seed: u64) -> u64 {
    let z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn same_seed_same_number_other_seed_another() {
        assert_eq!(number(1), number(1));
        let different: std::collections::HashSet<String> = (0..1000).map(number).collect();
        assert!(different.len() > 990);
    }

    #[test]
    fn days_end_with_1999() {
        assert_eq!(birth(0), "010130");
        assert_eq!(birth(DAYS - 1), "311299");
    }

    #[test]
    fn hyphen_stands_after_six() {
        assert_eq!(hyphenated("0101901234"), "010190-1234");
        assert_eq!(hyphenated("æøå"), "æøå");
    }
}
