//! What reviewers see: lists, one incident, totals. Everything shown is masked; looking changes nothing.

use super::audit::Record;
use super::db::{AuditRow, IncidentRow, Part, RecipientRow};
use super::incident::IncidentId;
use super::job::{Content, Opened};
use super::seal;
use super::state::State;
use super::{Store, StoreError};
use crate::cpr::mask;
use crate::types::{Envelope, NoticeFacts, Release};
use age::x25519::Identity;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// Which incidents to list.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// With at least one recipient in this state; `None`: all incidents.
    pub state: Option<State>,
    /// At most so many, newest first; 0 means all.
    pub limit: usize,
}

/// One incident in a list.
#[derive(Clone, Debug)]
pub struct Summary {
    /// Which.
    pub id: IncidentId,
    /// When the mail came.
    pub received: OffsetDateTime,
    /// When the content goes; `None` when nothing is held.
    pub expires: Option<OffsetDateTime>,
    /// Ids of the rules that spoke, in order of the recipients, each once.
    pub rules: Vec<String>,
    /// How many of our recipients are in which state.
    pub states: Vec<(State, usize)>,
    /// How many different numbers were found.
    pub numbers: usize,
    /// Kinds of doubt, by their words.
    pub doubts: Vec<String>,
    /// The content was destroyed.
    pub shredded: bool,
    /// Masked facts; `None` without the private key, or after the retention of findings.
    pub facts: Option<NoticeFacts>,
}

/// One incident in full, masked.
#[derive(Clone, Debug)]
pub struct Details {
    /// As in a list.
    pub summary: Summary,
    /// Which policy judged.
    pub policy_hash: String,
    /// Recipients of ours.
    pub recipients: Vec<RecipientLine>,
    /// How many redacted copies are kept.
    pub copies: usize,
    /// What happened, oldest first.
    pub timeline: Vec<Event>,
    /// There is a mail to look at: it became ours, and its content has not been destroyed.
    pub readable: bool,
}

/// One recipient of ours.
#[derive(Clone, Debug)]
pub struct RecipientLine {
    /// Index into the envelope's recipients.
    pub index: usize,
    /// Masked address; `None` without the private key.
    pub address: Option<String>,
    /// Where it stands.
    pub state: State,
    /// Id of the rule that said so.
    pub rule: Option<String>,
    /// Terms of release.
    pub release: Release,
    /// Who has approved a release so far; of a redacted copy, also of which: approvals of different bodies do not add up.
    pub approvals: Vec<String>,
    /// Tries so far.
    pub attempts: u32,
    /// Last reply of the next hop, masked; its code alone without the private key.
    pub reply: Option<String>,
    /// Queue ID that the next hop gave.
    pub queue_id: Option<String>,
}

/// One audit record, as people see it.
#[derive(Clone, Debug)]
pub struct Event {
    /// Number in the chain.
    pub seq: i64,
    /// When.
    pub at: OffsetDateTime,
    /// What, by its word.
    pub what: String,
    /// Which recipient (index), if it is about one.
    pub recipient: Option<usize>,
    /// Who: a person, or `milter`, `courier`, `timer`.
    pub actor: String,
    /// Reason given, masked; `None` without the private key.
    pub reason: Option<String>,
}

/// One mail in which a person's number stood.
#[derive(Clone, Debug)]
pub struct Sighting {
    /// The incident.
    pub summary: Summary,
    /// Surest confidence.
    pub confidence: String,
    /// Masked places; empty without the private key.
    pub places: Vec<String>,
}

/// Whole-store totals.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Mails recorded.
    pub incidents: usize,
    /// Of these, with content still there.
    pub with_content: usize,
    /// Recipients by rule and state.
    pub by_rule: Vec<(Option<String>, State, usize)>,
    /// When the oldest mail came that waits for review.
    pub oldest_held: Option<OffsetDateTime>,
    /// Outbox entries that wait, by kind.
    pub outbox: Vec<(String, usize)>,
}

/// Rows of one incident, read in one snapshot.
pub(super) struct Rows {
    incident: IncidentRow,
    states: Vec<(String, i64)>,
    key: Option<Vec<u8>>,
    facts: Option<Vec<u8>>,
}

