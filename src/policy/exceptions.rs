//! `exceptions:`: who may get what in spite of a rule. Each has an owner, a reason and a last day, since an exception
//! that nobody answers for is how a rule comes to mean nothing.

use super::fields::{self, Fields};
use super::groups::Groups;
use super::parties::Parties;
use super::problem::{Problems, quote};
use super::words::{self, EXCEPTION, EXCEPTION_WHEN};
use super::yaml::{Entry, Node, Spot};
use std::sync::Arc;
use time::Date;

/// One compiled exception. Owner and reason are for people: they stand in the file, and only there.
#[derive(Debug)]
pub(super) struct Exception {
    pub name: Arc<str>,
    pub title: String,
    pub at: Spot,
    pub expires_at: Spot,
    pub parties: Parties,
    /// Only over TLS that the administrator vouches for.
    pub tls_enforced: bool,
    /// Only the recipient's own number.
    pub own_number: bool,
    /// The last day.
    pub expires: Date,
}

/// All exceptions of a policy, with the names of those that could not be read.
#[derive(Debug, Default)]
pub(super) struct Exceptions {
    pub all: Vec<Exception>,
    broken: Vec<String>,
}

impl Exception {
    /// It holds through its last day.
    pub fn is_expired(&self, today: Date) -> bool {
        today > self.expires
    }
}

impl Exceptions {
    /// `Some(None)` for one that has a mistake of its own.
    pub fn find(&self, name: &str) -> Option<Option<usize>> {
        match self.all.iter().position(|e| &*e.name == name) {
            Some(index) => Some(Some(index)),
            None => self.broken.iter().any(|b| b == name).then_some(None),
        }
    }

    pub fn names(&self) -> impl Iterator<Item = &str> + Clone {
        self.all.iter().map(|e| &*e.name).chain([words::REDACTED])
    }
}

/// Reads `exceptions:`.
pub(super) fn read(node: Option<&Node>, groups: &Groups, problems: &mut Problems) -> Exceptions {
    let mut exceptions = Exceptions::default();
    let entries = node
        .and_then(|n| fields::map(n, "`exceptions`", problems))
        .unwrap_or_default();
    for entry in entries {
        if entry.key == words::REDACTED {
            problems.error(
                entry.at,
                "the exception `redacted` is built in",
                "take this one away, or give it another name",
            );
            continue;
        }
        match exception(entry, groups, problems) {
            Some(exception) => exceptions.all.push(exception),
            None => exceptions.broken.push(entry.key.clone()),
        }
    }
    exceptions
}

fn exception(entry: &Entry, groups: &Groups, problems: &mut Problems) -> Option<Exception> {
    let what = format!("the exception {}", quote(&entry.key));
    let fields = Fields::open(&entry.value, entry.at, &what, EXCEPTION, problems)?;
    let title = fields.word("title", problems);
    fields.contact("owner", problems);
    fields.text("reason", problems);
    let expires = fields.date("expires", problems);
    let when = fields.node("when")?;
    let at = fields.at("when").unwrap_or(when.at);
    let conditions = Fields::open(when, at, "`when` of an exception", EXCEPTION_WHEN, problems)?;
    if conditions.is_empty() {
        problems.error(
            at,
            "this exception would lift everything",
            "say for whom: `to`, `delivery`, `number`",
        );
    }
    let parties = Parties::read(&conditions, groups, problems);
    let tls = conditions.one_of("delivery", &[words::TLS], problems);
    let own = conditions.one_of("number", &[words::OWN_NUMBER], problems);
    Some(Exception {
        name: Arc::from(entry.key.as_str()),
        title: title?.text,
        at: entry.at,
        expires_at: fields.node("expires").map_or(entry.at, |n| n.at),
        parties,
        tls_enforced: tls.is_some(),
        own_number: own.is_some(),
        expires: expires?,
    })
}
