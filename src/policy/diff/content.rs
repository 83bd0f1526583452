//! What a mail can hold, as far as two policies tell it apart: kinds of identifiers, how sure, where, how many, or a doubt.
//! Values of one dimension that no rule distinguishes stand as one.

use crate::cpr::{Confidence, IdKind};
use crate::policy::exceptions::Exception;
use crate::policy::rules::Rule;
use crate::policy::when::Found;
use crate::policy::{Number, Policy, Sighting, words};
use crate::types::{DoubtKind, PlaceClass};
use std::collections::BTreeSet;

/// People above which thresholds are not told apart: a mail of so many is made for each cell.
const MOST_PEOPLE: usize = 500;

const CONFIDENCES: [Confidence; 3] = [Confidence::Possible, Confidence::Likely, Confidence::Certain];

/// What kind of identifier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Cpr,
    Protected,
    Custom(String),
}

/// The dimensions of content.
#[derive(Debug)]
pub(super) struct Contents {
    pub kinds: Vec<Kind>,
    /// Values that stand as one, the first one used.
    pub confidences: Vec<Vec<Confidence>>,
    pub places: Vec<Vec<PlaceClass>>,
    pub hidden: Vec<bool>,
    pub fake: Vec<bool>,
    /// The least of each range of people.
    pub people: Vec<usize>,
    pub doubts: Vec<Vec<DoubtKind>>,
    /// A threshold was above what is looked at.
    pub cut: bool,
}

/// One value of each.
#[derive(Clone, Copy, Debug)]
pub(super) struct Chosen {
    pub kind: usize,
    pub confidence: usize,
    pub place: usize,
    pub hidden: usize,
    pub fake: usize,
    pub people: usize,
}

/// Exceptions that a rule names: the others tell nothing apart.
pub(super) fn used(policy: &Policy) -> impl Iterator<Item = &Exception> {
    let named: BTreeSet<usize> = policy.rules.iter().flat_map(|r| &r.except.named).copied().collect();
    let all = policy.exceptions.all.iter().enumerate();
    all.filter(move |(e, _)| named.contains(e)).map(|(_, e)| e)
}

impl Contents {
    pub fn of(old: &Policy, new: &Policy) -> Contents {
        let rules: Vec<&Rule> = old.rules.iter().chain(&new.rules).collect();
        let mut kinds = vec![Kind::Cpr, Kind::Protected];
        for identifier in old.identifiers.iter().chain(&new.identifiers) {
            let kind = Kind::Custom(identifier.name.clone());
            if !kinds.contains(&kind) {
                kinds.push(kind);
            }
        }
        let enough = [old, new].map(|p| p.default.confidence);
        let sure = |c: &Confidence| -> Vec<bool> {
            let asked = rules.iter().map(|r| r.when.confidence).chain(enough);
            asked.map(|least| *c >= least).collect()
        };
        let placed = |place: &PlaceClass| -> Vec<bool> {
            rules
                .iter()
                .map(|r| r.when.places.is_empty() || r.when.places.contains(place))
                .collect()
        };
        let doubted = |doubt: &DoubtKind| -> Vec<bool> {
            let means = |r: &&Rule| match &r.when.found {
                Found::Unscannable(why) => why.contains(doubt),
                Found::Malformed => *doubt == DoubtKind::Malformed,
                _ => false,
            };
            rules
                .iter()
                .map(means)
                .chain([*doubt == DoubtKind::Malformed])
                .collect()
        };
        let asks = |found: &Found| rules.iter().any(|r| r.when.found == *found);
        let either = |asked: bool| if asked { vec![false, true] } else { vec![false] };
        // From so many people on a rule speaks, or an exception no longer holds.
        let few = [old, new].into_iter().flat_map(used);
        let few = few.filter_map(|e| e.people).map(|most| most + 1);
        let thresholds = rules.iter().map(|r| r.when.people).chain(few).filter(|n| *n > 1);
        let (people, above): (BTreeSet<usize>, BTreeSet<usize>) = thresholds.partition(|n| *n <= MOST_PEOPLE);
        Contents {
            kinds,
            confidences: alike(&CONFIDENCES, sure),
            places: alike(
                &words::PLACES.iter().map(|(_, class)| *class).collect::<Vec<_>>(),
                placed,
            ),
            hidden: either(asks(&Found::Hidden)),
            fake: either(asks(&Found::FakeRedaction)),
            people: std::iter::once(1).chain(people).collect(),
            doubts: alike(&DoubtKind::ALL, doubted),
            cut: !above.is_empty(),
        }
    }

    /// The numbers of a mail for one policy; none when it does not look for such. `own`: recipients to whom they belong.
    pub fn numbers(&self, chosen: Chosen, own: &[usize], policy: &Policy) -> Vec<Number> {
        let Some(kind) = self.kinds.get(chosen.kind) else {
            return Vec::new();
        };
        let sighting = Sighting {
            confidence: first(&self.confidences, chosen.confidence).unwrap_or(Confidence::Certain),
            class: first(&self.places, chosen.place).unwrap_or(PlaceClass::Body),
            hidden: self.hidden.get(chosen.hidden).copied().unwrap_or(false),
            fake_redaction: self.fake.get(chosen.fake).copied().unwrap_or(false),
        };
        let (id, protected) = match kind {
            Kind::Cpr => (IdKind::Cpr, false),
            Kind::Protected => (IdKind::Cpr, true),
            Kind::Custom(name) if policy.identifiers.iter().any(|i| i.name == *name) => {
                (IdKind::Custom(name.clone()), false)
            }
            Kind::Custom(_) => return Vec::new(),
        };
        let number = Number {
            kind: id,
            protected,
            belongs_to: own.to_vec(),
            sightings: vec![sighting],
        };
        vec![number; self.people.get(chosen.people).copied().unwrap_or(1)]
    }

