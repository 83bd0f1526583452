//! Accounts, sessions, unmasking: who may decide, and for how long somebody is who they said they are.

use crate::fixture::*;
use cpr_milter::store::{
    Access, Account, AccountChange, Duty, NewAccount, Released, Role, SessionId, SignIn, Store, StoreError, What, Whom,
    Wish,
};
use cpr_milter::types::Release;
use time::{Duration, OffsetDateTime};

fn account(store: &Store, name: &str, role: Role) -> Account {
    let new = NewAccount {
        name,
        role,
        mail: &[],
        unmask: true,
        password: Some("$argon2id$x"),
        second_factor: Some(b"01234567890123456789"),
    };
    store.add_account(&new, &by("root", start())).expect("account");
    store.account(name).expect("store").expect("there")
}

fn held_for(store: &Store, people: u8, by: &str) -> cpr_milter::store::IncidentId {
    let incident = incident(&TO[..1], u32::from(people) + by.len() as u32);
    let mut custody = custody(store, &incident, u32::from(people) + by.len() as u32, &[]);
    let mut owned = own(0, Duty::Hold, people);
    by.clone_into(&mut owned.release.by);
    custody.owned = vec![owned];
    store.hold(&incident, &custody).expect("held").id().clone()
}

#[test]
fn two_spellings_are_one_account_and_some_names_are_none() {
    let place = Place::new();
    let store = place.open(Access::Seal);
    account(&store, "Bo Béa", Role::Reviewer);
    let again = |name: &str| {
        let new = NewAccount {
            name,
            role: Role::Dpo,
            mail: &[],
            unmask: false,
            password: None,
            second_factor: None,
        };
        store.add_account(&new, &by("root", start()))
    };
    for name in [
        "bo béa",
        "BO\u{a0}BÉA",
        "",
        " ",
        "courier",
        "Milter",
        "timer",
        &number(3),
        "a\nb",
    ] {
        assert!(matches!(again(name), Err(StoreError::Refused(_))), "{name:?}");
    }
    assert_eq!(store.accounts().expect("accounts").len(), 1);
    assert_eq!(
        store.account("bo BÉA").expect("store").map(|a| a.role),
        Some(Role::Reviewer)
    );
    assert!(store.account("bo").expect("store").is_none());
    // Secrets: sealed, or hashed; neither in clear in the file.
    let bytes = std::fs::read(place.db()).expect("file");
    assert!(!bytes.windows(20).any(|window| window == b"01234567890123456789"));
    assert!(matches!(
        store.secrets(&store.account("bo béa").expect("store").expect("there")),
        Err(StoreError::Sealed)
    ));
    let open = place.courier();
    let bo = open.account("bo béa").expect("store").expect("there");
    let second = open.secrets(&bo).expect("opened").second_factor;
    assert_eq!(second.expect("secret").as_slice(), b"01234567890123456789");
}

#[test]
fn before_there_are_accounts_names_are_taken_on_trust_and_then_no_more() {
    let place = Place::new();
    let store = place.courier();
    let first = held_for(&store, 1, "dpo");
    assert!(
        store
            .release(&first, &Whom::All, What::Original, &by("anybody", start()))
            .is_ok()
    );
    account(&store, "dorte", Role::Dpo);
    account(&store, "rie", Role::Reviewer);
    account(&store, "eva", Role::Auditor);
    account(&store, "root", Role::Administrator);
    let second = held_for(&store, 1, "dpo-");
    for (name, may) in [
        ("anybody", false),
        ("eva", false),
        ("root", false),
        ("rie", false),
        ("Dorte", true),
    ] {
        let done = store.release(&second, &Whom::All, What::Original, &by(name, start()));
        assert_eq!(done.is_ok(), may, "{name}: {done:?}");
    }
    let third = held_for(&store, 1, "reviewer");
    for name in ["anybody", "eva", "root"] {
        let refused = store.refuse(&third, &Whom::All, &by(name, start()));
        assert!(matches!(refused, Err(StoreError::Refused(_))), "{name}");
        let deleted = store.delete(&third, &Whom::All, &by(name, start()));
        assert!(matches!(deleted, Err(StoreError::Refused(_))), "{name}");
    }
    assert!(
        store
            .release(&third, &Whom::All, What::Original, &by("rie", start()))
            .is_ok()
    );
}

