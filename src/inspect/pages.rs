//! Pages of a PDF document that its reader cannot read (packed in JPEG 2000 or JBIG2, coarse, drawn as outlines, in fonts that do not
//! say what they show): drawn by Poppler's `pdftoppm`, as pictures that are read as any others.

use super::program::run;
use crate::content::{Budget, Child, Content, Hint};
use crate::types::{DoubtKind, Location, PartPath};
use std::borrow::Cow;
use std::path::Path;
use std::time::{Duration, Instant};

/// Pages of one document: as many as OCR gets through in its time.
const MOST: usize = 10;
/// A page of plain pixels in grey, packed as PNG.
const MOST_BYTES: u64 = 32 << 20;
/// Numbers of these children, behind those of all others.
const FIRST: u32 = 2_000_000;

/// Adds to `content` the pages in doubt, as pictures; the time that it takes is taken from `left`.
pub(super) fn add(program: &Path, bytes: &[u8], content: &mut Content<'_>, budget: &mut Budget, left: &mut Duration) {
    let mut wanted: Vec<(u32, bool)> = Vec::new();
    for doubt in &content.doubts {
        if let (Location::Page(page), DoubtKind::NotOcred | DoubtKind::Unread) = (&doubt.location, doubt.kind) {
            wanted.push((*page, doubt.kind == DoubtKind::NotOcred));
        }
    }
    wanted.sort_unstable();
    wanted.dedup_by_key(|(page, _)| *page);
    for (page, _) in wanted.into_iter().take(MOST) {
        let until = Instant::now() + (*left).min(budget.time_left());
        let picture = draw(program, bytes, page, until);
        *left = (*left).min(until.saturating_duration_since(Instant::now()));
        let Some(picture) = picture else { return };
        if budget.produce(picture.len() as u64).is_err() {
            return;
        }
        // What the picture shows is now the picture's own question, with a doubt of its own.
        content
            .doubts
            .retain(|doubt| !(doubt.kind == DoubtKind::NotOcred && doubt.location == Location::Page(page)));
        content.children.push(Child {
            path: PartPath(vec![FIRST.saturating_add(page)]),
            bytes: Cow::Owned(picture),
            hint: Hint {
                media_type: "image/png".to_owned(),
                attachment: true,
                ..Hint::default()
            },
            alternative: true,
        });
    }
}

/// One page, at 150 dots an inch: what scanners make, and small print is read.
fn draw(program: &Path, bytes: &[u8], page: u32, until: Instant) -> Option<Vec<u8>> {
    let page = page.to_string();
    let arguments = ["-q", "-r", "150", "-gray", "-png", "-f", &page, "-l", &page, "-"];
    let output = run(program, &arguments, bytes, MOST_BYTES, until).ok()?;
    (output.whole && output.bytes.starts_with(b"\x89PNG")).then_some(output.bytes)
}
