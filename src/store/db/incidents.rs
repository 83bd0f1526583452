//! Tables `incident`, `message_key`, `sealed`, `finding`.

use super::{Failure, Tx};
use rusqlite::{OptionalExtension, Row, params};
use std::collections::HashMap;

/// Which of a mail's two keys.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// Original and copies.
    Content,
    /// Envelope, facts, places, reasons.
    Record,
}

impl Part {
    fn word(self) -> &'static str {
        match self {
            Part::Content => "content",
            Part::Record => "record",
        }
    }
}

/// A mail as it is written first.
pub struct NewIncident<'a> {
    /// Its id.
    pub id: &'a str,
    /// When it came.
    pub received: i64,
    /// Key of a hold.
    pub hold_key: Option<&'a [u8]>,
    /// When its content goes.
    pub expires: Option<i64>,
    /// Policy hash.
    pub policy: &'a str,
    /// Rule ids, JSON.
    pub rules: &'a str,
    /// Words of doubts, JSON.
    pub doubts: &'a str,
    /// Different numbers.
    pub numbers: i64,
    /// Redacted copies.
    pub copies: i64,
    /// Public key of the content.
    pub content_pub: Option<&'a str>,
    /// Public key of the record.
    pub record_pub: &'a str,
}

/// A mail as it is read.
#[derive(Clone)]
pub struct IncidentRow {
    /// Row number.
    pub n: i64,
    /// Its id.
    pub id: String,
    /// When it came.
    pub received: i64,
    /// When its content goes.
    pub expires: Option<i64>,
    /// Policy hash.
    pub policy: String,
    /// Rule ids, JSON.
    pub rules: String,
    /// Words of doubts, JSON.
    pub doubts: String,
    /// Different numbers.
    pub numbers: i64,
    /// Redacted copies.
    pub copies: i64,
    /// Public key of the content.
    pub content_pub: Option<String>,
    /// Public key of the record.
    pub record_pub: String,
    /// The key of the content is there.
    pub readable: bool,
}

/// Something sealed.
pub struct Sealed<'a> {
    /// Under which key.
    pub part: Part,
    /// original, copy, envelope, facts, places.
    pub name: &'a str,
    /// Which copy.
    pub number: i64,
    /// Keyed hash of a copy.
    pub hash: Option<&'a [u8]>,
    /// The age file.
    pub data: &'a [u8],
}

/// One different number of a mail.
pub struct FindingRow {
    /// Index among the different numbers of this mail.
    pub number: i64,
    /// Kind's word.
    pub kind: String,
    /// Keyed hash.
    pub person: [u8; 32],
    /// Surest confidence.
    pub confidence: &'static str,
    /// How often.
    pub sightings: i64,
}

/// With the table's name in front, for joins.
pub(super) const COLUMNS: &str = "incident.n, incident.id, incident.received, incident.expires, incident.policy,
    incident.rules, incident.doubts, incident.numbers, incident.copies, incident.content_pub, incident.record_pub,
    EXISTS (SELECT 1 FROM message_key k WHERE k.incident = incident.n AND k.part = 'content')";

pub(super) fn incident_row(row: &Row<'_>) -> rusqlite::Result<IncidentRow> {
    Ok(IncidentRow {
        n: row.get(0)?,
        id: row.get(1)?,
        received: row.get(2)?,
        expires: row.get(3)?,
        policy: row.get(4)?,
        rules: row.get(5)?,
        doubts: row.get(6)?,
        numbers: row.get(7)?,
        copies: row.get(8)?,
        content_pub: row.get(9)?,
        record_pub: row.get(10)?,
        readable: row.get(11)?,
    })
}

