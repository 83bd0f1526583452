//! Policy and facts -> one decision per recipient. Each recipient is judged alone, all rules are looked at, the strictest
//! result wins; the order of the file only says which of two equal reasons is named.
//!
//! `default:` works as one more rule, the last, for every number and doubt with which no rule deals that is at least as
//! strict. Otherwise a rule that says `log` would be what this language does not have: a free-standing permission.

use super::groups::Member;
use super::route::Route;
use super::rules::Rule;
use super::when::{Found, When};
use super::words::{self, GATEWAYS_DIFFER};
use super::{Facts, Number, Policy, Redaction, Sighting};
use crate::cpr::{Confidence, IdKind};
use crate::types::{Action, Decision, DoubtKind, Lifted, Matched, Recipient, Release, RuleRef};
use std::cmp::Reverse;
use std::collections::BTreeSet;

/// One mail before one policy: everything that does not depend on the recipient, worked out once.
pub(super) struct Judge<'p> {
    policy: &'p Policy,
    facts: &'p Facts<'p>,
    sender: Member,
    candidates: Vec<Candidate<'p>>,
    /// Indices of exceptions that still hold and whose sender fits.
    exceptions: Vec<bool>,
}

/// A rule that the sender and the content do not rule out.
struct Candidate<'p> {
    rule: &'p Rule,
    watch: bool,
    numbers: Vec<usize>,
    doubts: Vec<DoubtKind>,
}

/// The way of one recipient's copy, as far as somebody has told.
#[derive(Clone, Copy)]
struct Way<'f> {
    tls: bool,
    hop: Option<&'f str>,
}

impl Way<'_> {
    fn fits(self, route: &Route) -> bool {
        route.fits(self.tls, self.hop)
    }
}

/// A candidate that fits one recipient, numbers sorted into what stays and what exceptions took out.
struct Hit<'c, 'p> {
    candidate: &'c Candidate<'p>,
    kept: Vec<usize>,
    lifted: Vec<usize>,
}

impl<'p> Judge<'p> {
    pub fn new(policy: &'p Policy, facts: &'p Facts<'p>) -> Judge<'p> {
        let login = facts.envelope.login.as_deref();
        let sender = policy.groups.of(facts.envelope.sender.as_ref(), &[]);
        let candidates = policy
            .rules
            .iter()
            .filter(|rule| rule.when.parties.sender_fits(&sender, login))
            .map(|rule| Candidate {
                rule,
                watch: rule.is_watched(facts.today),
                numbers: rule.when.numbers(facts.numbers),
                doubts: rule.when.doubts(facts.doubts),
            })
            .filter(|c| !c.doubts.is_empty() || c.rule.when.is_met(&c.numbers, facts.numbers))
            .collect();
        let people = facts.numbers.iter().filter(|n| n.kind == IdKind::Cpr).count();
        let holds = |e: &super::exceptions::Exception| {
            let few = e.people.is_none_or(|most| people <= most);
            few && !e.is_expired(facts.today) && e.parties.sender_fits(&sender, login)
        };
        let exceptions = policy.exceptions.all.iter().map(holds).collect();
        Judge {
            policy,
            facts,
            sender,
            candidates,
            exceptions,
        }
    }

    /// The decision for one recipient. `given`: groups in which a test in the file puts them.
    pub fn decide(&self, index: usize, recipient: &Recipient, given: &[usize]) -> Decision {
        let member = self.policy.groups.of(recipient.address.as_ref(), given);
        let way = self.way(index);
        let lifting = self.lifting(way, &member);
        let mut lifted = Vec::new();
        let mut hits: Vec<Hit<'_, 'p>> = self
            .candidates
            .iter()
            .filter(|c| c.rule.when.parties.recipient_fits(&self.sender, &member) && way.fits(&c.rule.when.route))
            .map(|c| self.lift(c, index, &lifting, &mut lifted))
            .collect();
        let removed = self.removed(&hits);
        for hit in hits.iter_mut().filter(|h| h.candidate.rule.except.redacted) {
            hit.take(|n| removed.contains(&n), words::REDACTED, &mut lifted);
        }
        let rerouted = self.rerouted(&hits, &removed);
        for hit in hits.iter_mut().filter(|h| h.candidate.rule.except.rerouted) {
            hit.take(|n| rerouted.contains(&n), words::REROUTED, &mut lifted);
        }
        let met = hits.iter().filter(|h| self.is_met(h));
        let mut matched: Vec<(Matched, Option<&Rule>)> =
            met.map(|h| (self.matched(h), Some(h.candidate.rule))).collect();
        let defaults = self.defaults(&hits, &removed, member.inside);
        matched.extend(defaults.into_iter().map(|m| (m, None)));
        // Stable: among equals the order of the file stays, and the default comes last.
        matched.sort_by_key(|(m, _)| Reverse(m.action.clone()));
        let plain = RuleRef {
            id: "default".to_owned(),
            title: self.policy.default.title.clone(),
        };
        conclude(index, matched, &removed, lifted, plain)
    }

    fn way(&self, index: usize) -> Way<'p> {
        Way {
            tls: self.facts.tls_enforced.get(index).copied().unwrap_or(false),
            hop: self.facts.next_hops.get(index).and_then(Option::as_deref),
        }
    }

