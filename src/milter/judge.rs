//! The end of a message: inspection, policy, redaction, one fate per recipient. Nothing is stored and nothing is said to
//! Postfix here; that is [`super::settle`] and [`super::act`].

use super::facts::{Numbers, doubts, is_address};
use super::fields::{Edits, Mail};
use super::plan::{Circumstances, Fate, Plan, key, one_fate_each, plan};
use super::tries::{Tries, Try, earlier};
use super::world::{Copied, Trouble, World};
use crate::config::{next_hops, tls_enforced};
use crate::cpr::Secret;
use crate::policy::{Answers, Facts, Number, Redaction};
use crate::redact::Targets;
use crate::store::State;
use crate::types::{
    Action, Decision, Doubt, DoubtKind, Envelope, Judgement, Location, PartPath, Place, Release, Report, RuleRef,
    danish_date,
};
use crate::worker::{Uninspected, Unredacted};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Instant;
use time::OffsetDateTime;

/// One message, whole.
pub struct Case {
    /// Who sends to whom.
    pub envelope: Envelope,
    /// What.
    pub mail: Arc<Mail>,
    /// When it began.
    pub received: OffsetDateTime,
}

/// One redacted copy.
pub struct Copy<S> {
    /// The whole mail and the receipt of its inspection.
    pub mail: Copied<S>,
    /// How Postfix's copy becomes this one; `None` when it cannot be said in edits.
    pub edits: Option<Edits>,
}

/// A message with its fates.
#[must_use]
pub struct Weighed<W: World> {
    /// What it was judged with.
    pub world: Arc<W>,
    /// The message.
    pub case: Arc<Case>,
    /// Receipt of the inspection; `None` when it broke off, and then nothing passes.
    pub seen: Option<W::Seen>,
    /// What was found, protected persons' faint readings among it.
    pub report: Report,
    /// One a recipient, in their order.
    pub decisions: Vec<Decision>,
    /// One a recipient, in their order.
    pub fates: Vec<Fate>,
    /// Redacted copies, by the index in [`Fate::Redacted`].
    pub copies: Vec<Copy<W::Seen>>,
    /// What is to be done.
    pub plan: Plan,
    /// What was judged from, for replay; `None` without an inspection.
    pub basis: Option<Basis>,
    /// Other tries of this mail wait; gone when it was handed on to the store.
    pub tried: Option<Try<W::Key>>,
}

/// What a judgement was made from, beside envelope and doubts.
pub struct Basis {
    /// Each different number.
    pub numbers: Vec<(Secret, Number)>,
    /// For each recipient.
    pub tls_enforced: Vec<bool>,
}

/// What inspection and policy say of a message, before an earlier try of it is asked about.
struct Judged<W: World> {
    seen: Option<W::Seen>,
    report: Report,
    decisions: Vec<Decision>,
    fates: Vec<Fate>,
    copies: Vec<Copy<W::Seen>>,
    basis: Option<Basis>,
}

/// Judges one message.
///
/// # Errors
/// Nothing is decided: 4xx.
pub async fn weigh<W: World>(
    world: Arc<W>,
    case: Arc<Case>,
    tries: Arc<Tries<W::Key>>,
    until: Instant,
) -> Result<Weighed<W>, Trouble> {
    let judged = judge(&*world, &case, until).await?;
    let (tried, ours) = earlier(&world, &tries, &case).await?;
    let fates = first_try_first(&case, judged.fates, &ours);
    let in_place: Vec<bool> = judged.copies.iter().map(|copy| copy.edits.is_some()).collect();
    let with = Circumstances {
        in_place: &in_place,
        sender: case.envelope.sender.is_some(),
    };
    let plan = plan(&fates, with);
    Ok(Weighed {
        world,
        case,
        seen: judged.seen,
        report: judged.report,
        decisions: judged.decisions,
        fates,
        copies: judged.copies,
        plan,
        basis: judged.basis,
        tried: Some(tried),
    })
}

async fn judge<W: World>(world: &W, case: &Case, until: Instant) -> Result<Judged<W>, Trouble> {
    let seen = match world.inspect(Arc::clone(&case.mail), until).await {
        Ok(seen) => seen,
        Err(Uninspected::Unavailable(why)) => return Err(Trouble::Uninspected(why)),
        Err(broken) => return Ok(not_inspected(case, &broken)),
    };
    let report = promoted(world, world.report(&seen)).await?;
    let bench = Bench::new(world, case, &report, until).await?;
    let assumed = bench.decide(Redaction::Assumed)?;
    let wishes = wishes(&case.envelope, &assumed);
    let (copies, made) = bench.redact_all(&seen, &wishes, until).await?;
    let decisions = bench.settle_on(assumed, &wishes, &made)?;
    let decisions = spot_checked(world, case, decisions);
    let fates = fates(&decisions, &wishes, &made);
    let (decisions, fates) = agree(&case.envelope, decisions, &fates);
    let basis = Basis {
        numbers: bench.numbers.with_secrets(&bench.for_policy),
        tls_enforced: bench.tls,
    };
    Ok(Judged {
        basis: Some(basis),
        seen: Some(seen),
        report,
        decisions,
        fates,
        copies,
    })
}

