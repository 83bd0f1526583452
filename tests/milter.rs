//! The milter protocol from the other side: a mail server of our own against the real callbacks over a fake world.

#[path = "milter/mta.rs"]
mod mta;
#[path = "milter/world.rs"]
mod world;

use cpr_milter::milter::Served;
use cpr_milter::store::Duty;
use cpr_milter::types::FateWord;
use indymilter::message::command::Command;
use indymilter::{Actions, ProtoOpts};
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
async fn clean_mail_passes_untouched_and_leaves_no_trace() {
    let gateway = Gateway::start().await;
    let mut mta = Mta::connect(&gateway.path).await.expect("connect");
    let mail = Mail::new(&["a@x.example", "b@x.example"], "Møde", "Hej\r\n");
    for _ in 0..20 {
        let answer = mta.deliver(&mail).await.expect("deliver");
        assert_eq!(queued(&answer), (&mail.to[..], &mail.headers[..], &mail.body[..]));
    }
    assert!(gateway.owed().is_empty());
    assert!(gateway.ledger.lock().expect("ledger").records.is_empty());
    assert_eq!(gateway.stopped().await, Served::Finished);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_mail_was_judged_from_is_kept_with_its_hold_or_noted_when_nothing_is_said() {
    let gateway = Gateway::start().await;
    let mut mta = Mta::connect(&gateway.path).await.expect("connect");
    for (to, body) in [
        ("deliver@x.example", "NUMa\r\n"),
        ("deliver@x.example", "nothing\r\n"),
        ("hold@x.example", "NUMa NUMb\r\n"),
        ("log@x.example", "NUMc\r\n"),
    ] {
        mta.deliver(&Mail::new(&[to], "Svar", body)).await.expect("deliver");
    }
    let ledger = gateway.ledger.lock().expect("ledger");
    let noted: Vec<usize> = ledger.notes.iter().map(|judged| judged.numbers.len()).collect();
    assert_eq!(noted, [1], "the mail without a number is not kept");
    let held = ledger.holds[0].0.judged.as_ref().expect("judged");
    assert_eq!(
        (held.numbers.len(), held.recipients[0].action.word()),
        (2, "quarantine")
    );
    let recorded = ledger.records[0].judged.as_ref().expect("judged");
    assert_eq!(
        (recorded.numbers.len(), recorded.recipients[0].action.word()),
        (1, "log")
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_negotiation_asks_for_quiet_steps_and_the_macros_it_reads() {
    let gateway = Gateway::start().await;
    let mta = Mta::connect(&gateway.path).await.expect("connect");
    assert!(
        mta.options
            .contains(ProtoOpts::LEADING_SPACE | ProtoOpts::NOREPLY_HEADER | ProtoOpts::NOREPLY_BODY)
    );
    assert!(
        !mta.options
            .intersects(ProtoOpts::SKIP | ProtoOpts::NO_BODY | ProtoOpts::NO_HEADER | ProtoOpts::NO_RCPT)
    );
    let asked: String = mta
        .macros
        .iter()
        .map(|(_, names)| names.to_string_lossy() + " ")
        .collect();
    for name in [
        "i",
        "j",
        "{auth_authen}",
        "{client_addr}",
        "{client_name}",
        "{daemon_name}",
        "{mail_addr}",
        "{rcpt_addr}",
        "{tls_version}",
    ] {
        assert!(asked.split(' ').any(|asked| asked == name), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_mta_without_an_action_or_leading_space_is_refused() {
    let gateway = Gateway::start().await;
    let less = ProtoOpts::all().difference(ProtoOpts::LEADING_SPACE);
    assert!(Mta::with(&gateway.path, Actions::all(), less).await.is_err());
    let less = Actions::all().difference(Actions::DELETE_RCPT);
    assert!(Mta::with(&gateway.path, less, ProtoOpts::all()).await.is_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_mta_that_wants_an_answer_to_each_step_gets_one() {
    let gateway = Gateway::start().await;
    let mut mta = Mta::with(&gateway.path, Actions::all(), ProtoOpts::LEADING_SPACE)
        .await
        .expect("connect");
    let mail = Mail::new(&["redact@x.example"], "NUMa", "NUMb\r\n");
    let answer = mta.deliver(&mail).await.expect("deliver");
    assert_eq!(queued(&answer).2, b"XXXX\r\n");
}

/// Every recipient of every combination ends with exactly the one fate that the policy wanted, in Postfix's queue and our
/// store taken together.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_combination_of_fates_gives_each_recipient_exactly_one() {
    let gateway = Gateway::start().await;
    let mut mta = Mta::connect(&gateway.path).await.expect("connect");
    let words = ["deliver", "warn", "redact", "first", "hold", "reject", "gateway"];
    for code in 0..words.len().pow(3) {
        let picked: Vec<&str> = (0..3).map(|i| words[code / words.len().pow(i) % words.len()]).collect();
        let to: Vec<String> = picked
            .iter()
            .enumerate()
            .map(|(i, word)| format!("{word}+{i}@x.example"))
            .collect();
        let to: Vec<&str> = to.iter().map(String::as_str).collect();
        let mail = Mail::new(&to, "NUMa x", "NUMb y NUMa\r\n");
        let answer = mta.deliver(&mail).await.expect("deliver");
        let owed = gateway.owed();
        for (i, word) in picked.iter().enumerate() {
            let mut fates = Vec::new();
            match &answer {
                Answer::Queued { to, headers, body } if to.contains(&mail.to[i]) => {
                    fates.push(format!("{}|{}", headers[0].1.trim(), String::from_utf8_lossy(body)));
                }
                Answer::Refused(_) => fates.push("refused".to_owned()),
                Answer::Deferred(_) => panic!("{picked:?}"),
                _ => {}
            }
            for (_, duty, takeover) in owed.iter().filter(|(recipient, ..)| *recipient == i) {
                fates.push(match duty {
                    Duty::Hold => "held".to_owned(),
                    Duty::Refuse => "refused".to_owned(),
                    Duty::SendOriginal => text_of(takeover.original.bytes()),
                    Duty::SendCopy(copy) => text_of(&takeover.copies[*copy]),
                });
            }
            let wanted = match *word {
                "deliver" | "warn" => "NUMa x|NUMb y NUMa\r\n",
                "redact" => "XXXX x|XXXX y XXXX\r\n",
                "first" => "XXXX x|NUMb y XXXX\r\n",
                "reject" => "refused",
                _ => "held",
            };
            assert_eq!(fates, [wanted], "recipient {i} of {picked:?}");
        }
    }
}

/// Subject and body of a stored mail.
fn text_of(mail: &[u8]) -> String {
    let text = String::from_utf8_lossy(mail);
    let (head, body) = text.split_once("\r\n\r\n").expect("two halves");
    let subject = head
        .lines()
        .find_map(|line| line.strip_prefix("Subject: "))
        .expect("subject");
    format!("{subject}|{body}")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refusal_for_all_is_a_550_with_rule_and_incident() {
    let gateway = Gateway::start().await;
    let mut mta = Mta::connect(&gateway.path).await.expect("connect");
    let mail = Mail::new(&["reject@x.example"], "s", "NUMa\r\n");
    let Answer::Refused(text) = mta.deliver(&mail).await.expect("deliver") else {
        panic!("not refused")
    };
    assert!(text.starts_with("550 5.7.1 "), "{text}");
    assert!(
        text.contains("rule boern-reject") && text.contains("incident abcd-efgh-ijkl-mnop"),
        "{text}"
    );
    let records = std::mem::take(&mut gateway.ledger.lock().expect("ledger").records);
    assert_eq!(records.len(), 1);
    assert!(!records[0].notify, "the client's own report tells");
    assert_eq!(records[0].facts.outcomes[0].fate, FateWord::Refused);
    // The text must not come back in a later message.
    let mail = Mail::new(&["deliver@x.example"], "s", "NOWORKER");
    assert!(deferred(&mta.deliver(&mail).await.expect("deliver")).starts_with("451 4.7.1 "));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_to_tell_means_hold_in_place_of_a_partial_refusal() {
    let gateway = Gateway::start().await;
    let mut mta = Mta::connect(&gateway.path).await.expect("connect");
    let mut mail = Mail::new(&["reject@x.example", "deliver@x.example"], "s", "NUMa\r\n");
    mail.from = "<>".to_owned();
    assert_eq!(
        queued(&mta.deliver(&mail).await.expect("deliver")).0,
        ["<deliver@x.example>"]
    );
    assert!(matches!(gateway.owed().as_slice(), [(0, Duty::Hold, _)]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn recipients_are_removed_byte_for_byte_and_repeats_together() {
    let gateway = Gateway::start().await;
    let mut mta = Mta::connect(&gateway.path).await.expect("connect");
    let mut mail = Mail::new(
        &["Hold+A@X.Example", "deliver@x.example", "Hold+A@X.Example"],
        "s",
        "NUMa\r\n",
    );
    mail.to[0] = "<hold+A@X.Example>".to_owned();
    mail.to[2] = "<hold+a@x.example>".to_owned();
    mail.to.push("<hold+A@X.Example>".to_owned());
    let answer = mta.deliver(&mail).await.expect("deliver");
    assert_eq!(queued(&answer).0, ["<deliver@x.example>"]);
    let ours: Vec<usize> = gateway.owed().iter().map(|(i, ..)| *i).collect();
    assert_eq!(ours, [0, 2, 3]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn broken_inspections_are_held_and_missing_ones_deferred() {
    let gateway = Gateway::start().await;
    let mut mta = Mta::connect(&gateway.path).await.expect("connect");
    for word in ["CRASH", "LATE"] {
        let mail = Mail::new(&["deliver@x.example", "warn@x.example"], "s", word);
        assert_eq!(mta.deliver(&mail).await.expect("deliver"), Answer::Discarded);
        let holds = std::mem::take(&mut gateway.ledger.lock().expect("ledger").holds);
        let rules: Vec<_> = holds[0]
            .1
            .owned
            .iter()
            .map(|o| (o.duty, o.rule.clone().map(|r| r.id)))
            .collect();
        assert_eq!(rules, vec![(Duty::Hold, Some("not_inspected".to_owned())); 2], "{word}");
        assert_eq!(holds[0].0.facts.doubts.len(), 1);
    }
    let mail = Mail::new(&["deliver@x.example"], "s", "NOWORKER");
    assert!(deferred(&mta.deliver(&mail).await.expect("deliver")).starts_with("451 4.7.1 "));
    assert!(gateway.owed().is_empty());
}

/// Not being told who is in a group is no answer: nobody gets the mail, and nothing of it is ours.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_group_that_nobody_knows_defers_the_mail_for_everybody() {
    let gateway = Gateway::start().await;
    let mut mta = Mta::connect(&gateway.path).await.expect("connect");
    let to = ["deliver@x.example", "hold@x.example", "unknown@x.example"];
    let mail = Mail::new(&to, "s", "NUMa\r\n");
    assert!(deferred(&mta.deliver(&mail).await.expect("deliver")).starts_with("451 4.7.1 "));
    assert!(gateway.owed().is_empty());
    assert!(gateway.ledger.lock().expect("ledger").records.is_empty());
    let clean = Mail::new(&to, "s", "nothing\r\n");
    assert_eq!(queued(&mta.deliver(&clean).await.expect("deliver")).0.len(), 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_panic_ends_one_message_with_a_4xx_and_not_the_session() {
    let gateway = Gateway::start().await;
    let mut mta = Mta::connect(&gateway.path).await.expect("connect");
    let mail = Mail::new(&["deliver@x.example"], "s", "PANIC");
    assert!(deferred(&mta.deliver(&mail).await.expect("deliver")).starts_with("451 4.7.1 "));
    let mail = Mail::new(&["deliver@x.example"], "s", "next");
    assert_eq!(queued(&mta.deliver(&mail).await.expect("deliver")).2, b"next");
    assert_eq!(gateway.shared.messages_in_hand(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_incomplete_decision_defers() {
    let gateway = Gateway::start().await;
    let mut mta = Mta::connect(&gateway.path).await.expect("connect");
    let mut mail = Mail::new(&["hold@x.example", "deliver@x.example"], "s", "NUMa");
    mail.from = "<short@kommune.example>".to_owned();
    deferred(&mta.deliver(&mail).await.expect("deliver"));
    assert!(gateway.owed().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_store_nothing_is_removed_discarded_or_refused() {
    let gateway = Gateway::start().await;
    let mut mta = Mta::connect(&gateway.path).await.expect("connect");
    for (full, code) in [(false, "451 4.7.1 "), (true, "452 4.3.1 ")] {
        gateway.ledger.lock().expect("ledger").down = Some(full);
        for to in ["hold", "reject", "redact", "warn", "deliver"] {
            let mail = Mail::new(&[&format!("{to}@x.example"), "deliver@x.example"], "s", "NUMa");
            assert!(
                deferred(&mta.deliver(&mail).await.expect("deliver")).starts_with(code),
                "{to}"
            );
        }
        let clean = Mail::new(&["hold@x.example"], "s", "nothing");
        queued(&mta.deliver(&clean).await.expect("deliver"));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_redacted_is_held() {
    let gateway = Gateway::with(|milter| milter.message_size_limit = 50_000).await;
    let mut mta = Mta::connect(&gateway.path).await.expect("connect");
    for word in ["NOTCLEAN", "SEALED", "GROWS"] {
        let mail = Mail::new(&["redact@x.example", "deliver@x.example"], "s", &format!("NUMa {word}"));
        let answer = mta.deliver(&mail).await.expect("deliver");
        assert_eq!(
            queued(&answer),
            (&mail.to[1..], &mail.headers[..], &mail.body[..]),
            "{word}"
        );
        assert!(matches!(gateway.owed().as_slice(), [(0, Duty::Hold, _)]), "{word}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_that_cannot_be_said_in_edits_is_sent_by_us() {
    let gateway = Gateway::start().await;
    let mut mta = Mta::connect(&gateway.path).await.expect("connect");
    let mail = Mail::new(&["redact@x.example"], "s", "NUMa ADDS");
    assert_eq!(mta.deliver(&mail).await.expect("deliver"), Answer::Discarded);
    let owed = gateway.owed();
    let [(0, Duty::SendCopy(0), takeover)] = owed.as_slice() else {
        panic!("not sent by us")
    };
    assert!(takeover.copies[0].starts_with(b"X-New: 1\r\n"));
    assert!(takeover.copies[0].ends_with(b"XXXX ADDS"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn equal_header_names_are_changed_at_their_own_index() {
    let gateway = Gateway::start().await;
    let mut mta = Mta::connect(&gateway.path).await.expect("connect");
    let mut mail = Mail::new(&["redact@x.example"], "s", "b\r\n");
    let field = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    mail.headers = vec![
        field("X-A", " keep"),
        field("x-a", " one\n\tNUMa"),
        field("Subject", "  two  blanks"),
        field("X-A", " NUMb"),
    ];
    let answer = mta.deliver(&mail).await.expect("deliver");
    let (_, headers, body) = queued(&answer);
    let wanted = [
        field("X-A", " keep"),
        field("x-a", " one\n\tXXXX"),
        field("Subject", "  two  blanks"),
        field("X-A", " XXXX"),
    ];
    assert_eq!(headers, wanted);
    assert_eq!(body, b"b\r\n");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn progress_is_sent_while_we_work_and_never_between_edits() {
    let gateway = Gateway::with(|milter| milter.progress_seconds = 1).await;
    let mut mta = Mta::connect(&gateway.path).await.expect("connect");
    let mut mail = Mail::new(&["redact@x.example"], "NUMa", "SLEEP ");
    mail.body.extend(b"NUMa ".repeat(60_000));
    let answer = mta.deliver(&mail).await.expect("deliver");
    assert!(mta.progress >= 3, "{}", mta.progress);
    assert_eq!(queued(&answer).2.len(), mail.body.len());
    gateway.ledger.lock().expect("ledger").slow = 2;
    let mail = Mail::new(&["hold@x.example"], "s", "NUMa");
    assert_eq!(mta.deliver(&mail).await.expect("deliver"), Answer::Discarded);
    assert!(mta.progress >= 2, "also while the store writes");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn over_our_own_deadline_the_client_keeps_the_mail() {
    let gateway = Gateway::with(|milter| milter.deadline_seconds = 1).await;
    let mut mta = Mta::connect(&gateway.path).await.expect("connect");
    let mail = Mail::new(&["hold@x.example"], "s", "SLEEP NUMa");
    assert!(deferred(&mta.deliver(&mail).await.expect("deliver")).starts_with("451 4.7.1 "));
    assert!(gateway.owed().is_empty());
    queued(
        &mta.deliver(&Mail::new(&["hold@x.example"], "s", "quick"))
            .await
            .expect("deliver"),
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_held_for_an_mta_that_has_gone() {
    let gateway = Gateway::with(|milter| milter.progress_seconds = 60).await;
    let mut mta = Mta::connect(&gateway.path).await.expect("connect");
    let mail = Mail::new(&["hold@x.example"], "s", "SLEEP NUMa");
    mta.mail(&mail.from).await.expect("mail");
    mta.rcpt(&mail.to[0]).await.expect("rcpt");
    mta.content(&mail).await.expect("content");
    mta.send(Command::BodyEnd(Vec::new().into())).await.expect("end");
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(gateway.shared.messages_in_hand(), 1);
    drop(mta);
    tokio::time::sleep(Duration::from_millis(4_500)).await;
    assert_eq!(gateway.shared.messages_in_hand(), 0);
    assert!(gateway.owed().is_empty());
}
