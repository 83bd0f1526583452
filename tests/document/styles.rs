//! What stands where a number stood, in texts and mails, in each style.

use super::collection::{folder, options};
use cpr_milter::cpr::{IdKind, Secret};
use cpr_milter::inspect::{Input, Options};
use cpr_milter::redact::{Targets, redact};
use cpr_milter::types::Style;

fn copy(source: &str, input: Input, style: Style) -> String {
    let targets = Targets::from([(IdKind::Cpr, Secret::new("0101901234".to_owned()))]);
    let options = Options {
        input,
        name: None,
        style,
        ..options("a")
    };
    let copy = redact(source.as_bytes(), &targets, &options).unwrap_or_else(|why| panic!("{source}: {why}"));
    String::from_utf8(copy.bytes).expect("UTF-8")
}

/// Source, then with box, label and nothing.
const TEXTS: [[&str; 4]; 8] = [
    ["CPR 010190-1234.", "CPR XXXXXX-XXXX.", "CPR [CPR].", "CPR ."],
    ["CPR 0101901234.", "CPR XXXXXXXXXX.", "CPR [CPR].", "CPR ."],
    ["CPR 010190 - 1234.", "CPR XXXXXX - XXXX.", "CPR [CPR].", "CPR ."],
    [
        "CPR 010190\u{2011}1234.",
        "CPR XXXXXX\u{2011}XXXX.",
        "CPR [CPR].",
        "CPR .",
    ],
    [
        "CPR 010190-1234 og 010190-1234",
        "CPR XXXXXX-XXXX og XXXXXX-XXXX",
        "CPR [CPR] og [CPR]",
        "CPR  og ",
    ],
    [
        "<html><p>CPR <b>0101</b>90-<i>1234</i></p>",
        "<html><p>CPR <b>XXXX</b>XX-<i>XXXX</i></p>",
        "<html><p>CPR <b>[CPR]</b><i></i></p>",
        "<html><p>CPR <b></b><i></i></p>",
    ],
    [
        "<html><p title=\"CPR 010190-1234\">CPR 010190&#45;123&#52;</p>",
        "<html><p title=\"CPR XXXXXX-XXXX\">CPR XXXXXX&#45;XXXX</p>",
        "<html><p title=\"CPR [CPR]\">CPR [CPR]</p>",
        "<html><p title=\"CPR \">CPR </p>",
    ],
    // An address keeps its form.
    [
        "<html><a href=\"/sag?cpr=010190-1234\">CPR 010190-1234</a>",
        "<html><a href=\"/sag?cpr=XXXXXX-XXXX\">CPR XXXXXX-XXXX</a>",
        "<html><a href=\"/sag?cpr=XXXXXX-XXXX\">CPR [CPR]</a>",
        "<html><a href=\"/sag?cpr=XXXXXX-XXXX\">CPR </a>",
    ],
];

#[test]
fn texts_look_as_the_style_says() {
    for [source, boxed, labelled, removed] in TEXTS {
        for (style, wanted) in [(Style::Box, boxed), (Style::Label, labelled), (Style::Remove, removed)] {
            assert_eq!(copy(source, Input::Document, style), wanted, "{}", style.word());
        }
    }
}

#[test]
fn in_a_mail_the_text_is_free_and_a_header_keeps_its_form() {
    let mail = "From: a@kommune.example\r\nSubject: CPR 010190-1234\r\nMessage-ID: <010190-1234@kommune.example>\r\n\r\n\
                CPR 010190-1234\r\n";
    let labelled = "From: a@kommune.example\r\nSubject: CPR XXXXXX-XXXX\r\nMessage-ID: <XXXXXX-XXXX@kommune.example>\r\n\r\n\
                    CPR [CPR]\r\n";
    assert_eq!(copy(mail, Input::Message, Style::Label), labelled);
    let removed = labelled.replace("[CPR]", "");
    assert_eq!(copy(mail, Input::Message, Style::Remove), removed);
}

/// A table names its columns a second time, and both names must agree.
#[test]
fn a_number_that_is_a_name_in_a_workbook_keeps_its_form_everywhere() {
    let source = std::fs::read(folder("xlsx").join("table-column-py.xlsx")).expect("a sample");
    let table = std::fs::read_to_string(folder(".").join("expected.tsv")).expect("the table");
    let row = table
        .lines()
        .find(|line| line.starts_with("xlsx/table-column-py"))
        .expect("a row");
    let digits = row.split('\t').nth(1).expect("digits").to_owned();
    let targets = Targets::from([(IdKind::Cpr, Secret::new(digits))]);
    let options = Options {
        style: Style::Label,
        ..options("a.xlsx")
    };
    let copy = redact(&source, &targets, &options).expect("clean").bytes;
    let mut archive = zip::ZipArchive::new(std::io::Cursor::new(copy)).expect("an archive");
    let mut all = String::new();
    for index in 0..archive.len() {
        std::io::Read::read_to_string(&mut archive.by_index(index).expect("an entry"), &mut all).expect("XML");
    }
    assert!(!all.contains("[CPR]"));
    assert!(all.matches("XXXX").count() >= 2);
}
