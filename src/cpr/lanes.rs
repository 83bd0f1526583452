//! Sixty-four bytes at once: which of them are digits, which surely end a number.
//!
//! The vector instructions that the processor has are chosen at run time (`fearless_simd`): AVX-512, AVX2, SSE2, Neon.
//! Only comparisons are made here; what they mean together is [`super::scan`]'s.

use fearless_simd::{Level, Simd, SimdBase, SimdMask, dispatch, mask8x64, u8x64};
use std::ops::RangeInclusive;
use std::sync::LazyLock;

/// Bytes of a block.
pub(super) const BLOCK: usize = 64;

/// What this processor can do.
pub(super) static BEST: LazyLock<Level> = LazyLock::new(Level::new);

/// One bit for each byte of a block, the first byte the lowest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Masks {
    /// ASCII digits.
    pub(super) digits: u64,
    /// A digit can begin: also one that is written as an escape, or outside ASCII.
    pub(super) begins: u64,
    /// Every number surely ends.
    pub(super) breaks: u64,
    /// `>`: a tag surely ends.
    pub(super) closes: u64,
    /// How many of `begins`.
    pub(super) count: u32,
    /// Only [`super::fold::unit`] can tell: escapes, tags, the soft hyphen, characters from U+0300 on.
    pub(super) unsure: u64,
}

/// `%` and `&`.
const ESCAPES: RangeInclusive<u8> = b'%'..=b'&';
/// `<` and `=`.
const TAGS: RangeInclusive<u8> = b'<'..=b'=';
/// First bytes of U+00C0 to U+02FF: letters with accents, nothing else.
const LETTERS: RangeInclusive<u8> = 0xc3..=0xcb;

/// Reads whole blocks; what is missing of the last one counts as nothing.
pub(super) fn masks(level: Level, bytes: &[u8], blocks: &mut [Masks]) {
    dispatch!(level, simd => all(simd, bytes, blocks));
}

#[inline(always)]
fn all<S: Simd>(simd: S, bytes: &[u8], blocks: &mut [Masks]) {
    let (full, rest) = bytes.as_chunks::<BLOCK>();
    for (masks, block) in blocks.iter_mut().zip(full) {
        *masks = of(simd, block);
    }
    if let Some(masks) = blocks.get_mut(full.len()) {
        let mut block = [0; BLOCK];
        block.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
        *masks = of(simd, &block);
    }
}

#[inline(always)]
fn of<S: Simd>(simd: S, block: &[u8; BLOCK]) -> Masks {
    let bytes = u8x64::from_slice(simd, block);
    let digits = among(simd, bytes, b'0'..=b'9');
    let escapes = among(simd, bytes, ESCAPES) | bytes.simd_eq(b'\\');
    let begins = (digits | escapes | bytes.simd_ge(0xd9)).to_bitmask();
    // With the bit of small letters also `@`, which ends a number too.
    let letters = among(simd, bytes | u8x64::splat(simd, 0x20), b'`'..=b'z');
    // Of U+0080 to U+00BF only the soft hyphen takes no room; the last byte leaves it open.
    let soft = bytes.simd_eq(0xc2).to_bitmask() & (bytes.simd_eq(0xad).to_bitmask() >> 1 | 1 << 63);
    Masks {
        digits: digits.to_bitmask(),
        begins,
        closes: bytes.simd_eq(b'>').to_bitmask(),
        count: begins.count_ones(),
        breaks: (letters | among(simd, bytes, LETTERS) | bytes.simd_eq(b':')).to_bitmask(),
        unsure: (escapes | among(simd, bytes, TAGS) | bytes.simd_ge(0xcc)).to_bitmask() | soft,
    }
}

#[inline(always)]
fn among<S: Simd>(simd: S, bytes: u8x64<S>, range: RangeInclusive<u8>) -> mask8x64<S> {
    (bytes - u8x64::splat(simd, *range.start())).simd_le(range.end() - range.start())
}

