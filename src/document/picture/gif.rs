//! GIF 89a: comments and application data in blocks of at most 255 bytes, which are put together for reading.

use super::{Anatomy, le16};
use crate::content::{Content, SourceMap};
use crate::document::charset::{self};
use crate::document::view;
use crate::types::Location;
use std::ops::Range;

/// Data blocks of one extension.
struct Extension {
    label: u8,
    blocks: Vec<Range<usize>>,
}

fn walk(bytes: &[u8]) -> (Anatomy, Vec<Extension>) {
    let mut anatomy = Anatomy {
        size: le16(bytes, 6).zip(le16(bytes, 8)),
        cut: true,
        ..Anatomy::default()
    };
    let mut extensions = Vec::new();
    let mut frames = 0;
    let mut at = 13 + colours(bytes.get(10).copied());
    loop {
        match bytes.get(at) {
            Some(0x3b) => {
                at += 1;
                anatomy.cut = false;
                anatomy.behind = (at < bytes.len()).then_some(at..bytes.len());
                return (anatomy, extensions);
            }
            Some(0x21) => {
                let label = bytes.get(at + 1).copied().unwrap_or(0);
                let start = at + 2;
                let (blocks, end) = blocks(bytes, start);
                at = end;
                // XMP stands in the clear, with a tail that makes its bytes look like blocks.
                if label == 0xff {
                    anatomy.metadata.push(start..end.min(bytes.len()));
                }
                extensions.push(Extension { label, blocks });
            }
            Some(0x2c) => {
                frames += 1;
                anatomy.moves = frames > 1;
                let start = at + 10 + colours(bytes.get(at + 9).copied()) + 1;
                (_, at) = blocks(bytes, start);
            }
            _ => {
                anatomy.metadata.push(at.min(bytes.len())..bytes.len());
                return (anatomy, extensions);
            }
        }
    }
}

/// Length of a colour table.
fn colours(flags: Option<u8>) -> usize {
    match flags {
        Some(flags) if flags & 0x80 != 0 => 3 << ((flags & 7) + 1),
        _ => 0,
    }
}

/// Data blocks from `at` on, and what is behind the empty block that ends them.
fn blocks(bytes: &[u8], mut at: usize) -> (Vec<Range<usize>>, usize) {
    let mut blocks = Vec::new();
    while let Some(len) = bytes.get(at).map(|len| usize::from(*len)) {
        at += 1;
        if len == 0 {
            break;
        }
        blocks.push(at.min(bytes.len())..(at + len).min(bytes.len()));
        at += len;
    }
    (blocks, at)
}

pub(super) fn anatomy(bytes: &[u8]) -> Anatomy {
    walk(bytes).0
}

/// Comments and plain texts as views.
pub(super) fn comments(content: &mut Content<'_>, bytes: &[u8]) {
    for extension in walk(bytes).1 {
        if !matches!(extension.label, 0xfe | 0x01) {
            continue;
        }
        let mut text = String::new();
        let mut map = SourceMap::default();
        for block in extension.blocks {
            let reading = charset::latin1(bytes.get(block.clone()).unwrap_or_default());
            for (at, c) in reading.text.char_indices() {
                if let Ok(source) = reading.map.source_of(at..at + c.len_utf8()) {
                    let here = text.len();
                    text.push(c);
                    if c.is_ascii() {
                        map.linear(here, block.start + source.start, 1);
                    } else {
                        map.unit(here..text.len(), block.start + source.start..block.start + source.end);
                    }
                }
            }
        }
        let mut said = view(Location::Metadata, charset::utf8(text.as_bytes()));
        said.map = map;
        said.hidden = true;
        content.views.push(said);
    }
}
