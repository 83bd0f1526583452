//! Reviewers: release, refuse, delete, expiry, and the words on the terminal.

use crate::fixture::*;
use cpr_milter::cli::{audit, people, quarantine};
use cpr_milter::store::{
    Access, Content, Decider, DsnCause, Duty, Filter, IncidentId, JobKind, Released, State, StoreError, What, Whom,
};

fn states(store: &cpr_milter::store::Store, id: &IncidentId) -> Vec<State> {
    store
        .show(id)
        .expect("show")
        .recipients
        .iter()
        .map(|r| r.state)
        .collect()
}

#[test]
fn a_release_goes_to_those_named_and_only_once() {
    let place = Place::new();
    let store = place.courier();
    let id = held(&store, 1, &[Duty::Hold, Duty::Hold, Duty::Hold]);
    let _notice = due(&store, start());
    let bo = by("bo", start());
    let done = store
        .release(&id, &Whom::Some(vec![1]), What::Original, &bo)
        .expect("released");
    assert_eq!(done, [(1, Released::Queued)]);
    assert!(matches!(
        store.release(&id, &Whom::Some(vec![1]), What::Original, &bo),
        Err(StoreError::Refused(_))
    ));
    assert!(matches!(
        store.release(&id, &Whom::Some(vec![0, 1]), What::Original, &bo),
        Err(StoreError::Refused(_))
    ));
    assert_eq!(
        states(&store, &id),
        [State::Held, State::Sending, State::Held],
        "all or nothing"
    );
    let jobs = due(&store, start());
    assert_eq!(deliveries(&jobs), [1]);
    store.settle(&jobs[0], &sent(), start()).expect("settled");
    assert!(matches!(
        store.refuse(&id, &Whom::Some(vec![1]), &bo),
        Err(StoreError::Refused(_))
    ));
    assert!(matches!(
        store.delete(&id, &Whom::Some(vec![1]), &bo),
        Err(StoreError::Refused(_))
    ));
    store
        .release(&id, &Whom::All, What::Copy(0), &bo)
        .expect("the two others");
    let jobs = due(&store, start());
    assert_eq!(deliveries(&jobs), [0, 2]);
    let told = JobKind::Dsn {
        recipient: 1,
        cause: DsnCause::Released,
    };
    assert!(jobs.iter().all(|job| job.kind == told
        || matches!(
            job.kind,
            JobKind::Delivery {
                content: Content::Copy(0),
                ..
            }
        )));
    assert!(
        jobs.iter().any(|job| job.kind == told),
        "the sender is told of what has gone"
    );
    assert!(matches!(
        store.release(&id, &Whom::All, What::Original, &bo),
        Err(StoreError::Refused(_))
    ));
}

#[test]
fn two_people_must_agree_on_the_same_body() {
    let place = Place::new();
    let store = place.courier();
    let incident = incident(&TO[..1], 1);
    let mut custody = custody(&store, &incident, 1, &[]);
    custody.owned = vec![own(0, Duty::Hold, 2)];
    let id = store.hold(&incident, &custody).expect("held").id().clone();
    let release = |actor: &str, what: What| {
        store
            .release(&id, &Whom::All, what, &by(actor, start()))
            .expect("taken")
            .remove(0)
            .1
    };
    let one_of_two = Released::Approved { have: 1, need: 2 };
    assert_eq!(release("Bo", What::Original), one_of_two);
    for again in ["bo ", "B o", "b\u{200b}O"] {
        let done = release(again, What::Original);
        assert_eq!(done, one_of_two, "the same person twice is one person: {again:?}");
    }
    assert_eq!(release("bo", What::Original), one_of_two);
    assert_eq!(
        release("eva", What::Copy(0)),
        one_of_two,
        "another body is another question"
    );
    assert_eq!(states(&store, &id), [State::Held]);
    let agreed = store.show(&id).expect("show").recipients[0].approvals.clone();
    assert_eq!(agreed, ["bo", "eva (copy 1)"], "why two are not enough");
    assert_eq!(release("eva", What::Original), Released::Queued);
    assert_eq!(states(&store, &id), [State::Sending]);
    let late = store.release(&id, &Whom::All, What::Original, &by("ib", start()));
    assert!(matches!(late, Err(StoreError::Refused(_))));
    let late = store.release(&id, &Whom::Some(vec![0]), What::Copy(0), &by("ib", start()));
    assert!(
        matches!(late, Err(StoreError::Refused(_))),
        "not even an approval is noted"
    );
    assert_eq!(store.show(&id).expect("show").recipients[0].approvals, ["bo", "eva"]);
}

