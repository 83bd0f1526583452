//! `--lookup`: asks the directory and the tables really, away from the gateway. Without it nobody is asked, and the
//! commands say of which groups the members are therefore not known.

use crate::config::Config;
use crate::directory::Directory;
use crate::policy::{Policy, Source};
use clap::Args;
use std::fmt::Write;
use std::path::{Path, PathBuf};

/// The administrator's file, where nobody named one.
const SHIPPED: &str = "/etc/cpr-milter/cpr-milter.yaml";

/// Whether to ask, and by whose file.
#[derive(Args)]
pub(super) struct Lookup {
    /// Ask the directory and the tables for the members of groups that the policy does not list.
    #[arg(long)]
    pub lookup: bool,
    /// The configuration file: the gateways and tables that the policy names must stand in it, and it says who is asked
    /// with --lookup [with --lookup: /etc/cpr-milter/cpr-milter.yaml].
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

/// One line a group whose members are not known here; empty when there is none.
pub fn unknown(policy: &Policy) -> String {
    let mut out = String::new();
    for (group, sources) in policy.asked_groups() {
        let _ = writeln!(
            out,
            "group `{group}`: its members are not known here, nobody asked {}; `--lookup` asks, tests give them with `given`",
            list(&sources)
        );
    }
    out
}

fn list(sources: &[&Source]) -> String {
    let words: Vec<String> = sources.iter().map(ToString::to_string).collect();
    words.join(" and ")
}

impl Lookup {
    /// The configuration, if it is asked for.
    pub fn config(&self) -> Result<Option<Config>, String> {
        let file = match (&self.config, self.lookup) {
            (Some(file), _) => file,
            (None, true) => Path::new(SHIPPED),
            (None, false) => return Ok(None),
        };
        Config::load(file).map(Some).map_err(|error| error.to_string())
    }
}

/// One line for each source, what it answers; and whether all did.
pub fn look(policy: &Policy, config: &Config) -> Result<(String, bool), String> {
    let directory = Directory::new(&config.directory)?;
    let answers = runtime()?.block_on(directory.look(policy.sources()));
    let mut out = String::new();
    let mut all = true;
    for (source, answer) in answers {
        let _ = match answer {
            Ok(Some(1)) => writeln!(out, "{source}: 1 address"),
            Ok(Some(count)) => writeln!(out, "{source}: {count} addresses"),
            Ok(None) => writeln!(out, "{source}: answers"),
            Err(why) => {
                all = false;
                writeln!(out, "{why}")
            }
        };
    }
    Ok((out, all))
}

fn runtime() -> Result<tokio::runtime::Runtime, String> {
    tokio::runtime::Runtime::new().map_err(|error| error.to_string())
}
