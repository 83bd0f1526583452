//! `GET /mail/{id}`: one mail, masked, and what can be done about it.

use super::asked::{Asked, Running, Trouble};
use super::{Desk, show, words};
use crate::courier::doubt_words;
use crate::cpr::IdKind;
use crate::inspect::{Examination, PartLine};
use crate::policy::Policy;
use crate::review::{Look, Today};
use crate::store::{Details, IncidentId, RecipientLine, Similar, State, Summary, Unmasking};
use crate::types::{Action, Decision, Envelope, Finding, Recipient, Release};
use minijinja::{Value, context};
use std::sync::Arc;

/// Findings shown one by one; a list of thousands is read by nobody.
const SHOWN: usize = 100;

/// What of one mail is in the store.
struct Record {
    details: Details,
    envelope: Option<Envelope>,
    similar: Similar,
    unmaskings: Vec<Unmasking>,
    own: bool,
}

pub(super) fn page(desk: Arc<Desk>, asked: Asked) -> Running {
    Box::pin(async move {
        let id = asked.incident()?;
        let record = record(&desk, &asked, &id).await?;
        let account = asked.account()?;
        // Auditors read what was done, and no mail. Of what was only recorded there is none.
        let readable = account.role.decides() && record.details.readable;
        let look = match readable {
            true => desk.review.look(&id).await.map(Some),
            false => Ok(None),
        };
        let (look, problem) = match look {
            Ok(look) => (look, None),
            Err(error) => {
                tracing::error!(incident = %id, "cannot be shown: {error}");
                (None, Some(error.to_string()))
            }
        };
        let granted = record
            .unmaskings
            .iter()
            .find(|wish| wish.person == account.person)
            .and_then(|wish| wish.until);
        let own = context! {
            content => look.as_ref().map(|look| content(&look.seen, &id, granted.is_some(), &asked)),
            broken => look.as_ref().and_then(|look| look.broken.clone()),
            problem,
            similar => similar(&record.similar, &asked),
            timeline => timeline(&record.details, &asked),
            done => words::done(asked.query.one("done"), asked.language),
        };
        let decisions = decisions(&record, look.as_ref(), &desk.review.policy(), &asked);
        let page = context! {..own, ..head(&record, &asked), ..decisions, ..masks(&record, &asked)};
        desk.page(&asked, "incident.html", page)
    })
}

/// Reads the record; the look is written down first: what cannot be written down is not shown.
async fn record(desk: &Desk, asked: &Asked, id: &IncidentId) -> Result<Record, Trouble> {
    let (id, account, now) = (id.clone(), asked.account()?.clone(), asked.now);
    let record = desk.review.with_store(move |store| {
        let by = crate::store::Decider {
            actor: &account.name,
            reason: "console",
            now,
        };
        store.viewed(&id, &by)?;
        Ok(Record {
            details: store.show(&id)?,
            envelope: store.record_of(&id).ok().map(|opened| opened.envelope),
            similar: store.similar(&id, 10)?,
            unmaskings: store.unmaskings(&id, now)?,
            own: store.is_own(&id, &account),
        })
    });
    Ok(record.await?)
}

fn head(record: &Record, asked: &Asked) -> Value {
    let language = asked.language;
    let summary = &record.details.summary;
    let facts = summary.facts.as_ref();
    let left = summary.expires.map(|at| (at - asked.now).whole_seconds());
    let login = record.envelope.as_ref().and_then(|envelope| envelope.login.as_deref());
    let sender = record.envelope.as_ref().map(|envelope| match &envelope.sender {
        Some(sender) => show::line(&sender.to_string()),
        None => "<>".to_owned(),
    });
    context! {
        id => summary.id.to_string(),
        subject => facts.and_then(|facts| facts.subject.as_deref()).map_or_else(String::new, show::line),
        received => show::long(summary.received, language),
        expires => summary.expires.map(|at| show::long(at, language)),
        left => left.map(|left| show::span(left, language)),
        soon => left.is_some_and(|left| left < 2 * 24 * 3600),
        held => record.details.recipients.iter().any(|line| line.state == State::Held),
        shredded => summary.shredded,
        sender,
        login => login.map(show::line),
        people => facts.map_or(summary.numbers, |facts| facts.people),
        policy => record.details.policy_hash,
        copies => record.details.copies,
        own => record.own,
    }
}

