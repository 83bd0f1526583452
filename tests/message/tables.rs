//! `message::read` against the tables: what is hidden is seen or doubted, and what real programs write raises no doubt.

use crate::cases::{Case, number, table};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use cpr_milter::content::{Budget, Content, Limits};
use cpr_milter::message;
use cpr_milter::types::{DoubtKind, Location, SealKind};

fn read(bytes: &[u8]) -> Content<'_> {
    message::read(bytes, &mut Budget::new(Limits::default()))
}

fn is(location: &Location, word: &str) -> bool {
    format!("{location:?}").starts_with(word)
}

/// Whether the number is readable where the case says.
fn seen(content: &Content<'_>, word: &str, number: &str) -> bool {
    let child = |alternative: bool| {
        content
            .children
            .iter()
            .filter(|c| c.alternative == alternative)
            .any(|c| String::from_utf8_lossy(&c.bytes).contains(number))
    };
    let view = |word: &str| {
        content
            .views
            .iter()
            .any(|v| (word.is_empty() || is(&v.location, word)) && v.text.contains(number))
    };
    match word {
        "none" => true,
        "child" => child(false),
        "alternative" => child(true) && !child(false),
        // A second reading of the whole mail, which the walk reads in its turn.
        "mail" => content
            .children
            .iter()
            .filter(|c| c.alternative && c.hint.media_type == "message/rfc822")
            .any(|c| seen(&read(&c.bytes), "child", number)),
        "any" => child(false) || child(true) || view(""),
        location => view(location),
    }
}

fn check(case: &Case, bytes: &[u8], number: &str) {
    let content = read(bytes);
    let reasons: Vec<String> = content
        .doubts
        .iter()
        .map(|d| format!("{}: {}", d.kind.word(), d.reason))
        .collect();
    let name = &case.name;
    for word in &case.seen {
        assert!(
            seen(&content, word, number),
            "{name}: not seen as {word}; doubts {reasons:?}"
        );
    }
    for words in &case.doubts {
        let found = content
            .doubts
            .iter()
            .any(|d| d.kind == DoubtKind::Malformed && d.reason.contains(words.as_str()));
        assert!(found, "{name}: no doubt about {words:?} in {reasons:?}");
    }
    for kind in &case.kinds {
        assert!(
            content.doubts.iter().any(|d| d.kind.word() == kind),
            "{name}: no doubt {kind} in {reasons:?}"
        );
    }
    if case.doubts.is_empty() && case.kinds.is_empty() {
        assert!(reasons.is_empty(), "{name}: doubts {reasons:?}");
    }
    let seals: Vec<String> = content
        .seals
        .iter()
        .map(|(path, kind)| {
            format!(
                "{}:{path}",
                if *kind == SealKind::Signed {
                    "signed"
                } else {
                    "encrypted"
                }
            )
        })
        .collect();
    assert_eq!(seals, case.seals, "{name}");
}

