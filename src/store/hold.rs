//! Taking custody: the one transaction that stands between a mail and its loss.

use super::audit::{Entry, What, append};
use super::db::{Failure, FindingRow, NewEntry, NewIncident, NewRecipient, Part, Sealed, Tx};
use super::incident::{Custody, Duty, Held, Incident, IncidentId, Owned};
use super::judged::{self, ReadyRow};
use super::keys::{Keys, Purpose};
use super::seal::{self, Fresh};
use super::state::State;
use super::{Store, StoreError};
use crate::cpr::{Confidence, IdKind, Secret, mask};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};

/// Whose deed it is in the audit trail.
const MILTER: &str = "milter";

/// An incident with all that needs sealing sealed, ready to be written: nothing slow happens under the write lock.
struct Ready<'a> {
    id: IncidentId,
    incident: &'a Incident,
    record: Fresh,
    envelope: Vec<u8>,
    facts: Vec<u8>,
    places: Vec<u8>,
    findings: Vec<FindingRow>,
    rules: String,
    doubts: String,
    judged: Option<ReadyRow>,
}

/// The content, sealed.
struct SealedContent {
    key: Fresh,
    original: Vec<u8>,
    copies: Vec<([u8; 32], Vec<u8>)>,
}

impl Store {
    /// Takes custody: content, recipients, outbox and audit record in one durable transaction. A retry of the same mail
    /// finds the same hold.
    ///
    /// A retry that asks for recipients whom the first try left with Postfix (the policy changed in between) gets a hold of
    /// its own for those, so that no receipt covers a recipient that is not ours.
    ///
    /// # Errors
    /// Nothing was taken over; the client must get a 4xx.
    pub fn hold(&self, incident: &Incident, custody: &Custody) -> Result<Held, StoreError> {
        let owned = sound(incident, custody)?;
        let at = incident.received.unix_timestamp();
        self.tried().note(&custody.key, at);
        let before = self.db().read(|tx| self.held_before(tx, &custody.key, at))?;
        if let Some(held) = self.covering(&before, incident, &owned) {
            return self.db().write(|tx| self.again(tx, held, at));
        }
        let ready = self.ready(incident, &owned)?;
        let content = self.seal_content(custody)?;
        self.db().write(|tx| {
            let before = self.held_before(tx, &custody.key, at)?;
            if let Some(held) = self.covering(&before, incident, &owned) {
                return self.again(tx, held, at);
            }
            let ours = owned
                .into_iter()
                .filter(|o| !before.addresses.contains_key(&self.owned_hash(incident, o)));
            self.write_hold(tx, &ready, custody, &content, &ours.collect::<Vec<_>>())?;
            Ok(Held::new(ready.id.clone(), false))
        })
    }

    /// A mail that the client sees accepted and that goes nowhere leaves a trace, also when it is a retry.
    fn again(&self, tx: &Tx<'_>, held: Held, at: i64) -> Result<Held, Failure> {
        append(
            tx,
            self.keys(),
            Entry::new(What::HeldAgain, at, MILTER).of(&held.id().0),
        )?;
        Ok(held)
    }

    /// Records an incident of which we own nothing (delivered redacted in place, warned, logged, refused to the client),
    /// with the sender's notice if `notify`.
    ///
    /// # Errors
    /// Nothing was recorded; the client must get a 4xx.
    pub fn record(&self, incident: &Incident) -> Result<IncidentId, StoreError> {
        let ready = self.ready(incident, &[])?;
        let at = incident.received.unix_timestamp();
        self.db().write(|tx| {
            let n = write_incident(tx, &ready, None, None)?;
            write_notice(tx, n, incident, at)?;
            append(tx, self.keys(), judgement(What::Recorded, &ready, json!({})))
        })?;
        Ok(ready.id)
    }

