//! What the courier is handed and what it hands back: the words of the outbox.

use super::incident::IncidentId;
use crate::types::{Envelope, NoticeFacts};
use time::OffsetDateTime;

/// Something to send, claimed for a time by one courier.
#[derive(Clone, Debug)]
pub struct Job {
    /// Which mail.
    pub incident: IncidentId,
    /// What to send.
    pub kind: JobKind,
    /// Of a delivery: through the gateway of this name, and by no other way.
    pub gateway: Option<String>,
    /// Tries before this one.
    pub attempts: u32,
    /// When it became due first: the age that decides when to give up.
    pub created: OffsetDateTime,
    /// A try before this one ended without an answer (a killed courier, a connection lost after the final dot): it may have
    /// been delivered. Send it with the same Message-ID.
    pub uncertain: bool,
    pub(super) entry: i64,
    pub(super) token: i64,
}

/// What to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JobKind {
    /// The mail itself to one recipient, one SMTP transaction, envelope sender as it came.
    Delivery {
        /// Index into the envelope's recipients.
        recipient: usize,
        /// Which body.
        content: Content,
    },
    /// Notice to the sender, from `<>`.
    Notice,
    /// The same to another one whom the rule wants told: index into the facts' `tell`.
    Copy {
        /// Whom.
        to: usize,
    },
    /// DSN to the sender about one recipient, from `<>`; of a release only its words.
    Dsn {
        /// Index into the envelope's recipients.
        recipient: usize,
        /// Why it failed.
        cause: DsnCause,
    },
}

/// Which body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content {
    /// As it came.
    Original,
    /// Redacted copy number n, from 0.
    Copy(usize),
}

/// Why the sender is told about one recipient: mostly that it gets nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DsnCause {
    /// A rule said `reject` (5.7.1).
    Rule,
    /// A reviewer refused it (5.7.1).
    Reviewer,
    /// It gets it after all, as it came: no failure, and told all the same.
    Released,
    /// It gets a copy without numbers after all.
    ReleasedRedacted,
    /// Nobody decided in time (5.4.7).
    Expired,
    /// The next hop refused it for good; its words are in [`Opened::reply`].
    NextHop,
}

/// What became of one try. Replies are masked by the store before they are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The MTA answered 250 to the final dot.
    Sent {
        /// Its reply.
        reply: String,
        /// Its queue ID, if the reply named one.
        queue_id: Option<String>,
    },
    /// A temporary failure: try again.
    Retry {
        /// The reply, or the failure in words.
        reply: String,
        /// Not before.
        at: OffsetDateTime,
    },
    /// A permanent failure, or given up. A delivery gets a DSN.
    Failed {
        /// The reply, or the failure in words.
        reply: String,
    },
    /// The connection was lost after the final dot: nobody knows. Tried again.
    Unknown {
        /// The failure in words.
        reply: String,
        /// Not before.
        at: OffsetDateTime,
    },
    /// Nothing had to be sent (a notice over the hourly limit, a sender who is outside). Not for deliveries.
    NotNeeded {
        /// Why, in our own words.
        why: &'static str,
    },
}

/// What a job needs to be sent. Needs the private key.
pub struct Opened {
    /// The envelope as it came.
    pub envelope: Envelope,
    /// What was found.
    pub facts: NoticeFacts,
    /// The mail, CRLF lines; for deliveries only.
    pub mail: Option<Vec<u8>>,
    /// When the content goes if nobody decides; `None` when we hold nothing of this mail.
    pub expires: Option<OffsetDateTime>,
    /// For [`DsnCause::NextHop`]: the masked reply of the next hop.
    pub reply: Option<String>,
}

/// Whether one more notice may go to a sender.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// Yes.
    Send,
    /// The limit is reached with this one: send the summary ("more were held; see…") in its place.
    Summary,
    /// No.
    Quiet,
}
