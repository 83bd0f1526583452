//! A policy file and the files around it: read, bounded, and loaded with all that its tests need.

use super::lists::{Stamp, Stamps};
use crate::config::{Config, Programs, Workers};
use crate::content::Limits;
use crate::cpr::{self, Identifier};
use crate::inspect::{Input, Options};
use crate::policy::{self, Around, Loaded, Policy, Problem, ReadList, TestResult};
use crate::types::{Report, Style, danish_date};
use crate::worker::{Pool, PoolConfig};
use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use time::Date;

/// Why a policy file does not load.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// The file could not be read at all.
    #[error("the policy {path} cannot be read: {why}; check the name, and that this user may read it")]
    Unreadable {
        /// As given.
        path: String,
        /// The system's words.
        why: std::io::Error,
    },
    /// It has mistakes.
    #[error("the policy {path} has mistakes and does not come into force:\n\n{shown}")]
    Mistakes {
        /// As given.
        path: String,
        /// As [`policy::render`] shows them.
        shown: String,
        /// The same as data.
        problems: Vec<Problem>,
        /// What its tests showed, if it came to that.
        tests: Vec<TestResult>,
    },
}

/// A policy that was read from a file.
#[derive(Debug)]
pub struct Opened {
    /// The policy, its warnings and its tests.
    pub loaded: Loaded,
    /// What is written in it, for reading its lists again.
    pub written: Written,
    /// All files that were read, itself the first, for showing warnings.
    pub texts: Vec<(String, String)>,
    /// The lists that it names, as they looked before they were read.
    pub lists: Stamps,
    /// The same of the policy's own file and of those that it includes.
    pub own: Stamps,
}

/// The texts of a policy file and of the files that it includes: what changes at a reload only.
#[derive(Clone, Debug)]
pub struct Written {
    own: String,
    /// By the name in `include`.
    included: Vec<(String, String)>,
}

/// Reads a policy file, the files that it includes and the lists it names, which all lie in or below its folder.
///
/// # Errors
/// When it cannot be read or has mistakes.
pub fn open(path: &Path, today: Date) -> Result<Opened, Refused> {
    let name = path.display().to_string();
    let stamp = Stamp::of(path);
    let bytes = bounded(path).map_err(|why| Refused::Unreadable {
        path: name.clone(),
        why,
    })?;
    let source = utf8(&bytes).map_err(|(line, column, message)| {
        let problem = Problem {
            file: name.clone(),
            line,
            column,
            message,
            help: Some(SAVE_AS_UTF8.to_owned()),
            warning: false,
        };
        let problems = vec![problem];
        Refused::Mistakes {
            shown: policy::render(&problems, &name, &String::from_utf8_lossy(&bytes)),
            path: name.clone(),
            problems,
            tests: Vec::new(),
        }
    })?;
    let folder = path.parent().unwrap_or(Path::new(""));
    let stamps = RefCell::new(vec![(path.to_owned(), stamp)]);
    let read = |file: &str| {
        stamps.borrow_mut().push(stamped(folder, file));
        read_text(folder, file)
    };
    let mut opened = load(path, source.to_owned(), &read, today)?;
    opened.own = stamps.into_inner();
    Ok(opened)
}

/// As [`open`], with what was written in the policy when it was read before, and the lists of now.
///
/// # Errors
/// When it or a list has mistakes.
pub fn open_again(path: &Path, before: &Written, today: Date) -> Result<Opened, Refused> {
    let kept = |file: &str| {
        let text = before.included.iter().find(|(name, _)| name == file);
        text.map(|(_, text)| text.clone())
            .ok_or_else(|| "it is read at a reload only".to_owned())
    };
    load(path, before.own.clone(), &kept, today)
}

fn load(path: &Path, source: String, include: ReadList<'_>, today: Date) -> Result<Opened, Refused> {
    let name = path.display().to_string();
    let folder = path.parent().unwrap_or(Path::new(""));
    let texts = RefCell::new(vec![(name.clone(), source.clone())]);
    let keep = |file: &str, text: &str| texts.borrow_mut().push((file.to_owned(), text.to_owned()));
    let included = RefCell::new(Vec::new());
    let includes = |file: &str| {
        let text = include(file)?;
        keep(file, &text);
        included.borrow_mut().push((file.to_owned(), text.clone()));
        Ok(text)
    };
    let stamps = RefCell::new(Stamps::new());
    let lists = |list: &str| {
        stamps.borrow_mut().push(stamped(folder, list));
        let text = read_text(folder, list)?;
        keep(list, &text);
        Ok(text)
    };
    let results = RefCell::new(Vec::new());
    let around = Around {
        results: Some(&results),
        attachment: Some(&|file| read_below(folder, file)),
        mail: Some(&|mail, identifiers| inspect(mail, identifiers, today)),
        includes: Some(&includes),
        ..Around::new(&lists)
    };
    let loaded = policy::load_with(&source, &name, today, &around);
    let texts = texts.into_inner();
    let problems = match loaded {
        // A policy that was cut off between two rules is sound, and lets through what its last rules would have held.
        Ok(loaded) if loaded.warnings.iter().any(policy::is_cut_off) => cut_off(loaded.warnings),
        Ok(loaded) => {
            return Ok(Opened {
                loaded,
                written: Written {
                    own: source,
                    included: included.into_inner(),
                },
                texts,
                lists: stamps.into_inner(),
                own: Stamps::new(),
            });
        }
        Err(problems) => problems,
    };
    Err(Refused::Mistakes {
        shown: render(&problems, &texts),
        path: name,
        problems,
        tests: results.take(),
    })
}

fn stamped(folder: &Path, file: &str) -> (PathBuf, Stamp) {
    let path = folder.join(file);
    let stamp = Stamp::of(&path);
    (path, stamp)
}

