//! Readable runs in binary data, as UTF-16 and as single bytes: so that what no rule knows is not passed over in silence.

use super::charset;
use crate::content::{Content, SourceMap, View};
use crate::types::{Location, PartPath};

/// Shorter runs are chance.
const SHORTEST: usize = 6;

/// Views of all runs with a digit in them. They are second readings: what a rule has found is not told twice.
pub(super) fn add(content: &mut Content<'_>, bytes: &[u8], part: PartPath) {
    let wide = [0, 1].map(|skip| wide(bytes, skip));
    for text in wide.into_iter().chain([narrow(bytes)]) {
        if !text.is_empty() {
            content.views.push(View {
                location: Location::Source,
                hidden: true,
                fake_redaction: false,
                text,
                map: SourceMap::default(),
                part: part.clone(),
                spots: Vec::new(),
                guess: false,
            });
        }
    }
}

/// Collects runs, each a line.
#[derive(Default)]
struct Runs {
    text: String,
    start: usize,
    count: usize,
    digits: usize,
}

impl Runs {
    fn push(&mut self, c: Option<char>) {
        match c {
            Some(c) => {
                self.text.push(c);
                self.count += 1;
                self.digits += usize::from(c.is_numeric());
            }
            None => self.end(),
        }
    }

    fn end(&mut self) {
        if self.count < SHORTEST || self.digits < 4 {
            self.text.truncate(self.start);
        } else {
            self.text.push('\n');
        }
        self.start = self.text.len();
        (self.count, self.digits) = (0, 0);
    }

    fn finish(mut self) -> String {
        self.end();
        self.text
    }
}

/// Runs in UTF-16, wherever they begin, and of single bytes, as lines.
pub(super) fn lines(bytes: &[u8]) -> String {
    wide(bytes, 0) + &wide(bytes, 1) + &narrow(bytes)
}

fn wide(bytes: &[u8], skip: usize) -> String {
    let mut runs = Runs::default();
    for pair in bytes.get(skip..).unwrap_or_default().chunks_exact(2) {
        let unit = match pair {
            [a, b] => u32::from(u16::from_le_bytes([*a, *b])),
            _ => 0,
        };
        // Latin, Greek, Cyrillic and punctuation; the rest of the plane is what any bytes make.
        let text = matches!(unit, 9 | 0x20..=0x7e | 0xa0..=0x17f | 0x370..=0x4ff | 0x2000..=0x2064 | 0xff10..=0xff19);
        runs.push(char::from_u32(unit).filter(|_| text));
    }
    runs.finish()
}

fn narrow(bytes: &[u8]) -> String {
    let mut runs = Runs::default();
    for c in charset::latin1(bytes).text.chars() {
        let text = c == '\t' || (' '..='~').contains(&c) || ('\u{a0}'..='ÿ').contains(&c);
        runs.push(Some(c).filter(|_| text));
    }
    runs.finish()
}