    /// For each exception: it applies to this recipient, and if so whether only to their own numbers.
    fn lifting(&self, way: Way<'_>, member: &Member) -> Vec<bool> {
        let all = self.policy.exceptions.all.iter().zip(&self.exceptions);
        all.map(|(e, holds)| *holds && way.fits(&e.route) && e.parties.recipient_fits(&self.sender, member))
            .collect()
    }

    fn lift<'c>(
        &self,
        candidate: &'c Candidate<'p>,
        index: usize,
        lifting: &[bool],
        lifted: &mut Vec<Lifted>,
    ) -> Hit<'c, 'p> {
        let owned = |n: usize| self.facts.numbers.get(n).is_some_and(|n| n.belongs_to.contains(&index));
        let mut kept = candidate.numbers.clone();
        if candidate.rule.when.route.own_number {
            kept.retain(|&n| owned(n));
        }
        let mut hit = Hit {
            candidate,
            kept,
            lifted: Vec::new(),
        };
        for &e in &candidate.rule.except.named {
            let (Some(exception), Some(true)) = (self.policy.exceptions.all.get(e), lifting.get(e)) else {
                continue;
            };
            hit.take(|n| !exception.route.own_number || owned(n), &exception.name, lifted);
        }
        hit
    }

    fn is_met(&self, hit: &Hit<'_, 'p>) -> bool {
        !hit.candidate.doubts.is_empty() || hit.candidate.rule.when.is_met(&hit.kept, self.facts.numbers)
    }

    /// What redacting rules take out of this recipient's copy, as long as redaction may be taken at its word.
    fn removed(&self, hits: &[Hit<'_, 'p>]) -> BTreeSet<usize> {
        if self.facts.redaction == Redaction::Failed {
            return BTreeSet::new();
        }
        hits.iter()
            .filter(|h| h.candidate.rule.action == Action::Redact && !h.candidate.watch && self.is_met(h))
            .flat_map(|h| h.kept.iter().copied())
            .collect()
    }

    /// The numbers for which rules send this copy through a gateway. A redacted copy goes the ordinary way, and what stays
    /// in it with it.
    fn rerouted(&self, hits: &[Hit<'_, 'p>], removed: &BTreeSet<usize>) -> BTreeSet<usize> {
        if !removed.is_empty() {
            return BTreeSet::new();
        }
        hits.iter()
            .filter(|h| matches!(h.candidate.rule.action, Action::Reroute(_)) && !h.candidate.watch && self.is_met(h))
            .flat_map(|h| h.kept.iter().copied())
            .collect()
    }

    fn matched(&self, hit: &Hit<'_, 'p>) -> Matched {
        let rule = hit.candidate.rule;
        let watch = hit.candidate.watch;
        let (name, action) = match (&rule.action, self.facts.redaction) {
            (Action::Redact, Redaction::Failed) if !watch => (redaction_failed(&rule.name), Action::Quarantine),
            (action, _) => (rule.name.clone(), action.clone()),
        };
        Matched {
            rule: name,
            action,
            numbers: hit.kept.clone(),
            doubts: hit.candidate.doubts.clone(),
            watch,
        }
    }

    /// `default:` for what is left.
    fn defaults(&self, hits: &[Hit<'_, 'p>], removed: &BTreeSet<usize>, inside: bool) -> Vec<Matched> {
        let default = &self.policy.default;
        let action = if inside {
            &default.found_to_inside
        } else {
            &default.found_to_outside
        };
        let mut sure = Vec::new();
        let mut unsure = Vec::new();
        for (n, number) in self.facts.numbers.iter().enumerate() {
            let enough = number.protected || number.is_seen(|s| s.confidence >= default.confidence);
            let wanted = if enough { action } else { action.min(&Action::Log) };
            if removed.contains(&n) || hits.iter().any(|h| self.deals_with_number(h, n, wanted)) {
                continue;
            }
            if enough { sure.push(n) } else { unsure.push(n) }
        }
        let mut out = Vec::new();
        out.extend(self.default_match(action, sure, Vec::new()));
        out.extend(self.default_match(action.min(&Action::Log), unsure, Vec::new()));
        if !inside {
            for (malformed, action) in [
                (true, &default.malformed_to_outside),
                (false, &default.unscannable_to_outside),
            ] {
                let doubts: BTreeSet<DoubtKind> = self
                    .facts
                    .doubts
                    .iter()
                    .copied()
                    .filter(|d| (*d == DoubtKind::Malformed) == malformed)
                    .filter(|d| !hits.iter().any(|h| h.deals_with_doubt(*d, action)))
                    .collect();
                out.extend(self.default_match(action, Vec::new(), doubts.into_iter().collect()));
            }
        }
        out
    }

    fn default_match(&self, action: &Action, numbers: Vec<usize>, doubts: Vec<DoubtKind>) -> Option<Matched> {
        let nothing = numbers.is_empty() && doubts.is_empty();
        (!nothing && *action != Action::Deliver).then(|| Matched {
            rule: RuleRef {
                id: "default".to_owned(),
                title: self.policy.default.title.clone(),
            },
            action: action.clone(),
            numbers,
            doubts,
            watch: false,
        })
    }

    /// An enforced rule, at least as strict as the default, matched this number or had it lifted.
    fn deals_with_number(&self, hit: &Hit<'_, 'p>, number: usize, default: &Action) -> bool {
        let rule = hit.candidate.rule;
        let strict = rule.action >= *default || rule.action == Action::Redact;
        let holds = hit.kept.contains(&number) && self.is_met(hit);
        !hit.candidate.watch && strict && (holds || hit.lifted.contains(&number))
    }
}

