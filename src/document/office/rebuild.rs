//! Edits of a package's views go back into the parts they came from.

use super::mend;
use crate::content::{CannotEdit, Content, Splice, TextEdit, splice};
use std::collections::BTreeMap;

/// A picture of one white pixel, in place of a preview of the page that was edited.
const BLANK_PNG: &[u8] = include_bytes!("blank.png");
const BLANK_JPEG: &[u8] = include_bytes!("blank.jpg");

/// What becomes of the parts of a package.
#[derive(Default)]
pub(in crate::document) struct Absorbed {
    /// New bytes by entry number.
    pub entries: Vec<(u32, Vec<u8>)>,
    /// Edits that are the archive's own (names, comments).
    pub rest: Vec<TextEdit>,
}

/// Sorts the edits: those that fall into parts are carried out there. `archive` is the length of the archive itself.
///
/// # Errors
/// When a part cannot be edited soundly.
pub(in crate::document) fn absorbed_edits(
    content: &Content<'_>,
    edits: &[TextEdit],
    archive: usize,
    any: bool,
) -> Result<Absorbed, CannotEdit> {
    let mut out = Absorbed::default();
    let mut by_part: BTreeMap<usize, Vec<Splice>> = BTreeMap::new();
    let bases = bases(content, archive);
    for edit in edits {
        let view = content
            .views
            .get(edit.view)
            .ok_or(CannotEdit::Untraceable("there is no such text"))?;
        for splice in view.splices([edit])? {
            match bases.partition_point(|base| *base <= splice.range.start).checked_sub(1) {
                None => out.rest.push(edit.clone()),
                Some(index) => {
                    let base = bases.get(index).copied().unwrap_or_default();
                    let range = splice.range.start - base..splice.range.end - base;
                    by_part.entry(index).or_default().push(Splice {
                        range,
                        with: splice.with,
                    });
                }
            }
        }
    }
    for (index, splices) in by_part {
        let child = content
            .absorbed
            .get(index)
            .ok_or(CannotEdit::Untraceable("there is no such part"))?;
        let name = child.hint.name.as_deref().unwrap_or_default();
        let mended = mend::mend(name, &child.bytes, splices)?;
        let bytes = splice(&child.bytes, mended)?;
        mend::check(name, &child.bytes, &bytes)?;
        out.entries.push((number(content, index), bytes));
    }
    if any {
        previews(content, &mut out);
    }
    Ok(out)
}

/// Where each part begins in the source.
fn bases(content: &Content<'_>, archive: usize) -> Vec<usize> {
    let mut base = archive;
    let each = content.absorbed.iter().map(|child| {
        let start = base;
        base += child.bytes.len();
        start
    });
    each.collect()
}

fn number(content: &Content<'_>, index: usize) -> u32 {
    let child = content.absorbed.get(index);
    child
        .and_then(|child| child.path.0.first().copied())
        .unwrap_or_default()
}

/// A document that was edited has no use for the old picture of its first page.
fn previews(content: &Content<'_>, out: &mut Absorbed) {
    for (index, child) in content.absorbed.iter().enumerate() {
        let lower = child.hint.name.as_deref().unwrap_or_default().to_ascii_lowercase();
        if super::is_thumbnail(&lower, &child.bytes) {
            let blank = if child.bytes.starts_with(b"\x89PNG") {
                BLANK_PNG
            } else {
                BLANK_JPEG
            };
            out.entries.push((number(content, index), blank.to_vec()));
        }
    }
}
