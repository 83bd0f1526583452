//! `cpr-milter policy check | test | explain` as they are typed.

use super::policy::{self, Explained};
use super::{fail, input, said};
use crate::config::{Programs, Workers};
use crate::content::Limits;
use crate::cpr::mask;
use crate::inspect::{Input, Options};
use crate::message;
use crate::types::{Address, danish_date};
use crate::worker::{Pool, PoolConfig};
use clap::Subcommand;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};
use time::{Date, OffsetDateTime};

/// Read, test and explain a policy.
#[derive(Subcommand)]
pub(super) enum PolicyCommand {
    /// Show every mistake and warning. Status 1 when it has mistakes.
    Check {
        /// The policy.
        file: PathBuf,
        /// The administrator's file: the gateways that the policy names must stand in it.
        #[arg(long, value_name = "FILE")]
        config: Option<PathBuf>,
    },
    /// Run the tests in the file. Status 1 when one fails.
    Test {
        /// The policy.
        file: PathBuf,
    },
    /// The language as JSON Schema, for editors.
    Schema,
    /// The manual page cpr-milter-policy(5).
    #[command(hide = true)]
    Manual,
    /// What would become of a mail, for each recipient, and why.
    Explain {
        /// The mail.
        mail: PathBuf,
        /// The policy.
        #[arg(
            long,
            value_name = "FILE",
            default_value = "/etc/cpr-milter/policies/municipality.yaml"
        )]
        policy: PathBuf,
        /// Envelope sender; else the From header.
        #[arg(long, value_name = "ADDRESS")]
        from: Option<String>,
        /// Envelope recipient, may be repeated; else To and Cc.
        #[arg(long, value_name = "ADDRESS")]
        to: Vec<String>,
    },
}

impl PolicyCommand {
    pub(super) fn run(&self) -> ExitCode {
        let today = danish_date(OffsetDateTime::now_utc());
        match self {
            PolicyCommand::Check { file, config } => {
                match config.as_deref().map(crate::config::Config::load).transpose() {
                    Ok(config) => print(policy::check(file, config.as_ref(), today)),
                    Err(error) => fail(error),
                }
            }
            PolicyCommand::Test { file } => print(policy::test(file, today)),
            PolicyCommand::Schema => said((format!("{:#}\n", crate::policy::schema()), 0)),
            PolicyCommand::Manual => said((crate::policy::manual(), 0)),
            PolicyCommand::Explain { mail, policy, from, to } => {
                match explain(mail, policy, from.as_deref(), to, today) {
                    Ok(text) => said((text, 0)),
                    Err(error) => fail(error),
                }
            }
        }
    }
}

fn print((text, status): (String, u8)) -> ExitCode {
    said((text, i32::from(status)))
}

fn explain(path: &Path, file: &Path, from: Option<&str>, to: &[String], today: Date) -> Result<String, String> {
    let policy = policy::open(file, today)
        .map_err(|refused| refused.to_string().trim_end().to_owned())?
        .loaded
        .policy;
    for (option, address) in from
        .iter()
        .map(|a| ("--from", *a))
        .chain(to.iter().map(|a| ("--to", a.as_str())))
    {
        bare(option, address)?;
    }
    let mail = input::read(path, input::Kind::Message)?.into_iter().next();
    let mail = mail.ok_or_else(|| format!("{}: no mail in it", path.display()))?.bytes;
    let from = from
        .map(str::to_owned)
        .or_else(|| addresses(&mail, &["from"]).into_iter().next());
    let to = if to.is_empty() {
        addresses(&mail, &["to", "cc"])
    } else {
        to.to_vec()
    };
    if to.is_empty() {
        return Err(format!(
            "{}: no recipient in its headers; name one with --to",
            path.display()
        ));
    }
    let envelope = policy::envelope(from.as_deref(), &to);
    let options = Options {
        input: Input::Message,
        name: None,
        limits: Limits::default(),
        today,
        identifiers: policy.identifiers().to_vec(),
        programs: Programs::default(),
    };
    let runtime = tokio::runtime::Runtime::new().map_err(|error| error.to_string())?;
    let pool = Pool::new(PoolConfig::new(&Workers {
        count: 1,
        ..Workers::default()
    }));
    let until = Instant::now() + Duration::from_secs(300);
    let seen = runtime
        .block_on(pool.inspect(&mail, &options, until))
        .map_err(|error| error.to_string())?;
    let explained = Explained {
        envelope: &envelope,
        report: seen.report(),
        tls_enforced: &vec![false; to.len()],
        is_protected: &|_, _| false,
        today,
    };
    let mut text = policy::explain(&policy, &explained);
    for doubt in &seen.report().doubts {
        let name = doubt.place.name.as_deref().map(mask).unwrap_or_default();
        text.push_str(&format!(
            "\nnot surely read ({}): {name} {}",
            doubt.kind.word(),
            doubt.reason
        ));
    }
    text.push_str("\nWithout the store nobody here is protected, and no delivery counts as tls_enforced.\n");
    Ok(text)
}

/// An outcome for somebody else than was meant would be worse than none. `<>` is the sender of notices and bounces.
fn bare(option: &str, address: &str) -> Result<(), String> {
    let nobody = option == "--from" && matches!(address, "" | "<>");
    let inner = address
        .strip_prefix('<')
        .and_then(|a| a.strip_suffix('>'))
        .unwrap_or(address);
    let several = |c: char| c.is_whitespace() || matches!(c, '<' | '>' | ',' | ';');
    let known = Address::parse(inner.as_bytes()).is_ok_and(|a| !a.domain.is_empty() && !a.local.is_empty());
    if nobody || known && (inner.contains('"') || !inner.contains(several)) {
        return Ok(());
    }
    Err(format!(
        "{option}: `{}` is no mail address; write one, e.g. anna@kommune.example, and repeat {option} for more",
        mask(address)
    ))
}

/// Bare addresses of the named header fields, good enough for mails that people write; `--from` and `--to` are exact.
fn addresses(mail: &[u8], names: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for field in message::headers(mail) {
        let name = String::from_utf8_lossy(mail.get(field.name_range).unwrap_or_default()).to_ascii_lowercase();
        if !names.contains(&name.trim()) {
            continue;
        }
        let value = String::from_utf8_lossy(mail.get(field.value_range).unwrap_or_default()).into_owned();
        for one in value.split(',') {
            let bare = one
                .rsplit_once('<')
                .map_or(one, |(_, rest)| rest.split('>').next().unwrap_or(rest))
                .trim();
            if bare.contains('@') {
                found.push(bare.to_owned());
            }
        }
    }
    found
}
