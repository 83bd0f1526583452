//! What the courier claims and settles.

use crate::fixture::*;
use cpr_milter::store::{Access, DsnCause, Duty, JobKind, Outcome, State, StoreError, Turn};
use cpr_milter::types::Address;
use time::Duration;

const LEASE: Duration = Duration::minutes(5);

fn retry(minutes: i64) -> Outcome {
    Outcome::Retry {
        reply: "451 4.3.0 later".to_owned(),
        at: start() + Duration::minutes(minutes),
    }
}

#[test]
fn a_killed_couriers_work_is_taken_over_after_its_lease_and_not_before() {
    let place = Place::new();
    let (one, two) = (place.courier(), place.courier());
    held_delivery(&one);
    let job = one.claim(start(), LEASE).expect("claim").expect("job");
    assert!(!job.uncertain && job.attempts == 0);
    assert!(
        two.claim(start() + Duration::minutes(4), LEASE)
            .expect("claim")
            .is_none()
    );
    let taken = two
        .claim(start() + Duration::minutes(5), LEASE)
        .expect("claim")
        .expect("job");
    assert!(taken.uncertain, "the killed courier may have delivered it");
    assert_eq!(taken.attempts, 1);
    // The first one was only slow. What it did not deliver it must not settle.
    assert!(matches!(
        one.settle(&job, &retry(9), start()),
        Err(StoreError::LeaseLost)
    ));
    assert!(matches!(one.renew(&job, start(), LEASE), Err(StoreError::LeaseLost)));
    two.renew(&taken, start() + Duration::minutes(9), LEASE)
        .expect("renewed");
    assert!(
        one.claim(start() + Duration::minutes(11), LEASE)
            .expect("claim")
            .is_none()
    );
    two.settle(&taken, &sent(), start()).expect("settled");
    assert!(one.next_due().expect("due").is_none());
}

/// One delivery and nothing else in the outbox.
fn held_delivery(store: &cpr_milter::store::Store) -> cpr_milter::store::IncidentId {
    let mut incident = incident(&TO[..1], 1);
    incident.notify = false;
    let custody = custody(store, &incident, 1, &[Duty::SendOriginal]);
    store.hold(&incident, &custody).expect("held").id().clone()
}

#[test]
fn a_late_250_is_always_written_down() {
    let place = Place::new();
    let (one, two) = (place.courier(), place.courier());
    let id = held_delivery(&one);
    let slow = one.claim(start(), LEASE).expect("claim").expect("job");
    let quick = two.claim(start() + LEASE, LEASE).expect("claim").expect("job");
    one.settle(&slow, &sent(), start() + LEASE).expect("settled");
    assert_eq!(two.show(&id).expect("show").recipients[0].state, State::Sent);
    assert!(matches!(
        two.settle(&quick, &retry(1), start() + LEASE),
        Err(StoreError::LeaseLost)
    ));
    // It had delivered too: that is told, not hidden.
    two.settle(&quick, &sent(), start() + LEASE).expect("settled");
    let what: Vec<String> = two
        .show(&id)
        .expect("show")
        .timeline
        .into_iter()
        .map(|event| event.what)
        .collect();
    assert_eq!(what, ["held", "sent", "sent_again"]);
}

#[test]
fn states_follow_the_replies_and_a_permanent_failure_makes_a_dsn() {
    let place = Place::new();
    let store = place.courier();
    let id = held_delivery(&store);
    let state = || store.show(&id).expect("show").recipients[0].state;
    let lost = Outcome::Unknown {
        reply: "connection lost after the final dot".to_owned(),
        at: start() + Duration::minutes(20),
    };
    let failed = Outcome::Failed {
        reply: format!("550 5.1.1 <birthe.modtager@avis.example> unknown, id {}", number(1)),
    };
    let steps: [(i64, &Outcome, State, bool); 3] = [
        (0, &retry(10), State::Sending, false),
        (10, &lost, State::Unknown, false),
        (20, &failed, State::Failed, true),
    ];
    for (minute, outcome, expected, uncertain) in steps {
        let now = start() + Duration::minutes(minute);
        assert!(
            store.claim(now - Duration::seconds(1), LEASE).expect("claim").is_none(),
            "not before its time"
        );
        let job = store.claim(now, LEASE).expect("claim").expect("job");
        assert_eq!(job.uncertain, uncertain, "minute {minute}");
        store.settle(&job, outcome, now).expect("settled");
        assert_eq!(state(), expected, "minute {minute}");
    }
    let jobs = due(&store, start() + Duration::minutes(20));
    assert_eq!(jobs.len(), 1);
    assert_eq!(
        jobs[0].kind,
        JobKind::Dsn {
            recipient: 0,
            cause: DsnCause::NextHop
        }
    );
    let opened = store.open_job(&jobs[0]).expect("open");
    assert!(opened.reply.is_some_and(|reply| reply.starts_with("550 5.1.1 ")));
    // Without the private key the code alone is to be seen.
    let blind = place.open(Access::Seal).show(&id).expect("show");
    assert_eq!(blind.recipients[0].reply.as_deref(), Some("550 5.1.1"));
    assert_eq!(blind.recipients[0].address, None);
}

