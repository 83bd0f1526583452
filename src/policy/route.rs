//! The third part of a condition: on which way the copy goes, and whose number it is. All of it is told by others (the
//! administrator, the gateway's own list), and what nobody has told counts as no.

use super::fields::Fields;
use super::problem::Problems;
use super::words::{DELIVERIES, NUMBERS};

/// Every part that is left out holds for every way.
#[derive(Debug, Default)]
pub(super) struct Route {
    /// Only over TLS that the administrator vouches for.
    pub tls_enforced: bool,
    /// Only the recipient's own number.
    pub own_number: bool,
    /// Only to one of these hosts, in small letters; empty when not asked.
    pub next_hop: Vec<String>,
}

impl Route {
    pub fn read(fields: &Fields<'_>, problems: &mut Problems) -> Route {
        Route {
            tls_enforced: fields.one_of("delivery", DELIVERIES, problems).is_some(),
            own_number: fields.one_of("number", NUMBERS, problems).is_some(),
            next_hop: fields
                .words("next_hop", problems)
                .into_iter()
                .map(|word| word.text.to_lowercase())
                .collect(),
        }
    }

    /// The copy goes such a way.
    pub fn fits(&self, tls: bool, hop: Option<&str>) -> bool {
        let there = |hop: &str| self.next_hop.iter().any(|wanted| *wanted == hop.to_lowercase());
        (tls || !self.tls_enforced) && (self.next_hop.is_empty() || hop.is_some_and(there))
    }
}
