//! What every policy promises, whatever its rules are: the strictest wins, the order of rules means nothing, a further rule
//! never loosens, an exception lifts numbers and not mails and nothing once it has expired, and nobody's outcome depends
//! on who else gets the mail. Policies, mails and recipients are drawn at random and judged through the public interface.

use cpr_milter::cpr::{Confidence, IdKind};
use cpr_milter::policy::{self, Facts, Number, Policy, Redaction, Sighting};
use cpr_milter::types::{Action, Address, Decision, DoubtKind, Envelope, PlaceClass, Recipient};
use proptest::prelude::*;
use time::Date;
use time::macros::date;

const TODAY: Date = date!(2026 - 11 - 25);
const CONFIDENCES: [Confidence; 3] = [Confidence::Possible, Confidence::Likely, Confidence::Certain];
/// One recipient of each kind that the groups below tell apart.
const PEOPLE: [&str; 4] = [
    "a@partner.example",
    "b@avis.example",
    "c@post.example",
    "d@kommune.example",
];

#[derive(Clone, Debug)]
struct Rule {
    found: &'static str,
    confidence: Option<&'static str>,
    people: usize,
    to: Option<&'static str>,
    then: &'static str,
    except: Vec<&'static str>,
    watch: bool,
}

impl Rule {
    fn yaml(&self, id: usize) -> String {
        let mut when = format!("found: {}", self.found);
        if let Some(confidence) = self.confidence.filter(|_| self.found != "protected_person") {
            when += &format!(", confidence: {confidence}");
        }
        if self.people > 0 {
            when += &format!(", people: {} or more", self.people);
        }
        if let Some(to) = self.to {
            when += &format!(", to: {to}");
        }
        let except: Vec<&str> = self
            .except
            .iter()
            .copied()
            .filter(|e| *e != "redacted" || self.then != "redact")
            .collect();
        let watch = if self.watch { "\n    mode: watch" } else { "" };
        format!(
            "  - id: r{id}\n    title: T{id}\n    when: {{{when}}}\n    then: {}\n    except: [{}]{watch}\n",
            self.then,
            except.join(", ")
        )
    }
}

fn rule() -> impl Strategy<Value = Rule> {
    let found = prop::sample::select(vec![
        "cpr",
        "protected_person",
        "hidden",
        "fake_redaction",
        "anything_named",
    ]);
    let confidence = prop::option::of(prop::sample::select(vec!["possible", "likely", "certain"]));
    let to = prop::option::of(prop::sample::select(vec!["outside", "partners", "media", "inside"]));
    let then = prop::sample::select(vec!["reject", "quarantine", "redact", "warn", "log"]);
    let except = prop::sample::subsequence(vec!["own", "partner", "old", "redacted"], 0..=4);
    let watch = prop::bool::weighted(0.15);
    (found, confidence, 0usize..4, to, then, except, watch).prop_map(
        |(found, confidence, people, to, then, except, watch)| Rule {
            found,
            confidence,
            people,
            to,
            then,
            except,
            watch,
        },
    )
}

fn number() -> impl Strategy<Value = Number> {
    let sighting = (0usize..3, any::<bool>(), any::<bool>()).prop_map(|(c, hidden, fake_redaction)| Sighting {
        confidence: CONFIDENCES[c],
        class: PlaceClass::Body,
        hidden,
        fake_redaction,
    });
    let belongs_to = prop::sample::subsequence(vec![0usize, 1, 2, 3], 0..=2);
    let sightings = prop::collection::vec(sighting, 1..3);
    (prop::bool::weighted(0.25), belongs_to, sightings).prop_map(|(protected, belongs_to, sightings)| Number {
        kind: IdKind::Cpr,
        protected,
        belongs_to,
        sightings,
    })
}

/// Exceptions of each kind: by number, by recipient, and one that has expired.
fn policy(rules: &[Rule], default: &str) -> Policy {
    let exception = |name: &str, when: &str, expires: &str| {
        format!("  {name}: {{title: T, when: {{{when}}}, owner: o@kommune.example, reason: R, expires: {expires}}}\n")
    };
    let rules: String = rules.iter().enumerate().map(|(id, rule)| rule.yaml(id)).collect();
    let source = format!(
        "version: 1\nname: P\nowner: dpo@kommune.example\n\
         groups:\n  inside: {{domains: [kommune.example]}}\n  partners: {{domains: [partner.example]}}\n  media: {{domains: [avis.example]}}\n\
         exceptions:\n{}{}{}{}\n{default}",
        exception("own", "number: belongs_to_recipient", "2026-11-25"),
        exception("partner", "to: partners, delivery: tls_enforced", "2027-01-31"),
        exception("old", "to: outside", "2026-11-24"),
        if rules.is_empty() {
            "rules: []\n".to_owned()
        } else {
            format!("rules:\n{rules}")
        },
    );
    let loaded = policy::load(&source, "p.yaml", TODAY, &|_| Err("none".to_owned()));
    loaded
        .unwrap_or_else(|problems| panic!("{}", policy::render(&problems, "p.yaml", &source)))
        .policy
}

