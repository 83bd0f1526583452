//! Checksums by name, for custom identifiers.
//!
//! `mod11`, `luhn` and `mod97` raise confidence and never reject. The others belong to one kind of number, of which every
//! one has the checksum and, where it has one, a possible date: what fails is no such number, and is not reported.

use super::number::weighted;
use serde::{Deserialize, Serialize};
use time::{Date, Month};

/// Checksums by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Checksum {
    /// Weighted modulus 11 as in CPR.
    Mod11,
    /// Luhn, ISO/IEC 7812.
    Luhn,
    /// ISO 7064 mod 97-10, as in IBAN.
    Mod97,
    /// Swedish personnummer and samordningsnummer (day + 60), ten or twelve digits. Skatteverket, SKV 704.
    Personnummer,
    /// Norwegian fødselsnummer, D-number (day + 40), test numbers (month + 40, + 80). Skatteetaten, "Fødselsnummer".
    Foedselsnummer,
    /// Finnish henkilötunnus. Digi- ja väestötietovirasto, "Henkilötunnus".
    Hetu,
    /// Icelandic kennitala of a person. Þjóðskrá has announced numbers without the check digit, so only date and century
    /// reject.
    Kennitala,
    /// IBAN: mod 97 and the length of its country, ISO 13616.
    Iban,
    /// Payment card: Luhn and a known issuer range.
    Card,
}

impl Checksum {
    /// Every name with its checksum, as policies write them.
    pub const NAMES: [(&str, Checksum); 9] = [
        ("mod11", Checksum::Mod11),
        ("luhn", Checksum::Luhn),
        ("mod97", Checksum::Mod97),
        ("personnummer", Checksum::Personnummer),
        ("foedselsnummer", Checksum::Foedselsnummer),
        ("hetu", Checksum::Hetu),
        ("kennitala", Checksum::Kennitala),
        ("iban", Checksum::Iban),
        ("card", Checksum::Card),
    ];

    /// Whether canonical characters satisfy it.
    pub fn holds(self, number: &str) -> bool {
        match self {
            Checksum::Mod11 => mod11(number),
            Checksum::Luhn => luhn(number),
            Checksum::Mod97 => mod97(number),
            Checksum::Personnummer => personnummer(number),
            Checksum::Foedselsnummer => foedselsnummer(number),
            Checksum::Hetu => hetu(number),
            Checksum::Kennitala => kennitala(number, true),
            Checksum::Iban => iban(number),
            Checksum::Card => card(number),
        }
    }

    /// Whether the characters can be such a number at all.
    pub(super) fn allows(self, number: &str) -> bool {
        match self {
            Checksum::Mod11 | Checksum::Luhn | Checksum::Mod97 => true,
            Checksum::Kennitala => kennitala(number, false),
            _ => self.holds(number),
        }
    }
}

/// CPR's own weights on ten digits; otherwise, as in CVR and bank numbers, weights 2 to 7 from the right, the check digit
/// itself counting once.
fn mod11(number: &str) -> bool {
    if number.is_empty() || !number.bytes().all(|b| b.is_ascii_digit()) {
        return false;
    }
    if let Ok(ten) = <&[u8; 10]>::try_from(number.as_bytes()) {
        return weighted(ten).is_multiple_of(11);
    }
    let weights = std::iter::once(1_u64).chain((2..=7).cycle());
    let sum: u64 = number
        .bytes()
        .rev()
        .zip(weights)
        .map(|(digit, weight)| u64::from(digit - b'0') * weight)
        .sum();
    sum.is_multiple_of(11)
}

fn luhn(number: &str) -> bool {
    let mut sum = 0_u64;
    for (place, byte) in number.bytes().rev().enumerate() {
        if !byte.is_ascii_digit() {
            return false;
        }
        let digit = u64::from(byte - b'0');
        sum += match (place % 2, digit) {
            (0, digit) => digit,
            (_, digit) if digit > 4 => digit * 2 - 9,
            (_, digit) => digit * 2,
        };
    }
    number.len() > 1 && sum.is_multiple_of(10)
}

