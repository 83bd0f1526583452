//! One pass over the tokens: groups, formatting, and where each character goes.

use super::blob::Blob;
use super::letters::Page;
use super::places::{self, Place};
use super::token::{Token, Tokens};
use crate::content::{Budget, Content, Spent};
use crate::document::channels::{Channels, From, Seen};
use crate::document::{doubt, strings};
use crate::types::{DoubtKind, PartPath};
use std::collections::HashMap;
use std::ops::Range;

/// No program nests groups deeper; Word gives up far earlier.
const DEEPEST: usize = 20_000;

/// Notes that get a place of their own; further ones are read into the last.
const NOTES: u32 = 2_000;

/// What a group inherits and may change.
#[derive(Clone, Copy)]
struct State {
    place: Place,
    /// At the start of its group: the next word may name a destination.
    fresh: bool,
    /// `\*` was seen.
    star: bool,
    hidden: bool,
    deleted: bool,
    tiny: bool,
    colour: i32,
    mark: i32,
    /// Characters that stand for one Unicode escape (`\uc`).
    fallback: usize,
    page: Page,
}

/// A Unicode escape whose fallback is still to be skipped.
struct Escape {
    unit: u16,
    source: Range<usize>,
    left: usize,
}

/// The pass and what it gathers.
pub(super) struct Walk<'b> {
    bytes: &'b [u8],
    state: State,
    stack: Vec<State>,
    pub channels: Channels<Place>,
    blobs: Vec<Blob>,
    escape: Option<Escape>,
    high: Option<(u16, usize)>,
    /// Bytes of a character that is not whole yet.
    pending: Vec<(u8, Range<usize>)>,
    fonts: HashMap<i32, Page>,
    font: i32,
    page: Page,
    colours: Vec<[i32; 3]>,
    notes: u32,
    endnotes: u32,
    cell_colour: bool,
    /// Children that can be written again, with their digits.
    pub writable: Vec<(usize, Range<usize>)>,
    /// Just behind the end of the document.
    pub end: usize,
}

impl<'b> Walk<'b> {
    /// Walks over all of `bytes`.
    pub fn over(bytes: &'b [u8], content: &mut Content<'_>, budget: &mut Budget) -> (Walk<'b>, Result<(), Spent>) {
        let state = State {
            place: Place::Body,
            fresh: false,
            star: false,
            hidden: false,
            deleted: false,
            tiny: false,
            colour: 0,
            mark: 0,
            fallback: 1,
            page: Page::WINDOWS,
        };
        let mut walk = Walk {
            bytes,
            state,
            stack: Vec::new(),
            channels: Channels::default(),
            blobs: Vec::new(),
            escape: None,
            high: None,
            pending: Vec::new(),
            fonts: HashMap::new(),
            font: 0,
            page: Page::WINDOWS,
            colours: vec![[0, 0, 0]],
            notes: 0,
            endnotes: 0,
            cell_colour: false,
            writable: Vec::new(),
            end: bytes.len(),
        };
        let outcome = walk.run(content, budget);
        (walk, outcome)
    }

    fn run(&mut self, content: &mut Content<'_>, budget: &mut Budget) -> Result<(), Spent> {
        let start = self.bytes.iter().position(|b| *b == b'{').unwrap_or(0);
        let mut tokens = Tokens::of(self.bytes, start);
        let mut count = 0u32;
        while let Some((token, source)) = tokens.next() {
            count = count.wrapping_add(1);
            if count.is_multiple_of(4096) {
                budget.in_time()?;
            }
            match token {
                Token::Open => {
                    if self.stack.len() >= DEEPEST {
                        let reason = "groups are nested deeper than any program writes";
                        content.doubts.push(doubt(DoubtKind::TooDeep, reason));
                        self.end = source.start;
                        break;
                    }
                    self.open();
                }
                Token::Close => {
                    self.close(content, budget)?;
                    if self.stack.is_empty() {
                        self.end = tokens.position();
                        break;
                    }
                }
                Token::Word(word, value) => self.word(word, value, source),
                Token::Symbol(symbol) => self.symbol(symbol, source),
                Token::Hex(byte) => self.byte(byte, source, false),
                Token::Binary(range) => {
                    let data = self.bytes.get(range).unwrap_or_default();
                    match self.blobs.last_mut().filter(|_| self.state.place.is_data()) {
                        Some(blob) => blob.raw(data),
                        None => strings::add(content, data, PartPath::default()),
                    }
                }
                Token::Text(range) => self.text(range),
            }
        }
        self.flush();
        if !self.stack.is_empty() {
            let reason = "the document ends within a group";
            content.doubts.push(doubt(DoubtKind::Broken, reason));
            while !self.stack.is_empty() {
                self.close(content, budget)?;
            }
        }
        Ok(())
    }

    fn open(&mut self) {
        self.flush();
        self.stack.push(self.state);
        self.state.fresh = true;
        self.state.star = false;
    }

