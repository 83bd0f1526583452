//! The queue: which held mail waits, found and sorted without opening it; and which others are like it. What a mail is found
//! by are keyed hashes, made by whoever has the private key ([`Store::put_on_desk`]).

use super::audit::{Entry, Record, What, append, shown_actor};
use super::db::{AuditRow, Desk, Mark, Wanted};
use super::incident::IncidentId;
use super::keys::Purpose;
use super::quarantine::{Rows, Summary, read_rows};
use super::state::State;
use super::{Store, StoreError};
use crate::cpr::Confidence;
use crate::types::{Address, Envelope, PlaceClass};
use serde_json::json;
use std::collections::BTreeSet;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// In which order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// What is lost first.
    #[default]
    Deadline,
    /// Longest wait first.
    Oldest,
    /// Latest first.
    Newest,
    /// Most people first.
    People,
    /// Surest first.
    Confidence,
}

impl Order {
    /// All, with the words of addresses and forms.
    pub const ALL: [(Order, &'static str); 5] = [
        (Order::Deadline, "deadline"),
        (Order::Oldest, "oldest"),
        (Order::Newest, "newest"),
        (Order::People, "people"),
        (Order::Confidence, "confidence"),
    ];
}

/// What is asked of the queue. What is `None`, 0 or false is not asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Search {
    /// With a recipient in this state.
    pub state: Option<State>,
    /// With a recipient of this rule.
    pub rule: Option<String>,
    /// At least so sure.
    pub confidence: Option<Confidence>,
    /// Something stands there.
    pub place: Option<PlaceClass>,
    /// At least so many people.
    pub people: u32,
    /// Something in it could not be read.
    pub doubtful: bool,
    /// An id, an address, or a domain: of the sender, or of a recipient.
    pub text: String,
    /// In which order.
    pub order: Order,
    /// From 0.
    pub page: usize,
    /// Mails on a page.
    pub size: usize,
}

/// One page of the queue.
#[derive(Debug, Default)]
pub struct Page {
    /// How many mails there are on all pages.
    pub all: usize,
    /// Those of this page.
    pub rows: Vec<(Summary, Traits)>,
}

/// What the queue shows of a mail beside its summary.
#[derive(Clone, Debug, Default)]
pub struct Traits {
    /// Surest finding; `None` when there is none, or nobody has looked yet.
    pub confidence: Option<Confidence>,
    /// Words of coarse places.
    pub places: Vec<String>,
    /// Other mails with a person of this one; 100 stands for more.
    pub seen_before: usize,
    /// The envelope; `None` without the private key or after its retention.
    pub envelope: Option<Envelope>,
}

/// Mails like one, newest first.
#[derive(Debug, Default)]
pub struct Similar {
    /// With a person of this one.
    pub person: Vec<Summary>,
    /// Of the same sender.
    pub sender: Vec<Summary>,
    /// With the same attachment.
    pub attachment: Vec<Summary>,
}

/// One row of the queue, as read in one snapshot.
struct Found {
    rows: Rows,
    /// Confidence and places; 0 and empty when nobody has looked yet.
    desk: (i64, String),
    seen: i64,
    envelope: Option<Vec<u8>>,
}

const CONFIDENCES: [(Confidence, i64); 3] = [
    (Confidence::Possible, 1),
    (Confidence::Likely, 2),
    (Confidence::Certain, 3),
];

const PLACES: [(PlaceClass, &str); 5] = [
    (PlaceClass::Subject, "subject"),
    (PlaceClass::Header, "header"),
    (PlaceClass::FileName, "file_name"),
    (PlaceClass::Body, "body"),
    (PlaceClass::Attachment, "attachment"),
];

/// The word of a coarse place, as in policies.
fn place_word(class: PlaceClass) -> &'static str {
    PLACES
        .iter()
        .find(|(known, _)| *known == class)
        .map_or("", |(_, word)| word)
}

/// One record of the audit trail, about a mail or not.
#[derive(Clone, Debug)]
pub struct TrailLine {
    /// Number in the chain.
    pub seq: i64,
    /// When.
    pub at: OffsetDateTime,
    /// What, by its word.
    pub what: String,
    /// Who.
    pub actor: String,
    /// About which mail.
    pub incident: Option<IncidentId>,
    /// About which recipient (index).
    pub recipient: Option<usize>,
    /// Words and counts of our own, JSON; empty without any.
    pub detail: String,
}

