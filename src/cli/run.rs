//! `cpr-milter run`: the milter, from a checked configuration to an orderly stop. SIGHUP reads configuration and policy
//! again and swaps both or neither; SIGTERM and SIGINT finish the messages in hand.

use super::policy;
use super::{ConfigFile, fail};
use crate::config::Config;
use crate::milter::{self, Endpoint, Real, Served, Settings, Shared};
use crate::store::{Access, Keys, Store};
use crate::worker::{Pool, PoolConfig};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Serves until told to stop.
pub(super) fn run(file: &ConfigFile) -> ExitCode {
    let real = match load(&file.config) {
        Ok(real) => real,
        Err(error) => return fail(error),
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(error),
    };
    let served = runtime.block_on(serve(&file.config, real));
    // A store call that hangs on a dead disk must not keep the process; its client has had its 4xx.
    runtime.shutdown_timeout(std::time::Duration::from_secs(1));
    match served {
        Ok(Served::Finished) => ExitCode::SUCCESS,
        Ok(Served::CutOff(messages)) => {
            tracing::warn!(
                messages,
                "stopped with messages in hand; their clients will send them again"
            );
            ExitCode::SUCCESS
        }
        Err(error) => fail(error),
    }
}

async fn serve(file: &Path, real: Real) -> Result<Served, String> {
    let config = Arc::clone(&real.config);
    let endpoint = endpoint(&config)?;
    let mut hangup = signal(SignalKind::hangup()).map_err(|error| error.to_string())?;
    let mut terminate = signal(SignalKind::terminate()).map_err(|error| error.to_string())?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(|error| error.to_string())?;
    let socket = endpoint.open().await.map_err(|error| error.to_string())?;
    tracing::info!(listen = %config.listen, policy = real.policy.hash(), "serving");
    let shared = Arc::new(Shared::new(Arc::new(real)));
    let reload = reload_on(&mut hangup, file, &shared);
    let shutdown = async {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!(
            messages = shared.messages_in_hand(),
            "stopping: finishing the messages in hand"
        );
    };
    let served = milter::run(socket, Arc::clone(&shared), Settings::of(&config.milter), shutdown);
    tokio::select! {
        served = served => served.map_err(|error| format!("the milter socket failed: {error}")),
        never = reload => never,
    }
}

/// Reloads at each SIGHUP; never ends.
async fn reload_on<T>(hangup: &mut Signal, file: &Path, shared: &Shared<Real>) -> T {
    loop {
        if hangup.recv().await.is_none() {
            std::future::pending::<()>().await;
        }
        let old = shared.world();
        match reloaded(file, &old) {
            Ok(new) => {
                tracing::info!(policy = new.policy.hash(), "reloaded");
                shared.swap(Arc::new(new));
            }
            Err(error) => {
                tracing::error!(
                    policy = old.policy.hash(),
                    "not reloaded, the old configuration and policy stay in force: {error}"
                );
            }
        }
    }
}

/// Everything from the files; nothing is served unless all of it is sound.
fn load(file: &Path) -> Result<Real, String> {
    let config = Config::load(file).map_err(|error| error.to_string())?;
    endpoint(&config)?;
    let policy = policy::in_force(&config)?;
    let keys = Keys::load(&config.keys, Access::Seal).map_err(|error| error.to_string())?;
    let store = Store::open(&config.store, keys).map_err(|error| error.to_string())?;
    let pool = Pool::new(PoolConfig::new(&config.workers));
    Ok(Real {
        config: Arc::new(config),
        policy: Arc::new(policy),
        pool: Arc::new(pool),
        store,
    })
}

/// Configuration and policy anew; socket, store, keys and workers stay as they are until a restart.
fn reloaded(file: &Path, old: &Real) -> Result<Real, String> {
    let config = Config::load(file).map_err(|error| error.to_string())?;
    endpoint(&config)?;
    let policy = policy::in_force(&config)?;
    let fixed = |config: &Config| {
        let workers = &config.workers;
        let socket = (
            config.listen.clone(),
            config.socket_mode.clone(),
            config.socket_group.clone(),
        );
        let paths = (config.store.clone(), config.keys.clone());
        (
            socket,
            paths,
            (workers.count, workers.mails, workers.memory),
            config.milter.connections,
        )
    };
    if fixed(&config) != fixed(&old.config) {
        tracing::warn!("listen, socket, store, keys, workers and milter.connections change only with a restart");
    }
    Ok(Real {
        config: Arc::new(config),
        policy: Arc::new(policy),
        pool: Arc::clone(&old.pool),
        store: old.store.clone(),
    })
}

fn endpoint(config: &Config) -> Result<Endpoint, String> {
    Endpoint::parse(&config.listen, &config.socket_mode, config.socket_group.as_deref())
        .map_err(|error| error.to_string())
}
