//! `cpr-milter policy …` as it is typed; each command with options of its own has a file of its own.

use super::lookup::Lookup;
use super::table::Said;
use super::{compare, fail, policy, said, why};
use crate::types::danish_date;
use clap::Subcommand;
use std::path::PathBuf;
use std::process::ExitCode;
use time::OffsetDateTime;

/// Read, test and explain a policy.
#[derive(Subcommand)]
pub(super) enum PolicyCommand {
    /// Show every mistake and warning. Status 1 when it has mistakes, 3 when with `--lookup` somebody does not answer.
    Check {
        /// The policy.
        file: PathBuf,
        #[command(flatten)]
        lookup: Lookup,
    },
    /// Run the tests in the file. Status 1 when one fails.
    Test {
        /// The policy.
        file: PathBuf,
    },
    /// What a changed policy does otherwise, in sentences.
    Diff(compare::Diff),
    /// What a policy would have done with past mail.
    Replay(compare::ReplayCommand),
    /// What would become of a mail, for each recipient, and why.
    Explain(why::Explain),
}

impl PolicyCommand {
    pub(super) fn run(&self) -> ExitCode {
        let today = danish_date(OffsetDateTime::now_utc());
        match self {
            PolicyCommand::Check { file, lookup } => print(policy::check(file, today, lookup)),
            PolicyCommand::Test { file } => print(policy::test(file, today)),
            PolicyCommand::Diff(command) => finish(command.run(today)),
            PolicyCommand::Replay(command) => finish(command.run(today)),
            PolicyCommand::Explain(command) => finish(command.run(today).map(|text| (text, 0))),
        }
    }
}

fn finish(result: Result<Said, String>) -> ExitCode {
    match result {
        Ok(text) => said(text),
        Err(error) => fail(error),
    }
}

fn print((text, status): (String, u8)) -> ExitCode {
    said((text, i32::from(status)))
}
