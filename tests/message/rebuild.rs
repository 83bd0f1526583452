//! `message::rebuild`: the digits change, every other byte stays.

use crate::cases::{number, table};
use cpr_milter::content::{Budget, CannotEdit, Changes, Content, Limits, TextEdit};
use cpr_milter::message;
use cpr_milter::types::{Location, SealKind};
use proptest::prelude::*;

fn read(bytes: &[u8]) -> Content<'_> {
    message::read(bytes, &mut Budget::new(Limits::default()))
}

/// Every place of `number` replaced by stars: in views, and in children as if their reader had done it.
fn stars(content: &Content<'_>, number: &str) -> Changes {
    let stars: String = number
        .chars()
        .map(|c| if c.is_ascii_digit() { '*' } else { c })
        .collect();
    let mut changes = Changes::default();
    for (view, text) in content.views.iter().enumerate() {
        changes
            .texts
            .extend(text.text.match_indices(number).map(|(at, _)| TextEdit {
                view,
                range: at..at + number.len(),
                with: stars.clone(),
            }));
    }
    for (n, child) in content.children.iter().enumerate() {
        let text = String::from_utf8_lossy(&child.bytes);
        if text.contains(number) {
            let new = if child.bytes.is_ascii() {
                text.replace(number, &stars).into_bytes()
            } else {
                replace(&child.bytes, number.as_bytes(), stars.as_bytes())
            };
            changes.children.push((n, new));
        }
    }
    changes
}

fn replace(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let mut out = bytes.to_vec();
    while let Some(at) = out.windows(from.len()).position(|w| w == from) {
        out.splice(at..at + from.len(), to.iter().copied());
    }
    out
}

fn mail(header: &str, body: &str) -> Vec<u8> {
    format!("From: a@kommune.example\r\n{header}\r\n\r\n{body}").into_bytes()
}

/// What becomes of a mail when its number is starred out.
fn redacted(bytes: &[u8], number: &str) -> Result<Vec<u8>, CannotEdit> {
    let content = read(bytes);
    message::rebuild(bytes, &content, stars(&content, number))
}

fn text_of(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).expect("the tests are UTF-8")
}

#[test]
fn no_change_is_the_same_mail() {
    for case in table("clean").iter().chain(&table("doubtful")) {
        let bytes = case.crlf(&number(5));
        let content = read(&bytes);
        assert_eq!(
            message::rebuild(&bytes, &content, Changes::default()).expect(&case.name),
            bytes
        );
    }
}

#[test]
fn the_number_goes_from_every_clean_mail_and_nothing_else_changes() {
    let mut edited = 0;
    for (n, case) in table("clean").iter().enumerate() {
        let number = number(n);
        for bytes in [case.mail(&number), case.crlf(&number)] {
            let content = read(&bytes);
            let result = message::rebuild(&bytes, &content, stars(&content, &number));
            if content.seals.iter().any(|(_, kind)| *kind == SealKind::Signed) {
                assert_eq!(result, Err(CannotEdit::Sealed), "{}", case.name);
                continue;
            }
            if case.seen == ["alternative"] {
                assert!(result.is_err(), "{}: a file in a text cannot be rewritten", case.name);
                continue;
            }
            let result = result.unwrap_or_else(|e| panic!("{}: {e}", case.name));
            let after = read(&result);
            assert!(
                stars(&after, &number).children.is_empty() && stars(&after, &number).texts.is_empty(),
                "{}",
                case.name
            );
            assert!(after.doubts.is_empty(), "{}: {:?}", case.name, after.doubts);
            // Same length, and only few bytes differ: ten digits in each place, base64 groups around them.
            assert_eq!(result.len(), bytes.len(), "{}", case.name);
            let differ = result.iter().zip(&bytes).filter(|(a, b)| a != b).count();
            assert!((1..=60).contains(&differ), "{}: {differ}", case.name);
            let names = |raw: &[u8]| message::headers(raw).len();
            assert_eq!(names(&result), names(&bytes));
            edited += 1;
        }
    }
    assert!(edited >= 20, "{edited}");
}

#[test]
fn raw_headers_are_spliced_in_place() {
    let n = number(1);
    let raw = mail(&format!("Subject: sag {n} \u{e6}\r\n og mere"), "hej");
    let stars = "******-****";
    assert_eq!(
        text_of(redacted(&raw, &n).expect("plain")),
        text_of(raw).replace(&n, stars)
    );
}