/// The recipients, why each is held, and the form.
fn decisions(record: &Record, look: Option<&Look>, policy: &Policy, asked: &Asked) -> Value {
    let today = look.map(|look| &look.today);
    let recipient = |line: &RecipientLine| {
        let envelope = record.envelope.as_ref();
        let raw = envelope.and_then(|envelope| envelope.recipients.get(line.index));
        let now = today.and_then(|today| today.decisions.iter().find(|decision| decision.recipient == line.index));
        one(line, raw, (look, now), policy, asked)
    };
    let recipients: Vec<Value> = record.details.recipients.iter().map(recipient).collect();
    // Others of the same mail, who are not ours: delivered, or refused to the client.
    let facts = record.details.summary.facts.as_ref();
    let ours: Vec<&str> = record
        .details
        .recipients
        .iter()
        .filter_map(|line| line.address.as_deref())
        .collect();
    let others = facts.map(|facts| &facts.outcomes).into_iter().flatten();
    let others: Vec<Value> = others
        .filter(|outcome| !ours.contains(&outcome.recipient.as_str()))
        .map(|outcome| {
            context! {
                address => show::line(&outcome.recipient),
                fate => words::fate(outcome.fate, asked.language),
                rule => outcome.rule.as_ref().map(|rule| show::line(&rule.title)),
            }
        })
        .collect();
    let decides = asked.account.as_ref().is_some_and(|account| account.role.decides());
    context! {
        recipients,
        others,
        may_decide => decides && !record.own && look.is_some(),
        decides,
        policy_now => today.map(|today| today.policy_hash.clone()),
    }
}

fn one(
    line: &RecipientLine,
    raw: Option<&Recipient>,
    (look, now): (Option<&Look>, Option<&Decision>),
    policy: &Policy,
    asked: &Asked,
) -> Value {
    let language = asked.language;
    let terms = strictest(&line.release, now);
    let refused = now.is_some_and(|now| now.action == Action::Reject);
    let role = asked.account.as_ref().map(|account| account.role);
    let held = line.state == State::Held;
    let outside = raw.is_none_or(|raw| !policy.is_inside(raw.address.as_ref()));
    let copy = words::of("copy_number", language);
    let agreed = line
        .approvals
        .iter()
        .map(|name| show::line(name).replace("(copy ", copy))
        .collect::<Vec<_>>();
    context! {
        n => line.index,
        number => line.index + 1,
        address => raw.map(show::address).or_else(|| line.address.clone()),
        outside,
        state => words::state(line.state, language),
        state_word => line.state.word(),
        held,
        rule => line.rule.as_deref().map(show::line),
        why => now.zip(look).map(|(now, look)| why(now, look, asked)).unwrap_or_default(),
        lifted => now.map(|now| lifted(now, policy)).unwrap_or_default(),
        today => now.map(|now| words::action(&now.action, language)),
        refused,
        terms => words::terms(&terms, language),
        two => terms.people > 1,
        need => terms.people,
        agreed,
        may_release => held && !refused && role.is_some_and(|role| role.may_release(&terms.by)),
        attempts => line.attempts,
        // Masked when it was kept, its codes left.
        reply => line.reply.as_deref().map(show::plain),
        queue_id => line.queue_id.as_deref().map(show::plain),
        waits => matches!(line.state, State::Sending | State::Unknown),
    }
}

/// Of the terms of the day it came and today's, as the store will have it.
fn strictest(then: &Release, now: Option<&Decision>) -> Release {
    let mut terms = then.clone();
    if let Some(now) = now.filter(|now| now.action == Action::Quarantine) {
        terms.people = terms.people.max(now.release.people);
        if now.release.by != "reviewer" {
            terms.by.clone_from(&now.release.by);
        }
    }
    terms
}

/// Each rule that matches for this recipient today, and what made it match.
fn why(decision: &Decision, look: &Look, asked: &Asked) -> Vec<Value> {
    let language = asked.language;
    let matched = decision.matched.iter().map(|matched| {
        let places: Vec<String> = matched
            .numbers
            .iter()
            .flat_map(|number| found_as(look, *number))
            .map(|finding| show::place(&finding.place, language))
            .fold(Vec::new(), |mut all, place| {
                if !all.contains(&place) {
                    all.push(place);
                }
                all
            });
        let doubts: Vec<&str> = matched
            .doubts
            .iter()
            .map(|doubt| doubt_words(*doubt, language))
            .collect();
        context! {
            id => show::line(&matched.rule.id),
            title => show::line(&matched.rule.title),
            action => words::action(&matched.action, language),
            numbers => matched.numbers.len(),
            places => places.iter().take(5).collect::<Vec<_>>(),
            more => places.len().saturating_sub(5),
            doubts,
            watch => matched.watch,
        }
    });
    matched.collect()
}

fn found_as(look: &Look, number: usize) -> impl Iterator<Item = &Finding> {
    let Today { number_of_finding, .. } = &look.today;
    let findings = look.seen.report.findings.iter().zip(number_of_finding);
    findings
        .filter(move |(_, of)| **of == number)
        .map(|(finding, _)| finding)
}

