//! Office documents by the programs people use (`tests/data/documents`, made by `make.py`): found where they stand, gone after
//! redaction, and nothing found where there is nothing.

use cpr_milter::content::{Budget, Content, Limits};
use cpr_milter::cpr::{Confidence, IdKind, Secret};
use cpr_milter::document;
use cpr_milter::inspect::{Input, Options, inspect};
use cpr_milter::redact::{Targets, redact};
use cpr_milter::types::{Report, Style};
use std::collections::BTreeMap;
use std::path::PathBuf;
use time::macros::date;

/// One row of `expected.tsv`.
pub struct Row {
    pub file: String,
    pub digits: String,
    pub place: String,
    pub hidden: bool,
    pub least: Confidence,
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data/documents")
}

pub fn rows() -> Vec<Row> {
    let text = std::fs::read_to_string(folder().join("expected.tsv")).expect("the table");
    let rows = text.lines().filter(|line| !line.starts_with('#')).map(|line| {
        let fields: Vec<&str> = line.split('\t').collect();
        Row {
            file: fields[0].to_owned(),
            digits: fields[1].to_owned(),
            place: fields[2].to_owned(),
            hidden: fields[3] == "hidden",
            least: match fields[4] {
                "possible" => Confidence::Possible,
                "likely" => Confidence::Likely,
                "certain" => Confidence::Certain,
                other => panic!("no such confidence: {other}"),
            },
        }
    });
    rows.collect()
}

pub fn bytes(file: &str) -> Vec<u8> {
    std::fs::read(folder().join(file)).unwrap_or_else(|e| panic!("{file}: {e}"))
}

pub fn options(name: &str) -> Options {
    Options {
        input: Input::Document,
        name: Some(name.to_owned()),
        limits: Limits {
            seconds: 120,
            ..Limits::default()
        },
        today: date!(2026 - 11 - 25),
        identifiers: Vec::new(),
        style: cpr_milter::types::Style::Box,
        programs: cpr_milter::config::Programs::default(),
    }
}

fn report(file: &str, bytes: &[u8]) -> Report {
    inspect(bytes, &options(file)).expect("no identifiers to compile")
}

/// Pictures and files of other families are in doubt until their readers are there; nothing else may be.
fn own_doubts(report: &Report) -> Vec<String> {
    let foreign = |reason: &str| {
        ["picture", "OLE", "unknown type", "font"]
            .iter()
            .any(|kind| reason.contains(kind))
    };
    let doubts = report.doubts.iter().filter(|doubt| !foreign(&doubt.reason));
    doubts
        .map(|doubt| format!("{:?} {}", doubt.kind, doubt.reason))
        .collect()
}

#[test]
fn numbers_are_found_where_they_stand() {
    let mut wrong = Vec::new();
    let mut recall: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    for row in rows() {
        let report = report(&row.file, &bytes(&row.file));
        for doubt in own_doubts(&report) {
            wrong.push(format!("{}: doubt {doubt}", row.file));
        }
        let likely: Vec<_> = report
            .findings
            .iter()
            .filter(|f| f.confidence >= Confidence::Likely)
            .collect();
        if row.digits.is_empty() {
            if !likely.is_empty() {
                wrong.push(format!("{}: {} findings, none expected", row.file, likely.len()));
            }
            continue;
        }
        let found: Vec<_> = report
            .findings
            .iter()
            .filter(|f| f.number.reveal() == row.digits)
            .collect();
        let fitting = found
            .iter()
            .any(|f| f.place.location.to_string() == row.place && f.hidden == row.hidden && f.confidence >= row.least);
        let group = row.file.split('/').next().unwrap_or_default().to_owned();
        let counts = recall.entry(group).or_default();
        counts.1 += 1;
        counts.0 += usize::from(fitting);
        if !fitting {
            let seen: Vec<_> = found
                .iter()
                .map(|f| {
                    format!(
                        "{}{} {:?}",
                        f.place.location,
                        if f.hidden { " hidden" } else { "" },
                        f.confidence
                    )
                })
                .collect();
            wrong.push(format!(
                "{}: {}{}, not {seen:?}",
                row.file,
                row.place,
                if row.hidden { " hidden" } else { "" }
            ));
        }
        let covered = row.file.contains("/black-");
        if covered != found.iter().any(|f| f.fake_redaction) {
            wrong.push(format!("{}: fake redaction should be {covered}", row.file));
        }
        if let Some(other) = likely.iter().find(|f| f.number.reveal() != row.digits) {
            wrong.push(format!(
                "{}: also a number nobody put there, {} {:?}",
                row.file, other.place.location, other.why
            ));
        }
    }
    for (group, (found, all)) in &recall {
        println!("{group}: {found} of {all}");
    }
    assert!(wrong.is_empty(), "{}\n{}", wrong.len(), wrong.join("\n"));
    assert!(recall.values().map(|(_, all)| all).sum::<usize>() >= 120);
}

