//! Text -> checked, compiled, tested policy; every mistake that can be found at once.

use super::cases;
use super::decide::Defaults;
use super::exceptions;
use super::fields::{self, Fields, Word};
use super::groups::{self, List};
use super::index::Index;
use super::lint;
use super::problem::{Problem, Problems, quote};
use super::rules::{self, Known};
use super::trial;
use super::words::{self, CONFIDENCES, DEFAULT, IDENTIFIER, LANGUAGES, REDACTION, TOP};
use super::yaml::{self, Node, Value};
use super::{Language, Loaded, Policy, ReadList, Reading};
use crate::cpr::{Checksum, Confidence, Detector, Identifier, READY, Ready};
use crate::types::{Action, Style};
use sha2::{Digest, Sha256};
use time::Date;

/// Reads, checks, compiles and tests a policy.
///
/// # Errors
/// Every mistake found, each with its place.
pub fn load(source: &str, file: &str, today: Date, lists: ReadList<'_>) -> Result<Loaded, Vec<Problem>> {
    compile(source, file, today, lists, None)
}

/// As [`load`], with another eye than the detector for the texts of the tests.
///
/// # Errors
/// Every mistake found, each with its place.
pub fn load_reading(
    source: &str,
    file: &str,
    today: Date,
    lists: ReadList<'_>,
    reading: Reading<'_>,
) -> Result<Loaded, Vec<Problem>> {
    compile(source, file, today, lists, Some(reading))
}

fn compile(
    source: &str,
    file: &str,
    today: Date,
    lists: ReadList<'_>,
    reading: Option<Reading<'_>>,
) -> Result<Loaded, Vec<Problem>> {
    let mut problems = Problems::new(file);
    let source = source.trim_start_matches('\u{feff}');
    let Some(root) = yaml::read(source, &mut problems) else {
        return Err(problems.finish());
    };
    let draft = draft(&root, lists, today, &mut problems);
    let detector = detector(draft.as_ref().map(|(policy, _)| policy), today);
    let own = |text: &str| detector.as_ref().map(|d| d.find(text)).unwrap_or_default();
    let reading = reading.unwrap_or(&own);
    let texts = draft.as_ref().map(|(_, texts)| texts.as_slice()).unwrap_or_default();
    lint::real_numbers(source, texts, reading, &mut problems);
    if let (false, Some(at)) = (problems.any_errors(), yaml::disagreement(source, &root)) {
        problems.error(
            at,
            "two YAML readers understand this differently",
            "put every text with unusual characters into \"quotes\"",
        );
    }
    let Some((mut policy, texts)) = draft.filter(|_| !problems.any_errors()) else {
        return Err(problems.finish());
    };
    policy.hash = hash(source, &texts);
    let trial = trial::run(&policy, today, reading, &mut problems);
    lint::warn(&policy, today, &trial, &mut problems);
    if problems.any_errors() {
        return Err(problems.finish());
    }
    Ok(Loaded {
        policy,
        warnings: problems.finish(),
        tests: trial.results,
    })
}

/// For the search for real numbers even in a policy that does not compile: then without its own identifiers.
fn detector(policy: Option<&Policy>, today: Date) -> Option<Detector> {
    let identifiers = policy.map(|p| p.identifiers.as_slice()).unwrap_or_default();
    Detector::new(today, identifiers)
        .or_else(|_| Detector::new(today, &[]))
        .ok()
}

fn draft(root: &Node, lists: ReadList<'_>, today: Date, problems: &mut Problems) -> Option<(Policy, Vec<List>)> {
    let fields = Fields::open(root, root.at, "the policy", TOP, problems)?;
    version(&fields, problems);
    let name = fields.word("name", problems).map(|w| w.text).unwrap_or_default();
    let owner = fields.contact("owner", problems).unwrap_or_default();
    let languages = languages(&fields, problems);
    let delimiters = delimiters(&fields, problems);
    let (mut groups, texts) = groups::read(fields.node("groups"), delimiters, lists, problems);
    let identifiers = identifiers(fields.node("identifiers"), today, problems);
    let exceptions = exceptions::read(fields.node("exceptions"), &groups, problems);
    let known = Known {
        groups: &groups,
        exceptions: &exceptions,
        identifiers: &identifiers,
    };
    let rules = rules::read(fields.node("rules"), &known, problems);
    let style = style(fields.node("redaction"), problems);
    let mut default = defaults(fields.node("default"), problems);
    default.title = match languages.first() {
        Some(Language::En) => "When no other rule applies".to_owned(),
        _ => "Når ingen anden regel gælder".to_owned(),
    };
    let tests = cases::read(fields.node("tests"), &groups, &rule_ids(fields.node("rules")), problems);
    let parties = || {
        let rules = rules.iter().map(|r| &r.when.parties);
        rules.chain(exceptions.all.iter().map(|e| &e.parties))
    };
    groups.ask_only(|who| parties().any(|p| p.from.contains(&who) || p.to.contains(&who)));
    let policy = Policy {
        index: Index::of(&groups, &exceptions, &rules),
        name,
        owner,
        hash: String::new(),
        languages,
        identifiers,
        groups,
        exceptions,
        rules,
        style,
        default,
        tests,
    };
    Some((policy, texts))
}

