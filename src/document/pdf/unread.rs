//! What of a page was not read: pictures, text drawn as outlines, fonts that do not say what they show.

use super::canvas::{Canvas, Glyph, Sight};
use super::cmap::Text;
use super::space::Area;
use crate::content::Content;
use crate::document::doubt;
use crate::types::{DoubtKind, Location};
use lopdf::ObjectId;

/// So many letters in a row that cannot be read may be a number; bullets and ornaments stand alone.
const UNKNOWN: usize = 6;
/// A page with fewer letters than this and a picture is a scanned page with a stamp or a page number on it.
const LETTERS: usize = 40;
/// A picture of this part of the page may be the page.
const LARGE: f64 = 0.2;
/// Ten digits of six points take this many square points; what is smaller is a mark or an ornament.
const LINE: f64 = 200.0;
/// A page without letters, but with so many corners of filled shapes, is drawn.
const CORNERS: usize = 400;

/// Letters, seen or not, that nobody can name.
pub(super) fn fonts(content: &mut Content<'_>, canvas: &Canvas, place: &Location) {
    let blank = |glyph: &&Glyph| matches!(glyph.text, Some(Text::One(c)) if c.is_whitespace());
    let unknown = canvas
        .glyphs
        .iter()
        .filter(|glyph| !blank(glyph))
        .map(|glyph| glyph.text.is_none());
    let mut run = 0;
    let longest = unknown.fold(0, |longest, unknown| {
        run = if unknown { run + 1 } else { 0 };
        run.max(longest)
    });
    if longest >= UNKNOWN {
        say(
            content,
            place,
            DoubtKind::Unread,
            "a font of the page does not say which letters it shows",
        );
    }
}

/// What a page shows in pictures.
pub(super) struct Scan {
    /// The pictures with the area that they take, in square points, largest first; `None` for one in the content itself.
    pub images: Vec<(f64, Option<ObjectId>)>,
    /// The page is its pictures: a scan. Else they stand beside its text.
    pub whole: bool,
}

/// Pictures in which text can stand: pages that are one, and those beside the text of a page. The recognised text of a scanned
/// page is hidden, and does not count.
pub(super) fn pictures(
    content: &mut Content<'_>,
    canvas: &Canvas,
    sights: &[Sight],
    page: Area,
    place: &Location,
) -> Option<Scan> {
    let seen = canvas
        .glyphs
        .iter()
        .zip(sights)
        .filter(|(_, sight)| **sight != Sight::Hidden);
    let letters = seen.filter(|(glyph, _)| glyph.text.is_some()).count();
    let pictures = canvas.covers.iter().filter(|cover| cover.picture);
    let mut sizes: Vec<(f64, Option<ObjectId>)> = pictures
        .map(|cover| (cover.area.common(page).size(), cover.image))
        .filter(|(size, _)| *size > 0.0)
        .collect();
    let covered: f64 = sizes.iter().map(|(size, _)| size).sum();
    sizes.sort_by(|a, b| b.0.total_cmp(&a.0));
    if letters < LETTERS && covered > LARGE * page.size() {
        return Some(Scan {
            images: sizes,
            whole: true,
        });
    }
    if letters == 0 && canvas.outlines > CORNERS {
        let reason = "the page is drawn without letters, its text was not read";
        say(content, place, DoubtKind::NotOcred, reason);
    }
    sizes.retain(|(size, _)| *size > LINE);
    (!sizes.is_empty()).then_some(Scan {
        images: sizes,
        whole: false,
    })
}

/// The page shows what nobody read.
pub(super) fn not_read(content: &mut Content<'_>, place: &Location) {
    say(
        content,
        place,
        DoubtKind::NotOcred,
        "the page is a picture, whose text was not read",
    );
}

/// A picture on the page shows what nobody read.
pub(super) fn picture_not_read(content: &mut Content<'_>, place: &Location) {
    say(
        content,
        place,
        DoubtKind::NotOcred,
        "a picture on the page was not read",
    );
}

fn say(content: &mut Content<'_>, place: &Location, kind: DoubtKind, reason: &str) {
    let mut doubt = doubt(kind, reason);
    doubt.location = place.clone();
    content.doubts.push(doubt);
}
