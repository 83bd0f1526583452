//! Runs the tests of the policy file. The policy cannot open mail; it judges the texts of a test as the detector reads
//! them, which is handed in, so that the judging can be tested without it.

use super::cases::{Case, Expect, Mark, Text};
use super::decide::Judge;
use super::problem::{Problems, quote};
use super::words;
use super::yaml::Spot;
use super::{Answers, Facts, Number, Policy, Reading, Redaction, Sighting};
use crate::cpr::{self, IdKind};
use crate::types::{Decision, Envelope, PlaceClass, Recipient};
use std::collections::{BTreeMap, BTreeSet};
use time::Date;

/// What became of one test, for `policy test`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TestResult {
    /// `name:`.
    pub name: String,
    /// Line of the test in the policy file.
    pub line: usize,
    /// One line a recipient: what came out and why.
    pub outcomes: Vec<String>,
    /// All as expected.
    pub passed: bool,
    /// Not as expected any more, only because a date in the policy has passed since: the last day on which it was.
    pub lapsed: Option<Date>,
}

/// One recipient for whom a test did not come out as expected.
struct Failure {
    at: Spot,
    message: String,
    why: String,
}

/// Everything that the tests showed.
#[derive(Default)]
pub(super) struct Trial {
    pub results: Vec<TestResult>,
    /// Ids of rules that matched in at least one test.
    pub exercised: BTreeSet<String>,
}

/// Runs all tests; failures become problems at their line.
///
/// A test that fails only because an exception has expired, or because a watched rule is enforced by now, is a warning:
/// nobody has changed the file, and the day must not come on which the gateway cannot start again. What is in force is
/// what the file says of today, with everything lifted that has not expired and nothing more.
pub(super) fn run(policy: &Policy, today: Date, reading: Reading<'_>, problems: &mut Problems) -> Trial {
    let mut trial = Trial::default();
    let days = earlier_days(policy, today);
    for case in &policy.tests {
        let (mut result, failures) = one(policy, case, today, reading, &mut trial.exercised);
        if !failures.is_empty() {
            let passed_on = |day: &&Date| one(policy, case, **day, reading, &mut trial.exercised).1.is_empty();
            result.lapsed = days.iter().find(passed_on).copied();
        }
        for failure in failures {
            match result.lapsed {
                None => problems.error(failure.at, failure.message, failure.why),
                Some(day) => problems.warning(
                    failure.at,
                    format!("{}; it was as expected until {day}", failure.message),
                    "an exception has expired, or a watched rule is enforced since: change the date or the test",
                ),
            }
        }
        trial.results.push(result);
    }
    trial
}

/// The last days on which a date in the policy had not passed yet, the latest first.
fn earlier_days(policy: &Policy, today: Date) -> Vec<Date> {
    let expired = policy.exceptions.all.iter().map(|e| e.expires);
    let watched = policy.rules.iter().filter_map(|r| r.enforce_from?.previous_day());
    let days: BTreeSet<Date> = expired.chain(watched).filter(|day| *day < today).collect();
    days.into_iter().rev().collect()
}

fn one(
    policy: &Policy,
    case: &Case,
    today: Date,
    reading: Reading<'_>,
    exercised: &mut BTreeSet<String>,
) -> (TestResult, Vec<Failure>) {
    let numbers = Drawn::new(case);
    let seen = numbers.seen(case, reading);
    let envelope = envelope(case);
    let tls: Vec<bool> = case.to.iter().map(|to| case.tls_enforced || to.tls_enforced).collect();
    let facts = Facts {
        envelope: &envelope,
        today,
        numbers: &seen,
        doubts: &case.doubts,
        tls_enforced: &tls,
        redaction: Redaction::Assumed,
        given: &Answers::offline(),
    };
    let mut judge = Judge::new(policy, &facts, &case.from_groups);
    let mut result = TestResult {
        name: case.name.clone(),
        line: case.at.line,
        outcomes: Vec::new(),
        passed: true,
        lapsed: None,
    };
    let mut failures = Vec::new();
    for (index, (to, recipient)) in case.to.iter().zip(&envelope.recipients).enumerate() {
        let decision = judge.decide(index, recipient, &to.groups);
        exercised.extend(decision.matched.iter().map(|m| m.rule.id.clone()));
        exercised.extend(decision.lifted.iter().map(|l| l.rule.id.clone()));
        result
            .outcomes
            .push(format!("{}: {}", cpr::mask(&to.written), outcome(&decision)));
        for expect in case.expect.iter().filter(|e| e.recipient == index) {
            failures.extend(check(policy, case, expect, &decision, seen.len()));
        }
        for because in case.because.iter().filter(|b| b.recipient == index) {
            let id = decision.rule.as_ref().map_or("none", |r| r.id.as_str());
            if id != because.rule.text {
                let message = format!(
                    "test {}: expected rule {} to decide for {}, got {}",
                    quote(&case.name),
                    quote(&because.rule.text),
                    quote(&to.written),
                    outcome(&decision),
                );
                failures.push(Failure {
                    at: because.rule.at,
                    message,
                    why: why(policy, &decision, seen.len()),
                });
            }
        }
    }
    result.passed = failures.is_empty();
    (result, failures)
}

fn check(policy: &Policy, case: &Case, expect: &Expect, decision: &Decision, numbers: usize) -> Option<Failure> {
    if decision.action.word() == expect.action {
        return None;
    }
    let to = case.to.get(expect.recipient).map_or("", |to| to.written.as_str());
    let message = format!(
        "test {}: expected {} for {}, got {}",
        quote(&case.name),
        quote(expect.action),
        quote(to),
        outcome(decision),
    );
    Some(Failure {
        at: expect.at,
        message,
        why: why(policy, decision, numbers),
    })
}

