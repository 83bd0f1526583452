//! No bytes make `message` panic, and a mail that is read can be rebuilt or is refused.

use crate::cases::{number, table};
use cpr_milter::content::{Budget, Changes, Content, Limits, TextEdit};
use cpr_milter::inspect::{Input, Options, inspect};
use cpr_milter::message;
use cpr_milter::types::{DoubtKind, Location};
use proptest::prelude::*;

/// Reads, edits whatever can be edited, reads again.
fn exercise(bytes: &[u8]) {
    let content = message::read(bytes, &mut Budget::new(Limits::default()));
    let _ = (
        message::headers(bytes),
        message::body_offset(bytes),
        message::looks_like_mail(bytes),
    );
    let same = message::rebuild(bytes, &content, Changes::default()).expect("no change");
    assert_eq!(same, bytes);
    for (view, text) in content.views.iter().enumerate().take(40) {
        let edits = text.text.char_indices().take(3).map(|(at, c)| TextEdit {
            view,
            range: at..at + c.len_utf8(),
            with: "*".to_owned(),
        });
        let changes = Changes {
            texts: edits.collect(),
            ..Changes::default()
        };
        if let Ok(result) = message::rebuild(bytes, &content, changes) {
            assert_eq!(message::headers(&result).len(), message::headers(bytes).len());
        }
    }
    for (n, child) in content.children.iter().enumerate().take(20) {
        for new in [
            child.bytes.to_ascii_uppercase(),
            [&child.bytes[..], b"x"].concat(),
            Vec::new(),
        ] {
            let changes = Changes {
                children: vec![(n, new.clone())],
                ..Changes::default()
            };
            if let Ok(result) = message::rebuild(bytes, &content, changes) {
                let after = message::read(&result, &mut Budget::new(Limits::default()));
                let first = |c: &Content<'_>| c.views.iter().filter(|v| v.location != Location::Source).count();
                assert_eq!(first(&after), first(&content));
            }
        }
    }
}

fn mails() -> Vec<Vec<u8>> {
    table("clean")
        .iter()
        .chain(&table("doubtful"))
        .map(|case| case.crlf(&number(5)))
        .collect()
}

/// Tokens that matter to the grammar.
fn token() -> impl Strategy<Value = &'static [u8]> {
    prop::sample::select(vec![
        &b"\r\n"[..],
        b"\n",
        b"\r",
        b"\0",
        b"--",
        b"--B",
        b"--B--",
        b" ",
        b"\t",
        b"=",
        b"=?utf-8?B?",
        b"?=",
        b"=?utf-8?q?=30",
        b"Content-Type: ",
        b"multipart/mixed; boundary=B",
        b"message/rfc822",
        b"Content-Transfer-Encoding: ",
        b"base64",
        b"quoted-printable",
        b"\r\n\r\n",
        b"Subject: ",
        b"(",
        b")",
        b"\"",
        b"\\",
        b";",
        b"*0*=",
        b"filename*1*=",
        b"utf-8''%30",
        b"Content-Disposition: attachment; ",
        b"MDEw",
        b"=30",
        b"\xe6",
        b"\xff",
        b"name=",
        b"To: ",
        b"=?utf-7?Q?+ADE-?=",
    ])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn arbitrary_bytes(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        exercise(&bytes);
    }

    #[test]
    fn tokens_in_any_order(tokens in prop::collection::vec(token(), 0..60)) {
        exercise(&tokens.concat());
    }

    #[test]
    fn mutated_mails(
        which in any::<prop::sample::Index>(),
        edits in prop::collection::vec((any::<prop::sample::Index>(), 0_usize..12, token()), 1..6),
    ) {
        let mails = mails();
        let mut mail = mails[which.index(mails.len())].clone();
        for (at, cut, token) in edits {
            let at = at.index(mail.len().max(1)).min(mail.len());
            let end = (at + cut).min(mail.len());
            mail.splice(at..end, token.iter().copied());
        }
        exercise(&mail);
    }
}

#[test]
fn what_is_nested_too_deep_is_still_found_in_the_clear() {
    let number = cpr_milter::cpr::made_up::number(3);
    let raw = format!(
        "{}\r\nCPR {number}\r\n",
        "Content-Type: message/rfc822\r\n\r\n".repeat(40)
    );
    let options = Options {
        input: Input::Message,
        name: None,
        limits: Limits::default(),
        today: time::macros::date!(2026 - 11 - 25),
        identifiers: Vec::new(),
        style: cpr_milter::types::Style::Box,
        programs: cpr_milter::config::Programs::default(),
    };
    let report = inspect(raw.as_bytes(), &options).expect("no identifiers");
    assert!(report.findings.iter().any(|f| f.number.reveal() == number));
    assert!(report.doubts.iter().any(|d| d.kind == DoubtKind::TooDeep));
}

#[test]
fn a_mail_in_doubt_is_no_second_reading_of_itself() {
    let raw = "Subject: x\r\nno field\r\nContent-Type: multipart/mixed; boundary=B\r\n\r\n--B\r\n\
               Content-Type: message/rfc822\r\n\r\nSubject: y\r\n\r\nhej\r\n--B--\r\n";
    let content = message::read(raw.as_bytes(), &mut Budget::new(Limits::default()));
    assert!(!content.doubts.is_empty());
    let mails: Vec<_> = content
        .children
        .iter()
        .filter(|c| c.hint.media_type == "message/rfc822")
        .collect();
    assert!(!mails.is_empty());
    assert!(mails.iter().all(|c| c.bytes.starts_with(b"Subject: y")));
}
