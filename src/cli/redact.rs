//! `cpr-milter redact`: a mail or document -> its copy without numbers.

use super::fail;
use super::input::{self, Kind};
use crate::config::{Programs, Workers};
use crate::content::Limits;
use crate::cpr::Confidence;
use crate::inspect::Options;
use crate::redact::Targets;
use crate::types::{Style, danish_date};
use crate::worker::{Copy, Pool, PoolConfig, Unredacted};
use clap::{Args, ValueEnum};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// Write a copy of a mail or document without its numbers.
///
/// Exit status: 0 a clean copy was written, 1 it could not be made clean and nothing was written, 2 an error.
#[derive(Args)]
pub(super) struct Redact {
    /// The file; `-` is standard input.
    file: PathBuf,
    /// Where the copy goes; standard output without it.
    #[arg(short, long, value_name = "OUT")]
    output: Option<PathBuf>,
    /// How to read the file.
    #[arg(long, value_enum, default_value = "auto")]
    input: Kind,
    /// Remove numbers that are at least this sure.
    #[arg(long, value_enum, default_value = "possible")]
    confidence: Least,
    /// What stands where a number stood: a box (in text an X a digit), `[CPR]`, or nothing.
    #[arg(long, value_enum, default_value = "box")]
    style: Look,
}

#[derive(Clone, Copy, ValueEnum)]
enum Look {
    Box,
    Label,
    Remove,
}

#[derive(Clone, Copy, ValueEnum)]
enum Least {
    Possible,
    Likely,
    Certain,
}

impl Redact {
    pub(super) fn run(&self) -> ExitCode {
        let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
            Ok(runtime) => runtime,
            Err(error) => return fail(error),
        };
        match runtime.block_on(self.redact()) {
            Err(error) => fail(error),
            Ok(Err(why)) => {
                eprintln!(
                    "cpr-milter: {}: cannot be made clean: {why}; nothing was written",
                    self.file.display()
                );
                ExitCode::from(1)
            }
            Ok(Ok(copy)) => match self.write(&copy.bytes) {
                Ok(()) => ExitCode::SUCCESS,
                Err(error) => fail(error),
            },
        }
    }

    async fn redact(&self) -> Result<Result<Copy, String>, String> {
        let mut items = input::read(&self.file, self.input)?;
        let item = match items.pop() {
            Some(item) if items.is_empty() => item,
            _ => return Err(format!("{}: an mbox; redact its mails one by one", self.file.display())),
        };
        let options = Options {
            input: item.input,
            name: item.name,
            limits: Limits::default(),
            today: danish_date(time::OffsetDateTime::now_utc()),
            identifiers: Vec::new(),
            programs: Programs::default(),
            style: self.style(),
        };
        let pool = Pool::new(PoolConfig::new(&Workers {
            count: 1,
            ..Workers::default()
        }));
        let until = Instant::now() + Duration::from_secs(600);
        let inspected = pool
            .inspect(&item.bytes, &options, until)
            .await
            .map_err(|error| error.to_string())?;
        let sure = |finding: &&crate::types::Finding| finding.confidence >= self.least();
        let findings = inspected.report().findings.iter().filter(sure);
        let targets: Targets = findings
            .map(|finding| (finding.kind.clone(), finding.number.clone()))
            .collect();
        let copy = pool.redact(&item.bytes, &inspected, &targets, &options, until);
        match copy.await {
            Ok(copy) => Ok(Ok(copy)),
            Err(Unredacted::NotClean(why)) => Ok(Err(why)),
            Err(Unredacted::Uninspected(error)) => Err(error.to_string()),
        }
    }

    fn style(&self) -> Style {
        match self.style {
            Look::Box => Style::Box,
            Look::Label => Style::Label,
            Look::Remove => Style::Remove,
        }
    }

    fn least(&self) -> Confidence {
        match self.confidence {
            Least::Possible => Confidence::Possible,
            Least::Likely => Confidence::Likely,
            Least::Certain => Confidence::Certain,
        }
    }

    /// The whole copy or nothing: a half-written file would look like a clean one.
    fn write(&self, bytes: &[u8]) -> Result<(), String> {
        let Some(path) = &self.output else {
            return io::stdout().lock().write_all(bytes).map_err(|error| error.to_string());
        };
        let folder = path
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty())
            .unwrap_or(Path::new("."));
        let failed = |error: io::Error| format!("{}: {error}", path.display());
        let mut file = tempfile::NamedTempFile::new_in(folder).map_err(failed)?;
        file.write_all(bytes).map_err(failed)?;
        file.persist(path).map_err(|error| failed(error.error))?;
        Ok(())
    }
}
