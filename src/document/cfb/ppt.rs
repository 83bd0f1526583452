//! PowerPoint's binary format ([MS-PPT]): a tree of records; texts stand in slides and in the outline.

use super::blips::inflate;
use super::file::{u16_at, u32_at, utf16};
use crate::content::{Budget, Child, Content, Hint, SourceMap, Spent, View};
use crate::document::mapi::next;
use crate::document::{doubt, mapi};
use crate::types::{DoubtKind, Location, OfficePlace, PartPath};
use std::borrow::Cow;
use std::collections::HashMap;

/// More levels than the format has.
const DEEPEST: usize = 64;

mod kind {
    pub const SLIDE: u16 = 0x3ee;
    pub const NOTES: u16 = 0x3f0;
    pub const SLIDE_PERSIST: u16 = 0x3f3;
    pub const MASTER: u16 = 0x3f8;
    pub const SHOW_INFO: u16 = 0x3f9;
    pub const HANDOUT: u16 = 0xfc9;
    pub const TEXT_CHARS: u16 = 0xfa0;
    pub const TEXT_BYTES: u16 = 0xfa8;
    pub const STRING: u16 = 0xfba;
    pub const LIST: u16 = 0xff0;
    pub const LINKS: u16 = 0xfd7;
    pub const OBJECT: u16 = 0x1011;
    pub const DIRECTORY: u16 = 0x1772;
    pub const COMMENT: u16 = 0x2ee0;
    pub const ENCRYPTION: u16 = 0x2f14;
    /// Records of later versions, wrapped as data.
    pub const TAG_DATA: u16 = 0x138b;
    pub const HEADERS: u16 = 0xfd9;
}

struct Record {
    at: usize,
    instance: u16,
    container: bool,
    kind: u16,
    from: usize,
    end: usize,
}

/// Reads the stream of a presentation.
pub(super) fn read(bytes: &[u8], locked: bool, content: &mut Content<'_>, budget: &mut Budget) -> Result<(), Spent> {
    if locked || has_encryption(bytes) {
        content
            .doubts
            .push(doubt(DoubtKind::Encrypted, "the presentation is encrypted"));
        return Ok(());
    }
    let mut show = Show {
        bytes,
        current: directory(bytes),
        slides: HashMap::new(),
        notes: HashMap::new(),
        places: Vec::new(),
        count: 0,
    };
    show.number(0, bytes.len(), 0, budget)?;
    show.walk(0, bytes.len(), OfficePlace::Data, 0, content, budget)?;
    let places = std::mem::take(&mut show.places);
    for (place, text) in places {
        budget.produce(text.len() as u64)?;
        content.views.push(View {
            hidden: place.is_hidden(),
            location: Location::Office(place),
            fake_redaction: false,
            text,
            map: SourceMap::default(),
            part: PartPath::default(),
            spots: Vec::new(),
            guess: false,
        });
    }
    Ok(())
}

fn record(bytes: &[u8], at: usize, end: usize) -> Option<Record> {
    let head = u16_at(bytes, at)?;
    let from = at + 8;
    let len = u32_at(bytes, at + 4)? as usize;
    (from <= end).then(|| Record {
        at,
        instance: head >> 4,
        container: head & 15 == 15 || u16_at(bytes, at + 2) == Some(kind::TAG_DATA),
        kind: u16_at(bytes, at + 2).unwrap_or(0),
        from,
        end: from.saturating_add(len).min(end),
    })
}

fn top(bytes: &[u8]) -> impl Iterator<Item = Record> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let record = record(bytes, at, bytes.len())?;
        at = record.end;
        Some(record)
    })
}

fn has_encryption(bytes: &[u8]) -> bool {
    top(bytes).any(|record| record.kind == kind::ENCRYPTION)
}

/// Where the current version of each numbered record stands: later directories change earlier ones.
fn directory(bytes: &[u8]) -> HashMap<u32, usize> {
    let mut current = HashMap::new();
    for record in top(bytes).filter(|record| record.kind == kind::DIRECTORY) {
        let mut at = record.from;
        while let Some(head) = u32_at(bytes, at).filter(|_| at < record.end) {
            at += 4;
            for i in 0..head >> 20 {
                let Some(offset) = u32_at(bytes, at).filter(|_| at < record.end) else {
                    break;
                };
                current.insert((head & 0xf_ffff) + i, offset as usize);
                at += 4;
            }
        }
    }
    current
}

struct Show<'b> {
    bytes: &'b [u8],
    current: HashMap<u32, usize>,
    /// Place of a slide's record -> its number in the show.
    slides: HashMap<usize, u32>,
    notes: HashMap<usize, u32>,
    places: Vec<(OfficePlace, String)>,
    count: u32,
}

