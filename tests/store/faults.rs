//! Faults from outside: locks, full and read-only disks, damage, newer files.

use crate::fixture::*;
use cpr_milter::store::{Access, Content, Duty, Filter, Keys, SCHEMA_VERSION, Store, StoreError};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

fn open(path: &Path, place: &Place) -> Result<Store, StoreError> {
    Store::open(path, Keys::load(&place.keys(), Access::Seal).expect("keys"))
}

#[test]
fn a_lock_held_elsewhere_is_busy_and_leaves_nothing_half_done() {
    let place = Place::new();
    let store = place.open(Access::Seal);
    let sql = place.sql();
    sql.execute_batch("BEGIN EXCLUSIVE").expect("locked");
    let case = incident(&TO[..1], 1);
    let duties = custody(&store, &case, 1, &[Duty::Hold]);
    let asked = std::time::Instant::now();
    assert!(matches!(store.hold(&case, &duties), Err(StoreError::Busy { .. })));
    assert!(
        asked.elapsed() < std::time::Duration::from_secs(15),
        "the client is waiting"
    );
    assert!(store.list(&Filter::default()).expect("reading goes on").is_empty());
    sql.execute_batch("ROLLBACK").expect("unlocked");
    assert!(
        !store.hold(&case, &duties).expect("held").again(),
        "and then all is well"
    );
}

#[test]
fn a_newer_schema_is_refused_in_one_sentence_and_left_alone() {
    let place = Place::new();
    drop(place.courier());
    place
        .sql()
        .execute("UPDATE schema_version SET version = ?1", [SCHEMA_VERSION + 1])
        .expect("changed");
    let Err(error) = open(&place.db(), &place) else {
        panic!("opened")
    };
    assert!(
        matches!(error, StoreError::Newer { found, known, .. } if found == known + 1),
        "{error}"
    );
    assert!(error.to_string().contains("newer cpr-milter"), "{error}");
}

/// Puts a file in the place of the store, as one restores a backup: without the log of the one before.
fn put(file: &Path, place: &Place) {
    for log in ["store.sqlite-wal", "store.sqlite-shm"] {
        let _ = std::fs::remove_file(place.dir.path().join(log));
    }
    std::fs::rename(file, place.db()).expect("put in place");
}

#[test]
fn a_store_deleted_under_us_takes_nothing_over_until_it_is_back() {
    let place = Place::new();
    let store = place.courier();
    let id = held(&store, 1, &[Duty::Hold]);
    let aside = place.dir.path().join("aside.sqlite");
    // A copy that is whole: main file and write-ahead log in one.
    place
        .sql()
        .execute("VACUUM INTO ?1", [aside.to_str().expect("a name")])
        .expect("copied");
    std::fs::remove_file(place.db()).expect("deleted");
    let case = incident(&TO[..1], 2);
    let duties = custody(&store, &case, 2, &[Duty::Hold]);
    for _ in 0..2 {
        let error = store.hold(&case, &duties).expect_err("held in a deleted file");
        assert!(matches!(error, StoreError::Gone { .. }), "{error}");
        assert!(store.protected(&[secret(1)]).is_err(), "unknown is not no");
    }
    assert!(!place.db().exists(), "no empty store is made in its place");
    put(&aside, &place);
    assert!(!store.hold(&case, &duties).expect("held").again());
    assert!(store.show(&id).is_ok(), "what was held before is there, too");
}

#[test]
fn a_foreign_or_older_file_put_in_the_stores_place_is_not_used() {
    let (place, other) = (Place::new(), Place::new());
    let store = place.courier();
    drop(other.courier());
    let case = incident(&TO[..1], 2);
    let duties = custody(&store, &case, 2, &[Duty::Hold]);
    let empty = place.dir.path().join("empty");
    std::fs::write(&empty, b"").expect("written");
    for file in [other.db(), empty] {
        put(&file, &place);
        assert!(store.hold(&case, &duties).is_err(), "{}", file.display());
        assert!(store.protected(&[secret(1)]).is_err(), "{}", file.display());
    }
}

#[test]
fn a_newer_schema_is_noticed_when_the_file_is_replaced_under_us() {
    let place = Place::new();
    let store = place.courier();
    let aside = place.dir.path().join("aside.sqlite");
    place
        .sql()
        .execute("VACUUM INTO ?1", [aside.to_str().expect("a name")])
        .expect("copied");
    rusqlite::Connection::open(&aside)
        .expect("open")
        .execute("UPDATE schema_version SET version = ?1", [SCHEMA_VERSION + 1])
        .expect("changed");
    put(&aside, &place);
    let error = store.list(&Filter::default()).expect_err("read under another schema");
    assert!(matches!(error, StoreError::Newer { .. }), "{error}");
}

#[test]
fn a_store_that_root_makes_belongs_to_whom_its_folder_belongs() {
    use std::os::unix::fs::MetadataExt;
    let place = Place::new();
    let folder = place.dir.path().join("var");
    std::fs::create_dir(&folder).expect("folder");
    if std::os::unix::fs::chown(&folder, Some(12_345), Some(12_346)).is_err() {
        return; // not root
    }
    let db = folder.join("store.sqlite");
    drop(open(&db, &place).expect("store"));
    let meta = std::fs::metadata(&db).expect("there");
    assert_eq!((meta.uid(), meta.gid()), (12_345, 12_346));
}

