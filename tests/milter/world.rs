//! A world whose inspection, policy and store do what the mail's own words say.
//!
//! Inspection: `NUMa` … `NUMz` are numbers. Words that change what it does: PANIC, CRASH, LATE, NOWORKER, SLEEP, SEALED,
//! NOTCLEAN, GROWS. Policy: the recipient's local part up to `+` is what becomes of it when there is a number; `hold-deliver`
//! is held by the first policy and delivered by the second.

#![allow(dead_code)] // Each test binary uses its own part of it.

use cpr_milter::config;
use cpr_milter::cpr::{Confidence, IdKind, Secret};
use cpr_milter::milter::{
    Copied, Endpoint, Field, Mail, PolicyWords, Served, Settings, Shared, Takeover, Trouble, Try, World, run,
};
use cpr_milter::policy::{Answers, Facts, Number, Redaction, Voice};
use cpr_milter::redact::Targets;
use cpr_milter::store::{Duty, Incident, IncidentId, Judged, Owned, State};
use cpr_milter::types::{
    Action, Decision, DoubtKind, Envelope, Finding, Judgement, Location, Matched, PartPath, Place, Release, Report,
    RuleRef, Seal, SealKind,
};
use cpr_milter::worker::{Uninspected, Unredacted};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// What the store was told.
#[derive(Default)]
pub struct Ledger {
    pub holds: Vec<(Incident, Takeover)>,
    pub records: Vec<Incident>,
    /// What passed without a word.
    pub notes: Vec<Judged>,
    /// The store is down; `Some(true)`: its disk is full.
    pub down: Option<bool>,
    /// Seconds that a hold takes.
    pub slow: u64,
    /// Retries are known again: by key, recipients that are ours.
    pub remembers: bool,
    pub ours: Vec<(Vec<u8>, Vec<u8>, State)>,
}

pub struct Fake {
    pub milter: config::Milter,
    pub ledger: Arc<Mutex<Ledger>>,
    pub policy: String,
    pub sleep: Duration,
}

/// Nobody but the fake can make one, as with the real receipts.
pub struct Seen(Report);
pub struct Held(());

fn has(mail: &[u8], word: &str) -> bool {
    memchr::memmem::find(mail, word.as_bytes()).is_some()
}

fn report(mail: &[u8]) -> Report {
    let mut report = Report::default();
    let body = memchr::memmem::find(mail, b"\r\n\r\n").unwrap_or(mail.len());
    for at in memchr::memmem::find_iter(mail, b"NUM") {
        let Some(number) = mail.get(at..at + 4) else { continue };
        let subject = Location::Header {
            name: "Subject".to_owned(),
            index: 1,
        };
        report.findings.push(Finding {
            kind: IdKind::Cpr,
            number: Secret::new(String::from_utf8_lossy(number).into_owned()),
            confidence: Confidence::Certain,
            place: place(if at < body { subject } else { Location::Text }),
            span: at..at + 4,
            hidden: false,
            fake_redaction: false,
            why: Vec::new(),
        });
    }
    if has(mail, "SEALED") {
        report.seals.push(Seal {
            kind: SealKind::Signed,
            place: place(Location::Whole),
        });
    }
    report
}

fn place(location: Location) -> Place {
    Place {
        part: PartPath::default(),
        name: None,
        media_type: "text/plain".to_owned(),
        attachment: false,
        location,
    }
}

