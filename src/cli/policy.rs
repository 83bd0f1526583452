//! `cpr-milter policy check | test | explain`: what the policy says, in words for a compliance officer. Texts come back
//! to the caller, who prints them and ends with the exit status.

use super::policy_file::render;
pub use super::policy_file::{Opened, Refused, gateways_known, in_force, open};
use crate::config::Config;
use crate::cpr::{self, IdKind, Secret};
use crate::policy::{self, Facts, Number, Policy, Redaction, Seen, TestResult};
use crate::types::{Action, Address, Decision, Envelope, Matched, Recipient, Report};
use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::Path;
use time::Date;

/// The policy is sound.
pub const SOUND: u8 = 0;
/// The policy has mistakes, or fails its own tests.
pub const MISTAKES: u8 = 1;
/// The file could not be read.
pub const UNREADABLE: u8 = 2;

/// `policy check FILE`: every mistake and warning, then one line. With the administrator's file also what only the two
/// together show.
pub fn check(path: &Path, config: Option<&Config>, today: Date) -> (String, u8) {
    match open(path, today) {
        Ok(Opened { loaded, texts }) => {
            let mut out = render(&loaded.warnings, &texts);
            if let Some(Err(unknown)) = config.map(|config| gateways_known(&loaded.policy, path, config)) {
                return (format!("{out}{unknown}\n"), MISTAKES);
            }
            let warnings = count(loaded.warnings.len(), "warning");
            let tests = passed(&loaded.tests);
            let (name, hash) = (loaded.policy.name(), loaded.policy.hash());
            let _ = writeln!(out, "{name} is sound: {tests}, {warnings}, hash {hash}");
            (out, SOUND)
        }
        Err(refused) => refusal(&refused),
    }
}

/// `policy test FILE`: what each test showed. Failures come with the rule that won and why.
pub fn test(path: &Path, today: Date) -> (String, u8) {
    match open(path, today) {
        Ok(Opened { loaded, .. }) => {
            let mut out: String = loaded.tests.iter().map(report).collect();
            let _ = writeln!(out, "\n{}", passed(&loaded.tests));
            (out, SOUND)
        }
        Err(refused) => {
            let tests = match &refused {
                Refused::Mistakes { tests, .. } => tests.as_slice(),
                Refused::Unreadable { .. } => &[],
            };
            let mut out: String = tests.iter().map(report).collect();
            if !tests.is_empty() {
                let _ = writeln!(out, "\n{}\n", passed(tests));
            }
            let (shown, status) = refusal(&refused);
            (out + &shown, status)
        }
    }
}

fn refusal(refused: &Refused) -> (String, u8) {
    match refused {
        Refused::Unreadable { .. } => (format!("{refused}\n"), UNREADABLE),
        Refused::Mistakes {
            shown, problems, path, ..
        } => {
            let mistakes = count(problems.iter().filter(|p| !p.warning).count(), "mistake");
            let out = format!("{shown}{path}: {mistakes}; it does not come into force, the policy in force stays\n");
            (out, MISTAKES)
        }
    }
}

fn passed(tests: &[TestResult]) -> String {
    let lapsed = tests.iter().filter(|t| t.lapsed.is_some()).count();
    let failed = tests.iter().filter(|t| !t.passed && t.lapsed.is_none()).count();
    let mut out = format!("{} passed", count(tests.len() - lapsed - failed, "test"));
    for (number, word) in [(lapsed, "lapsed"), (failed, "FAILED")] {
        if number > 0 {
            let _ = write!(out, ", {number} {word}");
        }
    }
    out
}

fn report(result: &TestResult) -> String {
    let word = match (result.passed, result.lapsed) {
        (true, _) => "ok    ",
        (false, Some(_)) => "lapsed",
        (false, None) => "FAILED",
    };
    let mut out = format!("{word} {}\n", cpr::mask(&result.name));
    if let Some(day) = result.lapsed {
        let _ = writeln!(
            out,
            "         as expected until {day}; a date in the policy has passed since"
        );
    }
    for outcome in &result.outcomes {
        let _ = writeln!(out, "         {outcome}");
    }
    out
}

