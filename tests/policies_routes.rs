//! What of a condition others must tell (way, owner, host), secure gateways, spot checks, and who hears of what: judged
//! through the public interface.

use cpr_milter::cpr::{Confidence, IdKind};
use cpr_milter::policy::{self, Answers, Facts, Number, Policy, Redaction, Sighting};
use cpr_milter::types::{Action, Address, Decision, Envelope, PlaceClass, Recipient};
use time::Date;
use time::macros::date;

const TODAY: Date = date!(2026 - 11 - 25);

fn policy(rest: &str) -> Policy {
    let source = format!(
        "version: 1\nname: P\nowner: dpo@k.example\ngroups:\n  inside: {{domains: [k.example]}}\n  a: {{domains: [a.example]}}\n{rest}"
    );
    let loaded = policy::load(&source, "p.yaml", TODAY, &|_| Err("none".to_owned()));
    loaded
        .unwrap_or_else(|problems| panic!("{}", policy::render(&problems, "p.yaml", &source)))
        .policy
}

fn exception(name: &str, when: &str) -> String {
    format!("  {name}: {{title: T, when: {{{when}}}, owner: o@k.example, reason: R, expires: 2027-01-31}}\n")
}

fn rule(id: &str, when: &str, then: &str) -> String {
    format!("  - {{id: {id}, title: T {id}, when: {{{when}}}, then: {then}}}\n")
}

fn numbers(count: usize, belongs_to: &[usize]) -> Vec<Number> {
    let number = Number {
        kind: IdKind::Cpr,
        protected: false,
        belongs_to: belongs_to.to_vec(),
        sightings: vec![Sighting {
            confidence: Confidence::Certain,
            class: PlaceClass::Body,
            hidden: false,
            fake_redaction: false,
        }],
    };
    vec![number; count]
}

/// For a@a.example and b@b.example.
fn decide(policy: &Policy, numbers: &[Number], tls: bool, hop: Option<&str>) -> Vec<Decision> {
    let envelope = Envelope {
        sender: Address::parse(b"sag@k.example").ok(),
        recipients: ["a@a.example", "b@b.example"]
            .map(|to| Recipient {
                raw: to.into(),
                address: Address::parse(to.as_bytes()).ok(),
                args: Vec::new(),
            })
            .to_vec(),
        ..Envelope::default()
    };
    policy.decide(&Facts {
        envelope: &envelope,
        today: TODAY,
        numbers,
        doubts: &[],
        tls_enforced: &[tls, tls],
        next_hops: &[hop.map(str::to_owned), None],
        redaction: Redaction::Assumed,
        given: &Answers::offline(),
    })
}

fn words(decisions: &[Decision]) -> Vec<&'static str> {
    decisions.iter().map(|d| d.action.word()).collect()
}

#[test]
fn ways_and_owners_are_conditions_of_rules_and_exceptions_alike_and_unknown_means_no() {
    let lifts = |when: &str| {
        policy(&format!(
            "exceptions:\n{}rules:\n{}",
            exception("e", when),
            rule("r", "found: cpr, to: outside", "quarantine, except: [e]")
        ))
    };
    let one = |owner: &[usize]| numbers(1, owner);
    let tls = lifts("delivery: tls_enforced");
    assert_eq!(words(&decide(&tls, &one(&[]), true, None)), ["deliver", "deliver"]);
    assert_eq!(
        words(&decide(&tls, &one(&[]), false, None)),
        ["quarantine", "quarantine"]
    );
    let own = lifts("number: belongs_to_recipient");
    assert_eq!(words(&decide(&own, &one(&[1]), false, None)), ["quarantine", "deliver"]);
    let hop = lifts("next_hop: [other.example, Sikker.Example]");
    assert_eq!(
        words(&decide(&hop, &one(&[]), false, Some("sikker.example"))),
        ["deliver", "quarantine"]
    );
    assert_eq!(
        words(&decide(&hop, &one(&[]), false, None)),
        ["quarantine", "quarantine"]
    );
    let few = lifts("to: outside, people: 2 or fewer");
    assert_eq!(
        words(&decide(&few, &numbers(2, &[]), false, None)),
        ["deliver", "deliver"]
    );
    assert_eq!(
        words(&decide(&few, &numbers(3, &[]), false, None)),
        ["quarantine", "quarantine"]
    );

    let rule = |when: &str| {
        policy(&format!(
            "rules:\n{}",
            rule("r", &format!("found: cpr, {when}"), "reject")
        ))
    };
    let tls = rule("delivery: tls_enforced");
    assert_eq!(words(&decide(&tls, &one(&[]), true, None)), ["reject", "reject"]);
    assert_eq!(
        words(&decide(&tls, &one(&[]), false, None)),
        ["quarantine", "quarantine"]
    );
    let own = rule("number: belongs_to_recipient");
    assert_eq!(words(&decide(&own, &one(&[0]), false, None)), ["reject", "quarantine"]);
    let hop = rule("next_hop: sikker.example");
    assert_eq!(
        words(&decide(&hop, &one(&[]), false, Some("sikker.example"))),
        ["reject", "quarantine"]
    );
}

