//! Office documents: Office Open XML and OpenDocument, as packages on ZIP, and flat in one XML file.
//!
//! The package reads its XML parts itself, since only all of them together say what a reader is shown: a cell's text stands in
//! one part, its format in another, its sheet's name and whether it is hidden in a third. What a part says that no rule here
//! knows is read all the same: text as lines, attributes as lines. Everything that is not XML stays a child.

mod attributes;
mod covers;
mod excel;
mod flat;
mod flow;
mod format;
mod gather;
mod mend;
mod odf;
mod odf_styles;
mod odf_table;
mod ooxml;
mod package;
mod pivot;
mod rebuild;
mod sheet;
mod workbook;
mod xml;

use super::charset;
use super::doubt;
use crate::content::{Budget, Child, Content, Spent};
use crate::types::{DoubtKind, Location, OfficePlace};
use format::Shown;
use gather::Sheaf;
use package::Relations;
use std::collections::{HashMap, HashSet};
use xml::{Event, Events, Faults, Part};

pub(super) use flat::{is_flat, read as read_flat, rebuild as rebuild_flat};
pub(super) use rebuild::absorbed_edits;

/// A number as a cell with this format shows it; `built_in` counts where there is no code. For spreadsheets that are no packages.
pub(super) fn as_shown(code: Option<&str>, built_in: u32, value: &str, date_1904: bool) -> Option<String> {
    use format::Format;
    use gather::What;
    let format = code.map_or_else(|| Format::built_in(built_in), Format::of);
    if format == Format::Nothing {
        return None;
    }
    let piece = |what: What<'_>| match what {
        What::Plain(text, _) => text.to_owned(),
        What::Unit(c, _, _) | What::Gap(c) => c.to_string(),
    };
    Some(format.show(value, 0, date_1904).into_iter().map(piece).collect())
}

/// The families of packages.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Ooxml,
    OpenDocument,
}

/// Reads the parts of a package, when the archive is one. `archive` is the length of the archive itself: the parts' bytes come
/// after it in the source of the views.
pub(super) fn read(content: &mut Content<'_>, archive: usize, budget: &mut Budget) {
    let Some(kind) = kind(content) else {
        return;
    };
    if kind == Kind::OpenDocument && lock(content) {
        content
            .doubts
            .push(doubt(DoubtKind::Encrypted, "the document is encrypted"));
        return;
    }
    let absorbed = absorb(content, |child| is_ours(child, kind, head_is_xml));
    content.absorbed = match parts(&absorbed, archive, true) {
        Some(parts) => {
            package(content, kind, &parts, &absorbed, archive, budget);
            absorbed
        }
        // Rare: the head of a part looked like ours and the rest is not. Those are for the reader of XML, who tries them all.
        None => {
            content.children.extend(absorbed);
            content.children.sort_by(|a, b| a.path.cmp(&b.path));
            let absorbed = absorb(content, |child| {
                is_ours(child, kind, |bytes| plain_text(bytes).is_some())
            });
            let parts = parts(&absorbed, archive, false).unwrap_or_default();
            package(content, kind, &parts, &absorbed, archive, budget);
            absorbed
        }
    };
}