impl Tx<'_> {
    /// Writes a mail; gives back its row number.
    pub fn add_incident(&self, new: &NewIncident<'_>) -> Result<i64, Failure> {
        self.0.execute(
            "INSERT INTO incident (id, received, hold_key, expires, policy, rules, doubts, numbers, copies, content_pub,
                record_pub) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
            params![
                new.id,
                new.received,
                new.hold_key,
                new.expires,
                new.policy,
                new.rules,
                new.doubts,
                new.numbers,
                new.copies,
                new.content_pub,
                new.record_pub
            ],
        )?;
        Ok(self.0.last_insert_rowid())
    }

    /// A mail has been recorded.
    pub fn has_incidents(&self) -> Result<bool, Failure> {
        let sql = "SELECT EXISTS (SELECT 1 FROM incident)";
        Ok(self.0.query_row(sql, [], |row| row.get(0))?)
    }

    /// A mail by its id.
    pub fn incident(&self, id: &str) -> Result<Option<IncidentRow>, Failure> {
        let sql = format!("SELECT {COLUMNS} FROM incident WHERE id = ?1");
        Ok(self.0.query_row(&sql, [id], incident_row).optional()?)
    }

    /// Mails, newest first, with a recipient in `state` if one is asked for.
    pub fn incidents(&self, state: Option<&str>, limit: i64) -> Result<Vec<IncidentRow>, Failure> {
        let sql = format!(
            "SELECT {COLUMNS} FROM incident WHERE ?1 IS NULL
                OR EXISTS (SELECT 1 FROM recipient r WHERE r.incident = incident.n AND r.state = ?1)
             ORDER BY received DESC, n DESC LIMIT ?2"
        );
        let mut query = self.0.prepare(&sql)?;
        let rows = query.query_map(params![state, limit], incident_row)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Holds with this key since a time: row number, id, and whether somebody has decided.
    pub fn holds(&self, key: &[u8], since: i64) -> Result<Vec<(i64, String, bool)>, Failure> {
        let mut query = self
            .0
            .prepare("SELECT n, id, decided FROM incident WHERE hold_key = ?1 AND received >= ?2 ORDER BY n")?;
        let rows = query.query_map(params![key, since], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Keys of all holds since then, with the latest second of each.
    pub fn hold_keys(&self, since: i64) -> Result<HashMap<[u8; 32], i64>, Failure> {
        let mut query = self
            .0
            .prepare("SELECT hold_key, max(received) FROM incident WHERE hold_key IS NOT NULL AND received >= ?1 GROUP BY hold_key")?;
        let rows = query.query_map([since], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Marks that a person or the clock has decided about a recipient.
    pub fn decided(&self, incident: i64, number: i64) -> Result<(), Failure> {
        self.0.execute(
            "UPDATE recipient SET decided = 1 WHERE incident = ?1 AND number = ?2",
            [incident, number],
        )?;
        self.0
            .execute("UPDATE incident SET decided = 1 WHERE n = ?1", [incident])?;
        Ok(())
    }

    /// Writes one of a mail's keys.
    pub fn add_key(&self, incident: i64, part: Part, identity: &[u8]) -> Result<(), Failure> {
        self.0.execute(
            "INSERT INTO message_key (incident, part, identity) VALUES (?1, ?2, ?3)",
            params![incident, part.word(), identity],
        )?;
        Ok(())
    }

    /// One of a mail's keys.
    pub fn key(&self, incident: i64, part: Part) -> Result<Option<Vec<u8>>, Failure> {
        let sql = "SELECT identity FROM message_key WHERE incident = ?1 AND part = ?2";
        Ok(self
            .0
            .query_row(sql, params![incident, part.word()], |row| row.get(0))
            .optional()?)
    }

    /// Destroys one of a mail's keys and all that it opens; `false` when it was gone already.
    pub fn shred(&self, incident: i64, part: Part) -> Result<bool, Failure> {
        let keys = self.0.execute(
            "DELETE FROM message_key WHERE incident = ?1 AND part = ?2",
            params![incident, part.word()],
        )?;
        self.0.execute(
            "DELETE FROM sealed WHERE incident = ?1 AND part = ?2",
            params![incident, part.word()],
        )?;
        Ok(keys > 0)
    }

    /// Writes something sealed.
    pub fn add_sealed(&self, incident: i64, sealed: &Sealed<'_>) -> Result<(), Failure> {
        self.0.execute(
            "INSERT INTO sealed (incident, part, name, number, hash, data) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            params![
                incident,
                sealed.part.word(),
                sealed.name,
                sealed.number,
                sealed.hash,
                sealed.data
            ],
        )?;
        Ok(())
    }

    /// Something sealed.
    pub fn sealed(&self, incident: i64, name: &str, number: i64) -> Result<Option<Vec<u8>>, Failure> {
        let sql = "SELECT data FROM sealed WHERE incident = ?1 AND name = ?2 AND number = ?3";
        Ok(self
            .0
            .query_row(sql, params![incident, name, number], |row| row.get(0))
            .optional()?)
    }

    /// The number of the copy with this hash.
    pub fn copy_like(&self, incident: i64, hash: &[u8]) -> Result<Option<i64>, Failure> {
        let sql = "SELECT number FROM sealed WHERE incident = ?1 AND name = 'copy' AND hash = ?2";
        Ok(self
            .0
            .query_row(sql, params![incident, hash], |row| row.get(0))
            .optional()?)
    }

    /// Counts one more copy.
    pub fn set_copies(&self, incident: i64, copies: i64) -> Result<(), Failure> {
        self.0
            .execute("UPDATE incident SET copies = ?2 WHERE n = ?1", [incident, copies])?;
        Ok(())
    }

    /// Writes one different number.
    pub fn add_finding(&self, incident: i64, finding: &FindingRow) -> Result<(), Failure> {
        self.0.execute(
            "INSERT INTO finding (incident, number, kind, person, confidence, sightings) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            params![incident, finding.number, finding.kind, finding.person, finding.confidence, finding.sightings],
        )?;
        Ok(())
    }

    /// Mails in which a number stood: the mail, the number's index in it, the confidence.
    pub fn sightings(&self, person: &[u8]) -> Result<Vec<(IncidentRow, i64, String)>, Failure> {
        let sql = format!(
            "SELECT {COLUMNS}, f.number, f.confidence FROM finding f JOIN incident ON incident.n = f.incident
             WHERE f.person = ?1 ORDER BY received DESC, n DESC"
        );
        let mut query = self.0.prepare(&sql)?;
        let rows = query.query_map([person], |row| Ok((incident_row(row)?, row.get(12)?, row.get(13)?)))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}
