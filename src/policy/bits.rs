//! Small sets of small numbers: groups of an address, rules that fit, numbers of a mail. Members below 256 need no
//! memory of their own, since a decision makes several such sets for each recipient.

use std::hash::Hasher;

/// Words that need no memory of their own.
const INLINE: usize = 4;

/// A set of indices.
#[derive(Clone, Debug, Default)]
pub(super) struct Bits {
    first: [u64; INLINE],
    /// The words behind; may end in zeros.
    rest: Vec<u64>,
}

impl Bits {
    pub fn set(&mut self, i: usize) {
        let word = i / 64;
        if word >= INLINE && self.rest.len() <= word - INLINE {
            self.rest.resize(word - INLINE + 1, 0);
        }
        let mut words = self.first.iter_mut().chain(&mut self.rest);
        if let Some(w) = words.nth(word) {
            *w |= 1 << (i % 64);
        }
    }

    pub fn has(&self, i: usize) -> bool {
        let word = i / 64;
        let w = match word.checked_sub(INLINE) {
            None => self.first.get(word),
            Some(behind) => self.rest.get(behind),
        };
        w.is_some_and(|w| w >> (i % 64) & 1 == 1)
    }

    pub fn is_empty(&self) -> bool {
        self.words().all(|w| w == 0)
    }

    pub fn count(&self) -> usize {
        self.words().map(|w| w.count_ones() as usize).sum()
    }

    /// What is in this set or in the other.
    pub fn add(&mut self, other: &Bits) {
        for (w, o) in self.first.iter_mut().zip(&other.first) {
            *w |= o;
        }
        if self.rest.len() < other.rest.len() {
            self.rest.resize(other.rest.len(), 0);
        }
        for (w, o) in self.rest.iter_mut().zip(&other.rest) {
            *w |= o;
        }
    }

    /// What is in both.
    pub fn and(&self, other: &Bits) -> Bits {
        self.with(other, |w, o| w & o)
    }

    /// What is in this set and not in the other.
    pub fn without(&self, other: &Bits) -> Bits {
        self.with(other, |w, o| w & !o)
    }

    fn with(&self, other: &Bits, join: impl Fn(u64, u64) -> u64) -> Bits {
        let mut first = self.first;
        for (w, o) in first.iter_mut().zip(other.first) {
            *w = join(*w, o);
        }
        let others = other.rest.iter().copied().chain(std::iter::repeat(0));
        let rest = self.rest.iter().zip(others).map(|(w, o)| join(*w, o)).collect();
        Bits { first, rest }
    }

    /// Members in rising order.
    pub fn iter(&self) -> impl Iterator<Item = usize> + '_ {
        self.words()
            .enumerate()
            .flat_map(|(n, word)| Ones(word).map(move |i| n * 64 + i))
    }

    fn words(&self) -> impl Iterator<Item = u64> + '_ {
        self.first.iter().chain(&self.rest).copied()
    }

    /// Its words up to the last one that is not 0, behind their count: sets in a row cannot read as others.
    pub fn write(&self, to: &mut Vec<u64>) {
        let at = to.len();
        to.push(0);
        to.extend(self.words());
        while to.len() > at + 1 && to.last() == Some(&0) {
            to.pop();
        }
        let used = to.len() - at - 1;
        if let Some(count) = to.get_mut(at) {
            *count = used as u64;
        }
    }
}

impl FromIterator<usize> for Bits {
    fn from_iter<I: IntoIterator<Item = usize>>(members: I) -> Bits {
        let mut bits = Bits::default();
        for i in members {
            bits.set(i);
        }
        bits
    }
}

/// Hashes what [`Bits::write`] writes. Plain and quick: the words come from the policy, and a decision knows few of them.
#[derive(Default)]
pub(super) struct WordHasher(u64);

impl Hasher for WordHasher {
    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            for (to, from) in word.iter_mut().zip(chunk) {
                *to = *from;
            }
            self.write_u64(u64::from_le_bytes(word));
        }
    }

    fn write_u64(&mut self, word: u64) {
        // The odd constant is 2^64 divided by the golden ratio; the shift brings the high bits, which it mixes best, down.
        let mixed = (self.0.rotate_left(23) ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        self.0 = mixed ^ mixed >> 32;
    }

    fn write_usize(&mut self, n: usize) {
        self.write_u64(n as u64);
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

/// The positions of ones in a word.
struct Ones(u64);

impl Iterator for Ones {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        let at = self.0.trailing_zeros();
        self.0 &= self.0.wrapping_sub(1);
        (at < 64).then_some(at as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    proptest! {
        #[test]
        fn bits_are_sets(a in prop::collection::btree_set(0usize..600, 0..20), b in prop::collection::btree_set(0usize..600, 0..20)) {
            let (x, y): (Bits, Bits) = (a.iter().copied().collect(), b.iter().copied().collect());
            let back = |bits: &Bits| bits.iter().collect::<BTreeSet<usize>>();
            prop_assert_eq!(back(&x), a.clone());
            prop_assert_eq!(x.count(), a.len());
            prop_assert_eq!(x.is_empty(), a.is_empty());
            prop_assert_eq!(back(&x.and(&y)), &a & &b);
            prop_assert_eq!(back(&x.without(&y)), &a - &b);
            let mut both = x.clone();
            both.add(&y);
            prop_assert_eq!(back(&both), &a | &b);
            prop_assert_eq!(back(&both.without(&y)), &a - &b);
            prop_assert!((0..600).all(|i| x.has(i) == a.contains(&i)));
        }
    }
}
