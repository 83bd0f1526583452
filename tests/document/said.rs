//! What OCR says, said by a program in its place: how sure a reading is, what is read again after painting over, and what is refused.

use super::collection::{bytes, options, report};
use super::painted::copy;
use cpr_milter::cpr::{Confidence, IdKind, Secret};
use cpr_milter::inspect::{Options, inspect_first};
use cpr_milter::redact::{NotClean, Targets, redact_seen};
use std::path::Path;

/// A program in Tesseract's place that reads these words in every picture.
fn reads(folder: &Path, words: &[&str]) -> std::path::PathBuf {
    let table = table(words);
    stand_in(folder, &format!("cat >/dev/null\nprintf '{table}'"))
}

fn table(words: &[&str]) -> String {
    let rows = words.iter().enumerate().map(|(i, word)| {
        let (number, left) = (i + 1, 40 + 150 * i);
        format!("5\\t1\\t1\\t1\\t1\\t{number}\\t{left}\\t88\\t140\\t20\\t90\\t{word}\\n")
    });
    let rows: String = rows.collect();
    format!("level\\tpage_num\\n{rows}")
}

/// A program in Tesseract's place, a shell script.
fn stand_in(folder: &Path, script: &str) -> std::path::PathBuf {
    let program = folder.join("tesseract");
    let script = format!("#!/bin/sh\n[ \"$1\" = --list-langs ] && echo dan && exit\n{script}\n");
    super::support::executable(&program, &script);
    program
}

/// Options with a program that reads a number in this picture, and does `otherwise` with any other one.
fn reads_only_this(folder: &Path, picture: &[u8], first: &str, otherwise: &str) -> Options {
    let this = folder.join("picture");
    std::fs::write(&this, picture).expect("written");
    let words = table(&["CPR-nr.", "010190-1234"]);
    let script = format!(
        "if cmp -s - {}; then {first}\nprintf '{words}'\nelse {otherwise}\nfi",
        this.display()
    );
    let mut options = options("page.png");
    options.programs.tesseract = stand_in(folder, &script);
    options
}

#[test]
fn a_picture_is_read_once_before_it_is_painted_over_and_then_as_it_is() {
    let folder = tempfile::tempdir().expect("folder");
    let (page, log) = (bytes("images", "page.png"), folder.path().join("log"));
    let first = format!("echo first >> {}", log.display());
    let then = format!("printf 'level\\tpage_num\\n'; echo then $6 >> {}", log.display());
    let options = reads_only_this(folder.path(), &page, &first, &then);
    let (report, seen) = inspect_first(&page, &options).expect("no identifiers");
    assert_eq!(report.findings.len(), 1);
    let targets = Targets::from([(IdKind::Cpr, Secret::new("0101901234".to_owned()))]);
    let copy = redact_seen(&page, seen, &targets, &options).expect("clean");
    assert!(copy.report.findings.is_empty() && copy.report.doubts.is_empty());
    // The copy in both page modes, since there is not a word in it.
    let log = std::fs::read_to_string(log).expect("the log");
    assert_eq!(log, "first\nthen 3\nthen 11\n");
}

/// The pictures of a mail have one budget: inspection, redaction and the look at the copy had one each.
#[test]
fn a_copy_that_cannot_be_read_in_what_is_left_of_the_mails_time_is_refused() {
    let folder = tempfile::tempdir().expect("folder");
    let page = bytes("images", "page.png");
    let mut options = reads_only_this(folder.path(), &page, "sleep 3", "exec sleep 60");
    options.programs.ocr_seconds = 6;
    let started = std::time::Instant::now();
    let (report, seen) = inspect_first(&page, &options).expect("no identifiers");
    assert_eq!(report.findings.len(), 1);
    let targets = Targets::from([(IdKind::Cpr, Secret::new("0101901234".to_owned()))]);
    let why = redact_seen(&page, seen, &targets, &options).expect_err("not read");
    assert!(
        matches!(&why, NotClean::Doubtful { reason, .. } if reason.contains("longer")),
        "{why}"
    );
    let took = started.elapsed().as_secs_f64();
    assert!(took < 9.0, "{took} s for 6 s of OCR");
}

#[test]
fn a_number_read_with_letters_for_digits_is_possible_and_a_clean_reading_likely() {
    for (words, wanted) in [
        (&["Borger", "010190-1234"][..], Confidence::Likely),
        (&["CPR-nr.", "010190-1234"], Confidence::Likely),
        (&["Sag", "O1O190-l234"], Confidence::Possible),
        (&["CPR-nr.", "O1O190-l234"], Confidence::Possible),
        (&["CPR-nr.", "0101901Z34"], Confidence::Possible),
        (&["Sag", "o10190", "-", "I234"], Confidence::Possible),
    ] {
        let folder = tempfile::tempdir().expect("folder");
        let mut options = options("page.png");
        options.programs.tesseract = reads(folder.path(), words);
        let report = report(&bytes("images", "page.png"), &options);
        let found: Vec<_> = report
            .findings
            .iter()
            .map(|f| (f.number.reveal(), f.confidence))
            .collect();
        assert_eq!(found, [("0101901234", wanted)], "{words:?}");
    }
}

#[test]
fn words_that_only_look_a_little_like_numbers_are_none() {
    let folder = tempfile::tempdir().expect("folder");
    let mut options = options("page.png");
    options.programs.tesseract = reads(
        folder.path(),
        &["Bilag", "B12-OSLO", "lB", "SO", "IO", "2026-01-3l", "A4"],
    );
    assert!(report(&bytes("images", "page.png"), &options).findings.is_empty());
}

#[test]
fn a_picture_in_which_ocr_still_finds_the_number_is_not_let_through() {
    let folder = tempfile::tempdir().expect("folder");
    let mut options = options("page.png");
    options.programs.tesseract = reads(folder.path(), &["CPR-nr.", "010190-1234"]);
    let result = copy(&bytes("images", "page.png"), "0101901234", &options);
    assert_eq!(result.err(), Some(NotClean::StillThere));
}

#[test]
fn a_box_that_lies_outside_of_the_picture_is_no_fault() {
    let folder = tempfile::tempdir().expect("folder");
    let mut options = options("page.png");
    // The eighth word begins behind the right edge.
    let words = ["a", "b", "c", "d", "e", "f", "CPR", "010190-1234", "h"];
    options.programs.tesseract = reads(folder.path(), &words);
    for file in ["page.png", "page.jpg", "page.gif", "page.tif", "page.webp", "page.bmp"] {
        let result = copy(&bytes("images", file), "0101901234", &options);
        assert_eq!(result.err(), Some(NotClean::StillThere), "{file}");
    }
}
