//! The audit trail: each way to tamper with it shows.

use crate::fixture::*;
use cpr_milter::cli::audit as command;
use cpr_milter::store::{Duty, Head, StoreError, Verified, What, Whom};

/// Some events; the trail has more than a dozen records then.
fn busy() -> Place {
    let place = Place::new();
    let store = place.courier();
    for seed in 0..4 {
        let id = held(&store, seed, &[Duty::Hold, Duty::Hold]);
        store
            .release(&id, &Whom::Some(vec![0]), What::Original, &by("bo", start()))
            .expect("released");
        store.refuse(&id, &Whom::All, &by("eva", start())).expect("refused");
    }
    place
}

/// What an attacker who can write the file does, and the first record that is wrong (of 13); `None`: seen by the head
/// that was written down elsewhere alone.
const TAMPERINGS: [(&str, &str, Option<i64>); 15] = [
    (
        "edited text",
        "UPDATE audit SET record = replace(record, '\"bo\"', '\"po\"') WHERE seq = 3",
        Some(3),
    ),
    (
        "text and hash replaced by another record's",
        "UPDATE audit SET record = (SELECT record FROM audit WHERE seq = 6), hash = (SELECT hash FROM audit WHERE seq = 6) WHERE seq = 3",
        Some(3),
    ),
    ("deleted in the middle", "DELETE FROM audit WHERE seq = 5", Some(5)),
    (
        "deleted in the middle and closed up",
        "DELETE FROM audit WHERE seq = 5; UPDATE audit SET seq = seq - 1 WHERE seq > 5",
        Some(5),
    ),
    ("first deleted", "DELETE FROM audit WHERE seq = 1", Some(1)),
    (
        "two swapped",
        "UPDATE audit SET seq = 900 WHERE seq = 4; UPDATE audit SET seq = 4 WHERE seq = 5; UPDATE audit SET seq = 5 WHERE seq = 900",
        Some(4),
    ),
    ("tail cut", "DELETE FROM audit WHERE seq > 11", Some(12)),
    ("all gone", "DELETE FROM audit", Some(1)),
    (
        "all gone with its head",
        "DELETE FROM audit; DELETE FROM setting WHERE name = 'audit_head'",
        Some(1),
    ),
    (
        "all gone as in a new store",
        "DELETE FROM audit; DELETE FROM setting WHERE name IN ('audit_head', 'hash_check')",
        Some(1),
    ),
    (
        "reason changed",
        "UPDATE audit SET sealed = x'00' WHERE seq = 3",
        Some(3),
    ),
    (
        "reason removed",
        "UPDATE audit SET sealed = NULL WHERE seq = 3",
        Some(3),
    ),
    (
        "moved to another incident",
        "UPDATE audit SET incident = 'bcdfghjkmnpqrstv' WHERE seq = 3",
        Some(3),
    ),
    (
        "squeezed in before the first",
        "INSERT INTO audit SELECT -1, incident, record, sealed, hash FROM audit WHERE seq = 3",
        Some(1),
    ),
    (
        "head forged",
        "UPDATE setting SET value = CAST('13 00 00' AS BLOB) WHERE name = 'audit_head'",
        Some(14),
    ),
];

fn unlocked(place: &Place) -> rusqlite::Connection {
    let sql = place.sql();
    sql.execute_batch("DROP TRIGGER audit_no_update; DROP TRIGGER audit_no_delete;")
        .expect("dropped");
    sql
}

#[test]
fn each_tampering_is_found_and_its_record_named() {
    for (name, script, first) in TAMPERINGS {
        let place = busy();
        let store = place.courier();
        let Ok(Verified::Sound(head)) = store.verify(None) else {
            panic!("{name}: not sound before")
        };
        assert_eq!(head.seq, 13, "{name}");
        unlocked(&place).execute_batch(script).expect(name);
        match store.verify(None).expect(name) {
            Verified::Bad { seq, what } => assert_eq!(Some(seq), first, "{name}: {what}"),
            Verified::Sound(_) => assert_eq!(first, None, "{name}: not seen"),
        }
        assert!(
            matches!(store.verify(Some(&head)), Ok(Verified::Bad { .. })),
            "{name}: with the head"
        );
    }
}

#[test]
fn an_edit_with_a_hash_made_to_fit_is_found_by_the_record_after_it() {
    use sha2::{Digest, Sha256};
    let place = busy();
    let sql = unlocked(&place);
    let record: String = sql
        .query_row("SELECT record FROM audit WHERE seq = 3", [], |row| row.get(0))
        .expect("record");
    let forged = record.replace("\"bo\"", "\"po\"");
    assert_ne!(record, forged);
    let hash: String = Sha256::digest(forged.as_bytes())
        .iter()
        .map(|b| format!("{b:02x}"))
        .collect();
    sql.execute("UPDATE audit SET record = ?1, hash = ?2 WHERE seq = 3", [forged, hash])
        .expect("forged");
    let found = place.courier().verify(None).expect("walked");
    assert!(matches!(found, Verified::Bad { seq: 4, .. }), "{found:?}");
}

