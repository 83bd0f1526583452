//! Every word that a policy may use, in one place: the reader takes its keys from these tables, the manual prints them,
//! and "did you mean" looks for the nearest one in them.

use super::problem::quote;
use crate::types::{Action, DoubtKind, PlaceClass};

/// One key of a map in the policy file.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// As it stands in the file.
    pub name: &'static str,
    /// What it says, for the manual and for errors when it is missing.
    pub says: &'static str,
    /// The policy does not load without it.
    pub required: bool,
}

const fn must(name: &'static str, says: &'static str) -> Key {
    Key {
        name,
        says,
        required: true,
    }
}

const fn may(name: &'static str, says: &'static str) -> Key {
    Key {
        name,
        says,
        required: false,
    }
}

/// The file itself.
pub const TOP: &[Key] = &[
    must("version", "the version of this language: 1"),
    must("name", "the policy's name, shown in notices"),
    must("owner", "the address of the person who answers for the policy"),
    may("notices", "languages of notices, first one first: da, en"),
    must("groups", "who is who; `inside` is one of them"),
    may(
        "recipient_delimiter",
        "what begins an extension, as in Postfix: with `+`, anna+sag12@… is anna@…; `none` for no extensions; `+` when left out",
    ),
    may("identifiers", "further numbers to look for, beside CPR"),
    may(
        "exceptions",
        "who may get what in spite of a rule, until when, and who says so",
    ),
    may("rules", "what must not happen"),
    may("redaction", "how a redacted copy looks"),
    may("default", "what becomes of that for which there is no rule"),
    may("tests", "mails with the outcome that they must have; run at every load"),
];

/// One of `groups:`.
pub const GROUP: &[Key] = &[
    may("addresses", "mail addresses"),
    may("domains", "domains, each with all its subdomains"),
    may("patterns", "addresses with `*` and `?`"),
    may(
        "file",
        "a file with one address, domain or pattern a line; `#` begins a comment",
    ),
    may(
        "ldap",
        "a group of the organisation's directory (LDAP, Active Directory), by its name or distinguished name",
    ),
    may(
        "table",
        "a Postfix table, by the name that it has in the administrator's file",
    ),
];

/// One of `identifiers:`.
pub const IDENTIFIER: &[Key] = &[
    may("use", "a ready-made identifier, in place of a pattern"),
    may(
        "pattern",
        "a regular expression; a group `(?P<number>…)` in it is the identifier itself",
    ),
    may("checksum", "a checksum that makes a find more certain"),
    may("context", "words near by that make a find more certain"),
];

/// One of `exceptions:`.
pub const EXCEPTION: &[Key] = &[
    must("title", "what the exception is for, in a few words"),
    must("when", "to which recipients and numbers it applies"),
    must("owner", "the address of the person who answers for it"),
    must("reason", "why it is allowed, with the case number"),
    must("expires", "its last day, as YYYY-MM-DD"),
];

/// `when:` of an exception.
pub const EXCEPTION_WHEN: &[Key] = &[
    may("from", "a group of senders"),
    may("to", "a group of recipients"),
    may("direction", "outgoing, incoming or internal"),
    may("login", "the name with which the sender logged in, `*` for any"),
    may(
        "delivery",
        "tls_enforced: the mail goes over a connection that must be encrypted",
    ),
    may("number", "belongs_to_recipient: only the recipient's own number"),
];

/// One of `rules:`.
pub const RULE: &[Key] = &[
    must("id", "a short name for logs and reports"),
    must("title", "what the sender and the reviewer read"),
    must("when", "what must be found, from whom, to whom"),
    must("then", "reject, quarantine, redact, warn or log"),
    may("except", "exceptions that may lift a number from this rule"),
    may("mode", "enforce, or watch: recorded only"),
    may(
        "enforce_from",
        "the day from which a watched rule is enforced, as YYYY-MM-DD",
    ),
    may("release", "who may release a held mail, and how many people must agree"),
    may("override", "never: no sender may overrule it"),
];

