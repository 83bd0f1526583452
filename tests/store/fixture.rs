//! A store in a folder of its own, and made-up mails to put into it.

use cpr_milter::cpr::{Confidence, IdKind, Secret};
use cpr_milter::store::{
    Access, Custody, Decider, Duty, Incident, Job, JobKind, Keys, Outcome, Owned, Store, StoredFinding,
};
use cpr_milter::types::{Address, DoubtKind, Envelope, FoundLine, Location, NoticeFacts, Recipient, Release, RuleRef};
use std::path::PathBuf;
use time::{Duration, OffsetDateTime};

/// The local part that all test senders have, and the subject: neither may be found in any file.
pub const SENDER_LOCAL: &str = "gunhild.afsender";
pub const SUBJECT: &str = "Fortrolig sag om Gunhild";

/// Start of all tests' time.
pub fn start() -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(1_800_000_000).expect("a time")
}

pub fn days(n: i64) -> Duration {
    Duration::days(n)
}

/// A made-up number: a possible date, digits that nobody was given.
pub fn number(seed: u32) -> String {
    format!(
        "{:02}{:02}{:02}{:04}",
        seed % 28 + 1,
        seed % 12 + 1,
        seed % 90 + 10,
        9000 + seed % 1000
    )
}

pub fn secret(seed: u32) -> Secret {
    Secret::new(number(seed))
}

pub struct Place {
    pub dir: tempfile::TempDir,
}

impl Place {
    pub fn new() -> Place {
        let dir = tempfile::tempdir().expect("a folder");
        std::fs::create_dir(dir.path().join("keys")).expect("a folder");
        Keys::create(&dir.path().join("keys")).expect("keys");
        Place { dir }
    }

    pub fn db(&self) -> PathBuf {
        self.dir.path().join("store.sqlite")
    }

    pub fn keys(&self) -> PathBuf {
        self.dir.path().join("keys")
    }

    pub fn open(&self, access: Access) -> Store {
        Store::open(&self.db(), Keys::load(&self.keys(), access).expect("keys")).expect("store")
    }

    pub fn courier(&self) -> Store {
        self.open(Access::Open)
    }

    /// The database without us.
    pub fn sql(&self) -> rusqlite::Connection {
        rusqlite::Connection::open(self.db()).expect("database")
    }
}

pub fn recipient(raw: &str, args: &[&str]) -> Recipient {
    Recipient {
        raw: raw.as_bytes().to_vec(),
        address: Address::parse(raw.as_bytes()).ok(),
        args: args.iter().map(|arg| (*arg).to_owned()).collect(),
    }
}

pub fn envelope(recipients: &[&str]) -> Envelope {
    let raw = format!("<{SENDER_LOCAL}@kommune.example>");
    Envelope {
        sender: Address::parse(raw.as_bytes()).ok(),
        sender_raw: raw.into_bytes(),
        recipients: recipients.iter().map(|raw| recipient(raw, &[])).collect(),
        queue_id: Some("4XyZ12abcd".to_owned()),
        ..Envelope::default()
    }
}

/// A mail with a Message-ID of the client's own.
pub fn mail(seed: u32) -> Vec<u8> {
    format!(
        "From: {SENDER_LOCAL}@kommune.example\r\nMessage-ID: <own-{seed}@client.example>\r\n\
         Date: Mon, 23 Nov 2026 12:00:00 +0100\r\nSubject: {SUBJECT}\r\n\r\nCPR: {}\r\n",
        number(seed)
    )
    .into_bytes()
}

pub fn incident(recipients: &[&str], seed: u32) -> Incident {
    Incident {
        envelope: envelope(recipients),
        facts: NoticeFacts {
            received: start(),
            subject: Some(SUBJECT.to_owned()),
            message_id: None,
            people: 1,
            found: vec![FoundLine {
                kind: IdKind::Cpr,
                confidence: Confidence::Certain,
                file: Some("gunhilds-notat.txt".to_owned()),
                location: Location::Text,
                count: 2,
                hidden: false,
                fake_redaction: false,
            }],
            doubts: Vec::new(),
            outcomes: Vec::new(),
            contact: "dpo@kommune.example".to_owned(),
            policy: "Eksempel".to_owned(),
        },
        notify: true,
        findings: vec![
            StoredFinding {
                kind: IdKind::Cpr,
                number: secret(seed),
                confidence: Confidence::Likely,
                place: "gunhilds-notat.txt, text".to_owned(),
            },
            StoredFinding {
                kind: IdKind::Cpr,
                number: secret(seed),
                confidence: Confidence::Certain,
                place: "subject".to_owned(),
            },
        ],
        doubts: vec![DoubtKind::Encrypted],
        policy_hash: "0123abcd0123abcd".to_owned(),
        received: start(),
        judged: None,
    }
}

pub fn own(recipient: usize, duty: Duty, people: u8) -> Owned {
    Owned {
        recipient,
        duty,
        rule: Some(RuleRef {
            id: "outside".to_owned(),
            title: "CPR ud af huset".to_owned(),
        }),
        release: Release {
            by: "dpo".to_owned(),
            people,
        },
    }
}

/// Everything for a hold of `mail(seed)` with these duties, one recipient each.
pub fn custody(store: &Store, incident: &Incident, seed: u32, duties: &[Duty]) -> Custody {
    let original = mail(seed);
    Custody {
        key: store.hold_key(&incident.envelope, &original),
        copies: vec![b"Subject: clean\r\n\r\nCPR: ...\r\n".to_vec()],
        owned: duties.iter().enumerate().map(|(i, duty)| own(i, *duty, 1)).collect(),
        original,
        expires: incident.received + days(14),
    }
}

pub const TO: [&str; 3] = [
    "<birthe.modtager@avis.example>",
    "<carl.modtager@post.example>",
    "<dorte.modtager@post.example>",
];

/// Holds `mail(seed)` for as many recipients as there are duties.
pub fn held(store: &Store, seed: u32, duties: &[Duty]) -> cpr_milter::store::IncidentId {
    let incident = incident(&TO[..duties.len()], seed);
    let custody = custody(store, &incident, seed, duties);
    store.hold(&incident, &custody).expect("held").id().clone()
}

pub fn by<'a>(actor: &'a str, now: OffsetDateTime) -> Decider<'a> {
    Decider {
        actor,
        reason: "aftalt",
        now,
    }
}

pub fn sent() -> Outcome {
    Outcome::Sent {
        reply: "250 2.0.0 Ok: queued as 9Qwerty".to_owned(),
        queue_id: Some("9Qwerty".to_owned()),
    }
}

/// Claims all that is due; stops at a thousand, so that a claim that never ends fails a test and does not hang it.
pub fn due(store: &Store, now: OffsetDateTime) -> Vec<Job> {
    let claimed = std::iter::from_fn(|| store.claim(now, Duration::minutes(5)).expect("claim"));
    let jobs: Vec<Job> = claimed.take(1000).collect();
    assert!(jobs.len() < 1000, "the same entries are claimed again and again");
    jobs
}

pub fn deliveries(jobs: &[Job]) -> Vec<usize> {
    let recipient = |job: &Job| match job.kind {
        JobKind::Delivery { recipient, .. } => Some(recipient),
        _ => None,
    };
    jobs.iter().filter_map(recipient).collect()
}
