//! Postfix tables, asked through `postmap -q -`: whatever type Postfix reads can be a group.
//!
//! Keys go in by standard input, since an address on a command line can be read by every user of the machine. `postmap`
//! ends with status 1 both when nothing was found and when a table could not be read (`postmap.c`, `msg_fatal`); so a last
//! key that is always found, in a table of our own, proves that every key before it was looked up.

use super::Times;
use crate::config;
use crate::types::{Address, fold_local};
use std::collections::{BTreeSet, HashMap};
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::Command;
use tokio::sync::Semaphore;

/// The last key. No address and no domain: it has no `@`, and a label does not begin with a hyphen.
const LAST: &str = "-cpr-milter-end-of-keys-";
/// A table is near, and asking it is cheap.
const BRIEFLY: Duration = Duration::from_secs(30);
/// Answers kept; beyond it the old ones go.
const MOST: usize = 100_000;
/// Processes at once.
const AT_ONCE: usize = 4;
/// Bytes of answers.
const OUTPUT: u64 = 64 << 20;

/// One Postfix table.
pub(super) struct Table {
    name: String,
    spec: String,
    postmap: PathBuf,
    postfix: Option<PathBuf>,
    /// By [`Address::key`].
    known: Mutex<HashMap<String, (bool, Instant)>>,
    processes: Semaphore,
}

impl Table {
    pub fn new(name: &str, spec: &str, config: &config::Directory) -> Table {
        Table {
            name: name.to_owned(),
            spec: spec.to_owned(),
            postmap: config.postmap.clone(),
            postfix: config.postfix.clone(),
            known: Mutex::default(),
            processes: Semaphore::new(AT_ONCE),
        }
    }

    /// For each address: the table has it, or its domain. Without addresses: whether the table can be read.
    pub async fn ask(&self, addresses: &[Address], times: Times, until: Instant) -> Result<Vec<bool>, String> {
        let fresh = times.refresh.min(BRIEFLY);
        let fresh = addresses.iter().map(|a| self.younger_than(&a.key(), fresh));
        if let (false, Some(all)) = (addresses.is_empty(), fresh.collect()) {
            return Ok(all);
        }
        let asked = tokio::time::timeout_at(until.into(), self.query(addresses)).await;
        let why = match asked.unwrap_or_else(|_| Err("no answer in time".to_owned())) {
            Ok(answers) => {
                self.keep(addresses, &answers, times);
                return Ok(answers);
            }
            Err(why) => why,
        };
        let last = addresses.iter().map(|a| self.younger_than(&a.key(), times.stale_after));
        let last: Option<Vec<bool>> = last.collect();
        match last.filter(|_| !addresses.is_empty()) {
            Some(last) => {
                tracing::error!(table = %self.name, "the table cannot be read, its last good answers are used: {why}");
                Ok(last)
            }
            None => {
                tracing::error!(table = %self.name, "the table cannot be read, mail with findings gets a 4xx: {why}");
                Err(why)
            }
        }
    }

    fn younger_than(&self, key: &str, age: Duration) -> Option<bool> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known
            .get(key)
            .filter(|(_, at)| at.elapsed() < age)
            .map(|(is_in, _)| *is_in)
    }

    fn keep(&self, addresses: &[Address], answers: &[bool], times: Times) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() > MOST {
            known.retain(|_, (_, at)| at.elapsed() < times.refresh);
        }
        if known.len() > MOST {
            known.clear();
        }
        let now = Instant::now();
        known.extend(addresses.iter().zip(answers).map(|(a, is_in)| (a.key(), (*is_in, now))));
    }

    async fn query(&self, addresses: &[Address]) -> Result<Vec<bool>, String> {
        let keys: Vec<Vec<String>> = addresses.iter().map(|a| keys(a, self.is_by_pattern())).collect();
        let all: BTreeSet<&str> = keys.iter().flatten().map(String::as_str).collect();
        let mut input = String::new();
        for key in all.into_iter().chain([LAST]) {
            if key.contains(char::is_control) {
                return Err("an address has control characters".to_owned());
            }
            input.push_str(key);
            input.push('\n');
        }
        let output = self.run(input).await?;
        // A table's values are in no charset that we know of.
        let found: BTreeSet<&[u8]> = output
            .split(|b| *b == b'\n')
            .filter_map(|line| line.split(|b| *b == b'\t').next())
            .collect();
        let is_in = |key: &String| found.contains(key.as_bytes());
        Ok(keys.iter().map(|keys| keys.iter().any(is_in)).collect())
    }

    /// What `postmap` printed, all keys looked up.
    async fn run(&self, input: String) -> Result<Vec<u8>, String> {
        let _turn = self.processes.acquire().await.map_err(|error| error.to_string())?;
        let mut command = Command::new(&self.postmap);
        command
            .env_clear()
            .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
            .env("LC_ALL", "C");
        if let Some(folder) = &self.postfix {
            command.arg("-c").arg(folder);
        }
        command.args(["-q", "-", &self.spec, &format!("inline:{{{LAST}=yes}}")]);
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let cannot = |error: std::io::Error| format!("{} cannot be run: {error}", self.postmap.display());
        let mut child = command.kill_on_drop(true).spawn().map_err(cannot)?;
        let (Some(mut to), Some(from), Some(errors)) = (child.stdin.take(), child.stdout.take(), child.stderr.take())
        else {
            return Err("postmap has no standard streams".to_owned());
        };
        let (mut output, mut complaint) = (Vec::new(), Vec::new());
        let (mut from, mut errors) = (from.take(OUTPUT), errors.take(4096));
        let write = async {
            // A program that ends early says why itself.
            let _ = to.write_all(input.as_bytes()).await;
            drop(to);
        };
        let ((), read, complained) =
            tokio::join!(write, from.read_to_end(&mut output), errors.read_to_end(&mut complaint));
        read.and(complained).map_err(|error| error.to_string())?;
        drop((from, errors));
        let ended = child.wait().await.map_err(|error| error.to_string())?;
        let last = format!("{LAST}\t");
        let whole = output
            .split(|b| *b == b'\n')
            .any(|line| line.starts_with(last.as_bytes()));
        match ended.success() && whole {
            true => Ok(output),
            false => Err(format!("postmap: {}", complaint_of(&complaint, &input))),
        }
    }

    /// Postfix asks such tables for whole addresses only (`regexp_table(5)`).
    fn is_by_pattern(&self) -> bool {
        ["regexp:", "pcre:"].iter().any(|kind| self.spec.contains(kind))
    }
}

