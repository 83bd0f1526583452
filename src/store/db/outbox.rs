//! Tables `outbox`, `notice_turn`.

use super::{Failure, Tx};
use rusqlite::{OptionalExtension, Row, params};

/// Nobody asks for a try, and no lease lasts, longer than an hour: what is further ahead was written under a clock that has
/// been set back since, and must not wait until that time comes round again.
const FAR: i64 = 2 * 3600;

/// An entry as it is written first.
pub struct NewEntry {
    /// delivery, notice, dsn.
    pub kind: &'static str,
    /// Index into the envelope.
    pub recipient: Option<i64>,
    /// Delivery: -1 original, n copy n.
    pub content: Option<i64>,
    /// Why a DSN.
    pub cause: Option<&'static str>,
    /// Delivery: through this gateway alone.
    pub gateway: Option<String>,
    /// Now.
    pub created: i64,
}

/// An entry as it is read.
pub struct EntryRow {
    /// Row number.
    pub n: i64,
    /// Mail's row number.
    pub incident: i64,
    /// Mail's id.
    pub id: String,
    /// delivery, notice, dsn.
    pub kind: String,
    /// Index into the envelope.
    pub recipient: Option<i64>,
    /// Delivery: -1 original, n copy n.
    pub content: Option<i64>,
    /// Why a DSN.
    pub cause: Option<String>,
    /// Delivery: through this gateway alone.
    pub gateway: Option<String>,
    /// When it was made.
    pub created: i64,
    /// Tries so far.
    pub attempts: i64,
    /// The claim of a courier.
    pub token: i64,
    /// A claim is open: it ended neither well nor badly.
    pub claimed: bool,
    /// A try may have been delivered.
    pub uncertain: bool,
    /// Settled for good.
    pub done: bool,
}

/// What a try makes of an entry.
pub enum Tried {
    /// Settled for good.
    Done {
        /// When.
        at: i64,
    },
    /// Due again.
    Again {
        /// Not before.
        due: i64,
        /// The try may have been delivered.
        uncertain: bool,
    },
}

const COLUMNS: &str = "o.n, o.incident, i.id, o.kind, o.recipient, o.content, o.cause, o.created, o.attempts, o.token,
    o.lease IS NOT NULL, o.uncertain, o.done IS NOT NULL, o.gateway";

fn entry_row(row: &Row<'_>) -> rusqlite::Result<EntryRow> {
    Ok(EntryRow {
        n: row.get(0)?,
        incident: row.get(1)?,
        id: row.get(2)?,
        kind: row.get(3)?,
        recipient: row.get(4)?,
        content: row.get(5)?,
        cause: row.get(6)?,
        created: row.get(7)?,
        attempts: row.get(8)?,
        token: row.get(9)?,
        claimed: row.get(10)?,
        uncertain: row.get(11)?,
        done: row.get(12)?,
        gateway: row.get(13)?,
    })
}

