//! Protected persons, and where a number has gone: keyed hashes in, yes or no out. No number is ever given back.

use super::audit::{Entry, What, append, shown_actor};
use super::decide::{Decider, reason_line};
use super::keys::{Keys, Purpose};
use super::quarantine::Sighting;
use super::seal;
use super::{Store, StoreError};
use crate::cpr::{Secret, mask};
use crate::types::{Address, Recipient};
use serde_json::json;
use time::Date;

/// What is kept beside a protected person's hash: sealed, since people write names into it, and a name beside the hash would
/// be the list that nobody may read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PersonNote {
    /// Who is responsible for the entry.
    pub owner: Option<String>,
    /// Why.
    pub reason: Option<String>,
    /// When somebody is to look at it again.
    pub review: Option<Date>,
}

impl Store {
    /// For each number: it belongs to a protected person.
    ///
    /// # Errors
    /// Unknown is not "no": the client must get a 4xx.
    pub fn protected(&self, numbers: &[Secret]) -> Result<Vec<bool>, StoreError> {
        let hashes: Vec<[u8; 32]> = numbers.iter().map(|number| self.keys().person(number)).collect();
        self.db()
            .read(|tx| hashes.iter().map(|hash| tx.is_person(hash)).collect())
    }

    /// Adds protected persons; gives back how many were new.
    ///
    /// # Errors
    /// None was added.
    pub fn protect(&self, numbers: &[Secret], note: &PersonNote, by: &Decider<'_>) -> Result<usize, StoreError> {
        let at = by.now.unix_timestamp();
        let sealed = |text: &Option<String>| {
            let text = text.as_deref().map(mask);
            text.map(|text| seal::seal(self.keys().recipient(), text.as_bytes()))
                .transpose()
        };
        let (owner, reason) = (sealed(&note.owner)?, sealed(&note.reason)?);
        let review = note.review.map(|date| date.to_string());
        let note = (owner.as_deref(), reason.as_deref(), review.as_deref());
        self.people(What::PeopleAdded, by, |tx| {
            let mut new = 0;
            for number in numbers {
                new += usize::from(tx.add_person(&self.keys().person(number), note, at)?);
            }
            Ok(new)
        })
    }

    /// Removes protected persons; gives back how many were there.
    ///
    /// # Errors
    /// None was removed.
    pub fn unprotect(&self, numbers: &[Secret], by: &Decider<'_>) -> Result<usize, StoreError> {
        self.people(What::PeopleRemoved, by, |tx| {
            let mut gone = 0;
            for number in numbers {
                gone += usize::from(tx.remove_person(&self.keys().person(number))?);
            }
            Ok(gone)
        })
    }

    /// How many protected persons there are.
    ///
    /// # Errors
    /// The store could not be read.
    pub fn protected_count(&self) -> Result<usize, StoreError> {
        let count = self.db().read(|tx| tx.people())?;
        Ok(usize::try_from(count).unwrap_or(0))
    }

    /// Mails in which this number stood. The search itself is recorded.
    ///
    /// # Errors
    /// The store could not be read, or the search not recorded.
    pub fn find(&self, number: &Secret, by: &Decider<'_>) -> Result<Vec<Sighting>, StoreError> {
        let found = self.sightings_of(&self.keys().person(number))?;
        self.people(What::Searched, by, |_| Ok(found.len()))?;
        Ok(found)
    }

    /// For each number: the recipients (by index) whose own it is known to be.
    ///
    /// # Errors
    /// Unknown is not "no": the client must get a 4xx.
    pub fn owners(&self, numbers: &[Secret], recipients: &[Recipient]) -> Result<Vec<Vec<usize>>, StoreError> {
        let addresses: Vec<Option<[u8; 32]>> = recipients
            .iter()
            .map(|r| r.address.as_ref().map(|address| self.keys().owner(address)))
            .collect();
        self.db().read(|tx| {
            numbers
                .iter()
                .map(|number| {
                    let person = self.keys().person(number);
                    let mut theirs = Vec::new();
                    for (i, address) in addresses.iter().enumerate() {
                        if let Some(address) = address
                            && tx.is_owner(&person, address)?
                        {
                            theirs.push(i);
                        }
                    }
                    Ok(theirs)
                })
                .collect()
        })
    }

    /// Learns whose numbers these are; gives back how many pairs were new.
    ///
    /// # Errors
    /// None was learnt.
    pub fn own(&self, pairs: &[(Secret, Address)], by: &Decider<'_>) -> Result<usize, StoreError> {
        let at = by.now.unix_timestamp();
        self.people(What::OwnersAdded, by, |tx| {
            let mut new = 0;
            for (number, address) in pairs {
                new += usize::from(tx.add_owner(&self.keys().person(number), &self.keys().owner(address), at)?);
            }
            Ok(new)
        })
    }

    /// Forgets whose numbers these are; gives back how many pairs were there.
    ///
    /// # Errors
    /// None was forgotten.
    pub fn disown(&self, pairs: &[(Secret, Address)], by: &Decider<'_>) -> Result<usize, StoreError> {
        self.people(What::OwnersRemoved, by, |tx| {
            let mut gone = 0;
            for (number, address) in pairs {
                gone += usize::from(tx.remove_owner(&self.keys().person(number), &self.keys().owner(address))?);
            }
            Ok(gone)
        })
    }

    /// Does something about people and records it with its count, in one transaction.
    fn people(
        &self,
        what: What,
        by: &Decider<'_>,
        work: impl FnOnce(&super::db::Tx<'_>) -> Result<usize, super::db::Failure>,
    ) -> Result<usize, StoreError> {
        let reason = reason_line(by)?;
        let actor = shown_actor(by.actor);
        // About no mail, so there is no mail's key to seal it under.
        let sealed = seal::seal(self.keys().recipient(), reason.as_bytes())?;
        self.db().write(|tx| {
            let count = work(tx)?;
            let entry = Entry::new(what, by.now.unix_timestamp(), &actor);
            append(
                tx,
                self.keys(),
                entry.with(json!({"count": count})).sealed(Some(sealed)),
            )?;
            Ok(count)
        })
    }
}

impl Keys {
    /// What stands for a mail address in the list of whose number is whose.
    fn owner(&self, address: &Address) -> [u8; 32] {
        self.mac(Purpose::Owner, &[address.key().as_bytes()])
    }
}
