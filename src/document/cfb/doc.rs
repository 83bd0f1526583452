//! Word's binary format ([MS-DOC]): the text of all stories through the piece table, with what character formatting hides.

use super::file::{Compound, u16_at, u32_at, utf16};
use crate::content::{Budget, Content, Spent};
use crate::document::channels::{Channels, From, Seen};
use crate::document::{doubt, mapi};
use crate::types::{DoubtKind, Location, OfficePlace};
use std::ops::Range;

/// Where text stands.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Story {
    Body,
    Header,
    Footer,
    Footnote(u32),
    Endnote(u32),
    Comment,
    TextBox,
    Code,
    Macro,
}

impl Story {
    fn location(self) -> Location {
        Location::Office(match self {
            Story::Body => return Location::Text,
            Story::Header => OfficePlace::PageHeader,
            Story::Footer => OfficePlace::PageFooter,
            Story::Footnote(n) => OfficePlace::Footnote(n),
            Story::Endnote(n) => OfficePlace::Endnote(n),
            Story::Comment => OfficePlace::Comment,
            Story::TextBox => OfficePlace::TextBox,
            Story::Code => OfficePlace::FieldCode,
            Story::Macro => OfficePlace::Data,
        })
    }
}

/// Notes that get a place of their own; further ones are read into the last.
const NOTES: u32 = 2_000;

/// One run of characters in the file.
struct Piece {
    first: u32,
    last: u32,
    at: usize,
    wide: bool,
}

/// Characters with formatting that matters here.
struct Mark {
    range: Range<usize>,
    seen: Seen,
    /// The character of a symbol font that is shown instead.
    symbol: Option<char>,
}

/// Reads the document.
pub(super) fn read(
    file: &mut Compound<'_>,
    main: &[u8],
    content: &mut Content<'_>,
    budget: &mut Budget,
) -> Result<(), Spent> {
    const ENCRYPTED: u16 = 0x0100;
    const TABLE_ONE: u16 = 0x0200;
    let flags = u16_at(main, 10).unwrap_or(0);
    if flags & ENCRYPTED != 0 {
        content
            .doubts
            .push(doubt(DoubtKind::Encrypted, "the document is encrypted"));
        return Ok(());
    }
    let name = if flags & TABLE_ONE != 0 { "1Table" } else { "0Table" };
    let table = file.named(0, name, budget)?.unwrap_or_default();
    let version = u16_at(main, 2).unwrap_or(0);
    let modern = version >= 0xc1;
    let pieces = if modern { pieces(main, &table) } else { None };
    let pieces = pieces.unwrap_or_else(|| {
        if modern {
            let reason = "the document's list of text pieces is damaged";
            content.doubts.push(doubt(DoubtKind::Broken, reason));
        }
        old(main)
    });
    let marks = if modern { marks(main, &table) } else { Vec::new() };
    let mut reader = Reader {
        channels: Channels::default(),
        fields: Vec::new(),
        stories: stories(main, modern),
        headers: headers(main, &table),
        notes: 0,
        was: None,
    };
    for piece in &pieces {
        budget.in_time()?;
        reader.piece(main, piece, &marks, budget)?;
    }
    content.views.extend(reader.channels.views(Story::location));
    Ok(())
}

/// A table of the FIB: offset and length of its `index`th list.
fn list<'t>(main: &[u8], table: &'t [u8], index: usize) -> Option<&'t [u8]> {
    const LISTS: usize = 0x9a;
    let at = u32_at(main, LISTS + 8 * index)? as usize;
    let len = u32_at(main, LISTS + 8 * index + 4)? as usize;
    table.get(at..at.checked_add(len)?)
}

fn pieces(main: &[u8], table: &[u8]) -> Option<Vec<Piece>> {
    const CLX: usize = 33;
    let clx = list(main, table, CLX)?;
    let mut at = 0;
    while clx.get(at) == Some(&1) {
        at = at + 3 + usize::from(u16_at(clx, at + 1)?);
    }
    if clx.get(at) != Some(&2) {
        return None;
    }
    let len = u32_at(clx, at + 1)? as usize;
    let plc = clx.get(at + 5..(at + 5).checked_add(len)?.min(clx.len()))?;
    let count = plc.len().checked_sub(4)? / 12;
    let mut pieces = Vec::with_capacity(count);
    for i in 0..count {
        let first = u32_at(plc, 4 * i)?;
        let last = u32_at(plc, 4 * i + 4)?;
        let fc = u32_at(plc, 4 * (count + 1) + 8 * i + 2)?;
        let wide = fc & 0x4000_0000 == 0;
        let at = (fc & 0x3fff_ffff) as usize;
        pieces.push(Piece {
            first,
            last: last.max(first),
            at: if wide { at } else { at / 2 },
            wide,
        });
    }
    Some(pieces)
}

