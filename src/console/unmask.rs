//! Seeing what is masked: asked for with a reason, agreed to by another where two must, ended by hand or by the clock.

use super::Desk;
use super::answer::redirect;
use super::asked::{Asked, Running, Trouble};
use crate::review::ReviewError;
use crate::store::{Account, AuditEvent, Decider, IncidentId, Store, StoreError, Wish};
use serde_json::json;
use std::sync::Arc;
use time::Duration;

/// `POST /mail/{id}/unmask`.
pub(super) fn ask(desk: Arc<Desk>, asked: Asked) -> Running {
    Box::pin(async move {
        let id = asked.incident()?;
        let done = with(&desk, &asked, |store, id, account, minutes, by| {
            store.ask_unmask(id, account, minutes, by).map(|wish| match wish {
                Wish::Granted(_) => "unmasked",
                Wish::Waits => "unmask_waiting",
            })
        });
        Ok(redirect(&format!("/mail/{id}?done={}", done.await?)))
    })
}

/// `POST /mail/{id}/unmask/agree`.
pub(super) fn agree(desk: Arc<Desk>, asked: Asked) -> Running {
    Box::pin(async move {
        let id = asked.incident()?;
        let n: i64 = asked.form.one("n").parse().map_err(|_| Trouble::NotFound)?;
        let done = with(&desk, &asked, move |store, id, account, minutes, by| {
            store
                .agree_unmask(id, n, account, minutes, by)
                .map(|()| "unmask_agreed")
        });
        Ok(redirect(&format!("/mail/{id}?done={}", done.await?)))
    })
}

/// `POST /mail/{id}/mask`.
pub(super) fn mask(desk: Arc<Desk>, asked: Asked) -> Running {
    Box::pin(async move {
        let (id, account) = (asked.incident()?, asked.account()?.clone());
        let which = id.clone();
        desk.review
            .with_store(move |store| store.end_unmask(&which, &account))
            .await?;
        Ok(redirect(&format!("/mail/{id}?done=masked")))
    })
}

/// With the reason typed; a refusal is recorded.
async fn with(
    desk: &Desk,
    asked: &Asked,
    work: impl FnOnce(&Store, &IncidentId, &Account, Duration, &Decider<'_>) -> Result<&'static str, StoreError>
    + Send
    + 'static,
) -> Result<&'static str, Trouble> {
    let (id, account, reason, now) = (asked.incident()?, asked.account()?.clone(), asked.reason()?, asked.now);
    let minutes = Duration::minutes(i64::from(desk.settings.unmask_minutes));
    let done = desk.review.with_store(move |store| {
        let by = Decider {
            actor: &account.name,
            reason: &reason,
            now,
        };
        let done = work(store, &id, &account, minutes, &by);
        if matches!(done, Err(StoreError::Refused(_))) {
            store.note_deed(&id, AuditEvent::Denied, Some(json!({"deed": "unmask"})), &by)?;
        }
        done
    });
    done.await.map_err(|error: ReviewError| error.into())
}
