//! Pictures painted over: unpacked, boxes drawn over what is to go, packed again as what they were. A picture that was painted
//! over keeps its pixels, size, resolution, colours and which way is up. All else that it said of itself is gone with the
//! number: other copies of the picture stand there (thumbnails, second pictures of telephones), and texts about it.

mod bmp;
mod gif;
mod jpeg;
mod png;
mod tiff;
mod webp;

use super::cover::{Cover, Gone, covers};
use super::raster::{Model, Raster};
use super::{Picture, anatomy};
use crate::content::{CannotEdit, WordBox};
use std::ops::Range;

pub(in crate::document) use tiff::single;

/// The picture without these words.
///
/// # Errors
/// When it cannot be written as what it was.
pub(super) fn repaint(
    kind: Picture,
    bytes: &[u8],
    words: &[WordBox],
    gone: &[Gone<'_>],
) -> Result<Vec<u8>, CannotEdit> {
    let anatomy = anatomy(kind, bytes);
    if anatomy.moves {
        return Err(CannotEdit::Unsupported("a moving picture"));
    }
    if anatomy.cut {
        return Err(broken());
    }
    let covers = covers(words, gone);
    // Only a TIFF has pages.
    if kind != Picture::Tiff && covers.iter().any(|cover| cover.page > 0) {
        return Err(broken());
    }
    match kind {
        Picture::Png => png::repaint(bytes, covers),
        Picture::Jpeg => jpeg::repaint(bytes, covers),
        Picture::Gif => gif::repaint(bytes, covers),
        Picture::Tiff => tiff::repaint(bytes, covers),
        Picture::Webp => webp::repaint(bytes, covers),
        Picture::Bmp => bmp::repaint(bytes, covers),
        Picture::Heif => Err(CannotEdit::Unsupported("HEIC and AVIF pictures have no writer")),
    }
}

/// How bright a picture of a scanned page is, place by place.
pub(in crate::document) struct Shades {
    raster: Raster,
    model: Model,
}

impl Shades {
    /// A JPEG, or the first page of a TIFF.
    pub fn of(bytes: &[u8]) -> Option<Shades> {
        let (raster, model) = match super::kind(bytes)? {
            Picture::Jpeg => jpeg::unpack(bytes)
                .ok()
                .map(|unpacked| (unpacked.raster, unpacked.model))?,
            Picture::Tiff => tiff::first(bytes)?,
            _ => return None,
        };
        Some(Shades { raster, model })
    }

    /// Width and height.
    pub fn size(&self) -> (usize, usize) {
        (self.raster.width, self.raster.height)
    }

    /// The part of these pixels that are much brighter or darker in another picture of the same size.
    pub fn changed(&self, other: &Shades, across: Range<usize>, down: Range<usize>) -> f64 {
        const MUCH: u8 = 60;
        let (all, mut changed) = (across.len() * down.len(), 0);
        for (x, y) in down.flat_map(|y| across.clone().map(move |x| (x, y))) {
            let shade = |shades: &Shades| shades.model.brightness(shades.raster.get(x, y));
            changed += usize::from(shade(self).abs_diff(shade(other)) > MUCH);
        }
        changed as f64 / all.max(1) as f64
    }

    /// How far the brightest and the darkest of these pixels are apart; `None` when there are none.
    pub fn spread(&self, across: Range<usize>, down: Range<usize>) -> Option<u8> {
        let rows = down.start..down.end.min(self.raster.height);
        let columns = across.start..across.end.min(self.raster.width);
        let pixels = rows.flat_map(|y| columns.clone().map(move |x| (x, y)));
        let mut shades = pixels.map(|(x, y)| self.model.brightness(self.raster.get(x, y)));
        let first = shades.next()?;
        let (least, most) = shades.fold((first, first), |(least, most), shade| {
            (least.min(shade), most.max(shade))
        });
        Some(most - least)
    }
}

fn paint(raster: &mut Raster, model: &Model, covers: Vec<Cover>, block: usize) {
    for cover in covers {
        cover.paint(raster, model, block);
    }
}

fn broken() -> CannotEdit {
    CannotEdit::Unsound("the picture cannot be unpacked and packed again".to_owned())
}

const LARGE: CannotEdit = CannotEdit::Unsupported("a picture of that size");
const ODD: CannotEdit = CannotEdit::Unsupported("a picture with unusual colours");

/// EXIF that says nothing but which way is up (TIFF 6.0, tag 274), when the other says something else than "as it is".
fn upright(exif: &[u8]) -> Option<Vec<u8>> {
    let turned = super::tiff::tag(exif, 274).and_then(|turned| u8::try_from(turned).ok());
    let turned = turned.filter(|turned| (2..=8).contains(turned))?;
    let mut out = b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0".to_vec();
    out.extend([turned, 0, 0, 0, 0, 0, 0, 0]);
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn which_way_is_up_is_kept_and_nothing_else() {
        let camera = b"MM\0*\0\0\0\x08\0\x02\x01\x0e\0\x02\0\0\0\x04abc\0\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0";
        let exif = upright(camera).expect("turned");
        assert_eq!(super::super::tiff::tag(&exif, 274), Some(6));
        assert_eq!(exif.len(), 26);
        assert!(upright(&camera[..20]).is_none());
    }
}
