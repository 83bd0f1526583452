//! Both policies judge every kind of mail; what differs is told box by box.

use super::content::{Chosen, Contents};
use super::cover::{Block, Space};
use super::outcome::{Kinds, outcome};
use super::people::{self, Class};
use super::{Change, Outcome};
use crate::policy::decide::Judge;
use crate::policy::{Answers, Facts, Number, Policy, Redaction};
use crate::types::{Action, Decision, DoubtKind, Envelope, Judgement, Recipient};
use std::collections::{BTreeSet, HashMap};
use std::rc::Rc;
use std::sync::Arc;
use time::Date;

/// Judgements of one policy; more are sampled.
const MOST_CELLS: usize = 4_000_000;

/// The ways in which a recipient can differ beside who they are and where mail to them is handed to: TLS enforced, and
/// whether the number is theirs.
pub(super) const WAYS: usize = 4;

/// Two policies and everything that either of them tells apart.
pub(super) struct Ground<'p> {
    pub(super) policies: [&'p Policy; 2],
    classes: Vec<Class>,
    /// Indices of classes that are looked at.
    pub(super) senders: Vec<usize>,
    pub(super) recipients: Vec<usize>,
    pub(super) logins: Vec<Option<String>>,
    /// Next hops that somebody asks for; `None` stands for all others.
    pub(super) hops: Vec<Option<String>>,
    pub(super) contents: Contents,
    sampled: bool,
}

/// Dimensions of mails with numbers, in the order of their cells.
const SENDER: usize = 0;
const LOGIN: usize = 1;
const KIND: usize = 2;
const SURE: usize = 3;
const PLACE: usize = 4;
const HIDDEN: usize = 5;
const FAKE: usize = 6;
const PEOPLE: usize = 7;
const RECIPIENT: usize = 8;
const HOP: usize = 9;
const TLS: usize = 10;
const OWN: usize = 11;
/// Those first that people would rather not read of.
const ORDER: [usize; 12] = [
    HIDDEN, FAKE, PLACE, OWN, TLS, HOP, LOGIN, SURE, PEOPLE, KIND, RECIPIENT, SENDER,
];

/// The same for mails with doubts: sender, login, doubt, recipient, next hop, TLS.
const DOUBT_ORDER: [usize; 6] = [5, 4, 1, 2, 3, 0];

/// For each cell: a difference has been told.
pub(super) struct Told {
    numbers: Vec<bool>,
    doubts: Vec<bool>,
    /// Mails of several kinds were looked at.
    mixed: bool,
}

/// What one day brings.
#[derive(Default)]
pub(super) struct News {
    pub changes: Vec<Change>,
    /// Kinds of mail that are judged alike from now on.
    pub over: Vec<Change>,
}

/// Cells that differ now and did not before; cells that no longer do, as kind 1. Brings `told` up to date.
fn fresh(cells: &[u16], told: &mut [bool]) -> (Vec<u16>, Vec<u16>) {
    let each = cells.iter().zip(told.iter_mut());
    each.map(|(kind, told)| {
        let was = std::mem::replace(told, *kind != 0);
        match (was, *kind) {
            (false, kind) => (kind, 0),
            (true, 0) => (0, 1),
            (true, _) => (0, 0),
        }
    })
    .unzip()
}

