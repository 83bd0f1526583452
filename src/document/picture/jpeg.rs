//! JPEG (ITU T.81, annex B): segments behind markers; all but tables and scans may hold text.

use super::{Anatomy, be16};

/// How many colours its frame has (B.2.2).
pub(super) fn components(bytes: &[u8]) -> Option<u8> {
    let mut at = 2;
    while *bytes.get(at)? == 0xff {
        let marker = *bytes.get(at + 1)?;
        if marker == 0xff {
            at += 1;
            continue;
        }
        if is_frame(marker) {
            return bytes.get(at + 9).copied();
        }
        at += 2 + be16(bytes, at + 2)? as usize;
    }
    None
}

/// Frames: C0 to CF without the tables among them.
fn is_frame(marker: u8) -> bool {
    matches!(marker, 0xc0..=0xcf) && !matches!(marker, 0xc4 | 0xc8 | 0xcc)
}

pub(super) fn anatomy(bytes: &[u8]) -> Anatomy {
    let mut anatomy = Anatomy {
        cut: true,
        ..Anatomy::default()
    };
    let mut at = 2;
    loop {
        // Fill bytes may stand before a marker.
        let Some(found) = bytes.get(at..).and_then(|rest| memchr::memchr(0xff, rest)) else {
            return anatomy;
        };
        if found > 0 {
            anatomy.metadata.push(at..at + found);
        }
        at += found + 1;
        let marker = match bytes.get(at) {
            None => return anatomy,
            Some(0xff) => continue,
            Some(marker) => *marker,
        };
        at += 1;
        match marker {
            // End of image.
            0xd9 => {
                anatomy.cut = false;
                anatomy.behind = (at < bytes.len()).then_some(at..bytes.len());
                return anatomy;
            }
            // Markers without a segment.
            0 | 1 | 0xd0..=0xd8 => continue,
            _ => {}
        }
        let Some(len) = be16(bytes, at).filter(|len| *len >= 2) else {
            return anatomy;
        };
        let end = at + len as usize;
        if end > bytes.len() {
            anatomy.metadata.push(at..bytes.len());
            return anatomy;
        }
        match marker {
            _ if is_frame(marker) => {
                let size = be16(bytes, at + 5).zip(be16(bytes, at + 3));
                anatomy.size = anatomy.size.or(size);
            }
            0xc4 | 0xc8 | 0xcc | 0xdb | 0xdd => {}
            0xda => {
                at = scan(bytes, end);
                continue;
            }
            _ => anatomy.metadata.push(at + 2..end),
        }
        at = end;
    }
}

/// End of the packed pixels from `at` on: the next marker that is no restart and no stuffed byte.
fn scan(bytes: &[u8], mut at: usize) -> usize {
    while let Some(found) = bytes.get(at..).and_then(|rest| memchr::memchr(0xff, rest)) {
        at += found;
        match bytes.get(at + 1) {
            Some(0 | 0xd0..=0xd7) => at += 2,
            Some(0xff) => at += 1,
            _ => return at,
        }
    }
    bytes.len()
}
