//! Who may sign in to the console, as what. Passwords come hashed, second factors are sealed to `store.pub`; neither is ever
//! given back but to the process that checks them.

use super::audit::{Entry, What, append, shown_actor};
use super::db::{AccountRow, Failure, Tx};
use super::decide::{Decider, reason_line};
use super::seal;
use super::who::same_form;
use super::{Store, StoreError};
use serde_json::json;
use time::OffsetDateTime;
use zeroize::Zeroizing;

/// What somebody may do. One account has one role: who runs the system does not read mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Reads held mail, masked, and decides about it.
    Reviewer,
    /// The same, and what rules leave to the data protection officer.
    Dpo,
    /// Reads what was done, and no mail.
    Auditor,
    /// Runs the system, and reads no mail.
    Administrator,
}

impl Role {
    /// All, in the order of the manual.
    pub const ALL: [Role; 4] = [Role::Reviewer, Role::Dpo, Role::Auditor, Role::Administrator];

    /// The word in the store and on the command line.
    pub fn word(self) -> &'static str {
        match self {
            Role::Reviewer => "reviewer",
            Role::Dpo => "dpo",
            Role::Auditor => "auditor",
            Role::Administrator => "administrator",
        }
    }

    /// The role with this word.
    pub fn from_word(word: &str) -> Option<Role> {
        Role::ALL.into_iter().find(|role| role.word() == word)
    }

    /// Decides about held mail at all.
    pub fn decides(self) -> bool {
        matches!(self, Role::Reviewer | Role::Dpo)
    }

    /// May release what a rule leaves to `by`. A word that is not known is left to the strictest.
    pub fn may_release(self, by: &str) -> bool {
        self == Role::Dpo || (self == Role::Reviewer && by == Role::Reviewer.word())
    }
}

/// An account, without its secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// The name, as shown and as written into the audit trail.
    pub name: String,
    /// The name as it is compared: two spellings are one person.
    pub person: String,
    /// What they may do.
    pub role: Role,
    /// Their own addresses.
    pub mail: Vec<String>,
    /// May ask to see what is masked.
    pub unmask: bool,
    /// Has a password.
    pub password: bool,
    /// Has a second factor.
    pub second_factor: bool,
    /// May not sign in.
    pub disabled: bool,
    /// Since when there is one.
    pub created: OffsetDateTime,
}

/// What an account signs in with.
#[derive(Default)]
pub struct Secrets {
    /// Argon2id, as a PHC string.
    pub password: Option<String>,
    /// Secret of the second factor.
    pub second_factor: Option<Zeroizing<Vec<u8>>>,
}

/// A new account.
pub struct NewAccount<'a> {
    /// The name.
    pub name: &'a str,
    /// What they may do.
    pub role: Role,
    /// Their own addresses.
    pub mail: &'a [String],
    /// May ask to see what is masked.
    pub unmask: bool,
    /// Argon2id, as a PHC string; `None`: signs in elsewhere.
    pub password: Option<&'a str>,
    /// Secret of the second factor.
    pub second_factor: Option<&'a [u8]>,
}

/// A change of an account.
pub enum AccountChange<'a> {
    /// Argon2id, as a PHC string. Ends all sessions.
    Password(&'a str),
    /// A new second factor, or none. Ends all sessions.
    SecondFactor(Option<&'a [u8]>),
    /// Another role. Ends all sessions.
    Role(Role),
    /// May not sign in any more, or may again. Ends all sessions.
    Disabled(bool),
    /// All sessions end; nothing else.
    SignedOut,
}

impl AccountChange<'_> {
    fn word(&self) -> &'static str {
        match self {
            AccountChange::Password(_) => "password",
            AccountChange::SecondFactor(_) => "second_factor",
            AccountChange::Role(_) => "role",
            AccountChange::Disabled(true) => "disabled",
            AccountChange::Disabled(false) => "enabled",
            AccountChange::SignedOut => "signed_out",
        }
    }
}

impl Store {
    /// Makes an account.
    ///
    /// # Errors
    /// None was made: the name is taken, empty or too long, or the store failed.
    pub fn add_account(&self, new: &NewAccount<'_>, by: &Decider<'_>) -> Result<(), StoreError> {
        let name = shown_actor(new.name);
        let person = same_form(&name);
        // The audit trail's own actors must not be mistaken for people.
        let ours = ["milter", "courier", "timer", "cpr-milter"];
        if person.is_empty() || name != new.name.trim() || ours.contains(&person.as_str()) {
            return Err(StoreError::Refused(
                "that is no name for an account: one line of at most 100 characters that holds no number, and not one of \
                 cpr-milter's own"
                    .to_owned(),
            ));
        }
        let totp = new
            .second_factor
            .map(|secret| seal::seal(self.keys().recipient(), secret))
            .transpose()?;
        let row = AccountRow {
            person,
            name,
            role: new.role.word().to_owned(),
            mail: json!(new.mail).to_string(),
            unmask: new.unmask,
            password: new.password.map(str::to_owned),
            totp,
            disabled: None,
            created: by.now.unix_timestamp(),
        };
        self.account_deed(What::AccountAdded, by, |tx| {
            if !tx.add_account(&row)? {
                return Err(StoreError::Refused("there is an account of that name already".to_owned()).into());
            }
            Ok(json!({"account": row.name, "role": row.role, "unmask": row.unmask,
                "second_factor": row.totp.is_some()}))
        })
    }

