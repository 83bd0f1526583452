//! The courier's loop against an outbox in memory and a server that misbehaves: states true to the reply, nothing lost,
//! nothing sent twice but what is unknown.

#[path = "courier_peer/mod.rs"]
mod courier_peer;

use courier_peer::{Act, Listener};
use cpr_milter::config::Config;
use cpr_milter::courier::{CourierError, Outbox, Pace, Task, Timeouts, Voice, run_at};
use cpr_milter::policy::Language;
use cpr_milter::store::{Content, DsnCause, JobKind, Opened, Outcome, StoreError, Swept, Turn};
use cpr_milter::types::{Address, Envelope, FateWord, NoticeFacts, Outcome as Fate, Recipient};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration as Wait, Instant};
use time::{Duration, OffsetDateTime};
use tokio::sync::watch;

const MAIL: &[u8] = b"Message-ID: <a@kommune.example>\r\nSubject: x\r\n\r\nHej\r\n.\r\n";

/// Retries come due at once: what is tested is the order of things, not the clock.
#[derive(Clone, Default)]
struct Memory(Arc<Mutex<Inner>>);

#[derive(Default)]
struct Inner {
    due: VecDeque<(Task, usize)>,
    settled: Vec<Outcome>,
    sender: Option<Vec<u8>>,
    recipient: Option<(Vec<u8>, Vec<String>)>,
    turn: Option<Turn>,
    busy_claims: usize,
    busy_settles: usize,
    sealed: bool,
    panics: usize,
    damaged: usize,
    sweeps: usize,
}

impl Memory {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    fn with(kind: JobKind) -> Memory {
        let memory = Memory::default();
        memory.owe(kind, OffsetDateTime::now_utc(), 0);
        memory
    }

    fn owe(&self, kind: JobKind, created: OffsetDateTime, attempts: u32) {
        let task = Task {
            gateway: None,
            incident: "KXQF-WMTR-BHPD-ZNCA".to_owned(),
            kind,
            attempts,
            created,
            uncertain: false,
        };
        self.lock().due.push_back((task, 0));
    }

    fn settled(&self) -> Vec<Outcome> {
        self.lock().settled.clone()
    }
}

fn busy() -> StoreError {
    StoreError::Busy { path: "store".into() }
}

impl Outbox for Memory {
    type Ticket = Task;

    fn claim(&self, _: OffsetDateTime, _: Duration) -> Result<Option<(Task, Task)>, StoreError> {
        let mut inner = self.lock();
        if inner.busy_claims > 0 {
            inner.busy_claims -= 1;
            return Err(busy());
        }
        Ok(inner.due.pop_front().map(|(task, _)| (task.clone(), task)))
    }

    fn open(&self, task: &Task) -> Result<Opened, StoreError> {
        let mut inner = self.lock();
        if inner.sealed {
            return Err(StoreError::Sealed);
        }
        if inner.panics > 0 {
            inner.panics -= 1;
            panic!("planted");
        }
        if inner.damaged > 0 {
            inner.damaged -= 1;
            return Err(StoreError::Unusable("what is stored of it is damaged".to_owned()));
        }
        let sender = inner
            .sender
            .clone()
            .unwrap_or_else(|| b"<anna@kommune.example>".to_vec());
        let (raw, args) = inner
            .recipient
            .clone()
            .unwrap_or_else(|| (b"<b@avis.example>".to_vec(), Vec::new()));
        let delivery = matches!(task.kind, JobKind::Delivery { .. });
        Ok(Opened {
            envelope: Envelope {
                sender: Address::parse(&sender).ok(),
                sender_raw: sender,
                recipients: vec![Recipient {
                    address: Address::parse(&raw).ok(),
                    raw,
                    args,
                }],
                ..Envelope::default()
            },
            facts: facts(),
            mail: delivery.then(|| MAIL.to_vec()),
            expires: None,
            reply: None,
        })
    }