fn count(n: usize, what: &str) -> String {
    match n {
        0 => format!("no {what}s"),
        1 => format!("1 {what}"),
        n => format!("{n} {what}s"),
    }
}

/// An envelope for `explain`, from options or from the mail's headers: one bare address each.
pub fn envelope(from: Option<&str>, to: &[String]) -> Envelope {
    let sender = from.and_then(|f| Address::parse(f.as_bytes()).ok());
    Envelope {
        sender_raw: from.unwrap_or("<>").as_bytes().to_vec(),
        sender,
        recipients: to
            .iter()
            .map(|raw| Recipient {
                raw: raw.clone().into_bytes(),
                address: Address::parse(raw.as_bytes()).ok(),
                args: Vec::new(),
            })
            .collect(),
        ..Envelope::default()
    }
}

/// What `explain` looks at, beside the policy.
pub struct Explained<'a> {
    /// Who sends to whom.
    pub envelope: &'a Envelope,
    /// What the inspection found.
    pub report: &'a Report,
    /// For each recipient: mail there goes over enforced TLS.
    pub tls_enforced: &'a [bool],
    /// Whether a number is on the list of protected persons.
    pub is_protected: &'a dyn Fn(&IdKind, &Secret) -> bool,
    /// Today.
    pub today: Date,
}

/// `policy explain MAIL`: for each recipient the outcome, every rule that matched, and what exceptions lifted. No digits.
pub fn explain(policy: &Policy, mail: &Explained<'_>) -> String {
    let seen = policy::facts_from(mail.report, mail.is_protected, &|_, _| Vec::new());
    let decisions = policy.decide(&Facts {
        envelope: mail.envelope,
        today: mail.today,
        numbers: &seen.numbers,
        doubts: &seen.doubts,
        tls_enforced: mail.tls_enforced,
        next_hops: &[],
        redaction: Redaction::Assumed,
    });
    let mut out = format!("policy  {} ({})\n", policy.name(), policy.hash());
    let sender = mail.envelope.sender.as_ref();
    let _ = writeln!(out, "from    {}", address(sender, policy));
    found(&mut out, &seen);
    for (decision, recipient) in decisions.iter().zip(&mail.envelope.recipients) {
        let _ = writeln!(out, "\nto      {}", address(recipient.address.as_ref(), policy));
        one(&mut out, policy, decision);
    }
    out
}

fn address(address: Option<&Address>, policy: &Policy) -> String {
    let side = if policy.is_inside(address) { "inside" } else { "outside" };
    match address {
        Some(address) => format!("{} ({side})", cpr::mask(&address.to_string())),
        None => format!("<> ({side})"),
    }
}

fn found(out: &mut String, seen: &Seen) {
    let _ = writeln!(
        out,
        "found   {}, {}",
        count(seen.numbers.len(), "different number"),
        count(seen.doubts.len(), "kind of doubt").replace("kind of doubts", "kinds of doubt")
    );
    for (i, number) in seen.numbers.iter().enumerate() {
        let _ = writeln!(out, "        no. {}: {}", i + 1, describe(number));
    }
    for doubt in &seen.doubts {
        let _ = writeln!(out, "        doubt: {}", doubt.word());
    }
}

/// Kind, surest confidence, places; never whether the person is protected, which nobody may probe here.
fn describe(number: &Number) -> String {
    let confidence = number.sightings.iter().map(|s| s.confidence).max();
    let places: BTreeSet<&str> = number.sightings.iter().map(|s| policy::words::place(s.class)).collect();
    let mut text = format!("{} {}", number.kind.word(), confidence.map_or("", |c| c.word()));
    let _ = write!(text, " in {}", places.into_iter().collect::<Vec<_>>().join(", "));
    if number.sightings.len() > 1 {
        let _ = write!(text, ", {} places", number.sightings.len());
    }
    if number.sightings.iter().any(|s| s.hidden) {
        text.push_str(", hidden");
    }
    if number.sightings.iter().any(|s| s.fake_redaction) {
        text.push_str(", covered but still there");
    }
    text
}

