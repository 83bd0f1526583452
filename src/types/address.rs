//! Mail addresses for comparing. What goes back to the MTA is always the raw form, kept beside it in the envelope.
//!
//! What cannot be read with certainty is no address: policies count it as outside, and no exception lifts anything for it.

use icu_normalizer::ComposingNormalizerBorrowed;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};

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
    /// Characters that mail programs read in different ways stand outside quotes.
    #[error("the part before the @ cannot be read with certainty")]
    Local,
}

/// Names that never carry an extension (Postfix `split_addr.c`).
const WITHOUT_EXTENSION: [&str; 3] = ["postmaster", "mailer-daemon", "double-bounce"];
/// How often a local part may lead on to another address before nobody can say where mail goes.
const HOPS: usize = 4;

impl Address {
    /// Reads `<local@domain>` with or without angle brackets, source routes dropped (RFC 5321 appendix C), splitting
    /// at the last `@` outside quotes. Bytes that are not UTF-8 are read as Latin-1.
    ///
    /// # Errors
    /// Whatever Postfix could deliver elsewhere than it seems: comments, a second `@` outside quotes, an open quote,
    /// control characters, a domain with other letters than names have.
    pub fn parse(raw: &[u8]) -> Result<Address, AddressError> {
        let text = match std::str::from_utf8(raw) {
            Ok(text) => text.to_owned(),
            Err(_) => raw.iter().map(|&b| b as char).collect(),
        };
        let text = text.trim();
        let text = text.strip_prefix('<').unwrap_or(text);
        let text = text.strip_suffix('>').unwrap_or(text);
        let text = without_route(text);
        if text.is_empty() {
            return Err(AddressError::Empty);
        }
        let (local, domain) = split(text)?;
        Ok(Address {
            local: unquote(local)?,
            domain: normal_domain(domain)?,
        })
    }

    /// The form to compare and look up: local part composed (NFC) and in lower case, `@`, domain.
    pub fn key(&self) -> String {
        let local = fold_local(&self.local);
        match self.domain.is_empty() {
            // `"anna@kommune.example"` without a domain is not anna@kommune.example.
            true if local.contains('@') => format!("\"{local}\""),
            true => local,
            false => format!("{local}@{}", self.domain),
        }
    }

    /// The address without its extension: `anna` for `anna+sag12`. `delimiters`: as Postfix's `recipient_delimiter`.
    pub fn without_extension(&self, delimiters: &str) -> Option<Address> {
        let folded = fold_local(&self.local);
        let (at, delimiter) = self.local.char_indices().find(|(_, c)| delimiters.contains(*c))?;
        let list = delimiter == '-' && (folded.starts_with("owner-") || folded.ends_with("-request"));
        if at == 0 || list || WITHOUT_EXTENSION.contains(&folded.as_str()) {
            return None;
        }
        Some(Address {
            local: self.local.get(..at)?.to_owned(),
            domain: self.domain.clone(),
        })
    }

    /// Every address where mail to this one may go, this one first. Postfix looks again into a local part that holds `@`,
    /// `!` or `%` when the domain is one of its own (`resolve_dequoted_address`, `swap_bangpath`, `allow_percent_hack`;
    /// trivial-rewrite's `resolve.c` and `rewrite.c`), and which domains are its own is not known here. `None`: a place
    /// that cannot be read.
    pub fn routes(&self) -> Vec<Option<Address>> {
        let mut routes = vec![Some(self.clone())];
        while let Some(Some(last)) = routes.last() {
            let Some((local, domain)) = last.leads_to() else {
                break;
            };
            let next = match normal_domain(domain) {
                Ok(domain) if !local.is_empty() && !domain.is_empty() && routes.len() < HOPS => Some(Address {
                    local: local.to_owned(),
                    domain,
                }),
                _ => None,
            };
            routes.push(next);
        }
        routes
    }

    /// Local part and domain of the address in this one's local part.
    fn leads_to(&self) -> Option<(&str, &str)> {
        let local = self.local.as_str();
        let bang = || local.split_once('!').map(|(site, user)| (user, site));
        local.rsplit_once('@').or_else(bang).or_else(|| local.rsplit_once('%'))
    }
}