#[test]
fn only_agreements_count_of_people_who_could_release_it_today() {
    let place = Place::new();
    let store = place.courier();
    for (name, role) in [
        ("dorte", Role::Dpo),
        ("erik", Role::Dpo),
        ("rie", Role::Reviewer),
        ("ib", Role::Dpo),
    ] {
        account(&store, name, role);
    }
    let id = held_for(&store, 2, "reviewer");
    let stricter = [(
        0,
        Release {
            by: "dpo".to_owned(),
            people: 2,
        },
    )];
    let release = |name: &str, today: &[(usize, Release)]| {
        let done = store.release_today(&id, &Whom::All, What::Original, &by(name, start()), today);
        done.map(|done| done[0].1)
    };
    let one_of_two = Released::Approved { have: 1, need: 2 };
    assert_eq!(release("rie", &[]).expect("reviewer"), one_of_two);
    assert!(release("rie", &stricter).is_err(), "the rule became stricter since");
    assert_eq!(
        release("dorte", &stricter).expect("dpo"),
        one_of_two,
        "a reviewer's word is not enough any more"
    );
    let leaving = AccountChange::Disabled(true);
    store
        .change_account("dorte", &leaving, &by("root", start()))
        .expect("disabled");
    assert_eq!(release("erik", &stricter).expect("dpo"), one_of_two, "dorte has left");
    assert_eq!(release("ib", &stricter).expect("dpo"), Released::Queued);
}

#[test]
fn a_session_ends_by_idleness_by_age_by_hand_and_with_its_account() {
    let place = Place::new();
    let store = place.courier();
    let bo = account(&store, "bo", Role::Reviewer);
    let idle = Duration::minutes(30);
    let begin = |secret: &[u8], at: OffsetDateTime| {
        let id = SessionId::of(secret);
        let ends = at + Duration::hours(10);
        store
            .begin_session(&bo, &id, SignIn::TwoFactors, (at, ends))
            .expect("session");
        id
    };
    let goes_on = |id: &SessionId, at: OffsetDateTime| store.session(id, at, idle).expect("store").is_some();
    let id = begin(b"one", start());
    assert!(!goes_on(&SessionId::of(b"two"), start()));
    let mut now = start();
    while now < start() + Duration::hours(10) - Duration::minutes(20) {
        assert!(goes_on(&id, now));
        now += Duration::minutes(20);
    }
    assert!(
        !goes_on(&id, start() + Duration::hours(10)),
        "used all day, and over all the same"
    );
    let id = begin(b"three", now);
    assert!(!goes_on(&id, now + Duration::minutes(31)), "nobody used it");
    let id = begin(b"four", now);
    store.end_session(&id, "bo", now).expect("ended");
    assert!(!goes_on(&id, now));
    for change in [
        AccountChange::Password("$argon2id$y"),
        AccountChange::SecondFactor(None),
        AccountChange::Role(Role::Dpo),
        AccountChange::SignedOut,
    ] {
        let id = begin(now.unix_timestamp_nanos().to_string().as_bytes(), now);
        assert!(goes_on(&id, now));
        store.change_account("bo", &change, &by("root", now)).expect("changed");
        assert!(!goes_on(&id, now));
        now += Duration::seconds(1);
    }
    let id = begin(b"last", now);
    store
        .change_account("bo", &AccountChange::Disabled(true), &by("root", now))
        .expect("disabled");
    assert!(!goes_on(&id, now));
    let text = String::from_utf8_lossy(&std::fs::read(place.db()).expect("file")).into_owned();
    assert!(!text.contains("three"), "what the browser holds is not in the file");
}

