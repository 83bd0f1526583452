//! What happened: an append-only chain of records, each holding the hash of the one before.
//!
//! No record holds an identifier or a word of a mail. Reasons that people type are sealed under the mail's record key; the
//! chain runs over the sealed bytes' hash, so that destroying the key erases a reason without breaking the chain.
//!
//! Within the database the end of the chain is guarded by a keyed hash (`hash.key`), which shows a cut tail to whoever
//! verifies with that key. Somebody who has the key, or puts an old copy of the whole file back, is only found by a head
//! written down elsewhere: [`Store::head`], [`Store::verify`].

use super::db::{AuditRow, Failure, Tx};
use super::keys::{Keys, Purpose};
use super::{HASH_CHECK, Store, StoreError, hex};
use crate::cpr::mask;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::io::Write;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// Name of the setting that holds the guarded head.
const HEAD: &str = "audit_head";

/// What the record before the first one hashes to.
const START: &str = "start";

/// What can happen: the word in records and what it means, in the order of the manual.
pub const VOCABULARY: [(What, &str, &str); 35] = [
    (What::StoreMade, "store_made", "the store was made"),
    (What::Held, "held", "a mail became ours, durably"),
    (What::HeldAgain, "held_again", "a retry of a mail that was ours already"),
    (
        What::Recorded,
        "recorded",
        "something was found in a mail that stayed with the MTA",
    ),
    (What::Viewed, "viewed", "somebody looked at a mail"),
    (
        What::Approved,
        "approved",
        "somebody agreed to a release that needs more people",
    ),
    (
        What::Released,
        "released",
        "a release was decided; it goes to the outbox",
    ),
    (What::Refused, "refused", "a reviewer refused a recipient"),
    (What::Deleted, "deleted", "a reviewer deleted a recipient's copy"),
    (What::Expired, "expired", "nobody decided in time"),
    (What::CopyAdded, "copy_added", "a redacted copy was added"),
    (What::Sent, "sent", "the MTA took the mail for a recipient"),
    (What::Delayed, "delayed", "a delivery failed for now"),
    (What::Failed, "failed", "a delivery failed for good"),
    (
        What::Lost,
        "lost",
        "a connection was lost after the final dot: delivered or not, nobody knows",
    ),
    (
        What::SentAgain,
        "sent_again",
        "a courier that had lost its lease delivered what another had settled",
    ),
    (
        What::Told,
        "told",
        "a notice or DSN went out, failed for good, or was not needed",
    ),
    (What::Shredded, "shredded", "the key of a mail's content was destroyed"),
    (
        What::Purged,
        "purged",
        "findings, facts and envelope of a mail were destroyed",
    ),
    (What::PeopleAdded, "people_added", "protected persons were added"),
    (What::PeopleRemoved, "people_removed", "protected persons were removed"),
    (
        What::OwnersAdded,
        "owners_added",
        "it was learnt whose numbers some are, by mail address",
    ),
    (
        What::OwnersRemoved,
        "owners_removed",
        "it was forgotten whose numbers some are",
    ),
    (What::Searched, "searched", "somebody asked where a number has gone"),
    (
        What::Replayed,
        "replayed",
        "somebody asked what a policy would have done with past mail",
    ),
    (What::Listed, "listed", "somebody looked at, or searched, the queue"),
    (
        What::UnmaskAsked,
        "unmask_asked",
        "somebody asked to see what is masked; a second person must agree",
    ),
    (
        What::Unmasked,
        "unmasked",
        "what is masked was shown to somebody, for some minutes",
    ),
    (
        What::Downloaded,
        "downloaded",
        "somebody took an attachment, or a preview, out",
    ),
    (What::Denied, "denied", "somebody was refused what they asked for"),
    (What::SignedIn, "signed_in", "somebody signed in to the console"),
    (
        What::SignInFailed,
        "sign_in_failed",
        "somebody could not sign in to the console",
    ),
    (What::SignedOut, "signed_out", "a session of the console was ended"),
    (
        What::AccountAdded,
        "account_added",
        "an account for the console was made",
    ),
    (
        What::AccountChanged,
        "account_changed",
        "an account for the console was changed",
    ),
];

