//! Key files: made once, checked each time.

use crate::fixture::*;
use cpr_milter::cli::keys as command;
use cpr_milter::store::{Access, Content, Duty, Keys, Store, StoreError};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

fn chmod(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("chmod");
}

#[test]
fn keys_are_made_once_with_safe_modes_and_never_overwritten() {
    let dir = tempfile::tempdir().expect("folder");
    assert_eq!(command::init(dir.path()).1, 0);
    let read = || ["store.pub", "store.key", "hash.key"].map(|name| fs::read(dir.path().join(name)).expect(name));
    let first = read();
    assert_eq!(
        fs::metadata(dir.path().join("store.key"))
            .expect("meta")
            .permissions()
            .mode()
            & 0o777,
        0o600
    );
    assert_eq!(
        fs::metadata(dir.path().join("hash.key"))
            .expect("meta")
            .permissions()
            .mode()
            & 0o007,
        0
    );
    assert_eq!(command::init(dir.path()).1, 0);
    assert_eq!(first, read());
    fs::remove_file(dir.path().join("store.key")).expect("removed");
    let (text, status) = command::init(dir.path());
    assert!(status == 2 && text.contains("only some"), "{text}");
    assert!(!dir.path().join("store.key").exists());
}

#[test]
fn each_fault_of_a_key_file_is_one_sentence_with_a_remedy() {
    type Harm = fn(&Path);
    let cases: [(&str, &str, Harm); 9] = [
        ("store.pub", "is missing", |p| fs::remove_file(p).expect("removed")),
        ("hash.key", "is missing", |p| fs::remove_file(p).expect("removed")),
        ("store.key", "is missing", |p| fs::remove_file(p).expect("removed")),
        ("store.key", "others", |p| chmod(p, 0o640)),
        ("hash.key", "others", |p| chmod(p, 0o644)),
        ("store.pub", "others", |p| chmod(p, 0o666)),
        ("store.pub", "no age recipient", |p| {
            fs::write(p, "age1garbled\n").expect("written")
        }),
        ("hash.key", "64 hexadecimal digits", |p| {
            fs::write(p, [0xff; 64]).expect("written")
        }),
        ("store.key", "no age identity", |p| fs::write(p, "").expect("written")),
    ];
    for (name, words, harm) in cases {
        let place = Place::new();
        let path = place.keys().join(name);
        harm(&path);
        let Err(error) = Keys::load(&place.keys(), Access::Open) else {
            panic!("{name} {words}: loaded")
        };
        let text = error.to_string();
        assert!(matches!(error, StoreError::Key { .. }), "{text}");
        assert!(
            text.contains(words) && text.contains(name) && text.contains(';'),
            "{text}"
        );
        let milter = Keys::load(&place.keys(), Access::Seal);
        assert_eq!(
            milter.is_ok(),
            name == "store.key",
            "{name}: the milter needs no private key"
        );
    }
}

#[test]
fn a_foreign_private_key_does_not_pass_for_ours() {
    let (place, other) = (Place::new(), Place::new());
    fs::copy(other.keys().join("store.key"), place.keys().join("store.key")).expect("copied");
    let Err(error) = Keys::load(&place.keys(), Access::Open) else {
        panic!("loaded")
    };
    assert!(error.to_string().contains("does not belong to store.pub"), "{error}");
}

#[test]
fn another_hash_key_is_noticed_before_a_protected_person_is_missed() {
    let (place, other) = (Place::new(), Place::new());
    drop(place.courier());
    fs::copy(other.keys().join("hash.key"), place.keys().join("hash.key")).expect("copied");
    let keys = Keys::load(&place.keys(), Access::Seal).expect("keys");
    let Err(error) = Store::open(&place.db(), keys) else {
        panic!("opened")
    };
    assert!(error.to_string().contains("hash.key"), "{error}");
}

#[test]
fn what_was_held_under_another_store_key_says_so_and_the_rest_is_readable() {
    let (place, other) = (Place::new(), Place::new());
    let old = held(&place.courier(), 1, &[Duty::Hold]);
    for name in ["store.pub", "store.key"] {
        fs::copy(other.keys().join(name), place.keys().join(name)).expect("copied");
    }
    let store = place.courier();
    let new = held(&store, 2, &[Duty::Hold]);
    assert_eq!(store.read(&new, Content::Original).expect("read").mail, Some(mail(2)));
    let Err(error) = store.read(&old, Content::Original) else {
        panic!("opened")
    };
    assert!(error.to_string().contains("another key"), "{error}");
    assert_eq!(
        store.list(&Default::default()).expect("list").len(),
        2,
        "the list still works"
    );
}

#[test]
fn a_key_file_of_another_user_is_refused() {
    let place = Place::new();
    let path = place.keys().join("store.pub");
    if std::os::unix::fs::chown(&path, Some(12345), None).is_err() {
        eprintln!("skipped: this user may not give files away");
        return;
    }
    let Err(error) = Keys::load(&place.keys(), Access::Seal) else {
        panic!("loaded")
    };
    assert!(error.to_string().contains("belongs to another user"), "{error}");
}

#[test]
fn age_keygen_comments_are_fine() {
    let place = Place::new();
    let path = place.keys().join("store.key");
    let line = fs::read_to_string(&path).expect("read");
    fs::write(
        &path,
        format!("# created: 2026-11-23T12:00:00Z\n# public key: age1…\n{line}"),
    )
    .expect("written");
    assert!(Keys::load(&place.keys(), Access::Open).is_ok());
}

#[test]
fn the_folder_is_made_and_one_in_a_missing_folder_is_not() {
    let dir = tempfile::tempdir().expect("folder");
    let keys = dir.path().join("keys");
    Keys::create(&keys).expect("made");
    assert!(Keys::load(&keys, Access::Open).is_ok());
    let error = Keys::create(&dir.path().join("etc/keys")).expect_err("a typing mistake");
    assert!(error.to_string().contains("make the folder"), "{error}");
    assert!(!dir.path().join("etc").exists());
}
