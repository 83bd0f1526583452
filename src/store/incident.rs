//! What the milter hands over, and the receipt it gets.

use super::StoreError;
use super::holdkey::HoldKey;
use super::judged::Judged;
use super::keys::random;
use crate::cpr::{Confidence, IdKind, Secret};
use crate::types::{DoubtKind, Envelope, NoticeFacts, Release, RuleRef};
use std::fmt;
use time::OffsetDateTime;

/// A hold or record: sixteen letters that people can read out and type. Displayed in groups of four.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct IncidentId(pub String);

/// Receipt: the mail is durably ours for these recipients. Only [`Store::hold`] makes one; removing a recipient from
/// Postfix's copy, or discarding it, takes one.
#[must_use]
#[derive(Debug)]
pub struct Held {
    id: IncidentId,
    again: bool,
}

/// A mail about which something is recorded.
pub struct Incident {
    /// Envelope, sealed before it is stored.
    pub envelope: Envelope,
    /// Facts without digits, sealed before they are stored; also what `quarantine show` prints.
    pub facts: NoticeFacts,
    /// Whether the sender is to get a notice.
    pub notify: bool,
    /// For replay and for "where has this number gone?".
    pub findings: Vec<StoredFinding>,
    /// Kinds of doubt.
    pub doubts: Vec<DoubtKind>,
    /// Which policy judged.
    pub policy_hash: String,
    /// When.
    pub received: OffsetDateTime,
    /// What the judgement was made from, for replay; `None` when there was no inspection to judge from.
    pub judged: Option<Judged>,
}

/// A finding as it is kept: hashed, placed, without digits.
pub struct StoredFinding {
    /// What it is.
    pub kind: IdKind,
    /// In clear in memory; stored as HMAC-SHA-256 only.
    pub number: Secret,
    /// How sure.
    pub confidence: Confidence,
    /// Masked words of the place.
    pub place: String,
}

/// What we take over.
pub struct Custody {
    /// Same for a retry of the same mail; see [`Keys::hold_key`].
    pub key: HoldKey,
    /// The mail as it came, CRLF lines.
    pub original: Vec<u8>,
    /// Redacted versions, CRLF lines.
    pub copies: Vec<Vec<u8>>,
    /// Recipients that become ours; all others stay with Postfix.
    pub owned: Vec<Owned>,
    /// When the content goes if nobody decides.
    pub expires: OffsetDateTime,
}

/// One recipient that becomes ours.
pub struct Owned {
    /// Index into the envelope's recipients.
    pub recipient: usize,
    /// What we owe.
    pub duty: Duty,
    /// The rule that said so.
    pub rule: Option<RuleRef>,
    /// Terms of release (for `Hold`).
    pub release: Release,
}

/// What we owe a recipient of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Duty {
    /// Keep for review.
    Hold,
    /// Send the original at once.
    SendOriginal,
    /// Send this redacted copy (index into `copies`) at once.
    SendCopy(usize),
    /// Tell the sender that this recipient was refused (DSN 5.7.1).
    Refuse,
}

/// Letters that nobody mixes up when reading aloud, without vowels, so that no word comes out. No digits: an id must never
/// be taken for a number, or be masked.
const LETTERS: &[u8; 19] = b"bcdfghjkmnpqrstvwxz";

/// Letters in an id: 19^16 is 68 bits.
const LENGTH: usize = 16;

impl IncidentId {
    /// A new one, by chance.
    pub(super) fn random() -> Result<IncidentId, StoreError> {
        let mut id = String::with_capacity(LENGTH);
        while id.len() < LENGTH {
            let mut bytes = [0_u8; 32];
            random(&mut bytes)?;
            // 247 is 13 * 19: bytes above would make the first letters likelier.
            let fair = bytes.iter().filter(|&&b| b < 247);
            let letters = fair.filter_map(|&b| LETTERS.get(usize::from(b) % LETTERS.len()));
            id.extend(letters.map(|&b| char::from(b)).take(LENGTH - id.len()));
        }
        Ok(IncidentId(id))
    }

    /// Reads what a person typed: with or without dashes or spaces, capitals or not. `None` when it cannot be an id.
    pub fn parse(typed: &str) -> Option<IncidentId> {
        let letters = typed
            .chars()
            .filter(|c| !matches!(c, '-' | ' '))
            .map(|c| c.to_ascii_lowercase());
        let id: String = letters.take(LENGTH + 1).collect();
        let sound = id.len() == LENGTH && id.bytes().all(|b| LETTERS.contains(&b));
        sound.then_some(IncidentId(id))
    }
}

/// In groups of four.
impl fmt::Display for IncidentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, c) in self.0.chars().enumerate() {
            if i > 0 && i % 4 == 0 {
                f.write_str("-")?;
            }
            write!(f, "{c}")?;
        }
        Ok(())
    }
}

impl Held {
    pub(super) fn new(id: IncidentId, again: bool) -> Held {
        Held { id, again }
    }

    /// Which hold.
    pub fn id(&self) -> &IncidentId {
        &self.id
    }

    /// The mail was a retry of one that was ours already.
    pub fn again(&self) -> bool {
        self.again
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_read_back_as_people_type_them_and_hold_no_digit() {
        for _ in 0..200 {
            let id = IncidentId::random().expect("random");
            assert!(id.0.chars().all(|c| c.is_ascii_lowercase()), "{id}");
            let shown = id.to_string();
            assert_eq!(shown.len(), 19);
            for typed in [
                shown.clone(),
                shown.to_uppercase(),
                id.0.clone(),
                shown.replace('-', " "),
            ] {
                assert_eq!(IncidentId::parse(&typed).as_ref(), Some(&id), "{typed}");
            }
        }
    }

    #[test]
    fn what_is_no_id_is_refused() {
        for typed in [
            "",
            "bcdf",
            "bcdf-ghjk-mnpq-rstvw",
            "bcdf-ghjk-mnpq-rst1",
            "0101901234",
            "bcdf-ghjk-mnpq-rsta",
        ] {
            assert_eq!(IncidentId::parse(typed), None, "{typed}");
        }
    }
}
