//! TIFF 6.0: only what the first directory says; text may stand anywhere in the file, so that all of it is looked at.

use super::{be16, be32, le16, le32};

/// The first value of a tag of the first directory. EXIF is written in the same way.
pub(super) fn tag(bytes: &[u8], wanted: u32) -> Option<u32> {
    let little = bytes.starts_with(b"II");
    let short = |at| if little { le16(bytes, at) } else { be16(bytes, at) };
    let long = |at| if little { le32(bytes, at) } else { be32(bytes, at) };
    let start = usize::try_from(long(4)?).ok()?;
    let count = short(start)? as usize;
    let entry = (0..count)
        .map(|i| start + 2 + i * 12)
        .find(|at| short(*at) == Some(wanted))?;
    // A short stands in the first two of the four bytes.
    match short(entry + 2)? {
        3 => short(entry + 8),
        _ => long(entry + 8),
    }
}

/// Width and height of the first page.
pub(super) fn size(bytes: &[u8]) -> Option<(u32, u32)> {
    tag(bytes, 256).zip(tag(bytes, 257))
}