/// What can happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the vocabulary above says what each means")]
pub enum What {
    StoreMade,
    Held,
    HeldAgain,
    Recorded,
    Viewed,
    Approved,
    Released,
    Refused,
    Deleted,
    Expired,
    CopyAdded,
    Sent,
    Delayed,
    Failed,
    Lost,
    SentAgain,
    Told,
    Shredded,
    Purged,
    PeopleAdded,
    PeopleRemoved,
    OwnersAdded,
    OwnersRemoved,
    Searched,
    Replayed,
    Listed,
    UnmaskAsked,
    Unmasked,
    Downloaded,
    Denied,
    SignedIn,
    SignInFailed,
    SignedOut,
    AccountAdded,
    AccountChanged,
}

impl What {
    /// The word in records.
    pub fn word(self) -> &'static str {
        VOCABULARY
            .iter()
            .find(|(what, _, _)| *what == self)
            .map_or("", |(_, word, _)| word)
    }
}

/// The end of the audit chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// Number of the last record; 0 for an empty chain.
    pub seq: i64,
    /// Its SHA-256, hexadecimal.
    pub hash: String,
}

/// What `audit verify` found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verified {
    /// Unbroken to its head.
    Sound(Head),
    /// Broken.
    Bad {
        /// First record that is wrong or missing.
        seq: i64,
        /// What is wrong with it.
        what: String,
    },
}

/// A record before it has its place in the chain.
pub(super) struct Entry<'a> {
    pub what: What,
    pub at: i64,
    pub incident: Option<&'a str>,
    pub recipient: Option<i64>,
    pub actor: &'a str,
    /// Policy hash, of a judgement.
    pub policy: Option<&'a str>,
    /// Words and counts of our own, never of the mail.
    pub detail: serde_json::Value,
    /// Reason, sealed.
    pub sealed: Option<Vec<u8>>,
}

impl<'a> Entry<'a> {
    pub fn new(what: What, at: i64, actor: &'a str) -> Entry<'a> {
        Entry {
            what,
            at,
            incident: None,
            recipient: None,
            actor,
            policy: None,
            detail: serde_json::Value::Null,
            sealed: None,
        }
    }

    pub fn of(self, incident: &'a str) -> Entry<'a> {
        Entry {
            incident: Some(incident),
            ..self
        }
    }

    pub fn to(self, recipient: i64) -> Entry<'a> {
        Entry {
            recipient: Some(recipient),
            ..self
        }
    }

    pub fn with(self, detail: serde_json::Value) -> Entry<'a> {
        Entry { detail, ..self }
    }

    pub fn sealed(self, sealed: Option<Vec<u8>>) -> Entry<'a> {
        Entry { sealed, ..self }
    }
}

/// The record as it is hashed: field order is the canonical order.
#[derive(Serialize, Deserialize)]
pub(super) struct Record {
    pub seq: i64,
    pub at: String,
    pub event: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incident: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recipient: Option<i64>,
    pub actor: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<String>,
    #[serde(default, skip_serializing_if = "serde_json::Value::is_null")]
    pub detail: serde_json::Value,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sealed: Option<String>,
    pub prev: String,
}