/// The action, and the rule that said so.
fn outcome(decision: &Decision) -> String {
    let action = quote(decision.action.word());
    match &decision.rule {
        Some(rule) => format!("{action} by rule {}", quote(&rule.id)),
        None => format!("{action} since no rule matched"),
    }
}

/// All that speaks for the outcome, for somebody who expected another.
fn why(policy: &Policy, decision: &Decision, numbers: usize) -> String {
    let mut parts = vec![match numbers {
        0 => "no number was found in the texts".to_owned(),
        1 => "one number was found".to_owned(),
        n => format!("{n} different numbers were found"),
    }];
    for m in &decision.matched {
        let watch = if m.watch { " (watched only)" } else { "" };
        parts.push(format!(
            "rule {} matched: {}{watch}",
            quote(&m.rule.id),
            quote(m.action.word())
        ));
    }
    let lifted: BTreeSet<(&str, &str)> = decision
        .lifted
        .iter()
        .map(|l| (&*l.exception, l.rule.id.as_str()))
        .collect();
    for (exception, rule) in lifted {
        parts.push(format!(
            "exception {} lifted from rule {}",
            quote(exception),
            quote(rule)
        ));
    }
    for (group, _) in policy.asked_groups() {
        parts.push(format!(
            "who is in the group {} is not asked in tests: say it with `given`",
            quote(group)
        ));
    }
    parts.join("; ")
}

fn envelope(case: &Case) -> Envelope {
    Envelope {
        sender_raw: case.from.to_string().into_bytes(),
        sender: Some(case.from.clone()),
        login: case.login.clone(),
        recipients: case
            .to
            .iter()
            .map(|to| Recipient {
                raw: to.written.clone().into_bytes(),
                address: Some(to.address.clone()),
                args: Vec::new(),
            })
            .collect(),
        ..Envelope::default()
    }
}

/// The made-up numbers that stand for the names in braces: another one for each name, the same at every run.
struct Drawn(BTreeMap<String, String>);

impl Drawn {
    fn new(case: &Case) -> Drawn {
        let mut drawn = BTreeMap::new();
        for (_, text) in &case.texts {
            for name in names(text) {
                let next = drawn.len() as u64 + 1;
                drawn.entry(name.to_owned()).or_insert_with(|| made_up(next));
            }
        }
        Drawn(drawn)
    }

    /// The text as a mail would have it.
    fn fill(&self, text: &str) -> String {
        let mut out = text.to_owned();
        for (name, number) in &self.0 {
            let (date, serial) = number.split_at_checked(6).unwrap_or((number, ""));
            out = out.replace(&format!("{{{name}}}"), &format!("{date}-{serial}"));
        }
        out
    }

    fn has(&self, case: &Case, number: &str, fact: Mark) -> bool {
        let marked = |(name, f): &(String, Mark)| *f == fact && self.0.get(name).is_some_and(|n| n == number);
        case.marks.iter().any(marked)
    }

    /// Different numbers in all texts, with the facts that the test gives of them.
    fn seen(&self, case: &Case, reading: Reading<'_>) -> Vec<Number> {
        let mut seen: BTreeMap<(IdKind, String), Number> = BTreeMap::new();
        for (text, written) in &case.texts {
            for hit in reading(&self.fill(written)) {
                let number = hit.number.reveal().to_owned();
                let sighting = Sighting {
                    confidence: hit.confidence,
                    class: class(*text),
                    hidden: self.has(case, &number, Mark::Hidden),
                    fake_redaction: self.has(case, &number, Mark::FakeRedaction),
                };
                let entry = seen.entry((hit.kind.clone(), number.clone()));
                entry
                    .or_insert_with(|| self.number(case, hit.kind, &number))
                    .sightings
                    .push(sighting);
            }
        }
        seen.into_values().collect()
    }

    fn number(&self, case: &Case, kind: IdKind, number: &str) -> Number {
        let own = self.has(case, number, Mark::BelongsToRecipient);
        let owner = |(i, to): (usize, &super::cases::To)| (own || to.owns_all).then_some(i);
        Number {
            kind,
            protected: self.has(case, number, Mark::Protected),
            belongs_to: case.to.iter().enumerate().filter_map(owner).collect(),
            sightings: Vec::new(),
        }
    }
}

fn class(text: Text) -> PlaceClass {
    match text {
        Text::Subject => PlaceClass::Subject,
        Text::Body => PlaceClass::Body,
        Text::FileName => PlaceClass::FileName,
        Text::Attachment => PlaceClass::Attachment,
    }
}

/// The names in braces, in order.
fn names(text: &str) -> impl Iterator<Item = &str> {
    text.split('{').skip(1).filter_map(|rest| {
        let (name, _) = rest.split_once('}')?;
        words::is_number_name(name).then_some(name)
    })
}

/// Stands in for `cpr::made_up::number`: a date of 1960 to 1987 and a serial for which modulus 11 holds.
fn made_up(seed: u64) -> String {
    let (day, month, year) = (seed * 7 % 28 + 1, seed * 5 % 12 + 1, 60 + seed * 11 % 28);
    let weights = [4u32, 3, 2, 7, 6, 5, 4, 3, 2, 1];
    let checks = |n: &String| {
        n.bytes()
            .zip(weights)
            .map(|(d, w)| u32::from(d - b'0') * w)
            .sum::<u32>()
            % 11
            == 0
    };
    let draw = |serial: u64| format!("{day:02}{month:02}{year:02}{serial:04}");
    (1000 + seed % 1000..4000)
        .map(draw)
        .find(checks)
        .unwrap_or_else(|| draw(1000))
}
