//! What reviewers decide: release, refuse, delete. All or nothing for the recipients named; each with actor and reason, in
//! the transaction that writes the audit record; nothing here ever sends.
//!
//! Who may: once there are accounts, only they decide, as their role allows and the rule says; nobody decides about a mail of
//! their own. Console and command line both end here.

use super::accounts::{Account, Role, account};
use super::audit::{Entry, What as Deed, append, shown_actor};
use super::db::{Failure, IncidentRow, Part, RecipientRow, Sealed, Tx};
use super::hold::delivery;
use super::incident::IncidentId;
use super::job::DsnCause;
use super::keys::Purpose;
use super::outbox::dsn;
use super::seal;
use super::state::{State, Step};
use super::who::{is_sender, same_form};
use super::{Store, StoreError};
use crate::cpr::mask;
use crate::types::Release;
use serde_json::json;
use time::OffsetDateTime;

/// Whose decision, and why.
#[derive(Clone, Debug)]
pub struct Decider<'a> {
    /// Who, as signed in.
    pub actor: &'a str,
    /// Why; must not be empty.
    pub reason: &'a str,
    /// When.
    pub now: OffsetDateTime,
}

/// For which recipients (indices into the envelope's recipients).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Whom {
    /// All that are still held.
    All,
    /// These.
    Some(Vec<usize>),
}

/// Which body a release sends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// As it came.
    Original,
    /// Redacted copy number n, from 0.
    Copy(usize),
    /// A redacted copy made now: the whole mail, CRLF lines.
    Bytes(Vec<u8>),
}

/// What a release did for one recipient.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Released {
    /// In the outbox now.
    Queued,
    /// Noted; so many different people of so many have approved.
    Approved {
        /// So far.
        have: u8,
        /// Wanted.
        need: u8,
    },
}

/// A decision whose reason has been checked and sealed.
struct Ruling<'a> {
    id: &'a IncidentId,
    actor: String,
    /// `None` while there are no accounts.
    account: Option<Account>,
    at: i64,
    reason: Vec<u8>,
}

impl<'a> Ruling<'a> {
    fn entry(&'a self, what: Deed) -> Entry<'a> {
        Entry::new(what, self.at, &self.actor)
            .of(&self.id.0)
            .sealed(Some(self.reason.clone()))
    }
}

/// Which body, once it is in the store: -1 is the original.
type ContentNumber = i64;

impl Store {
    /// Records that somebody looked at an incident.
    ///
    /// # Errors
    /// Not recorded: do not show it.
    pub fn viewed(&self, id: &IncidentId, by: &Decider<'_>) -> Result<(), StoreError> {
        self.note_deed(id, Deed::Viewed, None, by)
    }

    /// Records a deed about a mail that changes nothing of it: a look, a download, a refusal.
    ///
    /// # Errors
    /// Not recorded: do not do it.
    pub fn note_deed(
        &self,
        id: &IncidentId,
        what: Deed,
        detail: Option<serde_json::Value>,
        by: &Decider<'_>,
    ) -> Result<(), StoreError> {
        let actor = shown_actor(by.actor);
        let reason = self.sealed_reason(id, by)?;
        let entry = Entry::new(what, by.now.unix_timestamp(), &actor).of(&id.0);
        let entry = entry.sealed(Some(reason)).with(detail.unwrap_or_default());
        self.db().write(|tx| append(tx, self.keys(), entry))
    }

    /// Releases to recipients that are held. Needs the private key. Where the rule wants several people, each but the last is noted as an
    /// approval; a person counts once, and approvals of another body do not count. Nobody releases a mail of their own.
    ///
    /// # Errors
    /// Nothing was released, for nobody: a recipient is not held, the content is gone, or there is no reason given.
    pub fn release(
        &self,
        id: &IncidentId,
        whom: &Whom,
        what: What,
        by: &Decider<'_>,
    ) -> Result<Vec<(usize, Released)>, StoreError> {
        self.release_today(id, whom, what, by, &[])
    }

