//! Who is in which group: a table of addresses as they come in RCPT TO, and what holds for all of them. An address that
//! cannot be read with certainty is outside, and no exception lifts anything for it.

use cpr_milter::cpr::{Confidence, IdKind};
use cpr_milter::policy::{self, Answers, Facts, Number, Policy, Redaction, Sighting};
use cpr_milter::types::{Address, Decision, Envelope, PlaceClass, Recipient};
use proptest::prelude::*;
use serde::Deserialize;
use std::collections::BTreeSet;
use std::path::Path;
use time::Date;
use time::macros::date;

const TODAY: Date = date!(2026 - 11 - 25);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    groups: String,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    raw: Option<String>,
    bytes: Option<String>,
    rules: BTreeSet<String>,
    lifts: Option<BTreeSet<String>>,
}

impl Case {
    fn raw(&self) -> Vec<u8> {
        match (&self.raw, &self.bytes) {
            (Some(raw), None) => raw.clone().into_bytes(),
            (None, Some(hex)) => (0..hex.len())
                .step_by(2)
                .map(|i| u8::from_str_radix(&hex[i..i + 2], 16).expect("hexadecimal"))
                .collect(),
            _ => panic!("a case has `raw` or `bytes`"),
        }
    }
}

fn table() -> Table {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/addresses.yaml");
    serde_yaml::from_str(&std::fs::read_to_string(path).expect("the table")).expect("the table is sound")
}

/// For each group a rule that names it, and an exception that names it, in a rule for everybody.
fn policy(groups: &str, top: &str) -> Policy {
    let names: Vec<String> = groups
        .lines()
        .filter_map(|line| Some(line.split_once(':')?.0.trim().to_owned()))
        .chain(["outside".to_owned()])
        .collect();
    let indented: String = groups.lines().map(|line| format!("  {line}\n")).collect();
    let exceptions: String = names
        .iter()
        .map(|n| {
            format!(
                "  to_{n}: {{title: T, when: {{to: {n}}}, owner: o@kommune.example, reason: R, expires: 2027-01-31}}\n"
            )
        })
        .collect();
    let rules: String = names
        .iter()
        .map(|n| format!("  - {{id: r_{n}, title: T, when: {{found: cpr, to: {n}}}, then: log}}\n"))
        .collect();
    let lifting: String = names
        .iter()
        .map(|n| format!("  - {{id: l_{n}, title: T, when: {{found: cpr}}, then: reject, except: [to_{n}]}}\n"))
        .collect();
    let source = format!(
        "version: 1\nname: P\nowner: dpo@kommune.example\n{top}groups:\n{indented}exceptions:\n{exceptions}rules:\n{rules}{lifting}"
    );
    policy::load(&source, "p.yaml", TODAY, &|_| Err("none".to_owned()))
        .unwrap_or_else(|problems| panic!("{}", policy::render(&problems, "p.yaml", &source)))
        .policy
}

fn decide(policy: &Policy, from: &str, raw: &[u8], given: &Answers) -> Vec<Decision> {
    let envelope = Envelope {
        sender_raw: from.as_bytes().to_vec(),
        sender: Address::parse(from.as_bytes()).ok(),
        recipients: vec![Recipient {
            raw: raw.to_vec(),
            address: Address::parse(raw).ok(),
            args: Vec::new(),
        }],
        ..Envelope::default()
    };
    let number = Number {
        kind: IdKind::Cpr,
        protected: false,
        belongs_to: Vec::new(),
        sightings: vec![Sighting {
            confidence: Confidence::Certain,
            class: PlaceClass::Body,
            hidden: false,
            fake_redaction: false,
        }],
    };
    policy.decide(&Facts {
        envelope: &envelope,
        today: TODAY,
        numbers: &[number],
        doubts: &[],
        tls_enforced: &[false],
        next_hops: &[],
        redaction: Redaction::Assumed,
        given,
    })
}

