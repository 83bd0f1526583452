//! Passing over text without numbers at memory speed.
//!
//! What must a text hold for a number to begin in it? A *run*: digits and signs with nothing between them that surely
//! ends a number. Most digits of mail (days, times, prices, addresses of machines) stand in runs that are too short, or whose
//! digits are grouped as no written form groups them. Both are seen in the bits of [`super::lanes`], before anything is
//! read character by character. Everything here lets through too much rather than too little.

use super::atoms::few_digits;
use super::find::FEWEST;
use super::fold::{begins_entity, begins_tag};
use super::lanes::{BEST, BLOCK, Masks, masks};
use fearless_simd::Level;

/// Blocks read at once: few enough that a short text costs little.
const BLOCKS: usize = 16;

/// The places in a text at which a number may begin, as the detector looks for them; of mail text one in some hundred bytes.
pub fn candidates(text: &str) -> impl Iterator<Item = usize> {
    through(Places::new(text))
}

/// The same without the vector instructions that not every processor has; for measuring.
#[doc(hidden)]
pub fn candidates_portable(text: &str) -> impl Iterator<Item = usize> {
    through(Places::with(Level::baseline(), text))
}

fn through(mut places: Places) -> impl Iterator<Item = usize> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let place = places.next(at)?;
        let digits = places.bytes.get(place..).unwrap_or_default();
        at = place + digits.iter().take_while(|byte| byte.is_ascii_digit()).count().max(1);
        Some(place)
    })
}

/// The places at which a number can begin, in order; the reader says how far it has read.
pub(super) struct Places<'t> {
    text: &'t str,
    bytes: &'t [u8],
    level: Level,
    /// First byte of the blocks in hand.
    first: usize,
    blocks: [Masks; BLOCKS],
}

/// Digits and signs with nothing between them that surely ends a number.
#[derive(Clone, Copy)]
struct Run {
    /// Its first digit.
    start: usize,
    /// Its digits, the first one the lowest bit.
    digits: u64,
    /// How many more there are, beyond the bits of `digits`.
    more: u32,
}

