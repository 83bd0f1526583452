//! Copies of a number that touch other digits or letters. Beside them the detector sees something else, a hash or a longer run;
//! and where two numbers stand together without a gap, erasing one would hide the other from the inspection afterwards.

use super::Targets;
use std::collections::{BTreeSet, VecDeque};
use std::ops::Range;

/// Ten digits, a CPR number's length.
const DIGITS: usize = 10;
/// Digits before the sign, if there is one.
const DATE: usize = 6;
/// Bytes of the sign: a dash with a space on each side of it, in UTF-8.
const SIGN: usize = 5;

/// Where the digits of the targets stand in `text`, whatever is beside them.
pub(super) fn glued(text: &str, targets: &Targets) -> Vec<Range<usize>> {
    let wanted: BTreeSet<&str> = targets
        .iter()
        .map(|(_, number)| number.reveal())
        .filter(|number| number.len() == DIGITS && number.bytes().all(|b| b.is_ascii_digit()))
        .collect();
    let mut found = Vec::new();
    if wanted.is_empty() {
        return found;
    }
    let mut last: VecDeque<(usize, char)> = VecDeque::with_capacity(DIGITS + 1);
    for (at, byte) in text.bytes().enumerate().filter(|(_, byte)| byte.is_ascii_digit()) {
        last.push_back((at, char::from(byte)));
        if last.len() > DIGITS {
            last.pop_front();
        }
        if last.len() == DIGITS && stand_together(text, &last) {
            let number: String = last.iter().map(|(_, digit)| digit).collect();
            if wanted.contains(number.as_str()) {
                found.extend(last.iter().map(|(at, _)| *at..*at + 1));
            }
        }
    }
    found
}

/// Nothing between the digits but a sign behind the date.
fn stand_together(text: &str, digits: &VecDeque<(usize, char)>) -> bool {
    let neighbours = digits.iter().zip(digits.iter().skip(1)).enumerate();
    let mut gaps = neighbours.map(|(i, ((before, _), (after, _)))| (i + 1, before + 1..*after));
    gaps.all(|(i, gap)| {
        let sign = |gap: &str| gap.len() <= SIGN && !gap.contains(char::is_alphanumeric);
        gap.is_empty() || i == DATE && text.get(gap).is_some_and(sign)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cpr::{IdKind, Secret};

    fn left(text: &str) -> String {
        let targets = Targets::from([(IdKind::Cpr, Secret::new("0101901234".to_owned()))]);
        let mut out = text.as_bytes().to_vec();
        for range in glued(text, &targets) {
            out[range].fill(b'X');
        }
        String::from_utf8(out).expect("ASCII for ASCII")
    }

    #[test]
    fn a_copy_beside_digits_and_letters_is_found() {
        assert_eq!(left("990101901234010190-1234a"), "99XXXXXXXXXXXXXXXX-XXXXa");
        assert_eq!(left("010190 – 1234, 01 01 90 1234"), "XXXXXX – XXXX, 01 01 90 1234");
        assert_eq!(left("010190a1234 010190      1234"), "010190a1234 010190      1234");
        assert_eq!(left("01010101901234"), "0101XXXXXXXXXX");
    }
}
