//! Pictures: what they say of themselves in text (EXIF, XMP, IPTC, comments), and how large they are. What their pixels
//! show is read by a program, which only `inspect` may run: until it has, there is a doubt.

mod cover;
mod gif;
mod jpeg;
mod pixels;
mod png;
mod raster;
mod riff;
mod tiff;

pub(super) use pixels::{Shades, single};

use super::{charset, doubt, text, view};
use crate::content::{Budget, CannotEdit, Changes, Child, Content, Hint, Splice, splice};
use crate::types::{DoubtKind, Location, PartPath};
use std::borrow::Cow;
use std::ops::Range;

/// File formats of pictures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Picture {
    /// PNG, animated too.
    Png,
    /// JPEG.
    Jpeg,
    /// GIF.
    Gif,
    /// TIFF, also with several pages.
    Tiff,
    /// WebP.
    Webp,
    /// Windows bitmap.
    Bmp,
    /// HEIF family: HEIC, AVIF.
    Heif,
}

/// What a picture is made of.
#[derive(Default)]
struct Anatomy {
    /// Width and height in pixels, when they are told.
    size: Option<(u32, u32)>,
    /// Stretches that are no pixels.
    metadata: Vec<Range<usize>>,
    /// Bytes behind the end of the picture.
    behind: Option<Range<usize>>,
    /// It ends before its end.
    cut: bool,
    /// It moves: there are pictures behind the first one.
    moves: bool,
}

impl Anatomy {
    /// Text may stand anywhere.
    fn unparted(bytes: &[u8], size: Option<(u32, u32)>) -> Anatomy {
        let all = 0..bytes.len();
        Anatomy {
            size,
            metadata: vec![all],
            ..Anatomy::default()
        }
    }
}

/// Which picture these bytes are.
pub(super) fn kind(bytes: &[u8]) -> Option<Picture> {
    let at = |from: usize, what: &[u8]| bytes.get(from..).is_some_and(|rest| rest.starts_with(what));
    if at(0, b"\x89PNG\r\n\x1a\n") {
        Some(Picture::Png)
    } else if at(0, b"\xff\xd8\xff") {
        Some(Picture::Jpeg)
    } else if at(0, b"GIF87a") || at(0, b"GIF89a") {
        Some(Picture::Gif)
    } else if at(0, b"II*\0") || at(0, b"MM\0*") {
        Some(Picture::Tiff)
    } else if at(0, b"RIFF") && at(8, b"WEBP") {
        Some(Picture::Webp)
    } else if at(0, b"BM") && is_bitmap(bytes) {
        Some(Picture::Bmp)
    } else if at(4, b"ftyp") && is_heif(bytes) {
        Some(Picture::Heif)
    } else {
        None
    }
}

/// `BM` begins words: the length of one of the known headers tells.
fn is_bitmap(bytes: &[u8]) -> bool {
    let known = |head: u32| matches!(head, 12 | 40 | 52 | 56 | 64 | 108 | 124);
    bytes.get(6..10) == Some(&[0; 4]) && le32(bytes, 14).is_some_and(known)
}

fn is_heif(bytes: &[u8]) -> bool {
    const BRANDS: [&[u8]; 10] = [
        b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1", b"avif", b"avis",
    ];
    bytes.get(8..12).is_some_and(|brand| BRANDS.contains(&brand))
}

fn anatomy(kind: Picture, bytes: &[u8]) -> Anatomy {
    match kind {
        Picture::Png => png::anatomy(bytes),
        Picture::Jpeg => jpeg::anatomy(bytes),
        Picture::Gif => gif::anatomy(bytes),
        Picture::Webp => riff::anatomy(bytes),
        Picture::Tiff => Anatomy::unparted(bytes, tiff::size(bytes)),
        Picture::Bmp => bitmap(bytes),
        Picture::Heif => Anatomy::unparted(bytes, heif_size(bytes)),
    }
}

