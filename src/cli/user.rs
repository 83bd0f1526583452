//! `cpr-milter user`: accounts for the console. Secrets are shown once, when they are made, and never again.

use super::custody::{Actor, Ruling, with_store};
use super::table::{Said, minute, table};
use super::{ConfigFile, fail};
use crate::console::{password, totp};
use crate::store::{Access, Account, AccountChange, Decider, NewAccount, Role, Store, StoreError};
use clap::{Subcommand, ValueEnum};
use std::fmt::Write as _;
use std::io::BufRead;
use std::process::ExitCode;
use zeroize::Zeroizing;

/// Accounts for the console.
#[derive(Subcommand)]
pub(super) enum User {
    /// Make one. The password comes from standard input, one line; the second factor's secret is printed once.
    Add {
        #[command(flatten)]
        config: ConfigFile,
        /// The name to sign in with.
        name: String,
        /// What they may do. An administrator runs the system and reads no mail.
        #[arg(long, value_enum)]
        role: RoleWord,
        /// Their own address; nobody decides about their own mail. May be repeated.
        #[arg(long, value_name = "ADDRESS")]
        mail: Vec<String>,
        /// May ask to see the numbers in a mail, with a reason.
        #[arg(long)]
        unmask: bool,
        /// No second factor: needs `console.second_factor: optional`.
        #[arg(long)]
        password_only: bool,
        /// No password: signs in at the proxy in front (`console.trusted_header`).
        #[arg(long, conflicts_with_all = ["password_only", "generate"])]
        elsewhere: bool,
        /// Make a password and print it.
        #[arg(long)]
        generate: bool,
        #[command(flatten)]
        actor: Actor,
    },
    /// Set another password, from standard input. Ends all sessions.
    Passwd {
        #[command(flatten)]
        config: ConfigFile,
        /// Whose.
        name: String,
        /// Make a password and print it.
        #[arg(long)]
        generate: bool,
        #[command(flatten)]
        actor: Actor,
    },
    /// Make another second factor, and print its secret. Ends all sessions.
    Totp {
        #[command(flatten)]
        config: ConfigFile,
        /// Whose.
        name: String,
        #[command(flatten)]
        actor: Actor,
    },
    /// Give another role. Ends all sessions.
    Role {
        #[command(flatten)]
        config: ConfigFile,
        /// Whose.
        name: String,
        /// Which.
        #[arg(value_enum)]
        role: RoleWord,
        #[command(flatten)]
        actor: Actor,
    },
    /// Let somebody sign in no more; sessions end at once.
    Disable {
        #[command(flatten)]
        config: ConfigFile,
        /// Who.
        name: String,
        /// Let them sign in again.
        #[arg(long)]
        undo: bool,
        #[command(flatten)]
        actor: Actor,
    },
    /// Who there is.
    List {
        #[command(flatten)]
        config: ConfigFile,
    },
}

#[derive(Clone, Copy, ValueEnum)]
pub(super) enum RoleWord {
    Reviewer,
    Dpo,
    Auditor,
    Administrator,
}

impl From<RoleWord> for Role {
    fn from(word: RoleWord) -> Role {
        match word {
            RoleWord::Reviewer => Role::Reviewer,
            RoleWord::Dpo => Role::Dpo,
            RoleWord::Auditor => Role::Auditor,
            RoleWord::Administrator => Role::Administrator,
        }
    }
}

impl User {
    pub(super) fn run(&self) -> ExitCode {
        match self {
            User::Add {
                config,
                name,
                role,
                mail,
                unmask,
                password_only,
                elsewhere,
                generate,
                actor,
            } => {
                let typed = match elsewhere {
                    true => None,
                    false => match new_password(*generate) {
                        Ok(typed) => Some(typed),
                        Err(error) => return fail(error),
                    },
                };
                let new = Wish {
                    name,
                    role: Role::from(*role),
                    mail,
                    unmask: *unmask,
                    second_factor: !password_only && !elsewhere,
                };
                with_store(config, Access::Seal, |store| {
                    add(store, &new, typed.as_ref(), &Ruling::of(actor, "user add").decider())
                })
            }
            User::Passwd {
                config,
                name,
                generate,
                actor,
            } => match new_password(*generate) {
                Ok(typed) => with_store(config, Access::Seal, |store| {
                    let change = AccountChange::Password(&typed.hash);
                    let by = Ruling::of(actor, "user passwd");
                    changed(store, name, &change, &by.decider(), &typed.shown())
                }),
                Err(error) => fail(error),
            },
            User::Totp { config, name, actor } => with_store(config, Access::Seal, |store| {
                let Some(secret) = totp::fresh() else {
                    return ("the system gives no random numbers\n".to_owned(), 2);
                };
                let change = AccountChange::SecondFactor(Some(&secret));
                let by = Ruling::of(actor, "user totp");
                changed(store, name, &change, &by.decider(), &factor(name, &secret))
            }),
            User::Role {
                config,
                name,
                role,
                actor,
            } => with_store(config, Access::Seal, |store| {
                let by = Ruling::of(actor, "user role");
                changed(store, name, &AccountChange::Role(Role::from(*role)), &by.decider(), "")
            }),
            User::Disable {
                config,
                name,
                undo,
                actor,
            } => with_store(config, Access::Seal, |store| {
                let by = Ruling::of(actor, "user disable");
                changed(store, name, &AccountChange::Disabled(!undo), &by.decider(), "")
            }),
            User::List { config } => with_store(config, Access::Seal, list),
        }
    }
}

