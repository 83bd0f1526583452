//! GIF with one picture: numbers of colours in and out.

use super::{Cover, LARGE, Model, Raster, broken, paint};
use crate::content::CannotEdit;
use ::gif::{ColorOutput, DecodeOptions, Encoder, MemoryLimit};
use std::borrow::Cow;
use std::num::NonZeroU64;

pub(super) fn repaint(bytes: &[u8], covers: Vec<Cover>) -> Result<Vec<u8>, CannotEdit> {
    let mut options = DecodeOptions::new();
    options.set_color_output(ColorOutput::Indexed);
    if let Some(most) = NonZeroU64::new(super::super::raster::MOST as u64) {
        options.set_memory_limit(MemoryLimit::Bytes(most));
    }
    let mut decoder = options.read_info(bytes).map_err(|_| broken())?;
    let global = decoder.global_palette().unwrap_or_default().to_vec();
    let (width, height) = (decoder.width(), decoder.height());
    let mut frame = decoder
        .read_next_frame()
        .map_err(|_| broken())?
        .ok_or_else(broken)?
        .clone();
    // OCR counts from the corner of the picture itself, whatever the screen around it; all that people mail fills it.
    if (frame.left, frame.top, frame.width, frame.height) != (0, 0, width, height) {
        return Err(CannotEdit::Unsupported("a GIF that does not fill its screen"));
    }
    let palette = frame.palette.as_deref().unwrap_or(&global);
    let opaque = |at: usize| frame.transparent.is_none_or(|clear| usize::from(clear) != at);
    let colours = palette.chunks_exact(3).enumerate();
    let model = Model::Palette {
        bits: 8,
        colours: colours
            .map(|(at, colour)| colour.try_into().ok().filter(|_| opaque(at)))
            .collect(),
    };
    let data = std::mem::take(&mut frame.buffer).into_owned();
    let mut raster = Raster::packed(width.into(), height.into(), 8, data).ok_or(LARGE)?;
    paint(&mut raster, &model, covers, 1);
    frame.buffer = Cow::Owned(raster.data);
    frame.interlaced = false;
    let mut out = Vec::new();
    let mut encoder = Encoder::new(&mut out, width, height, &global).map_err(|_| broken())?;
    encoder.write_frame(&frame).map_err(|_| broken())?;
    drop(encoder);
    Ok(out)
}
