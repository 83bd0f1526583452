//! RTF, legacy Office, Outlook and winmail.dat files (`tests/data/documents`, made by `make_legacy.py`): found where they stand;
//! RTF redacted by its bytes, the others refused.

use super::office::{bytes, options};
use cpr_milter::cpr::{Confidence, IdKind, Secret};
use cpr_milter::inspect::inspect;
use cpr_milter::redact::{Targets, redact};
use cpr_milter::types::Report;
use std::collections::BTreeMap;

/// One row of `legacy.tsv`.
pub struct Row {
    pub file: String,
    digits: String,
    place: String,
    hidden: bool,
    fake: bool,
    doubts: String,
    redact: String,
}

pub fn rows() -> Vec<Row> {
    let text = String::from_utf8(bytes("legacy.tsv")).expect("UTF-8");
    let rows = text.lines().filter(|line| !line.starts_with('#')).map(|line| {
        let fields: Vec<&str> = line.split('\t').collect();
        Row {
            file: fields[0].to_owned(),
            digits: fields[1].to_owned(),
            place: fields[2].to_owned(),
            hidden: fields[3] == "hidden",
            fake: fields[4] == "fake",
            doubts: fields[5].to_owned(),
            redact: fields[6].to_owned(),
        }
    });
    rows.collect()
}

fn report(file: &str, bytes: &[u8]) -> Report {
    inspect(bytes, &options(file)).expect("no identifiers to compile")
}

fn doubts(report: &Report) -> String {
    // Pictures are in doubt in one word or another, by what reads them.
    let kind = |doubt: &cpr_milter::types::Doubt| match doubt.kind.word() {
        "not_ocred" => "unread",
        word => word,
    };
    let mut words: Vec<&str> = report.doubts.iter().map(kind).collect();
    words.sort_unstable();
    words.dedup();
    if words.is_empty() {
        "-".to_owned()
    } else {
        words.join(",")
    }
}

#[test]
fn numbers_are_found_where_they_stand() {
    let mut wrong = Vec::new();
    let mut recall: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    for row in rows() {
        let report = report(&row.file, &bytes(&row.file));
        if doubts(&report) != row.doubts {
            wrong.push(format!("{}: doubts {:?}, not {}", row.file, report.doubts, row.doubts));
        }
        let sure = report.findings.iter().filter(|f| f.confidence >= Confidence::Likely);
        let stray = sure.filter(|f| f.number.reveal() != row.digits).count();
        if stray > 0 {
            wrong.push(format!("{}: also {stray} numbers that nobody put there", row.file));
        }
        if row.digits.is_empty() {
            continue;
        }
        let found = report.findings.iter().filter(|f| f.number.reveal() == row.digits);
        let seen: Vec<_> = found
            .map(|f| (f.place.location.to_string(), f.hidden, f.fake_redaction, f.confidence))
            .collect();
        let fitting = |(place, hidden, fake, confidence): &(String, bool, bool, Confidence)| {
            *place == row.place && (*hidden, *fake) == (row.hidden, row.fake) && *confidence >= Confidence::Likely
        };
        let counts = recall
            .entry(row.file.split('/').next().unwrap_or_default().to_owned())
            .or_default();
        counts.1 += 1;
        if seen.iter().any(fitting) {
            counts.0 += 1;
        } else {
            wrong.push(format!(
                "{}: {} {} {}, not {seen:?}",
                row.file, row.place, row.hidden, row.fake
            ));
        }
    }
    for (group, (found, all)) in &recall {
        println!("{group}: {found} of {all}");
    }
    assert!(wrong.is_empty(), "{}\n{}", wrong.len(), wrong.join("\n"));
    assert!(recall.values().map(|(_, all)| all).sum::<usize>() >= 110);
}

/// What is left of a document when everything but its digits is taken away, escapes undone.
fn digits_of(bytes: &[u8]) -> String {
    let mut out = String::new();
    let text = String::from_utf8_lossy(bytes).replace(['\r', '\n'], "");
    let mut rest = text.as_str();
    while let Some(c) = rest.chars().next() {
        let escaped = rest
            .strip_prefix("\\'")
            .and_then(|hex| u8::from_str_radix(hex.get(..2)?, 16).ok());
        if let Some(byte) = escaped {
            out.extend(Some(char::from(byte)).filter(char::is_ascii_digit));
            rest = rest.get(4..).unwrap_or_default();
            continue;
        }
        if c.is_ascii_digit() {
            out.push(c);
        }
        rest = &rest[c.len_utf8()..];
    }
    out
}

