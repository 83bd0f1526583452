//! Archives and pictures by the programs people use (`tests/data/documents`, made by the `make.py` of each folder): found
//! where they stand, doubted where they cannot be read, gone after redaction or refused, as `expected.tsv` says.

use super::support;
use cpr_milter::config::{Ocr, Programs};
use cpr_milter::content::Limits;
use cpr_milter::cpr::{Confidence, IdKind, Secret};
use cpr_milter::inspect::{Input, Options};
use cpr_milter::redact::{Targets, redact};
use cpr_milter::types::DoubtKind;
use std::path::PathBuf;
use time::macros::date;

pub struct Row {
    pub file: String,
    pub digits: String,
    pub place: String,
    pub hidden: bool,
    pub least: String,
    pub doubts: Vec<String>,
    pub clean: bool,
}

pub fn folder(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data/documents")
        .join(name)
}

pub fn rows(name: &str) -> Vec<Row> {
    table(name, "expected.tsv")
}

/// The fields of each row of a table.
pub fn rows_of(name: &str, file: &str) -> Vec<Vec<String>> {
    let text = std::fs::read_to_string(folder(name).join(file)).expect("the table");
    let rows = text.lines().filter(|line| !line.starts_with('#'));
    rows.map(|line| line.split('\t').map(str::to_owned).collect()).collect()
}

fn table(name: &str, file: &str) -> Vec<Row> {
    let rows = rows_of(name, file).into_iter().map(|fields| Row {
        file: fields[0].clone(),
        digits: fields[1].clone(),
        place: fields[2].clone(),
        hidden: fields[3] == "hidden",
        least: fields[4].clone(),
        doubts: fields[5].split_whitespace().map(str::to_owned).collect(),
        clean: fields[6] == "clean",
    });
    rows.collect()
}

pub fn bytes(name: &str, file: &str) -> Vec<u8> {
    std::fs::read(folder(name).join(file)).unwrap_or_else(|e| panic!("{file}: {e}"))
}

pub fn options(file: &str) -> Options {
    Options {
        input: Input::Document,
        name: Some(file.to_owned()),
        limits: Limits::default(),
        today: date!(2026 - 11 - 25),
        identifiers: Vec::new(),
        style: cpr_milter::types::Style::Box,
        programs: Programs {
            ocr_seconds: 50,
            ..Programs::default()
        },
    }
}

pub use super::support::report;

fn is(least: &str, confidence: Confidence) -> bool {
    match least {
        "possible" => true,
        "likely" => confidence >= Confidence::Likely,
        "certain" => confidence == Confidence::Certain,
        other => panic!("no such confidence: {other}"),
    }
}

/// What is not as the row says.
pub fn misses(name: &str, row: &Row, options: &Options) -> Vec<String> {
    let report = report(&bytes(name, &row.file), options);
    let mut misses = Vec::new();
    let mut doubts: Vec<String> = report.doubts.iter().map(|doubt| doubt.kind.word().to_owned()).collect();
    doubts.sort();
    doubts.dedup();
    if doubts != row.doubts {
        let reasons: Vec<_> = report.doubts.iter().map(|doubt| doubt.reason.as_str()).collect();
        misses.push(format!(
            "{}: doubts {doubts:?}, not {:?}: {reasons:?}",
            row.file, row.doubts
        ));
    }
    let likely: Vec<_> = report
        .findings
        .iter()
        .filter(|f| f.confidence >= Confidence::Likely)
        .collect();
    if row.digits.is_empty() {
        if !likely.is_empty() {
            misses.push(format!("{}: {} findings, none expected", row.file, likely.len()));
        }
        return misses;
    }
    let found: Vec<_> = report
        .findings
        .iter()
        .filter(|f| f.number.reveal() == row.digits)
        .collect();
    let fits = found
        .iter()
        .any(|f| f.place.location.to_string() == row.place && f.hidden == row.hidden && is(&row.least, f.confidence));
    if !fits {
        let said = found
            .iter()
            .map(|f| format!("{} {} {:?}", f.place.location, f.hidden, f.confidence));
        misses.push(format!("{}: found at {:?}", row.file, said.collect::<Vec<_>>()));
    }
    misses
}

/// The redacted file, or nothing when it was refused.
pub fn redacted(name: &str, row: &Row, options: &Options) -> Option<Vec<u8>> {
    let mut targets = Targets::new();
    targets.insert((IdKind::Cpr, Secret::new(row.digits.clone())));
    support::redact(&bytes(name, &row.file), &targets, options)
        .ok()
        .map(|copy| copy.bytes)
}

