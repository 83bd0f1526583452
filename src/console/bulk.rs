//! Deciding about several mails at once, when they are alike: first a page that says what will be done, then the deed, mail by
//! mail, each with its own record and by the same rules as one alone.

use super::asked::{Asked, Running, Trouble};
use super::decide::{Deed, carry_out};
use super::{Desk, queue, show, words};
use crate::store::{Details, State, Whom};
use minijinja::{Value, context};
use std::sync::Arc;

/// More at once is not looking.
const MOST: usize = 25;

/// `POST /queue/check`: shows, and does nothing.
pub(super) fn check(desk: Arc<Desk>, asked: Asked) -> Running {
    Box::pin(async move {
        let (deed, mails) = chosen(&desk, &asked).await?;
        let rows: Vec<Value> = mails.iter().map(|mail| row(mail, "", &asked)).collect();
        let page = context! {
            rows,
            deed => deed.word(),
            deed_words => words::of(deed.word(), asked.language),
            checking => true,
        };
        desk.page(&asked, "bulk.html", page)
    })
}

/// `POST /queue/decide`.
pub(super) fn decide(desk: Arc<Desk>, asked: Asked) -> Running {
    Box::pin(async move {
        let (deed, mails) = chosen(&desk, &asked).await?;
        let reason = asked.reason()?;
        let mut rows = Vec::new();
        for mail in &mails {
            let done = carry_out(&desk, &mail.summary.id, deed, &Whom::All, &asked.by(&reason)).await;
            let said = match done {
                Ok(key) => words::of(key, asked.language).to_owned(),
                Err(Trouble::Refused(why)) => why,
                Err(Trouble::Broken(why)) => {
                    tracing::error!("console: {why}");
                    words::of("broken", asked.language).to_owned()
                }
                Err(_) => words::of("not_found", asked.language).to_owned(),
            };
            rows.push(row(mail, &said, &asked));
        }
        let page = context! {
            rows,
            deed => deed.word(),
            deed_words => words::of(deed.word(), asked.language),
            checking => false,
        };
        desk.page(&asked, "bulk.html", page)
    })
}

/// The mails that were ticked: alike, and few enough to have been looked at.
async fn chosen(desk: &Desk, asked: &Asked) -> Result<(Deed, Vec<Details>), Trouble> {
    let deed = Deed::from_word(asked.form.one("deed")).ok_or(Trouble::Wrong("no_deed"))?;
    let ids = queue::chosen(&asked.form)?;
    if ids.len() > MOST {
        return Err(Trouble::Wrong("too_many"));
    }
    let mails: Vec<Details> = desk
        .review
        .with_store(move |store| ids.iter().map(|id| store.show(id)).collect())
        .await?;
    let alike = |mail: &&Details| (rules(mail), mail.summary.doubts.clone());
    let mut kinds = mails.iter().map(|mail| alike(&mail));
    let first = kinds.next();
    if kinds.any(|kind| Some(kind) != first) {
        return Err(Trouble::Wrong("not_alike"));
    }
    Ok((deed, mails))
}

/// Rules that hold something of it, sorted.
fn rules(mail: &Details) -> Vec<Option<String>> {
    let held = mail.recipients.iter().filter(|line| line.state == State::Held);
    let mut rules: Vec<Option<String>> = held.map(|line| line.rule.clone()).collect();
    rules.sort();
    rules.dedup();
    rules
}

fn row(mail: &Details, said: &str, asked: &Asked) -> Value {
    let facts = mail.summary.facts.as_ref();
    let held = mail.recipients.iter().filter(|line| line.state == State::Held);
    let named: Vec<String> = rules(mail)
        .into_iter()
        .flatten()
        .map(|rule| show::line(&rule))
        .collect();
    context! {
        id => mail.summary.id.to_string(),
        received => show::short(mail.summary.received, asked.language),
        subject => facts.and_then(|facts| facts.subject.as_deref()).map_or_else(String::new, show::line),
        to => held.filter_map(|line| line.address.clone()).collect::<Vec<_>>(),
        rules => named,
        said,
    }
}
