//! Limits on what one mail may cost, and the account of what it has cost so far.

use crate::types::DoubtKind;
use serde::{Deserialize, Serialize};
use std::time::{Duration, Instant};

/// Limits for one mail. Over one of them the rest is a doubt with its reason, never silence.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Bytes produced by decoding and unpacking, all parts together; declared sizes are not believed.
    pub produced_bytes: u64,
    /// Bytes out for each byte in, for one compressed entry (above 1 MiB of output).
    pub ratio: u64,
    /// Depth of nesting, MIME parts, archives and nested mails counted alike.
    pub depth: u32,
    /// Parts, archive entries counted.
    pub parts: u32,
    /// Header fields of one mail or part.
    pub headers: u32,
    /// Findings kept; more become a doubt.
    pub findings: u32,
    /// Seconds for one mail.
    pub seconds: u32,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            produced_bytes: 200 << 20,
            ratio: 200,
            depth: 32,
            parts: 10_000,
            headers: 2_000,
            findings: 100_000,
            seconds: 60,
        }
    }
}

/// Which limit was reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Spent {
    /// `produced_bytes` or `ratio`.
    #[error("it unpacks to more than the limit allows")]
    Bytes,
    /// `depth`.
    #[error("it is nested deeper than the limit allows")]
    Depth,
    /// `parts` or `headers`.
    #[error("it has more parts than the limit allows")]
    Parts,
    /// `seconds`.
    #[error("it took longer than the limit allows")]
    Time,
}

impl Spent {
    /// The doubt that this makes.
    pub fn doubt(self) -> DoubtKind {
        match self {
            Spent::Bytes | Spent::Parts => DoubtKind::TooLarge,
            Spent::Depth => DoubtKind::TooDeep,
            Spent::Time => DoubtKind::TooSlow,
        }
    }
}

/// What is left for one mail.
#[derive(Debug)]
pub struct Budget {
    limits: Limits,
    produced: u64,
    parts: u32,
    until: Instant,
}

impl Budget {
    /// A fresh account; the clock starts now.
    pub fn new(limits: Limits) -> Budget {
        let until = Instant::now() + Duration::from_secs(u64::from(limits.seconds));
        Budget {
            limits,
            produced: 0,
            parts: 0,
            until,
        }
    }

    /// The limits this account is held against.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Bytes that may still be produced: what a decoder may `take()`.
    pub fn bytes_left(&self) -> u64 {
        self.limits.produced_bytes - self.produced
    }

    /// Books bytes produced.
    ///
    /// # Errors
    /// [`Spent::Bytes`] over the limit, [`Spent::Time`] when time is up.
    pub fn produce(&mut self, bytes: u64) -> Result<(), Spent> {
        self.in_time()?;
        if bytes > self.bytes_left() {
            self.produced = self.limits.produced_bytes;
            return Err(Spent::Bytes);
        }
        self.produced += bytes;
        Ok(())
    }

    /// Books one part at `depth`.
    ///
    /// # Errors
    /// The limit that it is over.
    pub fn enter(&mut self, depth: u32) -> Result<(), Spent> {
        self.in_time()?;
        if depth > self.limits.depth {
            return Err(Spent::Depth);
        }
        if self.parts >= self.limits.parts {
            return Err(Spent::Parts);
        }
        self.parts += 1;
        Ok(())
    }

    /// Parts booked so far.
    pub fn parts(&self) -> u32 {
        self.parts
    }

    /// How long the inspection may still take.
    pub fn time_left(&self) -> Duration {
        self.until.saturating_duration_since(Instant::now())
    }

    /// # Errors
    /// [`Spent::Time`] when the time is up. Long loops ask now and then.
    pub fn in_time(&self) -> Result<(), Spent> {
        if Instant::now() < self.until {
            Ok(())
        } else {
            Err(Spent::Time)
        }
    }
}