/// Also of rules with mistakes, so that a test that names one is not a second mistake.
fn rule_ids(rules: Option<&Node>) -> Vec<String> {
    let Some(Value::List(items)) = rules.map(|n| &n.value) else {
        return Vec::new();
    };
    let id = |item: &Node| match item.get("id").map(|n| &n.value) {
        Some(Value::Scalar { text, .. }) => Some(text.trim().to_owned()),
        _ => None,
    };
    items.iter().filter_map(id).collect()
}

fn version(fields: &Fields<'_>, problems: &mut Problems) {
    let Some(word) = fields.word("version", problems) else {
        return;
    };
    if word.text != "1" {
        problems.error(
            word.at,
            format!("unknown version {}", quote(&word.text)),
            "this program reads `version: 1`",
        );
    }
}

/// Letters and digits begin no extension, and `@`, `%`, `!` and quotes mean something else in an address.
fn delimiters(fields: &Fields<'_>, problems: &mut Problems) -> String {
    let Some(word) = fields.word("recipient_delimiter", problems) else {
        return "+".to_owned();
    };
    let good = |c: char| matches!(c, '+' | '-' | '_' | '=' | '#' | '~' | '.' | '/');
    match word.text.as_str() {
        "none" => String::new(),
        text if text.chars().all(good) && text.chars().count() <= 3 => text.to_owned(),
        text => {
            problems.error(
                word.at,
                format!("{} is no `recipient_delimiter`", quote(text)),
                "write the characters that `postconf recipient_delimiter` shows, such as \"+\", or none",
            );
            String::new()
        }
    }
}

fn languages(fields: &Fields<'_>, problems: &mut Problems) -> Vec<Language> {
    let mut languages = Vec::new();
    for word in fields.words("notices", problems) {
        let language = match fields::choose(&word, "notices", LANGUAGES, problems) {
            Some("da") => Language::Da,
            Some(_) => Language::En,
            None => continue,
        };
        if languages.contains(&language) {
            problems.error(
                word.at,
                format!("{} stands here twice", quote(&word.text)),
                "name each language once",
            );
        }
        languages.push(language);
    }
    if fields.node("notices").is_none() {
        languages = vec![Language::Da, Language::En];
    }
    languages
}

fn identifiers(node: Option<&Node>, today: Date, problems: &mut Problems) -> Vec<Identifier> {
    let mut out = Vec::new();
    for entry in node
        .and_then(|n| fields::map(n, "`identifiers`", problems))
        .unwrap_or_default()
    {
        let name = Word {
            text: entry.key.clone(),
            at: entry.at,
        };
        check_name(&name, problems);
        let Some(fields) = Fields::open(&entry.value, entry.at, "an identifier", IDENTIFIER, problems) else {
            continue;
        };
        if fields.node("use").is_some() {
            out.extend(ready_made(&name, &fields, problems));
            continue;
        }
        let pattern = fields.word("pattern", problems);
        if fields.node("pattern").is_none() {
            problems.error(
                entry.at,
                "an identifier needs `pattern` or `use`".to_owned(),
                "`pattern`: a regular expression; `use`: the name of a ready-made identifier",
            );
        }
        let names = Checksum::NAMES.map(|(name, _)| name);
        let checksum = fields
            .one_of("checksum", &names, problems)
            .and_then(|word| Checksum::NAMES.into_iter().find(|(name, _)| *name == word))
            .map(|(_, checksum)| checksum);
        let context = fields.words("context", problems).into_iter().map(|w| w.text).collect();
        let identifier = Identifier {
            name: name.text,
            pattern: pattern.as_ref().map(|p| p.text.clone()).unwrap_or_default(),
            checksum,
            context,
        };
        if let (Some(node), Some(pattern)) = (fields.node("pattern"), &pattern)
            && matches!(node.value, Value::Scalar { plain: true, .. })
        {
            problems.error(
                pattern.at,
                "a pattern must stand in quotes: without them ` #` begins a comment, and the rest is lost",
                "put it into 'single quotes'",
            );
        }
        if let Some(pattern) = pattern {
            check_pattern(&identifier, &pattern, today, problems);
        }
        out.push(identifier);
    }
    out
}

