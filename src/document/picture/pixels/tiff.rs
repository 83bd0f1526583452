//! TIFF (6.0): every page unpacked and written anew, one strip each, packed by deflate when it was packed at all. What no page
//! leads to any more, and second pictures of the pages, are not written.

use super::{Cover, LARGE, Model, ODD, Raster, broken, paint};
use crate::content::CannotEdit;
use crate::document::inflate::zlib;
use ::tiff::ColorType;
use ::tiff::decoder::{Decoder, DecodingResult, Limits};
use ::tiff::tags::Tag;
use std::io::Cursor;

type Reader<'b> = Decoder<Cursor<&'b [u8]>>;

/// Pages of one file.
const PAGES: u32 = 2000;

/// One entry of a directory: tag and values, in the least wide kind that holds them.
enum Entry {
    Short(Vec<u16>),
    Long(Vec<u32>),
    /// Two numbers, one over the other.
    Ratio([u32; 2]),
    /// Bytes without a meaning of their own.
    Opaque(Vec<u8>),
}

/// A page on its way.
struct Page {
    raster: Raster,
    model: Model,
    samples: u16,
    photometric: u16,
    /// How it was packed (tag 259).
    packing: u32,
    /// What of the old directory stays.
    kept: Vec<(u16, Entry)>,
}

pub(super) fn repaint(bytes: &[u8], covers: Vec<Cover>) -> Result<Vec<u8>, CannotEdit> {
    let mut limits = Limits::default();
    limits.decoding_buffer_size = super::super::raster::MOST;
    limits.ifd_value_size = 16 << 20;
    let mut decoder = Decoder::new(Cursor::new(bytes))
        .map_err(|_| broken())?
        .with_limits(limits);
    let mut covers = covers;
    let mut out = b"II*\0\0\0\0\0".to_vec();
    let mut link = 4;
    for number in 0..PAGES {
        let here;
        (here, covers) = covers.into_iter().partition(|cover| cover.page == number);
        // A smaller picture of another page (tag 254, bit 0), in which OCR may not read what eyes still do.
        let second = decoder.find_tag_unsigned::<u32>(Tag::NewSubfileType).ok().flatten();
        if second.is_none_or(|kind| kind & 1 == 0) {
            let mut page = read(&mut decoder)?;
            // JPEG inside leaves traces of ink all over its squares.
            let block = if page.packing == 7 { 8 } else { 1 };
            paint(&mut page.raster, &page.model, here, block);
            link = write(&mut out, page, link)?;
        }
        if !decoder.more_images() {
            return if covers.is_empty() { Ok(out) } else { Err(broken()) };
        }
        decoder.next_image().map_err(|_| broken())?;
    }
    Err(LARGE)
}

fn read(decoder: &mut Reader<'_>) -> Result<Page, CannotEdit> {
    let (width, height) = decoder.dimensions().map_err(|_| broken())?;
    let colour = decoder.colortype().map_err(|_| ODD)?;
    let (model, samples, photometric) = model(colour)?;
    let data = match decoder.read_image().map_err(|_| broken())? {
        DecodingResult::U8(bytes) => bytes,
        DecodingResult::U16(values) => values.into_iter().flat_map(u16::to_be_bytes).collect(),
        _ => return Err(ODD),
    };
    let raster = Raster::packed(width as usize, height as usize, model.bits(), data).ok_or(LARGE)?;
    let packing = decoder.find_tag_unsigned::<u32>(Tag::Compression).ok().flatten();
    let mut kept = Vec::new();
    for (tag, number) in [(Tag::XResolution, 282), (Tag::YResolution, 283)] {
        if let Ok(Some(::tiff::decoder::ifd::Value::Rational(above, below))) = decoder.find_tag(tag) {
            kept.push((number, Entry::Ratio([above, below])));
        }
    }
    for (tag, number) in [
        (Tag::Orientation, 274),
        (Tag::ResolutionUnit, 296),
        (Tag::ExtraSamples, 338),
    ] {
        if let Ok(Some(value)) = decoder.find_tag_unsigned_vec::<u16>(tag) {
            kept.push((number, Entry::Short(value)));
        }
    }
    if let Ok(profile) = decoder.get_tag_u8_vec(Tag::Unknown(34_675)) {
        kept.push((34_675, Entry::Opaque(profile)));
    }
    Ok(Page {
        raster,
        model,
        samples,
        photometric,
        packing: packing.unwrap_or(1),
        kept,
    })
}