/// For each number: it belongs to a protected person.
async fn protected<W: World>(world: &W, numbers: Vec<Secret>) -> Result<Vec<bool>, Trouble> {
    let wanted = numbers.len();
    if wanted == 0 {
        return Ok(Vec::new());
    }
    let protected = world.protected(numbers).await?;
    if protected.len() != wanted {
        return Err(Trouble::Store {
            why: "it did not answer for every number".to_owned(),
            full: false,
        });
    }
    Ok(protected)
}

/// For each number: the recipients whose own it is, by what the store knows, or since their address is the number.
async fn owners<W: World>(
    world: &W,
    numbers: Vec<Secret>,
    case: &Case,
    (tls, hops): (&[bool], &[Option<String>]),
) -> Result<Vec<Vec<usize>>, Trouble> {
    if numbers.is_empty() {
        return Ok(Vec::new());
    }
    let known = world.owners(numbers.clone(), &case.envelope).await?;
    let each = numbers
        .iter()
        .zip(known.into_iter().chain(std::iter::repeat(Vec::new())));
    Ok(each
        .map(|(number, mut recipients)| {
            recipients.extend(is_address(number, &case.envelope, tls, hops));
            recipients
        })
        .collect())
}

/// Takes the sample. The number that is drawn belongs to the mail as its sender made it, whoever gets it, so that the
/// sample is the same at each try and for each recipient.
fn spot_checked<W: World>(world: &W, case: &Case, decisions: Vec<Decision>) -> Vec<Decision> {
    if !decisions.iter().any(|d| world.may_spot_check(d)) {
        return decisions;
    }
    let nobody = Envelope {
        recipients: Vec::new(),
        ..case.envelope.clone()
    };
    let draw = world.draw(&world.key(&nobody, &case.mail));
    decisions.into_iter().map(|d| world.spot_checked(d, draw)).collect()
}

/// The report with the faint readings that are protected persons' numbers among its findings: theirs count however
/// plainly the digits say something else.
async fn promoted<W: World>(world: &W, report: &Report) -> Result<Report, Trouble> {
    let mut report = report.clone();
    let faint = std::mem::take(&mut report.faint);
    let theirs = protected(world, faint.iter().map(|finding| finding.number.clone()).collect()).await?;
    let counted = faint.into_iter().zip(theirs).filter(|(_, theirs)| *theirs);
    report.findings.extend(counted.map(|(finding, _)| finding));
    Ok(report)
}

/// Whom an earlier try of this mail made ours stays ours, whatever this one would do: otherwise a recipient could be held
/// by the first and be delivered to by the second. Only a refusal is still one when the client is told so.
fn first_try_first(case: &Case, fates: Vec<Fate>, ours: &[Option<State>]) -> Vec<Fate> {
    let again = ours.iter().filter(|state| state.is_some()).count();
    if again > 0 {
        let queue_id = case.envelope.queue_id.as_deref();
        tracing::info!(
            queue_id,
            recipients = again,
            "taken over at an earlier try of this mail"
        );
    }
    let each = fates.into_iter().zip(ours);
    each.map(|(fate, state)| match state {
        None => fate,
        Some(State::Refused) => Fate::Refuse,
        Some(_) => Fate::Hold,
    })
    .collect()
}

/// Everything that decisions about one message are made from.
struct Bench<'a, W: World> {
    world: &'a W,
    case: &'a Case,
    report: &'a Report,
    numbers: Numbers,
    for_policy: Vec<Number>,
    doubts: Vec<DoubtKind>,
    tls: Vec<bool>,
    hops: Vec<Option<String>>,
    given: Answers,
}

/// For each recipient the numbers that its copy must not hold; `None` when it is not to be redacted.
type Wishes = Vec<Option<BTreeSet<usize>>>;
/// For each set of numbers the index of its copy; a set without one could not be cleaned.
type Made = BTreeMap<BTreeSet<usize>, usize>;

