//! Writes down what a plan wants written down, and turns the plan into a ruling: the only thing that [`super::act`] takes,
//! and one that cannot be made without the receipts.

use super::facts::doubts;
use super::fields::Edits;
use super::judge::Weighed;
use super::notice;
use super::plan::{Fate, Plan};
use super::world::{Takeover, Trouble, World};
use crate::store::{Duty, Incident, IncidentId, Judged, JudgedFor, Owned};
use crate::types::{Action, Decision, Recipient};
use std::collections::BTreeSet;
use time::Duration;

/// What Postfix is to be told.
#[must_use = "a ruling that nobody carries out is a lost mail"]
pub enum Ruling<W: World> {
    /// Postfix keeps it.
    Pass {
        /// The body that passes was inspected.
        seen: W::Seen,
        /// Edits that make it the redacted copy.
        edits: Option<Edits>,
        /// Recipients that are ours now.
        removal: Option<Removal<W::Held>>,
    },
    /// It is ours for every recipient.
    Discard {
        /// It is durably ours.
        held: W::Held,
    },
    /// 550 to the client.
    Reject {
        /// Which rule.
        rule: String,
        /// Under which id it was recorded.
        incident: IncidentId,
    },
}

/// Recipients to remove from Postfix's copy, and the receipt that allows it.
pub struct Removal<H> {
    held: H,
    addresses: Vec<Vec<u8>>,
}

impl<H> Removal<H> {
    /// Each spelling once, byte for byte as it was given.
    pub fn addresses(&self) -> (&H, &[Vec<u8>]) {
        (&self.held, &self.addresses)
    }
}

impl<W: World> Weighed<W> {
    /// Something will be written to the store.
    pub fn writes(&self) -> bool {
        !matches!(&self.plan, Plan::Pass { copy: None, owned } if owned.is_empty()) || self.mentioned()
    }

    /// The policy had something to say: a rule matched, an exception lifted, or something other than plain delivery.
    fn mentioned(&self) -> bool {
        let said = |d: &Decision| d.action != Action::Deliver || !d.matched.is_empty() || !d.lifted.is_empty();
        self.decisions.iter().any(said)
    }

    /// The sender hears of what was held or redacted, and of warnings. Of a refusal the client's own report or our DSN
    /// tells.
    pub(super) fn notifies(&self) -> bool {
        let warned = self.decisions.iter().any(|d| d.action == Action::Warn);
        let touched = self
            .fates
            .iter()
            .any(|fate| matches!(fate, Fate::Hold | Fate::Redacted(_)));
        let told = self.plan != Plan::RejectAll && (warned || touched);
        told && self.world.may_notify(&self.case.envelope, self.case.mail.fields())
    }

    fn incident(&self) -> Incident {
        let notify = self.notifies();
        let incident = notice::incident(
            &*self.world,
            &self.case,
            &self.report,
            &self.decisions,
            &self.fates,
            notify,
        );
        Incident {
            judged: self.judged(),
            ..incident
        }
    }

    /// For replay: what was decided from what. Nothing when there was nothing to decide about.
    fn judged(&self) -> Option<Judged> {
        let basis = self.basis.as_ref()?;
        let doubts = doubts(&self.report);
        if basis.numbers.is_empty() && doubts.is_empty() {
            return None;
        }
        let each = self.case.envelope.recipients.iter().zip(&self.decisions).enumerate();
        let one = |(i, (recipient, decision)): (usize, (&Recipient, &Decision))| JudgedFor {
            address: recipient.address.clone(),
            tls_enforced: basis.tls_enforced.get(i).copied().unwrap_or(false),
            action: decision.action.clone(),
            rule: decision.rule.as_ref().map(|rule| rule.id.clone()),
        };
        Some(Judged {
            received: self.case.received,
            policy: self.world.policy().hash.to_owned(),
            sender: self.case.envelope.sender.clone(),
            login: self.case.envelope.login.clone(),
            recipients: each.map(one).collect(),
            numbers: basis.numbers.clone(),
            doubts,
        })
    }