/// Reads what was absorbed.
fn package(
    content: &mut Content<'_>,
    kind: Kind,
    parts: &[Part<'_>],
    absorbed: &[Child<'_>],
    archive: usize,
    budget: &mut Budget,
) {
    let mut sheaf = Sheaf::default();
    let mut faults = Faults::default();
    let outcome = match kind {
        Kind::Ooxml => ooxml_package(parts, &mut sheaf, &mut faults, budget),
        Kind::OpenDocument => odf_package(parts, &mut sheaf, &mut faults, budget),
    };
    opaque(absorbed, archive, &mut sheaf);
    if let Err(spent) = outcome {
        content.doubts.push(doubt(spent.doubt(), spent.to_string()));
    }
    // OpenOffice named the DTD of its parts, which nobody fetches; OPC forbids a document type (ECMA-376 part 2, 8.1.4).
    faults.subset |= faults.doctype && kind == Kind::Ooxml;
    tell(content, faults);
    content.views.extend(sheaf.views());
}

/// By the entries that every reader looks for.
fn kind(content: &Content<'_>) -> Option<Kind> {
    let named = |wanted: &str| {
        let same = |name: &str| name.eq_ignore_ascii_case(wanted);
        let is = |child: &&Child<'_>| !child.alternative && child.hint.name.as_deref().is_some_and(same);
        content.children.iter().find(is)
    };
    if named("[Content_Types].xml").is_some() {
        return Some(Kind::Ooxml);
    }
    let open = |child: &Child<'_>| child.bytes.starts_with(b"application/vnd.oasis.opendocument");
    let by_manifest = || {
        named("META-INF/manifest.xml")
            .is_some_and(|child| memchr::memmem::find(&child.bytes, b"urn:oasis:names:tc:opendocument").is_some())
    };
    (named("mimetype").is_some_and(open) || by_manifest()).then_some(Kind::OpenDocument)
}

/// Encrypted entries of an OpenDocument package are told once, not each as an unknown file.
fn lock(content: &mut Content<'_>) -> bool {
    let is_manifest = |child: &Child<'_>| child.hint.name.as_deref() == Some("META-INF/manifest.xml");
    let manifest = content.children.iter().find(|child| is_manifest(child));
    let locked = manifest.is_some_and(|child| memchr::memmem::find(&child.bytes, b"encryption-data").is_some());
    if locked {
        content.children.retain(|child| {
            let name = child.hint.name.as_deref().unwrap_or_default();
            name.starts_with("META-INF/") || name == "mimetype" || child.alternative
        });
    }
    locked
}

/// Takes what this reader reads from the children.
fn absorb<'a>(content: &mut Content<'a>, is_ours: impl Fn(&Child<'_>) -> bool) -> Vec<Child<'a>> {
    let (taken, left): (Vec<_>, Vec<_>) = std::mem::take(&mut content.children)
        .into_iter()
        .partition(|child| !child.alternative && is_ours(child));
    content.children = left;
    taken
}

fn is_ours(child: &Child<'_>, kind: Kind, is_xml: impl Fn(&[u8]) -> bool) -> bool {
    let lower = child.hint.name.as_deref().unwrap_or_default().to_ascii_lowercase();
    is_own_xml(&lower) && is_xml(&child.bytes)
        || is_thumbnail(&lower, &child.bytes)
        || is_opaque(&lower, kind)
        || kind == Kind::OpenDocument && (lower == "mimetype" || is_metafile(&child.bytes))
}

/// By its name.
fn is_own_xml(lower: &str) -> bool {
    let xml = lower
        .rsplit_once('.')
        .is_some_and(|(_, end)| matches!(end, "xml" | "rels" | "vml" | "rdf"));
    // Data of other programs in their own vocabulary: the reader of XML reads it.
    let foreign = lower.starts_with("customxml/item") && !lower.starts_with("customxml/itemprops");
    xml && !foreign
}

/// UTF-8 without a second reading; other charsets are left to the reader of XML, who tries them all.
fn plain_text(bytes: &[u8]) -> Option<&str> {
    // The cheap question first: the whole is looked through once, and that shows in the time of a large document.
    let plain = head_is_xml(bytes) && memchr::memchr(0, bytes).is_none();
    let text = plain.then(|| std::str::from_utf8(bytes).ok()).flatten()?;
    Some(text.strip_prefix('\u{feff}').unwrap_or(text))
}

/// Begins as XML in UTF-8 does, as far as its head says.
fn head_is_xml(bytes: &[u8]) -> bool {
    const HEAD: usize = 200;
    let bytes = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
    let head = String::from_utf8_lossy(bytes.get(..HEAD).unwrap_or(bytes)).to_ascii_lowercase();
    let declared = head
        .split_once("encoding=")
        .map(|(_, rest)| rest.trim_start_matches(['"', '\'']));
    let good = declared
        .is_none_or(|label| label.starts_with("utf-8") || label.starts_with("us-ascii") || label.starts_with("utf8"));
    good && head.trim_ascii_start().starts_with('<')
}

/// The small picture of the first page that programs keep for file managers. Too small for anything but a headline, which stands in
/// the document as well; every edit empties it.
pub(super) fn is_thumbnail(lower: &str, bytes: &[u8]) -> bool {
    const LARGEST: usize = 64 << 10;
    let named = lower.starts_with("thumbnails/") || lower.starts_with("docprops/thumbnail");
    let picture = bytes.starts_with(b"\x89PNG\r\n\x1a\n") || bytes.starts_with(b"\xff\xd8\xff");
    named && picture && bytes.len() <= LARGEST
}

/// Binary parts without text of their own: print settings (read for their strings), fonts, positions of line breaks.
fn is_opaque(lower: &str, kind: Kind) -> bool {
    match kind {
        Kind::Ooxml => lower.contains("/printersettings/") || lower.ends_with(".odttf") || lower.ends_with(".fntdata"),
        Kind::OpenDocument => lower == "layout-cache" || lower.starts_with("objectreplacements/"),
    }
}

/// LibreOffice's own format for pictures of objects and tables; its strings are not compressed.
fn is_metafile(bytes: &[u8]) -> bool {
    bytes.starts_with(b"VCLMTF")
}

/// The XML among the absorbed, each with its place in the source; `None` when all that looks like it must be and is not.
fn parts<'t>(absorbed: &'t [Child<'_>], archive: usize, all: bool) -> Option<Vec<Part<'t>>> {
    let mut parts = Vec::new();
    let mut base = archive;
    for child in absorbed {
        let name = child.hint.name.as_deref().unwrap_or_default();
        match plain_text(&child.bytes) {
            Some(text) => parts.push(Part {
                text,
                base: base + (child.bytes.len() - text.len()),
                number: child.path.0.first().copied().unwrap_or_default(),
                name,
            }),
            None if all && head_is_xml(&child.bytes) => return None,
            None => {}
        }
        base += child.bytes.len();
    }
    Some(parts)
}

/// Strings in binary parts.
fn opaque(absorbed: &[Child<'_>], archive: usize, sheaf: &mut Sheaf) {
    let mut base = archive;
    for child in absorbed {
        let lower = child.hint.name.as_deref().unwrap_or_default().to_ascii_lowercase();
        let strings = lower.contains("/printersettings/")
            || lower.starts_with("objectreplacements/")
            || is_metafile(&child.bytes);
        if strings {
            for skip in [0, 1] {
                let reading = charset::utf16le(&child.bytes, skip);
                sheaf.strings(reading.text, reading.map.shifted(base));
            }
            let reading = charset::latin1(&child.bytes);
            sheaf.strings(reading.text, reading.map.shifted(base));
        }
        base += child.bytes.len();
    }
}

fn tell(content: &mut Content<'_>, faults: Faults) {
    if faults.subset {
        let reason = "a part of the document defines its own entities, which programs read in different ways";
        content.doubts.push(doubt(DoubtKind::Malformed, reason));
    }
    if faults.unbalanced {
        let reason = "a part of the document is not well-formed, and programs repair it in different ways";
        content.doubts.push(doubt(DoubtKind::Malformed, reason));
    }
    if faults.deep {
        content.doubts.push(doubt(
            DoubtKind::TooDeep,
            "a part of the document is nested deeper than any program writes",
        ));
    }
}

impl Faults {
    fn join(&mut self, other: Faults) {
        self.doctype |= other.doctype;
        self.subset |= other.subset;
        self.unbalanced |= other.unbalanced;
        self.deep |= other.deep;
    }
}

/// The local name of the root element.
fn root<'t>(part: &Part<'t>, budget: &Budget) -> Result<&'t str, Spent> {
    let mut events = Events::of(part.text);
    while let Some(event) = events.next(budget)? {
        if let Event::Start(tag) = event {
            return Ok(tag.name);
        }
    }
    Ok("")
}

/// All parts of an OOXML package.
fn ooxml_package(parts: &[Part<'_>], sheaf: &mut Sheaf, faults: &mut Faults, budget: &mut Budget) -> Result<(), Spent> {
    let mut relations = Relations::default();
    for part in parts.iter().filter(|part| part.name.ends_with(".rels")) {
        relations.learn(part, budget)?;
    }
    let mut roots = Vec::with_capacity(parts.len());
    for part in parts {
        roots.push(root(part, budget)?);
    }
    let mut shown = Shown::default();
    let done = excel::read(parts, &roots, &relations, &mut shown, sheaf, faults, budget)?;
    let slides = slides(parts, &roots, &relations, budget)?;
    let hidden_styles = hidden_styles(parts, &roots, budget)?;
    for (part, root) in parts.iter().zip(&roots) {
        if done.contains(part.name) {
            continue;
        }
        let mut setting = ooxml::Setting {
            hidden_styles: Some(&hidden_styles),
            shown: Some(&shown),
            covered: covers::texts(part.text, budget)?,
            ..ooxml::Setting::default()
        };
        place(part, root, &slides, &relations, &mut setting, budget)?;
        faults.join(ooxml::read(part, &setting, sheaf, budget)?);
    }
    Ok(())
}

/// Slides know their number from the presentation, notes from their slide, parts of the glossary from their folder.
fn place(
    part: &Part<'_>,
    root: &str,
    slides: &[String],
    relations: &Relations,
    setting: &mut ooxml::Setting<'_>,
    budget: &Budget,
) -> Result<(), Spent> {
    let number = |path: &str| {
        let listed = slides
            .iter()
            .position(|slide| slide == path)
            .and_then(|i| u32::try_from(i + 1).ok());
        let digits: String = path.chars().filter(char::is_ascii_digit).collect();
        listed.or_else(|| digits.parse().ok()).unwrap_or(0)
    };
    let place = match root {
        "sld" => {
            let mut events = Events::of(part.text);
            let mut hidden = false;
            while let Some(event) = events.next(budget)? {
                if let Event::Start(tag) = event {
                    hidden = !tag.on("show");
                    break;
                }
            }
            let number = number(part.name);
            if hidden {
                OfficePlace::HiddenSlide(number)
            } else {
                OfficePlace::Slide(number)
            }
        }
        "notes" => OfficePlace::Notes(number(relations.by_type(part.name, "/slide").unwrap_or(part.name))),
        _ if part.name.contains("/glossary/") => OfficePlace::BuildingBlock,
        _ => return Ok(()),
    };
    setting.hidden = place.is_hidden();
    setting.place = Some(Location::Office(place));
    Ok(())
}

/// Paths of the slides in the order of the show.
fn slides(parts: &[Part<'_>], roots: &[&str], relations: &Relations, budget: &Budget) -> Result<Vec<String>, Spent> {
    let mut slides = Vec::new();
    for (part, _) in parts.iter().zip(roots).filter(|(_, root)| **root == "presentation") {
        let mut events = Events::of(part.text);
        while let Some(event) = events.next(budget)? {
            let Event::Start(tag) = event else { continue };
            if tag.name == "sldId" {
                let id = tag
                    .iter()
                    .find(|(name, _, _)| name.contains(':') && name.ends_with(":id"));
                slides.extend(id.and_then(|(_, id, _)| relations.by_id(part.name, id)));
            }
        }
    }
    Ok(slides)
}

/// Word styles whose text is hidden.
fn hidden_styles(parts: &[Part<'_>], roots: &[&str], budget: &Budget) -> Result<HashSet<String>, Spent> {
    let mut hidden = HashSet::new();
    let says_so = |part: &Part<'_>| memchr::memmem::find(part.text.as_bytes(), b"vanish").is_some();
    for (part, _) in parts
        .iter()
        .zip(roots)
        .filter(|(part, root)| **root == "styles" && says_so(part))
    {
        let mut events = Events::of(part.text);
        let mut style = "";
        while let Some(event) = events.next(budget)? {
            let Event::Start(tag) = event else { continue };
            match tag.name {
                "style" => style = tag.get("styleId").unwrap_or_default(),
                "vanish" if events.parent(2) == "rPr" && tag.on("val") => {
                    hidden.insert(style.to_owned());
                }
                _ => {}
            }
        }
    }
    Ok(hidden)
}

/// All parts of an OpenDocument package, embedded documents in their folders too.
fn odf_package(parts: &[Part<'_>], sheaf: &mut Sheaf, faults: &mut Faults, budget: &mut Budget) -> Result<(), Spent> {
    let by_name: HashMap<&str, &Part<'_>> = parts.iter().map(|part| (part.name, part)).collect();
    let mut shown = Shown::default();
    // The document itself before the charts in its folders, which keep copies of its numbers.
    let mut order: Vec<&Part<'_>> = parts.iter().collect();
    order.sort_by_key(|part| part.name.contains('/'));
    for part in order {
        let mut styles = odf_styles::Styles::default();
        let (folder, name) = part.name.rsplit_once('/').unwrap_or(("", part.name));
        if matches!(name, "content.xml" | "styles.xml") {
            let slash = if folder.is_empty() { "" } else { "/" };
            for name in ["styles.xml", "content.xml"] {
                if let Some(part) = by_name.get(format!("{folder}{slash}{name}").as_str()) {
                    styles.learn(part, budget)?;
                }
            }
        }
        faults.join(odf::read(part, &styles, &mut shown, sheaf, budget)?);
    }
    Ok(())
}
