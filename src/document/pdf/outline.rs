//! Paths, as far as they can hide what is under them or cut off what is outside.

use super::space::{Area, Matrix};

/// More corners than this make no box that somebody laid over a number.
const CORNERS: usize = 20;
/// Parts of one path that are looked at one by one; a path of more is a drawing.
const PARTS: usize = 64;

/// One closed or open line.
struct Part {
    area: Area,
    corners: usize,
    first: (f64, f64),
    last: (f64, f64),
    /// Above zero counter-clockwise, below clockwise.
    turn: f64,
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
        if self.parts.len() <= PARTS {
            self.parts.push(Part {
                area: Area::NOTHING.with(x, y),
                corners: 0,
                first: (x, y),
                last: (x, y),
                turn: 0.0,
            });
        }
    }

    pub fn on(&mut self, (x, y): (f64, f64)) {
        self.grow((x, y));
        if let Some(part) = self.parts.last_mut() {
            part.area = part.area.with(x, y);
            part.corners += 1;
            let (x0, y0) = part.first;
            part.turn += (part.last.0 - x0) * (y - y0) - (x - x0) * (part.last.1 - y0);
            part.last = (x, y);
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

    /// Boxes that filling it paints, and whether each is larger than what it paints: of many corners, or a frame and the hole
    /// in it. Without `even_odd`, a hole turns the other way round (ISO 32000-1, 8.5.3.3).
    pub fn filled(&self, even_odd: bool) -> Vec<(Area, bool)> {
        let nested = |a: &Part, b: &Part| {
            let hole = even_odd || a.turn * b.turn < 0.0;
            hole && a.area != b.area && (a.area.within(b.area) || b.area.within(a.area))
        };
        let framed = |one: &Part| self.parts.iter().any(|other| nested(one, other));
        let painted = self.parts.iter().filter(|part| part.area.size() > 0.0);
        let rough = |part: &Part| self.parts.len() > PARTS || part.corners > CORNERS || framed(part);
        painted.map(|part| (part.area, rough(part))).collect()
    }

    /// Boxes that stroking it paints: lines along a text with a pen as wide as its letters, by hand or ruler.
    pub fn stroked(&self, pen: f64) -> Vec<Area> {
        let line = |part: &Part| {
            let (width, height) = (part.area.right - part.area.left, part.area.high - part.area.low);
            let along = part.corners > 0 && pen > 4.0 && width.min(height) < 1.5 * pen;
            along.then(|| part.area.grown(pen / 2.0))
        };
        self.parts.iter().filter_map(line).collect()
    }
}