#[test]
fn encoded_words_change_only_their_digits() {
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;
    let n = number(2);
    let word = |text: &str| format!("=?UTF-8?B?{}?=", STANDARD.encode(text));
    let header = |n: &str| {
        format!(
            "Subject: {} {}\r\n =?iso-8859-1?Q?s=E5_?=",
            word("sag æ "),
            word(&format!("om {n} ø"))
        )
    };
    let raw = mail(&header(&n), "hej");
    assert_eq!(
        text_of(redacted(&raw, &n).expect("B word")),
        text_of(mail(&header("******-****"), "hej"))
    );
    let escaped = |n: &str| n.bytes().map(|b| format!("={b:02X}")).collect::<String>();
    let q = |n: &str, m: &str| mail(&format!("Subject: =?iso-8859-1?q?_{n}_og_{m}_=E5?="), "hej");
    let raw = q(&n, &escaped(&n));
    assert_eq!(
        text_of(redacted(&raw, &n).expect("Q word")),
        text_of(q("******-****", &escaped("******-****")))
    );
}

#[test]
fn a_number_split_over_words_and_charsets_goes_too() {
    let n = number(4);
    let (a, b) = n.split_at(6);
    let utf16: String = {
        use base64::Engine;
        let bytes: Vec<u8> = n.encode_utf16().flat_map(u16::to_be_bytes).collect();
        base64::engine::general_purpose::STANDARD.encode(bytes)
    };
    for header in [
        format!("Subject: =?utf-8?Q?{a}?= =?utf-8?Q?{b}?="),
        format!("Subject: =?utf-8?Q?{a}?={b}"),
        format!("Subject: =?utf-16be?B?{utf16}?="),
        format!("To: \"{}\\{}\" <a@b.example>", &n[..1], &n[1..]),
    ] {
        let raw = mail(&header, "hej");
        let content = read(&raw);
        assert!(content.views.iter().any(|v| v.text.contains(&n)), "{header}");
        let result = redacted(&raw, &n).unwrap_or_else(|e| panic!("{header}: {e}"));
        assert!(read(&result).views.iter().all(|v| !v.text.contains(&n)), "{header}");
        assert!(
            read(&result).views.iter().any(|v| v.text.contains("******-****")),
            "{header}"
        );
    }
}

#[test]
fn a_text_shorter_or_longer_is_written_too() {
    let n = number(9);
    let raw = mail(&format!("Subject: =?utf-8?Q?sag_{n}_=C3=A6?="), "hej");
    let content = read(&raw);
    let (view, at) = content
        .views
        .iter()
        .enumerate()
        .find_map(|(i, v)| Some((i, v.text.find(&n)?)))
        .expect("the subject");
    let edit = |with: &str| Changes {
        texts: vec![TextEdit {
            view,
            range: at..at + n.len(),
            with: with.to_owned(),
        }],
        ..Changes::default()
    };
    assert!(message::rebuild(&raw, &content, edit("X\r\nBcc: x@y.example")).is_err());
    let result = message::rebuild(&raw, &content, edit("*"));
    assert_eq!(text_of(result.expect("shorter")), text_of(raw).replace(&n, "*"));
}

#[test]
fn file_names_are_edited_where_they_stand() {
    let n = number(6);
    let file = |n: &str| {
        let percent: String = n.bytes().map(|b| format!("%{b:02X}")).collect();
        let header = format!(
            "Content-Type: text/plain; name=\"sag {n}.txt\"\r\nContent-Disposition: attachment;\r\n \
             filename*0*=utf-8''%C3%A6{percent}; filename*1=\".txt\""
        );
        mail(&header, "hej")
    };
    let raw = file(&n);
    let content = read(&raw);
    assert_eq!(content.views.iter().filter(|v| v.text.contains(&n)).count(), 2);
    assert!(
        content
            .views
            .iter()
            .filter(|v| v.text.contains(&n))
            .all(|v| v.location == Location::FileName)
    );
    assert_eq!(
        content.children[0].hint.name.as_deref(),
        Some(format!("æ{n}.txt").as_str())
    );
    assert_eq!(
        text_of(redacted(&raw, &n).expect("names")),
        text_of(file("******-****"))
    );
}

#[test]
fn the_preamble_can_be_edited() {
    let n = number(8);
    let gap = |n: &str| {
        mail(
            "Content-Type: multipart/mixed; boundary=B",
            &format!("tal {n}\r\n--B\r\n\r\nhej\r\n--B--\r\n"),
        )
    };
    assert_eq!(
        text_of(redacted(&gap(&n), &n).expect("gap")),
        text_of(gap("******-****"))
    );
}

#[test]
fn parts_of_another_length_are_written_in_the_manner_of_the_old() {
    let body = "QUJDREVGR0hJSktM\r\nQUJDREVGR0hJSktM\r\nQUJD";
    let head = "Content-Type: multipart/mixed; boundary=B";
    let raw = mail(
        head,
        &format!("--B\r\nContent-Transfer-Encoding: base64\r\n\r\n{body}\r\n--B--\r\n"),
    );
    let content = read(&raw);
    let changes = Changes {
        children: vec![(0, b"0123456789abcdefghij".to_vec())],
        ..Changes::default()
    };
    let result = text_of(message::rebuild(&raw, &content, changes).expect("longer"));
    assert!(
        result.contains("\r\n\r\nMDEyMzQ1Njc4OWFi\r\nY2RlZmdoaWo=\r\n--B--\r\n"),
        "{result}"
    );
}

