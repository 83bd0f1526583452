//! Table `audit`.

use super::{Failure, Tx};
use rusqlite::{OptionalExtension, params};

/// One record of the chain.
pub struct AuditRow {
    /// Its number.
    pub seq: i64,
    /// Id of the mail it is about, beside the record for looking it up.
    pub incident: Option<String>,
    /// Canonical JSON.
    pub record: String,
    /// Reason, sealed.
    pub sealed: Option<Vec<u8>>,
    /// SHA-256 of the record.
    pub hash: String,
}

impl Tx<'_> {
    /// Appends.
    pub fn add_audit(&self, row: &AuditRow) -> Result<(), Failure> {
        self.0.execute(
            "INSERT INTO audit (seq, incident, record, sealed, hash) VALUES (?1, ?2, ?3, ?4, ?5)",
            params![row.seq, row.incident, row.record, row.sealed, row.hash],
        )?;
        Ok(())
    }

    /// Number and hash of the last record.
    pub fn last_audit(&self) -> Result<Option<(i64, String)>, Failure> {
        let sql = "SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1";
        Ok(self
            .0
            .query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?)
    }

    /// Records before a number, latest first.
    pub fn audit_before(&self, before: i64, limit: i64) -> Result<Vec<AuditRow>, Failure> {
        let mut query = self.0.prepare(
            "SELECT seq, incident, record, sealed, hash FROM audit WHERE seq < ?1 ORDER BY seq DESC LIMIT ?2",
        )?;
        let rows = query.query_map([before, limit], audit_row)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Records from `from` on, each handed to `each` until it says stop.
    pub fn audit_from(&self, from: i64, each: &mut dyn FnMut(AuditRow) -> bool) -> Result<(), Failure> {
        let mut query = self
            .0
            .prepare("SELECT seq, incident, record, sealed, hash FROM audit WHERE seq >= ?1 ORDER BY seq")?;
        let mut rows = query.query([from])?;
        while let Some(row) = rows.next()? {
            // A column that somebody changed to another type must be a bad record, not an error.
            let seq = row.get(0)?;
            let read = audit_row(row).unwrap_or_else(|_| AuditRow {
                seq,
                incident: None,
                record: String::new(),
                sealed: None,
                hash: String::new(),
            });
            if !each(read) {
                break;
            }
        }
        Ok(())
    }

    /// Records about one mail.
    pub fn audit_of(&self, incident: &str) -> Result<Vec<AuditRow>, Failure> {
        let mut query = self
            .0
            .prepare("SELECT seq, incident, record, sealed, hash FROM audit WHERE incident = ?1 ORDER BY seq")?;
        let rows = query.query_map([incident], audit_row)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}

fn audit_row(row: &rusqlite::Row<'_>) -> rusqlite::Result<AuditRow> {
    Ok(AuditRow {
        seq: row.get(0)?,
        incident: row.get(1)?,
        record: row.get(2)?,
        sealed: row.get(3)?,
        hash: row.get(4)?,
    })
}