/// Word 6 and 95 without fast saves, or what is left when the table is gone.
fn old(main: &[u8]) -> Vec<Piece> {
    let from = u32_at(main, 0x18).unwrap_or(0);
    let to = u32_at(main, 0x1c).unwrap_or(0).min(main.len() as u32);
    vec![Piece {
        first: 0,
        last: to.saturating_sub(from),
        at: from as usize,
        wide: false,
    }]
}

/// The last character of each story, in the order in which they follow each other.
fn stories(main: &[u8], modern: bool) -> Vec<(u32, Story)> {
    let counts: [(usize, Story); 8] = [
        (0, Story::Body),
        (4, Story::Footnote(0)),
        (8, Story::Header),
        (12, Story::Macro),
        (16, Story::Comment),
        (20, Story::Endnote(0)),
        (24, Story::TextBox),
        (28, Story::TextBox),
    ];
    let base = if modern { 0x4c } else { 0x34 };
    let mut end = 0u32;
    let mut out = Vec::new();
    for (at, story) in counts {
        end = end.saturating_add(u32_at(main, base + at).unwrap_or(0));
        out.push((end, story));
    }
    out
}

/// Where each header and footer starts, within their story: six separators, then six for each section.
fn headers(main: &[u8], table: &[u8]) -> Vec<u32> {
    const HEADERS: usize = 11;
    let plc = list(main, table, HEADERS).unwrap_or_default();
    (0..plc.len() / 4).filter_map(|i| u32_at(plc, 4 * i)).collect()
}

/// File ranges whose characters are not simply shown, from the pages of character formatting.
fn marks(main: &[u8], table: &[u8]) -> Vec<Mark> {
    const CHARACTERS: usize = 12;
    const PAGE: usize = 512;
    let plc = list(main, table, CHARACTERS).unwrap_or_default();
    let count = plc.len().saturating_sub(4) / 8;
    let mut out = Vec::new();
    for i in 0..count {
        let number = u32_at(plc, 4 * (count + 1) + 4 * i).unwrap_or(0) & 0x003f_ffff;
        let at = number as usize * PAGE;
        let Some(page) = main.get(at..at + PAGE) else {
            continue;
        };
        let runs = usize::from(page[PAGE - 1]);
        for run in 0..runs {
            let (Some(from), Some(to)) = (u32_at(page, 4 * run), u32_at(page, 4 * run + 4)) else {
                break;
            };
            let offset = 2 * usize::from(page.get(4 * (runs + 1) + run).copied().unwrap_or(0));
            let len = usize::from(page.get(offset).copied().unwrap_or(0));
            let changes = page.get(offset + 1..offset + 1 + len).unwrap_or_default();
            let (seen, symbol) = formatting(changes);
            if offset > 0 && (seen != Seen::Shown || symbol.is_some()) {
                out.push(Mark {
                    range: from as usize..to as usize,
                    seen,
                    symbol,
                });
            }
        }
    }
    out.sort_by_key(|mark| mark.range.start);
    out
}

/// What a list of changes to character formatting hides or shows instead ([MS-DOC] 2.6.1).
fn formatting(changes: &[u8]) -> (Seen, Option<char>) {
    let mut symbol = None;
    let (mut hidden, mut deleted, mut white, mut black, mut lit) = (false, false, false, false, true);
    let mut at = 0;
    while let Some(code) = u16_at(changes, at) {
        at += 2;
        let value = changes.get(at..).unwrap_or_default();
        let first = value.first().copied().unwrap_or(0);
        let colour = |at: usize| value.get(at..at + 3);
        match code {
            0x083c => hidden = first & 1 == 1,
            0x0800 => deleted = first & 1 == 1,
            // 8 is white in the list of colours, 1 black.
            0x2a42 => white = first == 8,
            0x6870 => white = colour(0) == Some(&[0xff; 3]),
            0x2a0c => black |= first == 1,
            0xca71 => black |= colour(5) == Some(&[0; 3]) && value.get(8) == Some(&0),
            0x4866 => black |= u16_at(value, 0).is_some_and(|shade| shade >> 5 & 31 == 1),
            0x6a09 => {
                symbol = u16_at(value, 2)
                    .and_then(|unit| char::from_u32(u32::from(unit)))
                    .map(plain_symbol)
            }
            0x4a43 => lit = !matches!(u16_at(value, 0), Some(1..=4)),
            _ => {}
        }
        at += match code >> 13 {
            0 | 1 => 1,
            2 | 4 | 5 => 2,
            3 => 4,
            7 => 3,
            _ => 1 + usize::from(first),
        };
    }
    let seen = match (deleted, hidden || !lit || white && !black, black && !white) {
        (true, _, _) => Seen::Deleted,
        (_, true, _) => Seen::Hidden,
        (_, _, true) => Seen::Covered,
        _ => Seen::Shown,
    };
    (seen, symbol)
}