fn lifted(decision: &Decision, policy: &Policy) -> Vec<Value> {
    let mut lines: Vec<(String, String)> = decision
        .lifted
        .iter()
        .map(|lifted| {
            let title = policy.exception_title(&lifted.exception).unwrap_or(&lifted.exception);
            (show::line(&lifted.rule.id), show::line(title))
        })
        .collect();
    lines.dedup();
    lines
        .into_iter()
        .map(|(rule, exception)| context! {rule, exception})
        .collect()
}

/// The findings with what stands around them, and the parts with what was found in each and what was not read.
pub(super) fn content(seen: &Examination, id: &IncidentId, clear: bool, asked: &Asked) -> Value {
    let language = asked.language;
    let report = &seen.report;
    let finding = |(i, finding): (usize, &Finding)| {
        let around = seen.excerpts.get(i).map(|excerpt| show::excerpt(excerpt, clear));
        let (before, number, after) = around.unwrap_or_default();
        context! {
            place => show::place(&finding.place, language),
            kind => show::kind(&finding.kind, language),
            confidence => words::confidence(finding.confidence, language),
            hidden => finding.hidden,
            covered => finding.fake_redaction,
            before,
            number,
            after,
        }
    };
    let findings: Vec<Value> = report.findings.iter().enumerate().take(SHOWN).map(finding).collect();
    let numbers: std::collections::BTreeSet<_> = report
        .findings
        .iter()
        .filter(|f| f.kind == IdKind::Cpr)
        .map(|f| &f.number)
        .collect();
    context! {
        findings,
        more => report.findings.len().saturating_sub(SHOWN),
        persons => numbers.len(),
        parts => seen.parts.iter().map(|part| tree_line(part, seen, id, asked)).collect::<Vec<_>>(),
        clear,
    }
}

fn tree_line(part: &PartLine, seen: &Examination, id: &IncidentId, asked: &Asked) -> Value {
    let language = asked.language;
    let report = &seen.report;
    let found = report
        .findings
        .iter()
        .filter(|finding| finding.place.part == part.path)
        .count();
    let doubts = report.doubts.iter().filter(|doubt| doubt.place.part == part.path);
    let doubts: Vec<&str> = doubts.map(|doubt| doubt_words(doubt.kind, language)).collect();
    let root = part.path.0.is_empty();
    let name = match (&part.name, root) {
        (_, true) => words::of("whole_mail", language).to_owned(),
        (Some(name), _) => show::line(name),
        (None, _) if part.attachment => words::of("no_name", language).to_owned(),
        (None, _) => words::of("mail_text", language).to_owned(),
    };
    context! {
        depth => part.path.0.len().min(6),
        name,
        media_type => show::line(&part.media_type),
        size => show::size(part.bytes),
        found,
        doubts,
        link => (!root).then(|| format!("/mail/{id}/part/{}", part.path)),
    }
}

fn masks(record: &Record, asked: &Asked) -> Value {
    let language = asked.language;
    let account = asked.account.as_ref();
    let person = account.map_or("", |account| account.person.as_str());
    let may = account.is_some_and(|account| account.unmask && account.role.decides()) && !record.own;
    let mine = record.unmaskings.iter().find(|wish| wish.person == person);
    let others = record
        .unmaskings
        .iter()
        .filter(|wish| wish.person != person && wish.until.is_none());
    context! {
        may_unmask => may,
        unmasked_until => mine.and_then(|wish| wish.until).map(|until| show::short(until, language)),
        unmask_waits => mine.is_some_and(|wish| wish.until.is_none()),
        unmask_wishes => others.map(|wish| context! {n => wish.n, actor => show::line(&wish.actor)}).collect::<Vec<_>>(),
    }
}

fn similar(similar: &Similar, asked: &Asked) -> Value {
    let language = asked.language;
    let line = |summary: &Summary| {
        let facts = summary.facts.as_ref();
        context! {
            id => summary.id.to_string(),
            received => show::short(summary.received, language),
            subject => facts.and_then(|facts| facts.subject.as_deref()).map_or_else(String::new, show::line),
            states => summary.states.iter().map(|(state, _)| words::state(*state, language)).collect::<Vec<_>>(),
        }
    };
    let list = |summaries: &[Summary]| summaries.iter().map(line).collect::<Vec<Value>>();
    context! {
        person => list(&similar.person),
        sender => list(&similar.sender),
        attachment => list(&similar.attachment),
    }
}

fn timeline(details: &Details, asked: &Asked) -> Vec<Value> {
    let language = asked.language;
    let event = |event: &crate::store::Event| {
        context! {
            seq => event.seq,
            at => show::short(event.at, language),
            what => show::event(&event.what, language),
            recipient => event.recipient.map(|index| index + 1),
            actor => show::line(&event.actor),
            reason => event.reason.as_deref().filter(|reason| *reason != "console").map(show::line),
        }
    };
    // Looks by the dozen would hide what was done.
    details.timeline.iter().rev().take(200).map(event).collect()
}