/// What values mean, samples of a pixel, and both as tag 262 says it. The decoder turns values round where white was 0.
fn model(colour: ColorType) -> Result<(Model, u16, u16), CannotEdit> {
    Ok(match colour {
        ColorType::Gray(bits @ (1 | 2 | 4 | 8 | 16)) => {
            let (bits, white_is_zero) = (bits.into(), false);
            (Model::Grey { bits, white_is_zero }, 1, 1)
        }
        ColorType::RGB(bits @ (8 | 16)) => (Model::Rgb { bits: bits.into() }, 3, 2),
        ColorType::RGBA(bits @ (8 | 16)) => (Model::Rgba { bits: bits.into() }, 4, 2),
        ColorType::CMYK(8) => (Model::Cmyk, 4, 5),
        _ => return Err(ODD),
    })
}

/// Adds a page, and where it is told of; gives where the next one is told of.
fn write(out: &mut Vec<u8>, page: Page, link: usize) -> Result<usize, CannotEdit> {
    let (samples, photometric) = (page.samples, page.photometric);
    let bits = u16::try_from(page.model.bits()).unwrap_or_default() / samples;
    let long = |value: usize| {
        u32::try_from(value)
            .map(|value| Entry::Long(vec![value]))
            .map_err(|_| LARGE)
    };
    let (width, height) = (long(page.raster.width)?, long(page.raster.height)?);
    let rows = long(page.raster.height)?;
    let mut pixels = page.raster.data;
    if bits == 16 {
        pixels.chunks_exact_mut(2).for_each(|pair| pair.reverse());
    }
    let (packing, pixels) = match page.packing {
        1 => (1, pixels),
        _ => (8, zlib(&pixels)),
    };
    let start = out.len();
    let mut entries = page.kept;
    entries.extend([
        (256, width),
        (257, height),
        (258, Entry::Short(vec![bits; samples.into()])),
        (259, Entry::Short(vec![packing])),
        (262, Entry::Short(vec![photometric])),
        (273, long(start)?),
        (277, Entry::Short(vec![samples])),
        (278, rows),
        (279, long(pixels.len())?),
    ]);
    out.extend_from_slice(&pixels);
    directory(out, entries, link)
}

fn directory(out: &mut Vec<u8>, mut entries: Vec<(u16, Entry)>, link: usize) -> Result<usize, CannotEdit> {
    let position = |at: usize| u32::try_from(at).map_err(|_| LARGE);
    entries.sort_by_key(|(tag, _)| *tag);
    out.resize(out.len().next_multiple_of(2), 0);
    let start = position(out.len())?.to_le_bytes();
    out.get_mut(link..link + 4).ok_or_else(broken)?.copy_from_slice(&start);
    let mut behind = out.len() + 2 + 12 * entries.len() + 4;
    let mut values = Vec::new();
    out.extend(u16::try_from(entries.len()).map_err(|_| LARGE)?.to_le_bytes());
    for (tag, entry) in entries {
        let (kind, count, mut value): (u16, usize, Vec<u8>) = match entry {
            Entry::Short(all) => (3, all.len(), all.into_iter().flat_map(u16::to_le_bytes).collect()),
            Entry::Long(all) => (4, all.len(), all.into_iter().flat_map(u32::to_le_bytes).collect()),
            Entry::Ratio(all) => (5, 1, all.into_iter().flat_map(u32::to_le_bytes).collect()),
            Entry::Opaque(bytes) => (7, bytes.len(), bytes),
        };
        out.extend(tag.to_le_bytes());
        out.extend(kind.to_le_bytes());
        out.extend(position(count)?.to_le_bytes());
        if value.len() > 4 {
            out.extend(position(behind)?.to_le_bytes());
            value.resize(value.len().next_multiple_of(2), 0);
            behind += value.len();
            values.extend(value);
        } else {
            value.resize(4, 0);
            out.extend(value);
        }
    }
    let link = out.len();
    out.extend([0; 4]);
    out.extend(values);
    Ok(link)
}

/// The pixels of a file with one page, unpacked, and of grey ones, in which black is 0, how many bits they have: for those who
/// keep pictures in a format of their own.
pub(in crate::document) fn single(bytes: &[u8]) -> Option<(Vec<u8>, Option<usize>)> {
    let (raster, model) = first(bytes)?;
    let grey = matches!(model, Model::Grey { .. }).then(|| model.bits());
    Some((raster.data, grey))
}

/// The first page.
pub(super) fn first(bytes: &[u8]) -> Option<(Raster, Model)> {
    let mut decoder = Decoder::new(Cursor::new(bytes)).ok()?;
    let page = read(&mut decoder).ok()?;
    Some((page.raster, page.model))
}