    fn settle(&self, task: &Task, outcome: &Outcome, _: OffsetDateTime) -> Result<(), StoreError> {
        let mut inner = self.lock();
        if inner.busy_settles > 0 {
            inner.busy_settles -= 1;
            return Err(busy());
        }
        inner.settled.push(outcome.clone());
        if matches!(outcome, Outcome::Retry { .. } | Outcome::Unknown { .. }) {
            let mut again = task.clone();
            again.attempts += 1;
            again.uncertain |= matches!(outcome, Outcome::Unknown { .. });
            inner.due.push_back((again, 0));
        }
        Ok(())
    }

    fn turn(&self, _: &Task, _: &Address, _: u32, _: OffsetDateTime) -> Result<Turn, StoreError> {
        Ok(self.lock().turn.unwrap_or(Turn::Send))
    }

    fn sweep(&self, _: OffsetDateTime, _: Duration) -> Result<Swept, StoreError> {
        self.lock().sweeps += 1;
        Err(busy())
    }
}

fn facts() -> NoticeFacts {
    NoticeFacts {
        tell: vec!["dpo@kommune.example".to_owned(), "x@fremmed.example".to_owned()],
        received: OffsetDateTime::UNIX_EPOCH,
        subject: Some("Fortroligt emne".to_owned()),
        message_id: None,
        people: 1,
        found: Vec::new(),
        doubts: Vec::new(),
        outcomes: vec![Fate {
            words: std::collections::BTreeMap::new(),
            recipient: "b@avis.example".to_owned(),
            fate: FateWord::Held,
            rule: None,
        }],
        contact: "dpo@kommune.example".to_owned(),
        policy: "Eksempel Kommune".to_owned(),
    }
}

const DELIVERY: JobKind = JobKind::Delivery {
    recipient: 0,
    content: Content::Original,
};

fn dsn(cause: DsnCause) -> JobKind {
    JobKind::Dsn { recipient: 0, cause }
}

fn config(reinject: &str) -> Config {
    let text = format!(
        "{{policy: p, listen: 'unix:s', store: s, keys: k, reinject: '{reinject}', hostname: gw.kommune.example}}"
    );
    serde_yaml::from_str(&text).expect("config")
}

fn pace() -> Pace {
    let quick = Wait::from_millis(300);
    Pace {
        poll: Wait::from_millis(10),
        pause: Wait::from_millis(50),
        sweep: Wait::from_secs(3600),
        grace: Wait::from_millis(500),
        smtp: Timeouts {
            connect: quick,
            command: quick,
            dot: quick,
        },
    }
}

/// Runs until so many outcomes are written down (or ten seconds), then stops.
fn run_until(memory: &Memory, address: &str, outcomes: usize) -> Result<(), CourierError> {
    run_until_at(pace(), memory, address, outcomes)
}

fn run_until_at(pace: Pace, memory: &Memory, address: &str, outcomes: usize) -> Result<(), CourierError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("runtime");
    runtime.block_on(async {
        let (stop, stopped) = watch::channel(false);
        let voice = voice(vec![Language::Da, Language::En]);
        let courier = tokio::spawn(run_at(pace, config(address), memory.clone(), voice, stopped));
        let begun = Instant::now();
        while memory.settled().len() < outcomes && !courier.is_finished() && begun.elapsed() < Wait::from_secs(10) {
            tokio::time::sleep(Wait::from_millis(5)).await;
        }
        let _ = stop.send(true);
        courier.await.expect("no panic")
    })
}

fn voice(languages: Vec<Language>) -> Voice {
    Voice {
        languages: Arc::new(move || languages.clone()),
        inside: Arc::new(|sender| sender.domain == "kommune.example"),
    }
}

fn words(outcomes: &[Outcome]) -> Vec<&'static str> {
    let word = |outcome: &Outcome| match outcome {
        Outcome::Sent { .. } => "sent",
        Outcome::Retry { .. } => "retry",
        Outcome::Failed { .. } => "failed",
        Outcome::Unknown { .. } => "unknown",
        Outcome::NotNeeded { .. } => "not needed",
    };
    outcomes.iter().map(word).collect()
}

