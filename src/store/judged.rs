//! What every judgement was made from, kept for `policy replay`: who wrote to whom, which kinds of numbers were how sure
//! where, and what was decided. Never the mail, never a number: numbers are keyed hashes, as everywhere.
//!
//! Addresses must be kept, since a changed policy is asked with its own lists; so a row is sealed as a whole. A key pair of
//! its own, as held mail has, would cost a replay of 100,000 rows half a minute, so all rows of one day and process are
//! sealed under one key (ChaCha20-Poly1305), which itself is sealed to `store.pub`: the milter can read back what it wrote
//! since its start that day, and nothing older. Rows and their keys go with the findings.
//!
//! A mail that is held or recorded has its row in the same transaction. One that the policy let pass without a word is
//! written later, many at once: losing some of those loses no mail, and makes a replay count fewer.

use super::audit::{Entry, What, append, shown_actor};
use super::db::{Failure, JudgedRow, Tx};
use super::decide::{Decider, reason_line};
use super::keys::random;
use super::{IncidentId, Store, StoreError, seal};
use crate::cpr::Secret;
use crate::policy::Number;
use crate::types::{Action, Address, DoubtKind};
use chacha20poly1305::aead::{Aead, KeyInit};
use chacha20poly1305::{ChaCha20Poly1305, Key, Nonce};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, PoisonError};
use time::OffsetDateTime;
use zeroize::Zeroizing;

const DAY: i64 = 24 * 3600;
const NONCE: usize = 12;
/// Rows read at once: the lock is not kept while they are judged.
const PAGE: i64 = 2_000;

/// A judgement, on its way into the store.
pub struct Judged {
    /// When the mail came.
    pub received: OffsetDateTime,
    /// Hash of the policy that judged.
    pub policy: String,
    /// `None` for the null sender.
    pub sender: Option<Address>,
    /// Name under which it was handed in.
    pub login: Option<String>,
    /// In the order of the envelope.
    pub recipients: Vec<JudgedFor>,
    /// Each different number, in clear in memory only.
    pub numbers: Vec<(Secret, Number)>,
    /// Each kind once.
    pub doubts: Vec<DoubtKind>,
}

/// What was decided for one recipient.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JudgedFor {
    /// `None` when it cannot be read as an address.
    pub address: Option<Address>,
    /// Mail there went over enforced TLS.
    pub tls_enforced: bool,
    /// In the end, with a redaction that failed taken into account.
    pub action: Action,
    /// Id of the rule that said so.
    pub rule: Option<String>,
}

/// A judgement as it comes back.
#[derive(Debug)]
pub struct Past {
    /// When the mail came.
    pub received: OffsetDateTime,
    /// Under which id it was held or recorded; `None` when it passed without a word.
    pub incident: Option<IncidentId>,
    /// Hash of the policy that judged.
    pub policy: String,
    /// `None` for the null sender.
    pub sender: Option<Address>,
    /// Name under which it was handed in.
    pub login: Option<String>,
    /// In the order of the envelope.
    pub recipients: Vec<JudgedFor>,
    /// Each different number; protected when its person is on the list today.
    pub numbers: Vec<Number>,
    /// Each kind once.
    pub doubts: Vec<DoubtKind>,
}

/// What is sealed.
#[derive(Serialize, Deserialize)]
struct Sealed {
    sender: Option<Address>,
    login: Option<String>,
    recipients: Vec<JudgedFor>,
    numbers: Vec<([u8; 32], Number)>,
    doubts: Vec<DoubtKind>,
}

/// What a look through the past came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Looked {
    /// Mails that were read.
    pub read: usize,
    /// Rows that could not be opened.
    pub unreadable: usize,
    /// Mails held or recorded in that time of which there is no judgement: they came before it was kept, or could not
    /// be inspected.
    pub without: usize,
}

/// The key of this day and process.
#[derive(Default)]
pub(super) struct Today(Mutex<Option<DayKey>>);

#[derive(Clone)]
struct DayKey {
    row: i64,
    day: i64,
    cipher: ChaCha20Poly1305,
}

/// A row ready to be written.
pub(super) struct ReadyRow {
    received: i64,
    key: i64,
    policy: String,
    data: Vec<u8>,
}

impl Store {
    /// Writes judgements of mails that passed without a word.
    ///
    /// # Errors
    /// None was written.
    pub fn note(&self, judged: &[Judged]) -> Result<(), StoreError> {
        let ready: Vec<ReadyRow> = judged.iter().map(|j| self.ready_row(j)).collect::<Result<_, _>>()?;
        self.db()
            .write(|tx| ready.iter().try_for_each(|row| write(tx, row, None)))
    }

    /// Seals a judgement. Makes the key of the day when there is none yet.
    pub(super) fn ready_row(&self, judged: &Judged) -> Result<ReadyRow, StoreError> {
        let received = judged.received.unix_timestamp();
        let key = self.day_key(received)?;
        let hashed = |(secret, number): &(Secret, Number)| (self.keys().person(secret), number.clone());
        let clear = postcard::to_stdvec(&Sealed {
            sender: judged.sender.clone(),
            login: judged.login.clone(),
            recipients: judged.recipients.clone(),
            numbers: judged.numbers.iter().map(hashed).collect(),
            doubts: judged.doubts.clone(),
        });
        let clear = Zeroizing::new(clear.map_err(|_| unwritten())?);
        let mut nonce = [0_u8; NONCE];
        random(&mut nonce)?;
        let sealed = key.cipher.encrypt(Nonce::from_slice(&nonce), clear.as_slice());
        let mut data = nonce.to_vec();
        data.extend(sealed.map_err(|_| unwritten())?);
        Ok(ReadyRow {
            received,
            key: key.row,
            policy: judged.policy.clone(),
            data,
        })
    }

