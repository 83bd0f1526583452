//! Boxes over what is to go: as large as the words, with a margin, and larger where ink reaches over their edge.

use super::raster::{Model, Raster};
use crate::content::WordBox;
use std::ops::Range;

/// Brightness in which ink differs from the paper around it. Below it lies the noise of scanners and of JPEG.
const INK: u8 = 40;
/// Five columns a letter, the highest bit of five is the leftmost; seven rows from the top.
const LETTERS: [(char, [u8; 7]); 5] = [
    ('[', [0b01110, 0b01000, 0b01000, 0b01000, 0b01000, 0b01000, 0b01110]),
    ('C', [0b01110, 0b10001, 0b10000, 0b10000, 0b10000, 0b10001, 0b01110]),
    ('P', [0b11110, 0b10001, 0b10001, 0b11110, 0b10000, 0b10000, 0b10000]),
    ('R', [0b11110, 0b10001, 0b10001, 0b11110, 0b10100, 0b10010, 0b10001]),
    (']', [0b01110, 0b00010, 0b00010, 0b00010, 0b00010, 0b00010, 0b01110]),
];

/// A word that is to go, and what stands in its place: nothing, a filled box, or letters in one.
pub(super) struct Gone<'g> {
    pub word: usize,
    pub with: &'g str,
}

/// One box over neighbouring words of a line.
pub(super) struct Cover {
    pub page: u32,
    across: Range<usize>,
    down: Range<usize>,
    with: String,
}

