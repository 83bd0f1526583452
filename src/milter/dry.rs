//! One mail judged as the gateway would judge it, redaction tried and all, and nothing kept, sent or told: what
//! `policy explain` shows is what the session does, and not another reading of the same rules.

use super::fields::{Field, Mail};
use super::judge::{Case, Weighed, weigh};
use super::notice::{self, place_words};
use super::plan::Plan;
use super::real::may_notify;
use super::reply;
use super::tries::{Tries, Try};
use super::world::{Copied, PolicyWords, Takeover, Trouble, World};
use crate::config;
use crate::cpr::Secret;
use crate::directory::Directory;
use crate::inspect::Options;
use crate::policy::{Answers, Facts, Given, Number, Policy, Voice};
use crate::redact::Targets;
use crate::store::{Incident, IncidentId, Judged, State};
use crate::types::{Decision, DoubtKind, Envelope, FateWord, NoticeFacts, Report};
use crate::worker::{Inspected, Pool, Uninspected, Unredacted};
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Instant;
use time::OffsetDateTime;

/// Stands for the id of a hold that there is none of.
const NO_INCIDENT: &str = "xxxxxxxxxxxxxxxx";

/// Everything to judge with, and no store.
pub struct Dry {
    /// The policy.
    pub policy: Policy,
    /// Groups that people are taken to be in.
    pub given: Given,
    /// Who is asked for members that the policy does not list; without it nobody is a member.
    pub directory: Option<Directory>,
    /// Domains to which TLS is enforced.
    pub tls_enforced: Vec<String>,
    /// Hosts to which mail for these domains is handed.
    pub next_hops: BTreeMap<String, Vec<String>>,
    /// Every number is taken for a protected person's. Nobody asks here whether one is.
    pub protected: bool,
    /// Workers.
    pub pool: Pool,
    /// How they inspect.
    pub options: Options,
    /// Limits of the session.
    pub milter: config::Milter,
}

/// What would become of a mail.
pub struct Explained {
    /// The policy and its words.
    pub policy: Policy,
    /// As it was asked.
    pub envelope: Envelope,
    /// What the inspection says.
    pub report: Report,
    /// Each different number, by the index that decisions use, with its masked form and its places in words.
    pub numbers: Vec<Told>,
    /// One a recipient.
    pub decisions: Vec<Decision>,
    /// One a recipient: what becomes of its copy.
    pub fates: Vec<FateWord>,
    /// What a notice would be made from.
    pub facts: NoticeFacts,
    /// Whether the sender would get it.
    pub notify: bool,
    /// The reply, when the client is refused.
    pub refused: Option<String>,
}

/// One number, without its digits.
pub struct Told {
    /// What the policy knows of it.
    pub number: Number,
    /// Masked.
    pub masked: String,
    /// Masked words of its places, each once.
    pub places: Vec<String>,
}

/// Judges one mail; lines end as they do in files.
///
/// # Errors
/// The gateway would answer 4xx.
pub async fn explain(dry: Dry, envelope: Envelope, mail: &[u8], until: Instant) -> Result<Explained, Trouble> {
    let case = Arc::new(Case {
        envelope,
        mail: Arc::new(Mail::read(&crlf(mail))),
        received: OffsetDateTime::now_utc(),
    });
    let weighed = weigh(Arc::new(dry), Arc::clone(&case), Arc::new(Tries::new()), until).await?;
    let notify = weighed.notifies();
    let facts = notice::incident(
        &*weighed.world,
        &case,
        &weighed.report,
        &weighed.decisions,
        &weighed.fates,
        notify,
    )
    .facts;
    let refused = (weighed.plan == Plan::RejectAll).then(|| refusal(&weighed));
    let numbers = numbers(&weighed);
    let Weighed {
        world,
        report,
        decisions,
        fates,
        ..
    } = weighed;
    let policy = Arc::into_inner(world).ok_or(Trouble::Panicked)?.policy;
    Ok(Explained {
        policy,
        envelope: case.envelope.clone(),
        report,
        numbers,
        decisions,
        fates: fates.into_iter().map(super::plan::Fate::word).collect(),
        facts,
        notify,
        refused,
    })
}

fn refusal(weighed: &Weighed<Dry>) -> String {
    let rule = weighed.decisions.iter().find_map(|d| d.told.as_ref());
    let rule = rule.map_or("default", |rule| rule.id.as_str());
    format!(
        "550 5.7.1 {}",
        reply::refusal(rule, &IncidentId(NO_INCIDENT.to_owned()))
    )
}