/// `when:` of a rule.
pub const RULE_WHEN: &[Key] = &[
    must("found", "what must be found"),
    may(
        "confidence",
        "possible, likely or certain: as sure as this, or surer; any when left out",
    ),
    may(
        "places",
        "subject, header, file_name, body, attachment; anywhere when left out",
    ),
    may("people", "at least so many different CPR numbers, e.g. `10 or more`"),
    may("why", "with `unscannable`: for which of the reasons; all when left out"),
    may("from", "a group of senders"),
    may("to", "a group of recipients"),
    may("direction", "outgoing, incoming or internal"),
    may("login", "the name with which the sender logged in, `*` for any"),
];

/// `release:` of a rule.
pub const RELEASE: &[Key] = &[
    may("by", "reviewer or dpo"),
    may("people", "how many different people must agree, 1 to 9"),
];

/// `redaction:`.
pub const REDACTION: &[Key] = &[may(
    "style",
    "what stands where a number stood: box, label (`[CPR]`) or remove (nothing); box when left out",
)];

/// `default:`.
pub const DEFAULT: &[Key] = &[
    may(
        "found_to_outside",
        "a number for which no rule speaks, to the outside: quarantine when left out",
    ),
    may("found_to_inside", "the same within the house: log when left out"),
    may(
        "unscannable_to_outside",
        "what could not be read, to the outside: log when left out",
    ),
    may(
        "malformed_to_outside",
        "what mail programs read in different ways, to the outside: quarantine when left out",
    ),
    may(
        "confidence",
        "how sure a find must be for the two above to apply: likely when left out; less sure is logged",
    ),
];

/// One of `tests:`.
pub const TEST: &[Key] = &[
    must("name", "what the test shows"),
    must("from", "the sender"),
    must("to", "the recipient, or a list of recipients"),
    may("login", "the name with which the sender logged in"),
    may("subject", "the subject"),
    may("text", "the text of the mail"),
    may("file_name", "the name of an attached file"),
    may("attachment", "the text of an attached file"),
    may(
        "given",
        "facts that the mail does not show, e.g. that a number is protected",
    ),
    must("expect", "the outcome: one word, or a word for each recipient"),
    may("because", "the id of the rule that must be the reason"),
];

/// Every map of the file by its name: the manual prints them in this order, and a key at the wrong place is shown home.
pub const MAPS: &[(&str, &[Key])] = &[
    ("the policy", TOP),
    ("a group", GROUP),
    ("an identifier", IDENTIFIER),
    ("an exception", EXCEPTION),
    ("`when` of an exception", EXCEPTION_WHEN),
    ("a rule", RULE),
    ("`when` of a rule", RULE_WHEN),
    ("`release`", RELEASE),
    ("`redaction`", REDACTION),
    ("`default`", DEFAULT),
    ("a test", TEST),
];

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
    help(key, keys.iter().map(|k| k.name))
}

/// What `found:` may name, beside the file's own identifiers.
pub const FOUND: &[(&str, &str)] = &[
    ("cpr", "a CPR number, at any confidence unless `confidence` says more"),
    (
        "protected_person",
        "the number of a protected person, always at any confidence",
    ),
    (
        "fake_redaction",
        "a number that somebody tried to cover, and that is still there",
    ),
    ("hidden", "a number that is not shown but can be recovered"),
    ("anything_named", "a CPR number or any of the policy's own identifiers"),
    ("unscannable", "something could not be read; `why` narrows it"),
    (
        "malformed",
        "the mail is built so that mail programs read it in different ways",
    ),
];

/// What a rule may do, strictest first.
pub const ACTIONS: &[(&str, &str)] = &[
    ("reject", "refused, the sender gets the mail back"),
    ("quarantine", "held until a reviewer decides"),
    ("redact", "delivered without the numbers; held when that fails"),
    ("warn", "delivered, and the sender is told"),
    ("log", "delivered, and recorded"),
];

