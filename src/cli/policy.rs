//! `cpr-milter policy check | test`: what the policy says, in words for a compliance officer. Texts come back
//! to the caller, who prints them and ends with the exit status.

use super::lookup::{self, Lookup};
use super::policy_file::render;
pub use super::policy_file::{Opened, Refused, Written, gateways_known, in_force, open, open_again, opened_in_force};
use crate::cpr;
use crate::policy::TestResult;
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

/// `policy check FILE`: every mistake and warning, who is not known here, then one line. With the administrator's file also
/// what only the two together show; with `--lookup`, whoever knows the members of groups is asked, and must answer.
pub(super) fn check(path: &Path, today: Date, lookup: &Lookup) -> Result<(String, u8), String> {
    let config = lookup.config()?;
    let Opened { loaded, texts, .. } = match open(path, today) {
        Ok(opened) => opened,
        Err(refused) => return Ok(refusal(&refused)),
    };
    let mut out = render(&loaded.warnings, &texts);
    let known = config
        .as_ref()
        .map(|config| gateways_known(&loaded.policy, path, config));
    if let Some(Err(unknown)) = known {
        return Ok((format!("{out}{unknown}\n"), MISTAKES));
    }
    let (said, answered) = match (&config, lookup.lookup) {
        (Some(config), true) => lookup::look(&loaded.policy, config).unwrap_or_else(|why| (format!("{why}\n"), false)),
        _ => (lookup::unknown(&loaded.policy), true),
    };
    out.push_str(&said);
    let warnings = count(loaded.warnings.len(), "warning");
    let tests = passed(&loaded.tests);
    let (name, hash) = (loaded.policy.name(), loaded.policy.hash());
    let _ = writeln!(out, "{name} is sound: {tests}, {warnings}, hash {hash}");
    Ok((out, if answered { SOUND } else { UNANSWERED }))
}

/// `policy test FILE`: what each test showed. Failures come with the rule that won and why.
pub fn test(path: &Path, today: Date) -> (String, u8) {
    match open(path, today) {
        Ok(Opened { loaded, .. }) => {
            let mut out: String = loaded.tests.iter().map(report).collect();
            let _ = writeln!(out, "\n{}", passed(&loaded.tests));
            (out, SOUND)
        }
        Err(refused) => {
            let tests = match &refused {
                Refused::Mistakes { tests, .. } => tests.as_slice(),
                Refused::Unreadable { .. } => &[],
            };
            let mut out: String = tests.iter().map(report).collect();
            if !tests.is_empty() {
                let _ = writeln!(out, "\n{}\n", passed(tests));
            }
            let (shown, status) = refusal(&refused);
            (out + &shown, status)
        }
    }
}

fn refusal(refused: &Refused) -> (String, u8) {
    match refused {
        Refused::Unreadable { .. } => (format!("{refused}\n"), UNREADABLE),
        Refused::Mistakes {
            shown, problems, path, ..
        } => {
            let mistakes = count(problems.iter().filter(|p| !p.warning).count(), "mistake");
            let out = format!("{shown}{path}: {mistakes}; it does not come into force, the policy in force stays\n");
            (out, MISTAKES)
        }
    }
}

fn passed(tests: &[TestResult]) -> String {
    let lapsed = tests.iter().filter(|t| t.lapsed.is_some()).count();
    let failed = tests.iter().filter(|t| !t.passed && t.lapsed.is_none()).count();
    let mut out = format!("{} passed", count(tests.len() - lapsed - failed, "test"));
    for (number, word) in [(lapsed, "lapsed"), (failed, "FAILED")] {
        if number > 0 {
            let _ = write!(out, ", {number} {word}");
        }
    }
    out
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
