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

use crate::types::{DoubtKind, Location, PartPath, SealKind};
use std::borrow::Cow;
use std::ops::Range;

/// What one reader found in one thing.
#[derive(Default)]
pub struct Content<'a> {
    /// Texts a recipient could read or recover, each with its way back to the source.
    pub views: Vec<View>,
    /// Things inside.
    pub children: Vec<Child<'a>>,
    /// What could not be read, or can be read in more than one way.
    pub doubts: Vec<ContentDoubt>,
    /// Signed or encrypted, as seen by this reader; `path` is relative to this thing.
    pub seals: Vec<(PartPath, SealKind)>,
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

#[cfg(test)]
mod tests {
    use super::*;

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
