//! Judgements kept for replay: all of them come back, nothing of them can be read without the key, and they go in time.

use super::fixture::*;
use cpr_milter::cpr::{Confidence, IdKind};
use cpr_milter::policy::{Number, Sighting};
use cpr_milter::store::{Access, Duty, Judged, JudgedFor, Looked, Past, PersonNote, SCHEMA_VERSION, Store, StoreError};
use cpr_milter::types::{Action, Address, DoubtKind, PlaceClass};
use time::{Duration, OffsetDateTime};

const TO_ADDRESS: &str = "birthe.modtager@avis.example";

fn judged(seed: u32, received: OffsetDateTime) -> Judged {
    let number = Number {
        kind: IdKind::Cpr,
        protected: false,
        belongs_to: Vec::new(),
        sightings: vec![Sighting {
            confidence: Confidence::Certain,
            class: PlaceClass::Attachment,
            hidden: true,
            fake_redaction: false,
        }],
    };
    Judged {
        received,
        policy: "0123abcd0123abcd".to_owned(),
        sender: Address::parse(format!("{SENDER_LOCAL}@kommune.example").as_bytes()).ok(),
        login: Some("gunhild".to_owned()),
        recipients: vec![JudgedFor {
            address: Address::parse(TO_ADDRESS.as_bytes()).ok(),
            tls_enforced: true,
            action: Action::Quarantine,
            rule: Some("outside".to_owned()),
        }],
        numbers: vec![(secret(seed), number)],
        doubts: vec![DoubtKind::Encrypted],
    }
}

fn past(store: &Store, since: OffsetDateTime) -> (Vec<Past>, Looked) {
    let mut all = Vec::new();
    let mut said = 0;
    let looked = store
        .past(since, &by("dpo", start()), |count| said = count, |past| all.push(past))
        .expect("read");
    assert_eq!(said, all.len() + looked.unreadable);
    (all, looked)
}

#[test]
fn what_passed_without_a_word_comes_back_as_it_was_judged() {
    let place = Place::new();
    let milter = place.open(Access::Seal);
    let notes: Vec<Judged> = (0..5).map(|n| judged(n, start() + days(i64::from(n)))).collect();
    milter.note(&notes).expect("noted");
    let courier = place.courier();
    courier
        .protect(&[secret(3)], &PersonNote::default(), &by("dpo", start()))
        .expect("protected");
    let (all, looked) = past(&courier, start() + days(1));
    assert_eq!(
        (all.len(), looked.read, looked.unreadable, looked.without),
        (4, 4, 0, 0)
    );
    for (n, (back, sent)) in (1..).zip(all.iter().zip(notes.iter().skip(1))) {
        assert_eq!(
            (back.received, &back.policy, &back.login),
            (sent.received, &sent.policy, &sent.login)
        );
        assert_eq!(
            (&back.sender, &back.recipients, &back.doubts),
            (&sent.sender, &sent.recipients, &sent.doubts)
        );
        assert_eq!(back.numbers[0].sightings, sent.numbers[0].1.sightings);
        assert_eq!(back.numbers[0].protected, n == 3, "by the list of today");
        assert_eq!(back.incident, None);
    }
}

#[test]
fn a_hold_and_its_judgement_are_one_transaction() {
    let place = Place::new();
    let store = place.courier();
    let mut incident = incident(&TO[..1], 7);
    incident.judged = Some(judged(7, start()));
    let custody = custody(&store, &incident, 7, &[Duty::Hold]);
    let held = store.hold(&incident, &custody).expect("held");
    let (all, looked) = past(&store, start() - days(1));
    assert_eq!(all.len(), 1);
    assert_eq!(all[0].incident.as_ref(), Some(held.id()));
    assert_eq!(looked.without, 0);
    let again = store.hold(&incident, &custody).expect("held again");
    assert!(again.again());
    assert_eq!(
        past(&store, start() - days(1)).0.len(),
        1,
        "a retry is not judged twice"
    );
    store.record(&super::fixture::incident(&TO[..1], 8)).expect("recorded");
    assert_eq!(
        past(&store, start() - days(1)).1.without,
        1,
        "a record without a judgement is told"
    );
}

