//! Child processes that inspect and redact, so that hostile content can kill nothing but one of them.
//!
//! A worker is this same program, started with the hidden argument `worker`, that answers requests on its standard input
//! one after the other. A stack overflow or an abort in a parser, which no `catch_unwind` stops, ends one worker and makes
//! a doubt for one mail. Nothing here knows what a policy is.

mod child;
mod pool;
mod protocol;

pub use child::serve;
pub use pool::{Pool, PoolConfig};

use crate::inspect::Readings;
use crate::types::Report;

/// Proof that this report comes from a finished inspection of the whole mail. Only [`Pool::inspect`] and
/// [`Pool::redact`] make one, and only a mail that has one may pass.
#[must_use]
#[derive(Debug)]
pub struct Inspected {
    report: Report,
    readings: Readings,
}

impl Inspected {
    /// What was found.
    pub fn report(&self) -> &Report {
        &self.report
    }
}

/// A redacted copy and the proof that it was inspected.
#[derive(Debug)]
pub struct Copy {
    /// The whole mail, CRLF lines.
    pub bytes: Vec<u8>,
    /// Its own inspection.
    pub inspected: Inspected,
}

/// Why there is no inspection.
#[derive(Debug, thiserror::Error)]
pub enum Uninspected {
    /// Workers died on this mail, twice: it is the mail. Quarantine for every recipient.
    #[error("the inspection of this mail broke off twice: {0}")]
    Crashed(String),
    /// The mail took too long in a worker. Quarantine for every recipient.
    #[error("the inspection of this mail took too long")]
    Late,
    /// No worker could be had (start failed, no slot before the deadline): 4xx.
    #[error("no inspection could be made now: {0}")]
    Unavailable(String),
}

/// Why there is no redacted copy.
#[derive(Debug, thiserror::Error)]
pub enum Unredacted {
    /// The mail cannot be cleaned. Quarantine.
    #[error("{0}")]
    NotClean(String),
    /// As for inspections.
    #[error(transparent)]
    Uninspected(#[from] Uninspected),
}
