//! Office documents in one XML file: flat OpenDocument (`.fodt`), flat OPC ("Word XML document"), Word 2003 XML.

use super::format::Shown;
use super::gather::Sheaf;
use super::xml::{Event, Events, Part};
use super::{is_metafile, mend, odf, odf_styles, ooxml, plain_text, tell};
use crate::content::{Budget, CannotEdit, Changes, Child, Content, Hint, SourceMap, Spent, View, splice};
use crate::document::{charset, doubt, text, view};
use crate::types::{Location, PartPath};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::borrow::Cow;

/// How far the root element may stand from the start.
const HEAD: usize = 8192;

/// Which vocabulary.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    OpenDocument,
    Word,
}

/// The file is one of these, in a charset without a second reading.
pub(in crate::document) fn is_flat(bytes: &[u8]) -> bool {
    kind(bytes).is_some()
}

fn kind(bytes: &[u8]) -> Option<Kind> {
    let head = bytes.get(..HEAD.min(bytes.len()))?;
    let has = |needle: &[u8]| memchr::memmem::find(head, needle).is_some();
    let kind = if has(b"<office:document") && has(b"opendocument:xmlns:office") {
        Kind::OpenDocument
    } else if has(b"schemas.microsoft.com/office/2006/xmlPackage")
        || has(b"schemas.microsoft.com/office/word/2003/wordml")
    {
        Kind::Word
    } else {
        return None;
    };
    plain_text(bytes).map(|_| kind)
}

/// Reads one.
pub(in crate::document) fn read<'a>(bytes: &'a [u8], budget: &mut Budget) -> Content<'a> {
    let mut content = Content::default();
    let Some((kind, text)) = kind(bytes).zip(plain_text(bytes)) else {
        return content;
    };
    let part = Part {
        text,
        base: bytes.len() - text.len(),
        number: 0,
        name: "content.xml",
    };
    let mut sheaf = Sheaf::default();
    let outcome = match kind {
        Kind::OpenDocument => {
            let mut styles = odf_styles::Styles::default();
            styles
                .learn(&part, budget)
                .and_then(|()| odf::read(&part, &styles, &mut Shown::default(), &mut sheaf, budget))
        }
        Kind::Word => ooxml::read(&part, &ooxml::Setting::default(), &mut sheaf, budget),
    };
    match outcome {
        Ok(faults) => tell(&mut content, faults),
        Err(spent) => content.doubts.push(doubt(spent.doubt(), spent.to_string())),
    }
    content.views = sheaf.views();
    if let Err(spent) = embedded(&part, &mut content, budget) {
        content.doubts.push(doubt(spent.doubt(), spent.to_string()));
    }
    content
}

/// Pictures and objects in base64: looked into, never written back.
fn embedded(part: &Part<'_>, content: &mut Content<'_>, budget: &mut Budget) -> Result<(), Spent> {
    let mut events = Events::of(part.text);
    while let Some(event) = events.next(budget)? {
        let Event::Text(range, _) = event else { continue };
        if !matches!(events.parent(1), "binary-data" | "binaryData" | "binData") {
            continue;
        }
        let source = part.text.get(range).unwrap_or_default();
        let compact: Vec<u8> = source.bytes().filter(|b| !b.is_ascii_whitespace()).collect();
        let Ok(bytes) = STANDARD.decode(&compact) else { continue };
        budget.produce(bytes.len() as u64)?;
        if is_metafile(&bytes) {
            pictured(content, &bytes);
            continue;
        }
        let number = u32::try_from(content.children.len() + 1).unwrap_or(u32::MAX);
        content.children.push(Child {
            path: PartPath(vec![number]),
            bytes: Cow::Owned(bytes),
            hint: Hint {
                attachment: true,
                ..Hint::default()
            },
            alternative: true,
        });
    }
    Ok(())
}

/// The strings of a picture of an object. They cannot be written back: a number in them keeps the file from being edited.
fn pictured(content: &mut Content<'_>, bytes: &[u8]) {
    for reading in [
        charset::latin1(bytes),
        charset::utf16le(bytes, 0),
        charset::utf16le(bytes, 1),
    ] {
        let untraceable = charset::Reading {
            map: SourceMap::default(),
            ..reading
        };
        content.views.push(View {
            hidden: true,
            ..view(Location::Source, untraceable)
        });
    }
}

/// Splices edits in.
pub(in crate::document) fn rebuild(
    bytes: &[u8],
    content: &Content<'_>,
    changes: &Changes,
) -> Result<Vec<u8>, CannotEdit> {
    let splices = text::splices(content, changes.texts.iter().cloned())?;
    let mended = mend::mend("content.xml", bytes, splices)?;
    let out = splice(bytes, mended)?;
    mend::check("content.xml", bytes, &out)?;
    Ok(out)
}