impl Show<'_> {
    /// Slides and notes in the order of the outline.
    fn number(&mut self, from: usize, end: usize, depth: usize, budget: &Budget) -> Result<(), Spent> {
        let mut at = from;
        while let Some(found) = record(self.bytes, at, end) {
            budget.in_time()?;
            at = found.end;
            if found.kind == kind::LIST {
                let (mut inner, mut number) = (found.from, 0);
                while let Some(persist) = record(self.bytes, inner, found.end) {
                    inner = persist.end;
                    if persist.kind != kind::SLIDE_PERSIST {
                        continue;
                    }
                    number += 1;
                    let id = u32_at(self.bytes, persist.from).unwrap_or(0);
                    let numbers = match found.instance {
                        0 => &mut self.slides,
                        2 => &mut self.notes,
                        _ => continue,
                    };
                    if let Some(offset) = self.current.get(&id) {
                        numbers.insert(*offset, number);
                    }
                }
            } else if found.container && depth < 2 {
                self.number(found.from, found.end, depth + 1, budget)?;
            }
        }
        Ok(())
    }

    fn walk(
        &mut self,
        from: usize,
        end: usize,
        place: OfficePlace,
        depth: usize,
        content: &mut Content<'_>,
        budget: &mut Budget,
    ) -> Result<(), Spent> {
        let (mut at, mut place) = (from, place);
        while let Some(found) = record(self.bytes, at, end) {
            budget.in_time()?;
            at = found.end;
            let data = self.bytes.get(found.from..found.end).unwrap_or_default();
            match found.kind {
                // In the outline each slide's texts follow its mark.
                kind::SLIDE_PERSIST => {
                    self.count += 1;
                    place = match place {
                        OfficePlace::Notes(_) => OfficePlace::Notes(self.count),
                        OfficePlace::Slide(_) => OfficePlace::Slide(self.count),
                        place => place,
                    };
                }
                kind::TEXT_CHARS | kind::STRING => self.say(&place, &utf16(data)),
                kind::TEXT_BYTES => self.say(&place, &mapi::narrow(data)),
                kind::OBJECT => object(&found, data, content, budget)?,
                _ if found.container && depth < DEEPEST => {
                    let inner = self.place(&found, &place);
                    self.count = 0;
                    self.walk(found.from, found.end, inner, depth + 1, content, budget)?;
                }
                _ if found.container => {
                    let reason = "records are nested deeper than the format allows";
                    content.doubts.push(doubt(DoubtKind::TooDeep, reason));
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn place(&self, found: &Record, around: &OfficePlace) -> OfficePlace {
        let known = |numbers: &HashMap<usize, u32>| numbers.get(&found.at).copied();
        match found.kind {
            // A slide that the directory does not name is what an edit has left behind.
            kind::SLIDE => match known(&self.slides) {
                Some(number) if self.is_hidden(found) => OfficePlace::HiddenSlide(number),
                Some(number) => OfficePlace::Slide(number),
                None => OfficePlace::Data,
            },
            kind::NOTES => known(&self.notes).map_or(OfficePlace::Data, OfficePlace::Notes),
            kind::MASTER | kind::HANDOUT => OfficePlace::Master,
            kind::LIST => match found.instance {
                0 => OfficePlace::Slide(0),
                2 => OfficePlace::Notes(0),
                _ => OfficePlace::Master,
            },
            kind::COMMENT => OfficePlace::Comment,
            kind::LINKS => OfficePlace::Link,
            kind::HEADERS => OfficePlace::PageFooter,
            _ => around.clone(),
        }
    }

    fn is_hidden(&self, slide: &Record) -> bool {
        const HIDDEN: u16 = 4;
        let mut at = slide.from;
        while let Some(inner) = record(self.bytes, at, slide.end) {
            if inner.kind == kind::SHOW_INFO {
                return u16_at(self.bytes, inner.from + 10).is_some_and(|flags| flags & HIDDEN != 0);
            }
            at = inner.end;
        }
        false
    }

    fn say(&mut self, place: &OfficePlace, text: &str) {
        let lines = match self.places.iter_mut().find(|(known, _)| known == place) {
            Some((_, lines)) => lines,
            None => {
                self.places.push((place.clone(), String::new()));
                match self.places.last_mut() {
                    Some((_, lines)) => lines,
                    None => return,
                }
            }
        };
        lines.extend(text.chars().map(|c| if matches!(c, '\r' | '\u{b}') { '\n' } else { c }));
        lines.push('\n');
    }
}

/// An object of another program, mostly a compressed compound file.
fn object(found: &Record, data: &[u8], content: &mut Content<'_>, budget: &mut Budget) -> Result<(), Spent> {
    let bytes = match found.instance {
        1 => inflate(data.get(4..).unwrap_or_default(), budget)?,
        _ => {
            budget.produce(data.len() as u64)?;
            data.to_vec()
        }
    };
    content.children.push(Child {
        path: PartPath(vec![next(content)]),
        bytes: Cow::Owned(bytes),
        hint: Hint {
            attachment: true,
            ..Hint::default()
        },
        alternative: false,
    });
    Ok(())
}
