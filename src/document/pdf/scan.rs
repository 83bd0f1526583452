//! Scanned pages: their pictures as files of their own, for whoever reads what pictures show.
//!
//! JPEG stands in the document as it is; fax and plain pixels get a TIFF header (TIFF 6.0) around the same bytes. What is
//! packed otherwise (JPEG 2000, JBIG2) stays a doubt. A file that was painted over goes back as JPEG, or as plain pixels.

use super::object::{self, array, dict, get, name, number, resolve};
use super::page::Pages;
use super::store::decode;
use super::unread::{Scan, not_read, picture_not_read};
use crate::content::{Budget, CannotEdit, Child, Content, Hint, Limits};
use crate::document::picture::{self, could_be_a_page, is_too_small_for_text};
use crate::types::{Location, PartPath};
use lopdf::{Document, Object, ObjectId, Stream};
use std::borrow::Cow;

/// Dots an inch below which OCR guesses more than it reads; scanners do 150 and more.
const COARSE: f64 = 100.0;
/// Pictures of one page that are looked at; a scanner that cuts a page into strips makes some dozens.
const MOST: usize = 64;
/// Square points of a picture beside text that nobody can hand out, and in which a line of writing is likely: a visiting card.
const INLINE: f64 = 20_000.0;

impl Pages<'_, '_> {
    /// Hands out the pictures of a page. The page stays in doubt when one of them cannot be or is coarse, and when there are
    /// several: a line of writing may run over the edge of a strip, and only the page as a whole shows it. Somebody's recognised
    /// text on it may know of a number that our OCR does not see: taking that out is refused (see `recognised`).
    pub(super) fn scanned(&mut self, content: &mut Content<'_>, scan: &Scan, place: &Location) {
        if !scan.whole {
            return self.beside_text(content, scan, place);
        }
        let mut all = scan.images.len() == 1;
        for &(area, image) in scan.images.iter().take(MOST) {
            let handed = image.is_some_and(|id| self.scans.contains(&id) || self.hand_out(content, id));
            all &= handed && image.is_some_and(|id| self.is_fine(id, area));
        }
        if !all {
            not_read(content, place);
        }
    }

    /// Pictures beside text: what has room for a number is read, and in doubt when it cannot be handed out. Logos and ornaments
    /// have fewer dots than a page, and stand on every letter.
    fn beside_text(&mut self, content: &mut Content<'_>, scan: &Scan, place: &Location) {
        let mut all = scan.images.len() <= MOST;
        for &(area, image) in scan.images.iter().take(MOST) {
            let Some(size) = image.map(|id| self.size_of(id)) else {
                all &= area < INLINE;
                continue;
            };
            if size.is_some_and(is_too_small_for_text) {
                continue;
            }
            let handed = image.is_some_and(|id| self.scans.contains(&id) || self.hand_out(content, id));
            all &= handed || size.is_some_and(|size| !could_be_a_page(size) && area < INLINE);
        }
        if !all {
            picture_not_read(content, place);
        }
    }

    fn size_of(&self, id: ObjectId) -> Option<(u32, u32)> {
        size_of(self.store.doc, id)
    }

    /// It has the dots for small print.
    fn is_fine(&self, id: ObjectId, area: f64) -> bool {
        let size = self.size_of(id);
        size.is_some_and(|(width, height)| {
            f64::from(width) * f64::from(height) >= area / (72.0 * 72.0) * COARSE * COARSE
        })
    }

    fn hand_out(&mut self, content: &mut Content<'_>, id: ObjectId) -> bool {
        let stream = self
            .store
            .doc
            .objects
            .get(&id)
            .and_then(|object| object.as_stream().ok());
        let Some((bytes, media_type)) = stream.and_then(|stream| self.picture_file(stream)) else {
            return false;
        };
        self.scans.insert(id);
        // Browsers draw text as a mask of one colour: what it shows is in the mask alone.
        let mask = stream.and_then(|stream| object::reference(&stream.dict, b"SMask"));
        if let Some(mask) = mask
            && media_type == "image/tiff"
            && is_plain(&bytes)
            // Masks may mask each other.
            && !self.scans.contains(&mask)
        {
            return self.hand_out(content, mask);
        }
        self.units.scans.insert(content.children.len(), id);
        let number = content.children.len() + 1;
        content.children.push(Child {
            path: PartPath(vec![u32::try_from(number).unwrap_or(u32::MAX)]),
            bytes: Cow::Owned(bytes),
            hint: Hint {
                media_type: media_type.to_owned(),
                attachment: true,
                scan: true,
                ..Hint::default()
            },
            alternative: false,
        });
        true
    }

