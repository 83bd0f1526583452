//! `policy replay`: what a policy would have done with the mails of the last weeks, from what they were judged from. Counts
//! and a few masked examples come out, no address and no number.

use super::table::{minute, table};
use crate::config::next_hops;
use crate::cpr::{IdKind, mask};
use crate::policy::{Answers, Facts, Number, Policy, Redaction, words};
use crate::store::{JudgedFor, Looked, Past};
use crate::types::{Action, Address, Decision, Envelope, Recipient};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use time::Date;
use time::format_description::well_known::Rfc3339;

/// Examples kept of each difference.
const EXAMPLES: usize = 3;

/// What no replay can know; said with every result.
pub const CANNOT_KNOW: [&str; 9] = [
    "Groups are those of today's lists: who was in a list when a mail came is not stored.",
    "Directories and Postfix tables are not asked: nobody counts as a member of the groups that they keep.",
    "Protected persons are those on the list today, and dates in the policy are read as of today.",
    "Identifiers that only the new policy looks for cannot be found: mails are not stored, only what was found in them.",
    "What has changed in the reading of documents or in the finding of numbers since then is not seen.",
    "A copy that would be redacted is taken to come out clean, unless a redaction of that mail failed then.",
    "Spot checks are not drawn again: a copy of which a sample is taken counts as sent, and one that was held in a sample as no difference.",
    "To which host mail is handed is what the administrator's file says today; whose number it is, and where TLS is enforced, what was known then.",
    "Mails in which nothing was found and nothing in doubt are not stored.",
];

/// Counts what would have been different, mail by mail.
pub struct Replay<'p> {
    policy: &'p Policy,
    /// Compared with this policy; with what was done when there is none.
    against: Option<&'p Policy>,
    today: Date,
    /// Hosts to which mail for domains is handed, as the administrator declares them today.
    next_hops: &'p BTreeMap<String, Vec<String>>,
    result: Result,
}

/// What came out.
#[derive(Debug, Default)]
pub struct Result {
    /// Mails.
    pub mails: usize,
    /// Mails with a recipient for whom it would have been different.
    pub changed_mails: usize,
    /// Recipients.
    pub recipients: usize,
    /// Different outcomes, counted.
    rows: BTreeMap<[Said; 2], Row>,
}

/// An outcome and the rule that said so.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Said {
    #[serde(serialize_with = "word")]
    action: Action,
    rule: Option<String>,
}

#[derive(Debug, Default)]
struct Row {
    mails: usize,
    recipients: usize,
    examples: Vec<Example>,
}

/// One mail, so that somebody who may look can find it.
#[derive(Clone, Debug, Serialize)]
struct Example {
    received: String,
    incident: Option<String>,
    from: String,
    to: String,
    found: String,
}

fn word<S: serde::Serializer>(action: &Action, s: S) -> std::result::Result<S::Ok, S::Error> {
    s.serialize_str(&action.spelled())
}

