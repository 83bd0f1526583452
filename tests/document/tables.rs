//! The tables in `tests/data/document`.

use super::support::{Case, kinds, read, table, texts};
use cpr_milter::document::{self, Family, Picture};
use cpr_milter::types::Location;

/// What the case wants and the reading does not give.
fn misses(case: &Case, media_type: &str) -> Vec<String> {
    let bytes = case.bytes();
    let content = read(&bytes, &case.hint(media_type));
    let mut misses = Vec::new();
    let shown = texts(&content, &Location::Text);
    if let Some(wanted) = &case.shown {
        let found = if case.any {
            shown.contains(&wanted.as_str())
        } else {
            shown.first() == Some(&wanted.as_str())
        };
        if !found {
            misses.push(format!("shown {wanted:?}, not {shown:?}"));
        }
    }
    if let Some(wanted) = &case.unfolded
        && !texts(&content, &Location::Source).contains(&wanted.as_str())
    {
        misses.push(format!("unfolded {wanted:?}"));
    }
    for wanted in &case.hidden {
        let found = content
            .views
            .iter()
            .any(|v| v.hidden && v.text.contains(wanted.as_str()));
        if !found {
            misses.push(format!(
                "hidden {wanted:?}, in {:?}",
                texts(&content, &Location::HiddenText)
            ));
        }
    }
    for (name, wanted) in &case.attributes {
        let values = texts(&content, &Location::Attribute(name.clone()));
        if !values.iter().any(|value| value.contains(wanted.as_str())) {
            misses.push(format!("attribute {name} {wanted:?}, in {values:?}"));
        }
    }
    for wanted in &case.children {
        if !content.children.iter().any(|child| *child.bytes == *wanted.as_bytes()) {
            misses.push(format!("child {wanted:?}"));
        }
    }
    if kinds(&content) != case.doubts {
        misses.push(format!("doubts {:?}, not {:?}", case.doubts, content.doubts));
    }
    misses
}

fn run(name: &str, media_type: &str) {
    let cases = table(name);
    let mut failed = Vec::new();
    for case in &cases {
        for miss in misses(case, media_type) {
            failed.push(format!("{}: {miss}", case.name));
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
    assert!(cases.len() >= 30);
}

#[test]
fn html_is_read_as_displayed_and_what_is_hidden_is_found() {
    run("html.yaml", "text/html");
}

#[test]
fn text_is_read_in_every_charset() {
    run("text.yaml", "text/plain");
}

#[test]
fn families_are_told_by_content() {
    let mut failed = Vec::new();
    for case in table("family.yaml") {
        let bytes = case.bytes();
        let hint = case.hint("");
        let wanted = match case.family.as_str() {
            "mail" => Family::Mail,
            "text" => Family::Text,
            "html" => Family::Html,
            "zip" => Family::Zip,
            "gzip" => Family::Gzip,
            "rtf" => Family::Rtf,
            "ole" => Family::Ole,
            "tnef" => Family::Tnef,
            "mbox" => Family::Mbox,
            "stream" => Family::Stream,
            "7z" => Family::SevenZip,
            "sqlite" => Family::Sqlite,
            "tar" => Family::Tar,
            "png" => Family::Picture(Picture::Png),
            "jpeg" => Family::Picture(Picture::Jpeg),
            "gif" => Family::Picture(Picture::Gif),
            "pdf" => Family::Pdf,
            "other" => Family::Other,
            other => panic!("no such family: {other}"),
        };
        let found = document::family(&bytes, &hint);
        if found != wanted {
            failed.push(format!("{:?} {:?}: {found:?}, not {wanted:?}", case.source, case.hex));
        }
        let content = read(&bytes, &hint);
        if let Some(word) = &case.unread
            && !content.doubts.iter().any(|doubt| doubt.reason.contains(word.as_str()))
        {
            failed.push(format!("{:?} {:?}: no doubt with {word}", case.source, case.hex));
        }
        for kind in &case.doubts {
            assert!(kinds(&content).contains(kind), "{kind:?}");
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}