impl Store {
    /// Incidents, newest first.
    ///
    /// # Errors
    /// The store could not be read.
    pub fn list(&self, filter: &Filter) -> Result<Vec<Summary>, StoreError> {
        let limit = i64::try_from(filter.limit)
            .ok()
            .filter(|limit| *limit > 0)
            .unwrap_or(-1);
        let rows = self.db().read(|tx| {
            let incidents = tx.incidents(filter.state.map(State::word), limit)?;
            incidents
                .into_iter()
                .map(|incident| read_rows(tx, incident))
                .collect::<Result<Vec<_>, _>>()
        })?;
        Ok(rows.into_iter().map(|rows| self.summary(rows).0).collect())
    }

    /// One incident in full, masked. Looking is not recorded here: call [`Store::viewed`].
    ///
    /// # Errors
    /// [`StoreError::Unknown`].
    pub fn show(&self, id: &IncidentId) -> Result<Details, StoreError> {
        let (rows, recipients, envelope, records) = self.db().read(|tx| {
            let incident = tx.incident(&id.0)?.ok_or_else(|| StoreError::Unknown(id.clone()))?;
            let n = incident.n;
            let mut recipients = Vec::new();
            for row in tx.recipients(n)? {
                let approvals = tx.approvals(n, row.number)?;
                recipients.push((row, approvals));
            }
            Ok((
                read_rows(tx, incident)?,
                recipients,
                tx.sealed(n, "envelope", 0)?,
                tx.audit_of(&id.0)?,
            ))
        })?;
        let policy_hash = rows.incident.policy.clone();
        let readable = rows.incident.readable;
        let copies = usize::try_from(rows.incident.copies).unwrap_or(0);
        let (summary, key) = self.summary(rows);
        let envelope: Option<Envelope> = key
            .as_ref()
            .zip(envelope)
            .and_then(|(key, sealed)| serde_json::from_slice(&seal::open(key, id, &sealed).ok()?).ok());
        let line = |(row, approvals)| recipient_line(row, approvals, id, key.as_ref(), envelope.as_ref());
        Ok(Details {
            summary,
            policy_hash,
            recipients: recipients.into_iter().map(line).collect(),
            copies,
            readable,
            timeline: records
                .into_iter()
                .filter_map(|row| event(row, id, key.as_ref()))
                .collect(),
        })
    }

    /// The mail itself with its envelope, for review, replay of the policy and redaction. Needs the private key.
    ///
    /// # Errors
    /// [`StoreError::Sealed`], [`StoreError::Shredded`], [`StoreError::Unknown`].
    pub fn read(&self, id: &IncidentId, content: Content) -> Result<Opened, StoreError> {
        self.opened(id, Some(content), None)
    }

    /// The mail's record alone, without the mail: envelope and facts. Needs the private key.
    ///
    /// # Errors
    /// [`StoreError::Sealed`], [`StoreError::Shredded`] after its retention, [`StoreError::Unknown`].
    pub fn record_of(&self, id: &IncidentId) -> Result<Opened, StoreError> {
        self.opened(id, None, None)
    }

    /// Whole-store totals.
    ///
    /// # Errors
    /// The store could not be read.
    pub fn totals(&self) -> Result<Totals, StoreError> {
        let count = |n: i64| usize::try_from(n).unwrap_or(0);
        self.db().read(|tx| {
            let (incidents, with_content) = tx.sizes()?;
            let by_rule = tx.totals()?.into_iter();
            Ok(Totals {
                incidents: count(incidents),
                with_content: count(with_content),
                by_rule: by_rule
                    .filter_map(|(state, rule, n)| Some((rule, State::from_word(&state)?, count(n))))
                    .collect(),
                oldest_held: tx.oldest_held()?.and_then(time_of),
                outbox: tx.waiting()?.into_iter().map(|(kind, n)| (kind, count(n))).collect(),
            })
        })
    }

    /// Mails in which a hashed number stood, with the masked places if they can be opened.
    pub(super) fn sightings_of(&self, person: &[u8; 32]) -> Result<Vec<Sighting>, StoreError> {
        let found = self.db().read(|tx| {
            let mut found = Vec::new();
            for (incident, number, confidence) in tx.sightings(person)? {
                let places = tx.sealed(incident.n, "places", 0)?;
                found.push((read_rows(tx, incident)?, number, confidence, places));
            }
            Ok(found)
        })?;
        let sighting = |(rows, number, confidence, places): (Rows, i64, String, Option<Vec<u8>>)| {
            let (summary, key) = self.summary(rows);
            let all: Vec<(i64, String)> = key
                .zip(places)
                .and_then(|(key, sealed)| serde_json::from_slice(&seal::open(&key, &summary.id, &sealed).ok()?).ok())
                .unwrap_or_default();
            let mut places: Vec<String> = all
                .into_iter()
                .filter(|(n, _)| *n == number)
                .map(|(_, place)| place)
                .collect();
            places.dedup();
            Sighting {
                summary,
                confidence,
                places,
            }
        };
        Ok(found.into_iter().map(sighting).collect())
    }

