//! What we owe the world: deliveries, notices, DSNs. The courier claims an entry for a time, tries, and settles it.
//!
//! The lease means that a killed courier's work is taken over, and that two couriers never hold the same entry. At most
//! once is not to be had from SMTP: when nobody knows whether a try was delivered, the next one says so (`uncertain`).

use super::audit::{Entry, What, append};
use super::db::{EntryRow, Failure, NewEntry, Part, Reply, Tried, Tx};
use super::incident::IncidentId;
use super::job::{Content, DsnCause, Job, JobKind, Opened, Outcome, Turn};
use super::keys::{Purpose, random};
use super::seal;
use super::state::{State, Step};
use super::{Store, StoreError};
use crate::cpr::mask;
use crate::types::Address;
use serde_json::json;
use time::{Duration, OffsetDateTime};

/// Whose deed it is in the audit trail.
const COURIER: &str = "courier";

const CAUSES: [(DsnCause, &str); 6] = [
    (DsnCause::Rule, "rule"),
    (DsnCause::Reviewer, "reviewer"),
    (DsnCause::Released, "released"),
    (DsnCause::ReleasedRedacted, "released_redacted"),
    (DsnCause::Expired, "expired"),
    (DsnCause::NextHop, "next_hop"),
];

const TURNS: [(Turn, &str); 3] = [(Turn::Send, "send"), (Turn::Summary, "summary"), (Turn::Quiet, "quiet")];

/// An outbox entry for a DSN about one recipient.
pub(super) fn dsn(recipient: i64, cause: DsnCause, at: i64) -> NewEntry {
    NewEntry {
        kind: "dsn",
        recipient: Some(recipient),
        content: None,
        cause: CAUSES.iter().find(|(known, _)| *known == cause).map(|(_, word)| *word),
        gateway: None,
        created: at,
    }
}

impl Store {
    /// Takes the entry that is due longest, for `lease`; nobody else gets it until then.
    ///
    /// # Errors
    /// Nothing was claimed.
    pub fn claim(&self, now: OffsetDateTime, lease: Duration) -> Result<Option<Job>, StoreError> {
        let now = now.unix_timestamp();
        // An idle courier asks often; only the one that sees something takes the write lock.
        if self.db().read(|tx| tx.due(now))?.is_none() {
            return Ok(None);
        }
        let mut bytes = [0_u8; 8];
        random(&mut bytes)?;
        let token = i64::from_ne_bytes(bytes);
        let claimed = self.db().write(|tx| {
            let Some(entry) = tx.due(now)? else {
                return Ok(None);
            };
            let uncertain = entry.uncertain || entry.claimed;
            tx.lease(entry.n, now + lease.whole_seconds(), token, uncertain)?;
            // A damaged one stays leased, so that those behind it get their turn.
            Ok(Some(job(&entry, uncertain, token)))
        })?;
        claimed.transpose()
    }

    /// Keeps a job for another `lease` from `now`.
    ///
    /// # Errors
    /// [`StoreError::LeaseLost`]: stop, somebody else has it.
    pub fn renew(&self, job: &Job, now: OffsetDateTime, lease: Duration) -> Result<(), StoreError> {
        let until = now.unix_timestamp() + lease.whole_seconds();
        match self.db().write(|tx| tx.release_later(job.entry, job.token, until))? {
            true => Ok(()),
            false => Err(StoreError::LeaseLost),
        }
    }

    /// When the next entry is due; `None` when the outbox is empty.
    ///
    /// # Errors
    /// The store could not be read.
    pub fn next_due(&self) -> Result<Option<OffsetDateTime>, StoreError> {
        let due = self.db().read(|tx| tx.next_due())?;
        Ok(due.and_then(|at| OffsetDateTime::from_unix_timestamp(at).ok()))
    }

    /// What the job needs to be sent.
    ///
    /// # Errors
    /// [`StoreError::Sealed`] without the private key.
    pub fn open_job(&self, job: &Job) -> Result<Opened, StoreError> {
        let content = match job.kind {
            JobKind::Delivery { content, .. } => Some(content),
            JobKind::Notice | JobKind::Copy { .. } | JobKind::Dsn { .. } => None,
        };
        let recipient = match job.kind {
            JobKind::Dsn {
                recipient,
                cause: DsnCause::NextHop,
            } => Some(recipient),
            _ => None,
        };
        self.opened(&job.incident, content, recipient)
    }

