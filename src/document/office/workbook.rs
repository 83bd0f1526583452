//! What a sheet needs from the rest of its workbook: shared strings, number formats, names and states of sheets.

use super::format::Format;
use super::gather::{CELL_BREAK, Piece, What, pieces};
use super::xml::{Event, Events, Part, decoded};
use crate::content::{Budget, Spent};
use crate::types::Concealed;
use std::collections::HashMap;
use std::ops::Range;
use std::rc::Rc;

/// What the sheets share.
#[derive(Default)]
pub(super) struct Workbook<'t> {
    /// Pieces of all shared strings.
    pieces: Vec<Piece<'t>>,
    /// Where each string's pieces are.
    strings: Vec<Range<usize>>,
    /// Strings that a cell has shown.
    pub used: Vec<bool>,
    /// By index of cell style.
    pub styles: Vec<Rc<Style>>,
    /// Name and state by path of the part.
    pub sheets: HashMap<String, (String, Concealed)>,
    /// Days are counted from 1904.
    pub date_1904: bool,
}

/// A cell style.
#[derive(Clone, Debug, Default)]
pub(super) struct Style {
    pub format: Format,
    /// White on nothing.
    pub unseen: bool,
    /// Black on black.
    pub covered: bool,
}

impl<'t> Workbook<'t> {
    /// One shared string.
    pub fn string(&self, index: usize) -> &[Piece<'t>] {
        let range = self.strings.get(index).cloned().unwrap_or_default();
        self.pieces.get(range).unwrap_or_default()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.strings.len()
    }

    /// Reads `sharedStrings.xml`.
    pub fn read_strings(&mut self, part: &Part<'t>, budget: &Budget) -> Result<(), Spent> {
        let mut events = Events::of(part.text);
        let mut start = self.pieces.len();
        while let Some(event) = events.next(budget)? {
            match event {
                Event::Start(tag) if tag.name == "si" => start = self.pieces.len(),
                Event::End("si") => self.strings.push(start..self.pieces.len()),
                Event::Text(range, raw) if events.parent(1) == "t" => {
                    // How to pronounce it is no part of the text.
                    let aside = events.parent(2) == "rPh";
                    if aside {
                        self.pieces.push(Piece {
                            what: What::Gap(CELL_BREAK),
                            marks: 0,
                        });
                    }
                    cell_pieces(part, range, raw, &mut self.pieces);
                }
                _ => {}
            }
        }
        self.used = vec![false; self.strings.len()];
        Ok(())
    }