    fn picture_file(&mut self, stream: &Stream) -> Option<(Vec<u8>, &'static str)> {
        let doc = self.store.doc;
        let filter = match get(doc, &stream.dict, b"Filter") {
            Object::Array(list) => match list.as_slice() {
                [] => &Object::Null,
                [single] => resolve(doc, single),
                _ => return None,
            },
            single => single,
        };
        let packed = match filter {
            Object::Name(name) => name.as_slice(),
            _ => b"",
        };
        match packed {
            b"DCTDecode" | b"DCT" => {
                self.budget.produce(stream.content.len() as u64).ok()?;
                Some((stream.content.clone(), "image/jpeg"))
            }
            b"CCITTFaxDecode" | b"CCF" => fax(doc, stream, self.budget),
            b"" | b"FlateDecode" | b"Fl" => plain(doc, stream, self.budget),
            _ => None,
        }
    }
}

/// Puts a picture that was painted over in the place of the one that was handed out.
pub(super) fn put_back(doc: &mut Document, id: ObjectId, file: &[u8]) -> Result<(), CannotEdit> {
    let unsound = || CannotEdit::Unsound("the scanned page cannot be packed again".to_owned());
    let stream = doc.objects.get(&id).and_then(|object| object.as_stream().ok());
    let stream = stream.ok_or_else(unsound)?;
    let turned = inverted(doc, stream);
    let jpeg = file.starts_with(b"\xff\xd8");
    let parameters = get(doc, &stream.dict, b"DecodeParms");
    let own_colours = |object: &Object| dict(resolve(doc, object)).is_some_and(|dict| dict.has(b"ColorTransform"));
    let any = array(doc, &stream.dict, b"DecodeParms").iter().any(own_colours);
    if jpeg && (any || own_colours(parameters)) {
        return Err(CannotEdit::Unsupported("a scanned page with unusual colours"));
    }
    let Some(Object::Stream(stream)) = doc.objects.get_mut(&id) else {
        return Err(unsound());
    };
    // Other pictures of the page, for printers, and what programs say of this one.
    for key in [b"DecodeParms".as_slice(), b"Alternates", b"OPI", b"Metadata"] {
        stream.dict.remove(key);
    }
    if jpeg {
        stream.set_content(file.to_vec());
        return Ok(());
    }
    let (mut pixels, grey_bits) = picture::single(file).ok_or_else(unsound)?;
    if let Some(bits) = grey_bits {
        if turned {
            pixels.iter_mut().for_each(|byte| *byte = !*byte);
        }
        // Fax need not say that it has one.
        stream
            .dict
            .set("BitsPerComponent", i64::try_from(bits).map_err(|_| unsound())?);
    }
    stream.set_plain_content(pixels);
    stream.compress().map_err(|_| unsound())
}

/// All pixels of a TIFF file of ours are alike.
fn is_plain(tiff: &[u8]) -> bool {
    let directory = tiff.get(4..8).and_then(|at| at.try_into().ok()).map(u32::from_le_bytes);
    let pixels = directory.and_then(|end| tiff.get(8..usize::try_from(end).ok()?.checked_sub(1)?));
    // Three bytes on is the same colour of the next pixel, or another grey one.
    pixels.is_some_and(|pixels| {
        pixels
            .iter()
            .zip(pixels.iter().skip(3))
            .all(|(one, other)| one == other)
    })
}

pub(super) fn size_of(doc: &Document, id: ObjectId) -> Option<(u32, u32)> {
    let object = doc.objects.get(&id);
    size(doc, object.and_then(|object| object.as_stream().ok())?)
}

/// Width and height, when they are those of a picture.
fn size(doc: &Document, stream: &Stream) -> Option<(u32, u32)> {
    let side = |key: &[u8]| {
        let value = number(get(doc, &stream.dict, key))?;
        (1.0..=65_535.0).contains(&value).then_some(value as u32)
    };
    Some((side(b"Width")?, side(b"Height")?))
}

/// Samples are the other way round: `Decode [1 0]`.
fn inverted(doc: &Document, stream: &Stream) -> bool {
    array(doc, &stream.dict, b"Decode")
        .first()
        .and_then(number)
        .is_some_and(|first| first > 0.5)
}

/// Fax groups 3 and 4 (ISO 32000-1, 7.4.6) under a TIFF header.
fn fax(doc: &Document, stream: &Stream, budget: &mut Budget) -> Option<(Vec<u8>, &'static str)> {
    let (width, height) = size(doc, stream)?;
    let parameters = match get(doc, &stream.dict, b"DecodeParms") {
        Object::Array(list) => list.first().map(|first| resolve(doc, first)).and_then(dict),
        single => dict(single),
    };
    let value = |key: &[u8]| parameters.and_then(|parameters| number(get(doc, parameters, key)));
    let truth = |key: &[u8]| {
        let found = parameters.map(|parameters| get(doc, parameters, key));
        matches!(found, Some(Object::Boolean(true)))
    };
    let columns = value(b"Columns").unwrap_or(1728.0);
    if columns != f64::from(width) || truth(b"EncodedByteAlign") {
        return None;
    }
    budget.produce(stream.content.len() as u64).ok()?;
    let k = value(b"K").unwrap_or(0.0);
    let (compression, options) = if k < 0.0 { (4, 0) } else { (3, u32::from(k > 0.0)) };
    let white_is_zero = truth(b"BlackIs1") == inverted(doc, stream);
    let entries = [
        (256, width),
        (257, height),
        (258, 1),
        (259, compression),
        (262, u32::from(!white_is_zero)),
        (277, 1),
        (278, height),
        (292, options),
    ];
    Some((tiff(&entries, &stream.content), "image/tiff"))
}

