//! `policy explain`: for each recipient every rule that matched, what exceptions lifted, what wins, and the notice; by the
//! very code of the gateway, and without a digit of any number.

use cpr_milter::cpr::made_up;
use serde_json::Value;
use std::path::PathBuf;
use std::process::{Command, Output};

const POLICY: &str = r"
version: 1
name: Prøve Kommune
owner: dpo@k.example
groups:
  inside: {domains: [k.example]}
  office: {addresses: [aktindsigt@k.example]}
  media: {domains: [avis.example]}
  partners: {domains: [p.example]}
exceptions:
  partner: {title: Aftalt modtager, when: {to: partners, delivery: tls_enforced}, owner: o@k.example, reason: R, expires: 2099-01-31}
rules:
  - {id: protected, title: Særlige personer, when: {found: protected_person, to: outside}, then: quarantine, release: {by: dpo, people: 2}}
  - {id: office, title: Aktindsigt sløres, when: {found: cpr, from: office, to: outside}, then: redact}
  - {id: media, title: CPR til medier, when: {found: cpr, to: media}, then: reject}
  - {id: outside, title: CPR ud af huset, when: {found: cpr, confidence: likely, to: outside}, then: quarantine, except: [partner, redacted]}
";

struct Folder(tempfile::TempDir);

