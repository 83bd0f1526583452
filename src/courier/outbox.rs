//! What the courier needs of the store, so that tests can stand in for it; and when a failed try is made again.

use crate::store::{Job, JobKind, Opened, Outcome, Store, StoreError, Swept, Turn};
use crate::types::Address;
use time::{Duration, OffsetDateTime};

/// The store, seen from the courier. All calls block.
pub trait Outbox: Send + 'static {
    /// A claimed entry, as the store knows it.
    type Ticket: Send;

    /// Takes the entry that is due longest.
    ///
    /// # Errors
    /// Nothing was claimed.
    fn claim(&self, now: OffsetDateTime, lease: Duration) -> Result<Option<(Task, Self::Ticket)>, StoreError>;

    /// What it needs to be sent.
    ///
    /// # Errors
    /// The entry stays claimed.
    fn open(&self, ticket: &Self::Ticket) -> Result<Opened, StoreError>;

    /// Writes down what became of a try.
    ///
    /// # Errors
    /// Nothing was written down.
    fn settle(&self, ticket: &Self::Ticket, outcome: &Outcome, now: OffsetDateTime) -> Result<(), StoreError>;

    /// Counts one notice to this sender.
    ///
    /// # Errors
    /// Not counted.
    fn turn(
        &self,
        ticket: &Self::Ticket,
        sender: &Address,
        per_hour: u32,
        now: OffsetDateTime,
    ) -> Result<Turn, StoreError>;

    /// Expires and destroys what is past its time.
    ///
    /// # Errors
    /// What was done before stays done.
    fn sweep(&self, now: OffsetDateTime, keep_findings: Duration) -> Result<Swept, StoreError>;
}

/// What is public of a claimed entry.
#[derive(Clone, Debug)]
pub struct Task {
    /// Incident, as people type it.
    pub incident: String,
    /// What to send.
    pub kind: JobKind,
    /// Of a delivery: through the gateway of this name, and by no other way.
    pub gateway: Option<String>,
    /// Tries before this one.
    pub attempts: u32,
    /// When it became due first.
    pub created: OffsetDateTime,
    /// An earlier try may have been delivered.
    pub uncertain: bool,
}

impl Outbox for Store {
    type Ticket = Job;

    fn claim(&self, now: OffsetDateTime, lease: Duration) -> Result<Option<(Task, Job)>, StoreError> {
        let job = Store::claim(self, now, lease)?;
        Ok(job.map(|job| {
            let task = Task {
                incident: job.incident.to_string(),
                kind: job.kind.clone(),
                gateway: job.gateway.clone(),
                attempts: job.attempts,
                created: job.created,
                uncertain: job.uncertain,
            };
            (task, job)
        }))
    }

    fn open(&self, job: &Job) -> Result<Opened, StoreError> {
        self.open_job(job)
    }

    fn settle(&self, job: &Job, outcome: &Outcome, now: OffsetDateTime) -> Result<(), StoreError> {
        Store::settle(self, job, outcome, now)
    }

    fn turn(&self, job: &Job, sender: &Address, per_hour: u32, now: OffsetDateTime) -> Result<Turn, StoreError> {
        self.may_notify(job, sender, per_hour, now)
    }

    fn sweep(&self, now: OffsetDateTime, keep_findings: Duration) -> Result<Swept, StoreError> {
        let expired = self.expire(now)?;
        let purged = self.purge(now, keep_findings)?;
        Ok(Swept {
            expired: expired.expired + purged.expired,
            shredded: expired.shredded + purged.shredded,
            purged: expired.purged + purged.purged,
            postponed: expired.postponed || purged.postponed,
        })
    }
}

/// How long a claim holds: twice a whole dialogue in which every answer takes all the time that the usual timeouts leave it
/// (about 15 minutes), so that no second courier sends what the first is still sending.
pub(super) const LEASE: Duration = Duration::minutes(30);

/// After this long a mail that was never taken goes back to its sender; RFC 5321 §4.5.4.1 asks for four to five days.
const GIVE_UP: Duration = Duration::days(5);

/// Tries without which nothing is given up, however old it looks: a machine that was off for a week starts us before its
/// Postfix, and a clock may have jumped. With the waits below they take most of a day.
const FEWEST: u32 = 24;

/// When to try again after so many tries (this one not counted); `None` when it is time to give up.
pub(super) fn next_try(attempts: u32, created: OffsetDateTime, now: OffsetDateTime) -> Option<OffsetDateTime> {
    if now - created >= GIVE_UP && attempts >= FEWEST {
        return None;
    }
    let wait = match attempts {
        0 => Duration::minutes(1),
        1 => Duration::minutes(5),
        2 => Duration::minutes(15),
        _ => Duration::hours(1),
    };
    Some(now + wait)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tries_grow_apart_and_end_after_five_days() {
        let created = OffsetDateTime::UNIX_EPOCH;
        let waits: Vec<i64> = (0..5)
            .map(|n| next_try(n, created, created).map_or(0, |at| (at - created).whole_minutes()))
            .collect();
        assert_eq!(waits, [1, 5, 15, 60, 60]);
        assert!(next_try(99, created, created + Duration::hours(119)).is_some());
        assert_eq!(next_try(99, created, created + Duration::days(5)), None);
        // Off for a week, or a clock that jumped: it has hardly been tried.
        let late = created + Duration::days(8);
        assert_eq!(next_try(0, created, late), Some(late + Duration::minutes(1)));
        assert!(next_try(FEWEST - 1, created, late).is_some());
        assert_eq!(next_try(FEWEST, created, late), None);
        // A clock set back is no reason to give up.
        assert!(next_try(0, created, created - Duration::days(365)).is_some());
    }
}
