//! Seeing what is masked: a wish with a reason, granted for minutes; by a second person where a protected person's number
//! stands in the mail, or a rule wants two people for its release. Both cases read alike: who asks learns from neither
//! who is protected.

use super::accounts::Account;
use super::audit::{Entry, What, append};
use super::db::{Failure, Tx};
use super::decide::{Decider, reason_line};
use super::incident::IncidentId;
use super::{Store, StoreError, seal};
use serde_json::json;
use time::{Duration, OffsetDateTime};

/// How long a wish waits for a second person.
const WAIT: Duration = Duration::hours(8);

/// What became of a wish.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    /// Granted until then.
    Granted(OffsetDateTime),
    /// A second person must agree.
    Waits,
}

/// A wish about one mail that is granted or waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unmasking {
    /// Which, for agreeing to it.
    pub n: i64,
    /// Whose, as compared.
    pub person: String,
    /// Whose, as shown.
    pub actor: String,
    /// Until when; `None`: waits.
    pub until: Option<OffsetDateTime>,
}

impl Store {
    /// Asks to see what is masked in a mail, for `minutes` from `by.now`.
    ///
    /// # Errors
    /// Not granted: no permission, no reason, own mail, no such mail.
    pub fn ask_unmask(
        &self,
        id: &IncidentId,
        account: &Account,
        minutes: Duration,
        by: &Decider<'_>,
    ) -> Result<Wish, StoreError> {
        self.may_unmask(id, account)?;
        let reason = self.sealed_reason(id, by)?;
        let at = by.now.unix_timestamp();
        let until = by.now + minutes;
        self.db().write(|tx| {
            let n = row_of(tx, id)?;
            let two = tx.wants_two(n)?;
            let granted = (!two).then(|| until.unix_timestamp());
            tx.add_unmasking(n, (&account.person, &account.name), at, granted)?;
            let what = if two { What::UnmaskAsked } else { What::Unmasked };
            let entry = Entry::new(what, at, &account.name).of(&id.0).sealed(Some(reason));
            let detail = json!({"minutes": minutes.whole_minutes(), "people": if two { 2 } else { 1 }});
            append(tx, self.keys(), entry.with(detail))?;
            Ok(if two { Wish::Waits } else { Wish::Granted(until) })
        })
    }

    /// Agrees to somebody else's wish; it is granted from now on.
    ///
    /// # Errors
    /// Not granted: it is one's own, does not wait, or there is no permission.
    pub fn agree_unmask(
        &self,
        id: &IncidentId,
        n: i64,
        account: &Account,
        minutes: Duration,
        by: &Decider<'_>,
    ) -> Result<(), StoreError> {
        self.may_unmask(id, account)?;
        let reason = self.sealed_reason(id, by)?;
        let at = by.now.unix_timestamp();
        self.db().write(|tx| {
            let incident = row_of(tx, id)?;
            let waiting = tx.unmaskings(incident, at, (by.now - WAIT).unix_timestamp())?;
            let wish = waiting.into_iter().find(|wish| wish.n == n && wish.until.is_none());
            let Some(wish) = wish else {
                return Err(
                    StoreError::Refused("nobody waits for this any more: nothing was unmasked".to_owned()).into(),
                );
            };
            if wish.person == account.person {
                return Err(
                    StoreError::Refused("it is your own wish: somebody else must agree to it".to_owned()).into(),
                );
            }
            tx.grant_unmasking(n, (by.now + minutes).unix_timestamp())?;
            let detail = json!({"minutes": minutes.whole_minutes(), "people": 2, "for": wish.actor});
            let entry = Entry::new(What::Unmasked, at, &account.name).of(&id.0);
            append(tx, self.keys(), entry.sealed(Some(reason)).with(detail))
        })
    }

    /// What is asked and granted about a mail now.
    ///
    /// # Errors
    /// The store could not be read: nothing is granted.
    pub fn unmaskings(&self, id: &IncidentId, now: OffsetDateTime) -> Result<Vec<Unmasking>, StoreError> {
        let (at, since) = (now.unix_timestamp(), (now - WAIT).unix_timestamp());
        let rows = self.db().read(|tx| {
            let n = row_of(tx, id)?;
            tx.unmaskings(n, at, since)
        })?;
        let time = |at: i64| OffsetDateTime::from_unix_timestamp(at).ok();
        let each = rows.into_iter().map(|row| Unmasking {
            n: row.n,
            person: row.person,
            actor: row.actor,
            until: row.until.and_then(time),
        });
        Ok(each.collect())
    }

    /// Masks again, before the time is up.
    ///
    /// # Errors
    /// It ends by itself.
    pub fn end_unmask(&self, id: &IncidentId, account: &Account) -> Result<(), StoreError> {
        self.db().write(|tx| {
            let n = row_of(tx, id)?;
            tx.end_unmasking(n, &account.person).map(|_| ())
        })
    }

    fn may_unmask(&self, id: &IncidentId, account: &Account) -> Result<(), StoreError> {
        if !account.unmask || !account.role.decides() {
            return Err(StoreError::Refused(
                "your account may not see what is masked".to_owned(),
            ));
        }
        self.not_own(id, &account.name, &account.mail)
    }

    /// The reason, under the mail's record key.
    pub(super) fn sealed_reason(&self, id: &IncidentId, by: &Decider<'_>) -> Result<Vec<u8>, StoreError> {
        let reason = reason_line(by)?;
        let row = self.db().read(|tx| tx.incident(&id.0))?;
        let row = row.ok_or_else(|| StoreError::Unknown(id.clone()))?;
        seal::seal(&seal::public(&row.record_pub)?, reason.as_bytes())
    }
}

fn row_of(tx: &Tx<'_>, id: &IncidentId) -> Result<i64, Failure> {
    tx.row_of(&id.0)?.ok_or_else(|| StoreError::Unknown(id.clone()).into())
}