    /// As [`Store::release`], under the terms of today's policy where they are stricter than those of the day the mail came.
    ///
    /// # Errors
    /// As [`Store::release`].
    pub fn release_today(
        &self,
        id: &IncidentId,
        whom: &Whom,
        what: What,
        by: &Decider<'_>,
        today: &[(usize, Release)],
    ) -> Result<Vec<(usize, Released)>, StoreError> {
        let ruling = self.ruling(id, by)?;
        let made = match &what {
            What::Bytes(bytes) => Some(self.seal_copy(id, bytes)?),
            What::Original | What::Copy(_) => None,
        };
        self.db().write(|tx| {
            let incident = known(tx, id)?;
            if !incident.readable {
                return Err(StoreError::Shredded(id.clone()).into());
            }
            let content = match (&what, &made) {
                (What::Copy(copy), _) => existing_copy(&incident, *copy)?,
                (What::Bytes(_), Some((hash, data))) => self.keep_copy(tx, &ruling, &incident, hash, data)?,
                (What::Original | What::Bytes(_), _) => -1,
            };
            let mut done = Vec::new();
            for recipient in named(tx, &incident, whom)? {
                let terms = terms(&recipient, today);
                let released = self.release_one(tx, &ruling, &incident, &recipient, (content, &terms))?;
                done.push((index(&recipient), released));
            }
            Ok(done)
        })
    }

    fn release_one(
        &self,
        tx: &Tx<'_>,
        ruling: &Ruling<'_>,
        incident: &IncidentRow,
        recipient: &RecipientRow,
        (content, terms): (ContentNumber, &Release),
    ) -> Result<Released, Failure> {
        if State::from_word(&recipient.state) != Some(State::Held) {
            return Err(not_held(ruling.id, recipient).into());
        }
        if ruling
            .account
            .as_ref()
            .is_some_and(|account| !account.role.may_release(&terms.by))
        {
            return Err(StoreError::Refused(format!(
                "recipient {} of {} may be released by the role `{}` alone: nothing was changed",
                recipient.number + 1,
                ruling.id,
                terms.by
            ))
            .into());
        }
        let number = recipient.number;
        let need = i64::from(terms.people.max(1));
        let person = (same_form(&ruling.actor), ruling.actor.clone());
        tx.approve(incident.n, number, &person, content, ruling.at)?;
        let have = agreed(tx, ruling, (incident.n, number, content), &terms.by)?;
        let detail = json!({"content": content_word(content), "have": have, "need": need});
        if have < need {
            append(tx, self.keys(), ruling.entry(Deed::Approved).to(number).with(detail))?;
            let small = |n: i64| u8::try_from(n).unwrap_or(u8::MAX);
            return Ok(Released::Approved {
                have: small(have),
                need: small(need),
            });
        }
        self.step(tx, incident.n, &incident.id, number, &recipient.state, Step::Release)?;
        tx.add_entry(incident.n, &delivery(number, content, ruling.at))?;
        tx.decided(incident.n, number)?;
        append(tx, self.keys(), ruling.entry(Deed::Released).to(number).with(detail))?;
        Ok(Released::Queued)
    }

    /// Refuses recipients that are held; the sender gets a DSN. Gives back which.
    ///
    /// # Errors
    /// Nothing was refused.
    pub fn refuse(&self, id: &IncidentId, whom: &Whom, by: &Decider<'_>) -> Result<Vec<usize>, StoreError> {
        let ruling = self.ruling(id, by)?;
        self.db().write(|tx| {
            let incident = known(tx, id)?;
            let mut done = Vec::new();
            for recipient in named(tx, &incident, whom)? {
                self.close(tx, &ruling, &incident, &recipient, (Step::Refuse, Deed::Refused))?;
                if recipient.dsn {
                    tx.add_entry(incident.n, &dsn(recipient.number, DsnCause::Reviewer, ruling.at))?;
                }
                done.push(index(&recipient));
            }
            Ok(done)
        })
    }

    /// Deletes recipients that are held, without a DSN. When nobody is owed the content any more it is destroyed. Gives
    /// back which.
    ///
    /// # Errors
    /// Nothing was deleted.
    pub fn delete(&self, id: &IncidentId, whom: &Whom, by: &Decider<'_>) -> Result<Vec<usize>, StoreError> {
        let ruling = self.ruling(id, by)?;
        let (done, shredded) = self.db().write(|tx| {
            let incident = known(tx, id)?;
            let mut done = Vec::new();
            for recipient in named(tx, &incident, whom)? {
                self.close(tx, &ruling, &incident, &recipient, (Step::Delete, Deed::Deleted))?;
                done.push(index(&recipient));
            }
            let shredded = self.shred_unless_owed(tx, incident.n, ruling.entry(Deed::Shredded))?;
            Ok((done, shredded))
        })?;
        if shredded {
            self.db().wipe_log();
        }
        Ok(done)
    }

