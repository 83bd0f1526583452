//! Data in hexadecimal digits: pictures, embedded objects, parts of other formats.

use super::places::Place;
use crate::content::{Budget, Child, Content, Hint, Spent};
use crate::document::{cfb, sniff, strings};
use crate::types::PartPath;
use std::borrow::Cow;
use std::ops::Range;

/// One stretch of data.
pub(super) struct Blob {
    pub place: Place,
    /// Groups open around it.
    pub depth: usize,
    pub media_type: &'static str,
    bytes: Vec<u8>,
    nibble: Option<u8>,
    /// From the first to the last digit.
    source: Option<Range<usize>>,
    /// Something else stands between the digits, so that they cannot be written again as one.
    broken_up: bool,
}

impl Blob {
    pub fn new(place: Place, depth: usize) -> Blob {
        Blob {
            place,
            depth,
            media_type: "",
            bytes: Vec::new(),
            nibble: None,
            source: None,
            broken_up: false,
        }
    }

    pub fn hex(&mut self, text: &[u8], source: Range<usize>) {
        for b in text {
            let Some(value) = char::from(*b).to_digit(16) else {
                continue;
            };
            match self.nibble.take() {
                None => self.nibble = Some(value as u8),
                Some(high) => self.bytes.push(high << 4 | value as u8),
            }
        }
        let start = self.source.as_ref().map_or(source.start, |known| known.start);
        self.source = Some(start..source.end);
    }

    pub fn raw(&mut self, bytes: &[u8]) {
        self.broken_up = true;
        self.bytes.extend_from_slice(bytes);
    }

    pub fn interrupt(&mut self) {
        self.broken_up |= self.source.is_some();
    }

    /// Children and texts of the data. Gives the bytes of source of a child that can be written again.
    pub fn finish(
        self,
        content: &mut Content<'_>,
        budget: &mut Budget,
    ) -> Result<Option<(usize, Range<usize>)>, Spent> {
        if self.bytes.is_empty() {
            return Ok(None);
        }
        budget.produce(self.bytes.len() as u64)?;
        let number = u32::try_from(content.children.len() + 1).unwrap_or(u32::MAX);
        match self.place {
            Place::Object => {
                cfb::ole1::read(content, &self.bytes, budget)?;
                return Ok(None);
            }
            Place::Picture => {}
            Place::Blob if sniff::is_marked(&self.bytes) => {}
            _ => {
                strings::add(content, &self.bytes, PartPath::default());
                return Ok(None);
            }
        }
        let index = content.children.len();
        content.children.push(Child {
            path: PartPath(vec![number]),
            bytes: Cow::Owned(self.bytes),
            hint: Hint {
                media_type: self.media_type.to_owned(),
                attachment: true,
                ..Hint::default()
            },
            alternative: false,
        });
        let writable = self.place == Place::Picture && !self.broken_up;
        Ok(self.source.filter(|_| writable).map(|source| (index, source)))
    }
}