impl<'p> Ground<'p> {
    pub fn new(old: &'p Policy, new: &'p Policy) -> Ground<'p> {
        let classes = people::classes(old, new);
        let mut ground = Ground {
            policies: [old, new],
            senders: (0..classes.len()).collect(),
            recipients: (0..classes.len()).collect(),
            classes,
            logins: logins(old, new),
            hops: hops(old, new),
            contents: Contents::of(old, new),
            sampled: false,
        };
        // Every second sender, then every second recipient, until it can be done.
        while ground.cells() > MOST_CELLS && ground.senders.len().max(ground.recipients.len()) > 2 {
            ground.sampled = true;
            let longer = if ground.senders.len() >= ground.recipients.len() {
                &mut ground.senders
            } else {
                &mut ground.recipients
            };
            *longer = longer.iter().copied().step_by(2).collect();
        }
        ground
    }

    /// Kinds of mail.
    pub fn cells(&self) -> usize {
        self.space().cells() + self.doubt_space().cells()
    }

    /// What was left out.
    pub fn limits(&self) -> Vec<String> {
        let mut limits = Vec::new();
        if self.sampled {
            limits.push(format!(
                "There are too many kinds of people to compare all: {} of {} kinds of senders and {} of {} kinds of \
                 recipients were taken.",
                self.senders.len(),
                self.classes.len(),
                self.recipients.len(),
                self.classes.len()
            ));
        }
        if self.contents.cut {
            limits.push("Thresholds above 500 people were not compared.".to_owned());
        }
        limits
    }

    /// Copies that one recipient stands for.
    pub(super) fn ways(&self) -> usize {
        self.hops.len() * WAYS
    }

    fn space(&self) -> Space {
        let c = &self.contents;
        let sizes = vec![
            self.senders.len(),
            self.logins.len(),
            c.kinds.len(),
            c.confidences.len(),
            c.places.len(),
            c.hidden.len(),
            c.fake.len(),
            c.people.len(),
            self.recipients.len(),
            self.hops.len(),
            2,
            2,
        ];
        Space { sizes }
    }

    fn doubt_space(&self) -> Space {
        let sizes = vec![
            self.senders.len(),
            self.logins.len(),
            self.contents.doubts.len(),
            self.recipients.len(),
            self.hops.len(),
            2,
        ];
        Space { sizes }
    }

    /// Before the first day.
    pub fn nothing_told(&self) -> Told {
        Told {
            numbers: vec![false; self.space().cells()],
            doubts: vec![false; self.doubt_space().cells()],
            mixed: false,
        }
    }

    /// All that is judged otherwise on a day and was not on the days before, and what no longer is.
    pub fn compare(&self, today: Date, told: &mut Told) -> News {
        let mut kinds = Kinds::default();
        let (space, doubt_space) = (self.space(), self.doubt_space());
        let numbers = self.numbers(&space, today, &mut kinds);
        let doubts = self.doubts(today, &mut kinds);
        let mixed = match std::mem::replace(&mut told.mixed, true) {
            true => None,
            false => self.mixed(today, &space, &numbers),
        };
        let (new_numbers, over_numbers) = fresh(&numbers, &mut told.numbers);
        let (new_doubts, over_doubts) = fresh(&doubts, &mut told.doubts);
        let same = [Outcome::nothing(), Outcome::nothing()];
        let mut news = News::default();
        for (kind, block) in space.boxes(&new_numbers, &ORDER) {
            news.changes
                .extend(kinds.pair(kind).map(|pair| self.change(&block, pair)));
        }
        for (kind, block) in doubt_space.boxes(&new_doubts, &DOUBT_ORDER) {
            news.changes
                .extend(kinds.pair(kind).map(|pair| self.doubt_change(&block, pair)));
        }
        for (_, block) in space.boxes(&over_numbers, &ORDER) {
            news.over.push(self.change(&block, &same));
        }
        for (_, block) in doubt_space.boxes(&over_doubts, &DOUBT_ORDER) {
            news.over.push(self.doubt_change(&block, &same));
        }
        news.changes.extend(mixed);
        news
    }

    fn numbers(&self, space: &Space, today: Date, kinds: &mut Kinds) -> Vec<u16> {
        let mut cells = vec![0; space.cells()];
        let per_content = self.recipients.len() * self.ways();
        let mut at = 0;
        for &sender in &self.senders {
            for login in &self.logins {
                for chosen in self.every_content() {
                    let own: Vec<usize> = (0..per_content).filter(|i| i % 2 == 1).collect();
                    let pair = [0, 1].map(|p| {
                        let numbers = self.contents.numbers(chosen, &own, self.policies[p]);
                        self.judged(p, sender, login.as_deref(), &numbers, &[], today)
                    });
                    let told = kinds.of_each(&pair);
                    for (cell, kind) in cells.iter_mut().skip(at).take(per_content).zip(told) {
                        *cell = kind;
                    }
                    at += per_content;
                }
            }
        }
        cells
    }

    pub(super) fn every_content(&self) -> impl Iterator<Item = Chosen> + '_ {
        let c = &self.contents;
        let sizes = [
            c.kinds.len(),
            c.confidences.len(),
            c.places.len(),
            c.hidden.len(),
            c.fake.len(),
            c.people.len(),
        ];
        (0..sizes.iter().product()).map(move |mut at: usize| {
            let mut value = [0; 6];
            for (value, size) in value.iter_mut().zip(sizes).rev() {
                *value = at % size;
                at /= size;
            }
            let [kind, confidence, place, hidden, fake, people] = value;
            Chosen {
                kind,
                confidence,
                place,
                hidden,
                fake,
                people,
            }
        })
    }

    fn doubts(&self, today: Date, kinds: &mut Kinds) -> Vec<u16> {
        let mut cells = Vec::with_capacity(self.doubt_space().cells());
        for &sender in &self.senders {
            for login in &self.logins {
                for doubt in self.contents.doubts.iter().filter_map(|alike| alike.first()) {
                    let pair = [0, 1].map(|p| self.judged(p, sender, login.as_deref(), &[], &[*doubt], today));
                    // Nobody owns a doubt: one of each two ways.
                    cells.extend(kinds.of_each(&pair).into_iter().step_by(2));
                }
            }
        }
        cells
    }

    /// One outcome for each recipient in each way.
    pub(super) fn judged(
        &self,
        p: usize,
        sender: usize,
        login: Option<&str>,
        numbers: &[Number],
        doubts: &[DoubtKind],
        today: Date,
    ) -> Vec<Rc<Outcome>> {
        let policy = self.policies[p];
        let envelope = Envelope {
            sender: self.classes.get(sender).and_then(|c| c.address.clone()),
            login: login.map(str::to_owned),
            recipients: self.everyone(),
            ..Envelope::default()
        };
        let everyone = 0..envelope.recipients.len();
        let tls: Vec<bool> = everyone.clone().map(|i| i / 2 % 2 == 1).collect();
        let hop = |i: usize| self.hops.get(i / WAYS % self.hops.len()).cloned().flatten();
        let next_hops: Vec<Option<String>> = everyone.map(hop).collect();
        let decided = |redaction| {
            let facts = Facts {
                envelope: &envelope,
                today,
                numbers,
                doubts,
                tls_enforced: &tls,
                next_hops: &next_hops,
                redaction,
                given: &Answers::offline(),
            };
            let given = |class: usize| self.classes.get(class).map_or(&[][..], |c| &c.given[p]);
            let mut judge = Judge::new(policy, &facts, given(sender));
            let each = envelope.recipients.iter().enumerate();
            each.map(|(i, recipient)| {
                let class = self.recipients.get(i / self.ways()).copied().unwrap_or(usize::MAX);
                judge.decide(i, recipient, given(class))
            })
            .collect::<Vec<Decision>>()
        };
        let hoped = decided(Redaction::Assumed);
        let failed = match hoped.iter().any(|d| d.action == Action::Redact) {
            true => decided(Redaction::Failed),
            false => hoped.clone(),
        };
        let mut known: HashMap<Said, Rc<Outcome>> = HashMap::new();
        let each = hoped.iter().zip(&failed);
        each.map(|(d, f)| {
            let said = [d, f].map(|d| Arc::as_ptr(&d.judgement));
            Rc::clone(known.entry(said).or_insert_with(|| Rc::new(outcome(policy, d, f))))
        })
        .collect()
    }

    /// Each recipient in each way: own number fastest, then TLS, then the next hop.
    fn everyone(&self) -> Vec<Recipient> {
        let classes = self.recipients.iter().filter_map(|r| self.classes.get(*r));
        classes
            .flat_map(|class| {
                let recipient = Recipient {
                    raw: Vec::new(),
                    address: class.address.clone(),
                    args: Vec::new(),
                };
                vec![recipient; self.ways()]
            })
            .collect()
    }

    fn change(&self, block: &Block, pair: &[Outcome; 2]) -> Change {
        let of = |dimension: usize| block.get(dimension).map(Vec::as_slice).unwrap_or_default();
        let marks = [of(HIDDEN), of(FAKE)];
        let mut conditions = self.conditions(of(LOGIN), of(HOP), of(TLS));
        match of(OWN) {
            [1] => conditions.push("to the person whose number it is".to_owned()),
            [0] => conditions.push("to somebody else than the person whose number it is".to_owned()),
            _ => {}
        }
        let content = self.contents.words(of(KIND), of(SURE), of(PLACE), marks, of(PEOPLE));
        self.told(content, of(SENDER), of(RECIPIENT), conditions, pair)
    }

    fn doubt_change(&self, block: &Block, pair: &[Outcome; 2]) -> Change {
        let of = |dimension: usize| block.get(dimension).map(Vec::as_slice).unwrap_or_default();
        let conditions = self.conditions(of(1), of(4), of(5));
        self.told(self.contents.doubt_words(of(2)), of(0), of(3), conditions, pair)
    }

    pub(super) fn conditions(&self, login: &[usize], hop: &[usize], tls: &[usize]) -> Vec<String> {
        let mut conditions = Vec::new();
        if hop.len() < self.hops.len() {
            let hosts = hop.iter().filter_map(|h| self.hops.get(*h));
            let hosts: Vec<String> = hosts
                .map(|host| match host {
                    None => "another host".to_owned(),
                    Some(name) => format!("`{name}`"),
                })
                .collect();
            conditions.push(format!("handed to {}", hosts.join(" or ")));
        }
        match tls {
            [1] => conditions.push("over enforced TLS".to_owned()),
            [0] => conditions.push("not over enforced TLS".to_owned()),
            _ => {}
        }
        if login.len() < self.logins.len() {
            let names = login.iter().filter_map(|l| self.logins.get(*l));
            let names: Vec<String> = names
                .map(|login| match login {
                    None => "nobody".to_owned(),
                    Some(name) if name == ANY_LOGIN => "another name".to_owned(),
                    Some(name) => format!("`{name}`"),
                })
                .collect();
            conditions.push(format!("logged in as {}", names.join(" or ")));
        }
        conditions
    }

    pub(super) fn told(
        &self,
        content: String,
        from: &[usize],
        to: &[usize],
        conditions: Vec<String>,
        pair: &[Outcome; 2],
    ) -> Change {
        // Of a sample nothing is said about "anyone": only about those who were taken.
        let who = |taken: &[usize], chosen: &[usize]| {
            let classes: Vec<usize> = chosen.iter().filter_map(|i| taken.get(*i).copied()).collect();
            match chosen.len() == taken.len() && !self.sampled {
                true => None,
                false => people::words(&self.classes, &classes),
            }
        };
        let [was, now] = pair.clone();
        Change {
            since: None,
            content,
            from: who(&self.senders, from),
            to: who(&self.recipients, to),
            conditions,
            was,
            now,
        }
    }
}

