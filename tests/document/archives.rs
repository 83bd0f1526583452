//! ZIP and gzip: whole, bent, and put together again so that other programs open them.

use super::support::{kinds, read, sample, samples, texts};
use cpr_milter::content::{Budget, Changes, Content, Hint, Limits, TextEdit};
use cpr_milter::document;
use cpr_milter::types::{DoubtKind, Location};
use std::io::Write;
use std::process::{Command, Stdio};

const NUMBER: &str = "010190-1234";
const OTHER: &str = "020290-5678";

fn children<'c>(content: &'c Content<'_>) -> Vec<(&'c str, bool)> {
    let name = |c: &'c cpr_milter::content::Child<'_>| (c.hint.name.as_deref().unwrap_or(""), c.alternative);
    content.children.iter().map(name).collect()
}

/// Somewhere in views, children, and their children.
fn holds(content: &Content<'_>, wanted: &str) -> bool {
    content.views.iter().any(|view| view.text.contains(wanted))
        || content
            .children
            .iter()
            .any(|child| holds(&read(&child.bytes, &child.hint), wanted))
}

#[test]
fn a_plain_archive_is_read_whole_and_without_doubt() {
    let bytes = sample("plain.zip");
    let content = read(&bytes, &Hint::default());
    assert_eq!(kinds(&content), []);
    let wanted = [
        ("bilag/notat.txt", false),
        ("010190-1234.txt", false),
        ("stored.txt", false),
    ];
    assert_eq!(children(&content), wanted);
    let names = ["bilag/notat.txt", "010190-1234.txt", "stored.txt", "mappe/"];
    assert_eq!(texts(&content, &Location::FileName), names);
    assert_eq!(
        texts(&content, &Location::ArchiveComment),
        ["om 010190-1234", "sag 010190-1234"]
    );
}

#[test]
fn every_sample_gives_its_number_or_its_doubt() {
    use DoubtKind::{Broken, Encrypted, Malformed, TooLarge, Unread};
    let cases: [(&str, &[DoubtKind], &str); 27] = [
        ("streamed.zip", &[], NUMBER),
        ("zip64.zip", &[], NUMBER),
        ("unicodepath.zip", &[], "ø010190-1234.txt"),
        ("cp437.zip", &[], NUMBER),
        ("nested.zip", &[], NUMBER),
        ("twonames.zip", &[Malformed], OTHER),
        ("localextra.zip", &[], OTHER),
        ("timesextra.zip", &[], OTHER),
        ("leftout.zip", &[Malformed], OTHER),
        ("prepended.zip", &[Malformed], OTHER),
        ("appended.zip", &[Malformed], OTHER),
        ("trailing.zip", &[Malformed], OTHER),
        ("truncated.zip", &[Broken], NUMBER),
        ("badcrc.zip", &[Broken], OTHER),
        ("encrypted.zip", &[Encrypted], "hemmelig.txt"),
        ("method.zip", &[Unread], "lzma.txt"),
        ("overlap.zip", &[Malformed], NUMBER),
        ("bomb.zip", &[TooLarge], NUMBER),
        ("empty.zip", &[], ""),
        ("word.docx", &[], NUMBER),
        ("text.odt", &[], "010190 1234"),
        ("plain.gz", &[], "010190-1234.txt"),
        ("members.gz", &[], NUMBER),
        ("comment.gz", &[], "om 010190-1234"),
        ("trailing.gz", &[Malformed], OTHER),
        ("truncated.gz", &[Broken], ""),
        ("bomb.gz", &[TooLarge], ""),
    ];
    for (name, doubts, wanted) in cases {
        let bytes = sample(name);
        let content = read(&bytes, &Hint::default());
        let mut found = kinds(&content);
        found.sort();
        assert_eq!(found, doubts, "{name}");
        assert!(wanted.is_empty() || holds(&content, wanted), "{name}: {wanted}");
    }
}

#[test]
fn a_tar_in_gzip_is_read_through() {
    let bytes = sample("notat.tar.gz");
    let content = read(
        &bytes,
        &Hint {
            name: Some("notat.tar.gz".to_owned()),
            ..Hint::default()
        },
    );
    let child = content.children.first().expect("a child");
    assert_eq!(child.hint.name.as_deref(), Some("notat.tar"));
    let inner = read(&child.bytes, &child.hint);
    assert_eq!(kinds(&inner), []);
    assert!(holds(&inner, NUMBER));
}

#[test]
fn limits_end_an_archive_as_a_doubt() {
    let limits = Limits {
        produced_bytes: 100,
        ..Limits::default()
    };
    for name in ["plain.zip", "plain.gz", "bomb.zip", "bomb.gz"] {
        let bytes = sample(name);
        let mut budget = Budget::new(limits.clone());
        let content = document::read(&bytes, &Hint::default(), &mut budget);
        assert_eq!(kinds(&content), [DoubtKind::TooLarge], "{name}");
        let produced: usize = content.children.iter().map(|child| child.bytes.len()).sum();
        assert!(produced <= 100 + (32 << 10), "{name}: {produced}");
    }
    let bytes = sample("plain.zip");
    let mut budget = Budget::new(Limits {
        parts: 2,
        ..Limits::default()
    });
    let content = document::read(&bytes, &Hint::default(), &mut budget);
    assert!(kinds(&content).contains(&DoubtKind::TooLarge));
}

