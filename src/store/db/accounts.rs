//! Tables `account`, `session`, `sign_in_failure`.

use super::{Failure, Tx};
use rusqlite::{OptionalExtension, Row, params};

/// An account as it is kept.
#[derive(Clone)]
pub struct AccountRow {
    /// The name as it is compared.
    pub person: String,
    /// The name as it is shown.
    pub name: String,
    /// Role's word.
    pub role: String,
    /// Own addresses, JSON.
    pub mail: String,
    /// May ask to see what is masked.
    pub unmask: bool,
    /// Argon2id.
    pub password: Option<String>,
    /// Sealed secret.
    pub totp: Option<Vec<u8>>,
    /// Since when.
    pub disabled: Option<i64>,
    /// Since when.
    pub created: i64,
}

const COLUMNS: &str = "a.person, a.name, a.role, a.mail, a.unmask, a.password, a.totp, a.disabled, a.created";

fn account_row(row: &Row<'_>) -> rusqlite::Result<AccountRow> {
    Ok(AccountRow {
        person: row.get(0)?,
        name: row.get(1)?,
        role: row.get(2)?,
        mail: row.get(3)?,
        unmask: row.get(4)?,
        password: row.get(5)?,
        totp: row.get(6)?,
        disabled: row.get(7)?,
        created: row.get(8)?,
    })
}

impl Tx<'_> {
    /// Writes a new account; `false` when there is one of that name.
    pub fn add_account(&self, new: &AccountRow) -> Result<bool, Failure> {
        let added = self.0.execute(
            "INSERT INTO account (person, name, role, mail, unmask, password, totp, created)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT (person) DO NOTHING",
            params![
                new.person,
                new.name,
                new.role,
                new.mail,
                new.unmask,
                new.password,
                new.totp,
                new.created
            ],
        )?;
        Ok(added == 1)
    }

    /// An account by its name as it is compared.
    pub fn account(&self, person: &str) -> Result<Option<AccountRow>, Failure> {
        let sql = format!("SELECT {COLUMNS} FROM account a WHERE a.person = ?1");
        Ok(self.0.query_row(&sql, [person], account_row).optional()?)
    }

    /// All accounts, by name.
    pub fn accounts(&self) -> Result<Vec<AccountRow>, Failure> {
        let mut query = self
            .0
            .prepare(&format!("SELECT {COLUMNS} FROM account a ORDER BY a.person"))?;
        let rows = query.query_map([], account_row)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// There is one at all.
    pub fn has_accounts(&self) -> Result<bool, Failure> {
        let sql = "SELECT EXISTS (SELECT 1 FROM account)";
        Ok(self.0.query_row(sql, [], |row| row.get(0))?)
    }

    /// Changes what can be changed of an account; the last code stays.
    pub fn change_account(&self, row: &AccountRow) -> Result<(), Failure> {
        self.0.execute(
            "UPDATE account SET role = ?2, mail = ?3, unmask = ?4, password = ?5, totp = ?6, disabled = ?7 WHERE person = ?1",
            params![row.person, row.role, row.mail, row.unmask, row.password, row.totp, row.disabled],
        )?;
        Ok(())
    }

    /// Uses up a code; `false` when it, or a later one, was used already.
    pub fn spend_code(&self, person: &str, step: i64) -> Result<bool, Failure> {
        let sql = "UPDATE account SET totp_step = ?2 WHERE person = ?1 AND totp_step < ?2";
        Ok(self.0.execute(sql, params![person, step])? == 1)
    }

    /// Begins a session.
    pub fn add_session(&self, id: &[u8], person: &str, began: i64, ends: i64) -> Result<(), Failure> {
        self.0.execute(
            "INSERT INTO session (id, person, began, seen, ends) VALUES (?1, ?2, ?3, ?3, ?4)",
            params![id, person, began, ends],
        )?;
        Ok(())
    }

    /// The account of a session that has neither ended nor been idle since `since`.
    pub fn session(&self, id: &[u8], now: i64, since: i64) -> Result<Option<(AccountRow, i64)>, Failure> {
        let sql = format!(
            "SELECT {COLUMNS}, s.seen FROM session s JOIN account a ON a.person = s.person
             WHERE s.id = ?1 AND s.ends > ?2 AND s.seen > ?3 AND a.disabled IS NULL"
        );
        let found = self.0.query_row(&sql, params![id, now, since], |row| {
            Ok((account_row(row)?, row.get(9)?))
        });
        Ok(found.optional()?)
    }

    /// A session was used.
    pub fn touch_session(&self, id: &[u8], now: i64) -> Result<(), Failure> {
        self.0
            .execute("UPDATE session SET seen = ?2 WHERE id = ?1", params![id, now])?;
        Ok(())
    }

    /// Ends a session; `true` when there was one.
    pub fn end_session(&self, id: &[u8]) -> Result<bool, Failure> {
        Ok(self.0.execute("DELETE FROM session WHERE id = ?1", [id])? == 1)
    }

    /// Ends all sessions of an account; gives back how many.
    pub fn end_sessions(&self, person: &str) -> Result<usize, Failure> {
        Ok(self.0.execute("DELETE FROM session WHERE person = ?1", [person])?)
    }

    /// Sessions of an account that have not ended.
    pub fn sessions(&self, person: &str, now: i64, since: i64) -> Result<i64, Failure> {
        let sql = "SELECT count(*) FROM session WHERE person = ?1 AND ends > ?2 AND seen > ?3";
        Ok(self.0.query_row(sql, params![person, now, since], |row| row.get(0))?)
    }

    /// Forgets sessions and failures that are over.
    pub fn forget_sign_ins(&self, now: i64, failures_before: i64) -> Result<(), Failure> {
        self.0.execute("DELETE FROM session WHERE ends <= ?1", [now])?;
        self.0
            .execute("DELETE FROM sign_in_failure WHERE at < ?1", [failures_before])?;
        Ok(())
    }

    /// Counts a failure to sign in.
    pub fn add_failure(&self, who: &[u8], at: i64) -> Result<(), Failure> {
        self.0.execute(
            "INSERT INTO sign_in_failure (who, at) VALUES (?1, ?2)",
            params![who, at],
        )?;
        Ok(())
    }

    /// Failures since then.
    pub fn failures(&self, who: &[u8], since: i64) -> Result<i64, Failure> {
        let sql = "SELECT count(*) FROM sign_in_failure WHERE who = ?1 AND at > ?2";
        Ok(self.0.query_row(sql, params![who, since], |row| row.get(0))?)
    }

    /// Failures of whatever name since then.
    pub fn all_failures(&self, since: i64) -> Result<i64, Failure> {
        let sql = "SELECT count(*) FROM sign_in_failure WHERE at > ?1";
        Ok(self.0.query_row(sql, [since], |row| row.get(0))?)
    }

    /// After a success.
    pub fn clear_failures(&self, who: &[u8]) -> Result<(), Failure> {
        self.0.execute("DELETE FROM sign_in_failure WHERE who = ?1", [who])?;
        Ok(())
    }
}
