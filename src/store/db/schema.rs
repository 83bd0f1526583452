//! The tables, by schema version. A released version's step is never edited; a change is a new step behind it.

use super::schema_console::CONSOLE;
use super::{Failure, Tx};
use crate::store::StoreError;
use std::path::Path;

/// Steps that lead from each version to the next one; the first makes an empty file version 1.
const STEPS: [&str; 4] = [V1, JUDGED, GATEWAYS, CONSOLE];

/// The version that this program writes.
pub const VERSION: i64 = STEPS.len() as i64;

/// Times are UNIX seconds. What is sealed is an age file; what is hashed is HMAC-SHA-256 under a key outside.
const V1: &str = "
CREATE TABLE schema_version (version INTEGER NOT NULL);
INSERT INTO schema_version VALUES (0);

CREATE TABLE setting (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;

CREATE TABLE incident (
    n           INTEGER PRIMARY KEY,
    id          TEXT NOT NULL UNIQUE,
    received    INTEGER NOT NULL,
    hold_key    BLOB,                        -- NULL: we own nothing of it
    decided     INTEGER NOT NULL DEFAULT 0,  -- a person or the clock has decided about a recipient
    expires     INTEGER,
    policy      TEXT NOT NULL,
    rules       TEXT NOT NULL,               -- ids, JSON array
    doubts      TEXT NOT NULL,               -- words, JSON array
    numbers     INTEGER NOT NULL,
    copies      INTEGER NOT NULL,
    content_pub TEXT,                        -- age recipient of this mail's content
    record_pub  TEXT NOT NULL,               -- age recipient of this mail's envelope, facts, places, reasons
    purged      INTEGER                      -- when findings, facts and envelope went
);
CREATE INDEX incident_hold_key ON incident (hold_key) WHERE hold_key IS NOT NULL;
CREATE INDEX incident_received ON incident (received);
CREATE INDEX incident_expires ON incident (expires) WHERE expires IS NOT NULL;

-- The private half of a mail's keys, sealed to store.pub. Deleting a row shreds what it opens.
CREATE TABLE message_key (
    incident INTEGER NOT NULL REFERENCES incident (n),
    part     TEXT NOT NULL CHECK (part IN ('content', 'record')),
    identity BLOB NOT NULL,
    PRIMARY KEY (incident, part)
) WITHOUT ROWID;

CREATE TABLE sealed (
    n        INTEGER PRIMARY KEY,
    incident INTEGER NOT NULL REFERENCES incident (n),
    part     TEXT NOT NULL CHECK (part IN ('content', 'record')),
    name     TEXT NOT NULL,                  -- original, copy, envelope, facts, places
    number   INTEGER NOT NULL DEFAULT 0,     -- which copy
    hash     BLOB,                           -- of a copy, keyed: the same copy is kept once
    data     BLOB NOT NULL,
    UNIQUE (incident, name, number)
);

CREATE TABLE recipient (
    incident       INTEGER NOT NULL REFERENCES incident (n),
    number         INTEGER NOT NULL,         -- index into the envelope
    address        BLOB,                     -- hash of the raw form
    state          TEXT NOT NULL,
    rule           TEXT,
    release_by     TEXT NOT NULL,
    release_people INTEGER NOT NULL,
    dsn            INTEGER NOT NULL,         -- the sender may be told of a failure
    decided        INTEGER NOT NULL DEFAULT 0,  -- a person or the clock has decided, not only a rule
    attempts       INTEGER NOT NULL DEFAULT 0,
    code           TEXT,                     -- of the last reply: '250', '550 5.1.1'
    reply          BLOB,                     -- last reply, masked and sealed
    queue_id       TEXT,
    PRIMARY KEY (incident, number)
) WITHOUT ROWID;
CREATE INDEX recipient_state ON recipient (state);

CREATE TABLE approval (
    incident  INTEGER NOT NULL REFERENCES incident (n),
    recipient INTEGER NOT NULL,
    person    TEXT NOT NULL,                 -- the actor's name as it is compared
    actor     TEXT NOT NULL,
    content   INTEGER NOT NULL,              -- -1: original; n: copy n
    at        INTEGER NOT NULL,
    PRIMARY KEY (incident, recipient, person)
) WITHOUT ROWID;

CREATE TABLE outbox (
    n         INTEGER PRIMARY KEY AUTOINCREMENT,
    incident  INTEGER NOT NULL REFERENCES incident (n),
    kind      TEXT NOT NULL CHECK (kind IN ('delivery', 'notice', 'dsn')),
    recipient INTEGER,
    content   INTEGER,                       -- delivery: -1 original, n copy n
    cause     TEXT,                          -- dsn
    created   INTEGER NOT NULL,
    due       INTEGER NOT NULL,
    attempts  INTEGER NOT NULL DEFAULT 0,
    lease     INTEGER,                       -- claimed until
    token     INTEGER NOT NULL DEFAULT 0,    -- of the claim
    uncertain INTEGER NOT NULL DEFAULT 0,    -- a try may have been delivered
    done      INTEGER
);
-- Nothing is ever put twice into the outbox: one delivery, one DSN a recipient; one notice a mail.
CREATE UNIQUE INDEX outbox_once ON outbox (incident, kind, ifnull(recipient, -1));
CREATE INDEX outbox_due ON outbox (due) WHERE done IS NULL;

CREATE TABLE notice_turn (
    entry  INTEGER PRIMARY KEY REFERENCES outbox (n),
    sender BLOB NOT NULL,
    at     INTEGER NOT NULL,
    turn   TEXT NOT NULL
);
CREATE INDEX notice_turn_sender ON notice_turn (sender, at);

CREATE TABLE finding (
    incident   INTEGER NOT NULL REFERENCES incident (n),
    number     INTEGER NOT NULL,             -- index among the different numbers of this mail
    kind       TEXT NOT NULL,
    person     BLOB NOT NULL,                -- hash of the number
    confidence TEXT NOT NULL,
    sightings  INTEGER NOT NULL,
    PRIMARY KEY (incident, number)
) WITHOUT ROWID;
CREATE INDEX finding_person ON finding (person);

CREATE TABLE audit (
    seq      INTEGER PRIMARY KEY,
    incident TEXT,
    record   TEXT NOT NULL,                  -- canonical JSON, holds the hash of the one before and of `sealed`
    sealed   BLOB,                           -- reason given, under the mail's record key
    hash     TEXT NOT NULL                   -- SHA-256 of `record`
);
CREATE INDEX audit_incident ON audit (incident) WHERE incident IS NOT NULL;
CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END;
CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END;

CREATE TABLE person (
    hash   BLOB PRIMARY KEY,
    owner  BLOB,                             -- sealed
    reason BLOB,                             -- sealed
    review TEXT,
    added  INTEGER NOT NULL
) WITHOUT ROWID;
";

/// What judgements were made from, for replay (`store/judged.rs`).
const JUDGED: &str = "
CREATE TABLE judged_key (
    n      INTEGER PRIMARY KEY,
    made   INTEGER NOT NULL,
    sealed BLOB NOT NULL                     -- 32 bytes, sealed to store.pub
);

CREATE TABLE judged (
    n        INTEGER PRIMARY KEY,
    received INTEGER NOT NULL,
    incident INTEGER REFERENCES incident (n),  -- NULL: passed without a word
    key      INTEGER NOT NULL,
    policy   TEXT NOT NULL,
    data     BLOB NOT NULL                   -- nonce, then ChaCha20-Poly1305 under the key
);
CREATE INDEX judged_received ON judged (received);
CREATE INDEX judged_incident ON judged (incident);
CREATE INDEX judged_key_of ON judged (key);
";

/// Deliveries through a named gateway and by no other way; whose number it is.
const GATEWAYS: &str = "
ALTER TABLE outbox ADD COLUMN gateway TEXT;  -- delivery: by its name in the administrator's file

CREATE TABLE number_owner (
    person  BLOB NOT NULL,                   -- hash of the number
    address BLOB NOT NULL,                   -- hash of the owner's mail address
    added   INTEGER NOT NULL,
    PRIMARY KEY (person, address)
) WITHOUT ROWID;
";

impl Tx<'_> {
    /// Brings the schema up to date, or says that the file is newer than this program.
    pub fn migrate(&self, path: &Path) -> Result<(), Failure> {
        let found = self.known_version(path)?;
        let done = usize::try_from(found).unwrap_or(0);
        for (i, step) in STEPS.iter().enumerate().skip(done) {
            self.0.execute_batch(step)?;
            self.0
                .execute("UPDATE schema_version SET version = ?1", [i as i64 + 1])?;
        }
        Ok(())
    }

    /// The file has the schema that this program writes.
    pub fn is_current(&self, path: &Path) -> Result<(), Failure> {
        if self.known_version(path)? == VERSION {
            return Ok(());
        }
        Err(Failure::Store(StoreError::Unusable(format!(
            "the store {} was put in place by an older cpr-milter, or is empty; restart cpr-milter to bring it up to date",
            path.display()
        ))))
    }

    fn known_version(&self, path: &Path) -> Result<i64, Failure> {
        let found = self.schema_version(path)?;
        if found > VERSION {
            return Err(Failure::Store(StoreError::Newer {
                path: path.to_owned(),
                found,
                known: VERSION,
            }));
        }
        Ok(found)
    }

    fn schema_version(&self, path: &Path) -> Result<i64, Failure> {
        let tables =
            "SELECT count(*), count(*) FILTER (WHERE name = 'schema_version') FROM sqlite_schema WHERE type = 'table'";
        let (all, ours): (i64, i64) = self.0.query_row(tables, [], |row| Ok((row.get(0)?, row.get(1)?)))?;
        match (all, ours) {
            (0, _) => Ok(0),
            // Somebody else's database: adding our tables to it would help nobody.
            (_, 0) => Err(Failure::Store(StoreError::Corrupt { path: path.to_owned() })),
            _ => Ok(self
                .0
                .query_row("SELECT version FROM schema_version", [], |row| row.get(0))?),
        }
    }

    /// A value kept once for the whole store.
    pub fn setting(&self, name: &str) -> Result<Option<Vec<u8>>, Failure> {
        use rusqlite::OptionalExtension;
        Ok(self
            .0
            .query_row("SELECT value FROM setting WHERE name = ?1", [name], |row| row.get(0))
            .optional()?)
    }

    /// Writes a value kept once for the whole store.
    pub fn set(&self, name: &str, value: &[u8]) -> Result<(), Failure> {
        self.0.execute(
            "INSERT INTO setting (name, value) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
            (name, value),
        )?;
        Ok(())
    }
}
