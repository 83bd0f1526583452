//! Recognised text of scanned pages. The text that somebody's OCR left, unseen, over a picture says where a number stands in it.
//! It is taken out only when our own OCR has read, and painted over, the same place: text that we read otherwise, or that lies
//! beside what it stands for, would leave the number in the picture.

use super::canvas::{Canvas, Glyph};
use super::scan;
use super::space::{Area, Matrix};
use super::units::Units;
use crate::content::{CannotEdit, Changes, Content};
use crate::document::picture::{Shades, is_too_small_for_text};
use lopdf::Document;
use std::ops::Range;

/// Brightness in which digits differ from paper.
const INK: u8 = 60;
/// Brightness that packing moves one colour by.
const NOISE: u8 = 16;
/// Part of a glyph's box that is left out on each side: recognised text is laid out roughly.
const INSET: f64 = 0.2;

/// Looks for the places of `glyphs` in the pictures under them.
///
/// # Errors
/// When the picture was not painted over there.
pub(super) fn is_gone_from(
    doc: &Document,
    canvas: &Canvas,
    glyphs: &[&Glyph],
    units: &Units,
    content: &Content<'_>,
    changes: &Changes,
) -> Result<(), CannotEdit> {
    const OTHERWISE: CannotEdit =
        CannotEdit::Unsupported("a number in the recognised text of a scanned page that is not read in its picture");
    let pictures = canvas.covers.iter().filter(|cover| cover.picture);
    for (image, matrix) in pictures.filter_map(|cover| Some((cover.image, cover.matrix?))) {
        let inverse = matrix.inverse().ok_or(OTHERWISE)?;
        let on_it: Vec<Area> = glyphs.iter().filter_map(|glyph| place(inverse, glyph)).collect();
        if on_it.is_empty() {
            continue;
        }
        let handed_out = units.scans.iter().find(|(_, id)| Some(**id) == image);
        let Some((child, _)) = handed_out else {
            // Nothing was painted over in it, whatever our OCR sees when the page is drawn.
            if image
                .and_then(|id| scan::size_of(doc, id))
                .is_some_and(is_too_small_for_text)
            {
                continue;
            }
            return Err(OTHERWISE);
        };
        let before = content.children.get(*child).and_then(|child| Shades::of(&child.bytes));
        let painted = changes.children.iter().find(|(index, _)| index == child);
        let after = painted.and_then(|(_, bytes)| Shades::of(bytes));
        let (before, after) = before.zip(after).ok_or(OTHERWISE)?;
        let spread = |shades: &Shades, area: &Area| {
            let (across, down) = pixels(shades.size(), area);
            shades.spread(across, down)
        };
        let inked = on_it
            .iter()
            .filter(|area| spread(&before, area).is_some_and(|spread| spread > INK));
        // A box is one colour; one with a label in it is at least no longer the paper that was there.
        let clean = |area: &Area| {
            let (across, down) = pixels(after.size(), area);
            spread(&after, area).is_some_and(|spread| spread <= NOISE) || before.changed(&after, across, down) > 0.5
        };
        if inked.count() * 2 < on_it.len() || !on_it.iter().all(clean) {
            return Err(OTHERWISE);
        }
    }
    Ok(())
}

/// A glyph's box, without its margin, in the unit square of a picture; `None` beside it.
fn place(inverse: Matrix, glyph: &Glyph) -> Option<Area> {
    let corners = glyph.corners().into_iter();
    let area = corners.fold(Area::NOTHING, |area, (x, y)| {
        let (x, y) = inverse.apply(x, y);
        area.with(x, y)
    });
    let (wide, high) = ((area.right - area.left) * INSET, (area.high - area.low) * INSET);
    let inner = Area {
        left: area.left + wide,
        right: area.right - wide,
        low: area.low + high,
        high: area.high - high,
    };
    let common = inner.common(Area::UNIT);
    (common.size() > 0.0).then_some(common)
}

/// Columns from the left and rows from above; the unit square has its origin below.
fn pixels((width, height): (usize, usize), area: &Area) -> (Range<usize>, Range<usize>) {
    let scaled = |part: f64, of: usize| (part * of as f64).max(0.0) as usize;
    let across = scaled(area.left, width)..scaled(area.right, width) + 1;
    let down = scaled(1.0 - area.high, height)..scaled(1.0 - area.low, height) + 1;
    (across, down)
}
