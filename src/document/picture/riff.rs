//! WebP (RFC 9649): RIFF chunks, of which EXIF, XMP and unknown ones may hold text.

use super::{Anatomy, le16, le32};

pub(super) fn anatomy(bytes: &[u8]) -> Anatomy {
    let mut anatomy = Anatomy::default();
    let stated = le32(bytes, 4).and_then(|len| usize::try_from(len).ok()?.checked_add(8));
    let end = stated.unwrap_or(0);
    let mut at = 12;
    let mut frames = 0;
    while at + 8 <= bytes.len().min(end) {
        let kind = bytes.get(at..at + 4).unwrap_or_default();
        let len = le32(bytes, at + 4).unwrap_or(0) as usize;
        let data = at + 8..(at + 8).saturating_add(len).min(bytes.len());
        match kind {
            b"VP8X" => {
                anatomy.size = le24(bytes, at + 12)
                    .zip(le24(bytes, at + 15))
                    .map(|(w, h)| (w + 1, h + 1))
            }
            b"VP8L" => {
                let bits = le32(bytes, at + 9);
                let size = bits.map(|bits| ((bits & 0x3fff) + 1, (bits >> 14 & 0x3fff) + 1));
                anatomy.size = anatomy.size.or(size);
            }
            b"VP8 " => {
                let size = le16(bytes, at + 14).zip(le16(bytes, at + 16));
                anatomy.size = anatomy.size.or(size.map(|(w, h)| (w & 0x3fff, h & 0x3fff)));
            }
            b"ANMF" => frames += 1,
            b"ALPH" | b"ANIM" => {}
            _ => anatomy.metadata.push(data),
        }
        at = (at + 8).saturating_add(len.next_multiple_of(2));
    }
    anatomy.moves = frames > 1;
    anatomy.cut = end > bytes.len() || at > bytes.len();
    anatomy.behind = (end < bytes.len()).then_some(end..bytes.len());
    anatomy
}

fn le24(bytes: &[u8], at: usize) -> Option<u32> {
    Some(le16(bytes, at)? | u32::from(*bytes.get(at + 2)?) << 16)
}
