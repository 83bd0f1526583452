//! The arguments of `quarantine`, `people`, `audit` and `keys`, and the store that they open.

use super::{ConfigFile, audit, fail, keys, people, policy, quarantine, said};
use crate::config::{Config, Workers};
use crate::inspect::{Input, Options};
use crate::redact::Targets;
use crate::store::{Access, Content, Decider, Filter, IncidentId, Keys, PersonNote, State, Store, What};
use crate::types::{Address, danish_date};
use crate::worker::{Pool, PoolConfig};
use clap::{Args, Subcommand, ValueEnum};
use std::io;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};
use time::OffsetDateTime;

/// Who is asking.
#[derive(Args)]
pub(super) struct Actor {
    /// Your name, for the audit trail; a rule that wants two people counts each name once. The account that typed it is
    /// written down beside the reason when it is another.
    #[arg(long, value_name = "NAME", default_value_t = whoami())]
    pub(super) actor: String,
}

/// Who decides, and why.
#[derive(Args)]
pub(super) struct Decision {
    /// The hold, as `quarantine list` prints it.
    id: String,
    /// Only for this recipient: its number in `quarantine show`, or its address. May be repeated.
    #[arg(long, value_name = "RECIPIENT")]
    to: Vec<String>,
    #[command(flatten)]
    actor: Actor,
    /// Why, for the audit trail.
    #[arg(long)]
    reason: String,
}

/// Look at held mail and decide about it.
#[derive(Subcommand)]
pub(super) enum Quarantine {
    /// List incidents, newest first.
    List {
        #[command(flatten)]
        config: ConfigFile,
        /// Only those with a recipient in this state.
        #[arg(long, value_enum)]
        state: Option<StateWord>,
        /// At most so many; 0 means all.
        #[arg(long, default_value_t = 50)]
        limit: usize,
    },
    /// Show one incident, masked.
    Show {
        #[command(flatten)]
        config: ConfigFile,
        /// The hold.
        id: String,
        #[command(flatten)]
        actor: Actor,
    },
    /// Send it to its recipients after all.
    Release {
        #[command(flatten)]
        config: ConfigFile,
        #[command(flatten)]
        decision: Decision,
        /// Send a copy without the numbers.
        #[arg(long)]
        redacted: bool,
    },
    /// Refuse it; the sender is told by a DSN.
    Refuse {
        #[command(flatten)]
        config: ConfigFile,
        #[command(flatten)]
        decision: Decision,
    },
    /// Delete it; nobody is told.
    Delete {
        #[command(flatten)]
        config: ConfigFile,
        #[command(flatten)]
        decision: Decision,
    },
    /// Count what is there.
    Stats {
        #[command(flatten)]
        config: ConfigFile,
    },
}

/// Protected persons: numbers from standard input only, one a line.
#[derive(Subcommand)]
pub(super) enum People {
    /// Protect them.
    #[command(visible_alias = "import")]
    Add {
        #[command(flatten)]
        config: ConfigFile,
        #[command(flatten)]
        actor: Actor,
        /// Who is responsible for the entries.
        #[arg(long)]
        owner: Option<String>,
        /// Why they are protected.
        #[arg(long)]
        reason: Option<String>,
    },
    /// Protect them no longer.
    Remove {
        #[command(flatten)]
        config: ConfigFile,
        #[command(flatten)]
        actor: Actor,
        /// Why, for the audit trail.
        #[arg(long)]
        reason: String,
    },
    /// How many there are. There is no way to list them.
    Count {
        #[command(flatten)]
        config: ConfigFile,
    },
}

/// The audit trail.
#[derive(Subcommand)]
pub(super) enum Audit {
    /// Is it whole? Status 1 when it is not.
    Verify {
        #[command(flatten)]
        config: ConfigFile,
        /// A head written by `audit head` earlier: shows a cut tail too.
        #[arg(long, value_name = "FILE")]
        head: Option<PathBuf>,
    },
    /// Write its end to a file, for a place that somebody else guards.
    Head {
        #[command(flatten)]
        config: ConfigFile,
        /// The file.
        file: PathBuf,
    },
    /// All records, one JSON object a line.
    Export {
        #[command(flatten)]
        config: ConfigFile,
        /// From this record on.
        #[arg(long, default_value_t = 1)]
        from: i64,
    },
    /// Mails in which a number stood; the number comes from standard input. The search is recorded.
    Find {
        #[command(flatten)]
        config: ConfigFile,
        #[command(flatten)]
        actor: Actor,
        /// Why, for the audit trail.
        #[arg(long)]
        reason: String,
    },
}

/// Keys of the store.
#[derive(Subcommand)]
pub(super) enum KeysCommand {
    /// Make them, once; keys that are there stay as they are.
    Init {
        /// The folder, as `keys:` in the configuration.
        dir: PathBuf,
    },
}

