//! The contracts of `scan` and `redact` that scripts depend on, against the program itself.

use cpr_milter::cpr::made_up;
use serde_json::Value;
use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

fn program(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cpr-milter"));
    command.args(arguments);
    command
}

fn run(arguments: &[&str]) -> Output {
    program(arguments).output().expect("the program runs")
}

fn run_with(arguments: &[&str], input: &[u8]) -> Output {
    let mut child = program(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program runs");
    child.stdin.take().expect("stdin").write_all(input).expect("written");
    child.wait_with_output().expect("ends")
}

fn objects(output: &Output) -> Vec<Value> {
    let text = String::from_utf8(output.stdout.clone()).expect("UTF-8");
    text.lines()
        .map(|line| serde_json::from_str(line).expect("one JSON object a line"))
        .collect()
}

fn status(output: &Output) -> i32 {
    output.status.code().expect("an exit status")
}

fn file(folder: &Path, name: &str, content: impl AsRef<[u8]>) -> String {
    let path = folder.join(name);
    fs::create_dir_all(path.parent().expect("a folder")).expect("folder");
    fs::write(&path, content).expect("written");
    path.to_string_lossy().into_owned()
}

fn mail(text: &str) -> String {
    format!(
        "From: Sag <sag@kommune.example>\r\nTo: borger@post.example\r\nSubject: Deres sag\r\nMIME-Version: 1.0\r\n\
         Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n{text}\r\n"
    )
}

/// Both ways of writing one number.
fn written(seed: u64) -> (String, String) {
    let plain = made_up::number(seed);
    (made_up::hyphenated(&plain), plain)
}

#[test]
fn text_spans_are_byte_offsets_and_digits_come_only_with_reveal() {
    let (hyphenated, plain) = written(1);
    let text = format!("Æblegrød til {hyphenated}, tak.");
    let start = text.find(&hyphenated).expect("it is there");
    let output = run_with(
        &["scan", "--format", "json", "--input", "text", "--reveal", "-"],
        text.as_bytes(),
    );
    assert_eq!(status(&output), 1);
    let object = &objects(&output)[0];
    let finding = &object["findings"][0];
    assert_eq!(finding["start"], start);
    assert_eq!(finding["end"], start + hyphenated.len());
    assert_eq!(finding["digits"], plain);
    assert_eq!(finding["kind"], "cpr");
    for key in [
        "part",
        "name",
        "location",
        "masked",
        "confidence",
        "hidden",
        "fake_redaction",
    ] {
        assert!(finding.get(key).is_some(), "{key} is missing in {finding}");
    }
    assert!(object["seconds"].is_number() && object["doubts"].is_array());

    let masked = run_with(&["scan", "--format", "json", "--input", "text", "-"], text.as_bytes());
    let shown = String::from_utf8_lossy(&masked.stdout).into_owned();
    assert!(objects(&masked)[0]["findings"][0].get("digits").is_none());
    assert!(!shown.contains(&plain) && !shown.contains(&hyphenated), "{shown}");
}

#[test]
fn latin_1_text_keeps_its_offsets() {
    let (hyphenated, _) = written(2);
    let mut text = b"S\xf8ren: ".to_vec();
    let start = text.len();
    text.extend_from_slice(hyphenated.as_bytes());
    let output = run_with(&["scan", "--format", "json", "--input", "text", "-"], &text);
    assert_eq!(objects(&output)[0]["findings"][0]["start"], start);
}

#[test]
fn exit_status_is_0_for_nothing_1_for_found_2_for_an_error() {
    let folder = tempfile::tempdir().expect("folder");
    let clean = file(folder.path(), "clean.eml", mail("Ingen tal her."));
    let found = file(folder.path(), "found.eml", mail(&format!("CPR {}", written(3).0)));
    let missing = folder.path().join("missing.eml").to_string_lossy().into_owned();
    assert_eq!(status(&run(&["scan", &clean])), 0);
    assert_eq!(status(&run(&["scan", &found])), 1);
    let output = run(&["scan", &missing, &found]);
    assert_eq!(status(&output), 2, "an error on one file reaches the exit status");
    assert!(
        String::from_utf8_lossy(&output.stderr).contains("missing.eml"),
        "and is named"
    );
    assert!(
        String::from_utf8_lossy(&output.stdout).contains("found.eml"),
        "and does not stop the rest"
    );
}

#[test]
fn folders_maildir_and_mbox_are_taken_apart() {
    let folder = tempfile::tempdir().expect("folder");
    let with = |seed| mail(&format!("CPR {}", written(seed).0)).replace("\r\n", "\n");
    file(folder.path(), "Maildir/cur/1:2,S", with(4));
    file(folder.path(), "Maildir/new/2", mail("intet"));
    file(folder.path(), "Maildir/tmp/3", with(5));
    let separator = "From sag@kommune.example Mon Nov 23 10:00:00 2026\n";
    file(
        folder.path(),
        "archive.mbox",
        format!("{separator}{}\n{separator}{}\n", with(6), with(7)),
    );
    let output = run(&["scan", "--format", "json", &folder.path().to_string_lossy()]);
    let found: Vec<_> = objects(&output)
        .iter()
        .map(|object| {
            (
                object["path"].as_str().expect("path").to_owned(),
                object["findings"].as_array().map_or(0, Vec::len),
            )
        })
        .collect();
    let short: Vec<_> = found
        .iter()
        .map(|(path, n)| (path.rsplit('/').next().expect("name"), *n))
        .collect();
    assert_eq!(
        short,
        [("1:2,S", 1), ("2", 0), ("archive.mbox#1", 1), ("archive.mbox#2", 1)]
    );
}

#[test]
fn redact_removes_the_digits_and_changes_nothing_else() {
    let folder = tempfile::tempdir().expect("folder");
    let (hyphenated, plain) = written(8);
    let before = mail(&format!("Vedrørende {hyphenated} og igen {plain}."));
    let source = file(folder.path(), "in.eml", &before);
    let copy = folder.path().join("out.eml");
    let output = run(&["redact", &source, "-o", &copy.to_string_lossy()]);
    assert_eq!(status(&output), 0, "{}", String::from_utf8_lossy(&output.stderr));
    let after = fs::read_to_string(&copy).expect("copy");
    assert_eq!(
        after,
        before.replace(&hyphenated, "XXXXXX-XXXX").replace(&plain, "XXXXXXXXXX")
    );
    assert_eq!(status(&run(&["scan", &copy.to_string_lossy()])), 0);
    // Without -o the same bytes go to standard output.
    assert_eq!(run(&["redact", &source]).stdout, after.into_bytes());
}

#[test]
fn redact_writes_what_style_asks_for() {
    let folder = tempfile::tempdir().expect("folder");
    let (hyphenated, plain) = written(8);
    let before = mail(&format!("Vedrørende {hyphenated} og igen {plain}."));
    let source = file(folder.path(), "in.eml", &before);
    for (style, with) in [("label", "[CPR]"), ("remove", "")] {
        let after = run(&["redact", "--style", style, &source]).stdout;
        assert_eq!(
            String::from_utf8_lossy(&after),
            before.replace(&hyphenated, with).replace(&plain, with)
        );
    }
    assert_eq!(status(&run(&["redact", "--style", "pink", &source])), 2);
}

#[test]
fn redact_leaves_a_clean_mail_as_it_is() {
    let folder = tempfile::tempdir().expect("folder");
    let before = mail("Ingen tal.");
    let source = file(folder.path(), "in.eml", &before);
    assert_eq!(run(&["redact", &source]).stdout, before.into_bytes());
}

#[test]
fn what_cannot_be_made_clean_is_not_written() {
    let folder = tempfile::tempdir().expect("folder");
    let signed = format!(
        "From: a@kommune.example\r\nMIME-Version: 1.0\r\nContent-Type: multipart/signed; boundary=b; \
         protocol=\"application/pkcs7-signature\"; micalg=sha-256\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nCPR {}\r\n\
         --b\r\nContent-Type: application/pkcs7-signature\r\n\r\nx\r\n--b--\r\n",
        written(9).0
    );
    let source = file(folder.path(), "signed.eml", signed);
    let copy = folder.path().join("out.eml");
    let output = run(&["redact", &source, "-o", &copy.to_string_lossy()]);
    assert_eq!(status(&output), 1, "{}", String::from_utf8_lossy(&output.stderr));
    assert!(!copy.exists());
    assert!(String::from_utf8_lossy(&output.stderr).contains("nothing was written"));
    assert_eq!(status(&run(&["redact", "/nowhere/at/all.eml"])), 2);
}

#[test]
fn a_mail_without_a_name_is_a_mail_also_when_its_header_is_odd() {
    let folder = tempfile::tempdir().expect("a folder");
    let odd = mail("hej").replace("MIME-Version: 1.0\r\n", "no field\r\n");
    let path = file(folder.path(), "1762000000.M1P1.host", odd);
    let found = &objects(&run(&["scan", "--format", "json", &path]))[0];
    assert_eq!(found["doubts"][0]["kind"], "malformed");
}