    fn takeover(&self, owned: &[(usize, Duty)]) -> Takeover {
        let sends = owned.iter().any(|(_, duty)| matches!(duty, Duty::SendCopy(_)));
        let copies = if sends {
            self.copies.iter().map(|c| c.mail.bytes.clone()).collect()
        } else {
            Vec::new()
        };
        let one = |&(recipient, duty): &(usize, Duty)| {
            let decision = self.decisions.get(recipient);
            Owned {
                recipient,
                duty,
                rule: decision.and_then(|d| d.rule.as_deref().cloned()),
                release: decision.map(|d| d.release.clone()).unwrap_or_default(),
            }
        };
        Takeover {
            original: std::sync::Arc::clone(&self.case.mail),
            copies,
            owned: owned.iter().map(one).collect(),
            expires: self.case.received + Duration::days(i64::from(self.world.content_days())),
        }
    }

    async fn hold(&mut self, owned: &[(usize, Duty)]) -> Result<W::Held, Trouble> {
        let tried = self.tried.take().ok_or(Trouble::Undecided)?;
        let (held, id) = self.world.hold(self.incident(), self.takeover(owned), tried).await?;
        let count = owned.len();
        tracing::info!(queue_id = self.case.envelope.queue_id, incident = %id, recipients = count, "taken over");
        Ok(held)
    }

    async fn record(&self) -> Result<IncidentId, Trouble> {
        let id = self.world.record(self.incident()).await?;
        tracing::info!(queue_id = self.case.envelope.queue_id, incident = %id, "recorded");
        Ok(id)
    }

    /// Stores what must be stored; only then is there a ruling.
    ///
    /// # Errors
    /// Nothing was taken over, or nobody knows: 4xx, and the retry finds the same hold.
    pub async fn settle(mut self) -> Result<Ruling<W>, Trouble> {
        match std::mem::replace(&mut self.plan, Plan::TakeOver { owned: Vec::new() }) {
            Plan::RejectAll => {
                self.plan = Plan::RejectAll;
                let incident = self.record().await?;
                let rule = self.decisions.iter().find_map(|d| d.told.as_ref());
                let rule = rule.map_or_else(|| "default".to_owned(), |rule| rule.id.clone());
                Ok(Ruling::Reject { rule, incident })
            }
            Plan::TakeOver { owned } => Ok(Ruling::Discard {
                held: self.hold(&owned).await?,
            }),
            Plan::Pass { copy, owned } => self.pass(copy, &owned).await,
        }
    }

    async fn pass(mut self, copy: Option<usize>, owned: &[(usize, Duty)]) -> Result<Ruling<W>, Trouble> {
        let removal = if owned.is_empty() {
            if copy.is_some() || self.mentioned() {
                self.record().await?;
            } else if let Some(judged) = self.judged() {
                self.world.note(judged);
            }
            None
        } else {
            let held = self.hold(owned).await?;
            Some(Removal {
                held,
                addresses: self.addresses(owned),
            })
        };
        let Some(index) = copy else {
            // Without an inspection nothing passes; `judge` holds such a mail for everybody.
            let seen = self
                .seen
                .ok_or_else(|| Trouble::Uninspected("no inspection".to_owned()))?;
            return Ok(Ruling::Pass {
                seen,
                edits: None,
                removal,
            });
        };
        if index >= self.copies.len() {
            return Err(Trouble::Undecided);
        }
        let copy = self.copies.swap_remove(index);
        Ok(Ruling::Pass {
            seen: copy.mail.seen,
            edits: Some(copy.edits.ok_or(Trouble::Undecided)?),
            removal,
        })
    }

    /// Each spelling once: Postfix removes all repeats of an address at the first request.
    fn addresses(&self, owned: &[(usize, Duty)]) -> Vec<Vec<u8>> {
        let recipients = &self.case.envelope.recipients;
        let raw: BTreeSet<&[u8]> = owned
            .iter()
            .filter_map(|&(i, _)| recipients.get(i))
            .map(|r| r.raw.as_slice())
            .collect();
        raw.into_iter().map(<[u8]>::to_vec).collect()
    }
}
