//! What every reader of a format yields, and how edits go back: the one contract between the formats (`message`,
//! `document`) and the walk over a whole mail (`inspect`, `redact`).
//!
//! A reader takes the bytes of one thing (a mail, a part, a file) and gives back *views* (Unicode text with a map to the
//! source bytes), *children* (things inside, read by whoever reads their type), doubts and seals. Redaction is the same
//! road back: edits of view text and new bytes of children go to the format's `rebuild`, which changes those bytes and
//! no others.

mod budget;
mod map;

pub use budget::{Budget, Limits, Spent};
pub use map::{Form, SourceMap};

use crate::types::{Concealed, DoubtKind, Location, OfficePlace, PartPath, SealKind};
use std::borrow::Cow;
use std::ops::Range;

/// What one reader found in one thing.
#[derive(Default)]
pub struct Content<'a> {
    /// Texts a recipient could read or recover, each with its way back to the source.
    pub views: Vec<View>,
    /// Things inside.
    pub children: Vec<Child<'a>>,
    /// Things inside that this reader has read itself (the XML of a package): their text stands in `views`, nobody walks
    /// into them. The source of the views is the thing's own bytes followed by theirs, in this order.
    pub absorbed: Vec<Child<'a>>,
    /// What could not be read, or can be read in more than one way.
    pub doubts: Vec<ContentDoubt>,
    /// Signed or encrypted, as seen by this reader; `path` is relative to this thing.
    pub seals: Vec<(PartPath, SealKind)>,
    /// The words that a program read in this picture. The view with their text ([`Location::Ocr`]) is in [`Form::Units`], and its
    /// numbers count these.
    pub words: Vec<WordBox>,
}

/// Where a word stands in a picture, in pixels from its upper left corner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WordBox {
    /// From 0.
    pub page: u32,
    /// Words with the same number stand on one line.
    pub line: u32,
    /// From the left.
    pub left: u32,
    /// From above.
    pub top: u32,
    /// To the right.
    pub width: u32,
    /// Down.
    pub height: u32,
}

/// One text.
pub struct View {
    /// Where this text stands in the thing.
    pub location: Location,
    /// Not shown to a reader, but recoverable.
    pub hidden: bool,
    /// Covered by somebody, and still there.
    pub fake_redaction: bool,
    /// The text as a person or a program could read it.
    pub text: String,
    /// From text to source bytes.
    pub map: SourceMap,
    /// Relative part path when the view belongs to a part that is no child of its own (a part's headers).
    pub part: PartPath,
    /// Finer places than `location`, each from its byte of text on, in order. Mostly empty.
    pub spots: Vec<(usize, Spot)>,
    /// The text is a guess at what was meant (a number in a sheet that may have lost its zero): what is found in it is possible
    /// at most, and only with its checksum.
    pub guess: bool,
}

/// A finer place within a view.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spot {
    /// A cell of the view's sheet, counted from 0.
    Cell {
        /// Row.
        row: u32,
        /// Column.
        column: u32,
        /// What hides it.
        concealed: Concealed,
    },
    /// The footnote, endnote or slide of that number.
    Number(u32),
}

/// Something inside, with what the outside says of it.
pub struct Child<'a> {
    /// Relative path of this child, e.g. `1.2` for MIME part 1.2; archives use the entry number.
    pub path: PartPath,
    /// Decoded bytes (transfer encoding or compression taken off).
    pub bytes: Cow<'a, [u8]>,
    /// What the outside declares.
    pub hint: Hint,
    /// A second reading of a part already listed (an odd transfer encoding): inspected, never rebuilt.
    pub alternative: bool,
}

/// What the outside declares of a thing; the content decides, this only helps.
#[derive(Clone, Debug, Default)]
pub struct Hint {
    /// Lower case, no parameters; empty when nothing was declared.
    pub media_type: String,
    /// `charset` parameter as written.
    pub charset: Option<String>,
    /// File name, decoded.
    pub name: Option<String>,
    /// The part is a file rather than the text of the mail.
    pub attachment: bool,
    /// `format=flowed` (RFC 3676).
    pub flowed: bool,
    /// `delsp=yes` with it.
    pub delsp: bool,
    /// It is a page, or a strip of one, rather than a picture on a page.
    pub scan: bool,
}

/// A doubt with a path relative to the thing that was read.
#[derive(Clone, Debug)]
pub struct ContentDoubt {
    /// What kind.
    pub kind: DoubtKind,
    /// Relative part path.
    pub part: PartPath,
    /// Where in it.
    pub location: Location,
    /// One English sentence without content of the mail.
    pub reason: String,
}

/// Edits that go back into one thing.
#[derive(Default)]
pub struct Changes {
    /// Replacements in view texts, by index into `Content::views`.
    pub texts: Vec<TextEdit>,
    /// New bytes of children, by index into `Content::children`.
    pub children: Vec<(usize, Vec<u8>)>,
}

/// One replacement in one view's text.
#[derive(Clone, Debug)]
pub struct TextEdit {
    /// Index into `Content::views`.
    pub view: usize,
    /// Byte range of the view's text.
    pub range: Range<usize>,
    /// What stands there afterwards.
    pub with: String,
}

/// Replaces one range of bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Splice {
    /// In the bytes before any edit.
    pub range: Range<usize>,
    /// What stands there afterwards.
    pub with: Vec<u8>,
}