    /// The receipt, when all of them are ours already.
    fn covering(&self, before: &Before, incident: &Incident, owned: &[&Owned]) -> Option<Held> {
        let ours = |o: &&Owned| before.addresses.contains_key(&self.owned_hash(incident, o));
        let first = before.first.clone()?;
        owned.iter().all(ours).then(|| Held::new(first, true))
    }

    fn owned_hash(&self, incident: &Incident, own: &Owned) -> Vec<u8> {
        let recipient = incident.envelope.recipients.get(own.recipient);
        self.address_hash(recipient.map_or(&[], |r| &r.raw))
    }

    pub(super) fn address_hash(&self, raw: &[u8]) -> Vec<u8> {
        self.keys().mac(Purpose::Recipient, &[raw]).to_vec()
    }

    fn ready<'a>(&self, incident: &'a Incident, owned: &[&Owned]) -> Result<Ready<'a>, StoreError> {
        let record = seal::fresh(self.keys())?;
        let (findings, places) = self.findings(incident);
        let mut rules: Vec<&str> = Vec::new();
        let judged = incident.facts.outcomes.iter().filter_map(|o| o.rule.as_ref());
        for rule in owned.iter().filter_map(|o| o.rule.as_ref()).chain(judged) {
            if !rules.contains(&rule.id.as_str()) {
                rules.push(&rule.id);
            }
        }
        let doubts: BTreeSet<&str> = incident.doubts.iter().map(|doubt| doubt.word()).collect();
        Ok(Ready {
            id: IncidentId::random()?,
            incident,
            judged: incident.judged.as_ref().map(|j| self.ready_row(j)).transpose()?,
            envelope: seal::seal(&record.public, &json_bytes(&incident.envelope)?)?,
            facts: seal::seal(&record.public, &json_bytes(&incident.facts)?)?,
            places: seal::seal(&record.public, &json_bytes(&places)?)?,
            record,
            findings,
            rules: json!(rules).to_string(),
            doubts: json!(doubts).to_string(),
        })
    }

    /// Findings counted by number; places beside them, each with the number's index, to be sealed.
    fn findings(&self, incident: &Incident) -> (Vec<FindingRow>, Vec<(i64, String)>) {
        let mut indices: BTreeMap<(&IdKind, &Secret), usize> = BTreeMap::new();
        let mut rows: Vec<(FindingRow, Confidence)> = Vec::new();
        let mut places = Vec::new();
        for finding in &incident.findings {
            let index = *indices.entry((&finding.kind, &finding.number)).or_insert_with(|| {
                let row = FindingRow {
                    number: rows.len() as i64,
                    kind: finding.kind.word().to_owned(),
                    person: self.keys().person(&finding.number),
                    confidence: "",
                    sightings: 0,
                };
                rows.push((row, finding.confidence));
                rows.len() - 1
            });
            if let Some((row, surest)) = rows.get_mut(index) {
                row.sightings += 1;
                *surest = (*surest).max(finding.confidence);
            }
            places.push((index as i64, mask(&finding.place)));
        }
        let rows = rows.into_iter().map(|(row, surest)| FindingRow {
            confidence: surest.word(),
            ..row
        });
        (rows.collect(), places)
    }

    fn seal_content(&self, custody: &Custody) -> Result<SealedContent, StoreError> {
        let key = seal::fresh(self.keys())?;
        let mut copies = Vec::with_capacity(custody.copies.len());
        for copy in &custody.copies {
            copies.push((self.keys().mac(Purpose::Copy, &[copy]), seal::seal(&key.public, copy)?));
        }
        Ok(SealedContent {
            original: seal::seal(&key.public, &custody.original)?,
            copies,
            key,
        })
    }

    fn write_hold(
        &self,
        tx: &Tx<'_>,
        ready: &Ready<'_>,
        custody: &Custody,
        content: &SealedContent,
        owned: &[&Owned],
    ) -> Result<(), Failure> {
        let at = ready.incident.received.unix_timestamp();
        let n = write_incident(tx, ready, Some(custody), Some(content))?;
        write_content(tx, n, content)?;
        for own in owned {
            self.write_recipient(tx, n, ready.incident, own, at)?;
        }
        write_notice(tx, n, ready.incident, at)?;
        let count = |wanted: fn(Duty) -> bool| owned.iter().filter(|own| wanted(own.duty)).count();
        let detail = json!({
            "held": count(|duty| duty == Duty::Hold),
            "to_send": count(|duty| matches!(duty, Duty::SendOriginal | Duty::SendCopy(_))),
            "refused": count(|duty| duty == Duty::Refuse),
        });
        append(tx, self.keys(), judgement(What::Held, ready, detail))
    }

    fn write_recipient(&self, tx: &Tx<'_>, n: i64, incident: &Incident, own: &Owned, at: i64) -> Result<(), Failure> {
        let envelope = &incident.envelope;
        let may_fail = envelope
            .recipients
            .get(own.recipient)
            .is_some_and(|r| r.notify().failure);
        let dsn = envelope.sender.is_some() && may_fail;
        let number = own.recipient as i64;
        let state = match own.duty {
            Duty::Hold => State::Held,
            Duty::SendOriginal | Duty::SendCopy(_) => State::Sending,
            Duty::Refuse => State::Refused,
        };
        tx.add_recipient(
            n,
            &NewRecipient {
                number,
                address: &self.owned_hash(incident, own),
                state: state.word(),
                rule: own.rule.as_ref().map(|rule| rule.id.as_str()),
                release_by: &own.release.by,
                release_people: i64::from(own.release.people),
                dsn,
            },
        )?;
        match own.duty {
            Duty::SendOriginal => tx.add_entry(n, &delivery(number, -1, at)),
            Duty::SendCopy(copy) => tx.add_entry(n, &delivery(number, copy as i64, at)),
            Duty::Refuse if dsn => tx.add_entry(n, &super::outbox::dsn(number, super::job::DsnCause::Rule, at)),
            Duty::Refuse | Duty::Hold => Ok(()),
        }
    }
}

