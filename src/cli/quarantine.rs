//! `cpr-milter quarantine`: what is held, and what is to become of it. Masked throughout; each look and each decision is in
//! the audit trail under the name of whoever asked.

use super::table::{Said, minute, plain, table};
use crate::store::{Decider, Details, Filter, IncidentId, Released, State, Store, StoreError, Summary, What, Whom};
use crate::types::{FoundLine, NoticeFacts};
use std::fmt::Write as _;

/// `quarantine list`.
pub fn list(store: &Store, filter: &Filter) -> Said {
    match store.list(filter) {
        Ok(found) if found.is_empty() => ("Nothing there.\n".to_owned(), 0),
        Ok(found) => {
            let rows: Vec<Vec<String>> = found.iter().map(row).collect();
            let head = ["ID", "RECEIVED", "UNTIL", "STATE", "NUMBERS", "RULES", "SUBJECT"];
            (table(&head, &rows), 0)
        }
        Err(error) => failed(&error),
    }
}

/// `quarantine show ID`. The look is recorded first: what cannot be recorded is not shown.
pub fn show(store: &Store, id: &str, by: &Decider<'_>) -> Said {
    with_id(id, |id| {
        store.viewed(id, by)?;
        Ok(details(&store.show(id)?))
    })
}

/// `quarantine release ID [--to N…]`: recipients are numbered from 1, as `show` prints them; none means all.
pub fn release(store: &Store, id: &str, to: &[usize], what: What, by: &Decider<'_>) -> Said {
    with_id(id, |id| Ok(released(&store.release(id, &whom(to)?, what, by)?)))
}

/// What a release did, in words.
pub(super) fn released(done: &[(usize, Released)]) -> String {
    let mut out = String::new();
    for (index, released) in done {
        let number = index + 1;
        let _ = match released {
            Released::Queued => {
                writeln!(
                    out,
                    "Recipient {number}: in the outbox; \"sent\" only when the MTA has taken it."
                )
            }
            Released::Approved { have, need } => {
                writeln!(
                    out,
                    "Recipient {number}: your approval is noted, {have} of {need} people have agreed to send it so."
                )
            }
        };
    }
    out
}

/// `quarantine refuse ID [--to N…]`.
pub fn refuse(store: &Store, id: &str, to: &[usize], by: &Decider<'_>) -> Said {
    with_id(id, |id| {
        let done = store.refuse(id, &whom(to)?, by)?;
        Ok(format!(
            "Refused for {}; the sender will be told, unless the mail has none or asks for no reports.\n",
            recipients(&done)
        ))
    })
}

/// `quarantine delete ID [--to N…]`.
pub fn delete(store: &Store, id: &str, to: &[usize], by: &Decider<'_>) -> Said {
    with_id(id, |id| {
        let done = store.delete(id, &whom(to)?, by)?;
        Ok(format!("Deleted for {}; nobody is told.\n", recipients(&done)))
    })
}

/// `quarantine stats`.
pub fn stats(store: &Store) -> Said {
    let totals = match store.totals() {
        Ok(totals) => totals,
        Err(error) => return failed(&error),
    };
    let mut out = format!(
        "{} mails recorded, {} with content kept\n",
        totals.incidents, totals.with_content
    );
    if let Some(at) = totals.oldest_held {
        let _ = writeln!(out, "Oldest mail that waits for review: {}", minute(at));
    }
    for (kind, count) in &totals.outbox {
        let _ = writeln!(out, "Outbox, {kind}: {count} waiting");
    }
    let rule = |rule: &Option<String>| rule.clone().unwrap_or_else(|| "-".to_owned());
    let rows = totals
        .by_rule
        .iter()
        .map(|(id, state, n)| vec![rule(id), state.word().to_owned(), n.to_string()]);
    let rows: Vec<Vec<String>> = rows.collect();
    if !rows.is_empty() {
        let _ = write!(out, "\n{}", table(&["RULE", "STATE", "RECIPIENTS"], &rows));
    }
    (out, 0)
}

/// Why what was typed is no hold's id.
pub(super) const NO_ID: &str = "that is no id: an id has sixteen letters, as `cpr-milter quarantine list` shows them";

fn with_id(typed: &str, work: impl FnOnce(&IncidentId) -> Result<String, StoreError>) -> Said {
    let Some(id) = IncidentId::parse(typed) else {
        return (format!("{NO_ID}\n"), 2);
    };
    match work(&id) {
        Ok(text) => (text, 0),
        Err(error) => failed(&error),
    }
}

fn failed(error: &StoreError) -> Said {
    (format!("{error}\n"), 2)
}

pub(super) fn whom(numbers: &[usize]) -> Result<Whom, StoreError> {
    if numbers.is_empty() {
        return Ok(Whom::All);
    }
    let indices = numbers
        .iter()
        .map(|number| number.checked_sub(1))
        .collect::<Option<Vec<_>>>();
    indices
        .map(Whom::Some)
        .ok_or_else(|| StoreError::Refused("recipients are numbered from 1".to_owned()))
}

