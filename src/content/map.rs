//! From decoded text back to the bytes it came from.

use super::CannotEdit;
use std::ops::Range;

/// How characters are written in the source, for writing replacements.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Form {
    /// UTF-8 or any charset in which ASCII stands for itself; replacements are ASCII.
    #[default]
    Ascii,
    /// UTF-16, little end first.
    Utf16Le,
    /// UTF-16, big end first.
    Utf16Be,
    /// UTF-32, little end first.
    Utf32Le,
    /// UTF-32, big end first.
    Utf32Be,
    /// The source is no bytes but numbers that the reader gave to what it read (glyphs, characters of packed strings), because
    /// the format has no bytes that stand for a character alone. Only that reader's `rebuild` knows what they mean: it
    /// reads again and numbers again.
    Units,
}

impl Form {
    /// The bytes of `text` in this form.
    pub fn encode(self, text: &str) -> Vec<u8> {
        match self {
            Form::Ascii | Form::Units => text.as_bytes().to_vec(),
            Form::Utf16Le => text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
            Form::Utf16Be => text.encode_utf16().flat_map(u16::to_be_bytes).collect(),
            Form::Utf32Le => text.chars().flat_map(|c| u32::from(c).to_le_bytes()).collect(),
            Form::Utf32Be => text.chars().flat_map(|c| u32::from(c).to_be_bytes()).collect(),
        }
    }
}

/// One stretch of text and its bytes.
#[derive(Clone, Copy, Debug)]
struct Run {
    text: usize,
    text_len: usize,
    source: usize,
    source_len: usize,
    /// Byte `i` of the text run is the `step` source bytes from `i * step` on; 0: the run is one unit.
    step: usize,
}

impl Run {
    /// Source of a range of text that lies in this run.
    fn source_of(&self, text: Range<usize>) -> Range<usize> {
        if self.step == 0 {
            self.source..self.source + self.source_len
        } else {
            self.source + (text.start - self.text) * self.step..self.source + (text.end - self.text) * self.step
        }
    }
}

/// Maps byte ranges of a view's text to byte ranges of its source. Built in text order; text without a run (an inserted
/// line break) has no source.
#[derive(Clone, Debug, Default)]
pub struct SourceMap {
    runs: Vec<Run>,
    form: Form,
}

impl SourceMap {
    /// An empty map for a source written in `form`.
    pub fn new(form: Form) -> SourceMap {
        SourceMap { runs: Vec::new(), form }
    }

    /// Text that is its source, byte for byte, from `source` on.
    pub fn identity(len: usize, source: usize) -> SourceMap {
        let mut map = SourceMap::default();
        map.linear(0, source, len);
        map
    }

    /// How replacements are to be written.
    pub fn form(&self) -> Form {
        self.form
    }

    /// `len` bytes of text from `text` on are the `len` source bytes from `source` on. Neighbouring runs are joined.
    pub fn linear(&mut self, text: usize, source: usize, len: usize) {
        self.scaled(text, source, len, 1);
    }

    /// As [`SourceMap::linear`], each byte of text being `step` source bytes (ASCII written in UTF-16 or UTF-32).
    pub fn scaled(&mut self, text: usize, source: usize, len: usize, step: usize) {
        if len == 0 || step == 0 {
            return;
        }
        if let Some(last) = self.runs.last_mut()
            && last.step == step
            && last.text + last.text_len == text
            && last.source + last.source_len == source
        {
            last.text_len += len;
            last.source_len += len * step;
            return;
        }
        self.runs.push(Run {
            text,
            text_len: len,
            source,
            source_len: len * step,
            step,
        });
    }

    /// The text bytes `text` come as one unit from the source bytes `source` (an entity, an escaped byte).
    pub fn unit(&mut self, text: Range<usize>, source: Range<usize>) {
        if !text.is_empty() {
            self.runs.push(Run {
                text: text.start,
                text_len: text.len(),
                source: source.start,
                source_len: source.len(),
                step: 0,
            });
        }
    }

