//! What in a Postfix configuration lets mail past the milter, or loses it: `cpr-milter doctor`.
//!
//! Findings come from data ([`Facts`]) alone, so that every fault can be tested; only [`read`] runs programs and opens
//! files. Nothing here changes anything: a [`Fix`] is a line for the administrator to execute.

mod entry;
mod facts;
mod lists;
mod limits;
mod reinject;
mod routes;
mod services;
mod socket;
pub mod read;
mod tables;

pub use facts::{Facts, House, Postfix, Reached, Service, Step};
pub use tables::Listing;

use serde::Serialize;

/// How bad it is, worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Mail gets past the inspection, or to somebody for whom it was not judged.
    Leak,
    /// Mail is lost, stuck or refused although nothing is wrong with it.
    Loss,
    /// It holds, but by less than it should.
    Weak,
    /// Something that could not be looked at, or that somebody has to know.
    Note,
}

impl Severity {
    /// The word.
    pub fn word(self) -> &'static str {
        match self {
            Severity::Leak => "leak",
            Severity::Loss => "loss",
            Severity::Weak => "weak",
            Severity::Note => "note",
        }
    }
}

/// One way to mend a finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fix {
    /// Arguments of `postconf`.
    Postconf(Vec<String>),
    /// No command can know what is right.
    Hand(String),
}

impl Fix {
    fn main(name: &str, value: &str) -> Fix {
        Fix::Postconf(vec!["-e".to_owned(), format!("{name} = {value}").trim_end().to_owned()])
    }

    fn service(service: &Service, name: &str, value: &str) -> Fix {
        Fix::own(&service.place(), name, value)
    }

    /// Values without blanks, which `postconf -P` refuses; all values of ours are words or lists.
    fn own(place: &str, name: &str, value: &str) -> Fix {
        Fix::Postconf(vec!["-P".to_owned(), format!("{place}/{name}={value}")])
    }

    fn unset(service: &Service, name: &str) -> Fix {
        Fix::Postconf(vec!["-PX".to_owned(), format!("{}/{name}", service.place())])
    }

    /// Sets `name` where the service takes it from: its own `-o`, or `main.cf`.
    fn wherever(service: &Service, name: &str, value: &str) -> Fix {
        match service.own.contains_key(name) {
            true => Fix::service(service, name, value),
            false => Fix::main(name, value),
        }
    }

    fn hand(what: impl Into<String>) -> Fix {
        Fix::Hand(what.into())
    }

    /// A line for a shell; a comment where a person must decide.
    pub fn line(&self, folder: Option<&std::path::Path>) -> String {
        match self {
            Fix::Postconf(arguments) => {
                let mut line = "postconf".to_owned();
                if let Some(folder) = folder {
                    line.push_str(&format!(" -c {}", quoted(&folder.display().to_string())));
                }
                for argument in arguments {
                    line.push(' ');
                    line.push_str(&quoted(argument));
                }
                line
            }
            Fix::Hand(what) => format!("# by hand: {}", what.replace(['\n', '\r'], " ")),
        }
    }
}

/// As a POSIX shell takes it unchanged.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '/' | '.' | ':');
    match !word.is_empty() && word.chars().all(plain) {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', r"'\''")),
    }
}

/// One thing that is not as it must be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Stable word, for scripts.
    pub id: &'static str,
    /// How bad.
    pub severity: Severity,
    /// Where in the configuration.
    pub place: String,
    /// What it is.
    pub what: String,
    /// Why mail could get past or be lost.
    pub why: String,
    /// What to do.
    pub action: String,
    /// The lines that do it.
    pub fixes: Vec<Fix>,
}

/// Every finding, worst first.
pub fn examine(facts: &Facts<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    services::examine(facts, &mut found);
    lists::examine(facts, &mut found);
    reinject::examine(facts, &mut found);
    routes::examine(facts, &mut found);
    limits::examine(facts, &mut found);
    socket::examine(facts, &mut found);
    found.sort_by_key(|finding| finding.severity);
    let mut seen = std::collections::HashSet::new();
    found.retain(|finding| seen.insert((finding.id, finding.place.clone(), finding.what.clone())));
    found
}

/// The lines of all findings, each once, in the order in which they are to be executed.
pub fn lines(findings: &[Finding], folder: Option<&std::path::Path>) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for fix in findings.iter().flat_map(|finding| &finding.fixes) {
        let line = fix.line(folder);
        if !lines.contains(&line) {
            lines.push(line);
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shell_takes_every_word_unchanged() {
        for word in [
            "",
            "a b",
            "it's",
            "$smtpd_milters",
            "`id`",
            "{ a, b=c }",
            "\\0",
            "-o",
            "*",
        ] {
            let script = format!("printf %s {}", quoted(word));
            let out = std::process::Command::new("sh")
                .args(["-c", &script])
                .output()
                .expect("sh");
            assert_eq!(String::from_utf8_lossy(&out.stdout), word);
        }
    }
}
