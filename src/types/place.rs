//! Where something stands in a mail: precise enough to redact it and to tell a person.

use super::OfficePlace;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Way down the tree of parts: `1.2` is the second child of the first child of the mail. Empty: the mail itself.
/// Children are counted from 1; attachments of an archive or nested mail are children as MIME parts are.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct PartPath(pub Vec<u32>);

impl PartPath {
    /// The path of this part's child number `n` (from 1).
    pub fn child(&self, n: u32) -> PartPath {
        let mut path = self.0.clone();
        path.push(n);
        PartPath(path)
    }
}

impl fmt::Display for PartPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, n) in self.0.iter().enumerate() {
            write!(f, "{}{n}", if i == 0 { "" } else { "." })?;
        }
        Ok(())
    }
}

/// One place in one mail.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Place {
    /// Which part.
    pub part: PartPath,
    /// The part's file name, with those of the archives and mails around it: `bilag.zip/notat.txt`. May itself hold a
    /// number: mask before showing ([`crate::cpr::mask`]).
    pub name: Option<String>,
    /// Declared or sniffed type, lower case, e.g. `text/html`.
    pub media_type: String,
    /// The part is a file rather than the text of the mail.
    pub attachment: bool,
    /// Where in the part.
    pub location: Location,
}

/// Where in a part, in words that notices can translate. Readers of further formats add variants here.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Location {
    /// The part as a whole (doubts mostly).
    Whole,
    /// The text that a reader is shown.
    Text,
    /// Text that is in the source but not shown: comments, `display:none`, scripts, style.
    HiddenText,
    /// An attribute such as `href`, `alt`, `title`, `value`.
    Attribute(String),
    /// A header field by name (as written) and its index among those of the same name, from 1 at the top.
    Header {
        /// Field name as written.
        name: String,
        /// From 1, among equal names, top first.
        index: u32,
    },
    /// Display name of an address in that header field.
    DisplayName {
        /// Field name as written.
        header: String,
    },
    /// File name of an attachment or archive entry.
    FileName,
    /// Archive or entry comment, extra field.
    ArchiveComment,
    /// Bytes that belong to no part: preamble, epilogue, gaps.
    Gap,
    /// The text of a page, from 1.
    Page(u32),
    /// A note, mark or link laid over a page (from 1; 0 when it is on none).
    Annotation {
        /// From 1; 0 when it is on none.
        page: u32,
    },
    /// The value of a form field.
    FormField,
    /// A bookmark, in the outline beside the pages.
    Bookmark,
    /// What the file says of itself: title, author, keywords.
    Metadata,
    /// Where a link leads.
    Link,
    /// An earlier version of the document that is still in the file, or what was left of one.
    EarlierVersion,
    /// The undecoded source, scanned because the decoding is in doubt or hides something.
    Source,
    /// A place of a text document, spreadsheet or presentation.
    Office(OfficePlace),
    /// Text that a program recognised in a picture.
    Ocr,
}

/// The coarse places that policies name under `places:`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PlaceClass {
    /// The Subject header of the mail itself.
    Subject,
    /// Any other header, of the mail or of a part.
    Header,
    /// File name of an attachment or archive entry.
    FileName,
    /// The text of the mail.
    Body,
    /// An attached file, at any depth.
    Attachment,
}

impl Place {
    /// The coarse place for policies.
    pub fn class(&self) -> PlaceClass {
        match &self.location {
            Location::Header { name, .. } if name.eq_ignore_ascii_case("subject") && self.part.0.is_empty() => {
                PlaceClass::Subject
            }
            Location::Header { .. } | Location::DisplayName { .. } => PlaceClass::Header,
            Location::FileName => PlaceClass::FileName,
            _ if self.attachment => PlaceClass::Attachment,
            _ => PlaceClass::Body,
        }
    }
}

/// English words; file names are left to the caller, who must mask them.
impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Location::Whole => f.write_str("whole part"),
            Location::Text => f.write_str("text"),
            Location::HiddenText => f.write_str("hidden text"),
            Location::Attribute(name) => write!(f, "attribute {name}"),
            Location::Header { name, index: 1 } => write!(f, "header {name}"),
            Location::Header { name, index } => write!(f, "header {name} no. {index}"),
            Location::DisplayName { header } => write!(f, "display name in {header}"),
            Location::FileName => f.write_str("file name"),
            Location::ArchiveComment => f.write_str("archive comment"),
            Location::Gap => f.write_str("outside all parts"),
            Location::Page(number) => write!(f, "page {number}"),
            Location::Annotation { page: 0 } => f.write_str("note"),
            Location::Annotation { page } => write!(f, "note on page {page}"),
            Location::FormField => f.write_str("form field"),
            Location::Bookmark => f.write_str("bookmark"),
            Location::Metadata => f.write_str("properties of the document"),
            Location::Link => f.write_str("link"),
            Location::EarlierVersion => f.write_str("earlier version of the document"),
            Location::Source => f.write_str("source"),
            Location::Office(place) => place.fmt(f),
            Location::Ocr => f.write_str("text in the picture, read by OCR"),
        }
    }
}

/// Names may hold numbers.
impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Place({} {} {:?})", self.part, self.media_type, self.class())
    }
}
