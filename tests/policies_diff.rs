//! `policy diff`: what a changed policy does otherwise, in sentences, computed on the meaning of both.

use cpr_milter::cpr::{Confidence, IdKind};
use cpr_milter::policy::diff::{Difference, diff};
use cpr_milter::policy::{self, Answers, Facts, Number, Policy, Redaction, Sighting, Voice};
use cpr_milter::types::{Action, Address, Decision, Envelope, PlaceClass, Recipient};
use proptest::prelude::*;
use time::Date;
use time::macros::date;

const TODAY: Date = date!(2026 - 11 - 25);

const HEAD: &str = "
version: 1
name: Prøve
owner: dpo@k.example
groups:
  inside: {domains: [k.example]}
  aktindsigt: {addresses: [aktindsigt@k.example]}
  media: {file: media.txt}
  partners: {domains: [p.example]}
exceptions:
  partner: {title: T, when: {to: partners, delivery: tls_enforced}, owner: o@k.example, reason: R, expires: 2027-01-31}
  own: {title: T, when: {number: belongs_to_recipient}, owner: o@k.example, reason: R, expires: 2027-01-31}
";

const RULES: &str = "
rules:
  - {id: protected, title: A, when: {found: protected_person, to: outside}, then: quarantine, release: {by: dpo, people: 2}}
  - {id: aktindsigt, title: B, when: {found: cpr, from: aktindsigt, to: outside}, then: redact, except: [own]}
  - {id: outside, title: C, when: {found: cpr, confidence: likely, to: outside}, then: quarantine, except: [partner, own, redacted]}
";

const WAYS: &str = "
  hop: {title: T, when: {next_hop: two.example}, owner: o@k.example, reason: R, expires: 2027-01-31}
  few: {title: T, when: {people: 2 or fewer}, owner: o@k.example, reason: R, expires: 2027-01-31}
";

fn load(text: &str, media: &str) -> Policy {
    let loaded = policy::load(text, "p.yaml", TODAY, &|_| Ok(media.to_owned()));
    loaded
        .unwrap_or_else(|problems| panic!("{}", policy::render(&problems, "p.yaml", text)))
        .policy
}

fn policy(rules: &str) -> Policy {
    load(&format!("{HEAD}{rules}"), "avis.example\n")
}

fn sentences(difference: &Difference) -> Vec<String> {
    difference.to_string().lines().map(str::to_owned).collect()
}

fn told(old: &str, new: &str) -> Vec<String> {
    sentences(&diff(&policy(old), &policy(new), TODAY))
}

#[test]
fn a_further_rule_is_told_in_few_sentences() {
    let media = "  - {id: media, title: M, when: {found: cpr, from: aktindsigt, to: media}, then: reject}\n";
    let told = told(RULES, &format!("{RULES}{media}"));
    assert_eq!(told.len(), 3, "{told:#?}");
    assert!(
        told.iter()
            .all(|s| s.contains(" from aktindsigt to media") && s.ends_with("is now reject (rule `media`).")),
        "{told:#?}"
    );
    let plain = "Mail with the CPR number of somebody who is not protected from aktindsigt to media, to somebody else than \
                 the person whose number it is: was redact (rule `aktindsigt`), is now reject (rule `media`).";
    assert!(told.iter().any(|s| s == plain), "{told:#?}");
}

#[test]
fn order_and_names_are_no_difference() {
    let mut lines: Vec<&str> = RULES.trim().lines().collect();
    lines[1..].reverse();
    let reversed = lines.join("\n");
    assert!(told(RULES, &reversed)[0].starts_with("No difference: "));
    let renamed = RULES.replace("id: outside", "id: house");
    assert!(told(RULES, &renamed)[0].starts_with("No difference: "));
    let group = format!("{HEAD}{RULES}")
        .replace("aktindsigt:", "office:")
        .replace("from: aktindsigt", "from: office");
    let difference = diff(&policy(RULES), &load(&group, "avis.example\n"), TODAY);
    assert!(difference.is_empty(), "{difference}");
}

#[test]
fn an_entry_of_a_list_is_told_with_what_it_changes() {
    let media = "  - {id: media, title: M, when: {found: cpr, to: media}, then: reject}\n";
    let text = format!("{HEAD}{RULES}{media}");
    let difference = diff(
        &load(&text, "avis.example\n"),
        &load(&text, "avis.example\nred@blad.example\n"),
        TODAY,
    );
    let told = sentences(&difference);
    assert_eq!(told[0], "red@blad.example is now in media.");
    assert!(
        told.iter()
            .any(|s| s.contains(" to red@blad.example") && s.contains("is now reject (rule `media`)")),
        "{told:#?}"
    );
    assert!(
        told.iter().skip(1).all(|s| s.contains(" to red@blad.example")),
        "{told:#?}"
    );
}

