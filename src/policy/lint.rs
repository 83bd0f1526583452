//! What is not wrong, but not right either: expired exceptions, groups and exceptions that nothing uses, rules that no
//! test exercises; and the one thing that must never stand in a policy, a real number.

use super::groups::{List, Who};
use super::problem::{Problems, quote};
use super::trial::Trial;
use super::words::INSIDE;
use super::yaml::Spot;
use super::{Policy, Reading};
use crate::cpr::{Confidence, IdKind};
use crate::types::Action;
use time::Date;

/// Warnings of a policy without mistakes.
pub(super) fn warn(policy: &Policy, today: Date, trial: &Trial, problems: &mut Problems) {
    expired(policy, today, problems);
    unused(policy, problems);
    unexercised(policy, trial, problems);
    weaker_than_default(policy, problems);
    impossible(policy, problems);
    lifts_everything(policy, problems);
    never_expires(policy, today, problems);
}

fn expired(policy: &Policy, today: Date, problems: &mut Problems) {
    for exception in policy.exceptions.all.iter().filter(|e| e.is_expired(today)) {
        problems.warning(
            exception.expires_at,
            format!("the exception {} has expired and lifts nothing", quote(&exception.name)),
            "its owner decides: a later date, or take it away",
        );
    }
}

fn unused(policy: &Policy, problems: &mut Problems) {
    let parties = || {
        let rules = policy.rules.iter().map(|r| &r.when.parties);
        rules.chain(policy.exceptions.all.iter().map(|e| &e.parties))
    };
    for (i, group) in policy.groups.all.iter().enumerate().filter(|(_, g)| g.name != INSIDE) {
        let who = Who::Group(i);
        if !parties().any(|p| p.from.contains(&who) || p.to.contains(&who)) {
            problems.warning(
                group.at,
                format!("no rule or exception uses the group {}", quote(&group.name)),
                "take it away",
            );
        }
    }
    for (i, exception) in policy.exceptions.all.iter().enumerate() {
        if !policy.rules.iter().any(|r| r.except.contains(&i)) {
            problems.warning(
                exception.at,
                format!("no rule names the exception {}", quote(&exception.name)),
                "name it in the `except` of a rule, or take it away",
            );
        }
    }
}

fn unexercised(policy: &Policy, trial: &Trial, problems: &mut Problems) {
    for rule in policy.rules.iter().filter(|r| !trial.exercised.contains(&r.name.id)) {
        problems.warning(
            rule.at,
            format!("no test exercises the rule {}", quote(&rule.name.id)),
            "write a test with a mail for which it matches",
        );
    }
}

/// A rule about numbers to the outside that is weaker than the default can never win there.
fn weaker_than_default(policy: &Policy, problems: &mut Problems) {
    let default = &policy.default.found_to_outside;
    for rule in &policy.rules {
        let weaker = matches!(rule.action, Action::Log | Action::Warn) && rule.action < *default;
        let to = &rule.when.parties.to;
        let outside_only = !to.is_empty() && !to.iter().any(|who| policy.groups.is_named_inside(*who));
        let idle = rule.action == Action::Log || rule.when.confidence >= policy.default.confidence;
        if weaker && outside_only && rule.when.found.is_number() && idle {
            problems.warning(
                rule.at,
                format!(
                    "the rule {} says {}, but `default` says {} for such numbers to the outside, and the strictest wins",
                    quote(&rule.name.id),
                    quote(rule.action.word()),
                    quote(default.word())
                ),
                "a rule cannot allow anything: change `default: {found_to_outside: …}`, or write a strict rule with exceptions",
            );
        }
    }
}

/// Conditions that exclude each other look like a rule, and are none.
fn impossible(policy: &Policy, problems: &mut Problems) {
    let rules = policy
        .rules
        .iter()
        .map(|r| ("rule", r.name.id.as_str(), r.at, &r.when.parties));
    let exceptions = policy
        .exceptions
        .all
        .iter()
        .map(|e| ("exception", &*e.name, e.at, &e.parties));
    for (what, name, at, parties) in rules.chain(exceptions) {
        if let Some((key, word)) = parties.contradicted(&policy.groups) {
            problems.warning(
                at,
                format!(
                    "the {what} {} never applies: its `direction` and `{key}: {word}` exclude each other",
                    quote(name)
                ),
                "take one of the two away; `direction` says from where to where",
            );
        }
    }
}

/// The free-standing permission that this language does not have, by another door.
fn lifts_everything(policy: &Policy, problems: &mut Problems) {
    for exception in policy
        .exceptions
        .all
        .iter()
        .filter(|e| !e.tls_enforced && !e.own_number)
    {
        let to = &exception.parties.to;
        if to.is_empty() || to.contains(&Who::Outside) {
            problems.warning(
                exception.at,
                format!(
                    "the exception {} lifts every number for everybody outside",
                    quote(&exception.name)
                ),
                "say for whom: `to` with a group, `delivery`, `number`",
            );
        }
    }
}

/// A mistyped year, or an exception that nobody will look at again.
fn never_expires(policy: &Policy, today: Date, problems: &mut Problems) {
    for exception in policy
        .exceptions
        .all
        .iter()
        .filter(|e| e.expires.year() > today.year() + 5)
    {
        problems.warning(
            exception.expires_at,
            format!(
                "the exception {} holds for more than five years",
                quote(&exception.name)
            ),
            "is the year right? An exception is meant to be looked at again, at least every few years",
        );
    }
}

/// Refuses text that looks like a CPR number, in the policy and in its lists.
pub(super) fn real_numbers(source: &str, lists: &[List], reading: Reading<'_>, problems: &mut Problems) {
    let message = "this looks like a real CPR number";
    let help = "never write a number into a policy; in tests write {cpr}, which stands for a made-up one";
    for at in numbers_in(source, reading) {
        problems.error(at, message, help);
    }
    for list in lists {
        for at in numbers_in(&list.text, reading) {
            problems.error_in(&list.file, at.line, message, "never write a number into a list");
        }
    }
}

fn numbers_in(text: &str, reading: Reading<'_>) -> Vec<Spot> {
    let hits = reading(text);
    let real = hits
        .iter()
        .filter(|h| h.kind == IdKind::Cpr && h.confidence >= Confidence::Likely);
    real.filter_map(|h| text.get(..h.span.start)).map(end).collect()
}

/// Line and column behind the text.
fn end(before: &str) -> Spot {
    let last = before.rsplit('\n').next().unwrap_or("");
    Spot {
        line: before.matches('\n').count() + 1,
        column: last.chars().count() + 1,
    }
}
