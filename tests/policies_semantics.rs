//! What every policy promises, whatever its rules are: the strictest wins, the order of rules means nothing, a further rule
//! never loosens, an exception lifts numbers and not mails and nothing once it has expired, and nobody's outcome depends
//! on who else gets the mail. Policies, mails and recipients are drawn at random and judged through the public interface.

use cpr_milter::cpr::{Confidence, IdKind};
use cpr_milter::policy::{self, Answers, Facts, Number, Policy, Redaction, Sighting};
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

/// Where mail to each of them is handed to.
const HOPS: [Option<&str>; 4] = [None, Some("other.example"), Some("Hop.example"), None];
/// Exceptions that no date ends.
const BUILT_IN: [&str; 2] = ["redacted", "rerouted"];

#[derive(Clone, Debug)]
struct Rule {
    found: &'static str,
    confidence: Option<&'static str>,
    people: usize,
    to: Option<&'static str>,
    then: &'static str,
    except: Vec<&'static str>,
    watch: bool,
    /// A further condition.
    also: &'static str,
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
        let places = self.also.contains("places") || self.also.contains("number");
        if !places || !["unscannable", "malformed"].contains(&self.found) {
            when += self.also;
        }
        let except: Vec<&str> = self
            .except
            .iter()
            .copied()
            .filter(|e| *e != "redacted" || self.then != "redact")
            .filter(|e| *e != "rerouted" || !["redact", "reroute"].contains(&self.then))
            .collect();
        let watch = if self.watch { "\n    mode: watch" } else { "" };
        let gateway = if self.then == "reroute" { "\n    gateway: g" } else { "" };
        format!(
            "  - id: r{id}\n    title: T{id}\n    when: {{{when}}}\n    then: {}\n    except: [{}]{watch}{gateway}\n",
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
    let then = prop::sample::select(vec!["reject", "quarantine", "redact", "reroute", "warn", "log"]);
    let built_in_and_named = vec!["own", "partner", "old", "hop", "few", "redacted", "rerouted"];
    let except = prop::sample::subsequence(built_in_and_named, 0..=5);
    let watch = prop::bool::weighted(0.15);
    let also = prop::sample::select(vec![
        "",
        "",
        ", from: inside",
        ", from: outside",
        ", direction: outgoing",
        ", direction: internal",
        ", direction: incoming",
        ", login: '*'",
        ", places: [body]",
        ", places: [subject, attachment]",
        ", delivery: tls_enforced",
        ", next_hop: hop.example",
        ", number: belongs_to_recipient",
    ]);
    (found, confidence, 0usize..4, to, then, except, watch, also).prop_map(
        |(found, confidence, people, to, then, except, watch, also)| Rule {
            found,
            confidence,
            people,
            to,
            then,
            except,
            watch,
            also,
        },
    )
}

/// Also rules about what could not be read: those have no numbers to be sure of, to count, to redact or to lift.
fn any_rule() -> impl Strategy<Value = Rule> {
    let doubted = prop::sample::select(vec!["unscannable", "malformed"]);
    let doubtful = (rule(), doubted).prop_map(|(rule, found)| Rule {
        found,
        confidence: None,
        people: 0,
        except: Vec::new(),
        then: if rule.then == "redact" { "warn" } else { rule.then },
        ..rule
    });
    prop_oneof![4 => rule(), 1 => doubtful]
}

fn doubts() -> impl Strategy<Value = Vec<DoubtKind>> {
    prop::sample::subsequence(
        vec![DoubtKind::Malformed, DoubtKind::Encrypted, DoubtKind::TooDeep],
        0..=2,
    )
}

fn number() -> impl Strategy<Value = Number> {
    let classes = [PlaceClass::Body, PlaceClass::Attachment, PlaceClass::Subject];
    let sighting =
        (0usize..3, 0usize..3, any::<bool>(), any::<bool>()).prop_map(move |(c, p, hidden, fake_redaction)| Sighting {
            confidence: CONFIDENCES[c],
            class: classes[p],
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
         exceptions:\n{}{}{}{}{}{}\n{default}",
        exception("own", "number: belongs_to_recipient", "2026-11-25"),
        exception("partner", "to: partners, delivery: tls_enforced", "2027-01-31"),
        exception("hop", "next_hop: hop.example", "2027-01-31"),
        exception("few", "people: 2 or fewer", "2027-01-31"),
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

fn recipient(to: &str) -> Recipient {
    Recipient {
        raw: to.as_bytes().to_vec(),
        address: Address::parse(to.as_bytes()).ok(),
        args: Vec::new(),
    }
}

fn envelope() -> Envelope {
    Envelope {
        sender: Address::parse(b"sag@kommune.example").ok(),
        login: Some("sag".to_owned()),
        recipients: PEOPLE.iter().map(|to| recipient(to)).collect(),
        ..Envelope::default()
    }
}

fn decide(policy: &Policy, numbers: &[Number], doubts: &[DoubtKind], redaction: Redaction) -> Vec<Decision> {
    decide_on(TODAY, policy, numbers, doubts, redaction)
}

fn decide_on(
    today: Date,
    policy: &Policy,
    numbers: &[Number],
    doubts: &[DoubtKind],
    redaction: Redaction,
) -> Vec<Decision> {
    policy.decide(&Facts {
        envelope: &envelope(),
        today,
        numbers,
        doubts,
        tls_enforced: &[true, false, false, false],
        next_hops: &HOPS.map(|hop| hop.map(str::to_owned)),
        redaction,
        given: &Answers::offline(),
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
        rules in prop::collection::vec(any_rule(), 0..6), numbers in prop::collection::vec(number(), 0..4), doubts in doubts(),
    ) {
        let decisions = decide(&policy(&rules, SHIPPED), &numbers, &doubts, Redaction::Assumed);
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
        rules in prop::collection::vec(any_rule(), 0..6), numbers in prop::collection::vec(number(), 0..4), doubts in doubts(),
    ) {
        for decision in decide(&policy(&rules, SHIPPED), &numbers, &doubts, Redaction::Assumed) {
            let Some(told) = &decision.told else {
                prop_assert_eq!(&decision.action, &Action::Deliver);
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
        (rules, shuffled) in prop::collection::vec(any_rule(), 2..6).prop_flat_map(|r| (Just(r.clone()), Just(r).prop_shuffle())),
        numbers in prop::collection::vec(number(), 0..4), doubts in doubts(), failed in any::<bool>(),
    ) {
        let redaction = if failed { Redaction::Failed } else { Redaction::Assumed };
        let one = decide(&policy(&rules, SHIPPED), &numbers, &doubts, redaction);
        let other = decide(&policy(&shuffled, SHIPPED), &numbers, &doubts, redaction);
        prop_assert_eq!(actions(&one), actions(&other));
        for (a, b) in one.iter().zip(&other) {
            prop_assert_eq!(&a.redact, &b.redact);
            prop_assert_eq!((&a.release.by, a.release.people), (&b.release.by, b.release.people));
        }
    }

    /// Except by what is written in the new rule itself for all to see: its exceptions, and that it redacts.
    #[test]
    fn a_further_rule_never_loosens(
        rules in prop::collection::vec(any_rule(), 0..5), mut further in any_rule(),
        numbers in prop::collection::vec(number(), 0..4), doubts in doubts(), shipped in any::<bool>(),
    ) {
        further.except.clear();
        if ["redact", "reroute"].contains(&further.then) {
            further.then = "reject";
        }
        let default = if shipped { SHIPPED } else { SILENT };
        let before = decide(&policy(&rules, default), &numbers, &doubts, Redaction::Assumed);
        let more: Vec<Rule> = rules.into_iter().chain([further]).collect();
        let after = decide(&policy(&more, default), &numbers, &doubts, Redaction::Assumed);
        for (a, b) in actions(&before).iter().zip(&actions(&after)) {
            prop_assert!(b >= a, "{a:?} became {b:?}");
        }
    }

    /// Where `default` is silent and no rule is lifted by `redacted`, a rule that redacts or has exceptions cannot either.
    #[test]
    fn a_further_rule_with_exceptions_lifts_from_no_other_rule(
        mut rules in prop::collection::vec(any_rule(), 0..5), further in any_rule(), numbers in prop::collection::vec(number(), 0..4), doubts in doubts(),
    ) {
        for rule in &mut rules {
            rule.except.retain(|e| !["redacted", "rerouted"].contains(e));
        }
        let before = decide(&policy(&rules, SILENT), &numbers, &doubts, Redaction::Assumed);
        let more: Vec<Rule> = rules.into_iter().chain([further]).collect();
        let after = decide(&policy(&more, SILENT), &numbers, &doubts, Redaction::Assumed);
        for (a, b) in actions(&before).iter().zip(&actions(&after)) {
            prop_assert!(b >= a, "{a:?} became {b:?}");
        }
    }

    #[test]
    fn a_failed_redaction_never_lets_out_what_a_redaction_would_have_cleaned(
        rules in prop::collection::vec(any_rule(), 0..6), numbers in prop::collection::vec(number(), 0..4), doubts in doubts(),
    ) {
        let policy = policy(&rules, SHIPPED);
        let hoped = decide(&policy, &numbers, &doubts, Redaction::Assumed);
        let failed = decide(&policy, &numbers, &doubts, Redaction::Failed);
        for (a, b) in hoped.iter().zip(&failed) {
            prop_assert!(b.action >= a.action);
            prop_assert!(b.action != Action::Redact);
            prop_assert!(a.action != Action::Redact || b.action >= Action::Quarantine);
        }
    }

    #[test]
    fn an_expired_exception_lifts_nothing(
        rules in prop::collection::vec(any_rule(), 0..6), numbers in prop::collection::vec(number(), 0..4), doubts in doubts(),
    ) {
        let without: Vec<Rule> = rules.iter().cloned().map(|mut r| { r.except.retain(|e| *e != "old"); r }).collect();
        let one = decide(&policy(&rules, SHIPPED), &numbers, &doubts, Redaction::Assumed);
        let other = decide(&policy(&without, SHIPPED), &numbers, &doubts, Redaction::Assumed);
        prop_assert_eq!(actions(&one), actions(&other));
        prop_assert!(one.iter().flat_map(|d| &d.lifted).all(|l| &*l.exception != "old"));
    }

    /// Once their last days have passed, none of them is there any more.
    #[test]
    fn exceptions_that_have_all_expired_are_as_good_as_none(
        rules in prop::collection::vec(any_rule(), 0..6), numbers in prop::collection::vec(number(), 0..4), doubts in doubts(),
    ) {
        let without: Vec<Rule> = rules.iter().cloned().map(|mut r| { r.except.retain(|e| BUILT_IN.contains(e)); r }).collect();
        let day = date!(2027 - 02 - 01);
        let one = decide_on(day, &policy(&rules, SHIPPED), &numbers, &doubts, Redaction::Assumed);
        let other = decide_on(day, &policy(&without, SHIPPED), &numbers, &doubts, Redaction::Assumed);
        prop_assert_eq!(actions(&one), actions(&other));
        prop_assert!(one.iter().flat_map(|d| &d.lifted).all(|l| BUILT_IN.contains(&&*l.exception)));
    }

    /// What is lifted from a rule and what makes it match are different numbers, and nothing is told twice.
    #[test]
    fn no_number_is_both_lifted_and_matched_by_one_rule(
        rules in prop::collection::vec(any_rule(), 1..6), numbers in prop::collection::vec(number(), 1..4), doubts in doubts(),
    ) {
        for decision in decide(&policy(&rules, SHIPPED), &numbers, &doubts, Redaction::Assumed) {
            for lifted in &decision.lifted {
                let matched = decision.matched.iter().filter(|m| m.rule == lifted.rule);
                prop_assert!(matched.flat_map(|m| m.numbers.iter()).all(|n| !lifted.numbers.contains(n)));
            }
            let mut told: Vec<(&str, &str, usize)> = decision
                .lifted
                .iter()
                .flat_map(|l| l.numbers.iter().map(|n| (l.rule.id.as_str(), &*l.exception, *n)))
                .collect();
            let all = told.len();
            told.sort_unstable();
            told.dedup();
            prop_assert_eq!(told.len(), all);
        }
    }

    /// As many recipients as there are, the same one as often as it stands there: each has its own decision, in order.
    #[test]
    fn each_of_many_recipients_has_one_decision_of_its_own(
        rules in prop::collection::vec(any_rule(), 0..6), numbers in prop::collection::vec(number(), 0..4), doubts in doubts(),
        whom in prop::collection::vec(0usize..4, 0..40),
    ) {
        let policy = policy(&rules, SHIPPED);
        let numbers: Vec<Number> = numbers.into_iter().map(|n| Number { belongs_to: Vec::new(), ..n }).collect();
        let each = decide(&policy, &numbers, &doubts, Redaction::Assumed);
        let envelope = Envelope {
            recipients: whom.iter().map(|who| recipient(PEOPLE[*who])).collect(),
            ..envelope()
        };
        let tls: Vec<bool> = whom.iter().map(|who| *who == 0).collect();
        let many = policy.decide(&Facts {
            envelope: &envelope,
            today: TODAY,
            numbers: &numbers,
            doubts: &doubts,
            tls_enforced: &tls,
            next_hops: &whom.iter().map(|who| HOPS[*who].map(str::to_owned)).collect::<Vec<_>>(),
            redaction: Redaction::Assumed,
            given: &Answers::offline(),
        });
        prop_assert_eq!(many.iter().map(|d| d.recipient).collect::<Vec<_>>(), (0..whom.len()).collect::<Vec<_>>());
        for (decision, who) in many.iter().zip(&whom) {
            prop_assert_eq!(&decision.judgement, &each[*who].judgement);
        }
    }

    #[test]
    fn an_exception_for_own_numbers_lifts_those_and_no_other(
        rules in prop::collection::vec(any_rule(), 1..6), numbers in prop::collection::vec(number(), 1..4), doubts in doubts(),
    ) {
        for decision in decide(&policy(&rules, SHIPPED), &numbers, &doubts, Redaction::Assumed) {
            for lifted in decision.lifted.iter().filter(|l| &*l.exception == "own") {
                prop_assert!(lifted.numbers.iter().all(|n| numbers[*n].belongs_to.contains(&decision.recipient)));
            }
            for lifted in decision.lifted.iter().filter(|l| &*l.exception == "partner") {
                prop_assert_eq!((decision.recipient, &*lifted.exception), (0, "partner"));
            }
        }
    }

    /// A number of somebody else in the same mail counts as if it stood alone: what one exception lifts takes nothing with it.
    #[test]
    fn another_number_in_the_mail_never_loosens(
        rules in prop::collection::vec(any_rule(), 0..6), numbers in prop::collection::vec(number(), 1..4), doubts in doubts(), further in number(),
    ) {
        // A list long enough for a strict rule, once redacted by another one, is no longer one: thresholds aside.
        // So is an exception for few people that kept a redacting rule, and with it `redacted`, from speaking.
        let rules: Vec<Rule> = rules
            .into_iter()
            .map(|mut r| {
                r.people = 0;
                let opens = ["redact", "reroute"].contains(&r.then);
                r.except.retain(|e| !opens || *e != "few");
                r
            })
            .collect();
        let policy = policy(&rules, SHIPPED);
        let before = decide(&policy, &numbers, &doubts, Redaction::Assumed);
        let more: Vec<Number> = numbers.into_iter().chain([further]).collect();
        let after = decide(&policy, &more, &doubts, Redaction::Assumed);
        for (a, b) in actions(&before).iter().zip(&actions(&after)) {
            prop_assert!(b >= a, "{a:?} became {b:?}");
        }
    }

    #[test]
    fn nobody_depends_on_who_else_gets_the_mail(
        rules in prop::collection::vec(any_rule(), 0..6), numbers in prop::collection::vec(number(), 0..4), doubts in doubts(), who in 0usize..4,
    ) {
        let policy = policy(&rules, SHIPPED);
        let all = decide(&policy, &numbers, &doubts, Redaction::Assumed);
        let alone: Vec<Number> = numbers
            .iter()
            .cloned()
            .map(|mut n| { n.belongs_to = n.belongs_to.iter().filter(|b| **b == who).map(|_| 0).collect(); n })
            .collect();
        let envelope = Envelope {
            recipients: vec![recipient(PEOPLE[who])],
            ..envelope()
        };
        let one = policy.decide(&Facts {
            envelope: &envelope,
            today: TODAY,
            numbers: &alone,
            doubts: &doubts,
            tls_enforced: &[who == 0],
            next_hops: &[HOPS[who].map(str::to_owned)],
            redaction: Redaction::Assumed,
            given: &Answers::offline(),
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
        also: "",
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
