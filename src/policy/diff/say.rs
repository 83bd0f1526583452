//! Differences in sentences.

use super::people::some;
use super::{Change, Difference, Moved, Outcome};
use crate::cpr::mask;
use crate::policy::{Language, Policy};
use crate::types::Action;
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
        let words = policy.languages.iter().map(|l| match l {
            Language::Da => "da",
            Language::En => "en",
        });
        words.collect::<Vec<_>>().join(", ")
    };
    changed("Languages of notices", &languages(old), &languages(new));
    for rule in &old.rules {
        if let Some(now) = new.rules.iter().find(|r| r.name.id == rule.name.id) {
            let what = format!("The reason that senders read, of rule `{}`", rule.name.id);
            changed(&what, &rule.name.title, &now.name.title);
        }
    }
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
    let mut text = outcome.action.word().to_owned();
    if let Some(failed) = &outcome.unredacted
        && outcome.unredacted != other.unredacted
        && (other.unredacted.is_some() || *failed != Action::Quarantine)
    {
        text.push_str(&format!(" ({} if the copy cannot be made clean)", failed.word()));
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
        text.push_str(&format!(" (a watched rule would say {})", action.word()));
    }
    let rules: Vec<String> = outcome.rules.iter().take(3).map(|id| format!("`{id}`")).collect();
    match (rules.len(), outcome.rules.len()) {
        (0, _) => text,
        (1, 1) => format!("{text} (rule {})", rules.concat()),
        (shown, all) if shown == all => format!("{text} (rules {})", rules.join(", ")),
        _ => format!("{text} (rules {} and others)", rules.join(", ")),
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