#[test]
fn a_released_mail_leaves_unchanged_under_one_trace_line() {
    let listener = Listener::start(Vec::new());
    let memory = Memory::with(DELIVERY);
    run_until(&memory, &listener.address(), 1).expect("run");
    let Some(Outcome::Sent { queue_id, reply }) = memory.settled().pop() else {
        panic!("{:?}", memory.settled())
    };
    assert_eq!(queue_id.as_deref(), Some("4Yb1Zk0vQhz9rD"));
    assert!(reply.starts_with("250 2.0.0 Ok"));
    let mail = String::from_utf8(listener.accepted().remove(0)).expect("text");
    let trace = mail
        .strip_suffix(std::str::from_utf8(MAIL).expect("text"))
        .expect("the mail itself is unchanged");
    assert!(trace.starts_with("Received: from cpr-milter (hold KXQF-WMTR-BHPD-ZNCA)\r\n\tby gw.kommune.example"));
    assert!(!trace.contains("for ") && !trace.contains("avis"), "{trace}");
    let envelope = (
        "MAIL FROM:<anna@kommune.example>".to_owned(),
        "RCPT TO:<b@avis.example>".to_owned(),
    );
    assert_eq!(listener.envelopes(), [envelope]);
}

/// A gateway is another machine: without TLS nothing is said to it, and there is no second way. The reinjection listener,
/// which would take the mail, must not even be asked.
#[test]
fn mail_for_a_gateway_waits_when_tls_cannot_be_had_and_never_goes_the_ordinary_way() {
    let gateway = Listener::start(Vec::new());
    let (host, port) = gateway_place(&gateway.address());
    for (named, configured) in [("sikker", true), ("stavefejl", false)] {
        let reinject = Listener::start(Vec::new());
        let memory = Memory::default();
        memory.owe(DELIVERY, OffsetDateTime::now_utc(), 0);
        memory.lock().due[0].0.gateway = Some(named.to_owned());
        let mut config = config(&reinject.address());
        let tls = serde_yaml::from_str(&format!("{{host: {host}, port: {port}}}")).expect("a gateway");
        config.gateways.insert("sikker".to_owned(), tls);
        run_config_until(config, &memory, 2);
        let settled = memory.settled();
        assert!(
            settled.len() >= 2 && settled.iter().all(|o| matches!(o, Outcome::Retry { .. })),
            "{settled:?}"
        );
        assert_eq!(
            (reinject.commands().len(), reinject.received().len()),
            (0, 0),
            "{named}"
        );
        let said = gateway.commands();
        assert_eq!(
            said.iter().any(|c| c.starts_with("EHLO")),
            configured || !said.is_empty()
        );
        assert!(!said.iter().any(|c| c.starts_with("MAIL")), "{said:?}");
    }
}

fn gateway_place(address: &str) -> (String, u16) {
    let (host, port) = address.rsplit_once(':').expect("host and port");
    (host.to_owned(), port.parse().expect("a port"))
}

fn run_config_until(config: Config, memory: &Memory, outcomes: usize) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("runtime");
    runtime.block_on(async {
        let (stop, stopped) = watch::channel(false);
        let courier = tokio::spawn(run_at(
            pace(),
            config,
            memory.clone(),
            voice(vec![Language::Da]),
            stopped,
        ));
        let begun = Instant::now();
        while memory.settled().len() < outcomes && begun.elapsed() < Wait::from_secs(10) {
            tokio::time::sleep(Wait::from_millis(5)).await;
        }
        let _ = stop.send(true);
        courier.await.expect("no panic").expect("run");
    });
}

#[test]
fn a_copy_of_a_notice_goes_to_whom_the_rule_names_and_says_whose_it_is() {
    let listener = Listener::start(Vec::new());
    let memory = Memory::with(JobKind::Copy { to: 0 });
    run_until(&memory, &listener.address(), 1).expect("run");
    assert_eq!(words(&memory.settled()), ["sent"]);
    let mail = String::from_utf8(listener.accepted().remove(0)).expect("text");
    assert!(mail.contains("To: <dpo@kommune.example>"), "{mail}");
    assert!(mail.contains(".t0@gw.kommune.example>"), "{mail}");
    let envelopes = listener.envelopes();
    let [(from, to)] = envelopes.as_slice() else {
        panic!("{envelopes:?}")
    };
    assert!(
        from.starts_with("MAIL FROM:<> ") && to == "RCPT TO:<dpo@kommune.example> NOTIFY=NEVER",
        "{envelopes:?}"
    );
    // A reader who is not of the house any more hears nothing.
    let memory = Memory::with(JobKind::Copy { to: 1 });
    run_until(&memory, &listener.address(), 1).expect("run");
    assert_eq!(words(&memory.settled()), ["not needed"]);
}

