//! The milter over a connection's life: RSET, reloads, budgets, garbage, silence, stopping.

#[path = "milter/mta.rs"]
mod mta;
#[path = "milter/world.rs"]
mod world;

use cpr_milter::milter::Served;
use cpr_milter::types::FateWord;
use mta::{Answer, Mail, Mta};
use std::time::Duration;
use world::Gateway;

fn queued(answer: &Answer) -> (&[String], &[(String, String)], &[u8]) {
    match answer {
        Answer::Queued { to, headers, body } => (to, headers, body),
        other => panic!("not queued: {other:?}"),
    }
}

fn deferred(answer: &Answer) -> &str {
    match answer {
        Answer::Deferred(text) => text,
        other => panic!("not deferred: {other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rset_anywhere_and_abort_after_the_end_leave_no_trace_in_the_next_message() {
    let gateway = Gateway::start().await;
    let mut mta = Mta::connect(&gateway.path).await.expect("connect");
    let old = Mail::new(&["hold@x.example"], "NUMa", "NUMa");
    let new = Mail::new(&["deliver@x.example"], "s", "clean");
    for step in 0..6 {
        mta.mail(&old.from).await.expect("mail");
        if step > 0 {
            mta.rcpt(&old.to[0]).await.expect("rcpt");
        }
        if step > 1 {
            mta.data().await.expect("data");
        }
        match step {
            3 => mta.header("Subject", " NUMa").await.expect("header"),
            4 => mta.content(&old).await.expect("content"),
            5 => {
                mta.content(&old).await.expect("content");
                assert_eq!(mta.end(&old).await.expect("end"), Answer::Discarded);
                assert_eq!(gateway.owed().len(), 1);
            }
            _ => {}
        }
        mta.abort().await.expect("abort");
        if step % 2 == 0 {
            mta.abort().await.expect("once more");
        }
        // Also when no other MAIL comes: its bytes are free, and a stop need not wait for it.
        let freed = async {
            while gateway.shared.messages_in_hand() > 0 {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        let freed = tokio::time::timeout(Duration::from_secs(5), freed).await;
        assert!(freed.is_ok(), "after step {step}");
        let answer = mta.deliver(&new).await.expect("deliver");
        assert_eq!(
            queued(&answer),
            (&new.to[..], &new.headers[..], &new.body[..]),
            "after step {step}"
        );
        assert!(gateway.owed().is_empty(), "after step {step}");
    }
    assert_eq!(gateway.shared.messages_in_hand(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mail_again_without_abort_begins_anew() {
    let gateway = Gateway::start().await;
    let mut mta = Mta::connect(&gateway.path).await.expect("connect");
    mta.mail("<a@kommune.example>").await.expect("mail");
    mta.rcpt("<hold@x.example>").await.expect("rcpt");
    let mail = Mail::new(&["deliver@x.example"], "s", "NUMa");
    assert_eq!(queued(&mta.deliver(&mail).await.expect("deliver")).0, mail.to);
    assert_eq!(gateway.shared.messages_in_hand(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn over_the_byte_budget_the_answer_is_451_and_the_bytes_come_back() {
    let gateway = Gateway::with(|milter| {
        milter.spool_total = 1_000_000;
        milter.spool_memory = 10_000;
    })
    .await;
    let mut mta = Mta::connect(&gateway.path).await.expect("connect");
    let big = "x".repeat(900_000);
    for _ in 0..3 {
        let mail = Mail::new(&["deliver@x.example"], "s", &big);
        assert_eq!(queued(&mta.deliver(&mail).await.expect("deliver")).2.len(), big.len());
        let mail = Mail::new(&["deliver@x.example"], "s", &"x".repeat(1_100_000));
        assert!(deferred(&mta.deliver(&mail).await.expect("deliver")).starts_with("451 4.7.1 "));
    }
    // Two at once: the second has no room while the first is in hand.
    let mail = Mail::new(&["deliver@x.example"], "s", &big);
    mta.mail(&mail.from).await.expect("mail");
    mta.rcpt(&mail.to[0]).await.expect("rcpt");
    mta.content(&mail).await.expect("content");
    tokio::time::sleep(Duration::from_millis(300)).await;
    let mut other = Mta::connect(&gateway.path).await.expect("connect");
    deferred(&other.deliver(&mail).await.expect("deliver"));
    queued(&mta.end(&mail).await.expect("end"));
    queued(&other.deliver(&mail).await.expect("deliver"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_message_has_one_policy_also_over_a_reload() {
    let gateway = Gateway::start().await;
    let mut mta = Mta::connect(&gateway.path).await.expect("connect");
    let mail = Mail::new(&["hold@x.example"], "s", "NUMa");
    mta.mail(&mail.from).await.expect("mail");
    mta.rcpt(&mail.to[0]).await.expect("rcpt");
    tokio::time::sleep(Duration::from_millis(300)).await;
    gateway.swap("second");
    mta.content(&mail).await.expect("content");
    assert_eq!(mta.end(&mail).await.expect("end"), Answer::Discarded);
    assert_eq!(mta.deliver(&mail).await.expect("deliver"), Answer::Discarded);
    let holds = &gateway.ledger.lock().expect("ledger").holds;
    let policies: Vec<&str> = holds
        .iter()
        .map(|(incident, _)| incident.facts.policy.as_str())
        .collect();
    assert_eq!(policies, ["first", "second"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_written_down_holds_the_envelope_and_no_digit() {
    let gateway = Gateway::start().await;
    let mut mta = Mta::connect(&gateway.path).await.expect("connect");
    let mut mail = Mail::new(
        &["hold@x.example", "deliver@x.example"],
        "Sag 0101901234 NUMa",
        "NUMa NUMb NUMa",
    );
    mail.to.push("<deliver+0101901234@x.example>".to_owned());
    mta.deliver(&mail).await.expect("deliver");
    let ledger = gateway.ledger.lock().expect("ledger");
    let (incident, _) = &ledger.holds[0];
    assert_eq!(incident.envelope.login.as_deref(), Some("anna"));
    assert_eq!(incident.envelope.queue_id.as_deref(), Some("4fQ3x01zZz"));
    assert_eq!(incident.envelope.client.daemon.as_deref(), Some("smtpd"));
    assert_eq!(incident.envelope.client.address, "192.0.2.7".parse().ok());
    assert_eq!(incident.envelope.recipients[0].args, ["NOTIFY=FAILURE"]);
    assert_eq!(incident.facts.people, 2);
    assert!(incident.notify);
    let lines: Vec<usize> = incident.facts.found.iter().map(|line| line.count).collect();
    assert_eq!(lines, [1, 3], "subject, then text");
    let fates: Vec<FateWord> = incident.facts.outcomes.iter().map(|o| o.fate).collect();
    assert_eq!(fates, [FateWord::Held, FateWord::Delivered, FateWord::Delivered]);
    let said = format!("{:?}", incident.facts);
    assert!(!said.contains("0101901234"), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn garbage_ends_one_connection_and_no_other() {
    let gateway = Gateway::start().await;
    let mut good = Mta::connect(&gateway.path).await.expect("connect");
    let mut seed = 0x2545_F491_4F6C_DD1D_u64;
    let mut random = move || {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        seed
    };
    for round in 0..120 {
        let mut bad = if round % 2 == 0 {
            Mta::silent(&gateway.path).await
        } else {
            Mta::connect(&gateway.path).await
        }
        .expect("connect");
        for _ in 0..random() % 12 {
            let kind = b"ABCDEHKLMNOQRTUXz\0"[usize::try_from(random() % 18).expect("small")];
            let payload: Vec<u8> = (0..random() % 40)
                .map(|_| b"a\0<>@: \n\xff"[usize::try_from(random() % 9).expect("small")])
                .collect();
            if bad.packet(kind, payload).await.is_err() {
                break;
            }
        }
        let _ = bad.garbage(b"\xff\xff\xff\xffgarbage").await;
    }
    let mail = Mail::new(&["redact@x.example"], "s", "NUMa");
    assert_eq!(queued(&good.deliver(&mail).await.expect("deliver")).2, b"XXXX");
    assert!(gateway.owed().is_empty(), "garbage holds nothing");
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(gateway.shared.messages_in_hand(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_header_that_postfix_cannot_send_defers() {
    let gateway = Gateway::start().await;
    let mut mta = Mta::connect(&gateway.path).await.expect("connect");
    let mut mail = Mail::new(&["deliver@x.example"], "s", "x");
    mail.headers.push(("X".to_owned(), " a\nBcc: b@x.example".to_owned()));
    deferred(&mta.deliver(&mail).await.expect("deliver"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn silent_connections_are_cut_off_and_give_their_place_back() {
    let gateway = Gateway::with(|milter| {
        milter.connections = 2;
        milter.first_command_seconds = 1;
    })
    .await;
    let mut silent = [
        Mta::silent(&gateway.path).await.expect("a"),
        Mta::silent(&gateway.path).await.expect("b"),
    ];
    let begun = std::time::Instant::now();
    let mut mta = Mta::connect(&gateway.path).await.expect("served in the end");
    assert!(
        begun.elapsed() > Duration::from_millis(500),
        "it had to wait for a place"
    );
    queued(
        &mta.deliver(&Mail::new(&["a@x.example"], "s", "x"))
            .await
            .expect("deliver"),
    );
    for peer in &mut silent {
        assert!(peer.reply().await.is_err(), "cut off");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_finishes_the_message_in_hand_and_lets_nobody_new_in() {
    let mut gateway = Gateway::start().await;
    let mut mta = Mta::connect(&gateway.path).await.expect("connect");
    let mut other = Mta::connect(&gateway.path).await.expect("connect");
    let mail = Mail::new(&["hold@x.example"], "s", "SLEEP NUMa");
    mta.mail(&mail.from).await.expect("mail");
    mta.rcpt(&mail.to[0]).await.expect("rcpt");
    tokio::time::sleep(Duration::from_millis(300)).await;
    gateway.begin_stop();
    // Longer than those who were let in may still begin a message.
    tokio::time::sleep(Duration::from_millis(900)).await;
    assert!(Mta::connect(&gateway.path).await.is_err(), "the socket is gone");
    let late = Mail::new(&["deliver@x.example"], "s", "x");
    deferred(&other.deliver(&late).await.expect("deliver"));
    mta.content(&mail).await.expect("content");
    assert_eq!(mta.end(&mail).await.expect("end"), Answer::Discarded);
    assert_eq!(gateway.owed().len(), 1);
    assert_eq!(gateway.stopped().await, Served::Finished);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_does_not_wait_for_ever() {
    let gateway = Gateway::with(|milter| milter.deadline_seconds = 1).await;
    let mut mta = Mta::connect(&gateway.path).await.expect("connect");
    mta.mail("<a@kommune.example>").await.expect("mail");
    mta.rcpt("<b@x.example>").await.expect("rcpt");
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(gateway.stopped().await, Served::CutOff(1));
    assert!(mta.content(&Mail::new(&[], "s", "x")).await.is_err() || mta.reply().await.is_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn quit_and_new_connections_in_any_number() {
    let gateway = Gateway::start().await;
    for _ in 0..50 {
        let mut mta = Mta::connect(&gateway.path).await.expect("connect");
        queued(
            &mta.deliver(&Mail::new(&["a@x.example"], "s", "x"))
                .await
                .expect("deliver"),
        );
        mta.quit().await.expect("quit");
    }
}
