//! What a rule says to people: words of its own in the notice, and who gets one.

use super::fields::{self, Fields};
use super::groups::Groups;
use super::problem::{Problems, quote};
use super::words::{self, LANGUAGES, TELL_OWNER, TELL_SENDER};
use super::yaml::{Node, Value};
use super::{Language, Policy};
use crate::types::{Action, Address, Decision};
use std::collections::BTreeMap;

/// One text, or one for each language.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Spoken(BTreeMap<&'static str, String>);

/// Who gets the notice.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Tell {
    pub sender: bool,
    pub owner: bool,
    /// Written so.
    pub others: Vec<String>,
}

/// Who is told of one recipient's outcome, and in which words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Voice {
    /// The sender gets a notice.
    pub sender: bool,
    /// Further addresses that do.
    pub others: Vec<String>,
    /// The rule's own words, by language.
    pub words: BTreeMap<String, String>,
}

impl Spoken {
    /// A text for all languages, or a map from languages to texts.
    pub fn read(node: &Node, problems: &mut Problems) -> Option<Spoken> {
        let mut texts = BTreeMap::new();
        let Value::Map(entries) = &node.value else {
            let text = fields::text(node, "notice", problems)?.text;
            return Some(Spoken(words::of(LANGUAGES).map(|l| (l, text.clone())).collect()));
        };
        for entry in entries {
            let Some(language) = words::of(LANGUAGES).find(|language| *language == entry.key) else {
                problems.error(
                    entry.at,
                    format!("`notice` has no language {}", quote(&entry.key)),
                    words::help(&entry.key, words::of(LANGUAGES)),
                );
                continue;
            };
            if let Some(text) = fields::text(&entry.value, "notice", problems) {
                texts.insert(language, text.text);
            }
        }
        Some(Spoken(texts))
    }
}

impl Tell {
    pub fn read(fields: &Fields<'_>, groups: &Groups, problems: &mut Problems) -> Option<Tell> {
        let node = fields.node("tell")?;
        let mut tell = Tell::default();
        if matches!(&node.value, Value::List(items) if items.is_empty()) {
            return Some(tell);
        }
        for word in fields.words("tell", problems) {
            match word.text.as_str() {
                TELL_SENDER => tell.sender = true,
                TELL_OWNER => tell.owner = true,
                address if fields::is_address(address) => {
                    let parsed = Address::parse(address.as_bytes()).ok();
                    if !groups.is_inside(parsed.as_ref()) {
                        problems.error(
                            word.at,
                            format!(
                                "{} is not in `inside`: what was found must not be told to the outside",
                                quote(address)
                            ),
                            "write an address of your own house, or put its domain into `inside`",
                        );
                    }
                    tell.others.push(address.to_owned());
                }
                other => {
                    let help = words::nearest(other, [TELL_SENDER, TELL_OWNER].into_iter())
                        .map_or("write `sender`, `owner` or a mail address".to_owned(), |near| {
                            format!("did you mean {}?", quote(near))
                        });
                    problems.error(word.at, format!("{} cannot be told", quote(other)), help);
                }
            }
        }
        Some(tell)
    }
}

impl Policy {
    /// Who is told of this outcome: what the rules say that led to it, all together; the sender alone when none of them
    /// says anything.
    pub fn voice(&self, decision: &Decision) -> Voice {
        let usual = decision.action > Action::Log;
        let spoke = decision
            .matched
            .iter()
            .filter(|m| !m.watch && m.action == decision.action)
            .map(|m| {
                self.rules
                    .iter()
                    .find(|rule| rule.name.id == m.rule.id)
                    .and_then(|rule| rule.tell.as_ref())
            });
        let mut voice = Voice::default();
        let mut silent = true;
        for tell in spoke {
            silent = false;
            let Some(tell) = tell else {
                voice.sender |= usual;
                continue;
            };
            voice.sender |= tell.sender;
            let owner = tell.owner.then(|| self.owner.clone());
            for address in owner.into_iter().chain(tell.others.iter().cloned()) {
                if !voice.others.contains(&address) {
                    voice.others.push(address);
                }
            }
        }
        // A reason outside the file: a failed redaction, a spot check.
        voice.sender |= silent && usual;
        let told = decision.told.as_ref();
        let words = told.and_then(|told| self.rules.iter().find(|rule| rule.name.id == told.id)?.notice.as_ref());
        for (language, text) in words.iter().flat_map(|spoken| &spoken.0) {
            voice.words.insert((*language).to_owned(), text.clone());
        }
        voice
    }
}

impl Language {
    /// The word in the file.
    pub fn word(self) -> &'static str {
        match self {
            Language::Da => "da",
            Language::En => "en",
        }
    }
}