/// Alone a rule that reroutes is weaker than the default; `rerouted` in the rule that holds lets it through.
#[test]
fn what_goes_through_a_gateway_is_lifted_where_a_rule_says_so() {
    let secure = rule("s", "found: cpr, to: a", "reroute, gateway: g");
    let hold = |except: &str| {
        rule(
            "h",
            "found: cpr, to: outside",
            &format!("quarantine, except: [{except}]"),
        )
    };
    let one = numbers(1, &[]);
    let plain = policy(&format!("rules:\n{secure}"));
    assert_eq!(words(&decide(&plain, &one, false, None)), ["quarantine", "quarantine"]);
    let without = policy(&format!("rules:\n{secure}{}", hold("")));
    assert_eq!(
        words(&decide(&without, &one, false, None)),
        ["quarantine", "quarantine"]
    );
    let with = policy(&format!("rules:\n{secure}{}", hold("rerouted")));
    let decisions = decide(&with, &one, false, None);
    assert_eq!(decisions[0].action, Action::Reroute("g".to_owned()));
    assert_eq!(decisions[0].rule.as_ref().map(|r| r.id.as_str()), Some("s"));
    assert_eq!(words(&decisions), ["reroute", "quarantine"]);
}

/// A redacted copy goes the ordinary way; what stays in it would leave without the gateway.
#[test]
fn a_copy_that_is_redacted_as_well_is_not_lifted_by_rerouted() {
    let custom = "identifiers:\n  sag: {pattern: 'J-[0-9]+'}\n";
    let rules = [
        rule("s", "found: sag, to: a", "reroute, gateway: g"),
        rule("x", "found: cpr, to: a", "redact"),
        rule(
            "h",
            "found: anything_named, to: outside",
            "quarantine, except: [rerouted, redacted]",
        ),
    ];
    let policy = policy(&format!("{custom}rules:\n{}", rules.concat()));
    let mut both = numbers(2, &[]);
    both[1].kind = IdKind::Custom("sag".to_owned());
    assert_eq!(
        words(&decide(&policy, &both[1..], false, None)),
        ["reroute", "quarantine"]
    );
    assert_eq!(
        words(&decide(&policy, &both[..1], false, None)),
        ["redact", "quarantine"]
    );
    assert_eq!(
        words(&decide(&policy, &both, false, None)),
        ["quarantine", "quarantine"]
    );
}

#[test]
fn two_gateways_for_one_copy_hold_it_whatever_the_order() {
    let (a, b) = (
        rule("ra", "found: cpr, to: a", "reroute, gateway: g1"),
        rule("rb", "found: cpr, to: outside", "reroute, gateway: g2"),
    );
    for rules in [format!("{a}{b}"), format!("{b}{a}")] {
        let policy = policy(&format!("rules:\n{rules}default: {{found_to_outside: log}}\n"));
        let decisions = decide(&policy, &numbers(1, &[]), false, None);
        assert_eq!(words(&decisions), ["quarantine", "reroute"]);
        assert_eq!(
            decisions[0].rule.as_ref().map(|r| r.id.as_str()),
            Some("gateways_differ")
        );
    }
}

#[test]
fn a_spot_check_holds_its_share_of_what_would_go_out_changed_or_excepted_and_of_nothing_else() {
    let make = |of: &str| {
        policy(&format!(
            "exceptions:\n{}rules:\n{}{}spot_check: {{percent: 7{of}}}\n",
            exception("e", "to: a"),
            rule("x", "found: cpr, to: outside", "redact, except: [e]"),
            rule("h", "found: cpr, to: outside", "quarantine, except: [e, redacted]")
        ))
    };
    let held = |policy: &Policy, index: usize| {
        let decision = &decide(policy, &numbers(1, &[]), false, None)[index];
        let all = (0..1000).map(|draw| policy.spot_checked(decision.clone(), draw));
        let held: Vec<Decision> = all.filter(|d| d.action != decision.action).collect();
        for d in &held {
            assert_eq!(d.action, Action::Quarantine);
            assert_eq!(d.told.as_ref().map(|r| r.id.as_str()), Some("spot_check"));
        }
        held.len()
    };
    let both = make("");
    assert_eq!((held(&both, 0), held(&both, 1)), (70, 70));
    let redacted = make(", of: redacted");
    assert_eq!((held(&redacted, 0), held(&redacted, 1)), (0, 70));
    let excepted = make(", of: [excepted]");
    assert_eq!((held(&excepted, 0), held(&excepted, 1)), (70, 0));
    let clean = &decide(&both, &[], false, None)[0];
    assert!(!both.may_spot_check(clean));
}

