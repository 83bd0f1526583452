//! Paths, as far as they can hide what is under them or cut off what is outside.

use super::space::{Area, Matrix};

/// More corners than this make no box that somebody laid over a number.
const CORNERS: usize = 12;
/// Parts of one path that are looked at one by one.
const PARTS: usize = 256;

/// One closed or open line.
struct Part {
    area: Area,
    corners: usize,
    ends: [(f64, f64); 2],
}

/// The path under construction, on the page.
#[derive(Default)]
pub(super) struct Outline {
    parts: Vec<Part>,
    whole: Option<Area>,
    /// `W` was said: the next painting operator clips.
    pub clips: bool,
    pub segments: usize,
}

impl Outline {
    pub fn start(&mut self, (x, y): (f64, f64)) {
        self.grow((x, y));
        if self.parts.len() < PARTS {
            self.parts.push(Part {
                area: Area::NOTHING.with(x, y),
                corners: 0,
                ends: [(x, y); 2],
            });
        }
    }

    pub fn on(&mut self, (x, y): (f64, f64)) {
        self.grow((x, y));
        if let Some(part) = self.parts.last_mut() {
            part.area = part.area.with(x, y);
            part.corners += 1;
            part.ends = [part.ends[1], (x, y)];
        }
    }

    pub fn rectangle(&mut self, ctm: Matrix, [x, y, w, h]: [f64; 4]) {
        self.start(ctm.apply(x, y));
        for (x, y) in [(x + w, y), (x + w, y + h), (x, y + h)] {
            self.on(ctm.apply(x, y));
        }
    }

    fn grow(&mut self, (x, y): (f64, f64)) {
        self.segments += 1;
        self.whole = Some(self.whole.unwrap_or(Area::NOTHING).with(x, y));
    }

    /// The box around all of it.
    pub fn area(&self) -> Option<Area> {
        self.whole
    }

    /// Boxes that filling it paints. A part with another inside is a frame.
    pub fn filled(&self) -> Vec<Area> {
        let simple = self
            .parts
            .iter()
            .filter(|part| part.corners <= CORNERS && part.area.size() > 0.0);
        let simple: Vec<Area> = simple.map(|part| part.area).collect();
        let inside = |inner: &Area, outer: &Area| {
            inner != outer
                && inner.left >= outer.left
                && inner.right <= outer.right
                && inner.low >= outer.low
                && inner.high <= outer.high
        };
        let frame = |outer: &&Area| simple.iter().any(|inner| inside(inner, outer));
        simple.iter().filter(|area| !frame(area)).copied().collect()
    }

    /// Boxes that stroking it paints: straight upright lines, as wide as the pen.
    pub fn stroked(&self, pen: f64) -> Vec<Area> {
        let line = |part: &Part| {
            let [(x0, y0), (x1, y1)] = part.ends;
            let straight = part.corners == 1 && ((x0 - x1).abs() < 0.5 || (y0 - y1).abs() < 0.5);
            straight.then(|| Area::between(x0, y0, x1, y1).grown(pen / 2.0))
        };
        self.parts.iter().filter_map(line).collect()
    }
}
