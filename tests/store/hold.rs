//! Taking custody, and knowing a mail again.

use crate::fixture::*;
use cpr_milter::store::{
    Access, Content, Custody, DsnCause, Duty, Filter, IncidentId, JobKind, State, Store, StoreError, What, Whom,
};

#[test]
fn a_retry_finds_the_same_hold_and_owes_nothing_twice() {
    let place = Place::new();
    let store = place.open(Access::Seal);
    let duties = [Duty::Hold, Duty::SendCopy(0), Duty::Refuse];
    let mut incident = incident(&TO, 1);
    let first = store
        .hold(&incident, &custody(&store, &incident, 1, &duties))
        .expect("held");
    assert!(!first.again());
    // The client comes back two days later, through another Postfix process.
    incident.received += days(2);
    incident.envelope.queue_id = Some("4AnotherOne".to_owned());
    incident.envelope.recipients.reverse();
    let mut again = custody(&store, &incident, 1, &duties);
    for own in &mut again.owned {
        own.recipient = 2 - own.recipient;
    }
    let second = store.hold(&incident, &again).expect("held");
    assert!(second.again());
    assert_eq!(first.id(), second.id());
    // One delivery, one DSN, one notice.
    assert_eq!(due(&store, incident.received).len(), 3);
    assert_eq!(store.list(&Filter::default()).expect("list").len(), 1);
    // The client was told 250 twice; both are on record.
    let timeline = store.show(first.id()).expect("show").timeline;
    let what: Vec<&str> = timeline.iter().map(|event| event.what.as_str()).collect();
    assert_eq!(what, ["held", "held_again"]);
}

/// "Send it once more" after a no: the client is told 250, so the mail must be somewhere.
#[test]
fn the_same_mail_after_a_no_is_held_anew_and_after_a_yes_is_not() {
    let say_no = |store: &Store, id: &IncidentId, how: &str| {
        let whom = Whom::Some(vec![0]);
        let bo = by("bo", start());
        match how {
            "refused" => drop(store.refuse(id, &whom, &bo).expect("refused")),
            "deleted" => drop(store.delete(id, &whom, &bo).expect("deleted")),
            "released" => drop(store.release(id, &whom, What::Original, &bo).expect("released")),
            _ => {
                store.release(id, &whom, What::Original, &bo).expect("released");
                let jobs = due(store, start());
                let delivery = jobs.iter().find(|job| deliveries(&[(*job).clone()]) == [0]);
                let reply = "550 5.1.1 no".to_owned();
                let outcome = cpr_milter::store::Outcome::Failed { reply };
                store
                    .settle(delivery.expect("a job"), &outcome, start())
                    .expect("settled");
            }
        }
    };
    for (how, anew) in [
        ("refused", true),
        ("deleted", true),
        ("failed", true),
        ("released", false),
    ] {
        let place = Place::new();
        let store = place.courier();
        let id = held(&store, 1, &[Duty::Hold, Duty::Hold, Duty::Refuse]);
        say_no(&store, &id, how);
        let case = incident(&TO, 1);
        let duties = custody(&store, &case, 1, &[Duty::Hold, Duty::Hold, Duty::Hold]);
        let again = store.hold(&case, &duties).expect("held");
        assert_eq!(again.again(), !anew, "{how}");
        if anew {
            let lines = store.show(again.id()).expect("show").recipients;
            assert!(lines.iter().any(|line| line.index == 0), "{how}");
            assert!(
                lines.iter().all(|line| line.index != 1),
                "{how}: still held the first time"
            );
        }
    }
}

#[test]
fn another_mail_sender_recipient_or_a_later_week_is_another_hold() {
    let place = Place::new();
    let store = place.open(Access::Seal);
    let base = incident(&TO[..1], 1);
    let first = store
        .hold(&base, &custody(&store, &base, 1, &[Duty::Hold]))
        .expect("held");
    let mut others = [incident(&TO[1..2], 1), incident(&TO[..1], 1), incident(&TO[..1], 1)];
    others[1].envelope.sender_raw = b"<another@kommune.example>".to_vec();
    others[2].received += days(6);
    for (i, other) in others.iter().enumerate() {
        let held = store
            .hold(other, &custody(&store, other, 1, &[Duty::Hold]))
            .expect("held");
        assert_ne!(first.id(), held.id(), "case {i}");
    }
    let held = store
        .hold(&base, &custody(&store, &base, 2, &[Duty::Hold]))
        .expect("held");
    assert_ne!(first.id(), held.id(), "other content");
}

