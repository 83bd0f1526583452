//! What a session needs from the rest of the house, as one trait: tests drive the whole protocol with a world of their
//! own, and the session cannot reach for more than this.

use super::fields::{Field, Mail};
use super::tries::Try;
use crate::config;
use crate::policy::{Answers, Facts, Number, Voice};
use crate::redact::Targets;
use crate::store::{Incident, IncidentId, Judged, Owned, State};
use crate::types::{Decision, DoubtKind, Envelope, Report};
use crate::worker::{Uninspected, Unredacted};
use std::collections::BTreeMap;
use std::future::Future;
use std::hash::Hash;
use std::sync::Arc;
use std::time::Instant;
use time::OffsetDateTime;

/// One snapshot of everything that judges a message: configuration, policy, workers, store. Taken at MAIL, kept to the
/// end of that message, so that a reload never changes the rules in the middle of a mail.
pub trait World: Send + Sync + 'static {
    /// Receipt of an inspection; passing a mail takes one.
    type Seen: Send + Sync + 'static;
    /// Receipt of custody; removing a recipient or discarding a mail takes one.
    type Held: Send + Sync + 'static;

    /// What every try of one mail is known by.
    type Key: Clone + Eq + Hash + Send + Sync + 'static;

    /// Limits of the session.
    fn milter(&self) -> &config::Milter;
    /// Domains (with all below them) to which TLS is enforced.
    fn tls_enforced(&self) -> &[String];
    /// Hosts to which Postfix hands mail for these domains.
    fn next_hops(&self) -> &BTreeMap<String, Vec<String>>;
    /// Days that held content is kept.
    fn content_days(&self) -> u32;
    /// Name, owner and hash of the policy.
    fn policy(&self) -> PolicyWords<'_>;
    /// One decision per recipient, in their order.
    fn decide(&self, facts: &Facts<'_>) -> Vec<Decision>;
    /// Who is told of this outcome, and in which words.
    fn voice(&self, decision: &Decision) -> Voice;
    /// The decision, or that this copy is held as one of a sample. `draw` is asked only when a sample is taken of such.
    fn spot_checked(&self, decision: Decision, draw: u64) -> Decision;
    /// A sample is taken of such copies.
    fn may_spot_check(&self, decision: &Decision) -> bool;
    /// A number by chance, the same for each try of the same mail.
    fn draw(&self, key: &Self::Key) -> u64;
    /// The sender may get a notice about this mail.
    fn may_notify(&self, envelope: &Envelope, header: &[Field]) -> bool;
    /// What an inspection found.
    fn report<'a>(&self, seen: &'a Self::Seen) -> &'a Report;

    /// Inspects the whole mail.
    fn inspect(&self, mail: Arc<Mail>, until: Instant) -> impl Future<Output = Result<Self::Seen, Uninspected>> + Send;
    /// Makes a copy without `targets` of a mail that was `seen`, and inspects it.
    fn redact(
        &self,
        mail: Arc<Mail>,
        seen: &Self::Seen,
        targets: Targets,
        until: Instant,
    ) -> impl Future<Output = Result<Copied<Self::Seen>, Unredacted>> + Send;
    /// For each number: it belongs to a protected person.
    fn protected(&self, numbers: Vec<crate::cpr::Secret>) -> impl Future<Output = Result<Vec<bool>, Trouble>> + Send;
    /// Who is in the groups that the policy's files do not list, for as much as this mail's decision needs.
    fn given(
        &self,
        envelope: &Envelope,
        numbers: &[Number],
        doubts: &[DoubtKind],
        until: Instant,
    ) -> impl Future<Output = Result<Answers, Trouble>> + Send;
    /// For each number: the recipients (by index) whose own it is known to be.
    fn owners(
        &self,
        numbers: Vec<crate::cpr::Secret>,
        envelope: &Envelope,
    ) -> impl Future<Output = Result<Vec<Vec<usize>>, Trouble>> + Send;
    /// The key of this mail. Reads all of it.
    fn key(&self, envelope: &Envelope, mail: &Mail) -> Self::Key;
    /// For each recipient: where it stands, if an earlier try of this mail made it ours.
    fn earlier(
        &self,
        key: Self::Key,
        envelope: &Envelope,
        received: OffsetDateTime,
    ) -> impl Future<Output = Result<Vec<Option<State>>, Trouble>> + Send;
    /// Takes custody, durably. `tried` must be kept while something can still be written.
    fn hold(
        &self,
        incident: Incident,
        takeover: Takeover,
        tried: Try<Self::Key>,
    ) -> impl Future<Output = Result<(Self::Held, IncidentId), Trouble>> + Send;
    /// Writes down, some time later, what a mail was judged from that passes without a word. Must not wait: losing it loses
    /// no mail.
    fn note(&self, judged: Judged);
    /// Records an incident of which we own nothing.
    fn record(&self, incident: Incident) -> impl Future<Output = Result<IncidentId, Trouble>> + Send;
}

/// The policy in words, for records and notices.
#[derive(Clone, Copy, Debug)]
pub struct PolicyWords<'a> {
    /// `name:`.
    pub name: &'a str,
    /// `owner:`.
    pub owner: &'a str,
    /// Which version.
    pub hash: &'a str,
}

/// A redacted copy and the receipt of its own inspection.
pub struct Copied<S> {
    /// The whole mail, CRLF lines.
    pub bytes: Vec<u8>,
    /// Its inspection.
    pub seen: S,
}

/// What we take over of one mail.
pub struct Takeover {
    /// The mail as it came.
    pub original: Arc<Mail>,
    /// Redacted versions, CRLF lines.
    pub copies: Vec<Vec<u8>>,
    /// Recipients that become ours.
    pub owned: Vec<Owned>,
    /// When the content goes if nobody decides.
    pub expires: OffsetDateTime,
}

/// Why a message gets a 4xx: nothing was taken over, the client has it still. The words are for the log; none of them
/// comes from the mail.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    /// Over the budget of bytes.
    #[error("too many bytes of mail in hand; raise milter.spool_total or lower the number of clients")]
    Busy,
    /// We are stopping.
    #[error("the service is stopping")]
    Stopping,
    /// The temporary file failed.
    #[error("the spool file failed: {0}")]
    Spool(#[from] std::io::Error),
    /// No worker could be had.
    #[error("{0}")]
    Uninspected(String),
    /// Nobody says who is in a group. Not being told is no answer.
    #[error("it is not known who is in a group: {0}")]
    Unknown(String),
    /// Our own deadline passed.
    #[error("the message was not finished within milter.deadline_seconds")]
    Late,
    /// The store did not take it.
    #[error("the store failed: {why}")]
    Store {
        /// In the store's words.
        why: String,
        /// No room on its disk.
        full: bool,
    },
    /// The policy did not decide about each recipient exactly once.
    #[error("the policy did not decide about every recipient; this is a bug, please report it")]
    Undecided,
    /// A part of ours panicked.
    #[error("a part of the gateway panicked; this is a bug, please report it")]
    Panicked,
    /// The MTA sent what the protocol does not allow.
    #[error("the mail server spoke the milter protocol in an unexpected way: {0}")]
    Protocol(&'static str),
    /// Postfix did not take an edit.
    #[error("an edit could not be sent to the mail server: {0}")]
    Edit(String),
    /// The MTA has hung up.
    #[error("the mail server has closed the milter connection")]
    Gone,
}