fn recipients(done: &[usize]) -> String {
    match done {
        [one] => format!("recipient {}", one + 1),
        many => {
            let numbers: Vec<String> = many.iter().map(|index| (index + 1).to_string()).collect();
            format!("recipients {}", numbers.join(", "))
        }
    }
}

fn row(summary: &Summary) -> Vec<String> {
    let subject = summary.facts.as_ref().and_then(|facts| facts.subject.as_deref());
    vec![
        summary.id.to_string(),
        minute(summary.received),
        summary.expires.map_or_else(|| "-".to_owned(), minute),
        states(summary),
        summary.numbers.to_string(),
        or_dash(&summary.rules.join(", ")),
        subject.map_or_else(|| or_dash(""), |subject| subject.chars().take(60).collect()),
    ]
}

fn states(summary: &Summary) -> String {
    match summary.states.as_slice() {
        [] => "recorded".to_owned(),
        many => {
            let words: Vec<String> = many.iter().map(|(state, n)| counted(*state, *n)).collect();
            words.join(", ")
        }
    }
}

fn counted(state: State, n: usize) -> String {
    match n {
        1 => state.word().to_owned(),
        n => format!("{} {}", n, state.word()),
    }
}

fn or_dash(text: &str) -> String {
    if text.is_empty() {
        "-".to_owned()
    } else {
        text.to_owned()
    }
}

fn details(details: &Details) -> String {
    let summary = &details.summary;
    let mut out = format!("{}\n", summary.id);
    let _ = writeln!(out, "Received  {}", minute(summary.received));
    if let Some(expires) = summary.expires {
        let gone = if summary.shredded { " (content destroyed)" } else { "" };
        let _ = writeln!(out, "Until     {}{gone}", minute(expires));
    }
    let _ = writeln!(out, "Policy    {}", details.policy_hash);
    let _ = writeln!(out, "Rules     {}", or_dash(&summary.rules.join(", ")));
    let _ = writeln!(out, "Copies    {} redacted", details.copies);
    match &summary.facts {
        Some(facts) => out.push_str(&described(facts)),
        None => out.push_str("Facts     not to be read by this user, or past their retention\n"),
    }
    let _ = write!(out, "\n{}", recipient_table(details));
    let _ = write!(out, "\n{}", timeline(details));
    out
}

fn described(facts: &NoticeFacts) -> String {
    let mut out = format!("Subject   {}\n", plain(facts.subject.as_deref().unwrap_or("-")));
    let _ = writeln!(out, "People    {}", facts.people);
    for line in &facts.found {
        let _ = writeln!(out, "Found     {}", plain(&found(line)));
    }
    for line in &facts.doubts {
        let file = line.file.as_deref().unwrap_or(&line.media_type);
        let _ = writeln!(out, "Unread    {}: {}", line.kind.word(), plain(file));
    }
    out
}

fn found(line: &FoundLine) -> String {
    let file = line.file.as_deref().map(|file| format!("{file}, ")).unwrap_or_default();
    let hidden = if line.hidden { ", hidden" } else { "" };
    let covered = if line.fake_redaction {
        ", covered but still there"
    } else {
        ""
    };
    format!(
        "{} {} ({}) in {file}{}{hidden}{covered}",
        line.count,
        line.kind.word(),
        line.confidence.word(),
        line.location
    )
}

fn recipient_table(details: &Details) -> String {
    let rows = details.recipients.iter().map(|line| {
        let release = match line.release.people {
            0 | 1 => line.release.by.clone(),
            people => format!("{} x {people}", line.release.by),
        };
        vec![
            (line.index + 1).to_string(),
            line.address.clone().unwrap_or_else(|| "(sealed)".to_owned()),
            line.state.word().to_owned(),
            line.rule.clone().unwrap_or_else(|| "-".to_owned()),
            release,
            or_dash(&line.approvals.join(", ")),
            line.attempts.to_string(),
            line.queue_id.clone().unwrap_or_else(|| "-".to_owned()),
            line.reply.clone().unwrap_or_else(|| "-".to_owned()),
        ]
    });
    let head = [
        "TO",
        "ADDRESS",
        "STATE",
        "RULE",
        "RELEASE BY",
        "AGREED",
        "TRIES",
        "QUEUE ID",
        "LAST REPLY",
    ];
    match rows.collect::<Vec<_>>() {
        rows if rows.is_empty() => "No recipient is ours.\n".to_owned(),
        rows => table(&head, &rows),
    }
}

fn timeline(details: &Details) -> String {
    let rows = details.timeline.iter().map(|event| {
        vec![
            event.seq.to_string(),
            minute(event.at),
            event.what.clone(),
            event
                .recipient
                .map_or_else(|| "-".to_owned(), |index| (index + 1).to_string()),
            event.actor.clone(),
            event.reason.clone().unwrap_or_else(|| "-".to_owned()),
        ]
    });
    table(
        &["NO.", "AT (UTC)", "WHAT", "TO", "WHO", "WHY"],
        &rows.collect::<Vec<_>>(),
    )
}