#[test]
fn a_copy_made_now_is_kept_once_and_sent() {
    let place = Place::new();
    let store = place.courier();
    let incident = incident(&TO[..1], 1);
    let mut custody = custody(&store, &incident, 1, &[]);
    custody.owned = vec![own(0, Duty::Hold, 2)];
    let id = store.hold(&incident, &custody).expect("held").id().clone();
    let bytes = b"Subject: redacted now\r\n\r\n...\r\n".to_vec();
    for actor in ["bo", "eva"] {
        store
            .release(&id, &Whom::All, What::Bytes(bytes.clone()), &by(actor, start()))
            .expect("taken");
    }
    assert_eq!(store.show(&id).expect("show").copies, 2);
    let jobs = due(&store, start());
    let delivery = jobs.iter().find(|job| job.kind != JobKind::Notice).expect("a delivery");
    assert_eq!(store.open_job(delivery).expect("open").mail, Some(bytes));
}

#[test]
fn who_decides_needs_a_name_a_reason_and_another_mail_than_their_own() {
    let place = Place::new();
    let store = place.courier();
    let id = held(&store, 1, &[Duty::Hold]);
    let own_address = format!("{SENDER_LOCAL}@kommune.example").to_uppercase();
    let blank = format!("{SENDER_LOCAL}\u{200b} ");
    for (actor, reason) in [
        ("", "x"),
        ("\u{200b}\t", "x"),
        ("bo", " "),
        ("bo", "\u{a0}"),
        (SENDER_LOCAL, "x"),
        (blank.as_str(), "x"),
        (own_address.as_str(), "x"),
    ] {
        let by = Decider {
            actor,
            reason,
            now: start(),
        };
        let result = store.release(&id, &Whom::All, What::Original, &by);
        assert!(matches!(result, Err(StoreError::Refused(_))), "{actor:?} {reason:?}");
    }
    assert_eq!(states(&store, &id), [State::Held]);
    let milter = place.open(Access::Seal);
    let blind = milter.release(&id, &Whom::All, What::Original, &by("bo", start()));
    assert!(
        matches!(blind, Err(StoreError::Sealed)),
        "whose mail it is cannot be seen without the key"
    );
    let nobody = IncidentId::parse("bcdf-ghjk-mnpq-rstv").expect("an id");
    assert!(matches!(
        store.refuse(&nobody, &Whom::All, &by("bo", start())),
        Err(StoreError::Unknown(_))
    ));
}

#[test]
fn refusing_tells_the_sender_and_deleting_shreds_when_nobody_waits_any_more() {
    let place = Place::new();
    let store = place.courier();
    let id = held(&store, 1, &[Duty::Hold, Duty::Hold, Duty::Hold]);
    let bo = by("bo", start());
    assert_eq!(store.refuse(&id, &Whom::Some(vec![0]), &bo).expect("refused"), [0]);
    assert_eq!(store.delete(&id, &Whom::Some(vec![1]), &bo).expect("deleted"), [1]);
    assert!(
        store.read(&id, Content::Original).is_ok(),
        "the third recipient still waits for it"
    );
    assert_eq!(store.delete(&id, &Whom::All, &bo).expect("deleted"), [2]);
    assert!(matches!(
        store.read(&id, Content::Original),
        Err(StoreError::Shredded(_))
    ));
    assert!(matches!(
        store.read(&id, Content::Copy(0)),
        Err(StoreError::Shredded(_))
    ));
    assert!(store.show(&id).expect("show").summary.shredded);
    let jobs = due(&store, start());
    let dsn = jobs.iter().find(|job| job.kind != JobKind::Notice).expect("a DSN");
    assert_eq!(
        dsn.kind,
        JobKind::Dsn {
            recipient: 0,
            cause: DsnCause::Reviewer
        }
    );
    assert!(store.open_job(dsn).is_ok(), "the DSN needs no content");
}

