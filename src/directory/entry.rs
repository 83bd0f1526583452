//! What one entry of the directory says: addresses, further members, and whether it says all. No network here.

use crate::types::Address;
use std::collections::HashMap;

/// The values of one attribute that came, and from where on there are more.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Values {
    pub values: Vec<String>,
    /// The next `ATTRIBUTE;range=N-*` to ask for (Active Directory answers with 1,500 members at a time, \[MS-ADTS\]
    /// §3.1.1.3.1.3.3).
    pub more: Option<String>,
}

/// The values of `name` among the attributes of an entry; names are compared without case (RFC 4512 §2.5).
pub(super) fn values(attributes: &HashMap<String, Vec<String>>, name: &str) -> Result<Values, String> {
    let mut out = Values::default();
    for (attribute, values) in attributes {
        let (base, option) = attribute.split_once(';').unwrap_or((attribute, ""));
        if !base.eq_ignore_ascii_case(name) {
            continue;
        }
        out.values.extend(values.iter().cloned());
        let lower = option.to_ascii_lowercase();
        if let Some((_, last)) = lower.strip_prefix("range=").and_then(|range| range.split_once('-')) {
            let last = last.trim();
            if last != "*" {
                let last: usize = last.parse().map_err(|_| "the range of an attribute is no number")?;
                out.more = Some(format!("{name};range={}-*", last + 1));
            }
        }
    }
    Ok(out)
}

/// The key of an address as directories write it: `anna@kommune.example`, or with its kind in front as in
/// `proxyAddresses` (`SMTP:anna@kommune.example`). `None`: of another kind (`X400:`, `sip:`), or no address.
pub(super) fn address(value: &str) -> Option<String> {
    let value = value.trim();
    let kind = value
        .split_once(':')
        .filter(|(kind, _)| !kind.contains(['@', '[', '"']));
    let bare = match kind {
        Some((kind, rest)) if kind.eq_ignore_ascii_case("smtp") => rest,
        Some(_) => return None,
        None => value,
    };
    let address = Address::parse(bare.as_bytes()).ok()?;
    (!address.domain.is_empty()).then(|| address.key())
}

/// A distinguished name without the optional bit string behind it (`uniqueMember`, RFC 4517 §3.3.21).
pub(super) fn name_of_member(value: &str) -> &str {
    match value.rsplit_once('#') {
        Some((name, bits)) if bits.starts_with('\'') && bits.ends_with("'B") => name,
        _ => value,
    }
}

/// It looks like a distinguished name rather than a plain one: `cn=Team,ou=…`.
pub(super) fn is_distinguished(name: &str) -> bool {
    let attribute = name.split_once('=').map_or("", |(attribute, _)| attribute.trim());
    !attribute.is_empty()
        && name.contains(',')
        && attribute
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_beyond_the_first_range_are_asked_for() {
        let attributes = |name: &str| HashMap::from([(name.to_owned(), vec!["cn=a".to_owned()])]);
        let more = |name: &str| values(&attributes(name), "member").expect("sound").more;
        assert_eq!(more("member;range=0-1499").as_deref(), Some("member;range=1500-*"));
        assert_eq!(more("Member;Range=1500-*"), None);
        assert_eq!(more("member"), None);
        assert!(values(&attributes("member;range=0-x"), "member").is_err());
        assert!(
            values(&attributes("memberOf"), "member")
                .expect("sound")
                .values
                .is_empty()
        );
        assert_eq!(values(&attributes("MEMBER"), "member").expect("sound").values, ["cn=a"]);
    }

    #[test]
    fn addresses_are_read_as_directories_write_them() {
        for (value, key) in [
            ("Anna@Kommune.Example", Some("anna@kommune.example")),
            ("SMTP:anna@kommune.example", Some("anna@kommune.example")),
            ("smtp:a@rødovre.example", Some("a@xn--rdovre-bya.example")),
            ("X400:c=DK;a= ;p=Kommune", None),
            ("sip:anna@kommune.example", None),
            ("anna", None),
            ("", None),
            ("vagt@[IPv6:2001:db8::1]", Some("vagt@[ipv6:2001:db8::1]")),
            ("\"a:b\"@x.example", Some("a:b@x.example")),
        ] {
            assert_eq!(address(value).as_deref(), key, "{value}");
        }
    }

    #[test]
    fn names_are_told_from_distinguished_names() {
        assert!(is_distinguished("cn=Team,ou=groups,dc=kommune,dc=example"));
        assert!(!is_distinguished("Aktindsigt-team"));
        assert!(!is_distinguished("a=b"));
        assert_eq!(name_of_member("cn=a,dc=x#'0101'B"), "cn=a,dc=x");
        assert_eq!(name_of_member("cn=a#1,dc=x"), "cn=a#1,dc=x");
    }
}
