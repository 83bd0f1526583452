//! What `policy explain` shows, as one JSON object.

use super::{Notice, groups};
use crate::cpr::mask;
use crate::milter::Explained;
use crate::policy::words;
use crate::types::{Action, Decision, FateWord, Recipient};
use serde_json::{Value, json};
use std::collections::BTreeSet;

pub(super) fn as_json(e: &Explained, notice: Option<&Notice>, given: &[String]) -> Value {
    let numbers: Vec<Value> = e
        .numbers
        .iter()
        .enumerate()
        .map(|(i, told)| {
            let n = &told.number;
            let classes: BTreeSet<&str> = n.sightings.iter().map(|s| words::place(s.class)).collect();
            json!({
                "no": i + 1,
                "kind": n.kind.word(),
                "masked": told.masked,
                "confidence": n.sightings.iter().map(|s| s.confidence).max().map(|c| c.word()),
                "classes": classes,
                "places": told.places,
                "sightings": n.sightings.len(),
                "hidden": n.sightings.iter().any(|s| s.hidden),
                "fake_redaction": n.sightings.iter().any(|s| s.fake_redaction),
            })
        })
        .collect();
    let doubts: Vec<Value> = e
        .report
        .doubts
        .iter()
        .map(|d| {
            json!({
                "kind": d.kind.word(), "name": d.place.name.as_deref().map(mask), "reason": d.reason,
            })
        })
        .collect();
    let each = e.decisions.iter().zip(&e.envelope.recipients).zip(&e.fates);
    let recipients: Vec<Value> = each
        .map(|((decision, recipient), fate)| {
            let groups = groups(recipient.address.as_ref(), &e.policy, given);
            let sampled = e.policy.may_spot_check(decision);
            let mut value = recipient_json(decision, recipient, *fate, &groups);
            value["sampled"] = json!(sampled);
            value
        })
        .collect();
    json!({
        "policy": {"name": mask(e.policy.name()), "hash": e.policy.hash()},
        "from": e.envelope.sender.as_ref().map(|a| mask(&a.to_string())),
        "from_groups": groups(e.envelope.sender.as_ref(), &e.policy, given),
        "login": e.envelope.login.as_deref().map(mask),
        "numbers": numbers,
        "doubts": doubts,
        "recipients": recipients,
        "reply": e.refused,
        "notice": notice.map(|n| json!({"to": n.to, "subject": n.subject, "text": n.body})),
    })
}

fn recipient_json(decision: &Decision, recipient: &Recipient, fate: FateWord, groups: &[&str]) -> Value {
    let from_one = |numbers: &[usize]| numbers.iter().map(|n| n + 1).collect::<Vec<_>>();
    let matched: Vec<Value> = decision
        .matched
        .iter()
        .map(|m| {
            json!({
                "rule": m.rule.id,
                "title": mask(&m.rule.title),
                "action": m.action.word(),
                "gateway": gateway(&m.action),
                "watch": m.watch,
                "numbers": from_one(&m.numbers),
                "doubts": m.doubts.iter().map(|d| d.word()).collect::<Vec<_>>(),
            })
        })
        .collect();
    let lifted: Vec<Value> = decision
        .lifted
        .iter()
        .map(|l| {
            json!({
                "rule": l.rule.id, "exception": &*l.exception, "numbers": from_one(&l.numbers),
            })
        })
        .collect();
    let rule = |rule: &Option<std::sync::Arc<crate::types::RuleRef>>| {
        rule.as_ref().map(|r| json!({"id": r.id, "title": mask(&r.title)}))
    };
    json!({
        "to": match &recipient.address {
            Some(address) => mask(&address.to_string()),
            None => mask(&String::from_utf8_lossy(&recipient.raw)),
        },
        "groups": groups,
        "action": decision.action.word(),
        "gateway": gateway(&decision.action),
        "fate": fate,
        "rule": rule(&decision.rule),
        "told": rule(&decision.told),
        "removed": from_one(&decision.redact),
        "release": (fate == FateWord::Held).then_some(&decision.release),
        "matched": matched,
        "lifted": lifted,
    })
}

fn gateway(action: &Action) -> Option<String> {
    match action {
        Action::Reroute(gateway) => Some(mask(gateway)),
        _ => None,
    }
}
