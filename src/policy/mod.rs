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
mod include;
mod index;
mod likely;
mod lint;
mod load;
mod mail;
mod manual;
mod meant;
mod member;
mod parties;
mod problem;
mod route;
mod rules;
mod schema;
mod slip;
mod spot_check;
mod subsume;
mod trial;
mod vocabulary;
mod voice;
mod when;
pub mod words;
mod yaml;

pub use asked::{Answers, Asks, Source};
pub use facts::{BelongsTo, IsProtected, Seen, facts_from};
pub use lint::is_cut_off;
pub use load::{load, load_reading, load_with};
pub use manual::{EXAMPLE, manual};
pub use problem::{Problem, render, render_coloured, render_files};
pub use schema::schema;
pub use trial::TestResult;
pub use voice::Voice;

use crate::cpr::{Confidence, Hit, IdKind, Identifier};
use crate::types::{Action, Address, Decision, DoubtKind, Envelope, PlaceClass, Report, Style};
use std::collections::HashSet;
use time::Date;

/// A policy in force: compiled, its own tests passed.
#[derive(Debug)]
pub struct Policy {
    name: String,
    owner: String,
    hash: String,
    files: Vec<String>,
    languages: Vec<Language>,
    identifiers: Vec<Identifier>,
    groups: groups::Groups,
    exceptions: exceptions::Exceptions,
    style: Style,
    rules: Vec<rules::Rule>,
    default: meant::Defaults,
    index: index::Index,
    spot_check: Option<spot_check::SpotCheck>,
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
    /// For each recipient: the host that mail there is handed to, when the administrator has declared it. Empty: of nobody.
    pub next_hops: &'a [Option<String>],
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

/// A gateway that a rule names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gateway<'a> {
    /// As written.
    pub name: &'a str,
    /// The included file in which it stands; `None`: the policy itself.
    pub file: Option<&'a str>,
    /// Where.
    pub line: usize,
    /// Where.
    pub column: usize,
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

/// Reads a file that a test attaches (path as written in the policy).
pub type ReadFile<'a> = &'a dyn Fn(&str) -> Result<Vec<u8>, String>;

/// Inspects a whole mail of a test as the gateway would, for these further identifiers.
pub type ReadMail<'a> = &'a dyn Fn(&[u8], &[Identifier]) -> Result<Report, String>;

/// What a policy needs of the world while it is loaded.
#[derive(Clone, Copy)]
pub struct Around<'a> {
    /// Reads lists that the policy names.
    pub lists: ReadList<'a>,
    /// Reads files that it includes, when they are not read as lists are.
    pub includes: Option<ReadList<'a>>,
    /// Another eye than the detector for the texts of tests.
    pub reading: Option<Reading<'a>>,
    /// Reads attached files of tests; without it such tests are mistakes.
    pub attachment: Option<ReadFile<'a>>,
    /// Inspects mails of tests that have HTML or attached files; without it such tests are mistakes.
    pub mail: Option<ReadMail<'a>>,
    /// Where the results of the tests go, also of a policy that fails them.
    pub results: Option<&'a std::cell::RefCell<Vec<TestResult>>>,
}

impl<'a> Around<'a> {
    /// Files that the policy names, and nothing else.
    pub fn new(lists: ReadList<'a>) -> Around<'a> {
        Around {
            lists,
            includes: None,
            reading: None,
            attachment: None,
            mail: None,
            results: None,
        }
    }
}

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

    /// Files that were read besides the policy itself, as they are written in it: a change in one of them is a change of
    /// the policy.
    pub fn files(&self) -> &[String] {
        &self.files
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

    /// Names of the gateways that rules send mail through, each with the line that names it first: the administrator's
    /// file must know them all.
    pub fn gateways(&self) -> Vec<Gateway<'_>> {
        let mut gateways: Vec<Gateway<'_>> = Vec::new();
        for rule in &self.rules {
            let (Action::Reroute(name), Some(at)) = (&rule.action, rule.gateway_at) else {
                continue;
            };
            if !gateways.iter().any(|known| known.name == name) {
                gateways.push(Gateway {
                    name,
                    file: at
                        .file
                        .checked_sub(1)
                        .and_then(|n| self.files.get(n))
                        .map(String::as_str),
                    line: at.line,
                    column: at.column,
                });
            }
        }
        gateways
    }

    /// `title:` of an exception, for showing what lifted a number.
    pub fn exception_title(&self, name: &str) -> Option<&str> {
        let mut all = self.exceptions.all.iter();
        all.find(|e| &*e.name == name).map(|e| e.title.as_str())
    }
}
