//! The policy of today, asked about held mail.

use super::{Review, ReviewError, until};
use crate::config;
use crate::cpr::Secret;
use crate::policy::{Facts, Policy, Redaction, facts_from};
use crate::store::Whom;
use crate::types::{Action, Decision, Envelope, Release, Report, danish_date};
use std::collections::BTreeSet;
use time::OffsetDateTime;

/// What the policy in force says of sending a mail as it is, to each recipient.
#[derive(Clone, Debug, Default)]
pub struct Today {
    /// One a recipient, in their order.
    pub decisions: Vec<Decision>,
    /// Which policy.
    pub policy_hash: String,
    /// For each finding of the report: the index of its number in the decisions.
    pub number_of_finding: Vec<usize>,
}

impl Today {
    /// Terms of release under this policy, of those recipients whom it would hold.
    ///
    /// # Errors
    /// It would refuse one of them.
    pub fn terms(&self, whom: &Whom) -> Result<Vec<(usize, Release)>, ReviewError> {
        let asked = |index: usize| match whom {
            Whom::All => true,
            Whom::Some(some) => some.contains(&index),
        };
        let mut terms = Vec::new();
        for decision in self.decisions.iter().filter(|decision| asked(decision.recipient)) {
            match &decision.action {
                Action::Reject => {
                    return Err(ReviewError::Refused {
                        recipient: decision.recipient + 1,
                        rule: decision.rule.as_ref().map_or_else(String::new, |rule| rule.id.clone()),
                    });
                }
                Action::Quarantine => terms.push((decision.recipient, decision.release.clone())),
                _ => {}
            }
        }
        Ok(terms)
    }
}

impl Review {
    /// Moves faint readings of protected persons' numbers among the findings, as at intake. Which of all numbers are theirs.
    pub(super) async fn promote(&self, report: &mut Report) -> Result<BTreeSet<Secret>, ReviewError> {
        let all = report.findings.iter().chain(&report.faint);
        let mut numbers: Vec<Secret> = all.map(|finding| finding.number.clone()).collect();
        numbers.sort();
        numbers.dedup();
        let asked = numbers.clone();
        let answers = self.with_store(move |store| store.protected(&asked)).await?;
        let each = numbers.into_iter().zip(answers);
        let theirs: BTreeSet<Secret> = each.filter(|(_, protected)| *protected).map(|(n, _)| n).collect();
        let faint = std::mem::take(&mut report.faint).into_iter();
        report.findings.extend(faint.filter(|f| theirs.contains(&f.number)));
        Ok(theirs)
    }

    /// Judges a report, protected persons' faint readings among its findings.
    pub(super) async fn judge(
        &self,
        policy: &Policy,
        envelope: &Envelope,
        report: &mut Report,
    ) -> Result<Today, ReviewError> {
        let protected = self.promote(report).await?;
        let seen = facts_from(report, &|_, number| protected.contains(number), &|_, _| Vec::new());
        let tls = config::tls_enforced(envelope, &self.config.tls_enforced);
        let hops = config::next_hops(envelope, &self.config.next_hops);
        let asks = policy.asks(envelope, &seen.numbers, &seen.doubts);
        let unjudged = |why: String| ReviewError::Unjudged(why);
        let given = self.directory.ask(&asks, until()).await;
        let given = given.map_err(|why| unjudged(why.to_string()))?;
        let decisions = policy.decide(&Facts {
            envelope,
            today: danish_date(OffsetDateTime::now_utc()),
            numbers: &seen.numbers,
            doubts: &seen.doubts,
            tls_enforced: &tls,
            next_hops: &hops,
            // It is asked about these very bytes: nothing will be taken out of them.
            redaction: Redaction::Failed,
            given: &given,
        });
        // No decision is never "nothing speaks against it".
        let in_order = decisions
            .iter()
            .enumerate()
            .all(|(i, decision)| decision.recipient == i);
        if decisions.len() != envelope.recipients.len() || !in_order {
            return Err(unjudged("it does not answer for every recipient".to_owned()));
        }
        Ok(Today {
            decisions,
            policy_hash: policy.hash().to_owned(),
            number_of_finding: seen.number_of_finding,
        })
    }
}
