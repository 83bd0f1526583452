//! The console's socket: loopback, or a UNIX socket for the proxy in front.

use super::{Desk, answer};
use crate::config::ConsoleAt;
use crate::review::Review;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, UnixListener};
use tokio::sync::watch;

/// Why there is no console.
#[derive(Debug, thiserror::Error)]
pub enum ConsoleError {
    /// `console:` is wrong.
    #[error("{0}")]
    Settings(String),
    /// The place cannot be listened at.
    #[error("the console cannot listen at {at}: {error}; is another one running, and may this user listen there?")]
    Listen {
        /// Where.
        at: String,
        /// Why.
        error: std::io::Error,
    },
}

/// Between two looks for mail that the queue knows nothing of yet.
const LOOK: Duration = Duration::from_secs(1);

/// Serves until `stop` becomes true. Returns at once when the configuration asks for no console.
///
/// # Errors
/// It cannot listen.
pub async fn serve(review: Arc<Review>, mut stop: watch::Receiver<bool>) -> Result<(), ConsoleError> {
    let settings = review.config().console.clone();
    let Some(place) = settings.place().map_err(ConsoleError::Settings)? else {
        let _ = stop.wait_for(|&stop| stop).await;
        return Ok(());
    };
    let failed = |at: &str| {
        let at = at.to_owned();
        move |error| ConsoleError::Listen { at, error }
    };
    let app = answer::app(Arc::new(Desk::new(Arc::clone(&review))));
    let marking = tokio::spawn(mark(review));
    let mut told = stop.clone();
    let end = async move {
        let _ = told.wait_for(|&stop| stop).await;
    };
    let served = match &place {
        ConsoleAt::Loopback(address) => {
            let listener = TcpListener::bind(address).await.map_err(failed(&settings.listen))?;
            tracing::info!(listen = %settings.listen, "console");
            axum::serve(listener, app).with_graceful_shutdown(end).await
        }
        ConsoleAt::Unix(path) => {
            let listener = unix(path, &settings.socket_mode).map_err(failed(&settings.listen))?;
            tracing::info!(listen = %settings.listen, "console");
            let served = axum::serve(listener, app).with_graceful_shutdown(end).await;
            let _ = std::fs::remove_file(path);
            served
        }
    };
    marking.abort();
    served.map_err(failed(&settings.listen))
}

/// A socket left over from before is removed, nothing else is.
fn unix(path: &Path, mode: &str) -> std::io::Result<UnixListener> {
    if std::fs::symlink_metadata(path).is_ok_and(|meta| meta.file_type().is_socket()) {
        if std::os::unix::net::UnixStream::connect(path).is_ok() {
            return Err(std::io::Error::from(std::io::ErrorKind::AddrInUse));
        }
        std::fs::remove_file(path)?;
    }
    let mode = u32::from_str_radix(mode, 8).map_err(|_| std::io::Error::other("socket_mode is no octal number"))?;
    let listener = UnixListener::bind(path)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode & 0o770))?;
    Ok(listener)
}

/// Makes what the queue is searched and sorted by, as mail comes in.
async fn mark(review: Arc<Review>) {
    loop {
        match review.mark(20).await {
            Ok(20..) => {}
            Ok(_) => tokio::time::sleep(LOOK).await,
            Err(error) => {
                tracing::warn!("the queue's index could not be brought up to date: {error}");
                tokio::time::sleep(30 * LOOK).await;
            }
        }
    }
}