fn decision(recipient: usize, word: &str, facts: &Facts<'_>) -> Decision {
    let all: Vec<usize> = (0..facts.numbers.len()).collect();
    let first: Vec<usize> = all.iter().copied().take(1).collect();
    let (mut action, redact) = match word {
        "log" => (Action::Log, vec![]),
        "warn" => (Action::Warn, vec![]),
        "gateway" => (Action::Reroute("secure".to_owned()), vec![]),
        "hold" => (Action::Quarantine, vec![]),
        "reject" => (Action::Reject, vec![]),
        "redact" => (Action::Redact, all),
        "first" => (Action::Redact, first),
        _ => (Action::Deliver, vec![]),
    };
    if facts.numbers.is_empty() {
        action = Action::Deliver;
    }
    if action == Action::Redact && facts.redaction == Redaction::Failed {
        action = Action::Quarantine;
    }
    let rule = Arc::new(RuleRef {
        id: format!("børn-{word}"),
        title: String::new(),
    });
    let said = action != Action::Deliver;
    let matched = Matched {
        rule: rule.clone(),
        action: action.clone(),
        numbers: Arc::default(),
        doubts: Arc::default(),
        watch: false,
    };
    let judgement = Judgement {
        action,
        rule: said.then(|| rule.clone()),
        told: said.then_some(rule),
        redact,
        release: Release::default(),
        matched: if said { vec![matched] } else { vec![] },
        lifted: vec![],
    };
    Decision {
        recipient,
        judgement: Arc::new(judgement),
    }
}

impl Ledger {
    fn take_over(&mut self, incident: Incident, mut takeover: Takeover, key: &[u8]) {
        let raw = |owned: &Owned| incident.envelope.recipients[owned.recipient].raw.clone();
        let known = |ours: &[(Vec<u8>, Vec<u8>, State)], raw: &[u8]| ours.iter().any(|(k, r, _)| k == key && r == raw);
        takeover.owned.retain(|owned| !known(&self.ours, &raw(owned)));
        if self.remembers {
            let state = |owned: &Owned| match owned.duty {
                Duty::Hold => State::Held,
                Duty::Refuse => State::Refused,
                Duty::SendOriginal | Duty::SendCopy(_) | Duty::Reroute => State::Sending,
            };
            let new = takeover.owned.iter().map(|o| (key.to_vec(), raw(o), state(o)));
            self.ours.extend(new);
        }
        if !takeover.owned.is_empty() {
            self.holds.push((incident, takeover));
        }
    }
}

impl Fake {
    fn trouble(&self) -> Result<(), Trouble> {
        match self.ledger.lock().expect("ledger").down {
            Some(full) => Err(Trouble::Store {
                why: "down".to_owned(),
                full,
            }),
            None => Ok(()),
        }
    }
}

impl World for Fake {
    type Seen = Seen;
    type Held = Held;
    type Key = Vec<u8>;

    fn milter(&self) -> &config::Milter {
        &self.milter
    }

    fn tls_enforced(&self) -> &[String] {
        &[]
    }

    fn next_hops(&self) -> &BTreeMap<String, Vec<String>> {
        static NONE: BTreeMap<String, Vec<String>> = BTreeMap::new();
        &NONE
    }

    fn voice(&self, decision: &Decision) -> Voice {
        Voice {
            sender: decision.action > Action::Log,
            ..Voice::default()
        }
    }

    fn spot_checked(&self, decision: Decision, _: u64) -> Decision {
        decision
    }

    fn may_spot_check(&self, _: &Decision) -> bool {
        false
    }

    fn draw(&self, _: &Vec<u8>) -> u64 {
        0
    }

    async fn owners(&self, numbers: Vec<Secret>, _: &Envelope) -> Result<Vec<Vec<usize>>, Trouble> {
        Ok(vec![Vec::new(); numbers.len()])
    }

    fn content_days(&self) -> u32 {
        14
    }

