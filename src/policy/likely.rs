//! What was likely meant: the nearest valid word, the key's home, the word of another product or of everyday language.

use super::problem::quote;
use super::words::{ACTIONS, Key, MAPS, of};

/// Keys that people know from elsewhere.
const KEY_SYNONYMS: &[(&str, &str)] = &[
    ("exceptions", "except"),
    ("unless", "except"),
    ("action", "then"),
    ("if", "when"),
    ("condition", "when"),
    ("conditions", "when"),
    ("sender", "from"),
    ("recipient", "to"),
    ("recipients", "to"),
    ("people", "addresses"),
    ("members", "addresses"),
    ("emails", "addresses"),
    ("description", "title"),
    ("name", "title"),
    ("expiry", "expires"),
    ("regex", "pattern"),
    ("body", "text"),
    ("allow", "except"),
    ("what", "found"),
    ("detect", "found"),
    ("reasons", "why"),
    ("where", "places"),
    ("until", "expires"),
    ("valid_until", "expires"),
    ("message", "notice"),
    ("notify", "tell"),
    ("through", "gateway"),
    ("import", "include"),
    ("files", "attachments"),
    ("expected", "expect"),
    ("result", "expect"),
    // Danish.
    ("navn", "name"),
    ("titel", "title"),
    ("ejer", "owner"),
    ("begrundelse", "reason"),
    ("udløber", "expires"),
    ("udløb", "expires"),
    ("fra", "from"),
    ("til", "to"),
    ("grupper", "groups"),
    ("regler", "rules"),
    ("undtagelser", "exceptions"),
    ("undtagen", "except"),
    ("fundet", "found"),
    ("når", "when"),
    ("hvis", "when"),
    ("så", "then"),
    ("adresser", "addresses"),
    ("domæner", "domains"),
    ("fil", "file"),
    ("forvent", "expect"),
    ("tekst", "text"),
    ("emne", "subject"),
];

/// What to write in place of a key that this map does not have.
pub(super) fn key_help(key: &str, keys: &[Key]) -> String {
    let has = |name: &str| keys.iter().any(|k| k.name == name);
    let lower = key.to_lowercase();
    if let Some((_, meant)) = KEY_SYNONYMS.iter().find(|(other, meant)| *other == lower && has(meant)) {
        return format!("did you mean `{meant}`?");
    }
    let knows = |(_, others): &&(&str, &[Key])| others.iter().any(|k| k.name == key);
    // In a rule or exception, a condition is one level too far out: its own `when`, not that of the other.
    let own = match has("id") {
        true => MAPS.iter().find(|(name, _)| *name == "`when` of a rule"),
        false => None,
    };
    if let Some((home, _)) = own.filter(knows).or_else(|| MAPS.iter().find(knows)) {
        return format!("`{key}` belongs into {home}");
    }
    let negated = NEGATIONS.iter().filter_map(|no| lower.strip_prefix(no)).any(has);
    if negated {
        return "no condition is negated: name those who are meant, or write an exception".to_owned();
    }
    help(key, keys.iter().map(|k| k.name))
}

