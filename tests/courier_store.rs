//! Courier and store together: one mail for three people, held, sent and refused; what arrives, what is written down,
//! and what the log says of it, which is nothing of its content.

#[path = "courier_peer/mod.rs"]
mod courier_peer;

use courier_peer::{Act, Listener};
use cpr_milter::config::Config;
use cpr_milter::courier::{Pace, Voice, run_at};
use cpr_milter::cpr::made_up;
use cpr_milter::policy::Language;
use cpr_milter::store::{
    Access, Custody, Decider, Duty, Incident, IncidentId, Keys, Owned, State, Store, Verified, What, Whom,
};
use cpr_milter::types::{Address, Envelope, FateWord, NoticeFacts, Outcome, Recipient, Release};
use std::io::Write;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration as Wait, Instant};
use time::{Duration, OffsetDateTime};
use tokio::sync::watch;

const TO: [&str; 3] = ["birthe@avis.example", "carl@post.example", "dorte@post.example"];
const SUBJECT: &str = "Fortrolig sag om Gunhild";

fn number() -> String {
    made_up::hyphenated(&made_up::number(4))
}

fn mail(id: &str) -> Vec<u8> {
    let number = number();
    format!("Message-ID: <{id}@client.example>\r\nSubject: {SUBJECT}\r\n\r\nCPR: {number}\r\n").into_bytes()
}

fn store_in(folder: &Path) -> Store {
    let keys = folder.join("keys");
    std::fs::create_dir(&keys).expect("folder");
    Keys::create(&keys).expect("keys");
    Store::open(
        &folder.join("store.sqlite"),
        Keys::load(&keys, Access::Open).expect("keys"),
    )
    .expect("store")
}

fn incident(fates: [FateWord; 3]) -> Incident {
    let sender = b"<gunhild.afsender@kommune.example>";
    let recipient = |to: &str| Recipient {
        raw: format!("<{to}>").into_bytes(),
        address: Address::parse(to.as_bytes()).ok(),
        args: Vec::new(),
    };
    let outcome = |(to, fate): (&str, FateWord)| Outcome {
        recipient: to.to_owned(),
        fate,
        rule: None,
    };
    let now = OffsetDateTime::now_utc();
    Incident {
        envelope: Envelope {
            sender: Address::parse(sender).ok(),
            sender_raw: sender.to_vec(),
            recipients: TO.into_iter().map(recipient).collect(),
            ..Envelope::default()
        },
        facts: NoticeFacts {
            received: now,
            subject: Some(SUBJECT.to_owned()),
            message_id: Some("<own@client.example>".to_owned()),
            people: 1,
            found: Vec::new(),
            doubts: Vec::new(),
            outcomes: TO.into_iter().zip(fates).map(outcome).collect(),
            contact: "dpo@kommune.example".to_owned(),
            policy: "Eksempel".to_owned(),
        },
        notify: true,
        findings: Vec::new(),
        doubts: Vec::new(),
        policy_hash: "0123abcd0123abcd".to_owned(),
        received: now,
        judged: None,
    }
}

fn held(store: &Store, mail: Vec<u8>, duties: [(Duty, FateWord); 3], expires: OffsetDateTime) -> IncidentId {
    let incident = incident(duties.map(|(_, fate)| fate));
    let owned = |(recipient, (duty, _)): (usize, (Duty, FateWord))| Owned {
        recipient,
        duty,
        rule: None,
        release: Release::default(),
    };
    let custody = Custody {
        key: store.hold_key(&incident.envelope, &mail),
        original: mail,
        copies: Vec::new(),
        owned: duties.into_iter().enumerate().map(owned).collect(),
        expires,
    };
    store.hold(&incident, &custody).expect("held").id().clone()
}

