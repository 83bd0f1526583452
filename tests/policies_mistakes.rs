//! Mistakes that people make in a policy, each in a policy that is sound without it: what is told, and where. A file that
//! says one thing and means another must never load in silence.

use cpr_milter::policy::{self, Loaded, Problem};
use std::fmt::Write as _;
use time::Date;
use time::macros::date;

const TODAY: Date = date!(2026 - 11 - 25);

const SCHOOL: &str = r#"version: 1
name: Eksempel Skole, udgående post
owner: dpo@skole.example
groups:
  inside:
    domains: [skole.example]
  kommune:
    domains: [kommune.example]
  parents:
    file: lists/parents.txt
exceptions:
  agreed:
    title: Kommunen over tvungen TLS
    when: {to: kommune, delivery: tls_enforced}
    owner: it@skole.example
    reason: Databehandleraftale
    expires: 2027-06-30
rules:
  - id: protected
    title: Beskyttede
    when: {found: protected_person, to: outside}
    then: quarantine
  - id: outside
    title: CPR ud af skolen
    when: {found: cpr, confidence: likely, to: outside}
    then: quarantine
    except: [agreed]
  - id: parents
    title: Klasselister
    when:
      found: cpr
      to: parents
    then: reject
tests:
  - name: Fri
    from: laerer@skole.example
    to: far@post.example
    text: Hej
    expect: deliver
  - name: Stop
    from: laerer@skole.example
    to: far@post.example
    text: "CPR {cpr}"
    expect: quarantine
    because: outside
  - name: Lister
    from: laerer@skole.example
    to: mor@parents.example
    text: "CPR {cpr}"
    expect: reject
  - name: Aftalt
    from: laerer@skole.example
    to: a@kommune.example
    text: "CPR {a}"
    given: {delivery: tls_enforced}
    expect: deliver
  - name: Beskyttet
    from: laerer@skole.example
    to: a@kommune.example
    text: "CPR {a}"
    given: {protected: [a], delivery: tls_enforced}
    expect: quarantine
...
"#;

fn lists(name: &str) -> Result<String, String> {
    match name {
        "lists/parents.txt" => Ok("# forældre\nmor@parents.example\n".to_owned()),
        _ => Err("No such file".to_owned()),
    }
}

fn load_on(source: &str, today: Date) -> Result<Loaded, Vec<Problem>> {
    policy::load(source, "p.yaml", today, &lists)
}

fn with(from: &str, to: &str) -> String {
    assert!(SCHOOL.contains(from), "{from}");
    SCHOOL.replacen(from, to, 1)
}

/// `line:column message (help)`, a line each.
fn told(problems: &[Problem]) -> String {
    problems.iter().fold(String::new(), |mut out, p| {
        let help = p.help.as_deref().unwrap_or("");
        let _ = writeln!(out, "{}:{} {} ({help})", p.line, p.column, p.message);
        out
    })
}

