//! Policy and facts -> one decision per recipient. Each recipient is judged alone, all rules are looked at, the strictest
//! result wins; the order of the file only says which of two equal reasons is named.
//!
//! `default:` works as one more rule, the last, for every number and doubt with which no rule deals that is at least as
//! strict. Otherwise a rule that says `log` would be what this language does not have: a free-standing permission.

use super::bits::{Bits, WordHasher};
use super::index::Index;
use super::meant::{Meant, is_met};
use super::member::{Member, Need};
use super::route::Route;
use super::rules::Rule;
use super::when::{Found, When};
use super::words::GATEWAYS_DIFFER;
use super::{Facts, Number, Policy, Redaction};
use crate::cpr::IdKind;
use crate::types::{Action, Decision, DoubtKind, Judgement, Lifted, Matched, Recipient, Release, RuleRef};
use std::collections::{BTreeSet, HashMap};
use std::hash::BuildHasherDefault;
use std::sync::Arc;

/// One mail before one policy: everything that does not depend on the recipient, worked out once, and what was said of
/// recipients so far: those whom the same rules and exceptions fit are told the same.
pub(super) struct Judge<'p> {
    policy: &'p Policy,
    facts: &'p Facts<'p>,
    index: &'p Index,
    sender: Member,
    /// By content of the index; those that no candidate asks for stay empty.
    meant: Vec<Option<Meant>>,
    /// Rules that sender and content do not rule out.
    candidates: Bits,
    /// Exceptions that still hold, and whose sender and number of people fit.
    exceptions: Bits,
    /// Which numbers are persons'.
    people: Bits,
    all: Bits,
    /// Numbers that are as sure as `default` asks.
    sure: Bits,
    /// A number belongs to somebody, and an exception asks to whom.
    asks_whose: bool,
    plain: Arc<RuleRef>,
    said: HashMap<Vec<u64>, Arc<Judgement>, BuildHasherDefault<WordHasher>>,
    key: Vec<u64>,
}

/// A rule that fits one recipient, its numbers sorted into what stays and what exceptions took out.
struct Hit<'c> {
    rule: &'c Rule,
    meant: &'c Meant,
    watch: bool,
    kept: Bits,
    lifted: Bits,
    /// The condition holds by what was kept.
    met: bool,
}

/// What one recipient's judgement depends on, and all of it: whom the same is asked of are told the same.
struct Asked {
    /// Rules.
    fitting: Bits,
    /// Exceptions.
    lifting: Bits,
    /// Numbers of theirs, if a rule or an exception asks.
    own: Bits,
    inside: bool,
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

impl<'p> Judge<'p> {
    /// `named`: groups in which the sender is taken to be.
    pub fn new(policy: &'p Policy, facts: &'p Facts<'p>, named: &[usize]) -> Judge<'p> {
        let login = facts.envelope.login.as_deref();
        let index = &policy.index;
        let sender = policy.groups.of(facts.envelope.sender.as_ref(), facts.given, named);
        let such = |such: &dyn Fn(&Number) -> bool| -> Bits {
            let each = facts.numbers.iter().enumerate();
            each.filter(|(_, n)| such(n)).map(|(i, _)| i).collect()
        };
        let enough = policy.default.confidence;
        let mut judge = Judge {
            policy,
            facts,
            index,
            meant: index.contents().map(|_| None).collect(),
            candidates: Bits::default(),
            exceptions: Bits::default(),
            people: such(&|n| n.kind == IdKind::Cpr),
            all: such(&|_| true),
            sure: such(&|n| n.protected || n.is_seen(|s| s.confidence >= enough)),
            asks_whose: index.asks_whose && facts.numbers.iter().any(|n| !n.belongs_to.is_empty()),
            plain: Arc::new(RuleRef {
                id: "default".to_owned(),
                title: policy.default.title.clone(),
            }),
            said: HashMap::with_capacity_and_hasher(facts.envelope.recipients.len(), BuildHasherDefault::default()),
            key: Vec::new(),
            sender,
        };
        for (r, rule) in policy.rules.iter().enumerate() {
            if rule.when.parties.sender_fits(&judge.sender, login, Need::Any) && judge.means_something(r, &rule.when) {
                judge.candidates.set(r);
            }
        }
        // None applies to a sender whose address cannot be read.
        let readable = facts.envelope.sender.is_some() || facts.envelope.is_from_null();
        let people = judge.people.count();
        for (e, exception) in policy.exceptions.all.iter().enumerate().filter(|_| readable) {
            let few = exception.people.is_none_or(|most| people <= most);
            let fits = || exception.parties.sender_fits(&judge.sender, login, Need::All);
            if few && !exception.is_expired(facts.today) && fits() {
                judge.exceptions.set(e);
            }
        }
        judge
    }

    fn means_something(&mut self, rule: usize, when: &When) -> bool {
        let Some(slot) = self.meant.get_mut(self.index.content_of(rule)) else {
            return false;
        };
        let meant = slot.get_or_insert_with(|| Meant::of(when, self.facts));
        !meant.doubts.is_empty() || is_met(when, &meant.numbers, &self.people)
    }

    /// The decision for one recipient. `named`: groups in which they are taken to be.
    pub fn decide(&mut self, index: usize, recipient: &Recipient, named: &[usize]) -> Decision {
        let groups = &self.policy.groups;
        let member = groups.of(recipient.address.as_ref(), self.facts.given, named);
        Decision {
            recipient: index,
            judgement: self.judgement(index, recipient, &member),
        }
    }

    fn way(&self, recipient: usize) -> Way<'p> {
        Way {
            tls: self.facts.tls_enforced.get(recipient).copied().unwrap_or(false),
            hop: self.facts.next_hops.get(recipient).and_then(Option::as_deref),
        }
    }