fn conclude(
    recipient: usize,
    matched: Vec<(Matched, Option<&Rule>)>,
    removed: &BTreeSet<usize>,
    lifted: Vec<Lifted>,
    plain: RuleRef,
) -> Decision {
    let winner = matched.iter().map(|(m, _)| m).find(|m| !m.watch);
    let mut action = winner.map_or(Action::Deliver, |m| m.action.clone());
    let mut rule = winner.map(|m| m.rule.clone());
    if gateways_differ(&matched, &action) {
        action = Action::Quarantine;
        rule = rule.map(|rule| RuleRef {
            id: GATEWAYS_DIFFER.to_owned(),
            ..rule
        });
    }
    let told = rule.as_ref().map(|_| told(&matched, &action).unwrap_or(plain));
    let redact = if action == Action::Redact {
        removed.iter().copied().collect()
    } else {
        Vec::new()
    };
    Decision {
        recipient,
        rule,
        told,
        redact,
        release: release(&matched, &action),
        action,
        matched: matched.into_iter().map(|(m, _)| m).collect(),
        lifted,
    }
}

/// Rules send one copy through two gateways. No order of the file may choose; a person does.
fn gateways_differ(matched: &[(Matched, Option<&Rule>)], action: &Action) -> bool {
    let other = |m: &Matched| !m.watch && matches!(m.action, Action::Reroute(_)) && m.action != *action;
    matches!(action, Action::Reroute(_)) && matched.iter().any(|(m, _)| other(m))
}

/// The reason that the sender may be given: of the rules that say nothing about protected persons, the one that would have
/// done the same. A hold whose reason is a milder rule would say that somebody in the mail is protected.
fn told(matched: &[(Matched, Option<&Rule>)], action: &Action) -> Option<RuleRef> {
    let open = |rule: &Option<&Rule>| rule.is_none_or(|rule| rule.when.found != Found::ProtectedPerson);
    let spoken = || {
        matched
            .iter()
            .filter(|(m, rule)| !m.watch && open(rule))
            .map(|(m, _)| m)
    };
    let same = spoken().find(|m| m.action == *action);
    let redacting = || spoken().find(|m| m.action == Action::Redact && *action == Action::Quarantine);
    same.map(|m| m.rule.clone())
        .or_else(|| redacting().map(|m| redaction_failed(&m.rule)))
}