    /// Committed before anything is sealed under it.
    fn day_key(&self, received: i64) -> Result<DayKey, StoreError> {
        let day = received.div_euclid(DAY);
        let mut slot = self.today().0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(key) = slot.as_ref().filter(|key| key.day == day) {
            return Ok(key.clone());
        }
        let mut bytes = Zeroizing::new([0_u8; 32]);
        random(&mut bytes[..])?;
        let sealed = seal::seal(self.keys().recipient(), &bytes[..])?;
        let key = DayKey {
            row: self.db().write(|tx| tx.add_judged_key(received, &sealed))?,
            day,
            cipher: ChaCha20Poly1305::new(Key::from_slice(&bytes[..])),
        };
        *slot = Some(key.clone());
        Ok(key)
    }

    /// Reads all judgements since then, oldest first. The look itself is recorded. Needs the private key. `progress` is told
    /// how many there are, and `each` gets them one by one.
    ///
    /// # Errors
    /// [`StoreError::Sealed`], or the store could not be read.
    pub fn past(
        &self,
        since: OffsetDateTime,
        by: &Decider<'_>,
        progress: impl FnOnce(usize),
        mut each: impl FnMut(Past),
    ) -> Result<Looked, StoreError> {
        self.keys().identity()?;
        let since = since.unix_timestamp();
        let (count, without, protected) = self
            .db()
            .read(|tx| Ok((tx.judged_count(since)?, tx.unjudged_count(since)?, tx.people_hashes()?)))?;
        self.looked(by, count)?;
        progress(usize::try_from(count).unwrap_or(0));
        let mut looked = Looked {
            without: usize::try_from(without).unwrap_or(0),
            ..Looked::default()
        };
        let mut keys = HashMap::new();
        let mut last = 0;
        loop {
            let rows = self.db().read(|tx| tx.judged(since, last, PAGE))?;
            let Some(end) = rows.last().map(|row| row.n) else {
                return Ok(looked);
            };
            last = end;
            for row in rows {
                let cipher = match keys.get(&row.key) {
                    Some(cipher) => cipher,
                    None => {
                        let cipher = self.opened_key(row.key)?;
                        keys.entry(row.key).or_insert(cipher)
                    }
                };
                match cipher.as_ref().and_then(|cipher| opened(cipher, row, &protected)) {
                    Some(past) => {
                        looked.read += 1;
                        each(past);
                    }
                    None => looked.unreadable += 1,
                }
            }
        }
    }

    /// `None` when it is gone or was sealed to another store key.
    fn opened_key(&self, row: i64) -> Result<Option<ChaCha20Poly1305>, StoreError> {
        let Some(sealed) = self.db().read(|tx| tx.judged_key(row))? else {
            return Ok(None);
        };
        let clear = age::decrypt(self.keys().identity()?, &sealed).map(Zeroizing::new);
        Ok(clear
            .ok()
            .and_then(|clear| ChaCha20Poly1305::new_from_slice(&clear).ok()))
    }

    fn looked(&self, by: &Decider<'_>, count: i64) -> Result<(), StoreError> {
        let reason = reason_line(by)?;
        let actor = shown_actor(by.actor);
        let sealed = seal::seal(self.keys().recipient(), reason.as_bytes())?;
        self.db().write(|tx| {
            let entry = Entry::new(What::Replayed, by.now.unix_timestamp(), &actor);
            append(
                tx,
                self.keys(),
                entry.with(json!({"count": count})).sealed(Some(sealed)),
            )
        })
    }
}

/// In the transaction of the hold or record, if there is one.
pub(super) fn write(tx: &Tx<'_>, row: &ReadyRow, incident: Option<i64>) -> Result<(), Failure> {
    tx.add_judged(row.received, incident, row.key, &row.policy, &row.data)
}

fn opened(cipher: &ChaCha20Poly1305, row: JudgedRow, protected: &HashSet<Vec<u8>>) -> Option<Past> {
    let (nonce, sealed) = row.data.split_at_checked(NONCE)?;
    let clear = Zeroizing::new(cipher.decrypt(Nonce::from_slice(nonce), sealed).ok()?);
    let sealed: Sealed = postcard::from_bytes(&clear).ok()?;
    let today = |(person, number): ([u8; 32], Number)| Number {
        protected: protected.contains(&person[..]),
        ..number
    };
    Some(Past {
        received: OffsetDateTime::from_unix_timestamp(row.received).ok()?,
        incident: row.incident.map(IncidentId),
        policy: row.policy,
        sender: sealed.sender,
        login: sealed.login,
        recipients: sealed.recipients,
        numbers: sealed.numbers.into_iter().map(today).collect(),
        doubts: sealed.doubts,
    })
}

fn unwritten() -> StoreError {
    StoreError::Unusable("a judgement could not be written down for replay".to_owned())
}