/// Which judgements, of those at hand: recipients of whom the same is said share it.
type Said = [*const Judgement; 2];

const ANY_LOGIN: &str = "zq-somebody-zq";

/// Nobody, everybody whom a rule names, and somebody else.
fn logins(old: &Policy, new: &Policy) -> Vec<Option<String>> {
    let parties = [old, new].into_iter().flat_map(|policy| {
        let rules = policy.rules.iter().map(|r| &r.when.parties);
        rules.chain(policy.exceptions.all.iter().map(|e| &e.parties))
    });
    let named: BTreeSet<String> = parties
        .flat_map(|p| &p.logins)
        .map(|glob| match glob.as_str() {
            "*" => ANY_LOGIN.to_owned(),
            glob => glob.replace(['*', '?'], "x"),
        })
        .collect();
    let mut logins = vec![None];
    if !named.is_empty() {
        logins.extend(named.iter().cloned().map(Some));
        if !named.contains(ANY_LOGIN) {
            logins.push(Some(ANY_LOGIN.to_owned()));
        }
    }
    logins
}

/// No host in particular, and every host that a condition names.
fn hops(old: &Policy, new: &Policy) -> Vec<Option<String>> {
    let routes = [old, new].into_iter().flat_map(|policy| {
        let rules = policy.rules.iter().map(|r| &r.when.route);
        rules.chain(super::content::used(policy).map(|e| &e.route))
    });
    let named: BTreeSet<&String> = routes.flat_map(|route| &route.next_hop).collect();
    std::iter::once(None)
        .chain(named.into_iter().cloned().map(Some))
        .collect()
}
