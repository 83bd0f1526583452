//! Custody: what we hold, what we owe (outbox), what happened (audit), whom we protect (people).
//!
//! One SQLite file, WAL, `synchronous=FULL`; one transaction for a hold with its recipients, outbox entries and audit
//! record. Content is sealed with age to a key pair of its own, whose private half is sealed to the store's public key:
//! destroying that one row erases the message. The milter has the public key alone.
//!
//! All calls block: async callers use `spawn_blocking`. `now` is handed in, but for the first record of a new store. Nothing here
//! sends, judges or reads mail.

mod accounts;
mod audit;
mod db;
mod decide;
mod error;
mod hold;
mod holdkey;
mod incident;
mod job;
mod judged;
mod keys;
mod outbox;
mod people;
mod quarantine;
mod queue;
mod retention;
mod retry;
mod seal;
mod sessions;
mod state;
mod unmasking;
mod who;

pub use accounts::{Account, AccountChange, NewAccount, Role, Secrets};
pub use audit::{Head, VOCABULARY, Verified, What as AuditEvent};
pub use decide::{Decider, Released, What, Whom};
pub use error::StoreError;
pub use holdkey::HoldKey;
pub use incident::{Custody, Duty, Held, Incident, IncidentId, Owned, StoredFinding};
pub use job::{Content, DsnCause, Job, JobKind, Opened, Outcome, Turn};
pub use judged::{Judged, JudgedFor, Looked, Past};
pub use keys::{Access, Keys};
pub use people::PersonNote;
pub use quarantine::{Details, Event, Filter, RecipientLine, Sighting, Summary, Totals};
pub use queue::{Order, Page, Search, Similar, TrailLine, Traits};
pub use retention::Swept;
pub use sessions::{SessionId, SignIn};
pub use state::{State, Step, TRANSITIONS};
pub use unmasking::{Unmasking, Wish};

use crate::types::Envelope;
use db::{Db, Failure, Tx};
use keys::Purpose;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;
use time::OffsetDateTime;

/// The schema that this program writes.
pub const SCHEMA_VERSION: i64 = db::VERSION;

/// Name of the setting that tells a wrong `hash.key` from the right one.
const HASH_CHECK: &str = "hash_check";

/// The store, cheap to clone, usable from several threads and by several processes at once.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

struct Inner {
    db: Db,
    keys: Keys,
    tried: retry::Tried,
    today: judged::Today,
}

impl Store {
    /// Opens or creates the store at `path` with the keys this process has.
    ///
    /// # Errors
    /// In one sentence for the administrator: what, where, what to do.
    pub fn open(path: &Path, keys: Keys) -> Result<Store, StoreError> {
        let db = Db::open(path)?;
        let check = keys.mac(Purpose::Check, &[]);
        if db.read(|tx| tx.setting(HASH_CHECK))?.as_deref() != Some(&check[..]) {
            db.write(|tx| first_keys(tx, &keys, &check, path))?;
        }
        db.expect(HASH_CHECK, &check);
        Ok(Store {
            inner: Arc::new(Inner {
                db,
                keys,
                tried: retry::Tried::default(),
                today: judged::Today::default(),
            }),
        })
    }

    /// Bytes free for us on the file system of the store; ask at MAIL and answer 452 early.
    ///
    /// # Errors
    /// The file system could not be asked.
    pub fn free_bytes(&self) -> Result<u64, StoreError> {
        db::free_bytes(self.db().path())
    }

    /// See [`Keys::hold_key`]; with the keys the store was opened with.
    pub fn hold_key(&self, envelope: &Envelope, mail: &[u8]) -> HoldKey {
        self.keys().hold_key(envelope, mail)
    }

    fn db(&self) -> &Db {
        &self.inner.db
    }

    fn keys(&self) -> &Keys {
        &self.inner.keys
    }

    fn today(&self) -> &judged::Today {
        &self.inner.today
    }

    fn tried(&self) -> &retry::Tried {
        &self.inner.tried
    }
}

/// A new store takes the hash key it is opened with first; an older one must be opened with its own. Under another one no
/// protected person would be recognised, and nobody would notice.
fn first_keys(tx: &Tx<'_>, keys: &Keys, check: &[u8; 32], path: &Path) -> Result<(), Failure> {
    match tx.setting(HASH_CHECK)? {
        Some(known) if known == check => Ok(()),
        Some(_) => Err(StoreError::Unusable(format!(
            "hash.key is not the one that the store {} was made with: no protected person would be recognised; put the \
             right hash.key back from the backup",
            path.display()
        ))
        .into()),
        None => {
            let now = OffsetDateTime::now_utc().unix_timestamp();
            audit::append(tx, keys, audit::Entry::new(AuditEvent::StoreMade, now, "cpr-milter"))?;
            tx.set(HASH_CHECK, check)
        }
    }
}

/// Lower-case hexadecimal digits.
fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .fold(String::with_capacity(bytes.len() * 2), |mut out, byte| {
            // Writing to a String cannot fail.
            let _ = write!(out, "{byte:02x}");
            out
        })
}
