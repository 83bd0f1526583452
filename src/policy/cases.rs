//! `tests:`: mails with the outcome that they must have. Read here, run by `trial`.

use super::fields::{self, Fields, Word};
use super::groups::{Groups, Who};
use super::problem::{Problems, quote};
use super::words::{self, TEST};
use super::yaml::{Node, Spot, Value};
use crate::types::{Address, DoubtKind};

/// One test.
#[derive(Debug)]
pub(super) struct Case {
    pub name: String,
    pub at: Spot,
    pub from: Address,
    /// Groups in which the test puts the sender.
    pub from_groups: Vec<usize>,
    pub to: Vec<To>,
    pub login: Option<String>,
    /// What the mail says, where.
    pub texts: Vec<(Text, String)>,
    /// The whole mail goes over TLS that must be encrypted.
    pub tls_enforced: bool,
    pub doubts: Vec<DoubtKind>,
    /// Facts of numbers, by the name in braces.
    pub marks: Vec<(String, Mark)>,
    pub expect: Vec<Expect>,
    pub because: Vec<Because>,
}

/// One recipient and what the test gives about them.
#[derive(Debug)]
pub(super) struct To {
    pub written: String,
    pub address: Address,
    pub groups: Vec<usize>,
    pub tls_enforced: bool,
    /// Every number of the mail is theirs.
    pub owns_all: bool,
}

/// Where a text of a test stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Text {
    Subject,
    Body,
    FileName,
    Attachment,
}

/// A fact of a number that a text does not show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mark {
    Protected,
    BelongsToRecipient,
    Hidden,
    FakeRedaction,
}

/// The action for one recipient (index into [`Case::to`]), with its place in the file.
#[derive(Debug)]
pub(super) struct Expect {
    pub recipient: usize,
    pub action: &'static str,
    pub at: Spot,
}

/// The rule that must be the reason for one recipient.
#[derive(Debug)]
pub(super) struct Because {
    pub recipient: usize,
    pub rule: Word,
}

const MARKS: &[(&str, Mark)] = &[
    ("protected", Mark::Protected),
    (words::OWN_NUMBER, Mark::BelongsToRecipient),
    ("hidden", Mark::Hidden),
    ("fake_redaction", Mark::FakeRedaction),
];
const GIVEN: &[&str] = &["protected", "delivery", "doubts"];

/// Reads `tests:`.
pub(super) fn read(node: Option<&Node>, groups: &Groups, rules: &[String], problems: &mut Problems) -> Vec<Case> {
    let Some(items) = node.and_then(|n| fields::list(n, "`tests`", problems)) else {
        return Vec::new();
    };
    items
        .iter()
        .filter_map(|item| case(item, groups, rules, problems))
        .collect()
}

fn case(node: &Node, groups: &Groups, rules: &[String], problems: &mut Problems) -> Option<Case> {
    let fields = Fields::open(node, node.at, "a test", TEST, problems)?;
    let name = fields.word("name", problems);
    let from = fields.word("from", problems).and_then(|w| address(&w, problems));
    let to: Vec<To> = fields
        .words("to", problems)
        .iter()
        .filter_map(|w| to(w, problems))
        .collect();
    let texts = [
        ("subject", Text::Subject),
        ("text", Text::Body),
        ("file_name", Text::FileName),
        ("attachment", Text::Attachment),
    ];
    let texts: Vec<(Text, Word)> = texts
        .into_iter()
        .filter_map(|(key, text)| fields.text(key, problems).map(|w| (text, w)))
        .collect();
    for (_, text) in &texts {
        braces(text, problems);
    }
    let texts = texts.into_iter().map(|(text, word)| (text, word.text)).collect();
    let mut case = Case {
        at: fields.node("name").map_or(node.at, |n| n.at),
        name: name?.text,
        from: from?,
        from_groups: Vec::new(),
        to,
        login: fields.word("login", problems).map(|w| w.text),
        texts,
        tls_enforced: false,
        doubts: Vec::new(),
        marks: Vec::new(),
        expect: Vec::new(),
        because: Vec::new(),
    };
    given(&fields, &mut case, groups, problems);
    expect(&fields, &mut case, problems);
    because(&fields, &mut case, rules, problems);
    Some(case)
}

/// `{CPR}` and `{cpr` stand for no number: such a test would show that a mail without numbers goes out.
fn braces(word: &Word, problems: &mut Problems) {
    for rest in word.text.split('{').skip(1) {
        let end = rest.find(|c: char| !c.is_alphanumeric() && !matches!(c, '_' | '-' | ' '));
        let (name, behind) = rest.split_at(end.unwrap_or(rest.len()));
        let closed = behind.starts_with('}');
        let like_a_name = !name.is_empty() && name.chars().count() <= 20;
        if like_a_name && (!closed || !words::is_number_name(name)) && !behind.starts_with([':', ';', '"']) {
            problems.error(
                word.at,
                format!(
                    "{} stands for no number",
                    quote(&format!("{{{name}{}", if closed { "}" } else { "" }))
                ),
                "write a name of small letters, digits and `_` between two braces, e.g. {cpr}",
            );
        }
    }
}

