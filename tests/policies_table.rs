//! The table of mistakes: `tests/data/policies/mistakes.txt` holds a hundred ways to write `school.yaml` wrong, each with
//! every message that its writer reads, word for word, and whether the JSON Schema marks it in the editor already.

use cpr_milter::policy::{self, Problem};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use time::macros::date;

/// At least so many must be there, so that a lost file is no success.
const LEAST: usize = 60;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/policies")
}

/// One way to be wrong.
#[derive(Default)]
struct Mistake {
    title: String,
    from: String,
    to: String,
    says: String,
    schema: String,
}

/// `- ` lines are taken out of the policy, `+ ` lines put in their place; `> ` lines are what is said.
fn mistakes() -> Vec<Mistake> {
    let text = std::fs::read_to_string(folder().join("mistakes.txt")).expect("mistakes.txt");
    let mut all: Vec<Mistake> = Vec::new();
    for line in text.lines() {
        if let Some(title) = line.strip_prefix("=== ") {
            all.push(Mistake {
                title: title.to_owned(),
                ..Mistake::default()
            });
            continue;
        }
        let Some(mistake) = all.last_mut() else { continue };
        let mut put = |mark: &str, slot: fn(&mut Mistake) -> &mut String| {
            if let Some(rest) = line.strip_prefix(mark) {
                let _ = writeln!(slot(mistake), "{rest}");
            }
        };
        put("- ", |m| &mut m.from);
        put("+ ", |m| &mut m.to);
        put("> ", |m| &mut m.says);
        put("schema: ", |m| &mut m.schema);
    }
    all
}

fn wrong(mistake: &Mistake, school: &str) -> String {
    if mistake.from.is_empty() {
        let end = mistake.to.trim_end();
        return school.split_once(end).expect(end).0.to_owned();
    }
    assert!(school.contains(&mistake.from), "{}: not in school.yaml", mistake.title);
    school.replacen(&mistake.from, &mistake.to, 1)
}

/// `line:column message (help)`, a line each.
fn told(problems: &[Problem]) -> String {
    problems.iter().fold(String::new(), |mut out, p| {
        let word = if p.warning { "warning: " } else { "" };
        let help = p.help.as_deref().unwrap_or("");
        let _ = writeln!(out, "{}:{} {word}{} ({help})", p.line, p.column, p.message);
        out
    })
}

fn load(source: &str) -> (bool, String) {
    let lists =
        |name: &str| std::fs::read_to_string(folder().join(name)).map_err(|_| "there is no such file".to_owned());
    match policy::load(source, "school.yaml", date!(2026 - 11 - 25), &lists) {
        Ok(loaded) => (true, told(&loaded.warnings)),
        Err(problems) => (false, told(&problems)),
    }
}

/// What an editor would do: YAML, then the schema.
fn schema_takes(schema: &jsonschema::Validator, source: &str) -> bool {
    serde_yaml::from_str::<serde_json::Value>(source).is_ok_and(|value| schema.is_valid(&value))
}

fn schema() -> jsonschema::Validator {
    jsonschema::draft202012::new(&policy::schema()).expect("a sound schema")
}

#[test]
fn each_mistake_is_told_word_for_word() {
    let school = std::fs::read_to_string(folder().join("school.yaml")).expect("school.yaml");
    assert_eq!(load(&school), (true, String::new()));
    let schema = schema();
    assert!(schema_takes(&schema, &school));
    let all = mistakes();
    assert!(all.len() >= LEAST, "only {} mistakes", all.len());
    let mut wrong_ones = String::new();
    for mistake in &all {
        let source = wrong(mistake, &school);
        let (loads, says) = load(&source);
        let takes = if schema_takes(&schema, &source) {
            "takes\n"
        } else {
            "refuses\n"
        };
        let shown = format!("{says}schema: {takes}");
        if shown != format!("{}schema: {}", mistake.says, mistake.schema) {
            let _ = writeln!(wrong_ones, "=== {}\n{shown}", mistake.title);
        }
        assert_eq!(loads, mistake.title.starts_with("WARNING"), "{}", mistake.title);
        // Whatever an editor marks, the reader refuses; the other way round it need not be.
        assert!(
            !loads || takes == "takes\n",
            "{}: sound, and refused by the schema",
            mistake.title
        );
    }
    assert!(wrong_ones.is_empty(), "other words than in mistakes.txt:\n{wrong_ones}");
}

#[test]
fn the_schema_takes_every_shipped_policy_and_refuses_structural_mistakes() {
    let schema = schema();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for name in [
        "policies/municipality.yaml",
        "policies/hospital.yaml",
        "policies/small-business.yaml",
    ] {
        let source = std::fs::read_to_string(root.join(name)).expect(name);
        let value: serde_json::Value = serde_yaml::from_str(&source).expect(name);
        let errors: Vec<String> = schema.iter_errors(&value).map(|e| e.to_string()).collect();
        assert!(errors.is_empty(), "{name}: {errors:#?}");
        assert!(source.contains("# yaml-language-server: $schema="), "{name}");
    }
    let refused = mistakes().iter().filter(|m| m.schema == "refuses\n").count();
    assert!(refused >= 40, "the schema marks only {refused} of the mistakes");
}