    fn policy(&self) -> PolicyWords<'_> {
        PolicyWords {
            name: &self.policy,
            owner: "dpo@kommune.example",
            hash: "0",
        }
    }

    fn decide(&self, facts: &Facts<'_>) -> Vec<Decision> {
        let each = facts.envelope.recipients.iter().enumerate();
        each.map(|(i, recipient)| {
            let local = recipient.address.as_ref().map_or("", |a| a.local.as_str());
            let mut words = local.split('+').next().unwrap_or_default().split('-');
            let first = words.next().unwrap_or_default();
            let word = if self.policy == "second" {
                words.next().unwrap_or(first)
            } else {
                first
            };
            decision(i, word, facts)
        })
        .filter(|d| !facts.envelope.sender_raw.starts_with(b"<short@") || d.recipient > 0)
        .collect()
    }

    fn may_notify(&self, _: &Envelope, _: &[Field]) -> bool {
        true
    }

    fn report<'a>(&self, seen: &'a Seen) -> &'a Report {
        &seen.0
    }

    async fn inspect(&self, mail: Arc<Mail>, _: Instant) -> Result<Seen, Uninspected> {
        let bytes = mail.bytes();
        assert!(!has(bytes, "PANIC"), "the inspector panics");
        if has(bytes, "SLEEP") {
            tokio::time::sleep(self.sleep).await;
        }
        if has(bytes, "CRASH") {
            return Err(Uninspected::Crashed("signal 11".to_owned()));
        }
        if has(bytes, "LATE") {
            return Err(Uninspected::Late);
        }
        if has(bytes, "NOWORKER") {
            return Err(Uninspected::Unavailable("no worker".to_owned()));
        }
        Ok(Seen(report(bytes)))
    }

    async fn redact(
        &self,
        mail: Arc<Mail>,
        _: &Seen,
        targets: Targets,
        _: Instant,
    ) -> Result<Copied<Seen>, Unredacted> {
        let mut bytes = mail.bytes().to_vec();
        if has(&bytes, "NOTCLEAN") {
            return Err(Unredacted::NotClean("a part cannot be edited".to_owned()));
        }
        for (_, secret) in &targets {
            while let Some(at) = memchr::memmem::find(&bytes, secret.reveal().as_bytes()) {
                bytes.splice(at..at + 4, *b"XXXX");
            }
        }
        if has(&bytes, "GROWS") {
            bytes.extend(vec![b'.'; 100_000]);
        }
        if has(&bytes, "ADDS") {
            bytes.splice(0..0, *b"X-New: 1\r\n");
        }
        let seen = Seen(report(&bytes));
        Ok(Copied { bytes, seen })
    }

    async fn given(
        &self,
        envelope: &Envelope,
        numbers: &[Number],
        doubts: &[DoubtKind],
        _: Instant,
    ) -> Result<Answers, Trouble> {
        let asked = |raw: &[u8]| raw.starts_with(b"<unknown");
        let found = !numbers.is_empty() || !doubts.is_empty();
        match found && envelope.recipients.iter().any(|r| asked(&r.raw)) {
            true => Err(Trouble::Unknown("the directory is silent".to_owned())),
            false => Ok(Answers::offline()),
        }
    }

    async fn protected(&self, numbers: Vec<Secret>) -> Result<Vec<bool>, Trouble> {
        self.trouble()?;
        Ok(vec![false; numbers.len()])
    }

    fn key(&self, envelope: &Envelope, mail: &Mail) -> Vec<u8> {
        let mut key = envelope.sender_raw.clone();
        for recipient in &envelope.recipients {
            key.extend_from_slice(&recipient.raw);
        }
        key.extend_from_slice(mail.bytes());
        key
    }

    async fn earlier(
        &self,
        key: Vec<u8>,
        envelope: &Envelope,
        _: time::OffsetDateTime,
    ) -> Result<Vec<Option<State>>, Trouble> {
        let ledger = self.ledger.lock().expect("ledger");
        let stands = |raw: &[u8]| ledger.ours.iter().find(|(k, r, _)| *k == key && r == raw);
        let each = envelope.recipients.iter();
        Ok(each.map(|r| stands(&r.raw).map(|(.., state)| *state)).collect())
    }

    /// As the real one: goes on when nobody waits for it any more.
    async fn hold(
        &self,
        incident: Incident,
        takeover: Takeover,
        tried: Try<Vec<u8>>,
    ) -> Result<(Held, IncidentId), Trouble> {
        self.trouble()?;
        let ledger = Arc::clone(&self.ledger);
        let written = tokio::spawn(async move {
            let slow = ledger.lock().expect("ledger").slow;
            tokio::time::sleep(Duration::from_secs(slow)).await;
            ledger
                .lock()
                .expect("ledger")
                .take_over(incident, takeover, tried.key());
        });
        written.await.expect("no panic");
        Ok((Held(()), IncidentId("abcdefghijklmnop".to_owned())))
    }

    fn note(&self, judged: Judged) {
        self.ledger.lock().expect("ledger").notes.push(judged);
    }

    async fn record(&self, incident: Incident) -> Result<IncidentId, Trouble> {
        self.trouble()?;
        self.ledger.lock().expect("ledger").records.push(incident);
        Ok(IncidentId("abcdefghijklmnop".to_owned()))
    }
}

