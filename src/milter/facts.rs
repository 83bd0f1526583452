//! From an inspection's report to what the policy decides from: one entry a different identifier, by kind and characters.

use crate::cpr::{IdKind, Secret};
use crate::policy::{Number, Sighting};
use crate::redact::Targets;
use crate::types::{Address, DoubtKind, Envelope, Report};
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

    /// For the policy. `protected` is in the order of [`Numbers::secrets`].
    pub fn for_policy(&self, protected: &[bool]) -> Vec<Number> {
        let each = self.keys.iter().zip(&self.sightings).enumerate();
        each.map(|(i, ((kind, _), sightings))| Number {
            kind: kind.clone(),
            protected: protected.get(i).copied().unwrap_or(false),
            belongs_to: Vec::new(),
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

/// For each recipient: mail there, wherever it may go, goes over enforced TLS, by the administrator's list of domains (all
/// below them counted).
pub fn tls_enforced(envelope: &Envelope, domains: &[String]) -> Vec<bool> {
    let enforced = |address: &Address| {
        domains.iter().any(|domain| {
            let domain = domain.trim_start_matches('.').to_ascii_lowercase();
            match address.domain.strip_suffix(domain.as_str()) {
                Some(before) => !domain.is_empty() && (before.is_empty() || before.ends_with('.')),
                None => false,
            }
        })
    };
    envelope
        .recipients
        .iter()
        .map(|r| {
            let mut routes = r.address.iter().flat_map(Address::routes).peekable();
            routes.peek().is_some() && routes.all(|route| route.as_ref().is_some_and(enforced))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::Recipient;

    #[test]
    fn tls_domains_cover_what_is_below_them_and_nothing_beside_them() {
        let to = |raw: &str| Recipient {
            raw: raw.into(),
            address: Address::parse(raw.as_bytes()).ok(),
            args: Vec::new(),
        };
        let envelope = Envelope {
            recipients: [
                "a@region.example",
                "a@mail.Region.example",
                "a@notregion.example",
                "<>",
                "a%x.example@region.example",
            ]
            .map(to)
            .to_vec(),
            ..Envelope::default()
        };
        assert_eq!(
            tls_enforced(&envelope, &["region.example".to_owned()]),
            [true, true, false, false, false]
        );
        assert_eq!(tls_enforced(&envelope, &[String::new()]), [false; 5]);
    }
}
