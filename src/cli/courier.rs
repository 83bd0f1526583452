//! `cpr-milter courier`: sends what the milter took over, until told to stop.

use super::custody::open;
use super::lists::{Stamp, Stamps, changed};
use super::{ConfigFile, fail, policy, service};
use crate::config::Config;
use crate::courier;
use crate::policy::Policy;
use crate::store::Access;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

/// Sends until told to stop.
pub(super) fn run(file: &ConfigFile) -> ExitCode {
    match tokio::runtime::Runtime::new() {
        Ok(runtime) => match runtime.block_on(send(file)) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => fail(error),
        },
        Err(error) => fail(error),
    }
}

async fn send(file: &ConfigFile) -> Result<(), String> {
    let config = Config::load(&file.config).map_err(|error| error.to_string())?;
    let store = open(file, Access::Open)?;
    let mut terminate = signal(SignalKind::terminate()).map_err(|error| error.to_string())?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(|error| error.to_string())?;
    let mut hangup = signal(SignalKind::hangup()).map_err(|error| error.to_string())?;
    let (tell, stop) = watch::channel(false);
    let voice = Spoken::of(&config)?;
    tracing::info!(reinject = %config.reinject, "sending");
    let sending = courier::run(config, store, voice, stop);
    let alive = service::alive();
    tokio::pin!(sending, alive);
    service::ready();
    loop {
        tokio::select! {
            ended = &mut sending => return ended.map_err(|error| error.to_string()),
            _ = terminate.recv() => break,
            _ = interrupt.recv() => break,
            () = &mut alive => {}
            // Whoever signals the milter signals us too; dying of it would end all notices and releases.
            Some(()) = hangup.recv() => tracing::info!(
                "nothing to reload: templates and languages are read anew for each notice, the rest needs a restart"
            ),
        }
    }
    service::stopping();
    tell.send_replace(true);
    sending.await.map_err(|error| error.to_string())
}

/// The policy, read again when its file, or one that it names, has changed; a broken file leaves the last one.
struct Spoken {
    config: Config,
    last: Mutex<(Stamps, Arc<Policy>)>,
}

impl Spoken {
    fn of(config: &Config) -> Result<courier::Voice, String> {
        let spoken = Arc::new(Spoken {
            config: config.clone(),
            last: Mutex::new(read(config)?),
        });
        let same = Arc::clone(&spoken);
        Ok(courier::Voice {
            languages: Arc::new(move || spoken.now().languages().to_vec()),
            inside: Arc::new(move |sender| same.now().is_inside(Some(sender))),
        })
    }

    fn now(&self) -> Arc<Policy> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if changed(&last.0) {
            match read(&self.config) {
                Ok(new) => *last = new,
                // Not again before one of them changes once more.
                Err(_) => last.0.iter_mut().for_each(|(path, stamp)| *stamp = Stamp::of(path)),
            }
        }
        Arc::clone(&last.1)
    }
}

/// The policy, with its files as they looked before.
fn read(config: &Config) -> Result<(Stamps, Arc<Policy>), String> {
    let opened = policy::opened_in_force(config)?;
    let stamps = opened.own.into_iter().chain(opened.lists).collect();
    Ok((stamps, Arc::new(opened.loaded.policy)))
}
