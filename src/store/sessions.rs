//! Signing in: sessions by the hash of what the browser holds, failures counted for every name alike.

use super::accounts::{Account, account};
use super::audit::{Entry, What, append, shown_actor};
use super::keys::Purpose;
use super::who::same_form;
use super::{Store, StoreError};
use serde_json::json;
use sha2::{Digest, Sha256};
use time::{Duration, OffsetDateTime};

/// Failures within [`WINDOW`] after which nobody signs in under that name.
const TRIES: i64 = 5;
/// Failures of names that nobody has, within [`WINDOW`], after which no more are written down: whoever tries thousands is
/// not to fill the disk with it.
const STRANGERS: i64 = 500;
/// How long a failure counts.
const WINDOW: Duration = Duration::minutes(15);

/// What stands for a session in the store: a hash, so that whoever reads the store cannot take a session over.
#[derive(Clone, PartialEq, Eq)]
pub struct SessionId([u8; 32]);

impl SessionId {
    /// Of the secret that the browser holds.
    pub fn of(secret: &[u8]) -> SessionId {
        SessionId(Sha256::digest(secret).into())
    }
}

/// How somebody signed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignIn {
    /// Password and second factor.
    TwoFactors,
    /// Password alone.
    Password,
    /// The proxy in front said so.
    Header,
}

impl SignIn {
    fn word(self) -> &'static str {
        match self {
            SignIn::TwoFactors => "password and code",
            SignIn::Password => "password",
            SignIn::Header => "header",
        }
    }
}

impl Store {
    /// Too many failures under this name lately: do not even look at the password. The same for names that nobody has.
    ///
    /// # Errors
    /// The store could not be read: nobody signs in.
    pub fn locked_out(&self, name: &str, now: OffsetDateTime) -> Result<bool, StoreError> {
        let who = self.keys().mac(Purpose::SignIn, &[same_form(name).as_bytes()]);
        let since = (now - WINDOW).unix_timestamp();
        Ok(self.db().read(|tx| tx.failures(&who, since))? >= TRIES)
    }

    /// Counts a failure, and records it. A name that is no account's is not written down: it may be a password.
    ///
    /// # Errors
    /// Not counted: nobody signs in.
    pub fn sign_in_failed(&self, name: &str, why: &'static str, now: OffsetDateTime) -> Result<(), StoreError> {
        let at = now.unix_timestamp();
        let person = same_form(name);
        let who = self.keys().mac(Purpose::SignIn, &[person.as_bytes()]);
        self.db().write(|tx| {
            let since = (now - WINDOW).unix_timestamp();
            if tx.account(&person)?.is_none() && tx.all_failures(since)? >= STRANGERS {
                return Ok(());
            }
            tx.add_failure(&who, at)?;
            let known = tx.account(&person)?.map(|row| row.name);
            let count = tx.failures(&who, since)?;
            let actor = known.unwrap_or_else(|| "(unknown name)".to_owned());
            let detail = json!({"why": why, "failures": count});
            append(tx, self.keys(), Entry::new(What::SignInFailed, at, &actor).with(detail))
        })
    }

    /// Uses up the code of this time step; `false` when it was used before: it is refused.
    ///
    /// # Errors
    /// Not used up: refused.
    pub fn spend_code(&self, account: &Account, step: i64) -> Result<bool, StoreError> {
        self.db().write(|tx| tx.spend_code(&account.person, step))
    }

    /// Begins a session and forgets the failures.
    ///
    /// # Errors
    /// There is no session.
    pub fn begin_session(
        &self,
        account: &Account,
        id: &SessionId,
        how: SignIn,
        (now, ends): (OffsetDateTime, OffsetDateTime),
    ) -> Result<(), StoreError> {
        let at = now.unix_timestamp();
        let who = self.keys().mac(Purpose::SignIn, &[account.person.as_bytes()]);
        self.db().write(|tx| {
            // Failures count a day at most, whatever the window is.
            tx.forget_sign_ins(at, at - 24 * 3600)?;
            tx.clear_failures(&who)?;
            tx.add_session(&id.0, &account.person, at, ends.unix_timestamp())?;
            let detail = json!({"how": how.word()});
            append(
                tx,
                self.keys(),
                Entry::new(What::SignedIn, at, &account.name).with(detail),
            )
        })
    }

    /// Whose session it is; `None` when there is none, it has ended, was idle for longer than `idle`, or its account is
    /// disabled. Counts as used.
    ///
    /// # Errors
    /// The store could not be asked: there is no session.
    pub fn session(&self, id: &SessionId, now: OffsetDateTime, idle: Duration) -> Result<Option<Account>, StoreError> {
        let at = now.unix_timestamp();
        let since = (now - idle).unix_timestamp();
        let Some((row, seen)) = self.db().read(|tx| tx.session(&id.0, at, since))? else {
            return Ok(None);
        };
        // Not at every click: each write waits for the disk.
        if at - seen >= 30 {
            self.db().write(|tx| tx.touch_session(&id.0, at))?;
        }
        Ok(account(&row))
    }

    /// Ends a session.
    ///
    /// # Errors
    /// It may go on.
    pub fn end_session(&self, id: &SessionId, actor: &str, now: OffsetDateTime) -> Result<(), StoreError> {
        let actor = shown_actor(actor);
        self.db().write(|tx| {
            if tx.end_session(&id.0)? {
                append(
                    tx,
                    self.keys(),
                    Entry::new(What::SignedOut, now.unix_timestamp(), &actor),
                )?;
            }
            Ok(())
        })
    }

    /// Sessions of an account that go on.
    ///
    /// # Errors
    /// The store could not be read.
    pub fn sessions_of(&self, account: &Account, now: OffsetDateTime, idle: Duration) -> Result<usize, StoreError> {
        let (at, since) = (now.unix_timestamp(), (now - idle).unix_timestamp());
        let count = self.db().read(|tx| tx.sessions(&account.person, at, since))?;
        Ok(usize::try_from(count).unwrap_or(0))
    }
}
