//! `cpr-milter policy diff` and `policy replay` as they are typed. Exit status as of diff(1): 0 alike, 1 different, 2 trouble.

use super::custody::{Actor, open};
use super::replay::{Replay, wrapped};
use super::table::Said;
use super::{ConfigFile, policy};
use crate::config::Config;
use crate::policy::Policy;
use crate::policy::diff::{Difference, diff};
use crate::store::{Access, Decider, Looked};
use clap::{Args, ValueEnum};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::{Value, json};
use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};
use time::{Date, Duration, OffsetDateTime};

/// For whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// For people.
    Text,
    /// One JSON object.
    Json,
}

/// What a changed policy does otherwise, in sentences. Status 0: the same, 1: different.
#[derive(Args)]
pub(super) struct Diff {
    /// The policy as it was.
    old: PathBuf,
    /// The policy as it is to be.
    new: PathBuf,
    /// Also count the past mails for which it would have made a difference.
    #[arg(long)]
    replay: bool,
    #[command(flatten)]
    past: PastMails,
}

/// What a policy would have done with past mail. Status 0: the same, 1: different.
#[derive(Args)]
pub(super) struct ReplayCommand {
    /// The policy; else the one of the configuration.
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    #[command(flatten)]
    past: PastMails,
}

/// Which past mails, and how to tell of them.
#[derive(Args)]
struct PastMails {
    /// So many days back; findings are kept for retention.findings_days.
    #[arg(long, default_value_t = 30)]
    days: u32,
    #[command(flatten)]
    config: ConfigFile,
    #[command(flatten)]
    actor: Actor,
    /// For people, or one JSON object.
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

impl Diff {
    pub(super) fn run(&self, today: Date) -> Result<Said, String> {
        let (old, new) = (load(&self.old, today)?, load(&self.new, today)?);
        let difference = diff(&old, &new, today);
        let mut different = !difference.is_empty();
        let replayed = match self.replay {
            true => Some(self.past.replayed(&new, Some(&old), today)?),
            false => None,
        };
        if let Some((result, _)) = &replayed {
            different |= !result.is_empty();
        }
        let text = match self.past.format {
            Format::Json => {
                let mut value = json(&difference);
                if let Some((result, looked)) = &replayed {
                    value["replay"] = result.json(self.past.days, looked);
                }
                format!("{value}\n")
            }
            Format::Text => {
                let sentences = difference.to_string();
                let mut text: String = sentences.lines().map(|line| wrapped(line, "", "  ")).collect();
                if let Some((result, looked)) = &replayed {
                    text.push('\n');
                    text.push_str(&result.text(self.past.days, looked));
                }
                text
            }
        };
        Ok((text, i32::from(different)))
    }
}

fn json(difference: &Difference) -> Value {
    let mut value = serde_json::to_value(difference).unwrap_or_default();
    value["different"] = json!(!difference.is_empty());
    let changes = difference.changes.iter().map(ToString::to_string);
    let moved = difference.moved.iter().map(ToString::to_string);
    value["sentences"] = json!(
        moved
            .chain(changes)
            .chain(difference.words.iter().cloned())
            .collect::<Vec<_>>()
    );
    value
}

impl ReplayCommand {
    pub(super) fn run(&self, today: Date) -> Result<Said, String> {
        let file = match &self.policy {
            Some(file) => file.clone(),
            None => {
                Config::load(&self.past.config.config)
                    .map_err(|error| error.to_string())?
                    .policy
            }
        };
        let policy = load(&file, today)?;
        let (result, looked) = self.past.replayed(&policy, None, today)?;
        let text = match self.past.format {
            Format::Json => format!("{}\n", result.json(self.past.days, &looked)),
            Format::Text => format!(
                "{} ({})\n{}",
                policy.name(),
                policy.hash(),
                result.text(self.past.days, &looked)
            ),
        };
        Ok((text, i32::from(!result.is_empty())))
    }
}

impl PastMails {
    fn replayed(
        &self,
        policy: &Policy,
        against: Option<&Policy>,
        today: Date,
    ) -> Result<(super::replay::Result, Looked), String> {
        let store = open(&self.config, Access::Open)?;
        let now = OffsetDateTime::now_utc();
        let mut replay = Replay::new(policy, against, today);
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
        if io::stderr().is_terminal() {
            let style = ProgressStyle::with_template("{bar:40} {pos} of {len} mails, {eta} left");
            bar.set_draw_target(ProgressDrawTarget::stderr());
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        }
        let reason = format!("policy replay of {} days, policy {}", self.days, policy.hash());
        let by = Decider {
            actor: &self.actor.actor,
            reason: &reason,
            now,
        };
        let looked = store.past(
            now - Duration::days(i64::from(self.days)),
            &by,
            |count| bar.set_length(count as u64),
            |past| {
                replay.take(&past);
                bar.inc(1);
            },
        );
        bar.finish_and_clear();
        let looked = looked.map_err(|error| error.to_string())?;
        Ok((replay.finish(), looked))
    }
}

fn load(file: &Path, today: Date) -> Result<Policy, String> {
    let opened = policy::open(file, today).map_err(|refused| refused.to_string().trim_end().to_owned())?;
    Ok(opened.loaded.policy)
}
