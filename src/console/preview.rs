//! `GET /mail/{id}/copy`: the copy without the numbers, before it is sent: what goes, and what stands there then.

use super::asked::{Asked, Running};
use super::{Desk, incident, show};
use crate::review::ReviewError;
use crate::store::{AuditEvent, State};
use minijinja::{Value, context};
use serde_json::json;
use std::sync::Arc;

pub(super) fn page(desk: Arc<Desk>, asked: Asked) -> Running {
    Box::pin(async move {
        let id = asked.incident()?;
        let (which, actor, now) = (id.clone(), asked.account()?.name.clone(), asked.now);
        let details = desk
            .review
            .with_store(move |store| {
                let by = crate::store::Decider {
                    actor: &actor,
                    reason: "console",
                    now,
                };
                store.note_deed(&which, AuditEvent::Viewed, Some(json!({"what": "redacted copy"})), &by)?;
                store.show(&which)
            })
            .await?;
        let look = desk.review.look(&id).await?;
        let (copy, problem) = match desk.review.clean_copy(&id).await {
            Ok(copy) => (Some(copy), None),
            Err(ReviewError::NotClean(why)) => (None, Some(why)),
            Err(error) => return Err(error.into()),
        };
        let gone = incident::content(&look.seen, &id, false, &asked);
        let recipients: Vec<Value> = details
            .recipients
            .iter()
            .filter(|line| line.state == State::Held)
            .map(|line| context! {n => line.index, number => line.index + 1, address => line.address.as_deref().map(show::line)})
            .collect();
        let page = context! {
            id => id.to_string(),
            gone,
            removed => copy.as_ref().map(|copy| copy.removed),
            left => copy.as_ref().map(|copy| copy.seen.report.findings.len()),
            parts => copy.as_ref().map(|copy| incident::content(&copy.seen, &id, false, &asked)),
            problem,
            recipients,
        };
        desk.page(&asked, "copy.html", page)
    })
}