#[derive(Clone, Copy, ValueEnum)]
pub(super) enum StateWord {
    Held,
    Sending,
    Unknown,
    Sent,
    Failed,
    Refused,
    Deleted,
    Expired,
}

impl From<StateWord> for State {
    fn from(word: StateWord) -> State {
        match word {
            StateWord::Held => State::Held,
            StateWord::Sending => State::Sending,
            StateWord::Unknown => State::Unknown,
            StateWord::Sent => State::Sent,
            StateWord::Failed => State::Failed,
            StateWord::Refused => State::Refused,
            StateWord::Deleted => State::Deleted,
            StateWord::Expired => State::Expired,
        }
    }
}

/// The person behind `sudo`, or the one signed in.
fn whoami() -> String {
    let names = ["SUDO_USER", "USER", "LOGNAME"];
    let name = names
        .iter()
        .find_map(|name| std::env::var(name).ok().filter(|value| !value.is_empty()));
    name.unwrap_or_else(|| format!("uid {}", rustix::process::getuid().as_raw()))
}

/// Who typed it, when that is not the name given: a name is easily typed, so the account stands beside the reason.
fn typed_by(actor: &str) -> Option<String> {
    let account = whoami();
    if actor == account {
        return None;
    }
    let uid = rustix::process::getuid().as_raw();
    // The audit user id stays the same through su and sudo (proc(5)); -1 where nobody signed in.
    let signed_in = std::fs::read_to_string("/proc/self/loginuid")
        .ok()
        .and_then(|id| id.trim().parse::<u32>().ok())
        .filter(|id| *id != u32::MAX)
        .map_or_else(String::new, |id| format!(", signed in as uid {id}"));
    let account = match account.starts_with("uid ") {
        true => account,
        false => format!("{account}, uid {uid}"),
    };
    Some(format!("typed by {account}{signed_in}"))
}

/// The store of a configuration, with the keys of a reviewer.
pub(super) fn open(config: &ConfigFile, access: Access) -> Result<Store, String> {
    let config = Config::load(&config.config).map_err(|error| error.to_string())?;
    let keys = Keys::load(&config.keys, access).map_err(|error| error.to_string())?;
    Store::open(&config.store, keys).map_err(|error| error.to_string())
}

fn with_store(config: &ConfigFile, access: Access, act: impl FnOnce(&Store) -> super::table::Said) -> ExitCode {
    match open(config, access) {
        Ok(store) => said(act(&store)),
        Err(error) => fail(error),
    }
}

/// A decision in words: name and reason.
struct Ruling {
    actor: String,
    reason: String,
}

impl Ruling {
    fn of(actor: &Actor, reason: &str) -> Ruling {
        // An empty reason must stay empty, so that it is refused.
        let reason = match typed_by(&actor.actor).filter(|_| !reason.trim().is_empty()) {
            Some(account) => format!("{} ({account})", reason.trim()),
            None => reason.to_owned(),
        };
        Ruling {
            actor: actor.actor.clone(),
            reason,
        }
    }

    fn decider(&self) -> Decider<'_> {
        Decider {
            actor: &self.actor,
            reason: &self.reason,
            now: OffsetDateTime::now_utc(),
        }
    }
}

impl Quarantine {
    pub(super) fn run(&self) -> ExitCode {
        match self {
            Quarantine::List { config, state, limit } => with_store(config, Access::Open, |store| {
                let filter = Filter {
                    state: state.map(State::from),
                    limit: *limit,
                };
                quarantine::list(store, &filter)
            }),
            Quarantine::Show { config, id, actor } => with_store(config, Access::Open, |store| {
                quarantine::show(store, id, &Ruling::of(actor, "quarantine show").decider())
            }),
            Quarantine::Release {
                config,
                decision,
                redacted,
            } => with_store(config, Access::Open, |store| decision.release(store, config, *redacted)),
            Quarantine::Refuse { config, decision } => with_store(config, Access::Open, |store| {
                decision.with_recipients(store, |to| {
                    quarantine::refuse(store, &decision.id, to, &decision.ruling().decider())
                })
            }),
            Quarantine::Delete { config, decision } => with_store(config, Access::Open, |store| {
                decision.with_recipients(store, |to| {
                    quarantine::delete(store, &decision.id, to, &decision.ruling().decider())
                })
            }),
            Quarantine::Stats { config } => with_store(config, Access::Open, quarantine::stats),
        }
    }
}

impl Decision {
    fn ruling(&self) -> Ruling {
        Ruling::of(&self.actor, &self.reason)
    }

    /// Recipients by number or address, as numbers from 1.
    fn with_recipients(&self, store: &Store, act: impl FnOnce(&[usize]) -> super::table::Said) -> super::table::Said {
        match self.recipients(store) {
            Ok(to) => act(&to),
            Err(error) => (format!("{error}\n"), 2),
        }
    }