impl<'p> Replay<'p> {
    /// `against`: compared with what that policy would have done; else with what was done.
    pub fn new(
        policy: &'p Policy,
        against: Option<&'p Policy>,
        today: Date,
        next_hops: &'p BTreeMap<String, Vec<String>>,
    ) -> Replay<'p> {
        Replay {
            policy,
            against,
            today,
            next_hops,
            result: Result::default(),
        }
    }

    /// Judges one past mail again.
    pub fn take(&mut self, past: &Past) {
        let now = self.again(self.policy, past);
        let was: Vec<Said> = match self.against {
            Some(policy) => self.again(policy, past).iter().map(Said::of).collect(),
            None => past.recipients.iter().map(Said::then).collect(),
        };
        self.result.mails += 1;
        self.result.recipients += past.recipients.len();
        let mut seen = BTreeSet::new();
        for ((was, now), recipient) in was.into_iter().zip(now).zip(&past.recipients) {
            let sampled = was.rule.as_deref() == Some(words::SPOT_CHECK_RULE) && self.policy.may_spot_check(&now);
            if was.action == now.action || sampled {
                continue;
            }
            let pair = [was, Said::of(&now)];
            let row = self.result.rows.entry(pair.clone()).or_default();
            row.recipients += 1;
            if seen.insert(pair) {
                row.mails += 1;
                if row.examples.len() < EXAMPLES {
                    row.examples.push(example(past, recipient));
                }
            }
        }
        self.result.changed_mails += usize::from(!seen.is_empty());
    }

    /// One outcome a recipient. Who had a redaction fail then has it fail again.
    fn again(&self, policy: &Policy, past: &Past) -> Vec<Decision> {
        let looked_for = |number: &&Number| match &number.kind {
            IdKind::Cpr => true,
            IdKind::Custom(name) => policy.identifiers().iter().any(|i| i.name == *name),
        };
        let numbers: Vec<Number> = past.numbers.iter().filter(looked_for).cloned().collect();
        let envelope = Envelope {
            sender: past.sender.clone(),
            login: past.login.clone(),
            recipients: past
                .recipients
                .iter()
                .map(|r| Recipient {
                    raw: Vec::new(),
                    address: r.address.clone(),
                    args: Vec::new(),
                })
                .collect(),
            ..Envelope::default()
        };
        let tls: Vec<bool> = past.recipients.iter().map(|r| r.tls_enforced).collect();
        let next_hops = next_hops(&envelope, self.next_hops);
        let decide = |redaction| {
            policy.decide(&Facts {
                envelope: &envelope,
                today: self.today,
                numbers: &numbers,
                doubts: &past.doubts,
                tls_enforced: &tls,
                next_hops: &next_hops,
                redaction,
                given: &Answers::offline(),
            })
        };
        let hoped = decide(Redaction::Assumed);
        let failed = |r: &JudgedFor| r.rule.as_deref() == Some("redaction_failed");
        if !past.recipients.iter().any(failed) {
            return hoped;
        }
        let each = hoped.into_iter().zip(decide(Redaction::Failed)).zip(&past.recipients);
        each.map(|((hoped, second), r)| if failed(r) { second } else { hoped })
            .collect()
    }

    /// All that was counted.
    pub fn finish(self) -> Result {
        self.result
    }
}

impl Said {
    fn then(recipient: &JudgedFor) -> Said {
        Said {
            action: recipient.action.clone(),
            rule: recipient.rule.clone(),
        }
    }

    fn of(decision: &Decision) -> Said {
        Said {
            action: decision.action.clone(),
            rule: decision.rule.as_ref().map(|rule| rule.id.clone()),
        }
    }
}

fn example(past: &Past, recipient: &JudgedFor) -> Example {
    Example {
        received: past.received.format(&Rfc3339).unwrap_or_default(),
        incident: past.incident.as_ref().map(ToString::to_string),
        from: hidden(past.sender.as_ref()),
        to: hidden(recipient.address.as_ref()),
        found: found(past),
    }
}

/// `a…@kommune.example`: the department can be told, the person not.
fn hidden(address: Option<&Address>) -> String {
    match address {
        None => "<>".to_owned(),
        Some(address) => {
            let first: String = address.local.chars().take(1).filter(|c| c.is_alphabetic()).collect();
            format!("{first}…@{}", mask(&address.domain))
        }
    }
}

/// `3 cpr, certain, in body and attachment; encrypted`.
fn found(past: &Past) -> String {
    let mut parts = Vec::new();
    let kinds: BTreeSet<&str> = past.numbers.iter().map(|n| n.kind.word()).collect();
    for kind in kinds {
        let of_kind = || past.numbers.iter().filter(|n| n.kind.word() == kind);
        let sightings = || of_kind().flat_map(|n| &n.sightings);
        let sure = sightings().map(|s| s.confidence).max().map_or("", |c| c.word());
        let places: BTreeSet<&str> = sightings().map(|s| words::place(s.class)).collect();
        let places: Vec<&str> = places.into_iter().collect();
        parts.push(format!(
            "{} {kind}, {sure}, in {}",
            of_kind().count(),
            places.join(" and ")
        ));
    }
    parts.extend(past.doubts.iter().map(|d| d.word().to_owned()));
    parts.join("; ")
}

