//! What attribute values hold inside: percent-encoded text, `data:` addresses, whole documents in `srcdoc`.

use super::sink::{Manner, Sink};
use crate::content::{Budget, Child, Content, Hint, SourceMap, Spent};
use crate::document::base64;
use crate::types::{Location, PartPath};
use std::borrow::Cow;
use std::ops::Range;

/// Looks into the value of attribute `name` at `range` of `source`, whose own bytes `below` knows.
pub(super) fn look(
    content: &mut Content<'_>,
    source: &str,
    below: &SourceMap,
    name: &str,
    range: Range<usize>,
    budget: &mut Budget,
) -> Result<(), Spent> {
    let mut value = Sink::new();
    value.piece(source, range, Manner::VALUE);
    if matches!(name, "srcdoc" | "content") {
        return child(content, value.text.into_bytes(), "text/html", budget);
    }
    let lower = value.text.trim_start().get(..5).map(str::to_ascii_lowercase);
    if lower.as_deref() == Some("data:")
        && let Some((media_type, bytes)) = data(value.text.trim_start())
    {
        return child(content, bytes, &media_type, budget);
    }
    let decoded = percent_decoded(&value);
    if decoded.text != value.text && decoded.text.contains(|c: char| c.is_numeric()) {
        let map = decoded.map.through(&value.map);
        let location = Location::Attribute(name.to_owned());
        content
            .views
            .push(super::view(Sink::with(decoded.text, map), below, location, true));
    }
    Ok(())
}

/// A second reading: it is inspected, and cannot be written back.
fn child(content: &mut Content<'_>, bytes: Vec<u8>, media_type: &str, budget: &mut Budget) -> Result<(), Spent> {
    if content.children.len() as u64 >= u64::from(budget.limits().parts) {
        return Err(Spent::Parts);
    }
    budget.produce(bytes.len() as u64)?;
    let number = u32::try_from(content.children.len() + 1).unwrap_or(u32::MAX);
    content.children.push(Child {
        path: PartPath(vec![number]),
        bytes: Cow::Owned(bytes),
        hint: Hint {
            media_type: media_type.to_owned(),
            attachment: true,
            ..Hint::default()
        },
        alternative: true,
    });
    Ok(())
}

/// Type and bytes of a `data:` address (RFC 2397).
fn data(address: &str) -> Option<(String, Vec<u8>)> {
    let (head, body) = address.get(5..)?.split_once(',')?;
    let media_type = head.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let mut bytes = percent_bytes(body);
    if head.to_ascii_lowercase().trim_end().ends_with("base64") {
        bytes = base64::decode(&bytes);
    }
    Some((media_type, bytes))
}

fn escape_at(bytes: &[u8], at: usize) -> Option<u8> {
    match bytes.get(at..at + 3)? {
        [b'%', high, low] => {
            let value = char::from(*high).to_digit(16)? * 16 + char::from(*low).to_digit(16)?;
            u8::try_from(value).ok()
        }
        _ => None,
    }
}

fn percent_bytes(text: &str) -> Vec<u8> {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&b) = bytes.get(at) {
        let escape = escape_at(bytes, at);
        out.push(escape.unwrap_or(b));
        at += if escape.is_some() { 3 } else { 1 };
    }
    out
}

/// The value with `%XX` decoded; ASCII escapes keep their way back, others are shown as they decode, or as U+FFFD.
fn percent_decoded(value: &Sink) -> Sink {
    let bytes = value.text.as_bytes();
    let mut text = String::new();
    let mut map = SourceMap::default();
    let mut at = 0;
    while let Some(rest) = value.text.get(at..).filter(|rest| !rest.is_empty()) {
        let mut escaped = Vec::new();
        while let Some(b) = escape_at(bytes, at + 3 * escaped.len()) {
            escaped.push(b);
        }
        let mut from = at;
        for chunk in escaped.utf8_chunks() {
            for c in chunk.valid().chars() {
                map.unit(text.len()..text.len() + c.len_utf8(), from..from + 3 * c.len_utf8());
                text.push(c);
                from += 3 * c.len_utf8();
            }
            from += 3 * chunk.invalid().len();
            text.extend(chunk.invalid().iter().map(|_| '\u{fffd}'));
        }
        if escaped.is_empty() {
            let plain = 1 + rest.get(1..).map_or(rest.len() - 1, |r| r.find('%').unwrap_or(r.len()));
            let plain = if rest.is_char_boundary(1) {
                plain
            } else {
                rest.find('%').unwrap_or(rest.len())
            };
            map.linear(text.len(), at, plain);
            text.push_str(rest.get(..plain).unwrap_or_default());
            at += plain;
        } else {
            at = from;
        }
    }
    Sink::with(text, map)
}