    fn recipients(&self, store: &Store) -> Result<Vec<usize>, String> {
        let mut numbers = Vec::new();
        for to in &self.to {
            if let Ok(number) = to.parse() {
                numbers.push(number);
                continue;
            }
            let wanted = Address::parse(to.as_bytes())
                .map_err(|error| format!("--to: {error}"))?
                .key();
            let id = IncidentId::parse(&self.id).ok_or_else(|| quarantine::NO_ID.to_owned())?;
            let opened = store.read(&id, Content::Original).map_err(|error| error.to_string())?;
            let recipients = opened.envelope.recipients.iter().enumerate();
            let same = recipients.filter(|(_, r)| r.address.as_ref().is_some_and(|address| address.key() == wanted));
            let before = numbers.len();
            numbers.extend(same.map(|(i, _)| i + 1));
            if numbers.len() == before {
                return Err(
                    "--to: no recipient of this mail has that address; `quarantine show` numbers them".to_owned(),
                );
            }
        }
        Ok(numbers)
    }

    fn release(&self, store: &Store, config: &ConfigFile, redacted: bool) -> super::table::Said {
        let what = if redacted {
            self.clean_copy(store, config)
        } else {
            Ok(What::Original)
        };
        match what {
            Ok(what) => self.with_recipients(store, |to| {
                quarantine::release(store, &self.id, to, what, &self.ruling().decider())
            }),
            Err(error) => (format!("{error}\n"), 2),
        }
    }

    /// A copy made now, without any number and without what the policy's own identifiers find, inspected again.
    fn clean_copy(&self, store: &Store, config: &ConfigFile) -> Result<What, String> {
        let config = Config::load(&config.config).map_err(|error| error.to_string())?;
        let policy = policy::in_force(&config.policy)?;
        let id = IncidentId::parse(&self.id).ok_or_else(|| quarantine::NO_ID.to_owned())?;
        let opened = store.read(&id, Content::Original).map_err(|error| error.to_string())?;
        let mail = opened
            .mail
            .ok_or_else(|| "the content of this mail is gone".to_owned())?;
        let runtime = tokio::runtime::Runtime::new().map_err(|error| format!("no worker could be started: {error}"))?;
        runtime.block_on(async {
            let pool = Pool::new(PoolConfig::new(&Workers {
                count: 1,
                ..Workers::default()
            }));
            let options = Options {
                input: Input::Message,
                name: None,
                limits: config.limits.clone(),
                today: danish_date(OffsetDateTime::now_utc()),
                identifiers: policy.identifiers().to_vec(),
                programs: config.programs.clone(),
                style: policy.style(),
            };
            let until = Instant::now() + Duration::from_secs(300);
            let seen = pool
                .inspect(&mail, &options, until)
                .await
                .map_err(|error| error.to_string())?;
            let findings = seen.report().findings.iter();
            let targets: Targets = findings
                .map(|finding| (finding.kind.clone(), finding.number.clone()))
                .collect();
            match pool.redact(&mail, &seen, &targets, &options, until).await {
                Ok(copy) => Ok(What::Bytes(copy.bytes)),
                Err(why) => Err(format!(
                    "no clean copy can be made: {why}; release it as it is, or refuse it"
                )),
            }
        })
    }
}

impl People {
    pub(super) fn run(&self) -> ExitCode {
        let mut input = io::stdin().lock();
        match self {
            People::Add {
                config,
                actor,
                owner,
                reason,
            } => with_store(config, Access::Seal, |store| {
                let note = PersonNote {
                    owner: owner.clone(),
                    reason: reason.clone(),
                    review: None,
                };
                {
                    let why = reason.as_deref().filter(|reason| !reason.trim().is_empty());
                    let ruling = Ruling::of(actor, why.unwrap_or("people add"));
                    people::add(store, &mut input, &note, &ruling.decider())
                }
            }),
            People::Remove { config, actor, reason } => with_store(config, Access::Seal, |store| {
                people::remove(store, &mut input, &Ruling::of(actor, reason).decider())
            }),
            People::Count { config } => with_store(config, Access::Seal, people::count),
        }
    }
}

impl Audit {
    pub(super) fn run(&self) -> ExitCode {
        match self {
            Audit::Verify { config, head } => {
                with_store(config, Access::Seal, |store| audit::verify(store, head.as_deref()))
            }
            Audit::Head { config, file } => with_store(config, Access::Seal, |store| audit::head(store, file)),
            Audit::Export { config, from } => with_store(config, Access::Open, |store| {
                audit::export(store, *from, &mut io::stdout().lock())
            }),
            Audit::Find { config, actor, reason } => with_store(config, Access::Open, |store| {
                audit::find(store, &mut io::stdin().lock(), &Ruling::of(actor, reason).decider())
            }),
        }
    }
}

impl KeysCommand {
    pub(super) fn run(&self) -> ExitCode {
        let KeysCommand::Init { dir } = self;
        said(keys::init(dir))
    }
}
