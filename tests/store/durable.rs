//! Several processes and connections, and processes that are killed.

use crate::fixture::*;
use cpr_milter::store::{Access, Content, Duty, Filter, IncidentId, Store, Verified};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

const FOLDER: &str = "CPR_MILTER_TEST_STORE";
const FIRST: &str = "CPR_MILTER_TEST_FIRST";
const COUNT: &str = "CPR_MILTER_TEST_COUNT";
const MAILS: u32 = 40;

fn store_in(folder: &std::path::Path) -> Store {
    let keys = cpr_milter::store::Keys::load(&folder.join("keys"), Access::Open).expect("keys");
    Store::open(&folder.join("store.sqlite"), keys).expect("store")
}

/// This test program again, as another process that holds mails and prints the id of each once it is durable; `wrapper` is
/// the program and arguments to run it under.
pub fn another_process(folder: &std::path::Path, first: u32, count: u32, wrapper: &[&str]) -> Child {
    let exe = std::env::current_exe().expect("path");
    let mut command = match wrapper {
        [] => Command::new(exe),
        [program, args @ ..] => {
            let mut command = Command::new(program);
            command.args(args).arg(exe);
            command
        }
    };
    command
        .args(["--exact", "durable::holding_process", "--ignored", "--nocapture"])
        .env(FOLDER, folder)
        .env(FIRST, first.to_string())
        .env(COUNT, count.to_string())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("started")
}

#[test]
#[ignore = "run by the other tests as a process of its own"]
fn holding_process() {
    let folder = PathBuf::from(std::env::var_os(FOLDER).expect("started by another test"));
    let number = |name| {
        std::env::var(name)
            .expect("started by another test")
            .parse::<u32>()
            .expect("number")
    };
    let (first, count) = (number(FIRST), number(COUNT));
    let store = store_in(&folder);
    for seed in first..first + count {
        let id = held(&store, seed, &[Duty::Hold, Duty::SendOriginal]);
        println!("held {seed} {}", id.0);
        std::io::stdout().flush().expect("flushed");
    }
}

/// The mails that it has acknowledged so far.
pub fn said(child: &mut Child) -> impl Iterator<Item = (u32, IncidentId)> + use<> {
    let lines = BufReader::new(child.stdout.take().expect("piped")).lines();
    lines.map_while(Result::ok).filter_map(|line| {
        let mut words = line.split("held ").nth(1)?.split(' ');
        Some((words.next()?.parse().ok()?, IncidentId::parse(words.next()?)?))
    })
}

#[test]
fn what_was_acknowledged_before_kill_9_is_there_and_whole() {
    for stop_after in [1, 3, 8, 17] {
        let place = Place::new();
        let mut child = another_process(place.dir.path(), 0, MAILS, &[]);
        let acknowledged: Vec<_> = said(&mut child).take(stop_after).collect();
        child.kill().expect("killed");
        child.wait().expect("gone");
        assert_eq!(acknowledged.len(), stop_after);
        let store = place.courier();
        for (seed, id) in &acknowledged {
            assert_eq!(store.read(id, Content::Original).expect("read").mail, Some(mail(*seed)));
        }
        // At most one more was durable before its id was printed; none is half there.
        let all = store.list(&Filter::default()).expect("list");
        assert!((stop_after..=MAILS as usize).contains(&all.len()));
        assert_eq!(deliveries(&due(&store, start())).len(), all.len());
        assert!(matches!(store.verify(None), Ok(Verified::Sound(head)) if head.seq as usize == all.len() + 1));
        // The client that got no answer comes again.
        let (seed, id) = &acknowledged[0];
        assert_eq!(&held(&store, *seed, &[Duty::Hold, Duty::SendOriginal]), id);
    }
}

#[test]
fn two_processes_hold_the_same_mails_once() {
    let place = Place::new();
    drop(place.courier());
    let mut children = [
        another_process(place.dir.path(), 0, MAILS, &[]),
        another_process(place.dir.path(), MAILS / 2, MAILS, &[]),
    ];
    let mut ids: BTreeMap<u32, BTreeSet<IncidentId>> = BTreeMap::new();
    for child in &mut children {
        for (seed, id) in said(child) {
            ids.entry(seed).or_default().insert(id);
        }
    }
    for mut child in children {
        assert!(child.wait().expect("ended").success());
    }
    assert_eq!(ids.len(), (MAILS + MAILS / 2) as usize);
    assert!(ids.values().all(|same| same.len() == 1), "one hold for each mail");
    let store = place.courier();
    assert_eq!(store.list(&Filter::default()).expect("list").len(), ids.len());
    assert!(matches!(store.verify(None), Ok(Verified::Sound(_))));
}

#[test]
fn threads_with_connections_of_their_own_claim_each_entry_once() {
    let place = Place::new();
    let store = place.courier();
    for seed in 0..30 {
        held(&store, seed, &[Duty::SendOriginal, Duty::SendOriginal]);
    }
    let claim_all = || {
        let courier = place.courier();
        due(&courier, start())
            .into_iter()
            .map(|job| format!("{:?} {:?}", job.incident, job.kind))
            .collect::<Vec<_>>()
    };
    let all: Vec<String> = std::thread::scope(|scope| {
        let couriers: Vec<_> = (0..4).map(|_| scope.spawn(claim_all)).collect();
        couriers
            .into_iter()
            .flat_map(|courier| courier.join().expect("joined"))
            .collect()
    });
    assert_eq!(all.len(), 90, "60 deliveries and 30 notices");
    assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), 90);
}

#[test]
fn opening_a_new_store_from_many_sides_makes_one() {
    let place = Place::new();
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| drop(place.courier()));
        }
    });
    assert!(matches!(place.courier().verify(None), Ok(Verified::Sound(head)) if head.seq == 1));
}