#[test]
fn those_are_told_whom_the_rules_that_decided_name() {
    let rules = [
        rule("q", "found: cpr, to: a", "quarantine, tell: [owner, it@k.example]"),
        rule("l", "found: cpr, to: outside", "log, tell: [sikkerhed@k.example]"),
        rule(
            "n",
            "found: cpr, to: outside",
            "quarantine, notice: {da: Dansk, en: English}",
        ),
    ];
    let policy = policy(&format!("rules:\n{}", rules.concat()));
    let decisions = decide(&policy, &numbers(1, &[]), false, None);
    let voice = policy.voice(&decisions[0]);
    assert!(voice.sender, "the rule n says nothing else");
    assert_eq!(voice.others, ["dpo@k.example", "it@k.example"]);
    assert!(voice.words.is_empty(), "the reason that is told is the rule q");
    let voice = policy.voice(&decisions[1]);
    assert_eq!((voice.sender, voice.others.len()), (true, 0));
    assert_eq!(voice.words.get("da").map(String::as_str), Some("Dansk"));
    let clean = decide(&policy, &[], false, None);
    assert!(!policy.voice(&clean[0]).sender);
}

/// Recipients of one group are told the same only when their copies go the same way, and their numbers are the same.
#[test]
fn those_of_one_group_are_told_apart_by_way_and_number() {
    let to = [
        "a@a.example",
        "b@a.example",
        "c@a.example",
        "d@a.example",
        "e@a.example",
    ];
    let envelope = Envelope {
        sender: Address::parse(b"sag@k.example").ok(),
        recipients: to
            .map(|to| Recipient {
                raw: to.into(),
                address: Address::parse(to.as_bytes()).ok(),
                args: Vec::new(),
            })
            .to_vec(),
        ..Envelope::default()
    };
    let rules = [
        rule("hop", "found: cpr, next_hop: Hop.example", "warn"),
        rule("tls", "found: cpr, delivery: tls_enforced", "quarantine"),
        rule("own", "found: cpr, number: belongs_to_recipient", "reject"),
    ];
    let policy = policy(&format!(
        "rules:\n{}default: {{found_to_outside: log}}\n",
        rules.concat()
    ));
    let hop = |host: &str| Some(host.to_owned());
    let decisions = policy.decide(&Facts {
        envelope: &envelope,
        today: TODAY,
        numbers: &numbers(1, &[3]),
        doubts: &[],
        tls_enforced: &[false, false, true, false, false],
        next_hops: &[None, hop("hop.EXAMPLE"), None, None, hop("other.example")],
        redaction: Redaction::Assumed,
        given: &Answers::offline(),
    });
    let words: Vec<&str> = decisions.iter().map(|d| d.action.word()).collect();
    assert_eq!(words, ["log", "warn", "quarantine", "reject", "log"]);
}

/// A redaction that fails must not open the way through the gateway that it had closed.
#[test]
fn a_redacting_rule_keeps_rerouted_from_lifting_also_when_it_fails() {
    let rules = [
        rule("g", "found: anything_named, to: a", "reroute, gateway: g"),
        rule("r", "found: cpr, number: belongs_to_recipient", "redact"),
        rule("x", "found: cpr, to: a", "reject, except: [rerouted]"),
    ];
    let policy = policy(&format!("rules:\n{}", rules.concat()));
    let mut mail = numbers(2, &[]);
    mail[0].belongs_to = vec![0];
    let envelope = Envelope {
        sender: Address::parse(b"sag@k.example").ok(),
        recipients: vec![Recipient {
            raw: "a@a.example".into(),
            address: Address::parse(b"a@a.example").ok(),
            args: Vec::new(),
        }],
        ..Envelope::default()
    };
    for redaction in [Redaction::Assumed, Redaction::Failed] {
        let decisions = policy.decide(&Facts {
            envelope: &envelope,
            today: TODAY,
            numbers: &mail,
            doubts: &[],
            tls_enforced: &[],
            next_hops: &[],
            redaction,
            given: &Answers::offline(),
        });
        assert_eq!(decisions[0].action, Action::Reject, "{redaction:?}");
    }
}

