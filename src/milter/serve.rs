//! Runs the milter from the open socket to an orderly stop, and holds what all sessions share.

use super::callbacks::callbacks;
use super::gate::Gate;
use super::listener::Socket;
use super::negotiate;
use super::spool::Bytes;
use super::tries::Tries;
use super::world::World;
use arc_swap::ArcSwap;
use std::future::Future;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// How long those who were let in may still begin a message.
const GRACE: Duration = Duration::from_millis(500);

/// After the last message: for its last reply to be written.
const LAST_WORD: Duration = Duration::from_secs(5);

/// What all sessions share. A reload swaps the world; messages in hand keep the one that they began with.
pub struct Shared<W: World> {
    world: ArcSwap<W>,
    bytes: Arc<Bytes>,
    tries: Arc<Tries<W::Key>>,
    /// Messages between MAIL and their final reply.
    in_hand: Arc<watch::Sender<usize>>,
    /// Nobody new is let in.
    closing: watch::Sender<bool>,
    /// No message begins any more.
    stopping: watch::Sender<bool>,
}

/// One message between MAIL and its final reply.
pub struct InHand(Arc<watch::Sender<usize>>);

impl Drop for InHand {
    fn drop(&mut self) {
        self.0.send_modify(|n| *n = n.saturating_sub(1));
    }
}

impl<W: World> Shared<W> {
    /// Begins with this world.
    pub fn new(world: Arc<W>) -> Shared<W> {
        Shared {
            world: ArcSwap::new(world),
            bytes: Arc::default(),
            tries: Arc::new(Tries::new()),
            in_hand: Arc::new(watch::channel(0).0),
            closing: watch::channel(false).0,
            stopping: watch::channel(false).0,
        }
    }

    /// From the next MAIL on, this world.
    pub fn swap(&self, world: Arc<W>) {
        self.world.store(world);
    }

    /// The world of now.
    pub fn world(&self) -> Arc<W> {
        self.world.load_full()
    }

    /// Messages in hand.
    pub fn messages_in_hand(&self) -> usize {
        *self.in_hand.borrow()
    }

    pub(super) fn bytes(&self) -> Arc<Bytes> {
        Arc::clone(&self.bytes)
    }

    pub(super) fn tries(&self) -> Arc<Tries<W::Key>> {
        Arc::clone(&self.tries)
    }

    /// One message more; `None` when we are stopping.
    pub(super) fn begin(&self) -> Option<InHand> {
        if *self.stopping.borrow() {
            return None;
        }
        self.in_hand.send_modify(|n| *n += 1);
        Some(InHand(Arc::clone(&self.in_hand)))
    }

    /// Waits for `shutdown`, lets nobody new in, then waits for the messages in hand, `drain` at most. Who was let in a moment
    /// before may still bring a message: Postfix's cleanup opens a connection for each one, and would put off its mail.
    async fn stop(&self, shutdown: impl Future<Output = ()>, drain: Duration) -> Served {
        shutdown.await;
        self.closing.send_replace(true);
        tokio::time::sleep(GRACE).await;
        self.stopping.send_replace(true);
        let mut in_hand = self.in_hand.subscribe();
        match tokio::time::timeout(drain, in_hand.wait_for(|n| *n == 0)).await {
            Ok(_) => Served::Finished,
            Err(_) => Served::CutOff(*self.in_hand.borrow()),
        }
    }

    fn stops(&self) -> impl Future<Output = ()> + Send + 'static {
        let mut closing = self.closing.subscribe();
        async move {
            // An error means that the sender is gone, and with it every reason to go on.
            let _ = closing.wait_for(|closing| *closing).await;
        }
    }
}

/// How to serve; fixed for the life of the process.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// Connections at once.
    pub connections: usize,
    /// How long a new connection may stay silent.
    pub first_command: Duration,
    /// How long a stop waits for messages in hand.
    pub drain: Duration,
}

impl Settings {
    /// From the configuration.
    pub fn of(milter: &crate::config::Milter) -> Settings {
        Settings {
            connections: milter.connections.max(1),
            first_command: Duration::from_secs(milter.first_command_seconds.max(1)),
            drain: Duration::from_secs(milter.deadline_seconds),
        }
    }
}

/// How it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Served {
    /// Every message in hand had its reply.
    Finished,
    /// So many had not; their clients got a 4xx and send them again.
    CutOff(usize),
}

/// Serves until `shutdown` is done, then stops in order: nobody new, messages in hand finished, socket removed.
///
/// # Errors
/// The listener failed in a way that waiting does not mend.
pub async fn run<W: World>(
    socket: Socket,
    shared: Arc<Shared<W>>,
    settings: Settings,
    shutdown: impl Future<Output = ()> + Send,
) -> io::Result<Served> {
    let gate = Gate::new(socket, settings.connections, settings.first_command, shared.stops());
    let config = indymilter::Config {
        max_connections: settings.connections,
        actions: negotiate::ACTIONS,
        ..indymilter::Config::default()
    };
    let (drained, mut ended) = watch::channel(None);
    let stop = async {
        drained.send_replace(Some(shared.stop(shutdown, settings.drain).await));
    };
    let milter = indymilter::run(gate, callbacks(Arc::clone(&shared)), config, stop);
    // The library waits for running callbacks for ever; they have their own deadlines, and this is the last one.
    let mut last_word = ended.clone();
    let last = async {
        let _ = last_word.wait_for(Option::is_some).await;
        tokio::time::sleep(LAST_WORD).await;
    };
    tokio::select! {
        result = milter => result?,
        () = last => {}
    }
    Ok(ended.borrow_and_update().unwrap_or(Served::Finished))
}
