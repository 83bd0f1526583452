//! Glyphs in lines, lines in text, gaps as spaces, with the way back to each glyph.

use super::canvas::{Glyph, Sight};
use super::cmap::Text;
use crate::content::{Form, SourceMap};
use std::collections::BTreeMap;

/// A gap of this part of an em is a space; kerning stays below it.
const SPACE: f64 = 0.15;
/// The same where a space is drawn.
const BLANK: f64 = 0.05;
/// A gap of this many ems is between columns.
const COLUMN: f64 = 2.0;
/// Baselines nearer than this part of an em make one line.
const LINE: f64 = 0.35;

/// A glyph in the frame of its own direction.
struct Item {
    glyph: usize,
    x: f64,
    end: f64,
    y: f64,
    em: f64,
    first: char,
}

/// A text with the way back: unit `base + i` is glyph `i`.
pub(super) struct Composed {
    pub text: String,
    pub map: SourceMap,
}

/// The lines of a page, in reading order, made once and composed for each kind of reader.
pub(super) struct Lines<'g> {
    glyphs: &'g [Glyph],
    lines: Vec<Vec<Item>>,
}

impl<'g> Lines<'g> {
    pub fn new(glyphs: &'g [Glyph]) -> Lines<'g> {
        let mut turned: BTreeMap<i32, Vec<Item>> = BTreeMap::new();
        for (i, glyph) in glyphs.iter().enumerate() {
            if let Some((turn, item)) = item(i, glyph) {
                turned.entry(turn).or_default().push(item);
            }
        }
        let mut groups: Vec<Vec<Item>> = turned.into_values().collect();
        // What most of the page is written in comes first.
        groups.sort_by_key(|group| std::cmp::Reverse(group.len()));
        let lines = groups.into_iter().flat_map(lines).collect();
        Lines { glyphs, lines }
    }

    /// What a reader sees.
    pub fn shown(&self, sights: &[Sight], base: usize) -> Composed {
        let mut out = Writer::new(self.glyphs, base);
        for line in &self.lines {
            let seen = |item: &&Item| sights.get(item.glyph) == Some(&Sight::Shown);
            out.line(line.iter().filter(seen).map(|item| (item, true)));
        }
        out.done
    }

    /// What a reader does not see, in the lines that it stands in: the words around are kept, so that they can speak for a
    /// number; digits around are not, unless they run on into what is not seen.
    pub fn unseen(&self, sights: &[Sight], kind: Sight, base: usize) -> Composed {
        let mut out = Writer::new(self.glyphs, base);
        for line in &self.lines {
            let of_kind: Vec<bool> = line.iter().map(|item| sights.get(item.glyph) == Some(&kind)).collect();
            if !line
                .iter()
                .zip(&of_kind)
                .any(|(item, kind)| *kind && !item.first.is_whitespace())
            {
                continue;
            }
            let mut keep = of_kind.clone();
            let figure = |item: &Item| item.first.is_numeric() || "-–./ ".contains(item.first);
            let mut start = 0;
            for run in line.chunk_by(|a, b| figure(a) && figure(b)) {
                let range = start..start + run.len();
                start = range.end;
                let hidden = of_kind.get(range.clone()).is_some_and(|kinds| kinds.contains(&true));
                if let Some(slots) = keep.get_mut(range).filter(|_| hidden) {
                    slots.fill(true);
                }
            }
            let legible = line
                .iter()
                .zip(&keep)
                .map(|(item, keep)| (item, *keep || !item.first.is_numeric()));
            out.line(legible);
        }
        out.done
    }

    /// In the order of the file, as programs see it that do not look at the page: only when it differs in more than spaces.
    pub fn as_drawn(&self, sights: &[Sight], base: usize) -> Option<Composed> {
        let seen = |item: &&Item| sights.get(item.glyph) == Some(&Sight::Shown) && !item.first.is_whitespace();
        let mut items: Vec<(usize, &Item)> = Vec::new();
        for (number, line) in self.lines.iter().enumerate() {
            items.extend(line.iter().filter(seen).map(|item| (number, item)));
        }
        if items.is_sorted_by_key(|(_, item)| item.glyph) {
            return None;
        }
        items.sort_by_key(|(_, item)| item.glyph);
        let mut out = Writer::new(self.glyphs, base);
        let follows = |a: &(usize, &Item), b: &(usize, &Item)| a.0 == b.0 && b.1.x > a.1.x;
        for piece in items.chunk_by(follows) {
            out.line(piece.iter().map(|(_, item)| (*item, true)));
        }
        Some(out.done)
    }
}

fn item(i: usize, glyph: &Glyph) -> Option<(i32, Item)> {
    let first = match glyph.text.as_ref()? {
        Text::One(c) => *c,
        Text::More(text) => text.chars().next()?,
    };
    let em = glyph.em();
    let (ux, uy) = (glyph.up.0 / em, glyph.up.1 / em);
    // The direction of writing stands at a right angle to the letters, however far the pen goes.
    let (x, y) = glyph.at;
    if first.is_control() || !em.is_normal() || !x.is_finite() || !y.is_finite() {
        return None;
    }
    let turn = ux.atan2(uy).to_degrees().round() as i32;
    let along = |(x, y): (f64, f64)| x * uy - y * ux;
    let (mut start, mut far) = (along(glyph.at), along(glyph.advance));
    // Mirrored text runs against its letters; read it as it is written.
    let mirrored = far < -0.1 * em;
    if mirrored {
        (start, far) = (-start, -far);
    }
    let end = start + far;
    Some((
        if mirrored { turn + 360 } else { turn },
        Item {
            glyph: i,
            x: start.min(end),
            end: start.max(end),
            y: x * ux + y * uy,
            em,
            first,
        },
    ))
}

/// Top to bottom, each line from left to right.
fn lines(mut items: Vec<Item>) -> Vec<Vec<Item>> {
    items.sort_by(|a, b| b.y.total_cmp(&a.y));
    let mut lines: Vec<Vec<Item>> = Vec::new();
    let mut base = (0.0, 0.0);
    for item in items {
        let same = (base.0 - item.y).abs() < LINE * item.em.max(base.1);
        match lines.last_mut().filter(|_| same) {
            Some(line) => {
                base.1 = item.em.max(base.1);
                line.push(item);
            }
            None => {
                base = (item.y, item.em);
                lines.push(vec![item]);
            }
        }
    }
    for line in &mut lines {
        line.sort_by(|a, b| a.x.total_cmp(&b.x));
    }
    lines
}

struct Writer<'g> {
    glyphs: &'g [Glyph],
    base: usize,
    done: Composed,
}

