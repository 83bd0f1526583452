//! The SMTP envelope: from the dialogue only, never from headers.

use super::Address;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::net::IpAddr;

/// Sender, recipients and what the MTA told us of the session.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Envelope {
    /// MAIL FROM as given, angle brackets included when they were (`<>` for the null sender).
    pub sender_raw: Vec<u8>,
    /// `None` for the null sender.
    pub sender: Option<Address>,
    /// ESMTP arguments of MAIL (`SIZE=…`, `BODY=8BITMIME`, `SMTPUTF8`, `RET=…`, `ENVID=…`).
    pub sender_args: Vec<String>,
    /// In the order of the RCPT commands, repeats kept.
    pub recipients: Vec<Recipient>,
    /// Who connected.
    pub client: Client,
    /// SASL login name, macro `{auth_authen}`.
    pub login: Option<String>,
    /// Postfix queue ID, macro `i`; known from DATA on.
    pub queue_id: Option<String>,
}

/// One recipient.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recipient {
    /// RCPT TO byte for byte: Postfix compares with `strcmp` when a recipient is removed (`cleanup_milter.c`).
    pub raw: Vec<u8>,
    /// For judging; `None` when it cannot be read as an address, which counts as outside.
    pub address: Option<Address>,
    /// ESMTP arguments of RCPT (`NOTIFY=…`, `ORCPT=…`).
    pub args: Vec<String>,
}

/// The connecting client.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Client {
    /// Name as Postfix resolved it, `localhost` for local submission.
    pub name: String,
    /// `None` for UNIX sockets and local submission.
    pub address: Option<IpAddr>,
    /// Postfix service name, macro `{daemon_name}`.
    pub daemon: Option<String>,
}

/// What the sender asked to be told of one recipient (RFC 3461).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Notify {
    /// A failure may be reported.
    pub failure: bool,
    /// A delay may be reported.
    pub delay: bool,
}

impl Envelope {
    /// The null sender, as of a bounce; another sender that is `None` could not be read.
    pub fn is_from_null(&self) -> bool {
        matches!(self.sender_raw.trim_ascii(), b"" | b"<>")
    }

    /// SMTPUTF8 was requested (RFC 6531).
    pub fn smtputf8(&self) -> bool {
        self.sender_args.iter().any(|arg| arg.eq_ignore_ascii_case("SMTPUTF8"))
    }
}

impl Recipient {
    /// `NOTIFY=` of this recipient; without it failures and delays are reported (RFC 3461 §5.1).
    pub fn notify(&self) -> Notify {
        let value = self.args.iter().find_map(|arg| {
            let (name, value) = arg.split_once('=')?;
            name.eq_ignore_ascii_case("NOTIFY").then(|| value.to_ascii_uppercase())
        });
        match value {
            None => Notify {
                failure: true,
                delay: true,
            },
            Some(value) => Notify {
                failure: value.split(',').any(|v| v == "FAILURE"),
                delay: value.split(',').any(|v| v == "DELAY"),
            },
        }
    }
}

/// Local parts, logins and ESMTP arguments may be numbers of people.
impl fmt::Debug for Envelope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Envelope")
            .field("sender", &self.sender)
            .field("recipients", &self.recipients)
            .field("queue_id", &self.queue_id)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Recipient({:?})", self.address)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_no_local_part_login_or_argument() {
        let number = crate::cpr::made_up::number(3);
        let raw = format!("<{number}@kommune.example>").into_bytes();
        let envelope = Envelope {
            sender: Address::parse(&raw).ok(),
            sender_args: vec![format!("ENVID={number}")],
            login: Some(number.clone()),
            recipients: vec![Recipient {
                address: Address::parse(&raw).ok(),
                raw: raw.clone(),
                args: vec![format!("ORCPT=rfc822;{number}@kommune.example")],
            }],
            sender_raw: raw,
            ..Envelope::default()
        };
        assert!(!format!("{envelope:?}").contains(&number));
    }
}