#[test]
fn what_nobody_decides_expires_with_a_dsn_and_what_is_still_owed_stays() {
    let place = Place::new();
    let store = place.courier();
    let waiting = held(&store, 1, &[Duty::Hold]);
    let owed = held(&store, 2, &[Duty::SendOriginal, Duty::Hold]);
    let early = store.expire(start() + days(13)).expect("swept");
    assert_eq!((early.expired, early.shredded), (0, 0));
    let late = start() + days(14);
    let swept = store.expire(late).expect("swept");
    assert_eq!((swept.expired, swept.shredded), (2, 1));
    assert_eq!(states(&store, &waiting), [State::Expired]);
    assert_eq!(states(&store, &owed), [State::Sending, State::Expired]);
    let jobs = due(&store, late);
    let dsns = jobs
        .iter()
        .filter(|j| {
            matches!(
                j.kind,
                JobKind::Dsn {
                    cause: DsnCause::Expired,
                    ..
                }
            )
        })
        .count();
    assert_eq!(dsns, 2);
    let delivery = jobs
        .iter()
        .find(|job| matches!(job.kind, JobKind::Delivery { .. }))
        .expect("a delivery");
    assert!(
        store.open_job(delivery).expect("open").mail.is_some(),
        "a mail that is owed is never destroyed"
    );
    store.settle(delivery, &sent(), late).expect("settled");
    let swept = store.expire(late).expect("swept");
    assert_eq!((swept.expired, swept.shredded), (0, 1));
    assert!(matches!(
        store.read(&owed, Content::Original),
        Err(StoreError::Shredded(_))
    ));
}

#[test]
fn a_purge_leaves_a_tombstone_and_takes_nothing_that_is_owed() {
    let place = Place::new();
    let store = place.courier();
    let id = held(&store, 1, &[Duty::Hold]);
    let later = start() + days(100);
    assert_eq!(store.purge(later, days(90)).expect("swept").purged, 0, "held");
    store.expire(later).expect("swept");
    assert_eq!(
        store.purge(later, days(90)).expect("swept").purged,
        0,
        "the DSN is owed"
    );
    for job in due(&store, later) {
        store.settle(&job, &sent(), later).expect("settled");
    }
    assert_eq!(store.purge(later, days(90)).expect("swept").purged, 1);
    let shown = store.show(&id).expect("show");
    assert!(shown.summary.facts.is_none() && shown.recipients[0].address.is_none());
    assert!(store.find(&secret(1), &by("bo", later)).expect("find").is_empty());
    assert!(matches!(store.verify(None), Ok(cpr_milter::store::Verified::Sound(_))));
}

#[test]
fn a_clock_that_jumps_ahead_expires_nothing_at_once() {
    // Hours from the start, and whether the clock is believed.
    let cases: [(&str, &[(i64, bool)]); 4] = [
        (
            "a year ahead and back",
            &[
                (0, true),
                (24 * 365, false),
                (24 * 365 + 5, false),
                (1, true),
                (2, true),
            ],
        ),
        (
            "off for a week",
            &[
                (0, true),
                (24 * 7, false),
                (24 * 8 - 1, false),
                (24 * 8, true),
                (24 * 8 + 1, true),
            ],
        ),
        (
            "swept once a week",
            &[
                (0, true),
                (24 * 7, false),
                (24 * 14, true),
                (24 * 21, false),
                (24 * 28, true),
            ],
        ),
        ("every hour", &[(0, true), (1, true), (2, true)]),
    ];
    for (name, sweeps) in cases {
        let place = Place::new();
        let store = place.courier();
        let id = held(&store, 1, &[Duty::Hold]);
        for (hour, believed) in sweeps {
            let swept = store.expire(start() + time::Duration::hours(*hour)).expect("swept");
            assert_eq!(swept.postponed, !believed, "{name}, hour {hour}");
            let due = *believed && *hour >= 24 * 14;
            assert_eq!(
                swept.expired > 0,
                due && states(&store, &id) == [State::Expired] && *hour == 24 * 14,
                "{name}, hour {hour}"
            );
        }
    }
}