#[test]
fn what_is_no_store_of_ours_is_refused_and_left_alone() {
    let place = Place::new();
    let garbage = place.dir.path().join("garbage");
    std::fs::write(&garbage, [b'x'; 8192]).expect("written");
    let foreign = place.dir.path().join("foreign");
    rusqlite::Connection::open(&foreign)
        .expect("new")
        .execute_batch("CREATE TABLE t (x)")
        .expect("made");
    for path in [&garbage, &foreign] {
        assert!(
            matches!(open(path, &place), Err(StoreError::Corrupt { .. })),
            "{}",
            path.display()
        );
    }
    assert_eq!(std::fs::read(&garbage).expect("read"), [b'x'; 8192]);
    let missing = place.dir.path().join("no/such/store");
    let Err(error) = open(&missing, &place) else {
        panic!("opened")
    };
    assert!(error.to_string().contains("does not exist"), "{error}");
}

#[test]
fn overwritten_pages_are_an_error_never_an_empty_answer() {
    let place = Place::new();
    {
        let store = place.courier();
        store
            .protect(
                &(0..2000).map(secret).collect::<Vec<_>>(),
                &Default::default(),
                &by("bo", start()),
            )
            .expect("added");
    }
    let mut bytes = std::fs::read(place.db()).expect("read");
    let page = 4096;
    for i in (page..bytes.len()).step_by(page) {
        // The heads of all pages but the first: no tree can be walked any more.
        bytes[i..i + 64].fill(0xa5);
    }
    std::fs::write(place.db(), bytes).expect("written");
    match open(&place.db(), &place) {
        Err(StoreError::Corrupt { .. }) => {}
        Err(other) => panic!("{other}"),
        Ok(store) => assert!(matches!(store.protected(&[secret(1)]), Err(StoreError::Corrupt { .. }))),
    }
}

#[test]
fn the_file_is_for_its_owner_alone() {
    let place = Place::new();
    drop(place.courier());
    let mode = || std::fs::metadata(place.db()).expect("meta").permissions().mode() & 0o777;
    assert_eq!(mode(), 0o600);
    std::fs::set_permissions(place.db(), std::fs::Permissions::from_mode(0o666)).expect("chmod");
    let store = place.courier();
    held(&store, 1, &[Duty::Hold]);
    assert_eq!(mode() & 0o007, 0, "what was opened to the world is closed again");
    for suffix in ["-wal", "-shm"] {
        let file = format!("{}{suffix}", place.db().display());
        assert_eq!(
            std::fs::metadata(&file).expect(&file).permissions().mode() & 0o007,
            0,
            "{file}"
        );
    }
}

/// A tmpfs of that size, unmounted in the end; `None` where we may not mount.
struct Tmpfs(tempfile::TempDir);

impl Tmpfs {
    fn new(size: &str) -> Option<Tmpfs> {
        let dir = tempfile::tempdir().expect("folder");
        let args = ["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs"];
        let mounted = Command::new("mount")
            .args(args)
            .arg(dir.path())
            .output()
            .ok()?
            .status
            .success();
        if !mounted {
            eprintln!("skipped: this user may not mount a tmpfs");
        }
        mounted.then_some(Tmpfs(dir))
    }

    fn remount(&self, how: &str) {
        let done = Command::new("mount")
            .args(["-o", &format!("remount,{how}")])
            .arg(self.0.path())
            .status();
        assert!(done.expect("mount").success());
    }
}

impl Drop for Tmpfs {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.0.path()).status();
    }
}

#[test]
fn a_full_disk_is_said_so_loses_nothing_and_needs_no_restart() {
    let Some(disk) = Tmpfs::new("3m") else { return };
    let place = Place::new();
    let path = disk.0.path().join("store");
    let store = Store::open(&path, Keys::load(&place.keys(), Access::Open).expect("keys")).expect("store");
    assert!(store.free_bytes().expect("free") < 3 << 20);
    let mut taken = Vec::new();
    let refused = (0..200).find_map(|seed| {
        let case = incident(&TO[..1], seed);
        let mut duties = custody(&store, &case, seed, &[Duty::Hold]);
        duties.original.extend(vec![b'x'; 100_000]);
        match store.hold(&case, &duties) {
            Ok(held) => {
                taken.push((held.id().clone(), duties.original));
                None
            }
            Err(error) => Some((error, case, duties)),
        }
    });
    let (error, case, duties) = refused.expect("20 MB do not fit into 3");
    assert!(error.is_full(), "{error}");
    assert!(!taken.is_empty());
    assert_eq!(store.list(&Filter::default()).expect("list").len(), taken.len());
    disk.remount("size=40m");
    assert!(!store.hold(&case, &duties).expect("room again").again());
    for (id, original) in taken {
        assert_eq!(store.read(&id, Content::Original).expect("read").mail, Some(original));
    }
}

#[test]
fn a_read_only_disk_is_said_so() {
    let Some(disk) = Tmpfs::new("10m") else { return };
    let place = Place::new();
    let path = disk.0.path().join("store");
    let store = open(&path, &place).expect("store");
    let kept = held(&store, 1, &[Duty::Hold]);
    drop(store);
    disk.remount("ro");
    let Err(error) = open(&path, &place) else {
        panic!("opened")
    };
    assert!(matches!(error, StoreError::ReadOnly { .. }), "{error}");
    disk.remount("rw");
    assert_eq!(
        open(&path, &place)
            .expect("store")
            .list(&Filter::default())
            .expect("list")[0]
            .id,
        kept
    );
}