/// A local part for comparing: composed, lower case letter by letter (how a capital sigma is written must not depend on
/// what follows it).
pub fn fold_local(local: &str) -> String {
    if local.is_ascii() {
        return local.to_ascii_lowercase();
    }
    let nfc = ComposingNormalizerBorrowed::new_nfc();
    let lower: String = nfc.normalize(local).chars().flat_map(char::to_lowercase).collect();
    nfc.normalize(&lower).into_owned()
}

/// Behind `@relay,@[IPv6:::1]:`, whose literals have colons of their own.
fn without_route(text: &str) -> &str {
    if !text.starts_with('@') {
        return text;
    }
    let mut literal = false;
    let end = text.char_indices().find(|&(_, c)| {
        literal = c == '[' || literal && c != ']';
        c == ':' && !literal
    });
    end.and_then(|(i, _)| text.get(i + 1..)).unwrap_or(text)
}

/// The domain as lower-case A-labels without the dot at its end; an address literal `[…]` in one spelling.
fn normal_domain(domain: &str) -> Result<String, AddressError> {
    if domain.starts_with('[') {
        return literal(domain);
    }
    let ascii = match domain.is_ascii() {
        true => domain.to_ascii_lowercase(),
        false => idna::domain_to_ascii(domain).map_err(|_| AddressError::Domain)?,
    };
    let name = ascii.strip_suffix('.').unwrap_or(&ascii);
    let letter = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    let label = |label: &str| !label.is_empty() && label.chars().all(letter);
    match domain.is_empty() || name.split('.').all(label) {
        true => Ok(name.to_owned()),
        false => Err(AddressError::Domain),
    }
}

/// RFC 5321 §4.1.3: `[192.0.2.1]`, `[IPv6:2001:db8::1]`, or another kind of network's with its tag.
fn literal(domain: &str) -> Result<String, AddressError> {
    let inner = domain.strip_prefix('[').and_then(|d| d.strip_suffix(']'));
    let inner = inner.ok_or(AddressError::Domain)?.to_ascii_lowercase();
    if let Ok(v4) = inner.parse::<Ipv4Addr>() {
        return Ok(format!("[{v4}]"));
    }
    if let Some(v6) = inner.strip_prefix("ipv6:") {
        let v6: Ipv6Addr = v6.parse().map_err(|_| AddressError::Domain)?;
        return Ok(format!("[ipv6:{v6}]"));
    }
    let plain = |c: char| c.is_ascii_graphic() && !matches!(c, '[' | ']' | '\\' | '@');
    match inner.contains(':') && inner.chars().all(plain) {
        true => Ok(format!("[{inner}]")),
        false => Err(AddressError::Domain),
    }
}

/// Local part as written, and domain.
fn split(text: &str) -> Result<(&str, &str), AddressError> {
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
    match at {
        _ if quoted => Err(AddressError::Local),
        Some(i) => Ok((&text[..i], &text[i + 1..])),
        None => Ok((text, "")),
    }
}

/// Without quotes and escapes. Also quotes around a part of it, which RFC 5321 forbids and Postfix reads.
fn unquote(local: &str) -> Result<String, AddressError> {
    let mut out = String::with_capacity(local.len());
    let (mut quoted, mut escaped) = (false, false);
    for c in local.chars() {
        let special =
            c.is_whitespace() || matches!(c, '(' | ')' | '<' | '>' | '[' | ']' | ':' | ';' | '@' | '\\' | ',');
        match c {
            _ if c.is_control() => return Err(AddressError::Local),
            _ if escaped => {
                out.push(c);
                escaped = false;
            }
            '"' => quoted = !quoted,
            '\\' if quoted => escaped = true,
            _ if special && !quoted => return Err(AddressError::Local),
            _ => out.push(c),
        }
    }
    match out.is_empty() {
        true => Err(AddressError::Local),
        false => Ok(out),
    }
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