/// As Postfix adds them: the queue ID is in the Message-ID, both change with every try.
fn postfix_mail(queue_id: &str, second: u32) -> Vec<u8> {
    format!(
        "From: x@kommune.example\r\nDate: Mon, 23 Nov 2026 12:00:{second:02} +0100 (CET)\r\n\
         Message-Id: <202611231200{second:02}.{queue_id}@mail.kommune.example>\r\n\r\nHej\r\n"
    )
    .into_bytes()
}

#[test]
fn headers_that_postfix_makes_are_left_out_for_half_an_hour_and_until_somebody_decides() {
    let place = Place::new();
    let store = place.open(Access::Seal);
    let hold = |minutes: i64, queue_id: &str| {
        let mut incident = incident(&TO[..1], 1);
        incident.received += time::Duration::minutes(minutes);
        incident.envelope.queue_id = Some(queue_id.to_owned());
        let mut custody = custody(&store, &incident, 1, &[Duty::Hold]);
        custody.original = postfix_mail(queue_id, u32::try_from(minutes).expect("small"));
        custody.key = store.hold_key(&incident.envelope, &custody.original);
        store.hold(&incident, &custody).expect("held")
    };
    let first = hold(0, "4AAAAAAAA1");
    assert_eq!(first.id(), hold(20, "4AAAAAAAA2").id());
    let later = hold(40, "4AAAAAAAA3");
    assert_ne!(
        first.id(),
        later.id(),
        "the same text after more than half an hour may be a new mail"
    );
    // Whose mail it is must be known to whoever decides: the milter cannot.
    place
        .courier()
        .refuse(later.id(), &cpr_milter::store::Whom::All, &by("bo", start()))
        .expect("refused");
    assert_ne!(
        later.id(),
        hold(41, "4AAAAAAAA4").id(),
        "a decided hold must not swallow a new mail"
    );
}

#[test]
fn without_any_message_id_equal_mails_of_two_days_are_two_mails() {
    let place = Place::new();
    let store = place.open(Access::Seal);
    let hold = |day: i64| {
        let mut incident = incident(&TO[..1], 1);
        incident.received += days(day);
        let mut custody = custody(&store, &incident, 1, &[Duty::Hold]);
        custody.original = b"Subject: report\r\n\r\nsame every day\r\n".to_vec();
        custody.key = store.hold_key(&incident.envelope, &custody.original);
        store.hold(&incident, &custody).expect("held")
    };
    assert_ne!(hold(0).id(), hold(1).id());
}

#[test]
fn a_receipt_never_covers_a_recipient_that_is_not_ours() {
    let place = Place::new();
    let store = place.courier();
    let incident = incident(&TO[..2], 1);
    let one = custody(&store, &incident, 1, &[Duty::Hold]);
    let first = store.hold(&incident, &one).expect("held");
    // The policy changed before the retry: now both are to be held.
    let both = custody(&store, &incident, 1, &[Duty::Hold, Duty::Hold]);
    let second = store.hold(&incident, &both).expect("held");
    assert_ne!(first.id(), second.id());
    let lines = |id| {
        store
            .show(id)
            .expect("show")
            .recipients
            .iter()
            .map(|r| r.index)
            .collect::<Vec<_>>()
    };
    assert_eq!(lines(first.id()), [0]);
    assert_eq!(lines(second.id()), [1]);
    // And the third try finds both covered.
    assert!(store.hold(&incident, &both).expect("held").again());
}

#[test]
fn repeats_of_an_address_are_owned_once() {
    let place = Place::new();
    let store = place.courier();
    let incident = incident(&[TO[0], TO[0]], 1);
    let held = store
        .hold(
            &incident,
            &custody(&store, &incident, 1, &[Duty::SendOriginal, Duty::Hold]),
        )
        .expect("held");
    let shown = store.show(held.id()).expect("show");
    assert_eq!(shown.recipients.len(), 1);
    assert_eq!(shown.recipients[0].state, State::Held, "the stricter duty of the two");
}

#[test]
fn custody_that_makes_no_sense_is_refused_whole() {
    let place = Place::new();
    let store = place.open(Access::Seal);
    let incident = incident(&TO[..1], 1);
    let good = || custody(&store, &incident, 1, &[Duty::Hold]);
    let cases: Vec<(&str, Custody)> = vec![
        (
            "nobody",
            Custody {
                owned: Vec::new(),
                ..good()
            },
        ),
        (
            "stranger",
            Custody {
                owned: vec![own(7, Duty::Hold, 1)],
                ..good()
            },
        ),
        (
            "no copy",
            Custody {
                owned: vec![own(0, Duty::SendCopy(3), 1)],
                ..good()
            },
        ),
    ];
    for (name, custody) in cases {
        assert!(
            matches!(store.hold(&incident, &custody), Err(StoreError::Refused(_))),
            "{name}"
        );
    }
    assert!(store.list(&Filter::default()).expect("list").is_empty());
    assert!(due(&store, start()).is_empty());
}

