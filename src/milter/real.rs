//! The world outside tests: worker pool, SQLite store, compiled policy. Adapters only.

use super::fields::{Field, Mail};
use super::notes::Notes;
use super::tries::Try;
use super::world::{Copied, PolicyWords, Takeover, Trouble, World};
use crate::config::{self, Config};
use crate::courier;
use crate::cpr::Secret;
use crate::directory::Directory;
use crate::inspect::{Input, Options};
use crate::policy::{Answers, Facts, Number, Policy, Voice};
use crate::redact::Targets;
use crate::store::{Custody, Held, HoldKey, Incident, IncidentId, Judged, State, Store, StoreError};
use crate::types::{Decision, DoubtKind, Envelope, Report, danish_date};
use crate::worker::{Inspected, Pool, Uninspected, Unredacted};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;
use time::OffsetDateTime;

/// Configuration, policy, workers and store of one moment.
pub struct Real {
    /// The administrator's file.
    pub config: Arc<Config>,
    /// The compliance officer's file.
    pub policy: Arc<Policy>,
    /// Workers; kept over reloads.
    pub pool: Arc<Pool>,
    /// Custody; kept over reloads.
    pub store: Store,
    /// Groups that the policy does not list; kept over reloads that do not change how it is reached.
    pub directory: Arc<Directory>,
    /// What is written later; kept over reloads.
    pub notes: Notes,
}

impl Real {
    fn options(&self) -> Options {
        Options {
            input: Input::Message,
            name: None,
            limits: self.config.limits.clone(),
            today: danish_date(OffsetDateTime::now_utc()),
            identifiers: self.policy.identifiers().to_vec(),
            programs: self.config.programs.clone(),
            style: self.policy.style(),
        }
    }

    /// The store's calls block on a disk that syncs.
    async fn ask<T: Send + 'static>(
        &self,
        call: impl FnOnce(&Store) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, Trouble> {
        let store = self.store.clone();
        let answer = tokio::task::spawn_blocking(move || call(&store)).await;
        let answer = answer.map_err(|_| Trouble::Panicked)?;
        answer.map_err(|error| Trouble::Store {
            why: error.to_string(),
            full: error.is_full(),
        })
    }
}

/// Whether the sender may be told, as far as this policy counts them among its own.
pub(super) fn may_notify(policy: &Policy, envelope: &Envelope, header: &[Field]) -> bool {
    let inside = policy.is_inside(envelope.sender.as_ref());
    let fields = header
        .iter()
        .map(|field| (field.name.as_slice(), field.value.as_slice()));
    courier::may_notify(envelope, fields, inside).is_yes()
}

impl World for Real {
    type Seen = Inspected;
    type Held = Held;
    type Key = HoldKey;

    fn milter(&self) -> &config::Milter {
        &self.config.milter
    }

    fn tls_enforced(&self) -> &[String] {
        &self.config.tls_enforced
    }

    fn next_hops(&self) -> &BTreeMap<String, Vec<String>> {
        &self.config.next_hops
    }

    fn content_days(&self) -> u32 {
        self.config.retention.content_days
    }

    fn policy(&self) -> PolicyWords<'_> {
        PolicyWords {
            name: self.policy.name(),
            owner: self.policy.owner(),
            hash: self.policy.hash(),
        }
    }

    fn decide(&self, facts: &Facts<'_>) -> Vec<Decision> {
        self.policy.decide(facts)
    }

    fn voice(&self, decision: &Decision) -> Voice {
        self.policy.voice(decision)
    }

    fn spot_checked(&self, decision: Decision, draw: u64) -> Decision {
        self.policy.spot_checked(decision, draw)
    }

    fn may_spot_check(&self, decision: &Decision) -> bool {
        self.policy.may_spot_check(decision)
    }

    fn draw(&self, key: &HoldKey) -> u64 {
        key.draw()
    }

    fn may_notify(&self, envelope: &Envelope, header: &[Field]) -> bool {
        may_notify(&self.policy, envelope, header)
    }

    fn report<'a>(&self, seen: &'a Inspected) -> &'a Report {
        seen.report()
    }

    async fn inspect(&self, mail: Arc<Mail>, until: Instant) -> Result<Inspected, Uninspected> {
        self.pool.inspect(mail.bytes(), &self.options(), until).await
    }

    async fn redact(
        &self,
        mail: Arc<Mail>,
        seen: &Inspected,
        targets: Targets,
        until: Instant,
    ) -> Result<Copied<Inspected>, Unredacted> {
        let options = self.options();
        let copy = self.pool.redact(mail.bytes(), seen, &targets, &options, until);
        let copy = copy.await?;
        Ok(Copied {
            bytes: copy.bytes,
            seen: copy.inspected,
        })
    }

    async fn protected(&self, numbers: Vec<Secret>) -> Result<Vec<bool>, Trouble> {
        self.ask(move |store| store.protected(&numbers)).await
    }

    async fn given(
        &self,
        envelope: &Envelope,
        numbers: &[Number],
        doubts: &[DoubtKind],
        until: Instant,
    ) -> Result<Answers, Trouble> {
        let asks = self.policy.asks(envelope, numbers, doubts);
        let given = self.directory.ask(&asks, until).await;
        given.map_err(|why| Trouble::Unknown(why.to_string()))
    }

    async fn owners(&self, numbers: Vec<Secret>, envelope: &Envelope) -> Result<Vec<Vec<usize>>, Trouble> {
        let recipients = envelope.recipients.clone();
        self.ask(move |store| store.owners(&numbers, &recipients)).await
    }

    fn key(&self, envelope: &Envelope, mail: &Mail) -> HoldKey {
        self.store.hold_key(envelope, mail.bytes())
    }

    async fn earlier(
        &self,
        key: HoldKey,
        envelope: &Envelope,
        received: OffsetDateTime,
    ) -> Result<Vec<Option<State>>, Trouble> {
        let envelope = envelope.clone();
        self.ask(move |store| store.earlier(&envelope, &key, received)).await
    }

    async fn hold(
        &self,
        incident: Incident,
        takeover: Takeover,
        tried: Try<HoldKey>,
    ) -> Result<(Held, IncidentId), Trouble> {
        self.ask(move |store| {
            let Takeover {
                original,
                copies,
                owned,
                expires,
            } = takeover;
            let original = original.bytes().to_vec();
            let held = store.hold(
                &incident,
                &Custody {
                    key: tried.key().clone(),
                    original,
                    copies,
                    owned,
                    expires,
                },
            )?;
            // Not before: when nobody waits for this thread any more, a retry still does.
            drop(tried);
            let id = held.id().clone();
            Ok((held, id))
        })
        .await
    }

    fn note(&self, judged: Judged) {
        self.notes.add(judged);
    }

    async fn record(&self, incident: Incident) -> Result<IncidentId, Trouble> {
        self.ask(move |store| store.record(&incident)).await
    }
}
