//! The courier's loop: claim, send, write down, until told to stop.
//!
//! One thread of its own, since store and SMTP both block; a mail that hangs must not hold up the program's end, so it is
//! left behind with its lease, and the next courier finds it and sends it again under the same Message-ID.

use super::carry::{Carried, Carrier, Voice};
use super::gateway::Gateways;
use super::outbox::{LEASE, Outbox, Task, next_try};
use super::smtp::{Peer, Timeouts};
use crate::config::Config;
use crate::store::{JobKind, Outcome, StoreError};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};
use time::OffsetDateTime;
use tokio::sync::{oneshot, watch};

/// How often the outbox is looked at, how long we wait for whom.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// Between two looks at an empty outbox.
    pub poll: Duration,
    /// After finding nobody at the listener, or the store unusable.
    pub pause: Duration,
    /// Between two expiries.
    pub sweep: Duration,
    /// For a mail in hand when told to stop.
    pub grace: Duration,
    /// Of the dialogue.
    pub smtp: Timeouts,
}

impl Default for Pace {
    fn default() -> Pace {
        Pace {
            poll: Duration::from_secs(1),
            pause: Duration::from_secs(10),
            sweep: Duration::from_secs(3600),
            grace: Duration::from_secs(20),
            smtp: Timeouts::default(),
        }
    }
}

/// Why the courier cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum CourierError {
    /// The store will not become usable by waiting.
    #[error("the courier cannot work: {0}")]
    Store(StoreError),
    /// No thread.
    #[error("the courier could not be started: {0}")]
    Thread(std::io::Error),
    /// The thread is gone.
    #[error("the courier ended unexpectedly")]
    Gone,
}

/// Sends what is owed until `stop` becomes true (or its sender is gone).
///
/// # Errors
/// Only what waiting does not mend: no private key, a damaged store.
pub async fn run<O: Outbox>(
    config: Config,
    outbox: O,
    voice: Voice,
    stop: watch::Receiver<bool>,
) -> Result<(), CourierError> {
    run_at(Pace::default(), config, outbox, voice, stop).await
}

/// As [`run`], at another pace.
///
/// # Errors
/// As [`run`].
pub async fn run_at<O: Outbox>(
    pace: Pace,
    config: Config,
    outbox: O,
    voice: Voice,
    mut stop: watch::Receiver<bool>,
) -> Result<(), CourierError> {
    let (told, tell) = channel::<()>();
    let (finish, mut finished) = oneshot::channel();
    let peer = Peer::new(&config.reinject, &config.hostname, pace.smtp);
    let carrier = Carrier {
        outbox,
        config,
        voice,
        peer,
        gateways: Gateways::new(pace.smtp),
    };
    // A thread of our own: tokio waits for its blocking threads at the end, however long they hang.
    let courier = move || {
        let mut round = Round {
            carrier,
            pace,
            stop: tell,
        };
        let _ = finish.send(round.go());
    };
    std::thread::Builder::new()
        .name("courier".to_owned())
        .spawn(courier)
        .map_err(CourierError::Thread)?;
    tokio::select! {
        ended = &mut finished => return ended.unwrap_or(Err(CourierError::Gone)),
        _ = stop.wait_for(|&stop| stop) => {}
    }
    drop(told);
    match tokio::time::timeout(pace.grace, finished).await {
        Ok(ended) => ended.unwrap_or(Err(CourierError::Gone)),
        Err(_) => {
            tracing::warn!("stopped with a mail in hand; it will be sent again, with the same Message-ID");
            Ok(())
        }
    }
}

struct Round<O: Outbox> {
    carrier: Carrier<O>,
    pace: Pace,
    /// Nothing is ever sent on it: that the other end is gone is the message.
    stop: Receiver<()>,
}

impl<O: Outbox> Round<O> {
    fn go(&mut self) -> Result<(), CourierError> {
        let mut swept: Option<Instant> = None;
        loop {
            if swept.is_none_or(|at| at.elapsed() >= self.pace.sweep) {
                swept = Some(Instant::now());
                self.sweep();
            }
            let wait = match self.carrier.outbox.claim(OffsetDateTime::now_utc(), LEASE) {
                Ok(Some((task, ticket))) => self.one(&task, &ticket)?,
                Ok(None) => {
                    self.carrier.peer.close();
                    self.carrier.gateways.close();
                    self.pace.poll
                }
                Err(error) => self.endured(error)?,
            };
            if self.stopped_within(wait) {
                self.carrier.peer.close();
                self.carrier.gateways.close();
                return Ok(());
            }
        }
    }

    /// Carries one entry and writes down what became of it; gives back how long to wait then.
    fn one(&mut self, task: &Task, ticket: &O::Ticket) -> Result<Duration, CourierError> {
        // A panic below would end the courier and with it every notice; what it was about may have been sent.
        let carried = catch_unwind(AssertUnwindSafe(|| self.carrier.carry(task, ticket)));
        let carried = match carried {
            Ok(Ok(carried)) => carried,
            Ok(Err(error)) => return self.unopened(task, ticket, error),
            Err(_) => {
                self.carrier.peer.abandon();
                self.carrier.gateways.abandon();
                fallen(task)
            }
        };
        log(task, &carried.outcome);
        self.settle(task, ticket, &carried.outcome);
        Ok(if carried.away { self.pace.pause } else { Duration::ZERO })
    }