    /// Opens a mail's record, its content if one is asked for, and the last reply about a recipient if one is asked for.
    pub(super) fn opened(
        &self,
        id: &IncidentId,
        content: Option<Content>,
        reply_of: Option<usize>,
    ) -> Result<Opened, StoreError> {
        self.keys().identity()?;
        let (row, record, mail, reply) = self.db().read(|tx| {
            let row = tx.incident(&id.0)?.ok_or_else(|| StoreError::Unknown(id.clone()))?;
            let mail = match content {
                None => None,
                Some(content) => Some((tx.key(row.n, Part::Content)?, sealed_content(tx, row.n, content)?)),
            };
            let recipients = tx.recipients(row.n)?;
            let reply = reply_of.and_then(|number| recipients.into_iter().find(|r| r.number == number as i64)?.reply);
            let record = (
                tx.key(row.n, Part::Record)?,
                tx.sealed(row.n, "envelope", 0)?,
                tx.sealed(row.n, "facts", 0)?,
            );
            Ok((row, record, mail, reply))
        })?;
        let gone = || StoreError::Shredded(id.clone());
        let (key, envelope, facts) = record;
        let key = seal::identity(self.keys(), id, key)?;
        let mail = match mail {
            None => None,
            Some((key, data)) => {
                let key = seal::identity(self.keys(), id, key)?;
                Some(seal::open(&key, id, &data.ok_or_else(gone)?)?)
            }
        };
        let reply = reply.map(|sealed| seal::open(&key, id, &sealed)).transpose()?;
        Ok(Opened {
            envelope: from_json(id, &seal::open(&key, id, &envelope.ok_or_else(gone)?)?)?,
            facts: from_json(id, &seal::open(&key, id, &facts.ok_or_else(gone)?)?)?,
            mail,
            expires: row.expires.and_then(|at| OffsetDateTime::from_unix_timestamp(at).ok()),
            reply: reply.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()),
        })
    }

    /// Writes down what became of a try: the recipient's state, the masked reply, the DSN that a permanent failure makes,
    /// and the audit record, in one transaction.
    ///
    /// # Errors
    /// [`StoreError::LeaseLost`] when another courier has it, unless the outcome is `Sent`, which is always written down.
    pub fn settle(&self, job: &Job, outcome: &Outcome, now: OffsetDateTime) -> Result<(), StoreError> {
        let at = now.unix_timestamp();
        self.db().write(|tx| {
            let entry = tx.entry(job.entry)?.ok_or(StoreError::LeaseLost)?;
            let sent = matches!(outcome, Outcome::Sent { .. });
            let ours = entry.claimed && !entry.done && entry.token == job.token;
            if entry.done && sent {
                let twice = Entry::new(What::SentAgain, at, COURIER).of(&entry.id);
                return append(tx, self.keys(), with_recipient(twice, &entry));
            }
            if entry.done || !(ours || sent) {
                return Err(StoreError::LeaseLost.into());
            }
            match job.kind {
                JobKind::Delivery { .. } => self.settle_delivery(tx, &entry, outcome, at)?,
                JobKind::Notice | JobKind::Copy { .. } | JobKind::Dsn { .. } => {
                    self.settle_telling(tx, &entry, outcome, at)?
                }
            }
            tx.tried(entry.n, &tried(outcome, at))
        })
    }

    fn settle_delivery(&self, tx: &Tx<'_>, entry: &EntryRow, outcome: &Outcome, at: i64) -> Result<(), Failure> {
        let (step, what, reply, queue_id) = match outcome {
            Outcome::Sent { reply, queue_id } => (Step::Sent, What::Sent, reply, queue_id.as_deref()),
            Outcome::Retry { reply, .. } => (Step::Retry, What::Delayed, reply, None),
            Outcome::Failed { reply } => (Step::Fail, What::Failed, reply, None),
            Outcome::Unknown { reply, .. } => (Step::Lose, What::Lost, reply, None),
            Outcome::NotNeeded { .. } => {
                return Err(StoreError::Refused("a delivery is always needed".to_owned()).into());
            }
        };
        let number = entry.recipient.unwrap_or(-1);
        let recipients = tx.recipients(entry.incident)?;
        let Some(recipient) = recipients.iter().find(|r| r.number == number) else {
            return Err(StoreError::Unusable(format!("a delivery of {} has no recipient", entry.id)).into());
        };
        self.step(tx, entry.incident, &entry.id, number, &recipient.state, step)?;
        let incident = tx
            .incident(&entry.id)?
            .ok_or_else(|| StoreError::Unknown(IncidentId(entry.id.clone())))?;
        let public = seal::public(&incident.record_pub)?;
        let code = reply_code(reply);
        let sealed = seal::seal(&public, masked_reply(&one_line(reply)).as_bytes())?;
        let queue_id = queue_id.map(queue_id_word).filter(|id| !id.is_empty());
        let kept = Reply {
            code: code.as_deref(),
            sealed: &sealed,
            queue_id: queue_id.as_deref(),
        };
        tx.answered(entry.incident, number, &kept)?;
        if step == Step::Fail && recipient.dsn {
            tx.add_entry(entry.incident, &dsn(number, DsnCause::NextHop, at))?;
        }
        // A rule's own copies were told of at intake; what a person let go is told when the MTA has it.
        if step == Step::Sent && recipient.decided && recipient.dsn {
            let cause = match entry.content {
                Some(0..) => DsnCause::ReleasedRedacted,
                _ => DsnCause::Released,
            };
            tx.add_entry(entry.incident, &dsn(number, cause, at))?;
        }
        let detail = json!({"code": code, "queue_id": queue_id, "attempt": entry.attempts});
        append(
            tx,
            self.keys(),
            Entry::new(what, at, COURIER).of(&entry.id).to(number).with(detail),
        )
    }

    fn settle_telling(&self, tx: &Tx<'_>, entry: &EntryRow, outcome: &Outcome, at: i64) -> Result<(), Failure> {
        let how = match outcome {
            Outcome::Sent { reply, .. } => json!({"kind": entry.kind, "how": "sent", "code": reply_code(reply)}),
            Outcome::Failed { reply } => json!({"kind": entry.kind, "how": "failed", "code": reply_code(reply)}),
            Outcome::NotNeeded { why } => json!({"kind": entry.kind, "how": "not needed", "why": why}),
            // A notice that waits is no event: the mail's fate does not hang on it.
            Outcome::Retry { .. } | Outcome::Unknown { .. } => return Ok(()),
        };
        let told = Entry::new(What::Told, at, COURIER).of(&entry.id).with(how);
        append(tx, self.keys(), with_recipient(told, entry))
    }

    /// Moves a recipient by the table of transitions, or says why not.
    pub(super) fn step(
        &self,
        tx: &Tx<'_>,
        incident: i64,
        id: &str,
        number: i64,
        state: &str,
        step: Step,
    ) -> Result<State, Failure> {
        let from = State::from_word(state);
        let Some((from, to)) = from.and_then(|from| Some((from, from.after(step)?))) else {
            return Err(StoreError::Refused(format!(
                "recipient {} of {} is {state}: nothing was changed",
                number + 1,
                IncidentId(id.to_owned())
            ))
            .into());
        };
        match tx.move_recipient(incident, number, from.word(), to.word())? {
            true => Ok(to),
            false => {
                Err(StoreError::Unusable("a recipient changed under our hands; nothing was changed".to_owned()).into())
            }
        }
    }

    /// Counts one notice to this sender, at most `per_hour` in an hour. The same job gets the same answer again.
    ///
    /// # Errors
    /// Not counted.
    pub fn may_notify(
        &self,
        job: &Job,
        sender: &Address,
        per_hour: u32,
        now: OffsetDateTime,
    ) -> Result<Turn, StoreError> {
        let at = now.unix_timestamp();
        let sender = self.keys().mac(Purpose::Sender, &[sender.key().as_bytes()]);
        self.db().write(|tx| {
            let before = tx.turn(job.entry)?;
            if let Some((turn, _)) = TURNS.iter().find(|(_, word)| Some(*word) == before.as_deref()) {
                return Ok(*turn);
            }
            let (sent, summaries) = tx.turns(&sender, (at - 3600, at))?;
            let turn = match (sent < i64::from(per_hour), summaries) {
                (true, _) => Turn::Send,
                // None are wanted: a summary of none would be one.
                (false, _) if per_hour == 0 => Turn::Quiet,
                (false, 0) => Turn::Summary,
                (false, _) => Turn::Quiet,
            };
            let word = TURNS
                .iter()
                .find(|(known, _)| *known == turn)
                .map_or("", |(_, word)| *word);
            tx.add_turn(job.entry, &sender, at, word)?;
            Ok(turn)
        })
    }
}

