//! Sixty-four bytes at once: which of them are digits, which surely end a number.
//!
//! The vector instructions that the processor has are chosen at run time (`fearless_simd`): AVX-512, AVX2, SSE2, Neon.
//! Only comparisons are made here; what they mean together is [`super::scan`]'s.

use fearless_simd::{Level, Simd, SimdBase, SimdInt, SimdMask, dispatch};
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
    /// Only [`super::fold::unit`] can tell: escapes, tags, characters outside ASCII but for the letters of [`LETTERS`].
    pub(super) unsure: u64,
}

/// `%` and `&`.
const ESCAPES: RangeInclusive<u8> = b'%'..=b'&';
/// First bytes of U+00C0 to U+02FF: letters with accents, nothing else.
const LETTERS: RangeInclusive<u8> = 0xc3..=0xcb;

/// Reads whole blocks; what is missing of the last one counts as nothing.
pub(super) fn masks(level: Level, bytes: &[u8], blocks: &mut [Masks]) {
    dispatch!(level, simd => all(simd, bytes, blocks));
}

#[inline(always)]
fn all<S: Simd>(simd: S, bytes: &[u8], blocks: &mut [Masks]) {
    let (full, rest) = bytes.as_chunks::<BLOCK>();
    let mut over = false;
    for (masks, block) in blocks.iter_mut().zip(full) {
        *masks = of(simd, block, over);
        over = masks.begins | masks.unsure == 0;
    }
    if let Some(masks) = blocks.get_mut(full.len()) {
        let mut block = [0; BLOCK];
        block.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
        *masks = of(simd, &block, false);
    }
}

/// By as many bytes as the processor compares at once. Where nothing begins, and every number is `over` that did before,
/// nothing else matters.
#[inline(always)]
fn of<S: Simd>(simd: S, block: &[u8; BLOCK], over: bool) -> Masks {
    let mut all = Masks::default();
    for (at, bytes) in lanes(simd, block) {
        let digits = among(simd, bytes, b'0'..=b'9');
        let begins = digits | escapes(simd, bytes) | bytes.simd_ge(0xd9);
        all.digits |= digits.to_bitmask() << at;
        all.begins |= begins.to_bitmask() << at;
    }
    if over && all.begins == 0 {
        return all;
    }
    let (mut equals, mut line_ends, mut latin, mut hyphens) = (0, 0, 0, 0);
    for (at, bytes) in lanes(simd, block) {
        // With the bit of small letters also `@`, which ends a number too.
        let letters = among(simd, bytes | S::u8s::splat(simd, 0x20), b'`'..=b'z');
        let breaks = letters | among(simd, bytes, LETTERS) | bytes.simd_eq(b':');
        let unsure = escapes(simd, bytes) | bytes.simd_eq(b'<') | bytes.simd_ge(0xcc);
        all.breaks |= breaks.to_bitmask() << at;
        all.unsure |= unsure.to_bitmask() << at;
        equals |= bytes.simd_eq(b'=').to_bitmask() << at;
        line_ends |= among(simd, bytes, b'\n'..=b'\r').to_bitmask() << at;
        latin |= bytes.simd_eq(0xc2).to_bitmask() << at;
        hyphens |= bytes.simd_eq(0xad).to_bitmask() << at;
    }
    // A sign of two bytes that may be the last of the block may be either.
    let before = |second: u64| second >> 1 | 1 << (BLOCK - 1);
    // U+0080 to U+00BF are signs with their room on the page, but for the soft hyphen. Being two bytes, they make a block
    // without digits that is no longer than a gap.
    let soft_hyphens = if all.begins == 0 {
        latin
    } else {
        latin & before(hyphens)
    };
    all.unsure |= equals & before(line_ends) | soft_hyphens;
    all
}

/// The block in vectors, each with the place of its first byte.
#[inline(always)]
fn lanes<S: Simd>(simd: S, block: &[u8; BLOCK]) -> impl Iterator<Item = (usize, S::u8s)> {
    let vectors = block.chunks_exact(S::u8s::LEN).enumerate();
    vectors.map(move |(n, bytes)| (n * S::u8s::LEN, S::u8s::from_slice(simd, bytes)))
}

#[inline(always)]
fn escapes<S: Simd>(simd: S, bytes: S::u8s) -> S::mask8s {
    among(simd, bytes, ESCAPES) | bytes.simd_eq(b'\\')
}

#[inline(always)]
fn among<S: Simd>(simd: S, bytes: S::u8s, range: RangeInclusive<u8>) -> S::mask8s {
    (bytes - S::u8s::splat(simd, *range.start())).simd_le(range.end() - range.start())
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
        let digits = bytes.iter().any(|&byte| begins(byte));
        let soft = |n: usize| match bytes.get(n) {
            Some(b'=') => n + 1 == BLOCK || matches!(bytes.get(n + 1), Some(0x0a..=0x0d)),
            Some(0xc2) => n + 1 == BLOCK || !digits || bytes.get(n + 1) == Some(&0xad),
            _ => false,
        };
        let soft_breaks = (0..BLOCK).map(|n| u64::from(soft(n)) << n).sum::<u64>();
        Masks {
            digits: mask(|byte| byte.is_ascii_digit()),
            begins: mask(begins),
            breaks: mask(|byte| byte.is_ascii_alphabetic() || matches!(byte, b'@' | b'`' | b':' | 0xc3..=0xcb)),
            unsure: mask(|byte| matches!(byte, b'%' | b'&' | b'<' | b'\\' | 0xcc..)) | soft_breaks,
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
            assert!(
                c.is_ascii() || class(c) == Class::Other || masks.unsure & 1 == 1,
                "{c:?} is unsure"
            );
            assert!(masks.begins & !masks.digits & !masks.unsure == 0, "{c:?}");
        }
    }

    proptest! {
        #[test]
        fn all_bytes_of_a_block_are_judged(bytes in prop::collection::vec(any::<u8>(), 0..=BLOCK)) {
            for level in levels() {
                prop_assert_eq!(one(level, &bytes), byte_by_byte(&bytes));
            }
        }
    }
}
