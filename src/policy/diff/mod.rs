//! What a changed policy does otherwise, computed on what the two files mean: both judge every kind of mail that either of
//! them tells apart, and where the outcomes differ, neighbours that differ alike are joined to one sentence.
//!
//! Kinds of mail are made from one kind of number each (or one doubt), in the quantities that rules ask about. Mails in
//! which kinds meet are drawn at random and compared too, since thresholds and redaction can make more of them than of
//! their parts. Not here: what past mail would have become (`policy replay`), which needs the store.

mod content;
mod cover;
mod judge;
mod outcome;
mod people;
mod say;

pub use people::Moved;

use super::Policy;
use crate::types::Action;
use serde::Serialize;
use std::collections::BTreeSet;
use time::Date;

/// Days of change that are looked at, beside today.
const MOST_DAYS: usize = 8;

/// How two policies differ.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// Who is in another group than before.
    pub moved: Vec<Moved>,
    /// What becomes of mail, largest first.
    pub changes: Vec<Change>,
    /// What people read or whom they ask, in sentences.
    pub words: Vec<String>,
    /// What could not be compared, in sentences.
    pub limits: Vec<String>,
    /// Kinds of mail that were judged by both.
    pub cells: usize,
}

/// One kind of mail that is judged otherwise.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Change {
    /// From this day on; `None` from today on.
    pub since: Option<Date>,
    /// What is in it.
    pub content: String,
    /// Who sends; `None` for anyone.
    pub from: Option<String>,
    /// Who gets it; `None` for anyone.
    pub to: Option<String>,
    /// What else must hold.
    pub conditions: Vec<String>,
    /// Before.
    pub was: Outcome,
    /// Now.
    pub now: Outcome,
}

/// What becomes of mail, as far as people notice.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Outcome {
    /// What is done.
    #[serde(serialize_with = "word")]
    pub action: Action,
    /// Instead, when a redaction fails.
    #[serde(serialize_with = "word_if_any")]
    pub unredacted: Option<Action>,
    /// Who releases, and how many must agree, when held.
    pub release: Option<(String, u8)>,
    /// What watched rules would do.
    #[serde(serialize_with = "word_if_any")]
    pub watched: Option<Action>,
    /// Ids of the rules that say so, some of them; no part of a comparison.
    pub rules: BTreeSet<String>,
}

fn word<S: serde::Serializer>(action: &Action, s: S) -> Result<S::Ok, S::Error> {
    s.serialize_str(action.word())
}

fn word_if_any<S: serde::Serializer>(action: &Option<Action>, s: S) -> Result<S::Ok, S::Error> {
    match action {
        Some(action) => s.serialize_some(action.word()),
        None => s.serialize_none(),
    }
}

impl Difference {
    /// Both mean the same.
    pub fn is_empty(&self) -> bool {
        self.moved.is_empty() && self.changes.is_empty() && self.words.is_empty()
    }
}

/// Compares two policies as of `today`, and as of each later day on which a date in one of them passes.
pub fn diff(old: &Policy, new: &Policy, today: Date) -> Difference {
    let mut difference = Difference {
        moved: people::moved(old, new),
        words: say::words(old, new),
        ..Difference::default()
    };
    let ground = judge::Ground::new(old, new);
    difference.cells = ground.cells();
    difference.limits.extend(ground.limits());
    let days = later_days(old, new, today);
    let mut told = ground.nothing_told();
    for (n, day) in std::iter::once(today)
        .chain(days.iter().copied().take(MOST_DAYS))
        .enumerate()
    {
        let news = ground.compare(day, &mut told);
        let since = (n > 0).then_some(day);
        difference
            .changes
            .extend(news.changes.into_iter().map(|change| Change { since, ..change }));
        difference
            .words
            .extend(news.over.iter().map(|change| say::over(change, day)));
    }
    if days.len() > MOST_DAYS {
        difference.limits.push(format!(
            "Only the first {MOST_DAYS} of {} days on which a date passes were compared.",
            days.len()
        ));
    }
    difference
}

/// Days on which an exception has expired or a watched rule comes into force.
fn later_days(old: &Policy, new: &Policy, today: Date) -> Vec<Date> {
    let of = |policy: &Policy| -> BTreeSet<Date> {
        let expired = policy.exceptions.all.iter().filter_map(|e| e.expires.next_day());
        let enforced = policy.rules.iter().filter_map(|r| r.enforce_from);
        expired.chain(enforced).filter(|day| *day > today).collect()
    };
    of(old).union(&of(new)).copied().collect()
}