/// Either rule alone would send it; together they hold it.
#[test]
fn of_two_gateways_none_is_said_never_to_decide() {
    let rules = [
        rule("narrow", "found: cpr, to: a", "reroute, gateway: g1"),
        rule("wide", "found: cpr, to: outside", "reroute, gateway: g2"),
    ];
    let source = format!(
        "version: 1\nname: P\nowner: dpo@k.example\ngroups:\n  inside: {{domains: [k.example]}}\n  a: {{domains: [a.example]}}\nrules:\n{}",
        rules.concat()
    );
    let loaded = policy::load(&source, "p.yaml", TODAY, &|_| Err("none".to_owned())).expect("sound");
    assert!(loaded.warnings.iter().all(|w| !w.message.contains("never decides")));
    let decisions = decide(&loaded.policy, &numbers(1, &[]), false, None);
    assert_eq!(decisions[0].action, Action::Quarantine);
}

mod never_wins {
    use super::*;
    use proptest::prelude::*;

    fn rule(id: usize) -> impl Strategy<Value = String> {
        let found = prop::sample::select(vec![
            "cpr",
            "anything_named",
            "hidden",
            "fake_redaction",
            "protected_person",
        ]);
        let confidence = prop::sample::select(vec!["possible", "likely", "certain"]);
        let place = prop::sample::select(vec!["", ", places: body", ", places: [body, subject]"]);
        let people = prop::sample::select(vec!["", ", people: 1", ", people: 2 or more"]);
        let to = prop::sample::select(vec!["", ", to: outside", ", to: a", ", direction: outgoing"]);
        let way = prop::sample::select(vec!["", ", delivery: tls_enforced", ", number: belongs_to_recipient"]);
        let then = prop::sample::select(vec!["reject", "quarantine", "redact", "reroute", "warn", "log"]);
        let except = prop::sample::subsequence(vec!["own", "redacted", "rerouted"], 0..=3);
        let mode = prop::sample::select(vec!["", "", ", mode: watch"]);
        (found, confidence, place, people, to, way, then, except, mode).prop_map(
            move |(found, confidence, place, people, to, way, then, except, mode)| {
                let sure = if found == "protected_person" {
                    "possible"
                } else {
                    confidence
                };
                let allowed = |e: &&&str| match **e {
                    "redacted" => then != "redact",
                    "rerouted" => then != "redact" && then != "reroute",
                    _ => true,
                };
                let except: Vec<&str> = except.iter().filter(allowed).copied().collect();
                let gateway = if then == "reroute" { ", gateway: g" } else { "" };
                format!(
                    "  - {{id: r{id}, title: T, when: {{found: {found}, confidence: {sure}{place}{people}{to}{way}}}, \
                     then: {then}{gateway}, except: [{}]{mode}}}\n",
                    except.join(", ")
                )
            },
        )
    }

    fn number() -> impl Strategy<Value = Number> {
        let confidences = vec![Confidence::Possible, Confidence::Likely, Confidence::Certain];
        let classes = vec![PlaceClass::Body, PlaceClass::Subject, PlaceClass::Attachment];
        let flags = (any::<bool>(), any::<bool>(), any::<bool>(), any::<bool>());
        (prop::sample::select(confidences), prop::sample::select(classes), flags).prop_map(
            |(confidence, class, (hidden, fake_redaction, protected, own))| Number {
                kind: IdKind::Cpr,
                protected,
                belongs_to: if own { vec![0] } else { Vec::new() },
                sightings: vec![Sighting {
                    confidence,
                    class,
                    hidden,
                    fake_redaction,
                }],
            },
        )
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(600) })]

        /// The linter says nothing that is not so: a rule of which it says that it never decides decides nothing.
        #[test]
        fn a_rule_that_is_said_never_to_decide_decides_nothing(
            rules in (rule(0), rule(1), rule(2)).prop_map(|(a, b, c)| a + &b + &c),
            mails in prop::collection::vec(prop::collection::vec(number(), 0..3), 12), tls in any::<bool>(),
        ) {
            let source = format!(
                "version: 1\nname: P\nowner: dpo@k.example\ngroups:\n  inside: {{domains: [k.example]}}\n  a: {{domains: [a.example]}}\n\
                 exceptions:\n{}rules:\n{rules}default: {{found_to_outside: deliver}}\n",
                exception("own", "number: belongs_to_recipient"),
            );
            let loaded = policy::load(&source, "p.yaml", TODAY, &|_| Err("none".to_owned())).expect("sound");
            let said: Vec<String> = loaded
                .warnings
                .iter()
                .filter(|w| w.message.contains("never decides"))
                .filter_map(|w| Some(w.message.split('`').nth(1)?.to_owned()))
                .collect();
            for mail in &mails {
                for decision in decide(&loaded.policy, mail, tls, None) {
                    let id = decision.rule.as_ref().map(|r| r.id.clone()).unwrap_or_default();
                    prop_assert!(!said.contains(&id), "{id} decided\n{source}");
                }
            }
        }
    }
}