    fn close(&mut self, content: &mut Content<'_>, budget: &mut Budget) -> Result<(), Spent> {
        self.flush();
        let depth = self.stack.len();
        while let Some(blob) = self.blobs.pop_if(|blob| blob.depth >= depth) {
            self.writable.extend(blob.finish(content, budget)?);
        }
        let inner = self.state.place;
        if let Some(outer) = self.stack.pop() {
            self.state = outer;
        }
        self.state.fresh = false;
        if inner != self.state.place {
            self.channels.wall(inner);
        }
        Ok(())
    }

    fn word(&mut self, word: &str, value: Option<i32>, source: Range<usize>) {
        if word == "u" {
            return self.unicode(value.unwrap_or(0), source);
        }
        self.flush();
        if std::mem::take(&mut self.state.fresh) && self.destination(word) {
            return;
        }
        if let Some(blob) = self.blobs.last_mut().filter(|_| self.state.place.is_data()) {
            blob.interrupt();
            if let Some(media_type) = picture_type(word) {
                blob.media_type = media_type;
            }
            return;
        }
        if let Some(c) = places::character(word) {
            return self.put(c, &From::Nowhere);
        }
        self.format(word, value);
    }

    /// The word names what its group is.
    fn destination(&mut self, word: &str) -> bool {
        let place = match places::of(word) {
            Some(Place::Footnote(_)) => {
                self.notes = NOTES.min(self.notes + 1);
                Place::Footnote(self.notes)
            }
            Some(place) => place,
            None if self.state.star && !places::is_transparent(word) => {
                if matches!(word, "panose" | "blipuid" | "levelnumbers" | "leveltext") {
                    Place::Blob
                } else {
                    Place::Data
                }
            }
            None => return places::is_transparent(word) && word != "rtf",
        };
        self.state.place = place;
        if place.is_data() {
            self.blobs.push(Blob::new(place, self.stack.len()));
        }
        true
    }

    fn format(&mut self, word: &str, value: Option<i32>) {
        let on = value != Some(0);
        let number = value.unwrap_or(0);
        match word {
            "v" | "webhidden" => self.state.hidden = on,
            "deleted" | "mvf" => self.state.deleted = on,
            "plain" => {
                (self.state.hidden, self.state.deleted, self.state.tiny) = (false, false, false);
                (self.state.colour, self.state.mark) = (0, 0);
                self.state.page = self.page;
            }
            "fs" => self.state.tiny = (1..=4).contains(&number),
            "cf" => self.state.colour = number,
            "highlight" | "chcbpat" | "cb" => self.state.mark = number,
            "clcbpat" | "cbpat" => self.cell_colour = true,
            "trowd" => self.cell_colour = false,
            "uc" => self.state.fallback = usize::try_from(number).unwrap_or(0).min(64),
            "ansicpg" => self.default_page(Page::by_number(number)),
            "mac" => self.default_page(Page::by_number(10000)),
            "pc" => self.default_page(Page::by_number(437)),
            "pca" => self.default_page(Page::by_number(850)),
            "f" if self.state.place == Place::Fonts => self.font = number,
            "f" => self.state.page = self.fonts.get(&number).copied().unwrap_or(self.page),
            "fcharset" => {
                if let Some(page) = Page::by_charset(number) {
                    self.fonts.insert(self.font, page);
                }
            }
            "cpg" if self.state.place == Place::Fonts => {
                self.fonts.insert(self.font, Page::by_number(number));
            }
            "red" | "green" | "blue" if self.state.place == Place::Colours => {
                let channel = ["red", "green", "blue"].iter().position(|name| *name == word);
                if let Some(slot) = self.colours.last_mut().zip(channel).and_then(|(c, i)| c.get_mut(i)) {
                    *slot = number;
                }
            }
            "ftnalt" => {
                if let Place::Footnote(n) = self.state.place
                    && n == self.notes
                {
                    self.notes -= 1;
                    self.endnotes = NOTES.min(self.endnotes + 1);
                    self.state.place = Place::Endnote(self.endnotes);
                }
            }
            _ => {}
        }
    }

    fn default_page(&mut self, page: Page) {
        self.page = page;
        self.state.page = page;
    }

    fn symbol(&mut self, symbol: u8, source: Range<usize>) {
        if symbol == b'*' {
            self.state.star |= self.state.fresh;
            return;
        }
        if self.skips(1, source.clone()) {
            return;
        }
        self.flush();
        let c = match symbol {
            b'~' => '\u{a0}',
            b'_' => '\u{2011}',
            b'-' => '\u{ad}',
            b'\\' | b'{' | b'}' => char::from(symbol),
            b'\t' => '\t',
            b'\r' | b'\n' => return self.put('\n', &From::Nowhere),
            _ => return,
        };
        self.state.fresh = false;
        self.put(c, &From::Escape(source));
    }

    fn text(&mut self, range: Range<usize>) {
        self.state.fresh = false;
        let bytes = self.bytes;
        let text = bytes.get(range.clone()).unwrap_or_default();
        if self.state.place.is_data() {
            if let Some(blob) = self.blobs.last_mut() {
                blob.hex(text, range);
            }
            return;
        }
        for (i, byte) in text.iter().enumerate() {
            let at = range.start + i;
            self.byte(*byte, at..at + 1, true);
        }
    }

