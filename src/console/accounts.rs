//! Accounts, for the administrator, who reads no mail here. They are made on the command line, where their secrets are shown
//! once; here they are stopped.

use super::answer::redirect;
use super::asked::{Asked, Running, Trouble};
use super::{Desk, show, words};
use crate::store::{Account, AccountChange, Decider};
use minijinja::{Value, context};
use std::sync::Arc;
use time::Duration;

/// `GET /accounts`.
pub(super) fn page(desk: Arc<Desk>, asked: Asked) -> Running {
    Box::pin(async move {
        let (now, idle) = (asked.now, Duration::minutes(i64::from(desk.settings.idle_minutes)));
        let accounts = desk
            .review
            .with_store(move |store| {
                let all = store.accounts()?.into_iter();
                all.map(|account| Ok((store.sessions_of(&account, now, idle)?, account)))
                    .collect::<Result<Vec<_>, _>>()
            })
            .await?;
        let me = asked.account()?.person.clone();
        let row = |(sessions, account): &(usize, Account)| -> Value {
            context! {
                name => show::line(&account.name),
                role => words::role(account.role, asked.language),
                mail => account.mail.iter().map(|mail| show::line(mail)).collect::<Vec<_>>(),
                unmask => account.unmask,
                second_factor => account.second_factor,
                disabled => account.disabled,
                sessions,
                me => account.person == me,
            }
        };
        let page = context! {
            rows => accounts.iter().map(row).collect::<Vec<_>>(),
            done => words::done(asked.query.one("done"), asked.language),
        };
        desk.page(&asked, "accounts.html", page)
    })
}

/// `POST /accounts`.
pub(super) fn change(desk: Arc<Desk>, asked: Asked) -> Running {
    Box::pin(async move {
        let change = match asked.form.one("change") {
            "disable" => AccountChange::Disabled(true),
            "enable" => AccountChange::Disabled(false),
            "sign_out" => AccountChange::SignedOut,
            _ => return Err(Trouble::Wrong("no_deed")),
        };
        let (actor, now, name) = (
            asked.account()?.name.clone(),
            asked.now,
            asked.form.one("name").to_owned(),
        );
        desk.review
            .with_store(move |store| {
                let by = Decider {
                    actor: &actor,
                    reason: "console",
                    now,
                };
                store.change_account(&name, &change, &by)
            })
            .await?;
        Ok(redirect("/accounts?done=account_changed"))
    })
}