fn decide(policy: &Policy, numbers: &[Number], doubts: &[DoubtKind], redaction: Redaction) -> Vec<Decision> {
    let envelope = Envelope {
        sender: Address::parse(b"sag@kommune.example").ok(),
        recipients: PEOPLE
            .iter()
            .map(|to| Recipient {
                raw: to.as_bytes().to_vec(),
                address: Address::parse(to.as_bytes()).ok(),
                args: Vec::new(),
            })
            .collect(),
        ..Envelope::default()
    };
    policy.decide(&Facts {
        envelope: &envelope,
        today: TODAY,
        numbers,
        doubts,
        tls_enforced: &[true, false, false, false],
        next_hops: &[],
        redaction,
    })
}

fn actions(decisions: &[Decision]) -> Vec<Action> {
    decisions.iter().map(|d| d.action.clone()).collect()
}

/// A default that says nothing: then a rule's own effect can be seen.
const SILENT: &str = "default: {found_to_outside: deliver, found_to_inside: deliver, unscannable_to_outside: deliver, malformed_to_outside: deliver}\n";
const SHIPPED: &str = "";

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(192) })]

    #[test]
    fn every_recipient_has_one_decision_and_it_is_the_strictest_of_all_that_matched(
        rules in prop::collection::vec(rule(), 0..6), numbers in prop::collection::vec(number(), 0..4),
    ) {
        let decisions = decide(&policy(&rules, SHIPPED), &numbers, &[], Redaction::Assumed);
        prop_assert_eq!(decisions.iter().map(|d| d.recipient).collect::<Vec<_>>(), [0, 1, 2, 3]);
        for decision in &decisions {
            let strictest = decision.matched.iter().filter(|m| !m.watch).map(|m| m.action.clone()).max();
            prop_assert_eq!(&decision.action, &strictest.unwrap_or(Action::Deliver));
            prop_assert_eq!(decision.rule.is_some(), decision.action != Action::Deliver);
        }
    }

    /// A hold told with the reason of a milder rule would say that somebody in the mail is protected.
    #[test]
    fn the_reason_that_a_sender_is_told_would_have_done_the_same_by_itself(
        rules in prop::collection::vec(rule(), 0..6), numbers in prop::collection::vec(number(), 0..4),
    ) {
        for decision in decide(&policy(&rules, SHIPPED), &numbers, &[], Redaction::Assumed) {
            let Some(told) = &decision.told else {
                prop_assert_eq!(decision.action, Action::Deliver);
                continue;
            };
            let number = told.id.strip_prefix('r').and_then(|n| n.parse::<usize>().ok());
            match number.and_then(|n| rules.get(n)) {
                Some(rule) => {
                    prop_assert!(rule.found != "protected_person");
                    let spoke = decision.matched.iter().find(|m| m.rule.id == told.id);
                    prop_assert_eq!(spoke.map(|m| &m.action), Some(&decision.action));
                }
                None => prop_assert!(["default", "redaction_failed"].contains(&told.id.as_str()), "{}", told.id),
            }
        }
    }

    #[test]
    fn the_order_of_rules_means_nothing(
        (rules, shuffled) in prop::collection::vec(rule(), 2..6).prop_flat_map(|r| (Just(r.clone()), Just(r).prop_shuffle())),
        numbers in prop::collection::vec(number(), 0..4), failed in any::<bool>(),
    ) {
        let redaction = if failed { Redaction::Failed } else { Redaction::Assumed };
        let one = decide(&policy(&rules, SHIPPED), &numbers, &[], redaction);
        let other = decide(&policy(&shuffled, SHIPPED), &numbers, &[], redaction);
        prop_assert_eq!(actions(&one), actions(&other));
        for (a, b) in one.iter().zip(&other) {
            prop_assert_eq!(&a.redact, &b.redact);
            prop_assert_eq!((&a.release.by, a.release.people), (&b.release.by, b.release.people));
        }
    }

    /// Except by what is written in the new rule itself for all to see: its exceptions, and that it redacts.
    #[test]
    fn a_further_rule_never_loosens(
        rules in prop::collection::vec(rule(), 0..5), mut further in rule(),
        numbers in prop::collection::vec(number(), 0..4), shipped in any::<bool>(),
    ) {
        further.except.clear();
        if further.then == "redact" {
            further.then = "reject";
        }
        let default = if shipped { SHIPPED } else { SILENT };
        let before = decide(&policy(&rules, default), &numbers, &[], Redaction::Assumed);
        let more: Vec<Rule> = rules.into_iter().chain([further]).collect();
        let after = decide(&policy(&more, default), &numbers, &[], Redaction::Assumed);
        for (a, b) in actions(&before).iter().zip(&actions(&after)) {
            prop_assert!(b >= a, "{a:?} became {b:?}");
        }
    }

    /// Where `default` is silent and no rule is lifted by `redacted`, a rule that redacts or has exceptions cannot either.
    #[test]
    fn a_further_rule_with_exceptions_lifts_from_no_other_rule(
        mut rules in prop::collection::vec(rule(), 0..5), further in rule(), numbers in prop::collection::vec(number(), 0..4),
    ) {
        for rule in &mut rules {
            rule.except.retain(|e| *e != "redacted");
        }
        let before = decide(&policy(&rules, SILENT), &numbers, &[], Redaction::Assumed);
        let more: Vec<Rule> = rules.into_iter().chain([further]).collect();
        let after = decide(&policy(&more, SILENT), &numbers, &[], Redaction::Assumed);
        for (a, b) in actions(&before).iter().zip(&actions(&after)) {
            prop_assert!(b >= a, "{a:?} became {b:?}");
        }
    }

    #[test]
    fn a_failed_redaction_never_lets_out_what_a_redaction_would_have_cleaned(
        rules in prop::collection::vec(rule(), 0..6), numbers in prop::collection::vec(number(), 0..4),
    ) {
        let policy = policy(&rules, SHIPPED);
        let hoped = decide(&policy, &numbers, &[], Redaction::Assumed);
        let failed = decide(&policy, &numbers, &[], Redaction::Failed);
        for (a, b) in hoped.iter().zip(&failed) {
            prop_assert!(b.action >= a.action);
            prop_assert!(b.action != Action::Redact);
            prop_assert!(a.action != Action::Redact || b.action >= Action::Quarantine);
        }
    }

    #[test]
    fn an_expired_exception_lifts_nothing(
        rules in prop::collection::vec(rule(), 0..6), numbers in prop::collection::vec(number(), 0..4),
    ) {
        let without: Vec<Rule> = rules.iter().cloned().map(|mut r| { r.except.retain(|e| *e != "old"); r }).collect();
        let one = decide(&policy(&rules, SHIPPED), &numbers, &[], Redaction::Assumed);
        let other = decide(&policy(&without, SHIPPED), &numbers, &[], Redaction::Assumed);
        prop_assert_eq!(actions(&one), actions(&other));
        prop_assert!(one.iter().flat_map(|d| &d.lifted).all(|l| l.exception != "old"));
    }

    #[test]
    fn an_exception_for_own_numbers_lifts_those_and_no_other(
        rules in prop::collection::vec(rule(), 1..6), numbers in prop::collection::vec(number(), 1..4),
    ) {
        for decision in decide(&policy(&rules, SHIPPED), &numbers, &[], Redaction::Assumed) {
            for lifted in decision.lifted.iter().filter(|l| l.exception == "own") {
                prop_assert!(numbers[lifted.number].belongs_to.contains(&decision.recipient));
            }
            for lifted in decision.lifted.iter().filter(|l| l.exception == "partner") {
                prop_assert_eq!((decision.recipient, &lifted.exception), (0, &"partner".to_owned()));
            }
        }
    }

    /// A number of somebody else in the same mail counts as if it stood alone: what one exception lifts takes nothing with it.
    #[test]
    fn another_number_in_the_mail_never_loosens(
        rules in prop::collection::vec(rule(), 0..6), numbers in prop::collection::vec(number(), 1..4), further in number(),
    ) {
        // A list long enough for a strict rule, once redacted by another one, is no longer one: thresholds aside.
        let rules: Vec<Rule> = rules.into_iter().map(|mut r| { r.people = 0; r }).collect();
        let policy = policy(&rules, SHIPPED);
        let before = decide(&policy, &numbers, &[], Redaction::Assumed);
        let more: Vec<Number> = numbers.into_iter().chain([further]).collect();
        let after = decide(&policy, &more, &[], Redaction::Assumed);
        for (a, b) in actions(&before).iter().zip(&actions(&after)) {
            prop_assert!(b >= a, "{a:?} became {b:?}");
        }
    }

    #[test]
    fn nobody_depends_on_who_else_gets_the_mail(
        rules in prop::collection::vec(rule(), 0..6), numbers in prop::collection::vec(number(), 0..4), who in 0usize..4,
    ) {
        let policy = policy(&rules, SHIPPED);
        let all = decide(&policy, &numbers, &[], Redaction::Assumed);
        let alone: Vec<Number> = numbers
            .iter()
            .cloned()
            .map(|mut n| { n.belongs_to = n.belongs_to.iter().filter(|b| **b == who).map(|_| 0).collect(); n })
            .collect();
        let envelope = Envelope {
            sender: Address::parse(b"sag@kommune.example").ok(),
            recipients: vec![Recipient {
                raw: PEOPLE[who].as_bytes().to_vec(),
                address: Address::parse(PEOPLE[who].as_bytes()).ok(),
                args: Vec::new(),
            }],
            ..Envelope::default()
        };
        let one = policy.decide(&Facts {
            envelope: &envelope,
            today: TODAY,
            numbers: &alone,
            doubts: &[],
            tls_enforced: &[who == 0],
            next_hops: &[],
            redaction: Redaction::Assumed,
        });
        prop_assert_eq!(one.len(), 1);
        prop_assert_eq!(&one[0].action, &all[who].action);
        prop_assert_eq!(&one[0].redact, &all[who].redact);
        prop_assert_eq!(one[0].rule.as_ref().map(|r| &r.id), all[who].rule.as_ref().map(|r| &r.id));
    }
}

