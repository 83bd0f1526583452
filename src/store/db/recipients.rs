//! Tables `recipient`, `approval`.

use super::{Failure, Tx};
use rusqlite::{Row, params};

/// A recipient as it is written first.
pub struct NewRecipient<'a> {
    /// Index into the envelope.
    pub number: i64,
    /// Hash of the raw form.
    pub address: &'a [u8],
    /// State's word.
    pub state: &'static str,
    /// Rule id.
    pub rule: Option<&'a str>,
    /// Role that releases.
    pub release_by: &'a str,
    /// How many people.
    pub release_people: i64,
    /// The sender may be told of a failure.
    pub dsn: bool,
}

/// A recipient as it is read.
pub struct RecipientRow {
    /// Index into the envelope.
    pub number: i64,
    /// Hash of the raw form; gone after a purge.
    pub address: Option<Vec<u8>>,
    /// State's word.
    pub state: String,
    /// Rule id.
    pub rule: Option<String>,
    /// Role that releases.
    pub release_by: String,
    /// How many people.
    pub release_people: i64,
    /// The sender may be told of a failure.
    pub dsn: bool,
    /// A person or the clock has decided, not only a rule.
    pub decided: bool,
    /// Tries.
    pub attempts: i64,
    /// Code of the last reply.
    pub code: Option<String>,
    /// Last reply, sealed.
    pub reply: Option<Vec<u8>>,
    /// Queue ID at the next hop.
    pub queue_id: Option<String>,
}

/// A reply as it is kept.
pub struct Reply<'a> {
    /// `250`, `550 5.1.1`.
    pub code: Option<&'a str>,
    /// Masked and sealed.
    pub sealed: &'a [u8],
    /// Queue ID at the next hop.
    pub queue_id: Option<&'a str>,
}

fn recipient_row(row: &Row<'_>) -> rusqlite::Result<RecipientRow> {
    Ok(RecipientRow {
        number: row.get(0)?,
        address: row.get(1)?,
        state: row.get(2)?,
        rule: row.get(3)?,
        release_by: row.get(4)?,
        release_people: row.get(5)?,
        dsn: row.get(6)?,
        attempts: row.get(7)?,
        code: row.get(8)?,
        reply: row.get(9)?,
        queue_id: row.get(10)?,
        decided: row.get(11)?,
    })
}

impl Tx<'_> {
    /// Writes a recipient.
    pub fn add_recipient(&self, incident: i64, new: &NewRecipient<'_>) -> Result<(), Failure> {
        self.0.execute(
            "INSERT INTO recipient (incident, number, address, state, rule, release_by, release_people, dsn)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            params![
                incident,
                new.number,
                new.address,
                new.state,
                new.rule,
                new.release_by,
                new.release_people,
                new.dsn
            ],
        )?;
        Ok(())
    }

    /// Recipients of a mail in the order of the envelope.
    pub fn recipients(&self, incident: i64) -> Result<Vec<RecipientRow>, Failure> {
        let mut query = self.0.prepare_cached(
            "SELECT number, address, state, rule, release_by, release_people, dsn, attempts, code, reply, queue_id,
                decided FROM recipient WHERE incident = ?1 ORDER BY number",
        )?;
        let rows = query.query_map([incident], recipient_row)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Moves a recipient from one state to another; `false` when it is not in the first one.
    pub fn move_recipient(&self, incident: i64, number: i64, from: &str, to: &str) -> Result<bool, Failure> {
        let moved = self.0.execute(
            "UPDATE recipient SET state = ?4 WHERE incident = ?1 AND number = ?2 AND state = ?3",
            params![incident, number, from, to],
        )?;
        Ok(moved == 1)
    }

    /// Writes the last reply, and counts the try.
    pub fn answered(&self, incident: i64, number: i64, reply: &Reply<'_>) -> Result<(), Failure> {
        self.0.execute(
            "UPDATE recipient SET attempts = attempts + 1, code = ?3, reply = ?4, queue_id = ?5
             WHERE incident = ?1 AND number = ?2",
            params![incident, number, reply.code, reply.sealed, reply.queue_id],
        )?;
        Ok(())
    }

    /// How many recipients of a mail are in which state.
    pub fn states(&self, incident: i64) -> Result<Vec<(String, i64)>, Failure> {
        let mut query = self
            .0
            .prepare_cached("SELECT state, count(*) FROM recipient WHERE incident = ?1 GROUP BY state")?;
        let rows = query.query_map([incident], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Notes an approval of a person (the name for comparing, the name for showing); a later word of theirs replaces the
    /// earlier one.
    pub fn approve(
        &self,
        incident: i64,
        number: i64,
        (person, actor): &(String, String),
        content: i64,
        at: i64,
    ) -> Result<(), Failure> {
        self.0.execute(
            "INSERT INTO approval (incident, recipient, person, actor, content, at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
             ON CONFLICT (incident, recipient, person)
                DO UPDATE SET actor = excluded.actor, content = excluded.content, at = excluded.at",
            params![incident, number, person, actor, content, at],
        )?;
        Ok(())
    }

    /// Who wants this content sent, by the names for comparing.
    pub fn agreed(&self, incident: i64, number: i64, content: i64) -> Result<Vec<String>, Failure> {
        let mut query = self.0.prepare_cached(
            "SELECT person FROM approval WHERE incident = ?1 AND recipient = ?2 AND content = ?3 ORDER BY person",
        )?;
        let rows = query.query_map([incident, number, content], |row| row.get(0))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Who has approved, and of which content.
    pub fn approvals(&self, incident: i64, number: i64) -> Result<Vec<(String, i64)>, Failure> {
        let mut query = self.0.prepare_cached(
            "SELECT actor, content FROM approval WHERE incident = ?1 AND recipient = ?2 ORDER BY at, actor",
        )?;
        let rows = query.query_map([incident, number], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}
