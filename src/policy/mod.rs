//! YAML -> Policy -> Decision per recipient: the compliance officer's words, made so that they cannot be wrong in silence.
//!
//! Pure: files that a policy names are read by the caller, today's date is handed in. The policy returns data; the edges
//! act. It never sees a mail, only [`Facts`] of one.

mod cases;
mod decide;
mod exceptions;
mod facts;
mod fields;
mod groups;
mod lint;
mod load;
mod parties;
mod problem;
mod rules;
mod trial;
pub mod words;
mod yaml;

pub use facts::{BelongsTo, IsProtected, Seen, facts_from};
pub use load::{load, load_reading};
pub use problem::{Problem, render, render_coloured};
pub use trial::TestResult;

use crate::cpr::{Confidence, Hit, IdKind, Identifier};
use crate::types::{Address, Decision, DoubtKind, Envelope, PlaceClass};
use time::Date;

/// A policy in force: compiled, its own tests passed.
#[derive(Debug)]
pub struct Policy {
    name: String,
    owner: String,
    hash: String,
    languages: Vec<Language>,
    identifiers: Vec<Identifier>,
    groups: groups::Groups,
    exceptions: exceptions::Exceptions,
    rules: Vec<rules::Rule>,
    default: decide::Defaults,
    tests: Vec<cases::Case>,
}

/// What a decision is made from.
#[derive(Debug)]
pub struct Facts<'a> {
    /// Who sends to whom.
    pub envelope: &'a Envelope,
    /// Today, for expiry dates.
    pub today: Date,
    /// One entry a different identifier.
    pub numbers: &'a [Number],
    /// Kinds of doubt the inspection raised.
    pub doubts: &'a [DoubtKind],
    /// For each recipient: the administrator vouches that mail there goes over enforced TLS.
    pub tls_enforced: &'a [bool],
    /// Whether redaction is assumed to work, or has been tried and failed.
    pub redaction: Redaction,
}

/// Whether `redact` is still open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Redaction {
    /// Not tried yet: rules that redact are taken at their word, the exception `redacted` lifts what they remove.
    Assumed,
    /// Tried, not clean: rules that redact quarantine instead, `redacted` lifts nothing.
    Failed,
}

/// One different identifier in the mail, without its characters.
#[derive(Clone, Debug)]
pub struct Number {
    /// What it is.
    pub kind: IdKind,
    /// It belongs to a protected person.
    pub protected: bool,
    /// Recipients (by index) to whom this number belongs.
    pub belongs_to: Vec<usize>,
    /// Each place it stands in.
    pub sightings: Vec<Sighting>,
}

/// One place of one number.
#[derive(Clone, Copy, Debug)]
pub struct Sighting {
    /// How sure.
    pub confidence: Confidence,
    /// Coarse place.
    pub class: PlaceClass,
    /// Not shown, but recoverable.
    pub hidden: bool,
    /// Covered, and still there.
    pub fake_redaction: bool,
}

/// Notices' languages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    /// Danish.
    Da,
    /// English.
    En,
}

/// A policy and what its linter has to say of it.
#[derive(Debug)]
pub struct Loaded {
    /// Ready for use.
    pub policy: Policy,
    /// Warnings.
    pub warnings: Vec<Problem>,
    /// What its own tests showed, all passed.
    pub tests: Vec<TestResult>,
}

/// Reads the text of a list file that the policy names (path as written in the policy).
pub type ReadList<'a> = &'a dyn Fn(&str) -> Result<String, String>;

/// Finds the identifiers in a text of a test.
pub type Reading<'a> = &'a dyn Fn(&str) -> Vec<Hit>;

impl Policy {
    /// One decision per recipient, in their order.
    pub fn decide(&self, facts: &Facts<'_>) -> Vec<Decision> {
        let judge = decide::Judge::new(self, facts);
        let recipients = facts.envelope.recipients.iter().enumerate();
        recipients
            .map(|(index, recipient)| judge.decide(index, recipient, &[]))
            .collect()
    }

    /// `name:` in the file.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// `owner:` in the file, the contact in notices.
    pub fn owner(&self) -> &str {
        &self.owner
    }

    /// SHA-256 of the file and its lists, hexadecimal, first 16 digits: which policy said so.
    pub fn hash(&self) -> &str {
        &self.hash
    }

    /// `notices:`, in order.
    pub fn languages(&self) -> &[Language] {
        &self.languages
    }

    /// `identifiers:`.
    pub fn identifiers(&self) -> &[Identifier] {
        &self.identifiers
    }

    /// The address is in the group `inside`.
    pub fn is_inside(&self, address: Option<&Address>) -> bool {
        self.groups.is_inside(address)
    }

    /// Names of the groups that an address is in, in the order of the file.
    pub fn groups_of(&self, address: Option<&Address>) -> Vec<&str> {
        self.groups.names_of(address)
    }

    /// `title:` of an exception, for showing what lifted a number.
    pub fn exception_title(&self, name: &str) -> Option<&str> {
        let mut all = self.exceptions.all.iter();
        all.find(|e| e.name == name).map(|e| e.title.as_str())
    }
}