fn seen(confidence: Confidence, protected: bool) -> Number {
    Number {
        kind: IdKind::Cpr,
        protected,
        belongs_to: Vec::new(),
        sightings: vec![Sighting {
            confidence,
            class: PlaceClass::Body,
            hidden: false,
            fake_redaction: false,
        }],
    }
}

fn one_rule(found: &'static str, people: usize, confidence: Option<&'static str>) -> Rule {
    Rule {
        found,
        confidence,
        people,
        to: Some("outside"),
        then: "reject",
        except: Vec::new(),
        watch: false,
    }
}

#[test]
fn a_threshold_counts_different_people_and_not_the_places_of_one() {
    let policy = policy(&[one_rule("cpr", 3, None)], SILENT);
    let of = |numbers: &[Number]| decide(&policy, numbers, &[], Redaction::Assumed)[2].action.clone();
    let mut often = seen(Confidence::Certain, false);
    often.sightings = vec![often.sightings[0]; 50];
    let other = IdKind::Custom("sag".to_owned());
    let case_number = Number {
        kind: other,
        ..often.clone()
    };
    assert_eq!(of(&[often.clone(), often.clone(), case_number]), Action::Deliver);
    assert_eq!(of(&[often.clone(), often.clone(), often]), Action::Reject);
}

