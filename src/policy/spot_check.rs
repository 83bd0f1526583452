//! `spot_check:`: of what would go out changed or excepted, so many of a hundred are held for a look. A sample shows whether
//! redaction and exceptions do what they are meant to do, and since anything can be held by chance, a hold says nothing of
//! who is in the mail.
//!
//! The policy draws nothing itself: the caller hands in a number that is the same at every try of the same mail.

use super::fields::Fields;
use super::problem::{Problems, quote};
use super::words::{self, SPOT_CHECK, SPOT_CHECK_RULE, SPOT_CHECKS};
use super::yaml::Node;
use super::{Language, Policy};
use crate::types::{Action, Decision, Judgement, Release, RuleRef};
use std::fmt;
use std::sync::Arc;

/// Compiled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct SpotCheck {
    percent: u32,
    redacted: bool,
    excepted: bool,
}

/// Reads `spot_check:`.
pub(super) fn read(node: &Node, problems: &mut Problems) -> Option<SpotCheck> {
    let fields = Fields::open(node, node.at, "`spot_check`", SPOT_CHECK, problems)?;
    let percent = fields.word("percent", problems)?;
    let of: Vec<&str> = fields
        .words("of", problems)
        .iter()
        .filter_map(|w| super::fields::choose(w, "of", words::of(SPOT_CHECKS), problems))
        .collect();
    let all = fields.node("of").is_none();
    match percent.text.trim_end_matches('%').trim().parse::<u32>() {
        Ok(n @ 1..=100) => Some(SpotCheck {
            percent: n,
            redacted: all || of.contains(&"redacted"),
            excepted: all || of.contains(&"excepted"),
        }),
        _ => {
            problems.error(
                percent.at,
                format!("`percent` is no number from 1 to 100: {}", quote(&percent.text)),
                "write e.g. `percent: 2`: two mails of a hundred",
            );
            None
        }
    }
}

/// `2 of a hundred mails that are redacted or excepted`.
impl fmt::Display for SpotCheck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let of = match (self.redacted, self.excepted) {
            (true, true) => "redacted or excepted",
            (true, false) => "redacted",
            (false, true) => "excepted",
            (false, false) => return f.write_str("none"),
        };
        write!(f, "{} of a hundred mails that are {of}", self.percent)
    }
}

impl Policy {
    /// Whether a sample is taken of what becomes of this copy. Then `draw` matters.
    pub fn may_spot_check(&self, decision: &Decision) -> bool {
        let Some(check) = self.spot_check else {
            return false;
        };
        let built_in = [words::REDACTED, words::REROUTED];
        let excepted = decision.lifted.iter().any(|l| !built_in.contains(&&*l.exception));
        decision.action < Action::Quarantine
            && (check.redacted && decision.action == Action::Redact || check.excepted && excepted)
    }

    /// The decision, or that this copy is held as one of the sample. `draw` is a number by chance, the same for each try of
    /// the same mail.
    pub fn spot_checked(&self, decision: Decision, draw: u64) -> Decision {
        let percent = self.spot_check.map_or(0, |check| check.percent);
        if !self.may_spot_check(&decision) || draw % 100 >= u64::from(percent) {
            return decision;
        }
        let title = match self.languages.first() {
            Some(Language::En) => "Spot check",
            _ => "Stikprøve",
        };
        let rule = Arc::new(RuleRef {
            id: SPOT_CHECK_RULE.to_owned(),
            title: title.to_owned(),
        });
        let held = Judgement {
            action: Action::Quarantine,
            rule: Some(Arc::clone(&rule)),
            told: Some(rule),
            redact: Vec::new(),
            release: Release::default(),
            ..Judgement::clone(&decision)
        };
        Decision {
            judgement: Arc::new(held),
            ..decision
        }
    }
}
