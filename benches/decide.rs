//! What a decision costs: 200 rules, 50 recipients, 20 findings a mail, under 20 microseconds for the mail (issue 5).
//!
//! Policies of the size of a large municipality: 40 groups, each with rules of its own, exceptions in every third rule.
//! `one_department` writes to people of few groups; `everywhere` to 50 recipients of 40 different groups, so that hardly any
//! two are judged alike; `crowd` lets most rules fit everybody, which nobody writes, to show where the time goes then.

use cpr_milter::cpr::{Confidence, IdKind};
use cpr_milter::policy::{self, Answers, Facts, Number, Policy, Redaction, Sighting};
use cpr_milter::types::{Address, Envelope, PlaceClass, Recipient};
use criterion::{Criterion, criterion_group, criterion_main};
use std::fmt::Write as _;
use std::hint::black_box;
use time::Date;
use time::macros::date;

const TODAY: Date = date!(2026 - 11 - 25);
const GROUPS: usize = 40;
const RULES: usize = 200;

/// `to`: the group of rule `r`, or nothing.
fn policy(to: impl Fn(usize) -> Option<String>) -> Policy {
    let mut text =
        "version: 1\nname: P\nowner: dpo@kommune.example\ngroups:\n  inside: {domains: [kommune.example]}\n".to_owned();
    for g in 0..GROUPS {
        let _ = writeln!(
            text,
            "  g{g}: {{domains: [d{g}.example, mail.d{g}.test], addresses: [a{g}@shared.example, b{g}@shared.example]}}"
        );
    }
    text.push_str("exceptions:\n");
    for e in 0..10 {
        let when = if e % 2 == 0 {
            format!("to: g{e}, delivery: tls_enforced")
        } else {
            format!("to: g{e}, number: belongs_to_recipient")
        };
        let _ = writeln!(
            text,
            "  e{e}: {{title: T, when: {{{when}}}, owner: o@kommune.example, reason: R, expires: 2027-01-31}}"
        );
    }
    text.push_str("rules:\n");
    let found = ["cpr", "protected_person", "hidden", "fake_redaction", "cpr"];
    let places = ["", ", places: [body, attachment]", ", places: [subject]"];
    let then = ["quarantine", "reject", "redact", "warn", "log"];
    for r in 0..RULES {
        let found = found[r % found.len()];
        let sure = if found == "cpr" && r % 2 == 0 {
            ", confidence: likely"
        } else {
            ""
        };
        let to = to(r).map_or_else(String::new, |to| format!(", to: {to}"));
        let except = if r % 3 == 0 {
            format!(", except: [e{}, e{}]", r % 10, (r + 1) % 10)
        } else {
            String::new()
        };
        let _ = writeln!(
            text,
            "  - {{id: r{r}, title: T, when: {{found: {found}{sure}{}{to}}}, then: {}{except}}}",
            places[r % places.len()],
            then[(r / 7) % then.len()]
        );
    }
    let loaded = policy::load(&text, "p.yaml", TODAY, &|_| Err("none".to_owned()));
    loaded
        .unwrap_or_else(|problems| panic!("{}", policy::render(&problems, "p.yaml", &text)))
        .policy
}

fn numbers() -> Vec<Number> {
    let classes = [PlaceClass::Body, PlaceClass::Attachment, PlaceClass::FileName];
    let sighting = |i: usize| Sighting {
        confidence: [Confidence::Certain, Confidence::Likely, Confidence::Possible][i % 3],
        class: classes[i % classes.len()],
        hidden: i.is_multiple_of(7),
        fake_redaction: i.is_multiple_of(11),
    };
    let number = |i: usize| Number {
        kind: IdKind::Cpr,
        protected: i.is_multiple_of(10),
        belongs_to: if i < 5 { vec![i] } else { Vec::new() },
        sightings: vec![sighting(i)],
    };
    (0..20).map(number).collect()
}

fn envelope(domain: impl Fn(usize) -> String) -> Envelope {
    let recipient = |i: usize| {
        let raw = format!("<borger{i}@{}>", domain(i));
        Recipient {
            address: Address::parse(raw.as_bytes()).ok(),
            raw: raw.into_bytes(),
            args: Vec::new(),
        }
    };
    Envelope {
        sender: Address::parse(b"sag@kommune.example").ok(),
        recipients: (0..50).map(recipient).collect(),
        ..Envelope::default()
    }
}

fn decide(c: &mut Criterion) {
    let grouped = policy(|r| Some(format!("g{}", r % GROUPS)));
    let crowded = policy(|r| (r % 4 == 0).then(|| format!("g{}", r % GROUPS)));
    let few = envelope(|i| format!("d{}.example", i % 6));
    let many = envelope(|i| format!("post.d{}.example", i % GROUPS));
    let numbers = numbers();
    let tls: Vec<bool> = (0..50).map(|i| i % 2 == 0).collect();
    let mut group = c.benchmark_group("decide");
    for (name, policy, envelope) in [
        ("one_department", &grouped, &few),
        ("everywhere", &grouped, &many),
        ("crowd", &crowded, &many),
    ] {
        let facts = Facts {
            envelope,
            today: TODAY,
            numbers: &numbers,
            doubts: &[],
            tls_enforced: &tls,
            next_hops: &[],
            redaction: Redaction::Assumed,
            given: &Answers::offline(),
        };
        group.bench_function(name, |b| b.iter(|| black_box(policy.decide(black_box(&facts)))));
    }
    group.finish();
}

criterion_group!(benches, decide);
criterion_main!(benches);
