//! Who is in groups that the policy names and others keep: the organisation's directory (LDAP) and Postfix tables.
//!
//! A group of the directory is read as a whole and kept; tables are asked for one mail's addresses at once. When nobody
//! answers, the last good answer holds until `stale_after_seconds`, and then there is none: that is [`NoAnswer`], a 4xx,
//! and never "not a member". What the answers mean is the policy's business.

mod entry;
mod kept;
mod ldap;
mod table;

use crate::config;
use crate::policy::{Answers, Asks, Source};
use crate::types::Address;
use kept::Kept;
use ldap::Ldap;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use table::Table;

/// Why nobody says who is in a group. Without names of people. The mail gets a 4xx.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoAnswer {
    /// The policy names what the administrator's file does not know.
    #[error("{0} is asked for by the policy, and {1}")]
    NotConfigured(Source, &'static str),
    /// Nobody answers in time, or what comes is no answer.
    #[error("{0}: {1}")]
    Silent(Source, String),
}

/// How long answers hold.
#[derive(Clone, Copy, Debug)]
struct Times {
    refresh: Duration,
    stale_after: Duration,
    timeout: Duration,
}

/// The directory and the tables of one configuration, with what they last said.
pub struct Directory {
    config: config::Directory,
    times: Times,
    ldap: Option<Arc<Ldap>>,
    lists: Mutex<HashMap<String, Arc<Kept>>>,
    tables: BTreeMap<String, Arc<Table>>,
}

impl Directory {
    /// Looks at what can be looked at without asking: the password, the certificate authority.
    ///
    /// # Errors
    /// What the administrator must mend, in words for them.
    pub fn new(config: &config::Directory) -> Result<Directory, String> {
        let times = Times {
            refresh: Duration::from_secs(config.refresh_seconds),
            stale_after: Duration::from_secs(config.stale_after_seconds),
            timeout: Duration::from_secs(config.timeout_seconds),
        };
        let ldap = config.ldap.as_ref().map(Ldap::new).transpose()?;
        let tables = config.tables.iter();
        let table = |(name, spec): (&String, &String)| (name.clone(), Arc::new(Table::new(name, spec, config)));
        Ok(Directory {
            times,
            ldap: ldap.map(Arc::new),
            lists: Mutex::default(),
            tables: tables.map(table).collect(),
            config: config.clone(),
        })
    }

    /// Made from the same configuration, so that it can go on with what it knows.
    pub fn is_of(&self, config: &config::Directory) -> bool {
        self.config == *config
    }

    /// The administrator's file knows every one of these.
    ///
    /// # Errors
    /// The first that it does not know.
    pub fn knows(&self, sources: &[Source]) -> Result<(), NoAnswer> {
        let unknown = |source: &Source| match source {
            Source::Ldap(_) if self.ldap.is_none() => Some("the configuration has no `directory: ldap`"),
            Source::Table(name) if !self.tables.contains_key(name) => {
                Some("the configuration has no such table under `directory: tables`")
            }
            _ => None,
        };
        let mut wrong = sources.iter().filter_map(|s| unknown(s).map(|why| (s, why)));
        match wrong.next() {
            Some((source, why)) => Err(NoAnswer::NotConfigured(source.clone(), why)),
            None => Ok(()),
        }
    }

    /// Asks, for one mail.
    ///
    /// # Errors
    /// Something is not known.
    pub async fn ask(&self, asks: &Asks<'_>, until: Instant) -> Result<Answers, NoAnswer> {
        if asks.addresses.is_empty() {
            return Ok(Answers::unanswered());
        }
        self.knows(asks.sources)?;
        let until = until.min(Instant::now() + self.times.timeout);
        let mut member_of = vec![Vec::new(); asks.addresses.len()];
        for (index, source) in asks.sources.iter().enumerate() {
            let answers = self.ask_one(source, &asks.addresses, until).await?;
            for (member_of, is_in) in member_of.iter_mut().zip(answers) {
                member_of.extend(is_in.then_some(index));
            }
        }
        let mut given = Answers::unanswered();
        for (address, sources) in asks.addresses.iter().zip(member_of) {
            given.answer(address, sources);
        }
        Ok(given)
    }

    /// For each address: it is in there.
    async fn ask_one(&self, source: &Source, addresses: &[Address], until: Instant) -> Result<Vec<bool>, NoAnswer> {
        let silent = |why: String| NoAnswer::Silent(source.clone(), why);
        match source {
            Source::Ldap(name) => {
                let list = self.list(name, self.times, until).await.map_err(silent)?;
                Ok(addresses.iter().map(|a| list.contains(&a.key())).collect())
            }
            Source::Table(name) => match self.tables.get(name) {
                Some(table) => table.ask(addresses, self.times, until).await.map_err(silent),
                None => Err(silent("it is not configured".to_owned())),
            },
        }
    }

    async fn list(&self, name: &str, times: Times, until: Instant) -> Result<Arc<HashSet<String>>, String> {
        let ldap = self.ldap.as_ref().ok_or("it is not configured")?;
        let kept = {
            let mut lists = self.lists.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(
                lists
                    .entry(name.to_owned())
                    .or_insert_with(|| Arc::new(Kept::new(name))),
            )
        };
        kept.current(ldap, times, until).await
    }

    /// Asks each whose answer is not quite new, so that mails need not wait, and says how many addresses each has (tables:
    /// only that it answers).
    pub async fn look(&self, sources: &[Source]) -> Vec<(Source, Result<Option<usize>, NoAnswer>)> {
        let until = Instant::now() + self.times.timeout.max(Duration::from_secs(30));
        let times = Times {
            refresh: self.times.refresh / 2,
            ..self.times
        };
        let mut out = Vec::new();
        for source in sources {
            let silent = |why: String| NoAnswer::Silent(source.clone(), why);
            let known = self.knows(std::slice::from_ref(source));
            let answer = match (known, source) {
                (Err(why), _) => Err(why),
                (Ok(()), Source::Ldap(name)) => self
                    .list(name, times, until)
                    .await
                    .map(|l| Some(l.len()))
                    .map_err(silent),
                (Ok(()), Source::Table(_)) => self.ask_one(source, &[], until).await.map(|_| None),
            };
            out.push((source.clone(), answer));
        }
        out
    }

    /// How often [`Directory::look`] keeps everything fresh.
    pub fn pace(&self) -> Duration {
        (self.times.refresh / 2).max(Duration::from_secs(1))
    }
}