/// `use: se_personnummer`: pattern, checksum and words come with it.
fn ready_made(name: &Word, fields: &Fields<'_>, problems: &mut Problems) -> Option<Identifier> {
    for key in ["pattern", "checksum"] {
        if let Some(at) = fields.at(key) {
            problems.error(
                at,
                format!("`{key}` has no place beside `use`"),
                "a ready-made identifier brings its own; leave one of the two out",
            );
        }
    }
    let names: Vec<&'static str> = READY.iter().map(|ready| ready.name).collect();
    let mut identifier = Ready::named(fields.one_of("use", &names, problems)?)?.identifier(&name.text);
    let context = fields.words("context", problems);
    identifier.context.extend(context.into_iter().map(|word| word.text));
    Some(identifier)
}

fn check_name(name: &Word, problems: &mut Problems) {
    let reserved = words::FOUND.iter().any(|(word, _)| *word == name.text)
        || words::reasons().any(|r| r.word() == name.text)
        || words::action(&name.text).is_some();
    let plain = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
    if reserved {
        problems.error(
            name.at,
            format!("{} is a word of this language", quote(&name.text)),
            "give the identifier another name",
        );
    } else if !name.text.chars().all(plain) || name.text.is_empty() {
        problems.error(
            name.at,
            format!("{} is no name for an identifier", quote(&name.text)),
            "use letters, digits, `_` and `-`",
        );
    }
}

/// The engine's own limit on compiled size keeps a pattern from eating memory.
fn check_pattern(identifier: &Identifier, pattern: &Word, today: Date, problems: &mut Problems) {
    let compiled = regex::RegexBuilder::new(&pattern.text).size_limit(1 << 20).build();
    let problem = match compiled {
        Err(regex::Error::CompiledTooBig(_)) => Some("it is too large".to_owned()),
        Err(error) => error
            .to_string()
            .lines()
            .last()
            .map(|l| l.trim_start_matches("error: ").to_owned()),
        Ok(regex) if regex.is_match("") => Some("it matches empty text".to_owned()),
        Ok(_) => Detector::new(today, std::slice::from_ref(identifier))
            .err()
            .map(|e| e.problem),
    };
    if let Some(problem) = problem {
        problems.error(
            pattern.at,
            format!("this pattern cannot be used: {problem}"),
            "write a regular expression without look-around and back-references, in 'single quotes'",
        );
    }
}

/// `redaction: {style: …}`.
fn style(node: Option<&Node>, problems: &mut Problems) -> Style {
    let fields = node.and_then(|node| Fields::open(node, node.at, "`redaction`", REDACTION, problems));
    let word = fields.and_then(|fields| fields.one_of("style", &Style::ALL.map(Style::word), problems));
    let style = Style::ALL.into_iter().find(|style| Some(style.word()) == word);
    style.unwrap_or_default()
}

fn defaults(node: Option<&Node>, problems: &mut Problems) -> Defaults {
    let mut defaults = Defaults::default();
    let Some(node) = node else {
        return defaults;
    };
    let Some(fields) = Fields::open(node, node.at, "`default`", DEFAULT, problems) else {
        return defaults;
    };
    let mut set = |key, slot: &mut Action| {
        if let Some(word) = fields.word(key, problems) {
            default_action(&word, slot, problems);
        }
    };
    set("found_to_outside", &mut defaults.found_to_outside);
    set("found_to_inside", &mut defaults.found_to_inside);
    set("unscannable_to_outside", &mut defaults.unscannable_to_outside);
    set("malformed_to_outside", &mut defaults.malformed_to_outside);
    match fields.one_of("confidence", CONFIDENCES, problems) {
        Some("possible") => defaults.confidence = Confidence::Possible,
        Some("certain") => defaults.confidence = Confidence::Certain,
        _ => {}
    }
    defaults
}

fn default_action(word: &Word, slot: &mut Action, problems: &mut Problems) {
    match words::action(&word.text) {
        Some(Action::Redact) => problems.error(
            word.at,
            "`default` cannot redact",
            "write a rule with `then: redact`, and let `default` say `quarantine`",
        ),
        Some(action) => *slot = action,
        None if word.text == "deliver" => *slot = Action::Deliver,
        None => {
            let valid = ["reject", "quarantine", "warn", "log", "deliver"];
            let (message, help) = words::no_action(&word.text);
            let help = if help.starts_with("valid") || help.starts_with("name") {
                words::help(&word.text, valid.into_iter())
            } else {
                help
            };
            problems.error(word.at, message, help);
        }
    }
}

/// First 16 digits of SHA-256 over the file and its lists, each with its length, so that no two sets of files can read
/// as the same bytes.
fn hash(source: &str, lists: &[List]) -> String {
    let mut sha = Sha256::new();
    for text in std::iter::once(source).chain(lists.iter().flat_map(|l| [l.file.as_str(), l.text.as_str()])) {
        sha.update((text.len() as u64).to_be_bytes());
        sha.update(text.as_bytes());
    }
    sha.finalize()
        .iter()
        .take(8)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}