#[test]
fn lists_filter_by_state() {
    let place = Place::new();
    let store = place.courier();
    let one = held(&store, 1, &[Duty::Hold]);
    let two = held(&store, 2, &[Duty::SendOriginal]);
    let ids = |state, limit| {
        let found = store.list(&Filter { state, limit }).expect("list");
        found.into_iter().map(|summary| summary.id).collect::<Vec<_>>()
    };
    let expected = [two, one];
    assert_eq!(ids(Some(State::Held), 0), expected[1..]);
    assert_eq!(ids(Some(State::Sending), 0), expected[..1]);
    assert_eq!(ids(None, 0), expected);
    assert_eq!(ids(None, 1), expected[..1]);
}

#[test]
fn commands_answer_in_tables_and_exit_codes() {
    let place = Place::new();
    let store = place.courier();
    let id = held(&store, 1, &[Duty::Hold, Duty::Hold]).to_string();
    let bo = by("bo", start());
    let (list, status) = quarantine::list(&store, &Filter::default());
    assert!(status == 0 && list.contains(&id) && list.contains("2 held"), "{list}");
    let (show, status) = quarantine::show(&store, &id, &bo);
    assert!(
        status == 0 && show.contains("viewed") && show.contains("outside"),
        "{show}"
    );
    assert_eq!(quarantine::release(&store, &id, &[2], What::Original, &bo).1, 0);
    assert_eq!(
        quarantine::refuse(&store, &id.replace('-', "").to_uppercase(), &[1], &bo).1,
        0
    );
    for (text, status) in [
        quarantine::delete(&store, &id, &[1], &bo),
        quarantine::delete(&store, &id, &[0], &bo),
        quarantine::delete(&store, "0101901234", &[], &bo),
        quarantine::show(&store, "bcdf-ghjk-mnpq-rstv", &bo),
    ] {
        assert_eq!(status, 2, "{text}");
        assert!(text.ends_with('\n') && !text.contains("0101901234"), "{text}");
    }
    assert_eq!(quarantine::stats(&store).1, 0);
    let milter = place.open(Access::Seal);
    assert!(
        quarantine::list(&milter, &Filter::default()).0.contains(&id),
        "also without the private key"
    );
}

#[test]
fn people_come_in_by_standard_input_and_are_never_echoed() {
    let place = Place::new();
    let store = place.courier();
    let (good, bad) = (number(1), "not-a-number-4711");
    let input = format!("\u{feff}# list\n{good}\r\n\n{bad}\n{}\n{good}\n", number(2));
    let (text, status) = people::add(&store, &mut input.as_bytes(), &Default::default(), &by("bo", start()));
    assert_eq!(status, 1);
    assert!(
        text.contains("line 4") && !text.contains(&good) && !text.contains("4711"),
        "{text}"
    );
    assert_eq!(people::count(&store), ("2 protected persons\n".to_owned(), 0));
    assert_eq!(store.protected(&[secret(1)]).expect("asked"), [true]);
    let (text, status) = people::remove(&store, &mut good.as_bytes(), &by("bo", start()));
    assert!(status == 0 && !text.contains(&good), "{text}");
    assert_eq!(people::count(&store).0, "1 protected persons\n");
    held(&store, 1, &[Duty::Hold]);
    let (text, status) = audit::find(&store, &mut good.as_bytes(), &by("bo", start()));
    assert!(status == 0 && !text.contains(&good), "{text}");
    assert_eq!(audit::find(&store, &mut number(7).as_bytes(), &by("bo", start())).1, 1);
    assert_eq!(audit::find(&store, &mut &b"x"[..], &by("bo", start())).1, 2);
}
