//! What is past its time.

use super::{Failure, Tx};

impl Tx<'_> {
    /// Mails whose content is past its time and still there: row number and id.
    pub fn past_content(&self, now: i64) -> Result<Vec<(i64, String)>, Failure> {
        let mut query = self.0.prepare(
            "SELECT i.n, i.id FROM incident i WHERE i.expires <= ?1
                AND (EXISTS (SELECT 1 FROM message_key k WHERE k.incident = i.n AND k.part = 'content')
                  OR EXISTS (SELECT 1 FROM recipient r WHERE r.incident = i.n AND r.state = 'held'))
             ORDER BY i.n",
        )?;
        let rows = query.query_map([now], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Mails whose record is past its time, of which nothing is owed and no content is left.
    pub fn past_record(&self, before: i64) -> Result<Vec<(i64, String)>, Failure> {
        let mut query = self.0.prepare(
            "SELECT i.n, i.id FROM incident i WHERE i.received < ?1 AND i.purged IS NULL
                AND NOT EXISTS (SELECT 1 FROM message_key k WHERE k.incident = i.n AND k.part = 'content')
                AND NOT EXISTS (SELECT 1 FROM recipient r
                    WHERE r.incident = i.n AND r.state IN ('held', 'sending', 'unknown'))
                AND NOT EXISTS (SELECT 1 FROM outbox o WHERE o.incident = i.n AND o.done IS NULL)
             ORDER BY i.n",
        )?;
        let rows = query.query_map([before], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Deletes what is left of a mail but its tombstone: times, states, rule ids, policy.
    pub fn purge(&self, incident: i64, now: i64) -> Result<(), Failure> {
        self.0.execute("DELETE FROM finding WHERE incident = ?1", [incident])?;
        for table in ["approval", "mark", "desk", "unmasking"] {
            self.0
                .execute(&format!("DELETE FROM {table} WHERE incident = ?1"), [incident])?;
        }
        self.0.execute(
            "DELETE FROM notice_turn WHERE entry IN (SELECT n FROM outbox WHERE incident = ?1)",
            [incident],
        )?;
        self.0.execute("DELETE FROM outbox WHERE incident = ?1", [incident])?;
        self.0.execute(
            "UPDATE recipient SET address = NULL, reply = NULL, queue_id = NULL WHERE incident = ?1",
            [incident],
        )?;
        self.0.execute(
            "UPDATE incident SET hold_key = NULL, purged = ?2 WHERE n = ?1",
            [incident, now],
        )?;
        Ok(())
    }

    /// Whole-store counts: recipients by state and rule.
    pub fn totals(&self) -> Result<Vec<(String, Option<String>, i64)>, Failure> {
        let mut query = self
            .0
            .prepare("SELECT state, rule, count(*) FROM recipient GROUP BY state, rule ORDER BY rule, state")?;
        let rows = query.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// When the oldest mail came that somebody still waits for.
    pub fn oldest_held(&self) -> Result<Option<i64>, Failure> {
        let sql = "SELECT min(i.received) FROM incident i JOIN recipient r ON r.incident = i.n WHERE r.state = 'held'";
        Ok(self.0.query_row(sql, [], |row| row.get(0))?)
    }

    /// How many mails are recorded, and how many of them still have content.
    pub fn sizes(&self) -> Result<(i64, i64), Failure> {
        let sql = "SELECT (SELECT count(*) FROM incident), (SELECT count(*) FROM message_key WHERE part = 'content')";
        Ok(self.0.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?)))?)
    }
}