/// Letters count 10 to 35. Country code and check digits go to the end when the number begins with two letters.
fn mod97(number: &str) -> bool {
    if number.len() < 3 || !number.bytes().all(|b| b.is_ascii_digit() || b.is_ascii_uppercase()) {
        return false;
    }
    let iban = number.len() > 4 && number.bytes().take(2).all(|b| b.is_ascii_uppercase());
    let (head, rest) = number.split_at(if iban { 4 } else { 0 });
    let rest = rest.bytes().chain(head.bytes()).fold(0_u32, |sum, byte| match byte {
        b'0'..=b'9' => (sum * 10 + u32::from(byte - b'0')) % 97,
        _ => (sum * 100 + u32::from(byte - b'A') + 10) % 97,
    });
    rest == 1
}

/// The values of a number that is all digits.
fn digits(number: &str) -> Option<Vec<u32>> {
    number.chars().map(|c| c.to_digit(10)).collect()
}

/// Two digits from a place on.
fn pair(digits: &[u32], at: usize) -> Option<u32> {
    Some(digits.get(at)? * 10 + digits.get(at + 1)?)
}

/// A date in some year that ends so; the century is not in question here.
fn dated(day: u32, month: u32, year: u32) -> bool {
    let exists = |century: u32| -> Option<Date> {
        let month = Month::try_from(u8::try_from(month).ok()?).ok()?;
        Date::from_calendar_date(i32::try_from(century + year).ok()?, month, u8::try_from(day).ok()?).ok()
    };
    exists(1900).or_else(|| exists(2000)).is_some()
}

fn personnummer(number: &str) -> bool {
    let short = if number.len() == 12 {
        number.get(2..)
    } else {
        Some(number)
    };
    let check = |short: &str| {
        let digits = digits(short).filter(|digits| digits.len() == 10)?;
        let day = pair(&digits, 4)?;
        let day = if day > 60 { day - 60 } else { day };
        Some(dated(day, pair(&digits, 2)?, pair(&digits, 0)?) && luhn(short))
    };
    short.and_then(check).unwrap_or(false)
}

fn foedselsnummer(number: &str) -> bool {
    const FIRST: [u32; 10] = [3, 7, 6, 1, 8, 9, 4, 5, 2, 1];
    const SECOND: [u32; 11] = [5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1];
    let check = || {
        let digits = digits(number).filter(|digits| digits.len() == 11)?;
        let sum = |weights: &[u32]| digits.iter().zip(weights).map(|(d, w)| d * w).sum::<u32>();
        let (day, month) = (pair(&digits, 0)?, pair(&digits, 2)?);
        let day = if day > 40 { day - 40 } else { day };
        let date = dated(day, month % 40, pair(&digits, 4)?);
        Some(date && sum(&FIRST).is_multiple_of(11) && sum(&SECOND).is_multiple_of(11))
    };
    check().unwrap_or(false)
}

fn hetu(number: &str) -> bool {
    const SIGNS: &[u8; 31] = b"0123456789ABCDEFHJKLMNPRSTUVWXY";
    let check = || {
        // The century's sign may be a letter; `-` and `+` are no canonical characters.
        let middle = if number.len() == 11 { 7 } else { 6 };
        let body = format!("{}{}", number.get(..6)?, number.get(middle..middle + 3)?);
        let digits = digits(&body)?;
        let sign = number.as_bytes().get(middle + 3)?;
        let value: u32 = digits.iter().fold(0, |sum, digit| sum * 10 + digit);
        let date = dated(pair(&digits, 0)?, pair(&digits, 2)?, pair(&digits, 4)?);
        let expected = SIGNS.get(usize::try_from(value % 31).ok()?);
        Some(number.len() == middle + 4 && date && expected == Some(sign))
    };
    check().unwrap_or(false)
}

fn kennitala(number: &str, checked: bool) -> bool {
    const WEIGHTS: [u32; 9] = [3, 2, 7, 6, 5, 4, 3, 2, 1];
    let check = || {
        let digits = digits(number).filter(|digits| digits.len() == 10)?;
        let date = dated(pair(&digits, 0)?, pair(&digits, 2)?, pair(&digits, 4)?);
        let sum: u32 = digits.iter().zip(WEIGHTS).map(|(d, w)| d * w).sum();
        Some(date && matches!(digits.last(), Some(0 | 8 | 9)) && (!checked || sum.is_multiple_of(11)))
    };
    check().unwrap_or(false)
}

