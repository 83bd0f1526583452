//! Passing over text without numbers at memory speed.
//!
//! What must a text hold for a number to begin in it? A *run*: digits and signs with nothing between them that surely
//! ends a number. Most digits of mail (days, times, prices, addresses of machines) stand in runs that are too short, or whose
//! digits are grouped as no written form groups them. Both are seen in the bits of [`super::lanes`], before anything is
//! read character by character. Everything here lets through too much rather than too little.

use super::atoms::few_digits;
use super::find::FEWEST;
use super::lanes::{BEST, BLOCK, Masks, masks};
use fearless_simd::{Level, Simd, dispatch};

/// Blocks whose masks are made at once: few enough that a short text costs little.
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
#[derive(Clone, Copy, Default)]
struct Run {
    /// Its first digit.
    start: usize,
    /// Its digits, the first one the lowest bit.
    digits: u64,
    /// How many.
    count: u32,
    /// Too long for the bits of `digits`.
    long: bool,
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
    #[inline(always)]
    fn masks(&mut self, block: usize) -> Masks {
        let mut at = block.wrapping_sub(self.first) / BLOCK;
        if at >= BLOCKS {
            self.load(block);
            at = 0;
        }
        self.blocks[at % BLOCKS]
    }

    /// A run that began in earlier blocks leads back to them.
    #[inline(never)]
    fn load(&mut self, block: usize) {
        self.first = block;
        masks(
            self.level,
            self.bytes.get(block..).unwrap_or_default(),
            &mut self.blocks,
        );
    }

    /// The first place at or after `from` at which a number can begin.
    pub(super) fn next(&mut self, from: usize) -> Option<usize> {
        dispatch!(self.level, simd => self.next_by(simd, from))
    }

    /// Compiled for each kind of processor: some count bits by one instruction.
    #[inline(always)]
    fn next_by<S: Simd>(&mut self, _: S, from: usize) -> Option<usize> {
        let mut open = Run::default();
        let mut block = from - from % BLOCK;
        let mut live = u64::MAX << (from % BLOCK);
        while block < self.bytes.len() {
            let masks = self.masks(block);
            let step = match quiet(block, masks, live, open) {
                Some(run) => Step::On(run),
                None => self.in_block(block, masks, live, open),
            };
            match step {
                Step::Place(place) => return Some(place),
                Step::From(end) => {
                    open = Run::default();
                    live = u64::MAX << (end % BLOCK);
                    block = end - end % BLOCK;
                }
                Step::On(run) => {
                    open = run;
                    live = u64::MAX;
                    block += BLOCK;
                }
            }
        }
        self.possible(open).then_some(open.start)
    }

    /// Goes from run to run by the bits of one block.
    #[inline(always)]
    fn in_block(&self, block: usize, masks: Masks, live: u64, open: Run) -> Step {
        let Masks {
            digits,
            begins,
            breaks,
            unsure,
        } = masks;
        let mut left = begins & live;
        if open.count > 0 {
            let length = breaks.trailing_zeros();
            let here = below(length);
            if unsure & here != 0 {
                return self.read(open.start);
            }
            let run = open.and(block, digits & here);
            left &= !here;
            if length == 64 && run.count < FEWEST {
                return Step::On(run);
            }
            // One that fills a block is read.
            if length == 64 || self.possible(run) {
                return Step::Place(run.start);
            }
        }
        while left != 0 {
            let behind = left.trailing_zeros();
            let length = (breaks >> behind).trailing_zeros();
            let here = below(length) << behind;
            let run = Run::new(block, left & here);
            if unsure & here != 0 {
                if digits >> behind & 1 == 1 || self.escape(run.start) {
                    return self.read(run.start);
                }
                left &= left - 1;
                continue;
            }
            left &= !here;
            if length == 64 {
                return Step::On(run);
            }
            if self.possible(run) {
                return Step::Place(run.start);
            }
        }
        Step::On(Run::default())
    }

    /// Whether what begins at `at` may be a digit, or an escape with digits in it, as far as its first two bytes tell.
    #[inline(always)]
    fn escape(&self, at: usize) -> bool {
        match self.bytes.get(at..at + 2) {
            Some([b'&', second]) => *second == b'#',
            Some([b'%', second]) => second.is_ascii_hexdigit(),
            Some([b'\\', second]) => *second == b'u',
            // General punctuation.
            Some([0xe2, second]) => *second != 0x80,
            Some(_) => true,
            None => false,
        }
    }

