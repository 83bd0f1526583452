//! Looking at held mail again, and deciding about it: what console and command line share, so that both obey the same rules.
//!
//! A mail is opened with the private key and inspected in a worker each time somebody looks; nothing of it is kept. Whoever
//! releases is judged by the policy of today: rules, lists and protected persons may be others than on the day it came.
//! Who may decide at all is the store's to say. Nothing here knows of web pages or terminals.

mod again;
mod marks;

pub use again::Today;

use crate::config::Config;
use crate::directory::Directory;
use crate::inspect::{Examination, Input, Options, PartLine};
use crate::policy::Policy;
use crate::redact::Targets;
use crate::store::{Content, Decider, IncidentId, Opened, Released, Store, StoreError, What, Whom};
use crate::types::{DoubtKind, Location, PartPath, Place, danish_date};
use crate::worker::{Pool, Uninspected, Unredacted};
use std::sync::Arc;
use std::time::{Duration, Instant};
use time::OffsetDateTime;

/// How long a reviewer waits for an inspection.
const PATIENCE: Duration = Duration::from_secs(150);

/// Gives the policy in force at this moment.
pub type InForce = Arc<dyn Fn() -> Arc<Policy> + Send + Sync>;

/// Looks at held mail, and carries out decisions.
pub struct Review {
    store: Store,
    pool: Pool,
    config: Config,
    directory: Directory,
    policy: InForce,
}

/// What a release sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Body {
    /// As it came.
    Original,
    /// A copy without the numbers, made now.
    Redacted,
}

/// A mail, opened and inspected now.
pub struct Look {
    /// Envelope, facts of the day it came, content.
    pub opened: Opened,
    /// What an inspection finds now.
    pub seen: Examination,
    /// What today's policy says of sending it as it came.
    pub today: Today,
    /// It could not be inspected: nothing is known but that.
    pub broken: Option<String>,
}

/// A copy without the numbers, made and inspected now.
pub struct CleanCopy {
    /// The whole mail.
    pub bytes: Vec<u8>,
    /// A closer look at it.
    pub seen: Examination,
    /// How many places were changed.
    pub removed: usize,
}

/// Why something could not be done.
#[derive(Debug, thiserror::Error)]
pub enum ReviewError {
    /// The store, or its rules of deciding.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// No inspection now.
    #[error("the mail could not be inspected now: {0}; try again")]
    Uninspected(String),
    /// No clean copy.
    #[error("no clean copy can be made: {0}; release it as it is, or refuse it")]
    NotClean(String),
    /// Somebody keeps a list that the policy asks, and does not answer.
    #[error("today's policy cannot be asked about this mail now: {0}; try again")]
    Unjudged(String),
    /// Today's policy refuses it.
    #[error(
        "today's policy refuses this mail to recipient {recipient} (rule `{rule}`): it cannot be released as it is"
    )]
    Refused {
        /// From 1.
        recipient: usize,
        /// The rule's id.
        rule: String,
    },
}

impl ReviewError {
    /// A rule said no, rather than something being broken.
    pub fn is_refusal(&self) -> bool {
        matches!(
            self,
            ReviewError::Store(StoreError::Refused(_)) | ReviewError::Refused { .. } | ReviewError::NotClean(_)
        )
    }
}

impl Review {
    /// With a store that can open mail.
    pub fn new(store: Store, pool: Pool, config: Config, directory: Directory, policy: InForce) -> Review {
        Review {
            store,
            pool,
            config,
            directory,
            policy,
        }
    }

    /// The store.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// The policy in force.
    pub fn policy(&self) -> Arc<Policy> {
        (self.policy)()
    }