    fn close(
        &self,
        tx: &Tx<'_>,
        ruling: &Ruling<'_>,
        incident: &IncidentRow,
        recipient: &RecipientRow,
        (step, deed): (Step, Deed),
    ) -> Result<(), Failure> {
        if State::from_word(&recipient.state) != Some(State::Held) {
            return Err(not_held(ruling.id, recipient).into());
        }
        self.step(tx, incident.n, &incident.id, recipient.number, &recipient.state, step)?;
        tx.decided(incident.n, recipient.number)?;
        append(tx, self.keys(), ruling.entry(deed).to(recipient.number))
    }

    /// Destroys the content when no recipient waits for it; says whether it did.
    pub(super) fn shred_unless_owed(&self, tx: &Tx<'_>, incident: i64, record: Entry<'_>) -> Result<bool, Failure> {
        let owed = |word: &str| State::from_word(word).is_none_or(|state| !state.is_final());
        if tx.states(incident)?.iter().any(|(word, n)| owed(word) && *n > 0) || !tx.shred(incident, Part::Content)? {
            return Ok(false);
        }
        append(tx, self.keys(), record)?;
        Ok(true)
    }

    /// Checks who decides, and seals the reason under the mail's record key.
    fn ruling<'a>(&self, id: &'a IncidentId, by: &Decider<'_>) -> Result<Ruling<'a>, StoreError> {
        let reason = self.sealed_reason(id, by)?;
        let account = self.decider(by.actor)?;
        let own = account.as_ref().map_or(&[][..], |account| &account.mail);
        self.not_own(id, by.actor, own)?;
        Ok(Ruling {
            id,
            actor: account
                .as_ref()
                .map_or_else(|| shown_actor(by.actor), |account| account.name.clone()),
            account,
            at: by.now.unix_timestamp(),
            reason,
        })
    }

    /// The account of whoever decides. Before there is any, names are taken on trust.
    fn decider(&self, actor: &str) -> Result<Option<Account>, StoreError> {
        if !self.has_accounts()? {
            return Ok(None);
        }
        match self.account(actor)? {
            Some(account) if account.role.decides() => Ok(Some(account)),
            Some(_) => Err(StoreError::Refused(
                "your role does not decide about held mail: nothing was changed".to_owned(),
            )),
            None => Err(StoreError::Refused(
                "nobody of that name has an account that may decide about held mail: nothing was changed; `cpr-milter user \
                 list` shows them, `--actor` names one"
                    .to_owned(),
            )),
        }
    }

    /// The mail is the account's own, or nobody knows whose it is.
    pub fn is_own(&self, id: &IncidentId, account: &Account) -> bool {
        self.not_own(id, &account.name, &account.mail).is_err()
    }

    /// Nobody decides about a mail of their own. Without the private key the sender is not known, and nobody decides about
    /// anything.
    pub(super) fn not_own(&self, id: &IncidentId, actor: &str, mail: &[String]) -> Result<(), StoreError> {
        let envelope = self.opened(id, None, None)?.envelope;
        let names = std::iter::once(actor).chain(mail.iter().map(String::as_str));
        match names.into_iter().any(|name| is_sender(name, &envelope)) {
            true => Err(StoreError::Refused(format!(
                "{id} is your own mail: somebody else must decide about it"
            ))),
            false => Ok(()),
        }
    }

    /// Seals a redacted copy that was made now, with its hash.
    fn seal_copy(&self, id: &IncidentId, bytes: &[u8]) -> Result<([u8; 32], Vec<u8>), StoreError> {
        let incident = self.db().read(|tx| known(tx, id))?;
        let public = incident.content_pub.ok_or_else(|| StoreError::Shredded(id.clone()))?;
        let hash = self.keys().mac(Purpose::Copy, &[bytes]);
        Ok((hash, seal::seal(&seal::public(&public)?, bytes)?))
    }

