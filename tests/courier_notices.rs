//! What senders read: every kind of notice against a file that people have read, and no notice with a number in it.
//! `UPDATE_NOTICES=1` writes the files anew: read them before you commit them.

use cpr_milter::courier::{Desk, Kind, Letter, Templates, kind_at_intake};
use cpr_milter::cpr::{Confidence, Detector, IdKind, mask};
use cpr_milter::policy::Language;
use cpr_milter::types::{
    Address, DoubtKind, DoubtLine, Envelope, FateWord, FoundLine, Location, NoticeFacts, Outcome, Recipient, RuleRef,
};
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use time::OffsetDateTime;
use time::macros::datetime;

const BOTH: [Language; 2] = [Language::Da, Language::En];
const RECEIVED: OffsetDateTime = datetime!(2026-11-23 08:14:05 UTC);
const EXPIRES: OffsetDateTime = datetime!(2026-12-07 08:14:05 UTC);
const INCIDENT: &str = "KXQF-WMTR-BHPD-ZNCA";

fn envelope(recipients: &[(&str, &str)]) -> Envelope {
    Envelope {
        sender_raw: b"<anna.berg@kommune.example>".to_vec(),
        sender: Address::parse(b"anna.berg@kommune.example").ok(),
        sender_args: vec!["RET=HDRS".to_owned(), "ENVID=QQ+2B314".to_owned()],
        recipients: recipients
            .iter()
            .map(|(address, args)| Recipient {
                raw: format!("<{address}>").into_bytes(),
                address: Address::parse(address.as_bytes()).ok(),
                args: args.split_whitespace().map(str::to_owned).collect(),
            })
            .collect(),
        ..Envelope::default()
    }
}

fn line(kind: IdKind, confidence: Confidence, file: Option<&str>, location: Location, count: usize) -> FoundLine {
    FoundLine {
        kind,
        confidence,
        file: file.map(str::to_owned),
        location,
        count,
        hidden: false,
        fake_redaction: false,
    }
}

fn facts(envelope: &Envelope, fates: &[FateWord]) -> NoticeFacts {
    let rule = |fate: &FateWord| {
        let (id, title) = match fate {
            // What is only recorded for a colleague is no reason for what happened to the others.
            FateWord::Delivered => ("noted", "Noteres inden for huset"),
            FateWord::Rerouted => ("secure", "Sikker post"),
            FateWord::Redacted => ("aktindsigt", "Aktindsigt sløres"),
            FateWord::Held => ("outside", "CPR ud af huset"),
            FateWord::Refused => ("media", "CPR til medier"),
        };
        Some(RuleRef {
            id: id.to_owned(),
            title: title.to_owned(),
        })
    };
    let mut covered = line(
        IdKind::Cpr,
        Confidence::Certain,
        Some("bilag.zip/plan.html"),
        Location::Text,
        1,
    );
    covered.fake_redaction = true;
    let subject = Location::Header {
        name: "Subject".to_owned(),
        index: 1,
    };
    NoticeFacts {
        tell: Vec::new(),
        received: RECEIVED,
        subject: Some("Svar på aktindsigt, sag 2026-17 vedr. ••••••-••••".to_owned()),
        message_id: Some("<original.abc@kommune.example>".to_owned()),
        people: 2,
        found: vec![
            line(IdKind::Cpr, Confidence::Certain, None, subject, 1),
            line(IdKind::Cpr, Confidence::Likely, Some("notat.txt"), Location::Text, 3),
            covered,
            line(IdKind::Cpr, Confidence::Possible, None, Location::HiddenText, 1),
            line(
                IdKind::Custom("journalnummer".to_owned()),
                Confidence::Likely,
                None,
                Location::Text,
                2,
            ),
        ],
        doubts: vec![DoubtLine {
            kind: DoubtKind::Encrypted,
            file: Some("lukket.zip".to_owned()),
            media_type: "application/zip".to_owned(),
        }],
        outcomes: envelope
            .recipients
            .iter()
            .zip(fates)
            .map(|(recipient, fate)| Outcome {
                words: std::collections::BTreeMap::new(),
                recipient: recipient
                    .address
                    .as_ref()
                    .map(|a| mask(&a.to_string()))
                    .unwrap_or_default(),
                fate: *fate,
                rule: rule(fate),
            })
            .collect(),
        contact: "dpo@kommune.example".to_owned(),
        policy: "Eksempel Kommune, udgående post".to_owned(),
    }
}

