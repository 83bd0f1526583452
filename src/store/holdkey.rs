//! Knowing a mail again: a client that got no answer, or a 4xx, sends the same mail once more, and must find the same hold.
//!
//! Not a fingerprint of content for anything else: it is keyed, and it leaves out what a retry changes.

use super::keys::{Keys, Purpose};
use crate::types::Envelope;

/// Idempotency key of a hold; made by [`Keys::hold_key`] alone.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct HoldKey {
    pub(super) hash: [u8; 32],
    pub(super) window: Window,
}

impl HoldKey {
    /// A number by chance that nobody outside can foresee, the same for each try of the same mail.
    pub fn draw(&self) -> u64 {
        let first = self.hash.first_chunk::<8>().copied();
        u64::from_be_bytes(first.unwrap_or_default())
    }
}

/// Which earlier holds a mail with the same key is a retry of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Window {
    /// The client made the Message-ID: any hold of the last five days, which is how long clients retry (RFC 5321 §4.5.4.1),
    /// for the recipients of whom nobody has said no since.
    Long,
    /// Postfix made it, or there is none: two equal mails may be two mails, so undecided holds of the last half hour only.
    Short,
}

impl Window {
    /// Seconds to look back.
    pub fn seconds(self) -> i64 {
        match self {
            Window::Long => 5 * 24 * 3600,
            Window::Short => 30 * 60,
        }
    }
}

impl Keys {
    /// Same for a retry of the same mail: HMAC over sender, sorted raw recipients and content, without what Postfix adds at
    /// each try where the client left it out (`cleanup_message.c`): a Message-ID made from time and queue ID, and the Date.
    ///
    /// A Date says nothing beside a Message-ID, whoever made it, and is left out; without one it tells two mails apart.
    pub fn hold_key(&self, envelope: &Envelope, mail: &[u8]) -> HoldKey {
        let (headers, rest) = mail.split_at(header_end(mail));
        let fields = fields(headers);
        let is_id = |field: &[u8]| is_named(field, b"message-id") || is_named(field, b"resent-message-id");
        let is_date = |field: &[u8]| is_named(field, b"date") || is_named(field, b"resent-date");
        let queue_id = envelope
            .queue_id
            .as_deref()
            .filter(|id| id.len() >= 6)
            .map(str::as_bytes);
        let postfix_made = |id: &[u8]| queue_id.is_some_and(|queue| contains(id, queue));
        let ids: Vec<&[u8]> = fields.iter().copied().filter(|field| is_id(field)).collect();
        let left_out = |field: &[u8]| (is_id(field) && postfix_made(field)) || (is_date(field) && !ids.is_empty());

        let mut recipients: Vec<&[u8]> = envelope.recipients.iter().map(|r| r.raw.as_slice()).collect();
        recipients.sort_unstable();
        let content: Vec<u8> = fields
            .iter()
            .filter(|field| !left_out(field))
            .flat_map(|field| field.iter())
            .copied()
            .collect();
        let count = recipients.len().to_be_bytes();
        let mut parts: Vec<&[u8]> = vec![&envelope.sender_raw, &count];
        parts.extend(recipients);
        parts.extend([content.as_slice(), rest]);
        HoldKey {
            hash: self.mac(Purpose::Hold, &parts),
            window: if ids.is_empty() || ids.iter().any(|id| postfix_made(id)) {
                Window::Short
            } else {
                Window::Long
            },
        }
    }
}

/// Where the empty line begins; the whole mail when there is none.
fn header_end(mail: &[u8]) -> usize {
    let mut at = 0;
    for line in mail.split_inclusive(|&b| b == b'\n') {
        if matches!(line, b"\n" | b"\r\n") {
            break;
        }
        at += line.len();
    }
    at
}

/// Header fields with their continuation lines.
fn fields(headers: &[u8]) -> Vec<&[u8]> {
    let mut fields = Vec::new();
    let mut start = 0;
    let mut at = 0;
    for line in headers.split_inclusive(|&b| b == b'\n') {
        if at > start && !matches!(line.first(), Some(b' ' | b'\t')) {
            fields.push(&headers[start..at]);
            start = at;
        }
        at += line.len();
    }
    if at > start {
        fields.push(&headers[start..at]);
    }
    fields
}

fn is_named(field: &[u8], name: &[u8]) -> bool {
    let colon = field.iter().position(|&b| b == b':');
    colon.is_some_and(|colon| field[..colon].trim_ascii_end().eq_ignore_ascii_case(name))
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    memchr::memmem::find(haystack, needle).is_some()
}