fn trail_line(row: &AuditRow) -> Option<TrailLine> {
    let record: Record = serde_json::from_str(&row.record).ok()?;
    Some(TrailLine {
        seq: row.seq,
        at: OffsetDateTime::parse(&record.at, &Rfc3339).ok()?,
        what: record.event,
        actor: record.actor,
        incident: record.incident.map(IncidentId),
        recipient: record.recipient.and_then(|number| usize::try_from(number).ok()),
        detail: match record.detail {
            serde_json::Value::Null => String::new(),
            detail => detail.to_string(),
        },
    })
}

impl Store {
    /// One page of the queue. The look is recorded by [`Store::listed`].
    ///
    /// # Errors
    /// The store could not be read.
    pub fn queue(&self, search: &Search) -> Result<Page, StoreError> {
        let Some(wanted) = self.wanted(search) else {
            return Ok(Page::default());
        };
        let size = i64::try_from(search.size.max(1)).unwrap_or(1);
        let offset = i64::try_from(search.page).unwrap_or(0).saturating_mul(size);
        let (all, found) = self.db().read(|tx| {
            let (all, incidents) = tx.page(&wanted, search.order, (offset, size))?;
            let mut found = Vec::with_capacity(incidents.len());
            for incident in incidents {
                let n = incident.n;
                found.push(Found {
                    desk: tx.desk(n)?.unwrap_or_default(),
                    seen: tx.seen_before(n)?,
                    envelope: tx.sealed(n, "envelope", 0)?,
                    rows: read_rows(tx, incident)?,
                });
            }
            Ok((all, found))
        })?;
        // Opened outside the transaction: others wait for the store meanwhile.
        Ok(Page {
            all: usize::try_from(all).unwrap_or(0),
            rows: found.into_iter().map(|found| self.shown(found)).collect(),
        })
    }

    fn shown(&self, found: Found) -> (Summary, Traits) {
        let (summary, key) = self.summary(found.rows);
        let (confidence, places) = found.desk;
        let envelope = key
            .zip(found.envelope)
            .and_then(|(key, sealed)| super::seal::open(&key, &summary.id, &sealed).ok())
            .and_then(|bytes| serde_json::from_slice(&bytes).ok());
        let known = CONFIDENCES.iter().find(|(_, n)| *n == confidence);
        let traits = Traits {
            confidence: known.map(|(word, _)| *word),
            places: places.split_whitespace().map(str::to_owned).collect(),
            seen_before: usize::try_from(found.seen).unwrap_or(0),
            envelope,
        };
        (summary, traits)
    }

    /// Records a look at the queue; of a search that it was one, never for what.
    ///
    /// # Errors
    /// Not recorded: do not show it.
    pub fn listed(&self, search: &Search, found: usize, actor: &str, now: OffsetDateTime) -> Result<(), StoreError> {
        let actor = shown_actor(actor);
        let detail = json!({"found": found, "searched": !search.text.trim().is_empty()});
        self.db().write(|tx| {
            append(
                tx,
                self.keys(),
                Entry::new(What::Listed, now.unix_timestamp(), &actor).with(detail),
            )
        })
    }

    /// Records a deed that is about no mail of ours: a refusal mostly.
    ///
    /// # Errors
    /// Not recorded.
    pub fn noted(
        &self,
        what: What,
        detail: serde_json::Value,
        actor: &str,
        now: OffsetDateTime,
    ) -> Result<(), StoreError> {
        let actor = shown_actor(actor);
        self.db().write(|tx| {
            append(
                tx,
                self.keys(),
                Entry::new(what, now.unix_timestamp(), &actor).with(detail),
            )
        })
    }

    /// Records of the audit trail, latest first, before a number.
    ///
    /// # Errors
    /// The store could not be read.
    pub fn trail(&self, before: Option<i64>, limit: usize) -> Result<Vec<TrailLine>, StoreError> {
        let limit = i64::try_from(limit).unwrap_or(100);
        let rows = self
            .db()
            .read(|tx| tx.audit_before(before.unwrap_or(i64::MAX), limit))?;
        Ok(rows.iter().filter_map(trail_line).collect())
    }

    /// Ids of rules that held something, for choosing one.
    ///
    /// # Errors
    /// The store could not be read.
    pub fn rules_held(&self) -> Result<Vec<String>, StoreError> {
        self.db().read(|tx| tx.rules_held())
    }