/// What is held of the same mail already.
#[derive(Default)]
pub(super) struct Before {
    /// Hashes of the recipients that are ours, and where they stand.
    pub addresses: BTreeMap<Vec<u8>, State>,
    /// The oldest of the holds.
    pub first: Option<IncidentId>,
}

/// An outbox entry for one recipient's copy.
pub(super) fn delivery(recipient: i64, content: i64, at: i64) -> NewEntry {
    NewEntry {
        kind: "delivery",
        recipient: Some(recipient),
        content: Some(content),
        cause: None,
        created: at,
    }
}

/// The recipients to write, each raw address once: Postfix removes all repeats of an address with one `DELRCPT`. Of
/// repeats with different duties the one that waits for review is kept.
fn sound<'a>(incident: &Incident, custody: &'a Custody) -> Result<Vec<&'a Owned>, StoreError> {
    let mut by_address: BTreeMap<&[u8], &Owned> = BTreeMap::new();
    for own in &custody.owned {
        let Some(recipient) = incident.envelope.recipients.get(own.recipient) else {
            return Err(StoreError::Refused(
                "a recipient to own is not in the envelope; nothing was stored".to_owned(),
            ));
        };
        if matches!(own.duty, Duty::SendCopy(copy) if copy >= custody.copies.len()) {
            return Err(StoreError::Refused(
                "a copy to send is not there; nothing was stored".to_owned(),
            ));
        }
        let kept = by_address.entry(&recipient.raw).or_insert(own);
        if own.duty == Duty::Hold && kept.duty != Duty::Hold {
            *kept = own;
        }
    }
    if by_address.is_empty() {
        return Err(StoreError::Refused(
            "no recipient is to be owned; nothing was stored".to_owned(),
        ));
    }
    Ok(by_address.into_values().collect())
}

