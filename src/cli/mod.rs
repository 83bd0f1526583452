//! The command line: one file per command, and here the words that they share.
//!
//! Exit status of every command: 0 done (or nothing found), 1 found (or could not be made clean), 2 an error.

mod asked;
pub mod audit;
mod compare;
mod configuration;
mod courier;
mod custody;
mod doctor;
mod explain;
mod input;
pub mod lists;
mod logging;
pub mod lookup;
pub mod keys;
pub mod people;
pub mod policy;
mod policy_file;
pub mod quarantine;
mod redact;
pub mod replay;
mod reference;
mod run;
mod scan;
mod service;
pub mod table;
mod user;
mod why;

use clap::{Args, CommandFactory, Parser, Subcommand};
use std::path::PathBuf;
use std::process::ExitCode;

/// Keeps Danish CPR numbers from leaving by e-mail.
#[derive(Parser)]
#[command(name = "cpr-milter", version, arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the milter.
    Run(ConfigFile),
    /// Send what the milter took over: notices, redacted copies, released mail.
    Courier(ConfigFile),
    /// Look for numbers in files, folders, mbox, Maildir, or standard input.
    Scan(scan::Scan),
    /// Write a copy of a mail or document without its numbers.
    Redact(redact::Redact),
    /// Read, test and explain a policy.
    #[command(subcommand)]
    Policy(explain::PolicyCommand),
    /// Look at held mail and decide about it.
    #[command(subcommand)]
    Quarantine(custody::Quarantine),
    /// Protected persons: numbers from standard input only, one a line.
    #[command(subcommand)]
    People(custody::People),
    /// Accounts for the console.
    #[command(subcommand)]
    User(user::User),
    /// The audit trail.
    #[command(subcommand)]
    Audit(custody::Audit),
    /// The administrator's file.
    #[command(subcommand)]
    Config(configuration::ConfigCommand),
    /// Look at Postfix and say what would let mail past us, or lose it.
    Doctor(doctor::Doctor),
    /// Keys of the store.
    #[command(subcommand)]
    Keys(custody::KeysCommand),
    /// Write shell completions and manual pages of the commands into a folder (for the package).
    #[command(hide = true)]
    Reference {
        /// An existing folder.
        folder: PathBuf,
    },
    /// Serve inspections on standard input (started by the other commands).
    #[command(hide = true)]
    Worker {
        /// Address space in bytes.
        memory: u64,
    },
}

/// Where the administrator's file is.
#[derive(Args)]
struct ConfigFile {
    /// The configuration file.
    #[arg(long, value_name = "FILE", default_value = "/etc/cpr-milter/cpr-milter.yaml")]
    config: PathBuf,
}

/// Status 2, with one sentence on standard error.
fn fail(problem: impl std::fmt::Display) -> ExitCode {
    eprintln!("cpr-milter: {problem}");
    ExitCode::from(2)
}

/// Prints what a command says, errors on standard error.
fn said((text, status): table::Said) -> ExitCode {
    use std::io::Write as _;
    let written = if status == 2 {
        std::io::stderr().write_all(text.as_bytes())
    } else {
        std::io::stdout().write_all(text.as_bytes())
    };
    match written {
        Ok(()) => ExitCode::from(u8::try_from(status).unwrap_or(2)),
        Err(_) => ExitCode::from(2),
    }
}

/// Runs the command that was typed.
pub fn main() -> ExitCode {
    logging::start();
    match Arguments::parse().command {
        Command::Run(config) => run::run(&config),
        Command::Courier(config) => courier::run(&config),
        Command::Policy(command) => command.run(),
        Command::Quarantine(command) => command.run(),
        Command::People(command) => command.run(),
        Command::User(command) => command.run(),
        Command::Audit(command) => command.run(),
        Command::Config(command) => command.run(),
        Command::Doctor(doctor) => doctor.run(),
        Command::Keys(command) => command.run(),
        Command::Reference { folder } => reference::write(&folder, Arguments::command()),
        Command::Scan(scan) => scan.run(),
        Command::Redact(redact) => redact.run(),
        Command::Worker { memory } => match crate::worker::serve(memory) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => fail(format_args!("worker: {error}")),
        },
    }
}
