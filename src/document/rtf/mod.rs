//! RTF (specification 1.9.1): text as displayed, by place; what is hidden, deleted or covered; pictures and embedded objects as
//! children. Each character keeps the bytes it stands in, so that a digit is replaced where it is written, be it `7`, `\'37`
//! or `\u55?`.

mod blob;
mod letters;
mod places;
mod token;
mod walk;

use super::{charset, doubt, view};
use crate::content::{Budget, CannotEdit, Changes, Content, Limits, Splice, splice};
use crate::types::{Location, PartPath};
use walk::Walk;

/// An RTF document by its first bytes; Word asks for no more than this, and leaves out white space before it.
pub(super) fn is_rtf(bytes: &[u8]) -> bool {
    const HEAD: usize = 64;
    let head = bytes.get(..HEAD.min(bytes.len())).unwrap_or_default();
    let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
    head.trim_ascii_start().starts_with(b"{\\rt")
}

/// Reads an RTF document.
pub(super) fn read<'a>(bytes: &'a [u8], budget: &mut Budget) -> Content<'a> {
    let mut content = Content::default();
    let (walk, outcome) = Walk::over(bytes, &mut content, budget);
    let end = walk.end;
    let outcome = outcome.and_then(|()| budget.produce(walk.channels.len() as u64));
    content.views.splice(0..0, walk.channels.views(places::Place::location));
    if let Err(spent) = outcome {
        content.doubts.push(doubt(spent.doubt(), spent.to_string()));
    }
    let rest = bytes.get(end..).unwrap_or_default();
    if rest.iter().any(|b| !b.is_ascii_whitespace() && *b != 0) {
        let mut gap = view(Location::Gap, charset::latin1(rest));
        gap.map = gap.map.shifted(end);
        gap.hidden = true;
        gap.part = PartPath::default();
        content.views.push(gap);
    }
    content
}

/// Splices edits in. What replaces an escape is an escape, since a letter might become part of the word before it.
pub(super) fn rebuild(bytes: &[u8], content: &Content<'_>, changes: &Changes) -> Result<Vec<u8>, CannotEdit> {
    let mut splices = Vec::new();
    for edit in &changes.texts {
        let view = content
            .views
            .get(edit.view)
            .ok_or(CannotEdit::Untraceable("there is no such text"))?;
        let range = view.map.source_of(edit.range.clone())?;
        let escape = bytes.get(range.start) == Some(&b'\\');
        let with = escaped(&edit.with, escape);
        splices.push(Splice { range, with });
    }
    if !changes.children.is_empty() {
        let mut again = Content::default();
        let mut budget = Budget::new(Limits::default());
        let (walk, _) = Walk::over(bytes, &mut again, &mut budget);
        for (index, with) in &changes.children {
            let source = walk.writable.iter().find(|(child, _)| child == index);
            let (_, range) = source.ok_or(CannotEdit::Unsupported("an object within an RTF document"))?;
            splices.push(Splice {
                range: range.clone(),
                with: with.iter().flat_map(|b| format!("{b:02x}").into_bytes()).collect(),
            });
        }
    }
    splice(bytes, splices)
}

fn escaped(with: &str, escape: bool) -> Vec<u8> {
    let mut out = String::with_capacity(with.len());
    for c in with.chars() {
        match c {
            '\\' | '{' | '}' => out.push_str(&format!("\\'{:02x}", u32::from(c))),
            _ if c.is_ascii() && escape => out.push_str(&format!("\\'{:02x}", u32::from(c))),
            _ if c.is_ascii() => out.push(c),
            _ => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    out.push_str(&format!("\\u{}\\'3f", *unit as i16));
                }
            }
        }
    }
    out.into_bytes()
}
