//! `GET /trail`: what was done by whom, latest first.

use super::asked::{Asked, Running};
use super::{Desk, show};
use crate::store::{AuditEvent, TrailLine};
use minijinja::{Value, context};
use serde_json::json;
use std::sync::Arc;

/// Records on a page.
const SIZE: usize = 100;

pub(super) fn page(desk: Arc<Desk>, asked: Asked) -> Running {
    Box::pin(async move {
        let before: Option<i64> = asked.query.one("before").parse().ok();
        let (actor, now) = (asked.account()?.name.clone(), asked.now);
        let lines = desk
            .review
            .with_store(move |store| {
                store.noted(AuditEvent::Listed, json!({"what": "trail"}), &actor, now)?;
                store.trail(before, SIZE)
            })
            .await?;
        let earlier = lines.last().map(|line| line.seq).filter(|seq| *seq > 1);
        let rows: Vec<Value> = lines.iter().map(|line| row(line, &asked)).collect();
        let page = context! {rows, earlier, later => before.is_some()};
        desk.page(&asked, "trail.html", page)
    })
}

fn row(line: &TrailLine, asked: &Asked) -> Value {
    context! {
        seq => line.seq,
        at => show::short(line.at, asked.language),
        what => show::event(&line.what, asked.language),
        actor => show::line(&line.actor),
        incident => line.incident.as_ref().map(ToString::to_string),
        recipient => line.recipient.map(|index| index + 1),
        detail => show::plain(&line.detail),
    }
}
