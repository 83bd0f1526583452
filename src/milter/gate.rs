//! The listener that the milter library gets: one that survives what ends the library's own loop.
//!
//! The library leaves its accept loop at the first error, `EMFILE` included, waits two hours for a silent peer, and cuts
//! sessions in the middle of a mail when told to stop. So here: passing errors are waited out, a peer must say its first
//! word in time, and stopping means that nobody new comes in.

use indymilter::Listener;
use rustix::io::Errno;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

/// Pause after an error that only time can mend.
const PAUSE: Duration = Duration::from_millis(200);
/// Bytes of the first packet of the protocol: length, command, version, actions, options.
const FIRST_PACKET: usize = 17;

/// A listener in front of the library.
pub struct Gate<L> {
    /// `None` when we are stopping; the socket is closed then.
    inner: Option<L>,
    stop: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
    pause: Option<Pin<Box<Sleep>>>,
    first_command: Duration,
    count: Arc<Count>,
}

/// A connection that must say its first word in time.
pub struct Guarded<S> {
    stream: S,
    deadline: Option<Pin<Box<Sleep>>>,
    received: usize,
    _place: Place,
}

/// Open connections.
struct Count {
    open: AtomicUsize,
    limit: usize,
    alarmed: AtomicBool,
}

/// One of them.
struct Place(Arc<Count>);

impl<L> Gate<L> {
    /// A gate that closes when `stop` is done. `limit` is what the library is told; here it only makes the alarm.
    pub fn new(
        inner: L,
        limit: usize,
        first_command: Duration,
        stop: impl Future<Output = ()> + Send + 'static,
    ) -> Gate<L> {
        let count = Count {
            open: AtomicUsize::new(0),
            limit: limit.max(1),
            alarmed: AtomicBool::new(false),
        };
        Gate {
            inner: Some(inner),
            stop: Some(Box::pin(stop)),
            pause: None,
            first_command,
            count: Arc::new(count),
        }
    }

    fn stopping(&mut self, cx: &mut Context<'_>) -> bool {
        if let Some(stop) = &mut self.stop
            && stop.as_mut().poll(cx).is_ready()
        {
            self.stop = None;
            self.inner = None;
        }
        self.inner.is_none()
    }
}

impl<L: Listener + Unpin> Listener for Gate<L> {
    type Io = Guarded<L::Io>;

    fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Self::Io>> {
        loop {
            if self.stopping(cx) {
                return Poll::Pending;
            }
            if let Some(pause) = &mut self.pause {
                ready!(pause.as_mut().poll(cx));
                self.pause = None;
            }
            let Some(inner) = &mut self.inner else {
                return Poll::Pending;
            };
            match ready!(inner.poll_accept(cx)) {
                Ok(stream) => {
                    let deadline = Some(Box::pin(sleep(self.first_command)));
                    let place = Count::enter(&self.count);
                    return Poll::Ready(Ok(Guarded {
                        stream,
                        deadline,
                        received: 0,
                        _place: place,
                    }));
                }
                Err(error) if of_the_peer(&error) => {
                    tracing::debug!(%error, "a connection broke before it was accepted")
                }
                Err(error) if passing(&error) => {
                    tracing::error!(%error, "cannot accept milter connections, trying again; raise LimitNOFILE or memory");
                    self.pause = Some(Box::pin(sleep(PAUSE)));
                }
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
    }
}

fn of_the_peer(error: &io::Error) -> bool {
    is_one_of(error, &[Errno::CONNABORTED, Errno::INTR, Errno::PROTO, Errno::PERM])
}

fn passing(error: &io::Error) -> bool {
    is_one_of(error, &[Errno::MFILE, Errno::NFILE, Errno::NOMEM, Errno::NOBUFS])
}

fn is_one_of(error: &io::Error, codes: &[Errno]) -> bool {
    error
        .raw_os_error()
        .is_some_and(|raw| codes.iter().any(|code| code.raw_os_error() == raw))
}

impl Count {
    fn enter(count: &Arc<Count>) -> Place {
        let open = count.open.fetch_add(1, Ordering::Relaxed) + 1;
        let (limit, percent) = (count.limit, open * 100 / count.limit);
        if percent >= 80 && !count.alarmed.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                open,
                limit,
                "milter connections are running out; raise milter.connections"
            );
        }
        if open == limit {
            tracing::error!(
                open,
                limit,
                "all milter connections are taken: further mail waits, then gets 451"
            );
        }
        Place(Arc::clone(count))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let open = self.0.open.fetch_sub(1, Ordering::Relaxed) - 1;
        if open * 100 / self.0.limit < 60 {
            self.0.alarmed.store(false, Ordering::Relaxed);
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Guarded<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if let Some(deadline) = &mut self.deadline
            && deadline.as_mut().poll(cx).is_ready()
        {
            tracing::warn!("a milter connection was silent for too long and is closed");
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        let before = buf.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(cx, buf))?;
        if self.deadline.is_some() {
            self.received += buf.filled().len().saturating_sub(before);
            if self.received >= FIRST_PACKET {
                self.deadline = None;
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Guarded<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::VecDeque;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};

    /// Gives what it was told to give, then waits for ever.
    struct Script(VecDeque<io::Result<DuplexStream>>);

    impl Listener for Script {
        type Io = DuplexStream;

        fn poll_accept(&mut self, _cx: &mut Context<'_>) -> Poll<io::Result<DuplexStream>> {
            self.0.pop_front().map_or(Poll::Pending, Poll::Ready)
        }
    }

    fn error(code: Errno) -> io::Result<DuplexStream> {
        Err(io::Error::from_raw_os_error(code.raw_os_error()))
    }

    fn gate(script: Vec<io::Result<DuplexStream>>) -> Gate<Script> {
        Gate::new(
            Script(script.into()),
            10,
            Duration::from_millis(200),
            std::future::pending(),
        )
    }

    #[tokio::test]
    async fn errors_that_pass_are_waited_out() {
        for code in [
            Errno::MFILE,
            Errno::NFILE,
            Errno::NOMEM,
            Errno::NOBUFS,
            Errno::CONNABORTED,
            Errno::INTR,
        ] {
            let mut gate = gate(vec![error(code), error(code), Ok(duplex(64).1)]);
            assert!(gate.accept().await.is_ok(), "{code:?}");
        }
        assert!(gate(vec![error(Errno::BADF)]).accept().await.is_err());
    }

    #[tokio::test]
    async fn a_silent_or_dribbling_peer_is_cut_off_and_one_that_spoke_is_not() {
        for (said, cut) in [(0, true), (16, true), (17, false)] {
            let (mut peer, ours) = duplex(64);
            let mut stream = gate(vec![Ok(ours)]).accept().await.expect("accepted");
            peer.write_all(&vec![1; said]).await.expect("written");
            let mut buf = vec![0; said];
            stream.read_exact(&mut buf).await.expect("read");
            let next = tokio::time::timeout(Duration::from_secs(1), stream.read_u8()).await;
            assert_eq!(matches!(next, Ok(Err(_))), cut, "{said} bytes");
        }
    }

    #[tokio::test]
    async fn nobody_comes_in_when_we_stop() {
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let script = Script(VecDeque::from([Ok(duplex(64).1)]));
        let mut gate = Gate::new(script, 10, Duration::from_secs(10), async move {
            let _ = stopped.await;
        });
        drop(stop);
        assert!(
            tokio::time::timeout(Duration::from_millis(50), gate.accept())
                .await
                .is_err()
        );
        assert!(gate.inner.is_none());
    }

    #[tokio::test]
    async fn places_are_given_back() {
        let mut gate = gate(vec![Ok(duplex(64).1), Ok(duplex(64).1)]);
        let count = Arc::clone(&gate.count);
        let (a, b) = (gate.accept().await, gate.accept().await);
        assert_eq!(count.open.load(Ordering::Relaxed), 2);
        drop((a, b));
        assert_eq!(count.open.load(Ordering::Relaxed), 0);
    }
}