#[test]
fn what_must_not_be_edited_is_refused() {
    let n = number(11);
    for case in table("doubtful") {
        let bytes = case.crlf(&n);
        let content = read(&bytes);
        for (index, child) in content.children.iter().enumerate().filter(|(_, c)| c.alternative) {
            let changes = Changes {
                children: vec![(index, child.bytes.to_vec())],
                ..Changes::default()
            };
            assert!(message::rebuild(&bytes, &content, changes).is_err(), "{}", case.name);
        }
        for (view, text) in content
            .views
            .iter()
            .enumerate()
            .filter(|(_, v)| v.location == Location::Source)
        {
            let edit = TextEdit {
                view,
                range: 0..text.text.chars().next().map_or(0, char::len_utf8),
                with: "*".to_owned(),
            };
            let changes = Changes {
                texts: vec![edit],
                ..Changes::default()
            };
            assert!(message::rebuild(&bytes, &content, changes).is_err(), "{}", case.name);
        }
    }
    // New bytes that would be a delimiter.
    let raw = mail(
        "Content-Type: multipart/mixed; boundary=B",
        "--B\r\n\r\nhej\r\n--B--\r\n",
    );
    let changes = Changes {
        children: vec![(0, b"x\r\n--B\r\n\r\ny".to_vec())],
        ..Changes::default()
    };
    assert!(message::rebuild(&raw, &read(&raw), changes).is_err());
}

#[test]
fn the_subject_of_a_signed_mail_stands_outside_its_signature() {
    let n = number(12);
    let signed = |subject: &str| {
        let head = format!("Subject: {subject}\r\nContent-Type: multipart/signed; boundary=B");
        mail(
            &head,
            "--B\r\nContent-Type: text/plain; name=\"x\"\r\n\r\nhej\r\n--B\r\nContent-Type: application/pkcs7-signature\r\n\r\nx\r\n--B--\r\n",
        )
    };
    assert_eq!(
        text_of(redacted(&signed(&n), &n).expect("subject")),
        text_of(signed("******-****"))
    );
    // A header inside the signature does not.
    let raw = text_of(signed("x"))
        .replace("name=\"x\"", &format!("name=\"{n}\""))
        .into_bytes();
    assert_eq!(redacted(&raw, &n), Err(CannotEdit::Sealed));
}

proptest! {
    #[test]
    fn a_digit_in_a_base64_part_changes_its_group_only(text in "[a-zæøå0-9 \r\n]{1,200}", width in 1_usize..20, at in any::<prop::sample::Index>()) {
        use base64::Engine;
        let encoded = base64::engine::general_purpose::STANDARD.encode(&text);
        let body: String = encoded.as_bytes().chunks(width * 4).map(|c| format!("{}\r\n", String::from_utf8_lossy(c))).collect();
        let raw = mail("Content-Transfer-Encoding: base64", &body);
        let content = read(&raw);
        prop_assert!(content.doubts.is_empty());
        let mut new = content.children[0].bytes.to_vec();
        let at = at.index(new.len());
        new[at] ^= 1;
        let changes = Changes { children: vec![(0, new.clone())], ..Changes::default() };
        let result = message::rebuild(&raw, &content, changes).expect("sound");
        prop_assert_eq!(result.len(), raw.len());
        prop_assert!(result.iter().zip(&raw).filter(|(a, b)| a != b).count() <= 4);
        let after = read(&result);
        prop_assert_eq!(after.children[0].bytes.to_vec(), new);
    }

    #[test]
    fn any_text_written_as_encoded_words_is_read_back_and_edited(before in "[a-zæøå ]{0,30}", after in "[a-zæøå ]{0,30}", seed in 0_usize..1000, cut in 0_usize..40) {
        use base64::Engine;
        let n = number(seed);
        let text = format!("{before}{n}{after}");
        // Cut anywhere, even inside a character.
        let (a, b) = text.as_bytes().split_at(cut.min(text.len()));
        let engine = base64::engine::general_purpose::STANDARD;
        let raw = mail(&format!("Subject: =?utf-8?B?{}?=\r\n =?utf-8?B?{}?=", engine.encode(a), engine.encode(b)), "x");
        let content = read(&raw);
        prop_assert!(content.doubts.is_empty(), "{:?}", content.doubts);
        let has = |c: &Content<'_>, t: &str| c.views.iter().any(|v| v.text.contains(t));
        prop_assert!(has(&content, &text));
        let result = redacted(&raw, &n).expect("sound");
        prop_assert_eq!(result.len(), raw.len());
        prop_assert!(has(&read(&result), &text.replace(&n, "******-****")));
    }
}