    /// Words for a block: kind, confidence, place, hidden, fake, people.
    pub fn words(
        &self,
        kind: &[usize],
        sure: &[usize],
        place: &[usize],
        marks: [&[usize]; 2],
        people: &[usize],
    ) -> String {
        let mut text = self.kind_words(kind, people);
        let levels: Vec<&str> = chosen(&self.confidences, sure).map(Confidence::word).collect();
        if sure.len() < self.confidences.len() {
            text.push_str(&match levels.as_slice() {
                ["likely", "certain"] => " (likely or surer)".to_owned(),
                several => format!(" ({})", several.join(" or ")),
            });
        }
        let [hidden, fake] = marks;
        for (values, dimension, yes, no) in [
            (hidden, &self.hidden, ", hidden", ", not hidden"),
            (fake, &self.fake, ", covered but still there", ", not covered"),
        ] {
            if values.len() < dimension.len() {
                let is = values.first().and_then(|v| dimension.get(*v)).copied().unwrap_or(false);
                text.push_str(if is { yes } else { no });
            }
        }
        if place.len() < self.places.len() {
            let places: Vec<&str> = chosen(&self.places, place).map(words::place).collect();
            text.push_str(&format!(" in {}", places.join(" or ").replace('_', " ")));
        }
        text
    }

    fn kind_words(&self, kind: &[usize], people: &[usize]) -> String {
        let all: Vec<&Kind> = kind.iter().filter_map(|k| self.kinds.get(*k)).collect();
        let many = people.len() < self.people.len();
        let range = self.range(people);
        if !many && all.len() == self.kinds.len() && all.len() > 2 {
            return "any number".to_owned();
        }
        let both = all.contains(&&Kind::Cpr) && all.contains(&&Kind::Protected);
        let numbers = |one: &str, several: &str| match many {
            true => format!("{range} {several}"),
            false => one.to_owned(),
        };
        let mut parts = Vec::new();
        for kind in all {
            match kind {
                Kind::Cpr if both => parts.push(numbers("a CPR number", "CPR numbers")),
                Kind::Cpr => parts.push(numbers(
                    "the CPR number of somebody who is not protected",
                    "CPR numbers of people who are not protected",
                )),
                Kind::Protected if both => {}
                Kind::Protected => parts.push(numbers(
                    "a protected person's CPR number",
                    "CPR numbers of protected persons",
                )),
                Kind::Custom(name) => parts.push(format!("an identifier `{name}`")),
            }
        }
        parts.join(" or ")
    }

    /// `10 or more`, `1 to 9`.
    fn range(&self, people: &[usize]) -> String {
        let least = people
            .iter()
            .min()
            .and_then(|p| self.people.get(*p))
            .copied()
            .unwrap_or(1);
        let above = people.iter().max().and_then(|p| self.people.get(p + 1)).copied();
        match above {
            None => format!("{least} or more"),
            Some(above) if above == least + 1 => least.to_string(),
            Some(above) => format!("{least} to {}", above - 1),
        }
    }

    /// Words for doubts.
    pub fn doubt_words(&self, doubts: &[usize]) -> String {
        let all: Vec<&str> = chosen(&self.doubts, doubts).map(DoubtKind::word).collect();
        let reasons = all.iter().filter(|w| **w != DoubtKind::Malformed.word()).count();
        let malformed = reasons < all.len();
        let every = reasons == DoubtKind::ALL.len() - 1;
        let unread = match every {
            true => "something that could not be read".to_owned(),
            false => {
                let why: Vec<&str> = all
                    .iter()
                    .copied()
                    .filter(|w| *w != DoubtKind::Malformed.word())
                    .collect();
                format!("something that could not be read ({})", why.join(", "))
            }
        };
        match (malformed, reasons) {
            (true, 0) => "a malformed structure".to_owned(),
            (true, _) => format!("{unread} or a malformed structure"),
            (false, _) => unread,
        }
    }
}

fn first<T: Copy>(values: &[Vec<T>], at: usize) -> Option<T> {
    values.get(at).and_then(|alike| alike.first()).copied()
}

fn chosen<'v, T: Copy>(values: &'v [Vec<T>], at: &'v [usize]) -> impl Iterator<Item = T> + 'v {
    at.iter().filter_map(|i| values.get(*i)).flatten().copied()
}

/// Values with the same mark stand as one.
fn alike<T: Copy, M: PartialEq>(values: &[T], mark: impl Fn(&T) -> M) -> Vec<Vec<T>> {
    let mut out: Vec<(M, Vec<T>)> = Vec::new();
    for value in values {
        let m = mark(value);
        match out.iter_mut().find(|(known, _)| *known == m) {
            Some((_, alike)) => alike.push(*value),
            None => out.push((m, vec![*value])),
        }
    }
    out.into_iter().map(|(_, alike)| alike).collect()
}
