//! Places and formats that were once read past (`tests/data/documents/gaps`, made by its `make.py`): each is found now, and gone
//! after redaction or refused, as `expected.tsv` says.

use super::collection::{bytes, misses, options, redacted, report, rows};
use cpr_milter::inspect::{Input, Options};

fn asked(file: &str) -> Options {
    let mut options = options(file);
    if file.ends_with(".eml") {
        options.input = Input::Message;
    }
    options
}

/// The forms in which a number would stand in the clear.
fn in_the_clear(copy: &[u8], digits: &str) -> bool {
    let dashed = format!("{}-{}", &digits[..6], &digits[6..]);
    [digits, &dashed]
        .iter()
        .any(|form| memchr::memmem::find(copy, form.as_bytes()).is_some())
}

#[test]
fn every_place_that_was_read_past_is_found() {
    let rows = rows("gaps");
    let wrong: Vec<String> = rows
        .iter()
        .flat_map(|row| misses("gaps", row, &asked(&row.file)))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(rows.len() >= 20);
}

#[test]
fn what_is_covered_is_told_as_a_redaction_that_can_be_undone() {
    let rows = rows("gaps");
    let covered = |row: &&super::collection::Row| row.file.starts_with("covered-") || row.file.starts_with("black-");
    let told = rows.iter().filter(covered).map(|row| {
        let report = report(&bytes("gaps", &row.file), &asked(&row.file));
        let found = report.findings.iter().find(|f| f.number.reveal() == row.digits);
        (row.file.as_str(), found.is_some_and(|f| f.fake_redaction))
    });
    let told: Vec<_> = told.collect();
    assert!(told.len() >= 5 && told.iter().all(|(_, fake)| *fake), "{told:?}");
}

#[test]
fn what_was_read_past_is_redacted_or_refused() {
    let mut wrong = Vec::new();
    for row in rows("gaps").iter().filter(|row| !row.digits.is_empty()) {
        assert!(!bytes("gaps", &row.file).is_empty());
        match redacted("gaps", row, &asked(&row.file)) {
            Some(_) if !row.clean => wrong.push(format!("{}: redacted, and was to be refused", row.file)),
            None if row.clean => wrong.push(format!("{}: refused", row.file)),
            Some(copy) if in_the_clear(&copy, &row.digits) => wrong.push(format!("{}: still there", row.file)),
            _ => {}
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The parts of a number in a formula are put together again when the sheet is calculated.
#[test]
fn a_formula_that_puts_a_number_together_is_redacted_in_its_parts() {
    let rows = rows("gaps");
    let row = rows
        .iter()
        .find(|row| row.file == "formula-pieces.xlsx")
        .expect("the sample");
    let copy = redacted("gaps", row, &asked(&row.file)).expect("a copy");
    let mut archive = zip::ZipArchive::new(std::io::Cursor::new(copy)).expect("an archive");
    let mut sheet = String::new();
    let mut entry = archive.by_name("xl/worksheets/sheet1.xml").expect("the sheet");
    std::io::Read::read_to_string(&mut entry, &mut sheet).expect("text");
    assert!(
        !sheet.contains(&row.digits[..6]) && !sheet.contains(&row.digits[6..]),
        "{sheet}"
    );
}
