//! A courier with its console, as a process, in a folder of its own: accounts, held mail, and an MTA that takes what is
//! released.
#![allow(dead_code)] // Each test file uses its own half.

use crate::courier_peer::Listener;
use cpr_milter::console::{password, totp};
use cpr_milter::cpr::{Confidence, IdKind, Secret, mask};
use cpr_milter::store::{
    Access, Custody, Decider, Duty, Incident, IncidentId, Keys, NewAccount, Owned, Role, Store, StoredFinding,
};
use cpr_milter::types::{
    Address, DoubtKind, Envelope, FateWord, FoundLine, Location, NoticeFacts, Outcome, Recipient, Release, RuleRef,
};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration as Wait, Instant};
use time::{Duration, OffsetDateTime};

pub const PASSWORD: &str = "fire ord uden sammenhæng";

pub const POLICY: &str = r"version: 1
name: Eksempel Kommune
owner: dpo@kommune.example
groups:
  inside: {domains: [kommune.example]}
  aktindsigt: {addresses: [aktindsigt@kommune.example]}
  media: {domains: [avis.example]}
rules:
  - id: protected
    title: Særligt beskyttede personer
    when: {found: protected_person, confidence: possible, to: outside}
    then: quarantine
    release: {by: dpo, people: 2}
  - id: outside
    title: CPR ud af huset
    when: {found: cpr, confidence: likely, to: outside}
    then: quarantine
  - id: many
    title: Lister
    when: {found: cpr, people: 3 or more, to: outside}
    then: quarantine
    release: {by: dpo}
...
";

/// Everything of one test; the courier ends with it.
pub struct World {
    pub dir: tempfile::TempDir,
    pub store: Store,
    pub mta: Listener,
    pub port: u16,
    courier: Option<Child>,
    seed: AtomicU32,
}

/// Somebody with an account.
pub struct Person {
    pub name: String,
    pub secret: Option<Vec<u8>>,
}

impl Person {
    pub fn code(&self, steps: i64) -> String {
        let now = OffsetDateTime::now_utc().unix_timestamp() + 30 * steps;
        self.secret
            .as_deref()
            .map_or_else(String::new, |secret| totp::code(secret, now))
    }
}

/// A mail to be held.
pub struct Mail<'a> {
    pub subject: &'a str,
    pub sender: &'a str,
    pub to: Vec<&'a str>,
    pub numbers: Vec<String>,
    pub text: String,
    /// File name, content.
    pub file: Option<(&'a str, String)>,
    pub rule: &'a str,
    pub release: Release,
}

impl<'a> Mail<'a> {
    pub fn new(subject: &'a str, number: &str) -> Mail<'a> {
        Mail {
            subject,
            sender: "aktindsigt@kommune.example",
            to: vec!["borger@post.example"],
            numbers: vec![number.to_owned()],
            text: format!("Kære borger\r\n\r\nSagen vedrører cpr-nr. {number} på Vestergade 12.\r\n"),
            file: None,
            rule: "outside",
            release: Release::default(),
        }
    }
}

impl World {
    pub fn new(settings: &str) -> World {
        World::at("127.0.0.1:0", settings)
    }

    /// With more lines under `console:`.
    pub fn at(listen: &str, settings: &str) -> World {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path();
        std::fs::create_dir(path.join("keys")).expect("a folder");
        Keys::create(&path.join("keys")).expect("keys");
        std::fs::write(path.join("policy.yaml"), POLICY).expect("policy");
        let mta = Listener::start(Vec::new());
        let port = free_port();
        let listen = if listen.starts_with("unix:") {
            listen.to_owned()
        } else {
            format!("127.0.0.1:{port}")
        };
        let config = format!(
            "policy: policy.yaml\nlisten: unix:milter.sock\nstore: store.db\nkeys: keys\nreinject: {}\n\
             hostname: gw.kommune.example\nconsole:\n  listen: '{listen}'\n{settings}",
            mta.address()
        );
        std::fs::write(path.join("cpr-milter.yaml"), config).expect("config");
        let keys = Keys::load(&path.join("keys"), Access::Open).expect("keys");
        let store = Store::open(&path.join("store.db"), keys).expect("store");
        World {
            dir,
            store,
            mta,
            port,
            courier: None,
            seed: AtomicU32::new(1),
        }
    }

    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    pub fn start(&mut self) {
        let log = std::fs::File::create(self.path().join("courier.log")).expect("log");
        let child = Command::new(env!("CARGO_BIN_EXE_cpr-milter"))
            .args(["courier", "--config"])
            .arg(self.path().join("cpr-milter.yaml"))
            .stdout(Stdio::from(log.try_clone().expect("log")))
            .stderr(Stdio::from(log))
            .spawn()
            .expect("courier");
        self.courier = Some(child);
        let config = std::fs::read_to_string(self.path().join("cpr-milter.yaml")).expect("config");
        let socket = config.split('\'').find_map(|word| word.strip_prefix("unix:/"));
        let there = || match socket {
            Some(path) => std::os::unix::net::UnixStream::connect(format!("/{path}")).is_ok(),
            None => std::net::TcpStream::connect(("127.0.0.1", self.port)).is_ok(),
        };
        wait_for(there, || self.log());
    }

    pub fn log(&self) -> String {
        std::fs::read_to_string(self.path().join("courier.log")).unwrap_or_default()
    }

    pub fn account(&self, name: &str, role: Role, unmask: bool) -> Person {
        self.account_of(name, role, unmask, &[])
    }