#[cfg(test)]
mod tests {
    use super::super::fold::{Class, begins, class};
    use super::*;
    use proptest::prelude::*;

    /// The best that this processor has, what every processor of its kind has, and what lies between.
    fn levels() -> Vec<Level> {
        let best = Level::new();
        let mut levels = vec![best, Level::baseline()];
        #[cfg(target_arch = "x86_64")]
        {
            levels.extend(best.as_avx2().map(Level::Avx2));
            levels.extend(best.as_sse4_2().map(Level::Sse4_2));
        }
        levels
    }

    fn one(level: Level, bytes: &[u8]) -> Masks {
        let mut blocks = [Masks::default()];
        masks(level, bytes, &mut blocks);
        blocks[0]
    }

    fn byte_by_byte(bytes: &[u8]) -> Masks {
        let mask = |test: fn(u8) -> bool| {
            let bits = bytes.iter().enumerate().map(|(n, &byte)| u64::from(test(byte)) << n);
            bits.sum()
        };
        let soft = bytes
            .iter()
            .enumerate()
            .filter(|&(at, &byte)| byte == 0xc2 && (at + 1 == BLOCK || bytes.get(at + 1) == Some(&0xad)));
        let soft = soft.map(|(at, _)| at);
        let soft: u64 = soft.map(|at| 1 << at).sum();
        Masks {
            digits: mask(|byte| byte.is_ascii_digit()),
            begins: mask(begins),
            closes: mask(|byte| byte == b'>'),
            count: mask(begins).count_ones(),
            breaks: mask(|byte| byte.is_ascii_alphabetic() || matches!(byte, b'@' | b'`' | b':' | 0xc3..=0xcb)),
            unsure: mask(|byte| matches!(byte, b'%' | b'&' | b'<' | b'=' | b'\\' | 0xcc..)) | soft,
        }
    }

    #[test]
    fn every_byte_is_judged_alike_by_all_instructions() {
        for byte in 0..=255 {
            for level in levels() {
                for at in [0, 15, 16, 31, 32, 63] {
                    let mut block = [b' '; BLOCK];
                    block[at] = byte;
                    assert_eq!(one(level, &block), byte_by_byte(&block), "{byte:#x} at {at}, {level:?}");
                }
            }
        }
    }

    /// Of every character: where it is a digit it can begin one; where a break, nothing goes on; and only what is unsure
    /// may be anything but itself.
    #[test]
    fn masks_say_no_more_than_is_so() {
        for c in (0..=0x10_ffff_u32).filter_map(char::from_u32) {
            let mut buffer = [0; 4];
            let bytes = c.encode_utf8(&mut buffer).as_bytes();
            let masks = one(*BEST, bytes);
            let digit = matches!(class(c), Class::Digit(_));
            assert!(!digit || masks.begins & 1 == 1, "{c:?} can begin");
            assert!(masks.breaks & 1 == 0 || class(c) == Class::Other, "{c:?} ends a number");
            // A sign that has room on the page and two bytes is seen in the bits as what it is: no digit, no break.
            let sign = c < '\u{c0}' && !matches!(class(c), Class::Digit(_) | Class::Invisible | Class::SoftHyphen);
            assert!(
                c.is_ascii() || sign || class(c) == Class::Other || masks.unsure & 1 == 1,
                "{c:?} is unsure"
            );
            assert!(masks.begins & !masks.digits & !masks.unsure == 0, "{c:?}");
        }
    }

    proptest! {
        #[test]
        fn blocks_are_read_in_order(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            for level in levels() {
                let mut blocks = [Masks::default(); 5];
                masks(level, &bytes, &mut blocks);
                for (block, masks) in bytes.chunks(BLOCK).zip(blocks) {
                    prop_assert_eq!(masks, byte_by_byte(block));
                }
            }
        }
    }
}
