//! Differences in sentences.

use super::people::some;
use super::{Change, Difference, Moved, Outcome, Told};
use crate::cpr::mask;
use crate::policy::Policy;
use crate::types::Action;
use std::collections::BTreeSet;
use std::fmt;
use time::Date;

/// What people read or whom they ask.
pub(super) fn words(old: &Policy, new: &Policy) -> Vec<String> {
    let mut out = Vec::new();
    let mut changed = |what: &str, was: &str, now: &str| {
        if was != now {
            out.push(format!("{what}: was {}, is now {}.", mask(was), mask(now)));
        }
    };
    changed("The policy's name in notices", &old.name, &new.name);
    changed("Whom notices tell senders to ask", &old.owner, &new.owner);
    let languages = |policy: &Policy| {
        let words = policy.languages.iter().map(|l| l.word());
        words.collect::<Vec<_>>().join(", ")
    };
    changed("Languages of notices", &languages(old), &languages(new));
    changed("What stands where a number stood", old.style.word(), new.style.word());
    changed("Spot checks", &spot_check(old), &spot_check(new));
    let delimiters = |policy: &Policy| match policy.groups.delimiters() {
        "" => "nothing".to_owned(),
        some => some.to_owned(),
    };
    changed(
        "What begins an extension of an address",
        &delimiters(old),
        &delimiters(new),
    );
    for rule in &old.rules {
        if let Some(now) = new.rules.iter().find(|r| r.name.id == rule.name.id) {
            let what = format!("The reason that senders read, of rule `{}`", rule.name.id);
            changed(&what, &rule.name.title, &now.name.title);
        }
    }
    out.extend(notices(old, new));
    for identifier in &old.identifiers {
        if let Some(now) = new.identifiers.iter().find(|i| i.name == identifier.name)
            && (&identifier.pattern, identifier.checksum, &identifier.context)
                != (&now.pattern, now.checksum, &now.context)
        {
            out.push(format!(
                "The identifier `{}` is looked for in another way.",
                identifier.name
            ));
        }
    }
    out
}

fn spot_check(policy: &Policy) -> String {
    policy
        .spot_check
        .map_or_else(|| "none".to_owned(), |check| check.to_string())
}

/// Rules' own words in notices, by the rules' ids.
fn notices(old: &Policy, new: &Policy) -> Vec<String> {
    let of = |policy: &Policy, id: &str| {
        let rule = policy.rules.iter().find(|r| r.name.id == id);
        rule.and_then(|rule| rule.notice.clone())
    };
    let ids: BTreeSet<&str> = [old, new]
        .into_iter()
        .flat_map(|policy| policy.rules.iter().map(|r| r.name.id.as_str()))
        .collect();
    let sentence = |id: &str| match (of(old, id), of(new, id)) {
        (was, now) if was == now => None,
        (None, _) => Some(format!("Notices of rule `{id}` have words of its own now.")),
        (_, None) => Some(format!(
            "Notices no longer have the words that rule `{id}` had of its own."
        )),
        _ => Some(format!("The words that rule `{id}` puts into notices are others now.")),
    };
    ids.into_iter().filter_map(sentence).collect()
}

/// A difference that ends.
pub(super) fn over(change: &Change, day: Date) -> String {
    format!("From {day} on, both policies judge {} alike.", change.kind())
}

impl Change {
    /// `mail with a CPR number from aktindsigt to media`.
    fn kind(&self) -> String {
        let mut text = format!("mail with {}", self.content);
        if let Some(from) = &self.from {
            text.push_str(&format!(" from {from}"));
        }
        if let Some(to) = &self.to {
            text.push_str(&format!(" to {to}"));
        }
        for condition in &self.conditions {
            text.push_str(&format!(", {condition}"));
        }
        text
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = self.kind();
        let kind = match self.since {
            None => kind.replacen("mail", "Mail", 1),
            Some(day) => format!("From {day} on: {kind}"),
        };
        write!(
            f,
            "{kind}: was {}, is now {}.",
            told(&self.was, &self.now),
            told(&self.now, &self.was)
        )
    }
}

