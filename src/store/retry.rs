//! What an earlier try of a mail left with us.
//!
//! A client that saw a 4xx, or nothing, sends its mail again, and the second try may be judged otherwise than the first:
//! another policy, a longer list of protected persons, a day later, a worker that was in time. Whoever was taken over at
//! the first try is ours and stays it; were the second try's judgement carried out for them too, one recipient would have
//! a hold and a delivery.
//!
//! Every mail has to be asked about, clean ones too, and clean mail must not need a disk that works. So the keys of the
//! last days' holds are in memory, and the database is only read for a mail that is among them. That is sound while one
//! process alone takes custody in this store; a store that several gateways share has to read each time.

use super::db::{Failure, Tx};
use super::hold::Before;
use super::holdkey::Window;
use super::{HoldKey, State, Store, StoreError};
use crate::types::Envelope;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use time::OffsetDateTime;

/// Keys of holds, with the latest second of each.
#[derive(Default)]
pub(super) struct Tried(Mutex<Option<HashMap<[u8; 32], i64>>>);

impl Tried {
    /// Before anything is written: from now on a retry of this mail reads the database.
    pub fn note(&self, key: &HoldKey, at: i64) {
        if let Some(known) = self.lock().as_mut() {
            // A hold a second for five days would be 30 MB; what is too old for a retry goes.
            let since = at - Window::Long.seconds();
            if known.len().is_multiple_of(1024) {
                known.retain(|_, seen| *seen >= since);
            }
            known.insert(key.hash, at);
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<HashMap<[u8; 32], i64>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store {
    /// For each recipient of this mail, in their order: where it stands, if an earlier try of the same mail made it ours.
    /// Whoever stands somewhere must get nothing else from this try.
    ///
    /// # Errors
    /// Nobody knows; the client must get a 4xx.
    pub fn earlier(
        &self,
        envelope: &Envelope,
        key: &HoldKey,
        received: OffsetDateTime,
    ) -> Result<Vec<Option<State>>, StoreError> {
        let at = received.unix_timestamp();
        if !self.perhaps_tried(key, at)? {
            return Ok(vec![None; envelope.recipients.len()]);
        }
        self.db().read(|tx| {
            let before = self.held_before(tx, key, at)?;
            let stands = |raw: &[u8]| before.addresses.get(&self.address_hash(raw)).copied();
            Ok(envelope.recipients.iter().map(|r| stands(&r.raw)).collect())
        })
    }

    /// The first question reads the last days' holds, also those of the process before this one.
    fn perhaps_tried(&self, key: &HoldKey, at: i64) -> Result<bool, StoreError> {
        let mut known = self.tried().lock();
        if known.is_none() {
            let since = at - Window::Long.seconds();
            *known = Some(self.db().read(|tx| tx.hold_keys(since))?);
        }
        Ok(known.as_ref().is_none_or(|known| known.contains_key(&key.hash)))
    }

    /// Earlier holds of the same mail.
    pub(super) fn held_before(&self, tx: &Tx<'_>, key: &HoldKey, at: i64) -> Result<Before, Failure> {
        let mut before = Before::default();
        for (n, id, decided) in tx.holds(&key.hash, at - key.window.seconds())? {
            if decided && key.window == Window::Short {
                continue;
            }
            for row in tx
                .recipients(n)?
                .into_iter()
                .filter(|r| !ended_badly(&r.state, r.decided))
            {
                let Some(address) = row.address else { continue };
                before.first.get_or_insert_with(|| super::IncidentId(id.clone()));
                // A word of a later version: ours, whatever it says.
                let state = State::from_word(&row.state).unwrap_or(State::Held);
                before.addresses.insert(address, state);
            }
        }
        Ok(before)
    }
}

/// Somebody, or the clock, or the next hop has said no, and the sender was told. The same mail after that is sent anew, with
/// hope: swallowed as a retry it would be accepted and go nowhere, and nobody would hear of it. A rule's no at intake is
/// no such end: its retry must not be told twice.
fn ended_badly(state: &str, decided: bool) -> bool {
    match State::from_word(state) {
        Some(State::Deleted | State::Expired | State::Failed) => true,
        Some(State::Refused) => decided,
        Some(State::Held | State::Sending | State::Unknown | State::Sent) | None => false,
    }
}