/// A running milter over a fake world.
pub struct Gateway {
    pub path: PathBuf,
    pub ledger: Arc<Mutex<Ledger>>,
    pub shared: Arc<Shared<Fake>>,
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<std::io::Result<Served>>,
    _dir: tempfile::TempDir,
}

impl Gateway {
    pub async fn start() -> Gateway {
        Gateway::with(|_| {}).await
    }

    pub async fn with(change: impl FnOnce(&mut config::Milter)) -> Gateway {
        let mut milter = config::Milter {
            deadline_seconds: 20,
            ..config::Milter::default()
        };
        change(&mut milter);
        let dir = tempfile::tempdir().expect("folder");
        let path = dir.path().join("milter.sock");
        let socket = Endpoint::Unix {
            path: path.clone(),
            mode: 0o600,
            group: None,
        }
        .open()
        .await
        .expect("socket");
        let settings = Settings::of(&milter);
        let ledger = Arc::new(Mutex::new(Ledger::default()));
        let shared = Arc::new(Shared::new(Arc::new(fake(milter, &ledger, "first"))));
        let (stop, stopped) = oneshot::channel::<()>();
        let shutdown = async move {
            let _ = stopped.await;
        };
        let task = tokio::spawn(run(socket, Arc::clone(&shared), settings, shutdown));
        Gateway {
            path,
            ledger,
            shared,
            stop: Some(stop),
            task,
            _dir: dir,
        }
    }

    /// As a reload does.
    pub fn swap(&self, policy: &str) {
        let milter = self.shared.world().milter.clone();
        self.shared.swap(Arc::new(fake(milter, &self.ledger, policy)));
    }

    pub fn begin_stop(&mut self) {
        drop(self.stop.take());
    }

    pub async fn stopped(mut self) -> Served {
        self.begin_stop();
        self.task.await.expect("no panic").expect("served")
    }

    /// For each recipient what our store owes it, cleared.
    pub fn owed(&self) -> Vec<(usize, Duty, Takeover)> {
        let holds = std::mem::take(&mut self.ledger.lock().expect("ledger").holds);
        let mut owed = Vec::new();
        for (_, takeover) in holds {
            for owned in &takeover.owned {
                let same = Takeover {
                    original: Arc::clone(&takeover.original),
                    copies: takeover.copies.clone(),
                    owned: vec![Owned {
                        recipient: owned.recipient,
                        duty: owned.duty,
                        rule: None,
                        release: Release::default(),
                        gateway: owned.gateway.clone(),
                    }],
                    expires: takeover.expires,
                };
                owed.push((owned.recipient, owned.duty, same));
            }
        }
        owed
    }
}

fn fake(milter: config::Milter, ledger: &Arc<Mutex<Ledger>>, policy: &str) -> Fake {
    let sleep = Duration::from_millis(3_500);
    Fake {
        milter,
        ledger: Arc::clone(ledger),
        policy: policy.to_owned(),
        sleep,
    }
}
