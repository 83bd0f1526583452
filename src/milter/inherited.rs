//! A socket that systemd opened for us (sd_listen_fds(3)). It stays open while we restart: connections of Postfix wait in
//! its queue instead of being refused, so a restart costs no mail a 4xx.

use super::listener::{Endpoint, ListenError, Peers, Socket};
use listenfd::ListenFd;
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use tokio::net::{TcpListener, UnixListener};

/// The socket that was handed over, if one was. It must be the one that the configuration names: Postfix is set up for that.
pub(super) fn take(endpoint: &Endpoint) -> Result<Option<Socket>, ListenError> {
    let mut handed = ListenFd::from_env();
    match handed.len() {
        0 => Ok(None),
        1 => match endpoint {
            Endpoint::Unix { path, mode, .. } => unix(&mut handed, path, *mode).map(Some),
            Endpoint::Tcp(address) => {
                let at = address.to_string();
                let listener = handed
                    .take_tcp_listener(0)
                    .map_err(|_| other(&at))?
                    .ok_or_else(|| other(&at))?;
                let failed = |error| ListenError::System { at: at.clone(), error };
                if listener.local_addr().map_err(failed)? != *address {
                    return Err(other(&at));
                }
                close_on_exec(&listener);
                listener.set_nonblocking(true).map_err(failed)?;
                TcpListener::from_std(listener)
                    .map(Socket::Tcp)
                    .map(Some)
                    .map_err(failed)
            }
        },
        _ => Err(ListenError::Handed(
            "more than one socket; one socket unit with one ListenStream is enough".to_owned(),
        )),
    }
}

fn unix(handed: &mut ListenFd, path: &Path, mode: u32) -> Result<Socket, ListenError> {
    let at = path.display().to_string();
    let failed = |error| ListenError::System { at: at.clone(), error };
    let listener = handed
        .take_unix_listener(0)
        .map_err(|_| other(&at))?
        .ok_or_else(|| other(&at))?;
    let address = listener.local_addr().map_err(failed)?;
    if address.as_pathname() != Some(path) {
        return Err(other(&at));
    }
    let gid = std::fs::metadata(path).map_err(failed)?.gid();
    close_on_exec(&listener);
    listener.set_nonblocking(true).map_err(failed)?;
    let listener = UnixListener::from_std(listener).map_err(failed)?;
    let peers = Peers::new(gid, mode);
    Ok(Socket::Unix {
        listener,
        file: None,
        peers,
    })
}

/// systemd clears the flag when it hands a socket over; a worker must not get it.
fn close_on_exec(socket: &impl AsFd) {
    if let Err(error) = rustix::io::fcntl_setfd(socket, rustix::io::FdFlags::CLOEXEC) {
        tracing::warn!(%error, "the handed-over socket stays open in workers");
    }
}

fn other(at: &str) -> ListenError {
    ListenError::Handed(format!(
        "another socket than {at}; let `ListenStream=` of the socket unit and `listen:` name the same one"
    ))
}