/// The groups by which rules spoke, and those by which exceptions lifted.
fn groups_of(policy: &Policy, raw: &[u8]) -> (BTreeSet<String>, BTreeSet<String>) {
    let decision = decide(policy, "sag@kommune.example", raw, &Answers::offline()).remove(0);
    let matched = decision.matched.iter().filter_map(|m| m.rule.id.strip_prefix("r_"));
    let lifted = decision.lifted.iter().filter_map(|l| l.exception.strip_prefix("to_"));
    (
        matched.map(str::to_owned).collect(),
        lifted.map(str::to_owned).collect(),
    )
}

#[test]
fn every_address_is_in_the_groups_that_an_administrator_expects() {
    let table = table();
    let policy = policy(&table.groups, "");
    let mut wrong = Vec::new();
    for case in &table.cases {
        let (rules, lifts) = groups_of(&policy, &case.raw());
        let wanted = case.lifts.as_ref().unwrap_or(&case.rules);
        if rules != case.rules || lifts != *wanted {
            let raw = String::from_utf8_lossy(&case.raw()).into_owned();
            wrong.push(format!(
                "{raw:?}: rules {rules:?} not {:?}, lifts {lifts:?} not {wanted:?}",
                case.rules
            ));
        }
    }
    assert!(table.cases.len() >= 100, "only {} cases", table.cases.len());
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn the_recipient_delimiter_is_the_administrators() {
    let groups = "inside: {domains: [kommune.example]}\nteam: {addresses: [kommune@kommune.example]}";
    let is_team = |top: &str, raw: &str| {
        let (rules, _) = groups_of(&policy(groups, top), raw.as_bytes());
        rules.contains("team")
    };
    assert!(is_team("", "kommune+x@kommune.example"));
    assert!(!is_team("recipient_delimiter: none\n", "kommune+x@kommune.example"));
    assert!(is_team("recipient_delimiter: none\n", "kommune@kommune.example"));
    assert!(is_team("recipient_delimiter: \"+-\"\n", "kommune-x+y@kommune.example"));
    assert!(!is_team("recipient_delimiter: \"-\"\n", "kommune+x@kommune.example"));
}

#[test]
fn names_of_the_mail_system_and_of_lists_have_no_extension() {
    for (raw, delimiters, without) in [
        ("postmaster@x.example", "-", None),
        ("mailer-daemon@x.example", "-", None),
        ("Double-Bounce@x.example", "-", None),
        ("owner-list@x.example", "-", None),
        ("list-request@x.example", "-", None),
        ("list-x@x.example", "-", Some("list@x.example")),
        ("list-x@x.example", "+", None),
        ("+x@x.example", "+", None),
        ("a++b@x.example", "+", Some("a@x.example")),
        ("\"a b+c\"@x.example", "+", Some("a b@x.example")),
    ] {
        let address = Address::parse(raw.as_bytes()).expect(raw);
        let got = address.without_extension(delimiters).map(|a| a.key());
        assert_eq!(got.as_deref(), without, "{raw}");
    }
}

/// A sender who cannot be read is no bounce, and whoever it is, no exception is theirs.
#[test]
fn an_unreadable_sender_has_no_exceptions() {
    let policy = policy(
        "inside: {domains: [kommune.example]}\npartners: {domains: [region.example]}",
        "",
    );
    let lifted = |from: &str| {
        let decision = decide(&policy, from, b"<a@region.example>", &Answers::offline()).remove(0);
        !decision.lifted.is_empty()
    };
    assert!(lifted("<sag@kommune.example>") && lifted("<>"));
    assert!(!lifted("<a@b@kommune.example>"));
}

#[test]
fn what_was_not_answered_is_not_decided() {
    let groups = "inside: {domains: [kommune.example]}\nteam: {ldap: Team, table: people}";
    let policy = policy(groups, "");
    let asked = |raw: &str| Address::parse(raw.as_bytes()).expect(raw);
    let decide = |given: &Answers| decide(&policy, "<sag@kommune.example>", b"<a+x@post.example>", given);
    let mut given = Answers::unanswered();
    assert!(decide(&given).is_empty(), "nobody was asked");
    given.answer(&asked("sag@kommune.example"), vec![]);
    given.answer(&asked("a+x@post.example"), vec![]);
    assert!(
        decide(&given).is_empty(),
        "the address without its extension was not asked for"
    );
    given.answer(&asked("a@post.example"), vec![1]);
    let decisions = decide(&given);
    assert!(decisions[0].matched.iter().any(|m| m.rule.id == "r_team"));
    assert!(decisions[0].lifted.iter().any(|l| &*l.exception == "to_team"));
}

#[test]
fn nobody_is_asked_for_a_mail_without_findings_nor_for_groups_that_nothing_uses() {
    let used = policy("inside: {domains: [kommune.example]}\nteam: {ldap: Team}", "");
    let envelope = Envelope {
        sender: Address::parse(b"sag@kommune.example").ok(),
        ..Envelope::default()
    };
    assert!(used.asks(&envelope, &[], &[]).addresses.is_empty());
    assert_eq!(used.sources().len(), 1);
    let source = "version: 1\nname: P\nowner: dpo@kommune.example\n\
                  groups: {inside: {domains: [kommune.example]}, team: {ldap: Team}}\nrules: []\n";
    let unused = policy::load(source, "p.yaml", TODAY, &|_| Err("none".to_owned())).expect("sound");
    assert!(unused.policy.sources().is_empty());
}

/// What a policy may not say of groups that others keep, and how it is told.
#[test]
fn mistakes_about_asked_groups_are_told_at_their_place() {
    let mistakes = |groups: &str, more: &str| {
        let source = format!("version: 1\nname: P\nowner: dpo@kommune.example\n{more}\ngroups:\n{groups}rules: []\n");
        match policy::load(&source, "p.yaml", TODAY, &|_| Err("none".to_owned())) {
            Ok(_) => String::new(),
            Err(problems) => policy::render(&problems, "p.yaml", &source),
        }
    };
    let inside = "  inside: {domains: [kommune.example]}\n";
    for (groups, more, told) in [
        (
            "  inside: {ldap: Alle}\n",
            "",
            "who is `inside` must be known without asking",
        ),
        (
            "  inside: {domains: [kommune.example], table: relay}\n",
            "",
            "must be known without asking",
        ),
        (&format!("{inside}  team: {{ldap: []}}\n"), "", "`ldap` is empty"),
        (
            &format!("{inside}  team: {{}}\n"),
            "",
            "say who knows it: `ldap`, `table`",
        ),
        (&format!("{inside}  team: {{ldab: Team}}\n"), "", "did you mean `ldap`?"),
        (inside, "recipient_delimiter: '@'", "is no `recipient_delimiter`"),
        (inside, "recipient_delimiter: plus", "is no `recipient_delimiter`"),
    ] {
        let said = mistakes(groups, more);
        assert!(said.contains(told), "{groups}{more}: {said}");
    }
    let team = format!("{inside}  team: {{ldap: Team, table: [a, b], domains: [x.example]}}\n");
    assert_eq!(mistakes(&team, "recipient_delimiter: +"), "");
}

/// Facts of the sender, who can be in a group that is asked, and of nobody else than takes part.
#[test]
fn tests_give_groups_to_the_sender_too() {
    let load = |given: &str, expect: &str| {
        let source = format!(
            "version: 1\nname: P\nowner: dpo@kommune.example\n\
             groups: {{inside: {{domains: [kommune.example]}}, team: {{ldap: Team}}}}\n\
             rules:\n  - {{id: team, title: T, when: {{found: cpr, from: team}}, then: reject}}\n\
             tests:\n  - name: T\n    from: Sag@kommune.example\n    to: x@post.example\n    text: \"{{cpr}}\"\n    \
             given: {{{given}}}\n    expect: {expect}\n"
        );
        match policy::load(&source, "p.yaml", TODAY, &|_| Err("none".to_owned())) {
            Ok(_) => String::new(),
            Err(problems) => policy::render(&problems, "p.yaml", &source),
        }
    };
    assert_eq!(load("sag@kommune.example: team", "reject"), "");
    assert_eq!(load("", "quarantine"), "");
    assert!(load("", "reject").contains("is not asked in tests"));
    assert!(load("sag@kommune.example: tls_enforced", "reject").contains("unknown fact `tls_enforced`"));
    assert!(load("sag@kommune.example: outside", "reject").contains("`outside` cannot be given"));
    assert!(load("other@kommune.example: team", "reject").contains("is no recipient of this test"));
}

fn spelling() -> impl Strategy<Value = String> {
    let local = prop::sample::select(vec!["anna", "søren", "anna b", "a@b", "x%y", "å.b", "o'n", "q\\\"w"]);
    let domain = prop::sample::select(vec!["kommune.example", "rødovre.example", "æøå.example", "[192.0.2.1]"]);
    (local, domain, any::<[bool; 5]>()).prop_map(|(local, domain, [upper, quote, dot, ascii, brackets])| {
        let plain = local
            .chars()
            .all(|c| c.is_alphanumeric() || matches!(c, '.' | '\'' | '%'));
        let local = match upper {
            true => local.to_uppercase(),
            false => local.to_owned(),
        };
        let local = if quote || !plain { format!("\"{local}\"") } else { local };
        let literal = domain.starts_with('[');
        let domain = match (ascii, upper) {
            (true, _) if !literal => idna::domain_to_ascii(domain).expect("a domain"),
            (_, true) => domain.to_uppercase(),
            _ => domain.to_owned(),
        };
        let dot = if dot && !literal { "." } else { "" };
        match brackets {
            true => format!("<{local}@{domain}{dot}>"),
            false => format!("{local}@{domain}{dot}"),
        }
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(512) })]

    /// Spellings of one address are equal, whichever is compared with which: what their key is does not depend on them.
    #[test]
    fn spellings_of_one_address_are_one(a in spelling(), b in spelling(), c in spelling()) {
        let plain = |s: &str| {
            let (local, domain) = s.trim_matches(['<', '>']).rsplit_once('@').expect("an address");
            let domain = domain.trim_end_matches('.').to_lowercase();
            let domain = if domain.starts_with('[') { domain } else { idna::domain_to_ascii(&domain).expect("a domain") };
            (local.trim_matches('"').to_lowercase(), domain)
        };
        let key = |s: &str| Address::parse(s.as_bytes()).expect("an address").key();
        let same = |x: &str, y: &str| key(x) == key(y);
        prop_assert_eq!(same(&a, &b), plain(&a) == plain(&b));
        prop_assert_eq!(same(&a, &b), same(&b, &a));
        prop_assert!(!(same(&a, &b) && same(&b, &c)) || same(&a, &c));
    }

    /// Whatever stands in RCPT TO, an exception lifts nothing that a rule for the same group does not see; and what has a
    /// key is in the same groups as its key.
    #[test]
    fn nobody_is_lifted_into_a_group_in_which_rules_do_not_see_them(raw in prop_oneof![
        "<?[a-zæøåA-Z0-9.+%!@\"\\\\ ,:()\\[\\]-]{0,30}>?",
        "<\"?[a-c@%!+ ]{0,6}\"?@(kommune|region|avis|post)\\.example\\.?>",
    ]) {
        let table = table();
        let policy = policy(&table.groups, "");
        let (rules, lifts) = groups_of(&policy, raw.as_bytes());
        prop_assert!(lifts.is_subset(&rules), "{:?}: {:?} {:?}", raw, lifts, rules);
        match Address::parse(raw.as_bytes()) {
            Err(_) => {
                prop_assert_eq!(rules, BTreeSet::from(["outside".to_owned()]));
                prop_assert!(lifts.is_empty());
            }
            Ok(address) => {
                let quoted = address.local.replace('\\', "\\\\").replace('"', "\\\"");
                let again = format!("\"{quoted}\"@{}", address.domain);
                if !address.domain.is_empty() {
                    prop_assert_eq!(groups_of(&policy, again.as_bytes()), (rules, lifts));
                }
            }
        }
    }
}