#[test]
fn what_is_written_down_is_what_was_answered() {
    use Act::{Drop, Hang, Say};
    type Row = (Vec<(&'static str, Act)>, &'static [&'static str], usize);
    let rows: [Row; 7] = [
        (vec![("RCPT", Say("450 4.2.1 later"))], &["retry", "sent"], 1),
        (vec![("RCPT", Say("550 5.1.1 no"))], &["failed"], 0),
        (
            vec![("MAIL", Say("421 4.3.2 bye")), ("CONNECT", Say("220 hello"))],
            &["retry", "sent"],
            1,
        ),
        (vec![("CONNECT", Drop), ("DATA", Hang)], &["retry", "retry", "sent"], 1),
        (vec![("DOT", Say("451 4.3.0 later"))], &["retry", "sent"], 1),
        (vec![("DOT", Drop)], &["unknown", "sent"], 1),
        (
            vec![("DOT", Hang), ("DOT", Say("554 5.7.1 no"))],
            &["unknown", "failed"],
            0,
        ),
    ];
    for (plan, expected, accepted) in rows {
        let shown = format!("{plan:?}");
        let listener = Listener::start(plan);
        let memory = Memory::with(DELIVERY);
        run_until(&memory, &listener.address(), expected.len()).expect("run");
        assert_eq!(words(&memory.settled()), expected, "{shown}");
        assert_eq!(listener.accepted().len(), accepted, "{shown}");
    }
}

#[test]
fn what_is_unknown_is_sent_again_under_the_same_message_id() {
    for (kind, id) in [
        (DELIVERY, "Message-ID: <a@kommune.example>"),
        (
            JobKind::Notice,
            "Message-ID: <KXQF-WMTR-BHPD-ZNCA.held@gw.kommune.example>",
        ),
    ] {
        let listener = Listener::start(vec![("DOT", Act::Drop)]);
        let memory = Memory::with(kind);
        run_until(&memory, &listener.address(), 2).expect("run");
        assert_eq!(words(&memory.settled()), ["unknown", "sent"]);
        let mails: Vec<String> = listener
            .received()
            .into_iter()
            .map(|mail| String::from_utf8(mail).expect("text"))
            .collect();
        assert_eq!(mails.iter().filter(|mail| mail.contains(id)).count(), 2, "{mails:?}");
    }
}

#[test]
fn after_five_days_it_goes_back() {
    for (act, attempts) in [(Act::Say("451 4.3.0 later"), "retry"), (Act::Drop, "unknown")] {
        let listener = Listener::start(vec![("DOT", act)]);
        let memory = Memory::default();
        memory.owe(DELIVERY, OffsetDateTime::now_utc() - Duration::days(6), 100);
        run_until(&memory, &listener.address(), 1).expect("run");
        let settled = memory.settled();
        assert_eq!(words(&settled), ["failed"], "instead of {attempts}");
        let Some(Outcome::Failed { reply }) = settled.first() else {
            panic!("{settled:?}")
        };
        assert!(reply.starts_with("given up after five days"), "{reply}");
    }
}

/// A machine that was off for a week starts the courier before Postfix.
#[test]
fn what_is_old_but_hardly_tried_is_not_given_up() {
    let memory = Memory::default();
    memory.owe(DELIVERY, OffsetDateTime::now_utc() - Duration::days(7), 0);
    run_until(&memory, &Listener::nobody(), 2).expect("run");
    assert_eq!(words(&memory.settled())[..2], ["retry", "retry"]);
}

#[test]
fn what_panics_at_every_try_is_given_up_in_the_end() {
    let memory = Memory::default();
    memory.lock().panics = usize::MAX;
    memory.owe(DELIVERY, OffsetDateTime::now_utc() - Duration::days(6), 100);
    run_until(&memory, &Listener::nobody(), 1).expect("run");
    assert_eq!(words(&memory.settled()), ["failed"]);
}

/// The one whose content is damaged waits longer and longer, and nobody waits for it.
#[test]
fn what_the_store_cannot_open_holds_nobody_up() {
    let listener = Listener::start(Vec::new());
    let memory = Memory::default();
    for _ in 0..2 {
        memory.owe(DELIVERY, OffsetDateTime::now_utc(), 3);
    }
    memory.lock().damaged = 1;
    let begun = Instant::now();
    let slow = Pace {
        pause: Wait::from_secs(600),
        ..pace()
    };
    run_until_at(slow, &memory, &listener.address(), 2).expect("run");
    assert!(begun.elapsed() < Wait::from_secs(9), "the next mail had to wait");
    let settled = memory.settled();
    assert_eq!(words(&settled)[..2], ["retry", "sent"]);
    let Some(Outcome::Retry { at, .. }) = settled.first() else {
        panic!("{settled:?}")
    };
    assert!(*at - OffsetDateTime::now_utc() > Duration::minutes(55), "{at}");
}

#[test]
fn waits_grow_by_the_number_of_tries() {
    let address = Listener::nobody();
    let memory = Memory::with(DELIVERY);
    run_until(&memory, &address, 4).expect("run");
    let now = OffsetDateTime::now_utc();
    let minutes: Vec<i64> = memory
        .settled()
        .iter()
        .take(4)
        .map(|outcome| match outcome {
            Outcome::Retry { at, .. } => ((*at - now).as_seconds_f64() / 60.0).round() as i64,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(minutes, [1, 5, 15, 60]);
}

#[test]
fn a_postfix_that_comes_back_gets_the_mail() {
    let address = Listener::nobody();
    let memory = Memory::with(DELIVERY);
    let there = address.clone();
    let late = std::thread::spawn(move || {
        std::thread::sleep(Wait::from_millis(200));
        Listener::start_at(&there, Vec::new())
    });
    let begun = Instant::now();
    while !words(&memory.settled()).contains(&"sent") && begun.elapsed() < Wait::from_secs(10) {
        let have = memory.settled().len();
        run_until(&memory, &address, have + 1).expect("run");
    }
    assert_eq!(late.join().expect("listener").accepted().len(), 1);
}

#[test]
fn a_busy_store_is_waited_for_and_nothing_is_sent_twice() {
    let listener = Listener::start(Vec::new());
    let memory = Memory::with(DELIVERY);
    memory.lock().busy_claims = 2;
    memory.lock().busy_settles = 3;
    run_until(&memory, &listener.address(), 1).expect("run");
    assert_eq!(words(&memory.settled()), ["sent"]);
    assert_eq!(listener.accepted().len(), 1);
    assert_eq!(
        memory.lock().sweeps,
        1,
        "a failed sweep neither stops us nor is repeated at once"
    );
}

#[test]
fn a_panic_ends_one_try_and_not_the_courier() {
    let listener = Listener::start(Vec::new());
    let memory = Memory::with(DELIVERY);
    memory.lock().panics = 1;
    run_until(&memory, &listener.address(), 2).expect("run");
    assert_eq!(words(&memory.settled()), ["unknown", "sent"]);
}

#[test]
fn without_the_private_key_there_is_no_courier() {
    let memory = Memory::with(DELIVERY);
    memory.lock().sealed = true;
    let ended = run_until(&memory, &Listener::nobody(), 2);
    assert!(
        matches!(ended, Err(CourierError::Store(StoreError::Sealed))),
        "{ended:?}"
    );
    assert_eq!(words(&memory.settled()), ["retry"], "the mail is not given up");
}

#[test]
fn stopping_does_not_wait_for_a_silent_server() {
    let listener = Listener::start(vec![("RCPT", Act::Hang)]);
    let memory = Memory::with(DELIVERY);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("runtime");
    let begun = Instant::now();
    runtime.block_on(async {
        let (stop, stopped) = watch::channel(false);
        let mut pace = pace();
        pace.smtp.command = Wait::from_secs(30);
        let voice = voice(Vec::new());
        let courier = tokio::spawn(run_at(
            pace,
            config(&listener.address()),
            memory.clone(),
            voice,
            stopped,
        ));
        tokio::time::sleep(Wait::from_millis(200)).await;
        drop(stop);
        courier.await.expect("no panic").expect("run");
    });
    drop(runtime);
    assert!(begun.elapsed() < Wait::from_secs(2));
    assert!(
        memory.settled().is_empty(),
        "nothing is claimed of a mail whose end nobody saw"
    );
}

#[test]
fn notices_go_from_the_null_sender_and_make_no_notices() {
    for (kind, subject) in [
        (JobKind::Notice, "Subject: Din mail er holdt tilbage"),
        (dsn(DsnCause::Rule), "Subject: Din mail er ikke sendt"),
        (dsn(DsnCause::Reviewer), "Subject: Din mail er ikke sendt"),
        (dsn(DsnCause::NextHop), "Subject: Din mail kunne ikke afleveres"),
    ] {
        let listener = Listener::start(Vec::new());
        let memory = Memory::with(kind);
        run_until(&memory, &listener.address(), 1).expect("run");
        let mail = String::from_utf8(listener.accepted().remove(0)).expect("text");
        assert!(mail.contains(subject), "{mail}");
        let (from, to) = listener.envelopes().remove(0);
        assert!(from.starts_with("MAIL FROM:<> BODY=8BITMIME"), "{from}");
        assert_eq!(to, "RCPT TO:<anna@kommune.example> NOTIFY=NEVER");
    }
}

/// An address that is not ours may be forged: the stranger behind it must not hear what our filter found, where, and who got
/// what; that the mail did not get through is theirs to know.
#[test]
fn a_stranger_is_told_of_a_failure_and_of_nothing_else() {
    for cause in [DsnCause::Rule, DsnCause::Reviewer, DsnCause::Expired, DsnCause::NextHop] {
        let listener = Listener::start(Vec::new());
        let memory = Memory::with(dsn(cause));
        memory.lock().sender = Some(b"<stranger@post.example>".to_vec());
        run_until(&memory, &listener.address(), 1).expect("run");
        let mail = String::from_utf8(listener.accepted().remove(0)).expect("text");
        assert!(mail.contains("Subject: Din mail blev ikke afleveret"), "{mail}");
        assert!(mail.contains("Final-Recipient: rfc822; b@avis.example\r\nAction: failed"));
        for word in ["CPR-nummer i", "FUNDET", "HVORFOR", "outside", "Emne:", "Eksempel"] {
            assert!(!mail.contains(word), "{word}: {mail}");
        }
    }
    let listener = Listener::start(Vec::new());
    let memory = Memory::with(JobKind::Notice);
    memory.lock().sender = Some(b"<stranger@post.example>".to_vec());
    run_until(&memory, &listener.address(), 1).expect("run");
    assert_eq!(words(&memory.settled()), ["not needed"]);
}

#[test]
fn what_nobody_asked_for_is_not_sent() {
    let never = Some((b"<b@avis.example>".to_vec(), vec!["NOTIFY=NEVER".to_owned()]));
    let null = Some(b"<>".to_vec());
    let rows = [
        (JobKind::Notice, null.clone(), None, Turn::Send, "not needed"),
        (dsn(DsnCause::Expired), null, None, Turn::Send, "not needed"),
        (dsn(DsnCause::Expired), None, never, Turn::Send, "not needed"),
        (JobKind::Notice, None, None, Turn::Quiet, "not needed"),
        (JobKind::Notice, None, None, Turn::Summary, "sent"),
        // What was refused or lost is always said: nothing ends in silence.
        (dsn(DsnCause::Expired), None, None, Turn::Quiet, "sent"),
    ];
    for (kind, sender, recipient, turn, expected) in rows {
        let listener = Listener::start(Vec::new());
        let memory = Memory::with(kind.clone());
        memory.lock().sender = sender;
        memory.lock().recipient = recipient;
        memory.lock().turn = Some(turn);
        run_until(&memory, &listener.address(), 1).expect("run");
        assert_eq!(words(&memory.settled()), [expected], "{kind:?} {turn:?}");
        assert_eq!(
            listener.accepted().len(),
            usize::from(expected == "sent"),
            "{kind:?} {turn:?}"
        );
    }
}
