//! `cpr-milter doctor`: looks at Postfix and says what would let mail past us, or lose it.

use super::{ConfigFile, policy, said, table::Said, table::plain};
use crate::config::Config;
use crate::doctor::{self, Finding, read::Reader};
use crate::types::Address;
use clap::{Args, ValueEnum};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// What to look at, and how to say it.
#[derive(Args)]
pub(super) struct Doctor {
    #[command(flatten)]
    config: ConfigFile,
    /// The folder of main.cf and master.cf; by default Postfix's own, or `directory.postfix` of the configuration.
    #[arg(long, short = 'c', value_name = "FOLDER")]
    postfix: Option<PathBuf>,
    /// Print the commands that mend what was found, for a shell, and run none of them.
    #[arg(long, conflicts_with = "format")]
    fix: bool,
    /// As sentences, or one JSON object a line for each finding.
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Text,
    Json,
}

impl Doctor {
    pub(super) fn run(&self) -> ExitCode {
        said(self.look().unwrap_or_else(|why| (format!("cpr-milter: {why}\n"), 2)))
    }

    fn look(&self) -> Result<Said, String> {
        let config = Config::load(&self.config.config).map_err(|error| error.to_string())?;
        let inside = inside(&config)?;
        let folder = self.postfix.clone().or_else(|| config.directory.postfix.clone());
        let reader = Reader::new(folder.clone(), &config.directory.postmap);
        let facts = reader.facts(&config, &inside).map_err(|error| error.to_string())?;
        let findings = doctor::examine(&facts);
        let text = match (self.fix, self.format) {
            (true, _) => commands(&findings, folder.as_deref()),
            (false, Format::Text) => sentences(&findings, facts.postfix.services.len()),
            (false, Format::Json) => json(&findings, folder.as_deref()),
        };
        Ok((text, i32::from(!findings.is_empty())))
    }
}

/// Who counts as inside, as the policy in force says.
fn inside(config: &Config) -> Result<impl Fn(&str) -> bool + use<>, String> {
    let policy = policy::in_force(config)?;
    Ok(move |address: &str| {
        let address = Address::parse(address.as_bytes()).ok();
        address.is_some_and(|address| policy.is_inside(Some(&address)))
    })
}

fn sentences(findings: &[Finding], services: usize) -> String {
    if findings.is_empty() {
        return format!(
            "nothing found: {services} services of Postfix were looked at, and the tables that they name\n"
        );
    }
    let mut out = String::new();
    for finding in findings {
        let (word, place) = (finding.severity.word(), plain(&finding.place));
        let _ = writeln!(out, "{word}  {place}: {} [{}]", plain(&finding.what), finding.id);
        let _ = writeln!(out, "      {}", plain(&finding.why));
        let _ = writeln!(out, "      Do: {}\n", plain(&finding.action));
    }
    let count = match findings.len() {
        1 => "1 finding".to_owned(),
        many => format!("{many} findings"),
    };
    let _ = writeln!(
        out,
        "{count}. `cpr-milter doctor --fix` prints the commands that mend them."
    );
    out
}

fn commands(findings: &[Finding], folder: Option<&Path>) -> String {
    let mut out = String::new();
    for line in doctor::lines(findings, folder) {
        let _ = writeln!(out, "{}", plain(&line));
    }
    if !findings.is_empty() {
        out.push_str("# then: postfix reload, and cpr-milter doctor once more\n");
    }
    out
}

fn json(findings: &[Finding], folder: Option<&Path>) -> String {
    let object = |finding: &Finding| {
        let fix = doctor::lines(std::slice::from_ref(finding), folder);
        serde_json::json!({
            "id": finding.id, "severity": finding.severity, "place": finding.place, "what": finding.what,
            "why": finding.why, "do": finding.action, "fix": fix,
        })
    };
    findings
        .iter()
        .map(|finding| format!("{}\n", object(finding)))
        .collect()
}
