//! Tables `judged`, `judged_key`.

use super::{Failure, Tx};
use rusqlite::{OptionalExtension, params};
use std::collections::HashSet;

/// A judgement as it is read.
pub struct JudgedRow {
    /// Row number.
    pub n: i64,
    /// When the mail came.
    pub received: i64,
    /// Id under which it was held or recorded.
    pub incident: Option<String>,
    /// Under which key.
    pub key: i64,
    /// Policy hash.
    pub policy: String,
    /// Nonce and what is sealed.
    pub data: Vec<u8>,
}

impl Tx<'_> {
    /// Writes a key, sealed; gives back its row number.
    pub fn add_judged_key(&self, made: i64, sealed: &[u8]) -> Result<i64, Failure> {
        let sql = "INSERT INTO judged_key (made, sealed) VALUES (?1, ?2) RETURNING n";
        Ok(self.0.query_row(sql, params![made, sealed], |row| row.get(0))?)
    }

    /// A key, sealed.
    pub fn judged_key(&self, n: i64) -> Result<Option<Vec<u8>>, Failure> {
        let sql = "SELECT sealed FROM judged_key WHERE n = ?1";
        Ok(self.0.query_row(sql, [n], |row| row.get(0)).optional()?)
    }

    /// Writes a judgement.
    pub fn add_judged(
        &self,
        received: i64,
        incident: Option<i64>,
        key: i64,
        policy: &str,
        data: &[u8],
    ) -> Result<(), Failure> {
        self.0
            .prepare_cached("INSERT INTO judged (received, incident, key, policy, data) VALUES (?1, ?2, ?3, ?4, ?5)")?
            .execute(params![received, incident, key, policy, data])?;
        Ok(())
    }

    /// Judgements since then, behind a row, in the order of their writing.
    pub fn judged(&self, since: i64, behind: i64, limit: i64) -> Result<Vec<JudgedRow>, Failure> {
        let mut query = self.0.prepare_cached(
            "SELECT j.n, j.received, i.id, j.key, j.policy, j.data FROM judged j LEFT JOIN incident i ON i.n = j.incident
             WHERE j.n > ?2 AND j.received >= ?1 ORDER BY j.n LIMIT ?3",
        )?;
        let rows = query.query_map([since, behind, limit], |row| {
            Ok(JudgedRow {
                n: row.get(0)?,
                received: row.get(1)?,
                incident: row.get(2)?,
                key: row.get(3)?,
                policy: row.get(4)?,
                data: row.get(5)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// How many judgements since then.
    pub fn judged_count(&self, since: i64) -> Result<i64, Failure> {
        let sql = "SELECT count(*) FROM judged WHERE received >= ?1";
        Ok(self.0.query_row(sql, [since], |row| row.get(0))?)
    }

    /// How many mails held or recorded since then have no judgement.
    pub fn unjudged_count(&self, since: i64) -> Result<i64, Failure> {
        let sql = "SELECT count(*) FROM incident i WHERE i.received >= ?1
            AND NOT EXISTS (SELECT 1 FROM judged j WHERE j.incident = i.n)";
        Ok(self.0.query_row(sql, [since], |row| row.get(0))?)
    }

    /// Deletes judgements from before then, and keys under which nothing is left; how many judgements.
    pub fn purge_judged(&self, before: i64) -> Result<usize, Failure> {
        let rows = self.0.execute("DELETE FROM judged WHERE received < ?1", [before])?;
        self.0.execute(
            "DELETE FROM judged_key WHERE made < ?1 AND NOT EXISTS (SELECT 1 FROM judged j WHERE j.key = judged_key.n)",
            [before],
        )?;
        Ok(rows)
    }

    /// Hashes of all protected persons.
    pub fn people_hashes(&self) -> Result<HashSet<Vec<u8>>, Failure> {
        let mut query = self.0.prepare("SELECT hash FROM person")?;
        let rows = query.query_map([], |row| row.get(0))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}
