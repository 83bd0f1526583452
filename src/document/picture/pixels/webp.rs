//! WebP: written without loss, for want of a writer of the lossy kind; larger, and as it was but for the box.

use super::{Cover, LARGE, Model, ODD, Raster, broken, paint, upright};
use crate::content::CannotEdit;
use image::codecs::webp::{WebPDecoder, WebPEncoder};
use image::{ColorType, ImageDecoder, ImageEncoder};
use std::io::Cursor;

pub(super) fn repaint(bytes: &[u8], covers: Vec<Cover>) -> Result<Vec<u8>, CannotEdit> {
    let mut decoder = WebPDecoder::new(Cursor::new(bytes)).map_err(|_| broken())?;
    let (width, height) = decoder.dimensions();
    let colour = decoder.color_type();
    let model = match colour {
        ColorType::Rgb8 => Model::Rgb { bits: 8 },
        ColorType::Rgba8 => Model::Rgba { bits: 8 },
        _ => return Err(ODD),
    };
    let profile = decoder.icc_profile().ok().flatten();
    let exif = decoder.exif_metadata().ok().flatten();
    let size = usize::try_from(decoder.total_bytes()).unwrap_or(usize::MAX);
    if size > super::super::raster::MOST {
        return Err(LARGE);
    }
    let mut data = vec![0; size];
    decoder.read_image(&mut data).map_err(|_| broken())?;
    let mut raster = Raster::packed(width as usize, height as usize, model.bits(), data).ok_or(LARGE)?;
    // In squares when the picture was lossy before: traces of ink are all over those that it touches (RFC 6386, section 14).
    let block = if memchr::memmem::find(bytes, b"VP8 ").is_some() {
        4
    } else {
        1
    };
    paint(&mut raster, &model, covers, block);
    let mut out = Vec::new();
    let mut encoder = WebPEncoder::new_lossless(&mut out);
    // Neither fails: this format has room for both.
    let _ = profile.map(|profile| encoder.set_icc_profile(profile));
    let _ = exif
        .and_then(|exif| upright(&exif))
        .map(|exif| encoder.set_exif_metadata(exif));
    let written = encoder.write_image(&raster.data, width, height, colour.into());
    written.map_err(|_| broken())?;
    Ok(out)
}