/// Digits of `NUMBER` in all views and text children replaced by `x`.
fn without_number(bytes: &[u8]) -> Vec<u8> {
    let content = read(bytes, &Hint::default());
    let mut changes = Changes::default();
    for (view, text) in content.views.iter().map(|view| &view.text).enumerate() {
        for (at, _) in text.match_indices(NUMBER) {
            let digits = (at..at + NUMBER.len()).filter(|i| text.as_bytes()[*i].is_ascii_digit());
            changes.texts.extend(digits.map(|i| TextEdit {
                view,
                range: i..i + 1,
                with: "x".to_owned(),
            }));
        }
    }
    for (index, child) in content.children.iter().enumerate() {
        let text = String::from_utf8_lossy(&child.bytes);
        if text.contains(NUMBER) {
            changes
                .children
                .push((index, text.replace(NUMBER, "[CPR]").into_bytes()));
        }
    }
    document::rebuild(bytes, &Hint::default(), &content, changes).expect("rebuilt")
}

/// Runs a program with `input` in a file given as its last argument.
fn opens(program: &str, arguments: &[&str], input: &[u8], extension: &str) -> (bool, String) {
    let mut file = tempfile::Builder::new().suffix(extension).tempfile().expect("a file");
    file.write_all(input).expect("written");
    let output = Command::new(program)
        .args(arguments)
        .arg(file.path())
        .stdin(Stdio::null())
        .output();
    let output = output.unwrap_or_else(|e| panic!("{program} is needed for this test: {e}"));
    (
        output.status.success(),
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr),
    )
}

#[test]
fn a_rebuilt_archive_opens_elsewhere_and_the_number_is_gone() {
    let list = "import sys, zipfile\n\
        z = zipfile.ZipFile(sys.argv[1])\n\
        assert z.testzip() is None\n\
        print([(i.filename, i.date_time, i.external_attr, i.compress_type, i.comment) for i in z.infolist()], z.comment)";
    for name in ["plain.zip", "streamed.zip", "cp437.zip"] {
        let before = sample(name);
        let after = without_number(&before);
        assert!(!holds(&read(&after, &Hint::default()), NUMBER), "{name}");
        assert_eq!(kinds(&read(&after, &Hint::default())), [], "{name}");
        let (sound, said) = opens("unzip", &["-t"], &after, ".zip");
        assert!(sound, "{name}: {said}");
        let (_, old) = opens("python3", &["-c", list], &before, ".zip");
        let (sound, new) = opens("python3", &["-c", list], &after, ".zip");
        assert!(sound, "{name}: {new}");
        assert_eq!(new, old.replace(NUMBER, "xxxxxx-xxxx"), "{name}");
    }
}

#[test]
fn unchanged_entries_are_copied_byte_for_byte() {
    let before = sample("plain.zip");
    let content = read(&before, &Hint::default());
    let changes = Changes {
        texts: Vec::new(),
        children: vec![(2, b"nr [CPR]".to_vec())],
    };
    let after = document::rebuild(&before, &Hint::default(), &content, changes).expect("rebuilt");
    let third = before.windows(10).position(|w| w == b"stored.txt").expect("the name") - 30;
    assert_eq!(after[..third], before[..third]);
}

#[test]
fn a_rebuilt_gzip_opens_elsewhere_with_its_name_and_time() {
    for name in ["plain.gz", "members.gz", "comment.gz"] {
        let before = sample(name);
        let after = without_number(&before);
        assert_eq!(after[4..10], before[4..10], "{name}");
        let content = read(&after, &Hint::default());
        assert_eq!(kinds(&content), [], "{name}");
        assert!(!holds(&content, NUMBER), "{name}");
        let (sound, said) = opens("gzip", &["-t"], &after, ".gz");
        assert!(sound, "{name}: {said}");
    }
}

#[test]
fn odd_archives_are_not_rebuilt() {
    for name in [
        "prepended.zip",
        "overlap.zip",
        "zip64.zip",
        "unicodepath.zip",
        "appended.zip",
    ] {
        let bytes = sample(name);
        let content = read(&bytes, &Hint::default());
        let mut changes = Changes::default();
        changes
            .children
            .extend(content.children.iter().enumerate().map(|(i, _)| (i, b"x".to_vec())));
        let view = content.views.iter().position(|v| v.text.contains("0190"));
        changes.texts.extend(view.map(|view| TextEdit {
            view,
            range: 0..1,
            with: "x".to_owned(),
        }));
        let outcome = document::rebuild(&bytes, &Hint::default(), &content, changes);
        assert!(outcome.is_err(), "{name}");
    }
}

#[test]
fn nothing_to_change_means_the_same_bytes() {
    for (name, bytes) in samples(&[".zip", ".gz", ".docx", ".odt"]) {
        let content = read(&bytes, &Hint::default());
        let same = document::rebuild(&bytes, &Hint::default(), &content, Changes::default());
        assert_eq!(same.as_deref(), Ok(bytes.as_slice()), "{name}");
    }
}

#[test]
fn a_signed_file_is_not_edited() {
    let text = format!("-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\nnr {NUMBER}\n");
    let hint = Hint {
        attachment: true,
        ..Hint::default()
    };
    let content = read(text.as_bytes(), &hint);
    let at = content.views[0].text.find(NUMBER).expect("the number");
    let changes = Changes {
        texts: vec![TextEdit {
            view: 0,
            range: at..at + 1,
            with: "x".to_owned(),
        }],
        ..Changes::default()
    };
    let refused = document::rebuild(text.as_bytes(), &hint, &content, changes);
    assert!(matches!(refused, Err(cpr_milter::content::CannotEdit::Sealed)));
}