    /// The store would not open the entry, or not count the notice. What ails the store is waited for; what ails this entry
    /// alone (damaged, or held under a key that is not there now) makes nobody else wait, and is not given up: the key may
    /// come back, and without it the sender cannot be told.
    fn unopened(&mut self, task: &Task, ticket: &O::Ticket, error: StoreError) -> Result<Duration, CourierError> {
        let outcome = match &error {
            StoreError::Shredded(_) | StoreError::Unknown(_) => Outcome::Failed {
                reply: "the content is no longer there".to_owned(),
            },
            StoreError::LeaseLost => return Ok(Duration::ZERO),
            _ => Outcome::Retry {
                reply: "the store could not open it".to_owned(),
                at: try_again(task).unwrap_or_else(|| OffsetDateTime::now_utc() + time::Duration::hours(1)),
            },
        };
        let alone = matches!(
            error,
            StoreError::Shredded(_) | StoreError::Unknown(_) | StoreError::Unusable(_)
        );
        let fatal = matches!(error, StoreError::Sealed);
        tracing::error!(incident = %task.incident, kind = word(&task.kind), "cannot be opened: {error}");
        self.settle(task, ticket, &outcome);
        match (fatal, alone) {
            (true, _) => Err(CourierError::Store(error)),
            (false, true) => Ok(Duration::ZERO),
            (false, false) => Ok(self.pace.pause),
        }
    }

    /// Writes it down, with patience: a 250 that is not written down is sent again.
    fn settle(&mut self, task: &Task, ticket: &O::Ticket, outcome: &Outcome) {
        let begun = Instant::now();
        // Half of the lease: after all of it somebody else may have the entry.
        let patience = Duration::from_secs(LEASE.whole_seconds().unsigned_abs() / 2);
        loop {
            let error = match self.carrier.outbox.settle(ticket, outcome, OffsetDateTime::now_utc()) {
                Ok(()) => return,
                Err(error) => error,
            };
            let lost = matches!(
                error,
                StoreError::LeaseLost | StoreError::Unknown(_) | StoreError::Refused(_)
            );
            if lost || begun.elapsed() > patience || self.stopped_within(self.pace.poll) {
                tracing::error!(incident = %task.incident, kind = word(&task.kind),
                    "what became of it was not written down ({error}); it may be sent again, with the same Message-ID");
                return;
            }
        }
    }

    fn sweep(&mut self) {
        let keep = time::Duration::days(i64::from(self.carrier.config.retention.findings_days));
        match self.carrier.outbox.sweep(OffsetDateTime::now_utc(), keep) {
            Ok(swept) if swept.postponed => tracing::warn!(
                "the clock is more than two days ahead of the last look: held mail past its time is kept for another day; \
                 if this machine was not off that long, put its clock right"
            ),
            Ok(swept) => tracing::info!(
                expired = swept.expired,
                shredded = swept.shredded,
                purged = swept.purged,
                "looked for what is past its time"
            ),
            Err(error) => tracing::error!("could not expire held mail: {error}; tried again in an hour"),
        }
    }

    /// Waits for a store that is busy or full; gives up on one that waiting does not mend.
    fn endured(&mut self, error: StoreError) -> Result<Duration, CourierError> {
        match error {
            StoreError::Sealed | StoreError::Corrupt { .. } | StoreError::Newer { .. } | StoreError::Key { .. } => {
                Err(CourierError::Store(error))
            }
            error => {
                tracing::error!("the outbox cannot be read: {error}");
                Ok(self.pace.pause)
            }
        }
    }

    fn stopped_within(&self, wait: Duration) -> bool {
        matches!(self.stop.recv_timeout(wait), Err(RecvTimeoutError::Disconnected))
    }
}

/// After a panic: it may have been sent. A mail that makes us panic at every try is given up like any other.
fn fallen(task: &Task) -> Carried {
    let reply = "the courier failed while sending".to_owned();
    let outcome = match try_again(task) {
        Some(at) => Outcome::Unknown {
            reply,
            at: at.max(OffsetDateTime::now_utc() + time::Duration::hours(1)),
        },
        None => Outcome::Failed { reply },
    };
    Carried { outcome, away: false }
}

fn try_again(task: &Task) -> Option<OffsetDateTime> {
    next_try(task.attempts, task.created, OffsetDateTime::now_utc())
}

fn word(kind: &JobKind) -> &'static str {
    match kind {
        JobKind::Delivery { .. } => "delivery",
        JobKind::Notice => "notice",
        JobKind::Copy { .. } => "copy of the notice",
        JobKind::Dsn { .. } => "dsn",
    }
}

/// Codes and counts only: replies quote addresses.
fn log(task: &Task, outcome: &Outcome) {
    let incident = &task.incident;
    let kind = word(&task.kind);
    let attempts = task.attempts;
    let code = |reply: &str| -> String { reply.chars().take_while(char::is_ascii_digit).take(3).collect() };
    match outcome {
        Outcome::Sent { queue_id, .. } => {
            let queue_id = queue_id.as_deref().unwrap_or("-");
            tracing::info!(%incident, kind, attempts, queue_id, uncertain = task.uncertain, "sent");
        }
        Outcome::Failed { reply } => tracing::error!(%incident, kind, attempts, code = code(reply), "refused for good"),
        // The fourth try is twenty minutes after the first: no longer a restart of Postfix.
        Outcome::Retry { reply, .. } if attempts >= 3 => tracing::error!(%incident, kind, attempts, code = code(reply),
            gateway = task.gateway.as_deref(),
            "still not taken; look at the SMTP listener that `reinject` names, or the gateway"),
        Outcome::Retry { reply, .. } => tracing::warn!(%incident, kind, attempts, code = code(reply), "not taken yet"),
        Outcome::Unknown { .. } => tracing::error!(%incident, kind, attempts,
            "no answer after the final dot; it may have been delivered, and will be sent again with the same Message-ID"),
        Outcome::NotNeeded { why } => tracing::info!(%incident, kind, why, "not needed"),
    }
}
