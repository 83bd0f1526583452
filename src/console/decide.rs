//! `POST /mail/{id}/decide`: release, refuse, delete, for the recipients chosen.

use super::Desk;
use super::answer::redirect;
use super::asked::{Asked, Running, Trouble};
use crate::review::{Body, ReviewError};
use crate::store::{AuditEvent, Decider, IncidentId, Released, Whom};
use serde_json::json;
use std::sync::Arc;

/// What is to become of it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Deed {
    Release(Body),
    Refuse,
    Delete,
}

impl Deed {
    pub(super) fn from_word(word: &str) -> Option<Deed> {
        match word {
            "release" => Some(Deed::Release(Body::Original)),
            "redacted" => Some(Deed::Release(Body::Redacted)),
            "refuse" => Some(Deed::Refuse),
            "delete" => Some(Deed::Delete),
            _ => None,
        }
    }

    /// The key of its word.
    pub(super) fn word(self) -> &'static str {
        match self {
            Deed::Release(Body::Original) => "release",
            Deed::Release(Body::Redacted) => "redacted",
            Deed::Refuse => "refuse",
            Deed::Delete => "delete",
        }
    }
}

pub(super) fn decide(desk: Arc<Desk>, asked: Asked) -> Running {
    Box::pin(async move {
        let id = asked.incident()?;
        let deed = Deed::from_word(asked.form.one("deed")).ok_or(Trouble::Wrong("no_deed"))?;
        let reason = asked.reason()?;
        let chosen = asked.form.all("to").into_iter().map(str::parse::<usize>);
        let chosen: Vec<usize> = chosen.collect::<Result<_, _>>().map_err(|_| Trouble::NotFound)?;
        if chosen.is_empty() {
            return Err(Trouble::Wrong("nobody_chosen"));
        }
        let done = carry_out(&desk, &id, deed, &Whom::Some(chosen), &asked.by(&reason)).await?;
        Ok(redirect(&format!("/mail/{id}?done={done}")))
    })
}

/// Does it; gives back the key of the word for what was done. A refusal by the rules is recorded.
pub(super) async fn carry_out(
    desk: &Desk,
    id: &IncidentId,
    deed: Deed,
    whom: &Whom,
    by: &Decider<'_>,
) -> Result<&'static str, Trouble> {
    let done = match deed {
        Deed::Release(body) => desk.review.release(id, whom, body, by).await.map(|released| {
            let waits = released
                .iter()
                .any(|(_, released)| matches!(released, Released::Approved { .. }));
            if waits { "approved" } else { "released" }
        }),
        Deed::Refuse | Deed::Delete => close(desk, id, deed, whom, by).await,
    };
    if let Err(error) = &done
        && error.is_refusal()
    {
        let (which, actor, reason, now) = (id.clone(), by.actor.to_owned(), by.reason.to_owned(), by.now);
        let detail = json!({"deed": deed.word()});
        desk.review
            .with_store(move |store| {
                let by = Decider {
                    actor: &actor,
                    reason: &reason,
                    now,
                };
                store.note_deed(&which, AuditEvent::Denied, Some(detail), &by)
            })
            .await?;
    }
    Ok(done?)
}

async fn close(
    desk: &Desk,
    id: &IncidentId,
    deed: Deed,
    whom: &Whom,
    by: &Decider<'_>,
) -> Result<&'static str, ReviewError> {
    let (id, whom) = (id.clone(), whom.clone());
    let (actor, reason, now) = (by.actor.to_owned(), by.reason.to_owned(), by.now);
    let work = move |store: &crate::store::Store| {
        let by = Decider {
            actor: &actor,
            reason: &reason,
            now,
        };
        match deed {
            Deed::Delete => store.delete(&id, &whom, &by).map(|_| "deleted"),
            _ => store.refuse(&id, &whom, &by).map(|_| "refused_done"),
        }
    };
    desk.review.with_store(work).await
}