/// An account to be made.
struct Wish<'a> {
    name: &'a str,
    role: Role,
    mail: &'a [String],
    unmask: bool,
    second_factor: bool,
}

/// A new password, hashed; in clear only when it was made here.
struct Typed {
    hash: String,
    made: Option<Zeroizing<String>>,
}

impl Typed {
    fn shown(&self) -> String {
        match &self.made {
            Some(made) => format!("Password (shown this once): {}\n", made.as_str()),
            None => String::new(),
        }
    }
}

fn new_password(generate: bool) -> Result<Typed, String> {
    let made = match generate {
        true => Some(generated().ok_or("the system gives no random numbers")?),
        false => None,
    };
    let password = match &made {
        Some(made) => made.clone(),
        None => typed()?,
    };
    let hash = password::hash(&password).map_err(|error| error.to_string())?;
    Ok(Typed { hash, made })
}

fn typed() -> Result<Zeroizing<String>, String> {
    let mut line = Zeroizing::new(String::new());
    std::io::stdin()
        .lock()
        .read_line(&mut line)
        .map_err(|error| format!("the password could not be read from standard input: {}", error.kind()))?;
    Ok(Zeroizing::new(line.trim_end_matches(['\r', '\n']).to_owned()))
}

/// Twenty letters that nobody mixes up, in groups: 94 bits.
fn generated() -> Option<Zeroizing<String>> {
    const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
    let mut bytes = Zeroizing::new([0_u8; 20]);
    getrandom::fill(&mut bytes[..]).ok()?;
    let mut out = String::new();
    for (i, byte) in bytes.iter().enumerate() {
        if i > 0 && i % 5 == 0 {
            out.push('-');
        }
        out.extend(LETTERS.get(usize::from(byte % 32)).map(|b| char::from(*b)));
    }
    Some(Zeroizing::new(out))
}

fn add(store: &Store, wish: &Wish<'_>, typed: Option<&Typed>, by: &Decider<'_>) -> Said {
    let secret = match wish.second_factor {
        true => match totp::fresh() {
            Some(secret) => Some(secret),
            None => return ("the system gives no random numbers\n".to_owned(), 2),
        },
        false => None,
    };
    let new = NewAccount {
        name: wish.name,
        role: wish.role,
        mail: wish.mail,
        unmask: wish.unmask,
        password: typed.map(|typed| typed.hash.as_str()),
        second_factor: secret.as_ref().map(|secret| &secret[..]),
    };
    if let Err(error) = store.add_account(&new, by) {
        return failed(&error);
    }
    let mut out = format!("{} may sign in now, as {}.\n", wish.name, wish.role.word());
    out.push_str(&typed.map(Typed::shown).unwrap_or_default());
    out.push_str(&secret.map(|secret| factor(wish.name, &secret)).unwrap_or_default());
    (out, 0)
}

fn factor(name: &str, secret: &[u8]) -> String {
    format!(
        "Second factor (shown this once), for an authenticator app: {}\n  {}\n",
        totp::base32(secret),
        totp::address(name, secret)
    )
}

fn changed(store: &Store, name: &str, change: &AccountChange<'_>, by: &Decider<'_>, also: &str) -> Said {
    match store.change_account(name, change, by) {
        Ok(()) => (format!("Changed; sessions of {name} have ended.\n{also}"), 0),
        Err(error) => failed(&error),
    }
}

fn list(store: &Store) -> Said {
    let accounts = match store.accounts() {
        Ok(accounts) => accounts,
        Err(error) => return failed(&error),
    };
    if accounts.is_empty() {
        let mut out = "There are no accounts.\n".to_owned();
        let _ = writeln!(
            out,
            "Until there is one, names on the command line (`--actor`) are taken on trust."
        );
        return (out, 0);
    }
    let head = ["NAME", "ROLE", "SIGNS IN BY", "MAY SEE NUMBERS", "SINCE", "ADDRESSES"];
    (table(&head, &accounts.iter().map(row).collect::<Vec<_>>()), 0)
}

fn row(account: &Account) -> Vec<String> {
    let by = match (account.disabled, account.password, account.second_factor) {
        (true, _, _) => "(disabled)",
        (_, true, true) => "password and code",
        (_, true, false) => "password",
        (_, false, _) => "elsewhere",
    };
    vec![
        account.name.clone(),
        account.role.word().to_owned(),
        by.to_owned(),
        if account.unmask { "yes" } else { "no" }.to_owned(),
        minute(account.created),
        account.mail.join(" "),
    ]
}

fn failed(error: &StoreError) -> Said {
    (format!("{error}\n"), 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn generated_passwords_are_long_enough_and_differ() {
        let (one, other) = (generated().expect("chance"), generated().expect("chance"));
        assert_ne!(*one, *other);
        assert_eq!(one.len(), 23);
        assert!(password::hash(&one).is_ok());
    }
}