#[test]
fn no_address_and_no_number_of_a_judgement_is_in_any_file() {
    let place = Place::new();
    place.open(Access::Seal).note(&[judged(11, start())]).expect("noted");
    let number = number(11);
    for entry in std::fs::read_dir(place.dir.path()).expect("folder") {
        let path = entry.expect("entry").path();
        let bytes = if path.is_file() {
            std::fs::read(&path).expect("file")
        } else {
            Vec::new()
        };
        for word in [number.as_str(), SENDER_LOCAL, "modtager", "avis.example", "gunhild"] {
            assert!(
                memchr::memmem::find(&bytes, word.as_bytes()).is_none(),
                "{word} in {}",
                path.display()
            );
        }
    }
}

#[test]
fn without_the_private_key_nothing_is_read_back() {
    let place = Place::new();
    let milter = place.open(Access::Seal);
    milter.note(&[judged(1, start())]).expect("noted");
    let read = milter.past(start(), &by("dpo", start()), |_| {}, |_| panic!("read"));
    assert!(matches!(read, Err(StoreError::Sealed)));
}

#[test]
fn a_row_whose_key_is_gone_or_that_was_changed_is_counted_and_not_believed() {
    let place = Place::new();
    let store = place.courier();
    store
        .note(&[
            judged(1, start()),
            judged(2, start() + days(1)),
            judged(3, start() + days(1)),
        ])
        .expect("noted");
    let sql = place.sql();
    sql.execute("DELETE FROM judged_key WHERE n = 1", []).expect("key");
    sql.execute("UPDATE judged SET data = zeroblob(100) WHERE n = 2", [])
        .expect("row");
    let (all, looked) = past(&store, start());
    assert_eq!((all.len(), looked.unreadable), (1, 2));
}

#[test]
fn judgements_and_their_keys_go_with_the_findings() {
    let place = Place::new();
    let store = place.courier();
    store
        .note(&[judged(1, start()), judged(2, start() + days(80))])
        .expect("noted");
    store.purge(start() + days(91), days(90)).expect("purged");
    assert_eq!(past(&store, start() - days(1)).0.len(), 1);
    let left: i64 = place
        .sql()
        .query_row("SELECT count(*) FROM judged_key", [], |row| row.get(0))
        .expect("count");
    assert_eq!(left, 1);
}

#[test]
fn a_look_at_the_past_is_recorded() {
    let place = Place::new();
    let store = place.courier();
    store.note(&[judged(1, start())]).expect("noted");
    past(&store, start());
    let mut out = Vec::new();
    store.export(0, &mut out).expect("exported");
    assert!(String::from_utf8_lossy(&out).contains("\"replayed\""));
    let nobody = store.past(start(), &by(" ", start()), |_| {}, |_| panic!("read"));
    assert!(matches!(nobody, Err(StoreError::Refused(_))));
}

#[test]
fn a_store_of_the_first_schema_is_brought_up_to_date() {
    let place = Place::new();
    let id = held(&place.courier(), 5, &[Duty::Hold]);
    place
        .sql()
        .execute_batch(
            "DROP TABLE session; DROP TABLE account; DROP TABLE sign_in_failure; DROP TABLE unmasking; DROP TABLE mark;
             DROP TABLE desk; DROP INDEX recipient_rule; DROP TABLE judged; DROP TABLE judged_key; DROP TABLE number_owner;
             ALTER TABLE outbox DROP COLUMN gateway;
             UPDATE schema_version SET version = 1;",
        )
        .expect("as it was");
    let store = place.courier();
    store.note(&[judged(1, start() + Duration::hours(1))]).expect("noted");
    let (all, looked) = past(&store, start());
    assert_eq!((all.len(), looked.without), (1, 1));
    assert_eq!(store.show(&id).expect("still there").summary.id, id);
    let version: i64 = place
        .sql()
        .query_row("SELECT version FROM schema_version", [], |row| row.get(0))
        .expect("version");
    assert_eq!(version, SCHEMA_VERSION);
}