fn address(word: &Word, problems: &mut Problems) -> Option<Address> {
    let address = fields::is_address(&word.text)
        .then(|| Address::parse(word.text.as_bytes()).ok())
        .flatten();
    if address.is_none() {
        problems.error(
            word.at,
            format!("{} is no mail address", quote(&word.text)),
            "write one address, e.g. anna@kommune.example",
        );
    }
    address
}

fn to(word: &Word, problems: &mut Problems) -> Option<To> {
    Some(To {
        written: word.text.clone(),
        address: address(word, problems)?,
        groups: Vec::new(),
        tls_enforced: false,
        owns_all: false,
    })
}

fn given(fields: &Fields<'_>, case: &mut Case, groups: &Groups, problems: &mut Problems) {
    let Some(entries) = fields.node("given").and_then(|n| fields::map(n, "`given`", problems)) else {
        return;
    };
    for entry in entries {
        let words = fields::list_of_words(&entry.value, &entry.key, problems);
        let key = Word {
            text: entry.key.clone(),
            at: entry.at,
        };
        match entry.key.as_str() {
            "protected" => {
                for word in &words {
                    mark(case, word, Mark::Protected, problems);
                }
            }
            "delivery" => {
                for word in &words {
                    case.tls_enforced |= fields::choose(word, "delivery", &[words::TLS], problems).is_some();
                }
            }
            "doubts" => words.iter().for_each(|word| doubt(case, word, problems)),
            name if name.contains('@') => address_facts(case, &key, &words, groups, problems),
            _ => {
                for word in &words {
                    match MARKS.iter().find(|(name, _)| *name == word.text) {
                        Some((_, fact)) => mark(case, &key, *fact, problems),
                        None => match words::nearest(&key.text, GIVEN.iter().copied()) {
                            Some(near) => problems.error(
                                key.at,
                                format!("unknown fact {}", quote(&key.text)),
                                format!("did you mean {}?", quote(near)),
                            ),
                            None => unknown_fact(word, MARKS.iter().map(|(name, _)| *name), problems),
                        },
                    }
                }
            }
        }
    }
}

fn unknown_fact<'w>(word: &Word, valid: impl Iterator<Item = &'w str> + Clone, problems: &mut Problems) {
    problems.error(
        word.at,
        format!("unknown fact {}", quote(&word.text)),
        words::help(&word.text, valid),
    );
}

/// The name must stand in braces in one of the texts, or the fact would be given of nothing.
fn mark(case: &mut Case, name: &Word, fact: Mark, problems: &mut Problems) {
    let braced = format!("{{{}}}", name.text);
    if case.texts.iter().any(|(_, text)| text.contains(&braced)) {
        case.marks.push((name.text.clone(), fact));
        return;
    }
    let help = match words::nearest(&name.text, GIVEN.iter().copied()) {
        Some(near) => format!("did you mean {}?", quote(near)),
        None => format!("write {} where the number stands, e.g. in `text`", quote(&braced)),
    };
    problems.error(name.at, format!("no text of this test holds {}", quote(&braced)), help);
}

fn doubt(case: &mut Case, word: &Word, problems: &mut Problems) {
    match DoubtKind::ALL.into_iter().find(|kind| kind.word() == word.text) {
        Some(kind) => case.doubts.push(kind),
        None => unknown_fact(word, DoubtKind::ALL.iter().map(|k| k.word()), problems),
    }
}

/// Facts of the sender, who can be in groups, or of a recipient.
fn address_facts(case: &mut Case, key: &Word, facts: &[Word], groups: &Groups, problems: &mut Problems) {
    let is_sender = Address::parse(key.text.as_bytes()).is_ok_and(|a| a.key() == case.from.key());
    if is_sender {
        let named = |word: &Word| match groups.find(&word.text) {
            Some(Who::Group(index)) => Some(index),
            _ => None,
        };
        case.from_groups.extend(facts.iter().filter_map(named));
        let is_recipient = case.to.iter().any(|to| to.address.key() == case.from.key());
        if !is_recipient {
            let other = facts.iter().filter(|word| named(word).is_none());
            other.for_each(|word| no_group(word, groups, &[], problems));
            return;
        }
    }
    let Some(to) = find(&mut case.to, key, problems) else {
        return;
    };
    for word in facts {
        match (word.text.as_str(), groups.find(&word.text)) {
            (words::OWN_NUMBER, _) => to.owns_all = true,
            (words::TLS, _) => to.tls_enforced = true,
            (_, Some(Who::Group(index))) => to.groups.push(index),
            _ => no_group(word, groups, &[words::OWN_NUMBER, words::TLS], problems),
        }
    }
}

