//! What goes over the pipe between the daemon and a worker: a frame is two lengths, a postcard head and raw bytes. Mail
//! bytes travel raw, so that a large mail is not copied into a serialiser. The daemon does not trust a worker: lengths are
//! bounded before anything is allocated.

use crate::inspect::{Examination, Options, PartLine, Readings};
use crate::redact::{NotClean, Targets};
use crate::types::{PartPath, Report};
use serde::{Deserialize, Serialize};
use std::io;

/// Heads hold options or a report; a report is bounded by `Limits::findings`.
pub(super) const MAX_HEAD: u64 = 64 << 20;
/// Bodies hold one mail.
pub(super) const MAX_BODY: u64 = 1 << 30;

/// What is asked of a worker; the mail is the frame's body.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Request {
    /// Inspect the body.
    Inspect(Options),
    /// Redact the body, which was inspected.
    Redact(Options, Targets, Readings),
    /// Inspect the body, with a closer look.
    Examine(Options),
    /// Take one part out of the body.
    Part(Options, PartPath),
}

/// What a worker answers.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Response {
    /// The report, and what a redaction need not read again; no body.
    Inspected(Report, Readings),
    /// The report of the copy; the body is the copy.
    Redacted(Report),
    /// The closer look; no body.
    Examined(Examination),
    /// What the part is; the body is the part.
    Part(PartLine),
    /// No clean copy.
    NotClean(NotClean),
    /// The request makes no sense (a custom identifier that does not compile).
    Refused(String),
}

/// Lengths of head and body, little end first.
pub(super) fn prefix(head: usize, body: usize) -> [u8; 16] {
    let mut prefix = [0; 16];
    prefix[..8].copy_from_slice(&(head as u64).to_le_bytes());
    prefix[8..].copy_from_slice(&(body as u64).to_le_bytes());
    prefix
}

/// The lengths in a prefix.
///
/// # Errors
/// `InvalidData` over a bound.
pub(super) fn lengths(prefix: [u8; 16]) -> io::Result<(usize, usize)> {
    let (head, body) = prefix.split_at(8);
    let number = |bytes: &[u8]| bytes.iter().rev().fold(0u64, |n, &byte| n << 8 | u64::from(byte));
    let (head, body) = (number(head), number(body));
    if head > MAX_HEAD || body > MAX_BODY {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "frame over its bound"));
    }
    Ok((head as usize, body as usize))
}

/// Postcard bytes of a head.
pub(super) fn pack<T: Serialize>(head: &T) -> io::Result<Vec<u8>> {
    postcard::to_stdvec(head).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
}

/// A head from its bytes.
pub(super) fn unpack<T: for<'de> Deserialize<'de>>(bytes: &[u8]) -> io::Result<T> {
    postcard::from_bytes(bytes).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
}