/// A redacting rule that could not be followed.
fn redaction_failed(rule: &RuleRef) -> RuleRef {
    RuleRef {
        id: "redaction_failed".to_owned(),
        title: rule.title.clone(),
    }
}

/// The strictest terms of all rules that hold this copy: two rules that hold the same mail must not become weaker by
/// their order in the file.
fn release(matched: &[(Matched, Option<&Rule>)], action: &Action) -> Release {
    let mut terms = Release::default();
    let holding = matched
        .iter()
        .filter(|(m, _)| *action == Action::Quarantine && !m.watch && m.action == *action);
    for rule in holding.filter_map(|(_, rule)| *rule) {
        terms.people = terms.people.max(rule.release.people);
        if rule.release.by == "dpo" {
            terms.by.clone_from(&rule.release.by);
        }
    }
    terms
}

impl Hit<'_, '_> {
    /// Moves the numbers that `goes` says from kept to lifted, with the exception's name.
    fn take(&mut self, goes: impl Fn(usize) -> bool, exception: &str, lifted: &mut Vec<Lifted>) {
        let (gone, kept): (Vec<usize>, Vec<usize>) = self.kept.iter().partition(|n| goes(**n));
        lifted.extend(gone.iter().map(|&number| Lifted {
            rule: self.candidate.rule.name.id.clone(),
            exception: exception.to_owned(),
            number,
        }));
        self.kept = kept;
        self.lifted.extend(gone);
    }

    fn deals_with_doubt(&self, doubt: DoubtKind, default: &Action) -> bool {
        !self.candidate.watch && self.candidate.rule.action >= *default && self.candidate.doubts.contains(&doubt)
    }
}

impl When {
    /// Indices of the numbers that this condition means.
    fn numbers(&self, numbers: &[Number]) -> Vec<usize> {
        let means = |n: &Number| {
            let kind = match &self.found {
                Found::Cpr => n.kind == IdKind::Cpr,
                Found::ProtectedPerson => n.protected,
                Found::FakeRedaction | Found::Hidden | Found::AnythingNamed => true,
                Found::Custom(name) => matches!(&n.kind, IdKind::Custom(other) if other == name),
                Found::Unscannable(_) | Found::Malformed => false,
            };
            kind && n.is_seen(|s| self.means(s))
        };
        (0..).zip(numbers).filter(|(_, n)| means(n)).map(|(i, _)| i).collect()
    }

    fn means(&self, s: &Sighting) -> bool {
        let form = match self.found {
            Found::FakeRedaction => s.fake_redaction,
            Found::Hidden => s.hidden,
            _ => true,
        };
        let sure = self.found == Found::ProtectedPerson || s.confidence >= self.confidence;
        form && sure && (self.places.is_empty() || self.places.contains(&s.class))
    }

    /// The doubts that this condition means, each once.
    fn doubts(&self, doubts: &[DoubtKind]) -> Vec<DoubtKind> {
        let means = |d: &DoubtKind| match &self.found {
            Found::Unscannable(why) => why.contains(d),
            Found::Malformed => *d == DoubtKind::Malformed,
            _ => false,
        };
        let set: BTreeSet<DoubtKind> = doubts.iter().copied().filter(means).collect();
        set.into_iter().collect()
    }

    /// Something is there, and enough different people.
    fn is_met(&self, found: &[usize], numbers: &[Number]) -> bool {
        let is_person = |n: &&usize| numbers.get(**n).is_some_and(|n| n.kind == IdKind::Cpr);
        !found.is_empty() && (self.people == 0 || found.iter().filter(is_person).count() >= self.people)
    }
}

impl Number {
    /// One of its places is such. A number without a place cannot come from an inspection; it counts as seen.
    fn is_seen(&self, such: impl Fn(&Sighting) -> bool) -> bool {
        self.sightings.is_empty() || self.sightings.iter().any(such)
    }
}

/// `default:`.
#[derive(Debug)]
pub(super) struct Defaults {
    pub title: String,
    pub found_to_outside: Action,
    pub found_to_inside: Action,
    pub unscannable_to_outside: Action,
    pub malformed_to_outside: Action,
    pub confidence: Confidence,
}

impl Default for Defaults {
    fn default() -> Defaults {
        Defaults {
            title: String::new(),
            found_to_outside: Action::Quarantine,
            found_to_inside: Action::Log,
            unscannable_to_outside: Action::Log,
            malformed_to_outside: Action::Quarantine,
            confidence: Confidence::Likely,
        }
    }
}