/// Bitmaps have no metadata.
fn bitmap(bytes: &[u8]) -> Anatomy {
    let size = match le32(bytes, 14) {
        Some(12) => le16(bytes, 18).zip(le16(bytes, 20)),
        // The height is negative in bitmaps that are stored from the top.
        _ => le32(bytes, 18).zip(le32(bytes, 22).map(|height| (height as i32).unsigned_abs())),
    };
    let pixels = le32(bytes, 10).and_then(|start| usize::try_from(start).ok());
    let stated = le32(bytes, 2).and_then(|len| usize::try_from(len).ok());
    let stated = stated.filter(|len| *len > pixels.unwrap_or(0)).unwrap_or(bytes.len());
    Anatomy {
        size,
        cut: stated > bytes.len(),
        behind: (stated < bytes.len()).then_some(stated..bytes.len()),
        ..Anatomy::default()
    }
}

/// The largest of the sizes that a HEIF file tells (`ispe` boxes: the picture, its tiles, its thumbnail).
fn heif_size(bytes: &[u8]) -> Option<(u32, u32)> {
    let head = bytes.get(..bytes.len().min(1 << 20))?;
    let boxes = memchr::memmem::find_iter(head, b"ispe");
    let sizes = boxes.filter_map(|at| be32(head, at + 8).zip(be32(head, at + 12)));
    sizes.max_by_key(|(width, height)| u64::from(*width) * u64::from(*height))
}

/// Width and height, when they are told.
pub fn picture_size(bytes: &[u8]) -> Option<(u32, u32)> {
    anatomy(kind(bytes)?, bytes).size
}

/// There are pictures behind the first one, which programs that read text do not look at. (They do look at all pages of a
/// TIFF.)
pub fn picture_moves(bytes: &[u8]) -> bool {
    kind(bytes).is_some_and(|kind| anatomy(kind, bytes).moves)
}

/// Ten digits cannot be read in it: tracking pixels, bullets, icons. Three pixels a digit and one between, on a line of its
/// own, is the least that any eye or program reads.
pub fn is_too_small_for_text((width, height): (u32, u32)) -> bool {
    width.max(height) < 60 || width.min(height) < 8
}

/// A page, a screenshot or a photograph of one, rather than a logo or a signature: six pixels a millimetre of a visiting
/// card. A letterhead is wide and flat.
pub fn could_be_a_page((width, height): (u32, u32)) -> bool {
    width.min(height) >= 500
}

/// Reads what a picture says of itself.
pub(super) fn read<'a>(bytes: &'a [u8], kind: Picture, budget: &mut Budget) -> Content<'a> {
    let mut content = Content::default();
    let anatomy = anatomy(kind, bytes);
    if anatomy.cut {
        content
            .doubts
            .push(doubt(DoubtKind::Broken, "the picture is damaged or cut short"));
    }
    if !anatomy.size.is_some_and(is_too_small_for_text) {
        content
            .doubts
            .push(doubt(DoubtKind::NotOcred, "what the picture shows was not read"));
    }
    for range in &anatomy.metadata {
        if let Err(spent) = budget.produce(range.len() as u64) {
            content.doubts.push(doubt(spent.doubt(), spent.to_string()));
            return content;
        }
        metadata(&mut content, bytes, range);
    }
    match kind {
        Picture::Png => png::unpack(&mut content, bytes, budget),
        Picture::Gif => gif::comments(&mut content, bytes),
        _ => {}
    }
    if let Some(behind) = anatomy.behind {
        trailer(&mut content, bytes, behind);
    }
    content
}

/// One stretch of metadata: bytes as they are, and in UTF-16 where digits stand so (Windows tags, user comments).
fn metadata(content: &mut Content<'_>, bytes: &[u8], range: &Range<usize>) {
    let raw = bytes.get(range.clone()).unwrap_or_default();
    let mut readings = vec![match std::str::from_utf8(raw) {
        Ok(_) => charset::utf8(raw),
        Err(_) => charset::latin1(raw),
    }];
    let digit = |at: usize| raw.get(at).is_some_and(u8::is_ascii_digit);
    let wide =
        memchr::memchr_iter(0, raw).any(|at| at > 0 && digit(at - 1) && digit(at + 1) && raw.get(at + 2) == Some(&0));
    if wide {
        // Tags stand at even and at odd places, in the byte order of the camera or of the program that wrote them.
        readings.extend([0, 1].map(|skip| charset::utf16le(raw, skip)));
        readings.extend([0, 1].map(|skip| charset::utf16be(raw, skip)));
    }
    for reading in readings {
        if reading.text.contains(|c: char| c.is_ascii_digit()) {
            let mut said = view(Location::Metadata, reading);
            said.map = said.map.shifted(range.start);
            said.hidden = true;
            content.views.push(said);
        }
    }
}

