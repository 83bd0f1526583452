//! Reading one map of the policy file: keys against their table, values against their type, each mistake told once.

use super::problem::{Problems, quote};
use super::words::{self, Key};
use super::yaml::{Entry, Node, Spot, Value};
use crate::types::Address;
use time::Date;
use time::macros::format_description;

/// A word with its place.
#[derive(Clone, Debug)]
pub(super) struct Word {
    pub text: String,
    pub at: Spot,
}

/// A map whose keys have been checked.
pub(super) struct Fields<'n> {
    entries: &'n [Entry],
}

impl<'n> Fields<'n> {
    /// Checks the keys; `None` when it is no map. `what` names the map in messages: "a rule".
    pub fn open(node: &'n Node, at: Spot, what: &str, keys: &[Key], problems: &mut Problems) -> Option<Fields<'n>> {
        let entries = map(node, what, problems)?;
        for entry in entries {
            if keys.iter().any(|k| k.name == entry.key) {
                continue;
            }
            let help = words::key_help(&entry.key, keys);
            problems.error(entry.at, format!("{what} has no key {}", quote(&entry.key)), help);
        }
        // A misspelt key is one mistake, not also a missing key.
        let misspelt = |key: &Key| {
            let meant = format!("did you mean `{}`?", key.name);
            entries
                .iter()
                .any(|e| !keys.iter().any(|k| k.name == e.key) && words::key_help(&e.key, keys) == meant)
        };
        for key in keys.iter().filter(|k| k.required) {
            if !entries.iter().any(|e| e.key == key.name) && !misspelt(key) {
                problems.error(
                    at,
                    format!("{what} needs `{}`", key.name),
                    format!("`{}`: {}", key.name, key.says),
                );
            }
        }
        Some(Fields { entries })
    }

    pub fn node(&self, key: &str) -> Option<&'n Node> {
        self.entries.iter().find(|e| e.key == key).map(|e| &e.value)
    }

    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Where the key stands.
    pub fn at(&self, key: &str) -> Option<Spot> {
        self.entries.iter().find(|e| e.key == key).map(|e| e.at)
    }

    /// One text, not empty.
    pub fn word(&self, key: &str, problems: &mut Problems) -> Option<Word> {
        word(self.node(key)?, key, problems)
    }

    /// One text of any number of lines, not empty.
    pub fn text(&self, key: &str, problems: &mut Problems) -> Option<Word> {
        text(self.node(key)?, key, problems)
    }

    /// One text or a list of texts, at least one.
    pub fn words(&self, key: &str, problems: &mut Problems) -> Vec<Word> {
        self.node(key)
            .map(|node| list_of_words(node, key, problems))
            .unwrap_or_default()
    }

    /// One of a closed set of words.
    pub fn one_of(&self, key: &str, valid: &[&'static str], problems: &mut Problems) -> Option<&'static str> {
        let word = self.word(key, problems)?;
        choose(&word, key, valid, problems)
    }

    /// A date as YYYY-MM-DD.
    pub fn date(&self, key: &str, problems: &mut Problems) -> Option<Date> {
        let word = self.word(key, problems)?;
        match Date::parse(&word.text, format_description!("[year]-[month]-[day]")) {
            Ok(date) => Some(date),
            Err(_) => {
                problems.error(
                    word.at,
                    format!("`{key}` is no date: {}", quote(&word.text)),
                    "write year, month and day, e.g. 2027-01-31",
                );
                None
            }
        }
    }

    /// A mail address of a person who answers for something.
    pub fn contact(&self, key: &str, problems: &mut Problems) -> Option<String> {
        let word = self.word(key, problems)?;
        if is_address(&word.text) {
            return Some(word.text);
        }
        problems.error(
            word.at,
            format!("`{key}` is no mail address: {}", quote(&word.text)),
            "write an address that somebody reads, e.g. dpo@kommune.example",
        );
        None
    }
}

/// Local part, `@`, domain, nothing else: two addresses with a comma between them are not one.
pub(super) fn is_address(text: &str) -> bool {
    let bare = !text.starts_with(['<', '@']) && !text.ends_with('>');
    bare && Address::parse(text.as_bytes()).is_ok_and(|address| !address.domain.is_empty())
}

/// Labels of letters, digits and hyphens, whatever the script.
pub(super) fn is_domain(text: &str) -> bool {
    let good = |label: &str| !label.is_empty() && label.chars().all(|c| c.is_alphanumeric() || c == '-' || c == '_');
    !text.is_empty() && text.trim_end_matches('.').split('.').all(good)
}

/// The entries of a map.
pub(super) fn map<'n>(node: &'n Node, what: &str, problems: &mut Problems) -> Option<&'n [Entry]> {
    match &node.value {
        Value::Map(entries) => Some(entries),
        _ => {
            problems.error(
                node.at,
                format!("{what} must be a map, and here stands {}", node.what()),
                "write `key: value`, one a line and indented, or {key: value, key: value}",
            );
            None
        }
    }
}

/// The items of a list; `[]` is a list.
pub(super) fn list<'n>(node: &'n Node, what: &str, problems: &mut Problems) -> Option<&'n [Node]> {
    match &node.value {
        Value::List(items) => Some(items),
        _ => {
            problems.error(
                node.at,
                format!("{what} must be a list, and here stands {}", node.what()),
                "begin each item with a dash and a space",
            );
            None
        }
    }
}

/// One line of text, not empty: titles and names go into lines of logs and notices.
pub(super) fn word(node: &Node, what: &str, problems: &mut Problems) -> Option<Word> {
    let word = text(node, what, problems)?;
    if word.text.contains('\n') {
        problems.error(node.at, format!("`{what}` must be one line"), "write it in one line");
        return None;
    }
    Some(word)
}

/// One text, not empty.
fn text(node: &Node, what: &str, problems: &mut Problems) -> Option<Word> {
    match &node.value {
        Value::Scalar { text, .. } if !text.trim().is_empty() => Some(Word {
            text: text.trim().to_owned(),
            at: node.at,
        }),
        Value::Scalar { .. } | Value::Null => {
            problems.error(
                node.at,
                format!("`{what}` is empty"),
                "write a value behind the colon, or take the key away",
            );
            None
        }
        _ => {
            problems.error(
                node.at,
                format!("`{what}` must be one word or text, and here stands {}", node.what()),
                "a text that holds `: ` or begins with `[` or `{` needs \"quotes\"",
            );
            None
        }
    }
}

/// One text or a list of texts, at least one.
pub(super) fn list_of_words(node: &Node, what: &str, problems: &mut Problems) -> Vec<Word> {
    match &node.value {
        Value::List(items) if items.is_empty() => {
            problems.error(
                node.at,
                format!("`{what}` is empty"),
                "write at least one word, or take the key away",
            );
            Vec::new()
        }
        Value::List(items) => items.iter().filter_map(|item| word(item, what, problems)).collect(),
        _ => word(node, what, problems).into_iter().collect(),
    }
}

/// The valid word that this is.
pub(super) fn choose(word: &Word, what: &str, valid: &[&'static str], problems: &mut Problems) -> Option<&'static str> {
    let found = valid.iter().find(|v| **v == word.text).copied();
    if found.is_none() {
        let help = words::help(&word.text, valid.iter().copied());
        let help = words::as_list(&word.text).unwrap_or(help);
        problems.error(
            word.at,
            format!("unknown word {} for `{what}`", quote(&word.text)),
            help,
        );
    }
    found
}
