//! `cpr-milter run`: the milter, from a checked configuration to an orderly stop. SIGHUP reads configuration and policy
//! again and swaps both or neither; a list that changes comes into force by itself; SIGTERM and SIGINT finish the messages
//! in hand.

use super::lists::{self, Lists, Look};
use super::{ConfigFile, fail, policy, service};
use crate::config::Config;
use crate::directory::Directory;
use crate::milter::{self, Endpoint, Notes, Real, Served, Settings, Shared};
use crate::policy::{Policy, Source};
use crate::store::{Access, Keys, Store};
use crate::types::danish_date;
use crate::worker::{Pool, PoolConfig};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use time::OffsetDateTime;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::{Instant, MissedTickBehavior};

/// Serves until told to stop.
pub(super) fn run(file: &ConfigFile) -> ExitCode {
    let (real, lists) = match load(&file.config) {
        Ok(loaded) => loaded,
        Err(error) => return fail(error),
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(error),
    };
    let served = runtime.block_on(serve(&file.config, real, lists));
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

async fn serve(file: &Path, real: Real, lists: Lists) -> Result<Served, String> {
    let config = Arc::clone(&real.config);
    let endpoint = endpoint(&config)?;
    let mut hangup = signal(SignalKind::hangup()).map_err(|error| error.to_string())?;
    let mut terminate = signal(SignalKind::terminate()).map_err(|error| error.to_string())?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(|error| error.to_string())?;
    let socket = endpoint.open().await.map_err(|error| error.to_string())?;
    tracing::info!(listen = %config.listen, policy = real.policy.hash(), "serving");
    let shared = Arc::new(Shared::new(Arc::new(real)));
    service::ready();
    service::status(&in_force(&shared.world()));
    let reload = keep_current(&mut hangup, file, &shared, lists);
    let shutdown = async {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        service::stopping();
        tracing::info!(
            messages = shared.messages_in_hand(),
            "stopping: finishing the messages in hand"
        );
    };
    let served = milter::run(socket, Arc::clone(&shared), Settings::of(&config.milter), shutdown);
    tokio::select! {
        served = served => served.map_err(|error| format!("the milter socket failed: {error}")),
        never = reload => never,
        () = service::alive() => Ok(Served::Finished),
    }
}

fn in_force(real: &Real) -> String {
    format!("policy {}", real.policy.hash())
}

/// Reloads at each SIGHUP, takes over lists that have changed, keeps the directory's answers fresh; never ends.
async fn keep_current<T>(hangup: &mut Signal, file: &Path, shared: &Shared<Real>, mut lists: Lists) -> T {
    let mut look = tokio::time::interval(lists::LOOK);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut ask = Box::pin(tokio::time::sleep(Duration::ZERO));
    loop {
        tokio::select! {
            Some(()) = hangup.recv() => reload(file, shared, &mut lists).await,
            _ = look.tick() => take_over(shared, &mut lists),
            () = &mut ask => {
                let world = shared.world();
                ask.as_mut().reset(Instant::now() + world.directory.pace());
                // Who does not answer is told in the log, and must not keep SIGHUP waiting.
                tokio::spawn(async move { world.directory.look(world.policy.sources()).await });
            }
        }
    }
}

async fn reload(file: &Path, shared: &Shared<Real>, lists: &mut Lists) {
    let old = shared.world();
    service::reloading();
    match reloaded(file, &old).await {
        Ok((new, new_lists)) => {
            tracing::info!(policy = new.policy.hash(), "reloaded");
            service::status(&in_force(&new));
            shared.swap(Arc::new(new));
            *lists = new_lists;
        }
        Err(error) => {
            tracing::error!(
                policy = old.policy.hash(),
                "not reloaded, the old configuration and policy stay in force: {error}"
            );
            service::status(&format!("{} (the last reload failed, see the log)", in_force(&old)));
        }
    }
    service::ready();
}

/// The policy with the lists of now, if they have changed and are sound.
fn take_over(shared: &Shared<Real>, lists: &mut Lists) {
    let today = danish_date(OffsetDateTime::now_utc());
    let old = shared.world();
    match tokio::task::block_in_place(|| lists.look(today)) {
        Look::Same => {}
        Look::New(policy) => {
            tracing::info!(policy = policy.hash(), "a list has changed and is in force");
            service::status(&format!("policy {}", policy.hash()));
            shared.swap(Arc::new(Real {
                config: Arc::clone(&old.config),
                policy: Arc::new(*policy),
                pool: Arc::clone(&old.pool),
                store: old.store.clone(),
                directory: Arc::clone(&old.directory),
                notes: old.notes.clone(),
            }));
        }
        Look::Broken(why) => tracing::error!(
            policy = old.policy.hash(),
            "a list has changed and cannot be used, the last good one stays in force: {why}"
        ),
    }
}

/// Everything from the files; nothing is served unless all of it is sound. The directory is asked later: mail in which
/// nothing is found passes without it.
fn load(file: &Path) -> Result<(Real, Lists), String> {
    let config = Config::load(file).map_err(|error| error.to_string())?;
    endpoint(&config)?;
    let (policy, lists) = read_policy(&config)?;
    let directory = Directory::new(&config.directory)?;
    directory.knows(policy.sources()).map_err(|error| error.to_string())?;
    let keys = Keys::load(&config.keys, Access::Seal).map_err(|error| error.to_string())?;
    let store = Store::open(&config.store, keys).map_err(|error| error.to_string())?;
    let pool = Pool::new(PoolConfig::new(&config.workers));
    let notes = Notes::start(store.clone()).map_err(|error| format!("no thread can be started: {error}"))?;
    let real = Real {
        notes,
        config: Arc::new(config),
        policy: Arc::new(policy),
        pool: Arc::new(pool),
        store,
        directory: Arc::new(directory),
    };
    Ok((real, lists))
}

fn read_policy(config: &Config) -> Result<(Policy, Lists), String> {
    let opened = policy::opened_in_force(&config.policy)?;
    let lists = Lists::of(&config.policy, &opened);
    Ok((opened.loaded.policy, lists))
}

/// Configuration and policy anew; socket, store, keys and workers stay as they are until a restart.
async fn reloaded(file: &Path, old: &Real) -> Result<(Real, Lists), String> {
    let config = Config::load(file).map_err(|error| error.to_string())?;
    endpoint(&config)?;
    let (policy, lists) = read_policy(&config)?;
    let directory = directory(&config, &policy, old).await?;
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
    let real = Real {
        config: Arc::new(config),
        policy: Arc::new(policy),
        pool: Arc::clone(&old.pool),
        store: old.store.clone(),
        directory,
        notes: old.notes.clone(),
    };
    Ok((real, lists))
}

/// What is asked now and was not before must have answered once: otherwise one misspelt name would hold up the mail that
/// the policy in force judges.
async fn directory(config: &Config, policy: &Policy, old: &Real) -> Result<Arc<Directory>, String> {
    let same = old.directory.is_of(&config.directory);
    let directory = match same {
        true => Arc::clone(&old.directory),
        false => Arc::new(Directory::new(&config.directory)?),
    };
    let before = old.policy.sources();
    let new: Vec<Source> = policy
        .sources()
        .iter()
        .filter(|s| !same || !before.contains(s))
        .cloned()
        .collect();
    let answers = directory.look(&new).await.into_iter();
    let silent: Vec<String> = answers
        .filter_map(|(_, answer)| answer.err())
        .map(|why| why.to_string())
        .collect();
    match silent.is_empty() {
        true => Ok(directory),
        false => Err(silent.join("\n")),
    }
}

fn endpoint(config: &Config) -> Result<Endpoint, String> {
    Endpoint::parse(&config.listen, &config.socket_mode, config.socket_group.as_deref())
        .map_err(|error| error.to_string())
}
