//! YAML -> Policy -> Decision per recipient: the compliance officer's words, made so that they cannot be wrong in silence.
//!
//! Pure: files that a policy names are read by the caller, today's date is handed in. The policy returns data; the edges
//! act. It never sees a mail, only [`Facts`] of one.

mod asked;
mod bits;
mod cases;
mod decide;
pub mod diff;
mod exceptions;
mod facts;
mod fields;
mod groups;
mod index;
mod lint;
mod load;
mod member;
mod parties;
mod problem;
mod rules;
mod trial;
pub mod words;
mod yaml;

pub use asked::{Answers, Asks, Source};
pub use facts::{BelongsTo, IsProtected, Seen, facts_from};
pub use load::{load, load_reading};
pub use problem::{Problem, render, render_coloured};
pub use trial::TestResult;

use crate::cpr::{Confidence, Hit, IdKind, Identifier};
use crate::types::{Address, Decision, DoubtKind, Envelope, PlaceClass, Style};
use std::collections::HashSet;
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
    style: Style,
    rules: Vec<rules::Rule>,
    default: decide::Defaults,
    index: index::Index,
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
    /// Who is in groups that the policy's files do not list: the answers to [`Policy::asks`].
    pub given: &'a Answers,
}

/// Groups that people are taken to be in, whatever the lists say: for asking what would be.
#[derive(Clone, Debug, Default)]
pub struct Given {
    /// Of the sender.
    pub sender: Vec<usize>,
    /// Of each recipient.
    pub recipients: Vec<Vec<usize>>,
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
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
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
    /// What must be asked before [`Policy::decide`]. Nothing for a mail in which nothing was found: whoever gets it, it
    /// is delivered.
    pub fn asks(&self, envelope: &Envelope, numbers: &[Number], doubts: &[DoubtKind]) -> Asks<'_> {
        let sources = self.groups.sources();
        let mut addresses = Vec::new();
        let found = !numbers.is_empty() || !doubts.is_empty();
        if found && !sources.is_empty() {
            let recipients = envelope.recipients.iter().filter_map(|r| r.address.as_ref());
            let written = envelope.sender.iter().chain(recipients);
            let routes = written.flat_map(Address::routes).flatten();
            addresses.extend(routes.flat_map(|route| member::lookups(&route, self.groups.delimiters())));
        }
        let mut seen = HashSet::new();
        addresses.retain(|address| seen.insert(address.key()));
        Asks { sources, addresses }
    }

    /// Whom mails with findings make this policy ask, each once.
    pub fn sources(&self) -> &[Source] {
        self.groups.sources()
    }

    /// The groups whose members the policy's files do not list, each with whom to ask.
    pub fn asked_groups(&self) -> impl Iterator<Item = (&str, Vec<&Source>)> {
        self.groups
            .asked()
            .map(|(group, sources)| (group.name.as_str(), sources))
    }

    /// One decision per recipient, in their order; none at all when something that it asks was not answered.
    pub fn decide(&self, facts: &Facts<'_>) -> Vec<Decision> {
        self.decide_given(facts, &Given::default())
    }

    /// As [`Policy::decide`], with sender and recipients taken to be in further groups.
    pub fn decide_given(&self, facts: &Facts<'_>, given: &Given) -> Vec<Decision> {
        let asks = self.asks(facts.envelope, facts.numbers, facts.doubts);
        if !facts.given.cover(&asks.addresses) {
            return Vec::new();
        }
        let mut judge = decide::Judge::new(self, facts, &given.sender);
        let none = Vec::new();
        let recipients = facts.envelope.recipients.iter().enumerate();
        recipients
            .map(|(index, recipient)| judge.decide(index, recipient, given.recipients.get(index).unwrap_or(&none)))
            .collect()
    }

    /// The groups that hold this address, by name; `inside` or `outside` first.
    pub fn groups_of(&self, address: Option<&Address>, answers: &Answers, given: &[usize]) -> Vec<&str> {
        let member = self.groups.of(address, answers, given);
        let side = if member.inside { words::INSIDE } else { words::OUTSIDE };
        let named = member.groups().filter_map(|i| self.groups.all.get(i));
        let others = named.map(|g| g.name.as_str()).filter(|name| *name != words::INSIDE);
        std::iter::once(side).chain(others).collect()
    }

    /// The group of that name, for [`Given`].
    ///
    /// # Errors
    /// The names that there are.
    pub fn group(&self, name: &str) -> Result<usize, String> {
        let position = self.groups.all.iter().position(|g| g.name == name);
        position.ok_or_else(|| words::help(name, self.groups.all.iter().map(|g| g.name.as_str())))
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

    /// `redaction: {style: …}`: how a redacted copy looks.
    pub fn style(&self) -> Style {
        self.style
    }

    /// The address is in the group `inside`.
    pub fn is_inside(&self, address: Option<&Address>) -> bool {
        self.groups.is_inside(address)
    }

    /// `title:` of an exception, for showing what lifted a number.
    pub fn exception_title(&self, name: &str) -> Option<&str> {
        let mut all = self.exceptions.all.iter();
        all.find(|e| &*e.name == name).map(|e| e.title.as_str())
    }
}