#[test]
fn a_protected_person_counts_at_any_confidence() {
    let rules = [one_rule("protected_person", 0, None)];
    for confidence in CONFIDENCES {
        let decisions = decide(
            &policy(&rules, SILENT),
            &[seen(confidence, true)],
            &[],
            Redaction::Assumed,
        );
        assert_eq!(decisions[2].action, Action::Reject);
        // Without a rule of their own, `default` holds what it would only record of anybody else.
        let decisions = decide(
            &policy(&[], SHIPPED),
            &[seen(confidence, true)],
            &[],
            Redaction::Assumed,
        );
        assert_eq!(decisions[2].action, Action::Quarantine);
    }
}

#[test]
fn what_no_rule_speaks_of_falls_to_the_default() {
    let policy = policy(&[], SHIPPED);
    let of = |number: &[Number], doubts: &[DoubtKind]| actions(&decide(&policy, number, doubts, Redaction::Assumed));
    let (hold, log, go) = (Action::Quarantine, Action::Log, Action::Deliver);
    let to_outside_and_inside =
        |outside: &Action, inside: &Action| vec![outside.clone(), outside.clone(), outside.clone(), inside.clone()];
    assert_eq!(
        of(&[seen(Confidence::Likely, false)], &[]),
        to_outside_and_inside(&hold, &log)
    );
    assert_eq!(
        of(&[seen(Confidence::Possible, false)], &[]),
        to_outside_and_inside(&log, &log)
    );
    assert_eq!(of(&[], &[DoubtKind::Encrypted]), to_outside_and_inside(&log, &go));
    assert_eq!(of(&[], &[DoubtKind::Malformed]), to_outside_and_inside(&hold, &go));
    assert_eq!(of(&[], &[]), to_outside_and_inside(&go, &go));
}
