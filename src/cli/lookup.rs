//! `--lookup`: asks the directory and the tables really, away from the gateway. Without it nobody is asked, and the
//! commands say of which groups the members are therefore not known.

use crate::config::Config;
use crate::directory::Directory;
use crate::policy::{Policy, Source};
use clap::Args;
use std::fmt::Write;
use std::path::PathBuf;

/// Whether to ask, and by whose file.
#[derive(Args)]
pub(super) struct Lookup {
    /// Ask the directory and the tables for the members of groups that the policy does not list.
    #[arg(long)]
    pub lookup: bool,
    /// The configuration file, which says where they are.
    #[arg(
        long,
        value_name = "FILE",
        default_value = "/etc/cpr-milter/cpr-milter.yaml",
        requires = "lookup"
    )]
    pub config: PathBuf,
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
    /// One line for each source, what it answers; and whether all did.
    pub fn look(&self, policy: &Policy) -> Result<(String, bool), String> {
        let directory = self.directory()?;
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

    fn directory(&self) -> Result<Directory, String> {
        let config = Config::load(&self.config).map_err(|error| error.to_string())?;
        Directory::new(&config.directory)
    }
}

fn runtime() -> Result<tokio::runtime::Runtime, String> {
    tokio::runtime::Runtime::new().map_err(|error| error.to_string())
}