fn letter<'a>(kind: Kind, envelope: &'a Envelope, facts: &'a NoticeFacts) -> Letter<'a> {
    Letter {
        copy_to: None,
        kind,
        incident: INCIDENT,
        envelope,
        facts,
        recipient: None,
        reviewed: false,
        outside: false,
        expires: None,
        reply: None,
        date: datetime!(2026-11-23 08:14:09 UTC),
    }
}

fn write(letter: &Letter<'_>, languages: &[Language]) -> (String, bool) {
    let (templates, problems) = Templates::load(None);
    assert!(problems.is_empty());
    let desk = Desk {
        hostname: "gw.kommune.example",
        from: "Mailfilter på rådhuset <mailfilter@kommune.example>",
        languages,
        templates: &templates,
        per_hour: 20,
    };
    let composed = desk.write(letter);
    (String::from_utf8(composed.mail).expect("UTF-8"), composed.minimal)
}

/// Against the file; also: well-formed, and no number in it.
fn golden(name: &str, letter: &Letter<'_>, languages: &[Language]) -> String {
    let (mail, minimal) = write(letter, languages);
    assert_eq!(minimal, name.starts_with("minimal"), "{name}");
    well_formed(name, &mail);
    let detector = Detector::new(RECEIVED.date(), &[]).expect("detector");
    assert!(detector.find(&mail).is_empty(), "{name} holds a number");
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data/notices")
        .join(name);
    let text = mail.replace("\r\n", "\n");
    if std::env::var_os("UPDATE_NOTICES").is_some() {
        std::fs::write(&path, &text).expect("golden file");
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(text == expected, "{name} differs from {}:\n{text}", path.display());
    mail
}

fn well_formed(name: &str, mail: &str) {
    assert!(!mail.replace("\r\n", "").contains(['\r', '\n']), "{name}: CRLF only");
    assert!(
        mail.split("\r\n").all(|line| line.len() <= 998),
        "{name}: a line is too long"
    );
    let head = mail.split("\r\n\r\n").next().expect("headers");
    for (field, times) in [
        ("From: ", 1),
        ("To: ", 1),
        ("Subject: ", 1),
        ("Date: ", 1),
        ("Message-ID: ", 1),
        ("Auto-Submitted: auto-replied", 1),
        ("X-Auto-Response-Suppress: All", 1),
        ("MIME-Version: 1.0", 1),
    ] {
        let found = head.split("\r\n").filter(|line| line.starts_with(field)).count();
        assert_eq!(found, times, "{name}: {field}");
    }
}

#[test]
fn every_kind_reads_as_it_was_read() {
    let three = envelope(&[
        (
            "borger@post.example",
            "NOTIFY=FAILURE,DELAY ORCPT=rfc822;borger@post.example",
        ),
        ("redaktion@avis.example", ""),
        ("kollega@kommune.example", ""),
    ]);
    let held = facts(&three, &[FateWord::Held, FateWord::Held, FateWord::Delivered]);
    let mut letter_held = letter(Kind::Held, &three, &held);
    letter_held.expires = Some(EXPIRES);
    let both = golden("held.txt", &letter_held, &BOTH);
    assert_eq!(both.matches("Action: delayed").count(), 2);
    golden("held-da.txt", &letter_held, &[Language::Da]);

    let mixed = facts(&three, &[FateWord::Redacted, FateWord::Held, FateWord::Delivered]);
    let mut letter_mixed = letter(kind_at_intake(&mixed), &three, &mixed);
    letter_mixed.expires = Some(EXPIRES);
    golden("held-and-redacted.txt", &letter_mixed, &BOTH);

    let redacted = facts(&three, &[FateWord::Redacted, FateWord::Redacted, FateWord::Delivered]);
    golden(
        "redacted.txt",
        &letter(kind_at_intake(&redacted), &three, &redacted),
        &BOTH,
    );

    let refused = facts(&three, &[FateWord::Delivered, FateWord::Refused, FateWord::Delivered]);
    golden(
        "refused-in-session.txt",
        &letter(Kind::Refused, &three, &refused),
        &BOTH,
    );
    let mut by_rule = letter(Kind::Refused, &three, &refused);
    by_rule.recipient = Some(1);
    let dsn = golden("refused-by-rule.txt", &by_rule, &BOTH);
    assert_eq!(dsn.matches("Status: 5.7.1").count(), 1);
    let mut by_reviewer = letter(Kind::Refused, &three, &held);
    by_reviewer.recipient = Some(0);
    by_reviewer.reviewed = true;
    golden("refused-by-reviewer.txt", &by_reviewer, &BOTH);

    let mut expired = letter(Kind::Expired, &three, &held);
    expired.recipient = Some(0);
    golden("expired.txt", &expired, &BOTH);
    for (kind, file) in [
        (Kind::Released, "released.txt"),
        (Kind::ReleasedRedacted, "released-redacted.txt"),
    ] {
        let mut released = letter(kind, &three, &held);
        released.recipient = Some(0);
        let text = golden(file, &released, &BOTH);
        assert!(!text.contains("delivery-status"), "it is no failure");
    }
    let mut stranger = letter(Kind::Refused, &three, &held);
    stranger.recipient = Some(0);
    stranger.outside = true;
    golden("outside.txt", &stranger, &BOTH);
    let mut undelivered = letter(Kind::Undelivered, &three, &held);
    undelivered.recipient = Some(0);
    undelivered.reply = Some("550 5.1.1 <…@post.example>: Recipient address rejected: User unknown");
    golden("undelivered.txt", &undelivered, &BOTH);

    let warned = facts(&three, &[FateWord::Delivered, FateWord::Delivered, FateWord::Delivered]);
    golden("warned.txt", &letter(kind_at_intake(&warned), &three, &warned), &BOTH);
    golden("summary.txt", &letter(Kind::Summary, &three, &held), &BOTH);
}

#[test]
fn a_mail_that_could_only_not_be_read_says_so() {
    let one = envelope(&[("borger@post.example", "")]);
    let mut unread = facts(&one, &[FateWord::Held]);
    unread.found.clear();
    unread.people = 0;
    unread.subject = None;
    unread.message_id = None;
    let mut letter = letter(Kind::Held, &one, &unread);
    letter.expires = Some(EXPIRES);
    golden("held-unread.txt", &letter, &BOTH);
}

#[test]
fn addresses_that_are_not_ascii_make_a_global_report() {
    let one = envelope(&[("søren@rødovre.example", "")]);
    let held = facts(&one, &[FateWord::Held]);
    let mail = golden("held-global.txt", &letter(Kind::Held, &one, &held), &[Language::Da]);
    assert!(mail.contains("Content-Type: message/global-delivery-status"));
    assert!(mail.contains("Final-Recipient: utf-8; søren@"));
}

#[test]
fn who_did_not_ask_for_delays_gets_a_letter_and_no_report() {
    let one = envelope(&[("borger@post.example", "NOTIFY=FAILURE")]);
    let held = facts(&one, &[FateWord::Held]);
    let (mail, _) = write(&letter(Kind::Held, &one, &held), &BOTH);
    assert!(mail.contains("Content-Type: text/plain") && !mail.contains("multipart/report"));
}

/// A made-up number in one of the forms that people write.
fn made_up(separator: &str) -> String {
    let number = cpr_milter::cpr::made_up::number(8);
    format!("{}{separator}{}", &number[..6], &number[6..])
}

#[test]
fn planted_numbers_never_leave_whatever_field_they_are_in() {
    let number = made_up("-");
    let plain = made_up("");
    let spaced = made_up(" ");
    let address = format!("{plain}@digitalpost.example");
    let one = envelope(&[(&address, &format!("NOTIFY=FAILURE,DELAY ORCPT=rfc822;{address}"))]);
    let base = || facts(&one, &[FateWord::Held]);
    let plants: [fn(&mut NoticeFacts, &str); 10] = [
        |facts, number| facts.subject = Some(format!("Sag {number}")),
        |facts, number| facts.message_id = Some(format!("<{number}@kommune.example>")),
        |facts, number| facts.found[1].file = Some(format!("{number}.txt")),
        |facts, number| facts.found[4].kind = IdKind::Custom(number.to_owned()),
        |facts, number| facts.found[0].location = Location::Attribute(number.to_owned()),
        |facts, number| facts.doubts[0].file = Some(format!("{number}.zip")),
        |facts, number| facts.outcomes[0].recipient = format!("{number}@digitalpost.example"),
        |facts, number| facts.contact = format!("dpo {number}"),
        |facts, number| facts.policy = number.to_owned(),
        |facts, number| facts.outcomes[0].rule.as_mut().expect("rule").title = number.to_owned(),
    ];
    for form in [&number, &plain, &spaced] {
        for (index, plant) in plants.iter().enumerate() {
            let mut planted = base();
            plant(&mut planted, form);
            for kind in Kind::ALL {
                let mut letter = letter(kind, &one, &planted);
                letter.recipient = (kind == Kind::Undelivered).then_some(0);
                letter.reply = Some(&address);
                let (mail, _) = write(&letter, &BOTH);
                let digits: String = mail.chars().filter(char::is_ascii_digit).collect();
                assert!(
                    !mail.contains(form.as_str()) && !digits.contains(&plain),
                    "plant {index} in {kind:?}"
                );
            }
        }
    }
}

#[test]
fn a_sender_whose_address_is_a_number_gets_the_short_notice() {
    let plain = made_up("");
    let mut one = envelope(&[("borger@post.example", "")]);
    one.sender_raw = format!("<{plain}@kommune.example>").into_bytes();
    let held = facts(&one, &[FateWord::Held]);
    let mail = golden("minimal.txt", &letter(Kind::Held, &one, &held), &BOTH);
    assert!(mail.contains(INCIDENT) && mail.contains("undisclosed-recipients:;"));
}

/// Python's parser is not ours: it sees what other programs see.
const CHECK: &str = r#"
import email, email.policy, sys
mail = email.message_from_bytes(sys.stdin.buffer.read(), policy=email.policy.default)
def walk(part):
    assert not part.defects, part.defects
    for name in part.keys():
        assert not getattr(part[name], "defects", ()), (name, part[name].defects)
    if part.is_multipart():
        for child in part.iter_parts() if part.get_content_maintype() == "multipart" else ():
            walk(child)
walk(mail)
kind = mail.get_content_type()
if kind == "multipart/report":
    assert mail.get_param("report-type") == "delivery-status"
    text, status = mail.iter_parts()
    assert status.get_content_type() in ("message/delivery-status", "message/global-delivery-status")
else:
    assert kind == "text/plain", kind
    text = mail
assert text.get_content_charset() == "utf-8"
assert len(text.get_content()) > 200
print(mail["Subject"])
"#;

#[test]
fn another_mail_library_reads_every_notice_without_complaint() {
    let Ok(version) = Command::new("python3").arg("--version").output() else {
        eprintln!("skipped: no python3");
        return;
    };
    assert!(version.status.success());
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/notices");
    let mut seen = 0;
    for entry in std::fs::read_dir(folder).expect("golden files") {
        let path = entry.expect("entry").path();
        let mail = std::fs::read(&path).expect("golden file");
        let mut python = Command::new("python3")
            .args(["-c", CHECK])
            .env("PYTHONIOENCODING", "utf-8")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("python3");
        python.stdin.take().expect("stdin").write_all(&mail).expect("mail");
        let output = python.wait_with_output().expect("python3");
        assert!(output.status.success(), "{}", path.display());
        let subject = String::from_utf8(output.stdout).expect("UTF-8");
        assert!(!subject.contains("=?"), "{}: {subject}", path.display());
        seen += 1;
    }
    assert!(seen >= 12, "{seen} golden files");
}
