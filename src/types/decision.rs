//! What a policy says of one recipient: data, acted on at the edge.

use super::DoubtKind;
use serde::{Deserialize, Serialize};
use std::ops::Deref;
use std::sync::Arc;

/// What becomes of the mail for one recipient, ordered by strictness: the strictest of all rules wins.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Nothing speaks against it.
    Deliver,
    /// Delivered, and recorded.
    Log,
    /// Delivered, recorded, and the sender is told.
    Warn,
    /// Sent through the named secure gateway.
    Reroute(String),
    /// Delivered without the numbers.
    Redact,
    /// Held for review.
    Quarantine,
    /// Refused to the client.
    Reject,
}

impl Action {
    /// The word in policies, JSON and audit records.
    pub fn word(&self) -> &'static str {
        match self {
            Action::Deliver => "deliver",
            Action::Log => "log",
            Action::Warn => "warn",
            Action::Reroute(_) => "reroute",
            Action::Redact => "redact",
            Action::Quarantine => "quarantine",
            Action::Reject => "reject",
        }
    }
}

/// The decision for one recipient of one mail. Recipients of whom the policy says the same share what it says.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "a decision that nobody acts on is a leak"]
pub struct Decision {
    /// Index into `Envelope::recipients`.
    pub recipient: usize,
    /// What the policy says.
    pub judgement: Arc<Judgement>,
}

/// What a policy says of a recipient.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judgement {
    /// The strictest result, given that a redaction, if any, succeeds.
    pub action: Action,
    /// The rule that said so (first in the file among equals); `None` when no rule matched.
    pub rule: Option<Arc<RuleRef>>,
    /// The rule as the sender may be told: never one about protected persons, whose title would say who is one.
    pub told: Option<Arc<RuleRef>>,
    /// With `Redact`: indices into `Facts::numbers` that must be gone from this recipient's copy.
    pub redact: Vec<usize>,
    /// Terms of release when held.
    pub release: Release,
    /// Everything that matched, strictest first, for `explain` and the audit record.
    pub matched: Vec<Matched>,
    /// Everything that an exception lifted.
    pub lifted: Vec<Lifted>,
}

impl Deref for Decision {
    type Target = Judgement;

    fn deref(&self) -> &Judgement {
        &self.judgement
    }
}

/// A rule by its id and title.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleRef {
    /// `id:` in the file, or a built-in: `default`, `redaction_failed`, `not_inspected`.
    pub id: String,
    /// `title:` in the file.
    pub title: String,
}

/// Who may release a held mail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Release {
    /// Role, e.g. `reviewer` or `dpo`.
    pub by: String,
    /// How many different people must agree.
    pub people: u8,
}

impl Default for Release {
    fn default() -> Release {
        Release {
            by: "reviewer".to_owned(),
            people: 1,
        }
    }
}

/// One rule that matched for this recipient.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Matched {
    /// Which.
    pub rule: Arc<RuleRef>,
    /// What it wants.
    pub action: Action,
    /// Indices into `Facts::numbers` that made it match, exceptions taken off.
    pub numbers: Arc<[usize]>,
    /// Doubts that made it match.
    pub doubts: Arc<[DoubtKind]>,
    /// `mode: watch`: recorded, not enforced.
    pub watch: bool,
}

/// One exception that took numbers out of one rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lifted {
    /// From which rule.
    pub rule: Arc<RuleRef>,
    /// Exception's name; `redacted` is built in.
    pub exception: Arc<str>,
    /// Indices into `Facts::numbers`.
    pub numbers: Vec<usize>,
}
