//! `cpr-milter courier`: sends what the milter took over, until told to stop.

use super::custody::open;
use super::{ConfigFile, fail, policy};
use crate::config::Config;
use crate::courier;
use crate::policy::Policy;
use crate::store::Access;
use std::path::Path;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;
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
    sending.await.map_err(|error| error.to_string())
}

/// The policy, read again when its file, or one that it names, has changed; a broken file leaves the last one.
struct Spoken {
    config: Config,
    last: Mutex<(Vec<Option<SystemTime>>, Arc<Policy>)>,
}

impl Spoken {
    fn of(config: &Config) -> Result<courier::Voice, String> {
        let policy = policy::in_force(config)?;
        let spoken = Arc::new(Spoken {
            config: config.clone(),
            last: Mutex::new((changed(&config.policy, &policy), Arc::new(policy))),
        });
        let same = Arc::clone(&spoken);
        Ok(courier::Voice {
            languages: Arc::new(move || spoken.now().languages().to_vec()),
            inside: Arc::new(move |sender| same.now().is_inside(Some(sender))),
        })
    }

    fn now(&self) -> Arc<Policy> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let now = changed(&self.config.policy, &last.1);
        if now != last.0 {
            last.0 = now;
            if let Ok(policy) = policy::in_force(&self.config) {
                // It may name other files.
                last.0 = changed(&self.config.policy, &policy);
                last.1 = Arc::new(policy);
            }
        }
        Arc::clone(&last.1)
    }
}

/// When each of the policy's files was last changed.
fn changed(path: &Path, policy: &Policy) -> Vec<Option<SystemTime>> {
    let folder = path.parent().unwrap_or(Path::new(""));
    let files = policy.files().iter().map(|file| folder.join(file));
    let all = std::iter::once(path.to_owned()).chain(files);
    all.map(|file| std::fs::metadata(file).and_then(|data| data.modified()).ok())
        .collect()
}
