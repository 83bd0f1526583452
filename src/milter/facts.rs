//! From an inspection's report to what the policy decides from: one entry a different identifier, by kind and characters.

use crate::cpr::{IdKind, Secret};
use crate::policy::{Number, Sighting};
use crate::redact::Targets;
use crate::types::{DoubtKind, Envelope, Report};
use std::collections::{BTreeMap, BTreeSet};

/// The different identifiers of one report, in a fixed order.
pub struct Numbers {
    keys: Vec<(IdKind, Secret)>,
    sightings: Vec<Vec<Sighting>>,
}

impl Numbers {
    /// Gathers them.
    pub fn of(report: &Report) -> Numbers {
        let mut by_number: BTreeMap<(IdKind, Secret), Vec<Sighting>> = BTreeMap::new();
        for finding in &report.findings {
            let key = (finding.kind.clone(), finding.number.clone());
            by_number.entry(key).or_default().push(Sighting {
                confidence: finding.confidence,
                class: finding.place.class(),
                hidden: finding.hidden,
                fake_redaction: finding.fake_redaction,
            });
        }
        let (keys, sightings) = by_number.into_iter().unzip();
        Numbers { keys, sightings }
    }

    /// Their characters, for looking them up.
    pub fn secrets(&self) -> Vec<Secret> {
        self.keys.iter().map(|(_, secret)| secret.clone()).collect()
    }

    /// For the policy. `protected` and `owners` are in the order of [`Numbers::secrets`].
    pub fn for_policy(&self, protected: &[bool], owners: &[Vec<usize>]) -> Vec<Number> {
        let each = self.keys.iter().zip(&self.sightings).enumerate();
        each.map(|(i, ((kind, _), sightings))| Number {
            kind: kind.clone(),
            protected: protected.get(i).copied().unwrap_or(false),
            belongs_to: owners.get(i).cloned().unwrap_or_default(),
            sightings: sightings.clone(),
        })
        .collect()
    }

    /// The same with their characters, for the store, which hashes them.
    pub fn with_secrets(&self, for_policy: &[Number]) -> Vec<(Secret, Number)> {
        let each = self.keys.iter().zip(for_policy);
        each.map(|((_, secret), number)| (secret.clone(), number.clone()))
            .collect()
    }

    /// What must be gone when the policy names these indices; `None` when it names one that is not there.
    pub fn targets(&self, indices: &BTreeSet<usize>) -> Option<Targets> {
        indices.iter().map(|&i| self.keys.get(i).cloned()).collect()
    }
}

/// Each kind of doubt once.
pub fn doubts(report: &Report) -> Vec<DoubtKind> {
    let kinds: BTreeSet<DoubtKind> = report.doubts.iter().map(|doubt| doubt.kind).collect();
    kinds.into_iter().collect()
}

/// Recipients whose address is the number itself, as that of a citizen's Digital Post is. Only on a way that the
/// administrator vouches for: anybody may call a mailbox elsewhere so.
pub fn is_address(number: &Secret, envelope: &Envelope, tls: &[bool], hops: &[Option<String>]) -> Vec<usize> {
    let digits = |text: &str| -> String { text.chars().filter(|c| *c != '-').collect() };
    let number = digits(number.reveal());
    let vouched = |i: usize| tls.get(i) == Some(&true) || hops.get(i).is_some_and(Option::is_some);
    let each = envelope.recipients.iter().enumerate();
    each.filter(|(i, r)| vouched(*i) && r.address.as_ref().is_some_and(|a| digits(&a.local) == number))
        .map(|(i, _)| i)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::{Address, Recipient};

    /// Anybody may call a mailbox like a number: only on a way that the administrator vouches for is it the owner's.
    #[test]
    fn an_address_that_is_the_number_counts_on_a_way_that_is_vouched_for() {
        let number = crate::cpr::made_up::number(3);
        let hyphenated = crate::cpr::made_up::hyphenated(&number);
        let to = |local: &str| Recipient {
            raw: format!("<{local}@digital.example>").into(),
            address: Address::parse(format!("{local}@digital.example").as_bytes()).ok(),
            args: Vec::new(),
        };
        let envelope = Envelope {
            recipients: vec![to(&number), to(&hyphenated), to("anna"), to(&number)],
            ..Envelope::default()
        };
        let hop = Some("sikkerpost.example".to_owned());
        let hops = [hop.clone(), None, hop, None];
        let theirs = is_address(&Secret::new(number), &envelope, &[false, true, true, false], &hops);
        assert_eq!(theirs, [0, 1]);
    }
}
