//! What a notice may say: facts without a digit of any number, gathered when the mail is judged, put into words by the
//! courier when it is sent.

use super::{DoubtKind, Location, RuleRef};
use crate::cpr::{Confidence, IdKind};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

/// Facts for the sender's notice and for reviewers. All text in it is masked ([`crate::cpr::mask`]).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NoticeFacts {
    /// When the mail came.
    pub received: OffsetDateTime,
    /// Subject, decoded and masked; `None` without one.
    pub subject: Option<String>,
    /// Message-ID as written, for `In-Reply-To`; left out when it holds a number.
    pub message_id: Option<String>,
    /// Number of different people (different CPR numbers).
    pub people: usize,
    /// What was found where, equal lines counted together.
    pub found: Vec<FoundLine>,
    /// What could not be read.
    pub doubts: Vec<DoubtLine>,
    /// What became of each recipient's copy.
    pub outcomes: Vec<Outcome>,
    /// `owner:` of the policy: whom to ask.
    pub contact: String,
    /// Name of the policy.
    pub policy: String,
    /// Who is told besides the sender, by the rules that spoke.
    #[serde(default)]
    pub tell: Vec<String>,
}

/// One line of findings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FoundLine {
    /// What kind of identifier.
    pub kind: IdKind,
    /// The surest of them.
    pub confidence: Confidence,
    /// Masked file name, if it is in a file.
    pub file: Option<String>,
    /// Where in it.
    pub location: Location,
    /// How many sightings.
    pub count: usize,
    /// Not shown to a reader, but recoverable.
    pub hidden: bool,
    /// Covered, and still there.
    pub fake_redaction: bool,
}

/// One line of doubts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DoubtLine {
    /// What kind.
    pub kind: DoubtKind,
    /// Masked file name, if it is a file.
    pub file: Option<String>,
    /// Declared or sniffed type.
    pub media_type: String,
}

/// What became of one recipient's copy.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// Masked address.
    pub recipient: String,
    /// Delivered, redacted, held, refused.
    pub fate: FateWord,
    /// The rule that said so.
    pub rule: Option<RuleRef>,
    /// That rule's own words, by language (`da`, `en`).
    #[serde(default)]
    pub words: std::collections::BTreeMap<String, String>,
}

/// The fates of DESIGN §3, in a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FateWord {
    /// As it came.
    Delivered,
    /// As it came, through a secure gateway.
    Rerouted,
    /// Without the numbers.
    Redacted,
    /// Waiting for review.
    Held,
    /// Refused: 550 in the session, or a failed DSN of ours.
    Refused,
}
