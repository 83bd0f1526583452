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

/// Pixels, what they mean, and what of the rest stays.
pub(super) struct Unpacked {
    pub raster: Raster,
    pub model: Model,
    colour: ColorType,
    profile: Option<Vec<u8>>,
    exif: Option<Vec<u8>>,
}

pub(super) fn unpack(bytes: &[u8]) -> Result<Unpacked, CannotEdit> {
    if !matches!(jpeg::components(bytes), Some(1 | 3)) {
        return Err(ODD);
    }
    let mut decoder = JpegDecoder::new(Cursor::new(bytes)).map_err(|_| broken())?;
    let (width, height) = decoder.dimensions();
    let colour = decoder.color_type();
    let model = match colour {
        ColorType::L8 => {
            let (bits, white_is_zero) = (8, false);
            Model::Grey { bits, white_is_zero }
        }
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
    let raster = Raster::packed(width as usize, height as usize, model.bits(), data).ok_or(LARGE)?;
    Ok(Unpacked {
        raster,
        model,
        colour,
        profile,
        exif,
    })
}

pub(super) fn repaint(bytes: &[u8], covers: Vec<Cover>) -> Result<Vec<u8>, CannotEdit> {
    let mut unpacked = unpack(bytes)?;
    paint(&mut unpacked.raster, &unpacked.model, covers, BLOCK);
    let mut out = Vec::new();
    let mut encoder = JpegEncoder::new_with_quality(&mut out, QUALITY);
    if let Some(density) = density(bytes) {
        encoder.set_pixel_density(density);
    }
    // Neither fails: this format has room for both.
    let _ = unpacked.profile.map(|profile| encoder.set_icc_profile(profile));
    let _ = unpacked
        .exif
        .and_then(|exif| upright(&exif))
        .map(|exif| encoder.set_exif_metadata(exif));
    let side = |side: usize| u32::try_from(side).map_err(|_| LARGE);
    let (width, height) = (side(unpacked.raster.width)?, side(unpacked.raster.height)?);
    let written = encoder.write_image(&unpacked.raster.data, width, height, unpacked.colour.into());
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
