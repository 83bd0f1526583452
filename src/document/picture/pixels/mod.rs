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