fn check_table(table: &[Case]) {
    let mut failed = Vec::new();
    for (n, case) in table.iter().enumerate() {
        let number = number(n);
        for bytes in [case.mail(&number), case.crlf(&number)] {
            let result = std::panic::catch_unwind(|| check(case, &bytes, &number));
            if let Err(panic) = result {
                failed.push(panic.downcast_ref::<String>().cloned().unwrap_or_default());
            }
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

#[test]
fn what_programs_read_in_different_ways_is_seen_or_doubted() {
    let table = table("doubtful");
    assert!(table.len() >= 60, "{}", table.len());
    check_table(&table);
}

#[test]
fn what_real_programs_write_raises_no_doubt() {
    let table = table("clean");
    assert!(table.len() >= 12);
    check_table(&table);
}

#[test]
fn a_mail_is_known_by_its_header() {
    for case in table("clean") {
        assert!(message::looks_like_mail(&case.mail(&number(1))), "{}", case.name);
    }
    for other in [
        "",
        "hello",
        "key: value\nother: thing\n\ntext",
        "From: a\n",
        "{\"to\": 1}",
        "PK\u{3}\u{4}",
    ] {
        assert!(!message::looks_like_mail(other.as_bytes()), "{other}");
    }
}

#[test]
fn header_fields_and_the_body_are_found_for_the_milter() {
    let raw = b"Received: a\r\n\tb\r\nSubject: x\r\n\r\nbody";
    let fields = message::headers(raw);
    let text = |r: &std::ops::Range<usize>| String::from_utf8_lossy(&raw[r.clone()]).into_owned();
    assert_eq!(fields.len(), 2);
    assert_eq!(
        (text(&fields[0].name_range), text(&fields[0].value_range)),
        ("Received".into(), " a\r\n\tb".into())
    );
    assert_eq!(&raw[message::body_offset(raw)..], b"body");
}

#[test]
fn nesting_and_fan_out_are_limits_and_no_danger() {
    let kinds = |raw: &str| read(raw.as_bytes()).doubts.iter().map(|d| d.kind).collect::<Vec<_>>();
    // Mails in mails without any encoding: one level for each reading, so the walk meets its own limit.
    let nested = "Content-Type: message/rfc822\r\n\r\n".repeat(40_000);
    let content = read(nested.as_bytes());
    assert_eq!(content.children.len(), 1);
    assert_eq!(content.children[0].hint.media_type, "message/rfc822");
    let digest: String = (0..40_000)
        .map(|_| "Content-Type: multipart/digest; boundary=b\r\n\r\n--b\r\n\r\n")
        .collect();
    assert!(!kinds(&digest).is_empty());
    // The same where only mail-parser would go down: more than it is trusted with, and as much as it is.
    let twice = "Content-Type: text/plain\r\nContent-Type: message/rfc822\r\n\r\n";
    assert!(kinds(&twice.repeat(40_000)).contains(&DoubtKind::TooLarge));
    assert!(kinds(&twice.repeat(490)).contains(&DoubtKind::Malformed));
    let deep: String = (0..40_000)
        .map(|n| format!("Content-Type: multipart/mixed; boundary=b{n}x\r\n\r\n--b{n}x\r\n"))
        .collect();
    assert!(kinds(&deep).contains(&DoubtKind::TooDeep));
    let wide = format!(
        "Content-Type: multipart/mixed; boundary=b\r\n\r\n{}",
        "--b\r\n\r\n\r\n".repeat(1_000_000)
    );
    assert!(kinds(&wide).contains(&DoubtKind::TooLarge));
    let fields = format!("Subject: x\r\n{}\r\nhej", "X: y\r\n".repeat(100_000));
    assert!(kinds(&fields).contains(&DoubtKind::TooLarge));
}

#[test]
fn the_rest_behind_a_limit_is_still_scanned_raw() {
    let number = number(7);
    let mut raw = String::new();
    for n in 0..40 {
        raw.push_str(&format!(
            "Content-Type: multipart/mixed; boundary=b{n}x\r\n\r\n--b{n}x\r\n"
        ));
    }
    raw.push_str(&format!("\r\ntal {number}\r\n"));
    let content = read(raw.as_bytes());
    assert!(
        content
            .views
            .iter()
            .any(|v| v.location == Location::Source && v.text.contains(&number))
    );
}

#[test]
fn an_encoded_word_is_read_however_long_it_is_and_without_its_nuls() {
    let number = number(5);
    let utf16: Vec<u8> = number.encode_utf16().flat_map(u16::to_le_bytes).collect();
    for raw in [
        format!(
            "Subject: =?utf-8?B?{}?=\r\n\r\n",
            STANDARD.encode("a ".repeat(9_000) + &number)
        ),
        format!("Subject: =?utf-8?B?{}?=\r\n\r\n", STANDARD.encode(utf16)),
    ] {
        let content = read(raw.as_bytes());
        assert!(content.views.iter().any(|v| v.text.contains(&number)));
        assert!(content.doubts.is_empty());
    }
}

#[test]
fn decoding_stops_at_the_budget() {
    let raw = format!(
        "Subject: x\r\nContent-Transfer-Encoding: base64\r\n\r\n{}",
        "AAAA".repeat(100_000)
    );
    let limits = Limits {
        produced_bytes: 1_000,
        ..Limits::default()
    };
    let content = message::read(raw.as_bytes(), &mut Budget::new(limits));
    assert!(content.children.is_empty());
    assert!(content.doubts.iter().any(|d| d.kind == DoubtKind::TooLarge));
}

#[test]
fn opaque_signed_content_is_read_as_a_second_reading() {
    let number = number(3);
    let inner = format!("Content-Type: text/plain\r\n\r\ntal {number}\r\n");
    let der = |tag: u8, inside: &[u8]| [&[tag, 0x82, (inside.len() >> 8) as u8, inside.len() as u8], inside].concat();
    let oid = |n: u8| der(6, &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 7, n]);
    let content = der(0x30, &[oid(1), der(0xA0, &der(4, inner.as_bytes()))].concat());
    let data = der(0x30, &[der(2, &[1]), der(0x31, &[]), content].concat());
    let p7m = der(0x30, &[oid(2), der(0xA0, &data)].concat());
    let mut raw = b"Subject: x\r\nContent-Type: application/pkcs7-mime; smime-type=signed-data\r\n\
                    Content-Transfer-Encoding: binary\r\n\r\n"
        .to_vec();
    raw.extend_from_slice(&p7m);
    let content = read(&raw);
    assert!(content.doubts.is_empty(), "{:?}", content.doubts);
    assert_eq!(content.seals.len(), 1);
    let child = content
        .children
        .iter()
        .find(|c| c.alternative)
        .expect("the signed content");
    assert_eq!(child.hint.media_type, "message/rfc822");
    assert_eq!(*child.bytes, *inner.as_bytes());
}
