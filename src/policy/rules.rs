//! `rules:`: what must be found, from whom, to whom, and what then.

use super::exceptions::Exceptions;
use super::fields::{self, Fields, Word};
use super::groups::Groups;
use super::parties::Parties;
use super::problem::{Problems, quote};
use super::words::{self, CONFIDENCES, PLACES, RELEASE, RULE, RULE_WHEN};
use super::yaml::{Node, Spot, Value};
use crate::cpr::{Confidence, Identifier};
use crate::types::{Action, DoubtKind, PlaceClass, Release, RuleRef};
use std::sync::Arc;
use time::Date;

/// One compiled rule.
#[derive(Debug)]
pub(super) struct Rule {
    pub at: Spot,
    pub name: Arc<RuleRef>,
    pub when: When,
    pub action: Action,
    /// Indices into the policy's exceptions.
    pub except: Vec<usize>,
    /// The built-in exception is named.
    pub except_redacted: bool,
    /// `mode: watch`.
    watch: bool,
    /// From this day on a watched rule is enforced.
    pub enforce_from: Option<Date>,
    pub release: Release,
}

impl Rule {
    /// Recorded only.
    pub fn is_watched(&self, today: Date) -> bool {
        match self.enforce_from {
            Some(day) => today < day,
            None => self.watch,
        }
    }
}

/// What must be found, and between whom.
#[derive(Debug)]
pub(super) struct When {
    pub found: Found,
    pub confidence: Confidence,
    /// Empty: anywhere.
    pub places: Vec<PlaceClass>,
    /// At least so many different CPR numbers; 0 when not asked.
    pub people: usize,
    pub parties: Parties,
}

impl When {
    /// Both mean the same numbers and doubts in every mail. How many people there must be is another question.
    pub fn same_content(&self, other: &When) -> bool {
        (&self.found, self.confidence, &self.places) == (&other.found, other.confidence, &other.places)
    }
}

/// What a rule looks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Found {
    Cpr,
    ProtectedPerson,
    FakeRedaction,
    Hidden,
    AnythingNamed,
    Custom(String),
    /// For one of these reasons.
    Unscannable(Vec<DoubtKind>),
    Malformed,
}

impl Found {
    /// Looks for numbers, not for doubts.
    pub fn is_number(&self) -> bool {
        !matches!(self, Found::Unscannable(_) | Found::Malformed)
    }
}

/// What a rule may refer to.
pub(super) struct Known<'k> {
    pub groups: &'k Groups,
    pub exceptions: &'k Exceptions,
    pub identifiers: &'k [Identifier],
}

/// Reads `rules:`.
pub(super) fn read(node: Option<&Node>, known: &Known<'_>, problems: &mut Problems) -> Vec<Rule> {
    let mut ids: Vec<Word> = Vec::new();
    let Some(items) = node.and_then(|n| fields::list(n, "`rules`", problems)) else {
        return Vec::new();
    };
    items
        .iter()
        .filter_map(|item| rule(item, known, &mut ids, problems))
        .collect()
}

fn rule(node: &Node, known: &Known<'_>, ids: &mut Vec<Word>, problems: &mut Problems) -> Option<Rule> {
    let fields = Fields::open(node, node.at, "a rule", RULE, problems)?;
    let id = id(&fields, ids, problems);
    let title = fields.word("title", problems);
    let when = fields
        .node("when")
        .and_then(|n| when(n, fields.at("when").unwrap_or(n.at), known, problems));
    let action = fields.node("then").and_then(|n| action(n, problems));
    let release = release(&fields, action.as_ref(), problems);
    let (except, except_redacted) = except(&fields, action.as_ref(), when.as_ref(), known, problems);
    let mode = fields.one_of("mode", &["enforce", "watch"], problems);
    let enforce_from = fields.date("enforce_from", problems);
    if let (Some("enforce"), Some(_), Some(at)) = (mode, enforce_from, fields.at("enforce_from")) {
        problems.error(
            at,
            "this rule is enforced already",
            "write `mode: watch`, or take `enforce_from` away",
        );
    }
    fields.one_of("override", &["never"], problems);
    if let (Some(action), Some(when)) = (&action, &when)
        && *action == Action::Redact
        && !when.found.is_number()
    {
        let at = fields.node("then").map_or(node.at, |n| n.at);
        problems.error(
            at,
            "there is no number to redact in what cannot be read",
            "use `quarantine`",
        );
    }
    Some(Rule {
        at: fields.node("id").map_or(node.at, |n| n.at),
        name: Arc::new(RuleRef {
            id: id?,
            title: title?.text,
        }),
        when: when?,
        action: action?,
        except,
        except_redacted,
        watch: mode == Some("watch"),
        enforce_from,
        release,
    })
}