/// Lengths of the countries that Danish payments meet; other countries' IBANs are taken at any length up to 34.
const IBAN_LENGTHS: [(&str, usize); 14] = [
    ("DK", 18),
    ("FO", 18),
    ("GL", 18),
    ("NO", 15),
    ("SE", 24),
    ("FI", 18),
    ("IS", 26),
    ("DE", 22),
    ("NL", 18),
    ("GB", 22),
    ("PL", 28),
    ("FR", 27),
    ("ES", 24),
    ("IE", 22),
];

fn iban(number: &str) -> bool {
    let country = number.get(..2).unwrap_or("");
    let known = IBAN_LENGTHS.iter().find(|(name, _)| *name == country);
    let length = known.map_or((15..=34).contains(&number.len()), |&(_, length)| number.len() == length);
    let letters = country.len() == 2 && country.bytes().all(|b| b.is_ascii_uppercase());
    let checked = number
        .get(2..4)
        .is_some_and(|digits| digits.bytes().all(|b| b.is_ascii_digit()));
    length && letters && checked && mod97(number)
}

/// Visa, Mastercard, American Express, Dankort, Maestro, JCB, Discover, UnionPay by their first digits (ISO/IEC 7812).
fn card(number: &str) -> bool {
    let first: u32 = number.get(..4).and_then(|four| four.parse().ok()).unwrap_or(0);
    let issuer = match first {
        4000..=4999 => matches!(number.len(), 13 | 16 | 19),
        5019 | 5100..=5599 | 2221..=2720 | 3528..=3589 => number.len() == 16,
        3400..=3499 | 3700..=3799 => number.len() == 15,
        5000..=5099 | 5600..=5899 | 6000..=6999 => (13..=19).contains(&number.len()),
        _ => false,
    };
    let same = number.bytes().all(|b| Some(&b) == number.as_bytes().first());
    issuer && !same && luhn(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksums_hold_for_published_examples() {
        assert!(Checksum::Luhn.holds("79927398713"));
        assert!(!Checksum::Luhn.holds("79927398714"));
        assert!(Checksum::Mod97.holds("GB82WEST12345698765432"));
        assert!(!Checksum::Mod97.holds("GB82WEST12345698765433"));
        assert!(Checksum::Mod97.holds("DK5000400440116243"));
        assert!(Checksum::Mod11.holds(&crate::cpr::made_up::number(3)));
        assert!(!Checksum::Mod11.holds(&crate::cpr::made_up::without_mod11(3)));
        for odd in ["", "A", "ÆØÅ", "12A"] {
            for (_, checksum) in Checksum::NAMES {
                assert!(!checksum.holds(odd), "{checksum:?} {odd}");
            }
        }
    }

    #[test]
    fn numbers_of_the_neighbours() {
        // Published examples: Skatteverket, DVV, Wikipedia's kennitala, ISO 13616, the card networks' test numbers.
        assert!(Checksum::Personnummer.holds("8112189876"));
        assert!(Checksum::Personnummer.holds("198112189876"));
        assert!(!Checksum::Personnummer.holds("8112189875"));
        assert!(Checksum::Hetu.holds("131052308T"));
        assert!(!Checksum::Hetu.holds("131052308U"));
        assert!(Checksum::Kennitala.holds("1201743399"));
        assert!(!Checksum::Kennitala.holds("1201743389") && Checksum::Kennitala.allows("1201743389"));
        assert!(!Checksum::Kennitala.allows("1201743391"));
        assert!(Checksum::Iban.holds("DK5000400440116243"));
        assert!(!Checksum::Iban.holds("DK500040044011624"));
        assert!(Checksum::Card.holds("4111111111111111"));
        assert!(!Checksum::Card.holds("4111111111111112"));
    }

    #[test]
    fn a_foedselsnummer_has_two_check_digits() {
        let all = (100..999).flat_map(|serial| (0..100).map(move |n| format!("150780{serial}{n:02}")));
        let holding: Vec<String> = all.filter(|n| foedselsnummer(n)).collect();
        // At most one pair of check digits a serial; about one serial in six has none.
        assert!((600..899).contains(&holding.len()), "{}", holding.len());
    }
}