/// Rows whose redaction is not as the table says; `opens` says whether the program of the file takes the copy.
fn redactions(name: &str, opens: impl Fn(&str, &[u8]) -> bool) -> Vec<String> {
    let mut wrong = Vec::new();
    for row in rows(name).iter().filter(|row| !row.digits.is_empty()) {
        let options = options(&row.file);
        match redacted(name, row, &options) {
            Some(_) if !row.clean => wrong.push(format!("{}: redacted, and was to be refused", row.file)),
            None if row.clean => wrong.push(format!("{}: refused", row.file)),
            Some(copy) if !opens(&row.file, &copy) => wrong.push(format!("{}: does not open", row.file)),
            _ => {}
        }
    }
    wrong
}

fn installed(program: &str) -> bool {
    std::path::Path::new("/usr/bin").join(program).exists()
}

/// Looks into the copy with the program that made the file.
fn opens(file: &str, copy: &[u8]) -> bool {
    let commands: &[(&str, &[&str])] = &[
        (".tar", &["tar", "-xOf"]),
        (".tar.xz", &["tar", "-xJOf"]),
        (".bz2", &["bzip2", "-tk"]),
        (".xz", &["xz", "-tk"]),
        (".zst", &["zstd", "-tq"]),
        (".lz4", &["lz4", "-tq"]),
        (".png", &["pngcheck", "-q"]),
    ];
    let fitting = commands
        .iter()
        .filter(|(end, _)| file.ends_with(end))
        .max_by_key(|(end, _)| end.len());
    let Some((end, [program, arguments @ ..])) = fitting.filter(|(_, command)| installed(command[0])) else {
        return true;
    };
    let mut temporary = tempfile::Builder::new().suffix(end).tempfile().expect("a file");
    std::io::Write::write_all(&mut temporary, copy).expect("written");
    let output = std::process::Command::new(program)
        .args(arguments)
        .arg(temporary.path())
        .output()
        .expect("started");
    // GNU tar warns of what was behind the archive before, too.
    output.status.success()
}