fn numbers(weighed: &Weighed<Dry>) -> Vec<Told> {
    let basis = weighed.basis.iter().flat_map(|basis| &basis.numbers);
    basis
        .map(|(secret, number)| {
            let mut places = Vec::new();
            let same = |f: &&crate::types::Finding| f.kind == number.kind && f.number == *secret;
            for finding in weighed.report.findings.iter().filter(same) {
                let place = place_words(&finding.place);
                if !places.contains(&place) {
                    places.push(place);
                }
            }
            Told {
                masked: secret.masked(),
                number: number.clone(),
                places,
            }
        })
        .collect()
}

/// Lines end in CRLF, as Postfix hands them on.
fn crlf(mail: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(mail.len() + mail.len() / 40);
    let mut before = 0;
    for &byte in mail {
        if byte == b'\n' && before != b'\r' {
            out.push(b'\r');
        }
        out.push(byte);
        before = byte;
    }
    out
}

impl World for Dry {
    type Seen = Inspected;
    type Held = Infallible;
    type Key = ();

    fn milter(&self) -> &config::Milter {
        &self.milter
    }

    fn tls_enforced(&self) -> &[String] {
        &self.tls_enforced
    }

    fn next_hops(&self) -> &BTreeMap<String, Vec<String>> {
        &self.next_hops
    }

    fn content_days(&self) -> u32 {
        config::Retention::default().content_days
    }

    fn policy(&self) -> PolicyWords<'_> {
        PolicyWords {
            name: self.policy.name(),
            owner: self.policy.owner(),
            hash: self.policy.hash(),
        }
    }

    fn decide(&self, facts: &Facts<'_>) -> Vec<Decision> {
        self.policy.decide_given(facts, &self.given)
    }

    fn voice(&self, decision: &Decision) -> Voice {
        self.policy.voice(decision)
    }

    /// Nothing is drawn: what is shown holds for every mail like this one.
    fn spot_checked(&self, decision: Decision, _: u64) -> Decision {
        decision
    }

    fn may_spot_check(&self, _: &Decision) -> bool {
        false
    }

    fn draw(&self, (): &()) -> u64 {
        0
    }

    fn may_notify(&self, envelope: &Envelope, header: &[Field]) -> bool {
        may_notify(&self.policy, envelope, header)
    }

    fn report<'a>(&self, seen: &'a Inspected) -> &'a Report {
        seen.report()
    }

    async fn inspect(&self, mail: Arc<Mail>, until: Instant) -> Result<Inspected, Uninspected> {
        self.pool.inspect(mail.bytes(), &self.options, until).await
    }

    async fn redact(
        &self,
        mail: Arc<Mail>,
        seen: &Inspected,
        targets: Targets,
        until: Instant,
    ) -> Result<Copied<Inspected>, Unredacted> {
        let copy = self.pool.redact(mail.bytes(), seen, &targets, &self.options, until);
        let copy = copy.await?;
        Ok(Copied {
            bytes: copy.bytes,
            seen: copy.inspected,
        })
    }

    async fn protected(&self, numbers: Vec<Secret>) -> Result<Vec<bool>, Trouble> {
        Ok(vec![self.protected; numbers.len()])
    }

    async fn owners(&self, numbers: Vec<Secret>, _: &Envelope) -> Result<Vec<Vec<usize>>, Trouble> {
        Ok(vec![Vec::new(); numbers.len()])
    }

    async fn given(
        &self,
        envelope: &Envelope,
        numbers: &[Number],
        doubts: &[DoubtKind],
        until: Instant,
    ) -> Result<Answers, Trouble> {
        let Some(directory) = &self.directory else {
            return Ok(Answers::offline());
        };
        let asks = self.policy.asks(envelope, numbers, doubts);
        let given = directory.ask(&asks, until).await;
        given.map_err(|why| Trouble::Unknown(why.to_string()))
    }

    fn key(&self, _: &Envelope, _: &Mail) {}

    async fn earlier(&self, (): (), envelope: &Envelope, _: OffsetDateTime) -> Result<Vec<Option<State>>, Trouble> {
        Ok(vec![None; envelope.recipients.len()])
    }

    async fn hold(&self, _: Incident, _: Takeover, _: Try<()>) -> Result<(Infallible, IncidentId), Trouble> {
        Err(Trouble::Undecided)
    }

    fn note(&self, _: Judged) {}

    async fn record(&self, _: Incident) -> Result<IncidentId, Trouble> {
        Err(Trouble::Undecided)
    }
}