#[test]
fn what_comes_out_is_what_went_in() {
    let place = Place::new();
    let store = place.open(Access::Seal);
    let duties = [Duty::SendOriginal, Duty::SendCopy(0)];
    let incident = incident(&TO[..2], 3);
    let custody = custody(&store, &incident, 3, &duties);
    let held = store.hold(&incident, &custody).expect("held");
    let courier = place.courier();
    let mut seen = Vec::new();
    for job in due(&courier, start()) {
        let opened = courier.open_job(&job).expect("open");
        assert_eq!(opened.envelope, incident.envelope);
        assert_eq!(opened.facts, incident.facts);
        assert_eq!(&job.incident, held.id());
        match job.kind {
            JobKind::Delivery {
                recipient: 0,
                content: Content::Original,
            } => {
                assert_eq!(opened.mail.as_ref(), Some(&custody.original));
            }
            JobKind::Delivery {
                recipient: 1,
                content: Content::Copy(0),
            } => {
                assert_eq!(opened.mail.as_ref(), Some(&custody.copies[0]));
            }
            JobKind::Notice | JobKind::Copy { .. } => assert_eq!(opened.mail, None),
            other => panic!("{other:?}"),
        }
        seen.push(job.kind);
    }
    assert_eq!(seen.len(), 3);
    assert!(
        matches!(store.read(held.id(), Content::Original), Err(StoreError::Sealed)),
        "the milter cannot read"
    );
}

#[test]
fn nobody_is_told_at_the_null_sender_or_against_notify() {
    let cases: [(&str, Option<&str>, &[&str], usize); 4] = [
        ("plain", None, &[], 1),
        ("never", None, &["NOTIFY=NEVER"], 0),
        ("failure", None, &["NOTIFY=SUCCESS,FAILURE"], 1),
        ("null sender", Some("<>"), &[], 0),
    ];
    for (name, sender, args, expected) in cases {
        let place = Place::new();
        let store = place.open(Access::Seal);
        let mut incident = incident(&TO[..1], 1);
        incident.envelope.recipients = vec![recipient(TO[0], args)];
        if let Some(raw) = sender {
            incident.envelope.sender = None;
            incident.envelope.sender_raw = raw.as_bytes().to_vec();
        }
        let custody = custody(&store, &incident, 1, &[Duty::Refuse]);
        let _held = store.hold(&incident, &custody).expect("held");
        let jobs = due(&store, start());
        let dsns = jobs
            .iter()
            .filter(|job| {
                matches!(
                    job.kind,
                    JobKind::Dsn {
                        cause: DsnCause::Rule,
                        ..
                    }
                )
            })
            .count();
        assert_eq!(dsns, expected, "{name}");
        let notices = jobs.iter().filter(|job| job.kind == JobKind::Notice).count();
        assert_eq!(notices, usize::from(sender.is_none()), "{name}");
    }
}

#[test]
fn a_record_owns_nothing_and_is_found_again() {
    let place = Place::new();
    let store = place.courier();
    let id = store.record(&incident(&TO[..2], 5)).expect("recorded");
    let shown = store.show(&id).expect("show");
    assert!(shown.recipients.is_empty() && shown.summary.expires.is_none() && !shown.summary.shredded);
    assert_eq!(due(&store, start()).len(), 1, "the notice");
    let found = store.find(&secret(5), &by("bo", start())).expect("find");
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].confidence, "certain");
    assert_eq!(found[0].places, ["gunhilds-notat.txt, text", "subject"]);
    assert!(store.find(&secret(6), &by("bo", start())).expect("find").is_empty());
}

#[test]
fn a_number_in_a_place_is_masked_before_it_is_kept() {
    let place = Place::new();
    let store = place.courier();
    let mut case = incident(&TO[..1], 5);
    case.findings[0].place = format!("{}.pdf, text", number(7));
    store.record(&case).expect("recorded");
    let found = store.find(&secret(5), &by("bo", start())).expect("find");
    assert!(found[0].places[0].ends_with(".pdf, text"), "{:?}", found[0].places);
    assert!(!found[0].places[0].contains(&number(7)[..6]));
}

#[test]
fn protected_persons_are_recognised_by_hash_alone() {
    let place = Place::new();
    let milter = place.open(Access::Seal);
    let desk = place.courier();
    assert_eq!(milter.protected(&[secret(1)]).expect("asked"), [false]);
    desk.protect(&[secret(1), secret(2)], &Default::default(), &by("bo", start()))
        .expect("added");
    assert_eq!(
        milter.protected(&[secret(1), secret(3), secret(2)]).expect("asked"),
        [true, false, true]
    );
    desk.unprotect(&[secret(2)], &by("bo", start())).expect("removed");
    assert_eq!(milter.protected(&[secret(2)]).expect("asked"), [false]);
    assert_eq!(desk.protected_count().expect("count"), 1);
}

