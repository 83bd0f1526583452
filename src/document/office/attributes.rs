//! Attribute values: which of them are text, and where a person would look for it.

use super::gather::{Piece, Sheaf, What, pieces};
use super::xml::{Part, Tag, local};
use crate::types::{Location, OfficePlace};

/// Places kept apart in one element.
const PLACES: usize = 32;
/// Longer attribute names are cut.
const LONGEST_NAME: usize = 24;
/// Shorter values hold no identifier.
const SHORTEST: usize = 4;

/// Adds the attribute values of one element, together on a line: `name="CPR" val="…"` reads as label and number.
pub(super) fn read<'t>(part: &Part<'t>, tag: &Tag<'t>, base: &OfficePlace, sheaf: &mut Sheaf) {
    let mut lines: Vec<(Location, bool, Vec<Piece<'t>>)> = Vec::new();
    for (full, value, range) in tag.iter() {
        if value.len() < SHORTEST || full.starts_with("xmlns") || is_machine(tag.name, local(full), value) {
            continue;
        }
        let (location, hidden) = place(tag.name, local(full), base);
        let mut index = lines.iter().position(|(known, _, _)| *known == location);
        if lines.len() >= PLACES {
            index = index.or(Some(0));
        }
        let index = index.unwrap_or_else(|| {
            lines.push((location, hidden, Vec::new()));
            lines.len() - 1
        });
        if let Some((_, _, line)) = lines.get_mut(index) {
            if !line.is_empty() {
                line.push(Piece {
                    what: What::Gap('\t'),
                    marks: 0,
                });
            }
            pieces(part, range, false, 0, line);
        }
    }
    for (location, hidden, line) in lines {
        let text = sheaf.at(part.number, location, hidden, false);
        text.line(&line, |_| true);
        text.wall();
    }
}

/// Where the value is looked for by a person, and whether it is out of sight.
fn place(element: &str, attribute: &str, base: &OfficePlace) -> (Location, bool) {
    use OfficePlace as P;
    let place = match (element, attribute) {
        ("docPr" | "cNvPr" | "shape" | "imagedata" | "rect" | "oval", "descr" | "title" | "alt") => P::AltText,
        ("textpath", "string") => P::TextBox,
        (_, "tooltip" | "href" | "Target" | "target" | "location") if *base != P::External => P::Link,
        ("fldSimple", "instr") => P::FieldCode,
        (
            "docVar" | "variable" | "tag" | "docVars" | "user-field-decl" | "variable-decl",
            "name" | "val" | "string-value",
        ) if matches!(base, P::Settings | P::Data) => P::Settings,
        ("alias" | "tag" | "listItem" | "listEntry" | "default" | "helpText" | "statusText" | "placeholder", _) => {
            P::FormField
        }
        (_, "current-value" | "current-selected" | "current-label" | "display-text") => P::FormField,
        (_, "author" | "userId" | "displayName" | "creator" | "initials" | "userName" | "lastModifiedBy") => P::Author,
        ("bookmarkStart" | "bookmark" | "bookmark-start", "name") => P::Style,
        ("sheet" | "sheetName", "name" | "val") => P::SheetName,
        ("table", "name") if *base == P::Data => P::SheetName,
        ("definedName" | "named-range" | "named-expression", _) => P::DefinedName,
        (
            "dataValidation" | "content-validation" | "condition" | "filter-condition" | "filter" | "customFilter"
            | "error-message" | "help-message",
            _,
        ) => P::Validation,
        (_, "formula" | "string-value" | "value") if matches!(base, P::Formula { .. }) => base.clone(),
        _ if matches!(
            base,
            P::PivotCache | P::External | P::Property(_) | P::Chart | P::Settings | P::Style
        ) =>
        {
            base.clone()
        }
        _ => {
            let name: String = attribute.chars().take(LONGEST_NAME).collect();
            let shown = matches!(attribute, "alt" | "title");
            return (Location::Attribute(name.to_ascii_lowercase()), !shown);
        }
    };
    let hidden = place.is_hidden();
    (Location::Office(place), hidden)
}

