//! Judgements of mails that pass without a word, written many at once by a thread of their own: nobody waits for them, and
//! the disk is synced once for all of a second.

use crate::store::{Judged, Store};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::{Duration, Instant};

/// Judgements that may wait.
const WAITING: usize = 2_000;
/// Judgements written at once.
const AT_ONCE: usize = 500;
/// How long one waits for others.
const TOGETHER: Duration = Duration::from_secs(1);

/// Where to put them; cheap to clone. The thread ends with the last clone, what waits written.
#[derive(Clone)]
pub struct Notes {
    sender: SyncSender<Judged>,
}

impl Notes {
    /// Starts the thread.
    ///
    /// # Errors
    /// The system gives no thread.
    pub fn start(store: Store) -> std::io::Result<Notes> {
        let (sender, receiver) = sync_channel(WAITING);
        std::thread::Builder::new()
            .name("notes".to_owned())
            .spawn(move || write_all(&store, &receiver))?;
        Ok(Notes { sender })
    }

    /// Never waits: over the limit a judgement is dropped, and a replay counts one mail less.
    pub fn add(&self, judged: Judged) {
        if self.sender.try_send(judged).is_err() {
            tracing::warn!(
                "the store is too slow: what a mail was judged from was not kept for replay; no mail is affected"
            );
        }
    }
}

fn write_all(store: &Store, receiver: &Receiver<Judged>) {
    while let Ok(first) = receiver.recv() {
        let mut batch = vec![first];
        let until = Instant::now() + TOGETHER;
        while batch.len() < AT_ONCE {
            match receiver.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Ok(judged) => batch.push(judged),
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => break,
            }
        }
        if let Err(error) = store.note(&batch) {
            let judgements = batch.len();
            tracing::warn!(judgements, "not kept for replay, no mail is affected: {error}");
        }
    }
}
