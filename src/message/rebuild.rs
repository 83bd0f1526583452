//! Changes back into the raw mail: splices into the ranges that were read, never a new serialisation.
//!
//! Whatever is signed, encrypted, or can be read in two ways is refused; the mail goes to quarantine then. The result is
//! read again: same parts, same header fields in the same order, or it does not leave here.

use super::entity::Reading;
use super::structure::{self, Bounds, Part, Tree};
use super::transfer;
use super::views::{self, Planned};
use crate::content::{CannotEdit, Changes, Child, Content, Splice, TextEdit, View, splice};
use crate::types::{DoubtKind, Location, PartPath};
use std::collections::BTreeMap;

/// Puts changes back into the same bytes that gave `content`.
///
/// # Errors
/// Why it cannot be done; nothing is half done.
pub fn rebuild(bytes: &[u8], content: &Content<'_>, changes: Changes) -> Result<Vec<u8>, CannotEdit> {
    if changes.texts.is_empty() && changes.children.is_empty() {
        return Ok(bytes.to_vec());
    }
    let limit = |kind| matches!(kind, DoubtKind::TooLarge | DoubtKind::TooDeep | DoubtKind::TooSlow);
    if content.doubts.iter().any(|d| limit(d.kind)) {
        return Err(CannotEdit::Unsupported("the mail was not read whole"));
    }
    let tree = structure::read(bytes, Bounds::NONE, Reading::Usual);
    let mut splices = texts(bytes, content, &tree, &changes.texts)?;
    for (index, new) in &changes.children {
        let child = content
            .children
            .get(*index)
            .ok_or(CannotEdit::Untraceable("there is no such part"))?;
        splices.extend(part(bytes, content, &tree, child, new)?);
    }
    let result = splice(bytes, splices)?;
    same_shape(bytes, &tree, &result)?;
    Ok(result)
}

/// Splices for all edits of view texts.
fn texts(bytes: &[u8], content: &Content<'_>, tree: &Tree, edits: &[TextEdit]) -> Result<Vec<Splice>, CannotEdit> {
    let mut by_view: BTreeMap<usize, Vec<&TextEdit>> = BTreeMap::new();
    for edit in edits {
        by_view.entry(edit.view).or_default().push(edit);
    }
    let mut splices = Vec::new();
    if by_view.is_empty() {
        return Ok(splices);
    }
    let plan = views::plan(bytes, tree);
    for (index, edits) in by_view {
        let view = content
            .views
            .get(index)
            .ok_or(CannotEdit::Untraceable("there is no such text"))?;
        let planned = plan
            .get(index)
            .filter(|p| p.location == view.location && p.part == view.part);
        let Some(planned) = planned.filter(|_| view.location != Location::Source) else {
            return Err(CannotEdit::Unsupported("this text is a second reading"));
        };
        check_sealed(content, planned)?;
        splices.extend(one_text(bytes, view, planned, &edits)?);
    }
    Ok(splices)
}

fn one_text(bytes: &[u8], view: &View, planned: &Planned<'_>, edits: &[&TextEdit]) -> Result<Vec<Splice>, CannotEdit> {
    let Some(text) = views::text(bytes, planned) else {
        return raw_text(view, edits);
    };
    if text.text != view.text {
        return Err(CannotEdit::Untraceable("the mail is not the one that was read"));
    }
    if !text.odd.is_empty() {
        return Err(CannotEdit::Untraceable("the header can be read in two ways"));
    }
    let edits: Vec<_> = edits.iter().map(|e| (e.range.clone(), e.with.as_str())).collect();
    text.splices(bytes, &edits)
}

/// Raw bytes: character by character, ASCII only.
fn raw_text(view: &View, edits: &[&TextEdit]) -> Result<Vec<Splice>, CannotEdit> {
    if edits
        .iter()
        .any(|e| !e.with.bytes().all(|b| b.is_ascii_graphic() || b == b' '))
    {
        return Err(CannotEdit::Unsupported("only plain ASCII can be written here"));
    }
    view.splices(edits.iter().copied())
}

/// A header stands outside the seal of its own part, but inside those around it; a gap of a sealed part is left alone.
fn check_sealed(content: &Content<'_>, planned: &Planned<'_>) -> Result<(), CannotEdit> {
    let path = &planned.part.0;
    let gap = planned.location == Location::Gap;
    let inside = |seal: &PartPath| path.starts_with(&seal.0) && (gap || path.len() > seal.0.len());
    if content.seals.iter().any(|(seal, _)| inside(seal)) {
        return Err(CannotEdit::Sealed);
    }
    Ok(())
}

/// Splices for the new bytes of one part.
fn part(
    bytes: &[u8],
    content: &Content<'_>,
    tree: &Tree,
    child: &Child<'_>,
    new: &[u8],
) -> Result<Vec<Splice>, CannotEdit> {
    if child.alternative {
        return Err(CannotEdit::Unsupported("this is a second reading of a part"));
    }
    if content.seals.iter().any(|(seal, _)| child.path.0.starts_with(&seal.0)) {
        return Err(CannotEdit::Sealed);
    }
    let leaf = |p: &&Part| !p.split && p.leaf_path() == child.path;
    let part = tree
        .parts
        .iter()
        .find(leaf)
        .ok_or(CannotEdit::Untraceable("there is no such part"))?;
    let source = bytes.get(part.body()).unwrap_or_default();
    if source.is_empty() && !new.is_empty() {
        // Perhaps there is not even a blank line to stand behind.
        return Err(CannotEdit::Unsupported("the part is empty"));
    }
    let decoded = transfer::decode(part.entity.encoding, source);
    if !decoded.odd.is_empty() || part.entity.encoding_odd {
        return Err(CannotEdit::Untraceable("the transfer encoding can be read in two ways"));
    }
    if *decoded.bytes != *child.bytes {
        return Err(CannotEdit::Untraceable("the mail is not the one that was read"));
    }
    let mut splices = transfer::replace(part.entity.encoding, source, &decoded.bytes, new)?;
    let written = splice(source, splices.clone())?;
    let read = transfer::decode(part.entity.encoding, &written);
    if *read.bytes != *new || !read.odd.is_empty() {
        return Err(CannotEdit::Unsound(
            "the encoded part would not say the same".to_owned(),
        ));
    }
    for splice in &mut splices {
        splice.range = part.block.body + splice.range.start..part.block.body + splice.range.end;
    }
    Ok(splices)
}

/// Reads the result: the same parts with the same header fields.
fn same_shape(before: &[u8], tree: &Tree, after: &[u8]) -> Result<(), CannotEdit> {
    let new = structure::read(after, Bounds::NONE, Reading::Usual);
    let fields = |a: &Part, b: &Part| {
        let (a, b) = (&a.block.fields, &b.block.fields);
        a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.name(before) == b.name(after))
    };
    let same = tree.parts.len() == new.parts.len()
        && tree.gaps.len() == new.gaps.len()
        && tree.parts.iter().zip(&new.parts).all(|(a, b)| {
            let kind = a.entity.media_type == b.entity.media_type && a.entity.encoding == b.entity.encoding;
            a.path == b.path && kind && a.odd == b.odd && fields(a, b)
        });
    if same {
        Ok(())
    } else {
        Err(CannotEdit::Unsound(
            "the parts of the mail would not be the same".to_owned(),
        ))
    }
}
