//! `cpr-milter scan`: the engine of the milter on files, folders, mbox and Maildir.

use super::fail;
use super::input::{self, Item, Kind};
use crate::config::{Programs, Workers};
use crate::content::Limits;
use crate::cpr::{self, mask};
use crate::inspect::Options;
use crate::types::{Doubt, Finding, Report, Style, danish_date};
use crate::worker::{Pool, PoolConfig};
use clap::{Args, ValueEnum};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::task::JoinHandle;

/// Look for numbers in files, folders, mbox, Maildir, or standard input.
///
/// Exit status: 0 nothing found, 1 found, 2 an error.
#[derive(Args)]
pub(super) struct Scan {
    /// Files and folders; `-` is standard input.
    #[arg(value_name = "PATH", required = true)]
    paths: Vec<PathBuf>,
    /// For people, or one JSON object a line.
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
    /// Show the digits. Without it numbers are masked.
    #[arg(long)]
    reveal: bool,
    /// How to read each PATH.
    #[arg(long, value_enum, default_value = "auto")]
    input: Kind,
    /// Show which features made the confidence, with their weights: likely from +2.5, certain from +6.0.
    #[arg(long)]
    why: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Text,
    Json,
}

/// What one item came to.
struct Outcome {
    path: String,
    result: Result<Report, String>,
    seconds: f64,
}

#[derive(Default)]
struct Totals {
    items: usize,
    with_findings: usize,
    findings: usize,
    doubts: usize,
    errors: usize,
}

impl Scan {
    pub(super) fn run(&self) -> ExitCode {
        let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
            Ok(runtime) => runtime,
            Err(error) => return fail(error),
        };
        match runtime.block_on(self.scan()) {
            Ok(totals) if totals.errors > 0 => ExitCode::from(2),
            Ok(totals) => ExitCode::from(u8::from(totals.findings > 0)),
            // A reader such as `head` that has seen enough is no error of ours.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::from(2),
            Err(error) => fail(error),
        }
    }

    /// Items are inspected a few at once and printed in their order.
    async fn scan(&self) -> io::Result<Totals> {
        let pool = Arc::new(Pool::new(PoolConfig::new(&Workers::default())));
        let ahead = 2 * std::thread::available_parallelism().map_or(1, usize::from);
        let files = input::files(&self.paths);
        let bar = progress(files.len());
        let mut totals = Totals::default();
        let mut waiting: VecDeque<JoinHandle<Outcome>> = VecDeque::new();
        for file in files {
            let items = file.and_then(|path| input::read(&path, self.input));
            bar.inc(1);
            match items {
                Err(error) => {
                    totals.errors += 1;
                    bar.suspend(|| eprintln!("cpr-milter: {error}"));
                }
                Ok(items) => {
                    for item in items {
                        waiting.push_back(tokio::spawn(inspect(Arc::clone(&pool), item)));
                        if waiting.len() >= ahead
                            && let Some(first) = waiting.pop_front()
                        {
                            self.print(first.await?, &bar, &mut totals)?;
                        }
                    }
                }
            }
        }
        for outcome in waiting {
            self.print(outcome.await?, &bar, &mut totals)?;
        }
        bar.finish_and_clear();
        if self.format == Format::Text {
            summary(&totals)?;
        }
        Ok(totals)
    }

    fn print(&self, outcome: Outcome, bar: &ProgressBar, totals: &mut Totals) -> io::Result<()> {
        totals.items += 1;
        let report = match &outcome.result {
            Ok(report) => report,
            Err(error) => {
                totals.errors += 1;
                bar.suspend(|| eprintln!("cpr-milter: {}: {error}", outcome.path));
                return Ok(());
            }
        };
        totals.with_findings += usize::from(!report.findings.is_empty());
        totals.findings += report.findings.len();
        totals.doubts += report.doubts.len();
        let text = match self.format {
            Format::Json => format!("{}\n", self.json(&outcome.path, report, outcome.seconds)),
            Format::Text => self.table(&outcome.path, report),
        };
        bar.suspend(|| io::stdout().lock().write_all(text.as_bytes()))
    }

    fn json(&self, path: &str, report: &Report, seconds: f64) -> Value {
        let findings: Vec<_> = report
            .findings
            .iter()
            .map(|finding| self.json_finding(finding))
            .collect();
        let doubts: Vec<_> = report
            .doubts
            .iter()
            .map(|doubt| {
                json!({
                    "part": doubt.place.part.to_string(),
                    "name": self.name(doubt.place.name.as_deref()),
                    "kind": doubt.kind.word(),
                    "reason": doubt.reason,
                })
            })
            .collect();
        json!({"path": path, "findings": findings, "doubts": doubts, "seconds": seconds})
    }

    fn json_finding(&self, finding: &Finding) -> Value {
        let mut value = json!({
            "kind": finding.kind.word(),
            "part": finding.place.part.to_string(),
            "name": self.name(finding.place.name.as_deref()),
            "location": finding.place.location.to_string(),
            "start": finding.span.start,
            "end": finding.span.end,
            "masked": finding.number.masked(),
            "confidence": finding.confidence.word(),
            "hidden": finding.hidden,
            "fake_redaction": finding.fake_redaction,
        });
        if self.reveal {
            value["digits"] = json!(finding.number.reveal());
        }
        if self.why {
            value["why"] = json!(finding.why);
        }
        value
    }

    /// File names can hold numbers too.
    fn name(&self, name: Option<&str>) -> Option<String> {
        name.map(|name| if self.reveal { name.to_owned() } else { mask(name) })
    }

    fn table(&self, path: &str, report: &Report) -> String {
        if report.findings.is_empty() && report.doubts.is_empty() {
            return String::new();
        }
        let mut rows = Vec::new();
        for finding in &report.findings {
            rows.push(self.row(finding));
        }
        let mut text = format!("{path}\n");
        let widths: Vec<_> = (0..4)
            .map(|i| {
                rows.iter()
                    .map(|row: &[String; 5]| row[i].chars().count())
                    .max()
                    .unwrap_or(0)
            })
            .collect();
        for row in &rows {
            for (cell, width) in row.iter().zip(&widths) {
                text.push_str(&format!("  {cell:width$}"));
            }
            text.push_str(&format!("  {}\n", row[4]));
        }
        for doubt in &report.doubts {
            text.push_str(&self.doubt_line(doubt));
        }
        text
    }

    fn row(&self, finding: &Finding) -> [String; 5] {
        let number = if self.reveal {
            finding.number.reveal().to_owned()
        } else {
            finding.number.masked()
        };
        let hidden = if finding.hidden { ", hidden" } else { "" };
        let fake = if finding.fake_redaction {
            ", under a redaction"
        } else {
            ""
        };
        let place = match self.name(finding.place.name.as_deref()) {
            Some(name) => format!("{name}: {}{hidden}{fake}", finding.place.location),
            None => format!("{}{hidden}{fake}", finding.place.location),
        };
        let why = if self.why { why(&finding.why) } else { String::new() };
        [
            finding.confidence.word().to_owned(),
            finding.kind.word().to_owned(),
            number,
            place,
            why,
        ]
    }

    fn doubt_line(&self, doubt: &Doubt) -> String {
        let place = match self.name(doubt.place.name.as_deref()) {
            Some(name) => name,
            None if doubt.place.part.0.is_empty() => doubt.place.location.to_string(),
            None => format!("part {}", doubt.place.part),
        };
        format!("  not surely read ({}): {place}: {}\n", doubt.kind.word(), doubt.reason)
    }
}

