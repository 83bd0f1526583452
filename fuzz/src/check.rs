//! One input, held to the promises.

use crate::layers;
use cpr_milter::config::{Ocr, Programs};
use cpr_milter::content::{Budget, Limits};
use cpr_milter::cpr::Detector;
use cpr_milter::inspect::{Input, Options, inspect_with};
use cpr_milter::redact::{Targets, redact};
use cpr_milter::types::Report;
pub use peak_alloc::PeakAlloc as Counter;
use std::borrow::Cow;
use std::path::PathBuf;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

/// How the input is handed over.
#[derive(Clone, Copy)]
pub enum Reading {
    /// As a file whose name ends so.
    File(&'static str),
    /// As a mail.
    Mail,
    /// As the text of a mail: the first byte chooses the charset that the mail declares.
    Text,
}

/// Bytes that unpacking may produce here; the product's own limit is larger, and so is its bound on memory.
const PRODUCED: u64 = 24 << 20;
/// Megabytes that one input may take at its peak: the fixed cost of a detector and a fair multiple of `PRODUCED`.
const MEGABYTES: f32 = 300.0;
/// Seconds of the processor for reading, redacting and reading again.
const SECONDS: u64 = 10;

const CHARSETS: [&str; 16] = [
    "utf-8",
    "iso-8859-1",
    "windows-1252",
    "utf-16",
    "utf-16le",
    "utf-16be",
    "utf-32",
    "utf-7",
    "iso-2022-jp",
    "shift_jis",
    "gb18030",
    "big5",
    "hz-gb-2312",
    "euc-kr",
    "ibm437",
    "x-none",
];

fn options(reading: Reading) -> Options {
    let (input, name) = match reading {
        Reading::File(name) => (Input::Document, Some(name.to_owned())),
        Reading::Mail | Reading::Text => (Input::Message, None),
    };
    Options {
        input,
        name,
        limits: Limits {
            produced_bytes: PRODUCED,
            seconds: 20,
            ..Limits::default()
        },
        today: time::macros::date!(2026 - 11 - 25),
        identifiers: Vec::new(),
        programs: Programs {
            ocr: Ocr::Off,
            bsdtar: PathBuf::from("/nowhere/bsdtar"),
            ..Programs::default()
        },
    }
}

fn input(reading: Reading, bytes: &[u8]) -> Cow<'_, [u8]> {
    let (Reading::Text, Some((first, rest))) = (reading, bytes.split_first()) else {
        return Cow::Borrowed(bytes);
    };
    let charset = CHARSETS[usize::from(*first) % CHARSETS.len()];
    let flowed = if first & 0x40 == 0 { "" } else { "; format=flowed" };
    let head =
        format!("Content-Type: text/plain; charset={charset}{flowed}\r\nContent-Transfer-Encoding: binary\r\n\r\n");
    Cow::Owned([head.as_bytes(), rest].concat())
}

/// Reads, redacts, reads again.
pub fn check(reading: Reading, bytes: &[u8], memory: &Counter) {
    let options = options(reading);
    let bytes = input(reading, bytes);
    memory.reset_peak_usage();
    let before = memory.current_usage_as_mb();
    let started = processor_ms();
    let report = read(&bytes, &options);
    let targets = targets(&report);
    // What must not change is tried now and then only: most inputs hold no number, and the time is better spent on the next.
    let idle = targets.is_empty() && bytes.len() % 16 != 0;
    if !idle && let Ok(copy) = redact(&bytes, &targets, &options) {
        if targets.is_empty() {
            assert!(copy.bytes == *bytes, "changed, without a number in it");
        }
        assert!(
            !read(&copy.bytes, &options).holds_any(&targets),
            "found again after redaction"
        );
        for (_, number) in &targets {
            let left = layers::holding(&copy.bytes, number.reveal());
            assert!(left.is_none(), "left after redaction: {left:?}");
        }
    }
    record(processor_ms() - started, memory.peak_usage_as_mb() - before);
}

fn read(bytes: &[u8], options: &Options) -> Report {
    static DETECTOR: LazyLock<Detector> =
        LazyLock::new(|| Detector::new(time::macros::date!(2026 - 11 - 25), &[]).expect("no identifiers"));
    inspect_with(&DETECTOR, &mut Budget::new(options.limits.clone()), bytes, options)
}

fn targets(report: &Report) -> Targets {
    let findings = report.findings.iter();
    findings
        .map(|finding| (finding.kind.clone(), finding.number.clone()))
        .collect()
}

fn processor_ms() -> u64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    time.tv_sec.unsigned_abs() * 1000 + time.tv_nsec.unsigned_abs() / 1_000_000
}

/// Says what was the slowest and the largest so far, for the table of `run.sh`.
fn record(ms: u64, megabytes: f32) {
    static SLOWEST: AtomicU64 = AtomicU64::new(0);
    static LARGEST: AtomicU64 = AtomicU64::new(0);
    let slower = SLOWEST.fetch_max(ms, Ordering::Relaxed) < ms;
    let larger = LARGEST.fetch_max(megabytes as u64, Ordering::Relaxed) < megabytes as u64;
    if slower || larger {
        eprintln!(
            "cost: {} ms {} MB",
            SLOWEST.load(Ordering::Relaxed),
            LARGEST.load(Ordering::Relaxed)
        );
    }
    assert!(ms < SECONDS * 1000, "took {ms} ms");
    assert!(megabytes < MEGABYTES, "took {megabytes} MB");
}