    /// The summary of one incident, and its record key if this process can open it.
    pub(super) fn summary(&self, rows: Rows) -> (Summary, Option<Identity>) {
        let id = IncidentId(rows.incident.id.clone());
        // Without the private key, or after the purge, there is less to show; that is no error.
        let key = seal::identity(self.keys(), &id, rows.key).ok();
        let facts: Option<NoticeFacts> = key
            .as_ref()
            .zip(rows.facts)
            .and_then(|(key, sealed)| serde_json::from_slice(&seal::open(key, &id, &sealed).ok()?).ok());
        let states = rows.states.iter();
        let words = |json: &str| serde_json::from_str::<Vec<String>>(json).unwrap_or_default();
        let summary = Summary {
            received: time_of(rows.incident.received).unwrap_or(OffsetDateTime::UNIX_EPOCH),
            expires: rows.incident.expires.and_then(time_of),
            rules: words(&rows.incident.rules),
            states: states
                .filter_map(|(word, n)| Some((State::from_word(word)?, usize::try_from(*n).ok()?)))
                .collect(),
            numbers: usize::try_from(rows.incident.numbers).unwrap_or(0),
            doubts: words(&rows.incident.doubts),
            shredded: rows.incident.content_pub.is_some() && !rows.incident.readable,
            facts,
            id,
        };
        (summary, key)
    }
}

pub(super) fn read_rows(tx: &super::db::Tx<'_>, incident: IncidentRow) -> Result<Rows, super::db::Failure> {
    Ok(Rows {
        states: tx.states(incident.n)?,
        key: tx.key(incident.n, Part::Record)?,
        facts: tx.sealed(incident.n, "facts", 0)?,
        incident,
    })
}

fn time_of(at: i64) -> Option<OffsetDateTime> {
    OffsetDateTime::from_unix_timestamp(at).ok()
}

fn recipient_line(
    row: RecipientRow,
    approvals: Vec<(String, i64)>,
    id: &IncidentId,
    key: Option<&Identity>,
    envelope: Option<&Envelope>,
) -> RecipientLine {
    let index = usize::try_from(row.number).unwrap_or(0);
    let raw = envelope
        .and_then(|envelope| envelope.recipients.get(index))
        .map(|recipient| &recipient.raw);
    let opened = key
        .zip(row.reply)
        .and_then(|(key, sealed)| seal::open(key, id, &sealed).ok());
    RecipientLine {
        index,
        address: raw.map(|raw| masked_address(&String::from_utf8_lossy(raw))),
        state: State::from_word(&row.state).unwrap_or(State::Unknown),
        rule: row.rule,
        release: Release {
            by: row.release_by,
            people: u8::try_from(row.release_people).unwrap_or(u8::MAX),
        },
        approvals: approvals.into_iter().map(approval).collect(),
        attempts: u32::try_from(row.attempts).unwrap_or(u32::MAX),
        reply: opened
            .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
            .or(row.code),
        queue_id: row.queue_id,
    }
}

fn approval((actor, content): (String, i64)) -> String {
    match content {
        ..0 => actor,
        copy => format!("{actor} (copy {})", copy + 1),
    }
}

/// Address with its digits masked, without the brackets.
fn masked_address(raw: &str) -> String {
    mask(raw.trim().trim_start_matches('<').trim_end_matches('>'))
}

fn event(row: AuditRow, id: &IncidentId, key: Option<&Identity>) -> Option<Event> {
    let record: Record = serde_json::from_str(&row.record).ok()?;
    let reason = key
        .zip(row.sealed)
        .and_then(|(key, sealed)| seal::open(key, id, &sealed).ok());
    Some(Event {
        seq: row.seq,
        at: OffsetDateTime::parse(&record.at, &Rfc3339).ok()?,
        what: record.event,
        recipient: record.recipient.and_then(|number| usize::try_from(number).ok()),
        actor: record.actor,
        reason: reason.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()),
    })
}
