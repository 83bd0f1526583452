//! Where Postfix reaches us: a UNIX socket that only its group can open, or TCP on the loopback address.
//!
//! Whoever can talk to this socket can ask whether a number belongs to a protected person, so who may is decided here:
//! the socket's mode, and where the mode lets everybody in, the peer's credentials.

use indymilter::{EitherStream, Listener};
use std::fs;
use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::task::{Context, Poll, ready};
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};

/// `listen:` of the configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Endpoint {
    /// `unix:/path`.
    Unix {
        /// The socket.
        path: PathBuf,
        /// Its mode.
        mode: u32,
        /// Its group, by name or number.
        group: Option<String>,
    },
    /// `inet:127.0.0.1:PORT`.
    Tcp(SocketAddr),
}

/// Why there is no socket, in one sentence for the administrator.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    /// The text cannot be read.
    #[error("listen: {0:?} is neither unix:/path nor inet:127.0.0.1:PORT")]
    Syntax(String),
    /// Not loopback.
    #[error("listen: {0} can be reached from other machines; use a UNIX socket or a loopback address")]
    NotLoopback(SocketAddr),
    /// Not an octal mode.
    #[error("socket_mode: {0:?} is no octal mode such as \"0660\"")]
    Mode(String),
    /// No such group.
    #[error("socket_group: there is no group {0:?} on this machine")]
    Group(String),
    /// Another process serves it.
    #[error("{} is in use by a running process; stop the other cpr-milter first", .0.display())]
    InUse(PathBuf),
    /// Something else stands there.
    #[error("{} is there and is no socket; move it away", .0.display())]
    NoSocket(PathBuf),
    /// Not a member of the group.
    #[error("socket_group: this user may not give {} to the group {group:?}: {error}; add the user that runs cpr-milter to that group", .path.display())]
    Chown {
        /// The socket.
        path: PathBuf,
        /// As configured.
        group: String,
        /// Why.
        error: io::Error,
    },
    /// systemd's socket is not the one that the configuration names.
    #[error("the socket unit hands over {0}")]
    Handed(String),
    /// The system refused.
    #[error("cannot listen on {at}: {error}; {}", remedy(.error))]
    System {
        /// Where.
        at: String,
        /// Why.
        error: io::Error,
    },
}

fn remedy(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::NotFound => {
            "make its folder, owned by the user that runs cpr-milter and open to Postfix's group"
        }
        io::ErrorKind::PermissionDenied => {
            "let the user that runs cpr-milter write the socket's folder, or take a TCP port above 1023"
        }
        io::ErrorKind::AddrInUse => "another program listens there: stop it, or set `listen:` to another port",
        io::ErrorKind::InvalidInput => "the path is too long for a UNIX socket: take one of at most 96 characters",
        _ => "set `listen:` to another place, or look at what the system says is wrong with this one",
    }
}

/// An open socket.
pub enum Socket {
    /// UNIX; the file goes with it.
    Unix {
        /// Accepts.
        listener: UnixListener,
        /// Removed when dropped; none when systemd opened it, and keeps it.
        file: Option<SocketFile>,
        /// Who may.
        peers: Peers,
    },
    /// TCP on loopback.
    Tcp(TcpListener),
}

/// Who may talk to us.
#[derive(Clone, Copy, Debug)]
pub struct Peers {
    uid: u32,
    gid: u32,
    mode: u32,
}

/// The socket in the file system; removed at the end if it is still ours.
pub struct SocketFile {
    path: PathBuf,
    inode: u64,
}

impl Endpoint {
    /// Reads `listen:`, `socket_mode:` and `socket_group:`.
    ///
    /// # Errors
    /// What is wrong with them.
    pub fn parse(listen: &str, mode_text: &str, group: Option<&str>) -> Result<Endpoint, ListenError> {
        let syntax = || ListenError::Syntax(listen.to_owned());
        if let Some(path) = listen.strip_prefix("unix:") {
            if !path.starts_with('/') {
                return Err(syntax());
            }
            let mode = u32::from_str_radix(mode_text, 8).ok().filter(|mode| *mode <= 0o777);
            let mode = mode.ok_or_else(|| ListenError::Mode(mode_text.to_owned()))?;
            return Ok(Endpoint::Unix {
                path: path.into(),
                mode,
                group: group.map(str::to_owned),
            });
        }
        let address = listen
            .strip_prefix("inet:")
            .ok_or_else(syntax)?
            .replace("localhost:", "127.0.0.1:");
        let address: SocketAddr = address.parse().map_err(|_| syntax())?;
        if !address.ip().is_loopback() {
            return Err(ListenError::NotLoopback(address));
        }
        Ok(Endpoint::Tcp(address))
    }