/// The reason that `postmap` gives, unless it repeats a key.
fn complaint_of(complaint: &[u8], input: &str) -> String {
    let text = String::from_utf8_lossy(complaint);
    let reason = text
        .lines()
        .find_map(|line| line.split_once("fatal: ").map(|(_, reason)| reason));
    let repeats = |reason: &&str| input.lines().any(|key| key.contains('@') && reason.contains(key));
    match reason {
        Some(reason) if !repeats(&reason) => crate::cpr::mask(reason),
        Some(_) => "the table has a mistake".to_owned(),
        None => "it did not look up every key".to_owned(),
    }
}

/// What one address is looked up by, as Postfix does: the address, with quotes where they are needed and without, its
/// domain with and without `@`, and the domains above (access(5), virtual(5)). Each domain as A-labels and in letters,
/// between which Postfix does not convert (SMTPUTF8_README).
fn keys(address: &Address, by_pattern: bool) -> Vec<String> {
    let local = fold_local(&address.local);
    let letters = idna::domain_to_unicode(&address.domain).0;
    let mut domains = vec![address.domain.as_str()];
    domains.extend((letters != address.domain).then_some(letters.as_str()));
    let mut keys = Vec::new();
    for domain in domains {
        keys.extend(quoted(&local).map(|quoted| format!("{quoted}@{domain}")));
        keys.push(if domain.is_empty() {
            local.clone()
        } else {
            format!("{local}@{domain}")
        });
        if by_pattern || domain.is_empty() || domain.starts_with('[') {
            continue;
        }
        keys.extend([format!("@{domain}"), domain.to_owned()]);
        let mut rest = domain;
        while let Some((_, parent)) = rest.split_once('.').filter(|(_, parent)| parent.contains('.')) {
            keys.extend([format!(".{parent}"), parent.to_owned()]);
            rest = parent;
        }
    }
    keys
}

/// The local part as it stands in an address, when it needs quotes (RFC 5321 §4.1.2).
fn quoted(local: &str) -> Option<String> {
    let plain = |c: char| c.is_alphanumeric() || !c.is_ascii() || "!#$%&'*+-/=?^_`{|}~".contains(c);
    let atoms = local.split('.').all(|atom| !atom.is_empty() && atom.chars().all(plain));
    let escaped = || local.replace('\\', "\\\\").replace('"', "\\\"");
    (!atoms).then(|| format!("\"{}\"", escaped()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_looked_up_in_every_form_in_which_postfix_has_it() {
        let keys = |raw: &str, by_pattern| keys(&Address::parse(raw.as_bytes()).expect(raw), by_pattern);
        assert_eq!(
            keys("A@skole.rødovre.example", false),
            [
                "a@skole.xn--rdovre-bya.example",
                "@skole.xn--rdovre-bya.example",
                "skole.xn--rdovre-bya.example",
                ".xn--rdovre-bya.example",
                "xn--rdovre-bya.example",
                "a@skole.rødovre.example",
                "@skole.rødovre.example",
                "skole.rødovre.example",
                ".rødovre.example",
                "rødovre.example",
            ]
        );
        assert_eq!(
            keys("\"a \\\"b\"@x.example", true),
            ["\"a \\\"b\"@x.example", "a \"b@x.example"]
        );
        assert_eq!(keys("a@[192.0.2.1]", false), ["a@[192.0.2.1]"]);
    }

    #[test]
    fn a_complaint_never_repeats_an_address() {
        let of = |text: &str| complaint_of(text.as_bytes(), "a@x.example\nx.example\n");
        assert_eq!(
            of("postmap: fatal: open database /x.db: No such file"),
            "open database /x.db: No such file"
        );
        assert_eq!(of("postmap: fatal: query a@x.example"), "the table has a mistake");
    }
}