    /// Puts a redacted copy beside the others, unless the same one is there.
    fn keep_copy(
        &self,
        tx: &Tx<'_>,
        ruling: &Ruling<'_>,
        incident: &IncidentRow,
        hash: &[u8],
        data: &[u8],
    ) -> Result<ContentNumber, Failure> {
        if let Some(number) = tx.copy_like(incident.n, hash)? {
            return Ok(number);
        }
        let copy = Sealed {
            part: Part::Content,
            name: "copy",
            number: incident.copies,
            hash: Some(hash),
            data,
        };
        tx.add_sealed(incident.n, &copy)?;
        tx.set_copies(incident.n, incident.copies + 1)?;
        let detail = json!({"content": content_word(incident.copies)});
        append(tx, self.keys(), ruling.entry(Deed::CopyAdded).with(detail))?;
        Ok(incident.copies)
    }
}

/// The reason as it is kept; there must be one, and a name to it.
pub(super) fn reason_line(by: &Decider<'_>) -> Result<String, StoreError> {
    if same_form(by.actor).is_empty() {
        return Err(StoreError::Refused(
            "nobody is named as deciding; nothing was changed".to_owned(),
        ));
    }
    if by.reason.trim().is_empty() {
        return Err(StoreError::Refused(
            "a reason must be given; nothing was changed".to_owned(),
        ));
    }
    Ok(mask(&by.reason.trim().chars().take(2000).collect::<String>()))
}

fn known(tx: &Tx<'_>, id: &IncidentId) -> Result<IncidentRow, Failure> {
    tx.incident(&id.0)?
        .ok_or_else(|| StoreError::Unknown(id.clone()).into())
}

/// The recipients that a decision is about: those named, or all that are held.
fn named(tx: &Tx<'_>, incident: &IncidentRow, whom: &Whom) -> Result<Vec<RecipientRow>, Failure> {
    let all = tx.recipients(incident.n)?;
    let id = IncidentId(incident.id.clone());
    let chosen: Vec<RecipientRow> = match whom {
        Whom::All => all.into_iter().filter(|r| r.state == State::Held.word()).collect(),
        Whom::Some(wanted) => {
            if wanted.iter().any(|w| !all.iter().any(|r| r.number == *w as i64)) {
                // What was typed is not repeated: it may be a number of the other kind.
                let text = format!(
                    "{id} holds nothing for one of the recipients named: nothing was changed; `cpr-milter quarantine show` \
                     numbers those that it holds"
                );
                return Err(StoreError::Refused(text).into());
            }
            all.into_iter().filter(|r| wanted.contains(&index(r))).collect()
        }
    };
    if chosen.is_empty() {
        return Err(StoreError::Refused(format!("{id} has no recipient that waits for a decision")).into());
    }
    Ok(chosen)
}

fn existing_copy(incident: &IncidentRow, copy: usize) -> Result<ContentNumber, Failure> {
    let number = i64::try_from(copy).ok().filter(|number| *number < incident.copies);
    let text = || format!("{} has no redacted copy {}", IncidentId(incident.id.clone()), copy + 1);
    number.ok_or_else(|| StoreError::Refused(text()).into())
}

fn not_held(id: &IncidentId, recipient: &RecipientRow) -> StoreError {
    StoreError::Refused(format!(
        "recipient {} of {id} is {} and not held: nothing was changed",
        recipient.number + 1,
        recipient.state
    ))
}

/// Of the terms of the day the mail came and today's, the strictest.
fn terms(recipient: &RecipientRow, today: &[(usize, Release)]) -> Release {
    let mut terms = Release {
        by: recipient.release_by.clone(),
        people: u8::try_from(recipient.release_people).unwrap_or(u8::MAX),
    };
    for (_, now) in today.iter().filter(|(which, _)| *which == index(recipient)) {
        terms.people = terms.people.max(now.people);
        if now.by != Role::Reviewer.word() {
            terms.by.clone_from(&now.by);
        }
    }
    terms
}

/// How many have agreed to this body. Once there are accounts, only those count who could release it today: somebody may
/// have left, or the rule may have become stricter since.
fn agreed(
    tx: &Tx<'_>,
    ruling: &Ruling<'_>,
    (incident, number, content): (i64, i64, ContentNumber),
    by: &str,
) -> Result<i64, Failure> {
    let mut have = 0;
    for person in tx.agreed(incident, number, content)? {
        let counts = match &ruling.account {
            None => true,
            Some(_) => tx
                .account(&person)?
                .as_ref()
                .and_then(account)
                .is_some_and(|account| !account.disabled && account.role.may_release(by)),
        };
        have += i64::from(counts);
    }
    Ok(have)
}

fn index(recipient: &RecipientRow) -> usize {
    usize::try_from(recipient.number).unwrap_or(0)
}

fn content_word(content: ContentNumber) -> String {
    match content {
        ..0 => "original".to_owned(),
        copy => format!("copy {}", copy + 1),
    }
}
