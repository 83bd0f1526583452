//! Mail addresses for comparing. What goes back to the MTA is always the raw form, kept beside it in the envelope.

use serde::{Deserialize, Serialize};
use std::fmt;

/// An address split and normalised: local part as written (unquoted), domain as lower-case A-labels.
///
/// Comparing local parts is case-sensitive by RFC 5321, but no real system does so, and a list entry that misses
/// because of a capital would be a leak: [`Address::key`] folds case.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Address {
    /// Without quotes and escapes, case kept.
    pub local: String,
    /// Lower-case A-labels; empty for a bare local name such as `postmaster`.
    pub domain: String,
}

/// Why a text is no address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// Nothing between the angle brackets: the null sender.
    #[error("the address is empty")]
    Empty,
    /// The domain cannot be written as A-labels.
    #[error("the domain is not a valid name")]
    Domain,
}

impl Address {
    /// Reads `<local@domain>` with or without angle brackets, source routes dropped (RFC 5321 appendix C), splitting
    /// at the last `@` outside quotes. Bytes that are not UTF-8 are read as Latin-1, so that nothing is unreadable.
    pub fn parse(raw: &[u8]) -> Result<Address, AddressError> {
        let text = match std::str::from_utf8(raw) {
            Ok(text) => text.to_owned(),
            Err(_) => raw.iter().map(|&b| b as char).collect(),
        };
        let text = text.trim();
        let text = text.strip_prefix('<').unwrap_or(text);
        let text = text.strip_suffix('>').unwrap_or(text);
        let text = match text.strip_prefix('@') {
            Some(route) => route.split_once(':').map_or(text, |(_, rest)| rest),
            None => text,
        };
        if text.is_empty() {
            return Err(AddressError::Empty);
        }
        let (local, domain) = split(text);
        Ok(Address {
            local: unquote(local),
            domain: normal_domain(domain)?,
        })
    }

    /// The form to compare and look up: local part in lower case, `@`, domain.
    pub fn key(&self) -> String {
        if self.domain.is_empty() {
            self.local.to_lowercase()
        } else {
            format!("{}@{}", self.local.to_lowercase(), self.domain)
        }
    }
}

/// The domain as lower-case A-labels; an address literal `[…]` stays as it is, in lower case.
fn normal_domain(domain: &str) -> Result<String, AddressError> {
    let domain = domain.trim_end_matches('.');
    if domain.is_empty() || domain.starts_with('[') || domain.is_ascii() {
        return Ok(domain.to_ascii_lowercase());
    }
    idna::domain_to_ascii(domain).map_err(|_| AddressError::Domain)
}

fn split(text: &str) -> (&str, &str) {
    let mut quoted = false;
    let mut escaped = false;
    let mut at = None;
    for (i, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            '@' if !quoted => at = Some(i),
            _ => {}
        }
    }
    // An unclosed quote hides every `@` behind it; the last one is then the best reading there is.
    let at = if quoted { text.rfind('@') } else { at };
    match at {
        Some(i) => (&text[..i], &text[i + 1..]),
        None => (text, ""),
    }
}

fn unquote(local: &str) -> String {
    let Some(inner) = local.strip_prefix('"').and_then(|s| s.strip_suffix('"')) else {
        return local.to_owned();
    };
    let mut out = String::with_capacity(inner.len());
    let mut escaped = false;
    for c in inner.chars() {
        if c == '\\' && !escaped {
            escaped = true;
        } else {
            out.push(c);
            escaped = false;
        }
    }
    out
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.domain.is_empty() {
            f.write_str(&self.local)
        } else {
            write!(f, "{}@{}", self.local, self.domain)
        }
    }
}

/// Staff put CPR numbers into addresses (Digital Post gateways take them), so `Debug` shows the domain alone.
impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Address(…@{})", self.domain)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(raw: &str) -> String {
        Address::parse(raw.as_bytes()).expect(raw).key()
    }

    #[test]
    fn brackets_case_quotes_routes_and_idn_are_folded() {
        assert_eq!(key("<Anna@Kommune.EXAMPLE>"), "anna@kommune.example");
        assert_eq!(key("\"Anna B\"@kommune.example."), "anna b@kommune.example");
        assert_eq!(key("<@relay.example:anna@kommune.example>"), "anna@kommune.example");
        assert_eq!(key("\"odd@name\"@x.example"), "odd@name@x.example");
        assert_eq!(key("søren@rødovre.example"), "søren@xn--rdovre-bya.example");
        assert_eq!(key("postmaster"), "postmaster");
    }

    #[test]
    fn the_null_sender_is_no_address() {
        assert_eq!(Address::parse(b"<>"), Err(AddressError::Empty));
    }

    #[test]
    fn debug_never_shows_the_local_part() {
        let address = Address::parse(b"0101901234@digitalpost.example").expect("address");
        assert!(!format!("{address:?}").contains("0101901234"));
    }
}