impl Result {
    /// Nothing would have been different.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Most mails first.
    fn sorted(&self) -> Vec<(&[Said; 2], &Row)> {
        let mut rows: Vec<_> = self.rows.iter().collect();
        rows.sort_by_key(|(_, row)| std::cmp::Reverse(row.mails));
        rows
    }

    /// For people.
    pub fn text(&self, days: u32, looked: &Looked) -> String {
        let mut out = format!(
            "{} mails to {} recipients of the last {days} days: {} mails would have been different.\n",
            self.mails, self.recipients, self.changed_mails
        );
        if !self.rows.is_empty() {
            let rule = |said: &Said| said.rule.clone().unwrap_or_else(|| "-".to_owned());
            let rows: Vec<Vec<String>> = self
                .sorted()
                .into_iter()
                .map(|([was, now], row)| {
                    vec![
                        was.action.spelled(),
                        rule(was),
                        now.action.spelled(),
                        rule(now),
                        row.mails.to_string(),
                        row.recipients.to_string(),
                    ]
                })
                .collect();
            out.push('\n');
            out.push_str(&table(&["WAS", "BY", "WOULD BE", "BY", "MAILS", "RECIPIENTS"], &rows));
            out.push_str(&self.examples());
        }
        out.push_str("\nWhat this cannot know:\n");
        for line in cannot_know(looked) {
            out.push_str(&wrapped(&line, "- ", "  "));
        }
        out
    }

    fn examples(&self) -> String {
        let mut out = String::from("\nExamples:\n");
        for ([was, now], row) in self.sorted() {
            for example in &row.examples {
                let incident = example.incident.as_deref().unwrap_or("no incident");
                let at = time::OffsetDateTime::parse(&example.received, &Rfc3339)
                    .map(minute)
                    .unwrap_or_default();
                let _ = writeln!(
                    out,
                    "  {} -> {}: {at}, {incident}",
                    was.action.spelled(),
                    now.action.spelled()
                );
                out.push_str(&wrapped(
                    &format!("from {} to {}: {}", example.from, example.to, example.found),
                    "    ",
                    "    ",
                ));
            }
        }
        out
    }

    /// For programs.
    pub fn json(&self, days: u32, looked: &Looked) -> serde_json::Value {
        let changes: Vec<_> = self
            .sorted()
            .into_iter()
            .map(|([was, now], row)| {
                serde_json::json!({
                    "was": was, "now": now, "mails": row.mails, "recipients": row.recipients, "examples": row.examples,
                })
            })
            .collect();
        serde_json::json!({
            "days": days,
            "mails": self.mails,
            "recipients": self.recipients,
            "changed_mails": self.changed_mails,
            "unreadable": looked.unreadable,
            "without_judgement": looked.without,
            "changes": changes,
            "cannot_know": cannot_know(looked),
        })
    }
}

fn cannot_know(looked: &Looked) -> Vec<String> {
    let mut lines: Vec<String> = CANNOT_KNOW.iter().map(|line| (*line).to_owned()).collect();
    if looked.without > 0 {
        lines.push(format!(
            "{} mails of that time are held or recorded without what they were judged from: they came before it was kept, or \
             could not be inspected.",
            looked.without
        ));
    }
    if looked.unreadable > 0 {
        lines.push(format!(
            "{} mails could not be read back: their key is gone.",
            looked.unreadable
        ));
    }
    lines
}

/// Lines of 78 columns at most.
pub(super) fn wrapped(text: &str, first: &str, next: &str) -> String {
    let mut out = String::new();
    let mut line = first.to_owned();
    let mut empty = true;
    for word in text.split_whitespace() {
        if !empty && line.chars().count() + 1 + word.chars().count() > 78 {
            out.push_str(&line);
            out.push('\n');
            line = next.to_owned();
            empty = true;
        }
        if !empty {
            line.push(' ');
        }
        line.push_str(word);
        empty = false;
    }
    out + &line + "\n"
}