fn id(fields: &Fields<'_>, ids: &mut Vec<Word>, problems: &mut Problems) -> Option<String> {
    let word = fields.word("id", problems)?;
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if !word.text.chars().all(plain) {
        problems.error(
            word.at,
            format!("{} is no id", quote(&word.text)),
            "use a to z, 0 to 9, `_` and `-`: ids stand in logs and mail headers",
        );
    } else if words::BUILT_IN_RULES.contains(&word.text.as_str()) {
        problems.error(
            word.at,
            format!("the id {} is built in", quote(&word.text)),
            "choose another id",
        );
    } else if let Some(first) = ids.iter().find(|other| other.text == word.text) {
        problems.error(
            word.at,
            format!("a second rule has the id {}", quote(&word.text)),
            format!(
                "the first one stands in line {}; every rule needs an id of its own",
                first.at.line
            ),
        );
    }
    ids.push(word.clone());
    Some(word.text)
}

fn action(node: &Node, problems: &mut Problems) -> Option<Action> {
    let word = match &node.value {
        // `then: {reroute: gateway}`: one mistake, named by its word.
        Value::Map(entries) if entries.len() == 1 => Word {
            text: entries.first().map(|e| e.key.clone())?,
            at: entries.first().map(|e| e.at)?,
        },
        _ => fields::word(node, "then", problems)?,
    };
    if matches!(node.value, Value::Map(_)) && words::action(&word.text).is_some() {
        problems.error(word.at, "an action is one word", format!("write `then: {}`", word.text));
        return None;
    }
    let action = words::action(&word.text);
    if action.is_none() {
        let (message, help) = words::no_action(&word.text);
        problems.error(word.at, message, help);
    }
    action
}

fn release(fields: &Fields<'_>, action: Option<&Action>, problems: &mut Problems) -> Release {
    let mut release = Release::default();
    let Some(node) = fields.node("release") else {
        return release;
    };
    let Some(terms) = Fields::open(node, node.at, "`release`", RELEASE, problems) else {
        return release;
    };
    if let Some(role) = terms.one_of("by", words::ROLES, problems) {
        release.by = role.to_owned();
    }
    if let Some(people) = terms.word("people", problems) {
        match people.text.parse::<u8>() {
            Ok(n @ 1..=9) => release.people = n,
            _ => problems.error(
                people.at,
                format!("`people` is no number from 1 to 9: {}", quote(&people.text)),
                "write how many different people must agree",
            ),
        }
    }
    if let (Some(action), Some(at)) = (action, fields.at("release"))
        && !matches!(action, Action::Quarantine | Action::Redact)
    {
        problems.error(
            at,
            format!(
                "a rule that says `{}` holds nothing that could be released",
                action.word()
            ),
            "take `release` away, or use `quarantine`",
        );
    }
    release
}

/// Indices of the exceptions, and whether the built-in one is among them.
fn except(
    fields: &Fields<'_>,
    action: Option<&Action>,
    when: Option<&When>,
    known: &Known<'_>,
    problems: &mut Problems,
) -> (Vec<usize>, bool) {
    let mut lifting = Vec::new();
    let mut redacted = false;
    let words = match fields.node("except").map(|n| &n.value) {
        Some(Value::List(items)) if items.is_empty() => Vec::new(),
        _ => fields.words("except", problems),
    };
    if let (Some(first), Some(when)) = (words.first(), when)
        && !when.found.is_number()
    {
        problems.error(
            first.at,
            "an exception lifts numbers, and this rule looks for none",
            "take `except` away, and narrow the rule with `from` and `to`",
        );
        return (lifting, redacted);
    }
    for word in &words {
        match word.text.as_str() {
            words::REDACTED if action == Some(&Action::Redact) => problems.error(
                word.at,
                "a rule that redacts cannot be lifted by `redacted`",
                "`redacted` belongs into the rules that would stop the redacted copy",
            ),
            words::REDACTED => redacted = true,
            name => match known.exceptions.find(name) {
                Some(Some(index)) => lifting.push(index),
                Some(None) => {} // broken, and told so
                None => {
                    let help = words::help(name, known.exceptions.names());
                    problems.error(word.at, format!("there is no exception {}", quote(name)), help);
                }
            },
        }
    }
    (lifting, redacted)
}

fn when(node: &Node, at: Spot, known: &Known<'_>, problems: &mut Problems) -> Option<When> {
    let fields = Fields::open(node, at, "`when` of a rule", RULE_WHEN, problems)?;
    let found = fields
        .word("found", problems)
        .and_then(|w| found(&w, known.identifiers, problems));
    let confidence = confidence(&fields, problems);
    let places = places(&fields, problems);
    let people = fields.word("people", problems).and_then(|w| people(&w, problems));
    let why = why(&fields, problems);
    let parties = Parties::read(&fields, known.groups, problems);
    let found = fit(found?, why, &fields, confidence, problems);
    Some(When {
        found,
        confidence: confidence.unwrap_or(Confidence::Possible),
        places,
        people: people.unwrap_or(0),
        parties,
    })
}