/// Appends a record to the chain, inside the transaction of what it records.
pub(super) fn append(tx: &Tx<'_>, keys: &Keys, entry: Entry<'_>) -> Result<(), Failure> {
    let last = tx.last_audit()?;
    let (last_seq, prev) = last.unwrap_or((0, START.to_owned()));
    // A tail cut off before this record would be covered up by it.
    match stored_head(tx, keys)? {
        Guarded::Sound(head) if head.seq == last_seq && (last_seq == 0 || head.hash == prev) => {}
        _ => return Err(StoreError::Unusable(cut_short(last_seq)).into()),
    }
    let seq = last_seq + 1;
    let record = Record {
        seq,
        at: rfc3339(entry.at),
        event: entry.what.word().to_owned(),
        incident: entry.incident.map(str::to_owned),
        recipient: entry.recipient,
        actor: shown_actor(entry.actor),
        policy: entry.policy.map(str::to_owned),
        detail: entry.detail,
        sealed: entry.sealed.as_deref().map(sha256),
        prev,
    };
    let text = serde_json::to_string(&record)
        .map_err(|_| StoreError::Unusable("an audit record could not be written as JSON".to_owned()))?;
    let hash = sha256(text.as_bytes());
    tx.set(
        HEAD,
        guard(
            keys,
            &Head {
                seq,
                hash: hash.clone(),
            },
        )
        .as_bytes(),
    )?;
    tx.add_audit(&AuditRow {
        seq,
        incident: record.incident,
        record: text,
        sealed: entry.sealed,
        hash,
    })
}

/// An actor's name as it is kept: masked, one line, not longer than a name.
pub(super) fn shown_actor(actor: &str) -> String {
    let line: String = actor.trim().chars().filter(|c| !c.is_control()).take(100).collect();
    mask(&line)
}

fn cut_short(seq: i64) -> String {
    format!(
        "the audit trail does not end where it should (record {seq}): nothing more is recorded, held or released until \
         somebody has looked (`cpr-milter audit verify`) and restored the store from a backup"
    )
}

fn sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

pub(super) fn rfc3339(at: i64) -> String {
    let time = OffsetDateTime::from_unix_timestamp(at).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    time.format(&Rfc3339).unwrap_or_default()
}

/// The head with its keyed hash, as one line.
fn guard(keys: &Keys, head: &Head) -> String {
    let mac = keys.mac(Purpose::Head, &[&head.seq.to_be_bytes(), head.hash.as_bytes()]);
    format!("{head} {}", hex(&mac))
}

enum Guarded {
    Sound(Head),
    Forged,
}

fn stored_head(tx: &Tx<'_>, keys: &Keys) -> Result<Guarded, Failure> {
    let Some(bytes) = tx.setting(HEAD)? else {
        // Only a store that is being made has no head: a trail that went with its head must not pass for a new one.
        return Ok(match tx.last_audit()? {
            None if tx.setting(HASH_CHECK)?.is_none() && !tx.has_incidents()? => Guarded::Sound(Head {
                seq: 0,
                hash: START.to_owned(),
            }),
            _ => Guarded::Forged,
        });
    };
    let line = String::from_utf8_lossy(&bytes);
    let head = line.rsplit_once(' ').and_then(|(head, _)| Head::parse(head));
    Ok(match head {
        Some(head) if guard(keys, &head) == line => Guarded::Sound(head),
        _ => Guarded::Forged,
    })
}

/// The line for a head file: number, blank, hash.
impl std::fmt::Display for Head {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.seq, self.hash)
    }
}

impl Head {
    /// Reads such a line.
    pub fn parse(line: &str) -> Option<Head> {
        let (seq, hash) = line.trim().split_once(' ')?;
        Some(Head {
            seq: seq.parse().ok()?,
            hash: hash.trim().to_owned(),
        })
    }
}

/// Walks the chain record by record.
struct Walk {
    next: i64,
    prev: String,
    known: Option<Head>,
    bad: Option<(i64, String)>,
}

impl Walk {
    fn check(&mut self, row: &AuditRow) -> Result<(), String> {
        if row.seq != self.next {
            return Err(format!("it is missing (record {} follows)", row.seq));
        }
        if sha256(row.record.as_bytes()) != row.hash {
            return Err("it was edited: its text does not match its hash".to_owned());
        }
        let record: Record = serde_json::from_str(&row.record).map_err(|_| "it is no audit record".to_owned())?;
        if record.prev != self.prev {
            return Err("it does not follow the record before it: one of the two was replaced".to_owned());
        }
        if record.seq != row.seq {
            return Err(format!("it stands in the place of another record ({})", record.seq));
        }
        if record.incident != row.incident {
            return Err("it was moved to another incident".to_owned());
        }
        if record.sealed != row.sealed.as_deref().map(sha256) {
            return Err("its sealed reason was changed".to_owned());
        }
        if self
            .known
            .as_ref()
            .is_some_and(|head| head.seq == row.seq && head.hash != row.hash)
        {
            return Err("it is not the record that the head written down elsewhere names".to_owned());
        }
        Ok(())
    }

