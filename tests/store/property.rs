//! Whatever reviewers, couriers and the clock do, in any order: no recipient gets a mail twice, none is forgotten.

use crate::fixture::*;
use cpr_milter::store::{Content, Duty, Job, JobKind, Outcome, State, Store, Verified, What, Whom};
use proptest::prelude::*;
use std::collections::BTreeMap;
use time::{Duration, OffsetDateTime};

#[derive(Clone, Debug)]
enum Deed {
    Release { to: usize, actor: usize, copy: bool },
    Refuse { to: usize },
    Delete { to: usize },
    Claim,
    Settle { which: usize, how: u8 },
    Die { which: usize },
    Wait { minutes: i64 },
    Expire,
    Again,
}

fn deed() -> impl Strategy<Value = Deed> {
    prop_oneof![
        (0..3_usize, 0..3_usize, any::<bool>()).prop_map(|(to, actor, copy)| Deed::Release { to, actor, copy }),
        (0..3_usize).prop_map(|to| Deed::Refuse { to }),
        (0..3_usize).prop_map(|to| Deed::Delete { to }),
        Just(Deed::Claim),
        Just(Deed::Claim),
        (0..4_usize, 0..4_u8).prop_map(|(which, how)| Deed::Settle { which, how }),
        (0..4_usize).prop_map(|which| Deed::Die { which }),
        (1..10_000_i64).prop_map(|minutes| Deed::Wait { minutes }),
        Just(Deed::Expire),
        Just(Deed::Again),
    ]
}

fn duty() -> impl Strategy<Value = Duty> {
    prop_oneof![
        3 => Just(Duty::Hold),
        1 => Just(Duty::SendOriginal),
        1 => Just(Duty::SendCopy(0)),
        1 => Just(Duty::Refuse),
    ]
}

/// The world as an onlooker sees it: what was really delivered, and what couriers have in hand.
struct World {
    store: Store,
    now: OffsetDateTime,
    hands: Vec<(Job, OffsetDateTime)>,
    delivered: BTreeMap<usize, usize>,
    told: BTreeMap<usize, usize>,
}

const LEASE: Duration = Duration::minutes(5);

impl World {
    fn claim(&mut self) {
        if let Some(job) = self.store.claim(self.now, LEASE).expect("claim") {
            self.hands.push((job, self.now + LEASE));
        }
    }

    /// A courier acts within its lease or not at all.
    fn settle(&mut self, which: usize, how: u8) {
        if self.hands.is_empty() {
            return;
        }
        let (job, until) = self.hands.remove(which % self.hands.len());
        if self.now >= until {
            return;
        }
        let outcome = match how {
            0 => Outcome::Retry {
                reply: "451 x".to_owned(),
                at: self.now + Duration::minutes(7),
            },
            1 => Outcome::Failed {
                reply: "550 x".to_owned(),
            },
            2 => Outcome::Unknown {
                reply: "lost".to_owned(),
                at: self.now + Duration::minutes(7),
            },
            _ => sent(),
        };
        self.store.settle(&job, &outcome, self.now).expect("within the lease");
        if how > 2 {
            match job.kind {
                JobKind::Delivery { recipient, .. } => *self.delivered.entry(recipient).or_default() += 1,
                JobKind::Dsn { recipient, .. } => *self.told.entry(recipient).or_default() += 1,
                JobKind::Notice | JobKind::Copy { .. } => {}
            }
        }
    }
}

fn said_no(state: State, duty: Duty) -> bool {
    matches!(state, State::Deleted | State::Expired | State::Failed) || state == State::Refused && duty != Duty::Refuse
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn never_twice_never_lost(duties in proptest::collection::vec(duty(), 3), people in 1..3_u8, deeds in proptest::collection::vec(deed(), 0..40)) {
        let place = Place::new();
        let store = place.courier();
        let mut case = incident(&TO, 1);
        case.notify = false;
        let mut custody = custody(&store, &case, 1, &[]);
        custody.owned = duties.iter().enumerate().map(|(i, duty)| own(i, *duty, people)).collect();
        let id = store.hold(&case, &custody).expect("held").id().clone();
        let mut world = World {
            store: store.clone(), now: start(), hands: Vec::new(), delivered: BTreeMap::new(), told: BTreeMap::new(),
        };
        for deed in deeds {
            let actor = |n: usize| ["bo", "eva", "ib"][n];
            // Many of these are refused, and must change nothing then.
            match deed {
                Deed::Release { to, actor: n, copy } => {
                    let what = if copy { What::Copy(0) } else { What::Original };
                    let _ = store.release(&id, &Whom::Some(vec![to]), what, &by(actor(n), world.now));
                }
                Deed::Refuse { to } => drop(store.refuse(&id, &Whom::Some(vec![to]), &by("bo", world.now))),
                Deed::Delete { to } => drop(store.delete(&id, &Whom::Some(vec![to]), &by("bo", world.now))),
                Deed::Claim => world.claim(),
                Deed::Settle { which, how } => world.settle(which, how),
                Deed::Die { which } => if !world.hands.is_empty() { world.hands.remove(which % world.hands.len()); },
                Deed::Wait { minutes } => world.now += Duration::minutes(minutes),
                Deed::Expire => drop(store.expire(world.now).expect("swept")),
                // After a no it is no retry but a new mail (tests/store/hold.rs).
                Deed::Again => if !store.show(&id).expect("show").recipients.iter().any(|r| said_no(r.state, duties[r.index])) {
                    prop_assert!(store.hold(&case, &custody).expect("held").again());
                },
            }
            let shown = store.show(&id).expect("show");
            let owed = shown.recipients.iter().any(|r| !r.state.is_final());
            prop_assert!(!owed || store.read(&id, Content::Original).is_ok(), "content of an owed mail is gone");
        }
        // The faults stop: time runs out, couriers work without a fault.
        for day in 0..20 {
            store.expire(world.now + days(day)).expect("swept");
        }
        world.now += days(20);
        world.hands.clear();
        for _ in 0..20 {
            world.claim();
            world.settle(0, 3);
            world.now += Duration::minutes(10);
        }
        prop_assert!(store.next_due().expect("due").is_none(), "the outbox is empty");
        store.expire(world.now).expect("swept");
        for recipient in store.show(&id).expect("show").recipients {
            let got = world.delivered.get(&recipient.index).copied().unwrap_or(0);
            let told = world.told.get(&recipient.index).copied().unwrap_or(0);
            prop_assert_eq!(got, usize::from(recipient.state == State::Sent), "recipient {}: {:?}", recipient.index, recipient.state);
            prop_assert!(recipient.state.is_final());
            // What a rule sends was told of at intake; what a person lets go is told when it has gone.
            let released = recipient.state == State::Sent && duties[recipient.index] == Duty::Hold;
            let silent = matches!(recipient.state, State::Sent | State::Deleted) && !released;
            prop_assert!(told <= 1 && (!silent || told == 0) && (!released || told == 1));
        }
        prop_assert!(store.read(&id, Content::Original).is_err(), "nothing is kept for nobody");
        prop_assert!(matches!(store.verify(None), Ok(Verified::Sound(_))));
    }
}