#[test]
fn terms_of_release_confidence_thresholds_and_exceptions_are_told() {
    let release = RULES.replace("release: {by: dpo, people: 2}", "release: {by: dpo}");
    let told_release = told(RULES, &release);
    assert_eq!(told_release.len(), 1, "{told_release:#?}");
    assert!(
        told_release[0].contains("a protected person's CPR number"),
        "{told_release:#?}"
    );
    assert!(
        told_release[0].contains("(release by dpo, 2 must agree)"),
        "{told_release:#?}"
    );

    let sure = RULES.replace("confidence: likely", "confidence: possible");
    let told_sure = told(RULES, &sure);
    assert!(told_sure.iter().all(|s| s.contains("(possible)")), "{told_sure:#?}");

    let many = format!(
        "{RULES}  - {{id: many, title: L, when: {{found: cpr, people: 10 or more, to: outside}}, then: reject}}\n"
    );
    let told_many = told(RULES, &many);
    assert!(
        told_many.iter().all(|s| s.contains("10 or more CPR numbers")),
        "{told_many:#?}"
    );

    let lifted = RULES.replace("except: [partner, own, redacted]", "except: [own, redacted]");
    let told_lifted = told(RULES, &lifted);
    assert!(
        told_lifted
            .iter()
            .all(|s| s.contains("partners") && s.contains("over enforced TLS")),
        "{told_lifted:#?}"
    );
}

#[test]
fn a_date_that_passes_is_told_with_its_day() {
    let longer = format!("{HEAD}{RULES}").replace(
        "reason: R, expires: 2027-01-31}\n  own",
        "reason: R, expires: 2028-01-31}\n  own",
    );
    let told = sentences(&diff(&policy(RULES), &load(&longer, "avis.example\n"), TODAY));
    assert!(told[0].starts_with("From 2027-02-01 on: mail with "), "{told:#?}");
    assert!(
        told.iter()
            .any(|s| s.starts_with("From 2028-02-01 on, both policies judge ")),
        "{told:#?}"
    );
    let watched = RULES.replace("then: quarantine, except", "then: quarantine, mode: watch, except");
    let told = sentences(&diff(&policy(RULES), &policy(&watched), TODAY));
    assert!(
        told.iter()
            .any(|s| s.contains("is now quarantine (a watched rule would say quarantine)")),
        "{told:#?}"
    );
}

/// One rule with two places counts people over both; two rules with one place each do not.
#[test]
fn kinds_that_differ_only_together_are_found_by_chance() {
    let two = "
rules:
  - {id: body, title: A, when: {found: cpr, places: [body], people: 3 or more, to: outside}, then: reject}
  - {id: files, title: B, when: {found: cpr, places: [attachment], people: 3 or more, to: outside}, then: reject}
";
    let one = "
rules:
  - {id: both, title: A, when: {found: cpr, places: [body, attachment], people: 3 or more, to: outside}, then: reject}
";
    let told = told(two, one);
    assert_eq!(told.len(), 1, "{told:#?}");
    assert!(told[0].contains(" together with "), "{told:#?}");
}

#[test]
fn words_and_identifiers_are_told() {
    let text = format!("{HEAD}{RULES}");
    let changed = text
        .replace("owner: dpo@k.example", "owner: db@k.example")
        .replace("title: C", "title: Ud af huset");
    let told = sentences(&diff(
        &load(&text, "avis.example\n"),
        &load(&changed, "avis.example\n"),
        TODAY,
    ));
    assert_eq!(told.len(), 2, "{told:#?}");
    let case = "\nidentifiers: {sag: {pattern: 'S-(?P<number>[0-9]{6})'}}\n";
    let rule = "  - {id: sag, title: S, when: {found: sag, to: outside}, then: warn}\n";
    let with = format!("{HEAD}{case}{RULES}{rule}");
    let told = sentences(&diff(
        &load(&text, "avis.example\n"),
        &load(&with, "avis.example\n"),
        TODAY,
    ));
    assert!(
        told.iter()
            .all(|s| s.contains("identifier `sag`") && s.contains("was deliver")),
        "{told:#?}"
    );
}

const OUTSIDE: &str = "found: cpr, to: outside";