fn cut_off(warnings: Vec<Problem>) -> Vec<Problem> {
    let is_mistake = |problem: Problem| Problem {
        warning: problem.warning && !policy::is_cut_off(&problem),
        ..problem
    };
    warnings.into_iter().map(is_mistake).collect()
}

pub(super) fn render(problems: &[Problem], texts: &[(String, String)]) -> String {
    let texts: Vec<(&str, &str)> = texts
        .iter()
        .map(|(name, text)| (name.as_str(), text.as_str()))
        .collect();
    policy::render_files(problems, &texts)
}

/// Reads the mail of a test where all mail is read, in a worker process. On a thread of its own, since a daemon that
/// reloads its policy is in the middle of its own work.
fn inspect(mail: &[u8], identifiers: &[Identifier], today: Date) -> Result<Report, String> {
    let options = Options {
        input: Input::Message,
        name: None,
        limits: Limits::default(),
        today,
        identifiers: identifiers.to_vec(),
        style: Style::default(),
        programs: Programs::default(),
    };
    let read = || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| error.to_string())?;
        let pool = Pool::new(PoolConfig::new(&Workers {
            count: 1,
            ..Workers::default()
        }));
        let until = Instant::now() + Duration::from_secs(120);
        let seen = runtime.block_on(pool.inspect(mail, &options, until));
        seen.map(|seen| seen.report().clone())
            .map_err(|error| error.to_string())
    };
    let thread = std::thread::scope(|scope| scope.spawn(read).join());
    thread.unwrap_or_else(|_| Err("the reader panicked".to_owned()))
}

const SAVE_AS_UTF8: &str = "save the file as UTF-8 (in Notepad: Save as, Encoding: UTF-8)";
/// No policy and no list is as large; a wrong path (a disk, an endless device) must not be read to its end.
const MOST: u64 = 64 << 20;

fn bounded(path: &Path) -> std::io::Result<Vec<u8>> {
    use std::io::Read as _;
    let mut bytes = Vec::new();
    std::fs::File::open(path)?.take(MOST).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The text, or line, column and what is wrong there.
fn utf8(bytes: &[u8]) -> Result<&str, (usize, usize, String)> {
    if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
        return Err((1, 1, "this file is saved as UTF-16".to_owned()));
    }
    std::str::from_utf8(bytes).map_err(|error| {
        let good = String::from_utf8_lossy(bytes.get(..error.valid_up_to()).unwrap_or_default()).into_owned();
        let line = good.matches('\n').count() + 1;
        let column = good.rsplit('\n').next().unwrap_or("").chars().count() + 1;
        let what = if bytes.contains(&0) {
            "this file is no text"
        } else {
            "this file is not saved as UTF-8"
        };
        (line, column, what.to_owned())
    })
}

/// A list that the policy names, or a file that it includes.
fn read_text(folder: &Path, list: &str) -> Result<String, String> {
    let bytes = read_below(folder, list)?;
    match utf8(&bytes) {
        Ok(text) => Ok(text.to_owned()),
        Err((line, column, what)) => Err(format!("{list}:{line}:{column}: {what}; {SAVE_AS_UTF8}")),
    }
}

/// A file that the policy names. It lies in or below the policy's folder: whoever may write the policy may not thereby
/// read what the gateway's user can.
fn read_below(folder: &Path, list: &str) -> Result<Vec<u8>, String> {
    use std::path::Component;
    let below = |part: Component<'_>| matches!(part, Component::Normal(_) | Component::CurDir);
    if !Path::new(list).components().all(below) {
        return Err("it lies outside the folder of the policy file".to_owned());
    }
    bounded(&folder.join(list)).map_err(|error| error.to_string())
}

/// Gateways that the policy names and the administrator's file does not: mail for them would wait for ever.
///
/// # Errors
/// Each of them, with its place and what to do.
pub fn gateways_known(policy: &Policy, path: &Path, config: &Config) -> Result<(), String> {
    let known: Vec<&str> = config.gateways.keys().map(String::as_str).collect();
    let unknown = policy
        .gateways()
        .into_iter()
        .filter(|gateway| !known.contains(&gateway.name));
    let lines: Vec<String> = unknown
        .map(|gateway| {
            let file = gateway.file.map_or_else(|| path.display().to_string(), str::to_owned);
            let help = match known.as_slice() {
                [] => "the administrator adds it there".to_owned(),
                known => format!("those there are {}", known.join(", ")),
            };
            let (line, column, name) = (gateway.line, gateway.column, cpr::mask(gateway.name));
            format!("{file}:{line}:{column}: the gateway `{name}` is not among `gateways` of the configuration; {help}")
        })
        .collect();
    if lines.is_empty() {
        Ok(())
    } else {
        Err(lines.join("\n"))
    }
}

/// The policy for a daemon: warnings are logged.
///
/// # Errors
/// Every mistake, as the compliance officer reads it.
pub fn in_force(config: &Config) -> Result<Policy, String> {
    opened_in_force(config).map(|opened| opened.loaded.policy)
}

/// As [`in_force`], with what was read.
///
/// # Errors
/// Every mistake, as the compliance officer reads it.
pub fn opened_in_force(config: &Config) -> Result<Opened, String> {
    let path = config.policy.as_path();
    let opened = open(path, danish_date(time::OffsetDateTime::now_utc()))
        .map_err(|refused| refused.to_string().trim_end().to_owned())?;
    for warning in &opened.loaded.warnings {
        tracing::warn!(
            "{}:{}:{}: {}",
            warning.file,
            warning.line,
            warning.column,
            warning.message
        );
    }
    gateways_known(&opened.loaded.policy, path, config)?;
    Ok(opened)
}
