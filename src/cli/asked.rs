//! Who sends to whom in a mail that is explained: from options, which are exact, or from its headers, which are not.

use crate::cpr::mask;
use crate::message;
use crate::policy::{Given, Policy};
use crate::types::{Address, Envelope};

/// `--given ADDRESS=GROUP`: somebody of this mail, in a group of this policy.
pub(super) fn given(words: &[String], envelope: &Envelope, policy: &Policy) -> Result<Given, String> {
    let mut given = Given {
        sender: Vec::new(),
        recipients: vec![Vec::new(); envelope.recipients.len()],
    };
    for word in words {
        let shown = mask(word);
        let (whom, group) = word
            .rsplit_once('=')
            .ok_or_else(|| format!("--given: `{shown}` is not ADDRESS=GROUP, e.g. anna@avis.example=media"))?;
        let group = policy
            .group(group)
            .map_err(|help| format!("--given: the policy has no group `{}`; {help}", mask(group)))?;
        let key = Address::parse(whom.as_bytes()).map(|a| a.key()).ok();
        let is = |address: Option<&Address>| key.is_some() && address.map(Address::key) == key;
        let mut known = false;
        if is(envelope.sender.as_ref()) {
            given.sender.push(group);
            known = true;
        }
        for (groups, recipient) in given.recipients.iter_mut().zip(&envelope.recipients) {
            if is(recipient.address.as_ref()) {
                groups.push(group);
                known = true;
            }
        }
        if !known {
            return Err(format!(
                "--given: `{shown}` names neither the sender nor a recipient of this mail"
            ));
        }
    }
    Ok(given)
}
/// An outcome for somebody else than was meant would be worse than none. `<>` is the sender of notices and bounces.
pub(super) fn bare(option: &str, address: &str) -> Result<(), String> {
    let nobody = option == "--from" && matches!(address, "" | "<>");
    let inner = address
        .strip_prefix('<')
        .and_then(|a| a.strip_suffix('>'))
        .unwrap_or(address);
    let several = |c: char| c.is_whitespace() || matches!(c, '<' | '>' | ',' | ';');
    let known = Address::parse(inner.as_bytes()).is_ok_and(|a| !a.domain.is_empty() && !a.local.is_empty());
    if nobody || known && (inner.contains('"') || !inner.contains(several)) {
        return Ok(());
    }
    Err(format!(
        "{option}: `{}` is no mail address; write one, e.g. anna@kommune.example, and repeat {option} for more",
        mask(address)
    ))
}

/// Bare addresses of the named header fields, good enough for mails that people write; `--from` and `--to` are exact.
pub(super) fn addresses(mail: &[u8], names: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for field in message::headers(mail) {
        let name = String::from_utf8_lossy(mail.get(field.name_range).unwrap_or_default()).to_ascii_lowercase();
        if !names.contains(&name.trim()) {
            continue;
        }
        let value = String::from_utf8_lossy(mail.get(field.value_range).unwrap_or_default()).into_owned();
        for one in value.split(',') {
            let bare = one
                .rsplit_once('<')
                .map_or(one, |(_, rest)| rest.split('>').next().unwrap_or(rest))
                .trim();
            if bare.contains('@') {
                found.push(bare.to_owned());
            }
        }
    }
    found
}
