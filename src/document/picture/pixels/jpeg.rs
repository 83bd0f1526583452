//! JPEG, grey or in three colours. Inks (CMYK) are refused: programs differ in what their values mean.

use super::super::{be16, jpeg};
use super::{Cover, LARGE, Model, ODD, Raster, broken, paint, upright};
use crate::content::CannotEdit;
use image::codecs::jpeg::{JpegDecoder, JpegEncoder, PixelDensity, PixelDensityUnit};
use image::{ColorType, ImageDecoder, ImageEncoder};
use std::io::Cursor;

/// Good enough that a picture which is packed a second time shows no second loss.
const QUALITY: u8 = 92;
/// Side of the squares that are packed as one (ITU T.81, annex A).
const BLOCK: usize = 8;

pub(super) fn repaint(bytes: &[u8], covers: Vec<Cover>) -> Result<Vec<u8>, CannotEdit> {
    if !matches!(jpeg::components(bytes), Some(1 | 3)) {
        return Err(ODD);
    }
    let mut decoder = JpegDecoder::new(Cursor::new(bytes)).map_err(|_| broken())?;
    let (width, height) = decoder.dimensions();
    let colour = decoder.color_type();
    let model = match colour {
        ColorType::L8 => Model::Grey {
            bits: 8,
            white_is_zero: false,
        },
        ColorType::Rgb8 => Model::Rgb { bits: 8 },
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
    paint(&mut raster, &model, covers, BLOCK);
    let mut out = Vec::new();
    let mut encoder = JpegEncoder::new_with_quality(&mut out, QUALITY);
    if let Some(density) = density(bytes) {
        encoder.set_pixel_density(density);
    }
    // Neither fails: this format has room for both.
    let _ = profile.map(|profile| encoder.set_icc_profile(profile));
    let _ = exif
        .and_then(|exif| upright(&exif))
        .map(|exif| encoder.set_exif_metadata(exif));
    let written = encoder.write_image(&raster.data, width, height, colour.into());
    written.map_err(|_| broken())?;
    Ok(out)
}

/// Resolution, from the JFIF header.
fn density(bytes: &[u8]) -> Option<PixelDensity> {
    let at = memchr::memmem::find(bytes.get(..64.min(bytes.len()))?, b"JFIF\0")?;
    let unit = match bytes.get(at + 7)? {
        1 => PixelDensityUnit::Inches,
        2 => PixelDensityUnit::Centimeters,
        _ => PixelDensityUnit::PixelAspectRatio,
    };
    let number = |at: usize| {
        be16(bytes, at)
            .and_then(|number| u16::try_from(number).ok())
            .filter(|n| *n > 0)
    };
    Some(PixelDensity {
        density: (number(at + 8)?, number(at + 10)?),
        unit,
    })
}
