//! Report -> what a policy judges: different identifiers with all their places, and the kinds of doubt. The numbers'
//! characters go in to tell them apart, and do not come out.

use super::{Number, Sighting};
use crate::cpr::{IdKind, Secret};
use crate::types::{DoubtKind, Report};
use std::collections::{BTreeMap, BTreeSet};

/// Asks of one number whether it belongs to a protected person.
pub type IsProtected<'a> = &'a dyn Fn(&IdKind, &Secret) -> bool;
/// Asks to which recipients (by index) one number belongs.
pub type BelongsTo<'a> = &'a dyn Fn(&IdKind, &Secret) -> Vec<usize>;

/// The numbers and doubts of one mail, ready for [`super::Facts`].
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// One entry a different identifier, in the order of first sighting.
    pub numbers: Vec<Number>,
    /// Each kind once.
    pub doubts: Vec<DoubtKind>,
    /// For each of the report's findings: its index into `numbers`. Redaction finds its places by it.
    pub number_of_finding: Vec<usize>,
}

/// Gathers a report by (kind, number): one person is one person, however often and however written.
pub fn facts_from(report: &Report, is_protected: IsProtected<'_>, belongs_to: BelongsTo<'_>) -> Seen {
    let mut seen = Seen::default();
    let mut index: BTreeMap<(&IdKind, &Secret), usize> = BTreeMap::new();
    for finding in &report.findings {
        let key = (&finding.kind, &finding.number);
        let next = seen.numbers.len();
        let at = *index.entry(key).or_insert(next);
        if at == next {
            seen.numbers.push(Number {
                kind: finding.kind.clone(),
                protected: is_protected(&finding.kind, &finding.number),
                belongs_to: belongs_to(&finding.kind, &finding.number),
                sightings: Vec::new(),
            });
        }
        seen.number_of_finding.push(at);
        if let Some(number) = seen.numbers.get_mut(at) {
            number.sightings.push(Sighting {
                confidence: finding.confidence,
                class: finding.place.class(),
                hidden: finding.hidden,
                fake_redaction: finding.fake_redaction,
            });
        }
    }
    let doubts: BTreeSet<DoubtKind> = report.doubts.iter().map(|d| d.kind).collect();
    seen.doubts = doubts.into_iter().collect();
    seen
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cpr::Confidence;
    use crate::types::{Doubt, Finding, Location, PartPath, Place};

    fn place() -> Place {
        Place {
            part: PartPath::default(),
            name: None,
            media_type: "text/plain".to_owned(),
            attachment: false,
            location: Location::Text,
        }
    }

    fn finding(kind: IdKind, number: &str) -> Finding {
        Finding {
            kind,
            number: Secret::new(number.to_owned()),
            confidence: Confidence::Likely,
            place: place(),
            span: 0..10,
            hidden: false,
            fake_redaction: false,
            why: Vec::new(),
        }
    }

    #[test]
    fn one_person_is_one_number_with_all_places() {
        let sag = IdKind::Custom("sag".to_owned());
        let doubt = Doubt {
            kind: DoubtKind::Unread,
            place: place(),
            reason: String::new(),
        };
        let report = Report {
            findings: vec![
                finding(IdKind::Cpr, "a"),
                finding(sag.clone(), "a"),
                finding(IdKind::Cpr, "a"),
                finding(IdKind::Cpr, "b"),
            ],
            doubts: vec![doubt.clone(), doubt],
            ..Report::default()
        };
        let seen = facts_from(&report, &|_, n| n.reveal() == "b", &|kind, _| {
            if *kind == sag { vec![1] } else { vec![] }
        });
        assert_eq!(seen.number_of_finding, [0, 1, 0, 2]);
        assert_eq!(seen.numbers[0].sightings.len(), 2);
        assert_eq!(
            seen.numbers.iter().map(|n| n.protected).collect::<Vec<_>>(),
            [false, false, true]
        );
        assert_eq!(seen.numbers[1].belongs_to, [1]);
        assert_eq!(seen.doubts, [DoubtKind::Unread]);
    }
}