/// Words of other products, and Danish ones, for an action.
const ACTION_SYNONYMS: &[(&str, &str)] = &[
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
];

pub(super) const CONFIDENCES: &[&str] = &["possible", "likely", "certain"];
pub(super) const PLACES: &[(&str, PlaceClass)] = &[
    ("subject", PlaceClass::Subject),
    ("header", PlaceClass::Header),
    ("file_name", PlaceClass::FileName),
    ("body", PlaceClass::Body),
    ("attachment", PlaceClass::Attachment),
];
pub(super) const DIRECTIONS: &[&str] = &["outgoing", "incoming", "internal"];
pub(super) const ROLES: &[&str] = &["reviewer", "dpo"];
pub(super) const LANGUAGES: &[&str] = &["da", "en"];
/// Ids that decisions use for reasons outside the file.
pub(super) const BUILT_IN_RULES: &[&str] = &["default", "redaction_failed", "not_inspected"];
/// The exception for numbers that a redacting rule removes from this recipient's copy.
pub(super) const REDACTED: &str = "redacted";
pub(super) const INSIDE: &str = "inside";
pub(super) const OUTSIDE: &str = "outside";
/// Facts of a recipient or a number that a test can give.
pub(super) const OWN_NUMBER: &str = "belongs_to_recipient";
pub(super) const TLS: &str = "tls_enforced";

/// What may stand between braces in the text of a test.
pub(super) fn is_number_name(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    !name.is_empty() && name.chars().all(plain)
}

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

/// The reasons of `unscannable`: every doubt but `malformed`, which has a word of its own.
pub(super) fn reasons() -> impl Iterator<Item = DoubtKind> {
    DoubtKind::ALL.into_iter().filter(|kind| *kind != DoubtKind::Malformed)
}

/// The word for a place.
pub fn place(class: PlaceClass) -> &'static str {
    PLACES
        .iter()
        .find(|(_, c)| *c == class)
        .map_or("elsewhere", |(word, _)| *word)
}

/// The action of that name. `deliver` and `reroute` are no words of rules.
pub(super) fn action(word: &str) -> Option<Action> {
    match word {
        "reject" => Some(Action::Reject),
        "quarantine" => Some(Action::Quarantine),
        "redact" => Some(Action::Redact),
        "warn" => Some(Action::Warn),
        "log" => Some(Action::Log),
        _ => None,
    }
}

/// Why a word is no action, and what to write.
pub(super) fn no_action(word: &str) -> (String, String) {
    let lower = word.to_lowercase();
    match lower.as_str() {
        "reroute" => (
            "`reroute` is not yet supported".to_owned(),
            "use `quarantine`".to_owned(),
        ),
        "allow" | "deliver" | "accept" | "pass" | "permit" | "none" => (
            format!("{} is no action: a rule cannot allow anything", quote(word)),
            "name an exception in the `except` of the rule that is too strict".to_owned(),
        ),
        _ => {
            let known = ACTIONS.iter().map(|(name, _)| *name);
            let synonym = ACTION_SYNONYMS.iter().find(|(other, _)| *other == lower);
            let help = match synonym {
                Some((_, word)) => format!("did you mean `{word}`?"),
                None => help(word, known),
            };
            (format!("unknown action {}", quote(word)), help)
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
    if let Some(near) = nearest(word, valid.clone()) {
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

    #[test]
    fn near_words_are_suggested_and_far_ones_are_not() {
        let words = || ACTIONS.iter().map(|(name, _)| *name);
        assert_eq!(nearest("quarantien", words()), Some("quarantine"));
        assert_eq!(nearest("Reject", words()), Some("reject"));
        assert_eq!(nearest("banana", words()), None);
        assert_eq!(no_action("hold").1, "did you mean `quarantine`?");
    }

    #[test]
    fn every_action_in_the_table_can_be_read() {
        for (word, _) in ACTIONS {
            assert_eq!(action(word).map(|a| a.word()), Some(*word));
        }
    }
}
