//! What is not wrong, but not right either: expired exceptions, groups and exceptions that nothing uses, rules that no
//! test exercises; and the one thing that must never stand in a policy, a real number.

use super::groups::{List, Who};
use super::include::Source;
use super::problem::{Problems, quote};
use super::rules::Rule;
use super::subsume;
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
    subsume::warn(policy, problems);
    lifts_everything(policy, problems);
    reroutes_nothing(policy, problems);
    never_expires(policy, today, problems);
}

/// Three dots end a YAML document (YAML 1.2 §9.1.2). A file that was cut off between two rules is sound YAML, and a policy
/// that lacks its last rules is sound as well: only a mark at its end tells the one from the other.
pub(super) const CUT_OFF: &str = "the file does not end with `...`";

/// The problem is that a file has no mark at its end: the one warning for which a file does not come into force.
pub fn is_cut_off(problem: &super::Problem) -> bool {
    problem.message == CUT_OFF
}

/// Tells of each file that has no mark at its end.
pub(super) fn cut_off(sources: &[Source], problems: &mut Problems) {
    for source in sources {
        let end = source
            .text
            .lines()
            .enumerate()
            .filter(|(_, line)| !line.trim().is_empty())
            .last();
        if let Some((i, line)) = end.filter(|(_, line)| line.trim_end() != "...") {
            problems.warning(
                Spot {
                    file: source.node.at.file,
                    line: i + 1,
                    column: line.chars().take_while(|c| *c == ' ').count() + 1,
                },
                CUT_OFF,
                "is it whole? Then write three dots into a line of their own at its end: a file that was cut off could not be told from it",
            );
        }
    }
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
        if !policy.rules.iter().any(|r| r.except.named.contains(&i)) {
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

/// `default` is stricter than `reroute`: without a rule that names `rerouted` nothing goes through the gateway.
fn reroutes_nothing(policy: &Policy, problems: &mut Problems) {
    let named = policy.rules.iter().any(|rule| rule.except.rerouted);
    let held = policy.default.found_to_outside > Action::Reroute(String::new());
    let reroutes = |rule: &&Rule| matches!(rule.action, Action::Reroute(_)) && rule.when.found.is_number();
    for rule in policy.rules.iter().filter(reroutes).filter(|_| held && !named) {
        problems.warning(
            rule.at,
            format!(
                "the rule {} reroutes, but `default` says {} for numbers to the outside, and the strictest wins",
                quote(&rule.name.id),
                quote(policy.default.found_to_outside.word())
            ),
            "name `rerouted` in the `except` of a rule that says `quarantine` for such numbers: it lifts what goes through a gateway",
        );
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
        .filter(|e| !e.route.tls_enforced && !e.route.own_number && e.route.next_hop.is_empty())
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
pub(super) fn real_numbers(sources: &[Source], lists: &[List], reading: Reading<'_>, problems: &mut Problems) {
    let message = "this looks like a real CPR number";
    let help = "never write a number into a policy; in tests write {cpr}, which stands for a made-up one";
    for source in sources {
        for at in numbers_in(&source.text, reading) {
            let file = source.node.at.file;
            problems.error(Spot { file, ..at }, message, help);
        }
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
        file: 0,
        line: before.matches('\n').count() + 1,
        column: last.chars().count() + 1,
    }
}