fn no_group(word: &Word, groups: &Groups, also: &[&str], problems: &mut Problems) {
    if word.text == words::OUTSIDE {
        problems.error(
            word.at,
            "`outside` cannot be given: everybody is outside who is not in `inside`",
            "take this away",
        );
        return;
    }
    let valid = groups.names().filter(|n| *n != words::OUTSIDE);
    unknown_fact(word, valid.chain(also.iter().copied()), problems);
}

/// The recipient that is meant, by address.
fn find<'c>(to: &'c mut [To], key: &Word, problems: &mut Problems) -> Option<&'c mut To> {
    let wanted = Address::parse(key.text.as_bytes()).ok().map(|a| a.key());
    let index = to.iter().position(|t| Some(t.address.key()) == wanted);
    if index.is_none() {
        let help = words::help(&key.text, to.iter().map(|t| t.written.as_str()));
        problems.error(
            key.at,
            format!("{} is no recipient of this test", quote(&key.text)),
            help,
        );
    }
    to.get_mut(index?)
}

fn expect(fields: &Fields<'_>, case: &mut Case, problems: &mut Problems) {
    let Some(node) = fields.node("expect") else {
        return;
    };
    let Value::Map(entries) = &node.value else {
        let Some(action) = fields::word(node, "expect", problems).and_then(|w| outcome(&w, problems)) else {
            return;
        };
        let all = 0..case.to.len();
        case.expect = all
            .map(|recipient| Expect {
                recipient,
                action,
                at: node.at,
            })
            .collect();
        return;
    };
    let errors = problems.count();
    for entry in entries {
        let key = Word {
            text: entry.key.clone(),
            at: entry.at,
        };
        let recipient = index(case, &key, problems);
        let action = fields::word(&entry.value, "expect", problems).and_then(|w| outcome(&w, problems));
        if let (Some(recipient), Some(action)) = (recipient, action) {
            case.expect.push(Expect {
                recipient,
                action,
                at: entry.value.at,
            });
        }
    }
    // A recipient that nobody looks at could get anything.
    let forgotten = (0..case.to.len()).find(|i| !case.expect.iter().any(|e| e.recipient == *i));
    if let (Some(to), true) = (forgotten.and_then(|i| case.to.get(i)), problems.count() == errors) {
        problems.error(
            node.at,
            format!("the test says nothing of {}", quote(&to.written)),
            "give each recipient an outcome, or write one word for all",
        );
    }
}

fn index(case: &mut Case, key: &Word, problems: &mut Problems) -> Option<usize> {
    let address = find(&mut case.to, key, problems)?.address.key();
    case.to.iter().position(|t| t.address.key() == address)
}

fn outcome(word: &Word, problems: &mut Problems) -> Option<&'static str> {
    let valid = || words::ACTIONS.iter().map(|(name, _)| *name).chain(["deliver"]);
    let found = valid().find(|v| *v == word.text);
    if found.is_none() {
        problems.error(
            word.at,
            format!("unknown outcome {}", quote(&word.text)),
            words::help(&word.text, valid()),
        );
    }
    found
}

fn because(fields: &Fields<'_>, case: &mut Case, rules: &[String], problems: &mut Problems) {
    let Some(node) = fields.node("because") else {
        return;
    };
    if let Value::Map(entries) = &node.value {
        for entry in entries {
            let key = Word {
                text: entry.key.clone(),
                at: entry.at,
            };
            let recipient = index(case, &key, problems);
            let rule = fields::word(&entry.value, "because", problems).filter(|w| is_rule(w, rules, problems));
            if let (Some(recipient), Some(rule)) = (recipient, rule) {
                case.because.push(Because { recipient, rule });
            }
        }
    } else if let Some(rule) = fields::word(node, "because", problems).filter(|w| is_rule(w, rules, problems)) {
        case.because = (0..case.to.len())
            .map(|recipient| Because {
                recipient,
                rule: rule.clone(),
            })
            .collect();
    }
}

fn is_rule(word: &Word, rules: &[String], problems: &mut Problems) -> bool {
    let valid = || rules.iter().map(String::as_str).chain(["default"]);
    let known = valid().any(|id| id == word.text);
    if !known {
        problems.error(
            word.at,
            format!("there is no rule {}", quote(&word.text)),
            words::help(&word.text, valid()),
        );
    }
    known
}
