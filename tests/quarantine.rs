//! `cpr-milter quarantine` as it is typed: its own process, its own configuration.

use cpr_milter::cpr::made_up;
use cpr_milter::store::{Access, Content, Custody, Duty, Incident, IncidentId, Keys, Owned, Store};
use cpr_milter::types::{Address, Envelope, NoticeFacts, Recipient, Release};
use std::path::Path;
use std::process::{Command, Output};
use time::{Duration, OffsetDateTime};

const JOURNAL: &str = "J48151623";

const POLICY: &str = r"version: 1
name: Sygehus
owner: dpo@sygehus.example
identifiers:
  journal:
    pattern: '\bJ\d{8}\b'
groups:
  inside: {domains: [sygehus.example]}
rules:
  - id: outside
    title: Numre ud af huset
    when: {found: anything_named, to: outside}
    then: quarantine
";

struct House {
    dir: tempfile::TempDir,
    store: Store,
}

impl House {
    fn new() -> House {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path();
        std::fs::create_dir(path.join("keys")).expect("a folder");
        Keys::create(&path.join("keys")).expect("keys");
        std::fs::write(path.join("policy.yaml"), POLICY).expect("policy");
        let config = "policy: policy.yaml\nlisten: unix:milter.sock\nstore: store.db\nkeys: keys\n\
                      reinject: 127.0.0.1:1\nhostname: gw.sygehus.example\n";
        std::fs::write(path.join("cpr-milter.yaml"), config).expect("config");
        let keys = Keys::load(&path.join("keys"), Access::Open).expect("keys");
        let store = Store::open(&path.join("store.db"), keys).expect("store");
        House { dir, store }
    }

    fn path(&self) -> &Path {
        self.dir.path()
    }

    fn hold(&self, body: &str, people: u8) -> IncidentId {
        let now = OffsetDateTime::now_utc();
        let address = |raw: &str| Address::parse(raw.as_bytes()).ok();
        let original = format!(
            "From: anna@sygehus.example\r\nMessage-ID: <{}@client.example>\r\nSubject: Svar\r\n\r\n{body}\r\n",
            body.len()
        )
        .into_bytes();
        let envelope = Envelope {
            sender_raw: b"<anna@sygehus.example>".to_vec(),
            sender: address("anna@sygehus.example"),
            recipients: vec![Recipient {
                raw: b"<borger@post.example>".to_vec(),
                address: address("borger@post.example"),
                args: Vec::new(),
            }],
            ..Envelope::default()
        };
        let incident = Incident {
            facts: NoticeFacts {
                received: now,
                subject: Some("Svar".to_owned()),
                message_id: None,
                people: 1,
                found: Vec::new(),
                doubts: Vec::new(),
                outcomes: Vec::new(),
                contact: "dpo@sygehus.example".to_owned(),
                policy: "Sygehus".to_owned(),
            },
            notify: false,
            findings: Vec::new(),
            doubts: Vec::new(),
            policy_hash: "0".repeat(16),
            received: now,
            envelope,
        };
        let custody = Custody {
            key: self.store.hold_key(&incident.envelope, &original),
            copies: Vec::new(),
            owned: vec![Owned {
                recipient: 0,
                duty: Duty::Hold,
                rule: None,
                release: Release {
                    by: "dpo".to_owned(),
                    people,
                },
            }],
            original,
            expires: now + Duration::days(14),
        };
        self.store.hold(&incident, &custody).expect("held").id().clone()
    }

    fn run(&self, words: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_cpr-milter"))
            .arg("quarantine")
            .args(words)
            .args(["--config", &self.path().join("cpr-milter.yaml").display().to_string()])
            .output()
            .expect("run")
    }
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

#[test]
fn a_redacted_release_loses_the_policys_own_identifiers_too() {
    let house = House::new();
    let cpr = made_up::hyphenated(&made_up::number(3));
    let id = house.hold(&format!("CPR {cpr}, journal {JOURNAL}."), 1);
    let output = house.run(&[
        "release",
        &id.to_string(),
        "--redacted",
        "--actor",
        "bo",
        "--reason",
        "aftalt",
    ]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let opened = house.store.read(&id, Content::Copy(0)).expect("a copy");
    let copy = String::from_utf8(opened.mail.expect("mail")).expect("text");
    assert!(
        !copy.contains(&cpr) && !copy.contains(JOURNAL) && copy.contains("journal "),
        "{copy}"
    );
}

#[test]
fn the_account_that_typed_another_name_stands_in_the_trail() {
    let house = House::new();
    let id = house.hold("x", 2).to_string();
    for (actor, agreed) in [("bo", "1 of 2"), ("B\u{200b}o ", "1 of 2"), ("eva", "in the outbox")] {
        let output = house.run(&["release", &id, "--actor", actor, "--reason", "aftalt"]);
        assert!(said(&output).contains(agreed), "{}", said(&output));
    }
    let shown = said(&house.run(&["show", &id]));
    let uid = rustix::process::getuid().as_raw();
    assert_eq!(shown.matches("aftalt (typed by ").count(), 3, "{shown}");
    assert!(shown.contains(&format!("uid {uid}")), "{shown}");
}

#[test]
fn nothing_that_was_typed_is_repeated() {
    let house = House::new();
    let id = house.hold("x", 1).to_string();
    let number = made_up::number(3);
    let address = format!("{number}@post.example");
    for words in [
        vec!["release", &id, "--to", &number, "--reason", "aftalt"],
        vec!["refuse", &id, "--to", &address, "--reason", "aftalt"],
        vec!["release", &number, "--reason", "aftalt"],
        vec!["delete", &number, "--to", &address, "--reason", "aftalt"],
        vec!["release", &id, "--actor", "anna", "--reason", &number],
        vec!["release", &id, "--actor", "bo", "--reason", " "],
    ] {
        let output = house.run(&words);
        let text = said(&output);
        assert_eq!(output.status.code(), Some(2), "{words:?} {text}");
        assert!(!text.contains(number.trim_start_matches('0')), "{text}");
        assert!(text.len() > 20 && text.ends_with('\n'), "{text}");
    }
    let reason = format!("borgeren {number} har bedt om det");
    assert_eq!(
        house
            .run(&["refuse", &id, "--actor", &number, "--reason", &reason])
            .status
            .code(),
        Some(0)
    );
    let shown = said(&house.run(&["show", &id]));
    assert!(shown.contains("borgeren ") && !shown.contains(&number[..6]), "{shown}");
}
