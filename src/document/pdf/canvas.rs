//! What the operators of a page have put on it: glyphs, and what lies over and under them.

use super::cmap::Text;
use super::space::{Area, Matrix};
use lopdf::ObjectId;
use std::ops::Range;

/// Which content an operator stands in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Key {
    /// All content streams of the page, one after the other with a line break between.
    Page(ObjectId),
    /// A form, an appearance, any stream of its own.
    Stream(ObjectId),
    /// Written directly where it is used: it cannot be edited.
    Nowhere,
}

/// The operator that drew a glyph.
#[derive(Clone, Debug)]
pub(super) struct Origin {
    pub key: Key,
    /// Operands and operator in the decoded content.
    pub range: Range<u32>,
    /// Which operand.
    pub operand: u32,
    /// Bytes of that operand's string.
    pub bytes: Range<u32>,
    /// The number in a `TJ` array that moves the pen as far as this glyph does.
    pub back: f32,
}

/// A glyph on the page.
#[derive(Clone, Debug)]
pub(super) struct Glyph {
    /// `None`: the font does not say.
    pub text: Option<Text>,
    pub at: (f64, f64),
    /// To the origin of the next glyph.
    pub advance: (f64, f64),
    /// From the baseline upwards, one em.
    pub up: (f64, f64),
    pub order: u32,
    /// `None`: of a colour that is not known.
    pub colour: Option<[f32; 3]>,
    /// Invisible by itself: render mode, transparency, layer, clipped away, too small.
    pub unseen: bool,
    pub origin: Origin,
}

impl Glyph {
    pub fn centre(&self) -> (f64, f64) {
        (
            self.at.0 + self.advance.0 * 0.5 + self.up.0 * 0.3,
            self.at.1 + self.advance.1 * 0.5 + self.up.1 * 0.3,
        )
    }

    pub fn em(&self) -> f64 {
        self.up.0.hypot(self.up.1)
    }

    /// The four corners of its box, from below the baseline to the height of capitals.
    pub fn corners(&self) -> [(f64, f64); 4] {
        let point = |along: f64, up: f64| {
            (
                self.at.0 + self.advance.0 * along + self.up.0 * up,
                self.at.1 + self.advance.1 * along + self.up.1 * up,
            )
        };
        [point(0.0, -0.2), point(1.0, -0.2), point(1.0, 0.8), point(0.0, 0.8)]
    }
}

/// Something painted that can hide what is under it.
#[derive(Clone, Debug)]
pub(super) struct Cover {
    pub area: Area,
    pub order: u32,
    /// `None`: a picture, or of a colour that is not known.
    pub colour: Option<[f32; 3]>,
    pub opaque: bool,
    pub picture: bool,
    /// The picture itself; `None` when it stands in the content.
    pub image: Option<ObjectId>,
    /// Puts the unit square, in which the picture lies, on the page (8.9.4).
    pub matrix: Option<Matrix>,
    /// The box is larger than what is painted: it is a ground of unknown colour, and covers nothing.
    pub rough: bool,
}

/// A string written in the content beside the glyphs (`ActualText` and the like).
pub(super) struct Aside {
    pub key: Key,
    pub token: Range<usize>,
    pub bytes: Vec<u8>,
}

/// A page, or the appearance of an annotation.
#[derive(Default)]
pub(super) struct Canvas {
    pub glyphs: Vec<Glyph>,
    pub covers: Vec<Cover>,
    pub asides: Vec<Aside>,
    /// Curves and lines that are filled: text can be drawn as outlines.
    pub outlines: usize,
}

/// How a reader sees a glyph.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Sight {
    Shown,
    /// Not visible, but there.
    Hidden,
    /// Covered by somebody, and still there.
    Covered,
}

/// Bands of the page, so that each glyph meets only the covers at its height.
const BANDS: usize = 128;

/// Meetings of glyphs and covers on one page: a second of work, and far above any real page.
const MEETINGS: usize = 1 << 27;

/// Judges every glyph against all covers of the page. `extra` are marks laid over the page: annotations. `None` when there is
/// more to compare than any real page has.
pub(super) fn sights(canvas: &Canvas, page: Area, extra: &[Cover]) -> Option<Vec<Sight>> {
    let height = (page.high - page.low).max(1.0) / BANDS as f64;
    let band = |y: f64| (((y - page.low) / height).max(0.0) as usize).min(BANDS - 1);
    let mut bands: Vec<Vec<&Cover>> = vec![Vec::new(); BANDS];
    for cover in canvas.covers.iter().chain(extra) {
        let (low, high) = (band(cover.area.low), band(cover.area.high));
        for slot in bands.iter_mut().take(high + 1).skip(low) {
            slot.push(cover);
        }
    }
    let mut meetings = 0;
    let mut judge = |glyph: &Glyph| {
        let centre = glyph.centre();
        if glyph.unseen || !page.grown(1.0).holds(centre) {
            return Some(Sight::Hidden);
        }
        let near = bands.get(band(centre.1)).map_or(&[][..], Vec::as_slice);
        meetings += near.len();
        (meetings < MEETINGS).then(|| judge(glyph, centre, page, near))
    };
    canvas.glyphs.iter().map(&mut judge).collect()
}

fn judge(glyph: &Glyph, centre: (f64, f64), page: Area, near: &[&Cover]) -> Sight {
    let mut ground = Some([1.0; 3]);
    let mut sight = Sight::Shown;
    for cover in near.iter().filter(|cover| cover.area.holds(centre)) {
        let solid = cover.opaque && !cover.rough;
        if cover.order < glyph.order {
            ground = cover.colour.filter(|_| solid);
        } else if !solid {
            continue;
        } else if cover.picture && cover.area.common(page).size() > 0.6 * page.size() {
            // A scanned page over its recognised text.
            sight = sight.max(Sight::Hidden);
        } else {
            sight = Sight::Covered;
        }
    }
    match (ground, glyph.colour) {
        (Some(ground), Some(ink)) if sight == Sight::Shown && alike(ground, ink) => Sight::Hidden,
        _ => sight,
    }
}

/// Dark enough to hide text in any way of mixing.
pub(super) fn is_black(colour: [f32; 3]) -> bool {
    colour.iter().all(|part| *part < 0.15)
}

/// Too near for an eye: white on white, and greys that only a copy tells apart.
fn alike(ground: [f32; 3], ink: [f32; 3]) -> bool {
    ground.iter().zip(&ink).all(|(a, b)| (a - b).abs() < 0.06)
}
