//! PDF files made by the programs that people use (`tests/data/documents/pdf/make.py`): what is found in each and where, and
//! what is left of it in a redacted copy, asked of us and of qpdf and pdftotext.

use super::support;
use cpr_milter::content::Limits;
use cpr_milter::cpr::Confidence;
use cpr_milter::inspect::{Input, Options};
use cpr_milter::redact::{NotClean, Targets, redact};
use cpr_milter::types::{DoubtKind, Report, Style};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Sample {
    file: String,
    digits: String,
    place: String,
    hidden: bool,
    fake: bool,
    doubts: Vec<DoubtKind>,
    redact: Redact,
}

#[derive(Deserialize, PartialEq)]
#[serde(rename_all = "snake_case")]
enum Redact {
    Clean,
    Refused,
    Same,
    Any,
}

pub fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data/documents/pdf")
}

fn samples() -> Vec<(Sample, Vec<u8>)> {
    let table = std::fs::read_to_string(folder().join("expected.yaml")).expect("expected.yaml");
    let samples: Vec<Sample> = serde_yaml::from_str(&table).expect("a table");
    let with_bytes = |sample: Sample| {
        let bytes = std::fs::read(folder().join(&sample.file)).expect("a sample");
        (sample, bytes)
    };
    samples.into_iter().map(with_bytes).collect()
}

pub fn options() -> Options {
    Options {
        input: Input::Document,
        name: Some("bilag.pdf".to_owned()),
        limits: Limits::default(),
        today: time::macros::date!(2026 - 11 - 01),
        identifiers: Vec::new(),
        style: cpr_milter::types::Style::Box,
        programs: cpr_milter::config::Programs {
            ocr_seconds: 50,
            ..cpr_milter::config::Programs::default()
        },
    }
}

pub fn report(bytes: &[u8]) -> Report {
    support::report(bytes, &options())
}

fn targets(report: &Report) -> Targets {
    let findings = report.findings.iter();
    findings
        .map(|finding| (finding.kind.clone(), finding.number.clone()))
        .collect()
}

fn kinds(report: &Report) -> Vec<DoubtKind> {
    let mut kinds: Vec<DoubtKind> = report.doubts.iter().map(|doubt| doubt.kind).collect();
    kinds.sort();
    kinds.dedup();
    kinds
}