/// All bytes of a package and of everything in it, markup and compression taken off.
fn layers(bytes: &[u8], out: &mut Vec<String>) {
    let mut budget = Budget::new(Limits::default());
    let content: Content<'_> = document::read(bytes, &Default::default(), &mut budget);
    out.push(String::from_utf8_lossy(bytes).into_owned());
    for child in content.children.iter().chain(&content.absorbed) {
        layers(&child.bytes, out);
    }
}

/// The number as anybody could put it together again: over tags, in columns, without its zero.
fn recoverable(bytes: &[u8], digits: &str) -> Option<String> {
    let mut texts = Vec::new();
    layers(bytes, &mut texts);
    let bare = digits.trim_start_matches('0');
    for text in &texts {
        let mut depth = false;
        let stripped: String = text
            .chars()
            .filter(|c| {
                match c {
                    '<' => depth = true,
                    '>' => depth = false,
                    _ => {}
                }
                !depth && c.is_ascii_digit()
            })
            .collect();
        let raw: String = text.chars().filter(|c| !matches!(c, '-' | ' ')).collect();
        if stripped.contains(digits) || raw.contains(bare) {
            return Some(text.chars().take(60).collect());
        }
    }
    None
}

#[test]
fn redaction_takes_the_digits_out_of_every_layer() {
    takes_the_digits_out(Style::Box);
}

#[test]
fn a_label_stands_for_the_number_in_every_layer() {
    takes_the_digits_out(Style::Label);
}

#[test]
fn removal_leaves_nothing_of_the_number_in_any_layer() {
    takes_the_digits_out(Style::Remove);
}

/// Text that people read; names and formulas keep their form.
fn is_text(place: &str) -> bool {
    [
        "text",
        "text box",
        "comment",
        "page header",
        "page footer",
        "alternative text",
    ]
    .contains(&place)
        || ["footnote", "endnote", "slide"]
            .iter()
            .any(|kind| place.starts_with(kind))
}

fn takes_the_digits_out(style: Style) {
    let mut wrong = Vec::new();
    let out = std::env::var_os("CPR_OFFICE_OUT").map(|out| PathBuf::from(out).join(style.word()));
    for row in rows() {
        let before = bytes(&row.file);
        let targets: Targets = if row.digits.is_empty() {
            Targets::new()
        } else {
            [(IdKind::Cpr, Secret::new(row.digits.clone()))].into_iter().collect()
        };
        let options = Options {
            style,
            ..options(&row.file)
        };
        let edited = edited(&before, &targets, &options);
        let after = match edited {
            Ok(after) => after,
            // Refused until pictures and OLE files have readers; everything else here can be edited.
            Err(why) if why.contains("no reader for this kind") => {
                println!("{}: {why}", row.file);
                continue;
            }
            Err(why) => {
                wrong.push(format!("{}: {why}", row.file));
                continue;
            }
        };
        if row.digits.is_empty() {
            if after != before {
                wrong.push(format!("{}: changed without a number in it", row.file));
            }
            continue;
        }
        if let Some(text) = recoverable(&after, &row.digits) {
            wrong.push(format!("{}: still there, {text:?}", row.file));
        }
        let mut texts = Vec::new();
        layers(&after, &mut texts);
        // Impress names a slide after its title, and a number that is a name keeps its form.
        let is_name = ["odp/title-lo.odp", "odp/second-lo.odp"].contains(&row.file.as_str());
        let labelled = texts.iter().any(|text| text.contains("[CPR]"));
        if labelled && style != Style::Label || !labelled && style == Style::Label && is_text(&row.place) && !is_name {
            wrong.push(format!("{}: labelled is {labelled}", row.file));
        }
        let again = report(&row.file, &after);
        if again.findings.iter().any(|f| f.number.reveal() == row.digits) {
            wrong.push(format!("{}: found again", row.file));
        }
        for doubt in own_doubts(&again) {
            wrong.push(format!("{}: doubt {doubt}", row.file));
        }
        // `tests/data/documents/check.py` opens these with the programs themselves.
        if let Some(out) = &out {
            let path = out.join(&row.file);
            std::fs::create_dir_all(path.parent().expect("a folder")).expect("folder");
            std::fs::write(path, after).expect("written");
        }
    }
    assert!(wrong.is_empty(), "{}\n{}", wrong.len(), wrong.join("\n"));
}

/// Redacts, with the reason in words when it cannot be done.
fn edited(bytes: &[u8], targets: &Targets, options: &Options) -> Result<Vec<u8>, String> {
    match redact(bytes, targets, options) {
        Ok(redacted) => Ok(redacted.bytes),
        Err(cpr_milter::redact::NotClean::Doubtful { reason, .. }) => Err(format!("doubt: {reason}")),
        Err(error) => Err(error.to_string()),
    }
}