    /// Changes an account; sessions that it has end.
    ///
    /// # Errors
    /// Nothing was changed.
    pub fn change_account(&self, name: &str, change: &AccountChange<'_>, by: &Decider<'_>) -> Result<(), StoreError> {
        let sealed = match change {
            AccountChange::SecondFactor(Some(secret)) => Some(seal::seal(self.keys().recipient(), secret)?),
            _ => None,
        };
        self.account_deed(What::AccountChanged, by, |tx| {
            let mut row = tx.account(&same_form(name))?.ok_or_else(no_account)?;
            match change {
                AccountChange::Password(hash) => row.password = Some((*hash).to_owned()),
                AccountChange::SecondFactor(_) => row.totp.clone_from(&sealed),
                AccountChange::Role(role) => role.word().clone_into(&mut row.role),
                AccountChange::Disabled(disabled) => row.disabled = disabled.then(|| by.now.unix_timestamp()),
                AccountChange::SignedOut => {}
            }
            tx.change_account(&row)?;
            let ended = tx.end_sessions(&row.person)?;
            Ok(json!({"account": row.name, "what": change.word(), "role": row.role, "sessions_ended": ended}))
        })
    }

    /// All accounts, by name.
    ///
    /// # Errors
    /// The store could not be read.
    pub fn accounts(&self) -> Result<Vec<Account>, StoreError> {
        let rows = self.db().read(|tx| tx.accounts())?;
        Ok(rows.iter().filter_map(account).collect())
    }

    /// There is an account at all: from then on names given on the command line must be accounts, too.
    ///
    /// # Errors
    /// The store could not be read.
    pub fn has_accounts(&self) -> Result<bool, StoreError> {
        self.db().read(|tx| tx.has_accounts())
    }

    /// The account of a name, in any spelling; `None` without one, or when it is disabled.
    ///
    /// # Errors
    /// The store could not be read.
    pub fn account(&self, name: &str) -> Result<Option<Account>, StoreError> {
        let row = self.db().read(|tx| tx.account(&same_form(name)))?;
        Ok(row.as_ref().and_then(account).filter(|account| !account.disabled))
    }

    /// What a name signs in with: the password's hash and the second factor. Needs the private key.
    ///
    /// # Errors
    /// The store could not be read, or the second factor not opened.
    pub fn secrets(&self, account: &Account) -> Result<Secrets, StoreError> {
        let identity = self.keys().identity()?;
        let Some(row) = self.db().read(|tx| tx.account(&account.person))? else {
            return Ok(Secrets::default());
        };
        let open = |sealed: &Vec<u8>| {
            age::decrypt(identity, sealed).map(Zeroizing::new).map_err(|_| {
                StoreError::Unusable("a second factor was sealed under another store.key; set it anew".to_owned())
            })
        };
        Ok(Secrets {
            password: row.password,
            second_factor: row.totp.as_ref().map(open).transpose()?,
        })
    }

    fn account_deed(
        &self,
        what: What,
        by: &Decider<'_>,
        work: impl FnOnce(&Tx<'_>) -> Result<serde_json::Value, Failure>,
    ) -> Result<(), StoreError> {
        let reason = reason_line(by)?;
        let actor = shown_actor(by.actor);
        let sealed = seal::seal(self.keys().recipient(), reason.as_bytes())?;
        self.db().write(|tx| {
            let detail = work(tx)?;
            let entry = Entry::new(what, by.now.unix_timestamp(), &actor);
            append(tx, self.keys(), entry.with(detail).sealed(Some(sealed)))
        })
    }
}

fn no_account() -> StoreError {
    StoreError::Refused("there is no account of that name; `cpr-milter user list` shows them".to_owned())
}

/// A row that says something else than it may is no account.
pub(super) fn account(row: &AccountRow) -> Option<Account> {
    Some(Account {
        name: row.name.clone(),
        person: row.person.clone(),
        role: Role::from_word(&row.role)?,
        mail: serde_json::from_str(&row.mail).unwrap_or_default(),
        unmask: row.unmask,
        password: row.password.is_some(),
        second_factor: row.totp.is_some(),
        disabled: row.disabled.is_some(),
        created: OffsetDateTime::from_unix_timestamp(row.created).unwrap_or(OffsetDateTime::UNIX_EPOCH),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_to_the_dpo_is_left_to_nobody_else() {
        let may: Vec<Role> = Role::ALL.into_iter().filter(|role| role.may_release("dpo")).collect();
        assert_eq!(may, [Role::Dpo]);
        let may: Vec<Role> = Role::ALL
            .into_iter()
            .filter(|role| role.may_release("reviewer"))
            .collect();
        assert_eq!(may, [Role::Reviewer, Role::Dpo]);
        let may: Vec<Role> = Role::ALL
            .into_iter()
            .filter(|role| role.may_release("somebody"))
            .collect();
        assert_eq!(may, [Role::Dpo], "a word that nobody knows");
    }

    #[test]
    fn words_are_read_back() {
        for role in Role::ALL {
            assert_eq!(Role::from_word(role.word()), Some(role));
        }
    }
}
