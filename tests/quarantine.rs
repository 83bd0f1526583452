//! `cpr-milter quarantine` as it is typed: its own process, its own configuration.

mod house;

use cpr_milter::cpr::made_up;
use cpr_milter::store::{Content, Duty};
use house::House;
use std::process::Output;

const JOURNAL: &str = "J48151623";

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

#[test]
fn a_redacted_release_loses_the_policys_own_identifiers_too() {
    let house = House::new("127.0.0.1:1");
    let cpr = made_up::hyphenated(&made_up::number(3));
    let id = house.hold(&format!("CPR {cpr}, journal {JOURNAL}."), Duty::Hold, 1);
    let output = house.quarantine(&[
        "release",
        &id.to_string(),
        "--redacted",
        "--actor",
        "bo",
        "--reason",
        "aftalt",
    ]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let opened = house.store.read(&id, Content::Copy(0)).expect("a copy");
    let copy = String::from_utf8(opened.mail.expect("mail")).expect("text");
    assert!(
        !copy.contains(&cpr) && !copy.contains(JOURNAL) && copy.contains("journal "),
        "{copy}"
    );
}

#[test]
fn the_account_that_typed_another_name_stands_in_the_trail() {
    let house = House::new("127.0.0.1:1");
    let id = house.hold("x", Duty::Hold, 2).to_string();
    for (actor, agreed) in [("bo", "1 of 2"), ("B\u{200b}o ", "1 of 2"), ("eva", "in the outbox")] {
        let output = house.quarantine(&["release", &id, "--actor", actor, "--reason", "aftalt"]);
        assert!(said(&output).contains(agreed), "{}", said(&output));
    }
    let shown = said(&house.quarantine(&["show", &id]));
    let uid = rustix::process::getuid().as_raw();
    assert_eq!(shown.matches("aftalt (typed by ").count(), 3, "{shown}");
    assert!(shown.contains(&format!("uid {uid}")), "{shown}");
}

#[test]
fn nothing_that_was_typed_is_repeated() {
    let house = House::new("127.0.0.1:1");
    let id = house.hold("x", Duty::Hold, 1).to_string();
    let number = made_up::number(3);
    let address = format!("{number}@post.example");
    for words in [
        vec!["release", &id, "--to", &number, "--reason", "aftalt"],
        vec!["refuse", &id, "--to", &address, "--reason", "aftalt"],
        vec!["release", &number, "--reason", "aftalt"],
        vec!["delete", &number, "--to", &address, "--reason", "aftalt"],
        vec!["release", &id, "--actor", "anna", "--reason", &number],
        vec!["release", &id, "--actor", "bo", "--reason", " "],
    ] {
        let output = house.quarantine(&words);
        let text = said(&output);
        assert_eq!(output.status.code(), Some(2), "{words:?} {text}");
        assert!(!text.contains(number.trim_start_matches('0')), "{text}");
        assert!(text.len() > 20 && text.ends_with('\n'), "{text}");
    }
    let reason = format!("borgeren {number} har bedt om det");
    assert_eq!(
        house
            .quarantine(&["refuse", &id, "--actor", &number, "--reason", &reason])
            .status
            .code(),
        Some(0)
    );
    let shown = said(&house.quarantine(&["show", &id]));
    assert!(shown.contains("borgeren ") && !shown.contains(&number[..6]), "{shown}");
}
