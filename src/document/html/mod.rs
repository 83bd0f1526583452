//! HTML and XML: the text as displayed, the text that is not, and attribute values. Works on the decoded text and maps
//! back through the charset. Not a browser: scripts do not run and nothing is fetched.

mod element;
mod embedded;
pub(super) mod entity;
mod names;
mod sink;
mod style;
pub(super) mod token;
mod walk;

use super::charset::{self, Reading};
use super::{doubt, sniff, text};
use crate::content::{Budget, CannotEdit, Changes, Content, Hint, SourceMap, TextEdit, View, splice};
use crate::types::{DoubtKind, Location, PartPath};
use sink::Sink;
use walk::{Dialect, Walk};

/// Reads HTML or XML.
pub(super) fn read<'a>(bytes: &'a [u8], hint: &Hint, budget: &mut Budget) -> Content<'a> {
    let mut content = Content::default();
    let within = charset_within(bytes);
    let declared: Vec<&str> = [hint.charset.as_deref(), within.as_deref()]
        .into_iter()
        .flatten()
        .collect();
    let readings = charset::readings(bytes, &declared);
    if readings.unknown {
        content
            .doubts
            .push(doubt(DoubtKind::Unread, "its declared charset is not known"));
    }
    if let Some(reason) = sniff::no_text(bytes, &declared) {
        content.doubts.push(doubt(DoubtKind::Unread, reason));
    }
    if memchr::memmem::find(bytes, b"<!ENTITY").is_some() {
        let reason = "it defines entities of its own, which are not replaced";
        content.doubts.push(doubt(DoubtKind::Unread, reason));
    }
    let mut data = false;
    for reading in readings.all {
        data |= !matches!(dialect(&reading.text, hint), Dialect::Html);
        if let Err(spent) = one(&mut content, &reading, hint, budget) {
            content.doubts.push(doubt(spent.doubt(), spent.to_string()));
        }
        if hint.media_type == "text/plain" {
            // Declared as plain text, and so shown as source by some programs.
            content.views.push(super::view(Location::Source, reading));
        }
    }
    // XML carries whole files in base64 (OIOUBL invoices, for one); HTML does so in addresses, which are looked into.
    if data && let Err(spent) = text::blocks::add(&mut content, bytes, budget) {
        content.doubts.push(doubt(spent.doubt(), spent.to_string()));
    }
    content
}

/// All views and children of one reading.
fn one(
    content: &mut Content<'_>,
    reading: &Reading,
    hint: &Hint,
    budget: &mut Budget,
) -> Result<(), crate::content::Spent> {
    let source = reading.text.as_str();
    let (mut walk, outcome) = Walk::over(source, dialect(source, hint), budget);
    let attributes = std::mem::take(&mut walk.attributes);
    let special = std::mem::take(&mut walk.special);
    if let Some(all) = seamless(&walk) {
        content.views.push(view(all, &reading.map, Location::HiddenText, true));
    }
    push(content, walk.shown, &reading.map, Location::Text, false);
    push(content, walk.hidden, &reading.map, Location::HiddenText, true);
    if !walk.covered.text.is_empty() {
        let covered = view(walk.covered, &reading.map, Location::HiddenText, true);
        content.views.push(View {
            fake_redaction: true,
            ..covered
        });
    }
    for (name, sink) in attributes {
        let shown = element::is_shown(&name);
        push(content, sink, &reading.map, Location::Attribute(name), !shown);
    }
    outcome?;
    for (name, range) in special {
        embedded::look(content, source, &reading.map, &name, range, budget)?;
    }
    Ok(())
}

/// Shown and hidden text in order, when a number may stand half in each: digits on both sides of a seam.
fn seamless(walk: &Walk<'_>) -> Option<Sink> {
    let text = walk.all.text.as_str();
    let digit = |c: Option<char>| c.is_some_and(char::is_numeric);
    let near = |c: &char| !matches!(c, ' ' | '-' | '\u{a0}');
    let meets = |at: &usize| {
        let (before, after) = (text.get(..*at).unwrap_or_default(), text.get(*at..).unwrap_or_default());
        digit(before.chars().rev().take(3).find(near)) && digit(after.chars().take(3).find(near))
    };
    walk.seams
        .iter()
        .any(meets)
        .then(|| Sink::with(walk.all.text.clone(), walk.all.map.clone()))
}

fn push(content: &mut Content<'_>, sink: Sink, below: &SourceMap, location: Location, hidden: bool) {
    if !sink.text.is_empty() {
        content.views.push(view(sink, below, location, hidden));
    }
}

fn view(sink: Sink, below: &SourceMap, location: Location, hidden: bool) -> View {
    View {
        location,
        hidden,
        fake_redaction: false,
        map: sink.map.through(below),
        text: sink.text,
        part: PartPath::default(),
        spots: Vec::new(),
        guess: false,
    }
}

fn dialect(source: &str, hint: &Hint) -> Dialect {
    let head: String = source.chars().take(4096).collect::<String>().to_ascii_lowercase();
    let html = head.contains("<html") || head.contains("<!doctype html");
    let xml = head.trim_ascii_start().starts_with("<?xml") || hint.media_type.ends_with("xml");
    if html || !(xml || head.contains("xmlns")) {
        Dialect::Html
    } else if head.contains("openxmlformats.org")
        || head.contains("opendocument:xmlns")
        || head.contains("schemas.microsoft.com/office")
    {
        Dialect::Office
    } else {
        Dialect::Xml
    }
}

/// The charset that the document declares itself: `<meta charset=…>`, `<?xml encoding=…?>`.
fn charset_within(bytes: &[u8]) -> Option<String> {
    const HEAD: usize = 2048;
    let head: Vec<u8> = bytes
        .iter()
        .take(HEAD)
        .filter(|b| **b != 0)
        .map(u8::to_ascii_lowercase)
        .collect();
    let find = |key: &[u8]| memchr::memmem::find(&head, key).map(|at| at + key.len());
    let at = find(b"charset=").or_else(|| find(b"encoding="))?;
    let value = head.get(at..)?;
    let value = value
        .strip_prefix(b"\"")
        .or_else(|| value.strip_prefix(b"'"))
        .unwrap_or(value);
    let len = value
        .iter()
        .take_while(|b| b.is_ascii_alphanumeric() || b"-_:.".contains(b))
        .count();
    let label = std::str::from_utf8(value.get(..len)?).ok()?;
    // A declaration that could be read byte by byte cannot itself be in UTF-16 (HTML Standard, 13.2.3.2).
    (!label.is_empty() && !label.starts_with("utf-16")).then(|| label.to_owned())
}

/// Splices edits in; what would be markup or is not ASCII is written as a character reference.
pub(super) fn rebuild(bytes: &[u8], content: &Content<'_>, changes: &Changes) -> Result<Vec<u8>, CannotEdit> {
    let edits = changes.texts.iter().map(|edit| TextEdit {
        with: escaped(&edit.with),
        ..edit.clone()
    });
    splice(bytes, text::splices(content, edits)?)
}

fn escaped(with: &str) -> String {
    let mut out = String::with_capacity(with.len());
    for c in with.chars() {
        match c {
            '<' | '>' | '&' | '"' | '\'' => out.push_str(&format!("&#{};", u32::from(c))),
            _ if c.is_ascii() => out.push(c),
            _ => out.push_str(&format!("&#{};", u32::from(c))),
        }
    }
    out
}
