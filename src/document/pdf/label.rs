//! What is drawn on a page where glyphs stood: a box for each, or one box over all of a number with a label in it.

use super::canvas::Glyph;
use super::object::{dict, get};
use super::space::Matrix;
use crate::content::CannotEdit;
use lopdf::{Dictionary, Document, Object, ObjectId};

/// Our font among those of the page; no program names one so.
const FONT: &str = "CprMilterMark";
/// Width of a letter of Helvetica in ems: a little more than the mean of capitals and brackets.
const LETTER: f64 = 0.56;
/// Ems between two glyphs of one number: signs between them were taken out, too.
const APART: f64 = 1.2;

/// A glyph and what comes in its place.
type Gone<'t> = (&'t Glyph, &'t str);

fn is_label(with: &str) -> bool {
    with.chars().count() > 1
}

/// A label will be written.
pub(super) fn writes(glyphs: &[Gone<'_>]) -> bool {
    glyphs.iter().any(|(_, with)| is_label(with))
}

/// Black boxes where the glyphs stood, drawn in the page's own coordinates.
pub(super) fn draw(content: &mut Vec<u8>, glyphs: &[Gone<'_>], matrix: Matrix, open: usize) {
    content.extend(std::iter::repeat_n(&b"\nQ"[..], open).flatten());
    content.extend_from_slice(b"\nq");
    if matrix != Matrix::IDENTITY
        && let Some(Matrix(inverse)) = matrix.inverse()
    {
        for value in inverse {
            content.extend_from_slice(format!(" {value:.6}").as_bytes());
        }
        content.extend_from_slice(b" cm");
    }
    content.extend_from_slice(b" 0 g\n");
    for (glyph, with) in glyphs {
        if !is_label(with) && !with.is_empty() {
            filled(content, glyph.corners());
        }
    }
    let mut drawn: Vec<&Glyph> = Vec::new();
    for (glyph, with) in glyphs.iter().filter(|(_, with)| is_label(with)) {
        // A glyph that was drawn twice for boldness gets one label.
        let near = |other: &&Glyph| (other.at.0 - glyph.at.0).hypot(other.at.1 - glyph.at.1) < glyph.em() * 0.5;
        if !drawn.iter().any(near) {
            labelled(content, glyph, with, glyphs);
            drawn.push(glyph);
        }
    }
    content.extend_from_slice(b"Q\n");
}

fn filled(content: &mut Vec<u8>, corners: [(f64, f64); 4]) {
    for ((x, y), operator) in corners.into_iter().zip(["m", "l", "l", "l"]) {
        content.extend_from_slice(format!("{x:.3} {y:.3} {operator} ").as_bytes());
    }
    content.extend_from_slice(b"h f\n");
}

/// One box from this glyph to the last that belongs to it, and the label in it.
fn labelled(content: &mut Vec<u8>, first: &Glyph, text: &str, glyphs: &[Gone<'_>]) {
    let (em, length) = (first.em(), first.advance.0.hypot(first.advance.1));
    if em <= 0.0 || length <= 0.0 || !(em + length).is_finite() {
        return;
    }
    let along = (first.advance.0 / length, first.advance.1 / length);
    let up = (first.up.0 / em, first.up.1 / em);
    // The others by where they begin and end on the line of the first one.
    let mut rest: Vec<(f64, f64)> = glyphs
        .iter()
        .filter(|(_, with)| with.is_empty())
        .filter_map(|(glyph, _)| {
            let (dx, dy) = (glyph.at.0 - first.at.0, glyph.at.1 - first.at.1);
            let start = dx * along.0 + dy * along.1;
            let aside = dx * along.1 - dy * along.0;
            let end = start + glyph.advance.0 * along.0 + glyph.advance.1 * along.1;
            (aside.abs() < em * 0.5 && start > -em * 0.1).then_some((start, end))
        })
        .collect();
    rest.sort_by(|a, b| a.0.total_cmp(&b.0));
    let end = rest.into_iter().fold(
        length,
        |end, (start, stop)| {
            if start - end < em * APART { end.max(stop) } else { end }
        },
    );
    let point = |x: f64, y: f64| (first.at.0 + along.0 * x + up.0 * y, first.at.1 + along.1 * x + up.1 * y);
    filled(
        content,
        [
            point(0.0, -0.2 * em),
            point(end, -0.2 * em),
            point(end, 0.8 * em),
            point(0.0, 0.8 * em),
        ],
    );
    let letters = text.chars().count() as f64;
    let size = (em * 0.8).min(end / (letters * LETTER));
    let (x, y) = point((end - size * letters * LETTER) / 2.0, 0.3 * em - 0.35 * size);
    let plain: String = text
        .chars()
        .filter(|c| c.is_ascii_alphanumeric() || "[]-_".contains(*c))
        .collect();
    let [a, b, c, d] = [along.0 * size, along.1 * size, up.0 * size, up.1 * size];
    let shown = format!(
        "BT 1 g 0 Tr 0 Tc 0 Tw 100 Tz 0 Ts /{FONT} 1 Tf {a:.4} {b:.4} {c:.4} {d:.4} {x:.3} {y:.3} Tm ({plain}) Tj ET 0 g\n"
    );
    content.extend_from_slice(shown.as_bytes());
}

/// Puts our font among those of the page, whose resources may be those of all pages: the page gets its own.
pub(super) fn font(doc: &mut Document, page: ObjectId) -> Result<(), CannotEdit> {
    let unsound = || CannotEdit::Unsound("the PDF document does not read twice alike".to_owned());
    let mut node = doc.get_dictionary(page).map_err(|_| unsound())?;
    let mut resources = Dictionary::new();
    // As many steps up the tree of pages as reading takes.
    for _ in 0..64 {
        if let Some(own) = dict(get(doc, node, b"Resources")) {
            resources = own.clone();
            break;
        }
        match dict(get(doc, node, b"Parent")) {
            Some(parent) => node = parent,
            None => break,
        }
    }
    let mut fonts = dict(get(doc, &resources, b"Font")).cloned().unwrap_or_default();
    let mut helvetica = Dictionary::new();
    for (key, value) in [
        ("Type", "Font"),
        ("Subtype", "Type1"),
        ("BaseFont", "Helvetica"),
        ("Encoding", "WinAnsiEncoding"),
    ] {
        helvetica.set(key, Object::Name(value.as_bytes().to_vec()));
    }
    fonts.set(FONT, Object::Dictionary(helvetica));
    resources.set("Font", Object::Dictionary(fonts));
    let page = doc.get_dictionary_mut(page).map_err(|_| unsound())?;
    page.set("Resources", Object::Dictionary(resources));
    Ok(())
}