#[test]
fn where_a_recipient_stands_since_an_earlier_try_is_known_also_to_the_next_process() {
    let place = Place::new();
    let store = place.open(Access::Seal);
    let mut incident = incident(&TO, 1);
    let duties = [Duty::Hold, Duty::Refuse];
    let custody = custody(&store, &incident, 1, &duties);
    let ask = |store: &cpr_milter::store::Store, incident: &cpr_milter::store::Incident| {
        let asked = store.earlier(&incident.envelope, &custody.key, incident.received);
        asked.expect("answered")
    };
    let nowhere = vec![None; TO.len()];
    assert_eq!(ask(&store, &incident), nowhere, "before anything is held");
    let first = store.hold(&incident, &custody).expect("held");
    let mut stands = nowhere.clone();
    stands[..2].copy_from_slice(&[Some(State::Held), Some(State::Refused)]);
    assert_eq!(ask(&store, &incident), stands);
    // A new process, two days later, another order of the recipients.
    let store = place.open(Access::Seal);
    incident.received += days(2);
    incident.envelope.recipients.reverse();
    stands.reverse();
    assert_eq!(ask(&store, &incident), stands);
    place
        .courier()
        .refuse(first.id(), &cpr_milter::store::Whom::All, &by("bo", incident.received))
        .expect("refused");
    // A reviewer's no ends it: the same mail after that is a new one. The rule's no was the first try's own answer.
    stands
        .iter_mut()
        .filter(|state| **state == Some(State::Held))
        .for_each(|state| *state = None);
    assert_eq!(ask(&store, &incident), stands);
    // A week later it is another mail.
    incident.received += days(7);
    assert_eq!(ask(&store, &incident), nowhere);
}

/// Postfix adds a Date, and beside Resent- fields Resent-Message-Id and Resent-Date, where the client left them out.
#[test]
fn a_date_that_postfix_adds_does_not_make_another_mail_of_a_retry() {
    let place = Place::new();
    let store = place.open(Access::Seal);
    let key = |queue_id: &str, headers: &str| {
        let mut incident = incident(&TO[..1], 1);
        incident.envelope.queue_id = Some(queue_id.to_owned());
        store.hold_key(&incident.envelope, format!("{headers}\r\nHej\r\n").as_bytes())
    };
    let with = |queue_id: &str, second: u32| {
        let date = format!("Mon, 23 Nov 2026 12:00:{second:02} +0100");
        [
            format!("Message-ID: <1@client>\r\nDate: {date}\r\n"),
            format!(
                "Resent-From: a@kommune.example\r\nMessage-ID: <1@client>\r\nDate: x\r\n\
                 Resent-Date: {date}\r\nResent-Message-Id: <{queue_id}@mail.kommune.example>\r\n"
            ),
        ]
    };
    let (first, second) = (with("4AAAAAAAA1", 1), with("4AAAAAAAA2", 2));
    for (a, b) in first.iter().zip(&second) {
        assert_eq!(key("4AAAAAAAA1", a), key("4AAAAAAAA2", b), "{a}");
    }
    let alone = |second: u32| {
        key(
            "4AAAAAAAA1",
            &format!("Date: Mon, 23 Nov 2026 12:00:{second:02} +0100\r\n"),
        )
    };
    assert_ne!(
        alone(1),
        alone(2),
        "without a Message-ID the date tells two mails apart"
    );
}

/// People write names into reasons; a name beside the hash is the list that nobody may read.
#[test]
fn what_is_noted_beside_a_protected_person_is_sealed() {
    let place = Place::new();
    let store = place.open(Access::Seal);
    let note = cpr_milter::store::PersonNote {
        owner: Some("gunhild@kommune.example".to_owned()),
        reason: Some("Gunhild Madsen, truet".to_owned()),
        review: None,
    };
    store.protect(&[secret(1)], &note, &by("bo", start())).expect("added");
    drop(store);
    let sql = place.sql();
    sql.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
        .expect("in one file");
    let bytes = std::fs::read(place.db()).expect("read");
    for word in ["Gunhild", "gunhild", "Madsen", "truet"] {
        assert!(memchr::memmem::find(&bytes, word.as_bytes()).is_none(), "{word}");
    }
    let (owner, reason): (Vec<u8>, Vec<u8>) = sql
        .query_row("SELECT owner, reason FROM person", [], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .expect("the note is there");
    assert!(owner.starts_with(b"age-encryption.org/") && reason.starts_with(b"age-encryption.org/"));
}