    /// The administrator's file.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Runs something that blocks where it may.
    ///
    /// # Errors
    /// What it says.
    pub async fn with_store<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Store) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, ReviewError> {
        let store = self.store.clone();
        let done = tokio::task::spawn_blocking(move || work(&store)).await;
        let gone = |_| StoreError::Unusable("the work was broken off".to_owned());
        Ok(done.map_err(gone)??)
    }

    /// Opens a mail and inspects it. The look is the caller's to record, before.
    ///
    /// # Errors
    /// It cannot be opened, or no worker is free.
    pub async fn look(&self, id: &IncidentId) -> Result<Look, ReviewError> {
        let (opened, mail) = self.open(id).await?;
        let policy = self.policy();
        let options = self.options(&policy);
        let (mut seen, broken) = match self.pool.examine(&mail, &options, until()).await {
            Ok(seen) => (seen, None),
            Err(Uninspected::Unavailable(why)) => return Err(ReviewError::Uninspected(why)),
            // As on the day it came: a mail that workers die of is shown as such, and a person decides.
            Err(broken) => (not_inspected(&broken), Some(broken.to_string())),
        };
        let today = self.judge(&policy, &opened.envelope, &mut seen.report).await?;
        let opened = Opened {
            mail: Some(mail),
            ..opened
        };
        Ok(Look {
            opened,
            seen,
            today,
            broken,
        })
    }

    /// One part of a mail, decoded.
    ///
    /// # Errors
    /// It cannot be opened, or has no such part.
    pub async fn part(&self, id: &IncidentId, path: &PartPath) -> Result<(PartLine, Vec<u8>), ReviewError> {
        let (_, mail) = self.open(id).await?;
        let options = self.options(&self.policy());
        let part = self.pool.part(&mail, path, &options, until()).await;
        part.map_err(|why| ReviewError::Uninspected(why.to_string()))
    }

    /// Makes a copy without any number, without a protected person's behind whatever label, and without what the policy's own
    /// identifiers find, and inspects it.
    ///
    /// # Errors
    /// There is no clean copy.
    pub async fn clean_copy(&self, id: &IncidentId) -> Result<CleanCopy, ReviewError> {
        let (_, mail) = self.open(id).await?;
        let options = self.options(&self.policy());
        let unavailable = |why: Uninspected| ReviewError::Uninspected(why.to_string());
        let seen = self.pool.inspect(&mail, &options, until()).await.map_err(unavailable)?;
        let mut report = seen.report().clone();
        let _ = self.promote(&mut report).await?;
        let findings = report.findings;
        let targets: Targets = findings.iter().map(|f| (f.kind.clone(), f.number.clone())).collect();
        let copy = match self.pool.redact(&mail, &seen, &targets, &options, until()).await {
            Ok(copy) => copy,
            Err(Unredacted::Uninspected(Uninspected::Unavailable(why))) => return Err(ReviewError::Uninspected(why)),
            Err(why) => return Err(ReviewError::NotClean(why.to_string())),
        };
        let removed = findings.len();
        let seen = self
            .pool
            .examine(&copy.bytes, &options, until())
            .await
            .map_err(unavailable)?;
        Ok(CleanCopy {
            bytes: copy.bytes,
            seen,
            removed,
        })
    }

    /// Releases to recipients that are held, under the terms of the day the mail came and those of today's policy.
    ///
    /// # Errors
    /// Nothing was released, for nobody.
    pub async fn release(
        &self,
        id: &IncidentId,
        whom: &Whom,
        body: Body,
        by: &Decider<'_>,
    ) -> Result<Vec<(usize, Released)>, ReviewError> {
        let (what, today) = match body {
            Body::Original => (What::Original, self.look(id).await?.today),
            Body::Redacted => {
                let mut copy = self.clean_copy(id).await?;
                let (opened, _) = self.open(id).await?;
                let policy = self.policy();
                let today = self.judge(&policy, &opened.envelope, &mut copy.seen.report).await?;
                (What::Bytes(copy.bytes), today)
            }
        };
        let terms = today.terms(whom)?;
        let (id, whom) = (id.clone(), whom.clone());
        let (actor, reason, now) = (by.actor.to_owned(), by.reason.to_owned(), by.now);
        self.with_store(move |store| {
            let by = Decider {
                actor: &actor,
                reason: &reason,
                now,
            };
            store.release_today(&id, &whom, what, &by, &terms)
        })
        .await
    }

    async fn open(&self, id: &IncidentId) -> Result<(Opened, Vec<u8>), ReviewError> {
        let which = id.clone();
        let mut opened = self
            .with_store(move |store| store.read(&which, Content::Original))
            .await?;
        let mail = opened.mail.take().ok_or_else(|| StoreError::Shredded(id.clone()))?;
        Ok((opened, mail))
    }

    fn options(&self, policy: &Policy) -> Options {
        Options {
            input: Input::Message,
            name: None,
            limits: self.config.limits.clone(),
            today: danish_date(OffsetDateTime::now_utc()),
            identifiers: policy.identifiers().to_vec(),
            programs: self.config.programs.clone(),
            style: policy.style(),
        }
    }
}

fn until() -> Instant {
    Instant::now() + PATIENCE
}

fn not_inspected(why: &Uninspected) -> Examination {
    let kind = match why {
        Uninspected::Late => DoubtKind::TooSlow,
        _ => DoubtKind::Broken,
    };
    let mut seen = Examination::default();
    seen.report.doubts.push(crate::types::Doubt {
        kind,
        place: Place {
            part: PartPath::default(),
            name: None,
            media_type: "message/rfc822".to_owned(),
            attachment: false,
            location: Location::Whole,
        },
        reason: why.to_string(),
    });
    seen
}
