//! What becomes of mail under one policy, and the different ways in which two policies differ about it.

use super::Outcome;
use crate::types::{Action, Decision};
use std::collections::{BTreeSet, HashMap};
use std::rc::Rc;

/// `failed`: what is decided when a redaction fails.
pub(super) fn outcome(hoped: &Decision, failed: &Decision) -> Outcome {
    let held = [hoped, failed].into_iter().find(|d| d.action == Action::Quarantine);
    let watched = hoped.matched.iter().filter(|m| m.watch).map(|m| m.action.clone()).max();
    Outcome {
        unredacted: (hoped.action == Action::Redact).then(|| failed.action.clone()),
        action: hoped.action.clone(),
        release: held.map(|d| (d.release.by.clone(), d.release.people)),
        watched,
        rules: hoped.rule.iter().map(|rule| rule.id.clone()).collect(),
    }
}

impl Outcome {
    /// Stands where nothing is told.
    pub(super) fn nothing() -> Outcome {
        Outcome {
            action: Action::Deliver,
            unredacted: None,
            release: None,
            watched: None,
            rules: BTreeSet::new(),
        }
    }

    /// The same for everybody, whichever rule says so.
    pub(super) fn same(&self, other: &Outcome) -> bool {
        let all = |o: &Outcome| {
            (
                o.action.clone(),
                o.unredacted.clone(),
                o.release.clone(),
                o.watched.clone(),
            )
        };
        all(self) == all(other)
    }
}

/// Different ways to differ, by a small number; 0 is no difference.
#[derive(Default)]
pub(super) struct Kinds {
    known: HashMap<[Outcome; 2], u16>,
    pairs: Vec<[Outcome; 2]>,
}

impl Kinds {
    /// For each recipient.
    pub fn of_each(&mut self, [old, new]: &[Vec<Rc<Outcome>>; 2]) -> Vec<u16> {
        let mut known: HashMap<[*const Outcome; 2], u16> = HashMap::new();
        let each = old.iter().zip(new);
        each.map(|(was, now)| {
            let at = [Rc::as_ptr(was), Rc::as_ptr(now)];
            *known.entry(at).or_insert_with(|| self.of(was, now))
        })
        .collect()
    }

    fn of(&mut self, was: &Outcome, now: &Outcome) -> u16 {
        if was.same(now) {
            return 0;
        }
        let bare = [was, now].map(|o| Outcome {
            rules: BTreeSet::new(),
            ..o.clone()
        });
        let next = u16::try_from(self.pairs.len() + 1).unwrap_or(u16::MAX);
        let kind = *self.known.entry(bare.clone()).or_insert(next);
        if usize::from(kind) > self.pairs.len() {
            self.pairs.push(bare);
        }
        if let Some(known) = self.pairs.get_mut(usize::from(kind) - 1) {
            for (outcome, said) in known.iter_mut().zip([was, now]) {
                outcome.rules.extend(said.rules.iter().cloned());
            }
        }
        kind
    }

    /// The outcomes before and now.
    pub fn pair(&self, kind: u16) -> Option<&[Outcome; 2]> {
        self.pairs.get(usize::from(kind).checked_sub(1)?)
    }
}

/// Chance that is the same every time: the same two files are told the same.
pub(super) struct Chance(pub u64);

impl Chance {
    pub fn below(&mut self, n: usize) -> usize {
        // Constants of Knuth's MMIX generator.
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap_or(0) % n.max(1)
    }
}