/// Grey and coloured pixels of one or eight bits.
fn plain(doc: &Document, stream: &Stream, budget: &mut Budget) -> Option<(Vec<u8>, &'static str)> {
    let (width, height) = size(doc, stream)?;
    let mask = matches!(get(doc, &stream.dict, b"ImageMask"), Object::Boolean(true));
    let bits = if mask {
        1
    } else {
        number(get(doc, &stream.dict, b"BitsPerComponent"))? as u32
    };
    let samples = if mask { 1 } else { components(doc, stream)? };
    if !matches!((bits, samples), (1 | 8, 1) | (8, 3)) {
        return None;
    }
    let row = (u64::from(width) * u64::from(samples) * u64::from(bits)).div_ceil(8);
    let wanted = row * u64::from(height);
    // White paper packs better than the ratio that bombs are told by; here the size is known beforehand, with a byte a row
    // for the predictor.
    let most = wanted + u64::from(height) + 64;
    if most > budget.bytes_left() {
        return None;
    }
    // With a predictor it is unpacked twice, once to see whether it is whole.
    let mut own = Budget::new(Limits {
        produced_bytes: 2 * most,
        ratio: u64::MAX,
        ..budget.limits().clone()
    });
    let (pixels, _) = decode(doc, stream, &mut own).ok()?;
    budget.produce(wanted).ok()?;
    let pixels = pixels.get(..usize::try_from(wanted).ok()?)?;
    // A mask paints where its samples are 0 (8.9.6.2), in ink on paper.
    let photometric = if samples == 3 {
        2
    } else {
        u32::from(!inverted(doc, stream))
    };
    let entries = [
        (256, width),
        (257, height),
        (258, bits),
        (259, 1),
        (262, photometric),
        (277, samples),
        (278, height),
    ];
    Some((tiff(&entries, pixels), "image/tiff"))
}

/// Samples a pixel, for the colour spaces in which a sample is a brightness.
fn components(doc: &Document, stream: &Stream) -> Option<u32> {
    match get(doc, &stream.dict, b"ColorSpace") {
        Object::Name(_) => match name(doc, &stream.dict, b"ColorSpace") {
            b"DeviceGray" | b"CalGray" | b"G" => Some(1),
            b"DeviceRGB" | b"CalRGB" | b"RGB" => Some(3),
            _ => None,
        },
        Object::Array(list) => match (list.first().map(|first| resolve(doc, first)), list.get(1)) {
            (Some(Object::Name(kind)), _) if kind == b"CalGray" => Some(1),
            (Some(Object::Name(kind)), _) if kind == b"CalRGB" => Some(3),
            (Some(Object::Name(kind)), Some(profile)) if kind == b"ICCBased" => {
                let profile = dict(resolve(doc, profile))?;
                [1, 3]
                    .into_iter()
                    .find(|n| number(get(doc, profile, b"N")) == Some(f64::from(*n)))
            }
            _ => None,
        },
        _ => None,
    }
}

/// A TIFF file with one strip: header, pixels, directory (TIFF 6.0, section 2). `entries` in the order of their tags,
/// without those that say where the strip is.
fn tiff(entries: &[(u16, u32)], pixels: &[u8]) -> Vec<u8> {
    const HEAD: u32 = 8;
    let length = u32::try_from(pixels.len()).unwrap_or(u32::MAX);
    let padded = length + length % 2;
    let mut all: Vec<(u16, u32)> = entries.to_vec();
    all.extend([(273, HEAD), (279, length)]);
    all.sort_unstable();
    let samples = entries
        .iter()
        .find(|(tag, _)| *tag == 277)
        .map_or(1, |(_, samples)| *samples);
    let mut out = b"II*\0".to_vec();
    out.extend((HEAD + padded).to_le_bytes());
    out.extend_from_slice(pixels);
    out.resize((HEAD + padded) as usize, 0);
    out.extend(u16::try_from(all.len()).unwrap_or_default().to_le_bytes());
    // Behind the directory: the bits of each sample, when they do not fit into the entry.
    let behind = HEAD + padded + 2 + 12 * u32::try_from(all.len()).unwrap_or_default() + 4;
    for (tag, value) in all {
        let many = tag == 258 && samples == 3;
        let (kind, count, value) = if many { (3_u16, 3, behind) } else { (4, 1, value) };
        out.extend(tag.to_le_bytes());
        out.extend(kind.to_le_bytes());
        out.extend(u32::to_le_bytes(count));
        out.extend(value.to_le_bytes());
    }
    out.extend([0; 4]);
    out.extend([8, 0, 8, 0, 8, 0]);
    out
}
