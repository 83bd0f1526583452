//! Objects in the older wrapping ([MS-OLEDS] 2.2): in RTF, and as the stream of a packaged file.

use super::file::u32_at;
use crate::content::{Budget, Child, Content, Hint, Spent};
use crate::document::strings;
use crate::types::PartPath;
use std::borrow::Cow;

/// Reads an object as RTF holds it: what was embedded becomes a child.
pub(in crate::document) fn read(content: &mut Content<'_>, bytes: &[u8], budget: &mut Budget) -> Result<(), Spent> {
    // Class, topic and item name, and the picture behind the object.
    strings::add(
        content,
        bytes.get(..bytes.len().min(2048)).unwrap_or_default(),
        PartPath::default(),
    );
    let Some(object) = native(bytes) else {
        strings::add(content, bytes, PartPath::default());
        return Ok(());
    };
    strings::add(content, object.rest, PartPath::default());
    if object.class.eq_ignore_ascii_case(b"package") {
        return package(content, object.data, budget);
    }
    push(content, object.data, None, budget)
}

/// An embedded object.
struct Native<'t> {
    class: &'t [u8],
    data: &'t [u8],
    /// The picture that stands for it.
    rest: &'t [u8],
}

fn native(bytes: &[u8]) -> Option<Native<'_>> {
    const EMBEDDED: u32 = 2;
    if u32_at(bytes, 4)? != EMBEDDED {
        return None;
    }
    let mut at = 8;
    let mut class: &[u8] = b"";
    for i in 0..3 {
        let len = u32_at(bytes, at)? as usize;
        at += 4;
        let name = bytes.get(at..at.checked_add(len)?)?;
        at += len;
        if i == 0 {
            class = name.strip_suffix(b"\0").unwrap_or(name);
        }
    }
    let len = u32_at(bytes, at)? as usize;
    at += 4;
    // A size that lies must not hide the data.
    let end = at.saturating_add(len).min(bytes.len());
    Some(Native {
        class,
        data: bytes.get(at..end)?,
        rest: bytes.get(end..)?,
    })
}

/// The stream `\x01Ole10Native`: its length, then the packager's own.
pub(super) fn native_stream(content: &mut Content<'_>, bytes: &[u8], budget: &mut Budget) -> Result<(), Spent> {
    package(content, bytes.get(4..).unwrap_or_default(), budget)
}

/// A file with its name, as the packager of Windows wraps it.
fn package(content: &mut Content<'_>, bytes: &[u8], budget: &mut Budget) -> Result<(), Spent> {
    match unpack(bytes) {
        Some((name, data, around)) => {
            strings::add(content, &around, PartPath::default());
            push(content, data, Some(name), budget)
        }
        None => push(content, bytes, None, budget),
    }
}

fn unpack(bytes: &[u8]) -> Option<(String, &[u8], Vec<u8>)> {
    let text = |at: &mut usize| {
        let rest = bytes.get(*at..)?;
        let len = memchr::memchr(0, rest)?;
        *at += len + 1;
        rest.get(..len)
    };
    let mut at = 2;
    let label = text(&mut at)?;
    text(&mut at)?;
    at += 4;
    let len = u32_at(bytes, at)? as usize;
    at = at.checked_add(4)?.checked_add(len)?;
    let len = u32_at(bytes, at)? as usize;
    at += 4;
    let data = bytes.get(at..at.checked_add(len)?)?;
    // Paths before, the same names in Unicode behind.
    let mut around = bytes.get(..at)?.to_vec();
    around.extend_from_slice(bytes.get(at + len..).unwrap_or_default());
    let name = crate::document::charset::readings(label, &[]).all.pop()?.text;
    Some((name, data, around))
}

fn push(content: &mut Content<'_>, bytes: &[u8], name: Option<String>, budget: &mut Budget) -> Result<(), Spent> {
    budget.produce(bytes.len() as u64)?;
    let number = u32::try_from(content.children.len() + 1).unwrap_or(u32::MAX);
    content.children.push(Child {
        path: PartPath(vec![number]),
        bytes: Cow::Owned(bytes.to_vec()),
        hint: Hint {
            name,
            attachment: true,
            ..Hint::default()
        },
        alternative: false,
    });
    Ok(())
}
