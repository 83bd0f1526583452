//! Every key and every word that a policy may use, in one place. The reader takes its keys and closed sets of words from
//! these tables, `policy schema` and the manual page are printed from them (see `schema`, `manual`), and "did you mean"
//! looks for the nearest one in them (see `likely`).

pub(super) use super::likely::{as_list, help, key_help, nearest, no_action};
pub use super::vocabulary::*;
use crate::cpr::{Checksum, READY};
use crate::types::{Action, DoubtKind, PlaceClass};

/// One key of a map in the policy file.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// As it stands in the file.
    pub name: &'static str,
    /// What stands behind it.
    pub takes: Takes,
    /// What it says, for the manual and for errors when it is missing.
    pub says: &'static str,
    /// The policy does not load without it.
    pub required: bool,
}

/// What may stand behind a key.
#[derive(Clone, Copy, Debug)]
pub enum Takes {
    /// One line of text.
    Line,
    /// One text of any number of lines.
    Text,
    /// The mail address of somebody who answers for something.
    Address,
    /// A day, as YYYY-MM-DD.
    Date,
    /// A whole number in these bounds.
    Number(u32, u32),
    /// One word of the set.
    OneOf(Words),
    /// One word of a set that stands elsewhere in the code.
    Known(fn() -> Vec<&'static str>),
    /// One word of the set, or a list of some.
    SomeOf(Words),
    /// One word of the set, or the name of something in this file.
    OneOfOr(Words, &'static str),
    /// One name or a list of names, of the sort that is said here.
    Names(&'static str),
    /// One line or a list of lines, of the sort that is said here.
    Lines(&'static str),
    /// One line in a form of its own: an example, and a regular expression that it fits.
    Form(&'static str, &'static str),
    /// One text, or one for each language.
    Spoken,
    /// A map with these keys.
    Map(&'static [Key]),
    /// A map from names to maps with these keys.
    Named(&'static [Key]),
    /// A list of maps with these keys.
    List(&'static [Key]),
    /// One line, or a map from recipients to lines.
    Each(Option<Words>),
    /// Facts of a test: a map from names to words.
    Facts,
}

const fn must(name: &'static str, takes: Takes, says: &'static str) -> Key {
    Key {
        name,
        takes,
        says,
        required: true,
    }
}

const fn may(name: &'static str, takes: Takes, says: &'static str) -> Key {
    Key {
        name,
        takes,
        says,
        required: false,
    }
}

const INCLUDE: Key = may(
    "include",
    Takes::Lines("a file"),
    "further files whose groups, identifiers, exceptions, rules and tests count as if they stood here",
);
const GROUPS: Key = must(
    "groups",
    Takes::Named(GROUP),
    "who is who; `inside` is one of them, everybody else is `outside`",
);
const IDENTIFIERS: Key = may(
    "identifiers",
    Takes::Named(IDENTIFIER),
    "further numbers to look for, beside CPR",
);
const EXCEPTIONS: Key = may(
    "exceptions",
    Takes::Named(EXCEPTION),
    "who may get what in spite of a rule, until when, and who says so",
);
const RULES: Key = may("rules", Takes::List(RULE), "what must not happen");
const TESTS: Key = may(
    "tests",
    Takes::List(TEST),
    "mails with the outcome that they must have; run at every load",
);

/// The file itself.
pub const TOP: &[Key] = &[
    must("version", Takes::Number(1, 1), "the version of this language: 1"),
    must("name", Takes::Line, "the policy's name, shown in notices"),
    must(
        "owner",
        Takes::Address,
        "the address of the person who answers for the policy",
    ),
    may(
        "notices",
        Takes::SomeOf(LANGUAGES),
        "languages of notices, first one first: da, en",
    ),
    INCLUDE,
    GROUPS,
    may(
        "recipient_delimiter",
        Takes::Form("+", "^(none|[-+_=#~./]{1,3})$"),
        "what begins an extension, as in Postfix: with `+`, anna+sag12@… is anna@…; `none` for no extensions; `+` when left out",
    ),
    IDENTIFIERS,
    EXCEPTIONS,
    RULES,
    may("redaction", Takes::Map(REDACTION), "how a redacted copy looks"),
    may(
        "default",
        Takes::Map(DEFAULT),
        "what becomes of that for which there is no rule",
    ),
    may(
        "spot_check",
        Takes::Map(SPOT_CHECK),
        "a sample of mails that would go out changed or excepted is held for a look",
    ),
    TESTS,
];

/// A file that another one includes.
pub const PART: &[Key] = &[
    may("version", Takes::Number(1, 1), "the version of this language: 1"),
    INCLUDE,
    may("groups", Takes::Named(GROUP), "more groups"),
    IDENTIFIERS,
    EXCEPTIONS,
    RULES,
    TESTS,
];

/// One of `groups:`.
pub const GROUP: &[Key] = &[
    may("addresses", Takes::Lines("an address"), "mail addresses"),
    may(
        "domains",
        Takes::Lines("a domain"),
        "domains, each with all its subdomains",
    ),
    may("patterns", Takes::Lines("a pattern"), "addresses with `*` and `?`"),
    may(
        "file",
        Takes::Lines("a file"),
        "a file with one address, domain or pattern a line; `#` begins a comment",
    ),
    may(
        "ldap",
        Takes::Lines("the name of a group"),
        "a group of the organisation's directory (LDAP, Active Directory), by its name or distinguished name",
    ),
    may(
        "table",
        Takes::Lines("the name of a table"),
        "a Postfix table, by the name that it has in the administrator's file",
    ),
];

/// One of `identifiers:`.
pub const IDENTIFIER: &[Key] = &[
    may(
        "use",
        Takes::Known(ready_made),
        "a ready-made identifier, in place of a pattern",
    ),
    may(
        "pattern",
        Takes::Line,
        "a regular expression; a group `(?P<number>…)` in it is the identifier itself",
    ),
    may(
        "checksum",
        Takes::Known(checksums),
        "a checksum that makes a find more certain",
    ),
    may(
        "context",
        Takes::Lines("a word"),
        "words near by that make a find more certain",
    ),
];

/// One of `exceptions:`.
pub const EXCEPTION: &[Key] = &[
    must("title", Takes::Line, "what the exception is for, in a few words"),
    must(
        "when",
        Takes::Map(EXCEPTION_WHEN),
        "to which recipients and numbers it applies",
    ),
    must("owner", Takes::Address, "the address of the person who answers for it"),
    must("reason", Takes::Text, "why it is allowed, with the case number"),
    must("expires", Takes::Date, "its last day, as YYYY-MM-DD"),
];

const FROM: Key = may("from", Takes::Names("a group"), "a group of senders");
const TO: Key = may("to", Takes::Names("a group"), "a group of recipients");
const DIRECTION: Key = may("direction", Takes::OneOf(DIRECTIONS), "outgoing, incoming or internal");
const LOGIN: Key = may(
    "login",
    Takes::Lines("a login name"),
    "the name with which the sender logged in, `*` for any",
);
const DELIVERY: Key = may(
    "delivery",
    Takes::OneOf(DELIVERIES),
    "tls_enforced: the mail goes over a connection that must be encrypted",
);
const NUMBER: Key = may(
    "number",
    Takes::OneOf(NUMBERS),
    "belongs_to_recipient: only the recipient's own number",
);
const NEXT_HOP: Key = may(
    "next_hop",
    Takes::Names("a host"),
    "the host that mail to this recipient is handed to, as the administrator has declared it",
);

/// `when:` of an exception.
pub const EXCEPTION_WHEN: &[Key] = &[
    FROM,
    TO,
    DIRECTION,
    LOGIN,
    DELIVERY,
    NUMBER,
    NEXT_HOP,
    may(
        "people",
        Takes::Form("5 or fewer", "^[0-9]+ or fewer$"),
        "only for a mail with at most so many different CPR numbers, e.g. `5 or fewer`",
    ),
];

/// One of `rules:`.
pub const RULE: &[Key] = &[
    must(
        "id",
        Takes::Form("outside", "^[A-Za-z0-9_-]+$"),
        "a short name for logs and reports",
    ),
    must("title", Takes::Line, "what the sender and the reviewer read"),
    must("when", Takes::Map(RULE_WHEN), "what must be found, from whom, to whom"),
    must(
        "then",
        Takes::OneOf(ACTIONS),
        "reject, quarantine, redact, reroute, warn or log",
    ),
    may(
        "gateway",
        Takes::Line,
        "with `reroute`: through which secure gateway, by its name in the administrator's file",
    ),
    may(
        "except",
        Takes::Names("an exception"),
        "exceptions that may lift a number from this rule",
    ),
    may("mode", Takes::OneOf(MODES), "enforce, or watch: recorded only"),
    may(
        "enforce_from",
        Takes::Date,
        "the day from which a watched rule is enforced, as YYYY-MM-DD",
    ),
    may(
        "release",
        Takes::Map(RELEASE),
        "who may release a held mail, and how many people must agree",
    ),
    may("override", Takes::OneOf(OVERRIDES), "never: no sender may overrule it"),
    may(
        "notice",
        Takes::Spoken,
        "words of your own in the notice to the sender, below the title",
    ),
    may(
        "tell",
        Takes::Lines("sender, owner or an address"),
        "who gets the notice: sender, owner, an address within the house; [] for nobody; the sender alone when left out",
    ),
];

/// `when:` of a rule.
pub const RULE_WHEN: &[Key] = &[
    must("found", Takes::OneOfOr(FOUND, "an identifier"), "what must be found"),
    may(
        "confidence",
        Takes::OneOf(CONFIDENCES),
        "possible, likely or certain: as sure as this, or surer; any when left out",
    ),
    may(
        "places",
        Takes::SomeOf(PLACE_WORDS),
        "subject, header, file_name, body, attachment; anywhere when left out",
    ),
    may(
        "people",
        Takes::Form("10 or more", "^[0-9]+( or more)?$"),
        "at least so many different CPR numbers, e.g. `10 or more`",
    ),
    may(
        "why",
        Takes::SomeOf(REASONS),
        "with `unscannable`: for which of the reasons; all when left out",
    ),
    FROM,
    TO,
    DIRECTION,
    LOGIN,
    DELIVERY,
    NUMBER,
    NEXT_HOP,
];

/// `release:` of a rule.
pub const RELEASE: &[Key] = &[
    may("by", Takes::OneOf(ROLES), "reviewer or dpo"),
    may(
        "people",
        Takes::Number(1, 9),
        "how many different people must agree, 1 to 9",
    ),
];

/// `redaction:`.
pub const REDACTION: &[Key] = &[may(
    "style",
    Takes::OneOf(STYLES),
    "what stands where a number stood: box, label (`[CPR]`) or remove (nothing); box when left out",
)];

/// `default:`.
pub const DEFAULT: &[Key] = &[
    may(
        "found_to_outside",
        Takes::OneOf(DEFAULT_ACTIONS),
        "a number for which no rule speaks, to the outside: quarantine when left out",
    ),
    may(
        "found_to_inside",
        Takes::OneOf(DEFAULT_ACTIONS),
        "the same within the house: log when left out",
    ),
    may(
        "unscannable_to_outside",
        Takes::OneOf(DEFAULT_ACTIONS),
        "what could not be read, to the outside: log when left out",
    ),
    may(
        "malformed_to_outside",
        Takes::OneOf(DEFAULT_ACTIONS),
        "what mail programs read in different ways, to the outside: quarantine when left out",
    ),
    may(
        "confidence",
        Takes::OneOf(CONFIDENCES),
        "how sure a find must be for the first two to apply: likely when left out; less sure is logged",
    ),
];

/// `spot_check:`.
pub const SPOT_CHECK: &[Key] = &[
    must("percent", Takes::Number(1, 100), "how many of a hundred mails are held"),
    may(
        "of",
        Takes::SomeOf(SPOT_CHECKS),
        "which mails the sample is taken from; both when left out",
    ),
];

/// One of `tests:`.
pub const TEST: &[Key] = &[
    must("name", Takes::Line, "what the test shows"),
    must("from", Takes::Line, "the sender"),
    must(
        "to",
        Takes::Lines("an address"),
        "the recipient, or a list of recipients",
    ),
    may("login", Takes::Line, "the name with which the sender logged in"),
    may("subject", Takes::Text, "the subject"),
    may("text", Takes::Text, "the text of the mail"),
    may("html", Takes::Text, "the text of the mail, as HTML"),
    may("file_name", Takes::Text, "the name of an attached file"),
    may("attachment", Takes::Text, "the text of an attached file"),
    may(
        "attachments",
        Takes::Lines("a file"),
        "attached files, by their names; read from beside the policy, and opened as in a real mail",
    ),
    may(
        "given",
        Takes::Facts,
        "facts that the mail does not show, e.g. that a number is protected",
    ),
    must(
        "expect",
        Takes::Each(Some(OUTCOMES)),
        "the outcome: one word, or a word for each recipient",
    ),
    may(
        "because",
        Takes::Each(None),
        "the id of the rule that must be the reason",
    ),
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
    ("`spot_check`", SPOT_CHECK),
    ("a test", TEST),
];

/// Ready-made identifiers.
pub(super) fn ready_made() -> Vec<&'static str> {
    READY.iter().map(|ready| ready.name).collect()
}

/// Checksums by name.
pub(super) fn checksums() -> Vec<&'static str> {
    Checksum::NAMES.iter().map(|(name, _)| *name).collect()
}

/// The words of a closed set.
pub(super) fn of(words: Words) -> impl Iterator<Item = &'static str> + Clone {
    words.iter().map(|(word, _)| *word)
}

/// What may stand between braces in the text of a test.
pub(super) fn is_number_name(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    !name.is_empty() && name.chars().all(plain)
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

/// The action of that name. `deliver` is no word of rules; of `reroute` the gateway's name stands beside it.
pub(super) fn action(word: &str) -> Option<Action> {
    match word {
        "reject" => Some(Action::Reject),
        "quarantine" => Some(Action::Quarantine),
        "redact" => Some(Action::Redact),
        "reroute" => Some(Action::Reroute(String::new())),
        "warn" => Some(Action::Warn),
        "log" => Some(Action::Log),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::Style;

    #[test]
    fn every_word_in_the_tables_can_be_read() {
        for (word, _) in ACTIONS {
            assert_eq!(action(word).map(|a| a.word()), Some(*word));
            assert!(of(OUTCOMES).any(|outcome| outcome == *word), "{word}");
        }
        assert!(of(DEFAULT_ACTIONS).all(|word| word == "deliver" || action(word).is_some()));
        assert!(of(STYLES).eq(Style::ALL.map(Style::word)));
        assert!(of(PLACE_WORDS).eq(PLACES.iter().map(|(word, _)| *word)));
        let mut doubts: Vec<&str> = reasons().map(DoubtKind::word).collect();
        let mut words: Vec<&str> = of(REASONS).collect();
        doubts.sort_unstable();
        words.sort_unstable();
        assert_eq!(words, doubts);
    }
}
