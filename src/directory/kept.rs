//! One list that is read as a whole, and how long it holds.

use super::Times;
use super::ldap::Ldap;
use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// A silent directory is not asked again before.
const RETRY: Duration = Duration::from_secs(10);
/// For reading one group, however large. A mail waits less; the reading goes on without it.
const READING: Duration = Duration::from_secs(120);

type List = Arc<HashSet<String>>;

/// The members of one group, as [`crate::types::Address::key`].
pub(super) struct Kept {
    name: String,
    good: Mutex<Option<(List, Instant)>>,
    /// One reading at a time; when the last one failed, and why.
    reading: tokio::sync::Mutex<Option<(Instant, String)>>,
}

impl Kept {
    pub fn new(name: &str) -> Kept {
        Kept {
            name: name.to_owned(),
            good: Mutex::new(None),
            reading: tokio::sync::Mutex::new(None),
        }
    }

    /// The list, as new as `refresh` says; when nobody answers, the last good one until it is too old.
    pub async fn current(self: &Arc<Self>, ldap: &Arc<Ldap>, times: Times, until: Instant) -> Result<List, String> {
        if let Some(list) = self.younger_than(times.refresh) {
            return Ok(list);
        }
        // A task of its own: a mail that gives up waiting does not end the reading for the others, and a panic in a
        // decoder is an answer that did not come.
        let renewed = tokio::spawn(Arc::clone(self).renew(Arc::clone(ldap), times));
        let why = match tokio::time::timeout_at(until.into(), renewed).await {
            Ok(Ok(Ok(list))) => return Ok(list),
            Ok(Ok(Err(why))) => why,
            Ok(Err(_)) => "what the directory sent cannot be read".to_owned(),
            Err(_) => "no answer in time".to_owned(),
        };
        self.younger_than(times.stale_after).ok_or(why)
    }

    fn younger_than(&self, age: Duration) -> Option<List> {
        let good = self.good.lock().unwrap_or_else(PoisonError::into_inner);
        good.as_ref()
            .filter(|(_, at)| at.elapsed() < age)
            .map(|(list, _)| Arc::clone(list))
    }

    async fn renew(self: Arc<Self>, ldap: Arc<Ldap>, times: Times) -> Result<List, String> {
        let mut reading = self.reading.lock().await;
        if let Some(list) = self.younger_than(times.refresh) {
            return Ok(list);
        }
        if let Some((at, why)) = reading
            .as_ref()
            .filter(|(at, _)| at.elapsed() < RETRY.min(times.refresh))
        {
            tracing::debug!(group = %self.name, ago = ?at.elapsed(), "not asked again yet");
            return Err(why.clone());
        }
        let read = tokio::time::timeout(READING, ldap.members(&self.name)).await;
        match read.unwrap_or_else(|_| Err("no answer in time".to_owned())) {
            Ok(list) => {
                if reading.take().is_some() {
                    tracing::info!(group = %self.name, members = list.len(), "the directory answers again");
                }
                let list = Arc::new(list);
                *self.good.lock().unwrap_or_else(PoisonError::into_inner) = Some((Arc::clone(&list), Instant::now()));
                Ok(list)
            }
            Err(why) => {
                self.alarm(&why, times);
                *reading = Some((Instant::now(), why.clone()));
                Err(why)
            }
        }
    }

    fn alarm(&self, why: &str, times: Times) {
        let good = self.good.lock().unwrap_or_else(PoisonError::into_inner);
        let left = good
            .as_ref()
            .and_then(|(_, at)| times.stale_after.checked_sub(at.elapsed()));
        match left {
            Some(left) => tracing::error!(
                group = %self.name, seconds_left = left.as_secs(),
                "the LDAP group cannot be read, its last good members hold so long: {why}"
            ),
            None => tracing::error!(
                group = %self.name,
                "the LDAP group cannot be read and its members are not known, mail with findings gets a 4xx: {why}"
            ),
        }
    }
}
