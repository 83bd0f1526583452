//! Rules that can never win: for every mail for which one speaks, a stricter one speaks as well. Computed from what the
//! conditions mean, in the direction that errs on saying nothing: a rule is named only when it surely never wins.

use super::groups::Who;
use super::parties::Parties;
use super::problem::{Problems, quote};
use super::route::Route;
use super::rules::Rule;
use super::when::{Found, When};
use super::{Policy, words};
use crate::types::{Action, PlaceClass, Release};

/// Warns of each rule that can never win, naming the one that always does.
pub(super) fn warn(policy: &Policy, problems: &mut Problems) {
    for (i, rule) in policy.rules.iter().enumerate() {
        let mut others = policy.rules.iter().enumerate().filter(|(j, _)| *j != i);
        let winner = others.find(|(j, other)| beats(policy, other, rule, *j < i));
        let Some((_, winner)) = winner else { continue };
        let place = problems.line(winner.at, rule.at);
        problems.warning(
            rule.at,
            format!(
                "the rule {} never decides: whenever it speaks, so does the rule {}, which says {}",
                quote(&rule.name.id),
                quote(&winner.name.id),
                quote(winner.action.word()),
            ),
            format!(
                "{} stands in {place}: take this rule away, or make the conditions of that one narrower",
                quote(&winner.name.id)
            ),
        );
    }
}

/// Whenever `rule` speaks, `other` does, with a result that is stricter (or as strict, and named before it), and no
/// exception lifts from `other` what it does not lift from `rule`; on every day.
fn beats(policy: &Policy, other: &Rule, rule: &Rule, first: bool) -> bool {
    let strict = other.action > rule.action || other.action == rule.action && first && says_no_more(rule, other);
    // What a redacting rule removes, `redacted` lifts from others, and `rerouted` no longer does: it acts without deciding.
    let acts = match rule.action {
        Action::Redact => policy.rules.iter().any(|r| r.except.redacted || r.except.rerouted),
        Action::Reroute(_) => policy.rules.iter().any(|r| r.except.rerouted),
        _ => false,
    };
    // Of two rules that hold, the stricter terms of release count.
    let terms = rule.release == Release::default() || other.action != Action::Quarantine;
    let lifted_less = other.except.named.iter().all(|e| rule.except.named.contains(e))
        && (!other.except.redacted || rule.except.redacted)
        && (!other.except.rerouted || rule.except.rerouted);
    // Two gateways hold the copy: neither rule has its way, and without either one it would be sent.
    let gateways = matches!((&other.action, &rule.action), (Action::Reroute(a), Action::Reroute(b)) if a != b);
    let only_cpr = policy.identifiers.is_empty();
    other.is_always_enforced()
        && strict
        && !gateways
        && !acts
        && terms
        && lifted_less
        && covers(&other.when, &rule.when, only_cpr)
}

/// Nothing of its own that would be said or done when it is the one that is named.
fn says_no_more(rule: &Rule, other: &Rule) -> bool {
    rule.notice == other.notice && rule.tell == other.tell
}

/// What satisfies `narrow` satisfies `wide`.
fn covers(wide: &When, narrow: &When, only_cpr: bool) -> bool {
    let sure = wide.found == Found::ProtectedPerson || wide.confidence <= narrow.confidence;
    let found = match (&wide.found, &narrow.found) {
        (Found::Unscannable(wide), Found::Unscannable(narrow)) => narrow.iter().all(|why| wide.contains(why)),
        // A count of people is one of CPR numbers among what was found.
        (Found::AnythingNamed, Found::Cpr | Found::Custom(_) | Found::Hidden | Found::FakeRedaction) => true,
        (Found::Cpr, Found::AnythingNamed | Found::Hidden | Found::FakeRedaction) if only_cpr => true,
        (wide, narrow) => wide == narrow,
    };
    let anywhere = |when: &When| when.places.is_empty() || words::PLACES.iter().all(|(_, p)| when.places.contains(p));
    let place = |p: &PlaceClass| wide.places.contains(p);
    let places = anywhere(wide) || !anywhere(narrow) && narrow.places.iter().all(place);
    found
        && sure
        && places
        && wide.people <= narrow.people
        && parties_cover(&wide.parties, &narrow.parties)
        && route_covers(&wide.route, &narrow.route)
}

fn parties_cover(wide: &Parties, narrow: &Parties) -> bool {
    let who =
        |wide: &[Who], narrow: &[Who]| wide.is_empty() || !narrow.is_empty() && narrow.iter().all(|w| wide.contains(w));
    who(&wide.from, &narrow.from) && who(&wide.to, &narrow.to) && wide.direction_covers(narrow) && !wide.asks_login()
}

fn route_covers(wide: &Route, narrow: &Route) -> bool {
    let hop = wide.next_hop.is_empty()
        || !narrow.next_hop.is_empty() && narrow.next_hop.iter().all(|hop| wide.next_hop.contains(hop));
    hop && (!wide.tls_enforced || narrow.tls_enforced) && (!wide.own_number || narrow.own_number)
}