    fn step(&mut self, row: &AuditRow) -> bool {
        match self.check(row) {
            Ok(()) => {
                self.next = row.seq + 1;
                self.prev.clone_from(&row.hash);
                true
            }
            Err(what) => {
                self.bad = Some((self.next, what));
                false
            }
        }
    }

    fn end(self, guarded: &Guarded) -> Verified {
        if let Some((seq, what)) = self.bad {
            return Verified::Bad { seq, what };
        }
        let last = Head {
            seq: self.next - 1,
            hash: self.prev,
        };
        let bad = |seq: i64, what: &str| Verified::Bad {
            seq,
            what: what.to_owned(),
        };
        match (guarded, self.known) {
            (_, Some(known)) if known.seq > last.seq => bad(
                self.next,
                "it is missing: the head written down elsewhere names a later one",
            ),
            (Guarded::Forged, _) => bad(
                self.next,
                "the head kept in the store was forged, or made under another hash.key",
            ),
            (Guarded::Sound(head), _) if head.seq > last.seq => bad(self.next, "it is missing: the tail was cut off"),
            (Guarded::Sound(head), _) if *head != last => bad(
                last.seq,
                "it was added behind the head kept in the store, or replaced it",
            ),
            _ => Verified::Sound(last),
        }
    }
}

impl Store {
    /// The end of the chain, for a second place.
    ///
    /// # Errors
    /// The store could not be read.
    pub fn head(&self) -> Result<Head, StoreError> {
        let last = self.db().read(|tx| tx.last_audit())?;
        let (seq, hash) = last.unwrap_or((0, START.to_owned()));
        Ok(Head { seq, hash })
    }

    /// Walks the chain; with `head` (written down earlier, elsewhere) a cut or rewritten tail shows too.
    ///
    /// # Errors
    /// The store could not be read. A broken chain is no error but [`Verified::Bad`].
    pub fn verify(&self, head: Option<&Head>) -> Result<Verified, StoreError> {
        self.db().read(|tx| {
            let mut walk = Walk {
                next: 1,
                prev: START.to_owned(),
                known: head.cloned(),
                bad: None,
            };
            // From the lowest number there is: records squeezed in before the first one count too.
            tx.audit_from(i64::MIN, &mut |row| walk.step(&row))?;
            Ok(walk.end(&stored_head(tx, self.keys())?))
        })
    }

    /// All records from number `from` on, one JSON object a line: `{"hash": …, "record": {…}}`. The hash is the SHA-256 of
    /// the record's text as it stands there.
    ///
    /// # Errors
    /// The store could not be read, or `out` not written.
    pub fn export(&self, from: i64, out: &mut dyn Write) -> Result<usize, StoreError> {
        let mut lines = 0;
        let mut written = Ok(());
        self.db().read(|tx| {
            tx.audit_from(from, &mut |row| {
                written = writeln!(out, "{{\"hash\":\"{}\",\"record\":{}}}", row.hash, row.record);
                lines += 1;
                written.is_ok()
            })
        })?;
        written.map_err(|error| {
            StoreError::Unusable(format!("the audit trail could not be written out: {}", error.kind()))
        })?;
        Ok(lines)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_event_has_one_word() {
        let mut words: Vec<&str> = VOCABULARY.iter().map(|(_, word, _)| *word).collect();
        words.sort_unstable();
        words.dedup();
        assert_eq!(words.len(), VOCABULARY.len());
        assert!(
            VOCABULARY
                .iter()
                .all(|(what, word, _)| what.word() == *word && !word.is_empty())
        );
    }
}