/// Runs until `done` says so (or ten seconds).
fn run_until(store: &Store, address: &str, done: impl Fn() -> bool) {
    let config = format!(
        "{{policy: p, listen: 'unix:s', store: s, keys: k, reinject: '{address}', hostname: gw.kommune.example}}"
    );
    let config: Config = serde_yaml::from_str(&config).expect("config");
    let pace = Pace {
        poll: Wait::from_millis(10),
        ..Pace::default()
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("runtime");
    runtime.block_on(async {
        let (stop, stopped) = watch::channel(false);
        let voice = Voice {
            languages: Arc::new(|| vec![Language::Da]),
            inside: Arc::new(|_| true),
        };
        let courier = tokio::spawn(run_at(pace, config, store.clone(), voice, stopped));
        let begun = Instant::now();
        while !done() && begun.elapsed() < Wait::from_secs(10) {
            tokio::time::sleep(Wait::from_millis(10)).await;
        }
        assert!(done(), "not in ten seconds");
        stop.send(true).expect("courier");
        courier.await.expect("no panic").expect("run");
    });
}

fn states(store: &Store, id: &IncidentId) -> Vec<State> {
    store
        .show(id)
        .expect("details")
        .recipients
        .iter()
        .map(|line| line.state)
        .collect()
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("log").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn one_mail_for_three_people_from_hold_to_expiry() {
    let log = Log::default();
    let writer = log.clone();
    tracing_subscriber::fmt()
        .with_max_level(tracing::Level::DEBUG)
        .with_writer(move || writer.clone())
        .init();
    let folder = tempfile::tempdir().expect("folder");
    let store = store_in(folder.path());
    let duties = [
        (Duty::Hold, FateWord::Held),
        (Duty::SendOriginal, FateWord::Delivered),
        (Duty::Refuse, FateWord::Refused),
    ];
    let later = OffsetDateTime::now_utc() + Duration::days(14);
    let id = held(&store, mail("first"), duties, later);

    let listener = Listener::start(vec![("RCPT", Act::Say("250 2.1.5 Ok"))]);
    run_until(&store, &listener.address(), || {
        listener.accepted().len() >= 3 && store.next_due().ok() == Some(None)
    });
    assert_eq!(states(&store, &id), [State::Held, State::Sent, State::Refused]);
    let mut to: Vec<String> = listener.envelopes().into_iter().map(|(_, to)| to).collect();
    to.sort();
    let sender = "RCPT TO:<gunhild.afsender@kommune.example> NOTIFY=NEVER";
    assert_eq!(to, ["RCPT TO:<carl@post.example>", sender, sender]);
    let mails: Vec<String> = listener
        .accepted()
        .into_iter()
        .map(|m| String::from_utf8_lossy(&m).into_owned())
        .collect();
    assert_eq!(
        mails.iter().filter(|mail| mail.contains("Action: delayed\r\n")).count(),
        1
    );
    assert_eq!(
        mails.iter().filter(|mail| mail.contains("Action: failed\r\n")).count(),
        1
    );
    assert_eq!(
        mails.iter().filter(|mail| mail.contains(&number())).count(),
        1,
        "only the copy for Carl"
    );

    // Released to a server that refuses it for good: the sender is told why.
    let by = Decider {
        actor: "bo",
        reason: "aftalt",
        now: OffsetDateTime::now_utc(),
    };
    store.release(&id, &Whom::All, What::Original, &by).expect("released");
    let refusing = Listener::start(vec![(
        "RCPT",
        Act::Say("550 5.1.1 <birthe@avis.example>: user unknown"),
    )]);
    run_until(&store, &refusing.address(), || {
        refusing.accepted().len() == 1 && store.next_due().ok() == Some(None)
    });
    assert_eq!(states(&store, &id), [State::Failed, State::Sent, State::Refused]);
    let told = String::from_utf8(refusing.accepted().remove(0)).expect("text");
    assert!(
        told.contains("Din mail kunne ikke afleveres") && told.contains("user unknown"),
        "{told}"
    );

    // Held past its time: the sweep at the start expires it, and says so.
    let past = OffsetDateTime::now_utc() - Duration::seconds(1);
    let id = held(
        &store,
        mail("second"),
        duties.map(|_| (Duty::Hold, FateWord::Held)),
        past,
    );
    let listener = Listener::start(Vec::new());
    run_until(&store, &listener.address(), || {
        listener.accepted().len() >= 3 && store.next_due().ok() == Some(None)
    });
    assert!(
        states(&store, &id).iter().all(|state| *state == State::Expired),
        "{:?}",
        states(&store, &id)
    );
    let expired = listener
        .accepted()
        .iter()
        .filter(|m| String::from_utf8_lossy(m).contains("fristen"))
        .count();
    assert_eq!(expired, 3);
    assert!(matches!(store.verify(None), Ok(Verified::Sound(_))));

    let log = String::from_utf8(log.0.lock().expect("log").clone()).expect("text");
    assert!(log.contains(&id.to_string()), "what happened is in the log: {log}");
    let digits: String = log.chars().filter(char::is_ascii_digit).collect();
    for word in [
        "gunhild",
        "birthe",
        "carl",
        "dorte",
        "Fortrolig",
        "user unknown",
        &number(),
    ] {
        assert!(!log.contains(word), "{word} is in the log");
    }
    assert!(!digits.contains(&number().replace('-', "")));
}