/// The boxes over these words, in the order in which they were read; what stands between two words that go, goes.
pub(super) fn covers(words: &[WordBox], gone: &[Gone<'_>]) -> Vec<Cover> {
    let mut covers: Vec<(usize, Cover)> = Vec::new();
    for Gone { word: number, with } in gone {
        let Some(word) = words.get(*number) else { continue };
        let across = word.left as usize..word.left.saturating_add(word.width) as usize;
        let down = word.top as usize..word.top.saturating_add(word.height) as usize;
        let beside = covers.last_mut().filter(|(last, cover)| {
            // A hyphen that stands alone between them is a word, too.
            let hyphen = || words.get(last + 1).is_some_and(|between| is_flat(between, word));
            let near = *last == *number || last + 1 == *number || last + 2 == *number && hyphen();
            near && words
                .get(*last)
                .is_some_and(|other| (other.page, other.line) == (word.page, word.line))
                && (*last == *number || !is_label(with) || !is_label(&cover.with))
        });
        match beside {
            Some((last, cover)) => {
                *last = *number;
                cover.across = cover.across.start.min(across.start)..cover.across.end.max(across.end);
                cover.down = cover.down.start.min(down.start)..cover.down.end.max(down.end);
                if cover.with.is_empty() {
                    cover.with = (*with).to_owned();
                }
            }
            None => covers.push((
                *number,
                Cover {
                    page: word.page,
                    across,
                    down,
                    with: (*with).to_owned(),
                },
            )),
        }
    }
    covers.into_iter().map(|(_, cover)| cover).collect()
}

/// Less than half as high as the words of its line, whichever way these run.
fn is_flat(between: &WordBox, word: &WordBox) -> bool {
    if word.width >= word.height {
        between.height * 2 <= word.height
    } else {
        between.width * 2 <= word.width
    }
}

fn is_label(with: &str) -> bool {
    with.starts_with('[')
}

impl Cover {
    /// Paints. `block` is the side of the squares that the format packs as one: 1, or 8 for JPEG, where traces of ink are all over
    /// the squares that it touches.
    pub fn paint(mut self, raster: &mut Raster, model: &Model, block: usize) {
        let small = self.across.len().min(self.down.len());
        let margin = (small / 6).max(2);
        self.reach([margin; 4], raster);
        let paper = self.paper(raster).unwrap_or_else(|| model.light());
        self.grow(raster, model, paper, small);
        self.across = self.across.start / block * block..self.across.end.next_multiple_of(block).min(raster.width);
        self.down = self.down.start / block * block..self.down.end.next_multiple_of(block).min(raster.height);
        if self.with.is_empty() {
            raster.fill(self.across, self.down, paper);
            return;
        }
        raster.fill(self.across.clone(), self.down.clone(), model.dark());
        if is_label(&self.with) {
            self.letters(raster, model.light());
        }
    }

    /// Moves the sides out: left, right, top, bottom.
    fn reach(&mut self, [left, right, top, bottom]: [usize; 4], raster: &Raster) {
        self.across = self.across.start.saturating_sub(left)..(self.across.end + right).min(raster.width);
        self.down = self.down.start.saturating_sub(top)..(self.down.end + bottom).min(raster.height);
    }

    /// The lines of pixels just outside: left, right, top, bottom. None where the picture ends.
    fn edges(&self, raster: &Raster) -> [Vec<(usize, usize)>; 4] {
        let column = |x: Option<usize>| -> Vec<(usize, usize)> {
            let x = x.filter(|x| *x < raster.width);
            x.map(|x| self.down.clone().map(|y| (x, y)).collect())
                .unwrap_or_default()
        };
        let row = |y: Option<usize>| -> Vec<(usize, usize)> {
            let y = y.filter(|y| *y < raster.height);
            y.map(|y| self.across.clone().map(|x| (x, y)).collect())
                .unwrap_or_default()
        };
        [
            column(self.across.start.checked_sub(1)),
            column(Some(self.across.end)),
            row(self.down.start.checked_sub(1)),
            row(Some(self.down.end)),
        ]
    }

    /// The colour around it.
    fn paper(&self, raster: &Raster) -> Option<u64> {
        raster.most_common(self.edges(raster).into_iter().flatten())
    }

    /// OCR draws its boxes a little small now and then. A side that ink crosses is moved out, so that no half of a digit is left;
    /// only so far, for it may be the line of a table.
    fn grow(&mut self, raster: &Raster, model: &Model, paper: u64, small: usize) {
        let paper = model.brightness(paper);
        let mut left = [small / 2; 4];
        loop {
            let crossed = self.edges(raster).map(|edge| {
                edge.iter()
                    .any(|(x, y)| model.brightness(raster.get(*x, *y)).abs_diff(paper) > INK)
            });
            let mut step = [0; 4];
            for ((step, left), crossed) in step.iter_mut().zip(&mut left).zip(crossed) {
                if crossed && *left > 0 {
                    *step = 1;
                    *left -= 1;
                }
            }
            if step == [0; 4] {
                return;
            }
            self.reach(step, raster);
        }
    }

    /// The label in the middle of the box, along its longer side; a box that is too small for it, and letters that nobody drew
    /// here, stay a box.
    fn letters(&self, raster: &mut Raster, value: u64) {
        let drawn = |c: char| LETTERS.iter().find(|(letter, _)| *letter == c).map(|(_, rows)| rows);
        let Some(letters) = self.with.chars().map(drawn).collect::<Option<Vec<_>>>() else {
            return;
        };
        let upright = self.down.len() > self.across.len();
        let (long, short) = match upright {
            true => (self.down.len(), self.across.len()),
            false => (self.across.len(), self.down.len()),
        };
        let columns = letters.len() * 6 - 1;
        let scale = (long / (columns + 2)).min(short / 9);
        let (from, above) = (
            (long - (columns * scale).min(long)) / 2,
            (short - (7 * scale).min(short)) / 2,
        );
        for (number, rows) in letters.into_iter().enumerate() {
            for (row, bits) in rows.iter().enumerate() {
                for column in (0..5).filter(|column| bits & 0b10000 >> column != 0) {
                    let along = from + (number * 6 + column) * scale..from + (number * 6 + column + 1) * scale;
                    let aside = above + row * scale..above + (row + 1) * scale;
                    let (across, down) = match upright {
                        // Turned to the right, to be read from the top.
                        true => (short - aside.end..short - aside.start, along),
                        false => (along, aside),
                    };
                    let moved = |range: Range<usize>, by: usize| range.start + by..range.end + by;
                    raster.fill(moved(across, self.across.start), moved(down, self.down.start), value);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grey() -> Model {
        Model::Grey {
            bits: 8,
            white_is_zero: false,
        }
    }

    fn page() -> Raster {
        Raster::packed(200, 60, 8, vec![250; 200 * 60]).expect("sound")
    }

    fn word(left: u32, width: u32) -> WordBox {
        WordBox {
            page: 0,
            line: 1,
            left,
            top: 20,
            width,
            height: 18,
        }
    }

    fn paint(raster: &mut Raster, words: &[WordBox], gone: &[Gone<'_>]) {
        for cover in covers(words, gone) {
            cover.paint(raster, &grey(), 1);
        }
    }

    #[test]
    fn words_side_by_side_are_one_box_and_what_is_between_them_goes() {
        let mut raster = page();
        raster.fill(75..78, 20..38, 0);
        let words = [word(20, 50), word(80, 40), word(150, 20)];
        paint(
            &mut raster,
            &words,
            &[Gone { word: 0, with: "X" }, Gone { word: 1, with: "X" }],
        );
        assert!((20..120).all(|x| raster.get(x, 30) == 0));
        assert!((150..200).all(|x| raster.get(x, 30) == 250));
    }

    #[test]
    fn a_hyphen_between_two_words_goes_with_them_and_another_word_stays() {
        let hyphen = WordBox {
            top: 28,
            height: 3,
            ..word(75, 8)
        };
        for (between, value) in [(hyphen, 0), (word(75, 3), 250)] {
            let mut raster = page();
            let gone = [Gone { word: 0, with: "X" }, Gone { word: 2, with: "X" }];
            paint(&mut raster, &[word(20, 45), between, word(92, 40)], &gone);
            assert_eq!(raster.get(76, 30), value);
        }
    }

    #[test]
    fn ink_that_reaches_over_the_edge_goes_too() {
        let mut raster = page();
        raster.fill(20..80, 20..38, 0);
        let words = [word(20, 50)];
        paint(&mut raster, &words, &[Gone { word: 0, with: "" }]);
        assert!(raster.data.iter().all(|value| *value == 250));
    }

    #[test]
    fn the_line_of_a_table_does_not_take_the_box_with_it() {
        let mut raster = page();
        raster.fill(0..200, 41..42, 0);
        paint(&mut raster, &[word(20, 50)], &[Gone { word: 0, with: "X" }]);
        assert_eq!(raster.get(30, 59), 250);
    }

    #[test]
    fn a_label_is_drawn_in_the_box_and_only_there() {
        let mut raster = page();
        paint(
            &mut raster,
            &[word(20, 100)],
            &[Gone { word: 0, with: "[CPR]" }, Gone { word: 0, with: "" }],
        );
        let white = raster.data.iter().filter(|value| **value == 255).count();
        assert!(white > 60, "{white} pixels of letters");
        assert!((0..17).all(|x| raster.get(x, 30) == 250));
        assert_eq!(raster.get(21, 30), 0);
    }
}
