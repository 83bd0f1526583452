//! `policy replay`: what a policy would have done with past mail, counted from what was judged then.

use cpr_milter::cpr::{Confidence, IdKind, Secret, made_up};
use cpr_milter::policy::{Number, Sighting};
use cpr_milter::store::{Access, Judged, JudgedFor, Keys, Store};
use cpr_milter::types::{Action, Address, DoubtKind, PlaceClass};
use serde_json::Value;
use std::path::PathBuf;
use std::process::{Command, Output};
use time::{Duration, OffsetDateTime};

const POLICY: &str = "
version: 1
name: P
owner: dpo@k.example
groups:
  inside: {domains: [k.example]}
  media: {domains: [avis.example]}
rules:
  - {id: outside, title: T, when: {found: cpr, confidence: likely, to: outside}, then: quarantine}
...
";

struct House(tempfile::TempDir);

impl House {
    fn new() -> House {
        let house = House(tempfile::tempdir().expect("folder"));
        std::fs::create_dir(house.path("keys")).expect("folder");
        Keys::create(&house.path("keys")).expect("keys");
        std::fs::write(house.path("old.yaml"), POLICY).expect("policy");
        let config = "policy: old.yaml\nlisten: inet:127.0.0.1:10025\nreinject: 127.0.0.1:10026\nstore: store.sqlite\nkeys: keys\n";
        std::fs::write(house.path("config.yaml"), config).expect("config");
        house
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn store(&self) -> Store {
        Store::open(
            &self.path("store.sqlite"),
            Keys::load(&self.path("keys"), Access::Seal).expect("keys"),
        )
        .expect("store")
    }

    fn policy(&self, name: &str, further: &str) {
        std::fs::write(self.path(name), POLICY.replace("...\n", &format!("{further}...\n"))).expect("policy");
    }

    fn run(&self, words: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cpr-milter"));
        command.current_dir(self.0.path()).arg("policy").args(words);
        command.args(["--config", "config.yaml", "--actor", "dpo"]);
        command.output().expect("the program runs")
    }

    fn json(&self, words: &[&str], status: i32) -> Value {
        let output = self.run(&[words, &["--format", "json"]].concat());
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert_eq!(
            output.status.code(),
            Some(status),
            "{said}{}",
            String::from_utf8_lossy(&output.stderr)
        );
        serde_json::from_str(&said).expect("JSON")
    }
}

fn judged(to: &str, confidence: Confidence, action: Action, rule: Option<&str>) -> Judged {
    let number = Number {
        kind: IdKind::Cpr,
        protected: false,
        belongs_to: Vec::new(),
        sightings: vec![Sighting {
            confidence,
            class: PlaceClass::Body,
            hidden: false,
            fake_redaction: false,
        }],
    };
    Judged {
        received: OffsetDateTime::now_utc() - Duration::days(3),
        policy: "0".repeat(16),
        sender: Address::parse(b"gunhild@k.example").ok(),
        login: None,
        recipients: vec![JudgedFor {
            address: Address::parse(to.as_bytes()).ok(),
            tls_enforced: false,
            action,
            rule: rule.map(str::to_owned),
        }],
        numbers: vec![(Secret::new(made_up::number(4)), number)],
        doubts: Vec::new(),
    }
}

fn past() -> Vec<Judged> {
    let held = |to| judged(to, Confidence::Certain, Action::Quarantine, Some("outside"));
    let mut old = held("a@avis.example");
    old.received -= Duration::days(40);
    let mut unread = judged("d@post.example", Confidence::Certain, Action::Log, Some("default"));
    unread.numbers.clear();
    unread.doubts = vec![DoubtKind::Encrypted];
    vec![
        held("a@avis.example"),
        held("b@avis.example"),
        held("c@post.example"),
        judged("d@post.example", Confidence::Possible, Action::Log, Some("default")),
        judged("kollega@k.example", Confidence::Certain, Action::Log, Some("default")),
        unread,
        old,
    ]
}

#[test]
fn what_would_have_been_different_is_counted_by_rule_with_masked_examples() {
    let house = House::new();
    house.store().note(&past()).expect("noted");
    let same = house.json(&["replay"], 0);
    assert_eq!(
        (&same["mails"], &same["changed_mails"]),
        (&6.into(), &0.into()),
        "{same:#}"
    );
    house.policy(
        "new.yaml",
        "  - {id: media, title: M, when: {found: cpr, to: media}, then: reject}\n  - {id: locked, title: L, when: {found: unscannable, why: [encrypted], to: outside}, then: quarantine}\n",
    );
    let new = house.json(&["replay", "--policy", "new.yaml"], 1);
    assert_eq!(new["changed_mails"], 3, "{new:#}");
    let first = &new["changes"][0];
    assert_eq!(
        first["was"],
        serde_json::json!({"action": "quarantine", "rule": "outside"})
    );
    assert_eq!(first["now"], serde_json::json!({"action": "reject", "rule": "media"}));
    assert_eq!((&first["mails"], &first["recipients"]), (&2.into(), &2.into()));
    assert_eq!(first["examples"][0]["from"], "g…@k.example");
    assert_eq!(new["changes"][1]["now"]["rule"], "locked");
    let all = new.to_string();
    assert!(!all.contains("gunhild") && !all.contains(&made_up::number(4)), "{all}");
    assert!(new["cannot_know"].as_array().is_some_and(|lines| lines.len() >= 6));

    let output = house.run(&["replay", "--policy", "new.yaml"]);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(
        text.contains("6 mails to 6 recipients of the last 30 days: 3 mails would have been different."),
        "{text}"
    );
    assert!(text.contains("quarantine  outside  reject      media"), "{text}");
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    assert!(output.stderr.is_empty(), "no progress bar but on a terminal");
}

#[test]
fn the_window_is_as_long_as_was_asked_for() {
    let house = House::new();
    house.store().note(&past()).expect("noted");
    assert_eq!(house.json(&["replay", "--days", "60"], 0)["mails"], 7);
    assert_eq!(house.json(&["replay", "--days", "1"], 0)["mails"], 0);
}

#[test]
fn diff_with_replay_compares_the_two_policies_and_not_what_was_done() {
    let house = House::new();
    let mut past = past();
    // Done by a policy that nobody has any more.
    past[0].recipients[0].action = Action::Warn;
    house.store().note(&past).expect("noted");
    house.policy(
        "new.yaml",
        "  - {id: media, title: M, when: {found: cpr, to: media}, then: reject}\n",
    );
    let value = house.json(&["diff", "old.yaml", "new.yaml", "--replay"], 1);
    assert_eq!(value["replay"]["changed_mails"], 2, "{value:#}");
    assert_eq!(value["replay"]["changes"].as_array().map(Vec::len), Some(1));
    assert!(
        value["sentences"][0].as_str().is_some_and(|s| s.contains(" to media")),
        "{value:#}"
    );
    assert_eq!(
        house.json(&["diff", "old.yaml", "old.yaml", "--replay"], 0)["replay"]["mails"],
        6
    );
    let same = house.run(&["diff", "old.yaml", "old.yaml"]);
    assert_eq!(same.status.code(), Some(0));
    assert!(String::from_utf8_lossy(&same.stdout).starts_with("No difference: "));
    house.policy("broken.yaml", "  - {id: media}\n");
    assert_eq!(house.run(&["diff", "old.yaml", "broken.yaml"]).status.code(), Some(2));
}

#[test]
fn a_redaction_that_failed_then_is_no_difference_now() {
    let house = House::new();
    let redact = "  - {id: blur, title: B, when: {found: cpr, to: outside}, then: redact}\n";
    let text = POLICY.replace("then: quarantine}", "then: log}");
    std::fs::write(house.path("old.yaml"), text.replace("...\n", &format!("{redact}...\n"))).expect("policy");
    let held = judged(
        "a@avis.example",
        Confidence::Certain,
        Action::Quarantine,
        Some("redaction_failed"),
    );
    house.store().note(&[held]).expect("noted");
    assert_eq!(house.json(&["replay"], 0)["mails"], 1);
}

/// Where mail is handed to is not stored: what the administrator declares today counts.
#[test]
fn next_hops_of_today_count_for_past_mails() {
    let house = House::new();
    house.store().note(&past()).expect("noted");
    house.policy(
        "new.yaml",
        "  - {id: hop, title: H, when: {found: cpr, next_hop: sikker.example}, then: reject}\n",
    );
    assert_eq!(house.json(&["replay", "--policy", "new.yaml"], 0)["changed_mails"], 0);
    let config = std::fs::read_to_string(house.path("config.yaml")).expect("config");
    std::fs::write(
        house.path("config.yaml"),
        config + "next_hops: {sikker.example: [avis.example]}\n",
    )
    .expect("config");
    let new = house.json(&["replay", "--policy", "new.yaml"], 1);
    assert_eq!(new["changed_mails"], 2, "{new:#}");
    assert_eq!(new["changes"][0]["now"]["rule"], "hop");
}

/// One that was drawn then is not a difference, as long as the policy takes samples of such mails.
#[test]
fn a_mail_held_in_a_sample_is_no_difference() {
    let house = House::new();
    house
        .store()
        .note(&[judged(
            "a@avis.example",
            Confidence::Certain,
            Action::Quarantine,
            Some("spot_check"),
        )])
        .expect("noted");
    let redact = POLICY.replace("then: quarantine}", "then: redact}");
    std::fs::write(house.path("plain.yaml"), &redact).expect("policy");
    std::fs::write(
        house.path("drawn.yaml"),
        redact.replace("rules:", "spot_check: {percent: 5}\nrules:"),
    )
    .expect("policy");
    assert_eq!(house.json(&["replay", "--policy", "plain.yaml"], 1)["changed_mails"], 1);
    assert_eq!(house.json(&["replay", "--policy", "drawn.yaml"], 0)["changed_mails"], 0);
}

/// `cargo test --release --test policies_replay -- --ignored --nocapture` says how long 100,000 mails take.
#[test]
#[ignore = "a measurement"]
fn a_hundred_thousand_mails_take_seconds() {
    let house = House::new();
    let store = house.store();
    for _ in 0..200 {
        let batch: Vec<Judged> = (0..500)
            .map(|i| {
                judged(
                    &format!("p{i}@{}.example", ["avis", "post", "k"][i % 3]),
                    Confidence::Certain,
                    Action::Log,
                    None,
                )
            })
            .collect();
        store.note(&batch).expect("noted");
    }
    let begun = std::time::Instant::now();
    let value = house.json(&["replay"], 1);
    println!("{} mails in {:?}", value["mails"], begun.elapsed());
    assert_eq!(value["mails"], 100_000);
}