#[test]
fn a_delivery_is_never_not_needed() {
    let place = Place::new();
    let store = place.courier();
    let id = held_delivery(&store);
    let job = store.claim(start(), LEASE).expect("claim").expect("job");
    let outcome = Outcome::NotNeeded { why: "test" };
    assert!(matches!(
        store.settle(&job, &outcome, start()),
        Err(StoreError::Refused(_))
    ));
    assert_eq!(store.show(&id).expect("show").recipients[0].state, State::Sending);
    store
        .settle(&job, &sent(), start())
        .expect("the refused outcome changed nothing");
}

#[test]
fn notices_are_counted_by_the_hour_and_a_retried_one_counts_once() {
    let place = Place::new();
    let store = place.courier();
    for seed in 0..6 {
        held(&store, seed, &[Duty::Hold]);
    }
    let jobs = due(&store, start());
    assert_eq!(jobs.len(), 6);
    let sender = Address::parse(b"<Anna@kommune.example>").expect("address");
    let other = Address::parse(b"<bo@kommune.example>").expect("address");
    let ask = |i: usize, who: &Address, minute: i64| {
        store
            .may_notify(&jobs[i], who, 2, start() + Duration::minutes(minute))
            .expect("asked")
    };
    assert_eq!(ask(0, &sender, 0), Turn::Send);
    assert_eq!(ask(0, &sender, 1), Turn::Send);
    assert_eq!(ask(1, &sender, 2), Turn::Send);
    assert_eq!(ask(2, &sender, 3), Turn::Summary);
    assert_eq!(ask(3, &sender, 4), Turn::Quiet);
    assert_eq!(ask(3, &sender, 90), Turn::Quiet, "an answer stays what it was");
    assert_eq!(ask(4, &other, 5), Turn::Send);
    let none = store.may_notify(&jobs[5], &other, 0, start()).expect("asked");
    assert_eq!(none, Turn::Quiet, "0 means none at all");
}

#[test]
fn a_clock_set_back_leaves_nothing_waiting_for_the_old_time() {
    let place = Place::new();
    let store = place.courier();
    held_delivery(&store);
    let year = Duration::days(365);
    // Made and tried under a clock a year ahead of the one below.
    let job = store.claim(start(), LEASE).expect("claim").expect("job");
    store.settle(&job, &retry(60), start()).expect("settled");
    let back = start() - year;
    let again = store.claim(back, LEASE).expect("claim").expect("due a year early");
    assert_eq!(again.attempts, 1);
    assert!(store.claim(back, LEASE).expect("claim").is_none(), "its lease holds");
    // Killed with it; and the clock goes back once more.
    let taken = store
        .claim(back - year, LEASE)
        .expect("claim")
        .expect("its lease ended");
    assert!(taken.uncertain);
}

#[test]
fn notices_counted_under_a_clock_set_back_do_not_silence_a_sender() {
    let place = Place::new();
    let store = place.courier();
    for seed in 0..3 {
        held(&store, seed, &[Duty::Hold]);
    }
    let jobs = due(&store, start());
    let sender = Address::parse(b"<anna@kommune.example>").expect("address");
    let ask = |i: usize, now| store.may_notify(&jobs[i], &sender, 1, now).expect("asked");
    assert_eq!(ask(0, start()), Turn::Send);
    assert_eq!(ask(1, start()), Turn::Summary);
    assert_eq!(ask(2, start() - Duration::days(365)), Turn::Send);
}

#[test]
fn a_damaged_entry_does_not_stand_in_the_way_of_the_others() {
    let place = Place::new();
    let store = place.courier();
    held(&store, 1, &[Duty::SendOriginal]);
    place
        .sql()
        .execute("UPDATE outbox SET content = NULL WHERE kind = 'delivery'", [])
        .expect("damaged");
    let first = store.claim(start(), LEASE);
    assert!(matches!(first, Err(StoreError::Unusable(_))), "{first:?}");
    let second = store.claim(start(), LEASE).expect("claim").expect("job");
    assert_eq!(second.kind, JobKind::Notice);
}
