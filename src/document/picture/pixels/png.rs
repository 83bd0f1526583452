//! PNG: the pixels go through the `png` crate as they are stored, the chunks that say how to show them stay.

use super::super::png::{chunks, write_chunk};
use super::{Cover, LARGE, Model, Raster, broken, paint, upright};
use crate::content::CannotEdit;
use ::png::{BitDepth, ColorType, Decoder, Encoder};
use std::io::Cursor;

pub(super) fn repaint(bytes: &[u8], covers: Vec<Cover>) -> Result<Vec<u8>, CannotEdit> {
    let mut reader = Decoder::new(Cursor::new(bytes)).read_info().map_err(|_| broken())?;
    let size = reader
        .output_buffer_size()
        .filter(|size| *size <= super::super::raster::MOST);
    let mut data = vec![0; size.ok_or(LARGE)?];
    let frame = reader.next_frame(&mut data).map_err(|_| broken())?;
    data.truncate(frame.buffer_size());
    let model = model(frame.color_type, frame.bit_depth, reader.info());
    let (width, height) = (frame.width as usize, frame.height as usize);
    let mut raster = Raster::packed(width, height, model.bits(), data).ok_or(LARGE)?;
    paint(&mut raster, &model, covers, 1);
    let mut packed = Vec::new();
    let mut encoder = Encoder::new(&mut packed, frame.width, frame.height);
    encoder.set_color(frame.color_type);
    encoder.set_depth(frame.bit_depth);
    if frame.color_type == ColorType::Indexed {
        let palette = reader.info().palette.clone();
        encoder.set_palette(palette.ok_or_else(broken)?);
    }
    let mut writer = encoder.write_header().map_err(|_| broken())?;
    writer.write_image_data(&raster.data).map_err(|_| broken())?;
    writer.finish().map_err(|_| broken())?;
    Ok(assemble(bytes, &packed))
}

/// The chunks that say how the pixels are shown, around the new pixels.
fn assemble(bytes: &[u8], packed: &[u8]) -> Vec<u8> {
    const SHOWN: [&[u8; 4]; 10] = [
        b"PLTE", b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"iCCP", b"cICP", b"pHYs", b"sBIT", b"bKGD",
    ];
    let mut out = bytes.get(..8).unwrap_or_default().to_vec();
    let mut add = |from: &[u8], wanted: &dyn Fn(&[u8; 4]) -> bool| {
        for chunk in chunks(from).iter().filter(|chunk| wanted(&chunk.kind)) {
            write_chunk(&mut out, &chunk.kind, from.get(chunk.data.clone()).unwrap_or_default());
        }
    };
    add(packed, &|kind| kind == b"IHDR");
    add(bytes, &|kind| SHOWN.contains(&kind));
    add(packed, &|kind| kind == b"IDAT");
    let exif = chunks(bytes).into_iter().find(|chunk| chunk.kind == *b"eXIf");
    if let Some(exif) = exif.and_then(|chunk| upright(bytes.get(chunk.data)?)) {
        write_chunk(&mut out, b"eXIf", &exif);
    }
    write_chunk(&mut out, b"IEND", &[]);
    out
}

fn model(colour: ColorType, depth: BitDepth, info: &::png::Info<'_>) -> Model {
    let bits = depth as usize;
    match colour {
        ColorType::Grayscale => Model::Grey {
            bits,
            white_is_zero: false,
        },
        ColorType::GrayscaleAlpha => Model::GreyAlpha { bits },
        ColorType::Rgb => Model::Rgb { bits },
        ColorType::Rgba => Model::Rgba { bits },
        ColorType::Indexed => {
            let clear = info.trns.as_deref().unwrap_or_default();
            let opaque = |at: usize| clear.get(at).is_none_or(|alpha| *alpha == 255);
            let colours = info.palette.as_deref().unwrap_or_default().chunks_exact(3).enumerate();
            Model::Palette {
                bits,
                colours: colours
                    .map(|(at, colour)| colour.try_into().ok().filter(|_| opaque(at)))
                    .collect(),
            }
        }
    }
}
