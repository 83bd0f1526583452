//! Tables `person`, `number_owner`.

use super::{Failure, Tx};
use rusqlite::params;

impl Tx<'_> {
    /// The hash is on the list.
    pub fn is_person(&self, hash: &[u8]) -> Result<bool, Failure> {
        let mut query = self
            .0
            .prepare_cached("SELECT EXISTS (SELECT 1 FROM person WHERE hash = ?1)")?;
        Ok(query.query_row([hash], |row| row.get(0))?)
    }

    /// Adds or renews an entry; `true` when it is new.
    pub fn add_person(
        &self,
        hash: &[u8],
        note: (Option<&[u8]>, Option<&[u8]>, Option<&str>),
        at: i64,
    ) -> Result<bool, Failure> {
        let new = !self.is_person(hash)?;
        self.0.execute(
            "INSERT INTO person (hash, owner, reason, review, added) VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT (hash) DO UPDATE SET owner = ifnull(excluded.owner, owner),
                reason = ifnull(excluded.reason, reason), review = ifnull(excluded.review, review)",
            params![hash, note.0, note.1, note.2, at],
        )?;
        Ok(new)
    }

    /// Removes an entry; `true` when it was there.
    pub fn remove_person(&self, hash: &[u8]) -> Result<bool, Failure> {
        Ok(self.0.execute("DELETE FROM person WHERE hash = ?1", [hash])? == 1)
    }

    /// How many.
    pub fn people(&self) -> Result<i64, Failure> {
        Ok(self.0.query_row("SELECT count(*) FROM person", [], |row| row.get(0))?)
    }

    /// The number with this hash is known to be that of the address with that one.
    pub fn is_owner(&self, person: &[u8], address: &[u8]) -> Result<bool, Failure> {
        let mut query = self
            .0
            .prepare_cached("SELECT EXISTS (SELECT 1 FROM number_owner WHERE person = ?1 AND address = ?2)")?;
        Ok(query.query_row([person, address], |row| row.get(0))?)
    }

    /// Adds a pair; `true` when it is new.
    pub fn add_owner(&self, person: &[u8], address: &[u8], at: i64) -> Result<bool, Failure> {
        let added = self.0.execute(
            "INSERT INTO number_owner (person, address, added) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
            params![person, address, at],
        )?;
        Ok(added == 1)
    }

    /// Removes a pair; `true` when it was there.
    pub fn remove_owner(&self, person: &[u8], address: &[u8]) -> Result<bool, Failure> {
        let gone = self.0.execute(
            "DELETE FROM number_owner WHERE person = ?1 AND address = ?2",
            [person, address],
        )?;
        Ok(gone == 1)
    }
}
