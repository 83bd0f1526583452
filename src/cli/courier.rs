//! `cpr-milter courier`: sends what the milter took over and serves the console, until told to stop.

use super::custody::open;
use super::lists::{Stamp, Stamps, changed};
use super::{ConfigFile, fail, policy, service};
use crate::config::{Config, Workers};
use crate::console;
use crate::courier;
use crate::directory::Directory;
use crate::policy::Policy;
use crate::review::Review;
use crate::store::{Access, Store};
use crate::worker::{Pool, PoolConfig};
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
    let spoken = Spoken::of(&config)?;
    tracing::info!(reinject = %config.reinject, "sending");
    let desk = tokio::spawn(desk(config.clone(), store.clone(), Arc::clone(&spoken), stop.clone()));
    let sending = courier::run(config, store, Spoken::voice(&spoken), stop);
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
    let sent = sending.await.map_err(|error| error.to_string());
    // A browser that keeps its connection open keeps nobody from ending.
    let _ = tokio::time::timeout(std::time::Duration::from_secs(2), desk).await;
    sent
}

/// Serves the console. What is owed goes out whether or not anybody can look at it: what is wrong here is logged.
async fn desk(config: Config, store: Store, spoken: Arc<Spoken>, stop: watch::Receiver<bool>) {
    let pool = PoolConfig::new(&Workers {
        // The milter's workers come first: reviewers are few, and wait for one.
        count: 2,
        ..config.workers.clone()
    });
    let directory = match Directory::new(&config.directory) {
        Ok(directory) => directory,
        Err(error) => {
            tracing::error!("there is no console: {error}");
            return;
        }
    };
    let policy = Arc::new(move || spoken.now());
    let review = Review::new(store, Pool::new(pool), config, directory, policy);
    if let Err(error) = console::serve(Arc::new(review), stop).await {
        tracing::error!("{error}");
    }
}

/// The policy, read again when its file, or one that it names, has changed; a broken file leaves the last one.
struct Spoken {
    config: Config,
    last: Mutex<(Stamps, Arc<Policy>)>,
}

impl Spoken {
    fn of(config: &Config) -> Result<Arc<Spoken>, String> {
        Ok(Arc::new(Spoken {
            config: config.clone(),
            last: Mutex::new(read(config)?),
        }))
    }

    fn voice(spoken: &Arc<Spoken>) -> courier::Voice {
        let (one, same) = (Arc::clone(spoken), Arc::clone(spoken));
        courier::Voice {
            languages: Arc::new(move || one.now().languages().to_vec()),
            inside: Arc::new(move |sender| same.now().is_inside(Some(sender))),
        }
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