/// An outcome beside another: release terms and watched rules are told where they differ.
fn told(outcome: &Outcome, other: &Outcome) -> String {
    let mut text = said(&outcome.action);
    if let Some(failed) = &outcome.unredacted
        && outcome.unredacted != other.unredacted
        && (other.unredacted.is_some() || *failed != Action::Quarantine)
    {
        text.push_str(&format!(" ({} if the copy cannot be made clean)", said(failed)));
    }
    if let Some((by, people)) = &outcome.release
        && other.release.as_ref().is_some_and(|o| *o != (by.clone(), *people))
    {
        let agree = if *people == 1 {
            String::new()
        } else {
            format!(", {people} must agree")
        };
        text.push_str(&format!(" (release by {by}{agree})"));
    }
    if let Some(action) = outcome.watched.as_ref().filter(|_| outcome.watched != other.watched) {
        text.push_str(&format!(" (a watched rule would say {})", said(action)));
    }
    if outcome.told != other.told && (outcome.action == other.action || outcome.told != usual(&outcome.action)) {
        text.push_str(&format!(" (notice to {})", people(&outcome.told)));
    }
    if let (Some(told), Some(others)) = (&outcome.told_unredacted, &other.told_unredacted)
        && told != others
    {
        text.push_str(&format!(" (notice to {} if it cannot be made clean)", people(told)));
    }
    let rules: Vec<String> = outcome.rules.iter().take(3).map(|id| format!("`{id}`")).collect();
    match (rules.len(), outcome.rules.len()) {
        (0, _) => text,
        (1, 1) => format!("{text} (rule {})", rules.concat()),
        (shown, all) if shown == all => format!("{text} (rules {})", rules.join(", ")),
        _ => format!("{text} (rules {} and others)", rules.join(", ")),
    }
}

/// `reroute through sikkerpost`.
fn said(action: &Action) -> String {
    match action {
        Action::Reroute(gateway) => format!("{} through {}", action.word(), mask(gateway)),
        action => action.word().to_owned(),
    }
}

/// Who is told when no rule says anything about it.
fn usual(action: &Action) -> Told {
    Told {
        sender: *action > Action::Log,
        others: BTreeSet::new(),
    }
}

fn people(told: &Told) -> String {
    let others = told.others.iter().map(|who| match who.as_str() {
        "owner" => "the owner of the policy".to_owned(),
        address => mask(address),
    });
    let sender = told.sender.then(|| "the sender".to_owned());
    let all: Vec<String> = sender.into_iter().chain(others).collect();
    if all.is_empty() {
        "nobody".to_owned()
    } else {
        some(&all)
    }
}

impl fmt::Display for Moved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verb = |names: &[String]| if names.len() == 1 { "is" } else { "are" };
        let masked = |names: &[String]| mask(&some(names));
        if !self.joined.is_empty() {
            write!(
                f,
                "{} {} now in {}.",
                masked(&self.joined),
                verb(&self.joined),
                self.group
            )?;
        }
        if !self.left.is_empty() {
            let space = if self.joined.is_empty() { "" } else { " " };
            write!(
                f,
                "{space}{} {} no longer in {}.",
                masked(&self.left),
                verb(&self.left),
                self.group
            )?;
        }
        Ok(())
    }
}

/// One sentence a line.
impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_empty() {
            writeln!(f, "No difference: {} kinds of mail are judged alike.", self.cells)?;
        }
        for moved in &self.moved {
            writeln!(f, "{moved}")?;
        }
        for change in &self.changes {
            writeln!(f, "{change}")?;
        }
        for sentence in self.words.iter().chain(&self.limits) {
            writeln!(f, "{sentence}")?;
        }
        Ok(())
    }
}
