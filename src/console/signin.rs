//! Signing in and out. Name, password and code are asked for on one page: an answer never says which of them was wrong.

use super::answer::{header, redirect};
use super::asked::{Asked, Running, Trouble};
use super::render::with_type;
use super::{Desk, cookie, password, totp};
use crate::config::SecondFactor;
use crate::policy::Language;
use crate::store::{Account, Role, SessionId, SignIn};
use axum::http::HeaderMap;
use axum::http::header::{CONTENT_TYPE, SET_COOKIE};
use minijinja::context;
use std::sync::Arc;
use time::Duration;

/// How long somebody waits for their password to be looked at.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(10);

const STYLE: &str = include_str!("pages/style.css");

/// `GET /style.css`.
pub(super) fn style(_: Arc<Desk>, _: Asked) -> Running {
    Box::pin(async { Ok(with_type(STYLE.to_owned(), CONTENT_TYPE, "text/css; charset=utf-8")) })
}

/// `GET /`: the page that a role works at.
pub(super) fn home(_: Arc<Desk>, asked: Asked) -> Running {
    Box::pin(async move { Ok(redirect(first_page(asked.account()?.role))) })
}

fn first_page(role: Role) -> &'static str {
    match role {
        Role::Reviewer | Role::Dpo => "/queue",
        Role::Auditor => "/trail",
        Role::Administrator => "/accounts",
    }
}

/// Where to sign in, and come back from. Only to a page of ours, and only to one that shows.
pub(super) fn address(method: &str, here: &str) -> String {
    match method == "GET" && here != "/" {
        true => format!("/sign-in?next={}", escaped(here)),
        false => "/sign-in".to_owned(),
    }
}

fn escaped(text: &str) -> String {
    let plain = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'/' | b'-' | b'_' | b'.');
    text.bytes()
        .map(|b| {
            if plain(&b) {
                char::from(b).to_string()
            } else {
                format!("%{b:02X}")
            }
        })
        .collect()
}

/// A path on this host, or the first page: `//elsewhere` and `/\elsewhere` are other hosts to a browser.
fn safe_next(next: &str) -> &str {
    let host = next.starts_with("//") || next.contains('\\') || next.chars().any(|c| c.is_control());
    if next.starts_with('/') && !host { next } else { "/" }
}

/// `GET /sign-in`.
pub(super) fn form(desk: Arc<Desk>, asked: Asked) -> Running {
    Box::pin(async move { shown(&desk, &asked, asked.query.one("next"), "") })
}

fn shown(desk: &Desk, asked: &Asked, next: &str, problem: &str) -> Result<axum::response::Response, Trouble> {
    let by_header = !desk.settings.trusted_header.is_empty();
    let page = context! {next => safe_next(next), problem, by_header, name => asked.form.one("name")};
    desk.page(asked, "sign_in.html", page)
}

/// `POST /sign-in`.
pub(super) fn sign_in(desk: Arc<Desk>, asked: Asked) -> Running {
    Box::pin(async move {
        let next = asked.form.one("next").to_owned();
        if !desk.settings.trusted_header.is_empty() {
            return Err(Trouble::Forbidden);
        }
        match known(&desk, &asked).await? {
            Ok((account, how)) => {
                let cookie = begin(&desk, &account, how, &asked).await?;
                let mut response = redirect(safe_next(&next));
                header(&mut response, SET_COOKIE, &cookie);
                Ok(response)
            }
            Err(problem) => shown(&desk, &asked, &next, problem),
        }
    })
}

/// Who it is, or a word for why not.
async fn known(desk: &Desk, asked: &Asked) -> Result<Result<(Account, SignIn), &'static str>, Trouble> {
    let (name, now) = (asked.form.one("name").to_owned(), asked.now);
    let typed = name.clone();
    let found = desk
        .review
        .with_store(move |store| {
            if store.locked_out(&typed, now)? {
                return Ok(None);
            }
            let account = store.account(&typed)?;
            let secrets = account.as_ref().map(|account| store.secrets(account)).transpose()?;
            Ok(Some((account, secrets.unwrap_or_default())))
        })
        .await?;
    let Some((account, secrets)) = found else {
        return Ok(Err("locked_out"));
    };
    let (hash, second) = (secrets.password, secrets.second_factor);
    let password = zeroize::Zeroizing::new(asked.form.raw("password").to_owned());
    // Whoever sends thousands keeps themselves waiting, and fills nothing up.
    let Ok(Ok(_turn)) = tokio::time::timeout(PATIENCE, desk.hashing.acquire()).await else {
        return Ok(Err("busy"));
    };
    let right = tokio::task::spawn_blocking(move || password::verify(&password, hash.as_deref())).await;
    let right = right.unwrap_or(false);
    let step = second
        .as_ref()
        .and_then(|secret| totp::step_of(secret, asked.form.one("code"), now.unix_timestamp()));
    let enough = match (&second, step) {
        (Some(_), Some(_)) => Some(SignIn::TwoFactors),
        (None, _) if desk.settings.second_factor == SecondFactor::Optional => Some(SignIn::Password),
        _ => None,
    };
    let (Some(account), true, Some(how)) = (account, right, enough) else {
        return failed(desk, name, "wrong", asked).await;
    };
    if let Some(step) = step {
        let whose = account.clone();
        let fresh = desk
            .review
            .with_store(move |store| store.spend_code(&whose, step))
            .await?;
        if !fresh {
            return failed(desk, name, "code used before", asked).await;
        }
    }
    Ok(Ok((account, how)))
}

