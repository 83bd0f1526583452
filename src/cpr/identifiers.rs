//! Custom identifiers: what a policy's `identifiers:` defines, found the same way and reported as the same [`Hit`].
//!
//! Patterns run on the `regex` crate only, within a size limit. Finding *all* matches may cost the square of the text
//! even there, so long texts are searched in overlapping pieces.

use super::context::{after, before};
use super::features::{self as f, Evidence};
use super::find::Hit;
use super::number::weighted;
use super::{IdKind, Secret};
use regex::{Regex, RegexBuilder};
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// Compiled size of one pattern, and of its lazy automaton.
const SIZE_LIMIT: usize = 1 << 20;
/// Piece of a text that is searched at once.
const PIECE: usize = 1 << 16;
/// Longest match that is found for certain across pieces.
const LONGEST: usize = 1 << 10;
/// Bytes looked at for context words, on both sides.
const NEAR: usize = 80;

/// A custom identifier as the policy defines it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identifier {
    /// Name in `found:`.
    pub name: String,
    /// Linear-time regular expression.
    pub pattern: String,
    /// A named checksum that raises confidence.
    pub checksum: Option<Checksum>,
    /// Words near by that raise confidence.
    pub context: Vec<String>,
}

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
}

/// Why a custom identifier cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("identifier {name}: {problem}")]
pub struct IdentifierError {
    /// Which.
    pub name: String,
    /// What is wrong with it, in words for the policy's author.
    pub problem: String,
}

/// An identifier ready for use.
#[derive(Clone, Debug)]
pub(super) struct Custom {
    name: String,
    regex: Regex,
    checksum: Option<Checksum>,
    context: Vec<String>,
}

impl Custom {
    /// Checks and compiles.
    pub(super) fn new(identifier: &Identifier) -> Result<Custom, IdentifierError> {
        let wrong = |problem: &str| IdentifierError {
            name: identifier.name.clone(),
            problem: problem.to_owned(),
        };
        if identifier.name.trim().is_empty() {
            return Err(wrong("it has no name; give it one, so that rules can say found: NAME"));
        }
        if identifier.name == IdKind::Cpr.word() {
            return Err(wrong("the name cpr is taken by the built-in detector; choose another"));
        }
        if identifier.pattern.is_empty() {
            return Err(wrong("the pattern is empty; it would be found everywhere"));
        }
        let mut builder = RegexBuilder::new(&identifier.pattern);
        let regex = builder
            .size_limit(SIZE_LIMIT)
            .dfa_size_limit(SIZE_LIMIT)
            .build()
            .map_err(|error| wrong(&words(&error)))?;
        if regex.find("").is_some() {
            return Err(wrong(
                "the pattern matches the empty text, so it would be found everywhere; ask for at least one character",
            ));
        }
        let context = identifier.context.iter().map(|word| word.trim().to_lowercase());
        Ok(Custom {
            name: identifier.name.clone(),
            regex,
            checksum: identifier.checksum,
            context: context.filter(|word| !word.is_empty()).collect(),
        })
    }

    /// Adds every match to `hits`.
    pub(super) fn find(&self, text: &str, hits: &mut Vec<Hit>) {
        let mut at = 0;
        while at <= text.len() {
            let end = text.floor_char_boundary((at + PIECE).min(text.len()));
            let last = end == text.len();
            // A match that begins later may go on behind the piece: the next piece finds it whole.
            let surely = if last {
                end + 1
            } else {
                text.floor_char_boundary(end - LONGEST)
            };
            let Some(piece) = text.get(..end) else { return };
            let mut next = surely;
            while let Some(found) = self.regex.find_at(piece, at).filter(|found| found.start() < surely) {
                hits.extend(self.hit(text, found.range()));
                at = found.end().max(text.ceil_char_boundary(found.start() + 1));
                next = next.max(at);
                if at > piece.len() {
                    break;
                }
            }
            at = next;
        }
    }

    fn hit(&self, text: &str, span: Range<usize>) -> Option<Hit> {
        let written = text.get(span.clone())?;
        let marks = written.char_indices().filter(|(_, c)| c.is_alphanumeric());
        let digits: Vec<Range<usize>> = marks
            .map(|(at, c)| span.start + at..span.start + at + c.len_utf8())
            .collect();
        let number: String = written
            .chars()
            .filter(|c| c.is_alphanumeric())
            .flat_map(char::to_uppercase)
            .collect();
        if digits.is_empty() {
            return None;
        }
        let mut evidence = Evidence::default();
        evidence.when(self.checksum.is_none() && self.context.is_empty(), f::PATTERN);
        evidence.when(
            self.checksum.is_some_and(|checksum| checksum.holds(&number)),
            f::CHECKSUM,
        );
        evidence.when(self.has_context(text, &span), f::CONTEXT);
        let confidence = evidence.confidence();
        let kind = IdKind::Custom(self.name.clone());
        Some(Hit {
            kind,
            span,
            digits,
            number: Secret::new(number),
            confidence,
            why: evidence.why(),
        })
    }

    fn has_context(&self, text: &str, span: &Range<usize>) -> bool {
        if self.context.is_empty() {
            return false;
        }
        let lead = before(text, span.start, NEAR).to_lowercase();
        let tail = after(text, span.end, NEAR).to_lowercase();
        self.context
            .iter()
            .any(|word| lead.contains(word.as_str()) || tail.contains(word.as_str()))
    }
}

/// The regex crate's complaint for somebody who may never have met one.
fn words(error: &regex::Error) -> String {
    match error {
        regex::Error::CompiledTooBig(_) => {
            "the pattern becomes too large; use smaller counts in {…}, or fewer alternatives".to_owned()
        }
        regex::Error::Syntax(details) => {
            let reason = details
                .lines()
                .rev()
                .find_map(|line| line.trim().strip_prefix("error: "));
            match reason {
                Some(reason) if reason.contains("look-around") || reason.contains("backreference") => {
                    format!("the pattern uses {reason}; only patterns that run in linear time are possible")
                }
                Some(reason) => format!("the pattern is not a regular expression: {reason}"),
                None => "the pattern is not a regular expression".to_owned(),
            }
        }
        _ => "the pattern cannot be used".to_owned(),
    }
}

impl Checksum {
    /// Whether canonical characters satisfy it.
    pub fn holds(self, number: &str) -> bool {
        match self {
            Checksum::Mod11 => mod11(number),
            Checksum::Luhn => luhn(number),
            Checksum::Mod97 => mod97(number),
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
            assert!(!Checksum::Luhn.holds(odd) && !Checksum::Mod97.holds(odd) && !Checksum::Mod11.holds(odd));
        }
    }
}