/// One rule, with these conditions and the rest of it.
fn one(when: &str, rest: &str) -> Policy {
    load(
        &format!("{HEAD}{WAYS}rules:\n  - {{id: r, title: R, when: {{{when}}}, then: {rest}}}\n"),
        "avis.example\n",
    )
}

fn told_of(old: &Policy, new: &Policy) -> String {
    diff(old, new, TODAY).to_string()
}

#[test]
fn another_gateway_is_a_difference() {
    let (old, new) = (one(OUTSIDE, "reroute, gateway: a"), one(OUTSIDE, "reroute, gateway: b"));
    let told = told_of(&old, &new);
    assert!(
        told.contains("was reroute through a (rule `r`), is now reroute through b (rule `r`)"),
        "{told}"
    );
    let json = serde_json::to_value(diff(&old, &new, TODAY)).expect("json");
    assert_eq!(json["changes"][0]["now"]["action"], "reroute:b");
}

#[test]
fn hosts_that_conditions_name_are_compared() {
    let told = told_of(
        &one(OUTSIDE, "quarantine, except: [hop]"),
        &one(&format!("{OUTSIDE}, next_hop: one.example"), "reject"),
    );
    assert!(told.contains("handed to `one.example`"), "{told}");
    assert!(told.contains("handed to `two.example`"), "{told}");
    assert!(told.contains("handed to another host"), "{told}");
}

#[test]
fn how_many_people_an_exception_is_for_is_compared() {
    let few = one(OUTSIDE, "quarantine, except: [few]");
    let text =
        format!("{HEAD}{WAYS}rules:\n  - {{id: r, title: R, when: {{{OUTSIDE}}}, then: quarantine, except: [few]}}\n");
    let more = load(&text.replace("2 or fewer", "4 or fewer"), "avis.example\n");
    let told = told_of(&few, &more);
    assert!(told.contains("3 to 4 CPR numbers"), "{told}");
    let doubts = one(
        "found: cpr, to: outside, number: belongs_to_recipient",
        "quarantine, except: [few]",
    );
    let told = told_of(&few, &doubts);
    assert!(
        told.contains("to somebody else than the person whose number it is"),
        "{told}"
    );
}

#[test]
fn who_is_told_and_in_which_words_is_compared() {
    let plain = one(OUTSIDE, "quarantine");
    let told = told_of(&plain, &one(OUTSIDE, "quarantine, tell: [owner]"));
    assert!(
        told.contains(
            "was quarantine (notice to the sender) (rule `r`), is now quarantine (notice to the owner of the policy)"
        ),
        "{told}"
    );
    let told = told_of(&one(OUTSIDE, "log"), &one(OUTSIDE, "log, tell: [sender]"));
    assert!(told.contains("was log (notice to nobody)"), "{told}");
    let told = told_of(&plain, &one(OUTSIDE, "quarantine, notice: Ring til os"));
    assert!(
        told.contains("Notices of rule `r` have words of its own now."),
        "{told}"
    );
    let told = told_of(
        &one(OUTSIDE, "quarantine, notice: Ring til os"),
        &one(OUTSIDE, "quarantine, notice: Skriv til os"),
    );
    assert!(
        told.contains("The words that rule `r` puts into notices are others now."),
        "{told}"
    );
}

#[test]
fn samples_styles_and_extensions_are_compared() {
    let text = format!("{HEAD}{RULES}");
    let with = |more: &str| load(&format!("{text}{more}"), "avis.example\n");
    for (more, said) in [
        (
            "spot_check: {percent: 2}\n",
            "Spot checks: was none, is now 2 of a hundred mails that are redacted or excepted.",
        ),
        (
            "redaction: {style: label}\n",
            "What stands where a number stood: was box, is now label.",
        ),
        (
            "recipient_delimiter: none\n",
            "What begins an extension of an address: was +, is now nothing.",
        ),
    ] {
        assert_eq!(told_of(&with(""), &with(more)).trim_end(), said);
    }
}

const SENDERS: [&str; 3] = ["sag@k.example", "aktindsigt@k.example", "borger@post.example"];
const RECIPIENTS: [&str; 4] = ["b@avis.example", "c@p.example", "d@post.example", "e@k.example"];