impl Tx<'_> {
    /// Writes an entry, due at once. The table's unique index refuses a second one of the same sort.
    pub fn add_entry(&self, incident: i64, new: &NewEntry) -> Result<(), Failure> {
        self.0.execute(
            "INSERT INTO outbox (incident, kind, recipient, content, cause, gateway, created, due)
             VALUES (?1, ?2, ?3, ?4, ?5, ?7, ?6, ?6)",
            params![
                incident,
                new.kind,
                new.recipient,
                new.content,
                new.cause,
                new.created,
                new.gateway
            ],
        )?;
        Ok(())
    }

    /// The entry that is due longest and not under somebody's lease.
    pub fn due(&self, now: i64) -> Result<Option<EntryRow>, Failure> {
        let sql = format!(
            "SELECT {COLUMNS} FROM outbox o JOIN incident i ON i.n = o.incident
             WHERE o.done IS NULL AND NOT (o.due > ?1 AND o.due <= ?2)
                AND (o.lease IS NULL OR NOT (o.lease > ?1 AND o.lease <= ?2))
             ORDER BY o.due, o.n LIMIT 1"
        );
        Ok(self.0.query_row(&sql, [now, now + FAR], entry_row).optional()?)
    }

    /// An entry.
    pub fn entry(&self, n: i64) -> Result<Option<EntryRow>, Failure> {
        let sql = format!("SELECT {COLUMNS} FROM outbox o JOIN incident i ON i.n = o.incident WHERE o.n = ?1");
        Ok(self.0.query_row(&sql, [n], entry_row).optional()?)
    }

    /// Gives an entry to a courier.
    pub fn lease(&self, n: i64, until: i64, token: i64, uncertain: bool) -> Result<(), Failure> {
        self.0.execute(
            "UPDATE outbox SET lease = ?2, token = ?3, attempts = attempts + 1, uncertain = ?4 WHERE n = ?1",
            params![n, until, token, uncertain],
        )?;
        Ok(())
    }

    /// Keeps an entry with its courier; `false` when it is not that courier's any more.
    pub fn release_later(&self, n: i64, token: i64, until: i64) -> Result<bool, Failure> {
        let kept = self.0.execute(
            "UPDATE outbox SET lease = ?3 WHERE n = ?1 AND token = ?2 AND done IS NULL AND lease IS NOT NULL",
            [n, token, until],
        )?;
        Ok(kept == 1)
    }

    /// Writes what a try came to.
    pub fn tried(&self, n: i64, tried: &Tried) -> Result<(), Failure> {
        match tried {
            Tried::Done { at } => self
                .0
                .execute("UPDATE outbox SET lease = NULL, done = ?2 WHERE n = ?1", [n, *at])?,
            Tried::Again { due, uncertain } => self.0.execute(
                "UPDATE outbox SET lease = NULL, due = ?2, uncertain = uncertain OR ?3 WHERE n = ?1",
                params![n, due, uncertain],
            )?,
        };
        Ok(())
    }

    /// When the next entry is due, leases counted.
    pub fn next_due(&self) -> Result<Option<i64>, Failure> {
        let sql = "SELECT min(max(due, ifnull(lease, due))) FROM outbox WHERE done IS NULL";
        Ok(self.0.query_row(sql, [], |row| row.get(0))?)
    }

    /// Entries that wait, by kind.
    pub fn waiting(&self) -> Result<Vec<(String, i64)>, Failure> {
        let mut query = self
            .0
            .prepare("SELECT kind, count(*) FROM outbox WHERE done IS NULL GROUP BY kind ORDER BY kind")?;
        let rows = query.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The answer that this entry got before.
    pub fn turn(&self, entry: i64) -> Result<Option<String>, Failure> {
        let sql = "SELECT turn FROM notice_turn WHERE entry = ?1";
        Ok(self.0.query_row(sql, [entry], |row| row.get(0)).optional()?)
    }

    /// Notices and summaries to a sender in an hour; one from after it was counted under a clock that has been set back.
    pub fn turns(&self, sender: &[u8], (since, until): (i64, i64)) -> Result<(i64, i64), Failure> {
        let sql = "SELECT count(*) FILTER (WHERE turn = 'send'), count(*) FILTER (WHERE turn = 'summary')
            FROM notice_turn WHERE sender = ?1 AND at > ?2 AND at <= ?3";
        Ok(self
            .0
            .query_row(sql, params![sender, since, until], |row| Ok((row.get(0)?, row.get(1)?)))?)
    }

    /// Writes an answer.
    pub fn add_turn(&self, entry: i64, sender: &[u8], at: i64, turn: &str) -> Result<(), Failure> {
        self.0.execute(
            "INSERT INTO notice_turn (entry, sender, at, turn) VALUES (?1, ?2, ?3, ?4)",
            params![entry, sender, at, turn],
        )?;
        Ok(())
    }
}