    /// Only reading can tell.
    fn read(&self, start: usize) -> Step {
        few_digits(self.text, start, FEWEST).map_or(Step::Place(start), Step::From)
    }

    /// Whether the digits of a run are grouped as in any written form ([`super::shape`]): four together, the serial, and at
    /// least four before them; or ten, single or in pairs; or a hospital's letters and a digit behind seven.
    #[inline(always)]
    fn possible(&self, run: Run) -> bool {
        run.count >= FEWEST
            && (run.long
                || run.serial()
                || run.spread()
                || self.letters(run.start + 63 - run.digits.leading_zeros() as usize))
    }

    /// Two letters and a digit behind the digit at `last`.
    #[inline(always)]
    fn letters(&self, last: usize) -> bool {
        matches!(self.bytes.get(last + 1..last + 4), Some([a, b, c])
            if a.is_ascii_alphabetic() && b.is_ascii_alphabetic() && c.is_ascii_digit())
    }
}

impl Run {
    /// The run of these bits of a block.
    #[inline(always)]
    fn new(block: usize, digits: u64) -> Run {
        let behind = digits.trailing_zeros();
        Run {
            start: block + behind as usize,
            digits: digits >> (behind % 64),
            count: digits.count_ones(),
            long: false,
        }
    }

    /// Four digits together with at least four before them. In a longer group they are its last ones: year and serial, or
    /// the whole date and the serial, with a year of four digits twelve together.
    #[inline(always)]
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
    #[inline(always)]
    fn spread(&self) -> bool {
        let threes = self.digits & self.digits >> 1 & self.digits >> 2;
        self.count >= 10 && (threes == 0 || self.count >= 13)
    }

    /// With these of the next block.
    #[inline(always)]
    fn and(self, block: usize, digits: u64) -> Run {
        let shift = u32::try_from(block - self.start).unwrap_or(u32::MAX);
        let added = digits.checked_shl(shift).unwrap_or(0);
        Run {
            digits: self.digits | added,
            count: self.count + digits.count_ones(),
            long: self.long || added.checked_shr(shift).unwrap_or(0) != digits,
            ..self
        }
    }
}

/// What goes on behind a block that has too few digits in any run, and nothing among them that must be read; `None` for any
/// other block. Nearly all text ends here, so there is one branch for everything.
#[inline(always)]
fn quiet(block: usize, masks: Masks, live: u64, open: Run) -> Option<Run> {
    let Masks {
        digits,
        begins,
        breaks,
        unsure,
    } = masks;
    let left = begins & live;
    let going_on = if open.count > 0 {
        below(breaks.trailing_zeros())
    } else {
        0
    };
    // Where what begins here goes on to, through all that does not end a number.
    let between = !breaks;
    let reached = (left.wrapping_add(between) ^ between) | left | going_on;
    let run = open.count + (digits & going_on).count_ones();
    if (run >= FEWEST) | (unsure & reached != 0) | grouped(digits & live, breaks) {
        return None;
    }
    // Without a digit in it: more signs than any number has between two.
    if breaks == 0 && open.count > 0 && left != 0 {
        return Some(open.and(block, left));
    }
    Some(Run::new(block, left & !below(64 - breaks.leading_zeros())))
}

/// Whether a run may be [`Places::possible`] as far as it lies in this block.
#[inline(always)]
fn grouped(digits: u64, breaks: u64) -> bool {
    let gaps = !(digits | breaks);
    // From digits to the next ones of their runs.
    let next = |from: u64| {
        let behind = from << 1;
        ((behind & gaps).wrapping_add(gaps) ^ gaps | behind) & digits
    };
    let fifth = next(next(next(next(digits))));
    let seventh = next(next(fifth));
    let pairs = digits & digits >> 1;
    let threes = pairs & digits >> 2;
    let serial = fifth & pairs & pairs >> 2;
    // What lies in the next block may be what is asked for.
    let letters = seventh & (breaks >> 1 | !below(63)) & (breaks >> 2 | !below(62)) & (digits >> 3 | !below(61));
    let few_together = digits & !(threes | threes << 1 | threes << 2);
    (serial | letters != 0) | (few_together.count_ones() >= 10)
}

/// How the search goes on.
enum Step {
    /// Here.
    Place(usize),
    /// From there on.
    From(usize),
    /// In the next block, with the run that is still open, or one without digits.
    On(Run),
}

/// So many of the lowest bits.
fn below(bits: u32) -> u64 {
    1_u64.checked_shl(bits).map_or(u64::MAX, |bit| bit - 1)
}
