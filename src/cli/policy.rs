//! `cpr-milter policy check | test`: what the policy says, in words for a compliance officer. Texts come back
//! to the caller, who prints them and ends with the exit status.

use super::lists::{Stamp, Stamps};
use super::lookup::{self, Lookup};
use crate::cpr;
use crate::policy::{self, Loaded, Policy, Problem, TestResult};
use crate::types::danish_date;
use std::cell::RefCell;
use std::fmt::Write;
use std::path::Path;
use time::Date;

/// The policy is sound.
pub const SOUND: u8 = 0;
/// The policy has mistakes, or fails its own tests.
pub const MISTAKES: u8 = 1;
/// The file could not be read.
pub const UNREADABLE: u8 = 2;
/// The policy is sound, and somebody whom it asks does not answer.
pub const UNANSWERED: u8 = 3;

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
    },
}

/// A policy that was read from a file.
#[derive(Debug)]
pub struct Opened {
    /// The policy, its warnings and its tests.
    pub loaded: Loaded,
    /// Its text, for showing warnings.
    pub source: String,
    /// The lists that it names, as they looked before they were read.
    pub lists: Stamps,
}

/// Reads a policy file and the lists it names, which lie in or below its folder.
///
/// # Errors
/// When it cannot be read or has mistakes.
pub fn open(path: &Path, today: Date) -> Result<Opened, Refused> {
    let name = path.display().to_string();
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
        }
    })?;
    open_text(path, source.to_owned(), today)
}

/// As [`open`], with the text of the policy file that was read before, and the lists of now.
///
/// # Errors
/// When it or a list has mistakes.
pub fn open_text(path: &Path, source: String, today: Date) -> Result<Opened, Refused> {
    let name = path.display().to_string();
    let folder = path.parent().unwrap_or(Path::new(""));
    let stamps = RefCell::new(Stamps::new());
    let lists = |list: &str| {
        let path = folder.join(list);
        let stamp = Stamp::of(&path);
        stamps.borrow_mut().push((path, stamp));
        read_list(folder, list)
    };
    match policy::load(&source, &name, today, &lists) {
        Ok(loaded) => Ok(Opened {
            loaded,
            source,
            lists: stamps.into_inner(),
        }),
        Err(problems) => Err(Refused::Mistakes {
            shown: policy::render(&problems, &name, &source),
            path: name,
            problems,
        }),
    }
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

/// A list that the policy names. It lies in or below the policy's folder: whoever may write the policy may not thereby
/// read what the gateway's user can.
fn read_list(folder: &Path, list: &str) -> Result<String, String> {
    use std::path::Component;
    let below = |part: Component<'_>| matches!(part, Component::Normal(_) | Component::CurDir);
    if !Path::new(list).components().all(below) {
        return Err("it lies outside the folder of the policy file".to_owned());
    }
    let bytes = bounded(&folder.join(list)).map_err(|error| error.to_string())?;
    match utf8(&bytes) {
        Ok(text) => Ok(text.to_owned()),
        Err((line, column, what)) => Err(format!("{list}:{line}:{column}: {what}; {SAVE_AS_UTF8}")),
    }
}

/// The policy for a daemon: warnings are logged.
///
/// # Errors
/// Every mistake, as the compliance officer reads it.
pub fn in_force(path: &Path) -> Result<Policy, String> {
    opened_in_force(path).map(|opened| opened.loaded.policy)
}

/// As [`in_force`], with what was read.
///
/// # Errors
/// Every mistake, as the compliance officer reads it.
pub fn opened_in_force(path: &Path) -> Result<Opened, String> {
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
    Ok(opened)
}

/// `policy check FILE`: every mistake and warning, who is not known here, then one line. With `--lookup`, whoever knows the
/// members of groups is asked, and must answer.
pub(super) fn check(path: &Path, today: Date, lookup: &Lookup) -> (String, u8) {
    match open(path, today) {
        Ok(Opened { loaded, source, .. }) => {
            let mut out = policy::render(&loaded.warnings, &path.display().to_string(), &source);
            let (said, answered) = match lookup.lookup {
                true => lookup
                    .look(&loaded.policy)
                    .unwrap_or_else(|why| (format!("{why}\n"), false)),
                false => (lookup::unknown(&loaded.policy), true),
            };
            out.push_str(&said);
            let warnings = count(loaded.warnings.len(), "warning");
            let tests = passed(&loaded.tests);
            let (name, hash) = (loaded.policy.name(), loaded.policy.hash());
            let _ = writeln!(out, "{name} is sound: {tests}, {warnings}, hash {hash}");
            (out, if answered { SOUND } else { UNANSWERED })
        }
        Err(refused) => refusal(&refused),
    }
}

/// `policy test FILE`: what each test showed. Failures come with the rule that won and why.
pub fn test(path: &Path, today: Date) -> (String, u8) {
    match open(path, today) {
        Ok(Opened { loaded, .. }) => {
            let mut out: String = loaded.tests.iter().map(report).collect();
            let _ = writeln!(out, "\n{}", passed(&loaded.tests));
            (out, SOUND)
        }
        Err(refused) => refusal(&refused),
    }
}

fn refusal(refused: &Refused) -> (String, u8) {
    match refused {
        Refused::Unreadable { .. } => (format!("{refused}\n"), UNREADABLE),
        Refused::Mistakes { shown, problems, path } => {
            let mistakes = count(problems.iter().filter(|p| !p.warning).count(), "mistake");
            let out = format!("{shown}{path}: {mistakes}; it does not come into force, the policy in force stays\n");
            (out, MISTAKES)
        }
    }
}

fn passed(tests: &[TestResult]) -> String {
    let lapsed = tests.iter().filter(|t| t.lapsed.is_some()).count();
    let passed = count(tests.len() - lapsed, "test");
    match lapsed {
        0 => format!("{passed} passed"),
        lapsed => format!("{passed} passed, {lapsed} lapsed"),
    }
}

fn report(result: &TestResult) -> String {
    let word = match (result.passed, result.lapsed) {
        (true, _) => "ok    ",
        (false, Some(_)) => "lapsed",
        (false, None) => "FAILED",
    };
    let mut out = format!("{word} {}\n", cpr::mask(&result.name));
    if let Some(day) = result.lapsed {
        let _ = writeln!(
            out,
            "         as expected until {day}; a date in the policy has passed since"
        );
    }
    for outcome in &result.outcomes {
        let _ = writeln!(out, "         {outcome}");
    }
    out
}

fn count(n: usize, what: &str) -> String {
    match n {
        0 => format!("no {what}s"),
        1 => format!("1 {what}"),
        n => format!("{n} {what}s"),
    }
}
