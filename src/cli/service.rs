//! What systemd is told: ready, reloading, stopping, alive (sd_notify(3)). Without systemd nothing is told to nobody.

use sd_notify::NotifyState;
use std::time::Duration;

/// Mail is served from now on.
pub(super) fn ready() {
    tell(&[NotifyState::Ready]);
}

/// Configuration and policy are read again. systemd 253 wants the time with it.
pub(super) fn reloading() {
    match NotifyState::monotonic_usec_now() {
        Ok(now) => tell(&[NotifyState::Reloading, now]),
        Err(_) => tell(&[NotifyState::Reloading]),
    }
}

/// Nothing new is taken, what is in hand is finished.
pub(super) fn stopping() {
    tell(&[NotifyState::Stopping]);
}

/// One line that `systemctl status` shows.
pub(super) fn status(line: &str) {
    tell(&[NotifyState::Status(line)]);
}

/// Says twice in each watchdog interval that the runtime still turns; never ends. A runtime that has stopped turning
/// would leave Postfix waiting for its time-out with every mail: systemd restarts us instead.
pub(super) async fn alive() {
    let Some(interval) = sd_notify::watchdog_enabled() else {
        return std::future::pending().await;
    };
    let mut beat = tokio::time::interval((interval / 2).max(Duration::from_millis(100)));
    loop {
        beat.tick().await;
        tell(&[NotifyState::Watchdog]);
    }
}

fn tell(states: &[NotifyState]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::warn!(%error, "systemd could not be told how we are");
    }
}