#[test]
fn each_mistake_is_told_at_its_place_with_what_is_likely_meant() {
    assert_eq!(told(&load_on(SCHOOL, TODAY).expect("sound").warnings), "");
    for (from, to, expected) in [
        // Keys.
        (
            "owner: dpo",
            "ower: dpo",
            "3:1 the policy has no key `ower` (did you mean `owner`?)",
        ),
        (
            "then: reject",
            "thn: reject",
            "33:5 a rule has no key `thn` (did you mean `then`?)",
        ),
        (
            "then: reject",
            "action: reject",
            "33:5 a rule has no key `action` (did you mean `then`?)",
        ),
        (
            "      to: parents",
            "    to: parents",
            "32:5 a rule has no key `to` (`to` belongs into `when` of a rule)",
        ),
        (
            "rules:",
            "regler:",
            "18:1 the policy has no key `regler` (did you mean `rules`?)",
        ),
        (
            "then: reject",
            "then: reject\n    then: log",
            "34:5 `then` stands here a second time (it was first given in line 33",
        ),
        (
            "    owner: it@skole.example\n",
            "",
            "12:3 the exception `agreed` needs `owner` (",
        ),
        (
            "    reason: Databehandleraftale\n",
            "",
            "12:3 the exception `agreed` needs `reason` (",
        ),
        (
            "    expires: 2027-06-30\n",
            "",
            "12:3 the exception `agreed` needs `expires` (",
        ),
        (
            "tests:",
            "default: {found_to_outsde: log}\ntests:",
            "`default` has no key `found_to_outsde` (did you mean `found_to_outside`?)",
        ),
        // Words.
        (
            "then: quarantine",
            "then: quarantien",
            "22:11 unknown action `quarantien` (did you mean `quarantine`?)",
        ),
        (
            "then: reject",
            "then: allow",
            "33:11 `allow` is no action: a rule cannot allow anything (name an exception",
        ),
        ("then: reject", "then: [reject, log]", "33:11 `then` must be one word"),
        (
            "confidence: likely",
            "confidence: høj",
            "25:36 unknown word `høj` for `confidence` (did you mean `certain`?)",
        ),
        (
            "      to: parents",
            "      to: Parents",
            "32:11 there is no group `Parents` (did you mean `parents`?)",
        ),
        (
            "      to: parents",
            "      to: parents, kommune",
            "32:11 there is no group `parents, kommune` (write several words as a list: `[parents, kommune]`)",
        ),
        (
            "      to: parents",
            "      to: mor@parents.example",
            "(conditions name groups: put this address or domain into a group)",
        ),
        ("      to: parents", "      to:", "32:9 `to` is empty (write a value"),
        (
            "      to: parents",
            "      to: []",
            "32:11 `to` is empty (write at least one word",
        ),
        (
            "except: [agreed]",
            "except: [agred]",
            "27:14 there is no exception `agred` (did you mean `agreed`?)",
        ),
        (
            "id: parents",
            "id: outside",
            "28:9 a second rule has the id `outside` (the first one stands in line 23",
        ),
        (
            "      found: cpr",
            "      found: cpr\n      people: 10 or less",
            "32:15 a rule cannot ask for few people, only for many",
        ),
        (
            "then: reject",
            "then: reject\n    mode: wach",
            "34:11 unknown word `wach` for `mode` (did you mean `watch`?)",
        ),
        ("version: 1", "version: 2", "1:10 unknown version `2`"),
        ("2027-06-30", "30-06-2027", "17:14 `expires` is no date: `30-06-2027`"),
        ("2027-06-30", "2027-02-30", "17:14 `expires` is no date: `2027-02-30`"),
        ("Klasselister", "\"a\\nb\"", "29:12 `title` must be one line"),
        // Who is who: what would hold other people than it says.
        ("  inside:", "  Inside:", "5:3 there is no group `inside`"),
        (
            "[kommune.example]",
            "[\"*.kommune.example\"]",
            "8:15 `*.kommune.example` is no domain (write `kommune.example`: the domain and all its subdomains)",
        ),
        (
            "[kommune.example]",
            "[.kommune.example]",
            "(write `kommune.example`: the domain and all its subdomains)",
        ),
        (
            "[kommune.example]",
            "[\"@kommune.example\"]",
            "(write `kommune.example`: the domain and all its subdomains)",
        ),
        (
            "[skole.example]",
            "[example]",
            "6:15 `example` is no domain (write the whole name",
        ),
        (
            "domains: [skole.example]",
            "patterns: [\"*\"]",
            "5:3 everybody is `inside`, so nobody is `outside`",
        ),
        (
            "domains: [kommune.example]",
            "patterns: [\"kontor*\"]",
            "8:16 `kontor*` is no pattern (write `kontor*@*` for",
        ),
        (
            "domains: [kommune.example]",
            "addresses: [\"a@x.example,b@y.example\"]",
            "8:17 `a@x.example,b@y.example` is no mail address",
        ),
        (
            "domains: [kommune.example]",
            "addresses: [\"mailto:a@x.example\"]",
            "8:17 `mailto:a@x.example` is no mail address",
        ),
        (
            "lists/parents.txt",
            "lists/forældre.txt",
            "10:11 the list `lists/forældre.txt` cannot be read: No such file",
        ),
        // Tests that would show something else than they say.
        ("text: Hej", "text: \"CPR {CPR}\"", "38:11 `{CPR}` stands for no number"),
        ("text: Hej", "text: \"CPR {cpr\"", "38:11 `{cpr` stands for no number"),
        (
            "text: Hej",
            "text: \"CPR {cpr 2}\"",
            "38:11 `{cpr 2}` stands for no number",
        ),
        (
            "expect: quarantine\n    because",
            "expect: reject\n    because",
            "44:13 test `Stop`: expected `reject` for `far@post.example`, got `quarantine` by rule `outside`",
        ),
        (
            "given: {protected",
            "given: {protectd",
            "unknown fact `protectd` (did you mean `protected`?)",
        ),
        // Patterns that would lose a part.
        (
            "exceptions:",
            "identifiers:\n  sag:\n    pattern: J #\\d+\nexceptions:",
            "13:14 a pattern must stand in quotes",
        ),
        (
            "exceptions:",
            "identifiers:\n  sag: {pattern: \"\\bJ\"}\nexceptions:",
            "12:18 this text holds a control character",
        ),
        // YAML.
        (
            "    title: Beskyttede",
            "\ttitle: Beskyttede",
            "20:1 a tab stands in the indentation",
        ),
        (
            "    title: Beskyttede",
            "\u{a0}\u{a0}\u{a0}\u{a0}title: Beskyttede",
            "20:1 an unusual space stands in the indentation",
        ),
        (
            "Beskyttede",
            "Besk\u{202e}yttede",
            "20:16 an invisible character stands here (U+202E)",
        ),
        (
            "Beskyttede",
            "\"Besk\\e[31m\"",
            "20:12 this text holds a control character",
        ),
        (
            "CPR ud af skolen",
            "CPR: ud af skolen",
            "24:15 a second colon stands in this line",
        ),
        (
            "[skole.example]",
            "&a [skole.example]",
            "6:14 an anchor (`&name`) is not allowed",
        ),
        ("[kommune.example]", "*a", "8:14 an alias (`*name`) is not allowed"),
        (
            "  - id: protected",
            "  - <<: {then: reject}\n    id: protected",
            "19:5 a rule has no key `<<`",
        ),
        (
            "tests:",
            "---\nversion: 1\ntests:",
            "34:1 a second document begins here",
        ),
    ] {
        let problems = load_on(&with(from, to), TODAY).map(|_| ()).expect_err(to);
        assert!(problems.iter().any(|p| !p.warning), "{to}");
        assert!(told(&problems).contains(expected), "{to}\n{}", told(&problems));
    }
    for (file, expected) in [
        ("", "1:1 the file is empty"),
        ("# kun en bemærkning\n", "1:1 the file is empty"),
        ("hej\n", "1:1 the policy must be a map"),
    ] {
        assert!(
            told(&load_on(file, TODAY).map(|_| ()).expect_err(file)).contains(expected),
            "{file}"
        );
    }
}