    fn judgement(&mut self, index: usize, recipient: &Recipient, member: &Member) -> Arc<Judgement> {
        let way = self.way(index);
        let readable = recipient.address.is_some();
        let own = self.own(index);
        self.key.clear();
        member.write(&mut self.key);
        own.write(&mut self.key);
        self.key.push(u64::from(way.tls) | u64::from(readable) << 1);
        self.key.push(self.index.hop(way.hop));
        if let Some(said) = self.said.get(&self.key) {
            return Arc::clone(said);
        }
        let judgement = Arc::new(self.judge(&self.asked(member, (readable, way), own)));
        self.said.insert(self.key.clone(), Arc::clone(&judgement));
        judgement
    }

    /// Their numbers, if anything asks.
    fn own(&self, recipient: usize) -> Bits {
        if !self.asks_whose {
            return Bits::default();
        }
        let each = self.facts.numbers.iter().enumerate();
        each.filter(|(_, n)| n.belongs_to.contains(&recipient))
            .map(|(i, _)| i)
            .collect()
    }

    /// `readable`: the recipient's address is; no exception applies to one that is not.
    fn asked(&self, member: &Member, (readable, way): (bool, Way<'_>), own: Bits) -> Asked {
        let rules = self.index.rules_to(member).and(&self.candidates);
        let fits = |r: &usize| {
            let when = self.policy.rules.get(*r).map(|rule| &rule.when);
            let parties = |when: &When| when.parties.recipient_fits(&self.sender, member, Need::Any);
            when.is_some_and(|when| way.fits(&when.route) && parties(when))
        };
        let fitting: Bits = rules.iter().filter(fits).collect();
        let mut lifting = Bits::default();
        for e in self.index.exceptions_of(&fitting).and(&self.exceptions).iter() {
            let Some(exception) = self.policy.exceptions.all.get(e) else {
                continue;
            };
            let fits = || exception.parties.recipient_fits(&self.sender, member, Need::All);
            if readable && way.fits(&exception.route) && fits() {
                lifting.set(e);
            }
        }
        Asked {
            fitting,
            lifting,
            own,
            inside: member.inside,
        }
    }

    fn judge(&self, asked: &Asked) -> Judgement {
        let mut lifted = Vec::new();
        let fitting = asked.fitting.iter().filter_map(|r| {
            let meant = self.meant.get(self.index.content_of(r))?.as_ref()?;
            Some((self.policy.rules.get(r)?, meant))
        });
        let mut hits: Vec<Hit<'_>> = fitting
            .map(|(rule, meant)| self.lift(rule, meant, asked, &mut lifted))
            .collect();
        let removed = self.removed(&hits);
        for hit in hits.iter_mut().filter(|h| h.rule.except.redacted) {
            hit.take(&removed, &self.index.redacted, &mut lifted);
            hit.met = self.is_met(hit);
        }
        let rerouted = self.rerouted(&hits);
        for hit in hits.iter_mut().filter(|h| h.rule.except.rerouted) {
            hit.take(&rerouted, &self.index.rerouted, &mut lifted);
            hit.met = self.is_met(hit);
        }
        let mut matched: Vec<(Matched, Option<&Rule>)> = Vec::with_capacity(hits.len() + 1);
        matched.extend(hits.iter().filter(|h| h.met).map(|h| (self.matched(h), Some(h.rule))));
        self.defaults(&hits, &removed, asked.inside, &mut matched);
        // Stable: among equals the order of the file stays, and the default comes last.
        matched.sort_by(|(a, _), (b, _)| b.action.cmp(&a.action));
        conclude(matched, &removed, lifted, &self.plain)
    }

    fn lift<'c>(&self, rule: &'c Rule, meant: &'c Meant, asked: &Asked, lifted: &mut Vec<Lifted>) -> Hit<'c> {
        let mut hit = Hit {
            rule,
            meant,
            watch: rule.is_watched(self.facts.today),
            kept: match rule.when.route.own_number {
                true => meant.numbers.and(&asked.own),
                false => meant.numbers.clone(),
            },
            lifted: Bits::default(),
            met: false,
        };
        for &e in rule.except.named.iter().filter(|e| asked.lifting.has(**e)) {
            if let Some(exception) = self.policy.exceptions.all.get(e) {
                let taken = if exception.route.own_number {
                    hit.kept.and(&asked.own)
                } else {
                    hit.kept.clone()
                };
                hit.take(&taken, &exception.name, lifted);
            }
        }
        hit.met = self.is_met(&hit);
        hit
    }

    fn is_met(&self, hit: &Hit<'_>) -> bool {
        !hit.meant.doubts.is_empty() || is_met(&hit.rule.when, &hit.kept, &self.people)
    }

    /// What redacting rules take out of this recipient's copy, as long as redaction may be taken at its word.
    fn removed(&self, hits: &[Hit<'_>]) -> Bits {
        let mut removed = Bits::default();
        if self.facts.redaction == Redaction::Assumed {
            let redacting = hits
                .iter()
                .filter(|h| h.rule.action == Action::Redact && !h.watch && h.met);
            redacting.for_each(|h| removed.add(&h.kept));
        }
        removed
    }

    /// The numbers for which rules send this copy through a gateway. A redacted copy goes the ordinary way, and what stays
    /// in it with it; one that cannot be redacted is held.
    fn rerouted(&self, hits: &[Hit<'_>]) -> Bits {
        let acts = |h: &&Hit<'_>| !h.watch && h.met;
        let mut rerouted = Bits::default();
        if !hits.iter().filter(acts).any(|h| h.rule.action == Action::Redact) {
            let sent = hits.iter().filter(acts);
            sent.filter(|h| matches!(h.rule.action, Action::Reroute(_)))
                .for_each(|h| rerouted.add(&h.kept));
        }
        rerouted
    }

    fn matched(&self, hit: &Hit<'_>) -> Matched {
        let rule = hit.rule;
        let (name, action) = match (&rule.action, self.facts.redaction) {
            (Action::Redact, Redaction::Failed) if !hit.watch => (redaction_failed(&rule.name), Action::Quarantine),
            (action, _) => (Arc::clone(&rule.name), action.clone()),
        };
        let numbers = if hit.lifted.is_empty() && !rule.when.route.own_number {
            Arc::clone(&hit.meant.list)
        } else {
            hit.kept.iter().collect()
        };
        Matched {
            rule: name,
            action,
            numbers,
            doubts: Arc::clone(&hit.meant.doubts),
            watch: hit.watch,
        }
    }

    /// `default:` for what is left.
    fn defaults<'c>(
        &self,
        hits: &[Hit<'c>],
        removed: &Bits,
        inside: bool,
        matched: &mut Vec<(Matched, Option<&'c Rule>)>,
    ) {
        let default = &self.policy.default;
        let action = match inside {
            true => &default.found_to_inside,
            false => &default.found_to_outside,
        };
        let faint = action.min(&Action::Log);
        let (dealt, dealt_faint) = (dealt_with(hits, action), dealt_with(hits, faint));
        let left = self.all.without(removed);
        let sure = left.and(&self.sure).without(&dealt);
        let unsure = left.without(&self.sure).without(&dealt_faint);
        matched.extend(self.default_match(action, &sure, Arc::default()));
        matched.extend(self.default_match(faint, &unsure, Arc::default()));
        if inside {
            return;
        }
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
            matched.extend(self.default_match(action, &Bits::default(), doubts.into_iter().collect()));
        }
    }

    fn default_match(
        &self,
        action: &Action,
        numbers: &Bits,
        doubts: Arc<[DoubtKind]>,
    ) -> Option<(Matched, Option<&'static Rule>)> {
        let nothing = numbers.is_empty() && doubts.is_empty();
        let matched = || Matched {
            rule: Arc::clone(&self.plain),
            action: action.clone(),
            numbers: numbers.iter().collect(),
            doubts,
            watch: false,
        };
        (!nothing && *action != Action::Deliver).then(|| (matched(), None))
    }
}

/// Numbers that an enforced rule, at least as strict as the default, matched or had lifted.
fn dealt_with(hits: &[Hit<'_>], default: &Action) -> Bits {
    let mut dealt = Bits::default();
    for hit in hits.iter().filter(|h| !h.watch) {
        if hit.rule.action >= *default || hit.rule.action == Action::Redact {
            dealt.add(&hit.lifted);
            if hit.met {
                dealt.add(&hit.kept);
            }
        }
    }
    dealt
}

fn conclude(
    matched: Vec<(Matched, Option<&Rule>)>,
    removed: &Bits,
    lifted: Vec<Lifted>,
    plain: &Arc<RuleRef>,
) -> Judgement {
    let winner = matched.iter().map(|(m, _)| m).find(|m| !m.watch);
    let mut action = winner.map_or(Action::Deliver, |m| m.action.clone());
    let mut rule = winner.map(|m| Arc::clone(&m.rule));
    if gateways_differ(&matched, &action) {
        action = Action::Quarantine;
        rule = rule.map(|rule| {
            Arc::new(RuleRef {
                id: GATEWAYS_DIFFER.to_owned(),
                title: rule.title.clone(),
            })
        });
    }
    let told = rule
        .as_ref()
        .map(|_| told(&matched, &action).unwrap_or_else(|| Arc::clone(plain)));
    let redact = if action == Action::Redact {
        removed.iter().collect()
    } else {
        Vec::new()
    };
    Judgement {
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
fn told(matched: &[(Matched, Option<&Rule>)], action: &Action) -> Option<Arc<RuleRef>> {
    let open = |rule: &Option<&Rule>| rule.is_none_or(|rule| rule.when.found != Found::ProtectedPerson);
    let spoken = || {
        matched
            .iter()
            .filter(|(m, rule)| !m.watch && open(rule))
            .map(|(m, _)| m)
    };
    let same = spoken().find(|m| m.action == *action);
    let redacting = || spoken().find(|m| m.action == Action::Redact && *action == Action::Quarantine);
    same.map(|m| Arc::clone(&m.rule))
        .or_else(|| redacting().map(|m| redaction_failed(&m.rule)))
}

/// A redacting rule that could not be followed.
fn redaction_failed(rule: &RuleRef) -> Arc<RuleRef> {
    Arc::new(RuleRef {
        id: "redaction_failed".to_owned(),
        title: rule.title.clone(),
    })
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

impl Hit<'_> {
    /// Moves numbers from kept to lifted, under the exception's name.
    fn take(&mut self, taken: &Bits, exception: &Arc<str>, lifted: &mut Vec<Lifted>) {
        let gone = self.kept.and(taken);
        if gone.is_empty() {
            return;
        }
        lifted.push(Lifted {
            rule: Arc::clone(&self.rule.name),
            exception: Arc::clone(exception),
            numbers: gone.iter().collect(),
        });
        self.kept = self.kept.without(&gone);
        self.lifted.add(&gone);
    }

    fn deals_with_doubt(&self, doubt: DoubtKind, default: &Action) -> bool {
        !self.watch && self.rule.action >= *default && self.meant.doubts.contains(&doubt)
    }
}
