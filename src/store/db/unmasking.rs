//! Table `unmasking`.

use super::{Failure, Tx};
use rusqlite::{OptionalExtension, params};

/// A wish to see what is masked.
pub struct UnmaskingRow {
    /// Row number.
    pub n: i64,
    /// Who, as compared.
    pub person: String,
    /// Who, as shown.
    pub actor: String,
    /// When it ends; `None`: waits for a second person.
    pub until: Option<i64>,
}

impl Tx<'_> {
    /// Notes a wish; `until` when it is granted at once. An earlier one of the same person for the same mail goes.
    pub fn add_unmasking(
        &self,
        incident: i64,
        (person, actor): (&str, &str),
        asked: i64,
        until: Option<i64>,
    ) -> Result<(), Failure> {
        self.0.execute(
            "DELETE FROM unmasking WHERE incident = ?1 AND person = ?2",
            params![incident, person],
        )?;
        self.0.execute(
            "INSERT INTO unmasking (incident, person, actor, asked, until) VALUES (?1, ?2, ?3, ?4, ?5)",
            params![incident, person, actor, asked, until],
        )?;
        Ok(())
    }

    /// Wishes about a mail that wait (since `since`) or are granted now.
    pub fn unmaskings(&self, incident: i64, now: i64, since: i64) -> Result<Vec<UnmaskingRow>, Failure> {
        let mut query = self.0.prepare_cached(
            "SELECT n, person, actor, until FROM unmasking
             WHERE incident = ?1 AND ((until IS NULL AND asked > ?3) OR until > ?2) ORDER BY n",
        )?;
        let rows = query.query_map([incident, now, since], |row| {
            Ok(UnmaskingRow {
                n: row.get(0)?,
                person: row.get(1)?,
                actor: row.get(2)?,
                until: row.get(3)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Grants a wish that waits; `false` when it does not.
    pub fn grant_unmasking(&self, n: i64, until: i64) -> Result<bool, Failure> {
        let sql = "UPDATE unmasking SET until = ?2 WHERE n = ?1 AND until IS NULL";
        Ok(self.0.execute(sql, [n, until])? == 1)
    }

    /// Takes a grant or wish back; `true` when there was one.
    pub fn end_unmasking(&self, incident: i64, person: &str) -> Result<bool, Failure> {
        let sql = "DELETE FROM unmasking WHERE incident = ?1 AND person = ?2";
        Ok(self.0.execute(sql, params![incident, person])? > 0)
    }

    /// A protected person's number stands in it, or a rule wants two people for it.
    pub fn wants_two(&self, incident: i64) -> Result<bool, Failure> {
        let sql = "SELECT EXISTS (SELECT 1 FROM finding f JOIN person p ON p.hash = f.person WHERE f.incident = ?1)
                OR EXISTS (SELECT 1 FROM recipient WHERE incident = ?1 AND release_people > 1)";
        Ok(self.0.query_row(sql, [incident], |row| row.get(0))?)
    }

    /// The row number of a mail.
    pub fn row_of(&self, id: &str) -> Result<Option<i64>, Failure> {
        let sql = "SELECT n FROM incident WHERE id = ?1";
        Ok(self.0.query_row(sql, [id], |row| row.get(0)).optional()?)
    }
}
