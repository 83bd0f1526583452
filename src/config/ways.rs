//! Which way mail to a recipient goes, as far as the administrator vouches for it.

use crate::types::{Address, Envelope};
use std::collections::BTreeMap;

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

/// For each recipient: the host to which Postfix hands mail there, wherever it may go, as the administrator has declared.
/// The longest domain that fits counts; of an address whose mail may end at several hosts nothing is known.
pub fn next_hops(envelope: &Envelope, hops: &BTreeMap<String, Vec<String>>) -> Vec<Option<String>> {
    let fits = |address: &Address, domain: &str| -> Option<usize> {
        let domain = idna::domain_to_ascii(domain.trim_start_matches('.')).ok()?;
        let before = address.domain.strip_suffix(domain.as_str())?;
        (!domain.is_empty() && (before.is_empty() || before.ends_with('.'))).then_some(domain.len())
    };
    let hop = |address: &Address| {
        let all = hops
            .iter()
            .flat_map(|(host, domains)| domains.iter().map(move |d| (host, d)));
        let longest = all
            .filter_map(|(host, domain)| Some((fits(address, domain)?, host)))
            .max();
        longest.map(|(_, host)| host.clone())
    };
    envelope
        .recipients
        .iter()
        .map(|r| {
            let routes = r.address.iter().flat_map(Address::routes);
            let mut hops = routes.map(|route| route.as_ref().and_then(hop));
            let first = hops.next()??;
            hops.all(|other| other.as_ref() == Some(&first)).then_some(first)
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

    #[test]
    fn the_longest_domain_that_fits_says_where_mail_is_handed_to() {
        let to = |raw: &str| Recipient {
            raw: raw.into(),
            address: Address::parse(raw.as_bytes()).ok(),
            args: Vec::new(),
        };
        let envelope = Envelope {
            recipients: [
                "a@digital.example",
                "a@x.digital.example",
                "a@post.example",
                "<>",
                "a%post.example@digital.example",
                "a%b.digital.example@digital.example",
            ]
            .map(to)
            .to_vec(),
            ..Envelope::default()
        };
        let hops = BTreeMap::from([
            ("one".to_owned(), vec!["digital.example".to_owned()]),
            ("two".to_owned(), vec!["X.digital.example".to_owned(), String::new()]),
        ]);
        let found = next_hops(&envelope, &hops);
        let found: Vec<Option<&str>> = found.iter().map(Option::as_deref).collect();
        assert_eq!(found, [Some("one"), Some("two"), None, None, None, Some("one")]);
    }
}