    /// Opens it, or takes it from systemd. Needs a running tokio runtime.
    ///
    /// # Errors
    /// In one sentence for the administrator.
    pub async fn open(&self) -> Result<Socket, ListenError> {
        if let Some(socket) = super::inherited::take(self)? {
            return Ok(socket);
        }
        match self {
            Endpoint::Unix { path, mode, group } => open_unix(path, *mode, group.as_deref()),
            Endpoint::Tcp(address) => {
                let failed = |error| ListenError::System {
                    at: address.to_string(),
                    error,
                };
                TcpListener::bind(address).await.map(Socket::Tcp).map_err(failed)
            }
        }
    }
}

/// Binds under a name of our own, sets owner and mode, and only then moves the socket to its place: there is no moment
/// in which it stands there with the wrong mode, and a stale one is replaced in one step.
fn open_unix(path: &Path, mode: u32, group: Option<&str>) -> Result<Socket, ListenError> {
    let failed = |error| ListenError::System {
        at: path.display().to_string(),
        error,
    };
    refuse_if_taken(path)?;
    let gid = group.map(group_id).transpose()?;
    let mut own = path.as_os_str().to_owned();
    own.push(format!(".{}", std::process::id()));
    let own = PathBuf::from(own);
    let _ = fs::remove_file(&own);
    let listener = UnixListener::bind(&own).map_err(failed)?;
    let given = gid.map_or(Ok(()), |gid| std::os::unix::fs::chown(&own, None, Some(gid)));
    let given = given.map_err(|error| ListenError::Chown {
        path: path.to_owned(),
        group: group.unwrap_or_default().to_owned(),
        error,
    });
    let placed = given.and_then(|()| place(&own, path, mode).map_err(failed));
    if placed.is_err() {
        let _ = fs::remove_file(&own);
    }
    let (inode, gid) = placed?;
    let file = Some(SocketFile {
        path: path.to_owned(),
        inode,
    });
    let peers = Peers::new(gid, mode);
    Ok(Socket::Unix { listener, file, peers })
}

fn place(own: &Path, path: &Path, mode: u32) -> io::Result<(u64, u32)> {
    fs::set_permissions(own, fs::Permissions::from_mode(mode))?;
    let metadata = fs::metadata(own)?;
    fs::rename(own, path)?;
    Ok((metadata.ino(), metadata.gid()))
}

/// A socket that answers belongs to a live process; one that does not was left behind.
fn refuse_if_taken(path: &Path) -> Result<(), ListenError> {
    let Ok(metadata) = fs::symlink_metadata(path) else {
        return Ok(());
    };
    if !metadata.file_type().is_socket() {
        return Err(ListenError::NoSocket(path.to_owned()));
    }
    match std::os::unix::net::UnixStream::connect(path) {
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => Ok(()),
        _ => Err(ListenError::InUse(path.to_owned())),
    }
}

/// A group by number, or by name in `/etc/group`: the standard library has no `getgrnam`, and Postfix's group is local.
fn group_id(group: &str) -> Result<u32, ListenError> {
    if let Ok(gid) = group.parse() {
        return Ok(gid);
    }
    let text = fs::read_to_string("/etc/group").unwrap_or_default();
    let mut lines = text.lines().map(|line| line.split(':'));
    let gid = lines.find_map(|mut f| (f.next() == Some(group)).then(|| f.nth(1)?.parse().ok()).flatten());
    gid.ok_or_else(|| ListenError::Group(group.to_owned()))
}

impl Peers {
    /// Of a socket with this group and mode that we serve.
    pub(super) fn new(gid: u32, mode: u32) -> Peers {
        let uid = rustix::process::geteuid().as_raw();
        Peers { uid, gid, mode }
    }

    /// The kernel has checked the mode already. A mode that lets everybody in is narrowed to root, ourselves and the
    /// socket's group.
    fn admit(&self, uid: u32, gid: u32) -> bool {
        uid == 0 || uid == self.uid || self.mode & 0o007 == 0 || gid == self.gid
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        if fs::symlink_metadata(&self.path).is_ok_and(|metadata| metadata.ino() == self.inode) {
            let _ = fs::remove_file(&self.path);
        }
    }
}

impl Socket {
    /// The address, when it is TCP.
    pub fn tcp_address(&self) -> Option<SocketAddr> {
        match self {
            Socket::Tcp(listener) => listener.local_addr().ok(),
            Socket::Unix { .. } => None,
        }
    }
}

impl Listener for Socket {
    type Io = EitherStream<TcpStream, UnixStream>;

    fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Self::Io>> {
        match self {
            Socket::Tcp(listener) => {
                let (stream, _) = ready!(TcpListener::poll_accept(listener, cx))?;
                // Small packets back and forth: Nagle's wait would cost 40 ms a mail.
                stream.set_nodelay(true)?;
                Poll::Ready(Ok(EitherStream::Tcp(stream)))
            }
            Socket::Unix { listener, peers, .. } => loop {
                let (stream, _) = ready!(UnixListener::poll_accept(listener, cx))?;
                match stream.peer_cred() {
                    Ok(peer) if peers.admit(peer.uid(), peer.gid()) => {
                        return Poll::Ready(Ok(EitherStream::Unix(stream)));
                    }
                    Ok(peer) => tracing::warn!(
                        uid = peer.uid(),
                        "a milter connection was refused: not in the socket's group"
                    ),
                    Err(error) => tracing::warn!(%error, "a milter connection without credentials was refused"),
                }
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unix(path: &Path) -> Endpoint {
        Endpoint::Unix {
            path: path.to_owned(),
            mode: 0o660,
            group: None,
        }
    }

    #[test]
    fn only_unix_sockets_and_loopback_are_listened_on() {
        assert!(matches!(
            Endpoint::parse("unix:/run/x", "0660", None),
            Ok(Endpoint::Unix { mode: 0o660, .. })
        ));
        for good in ["inet:127.0.0.1:8890", "inet:[::1]:8890", "inet:localhost:8890"] {
            assert!(
                matches!(Endpoint::parse(good, "0660", None), Ok(Endpoint::Tcp(_))),
                "{good}"
            );
        }
        for bad in ["inet:0.0.0.0:8890", "inet:10.0.0.1:8890", "inet:[::]:8890"] {
            assert!(
                matches!(Endpoint::parse(bad, "0660", None), Err(ListenError::NotLoopback(_))),
                "{bad}"
            );
        }
        for bad in ["unix:run/x", "/run/x", "inet:8890", "inet:mail.example:1", ""] {
            assert!(
                matches!(Endpoint::parse(bad, "0660", None), Err(ListenError::Syntax(_))),
                "{bad}"
            );
        }
        assert!(matches!(
            Endpoint::parse("unix:/run/x", "rw", None),
            Err(ListenError::Mode(_))
        ));
        assert!(matches!(
            Endpoint::parse("unix:/run/x", "1777", None),
            Err(ListenError::Mode(_))
        ));
    }

    #[tokio::test]
    async fn a_stale_socket_is_replaced_a_live_one_and_a_file_are_not() {
        let dir = tempfile::tempdir().expect("folder");
        let path = dir.path().join("milter.sock");
        drop(std::os::unix::net::UnixListener::bind(&path).expect("bind"));
        assert!(path.exists(), "a stale socket");
        let socket = unix(&path).open().await.expect("replaced");
        assert_eq!(fs::metadata(&path).expect("there").mode() & 0o777, 0o660);
        assert!(matches!(unix(&path).open().await, Err(ListenError::InUse(_))));
        drop(socket);
        assert!(!path.exists(), "removed at the end");
        assert_eq!(
            fs::read_dir(dir.path()).expect("folder").count(),
            0,
            "nothing left behind"
        );
        fs::write(&path, "x").expect("write");
        assert!(matches!(unix(&path).open().await, Err(ListenError::NoSocket(_))));
    }

    #[tokio::test]
    async fn a_successors_socket_is_not_removed() {
        let dir = tempfile::tempdir().expect("folder");
        let path = dir.path().join("milter.sock");
        let first = unix(&path).open().await.expect("open");
        fs::remove_file(&path).expect("gone");
        let second = unix(&path).open().await.expect("open");
        drop(first);
        assert!(path.exists());
        drop(second);
    }

    #[test]
    fn a_mode_for_everybody_is_narrowed_to_the_group() {
        let (ours, group) = (1_000, 200);
        let closed = Peers {
            uid: ours,
            gid: group,
            mode: 0o660,
        };
        let open = Peers {
            uid: ours,
            gid: group,
            mode: 0o666,
        };
        assert!(closed.admit(77, 77), "the kernel has checked the group");
        assert!(!open.admit(77, 77));
        assert!(open.admit(0, 0) && open.admit(ours, 77) && open.admit(77, group));
    }

    #[test]
    fn groups_are_found_by_name_and_number() {
        assert_eq!(group_id("0").ok(), Some(0));
        assert_eq!(group_id("root").ok(), Some(0));
        assert!(group_id("no such group").is_err());
    }
}