impl<'t> Places<'t> {
    pub(super) fn new(text: &'t str) -> Places<'t> {
        Places::with(*BEST, text)
    }

    fn with(level: Level, text: &'t str) -> Places<'t> {
        let mut places = Places {
            text,
            bytes: text.as_bytes(),
            level,
            first: 0,
            blocks: [Masks::default(); BLOCKS],
        };
        places.load(0);
        places
    }

    /// Those of the block that begins at `block`.
    fn masks(&mut self, block: usize) -> Masks {
        // A run that began in earlier blocks leads back to them.
        let in_hand = block
            .checked_sub(self.first)
            .and_then(|behind| self.blocks.get(behind / BLOCK));
        if let Some(&masks) = in_hand {
            return masks;
        }
        self.load(block);
        self.blocks.first().copied().unwrap_or_default()
    }

    fn load(&mut self, first: usize) {
        self.first = first;
        masks(
            self.level,
            self.bytes.get(first..).unwrap_or_default(),
            &mut self.blocks,
        );
    }

    /// The first place at or after `from` at which a number can begin. `from` never goes back.
    pub(super) fn next(&mut self, from: usize) -> Option<usize> {
        let mut open: Option<Run> = None;
        let mut block = from - from % BLOCK;
        let mut live = u64::MAX << (from % BLOCK);
        while block < self.bytes.len() {
            let masks = self.masks(block);
            if masks.begins & live == 0 && open.is_none() {
                live = u64::MAX;
                block += BLOCK;
                continue;
            }
            match self.in_block(block, masks, live, &mut open) {
                Step::Place(place) => return Some(place),
                Step::From(end) => {
                    open = None;
                    live = u64::MAX << (end % BLOCK);
                    block = end - end % BLOCK;
                }
                Step::On => {
                    live = u64::MAX;
                    block += BLOCK;
                }
            }
        }
        open.filter(|&run| self.possible(run)).map(|run| run.start)
    }

    /// Goes from run to run by the bits of one block; one that goes on behind it is left in `open`.
    #[inline(always)]
    fn in_block(&self, block: usize, masks: Masks, live: u64, open: &mut Option<Run>) -> Step {
        let Masks {
            digits,
            begins,
            breaks,
            unsure,
            count,
            ..
        } = masks;
        let mut left = begins & live;
        if left == 0 && masks.unsure == 0 {
            // More signs than any number has between two digits.
            return match open.take().filter(|&run| self.possible(run)) {
                Some(run) => Step::Place(run.start),
                None => Step::On,
            };
        }
        let led_to = |left: u64, open: Option<Run>| unsure & reached(left | u64::from(open.is_some()), breaks);
        if count < FEWEST && led_to(left, *open) != 0 {
            // Behind `>` no tag goes on: whatever stands before it, a letter there ends every number.
            let ends = breaks & reached(masks.closes << 1 & !unsure, unsure);
            let first = (begins & below(ends.trailing_zeros())).count_ones();
            if ends != 0 && open.is_none_or(|run| run.count() + first < FEWEST) {
                *open = None;
                left &= !below(64 - ends.leading_zeros());
            }
        }
        if let Some(run) = open.take() {
            let length = breaks.trailing_zeros();
            let here = below(length);
            if unsure & here != 0 && self.unsure(block, unsure & here) {
                return self.read(run.start);
            }
            let run = run.and(block, digits & here);
            left &= !here;
            if length == 64 && run.count() < FEWEST {
                *open = Some(run);
                return Step::On;
            }
            // One that fills a block is read.
            if length == 64 || self.possible(run) {
                return Step::Place(run.start);
            }
        }
        if count < FEWEST && led_to(left, None) == 0 {
            let tail = left & !below(64 - breaks.leading_zeros());
            *open = (tail != 0).then(|| Run::new(block, tail));
            return Step::On;
        }
        while left != 0 {
            let behind = left.trailing_zeros();
            let length = (breaks >> behind).trailing_zeros();
            let here = below(length) << behind;
            if unsure & here != 0 && self.unsure(block, unsure & here) {
                return self.read(block + behind as usize);
            }
            if digits >> behind & 1 == 0 {
                left &= left - 1;
                continue;
            }
            let run = Run::new(block, digits & here);
            left &= !here;
            if length == 64 {
                *open = Some(run);
                return Step::On;
            }
            if self.possible(run) {
                return Step::Place(run.start);
            }
        }
        Step::On
    }

    /// Whether any of these bytes of a block is what it seems, as far as a few bytes tell: `=` matters only before a line end,
    /// U+0080 to U+00BF have their room on the page but for the soft hyphen, and `%`, `&` or `<` is a sign unless it begins
    /// what [`super::fold`] knows.
    fn unsure(&self, block: usize, mut bits: u64) -> bool {
        while bits != 0 {
            let at = block + bits.trailing_zeros() as usize;
            let settled = match self.bytes.get(at..at + 4) {
                Some([b'=', second, ..]) => !matches!(second, b'\n' | b'\r'),
                Some([0xc2, second, ..]) => *second != 0xad,
                Some([b'%', high, low, _]) => !(high.is_ascii_hexdigit() && low.is_ascii_hexdigit()),
                Some([b'&', first, second, _]) => *first != b'#' && !begins_entity([*first, *second]),
                Some([b'<', b'/', first, second] | [b'<', first, second, _]) => !begins_tag([*first, *second]),
                Some([b'\\', second, ..]) => *second != b'u',
                // U+FFFD, of which texts in a wrong charset are full.
                Some([0xef, 0xbf, 0xbd, _]) => true,
                _ => false,
            };
            if !settled {
                return true;
            }
            bits &= bits - 1;
        }
        false
    }

    /// Only reading can tell.
    fn read(&self, start: usize) -> Step {
        few_digits(self.text, start, FEWEST).map_or(Step::Place(start), Step::From)
    }

    /// Whether the digits of a run are grouped as in any written form ([`super::shape`]): four together, the serial, and at
    /// least four before them; or ten, single or in pairs; or a hospital's letters and a digit behind seven.
    fn possible(&self, run: Run) -> bool {
        run.count() >= FEWEST
            && (run.more > 0
                || run.serial()
                || run.spread()
                || self.letters(run.start + 63 - run.digits.leading_zeros() as usize))
    }

    /// Two letters and a digit behind the digit at `last`.
    fn letters(&self, last: usize) -> bool {
        matches!(self.bytes.get(last + 1..last + 4), Some([a, b, c])
            if a.is_ascii_alphabetic() && b.is_ascii_alphabetic() && c.is_ascii_digit())
    }
}

impl Run {
    /// The run of these bits of a block; at least one is set.
    fn new(block: usize, digits: u64) -> Run {
        let behind = digits.trailing_zeros();
        Run {
            start: block + behind as usize,
            digits: digits >> (behind % 64),
            more: 0,
        }
    }

    fn count(&self) -> u32 {
        self.digits.count_ones() + self.more
    }

    /// Four digits together with at least four before them. In a longer group they are its last ones: year and serial, or
    /// the whole date and the serial, with a year of four digits twelve together.
    fn serial(&self) -> bool {
        let digits = self.digits;
        let pairs = digits & digits >> 1;
        let mut fours = pairs & pairs >> 2;
        while fours != 0 {
            let last = 63 - fours.leading_zeros();
            let group = (digits << (60 - last)).leading_ones();
            if (digits & below(last)).count_ones() < 4 {
                return false;
            }
            if group <= 12 {
                return true;
            }
            fours &= below(last + 4 - group);
        }
        false
    }

    /// Ten digits, single or in pairs: behind or before three together, or without any such.
    fn spread(&self) -> bool {
        let threes = self.digits & self.digits >> 1 & self.digits >> 2;
        self.count() >= 10 && (threes == 0 || self.count() >= 13)
    }

    /// With these of the next block.
    fn and(self, block: usize, digits: u64) -> Run {
        let shift = u32::try_from(block - self.start).unwrap_or(u32::MAX);
        let added = digits.checked_shl(shift).unwrap_or(0);
        Run {
            digits: self.digits | added,
            more: self.more + (digits ^ added.checked_shr(shift).unwrap_or(0)).count_ones(),
            ..self
        }
    }
}

/// How the search goes on.
enum Step {
    /// Here.
    Place(usize),
    /// From there on.
    From(usize),
    /// In the next block.
    On,
}

/// Where what begins at these bits goes on to, through all that does not end a number.
#[inline(always)]
fn reached(from: u64, breaks: u64) -> u64 {
    let between = !breaks;
    (from.wrapping_add(between) ^ between) | from
}

/// So many of the lowest bits.
fn below(bits: u32) -> u64 {
    1_u64.checked_shl(bits).map_or(u64::MAX, |bit| bit - 1)
}