/// Bytes behind a picture: telephones put a film or a second picture there, others an archive.
fn trailer<'a>(content: &mut Content<'a>, bytes: &'a [u8], range: Range<usize>) {
    let raw = bytes.get(range.clone()).unwrap_or_default();
    if raw.iter().all(|b| *b == 0) {
        return;
    }
    if super::sniff::is_known(raw) {
        content.children.push(child(1_000_000, Cow::Borrowed(raw), false));
        return;
    }
    let mut gap = view(Location::Gap, charset::latin1(raw));
    gap.map = gap.map.shifted(range.start);
    gap.hidden = true;
    content.views.push(gap);
}

/// A text or file inside a picture; `number` tells its writer where it stands.
fn child(number: u32, bytes: Cow<'_, [u8]>, alternative: bool) -> Child<'_> {
    Child {
        path: PartPath(vec![number]),
        bytes,
        hint: Hint {
            attachment: true,
            ..Hint::default()
        },
        alternative,
    }
}

/// Paints over words in the picture; what it says of itself goes with them. Without such words edits what it says of itself
/// where that stands; nothing changes its length then but packed texts of a PNG and what is behind the picture.
pub(super) fn rebuild(bytes: &[u8], content: &Content<'_>, changes: &Changes) -> Result<Vec<u8>, CannotEdit> {
    let kind = kind(bytes).ok_or(CannotEdit::Unsupported("it is no picture"))?;
    let gone = gone(content, changes)?;
    if !gone.is_empty() {
        return pixels::repaint(kind, bytes, &content.words, &gone);
    }
    let mut edited = bytes.to_vec();
    for edit in text::splices(content, changes.texts.iter().cloned())? {
        let place = edited.get_mut(edit.range.clone());
        let place = place.filter(|place| place.len() == edit.with.len());
        place
            .ok_or(CannotEdit::Unsupported("a picture's metadata would change its length"))?
            .copy_from_slice(&edit.with);
    }
    let mut splices = Vec::new();
    for (index, data) in &changes.children {
        let number = content.children.get(*index).and_then(|child| child.path.0.first());
        splices.push(match (number, anatomy(kind, bytes).behind) {
            (Some(1_000_000), Some(range)) => Splice {
                range,
                with: data.clone(),
            },
            (Some(number), _) if kind == Picture::Png => png::repack(bytes, *number, data)?,
            _ => return Err(CannotEdit::Unsupported("a text inside a picture")),
        });
    }
    if kind == Picture::Png {
        png::sign(&mut edited);
    }
    splice(&edited, splices)
}

/// The words that are to go, in the order in which they were read.
fn gone<'c>(content: &Content<'_>, changes: &'c Changes) -> Result<Vec<cover::Gone<'c>>, CannotEdit> {
    let mut gone = Vec::new();
    for edit in &changes.texts {
        if let Some(view) = content.views.get(edit.view)
            && view.location == Location::Ocr
        {
            let word = view.map.source_of(edit.range.clone())?.start;
            gone.push((edit.range.start, cover::Gone { word, with: &edit.with }));
        }
    }
    gone.sort_by_key(|(at, _)| *at);
    Ok(gone.into_iter().map(|(_, gone)| gone).collect())
}

fn le16(bytes: &[u8], at: usize) -> Option<u32> {
    let [a, b] = bytes.get(at..at.checked_add(2)?)?.try_into().ok()?;
    Some(u32::from(u16::from_le_bytes([a, b])))
}

fn be16(bytes: &[u8], at: usize) -> Option<u32> {
    let [a, b] = bytes.get(at..at.checked_add(2)?)?.try_into().ok()?;
    Some(u32::from(u16::from_be_bytes([a, b])))
}

fn le32(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at.checked_add(4)?)?.try_into().ok()?))
}

fn be32(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(bytes.get(at..at.checked_add(4)?)?.try_into().ok()?))
}