fn line() -> impl Strategy<Value = String> {
    let found = prop::sample::select(vec!["cpr", "protected_person", "hidden"]);
    let sure = prop::sample::select(vec!["", ", confidence: likely", ", confidence: certain"]);
    let also = prop::sample::select(vec![
        "",
        ", people: 3 or more",
        ", places: [body]",
        ", from: aktindsigt",
        ", direction: outgoing",
        ", delivery: tls_enforced",
        ", number: belongs_to_recipient",
        ", next_hop: one.example",
        ", next_hop: [one.example, two.example]",
    ]);
    let to = prop::sample::select(vec![
        "",
        ", to: outside",
        ", to: media",
        ", to: partners",
        ", to: inside",
    ]);
    let then = prop::sample::select(vec![
        "reject",
        "quarantine",
        "redact",
        "warn",
        "log",
        "reroute, gateway: a",
        "reroute, gateway: b",
    ]);
    let except = prop::sample::select(vec![
        "",
        "partner",
        "own",
        "partner, redacted",
        "hop",
        "few",
        "rerouted",
    ]);
    let tell = prop::sample::select(vec!["", "", ", tell: [owner]", ", tell: [sender, x@k.example]"]);
    (found, sure, also, to, then, except, tell).prop_map(|(found, sure, also, to, then, except, tell)| {
        let tell = if found == "protected_person" && !tell.contains("sender") {
            ""
        } else {
            tell
        };
        let except = if then.starts_with("re") && then != "reject" && except == "rerouted" {
            ""
        } else {
            except
        };
        let sure = if found == "protected_person" { "" } else { sure };
        let except = if then == "redact" {
            except.trim_end_matches(", redacted")
        } else {
            except
        };
        format!("title: T, when: {{found: {found}{sure}{also}{to}}}, then: {then}, except: [{except}]{tell}")
    })
}

fn way() -> impl Strategy<Value = Way> {
    let hop = prop::sample::select(vec![
        None,
        Some("One.example"),
        Some("two.example"),
        Some("three.example"),
    ]);
    (any::<bool>(), hop)
}

fn rules(lines: &[String]) -> Policy {
    let each = lines.iter().enumerate();
    let text: String = each.map(|(i, line)| format!("  - {{id: r{i}, {line}}}\n")).collect();
    let rules = if text.is_empty() {
        "rules: []\n".to_owned()
    } else {
        format!("rules:\n{text}")
    };
    load(&format!("{HEAD}{WAYS}{rules}"), "avis.example\n")
}

type Way = (bool, Option<&'static str>);

/// For each recipient what is done, and who is told.
fn outcomes(policy: &Policy, sender: usize, number: &Number, people: usize, (tls, hop): Way) -> Vec<(Action, Voice)> {
    let envelope = Envelope {
        sender: Address::parse(SENDERS[sender].as_bytes()).ok(),
        recipients: RECIPIENTS
            .iter()
            .map(|to| Recipient {
                raw: to.as_bytes().to_vec(),
                address: Address::parse(to.as_bytes()).ok(),
                args: Vec::new(),
            })
            .collect(),
        ..Envelope::default()
    };
    let decisions = policy.decide(&Facts {
        envelope: &envelope,
        today: TODAY,
        numbers: &vec![number.clone(); people],
        doubts: &[],
        tls_enforced: &[tls; 4],
        next_hops: &vec![hop.map(str::to_owned); 4],
        redaction: Redaction::Assumed,
        given: &Answers::offline(),
    });
    let told = |d: &Decision| Voice {
        words: Default::default(),
        ..policy.voice(d)
    };
    decisions.iter().map(|d| (d.action.clone(), told(d))).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(16) })]

    /// Whatever the two policies are: a mail for which they decide otherwise is a difference.
    #[test]
    fn no_difference_means_that_every_mail_is_judged_alike(
        old in prop::collection::vec(line(), 0..4), further in line(), drop in any::<bool>(),
        mails in prop::collection::vec((0usize..3, 0usize..3, any::<bool>(), any::<bool>(), any::<bool>(), way(), 1usize..5), 60),
    ) {
        let mut new = old.clone();
        if drop {
            new.pop();
        }
        new.push(further);
        let (old, new) = (rules(&old), rules(&new));
        let difference = diff(&old, &new, TODAY);
        for (sender, sure, protected, hidden, own, way, people) in mails {
            let number = Number {
                kind: IdKind::Cpr,
                protected,
                belongs_to: if own { vec![0, 1, 2, 3] } else { Vec::new() },
                sightings: vec![Sighting {
                    confidence: [Confidence::Possible, Confidence::Likely, Confidence::Certain][sure],
                    class: if people % 2 == 0 { PlaceClass::Body } else { PlaceClass::Attachment },
                    hidden,
                    fake_redaction: false,
                }],
            };
            let judged = [&old, &new].map(|policy| outcomes(policy, sender, &number, people, way));
            prop_assert!(judged[0] == judged[1] || !difference.is_empty(), "{judged:?}");
        }
    }
}
