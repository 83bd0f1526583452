//! Windows bitmaps: painted where they lie, when they are not packed.

use super::super::{le16, le32};
use super::{Cover, LARGE, Model, ODD, Raster, broken, paint};
use crate::content::CannotEdit;

pub(super) fn repaint(bytes: &[u8], covers: Vec<Cover>) -> Result<Vec<u8>, CannotEdit> {
    let stated = le32(bytes, 2).and_then(|len| usize::try_from(len).ok());
    let end = stated
        .filter(|len| (14..bytes.len()).contains(len))
        .unwrap_or(bytes.len());
    let bytes = bytes.get(..end).unwrap_or_default();
    let head = le32(bytes, 14).ok_or_else(broken)?;
    // OS/2's first kind has a header of its own, and no program writes it any more.
    if head < 40 {
        return Err(ODD);
    }
    let packing = le32(bytes, 30).ok_or_else(broken)?;
    let bits = le16(bytes, 28).ok_or_else(broken)? as usize;
    if !(packing == 0 && matches!(bits, 1 | 4 | 8 | 24 | 32) || packing == 3 && bits == 32) {
        return Err(CannotEdit::Unsupported("a bitmap that is packed"));
    }
    let (width, height) = super::super::picture_size(bytes).ok_or_else(broken)?;
    let start = le32(bytes, 10).ok_or_else(broken)? as usize;
    let stride = (width as usize).saturating_mul(bits).div_ceil(32) * 4;
    let upside_down = le32(bytes, 22).is_some_and(|height| (height as i32) > 0);
    let model = match bits {
        24 => Model::Rgb { bits: 8 },
        32 => Model::Rgba { bits: 8 },
        _ => {
            let table = bytes.get(14 + head as usize..start).ok_or_else(broken)?;
            let colour = |entry: &[u8]| entry.get(..3).and_then(|colour| colour.try_into().ok());
            let colours = table.chunks_exact(4).take(1 << bits).map(colour).collect();
            Model::Palette { bits, colours }
        }
    };
    let (width, height) = (width as usize, height as usize);
    let raster = Raster::within(width, height, bits, start, stride, upside_down, bytes.to_vec());
    let mut raster = raster.ok_or(LARGE)?;
    paint(&mut raster, &model, covers, 1);
    Ok(raster.data)
}