pub(super) fn sealed_content(tx: &Tx<'_>, n: i64, content: Content) -> Result<Option<Vec<u8>>, Failure> {
    match content {
        Content::Original => tx.sealed(n, "original", 0),
        Content::Copy(copy) => tx.sealed(n, "copy", copy as i64),
    }
}

fn from_json<T: serde::de::DeserializeOwned>(id: &IncidentId, bytes: &[u8]) -> Result<T, StoreError> {
    serde_json::from_slice(bytes)
        .map_err(|_| StoreError::Unusable(format!("what is stored of {id} is damaged; restore it from a backup")))
}

fn job(entry: &EntryRow, uncertain: bool, token: i64) -> Result<Job, StoreError> {
    let recipient = entry.recipient.and_then(|number| usize::try_from(number).ok());
    let cause = CAUSES.iter().find(|(_, word)| Some(*word) == entry.cause.as_deref());
    let kind = match (entry.kind.as_str(), recipient, entry.content, cause) {
        ("delivery", Some(recipient), Some(content), _) => JobKind::Delivery {
            recipient,
            content: usize::try_from(content).map_or(Content::Original, Content::Copy),
        },
        ("notice", None, _, _) => JobKind::Notice,
        ("notice", Some(to), _, _) => JobKind::Copy { to },
        ("dsn", Some(recipient), _, Some((cause, _))) => JobKind::Dsn {
            recipient,
            cause: *cause,
        },
        _ => {
            return Err(StoreError::Unusable(format!(
                "outbox entry {} is damaged and was left out; restore the store from a backup",
                entry.n
            )));
        }
    };
    Ok(Job {
        incident: IncidentId(entry.id.clone()),
        kind,
        gateway: entry.gateway.clone(),
        attempts: u32::try_from(entry.attempts).unwrap_or(u32::MAX),
        created: OffsetDateTime::from_unix_timestamp(entry.created).unwrap_or(OffsetDateTime::UNIX_EPOCH),
        uncertain,
        entry: entry.n,
        token,
    })
}