impl Folder {
    fn new(mail: &str) -> Folder {
        let folder = tempfile::tempdir().expect("folder");
        std::fs::write(folder.path().join("policy.yaml"), POLICY).expect("policy");
        std::fs::write(folder.path().join("mail.eml"), mail).expect("mail");
        Folder(folder)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn explain(&self, words: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cpr-milter"));
        command.args(["policy", "explain"]).arg(self.path("mail.eml"));
        command.arg("--policy").arg(self.path("policy.yaml")).args(words);
        command.output().expect("the program runs")
    }

    fn text(&self, words: &[&str]) -> String {
        let output = self.explain(words);
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert_eq!(
            output.status.code(),
            Some(0),
            "{text}{}",
            String::from_utf8_lossy(&output.stderr)
        );
        text
    }

    fn json(&self, words: &[&str]) -> Value {
        serde_json::from_str(&self.text(&[words, &["--format", "json"]].concat())).expect("JSON")
    }
}

fn written(seed: u64) -> String {
    let number = made_up::number(seed);
    format!("{}-{}", &number[..6], &number[6..])
}

fn mail(from: &str, to: &str) -> String {
    format!(
        "From: Sag <{from}>\nTo: {to}\nSubject: Svar paa henvendelse\nMessage-ID: <a@k.example>\n\nCPR-nummer {} og {}.\n",
        written(1),
        written(2)
    )
}

#[test]
fn every_recipient_is_told_alone_with_rules_exceptions_and_the_notice() {
    let folder = Folder::new(&mail(
        "sag@k.example",
        "borger@post.example, red@avis.example, kontor@p.example, kollega@k.example",
    ));
    let text = folder.text(&["--tls-enforced", "p.example"]);
    for line in [
        "from    sag@k.example (inside)",
        "found   2 different numbers, no doubt",
        "to      borger@post.example (outside)",
        "to      red@avis.example (outside, media)",
        "        * rule `media` (CPR til medier) says reject: no. 1 and no. 2",
        "        - rule `outside` (CPR ud af huset) says quarantine: no. 1 and no. 2",
    ] {
        assert!(text.lines().any(|l| l == line), "{line}: {text}");
    }
    assert!(
        text.contains("exception `partner` (Aftalt modtager) lifts no. 1 and no. 2 from"),
        "{text}"
    );
    assert!(text.contains("notice  to the sender: "), "{text}");
    assert!(text.contains("| "), "the text of the notice: {text}");
    for seed in [1, 2] {
        for part in written(seed).split('-') {
            assert!(!text.contains(part), "{part}: {text}");
        }
    }
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
}

#[test]
fn json_says_the_same_and_what_wins_is_the_first_that_is_enforced() {
    let folder = Folder::new(&mail("aktindsigt@k.example", "borger@post.example, red@avis.example"));
    let value = folder.json(&[]);
    let [citizen, paper] = [&value["recipients"][0], &value["recipients"][1]];
    assert_eq!(
        (&citizen["action"], &citizen["fate"]),
        (&"redact".into(), &"redacted".into()),
        "{value:#}"
    );
    assert_eq!(citizen["rule"]["id"], "office");
    assert_eq!(citizen["removed"], serde_json::json!([1, 2]));
    let lifted = serde_json::json!([{"rule": "outside", "exception": "redacted", "numbers": [1, 2]}]);
    assert_eq!(citizen["lifted"], lifted);
    assert_eq!(
        (&paper["action"], &paper["fate"]),
        (&"reject".into(), &"refused".into())
    );
    assert_eq!(paper["groups"], serde_json::json!(["outside", "media"]));
    assert_eq!(value["numbers"][0]["kind"], "cpr");
    assert!(
        value["notice"]["text"].as_str().is_some_and(|text| text.len() > 100),
        "{value:#}"
    );
    let all = value.to_string();
    assert!(
        [1, 2]
            .iter()
            .all(|seed| !all.contains(&made_up::number(*seed)) && !all.contains(&written(*seed)))
    );
}

#[test]
fn given_groups_facts_and_envelopes_count() {
    let folder = Folder::new(&mail("sag@k.example", "somebody@else.example"));
    let value = folder.json(&["--to", "borger@post.example", "--given", "borger@post.example=media"]);
    assert_eq!(
        value["recipients"].as_array().map(Vec::len),
        Some(1),
        "options win over headers"
    );
    assert_eq!(value["recipients"][0]["rule"]["id"], "media");
    assert!(
        value["reply"]
            .as_str()
            .is_some_and(|reply| reply.starts_with("550 5.7.1 ")),
        "{value:#}"
    );
    assert!(value["notice"].is_null());
    let protected = folder.json(&["--to", "borger@post.example", "--protected"]);
    assert_eq!(
        protected["recipients"][0]["release"],
        serde_json::json!({"by": "dpo", "people": 2})
    );
    assert_eq!(
        protected["recipients"][0]["told"]["id"], "outside",
        "the sender reads nothing of protected persons"
    );
    let as_office = folder.json(&["--from", "aktindsigt@k.example", "--to", "borger@post.example"]);
    assert_eq!(as_office["recipients"][0]["action"], "redact");
}

#[test]
fn mistakes_in_options_are_told_and_nothing_is_explained() {
    let folder = Folder::new(&mail("sag@k.example", "borger@post.example"));
    for (words, said) in [
        (["--given", "borger@post.example=medie"], "did you mean `media`?"),
        (["--given", "borger@post.example"], "is not ADDRESS=GROUP"),
        (
            ["--given", "other@post.example=media"],
            "names neither the sender nor a recipient",
        ),
        (["--to", "borger"], "is no mail address"),
    ] {
        let output = folder.explain(&words);
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{error}");
        assert!(error.contains(said), "{said}: {error}");
        assert!(output.stdout.is_empty());
    }
}

/// A copy that cannot be made clean is held, and `explain` says so because it has tried.
#[test]
fn a_redaction_that_fails_is_told_as_the_hold_that_it_becomes() {
    let signed = mail("aktindsigt@k.example", "borger@post.example").replacen(
        "Message-ID",
        "MIME-Version: 1.0\nContent-Type: multipart/signed; protocol=\"application/pkcs7-signature\"; micalg=sha-256; boundary=x\nMessage-ID",
        1,
    );
    let (head, body) = signed.split_once("\n\n").expect("a body");
    let folder = Folder::new(&format!(
        "{head}\n\n--x\nContent-Type: text/plain\n\n{body}\n--x\nContent-Type: application/pkcs7-signature\n\nMIIB\n--x--\n"
    ));
    let value = folder.json(&[]);
    assert_eq!(value["recipients"][0]["fate"], "held", "{value:#}");
    assert_eq!(value["recipients"][0]["rule"]["id"], "redaction_failed");
}
