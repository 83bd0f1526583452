//! `rules:`: what must be found, from whom, to whom, and what then.

use super::exceptions::Exceptions;
use super::fields::{self, Fields, Word};
use super::groups::Groups;
use super::problem::{Problems, quote};
use super::voice::{Spoken, Tell};
use super::when::{self, Found, When};
use super::words::{self, MODES, OVERRIDES, RELEASE, RULE};
use super::yaml::{Node, Spot, Value};
use crate::cpr::Identifier;
use crate::types::{Action, Release, RuleRef};
use std::sync::Arc;
use time::Date;

/// One compiled rule.
#[derive(Debug)]
pub(super) struct Rule {
    pub at: Spot,
    pub name: Arc<RuleRef>,
    pub when: When,
    pub action: Action,
    pub except: Lifting,
    /// `mode: watch`.
    watch: bool,
    /// From this day on a watched rule is enforced.
    pub enforce_from: Option<Date>,
    pub release: Release,
    /// `notice:`.
    pub notice: Option<Spoken>,
    /// `tell:`; the usual when left out.
    pub tell: Option<Tell>,
    /// Where `gateway` stands, for the administrator's file to be asked.
    pub gateway_at: Option<Spot>,
}

impl Rule {
    /// Whatever the day.
    pub fn is_always_enforced(&self) -> bool {
        !self.watch && self.enforce_from.is_none()
    }

    /// Recorded only.
    pub fn is_watched(&self, today: Date) -> bool {
        match self.enforce_from {
            Some(day) => today < day,
            None => self.watch,
        }
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
        .and_then(|n| when::read(n, fields.at("when").unwrap_or(n.at), known, problems));
    let action = fields.node("then").and_then(|n| action(n, problems));
    let action = gateway(&fields, action, problems);
    let release = release(&fields, action.as_ref(), problems);
    let except = except(&fields, action.as_ref(), when.as_ref(), known, problems);
    let mode = fields.one_of("mode", MODES, problems);
    let enforce_from = fields.date("enforce_from", problems);
    if let (Some("enforce"), Some(_), Some(at)) = (mode, enforce_from, fields.at("enforce_from")) {
        problems.error(
            at,
            "this rule is enforced already",
            "write `mode: watch`, or take `enforce_from` away",
        );
    }
    fields.one_of("override", OVERRIDES, problems);
    let notice = fields.node("notice").and_then(|n| Spoken::read(n, problems));
    let tell = Tell::read(&fields, known.groups, problems);
    if let Some(when) = &when {
        keeps_the_secret(&fields, when, tell.as_ref(), problems);
    }
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
        watch: mode == Some("watch"),
        enforce_from,
        release,
        notice,
        tell,
        gateway_at: fields.node("gateway").map(|n| n.at),
    })
}

/// The name of the gateway into `reroute`, and into nothing else.
fn gateway(fields: &Fields<'_>, action: Option<Action>, problems: &mut Problems) -> Option<Action> {
    let name = fields.word("gateway", problems);
    match (action?, name) {
        (Action::Reroute(_), Some(name)) => Some(Action::Reroute(name.text)),
        (Action::Reroute(_), None) => {
            if let (None, Some(then)) = (fields.node("gateway"), fields.node("then")) {
                problems.error(
                    then.at,
                    "`reroute` needs `gateway`",
                    "write `gateway:` and the name that the gateway has in the administrator's file",
                );
            }
            None
        }
        (action, Some(name)) => {
            problems.error(
                name.at,
                format!("`gateway` has no place beside `then: {}`", action.word()),
                "take `gateway` away, or write `then: reroute`",
            );
            Some(action)
        }
        (action, None) => Some(action),
    }
}

/// What the sender hears, and whether, must not say that somebody in the mail is protected.
fn keeps_the_secret(fields: &Fields<'_>, when: &When, tell: Option<&Tell>, problems: &mut Problems) {
    if when.found != Found::ProtectedPerson {
        return;
    }
    if let Some(at) = fields.at("notice") {
        problems.error(
            at,
            "a rule about protected persons has no words of its own: they would say that somebody is protected",
            "take `notice` away; the sender reads the words of the rule that would have done the same",
        );
    }
    if let (Some(at), Some(false)) = (fields.at("tell"), tell.map(|tell| tell.sender)) {
        problems.error(
            at,
            "a rule about protected persons cannot leave the sender out: silence would say that somebody is protected",
            "write `sender` into the list as well",
        );
    }
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
                "the first one stands in {}; every rule needs an id of its own",
                problems.line(first.at, word.at)
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
        let gateway = match word.text.as_str() {
            "reroute" => ", and the gateway in a line of its own: `gateway: …`",
            _ => "",
        };
        problems.error(
            word.at,
            "an action is one word",
            format!("write `then: {}`{gateway}", word.text),
        );
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

/// What may lift numbers from a rule.
#[derive(Debug, Default)]
pub(super) struct Lifting {
    /// Indices into the policy's exceptions.
    pub named: Vec<usize>,
    /// The built-in exception `redacted`.
    pub redacted: bool,
    /// The built-in exception `rerouted`.
    pub rerouted: bool,
}

fn except(
    fields: &Fields<'_>,
    action: Option<&Action>,
    when: Option<&When>,
    known: &Known<'_>,
    problems: &mut Problems,
) -> Lifting {
    let mut lifting = Lifting::default();
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
        return lifting;
    }
    for word in &words {
        match word.text.as_str() {
            words::REDACTED if action == Some(&Action::Redact) => problems.error(
                word.at,
                "a rule that redacts cannot be lifted by `redacted`",
                "`redacted` belongs into the rules that would stop the redacted copy",
            ),
            words::REDACTED => lifting.redacted = true,
            words::REROUTED if matches!(action, Some(Action::Reroute(_) | Action::Redact)) => problems.error(
                word.at,
                "a rule that reroutes or redacts cannot be lifted by `rerouted`",
                "`rerouted` belongs into the rules that would stop the copy that goes through the gateway",
            ),
            words::REROUTED => lifting.rerouted = true,
            name => match known.exceptions.find(name) {
                Some(Some(index)) => lifting.named.push(index),
                Some(None) => {} // broken, and told so
                None => {
                    let help = words::help(name, known.exceptions.names());
                    problems.error(word.at, format!("there is no exception {}", quote(name)), help);
                }
            },
        }
    }
    lifting
}
