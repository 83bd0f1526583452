//! Passing over text without numbers at memory speed.
//!
//! Two sieves before anything is read character by character: whole blocks without a byte at which a digit can begin
//! (a loop that the compiler turns into vector instructions), and runs of digits that end before they are long enough.
//! Both let through too much rather than too little: what they drop cannot be part of a number in any written form.

use super::fold::{Class, begins, class};
use std::sync::LazyLock;

/// Bytes tested at once.
const BLOCK: usize = 64;

/// What one byte means to the second sieve.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Byte {
    /// ASCII digit.
    Digit,
    /// May stand between two digits of one number.
    Gap,
    /// Ends every number.
    Break,
    /// Part of an escape or of a character outside ASCII: only [`super::fold::unit`] can tell.
    Unsure,
}

static BYTES: LazyLock<[Byte; 256]> = LazyLock::new(|| {
    std::array::from_fn(|code| match u8::try_from(code).unwrap_or_default() {
        // Escapes, the soft break of quoted-printable, tags.
        b'%' | b'&' | b'\\' | b'=' | b'<' => Byte::Unsure,
        byte if byte.is_ascii() => match class(char::from(byte)) {
            Class::Digit(_) => Byte::Digit,
            Class::Other => Byte::Break,
            _ => Byte::Gap,
        },
        // U+00C0 to U+02FF: letters with accents, nothing else.
        0xc3..=0xcb => Byte::Break,
        _ => Byte::Unsure,
    })
});

/// The places in a text at which a number may begin, as the detector looks for them; of mail text one in some hundred bytes.
pub fn candidates(text: &str) -> impl Iterator<Item = usize> {
    let mut places = Places::new(text);
    let mut at = 0;
    std::iter::from_fn(move || {
        let place = places.next(at, super::find::FEWEST)?;
        let digits = text.as_bytes().get(place..).unwrap_or_default();
        at = place + digits.iter().take_while(|byte| byte.is_ascii_digit()).count().max(1);
        Some(place)
    })
}

/// The places at which a digit can begin, in order; the reader says how far it has read.
pub(super) struct Places<'t> {
    bytes: &'t [u8],
    table: &'static [Byte; 256],
    /// First byte of the block that `masks` is of.
    block: usize,
    masks: Masks,
}

/// One bit for each byte of a block.
#[derive(Clone, Copy, Default)]
struct Masks {
    /// A digit can begin.
    begins: u64,
    /// Every number surely ends.
    breaks: u64,
    /// Only reading can tell.
    unsure: u64,
}