async fn failed(
    desk: &Desk,
    name: String,
    why: &'static str,
    asked: &Asked,
) -> Result<Result<(Account, SignIn), &'static str>, Trouble> {
    let now = asked.now;
    desk.review
        .with_store(move |store| store.sign_in_failed(&name, why, now))
        .await?;
    Ok(Err("sign_in_failed"))
}

/// Begins a session under a new secret, whatever the browser held before; gives back the cookie.
async fn begin(desk: &Desk, account: &Account, how: SignIn, asked: &Asked) -> Result<String, Trouble> {
    let secret = cookie::fresh().ok_or_else(|| Trouble::Broken("no random numbers".to_owned()))?;
    let id = SessionId::of(secret.as_bytes());
    let old = SessionId::of(asked.secret.as_bytes());
    let (account, now) = (account.clone(), asked.now);
    let ends = now + Duration::hours(i64::from(desk.settings.session_hours));
    desk.review
        .with_store(move |store| {
            store.end_session(&old, &account.name, now)?;
            store.begin_session(&account, &id, how, (now, ends))
        })
        .await?;
    Ok(cookie::set(desk, &secret))
}

/// Behind a proxy that signs people in: the cookie of a session for whom it names, unless they have one already.
pub(super) async fn by_header(desk: &Desk, headers: &HeaderMap, asked: &mut Asked) -> Result<Option<String>, Trouble> {
    let name = &desk.settings.trusted_header;
    if name.is_empty() {
        return Ok(None);
    }
    let mut values = headers.get_all(name).iter();
    let (Some(value), None) = (values.next(), values.next()) else {
        // Nobody, or two: the proxy lets the client's own header through.
        asked.account = None;
        return Ok(None);
    };
    let typed = String::from_utf8_lossy(value.as_bytes()).into_owned();
    let found = desk.review.with_store(move |store| store.account(&typed)).await?;
    let Some(account) = found else {
        asked.account = None;
        return Ok(None);
    };
    if asked
        .account
        .as_ref()
        .is_some_and(|signed_in| signed_in.person == account.person)
    {
        return Ok(None);
    }
    begin(desk, &account, SignIn::Header, asked).await.map(Some)
}

/// `POST /sign-out`.
pub(super) fn sign_out(desk: Arc<Desk>, asked: Asked) -> Running {
    Box::pin(async move {
        let id = SessionId::of(asked.secret.as_bytes());
        let (actor, now) = (asked.account()?.name.clone(), asked.now);
        desk.review
            .with_store(move |store| store.end_session(&id, &actor, now))
            .await?;
        let mut response = redirect("/sign-in");
        let cookie = format!("{}; Max-Age=0", cookie::set(&desk, ""));
        header(&mut response, SET_COOKIE, &cookie);
        Ok(response)
    })
}

/// `POST /language`.
pub(super) fn language(_: Arc<Desk>, asked: Asked) -> Running {
    Box::pin(async move {
        let language = match (asked.form.one("language"), asked.language) {
            ("en", _) => "en",
            ("da", _) | (_, Language::Da) => "da",
            (_, Language::En) => "en",
        };
        let mut response = redirect(safe_next(asked.form.one("next")));
        let cookie = format!("language={language}; Path=/; Max-Age=31536000; HttpOnly; SameSite=Lax");
        header(&mut response, SET_COOKIE, &cookie);
        Ok(response)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_sent_to_another_host() {
        for (next, expected) in [
            ("/mail/bcdf", "/mail/bcdf"),
            ("/queue?page=2", "/queue?page=2"),
            ("//evil.example", "/"),
            ("/\\evil.example", "/"),
            ("https://evil.example", "/"),
            ("/x\r\nSet-Cookie: a", "/"),
            ("", "/"),
        ] {
            assert_eq!(safe_next(next), expected, "{next}");
        }
        assert_eq!(address("GET", "/queue?page=2"), "/sign-in?next=/queue%3Fpage%3D2");
        assert_eq!(address("POST", "/mail/x/decide"), "/sign-in");
    }
}
