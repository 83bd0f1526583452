//! Files and texts that are no mail: what a recipient could read in them, and edits put back into the same bytes.
//!
//! One file or folder per format family; a new family is a variant of [`Family`], a row in `sniff` and a reader. Nothing
//! here looks for numbers, walks into children or opens files: readers yield views and children, `inspect` walks on.

mod ar;
mod base64;
mod cfb;
mod channels;
mod charset;
mod gzip;
mod html;
mod inflate;
mod lzfu;
mod mapi;
mod mbox;
mod office;
mod other;
mod pdf;
mod picture;
mod quoted;
mod rtf;
mod sevenz;
mod sniff;
mod sqlite;
mod stream;
mod strings;
mod tar;
mod text;
mod tnef;
mod xlsb;
mod zip;

pub use picture::{Picture, could_be_a_page, is_too_small_for_text, picture_moves, picture_size};

use crate::content::{Budget, CannotEdit, Changes, Content, ContentDoubt, Hint, View};
use crate::types::{DoubtKind, Location, PartPath};

/// The families that can be told apart; decided by content, the hint only breaks ties.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// A mail: read by `message`, not here.
    Mail,
    /// Plain text in any charset, CSV, JSON, source.
    Text,
    /// HTML and XML.
    Html,
    /// ZIP and what is built on it.
    Zip,
    /// gzip.
    Gzip,
    /// RTF.
    Rtf,
    /// Compound files: legacy Office, Outlook messages, encrypted Office.
    Ole,
    /// Outlook's winmail.dat.
    Tnef,
    /// One file packed by bzip2, xz, Zstandard, LZ4, lzip, LZMA.
    Stream,
    /// tar.
    Tar,
    /// 7z.
    SevenZip,
    /// ar, cpio.
    Ar,
    /// Mailboxes in one file.
    Mbox,
    /// SQLite databases.
    Sqlite,
    /// Pictures, whose pixels nobody reads here.
    Picture(Picture),
    /// PDF.
    Pdf,
    /// Known or unknown, but without a reader yet.
    Other,
}

/// Which family reads these bytes.
pub fn family(bytes: &[u8], hint: &Hint) -> Family {
    sniff::family(bytes, hint)
}

/// Reads one thing that is no mail. Never fails: what cannot be read is a doubt. Bytes that decoding produces are booked
/// in `budget`; booking each child as a part, at its depth, is for whoever walks into it.
pub fn read<'a>(bytes: &'a [u8], hint: &Hint, budget: &mut Budget) -> Content<'a> {
    match family(bytes, hint) {
        // A mail handed here by mistake is read as the text that it is, rather than not at all.
        Family::Text | Family::Mail => text::read(bytes, hint, budget),
        Family::Html if office::is_flat(bytes) => office::read_flat(bytes, budget),
        Family::Html => html::read(bytes, hint, budget),
        Family::Zip => zip::read(bytes, hint, budget),
        Family::Gzip => gzip::read(bytes, hint, budget),
        Family::Rtf => rtf::read(bytes, budget),
        Family::Ole => cfb::read(bytes, budget),
        Family::Tnef => tnef::read(bytes, budget),
        Family::Stream => stream::read(bytes, hint, budget),
        Family::Tar => tar::read(bytes, budget),
        Family::SevenZip => sevenz::read(bytes, budget),
        Family::Ar => ar::read(bytes, budget),
        Family::Mbox => mbox::read(bytes, budget),
        Family::Sqlite => sqlite::read(bytes, budget),
        Family::Picture(kind) => picture::read(bytes, kind, budget),
        Family::Pdf => pdf::read(bytes, hint, budget),
        Family::Other => other::read(bytes, hint, budget),
    }
}

/// Puts changes back into the same bytes that gave `content`.
///
/// # Errors
/// Why it cannot be done; nothing is half done.
pub fn rebuild(bytes: &[u8], hint: &Hint, content: &Content<'_>, changes: Changes) -> Result<Vec<u8>, CannotEdit> {
    if changes.texts.is_empty() && changes.children.is_empty() {
        return Ok(bytes.to_vec());
    }
    if !content.seals.is_empty() {
        return Err(CannotEdit::Sealed);
    }
    for (index, _) in &changes.children {
        match content.children.get(*index) {
            Some(child) if !child.alternative => {}
            _ => return Err(CannotEdit::Unsupported("what is inside is a second reading")),
        }
    }
    match family(bytes, hint) {
        Family::Text | Family::Mail => text::rebuild(bytes, content, &changes),
        Family::Html if office::is_flat(bytes) => office::rebuild_flat(bytes, content, &changes),
        Family::Html => html::rebuild(bytes, content, &changes),
        Family::Zip => zip::rebuild(bytes, content, &changes),
        Family::Gzip => gzip::rebuild(bytes, content, &changes),
        Family::Rtf => rtf::rebuild(bytes, content, &changes),
        Family::Ole => Err(CannotEdit::Unsupported("a legacy Office file or Outlook message")),
        Family::Tnef => Err(CannotEdit::Unsupported("an Outlook winmail.dat")),
        Family::Stream => stream::rebuild(bytes, content, &changes),
        Family::Tar => tar::rebuild(bytes, content, &changes),
        Family::Mbox => mbox::rebuild(bytes, content, &changes),
        Family::Picture(_) => picture::rebuild(bytes, content, &changes),
        Family::SevenZip => Err(CannotEdit::Unsupported("7z archives have no writer")),
        Family::Ar => Err(CannotEdit::Unsupported("ar and cpio archives have no writer")),
        Family::Sqlite => Err(CannotEdit::Unsupported("a database has no writer")),
        Family::Pdf => pdf::rebuild(bytes, content, &changes),
        Family::Other => Err(CannotEdit::Unsupported("it is of a kind without a writer")),
    }
}

/// A view of the thing itself, shown to the reader.
fn view(location: Location, reading: charset::Reading) -> View {
    View {
        location,
        hidden: false,
        fake_redaction: false,
        text: reading.text,
        map: reading.map,
        part: PartPath::default(),
        spots: Vec::new(),
        guess: false,
    }
}

/// A doubt about the thing as a whole.
fn doubt(kind: DoubtKind, reason: impl Into<String>) -> ContentDoubt {
    ContentDoubt {
        kind,
        part: PartPath::default(),
        location: Location::Whole,
        reason: reason.into(),
    }
}

/// A doubt about one numbered entry.
fn entry_doubt(kind: DoubtKind, entry: u32, reason: impl Into<String>) -> ContentDoubt {
    ContentDoubt {
        part: PartPath(vec![entry]),
        ..doubt(kind, reason)
    }
}