fn with_recipient<'a>(record: Entry<'a>, entry: &EntryRow) -> Entry<'a> {
    match entry.recipient {
        // Of a notice's copy it counts those who are told, and is nobody of the envelope.
        Some(_) if entry.kind == "notice" => record,
        Some(number) => record.to(number),
        None => record,
    }
}

fn tried(outcome: &Outcome, at: i64) -> Tried {
    match outcome {
        Outcome::Sent { .. } | Outcome::Failed { .. } | Outcome::NotNeeded { .. } => Tried::Done { at },
        Outcome::Retry { at, .. } => Tried::Again {
            due: at.unix_timestamp(),
            uncertain: false,
        },
        Outcome::Unknown { at, .. } => Tried::Again {
            due: at.unix_timestamp(),
            uncertain: true,
        },
    }
}

/// Reply code and enhanced code (RFC 3463) in front of a reply; what follows may name people.
fn reply_code(reply: &str) -> Option<String> {
    let mut words = reply.split([' ', '-']).filter(|word| !word.is_empty());
    let code = words
        .next()
        .filter(|word| word.len() == 3 && word.bytes().all(|b| b.is_ascii_digit()))?;
    let enhanced = words.next().filter(|word| {
        let parts: Vec<&str> = word.split('.').collect();
        parts.len() == 3
            && parts
                .iter()
                .all(|p| (1..=3).contains(&p.len()) && p.bytes().all(|b| b.is_ascii_digit()))
    });
    Some(enhanced.map_or_else(|| code.to_owned(), |enhanced| format!("{code} {enhanced}")))
}

fn one_line(reply: &str) -> String {
    reply
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(500)
        .collect()
}

/// Queue IDs are letters and digits, `-` and `.` at most. Not masked: the next hop made it, and people look for it in logs.
fn queue_id_word(id: &str) -> String {
    let fit = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.');
    id.chars().filter(fit).take(40).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_codes_are_kept_of_a_reply_in_clear() {
        assert_eq!(
            reply_code("550 5.1.1 <anna@x.example> unknown").as_deref(),
            Some("550 5.1.1")
        );
        assert_eq!(reply_code("250-2.0.0 Ok").as_deref(), Some("250 2.0.0"));
        assert_eq!(reply_code("451 anna is away").as_deref(), Some("451"));
        assert_eq!(reply_code("connection refused"), None);
        assert_eq!(reply_code("0101901234"), None);
        assert_eq!(reply_code(""), None);
    }
}

/// A reply without numbers; its code and enhanced status (RFC 3463), which look like digits of one, stay.
fn masked_reply(reply: &str) -> String {
    let is_code = |word: &str| word.len() <= 9 && word.chars().all(|c| c.is_ascii_digit() || c == '.');
    let codes: usize = reply
        .split_inclusive(' ')
        .take(2)
        .take_while(|word| is_code(word.trim_end()))
        .map(str::len)
        .sum();
    let (codes, text) = reply.split_at(codes);
    format!("{codes}{}", mask(text))
}

#[cfg(test)]
mod masked {
    use super::masked_reply;

    #[test]
    fn the_codes_of_a_reply_stay_and_numbers_in_it_go() {
        let number = crate::cpr::made_up::hyphenated(&crate::cpr::made_up::number(7));
        let masked = masked_reply(&format!("550 5.1.1 no mailbox {number} here"));
        assert!(
            masked.starts_with("550 5.1.1 no mailbox ") && !masked.contains(&number[..6]),
            "{masked}"
        );
        assert!(!masked_reply(&number).contains(&number[..6]));
    }
}