fn write_incident(
    tx: &Tx<'_>,
    ready: &Ready<'_>,
    custody: Option<&Custody>,
    content: Option<&SealedContent>,
) -> Result<i64, Failure> {
    let incident = ready.incident;
    let content_pub = content.map(|content| content.key.public.to_string());
    let n = tx.add_incident(&NewIncident {
        id: &ready.id.0,
        received: incident.received.unix_timestamp(),
        hold_key: custody.map(|custody| custody.key.hash.as_slice()),
        expires: custody.map(|custody| custody.expires.unix_timestamp()),
        policy: &incident.policy_hash,
        rules: &ready.rules,
        doubts: &ready.doubts,
        numbers: ready.findings.len() as i64,
        copies: custody.map_or(0, |custody| custody.copies.len() as i64),
        content_pub: content_pub.as_deref(),
        record_pub: &ready.record.public.to_string(),
    })?;
    tx.add_key(n, Part::Record, &ready.record.identity)?;
    for (name, data) in [
        ("envelope", &ready.envelope),
        ("facts", &ready.facts),
        ("places", &ready.places),
    ] {
        let sealed = Sealed {
            part: Part::Record,
            name,
            number: 0,
            hash: None,
            data,
        };
        tx.add_sealed(n, &sealed)?;
    }
    for finding in &ready.findings {
        tx.add_finding(n, finding)?;
    }
    if let Some(row) = &ready.judged {
        judged::write(tx, row, Some(n))?;
    }
    Ok(n)
}

fn write_content(tx: &Tx<'_>, n: i64, content: &SealedContent) -> Result<(), Failure> {
    tx.add_key(n, Part::Content, &content.key.identity)?;
    tx.add_sealed(
        n,
        &Sealed {
            part: Part::Content,
            name: "original",
            number: 0,
            hash: None,
            data: &content.original,
        },
    )?;
    for (number, (hash, data)) in content.copies.iter().enumerate() {
        let sealed = Sealed {
            part: Part::Content,
            name: "copy",
            number: number as i64,
            hash: Some(hash),
            data,
        };
        tx.add_sealed(n, &sealed)?;
    }
    Ok(())
}

/// Nobody is told at the null sender (RFC 5321 §4.5.5).
fn write_notice(tx: &Tx<'_>, n: i64, incident: &Incident, at: i64) -> Result<(), Failure> {
    if !incident.notify || incident.envelope.sender.is_none() {
        return Ok(());
    }
    let notice = NewEntry {
        kind: "notice",
        recipient: None,
        content: None,
        cause: None,
        created: at,
    };
    tx.add_entry(n, &notice)
}

fn judgement<'a>(what: What, ready: &'a Ready<'_>, mut detail: serde_json::Value) -> Entry<'a> {
    detail["rules"] = serde_json::from_str(&ready.rules).unwrap_or_default();
    detail["doubts"] = serde_json::from_str(&ready.doubts).unwrap_or_default();
    detail["numbers"] = json!(ready.findings.len());
    detail["recipients"] = json!(ready.incident.envelope.recipients.len());
    let at = ready.incident.received.unix_timestamp();
    let entry = Entry::new(what, at, MILTER).of(&ready.id.0).with(detail);
    Entry {
        policy: Some(&ready.incident.policy_hash),
        ..entry
    }
}

fn json_bytes(value: &impl serde::Serialize) -> Result<zeroize::Zeroizing<Vec<u8>>, StoreError> {
    serde_json::to_vec(value).map(zeroize::Zeroizing::new).map_err(|_| {
        StoreError::Unusable("the mail's facts could not be written as JSON; nothing was stored".to_owned())
    })
}

impl Keys {
    /// What stands for a number: for protected persons, and for "where has it gone?".
    pub(super) fn person(&self, number: &Secret) -> [u8; 32] {
        self.mac(Purpose::Person, &[number.reveal().as_bytes()])
    }
}
