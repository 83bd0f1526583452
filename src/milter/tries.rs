//! Tries of one mail take turns.
//!
//! When Postfix's patience or our own deadline ends, or Postfix's `cleanup` dies, the client is told 4xx while our first
//! try may still be writing its hold (reliability A5, A8). Were the second try judged at that moment, it would not yet find
//! the hold, and could leave with Postfix whom the first one takes over. So from looking for an earlier hold until its own
//! is written or given up, a try has the mail to itself.

use super::world::{Trouble, World};
use crate::milter::judge::Case;
use crate::store::State;
use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::OwnedMutexGuard;

/// Mails of which a try is in work.
pub struct Tries<K>(Mutex<HashMap<K, Arc<tokio::sync::Mutex<()>>>>);

/// A try whose turn it is; the next one's begins when this is dropped. So it must be kept until nothing more can be
/// written about the mail, also when nobody waits for that any more.
pub struct Try<K> {
    // Private, so that a closure that reads the key takes the turn along with it.
    key: K,
    _turn: OwnedMutexGuard<()>,
}

impl<K> Try<K> {
    /// What every try of the mail is known by.
    pub fn key(&self) -> &K {
        &self.key
    }
}

impl<K: Clone + Eq + Hash> Tries<K> {
    /// Nothing in work.
    pub fn new() -> Tries<K> {
        Tries(Mutex::default())
    }

    /// Waits until no other try of this mail is in work.
    pub async fn turn(&self, key: K) -> Try<K> {
        let lock = {
            let mut locks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            locks.retain(|_, lock| Arc::strong_count(lock) > 1);
            Arc::clone(locks.entry(key.clone()).or_default())
        };
        let turn = lock.lock_owned().await;
        Try { key, _turn: turn }
    }
}

/// The turn of this mail's try, and for each recipient where it stands if an earlier try made it ours.
///
/// # Errors
/// Nobody knows what an earlier try did: 4xx.
pub async fn earlier<W: World>(
    world: &Arc<W>,
    tries: &Tries<W::Key>,
    case: &Arc<Case>,
) -> Result<(Try<W::Key>, Vec<Option<State>>), Trouble> {
    let (its_world, its_case) = (Arc::clone(world), Arc::clone(case));
    // It reads the whole mail.
    let key = tokio::task::spawn_blocking(move || its_world.key(&its_case.envelope, &its_case.mail));
    let tried = tries.turn(key.await.map_err(|_| Trouble::Panicked)?).await;
    let ours = world
        .earlier(tried.key().clone(), &case.envelope, case.received)
        .await?;
    if ours.len() == case.envelope.recipients.len() {
        Ok((tried, ours))
    } else {
        Err(Trouble::Store {
            why: "it did not answer for every recipient".to_owned(),
            full: false,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;
    use tokio::time::timeout;

    #[tokio::test]
    async fn one_mail_has_one_turn_and_another_mail_does_not_wait() {
        let tries = Tries::new();
        let first = tries.turn("a").await;
        let soon = Duration::from_millis(50);
        assert!(timeout(soon, tries.turn("a")).await.is_err());
        assert!(timeout(soon, tries.turn("b")).await.is_ok());
        drop(first);
        assert!(timeout(soon, tries.turn("a")).await.is_ok());
        assert!(tries.0.lock().expect("no panic under the lock").len() <= 2, "forgotten");
    }
}