/// Symbol fonts repeat their bytes in the private area.
fn plain_symbol(c: char) -> char {
    match u32::from(c) {
        code @ 0xf020..=0xf0ff => char::from_u32(code - 0xf000).unwrap_or(c),
        _ => c,
    }
}

struct Reader {
    channels: Channels<Story>,
    /// Open fields; `true` while in the code.
    fields: Vec<bool>,
    stories: Vec<(u32, Story)>,
    headers: Vec<u32>,
    notes: u32,
    was: Option<Story>,
}

impl Reader {
    fn piece(&mut self, main: &[u8], piece: &Piece, marks: &[Mark], budget: &mut Budget) -> Result<(), Spent> {
        let step = if piece.wide { 2 } else { 1 };
        let end = piece.at.saturating_add((piece.last - piece.first) as usize * step);
        let bytes = main.get(piece.at..end.min(main.len())).unwrap_or_default();
        budget.produce(bytes.len() as u64)?;
        for (i, unit) in bytes.chunks(step).enumerate() {
            let c = match unit {
                [byte] if byte.is_ascii() => char::from(*byte),
                [_] => mapi::narrow(unit).chars().next().unwrap_or('\u{fffd}'),
                _ => utf16(unit).chars().next().unwrap_or('\u{fffd}'),
            };
            let at = piece.at + i * step;
            let mark = marks.partition_point(|mark| mark.range.start <= at);
            let mark = mark.checked_sub(1).and_then(|mark| marks.get(mark));
            let mark = mark.filter(|mark| mark.range.contains(&at));
            let seen = mark.map_or(Seen::Shown, |mark| mark.seen);
            let c = mark.and_then(|mark| mark.symbol).unwrap_or(plain_symbol(c));
            self.character(c, piece.first.saturating_add(i as u32), seen);
        }
        Ok(())
    }

    fn character(&mut self, c: char, position: u32, seen: Seen) {
        let index = self.stories.partition_point(|(end, _)| *end <= position);
        let (story, start) = match self.stories.get(index) {
            Some((_, story)) => (
                *story,
                index
                    .checked_sub(1)
                    .and_then(|i| self.stories.get(i))
                    .map_or(0, |(end, _)| *end),
            ),
            None => (Story::Body, 0),
        };
        let story = match story {
            Story::Header => self.header(position - start),
            Story::Footnote(_) | Story::Endnote(_) => self.note(c, story),
            story => story,
        };
        if self.was.replace(story) != Some(story) {
            self.channels.wall(story);
        }
        let shown = match c {
            '\u{13}' => {
                self.fields.push(true);
                self.channels.wall(Story::Code);
                return;
            }
            '\u{14}' => {
                if let Some(code) = self.fields.last_mut() {
                    *code = false;
                }
                return;
            }
            '\u{15}' => {
                self.fields.pop();
                return;
            }
            '\r' | '\u{b}' | '\u{c}' | '\u{e}' => '\n',
            '\u{7}' => '\t',
            '\u{1e}' => '\u{2011}',
            '\u{1f}' => '\u{ad}',
            '\t' | '\n' => c,
            c if c < ' ' => return,
            c => c,
        };
        let place = if self.fields.contains(&true) {
            Story::Code
        } else {
            story
        };
        self.channels.push(place, shown, &From::Nowhere, seen);
    }

    fn header(&self, position: u32) -> Story {
        let number = self.headers.partition_point(|start| *start <= position);
        match number.saturating_sub(1) {
            n if n >= 6 && matches!((n - 6) % 6, 2 | 3 | 5) => Story::Footer,
            _ => Story::Header,
        }
    }

    /// Each note begins with its reference mark.
    fn note(&mut self, c: char, story: Story) -> Story {
        let foot = matches!(story, Story::Footnote(_));
        let same = matches!(
            (foot, self.was),
            (true, Some(Story::Footnote(_))) | (false, Some(Story::Endnote(_)))
        );
        if !same {
            self.notes = 0;
        }
        self.notes += u32::from(c == '\u{2}');
        let number = self.notes.clamp(1, NOTES);
        if foot {
            Story::Footnote(number)
        } else {
            Story::Endnote(number)
        }
    }
}