#[test]
fn rtf_is_redacted_in_its_bytes_and_the_others_are_refused() {
    let mut wrong = Vec::new();
    let out = std::env::var_os("CPR_OFFICE_OUT").map(std::path::PathBuf::from);
    for row in rows() {
        let before = bytes(&row.file);
        let targets: Targets = if row.digits.is_empty() {
            Targets::new()
        } else {
            [(IdKind::Cpr, Secret::new(row.digits.clone()))].into_iter().collect()
        };
        match (row.redact.as_str(), redact(&before, &targets, &options(&row.file))) {
            ("clean", Ok(copy)) => {
                if digits_of(&copy.bytes).contains(&row.digits) {
                    wrong.push(format!("{}: still there", row.file));
                }
                if let Some(out) = &out {
                    let path = out.join(&row.file);
                    std::fs::create_dir_all(path.parent().expect("a folder")).expect("folder");
                    std::fs::write(path, copy.bytes).expect("written");
                }
            }
            ("same", Ok(copy)) if copy.bytes == before => {}
            // A picture is a doubt until it has been read.
            ("same", Err(_)) if row.doubts != "-" => {}
            ("refused", Err(_)) => {}
            (_, Ok(_)) => wrong.push(format!("{}: was rewritten", row.file)),
            (_, Err(why)) => wrong.push(format!("{}: {why}", row.file)),
        }
    }
    assert!(wrong.is_empty(), "{}\n{}", wrong.len(), wrong.join("\n"));
}

/// A Word document whose text stands in pieces out of order, in one byte and in two a character, as fast saves leave it.
fn pieces(pieces: &[(&str, bool)], behind: &[u8]) -> Vec<u8> {
    let mut main = vec![0u8; 8192];
    main[0..2].copy_from_slice(&0xa5ecu16.to_le_bytes());
    main[2..4].copy_from_slice(&0xc1u16.to_le_bytes());
    let mut at = 6000;
    let (mut positions, mut places) = (vec![0u32], Vec::new());
    for (text, wide) in pieces {
        let bytes: Vec<u8> = match wide {
            true => text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
            false => text.bytes().collect(),
        };
        at -= 1000;
        main[at..at + bytes.len()].copy_from_slice(&bytes);
        let fc = if *wide {
            at as u32
        } else {
            0x4000_0000 | (2 * at as u32)
        };
        places.extend([0, 0]);
        places.extend(fc.to_le_bytes());
        places.extend([0, 0]);
        positions.push(positions.last().expect("one") + text.chars().count() as u32);
    }
    let count = positions.last().expect("one").to_le_bytes();
    main[0x4c..0x50].copy_from_slice(&count);
    let mut list: Vec<u8> = positions.iter().flat_map(|n| n.to_le_bytes()).collect();
    list.extend(places);
    let mut table = vec![2u8];
    table.extend((list.len() as u32).to_le_bytes());
    table.extend(list);
    main[0x1a2..0x1a6].copy_from_slice(&0u32.to_le_bytes());
    main[0x1a6..0x1aa].copy_from_slice(&(table.len() as u32).to_le_bytes());
    table.extend_from_slice(behind);
    table.resize(table.len().max(4096), 0);
    super::legacy_hostile::compound(&[("WordDocument", &main), ("0Table", &table)])
}

#[test]
fn text_of_word_is_put_together_from_its_pieces() {
    let file = pieces(&[("Så er CPR-nr. 0101", true), ("90-12", false), ("34 her", true)], b"");
    let report = report("hurtigt gemt.doc", &file);
    let found: Vec<_> = report.findings.iter().map(|f| f.number.reveal().to_owned()).collect();
    assert_eq!(found, ["0101901234"]);
    assert_eq!(report.findings[0].place.location.to_string(), "text");
    assert_eq!(doubts(&report), "-");
}

/// Word keeps the theme as an archive among its tables.
#[test]
fn an_archive_within_a_stream_does_not_make_the_stream_one() {
    let theme = super::support::sample("plain.zip");
    let file = pieces(&[("CPR-nr. 010190-1234", true)], &theme);
    let report = report("med tema.doc", &file);
    assert_eq!((report.findings.len(), doubts(&report).as_str()), (1, "-"));
}

#[test]
fn a_number_that_excel_took_the_zero_from_is_possible() {
    let record = |id: u16, data: &[u8]| {
        let mut out = id.to_le_bytes().to_vec();
        out.extend((data.len() as u16).to_le_bytes());
        out.extend(data);
        out
    };
    let begin = record(0x809, &[0, 6, 5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    let at = begin.len() + 4 + 9 + 4;
    let sheet = [&(at as u32).to_le_bytes()[..], &[0, 0, 1, 0, b'A']].concat();
    // 070761-4285, made up, with modulus 11.
    let cell = [&[0u8; 6][..], &707_614_285f64.to_le_bytes()].concat();
    let end = record(0x0a, &[]);
    let mut book = [
        begin.clone(),
        record(0x85, &sheet),
        end.clone(),
        begin,
        record(0x203, &cell),
        end,
    ]
    .concat();
    book.resize(4096, 0);
    let report = report("ark.xls", &super::legacy_hostile::compound(&[("Workbook", &book)]));
    let found: Vec<_> = report
        .findings
        .iter()
        .map(|f| (f.number.reveal().to_owned(), f.place.location.to_string(), f.confidence))
        .collect();
    assert_eq!(
        found,
        [(
            "0707614285".to_owned(),
            "sheet A, cell A1".to_owned(),
            Confidence::Possible
        )]
    );
}
