//! A whole installation in a folder, without Postfix.
#![allow(dead_code)] // Each test file uses its own half.

use cpr_milter::store::{Access, Custody, Duty, Incident, IncidentId, Keys, Owned, Store};
use cpr_milter::types::{Address, Envelope, NoticeFacts, Recipient, Release};
use std::path::Path;
use std::process::{Command, Output};
use time::{Duration, OffsetDateTime};

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

/// A folder with keys, policy, configuration and store, and the program to type commands to.
pub struct House {
    pub dir: tempfile::TempDir,
    pub store: Store,
}

impl House {
    pub fn new(reinject: &str) -> House {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path();
        std::fs::create_dir(path.join("keys")).expect("a folder");
        Keys::create(&path.join("keys")).expect("keys");
        std::fs::write(path.join("policy.yaml"), POLICY).expect("policy");
        let config = format!(
            "policy: policy.yaml\nlisten: unix:milter.sock\nstore: store.db\nkeys: keys\nreinject: {reinject}\n\
             hostname: gw.sygehus.example\n"
        );
        std::fs::write(path.join("cpr-milter.yaml"), config).expect("config");
        let keys = Keys::load(&path.join("keys"), Access::Open).expect("keys");
        let store = Store::open(&path.join("store.db"), keys).expect("store");
        House { dir, store }
    }

    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    pub fn hold(&self, body: &str, duty: Duty, people: u8) -> IncidentId {
        let now = OffsetDateTime::now_utc();
        let address = |raw: &str| Address::parse(raw.as_bytes()).ok();
        let original = format!(
            "From: anna@sygehus.example\r\nMessage-ID: <{}@client.example>\r\nSubject: Svar\r\n\r\n{body}\r\n",
            made_id(body)
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
            judged: None,
            envelope,
        };
        let custody = Custody {
            key: self.store.hold_key(&incident.envelope, &original),
            copies: Vec::new(),
            owned: vec![Owned {
                recipient: 0,
                duty,
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

    pub fn quarantine(&self, words: &[&str]) -> Output {
        self.command(&[&["quarantine"], words].concat()).output().expect("run")
    }

    /// The program with these words and its configuration.
    pub fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cpr-milter"));
        command
            .args(words)
            .arg("--config")
            .arg(self.path().join("cpr-milter.yaml"));
        command
    }
}

/// A Message-ID's local part: of the first word alone, since a body may be about numbers.
fn made_id(body: &str) -> &str {
    body.split_whitespace().next().unwrap_or("x")
}