impl<'g> Writer<'g> {
    fn new(glyphs: &'g [Glyph], base: usize) -> Writer<'g> {
        Writer {
            glyphs,
            base,
            done: Composed {
                text: String::new(),
                map: SourceMap::new(Form::Units),
            },
        }
    }

    /// Writes one line; items that are not legible become a dot. Spaces that are drawn only say that a small gap is one:
    /// some programs draw them across the text.
    fn line<'i>(&mut self, items: impl Iterator<Item = (&'i Item, bool)>) {
        let mut last: Option<&Item> = None;
        let mut blank = false;
        for (item, legible) in items {
            if item.first.is_whitespace() {
                blank = true;
                continue;
            }
            if let Some(before) = last {
                // Drawn twice, a little apart, for boldness.
                if before.first == item.first && (item.x - before.x).abs() < 0.1 * before.em {
                    continue;
                }
                self.gap(before, item, std::mem::take(&mut blank));
            }
            self.glyph(item, legible);
            last = Some(item);
        }
        if last.is_some() {
            self.done.text.push('\n');
        }
    }

    fn gap(&mut self, before: &Item, item: &Item, blank: bool) {
        let em = before.em.min(item.em);
        let gap = (item.x - before.end) / em;
        if gap > COLUMN {
            self.done.text.push('\t');
        } else if gap > if blank { BLANK } else { SPACE } {
            self.done.text.push(' ');
        }
    }

    fn glyph(&mut self, item: &Item, legible: bool) {
        let start = self.done.text.len();
        if !legible {
            self.done.text.push('·');
            return;
        }
        match self.glyphs.get(item.glyph).and_then(|glyph| glyph.text.as_ref()) {
            Some(Text::One(c)) => self.done.text.push(*c),
            Some(Text::More(text)) => self.done.text.push_str(text),
            None => {}
        }
        let (end, unit) = (self.done.text.len(), self.base + item.glyph);
        if end == start + 1 {
            self.done.map.linear(start, unit, 1);
        } else {
            self.done.map.unit(start..end, unit..unit + 1);
        }
    }
}