#[test]
fn archives_are_read_or_doubted() {
    let mut wrong = Vec::new();
    let rows = rows("archives");
    let has_bsdtar = installed("bsdtar");
    for row in rows.iter().filter(|row| has_bsdtar || !row.file.ends_with(".rar")) {
        let mut options = options(&row.file);
        // LZ4 packs to a 250th at best: by the ratio alone, its bomb is 50 MB of text, which is late on a busy machine.
        if row.file == "bomb.lz4" {
            options.limits.produced_bytes = 8 << 20;
        }
        wrong.extend(misses("archives", row, &options));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(rows.len() >= 60);
}

#[test]
fn archives_are_redacted_or_refused_and_open_in_their_program() {
    let wrong = redactions("archives", opens);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn rar_without_its_program_stays_a_doubt() {
    let mut options = options("stored.rar");
    options.programs.bsdtar = PathBuf::from("/nowhere/bsdtar");
    let report = report(&bytes("archives", "stored.rar"), &options);
    assert!(report.doubts.iter().any(|doubt| doubt.kind == DoubtKind::Unread));
}

#[test]
fn a_redacted_tar_differs_in_the_entry_alone() {
    for row in rows("archives")
        .iter()
        .filter(|row| row.file == "posix.tar" || row.file == "gnu.tar")
    {
        let before = bytes("archives", &row.file);
        let after = redacted("archives", row, &options(&row.file)).expect("redacted");
        assert_eq!(before.len(), after.len());
        let changed: Vec<usize> = (0..before.len()).filter(|i| before[*i] != after[*i]).collect();
        assert_eq!(changed.len(), 10, "ten digits of {}", row.file);
    }
}

/// Without OCR: everything but what the pixels show.
fn without_ocr(file: &str) -> Options {
    let mut options = options(file);
    options.programs.ocr = Ocr::Off;
    options
}

#[test]
fn what_pictures_say_of_themselves_is_read() {
    let mut wrong = Vec::new();
    let rows = rows("images");
    for mut row in rows {
        if row.file != "icon.png" && !row.doubts.iter().any(|doubt| doubt == "not_ocred") {
            row.doubts.push("not_ocred".to_owned());
            row.doubts.sort();
        }
        wrong.extend(misses("images", &row, &without_ocr(&row.file)));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_pictures_say_of_themselves_is_redacted_without_a_pixel_changed() {
    let mut wrong = Vec::new();
    for row in rows("images").iter().filter(|row| !row.digits.is_empty()) {
        let before = bytes("images", &row.file);
        let after = redacted("images", row, &without_ocr(&row.file));
        if after.is_some() != row.clean {
            wrong.push(format!("{}: redacted is {}", row.file, after.is_some()));
        }
        let Some(after) = after else { continue };
        if !has_same_pixels(&row.file, &before, &after) {
            wrong.push(format!("{}: shows something else", row.file));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// By ImageMagick's own hash of the pixels, where it is installed.
fn has_same_pixels(file: &str, before: &[u8], after: &[u8]) -> bool {
    let end = file.rsplit('.').next().unwrap_or_default();
    let hash = |bytes: &[u8]| {
        let mut temporary = tempfile::Builder::new()
            .suffix(&format!(".{end}"))
            .tempfile()
            .expect("a file");
        std::io::Write::write_all(&mut temporary, bytes).expect("written");
        let identify = std::process::Command::new("/usr/bin/identify")
            .args(["-format", "%#"])
            .arg(temporary.path())
            .output();
        identify.ok().map(|output| output.stdout)
    };
    end == "heic" || hash(before) == hash(after)
}

#[test]
fn pages_are_read_by_ocr() {
    if !installed("tesseract") {
        eprintln!("tesseract is not installed: pictures are not read");
        return;
    }
    let mut wrong = Vec::new();
    for row in table("images", "ocr.tsv").iter() {
        wrong.extend(misses("images", row, &options(&row.file)));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_page_that_nobody_read_is_a_doubt_with_its_reason_and_keeps_a_mail_from_being_redacted() {
    let page = bytes("images", "turned-90.png");
    let mut late = options("page.png");
    late.programs.ocr_seconds = 0;
    let mut absent = options("page.png");
    absent.programs.tesseract = PathBuf::from("/nowhere/tesseract");
    let mut large = options("page.png");
    large.programs.ocr_pixels = 1000;
    for (options, reason) in [
        (late, "longer"),
        (absent, "not installed"),
        (large, "more pixels"),
        (without_ocr("page.png"), "switched off"),
    ] {
        if reason == "longer" && !installed("tesseract") {
            continue;
        }
        let report = report(&page, &options);
        let doubt = report.doubts.first().expect("a doubt");
        assert_eq!(doubt.kind, DoubtKind::NotOcred);
        assert!(doubt.reason.contains(reason), "{} {reason}", doubt.reason);
    }
    // The number in the text could go; whether the page holds it, too, nobody knows. A logo is let through.
    for (picture, clean) in [("turned-90.png", false), ("text.png", true)] {
        let archive = beside_a_number(picture, &bytes("images", picture));
        let copy = redact(&archive, &number(), &without_ocr("a.tar"));
        assert_eq!(copy.is_ok(), clean, "{picture}");
    }
}

/// The inspection before may have read in it what is to be taken out of the copy.
#[test]
fn a_small_picture_that_was_left_unread_by_chance_keeps_a_mail_from_being_redacted() {
    let folder = tempfile::tempdir().expect("folder");
    let program = folder.path().join("tesseract");
    let script = "#!/bin/sh\n[ \"$1\" = --list-langs ] && echo dan && exit\nexec sleep 60\n";
    super::support::executable(&program, script);
    let mut late = options("a.tar");
    late.programs.tesseract = program;
    late.programs.ocr_seconds = 1;
    let archive = beside_a_number("text.png", &bytes("images", "text.png"));
    assert!(redact(&archive, &number(), &late).is_err());
    assert!(redact(&archive, &number(), &without_ocr("a.tar")).is_ok());
}

#[test]
fn a_strip_of_a_scanned_page_is_no_logo() {
    let archive = beside_a_number("scan-strip.pdf", &bytes("pdf", "scan-strip.pdf"));
    assert!(redact(&archive, &number(), &without_ocr("a.tar")).is_err());
}

/// A tar of a text with a number and another file.
fn beside_a_number(name: &str, file: &[u8]) -> Vec<u8> {
    let mut archive = Vec::new();
    for (name, data) in [("notat.txt", b"CPR 010190-1234".as_slice()), (name, file)] {
        archive.extend(tar_entry(name, data));
    }
    archive.extend([0; 1024]);
    archive
}

fn number() -> Targets {
    Targets::from([(IdKind::Cpr, Secret::new("0101901234".to_owned()))])
}

#[test]
fn a_logo_in_a_page_of_html_does_not_keep_it_from_being_redacted() {
    use base64::Engine;
    let logo = base64::engine::general_purpose::STANDARD.encode(bytes("images", "exif.png"));
    let html = format!("<html><p>CPR 010190-1234</p><img src=\"data:image/png;base64,{logo}\"></html>");
    let copy = redact(html.as_bytes(), &number(), &without_ocr("a.html")).expect("a clean copy");
    assert!(copy.report.doubts.iter().all(|doubt| doubt.kind == DoubtKind::NotOcred));
    assert!(!copy.report.doubts.is_empty(), "it is still told");
}

fn tar_entry(name: &str, data: &[u8]) -> Vec<u8> {
    let mut block = vec![0u8; 512];
    block[..name.len()].copy_from_slice(name.as_bytes());
    block[124..136].copy_from_slice(format!("{:011o}\0", data.len()).as_bytes());
    block[148..156].fill(b' ');
    let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
    block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    block.extend_from_slice(data);
    block.resize(block.len().next_multiple_of(512), 0);
    block
}