#[test]
fn all_mistakes_are_told_at_once() {
    let source = SCHOOL
        .replace("owner: dpo", "ower: dpo")
        .replace("found: cpr,", "fund: cpr,")
        .replace("then: reject", "then: rejekt")
        .replace("2027-06-30", "2027");
    assert_eq!(
        told(&load_on(&source, TODAY).map(|_| ()).expect_err("mistakes"))
            .lines()
            .count(),
        4
    );
    let tabs = SCHOOL.replace("    title", "\ttitle");
    let told = told(&load_on(&tabs, TODAY).map(|_| ()).expect_err("tabs"));
    assert_eq!(
        told.lines().count(),
        tabs.matches(
            "
	"
        )
        .count(),
        "{told}"
    );
}

#[test]
fn line_ends_and_a_mark_of_byte_order_change_nothing() {
    for source in [SCHOOL.replace('\n', "\r\n"), format!("\u{feff}{SCHOOL}")] {
        assert_eq!(told(&load_on(&source, TODAY).expect("sound").warnings), "");
    }
}

#[test]
fn what_is_sound_and_yet_hardly_meant_is_a_warning() {
    for (from, to, expected) in [
        (
            "2027-06-30",
            "2072-06-30",
            "17:14 the exception `agreed` holds for more than five years",
        ),
        (
            "{found: protected_person, to: outside}\n    then: quarantine",
            "{found: hidden, to: outside, direction: internal}\n    then: log",
            "19:9 the rule `protected` never applies: its `direction` and `to: outside` exclude each other",
        ),
        (
            "    then: reject",
            "    then: log",
            "28:9 the rule `parents` says `log`, but `default` says `quarantine`",
        ),
        (
            "when: {to: kommune, delivery: tls_enforced}",
            "when: {from: inside}",
            "12:3 the exception `agreed` lifts every number for everybody outside",
        ),
        (
            "  parents:\n",
            "  unused:\n    domains: [x.example]\n  parents:\n",
            "9:3 no rule or exception uses the group `unused`",
        ),
    ] {
        // Without its tests: they would refuse most of these.
        let source = with(from, to);
        let source = source.split("tests:").next().expect("a policy");
        let warnings = told(
            &load_on(source, TODAY)
                .unwrap_or_else(|p| panic!("{to}\n{}", told(&p)))
                .warnings,
        );
        assert!(warnings.contains(expected), "{to}\n{warnings}");
    }
}

#[test]
fn a_list_is_read_by_words_and_not_by_accident() {
    let load = |list: &'static str| policy::load(SCHOOL, "p.yaml", TODAY, &move |_| Ok(list.to_owned()));
    assert!(load("\u{feff}mor@parents.example # klasse 3a\r\n#far@parents.example\r\n").is_ok());
    for (list, expected) in [
        ("mor@parents.example\nfar#mor@parents.example@x\n", "2:1"),
        ("parents\n", "1:1 `parents` is no domain"),
        (
            "Mor <mor@parents.example>\n",
            "1:1 `Mor <mor@parents.example>` is no mail address",
        ),
        ("mor@parents.example;far@parents.example\n", "1:1"),
    ] {
        let problems = load(list).map(|_| ()).expect_err(list);
        assert!(
            problems.iter().all(|p| p.file == "lists/parents.txt"),
            "{}",
            told(&problems)
        );
        assert!(told(&problems).contains(expected), "{}", told(&problems));
    }
    // Within a word `#` is a letter: otherwise this line would hold everybody below `klasse`.
    assert!(load("mor@parents.example\nklasse.dk#3@parents.example\n").is_ok());
}