    /// One byte of text, as it is or escaped.
    fn byte(&mut self, byte: u8, source: Range<usize>, literal: bool) {
        self.state.fresh = false;
        if self.state.place.is_data() {
            return;
        }
        if self.state.place == Place::Colours {
            if byte == b';' {
                self.colours.push([0, 0, 0]);
            }
            return;
        }
        if self.escape.is_some() && self.skips(1, source.clone()) {
            self.channels.skipped.push(char::from(byte), &From::Nowhere);
            return;
        }
        if literal && byte.is_ascii() && self.pending.is_empty() {
            return self.put(char::from(byte), &From::Byte(source.start));
        }
        self.pending.push((byte, source));
        let bytes: Vec<u8> = self.pending.iter().map(|(byte, _)| *byte).collect();
        if let Some(c) = self.state.page.decode(&bytes) {
            let start = self.pending.first().map_or(0, |(_, source)| source.start);
            let end = self.pending.last().map_or(0, |(_, source)| source.end);
            self.pending.clear();
            self.put(c, &From::Escape(start..end));
        } else if bytes.len() >= 4 || !self.state.page.is_lead(byte) {
            self.give_up();
        }
    }

    /// Bytes that make no character in their code page, one by one.
    fn give_up(&mut self) {
        for (byte, source) in std::mem::take(&mut self.pending) {
            let c = if byte.is_ascii() { char::from(byte) } else { '\u{fffd}' };
            self.put(c, &From::Escape(source));
        }
    }

    fn unicode(&mut self, value: i32, source: Range<usize>) {
        self.flush_but_surrogate();
        self.state.fresh = false;
        let unit = (value as u32 & 0xffff) as u16;
        let left = self.state.fallback;
        self.escape = Some(Escape { unit, source, left });
        if left == 0 {
            self.flush_but_surrogate();
        }
    }

    /// Takes `n` characters of fallback, when an escape waits for them.
    fn skips(&mut self, n: usize, source: Range<usize>) -> bool {
        let Some(escape) = self.escape.as_mut() else {
            return false;
        };
        escape.left = escape.left.saturating_sub(n);
        escape.source.end = source.end;
        if escape.left == 0 {
            self.flush_but_surrogate();
        }
        true
    }

    fn flush(&mut self) {
        self.flush_but_surrogate();
        if let Some((_, start)) = self.high.take() {
            self.put('\u{fffd}', &From::Escape(start..start + 1));
        }
    }

    /// Puts what waits; half a surrogate pair waits for the other half.
    fn flush_but_surrogate(&mut self) {
        self.give_up();
        let Some(Escape { unit, source, .. }) = self.escape.take() else {
            return;
        };
        if (0xd800..0xdc00).contains(&unit) {
            self.high = Some((unit, source.start));
            return;
        }
        let (units, start) = match self.high.take() {
            Some((high, start)) => (vec![high, unit], start),
            None => (vec![unit], source.start),
        };
        // Symbol fonts: the private area repeats the byte.
        let plain = |c: char| match u32::from(c) {
            code @ 0xf020..=0xf0ff => char::from_u32(code - 0xf000).unwrap_or(c),
            _ => c,
        };
        for c in char::decode_utf16(units) {
            let c = c.map_or('\u{fffd}', plain);
            self.put(c, &From::Escape(start..source.end));
        }
    }

    fn put(&mut self, c: char, from: &From) {
        self.state.fresh = false;
        if self.state.place.is_data() || self.state.place == Place::Colours {
            return;
        }
        let seen = self.seen();
        self.channels.push(self.state.place, c, from, seen);
    }

    fn seen(&self) -> Seen {
        let state = &self.state;
        if state.deleted {
            return Seen::Deleted;
        }
        if state.hidden || state.tiny {
            return Seen::Hidden;
        }
        let colour = |index: i32| usize::try_from(index).ok().and_then(|i| self.colours.get(i));
        let white = |c: &[i32; 3]| c.iter().all(|part| *part >= 0xf0);
        let black = |c: &[i32; 3]| c.iter().all(|part| *part <= 0x20);
        let ink = colour(state.colour).copied().unwrap_or_default();
        let white_ink = state.colour != 0 && white(&ink);
        if state.mark != 0 {
            let mark = colour(state.mark).copied().unwrap_or([255; 3]);
            if black(&mark) && black(&ink) || mark == ink && !white_ink {
                return Seen::Covered;
            }
            return if white_ink && white(&mark) {
                Seen::Hidden
            } else {
                Seen::Shown
            };
        }
        if white_ink && !self.cell_colour {
            Seen::Hidden
        } else {
            Seen::Shown
        }
    }
}

fn picture_type(word: &str) -> Option<&'static str> {
    Some(match word {
        "pngblip" => "image/png",
        "jpegblip" => "image/jpeg",
        "emfblip" => "image/emf",
        "wmetafile" | "pmmetafile" => "image/wmf",
        "dibitmap" | "wbitmap" => "image/bmp",
        "macpict" => "image/x-pict",
        _ => return None,
    })
}