#[test]
fn a_code_is_used_once_and_failures_are_forgotten_after_a_quarter_of_an_hour() {
    let place = Place::new();
    let store = place.courier();
    let bo = account(&store, "bo", Role::Reviewer);
    assert!(store.spend_code(&bo, 100).expect("store"));
    for step in [100, 99] {
        assert!(!store.spend_code(&bo, step).expect("store"), "{step}");
    }
    assert!(store.spend_code(&bo, 101).expect("store"));
    // Names that nobody has do not fill the trail up, however many are tried.
    for n in 0..600 {
        store
            .sign_in_failed(&format!("guess {n}"), "wrong", start() - Duration::hours(1))
            .expect("counted");
    }
    let trail = store.trail(None, 1000).expect("trail");
    assert_eq!(trail.iter().filter(|line| line.what == "sign_in_failed").count(), 500);
    for name in ["bo", "nobody"] {
        for n in 0..5 {
            assert!(!store.locked_out(name, start()).expect("store"), "{name} {n}");
            store.sign_in_failed(name, "wrong", start()).expect("counted");
        }
        assert!(store.locked_out(name, start()).expect("store"));
        assert!(
            store
                .locked_out(&name.to_uppercase(), start() + Duration::minutes(14))
                .expect("store")
        );
        assert!(!store.locked_out(name, start() + Duration::minutes(15)).expect("store"));
    }
}

#[test]
fn what_is_masked_is_shown_for_minutes_to_one_person_and_a_second_one_must_agree_where_two_release() {
    let place = Place::new();
    let store = place.courier();
    let (bo, eva) = (account(&store, "bo", Role::Reviewer), account(&store, "eva", Role::Dpo));
    let minutes = Duration::minutes(10);
    let granted = |id, who: &Account, at| {
        let all = store.unmaskings(id, at).expect("store");
        all.iter().any(|wish| wish.person == who.person && wish.until.is_some())
    };
    let one = held_for(&store, 1, "reviewer");
    let wish = store.ask_unmask(&one, &bo, minutes, &by("bo", start())).expect("asked");
    assert_eq!(wish, Wish::Granted(start() + minutes));
    assert!(granted(&one, &bo, start() + Duration::minutes(9)) && !granted(&one, &eva, start()));
    assert!(!granted(&one, &bo, start() + minutes));
    let two = held_for(&store, 2, "dpo");
    assert_eq!(
        store.ask_unmask(&two, &bo, minutes, &by("bo", start())).expect("asked"),
        Wish::Waits
    );
    assert!(!granted(&two, &bo, start()));
    let n = store.unmaskings(&two, start()).expect("store")[0].n;
    assert!(
        store.agree_unmask(&two, n, &bo, minutes, &by("bo", start())).is_err(),
        "not to oneself"
    );
    assert!(
        store.agree_unmask(&one, n, &eva, minutes, &by("eva", start())).is_err(),
        "of another mail"
    );
    let late = start() + Duration::hours(9);
    assert!(
        store.agree_unmask(&two, n, &eva, minutes, &by("eva", late)).is_err(),
        "of this morning"
    );
    store
        .agree_unmask(&two, n, &eva, minutes, &by("eva", start()))
        .expect("agreed");
    assert!(granted(&two, &bo, start()) && !granted(&two, &eva, start()));
    store.end_unmask(&two, &bo).expect("ended");
    assert!(!granted(&two, &bo, start()));
    let empty = cpr_milter::store::Decider {
        reason: " ",
        ..by("bo", start())
    };
    assert!(
        store.ask_unmask(&one, &bo, minutes, &empty).is_err(),
        "without a reason"
    );
    let auditor = account(&store, "ida", Role::Auditor);
    assert!(store.ask_unmask(&one, &auditor, minutes, &by("ida", start())).is_err());
    let own = account(&store, SENDER_LOCAL, Role::Dpo);
    assert!(
        store
            .ask_unmask(&one, &own, minutes, &by(SENDER_LOCAL, start()))
            .is_err(),
        "own mail"
    );
}

#[test]
fn a_store_from_before_the_console_is_brought_up_to_date_with_what_is_in_it() {
    let place = Place::new();
    let store = place.courier();
    let id = held(&store, 1, &[Duty::Hold]);
    drop(store);
    place
        .sql()
        .execute_batch(
            "DROP TABLE session; DROP TABLE account; DROP TABLE sign_in_failure; DROP TABLE unmasking; DROP TABLE mark;
             DROP TABLE desk; DROP INDEX recipient_rule; UPDATE schema_version SET version = 3;",
        )
        .expect("as before");
    let store = place.courier();
    assert!(!store.has_accounts().expect("store"));
    assert_eq!(store.unmarked(10).expect("store"), std::slice::from_ref(&id));
    assert!(
        store
            .release(&id, &Whom::All, What::Original, &by("bo", start()))
            .is_ok()
    );
}