    /// Reads `workbook.xml`; `target` finds a part by relationship.
    pub fn read_sheets(
        &mut self,
        part: &Part<'t>,
        target: impl Fn(&str) -> Option<String>,
        budget: &Budget,
    ) -> Result<(), Spent> {
        let mut events = Events::of(part.text);
        while let Some(event) = events.next(budget)? {
            let Event::Start(tag) = event else { continue };
            match tag.name {
                "workbookPr" => self.date_1904 = tag.yes("date1904"),
                "sheet" => {
                    let concealed = match tag.get("state") {
                        Some("hidden" | "veryHidden") => Concealed::Sheet,
                        _ => Concealed::No,
                    };
                    let name = tag.get("name").map(decoded).unwrap_or_default();
                    if let Some(path) = tag.get("id").and_then(&target) {
                        self.sheets.insert(path, (name, concealed));
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Reads `styles.xml`.
    pub fn read_styles(&mut self, part: &Part<'t>, budget: &Budget) -> Result<(), Spent> {
        let mut codes: HashMap<u32, Format> = HashMap::new();
        let mut fonts: Vec<Shade> = Vec::new();
        let mut fills: Vec<Shade> = Vec::new();
        let mut events = Events::of(part.text);
        while let Some(event) = events.next(budget)? {
            let Event::Start(tag) = event else { continue };
            match (tag.name, events.parent(2)) {
                ("numFmt", _) => {
                    let code = tag.get("formatCode").map(decoded).unwrap_or_default();
                    codes.extend(tag.number("numFmtId").map(|id| (id, Format::of(&code))));
                }
                ("font", "fonts") => fonts.push(Shade::None),
                ("fill", "fills") => fills.push(Shade::None),
                ("color", "font") => set(
                    &mut fonts,
                    Shade::of(tag.get("rgb"), tag.get("theme"), tag.get("indexed")),
                ),
                ("fgColor", _) => set(
                    &mut fills,
                    Shade::of(tag.get("rgb"), tag.get("theme"), tag.get("indexed")),
                ),
                ("xf", "cellXfs") => {
                    let id = tag.number("numFmtId").unwrap_or(0);
                    let format = codes.get(&id).cloned().unwrap_or_else(|| Format::built_in(id));
                    let shade = |of: &[Shade], key| tag.number(key).and_then(|i| of.get(i as usize).copied());
                    let font = shade(&fonts, "fontId").unwrap_or(Shade::None);
                    let fill = shade(&fills, "fillId").unwrap_or(Shade::None);
                    self.styles.push(Rc::new(Style {
                        format,
                        unseen: font == Shade::White && matches!(fill, Shade::None | Shade::White),
                        covered: fill == Shade::Black && matches!(font, Shade::Black | Shade::None),
                    }));
                }
                _ => {}
            }
        }
        Ok(())
    }
}

fn set(shades: &mut [Shade], shade: Shade) {
    if let Some(last) = shades.last_mut() {
        *last = shade;
    }
}

/// A colour, as far as it hides something.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shade {
    None,
    Black,
    White,
    Other,
}

impl Shade {
    /// Theme colours 0 and 1 are background and text; 8 and 9 of the old palette black and white.
    fn of(rgb: Option<&str>, theme: Option<&str>, indexed: Option<&str>) -> Shade {
        let rgb = rgb.map(|rgb| {
            rgb.get(rgb.len().saturating_sub(6)..)
                .unwrap_or(rgb)
                .to_ascii_uppercase()
        });
        match (rgb.as_deref(), theme, indexed) {
            (Some("000000"), _, _) | (None, Some("1"), _) | (None, None, Some("8" | "0")) => Shade::Black,
            (Some("FFFFFF"), _, _) | (None, Some("0"), _) | (None, None, Some("9" | "1")) => Shade::White,
            (None, None, None | Some("64" | "65")) => Shade::None,
            _ => Shade::Other,
        }
    }
}

/// Text of a cell: its own line breaks and tabs end no row and no column.
pub(super) fn cell_pieces<'t>(part: &Part<'t>, range: Range<usize>, raw: bool, out: &mut Vec<Piece<'t>>) {
    let first = out.len();
    pieces(part, range, raw, 0, out);
    let stands_in = |text: &str| {
        let text = text.as_bytes();
        memchr::memchr3(b'\n', b'\r', b'\t', text).is_some() || memchr::memchr(b'_', text).is_some()
    };
    let changes = |piece: &Piece<'_>| matches!(piece.what, What::Plain(text, _) if stands_in(text));
    if !out.iter().skip(first).any(changes) {
        return;
    }
    for Piece { what, marks } in out.split_off(first) {
        let What::Plain(mut text, mut source) = what else {
            out.push(Piece { what, marks });
            continue;
        };
        while let Some((at, c, len)) = next_stand_in(text) {
            let (before, rest) = text.split_at(at);
            let what = What::Plain(before, source);
            out.push(Piece { what, marks });
            let what = What::Unit(c, source + at, source + at + len);
            out.push(Piece { what, marks });
            text = rest.get(len..).unwrap_or_default();
            source += at + len;
        }
        let what = What::Plain(text, source);
        out.push(Piece { what, marks });
    }
}

/// The next thing in a text that stands for another character: where, which, how long it is. Excel writes any character as
/// `_xHHHH_` (ECMA-376 part 1, 22.9.2.19).
fn next_stand_in(text: &str) -> Option<(usize, char, usize)> {
    const LENGTH: usize = 7;
    let mut from = 0;
    while let Some(at) = text.get(from..)?.find(['\n', '\r', '\t', '_']) {
        let at = from + at;
        let rest = text.get(at..)?;
        if rest.starts_with('\t') {
            return Some((at, ' ', 1));
        }
        if !rest.starts_with('_') {
            return Some((at, CELL_BREAK, 1));
        }
        let code = rest
            .get(..LENGTH)
            .and_then(|word| word.strip_prefix("_x")?.strip_suffix('_'));
        let code = code.filter(|code| code.bytes().all(|b| b.is_ascii_hexdigit()));
        let c = code
            .and_then(|code| u32::from_str_radix(code, 16).ok())
            .and_then(char::from_u32);
        if let Some(c) = c.filter(|c| !c.is_control()) {
            return Some((at, c, LENGTH));
        }
        from = at + 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_that_excel_writes_as_numbers_are_what_they_stand_for() {
        assert_eq!(next_stand_in("a_x0031_"), Some((1, '1', 7)));
        assert_eq!(next_stand_in("_x003_\tb"), Some((6, ' ', 1)));
        assert_eq!(next_stand_in("_x00zz_ _ _x"), None);
    }
}