#[test]
fn a_number_in_the_file_is_refused_and_not_repeated() {
    let number = made_up();
    let (date, serial) = number.split_at(6);
    for written in [number.clone(), format!("{date}-{serial}")] {
        for source in [
            with("version: 1", &format!("version: 1 # fx {written}")),
            with("text: Hej", &format!("text: \"CPR {written}\"")),
            with("then: reject", &format!("then: {written}")),
            with("except: [agreed]", &format!("except: [\"{written}\"]")),
        ] {
            let problems = load_on(&source, TODAY).map(|_| ()).expect_err("a number");
            let shown = policy::render(&problems, "p.yaml", &source);
            assert!(shown.contains("this looks like a real CPR number"), "{shown}");
            assert!(!shown.contains(&written) && !shown.contains(&number), "{shown}");
        }
    }
}

/// A number with modulus 11, computed here, so that none stands in this file.
fn made_up() -> String {
    let weights = [4u32, 3, 2, 7, 6, 5, 4, 3, 2, 1];
    let sum = |n: &String| {
        n.bytes()
            .zip(weights)
            .map(|(d, w)| u32::from(d - b'0') * w)
            .sum::<u32>()
    };
    let mut all = (1000..4000).map(|serial| format!("150372{serial}"));
    all.find(|n| sum(n).is_multiple_of(11)).expect("one of eleven")
}

/// On the day after an exception's last day nobody has changed the file; a gateway that is started again that day must not
/// refuse it, and with it every mail.
#[test]
fn a_test_that_only_the_calendar_breaks_is_a_warning_and_the_exception_lifts_nothing() {
    let day_after = date!(2027 - 07 - 01);
    assert_eq!(
        told(&load_on(SCHOOL, date!(2027 - 06 - 30)).expect("the last day").warnings),
        ""
    );
    let loaded = load_on(SCHOOL, day_after).unwrap_or_else(|p| panic!("{}", told(&p)));
    let warnings = told(&loaded.warnings);
    assert!(
        warnings.contains("the exception `agreed` has expired and lifts nothing"),
        "{warnings}"
    );
    assert!(
        warnings.contains("got `quarantine` by rule `outside`; it was as expected until 2027-06-30"),
        "{warnings}"
    );
    let lapsed = loaded.tests.iter().filter(|t| t.lapsed == Some(date!(2027 - 06 - 30)));
    assert_eq!(
        lapsed.map(|t| (t.name.as_str(), t.passed)).collect::<Vec<_>>(),
        [("Aftalt", false)]
    );
    assert_eq!(loaded.tests.iter().filter(|t| t.passed).count(), 4);

    let wrong = with("expect: reject", "expect: log");
    let problems = load_on(&wrong, day_after).map(|_| ()).expect_err("wrong on every day");
    assert_eq!(problems.iter().filter(|p| !p.warning).count(), 1, "{}", told(&problems));
}

#[test]
fn a_watched_rule_comes_into_force_on_its_day_without_breaking_its_tests() {
    let source = with("    then: reject", "    then: reject\n    enforce_from: 2027-01-01")
        .replace("expect: reject", "expect: quarantine");
    assert_eq!(
        told(&load_on(&source, date!(2026 - 12 - 31)).expect("watched").warnings),
        ""
    );
    let loaded = load_on(&source, date!(2027 - 01 - 01)).unwrap_or_else(|p| panic!("{}", told(&p)));
    let warnings = told(&loaded.warnings);
    assert!(
        warnings.contains("got `reject` by rule `parents`; it was as expected until 2026-12-31"),
        "{warnings}"
    );
}

#[test]
fn the_shipped_policies_load_on_any_later_day() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("policies");
    for name in ["municipality.yaml", "hospital.yaml", "small-business.yaml"] {
        let source = std::fs::read_to_string(folder.join(name)).expect("shipped");
        let list = |list: &str| std::fs::read_to_string(folder.join(list)).map_err(|e| e.to_string());
        let loaded = policy::load(&source, name, date!(2100 - 01 - 01), &list);
        let loaded = loaded.unwrap_or_else(|problems| panic!("{}", told(&problems)));
        assert!(loaded.tests.iter().any(|t| t.lapsed.is_some()), "{name}");
    }
}
