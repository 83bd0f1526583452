//! Records, and strings that go on in the next one ([MS-XLS] 2.5.294, 2.5.293).

use super::super::file::u16_at;
use crate::document::mapi;

const CONTINUE: u16 = 0x3c;

/// One record with its continuations.
pub(super) struct Record<'t> {
    pub id: u16,
    /// Where it begins in the stream.
    pub at: usize,
    segments: Vec<&'t [u8]>,
}

/// All records of a stream.
pub(super) struct Records<'t> {
    bytes: &'t [u8],
    at: usize,
}

impl<'t> Records<'t> {
    pub fn of(bytes: &'t [u8]) -> Records<'t> {
        Records { bytes, at: 0 }
    }

    fn one(&mut self) -> Option<(u16, &'t [u8])> {
        let id = u16_at(self.bytes, self.at)?;
        let len = usize::from(u16_at(self.bytes, self.at + 2)?);
        let from = self.at + 4;
        let end = (from + len).min(self.bytes.len());
        self.at = end;
        Some((id, self.bytes.get(from..end)?))
    }
}

impl<'t> Iterator for Records<'t> {
    type Item = Record<'t>;

    fn next(&mut self) -> Option<Record<'t>> {
        let at = self.at;
        let (id, data) = self.one()?;
        let mut segments = vec![data];
        while u16_at(self.bytes, self.at) == Some(CONTINUE) {
            segments.push(self.one()?.1);
        }
        Some(Record { id, at, segments })
    }
}

impl<'t> Record<'t> {
    /// Without continuations.
    pub fn data(&self) -> &'t [u8] {
        self.segments.first().copied().unwrap_or_default()
    }

    /// A string with a length of two bytes at `at`.
    pub fn text(&self, at: usize, old: bool) -> Option<String> {
        Text::over(self, at).sized(2, old)
    }

    /// A string with a length of one byte at `at`.
    pub fn short_text(&self, at: usize, old: bool) -> Option<String> {
        Text::over(self, at).sized(1, old)
    }

    /// Characters at `at`, their number told elsewhere.
    pub fn characters(&self, at: usize, len: usize, old: bool) -> Option<String> {
        let mut text = Text::over(self, at);
        if old {
            return Some(mapi::narrow(&text.take(len)?));
        }
        text.characters(len)
    }

    /// The continuations alone.
    pub fn later(&self) -> Option<Text<'_, 't>> {
        (self.segments.len() > 1).then_some(Text {
            segments: &self.segments,
            segment: 1,
            at: 0,
        })
    }
}

/// A place in a record.
pub(super) struct Text<'r, 't> {
    segments: &'r [&'t [u8]],
    segment: usize,
    at: usize,
}

impl<'r, 't> Text<'r, 't> {
    pub fn over(record: &'r Record<'t>, at: usize) -> Text<'r, 't> {
        Text {
            segments: &record.segments,
            segment: 0,
            at,
        }
    }

    pub fn byte(&mut self) -> Option<u8> {
        loop {
            let segment = self.segments.get(self.segment)?;
            if let Some(byte) = segment.get(self.at) {
                self.at += 1;
                return Some(*byte);
            }
            self.segment += 1;
            self.at = 0;
        }
    }

    pub fn take(&mut self, len: usize) -> Option<Vec<u8>> {
        (0..len).map(|_| self.byte()).collect()
    }

    fn number(&mut self, size: usize) -> Option<usize> {
        let raw = self.take(size)?;
        Some(raw.iter().rev().fold(0, |all, byte| all << 8 | usize::from(*byte)))
    }

    /// Length, flags, characters, and what else belongs to the string.
    pub fn sized(&mut self, size: usize, old: bool) -> Option<String> {
        let len = self.number(size)?;
        if old {
            return Some(mapi::narrow(&self.take(len)?));
        }
        let flags = self.byte()?;
        let runs = if flags & 8 != 0 { self.number(2)? } else { 0 };
        let more = if flags & 4 != 0 { self.number(4)? } else { 0 };
        let text = self.run(len, flags & 1 == 1)?;
        for _ in 0..runs.saturating_mul(4).saturating_add(more) {
            self.byte()?;
        }
        Some(text)
    }

    /// Flags and `len` characters.
    pub fn characters(&mut self, len: usize) -> Option<String> {
        let flags = self.byte()?;
        self.run(len, flags & 1 == 1)
    }

    /// Where characters go on in the next record, that begins with new flags.
    fn run(&mut self, len: usize, mut wide: bool) -> Option<String> {
        let mut units = Vec::with_capacity(len.min(1 << 16));
        while units.len() < len {
            let segment = self.segments.get(self.segment)?;
            if self.at >= segment.len() {
                self.segment += 1;
                self.at = 0;
                wide = self.byte()? & 1 == 1;
                continue;
            }
            let low = self.byte()?;
            let high = if wide { self.byte()? } else { 0 };
            units.push(u16::from_le_bytes([low, high]));
        }
        Some(char::decode_utf16(units).map(|c| c.unwrap_or('\u{fffd}')).collect())
    }
}
