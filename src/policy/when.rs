//! `when:` of a rule: what must be found, how surely, where, between whom, on which way.

use super::fields::{Fields, Word};
use super::parties::Parties;
use super::problem::{Problems, quote};
use super::route::Route;
use super::rules::Known;
use super::words::{self, CONFIDENCES, PLACES, RULE_WHEN};
use super::yaml::{Node, Spot};
use crate::cpr::{Confidence, Identifier};
use crate::types::{DoubtKind, PlaceClass};

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
    pub route: Route,
}

impl When {
    /// Both mean the same numbers and doubts in every mail. How many people there must be is another question, and so is
    /// whose numbers they are: that hangs on the recipient.
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

/// Reads it; `at` is where the key stands.
pub(super) fn read(node: &Node, at: Spot, known: &Known<'_>, problems: &mut Problems) -> Option<When> {
    let fields = Fields::open(node, at, "`when` of a rule", RULE_WHEN, problems)?;
    let found = fields
        .word("found", problems)
        .and_then(|w| found(&w, known.identifiers, problems));
    let confidence = confidence(&fields, problems);
    let places = places(&fields, problems);
    let people = fields.word("people", problems).and_then(|w| people(&w, problems));
    let why = why(&fields, problems);
    let parties = Parties::read(&fields, known.groups, problems);
    let route = Route::read(&fields, problems);
    let found = fit(found?, why, &fields, confidence, problems);
    Some(When {
        found,
        confidence: confidence.unwrap_or(Confidence::Possible),
        places,
        people: people.unwrap_or(0),
        parties,
        route,
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
        for key in ["confidence", "places", "people", "number"] {
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
        _ if ["fewer", "less", "færre"].iter().any(|less| word.text.ends_with(less)) => {
            problems.error(
                word.at,
                "a rule cannot ask for few people, only for many",
                "write e.g. `people: 10 or more`; an exception can be for a few: `people: 5 or fewer`",
            );
            None
        }
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
