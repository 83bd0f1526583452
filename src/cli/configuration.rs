//! `cpr-milter config check | show`: is what the daemons would start with sound, and what is in it.

use super::{ConfigFile, policy, said, table::Said};
use crate::config::Config;
use crate::milter::Endpoint;
use crate::store::{Access, Keys};
use clap::Subcommand;
use std::fmt::Write as _;
use std::path::Path;
use std::process::ExitCode;

/// The administrator's file.
#[derive(Subcommand)]
pub(super) enum ConfigCommand {
    /// Read configuration, policy and keys as the daemons would, and say every part that is not sound.
    Check(ConfigFile),
    /// Print every key with the value in force, the defaults included.
    Show(ConfigFile),
}

impl ConfigCommand {
    pub(super) fn run(&self) -> ExitCode {
        match self {
            ConfigCommand::Check(file) => said(check(&file.config)),
            ConfigCommand::Show(file) => said(show(&file.config)),
        }
    }
}

fn check(path: &Path) -> Said {
    let config = match Config::load(path) {
        Ok(config) => config,
        Err(error) => return (format!("{error}\n"), 2),
    };
    let mut problems = String::new();
    let mut sound = |part: Result<(), String>| {
        if let Err(problem) = part {
            let _ = writeln!(problems, "{problem}");
        }
    };
    sound(
        Endpoint::parse(&config.listen, &config.socket_mode, config.socket_group.as_deref())
            .map(|_| ())
            .map_err(|error| error.to_string()),
    );
    let policy = policy::in_force(&config.policy);
    sound(policy.as_ref().map(|_| ()).map_err(Clone::clone));
    sound(
        Keys::load(&config.keys, reach(&config.keys))
            .map(|_| ())
            .map_err(|error| error.to_string()),
    );
    sound(folder_of_store(&config.store));
    match policy {
        Ok(policy) if problems.is_empty() => {
            let (file, name, hash) = (path.display(), policy.name(), policy.hash());
            (format!("{file} is sound: policy {name}, hash {hash}\n"), 0)
        }
        _ => (problems, 2),
    }
}

/// Whoever may read the private key checks it too.
fn reach(keys: &Path) -> Access {
    match std::fs::File::open(keys.join("store.key")) {
        Ok(_) => Access::Open,
        Err(_) => Access::Seal,
    }
}

fn folder_of_store(store: &Path) -> Result<(), String> {
    let folder = store.parent().unwrap_or(Path::new("/"));
    if folder.is_dir() {
        return Ok(());
    }
    Err(format!(
        "store: the folder {} does not exist; make it, owned by the user that runs cpr-milter, mode 0700",
        folder.display()
    ))
}

fn show(path: &Path) -> Said {
    match Config::load(path).map_err(|error| error.to_string()) {
        Ok(config) => match serde_yaml::to_string(&config) {
            Ok(text) => (text, 0),
            Err(error) => (format!("{error}\n"), 2),
        },
        Err(error) => (format!("{error}\n"), 2),
    }
}