/// Words of other products, of everyday language, and Danish ones.
const SYNONYMS: &[(&str, &str)] = &[
    ("block", "reject"),
    ("deny", "reject"),
    ("refuse", "reject"),
    ("bounce", "reject"),
    ("drop", "reject"),
    ("discard", "quarantine"),
    ("afvis", "reject"),
    ("hold", "quarantine"),
    ("karantæne", "quarantine"),
    ("mask", "redact"),
    ("remove", "redact"),
    ("strip", "redact"),
    ("slør", "redact"),
    ("notify", "warn"),
    ("advar", "warn"),
    ("audit", "log"),
    ("report", "log"),
    ("omdiriger", "reroute"),
    ("redirect", "reroute"),
    ("encrypt", "reroute"),
    ("secure", "reroute"),
    ("notér", "log"),
    ("slet", "quarantine"),
    ("delete", "quarantine"),
    ("pass", "deliver"),
    ("allow", "deliver"),
    ("accept", "deliver"),
    ("send", "deliver"),
    ("outbound", "outgoing"),
    ("out", "outgoing"),
    ("udgående", "outgoing"),
    ("inbound", "incoming"),
    ("in", "incoming"),
    ("indgående", "incoming"),
    ("intern", "internal"),
    ("high", "certain"),
    ("høj", "certain"),
    ("sikker", "certain"),
    ("medium", "likely"),
    ("mellem", "likely"),
    ("low", "possible"),
    ("lav", "possible"),
    ("any", "possible"),
    ("tls", "tls_enforced"),
    ("encrypted", "tls_enforced"),
    ("own", "belongs_to_recipient"),
    ("eget", "belongs_to_recipient"),
    ("emne", "subject"),
    ("filename", "file_name"),
    ("filnavn", "file_name"),
    ("text", "body"),
    ("tekst", "body"),
    ("bilag", "attachment"),
    ("file", "attachment"),
    ("locked", "encrypted"),
    ("password", "encrypted"),
    ("corrupt", "broken"),
    ("damaged", "broken"),
    ("slow", "too_slow"),
    ("large", "too_large"),
    ("protected", "protected_person"),
    ("person", "protected_person"),
    ("unreadable", "unscannable"),
    ("dk", "da"),
    ("danish", "da"),
    ("dansk", "da"),
    ("english", "en"),
    ("engelsk", "en"),
    ("dry_run", "watch"),
    ("test", "watch"),
    ("monitor", "watch"),
];

/// How a condition begins that wants the contrary.
const NEGATIONS: &[&str] = &["not_", "no_", "un", "ikke_", "non_"];

/// For several words where one is read: how a list is written.
pub(super) fn as_list(word: &str) -> Option<String> {
    let several = word.contains(',') && word.split(',').all(|w| !w.trim().is_empty());
    let list: Vec<&str> = word.split(',').map(str::trim).collect();
    several.then(|| {
        format!(
            "write several words as a list: {}",
            quote(&format!("[{}]", list.join(", ")))
        )
    })
}

/// Why a word is no action, and what to write.
pub(super) fn no_action(word: &str) -> (String, String) {
    let lower = word.to_lowercase();
    match lower.as_str() {
        "allow" | "deliver" | "accept" | "pass" | "permit" | "none" => (
            format!("{} is no action: a rule cannot allow anything", quote(word)),
            "name an exception in the `except` of the rule that is too strict".to_owned(),
        ),
        _ => {
            let known = of(ACTIONS);
            (format!("unknown action {}", quote(word)), help(word, known))
        }
    }
}

/// The nearest of the valid words, if one is near enough to be meant.
pub(super) fn nearest<'w>(word: &str, valid: impl Iterator<Item = &'w str>) -> Option<&'w str> {
    let word = word.to_lowercase().replace([' ', '-'], "_");
    let limit = (word.chars().count() / 3).clamp(1, 3);
    valid
        .map(|v| (strsim::osa_distance(&word, &v.to_lowercase()), v))
        .filter(|(distance, v)| *distance <= limit || (word.len() > 3 && v.to_lowercase().starts_with(&word)))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, v)| v)
}

/// "did you mean", or all that is valid.
pub(super) fn help<'w>(word: &str, valid: impl Iterator<Item = &'w str> + Clone) -> String {
    let lower = word.to_lowercase().replace([' ', '-'], "_");
    let mut meant = SYNONYMS
        .iter()
        .filter(|(other, _)| *other == lower)
        .map(|(_, meant)| *meant);
    let synonym = meant.find(|meant| valid.clone().any(|v| v == *meant));
    if let Some(near) = synonym.or_else(|| nearest(word, valid.clone())) {
        return format!("did you mean {}?", quote(near));
    }
    let mut names: Vec<String> = valid.take(12).map(quote).collect();
    match names.pop() {
        None => "there are none in this file".to_owned(),
        Some(last) if names.is_empty() => format!("the only valid word is {last}"),
        Some(last) => format!("valid words are {} and {last}", names.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::words::action;

    #[test]
    fn near_words_are_suggested_and_far_ones_are_not() {
        let words = || of(ACTIONS);
        assert_eq!(nearest("quarantien", words()), Some("quarantine"));
        assert_eq!(nearest("Reject", words()), Some("reject"));
        assert_eq!(nearest("banana", words()), None);
        assert!(action("reroute").is_some());
        assert_eq!(no_action("hold").1, "did you mean `quarantine`?");
    }
}