    pub fn account_of(&self, name: &str, role: Role, unmask: bool, mail: &[&str]) -> Person {
        let secret = totp::fresh().expect("chance").to_vec();
        let hash = password::hash(PASSWORD).expect("fit");
        let mail: Vec<String> = mail.iter().map(|mail| (*mail).to_owned()).collect();
        let new = NewAccount {
            name,
            role,
            mail: &mail,
            unmask,
            password: Some(&hash),
            second_factor: Some(&secret),
        };
        self.store.add_account(&new, &by("root")).expect("account");
        Person {
            name: name.to_owned(),
            secret: Some(secret),
        }
    }

    /// Holds a mail for all its recipients, as the milter would.
    pub fn hold(&self, mail: &Mail<'_>) -> IncidentId {
        let now = OffsetDateTime::now_utc();
        let n = self.seed.fetch_add(1, Ordering::Relaxed);
        let address = |raw: &str| Address::parse(raw.as_bytes()).ok();
        let envelope = Envelope {
            sender_raw: format!("<{}>", mail.sender).into_bytes(),
            sender: address(mail.sender),
            recipients: mail
                .to
                .iter()
                .map(|to| Recipient {
                    raw: format!("<{to}>").into_bytes(),
                    address: address(to),
                    args: Vec::new(),
                })
                .collect(),
            queue_id: Some(format!("4Xy{n}Z")),
            ..Envelope::default()
        };
        let rule = RuleRef {
            id: mail.rule.to_owned(),
            title: mail.rule.to_owned(),
        };
        let outcome = |to: &&str| Outcome {
            recipient: mask(to),
            fate: FateWord::Held,
            rule: Some(rule.clone()),
            words: Default::default(),
        };
        let incident = Incident {
            facts: NoticeFacts {
                received: now,
                subject: Some(mask(mail.subject)),
                message_id: None,
                people: mail.numbers.len(),
                found: vec![FoundLine {
                    kind: IdKind::Cpr,
                    confidence: Confidence::Certain,
                    file: mail.file.as_ref().map(|(name, _)| mask(name)),
                    location: Location::Text,
                    count: mail.numbers.len(),
                    hidden: false,
                    fake_redaction: false,
                }],
                doubts: Vec::new(),
                outcomes: mail.to.iter().map(outcome).collect(),
                contact: "dpo@kommune.example".to_owned(),
                policy: "Eksempel Kommune".to_owned(),
                tell: Vec::new(),
            },
            notify: false,
            findings: mail
                .numbers
                .iter()
                .map(|number| StoredFinding {
                    kind: IdKind::Cpr,
                    number: Secret::new(number.replace('-', "")),
                    confidence: Confidence::Certain,
                    place: "text".to_owned(),
                })
                .collect(),
            doubts: Vec::<DoubtKind>::new(),
            judged: None,
            policy_hash: "0123abcd0123abcd".to_owned(),
            received: now,
            envelope,
        };
        let original = written(mail, n);
        let custody = Custody {
            key: self.store.hold_key(&incident.envelope, &original),
            copies: Vec::new(),
            owned: (0..mail.to.len())
                .map(|recipient| Owned {
                    recipient,
                    duty: Duty::Hold,
                    rule: Some(rule.clone()),
                    release: mail.release.clone(),
                    gateway: None,
                })
                .collect(),
            original,
            expires: now + Duration::days(14),
        };
        self.store.hold(&incident, &custody).expect("held").id().clone()
    }

    /// Words of the audit trail about a mail, oldest first, with who did it.
    pub fn deeds(&self, id: &IncidentId) -> Vec<(String, String)> {
        let timeline = self.store.show(id).expect("show").timeline;
        timeline.into_iter().map(|event| (event.what, event.actor)).collect()
    }

    pub fn wait(&self, done: impl Fn() -> bool) {
        wait_for(done, || self.log());
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if let Some(child) = &mut self.courier {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

pub fn by(actor: &str) -> Decider<'_> {
    Decider {
        actor,
        reason: "test",
        now: OffsetDateTime::now_utc(),
    }
}

/// The mail itself: text, and a text file attached.
fn written(mail: &Mail<'_>, n: u32) -> Vec<u8> {
    let head = format!(
        "From: {}\r\nTo: {}\r\nMessage-ID: <own-{n}@client.example>\r\nDate: Wed, 25 Nov 2026 12:00:00 +0100\r\n\
         Subject: {}\r\nMIME-Version: 1.0\r\n",
        mail.sender,
        mail.to.join(", "),
        mail.subject
    );
    match &mail.file {
        None => format!("{head}Content-Type: text/plain; charset=utf-8\r\n\r\n{}", mail.text),
        Some((name, content)) => format!(
            "{head}Content-Type: multipart/mixed; boundary=\"b\"\r\n\r\n--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n\
             {}\r\n--b\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Disposition: attachment; filename=\"{name}\"\r\n\r\n\
             {content}\r\n--b--\r\n",
            mail.text
        ),
    }
    .into_bytes()
}

fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0")
        .and_then(|socket| socket.local_addr())
        .expect("a port")
        .port()
}

/// Two minutes: the machine may be busy with others.
pub fn wait_for(done: impl Fn() -> bool, log: impl Fn() -> String) {
    let begun = Instant::now();
    while !done() {
        assert!(begun.elapsed() < Wait::from_secs(120), "not in two minutes\n{}", log());
        std::thread::sleep(Wait::from_millis(50));
    }
}