/// `hyphen +3.5, modulus_11 +3.0 = +6.5`
fn why(features: &[String]) -> String {
    let weights = features.iter().filter_map(|name| cpr::weight(name));
    let sum: i32 = weights.sum();
    let named: Vec<String> = features
        .iter()
        .map(|name| cpr::weight(name).map_or_else(|| name.clone(), |weight| format!("{name} {}", tenths(weight))))
        .collect();
    format!("({} = {})", named.join(", "), tenths(sum))
}

fn tenths(weight: i32) -> String {
    let sign = if weight < 0 { '-' } else { '+' };
    format!("{sign}{}.{}", weight.abs() / 10, weight.abs() % 10)
}

async fn inspect(pool: Arc<Pool>, item: Item) -> Outcome {
    let limits = Limits::default();
    let patience = Duration::from_secs(3600);
    let options = Options {
        input: item.input,
        name: item.name,
        limits,
        today: danish_date(time::OffsetDateTime::now_utc()),
        identifiers: Vec::new(),
        programs: Programs::default(),
        style: Style::default(),
    };
    let start = Instant::now();
    let result = pool.inspect(&item.bytes, &options, start + patience).await;
    Outcome {
        path: item.path,
        result: result
            .map(|inspected| inspected.report().clone())
            .map_err(|error| error.to_string()),
        seconds: start.elapsed().as_secs_f64(),
    }
}

fn progress(files: usize) -> ProgressBar {
    if files < 20 || !io::stdout().is_terminal() {
        return ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
    }
    let style = ProgressStyle::with_template("{bar:40} {pos} of {len} files, {eta} left");
    ProgressBar::new(files as u64).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

fn summary(totals: &Totals) -> io::Result<()> {
    let word = if totals.items == 1 { "item" } else { "items" };
    writeln!(
        io::stdout().lock(),
        "{} {word} read, {} with numbers: {} findings, {} places not surely read, {} errors",
        totals.items,
        totals.with_findings,
        totals.findings,
        totals.doubts,
        totals.errors,
    )
}