/// Numbers that programs make and that look like any other ten digits: ids, coordinates, revision marks. Only when the value
/// is nothing but such a number; whatever else stands there is read.
fn is_machine(element: &str, attribute: &str, value: &str) -> bool {
    // `xml:space` of every run: the whole vocabulary, and by far the most of all attributes in a long text.
    if attribute == "space" {
        return matches!(value, "preserve" | "default");
    }
    let bare = value
        .bytes()
        .all(|b| b.is_ascii_hexdigit() || matches!(b, b'-' | b'{' | b'}'));
    if !bare {
        return is_time(value) || is_measure(value) || is_path(attribute, value);
    }
    // A date and a serial with a hyphen are nobody's id, except in a GUID.
    let hyphens = value.bytes().filter(|b| *b == b'-').count();
    if hyphens == 1 && !value.starts_with('-') {
        return false;
    }
    let identifier = |name: &str| {
        let lower = name.to_ascii_lowercase();
        lower == "id"
            || lower.starts_with("rsid")
            || lower.ends_with("id") && name.len() > 2
            || matches!(
                lower.as_str(),
                "nsid" | "tmpl" | "axid" | "crossax" | "guid" | "sectionid" | "idx" | "textlink" | "crc" | "checksum"
            )
    };
    let geometry = matches!(
        attribute,
        "x" | "y"
            | "cx"
            | "cy"
            | "l"
            | "t"
            | "r"
            | "b"
            | "w"
            | "h"
            | "dx"
            | "dy"
            | "ang"
            | "rot"
            | "pos"
            | "sz"
            | "blurRad"
            | "dist"
            | "sx"
            | "sy"
            | "thresh"
            | "spc"
            | "marL"
            | "indent"
            | "lastClr"
            | "coordsize"
            | "panose1"
            | "usb0"
            | "usb1"
            | "usb2"
            | "usb3"
            | "csb0"
            | "csb1"
            | "hashValue"
            | "saltValue"
            | "spinCount"
            | "cols"
            | "uri"
            | "dT"
            | "modified"
            | "calcId"
            | "rupBuild"
            | "lowestEdited"
            | "lastEdited"
    );
    identifier(attribute) || geometry || (attribute == "val" && (identifier(element) || is_length(element)))
}

/// Elements whose value is a length or a colour.
fn is_length(element: &str) -> bool {
    matches!(
        element,
        "srgbClr"
            | "sz"
            | "szCs"
            | "color"
            | "spacing"
            | "lum"
            | "lumMod"
            | "lumOff"
            | "tint"
            | "shade"
            | "alpha"
            | "satMod"
            | "modId"
            | "creationId"
            | "sldId"
            | "x"
            | "y"
            | "w"
            | "h"
            | "majorUnit"
            | "max"
            | "min"
            | "panose1"
    )
}

/// Outlines of shapes: hundreds of coordinates with a letter here and there.
fn is_path(attribute: &str, value: &str) -> bool {
    let named = matches!(
        attribute,
        "d" | "points"
            | "viewBox"
            | "enhanced-path"
            | "path"
            | "glue-points"
            | "text-areas"
            | "modifiers"
            | "transform"
            | "adj"
    );
    let letters = value.bytes().filter(u8::is_ascii_alphabetic).count();
    named
        && letters * 3 <= value.len()
        && value
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b" .,-+@?$()*/\n\t".contains(&b))
}

/// `2026-01-02T03:04:05Z`.
fn is_time(value: &str) -> bool {
    let b = value.as_bytes();
    let digit = |i: usize| b.get(i).is_some_and(u8::is_ascii_digit);
    b.len() >= 16
        && b.len() <= 30
        && b.get(4) == Some(&b'-')
        && b.get(7) == Some(&b'-')
        && b.get(10) == Some(&b'T')
        && (0..4).all(digit)
        && b.iter().skip(11).all(|b| b.is_ascii_digit() || b":.Z+-".contains(b))
}

/// `0.4925in`, `12.5cm`, `100%`.
fn is_measure(value: &str) -> bool {
    ["in", "cm", "mm", "pt", "px", "pc", "%", "fo:"].iter().any(|unit| {
        value
            .strip_suffix(unit)
            .is_some_and(|number| number.bytes().all(|b| b.is_ascii_digit() || b == b'.' || b == b'-'))
    })
}

/// Text that stands in no paragraph: on a line of its own in the place of its part.
pub(super) fn loose<'t>(
    part: &Part<'t>,
    range: std::ops::Range<usize>,
    raw: bool,
    place: &Location,
    hidden: bool,
    label: Option<&str>,
    sheaf: &mut Sheaf,
) {
    let text = part.text.get(range.clone()).unwrap_or_default();
    let bare = text
        .bytes()
        .all(|b| b.is_ascii_digit() || matches!(b, b'-' | b',' | b' ' | b'\n' | b'\t' | b'\r'));
    // Nine digits are the least: a number that lost its zero.
    if text.trim_ascii().is_empty() || bare && text.bytes().filter(u8::is_ascii_digit).count() < 9 {
        return;
    }
    let mut line = Vec::new();
    pieces(part, range, raw, 0, &mut line);
    let into = sheaf.at(part.number, place.clone(), hidden, false);
    if let Some(label) = label {
        label.chars().for_each(|c| into.add(&What::Gap(c)));
        into.add(&What::Gap(':'));
        into.add(&What::Gap(' '));
    }
    into.line(&line, |_| true);
    into.wall();
}
