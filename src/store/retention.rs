//! What goes when its time is over: content after days nobody decided, findings and facts after months. Each mail in a
//! transaction of its own, so that a long sweep never keeps the milter waiting.

use super::audit::{Entry, What, append};
use super::db::{Failure, Part, Tx};
use super::job::DsnCause;
use super::outbox::dsn;
use super::state::{State, Step};
use super::{Store, StoreError};
use time::{Duration, OffsetDateTime};

/// Seconds between two sweeps above which the clock is not believed at once.
const JUMP: i64 = 2 * 24 * 3600;

/// Seconds to wait then: long enough for somebody, or NTP, to put the clock right.
const GRACE: i64 = 24 * 3600;

/// Whose deed it is in the audit trail.
const TIMER: &str = "timer";

/// What an expiry or a purge did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Recipients that expired.
    pub expired: usize,
    /// Mails whose content was destroyed.
    pub shredded: usize,
    /// Incidents whose findings, facts and envelope were destroyed.
    pub purged: usize,
    /// The clock seems to have jumped: nothing was done, see [`Store::expire`].
    pub postponed: bool,
}

impl Store {
    /// Held mail past its time: recipients that nobody decided about expire, with a DSN to the sender; content that nobody
    /// is owed any more is destroyed. Run it every hour or so.
    ///
    /// What is destroyed does not come back, so a clock that has jumped ahead by more than two days since the last sweep
    /// is given a day to come back before it is believed; a machine that was off so long waits that day, too.
    ///
    /// # Errors
    /// What was done before the error stays done; run it again.
    pub fn expire(&self, now: OffsetDateTime) -> Result<Swept, StoreError> {
        let at = now.unix_timestamp();
        let mut swept = Swept::default();
        if !self.clock_believed("expire", at)? {
            swept.postponed = true;
            return Ok(swept);
        }
        for (incident, id) in self.db().read(|tx| tx.past_content(at))? {
            let (expired, shredded) = self.db().write(|tx| self.expire_one(tx, incident, &id, at))?;
            swept.expired += expired;
            swept.shredded += usize::from(shredded);
        }
        if swept.shredded > 0 {
            self.db().wipe_log();
        }
        Ok(swept)
    }

    /// Compares the clock with the last sweep of this kind, and writes this one down.
    fn clock_believed(&self, sweep: &str, now: i64) -> Result<bool, StoreError> {
        let (last_name, wait_name) = (format!("last_{sweep}"), format!("wait_{sweep}"));
        self.db().write(|tx| {
            let last = number(tx.setting(&last_name)?);
            let wait = number(tx.setting(&wait_name)?);
            let (believed, wait) = match (last, wait) {
                // Back in time: whatever we waited for is over.
                (Some(last), _) if now < last => (true, None),
                (_, Some(until)) if now < until => (false, Some(until)),
                (_, Some(_)) => (true, None),
                (Some(last), None) if now - last > JUMP => (false, Some(now + GRACE)),
                _ => (true, None),
            };
            tx.set(&last_name, now.to_string().as_bytes())?;
            tx.set(
                &wait_name,
                wait.map_or_else(String::new, |at| at.to_string()).as_bytes(),
            )?;
            Ok(believed)
        })
    }

    fn expire_one(&self, tx: &Tx<'_>, incident: i64, id: &str, at: i64) -> Result<(usize, bool), Failure> {
        let mut expired = 0;
        for recipient in tx.recipients(incident)? {
            if recipient.state != State::Held.word() {
                continue;
            }
            self.step(tx, incident, id, recipient.number, &recipient.state, Step::Expire)?;
            tx.decided(incident, recipient.number)?;
            if recipient.dsn {
                tx.add_entry(incident, &dsn(recipient.number, DsnCause::Expired, at))?;
            }
            append(
                tx,
                self.keys(),
                Entry::new(What::Expired, at, TIMER).of(id).to(recipient.number),
            )?;
            expired += 1;
        }
        let shredded = self.shred_unless_owed(tx, incident, Entry::new(What::Shredded, at, TIMER).of(id))?;
        Ok((expired, shredded))
    }

    /// Destroys findings, facts and envelopes of incidents older than `keep`, unless something is still owed; and all
    /// judgements that old.
    ///
    /// # Errors
    /// What was done before the error stays done; run it again.
    pub fn purge(&self, now: OffsetDateTime, keep: Duration) -> Result<Swept, StoreError> {
        let at = now.unix_timestamp();
        let before = at.saturating_sub(keep.whole_seconds());
        let mut swept = Swept::default();
        if !self.clock_believed("purge", at)? {
            swept.postponed = true;
            return Ok(swept);
        }
        for (incident, id) in self.db().read(|tx| tx.past_record(before))? {
            self.db().write(|tx| {
                tx.shred(incident, Part::Record)?;
                tx.purge(incident, at)?;
                append(tx, self.keys(), Entry::new(What::Purged, at, TIMER).of(&id))
            })?;
            swept.purged += 1;
        }
        let judged = self.db().write(|tx| tx.purge_judged(before))?;
        if swept.purged > 0 || judged > 0 {
            self.db().wipe_log();
        }
        Ok(swept)
    }
}

fn number(setting: Option<Vec<u8>>) -> Option<i64> {
    String::from_utf8(setting?).ok()?.parse().ok()
}