#[test]
fn every_number_is_found_in_its_place() {
    let mut wrong = Vec::new();
    for (sample, bytes) in samples() {
        let report = report(&bytes);
        let there = |finding: &&cpr_milter::types::Finding| {
            finding.number.reveal() == sample.digits
                && finding.place.location.to_string() == sample.place
                && (finding.hidden, finding.fake_redaction) == (sample.hidden, sample.fake)
        };
        let sure = |finding: &&cpr_milter::types::Finding| finding.confidence != Confidence::Possible;
        let right = match sample.digits.as_str() {
            "" => report.findings.iter().find(sure).is_none(),
            _ => report.findings.iter().find(there).is_some(),
        };
        if !right || kinds(&report) != sample.doubts {
            let places: Vec<String> = report.findings.iter().map(|f| f.place.location.to_string()).collect();
            wrong.push(format!("{}: {places:?} {:?}", sample.file, report.doubts));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_redacted_copy_holds_no_digit_of_it_and_every_other_word() {
    let mut wrong = Vec::new();
    for (sample, bytes) in samples() {
        let result = support::redact(&bytes, &targets(&report(&bytes)), &options());
        match (&sample.redact, result) {
            (Redact::Clean, Ok(copy)) => {
                // What OCR reads is looked at in `painted`.
                if sample.place.contains("OCR") {
                    continue;
                }
                let problems = problems(&sample, &bytes, &copy.bytes);
                wrong.extend(
                    problems
                        .into_iter()
                        .map(|problem| format!("{}: {problem}", sample.file)),
                );
            }
            (Redact::Same, Ok(copy)) if copy.bytes == bytes => {}
            (Redact::Refused, Err(_)) | (Redact::Any, _) => {}
            (_, Ok(_)) => wrong.push(format!("{}: was rewritten", sample.file)),
            (_, Err(why)) => wrong.push(format!("{}: {why}", sample.file)),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_label_can_be_read_where_the_number_stood_and_removal_leaves_nothing() {
    let mut wrong = Vec::new();
    for (sample, bytes) in samples() {
        let elsewhere = sample.place.contains("OCR") || sample.file.contains("attached");
        if sample.redact != Redact::Clean || elsewhere {
            continue;
        }
        for style in [Style::Label, Style::Remove] {
            let options = Options { style, ..options() };
            match redact(&bytes, &targets(&report(&bytes)), &options) {
                Err(why) => wrong.push(format!("{}: {} {why}", sample.file, style.word())),
                Ok(copy) => {
                    let problems = problems(&sample, &bytes, &copy.bytes);
                    wrong.extend(
                        problems
                            .iter()
                            // The hyphen goes with the number.
                            .filter(|problem| *problem != "the word - is gone")
                            .map(|problem| format!("{}: {} {problem}", sample.file, style.word())),
                    );
                    let (text, _) = run("pdftotext", &["-", "-"], &copy.bytes);
                    // In a mirror it is written like the text around it.
                    let text = String::from_utf8_lossy(&text).replace("]RPC[", "[CPR]");
                    let seen = sample.place.starts_with("page") && !sample.hidden;
                    if (style == Style::Label && seen) != text.contains("[CPR]") && (seen || style == Style::Remove) {
                        wrong.push(format!("{}: {} shows {text:?}", sample.file, style.word()));
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What is wrong with a copy, as other programs see it.
fn problems(sample: &Sample, before: &[u8], after: &[u8]) -> Vec<String> {
    let mut problems = Vec::new();
    let (_, checked) = run("qpdf", &["--check", "-"], after);
    if !checked {
        problems.push("qpdf finds fault with it".to_owned());
    }
    let (unpacked, _) = run("qpdf", &["--qdf", "--object-streams=disable", "-", "-"], after);
    let (text, _) = run("pdftotext", &["-", "-"], after);
    let parted = format!("{}-{}", &sample.digits[..6], &sample.digits[6..]);
    for (layer, bytes) in [("the bytes", after), ("the objects", &unpacked), ("the text", &text)] {
        for form in [sample.digits.as_str(), parted.as_str()] {
            let wide: Vec<u8> = form.encode_utf16().flat_map(u16::to_be_bytes).collect();
            let hex: Vec<u8> = form.bytes().flat_map(|b| format!("{b:02x}").into_bytes()).collect();
            let lower = bytes.to_ascii_lowercase();
            if [form.as_bytes(), &wide, &hex]
                .iter()
                .any(|form| memchr::memmem::find(&lower, form).is_some())
            {
                problems.push(format!("the number is still in {layer}"));
            }
        }
    }
    let (old, new) = (words(before), words(after));
    for (word, count) in &old {
        let figures = word.chars().any(|c| c.is_ascii_digit());
        if !figures && new.get(word).copied().unwrap_or_default() < *count {
            problems.push(format!("the word {word} is gone"));
        }
    }
    problems
}

/// Words that pdftotext sees, with how many of each.
fn words(bytes: &[u8]) -> BTreeMap<String, usize> {
    let (text, _) = run("pdftotext", &["-raw", "-", "-"], bytes);
    let mut words = BTreeMap::new();
    for word in String::from_utf8_lossy(&text).split_whitespace() {
        *words.entry(word.to_owned()).or_default() += 1;
    }
    words
}

/// A program fed a file; qpdf reads none from its standard input, so it gets a real one.
fn run(program: &str, arguments: &[&str], input: &[u8]) -> (Vec<u8>, bool) {
    let mut file = tempfile::NamedTempFile::new().expect("a file");
    file.write_all(input).expect("written");
    let path = file.path().to_str().expect("UTF-8").to_owned();
    let mut command = Command::new(program);
    let input = arguments.iter().position(|argument| *argument == "-");
    for (i, argument) in arguments.iter().enumerate() {
        command.arg(if Some(i) == input { path.as_str() } else { argument });
    }
    let output = command
        .stderr(Stdio::null())
        .output()
        .unwrap_or_else(|e| panic!("{program} is needed (apt install qpdf poppler-utils): {e}"));
    (output.stdout, output.status.success())
}

#[test]
fn a_copy_is_redacted_once_and_then_left_alone() {
    let bytes = std::fs::read(folder().join("chromium.pdf")).expect("a sample");
    let targets = targets(&report(&bytes));
    let copy = redact(&bytes, &targets, &options()).expect("clean");
    let again = redact(&copy.bytes, &targets, &options()).expect("clean");
    assert!(copy.bytes == again.bytes);
}

#[test]
fn signed_and_encrypted_files_are_not_edited() {
    for file in ["signed.pdf", "pike-owner-password.pdf"] {
        let bytes = std::fs::read(folder().join(file)).expect("a sample");
        let result = support::redact(&bytes, &targets(&report(&bytes)), &options());
        assert!(matches!(result, Err(NotClean::CannotEdit { .. })), "{file}");
    }
}