#[test]
fn an_older_copy_of_everything_is_found_by_a_head_kept_elsewhere() {
    let place = busy();
    let old = place
        .sql()
        .query_row("SELECT value FROM setting WHERE name = 'audit_head'", [], |row| {
            row.get::<_, Vec<u8>>(0)
        });
    let old = old.expect("head");
    let store = place.courier();
    held(&store, 40, &[Duty::Hold]);
    let written = store.head().expect("head");
    let sql = unlocked(&place);
    sql.execute("DELETE FROM audit WHERE seq > 13", []).expect("cut");
    sql.execute("UPDATE setting SET value = ?1 WHERE name = 'audit_head'", [old])
        .expect("put back");
    assert!(
        matches!(store.verify(None), Ok(Verified::Sound(_))),
        "with the old head nothing is to be seen inside"
    );
    assert!(matches!(
        store.verify(Some(&written)),
        Ok(Verified::Bad { seq: 14, .. })
    ));
    // History written anew from there on does not match the head either.
    held(&store, 41, &[Duty::Hold]);
    assert!(matches!(
        store.verify(Some(&written)),
        Ok(Verified::Bad { seq: 14, .. })
    ));
}

#[test]
fn nothing_is_held_on_top_of_a_cut_trail() {
    let place = busy();
    let store = place.courier();
    unlocked(&place)
        .execute("DELETE FROM audit WHERE seq > 10", [])
        .expect("cut");
    let incident = incident(&TO[..1], 50);
    let custody = custody(&store, &incident, 50, &[Duty::Hold]);
    assert!(matches!(store.hold(&incident, &custody), Err(StoreError::Unusable(_))));
    assert_eq!(store.list(&Default::default()).expect("list").len(), 4);
    // Nor when all of it went, and a new one could begin.
    place
        .sql()
        .execute_batch("DELETE FROM audit; DELETE FROM setting WHERE name IN ('audit_head', 'hash_check')")
        .expect("cut");
    assert!(store.hold(&incident, &custody).is_err());
    let keys = cpr_milter::store::Keys::load(&place.keys(), cpr_milter::store::Access::Seal).expect("keys");
    assert!(
        cpr_milter::store::Store::open(&place.db(), keys).is_err(),
        "nor by opening it anew"
    );
}

#[test]
fn the_table_itself_refuses_edits() {
    let place = busy();
    let sql = place.sql();
    for script in ["UPDATE audit SET hash = ''", "DELETE FROM audit WHERE seq = 13"] {
        assert!(sql.execute(script, []).is_err(), "{script}");
    }
}

#[test]
fn an_export_can_be_checked_without_us() {
    use sha2::{Digest, Sha256};
    let place = busy();
    let store = place.courier();
    let mut out = Vec::new();
    assert_eq!(store.export(2, &mut out).expect("export"), 12);
    let text = String::from_utf8(out).expect("UTF-8");
    let mut prev: Option<String> = None;
    for line in text.lines() {
        let (hash, rest) = line
            .strip_prefix("{\"hash\":\"")
            .and_then(|l| l.split_once("\",\"record\":"))
            .expect("form");
        let record = rest.strip_suffix('}').expect("form");
        let digest: String = Sha256::digest(record.as_bytes())
            .iter()
            .map(|b| format!("{b:02x}"))
            .collect();
        assert_eq!(digest, hash);
        let value: serde_json::Value = serde_json::from_str(record).expect("JSON");
        if let Some(prev) = prev {
            assert_eq!(value["prev"], prev);
        }
        prev = Some(hash.to_owned());
    }
    assert_eq!(prev, Some(store.head().expect("head").hash));
}

#[test]
fn the_commands_write_a_head_and_keep_it_when_it_is_evidence() {
    let place = busy();
    let store = place.courier();
    let file = place.dir.path().join("head");
    assert_eq!(command::head(&store, &file).1, 0);
    held(&store, 60, &[Duty::Hold]);
    assert_eq!(command::verify(&store, Some(&file)).1, 0, "it may have grown since");
    let kept = std::fs::read_to_string(&file).expect("head");
    assert!(Head::parse(&kept).is_some_and(|head| head.seq == 13));
    let sql = unlocked(&place);
    sql.execute("DELETE FROM audit WHERE seq > 8", []).expect("cut");
    sql.execute("DELETE FROM setting WHERE name = 'audit_head'", [])
        .expect("forged");
    let (text, status) = command::verify(&store, Some(&file));
    assert!(status == 1 && text.contains("record 9"), "{text}");
    assert_eq!(command::head(&store, &file).1, 1);
    assert_eq!(std::fs::read_to_string(&file).expect("head"), kept, "not overwritten");
    assert_eq!(command::verify(&store, Some(&place.dir.path().join("none"))).1, 2);
}
