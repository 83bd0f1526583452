//! The gateway against a real Postfix, as stories in `tests/cases/*.yaml`. One private Postfix for all cases with the same
//! policy, one of their own for cases that stop, fill or break something.
//!
//! `CPR_CASES=03,17` plays some of them, `CPR_LAB_KEEP=1` leaves the folders, `CPR_LAB_BARE=1` plays them without the
//! milter, which proves the harness: every mail must then come as it was sent.

#[path = "postfix/judge.rs"]
mod judge;
#[path = "postfix/numbers.rs"]
mod numbers;
#[path = "postfix/play.rs"]
mod play;
#[path = "postfix/reader.rs"]
mod reader;
#[path = "postfix/search.rs"]
mod search;
#[path = "postfix/sink.rs"]
mod sink;
#[path = "postfix/smtp.rs"]
mod smtp;
#[path = "postfix/story.rs"]
mod story;
#[path = "postfix/text.rs"]
mod text;
#[path = "postfix/world.rs"]
mod world;

use std::sync::Mutex;
use story::Case;
use world::{Plan, World, root};

/// At least so many stories must be there, so that a lost folder is no success.
const STORIES: usize = 70;

/// Worlds at once: most of their time they wait for Postfix to start, stop, or try again.
const AT_ONCE: usize = 3;

#[test]
fn every_recipient_of_every_case_has_exactly_one_fate() {
    demand_postfix();
    let bare = std::env::var_os("CPR_LAB_BARE").is_some();
    let cases = Case::all(&root().join("tests/cases"));
    assert!(
        cases.len() >= STORIES || std::env::var_os("CPR_CASES").is_some(),
        "only {} cases",
        cases.len()
    );
    let mut worlds: Vec<Vec<Case>> = Vec::new();
    for case in cases.into_iter().filter(|case| !(bare && case.alone())) {
        let company = worlds
            .iter_mut()
            .find(|cases| !case.alone() && cases[0].story.policy == case.story.policy && !cases[0].alone());
        match company {
            Some(cases) => cases.push(case),
            None => worlds.push(vec![case]),
        }
    }
    let waiting = Mutex::new(worlds.into_iter());
    let failures = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                loop {
                    let Some(cases) = waiting.lock().expect("no panic under the lock").next() else {
                        return;
                    };
                    let failed = live_or_fall(cases, bare);
                    failures.lock().expect("no panic under the lock").extend(failed);
                }
            });
        }
    });
    let failures = failures.into_inner().expect("no panic under the lock");
    assert!(failures.is_empty(), "\n\n{}\n", failures.join("\n\n"));
}

/// A judge who finds everybody innocent proves nothing: here is a culprit.
#[test]
fn a_gateway_whose_milter_was_taken_out_is_found_guilty() {
    demand_postfix();
    let failures = live(
        vec![Case::read(&root().join("tests/cases/judge/unfiltered.yaml"))],
        false,
    )
    .join("\n");
    for wanted in [
        "expected Held: a copy came",
        "is still in it",
        "stands in a copy for borger",
    ] {
        assert!(
            failures.contains(wanted),
            "the judge did not say “{wanted}” but:\n{failures}"
        );
    }
}

/// A world that does not even start is one failure, and the next world has its turn.
fn live_or_fall(cases: Vec<Case>, bare: bool) -> Vec<String> {
    let names: Vec<String> = cases.iter().map(|case| case.name.clone()).collect();
    std::panic::catch_unwind(|| live(cases, bare)).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().map_or("see above", String::as_str);
        vec![format!("the world of {} fell: {text}", names.join(", "))]
    })
}

/// One world from its first day to its last; what went wrong in it.
fn live(cases: Vec<Case>, bare: bool) -> Vec<String> {
    let people = cases
        .iter()
        .flat_map(Case::protected)
        .filter_map(|number| number.written(""));
    let plan = Plan {
        policy: cases[0].story.policy.clone(),
        postfix: cases[0].story.postfix.clone(),
        small_store: cases[0].story.small_store,
        people: people.map(|number| number + "\n").collect(),
        gateway: cases[0].story.gateway,
        owners: cases[0].owners(),
        bare,
    };
    let mut world = World::start(plan);
    let mut all = Vec::new();
    for case in cases {
        let began = std::time::Instant::now();
        let played = play::play(&mut world, case);
        let word = if played.failures.is_empty() { "ok  " } else { "FAIL" };
        println!(
            "{word} {} ({:.1} s) {}",
            played.case.name,
            began.elapsed().as_secs_f32(),
            played.case.story.title
        );
        all.push(played);
    }
    let mut failures: Vec<String> = all
        .iter()
        .filter(|played| !played.failures.is_empty())
        .map(|p| {
            format!(
                "{}: {}\n  {}\n{}",
                p.case.name,
                p.case.story.title,
                p.failures.join("\n  "),
                p.transcript
            )
        })
        .collect();
    failures.extend(
        judge::last_day(&mut world, &all)
            .into_iter()
            .map(|f| format!("world {}: {f}", world.name())),
    );
    if !failures.is_empty() {
        for log in ["postfix/postfix.log", "run.log", "courier.log"] {
            println!("--- the end of {log}, world {}:\n{}", world.name(), world.log(log));
        }
    }
    failures
}

/// A missing Postfix is a failure with its remedy, never a test that was skipped.
fn demand_postfix() {
    // -d: the built-in value, for which no /etc/postfix/main.cf need be there; an install with "No configuration" has none.
    let there = std::process::Command::new("postconf")
        .args(["-d", "mail_version"])
        .output()
        .is_ok_and(|out| out.status.success());
    assert!(
        there,
        "these tests need Postfix: apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y postfix"
    );
    let root = rustix::process::geteuid().is_root();
    assert!(
        root,
        "these tests start a private Postfix, which needs root: run them as root"
    );
}
