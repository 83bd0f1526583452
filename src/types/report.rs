//! What an inspection says of one mail.

use super::Place;
use crate::cpr::{Confidence, IdKind, Secret};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::ops::Range;

/// All that was found, all that could not be read, all that must not be edited. An empty report means: read whole,
/// nothing there. It is never the answer to a failure.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// Each place of each identifier.
    pub findings: Vec<Finding>,
    /// Digits that read as a number and are plainly something else: no findings, but a protected person's number counts
    /// at any confidence. One place of each number.
    pub faint: Vec<Finding>,
    /// What could not be read, or can be read in more than one way.
    pub doubts: Vec<Doubt>,
    /// Signed or encrypted parts: never edited.
    pub seals: Vec<Seal>,
    /// Parts walked, nested ones included.
    pub parts: u32,
}

impl Report {
    /// One of these stands in it, however faintly.
    pub fn holds_any(&self, identifiers: &BTreeSet<(IdKind, Secret)>) -> bool {
        let mut all = self.findings.iter().chain(&self.faint);
        all.any(|finding| identifiers.contains(&(finding.kind.clone(), finding.number.clone())))
    }
}

/// One identifier in one place.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// What it is.
    pub kind: IdKind,
    /// Its characters; masked in `Debug`.
    pub number: Secret,
    /// How sure.
    pub confidence: Confidence,
    /// Where.
    pub place: Place,
    /// Byte range in the text of that place (of the input itself when that was plain text).
    pub span: Range<usize>,
    /// A recipient does not see it, but can recover it.
    pub hidden: bool,
    /// Somebody tried to cover it, and it is still there.
    pub fake_redaction: bool,
    /// The features that made the confidence, in the words of the detector's table.
    pub why: Vec<String>,
}

/// Something that was not, or not surely, read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Doubt {
    /// What kind.
    pub kind: DoubtKind,
    /// Where.
    pub place: Place,
    /// One English sentence without content of the mail.
    pub reason: String,
}

/// The kinds of doubt, by the words of policies and JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DoubtKind {
    /// Structure or encoding that mail programs read in different ways.
    Malformed,
    /// A type that cannot be read yet.
    Unread,
    /// Encrypted or password-protected.
    Encrypted,
    /// Damaged.
    Broken,
    /// Over a limit of bytes, entries or ratio.
    TooLarge,
    /// Nested deeper than the limit.
    TooDeep,
    /// Over the time budget.
    TooSlow,
    /// A picture whose text was not read.
    NotOcred,
}

impl DoubtKind {
    /// All kinds, in the order of the manual.
    pub const ALL: [DoubtKind; 8] = [
        DoubtKind::Malformed,
        DoubtKind::Unread,
        DoubtKind::Encrypted,
        DoubtKind::Broken,
        DoubtKind::TooLarge,
        DoubtKind::TooDeep,
        DoubtKind::TooSlow,
        DoubtKind::NotOcred,
    ];

    /// The word in policies, JSON and metrics.
    pub fn word(self) -> &'static str {
        match self {
            DoubtKind::Malformed => "malformed",
            DoubtKind::Unread => "unread",
            DoubtKind::Encrypted => "encrypted",
            DoubtKind::Broken => "broken",
            DoubtKind::TooLarge => "too_large",
            DoubtKind::TooDeep => "too_deep",
            DoubtKind::TooSlow => "too_slow",
            DoubtKind::NotOcred => "not_ocred",
        }
    }
}

/// A part whose bytes others vouch for or have locked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Seal {
    /// Signed or encrypted.
    pub kind: SealKind,
    /// Where.
    pub place: Place,
}

/// Why a part must not be edited.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SealKind {
    /// S/MIME, PGP/MIME, inline PGP signatures: an edit makes the signature false.
    Signed,
    /// S/MIME, PGP/MIME, inline PGP: an edit destroys it.
    Encrypted,
}