fn one(out: &mut String, policy: &Policy, decision: &Decision) {
    let reason = match &decision.rule {
        Some(rule) => format!("by rule `{}` ({})", rule.id, cpr::mask(&rule.title)),
        None => "since no rule matched".to_owned(),
    };
    let _ = writeln!(out, "        {} {reason}", decision.action.word());
    if decision.action == Action::Redact {
        let _ = writeln!(
            out,
            "        removes {} from this copy, if the result is clean; else it is held",
            numbers(&decision.redact)
        );
    }
    if decision.action == Action::Quarantine {
        let release = &decision.release;
        let _ = writeln!(
            out,
            "        release by {}, {} must agree",
            release.by,
            count(release.people.into(), "person").replace("persons", "people")
        );
    }
    for m in &decision.matched {
        let _ = writeln!(out, "        - {}", matched(m));
    }
    for l in &decision.lifted {
        let title = policy.exception_title(&l.exception).unwrap_or("removed from this copy");
        let title = cpr::mask(title);
        let _ = writeln!(
            out,
            "        - exception `{}` ({title}) lifts {} from rule `{}`",
            l.exception,
            numbers(&[l.number]),
            l.rule
        );
    }
}

fn matched(m: &Matched) -> String {
    let mut why = Vec::new();
    if !m.numbers.is_empty() {
        why.push(numbers(&m.numbers));
    }
    why.extend(m.doubts.iter().map(|d| d.word().to_owned()));
    let watch = if m.watch { ", watched only" } else { "" };
    format!(
        "rule `{}` ({}) says {}{watch}: {}",
        m.rule.id,
        cpr::mask(&m.rule.title),
        m.action.word(),
        why.join(", ")
    )
}

/// `no. 1 and no. 3`.
fn numbers(indices: &[usize]) -> String {
    let words: Vec<String> = indices.iter().map(|i| format!("no. {}", i + 1)).collect();
    match words.split_last() {
        None => "nothing".to_owned(),
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cpr::Confidence;
    use crate::types::{Doubt, DoubtKind, Finding, Location, PartPath, Place};
    use time::macros::date;

    const POLICY: &str = "
version: 1
name: Prøve
owner: dpo@k.example
groups: {inside: {domains: [k.example]}, partners: {domains: [p.example]}}
exceptions:
  partner:
    title: Aftalt
    when: {to: partners, delivery: tls_enforced}
    owner: dpo@k.example
    reason: aftale
    expires: 2027-01-31
rules:
  - {id: outside, title: Ud af huset, when: {found: cpr, to: outside}, then: quarantine, except: [partner]}
";

    fn place() -> Place {
        Place {
            part: PartPath::default(),
            name: None,
            media_type: "text/plain".to_owned(),
            attachment: false,
            location: Location::Text,
        }
    }

    #[test]
    fn explain_names_rules_and_exceptions_and_no_digit_of_a_number() {
        let policy = policy::load(POLICY, "p.yaml", date!(2026 - 11 - 24), &|_| Ok(String::new()))
            .expect("sound")
            .policy;
        let made_up = "7".repeat(10);
        let report = Report {
            findings: vec![Finding {
                kind: IdKind::Cpr,
                number: Secret::new(made_up.clone()),
                confidence: Confidence::Certain,
                place: place(),
                span: 0..10,
                hidden: false,
                fake_redaction: false,
                why: Vec::new(),
            }],
            doubts: vec![Doubt {
                kind: DoubtKind::Encrypted,
                place: place(),
                reason: String::new(),
            }],
            ..Report::default()
        };
        let envelope = envelope(
            Some("a@k.example"),
            &["b@p.example".to_owned(), "c@x.example".to_owned()],
        );
        let mail = Explained {
            envelope: &envelope,
            report: &report,
            tls_enforced: &[true, false],
            is_protected: &|_, _| false,
            today: date!(2026 - 11 - 24),
        };
        let text = explain(&policy, &mail);
        assert!(
            text.contains("exception `partner` (Aftalt) lifts no. 1 from rule `outside`"),
            "{text}"
        );
        assert!(text.contains("quarantine by rule `outside` (Ud af huset)"), "{text}");
        assert!(text.contains("says log: encrypted"), "{text}");
        assert!(!text.contains(&made_up), "{text}");
    }
}