    /// Mails like this one.
    ///
    /// # Errors
    /// The store could not be read.
    pub fn similar(&self, id: &IncidentId, limit: usize) -> Result<Similar, StoreError> {
        let limit = i64::try_from(limit).unwrap_or(10);
        let found = self.db().read(|tx| {
            let n = tx.row_of(&id.0)?.ok_or_else(|| StoreError::Unknown(id.clone()))?;
            let mut all = Vec::new();
            for rows in [
                tx.same_person(n, limit)?,
                tx.same_mark(n, "sender", limit)?,
                tx.same_mark(n, "attachment", limit)?,
            ] {
                all.push(
                    rows.into_iter()
                        .map(|row| read_rows(tx, row))
                        .collect::<Result<Vec<_>, _>>()?,
                );
            }
            Ok(all)
        })?;
        let mut lists = found
            .into_iter()
            .map(|rows| rows.into_iter().map(|rows| self.summary(rows).0).collect());
        Ok(Similar {
            person: lists.next().unwrap_or_default(),
            sender: lists.next().unwrap_or_default(),
            attachment: lists.next().unwrap_or_default(),
        })
    }

    /// Mails without marks, newest first; whoever has the private key makes them.
    ///
    /// # Errors
    /// The store could not be read.
    pub fn unmarked(&self, limit: usize) -> Result<Vec<IncidentId>, StoreError> {
        let limit = i64::try_from(limit).unwrap_or(50);
        let rows = self.db().read(|tx| tx.unmarked(limit))?;
        Ok(rows.into_iter().map(|(_, id)| IncidentId(id)).collect())
    }

    /// Writes what a mail is found and sorted by. `attachments`: SHA-256 of each attached file, which is hashed again under
    /// our key: the plain one says which file it is to everybody who has it.
    ///
    /// # Errors
    /// Nothing was written.
    pub fn put_on_desk(
        &self,
        id: &IncidentId,
        (people, confidence): (usize, Option<Confidence>),
        places: &BTreeSet<PlaceClass>,
        envelope: Option<&Envelope>,
        attachments: &[[u8; 32]],
    ) -> Result<(), StoreError> {
        let words: Vec<&str> = places.iter().map(|class| place_word(*class)).collect();
        let places = format!(" {} ", words.join(" "));
        let confidence = confidence.and_then(|word| CONFIDENCES.iter().find(|(known, _)| *known == word));
        let mut marks = envelope.map(|envelope| self.marks_of(envelope)).unwrap_or_default();
        marks.extend(attachments.iter().map(|hash| self.mark("attachment", hash)));
        let desk = Desk {
            confidence: confidence.map_or(0, |(_, n)| *n),
            places: &places,
            people: i64::try_from(people).unwrap_or(i64::MAX),
        };
        self.db().write(|tx| {
            let n = tx.row_of(&id.0)?.ok_or_else(|| StoreError::Unknown(id.clone()))?;
            tx.put_on_desk(n, &desk, &marks)
        })
    }

    fn marks_of(&self, envelope: &Envelope) -> Vec<Mark> {
        let mut marks = BTreeSet::new();
        if let Some(sender) = &envelope.sender {
            marks.insert(self.mark("sender", sender.key().as_bytes()));
            marks.insert(self.mark("unit", sender.domain.as_bytes()));
        }
        for address in envelope.recipients.iter().filter_map(|r| r.address.as_ref()) {
            marks.insert(self.mark("recipient", address.key().as_bytes()));
            marks.insert(self.mark("domain", address.domain.as_bytes()));
        }
        marks.into_iter().collect()
    }

    fn mark(&self, kind: &'static str, what: &[u8]) -> Mark {
        Mark {
            kind,
            hash: self.keys().mac(Purpose::Mark, &[kind.as_bytes(), what]),
        }
    }

    /// `None`: nothing can be found so.
    fn wanted(&self, search: &Search) -> Option<Wanted> {
        let confidence = search.confidence;
        let mut wanted = Wanted {
            state: search.state.map(State::word),
            rule: search.rule.clone(),
            confidence: CONFIDENCES
                .iter()
                .find(|(c, _)| Some(*c) == confidence)
                .map_or(0, |(_, n)| *n),
            place: search.place.map(place_word),
            people: i64::from(search.people),
            doubtful: search.doubtful,
            ..Wanted::default()
        };
        let text = search.text.trim();
        if text.is_empty() {
            return Some(wanted);
        }
        if let Some(id) = IncidentId::parse(text) {
            wanted.id = Some(id.0);
            return Some(wanted);
        }
        if let Some(domain) = text.strip_prefix('@').or_else(|| (!text.contains('@')).then_some(text)) {
            // The domain alone, in the form that addresses have.
            let domain = Address::parse(format!("x@{domain}").as_bytes()).ok()?.domain;
            wanted.marks = vec![
                self.mark("unit", domain.as_bytes()),
                self.mark("domain", domain.as_bytes()),
            ];
            return Some(wanted);
        }
        let key = Address::parse(text.as_bytes()).ok()?.key();
        wanted.marks = vec![
            self.mark("sender", key.as_bytes()),
            self.mark("recipient", key.as_bytes()),
        ];
        Some(wanted)
    }
}
