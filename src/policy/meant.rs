//! What a condition on content means in one mail: which numbers, which doubts. And `default:`, for what no condition means.

use super::bits::Bits;
use super::when::{Found, When};
use super::{Facts, Number, Sighting};
use crate::cpr::{Confidence, IdKind};
use crate::types::{Action, DoubtKind};
use std::collections::BTreeSet;
use std::sync::Arc;

/// What a condition on content means in this mail.
pub(super) struct Meant {
    pub numbers: Bits,
    /// The same, as it goes into a decision.
    pub list: Arc<[usize]>,
    pub doubts: Arc<[DoubtKind]>,
}

impl Meant {
    pub fn of(when: &When, facts: &Facts<'_>) -> Meant {
        let numbers = when.numbers(facts.numbers);
        Meant {
            list: numbers.iter().collect(),
            numbers,
            doubts: when.doubts(facts.doubts),
        }
    }
}

/// Something is there, and enough different people.
pub(super) fn is_met(when: &When, found: &Bits, people: &Bits) -> bool {
    !found.is_empty() && (when.people == 0 || found.and(people).count() >= when.people)
}

impl When {
    /// Indices of the numbers that this condition means.
    fn numbers(&self, numbers: &[Number]) -> Bits {
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
    fn doubts(&self, doubts: &[DoubtKind]) -> Arc<[DoubtKind]> {
        let means = |d: &DoubtKind| match &self.found {
            Found::Unscannable(why) => why.contains(d),
            Found::Malformed => *d == DoubtKind::Malformed,
            _ => false,
        };
        let set: BTreeSet<DoubtKind> = doubts.iter().copied().filter(means).collect();
        if set.is_empty() {
            return Arc::default();
        }
        set.into_iter().collect()
    }
}

impl Number {
    /// One of its places is such. A number without a place cannot come from an inspection; it counts as seen.
    pub(super) fn is_seen(&self, such: impl Fn(&Sighting) -> bool) -> bool {
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