impl<'a, W: World> Bench<'a, W> {
    async fn new(world: &'a W, case: &'a Case, report: &'a Report, until: Instant) -> Result<Bench<'a, W>, Trouble> {
        let numbers = Numbers::of(report);
        let protected = protected(world, numbers.secrets()).await?;
        let tls = tls_enforced(&case.envelope, world.tls_enforced());
        let hops = next_hops(&case.envelope, world.next_hops());
        let owners = owners(world, numbers.secrets(), case, (&tls, &hops)).await?;
        let for_policy = numbers.for_policy(&protected, &owners);
        let doubts = doubts(report);
        let given = world.given(&case.envelope, &for_policy, &doubts, until).await?;
        Ok(Bench {
            world,
            case,
            report,
            for_policy,
            numbers,
            doubts,
            tls,
            hops,
            given,
        })
    }

    /// One decision a recipient, in their order; anything else is a bug, and a bug must not let mail pass.
    fn decide(&self, redaction: Redaction) -> Result<Vec<Decision>, Trouble> {
        let decisions = self.world.decide(&Facts {
            envelope: &self.case.envelope,
            today: danish_date(self.case.received),
            numbers: &self.for_policy,
            doubts: &self.doubts,
            tls_enforced: &self.tls,
            next_hops: &self.hops,
            redaction,
            given: &self.given,
        });
        let in_order = decisions
            .iter()
            .enumerate()
            .all(|(i, decision)| decision.recipient == i);
        if decisions.len() == self.case.envelope.recipients.len() && in_order {
            Ok(decisions)
        } else {
            Err(Trouble::Undecided)
        }
    }

    /// One copy for each different set of numbers.
    async fn redact_all(
        &self,
        seen: &W::Seen,
        wishes: &Wishes,
        until: Instant,
    ) -> Result<(Vec<Copy<W::Seen>>, Made), Trouble> {
        let sets: BTreeSet<&BTreeSet<usize>> = wishes.iter().flatten().collect();
        let mut copies = Vec::new();
        let mut made = Made::new();
        for set in sets {
            if let Some(copy) = self.redact(seen, set, until).await? {
                made.insert(set.clone(), copies.len());
                copies.push(copy);
            }
        }
        Ok((copies, made))
    }

    async fn redact(
        &self,
        seen: &W::Seen,
        set: &BTreeSet<usize>,
        until: Instant,
    ) -> Result<Option<Copy<W::Seen>>, Trouble> {
        let Some(targets) = self.numbers.targets(set).filter(|targets| !targets.is_empty()) else {
            return Ok(None);
        };
        if sealed(self.report, &targets) {
            return Ok(None);
        }
        let copy = self.world.redact(Arc::clone(&self.case.mail), seen, targets, until);
        let mail = match copy.await {
            Ok(mail) => mail,
            Err(Unredacted::Uninspected(Uninspected::Unavailable(why))) => return Err(Trouble::Uninspected(why)),
            Err(why) => {
                tracing::info!(queue_id = self.case.envelope.queue_id, %why, "no redacted copy");
                return Ok(None);
            }
        };
        // Postfix answers 552 to an edit that grows past its limit, and would do so again to a copy that is sent.
        let limit = self.world.milter().message_size_limit;
        let grown = mail.bytes.len() > self.case.mail.bytes().len();
        if limit > 0 && grown && mail.bytes.len() as u64 > limit {
            return Ok(None);
        }
        let edits = self.case.mail.edits_to(&mail.bytes);
        Ok(Some(Copy { mail, edits }))
    }

    /// The decisions, with those made again whose redaction failed.
    fn settle_on(&self, assumed: Vec<Decision>, wishes: &Wishes, made: &Made) -> Result<Vec<Decision>, Trouble> {
        let failed = |wish: &Option<BTreeSet<usize>>| wish.as_ref().is_some_and(|set| !made.contains_key(set));
        if !wishes.iter().any(failed) {
            return Ok(assumed);
        }
        let again = self.decide(Redaction::Failed)?;
        let each = assumed.into_iter().zip(again).zip(wishes);
        Ok(each
            .map(|((first, second), wish)| if failed(wish) { no_redaction(second) } else { first })
            .collect())
    }
}

/// A part that is signed or encrypted holds a target, or stands around it.
fn sealed(report: &Report, targets: &Targets) -> bool {
    let hit = report
        .findings
        .iter()
        .filter(|f| targets.contains(&(f.kind.clone(), f.number.clone())));
    let mut parts = hit.map(|finding| &finding.place.part.0);
    parts.any(|part| report.seals.iter().any(|seal| part.starts_with(&seal.place.part.0)))
}

/// What must be gone for whom. Repeats of one address get one copy, without what any of them must not have.
fn wishes(envelope: &Envelope, decisions: &[Decision]) -> Wishes {
    let mut union: HashMap<Vec<u8>, BTreeSet<usize>> = HashMap::new();
    let each = || envelope.recipients.iter().zip(decisions);
    for (recipient, decision) in each().filter(|(_, d)| d.action == Action::Redact) {
        union.entry(key(recipient)).or_default().extend(&decision.redact);
    }
    each()
        .map(|(r, d)| (d.action == Action::Redact).then(|| union.get(&key(r)).cloned().unwrap_or_default()))
        .collect()
}

/// A decision after a failed redaction never redacts, whatever the policy says.
fn no_redaction(decision: Decision) -> Decision {
    if decision.action != Action::Redact {
        return decision;
    }
    let rule = built_in("redaction_failed", "The mail could not be redacted");
    let held = Judgement {
        action: Action::Quarantine,
        rule: Some(Arc::clone(&rule)),
        told: Some(rule),
        ..Judgement::clone(&decision)
    };
    Decision {
        judgement: Arc::new(held),
        ..decision
    }
}

fn fates(decisions: &[Decision], wishes: &Wishes, made: &Made) -> Vec<Fate> {
    let each = decisions.iter().zip(wishes);
    each.map(|(decision, wish)| match &decision.action {
        Action::Deliver | Action::Log | Action::Warn => Fate::Deliver,
        Action::Redact => wish
            .as_ref()
            .and_then(|set| made.get(set))
            .map_or(Fate::Hold, |&copy| Fate::Redacted(copy)),
        // No gateway can be named to Postfix through the milter protocol; the courier sends it.
        Action::Reroute(_) => Fate::Rerouted,
        Action::Quarantine => Fate::Hold,
        Action::Reject => Fate::Refuse,
    })
    .collect()
}

/// Gives repeats of one address one fate, and the words of the decision that made it.
fn agree(envelope: &Envelope, decisions: Vec<Decision>, fates: &[Fate]) -> (Vec<Decision>, Vec<Fate>) {
    let agreed = one_fate_each(&envelope.recipients, fates);
    let mut spoke: HashMap<Vec<u8>, usize> = HashMap::new();
    for (i, (recipient, fate)) in envelope.recipients.iter().zip(fates).enumerate() {
        let best = spoke.entry(key(recipient)).or_insert(i);
        if fates.get(*best).is_some_and(|had| had < fate) {
            *best = i;
        }
    }
    let words: Vec<Decision> = envelope
        .recipients
        .iter()
        .enumerate()
        .filter_map(|(i, recipient)| {
            let from = decisions.get(spoke.get(&key(recipient)).copied().unwrap_or(i))?;
            Some(Decision {
                recipient: i,
                ..from.clone()
            })
        })
        .collect();
    (words, agreed)
}

/// A mail that workers died of, or that took too long in one: held for everybody, never passed.
fn not_inspected<W: World>(case: &Case, why: &Uninspected) -> Judged<W> {
    tracing::warn!(queue_id = case.envelope.queue_id, %why, "not inspected, held for every recipient");
    let kind = if matches!(why, Uninspected::Late) {
        DoubtKind::TooSlow
    } else {
        DoubtKind::Broken
    };
    let place = Place {
        part: PartPath::default(),
        name: None,
        media_type: "message/rfc822".to_owned(),
        attachment: false,
        location: Location::Whole,
    };
    let doubt = Doubt {
        kind,
        place,
        reason: why.to_string(),
    };
    let decisions: Vec<Decision> = (0..case.envelope.recipients.len()).map(held_uninspected).collect();
    Judged {
        seen: None,
        report: Report {
            doubts: vec![doubt],
            ..Report::default()
        },
        fates: vec![Fate::Hold; decisions.len()],
        decisions,
        copies: Vec::new(),
        basis: None,
    }
}

fn held_uninspected(recipient: usize) -> Decision {
    let rule = built_in("not_inspected", "The mail could not be inspected");
    let judgement = Judgement {
        action: Action::Quarantine,
        rule: Some(Arc::clone(&rule)),
        told: Some(rule),
        redact: Vec::new(),
        release: Release::default(),
        matched: Vec::new(),
        lifted: Vec::new(),
    };
    Decision {
        recipient,
        judgement: Arc::new(judgement),
    }
}

fn built_in(id: &str, title: &str) -> Arc<RuleRef> {
    Arc::new(RuleRef {
        id: id.to_owned(),
        title: title.to_owned(),
    })
}
