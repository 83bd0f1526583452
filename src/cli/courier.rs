//! `cpr-milter courier`: sends what the milter took over and serves the console, until told to stop.

use super::custody::open;
use super::{ConfigFile, fail, policy};
use crate::config::{Config, Workers};
use crate::console;
use crate::courier;
use crate::policy::Policy;
use crate::review::Review;
use crate::store::Access;
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
    let pool = PoolConfig::new(&Workers {
        // The milter's workers come first: reviewers are few, and wait for one.
        count: 2,
        ..config.workers.clone()
    });
    let in_force = Arc::clone(&spoken);
    let review = Review::new(
        store.clone(),
        Pool::new(pool),
        config.clone(),
        Arc::new(move || in_force.now()),
    );
    let desk = console::serve(Arc::new(review), stop.clone());
    let desk = tokio::spawn(async move {
        // What is owed goes out whether or not anybody can look at it.
        if let Err(error) = desk.await {
            tracing::error!("{error}");
        }
    });
    let sending = courier::run(config, store, Spoken::voice(&spoken), stop);
    tokio::pin!(sending);
    loop {
        tokio::select! {
            ended = &mut sending => return ended.map_err(|error| error.to_string()),
            _ = terminate.recv() => break,
            _ = interrupt.recv() => break,
            // Whoever signals the milter signals us too; dying of it would end all notices and releases.
            Some(()) = hangup.recv() => tracing::info!(
                "nothing to reload: templates and languages are read anew for each notice, the rest needs a restart"
            ),
        }
    }
    tell.send_replace(true);
    let sent = sending.await.map_err(|error| error.to_string());
    // A browser that keeps its connection open keeps nobody from ending.
    let _ = tokio::time::timeout(std::time::Duration::from_secs(2), desk).await;
    sent
}

/// The policy, read again when its file has changed; a broken file leaves the last one.
struct Spoken {
    path: std::path::PathBuf,
    last: Mutex<(Option<std::time::SystemTime>, Arc<Policy>)>,
}

impl Spoken {
    fn of(config: &Config) -> Result<Arc<Spoken>, String> {
        let policy = policy::in_force(&config.policy)?;
        Ok(Arc::new(Spoken {
            path: config.policy.clone(),
            last: Mutex::new((changed(&config.policy), Arc::new(policy))),
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
        let changed = changed(&self.path);
        if changed != last.0 {
            last.0 = changed;
            if let Ok(policy) = policy::in_force(&self.path) {
                last.1 = Arc::new(policy);
            }
        }
        Arc::clone(&last.1)
    }
}

fn changed(path: &std::path::Path) -> Option<std::time::SystemTime> {
    std::fs::metadata(path).and_then(|data| data.modified()).ok()
}
