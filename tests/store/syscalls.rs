//! The kernel says no, or the process dies, at the Nth call of the way to a hold: what was acknowledged is there, nothing
//! is half there, the retry finds it. Needs `strace` (Debian package of that name); says so where it cannot run.

use crate::durable::{another_process, said};
use crate::fixture::*;
use cpr_milter::store::{Content, Duty, Filter, IncidentId, Verified};
use std::process::Command;

const DUTIES: [Duty; 2] = [Duty::Hold, Duty::SendOriginal];
const MAILS: u32 = 2;

fn can_trace() -> bool {
    let works = Command::new("strace")
        .args(["-qq", "-o", "/dev/null", "true"])
        .status()
        .is_ok_and(|s| s.success());
    if !works {
        eprintln!("skipped: strace is not there, or may not trace");
    }
    works
}

fn acknowledged_under(place: &Place, inject: &str) -> (Vec<(u32, IncidentId)>, bool) {
    let trace = "trace=fsync,fdatasync,write,pwrite64,ftruncate";
    let wrapper = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", trace, "-e", inject];
    let mut child = another_process(place.dir.path(), 0, MAILS, &wrapper);
    let acknowledged = said(&mut child).collect();
    (acknowledged, child.wait().expect("ended").success())
}

fn judge(place: &Place, acknowledged: &[(u32, IncidentId)], case: &str) {
    let store = place.courier();
    for (seed, id) in acknowledged {
        assert_eq!(
            store.read(id, Content::Original).expect(case).mail,
            Some(mail(*seed)),
            "{case}"
        );
    }
    let all = store.list(&Filter::default()).expect(case);
    assert!(all.len() >= acknowledged.len(), "{case}");
    assert!(
        all.iter()
            .all(|summary| store.read(&summary.id, Content::Copy(0)).is_ok()),
        "{case}"
    );
    assert!(
        matches!(store.verify(None), Ok(Verified::Sound(head)) if head.seq as usize == all.len() + 1),
        "{case}"
    );
    // The client comes again with every mail: each is there once, and owed once.
    for seed in 0..MAILS {
        held(&store, seed, &DUTIES);
    }
    assert_eq!(
        store.list(&Filter::default()).expect(case).len(),
        MAILS as usize,
        "{case}"
    );
    assert_eq!(deliveries(&due(&store, start())).len(), MAILS as usize, "{case}");
}

#[test]
fn each_sync_and_write_may_fail_or_be_the_last_thing_the_process_does() {
    if !can_trace() {
        return;
    }
    let faults = [
        ("fsync,fdatasync", "signal=KILL", 4),
        ("fsync,fdatasync", "error=EIO", 4),
        ("write,pwrite64", "error=ENOSPC", 40),
        ("write,pwrite64", "signal=KILL", 40),
        ("ftruncate", "error=ENOSPC", 2),
    ];
    for (calls, fault, last) in faults {
        let mut struck = 0;
        // Every one of the first few, then every third: the pages of a hold are written alike.
        for n in (1..=last).filter(|n| *n <= 6 || n % 3 == 0) {
            let place = Place::new();
            drop(place.courier());
            let (acknowledged, well) = acknowledged_under(&place, &format!("inject={calls}:{fault}:when={n}"));
            struck += usize::from(!well);
            judge(&place, &acknowledged, &format!("{calls} {fault} {n}"));
        }
        assert!(struck > 0, "{calls} {fault}: no fault ever struck");
    }
}

#[test]
fn nothing_is_acknowledged_before_it_is_synced() {
    if !can_trace() {
        return;
    }
    let place = Place::new();
    drop(place.courier());
    let log = place.dir.path().join("trace");
    let log_arg = log.display().to_string();
    let wrapper = [
        "strace",
        "-f",
        "-qq",
        "-s",
        "40",
        "-o",
        &log_arg,
        "-e",
        "trace=fsync,fdatasync,write,pwrite64",
    ];
    let mut child = another_process(place.dir.path(), 0, 5, &wrapper);
    assert_eq!(said(&mut child).count(), 5);
    child.wait().expect("ended");
    let mut synced = false;
    let mut acknowledged = 0;
    for line in std::fs::read_to_string(&log).expect("trace").lines() {
        if line.contains("sync(") && line.ends_with("= 0") {
            synced = true;
        } else if line.contains("write(1, \"held ") || line.contains("write(1, \"test durable::holding_process") {
            if line.contains("held ") {
                assert!(synced, "acknowledged without a sync: {line}");
                acknowledged += 1;
            }
            synced = false;
        } else if line.contains("write") && !line.contains("write(1,") {
            // Data of ours after the last sync: not durable yet.
            synced = false;
        }
    }
    assert_eq!(acknowledged, 5);
}