fn found(word: &Word, identifiers: &[Identifier], problems: &mut Problems) -> Option<Found> {
    Some(match word.text.as_str() {
        "cpr" => Found::Cpr,
        "protected_person" => Found::ProtectedPerson,
        "fake_redaction" => Found::FakeRedaction,
        "hidden" => Found::Hidden,
        "anything_named" => Found::AnythingNamed,
        "unscannable" => Found::Unscannable(words::reasons().collect()),
        "malformed" => Found::Malformed,
        name if identifiers.iter().any(|i| i.name == name) => Found::Custom(name.to_owned()),
        name => {
            let valid = words::FOUND
                .iter()
                .map(|(w, _)| *w)
                .chain(identifiers.iter().map(|i| i.name.as_str()));
            let help = match name {
                _ if words::reasons().any(|r| r.word() == name) => {
                    format!("write `found: unscannable, why: [{name}]`")
                }
                _ => words::help(name, valid),
            };
            problems.error(word.at, format!("unknown word {} for `found`", quote(name)), help);
            return None;
        }
    })
}

/// Takes the reasons in, and refuses conditions that say nothing about what is looked for: they would be ignored in silence.
fn fit(
    found: Found,
    why: Option<Vec<DoubtKind>>,
    fields: &Fields<'_>,
    confidence: Option<Confidence>,
    problems: &mut Problems,
) -> Found {
    let mut refuse = |key: &str, message: &str, help: &str| {
        if let Some(at) = fields.at(key) {
            problems.error(at, message, help);
        }
    };
    if !found.is_number() {
        for key in ["confidence", "places", "people"] {
            refuse(
                key,
                &format!("`{key}` says nothing about what could not be read"),
                &format!("take `{key}` away"),
            );
        }
    } else if !matches!(found, Found::Unscannable(_)) {
        refuse("why", "`why` belongs to `found: unscannable`", "take `why` away");
    }
    match found {
        Found::Custom(_) => refuse(
            "people",
            "`people` counts CPR numbers, and this rule looks for others",
            "take `people` away",
        ),
        Found::ProtectedPerson if confidence > Some(Confidence::Possible) => refuse(
            "confidence",
            "the number of a protected person counts at any confidence",
            "take `confidence` away, or write `possible`",
        ),
        Found::Malformed => refuse("why", "`why` belongs to `found: unscannable`", "take `why` away"),
        Found::Unscannable(_) => return Found::Unscannable(why.unwrap_or_else(|| words::reasons().collect())),
        _ => {}
    }
    found
}

fn confidence(fields: &Fields<'_>, problems: &mut Problems) -> Option<Confidence> {
    fields
        .one_of("confidence", CONFIDENCES, problems)
        .map(|word| match word {
            "certain" => Confidence::Certain,
            "likely" => Confidence::Likely,
            _ => Confidence::Possible,
        })
}

fn places(fields: &Fields<'_>, problems: &mut Problems) -> Vec<PlaceClass> {
    let mut places = Vec::new();
    for word in fields.words("places", problems) {
        match PLACES.iter().find(|(name, _)| *name == word.text) {
            Some((_, class)) => places.push(*class),
            None => {
                let help = words::help(&word.text, PLACES.iter().map(|(name, _)| *name));
                problems.error(
                    word.at,
                    format!("unknown word {} for `places`", quote(&word.text)),
                    help,
                );
            }
        }
    }
    places
}

/// `10 or more`, or `10`, which means the same.
fn people(word: &Word, problems: &mut Problems) -> Option<usize> {
    let number = word.text.strip_suffix("or more").unwrap_or(&word.text).trim();
    match number.parse::<usize>() {
        Ok(n @ 1..=100_000) => Some(n),
        _ => {
            problems.error(
                word.at,
                format!("`people` is no number: {}", quote(&word.text)),
                "write e.g. `people: 10 or more`",
            );
            None
        }
    }
}

fn why(fields: &Fields<'_>, problems: &mut Problems) -> Option<Vec<DoubtKind>> {
    fields.node("why")?;
    let mut kinds = Vec::new();
    for word in fields.words("why", problems) {
        match words::reasons().find(|kind| kind.word() == word.text) {
            Some(kind) => kinds.push(kind),
            None => {
                let reasons: Vec<&str> = words::reasons().map(DoubtKind::word).collect();
                let help = match word.text.as_str() {
                    "malformed" => "`malformed` is a word of its own: write a rule with `found: malformed`".to_owned(),
                    other => words::help(other, reasons.iter().copied()),
                };
                problems.error(word.at, format!("unknown word {} for `why`", quote(&word.text)), help);
            }
        }
    }
    Some(kinds)
}