    /// Source bytes of a range of text: linear runs exactly, units whole; the range must be without gaps in the source
    /// map (ask for one character at a time).
    ///
    /// # Errors
    /// [`CannotEdit::Untraceable`] when part of the range has no source, or the sources do not touch.
    pub fn source_of(&self, range: Range<usize>) -> Result<Range<usize>, CannotEdit> {
        let mut i = self.runs.partition_point(|run| run.text + run.text_len <= range.start);
        let mut at = range.start;
        let mut found: Option<Range<usize>> = None;
        while at < range.end {
            let run = self
                .runs
                .get(i)
                .filter(|run| run.text <= at)
                .ok_or(CannotEdit::Untraceable("it has no source"))?;
            let end = range.end.min(run.text + run.text_len);
            let piece = run.source_of(at..end);
            found = Some(match found {
                None => piece,
                Some(before) if before.end == piece.start => before.start..piece.end,
                Some(_) => return Err(CannotEdit::Untraceable("its source is scattered")),
            });
            at = end;
            i += 1;
        }
        found.ok_or(CannotEdit::Untraceable("the range is empty"))
    }

    /// This map, whose source is the *text* of `below`, carried down to the source of `below` (markup over a charset).
    pub fn through(&self, below: &SourceMap) -> SourceMap {
        let mut out = SourceMap::new(below.form);
        for run in &self.runs {
            let middle = run.source..run.source + run.source_len;
            if run.step == 1 {
                below.copy_into(&mut out, middle, run.text);
            } else if let Ok(source) = below.source_of(middle) {
                out.unit(run.text..run.text + run.text_len, source);
            }
        }
        out
    }

    /// Adds what maps `range` of this map's text to `out`, there standing from `text` on.
    fn copy_into(&self, out: &mut SourceMap, range: Range<usize>, text: usize) {
        let first = self.runs.partition_point(|run| run.text + run.text_len <= range.start);
        for run in self.runs.iter().skip(first).take_while(|run| run.text < range.end) {
            let part = range.start.max(run.text)..range.end.min(run.text + run.text_len);
            let at = text + (part.start - range.start);
            let source = run.source_of(part.clone());
            if run.step == 0 {
                out.unit(at..at + part.len(), source);
            } else {
                out.scaled(at, source.start, part.len(), run.step);
            }
        }
    }

    /// The same text, its source moved by `offset` bytes (a part inside a larger source).
    pub fn shifted(mut self, offset: usize) -> SourceMap {
        for run in &mut self.runs {
            run.source += offset;
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digit_in_an_entity_maps_to_the_whole_entity() {
        // "01&#48;" -> "010"
        let mut map = SourceMap::default();
        map.linear(0, 0, 2);
        map.unit(2..3, 2..7);
        assert_eq!(map.source_of(1..2), Ok(1..2));
        assert_eq!(map.source_of(2..3), Ok(2..7));
        assert_eq!(map.source_of(1..3), Ok(1..7));
    }

    #[test]
    fn text_without_source_is_untraceable() {
        let mut map = SourceMap::default();
        map.linear(0, 0, 2);
        map.linear(3, 2, 2);
        assert!(map.source_of(2..3).is_err());
        assert!(map.source_of(1..4).is_err());
        assert_eq!(map.source_of(3..5), Ok(2..4));
    }

    #[test]
    fn maps_are_carried_down_through_a_charset() {
        // UTF-16 "a&#49;b": the entity is six characters, twelve bytes.
        let mut below = SourceMap::new(Form::Utf16Le);
        below.scaled(0, 2, 7, 2);
        let mut above = SourceMap::default();
        above.linear(0, 0, 1);
        above.unit(1..2, 1..6);
        above.linear(2, 6, 1);
        let map = above.through(&below);
        assert_eq!(map.form(), Form::Utf16Le);
        assert_eq!(map.source_of(0..1), Ok(2..4));
        assert_eq!(map.source_of(1..2), Ok(4..14));
        assert_eq!(map.source_of(2..3), Ok(14..16));
    }
}