impl<'t> Places<'t> {
    pub(super) fn new(text: &'t str) -> Places<'t> {
        let mut places = Places {
            bytes: text.as_bytes(),
            table: &BYTES,
            block: 0,
            masks: Masks::default(),
        };
        places.load(0);
        places
    }

    /// The first place at or after `from`, at which at least `least` digits may stand together. `from` never goes back.
    pub(super) fn next(&mut self, from: usize, least: usize) -> Option<usize> {
        let mut from = from;
        loop {
            let place = self.begin(from)?;
            match self.short_run(place, least) {
                None => return Some(place),
                Some(end) => from = end,
            }
        }
    }

    /// The first byte at or after `from` at which a digit can begin.
    fn begin(&mut self, from: usize) -> Option<usize> {
        if from >= self.block + BLOCK {
            self.load(from - from % BLOCK);
        }
        loop {
            let behind = u32::try_from(from.saturating_sub(self.block)).ok()?;
            let left = self.masks.begins & u64::MAX.checked_shl(behind).unwrap_or(0);
            if left != 0 {
                return Some(self.block + left.trailing_zeros() as usize);
            }
            if self.block + BLOCK >= self.bytes.len() {
                return None;
            }
            self.load(self.block + BLOCK);
        }
    }

    /// Goes to the first block from `at` on that has a place in it; to the last one when none has.
    fn load(&mut self, at: usize) {
        let rest = self.bytes.get(at..).unwrap_or_default();
        let full = rest.len() / BLOCK;
        let empty = rest.chunks_exact(BLOCK).take_while(|block| !any(block)).count();
        self.block = at + empty * BLOCK;
        let block = rest.get(empty * BLOCK..).unwrap_or_default();
        let block = block.get(..BLOCK).unwrap_or(block);
        self.masks = if empty == full && block.is_empty() {
            Masks::default()
        } else {
            Masks::of(block)
        };
    }

    /// The end of a run with fewer than `least` digits that surely ends there; `None` when only reading it can tell.
    fn short_run(&self, place: usize, least: usize) -> Option<usize> {
        let behind = place - self.block;
        let length = (self.masks.breaks >> behind).trailing_zeros();
        let Some(run) = 1_u64.checked_shl(length).map(|bit| (bit - 1) << behind) else {
            return self.short_run_over_blocks(place, least);
        };
        let few = (self.masks.begins & run).count_ones() < u32::try_from(least).unwrap_or(u32::MAX);
        (few && self.masks.unsure & run == 0).then_some(place + length as usize)
    }

    fn short_run_over_blocks(&self, place: usize, least: usize) -> Option<usize> {
        let mut digits = 0;
        for (n, &byte) in self.bytes.get(place..)?.iter().enumerate() {
            match self.table[usize::from(byte)] {
                Byte::Digit => {
                    digits += 1;
                    if digits >= least {
                        return None;
                    }
                }
                Byte::Gap => {}
                Byte::Break => return Some(place + n),
                Byte::Unsure => return None,
            }
        }
        Some(self.bytes.len())
    }
}

/// Whether a digit can begin anywhere in the block. Written for the compiler's vectoriser: no branch, no early end.
fn any(block: &[u8]) -> bool {
    let mut found = 0;
    for &byte in block {
        found |= u8::from(begins(byte));
    }
    found != 0
}

impl Masks {
    fn of(block: &[u8]) -> Masks {
        Masks {
            begins: mask(block, begins),
            breaks: mask(block, breaks),
            unsure: mask(block, unsure),
        }
    }
}

/// A bit for each byte: eight flags of one byte each are drawn together by one multiplication.
fn mask(block: &[u8], test: impl Fn(u8) -> bool) -> u64 {
    const GATHER: u64 = 0x0102_0408_1020_4080;
    let mut flags = [0_u8; BLOCK];
    for (flag, &byte) in flags.iter_mut().zip(block) {
        *flag = u8::from(test(byte));
    }
    let (eights, _) = flags.as_chunks::<8>();
    let bits = eights
        .iter()
        .map(|eight| u64::from_le_bytes(*eight).wrapping_mul(GATHER) >> 56);
    bits.enumerate().fold(0, |mask, (n, bits)| mask | bits << (8 * n))
}

/// [`Byte::Break`] in arithmetic: letters and the signs that are frequent beside numbers.
fn breaks(byte: u8) -> bool {
    ((byte | 0x20).wrapping_sub(b'a') < 26)
        | (byte.wrapping_sub(0xc3) < 9)
        | (byte == b':')
        | (byte == b'@')
        | (byte == b'#')
        | (byte == b'*')
}

/// [`Byte::Unsure`] in arithmetic.
fn unsure(byte: u8) -> bool {
    (byte >= 0x80) & (byte.wrapping_sub(0xc3) >= 9)
        | (byte == b'%')
        | (byte == b'&')
        | (byte == b'\\')
        | (byte == b'=')
        | (byte == b'<')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Every character outside ASCII whose lead byte is taken for a break ends a number.
    #[test]
    fn what_is_called_a_break_is_one() {
        for code in 0x80..=0x10_ffff_u32 {
            let Some(c) = char::from_u32(code) else { continue };
            let mut buffer = [0; 4];
            let lead = c.encode_utf8(&mut buffer).as_bytes()[0];
            if BYTES[usize::from(lead)] == Byte::Break {
                assert_eq!(class(c), Class::Other, "U+{code:04X}");
            }
        }
    }

    #[test]
    fn arithmetic_says_no_more_than_the_table() {
        for byte in 0..=255_u8 {
            let known = BYTES[usize::from(byte)];
            assert!(!breaks(byte) || known == Byte::Break, "{byte:#x}");
            assert_eq!(unsure(byte), known == Byte::Unsure, "{byte:#x}");
        }
    }

    proptest! {
        /// What is passed over has too few digits, and what has enough is not passed over.
        #[test]
        fn only_short_runs_are_passed_over(text in "([0-9]{1,9}|[ .:;-]{1,60}|[a-zæ]{1,4}|[=%&]|０){0,40}") {
            let mut places = Places::new(&text);
            let mut at = 0;
            let mut offered = Vec::new();
            while let Some(place) = places.next(at, 7) {
                offered.push(place);
                at = place + 1;
            }
            let clean: Vec<(usize, &str)> = text
                .split_inclusive(|c: char| c.is_alphabetic() || matches!(c, ':' | '=' | '%' | '&' | '０'))
                .scan(0, |at, piece| {
                    let start = *at;
                    *at += piece.len();
                    Some((start, piece))
                })
                .collect();
            for (start, piece) in clean {
                let digits: Vec<usize> = piece.bytes().enumerate().filter(|(_, b)| b.is_ascii_digit()).map(|(n, _)| start + n).collect();
                if digits.len() >= 7 {
                    prop_assert!(offered.contains(&digits[0]), "{:?} in {:?}", piece, text);
                }
            }
        }

        /// No place is passed over, wherever the blocks fall.
        #[test]
        fn every_place_is_found(text in "[a-z 0-9%&æ０.-]{0,300}") {
            let mut places = Places::new(&text);
            let mut at = 0;
            let mut found = Vec::new();
            while let Some(place) = places.next(at, 1) {
                found.push(place);
                at = place + 1;
            }
            let all: Vec<usize> = text.bytes().enumerate().filter(|&(_, b)| begins(b)).map(|(n, _)| n).collect();
            prop_assert_eq!(found, all);
        }
    }
}
