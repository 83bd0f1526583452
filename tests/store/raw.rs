//! The files themselves: no number, local part or subject in them, in any of the usual codings.

use crate::fixture::*;
use base64::Engine;
use cpr_milter::store::{Access, Content, Duty, Outcome, StoreError, What, Whom};
use std::path::Path;

/// The ways in which a text could stand in a file. Base64 has three alignments; the characters that depend on the
/// neighbours are cut off.
fn codings(text: &str) -> Vec<Vec<u8>> {
    let mut forms = vec![
        text.as_bytes().to_vec(),
        text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
        text.encode_utf16().flat_map(u16::to_be_bytes).collect(),
        text.bytes().flat_map(|b| format!("{b:02x}").into_bytes()).collect(),
    ];
    for shift in 0..3 {
        let padded = [&b"xxx"[..shift], text.as_bytes()].concat();
        let encoded = base64::engine::general_purpose::STANDARD_NO_PAD.encode(&padded);
        let whole = encoded.len() - 2;
        forms.push(encoded.as_bytes()[if shift == 0 { 0 } else { 4 }..whole].to_vec());
    }
    forms
}

fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(folder).expect("folder") {
        let path = entry.expect("entry").path();
        if path.is_file() {
            all.push((path.display().to_string(), std::fs::read(&path).expect("read")));
        }
    }
    all
}

fn sightings(folder: &Path, planted: &[String]) -> Vec<String> {
    let mut seen = Vec::new();
    for (name, bytes) in files(folder) {
        for text in planted {
            for (i, form) in codings(text).into_iter().enumerate() {
                if memchr::memmem::find(&bytes, &form).is_some() {
                    seen.push(format!("{text} as {i} in {name}"));
                }
            }
        }
    }
    seen
}

#[test]
fn no_file_holds_a_planted_word_in_any_coding() {
    let place = Place::new();
    let store = place.courier();
    let mut planted = vec![SENDER_LOCAL.to_owned(), SUBJECT.to_owned(), "gunhilds-notat".to_owned()];
    planted.extend(["birthe.modtager", "carl.modtager", "dorte.modtager"].map(str::to_owned));
    for seed in 0..20 {
        planted.push(number(seed));
        let mut case = incident(&TO, seed);
        case.envelope.login = Some(SENDER_LOCAL.to_owned());
        let custody = custody(
            &store,
            &case,
            seed,
            &[Duty::Hold, Duty::SendCopy(0), Duty::SendOriginal],
        );
        let held = store.hold(&case, &custody).expect("held");
        let bo = by("bo", start());
        match seed % 3 {
            0 => drop(
                store
                    .release(held.id(), &Whom::All, What::Original, &bo)
                    .expect("released"),
            ),
            1 => drop(store.delete(held.id(), &Whom::All, &bo).expect("deleted")),
            _ => drop(store.refuse(held.id(), &Whom::All, &bo).expect("refused")),
        }
        let _searched = store.find(&secret(seed), &bo).expect("found");
        let reason = cpr_milter::store::PersonNote::default();
        store.protect(&[secret(seed)], &reason, &bo).expect("added");
    }
    for job in due(&store, start()) {
        let reply = format!("550 5.1.1 <birthe.modtager@avis.example> about {SUBJECT}");
        let failed = Outcome::Failed { reply };
        store.settle(&job, &failed, start()).expect("settled");
    }
    assert_eq!(files(place.dir.path()).len(), 3, "main file, log and its index");
    assert_eq!(sightings(place.dir.path(), &planted), [""; 0]);
    // The search does find what is there.
    let control = tempfile::tempdir().expect("folder");
    for (i, form) in codings(SUBJECT).into_iter().enumerate() {
        std::fs::write(
            control.path().join(i.to_string()),
            [b"..", form.as_slice(), b".."].concat(),
        )
        .expect("written");
    }
    assert!(sightings(control.path(), &planted).len() >= codings(SUBJECT).len());
}

#[test]
fn a_shredded_key_is_in_no_file_any_more() {
    let place = Place::new();
    let store = place.courier();
    let id = held(&store, 1, &[Duty::Hold]);
    let key: Vec<u8> = place
        .sql()
        .query_row("SELECT identity FROM message_key WHERE part = 'content'", [], |row| {
            row.get(0)
        })
        .expect("key");
    let tail = &key[key.len() - 40..];
    let in_files = || {
        files(place.dir.path())
            .iter()
            .filter(|(_, bytes)| memchr::memmem::find(bytes, tail).is_some())
            .count()
    };
    assert!(in_files() > 0);
    store.delete(&id, &Whom::All, &by("bo", start())).expect("deleted");
    assert_eq!(in_files(), 0);
    assert!(matches!(
        store.read(&id, Content::Original),
        Err(StoreError::Shredded(_))
    ));
}

#[test]
fn a_kept_blob_is_noise_without_its_key() {
    let place = Place::new();
    let store = place.courier();
    let id = held(&store, 1, &[Duty::Hold]);
    // A backup of the blobs without the keys: the row is there, the key is not.
    place
        .sql()
        .execute("DELETE FROM message_key WHERE part = 'content'", [])
        .expect("deleted");
    assert!(matches!(
        store.read(&id, Content::Original),
        Err(StoreError::Shredded(_))
    ));
    assert!(
        store.show(&id).expect("show").summary.facts.is_some(),
        "the record has a key of its own"
    );
    assert!(matches!(
        place.open(Access::Seal).read(&id, Content::Original),
        Err(StoreError::Sealed)
    ));
}

#[test]
fn what_is_stored_opens_by_the_steps_in_the_manual() {
    use std::str::FromStr;
    let place = Place::new();
    held(&place.courier(), 1, &[Duty::Hold]);
    let (identity, original): (Vec<u8>, Vec<u8>) = place
        .sql()
        .query_row(
            "SELECT k.identity, s.data FROM message_key k JOIN sealed s USING (incident, part) WHERE s.name = 'original'",
            [],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .expect("rows");
    let line = std::fs::read_to_string(place.keys().join("store.key")).expect("key");
    let store_key = age::x25519::Identity::from_str(line.trim()).expect("identity");
    let text = String::from_utf8(age::decrypt(&store_key, &identity).expect("opened")).expect("text");
    let mail_key = age::x25519::Identity::from_str(&text).expect("identity");
    assert_eq!(age::decrypt(&mail_key, &original).expect("opened"), mail(1));
}