/// Why a thing cannot be edited. The mail goes to quarantine then.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CannotEdit {
    /// Signed or encrypted.
    #[error("it is signed or encrypted")]
    Sealed,
    /// The text cannot be traced back to source bytes.
    #[error("the text cannot be traced back to its bytes: {0}")]
    Untraceable(&'static str),
    /// The format has no writer.
    #[error("this format cannot be rewritten: {0}")]
    Unsupported(&'static str),
    /// The result would not be a sound file.
    #[error("the edited file would not be sound: {0}")]
    Unsound(String),
}

/// Copies `source` with the splices carried out; all other bytes stay as they are. Splices may come in any order;
/// equal ones count once.
///
/// # Errors
/// [`CannotEdit::Unsound`] when two splices overlap or one is out of bounds.
pub fn splice(source: &[u8], mut splices: Vec<Splice>) -> Result<Vec<u8>, CannotEdit> {
    splices.sort_by_key(|s| (s.range.start, s.range.end));
    splices.dedup();
    let mut out = Vec::with_capacity(source.len());
    let mut at = 0;
    for splice in splices {
        if splice.range.start < at || splice.range.end < splice.range.start || splice.range.end > source.len() {
            return Err(CannotEdit::Unsound("two edits overlap".to_owned()));
        }
        out.extend_from_slice(&source[at..splice.range.start]);
        out.extend_from_slice(&splice.with);
        at = splice.range.end;
    }
    out.extend_from_slice(&source[at..]);
    Ok(out)
}

impl View {
    /// Where the byte `at` of the text stands, and whether it is hidden.
    pub fn place_at(&self, at: usize) -> (Location, bool) {
        let spot = self.spots.partition_point(|(from, _)| *from <= at);
        let spot = spot.checked_sub(1).and_then(|last| self.spots.get(last));
        let Location::Office(place) = &self.location else {
            return (self.location.clone(), self.hidden);
        };
        let place = match (place, spot.map(|(_, spot)| *spot)) {
            (OfficePlace::Sheet(_, sheet), Some(Spot::Cell { row, column, concealed })) => OfficePlace::Cell {
                sheet: sheet.clone(),
                cell: cell_name(row, column),
                concealed,
            },
            (OfficePlace::Formula { sheet, .. }, Some(Spot::Cell { row, column, .. })) => OfficePlace::Formula {
                sheet: sheet.clone(),
                cell: cell_name(row, column),
            },
            (OfficePlace::Footnote(_), Some(Spot::Number(n))) => OfficePlace::Footnote(n),
            (OfficePlace::Endnote(_), Some(Spot::Number(n))) => OfficePlace::Endnote(n),
            (OfficePlace::Slide(_), Some(Spot::Number(n))) => OfficePlace::Slide(n),
            (OfficePlace::HiddenSlide(_), Some(Spot::Number(n))) => OfficePlace::HiddenSlide(n),
            (OfficePlace::Notes(_), Some(Spot::Number(n))) => OfficePlace::Notes(n),
            (place, _) => place.clone(),
        };
        let hidden = self.hidden || place.is_hidden();
        (Location::Office(place), hidden)
    }

    /// The byte splices that carry out `edits` (all of this view), character by character, in the form the source is
    /// written in.
    ///
    /// # Errors
    /// [`CannotEdit::Untraceable`] when a character has no bytes of its own in the source.
    pub fn splices<'e>(&self, edits: impl IntoIterator<Item = &'e TextEdit>) -> Result<Vec<Splice>, CannotEdit> {
        if self.map.form() == Form::Units {
            return Err(CannotEdit::Untraceable("its source is not bytes"));
        }
        let mut splices = Vec::new();
        for edit in edits {
            let source = self.map.source_of(edit.range.clone())?;
            splices.push(Splice {
                range: source,
                with: self.map.form().encode(&edit.with),
            });
        }
        Ok(splices)
    }
}

/// `B7` for row 6, column 1.
fn cell_name(row: u32, column: u32) -> String {
    let mut letters = Vec::new();
    let mut left = column.saturating_add(1);
    while left > 0 {
        left -= 1;
        letters.push(char::from(b'A' + (left % 26) as u8));
        left /= 26;
    }
    let letters: String = letters.into_iter().rev().collect();
    format!("{letters}{}", row.saturating_add(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_named_as_their_program_names_them() {
        assert_eq!(cell_name(6, 1), "B7");
        assert_eq!(cell_name(0, 25), "Z1");
        assert_eq!(cell_name(9, 26), "AA10");
        assert_eq!(cell_name(0, 16_383), "XFD1");
    }

    #[test]
    fn splice_changes_the_named_ranges_and_nothing_else() {
        let edits = vec![
            Splice {
                range: 6..8,
                with: b"XY".to_vec(),
            },
            Splice {
                range: 0..1,
                with: Vec::new(),
            },
        ];
        assert_eq!(splice(b"0123456789", edits).expect("sound"), b"12345XY89");
    }

    #[test]
    fn overlapping_splices_are_refused() {
        let edits = vec![
            Splice {
                range: 0..4,
                with: Vec::new(),
            },
            Splice {
                range: 3..5,
                with: Vec::new(),
            },
        ];
        assert!(splice(b"0123456789", edits).is_err());
    }
}
