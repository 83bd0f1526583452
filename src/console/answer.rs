//! A request's way: whose it is, whether they may, whether a form is ours, and the headers that every answer has.

use super::asked::{Asked, Fields, Trouble};
use super::routes::{Access, ROUTES, Route};
use super::{Desk, cookie, signin};
use crate::policy::Language;
use crate::store::{Account, AuditEvent, SessionId};
use axum::RequestExt;
use axum::Router;
use axum::body::Body;
use axum::extract::{DefaultBodyLimit, Form, FromRequest, Query, RawPathParams, Request};
use axum::http::header::{
    ACCEPT_LANGUAGE, CACHE_CONTROL, CONTENT_SECURITY_POLICY, LOCATION, REFERRER_POLICY, SET_COOKIE,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use axum::response::Response;
use axum::routing::{MethodFilter, on};
use serde_json::json;
use std::sync::Arc;
use time::{Duration, OffsetDateTime};

/// A form holds a reason and some ids.
const MOST: usize = 64 << 10;

/// No script, no frame, nothing from elsewhere, nothing kept.
const HEADERS: [(HeaderName, &str); 7] = [
    (
        CONTENT_SECURITY_POLICY,
        "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    ),
    (X_FRAME_OPTIONS, "DENY"),
    (REFERRER_POLICY, "no-referrer"),
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (CACHE_CONTROL, "no-store"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (
        HeaderName::from_static("permissions-policy"),
        "camera=(), microphone=(), geolocation=()",
    ),
];

/// The pages of the table, ready to be served.
pub fn app(desk: Arc<Desk>) -> Router {
    let mut router = Router::new();
    for row in ROUTES {
        let filter = if row.method == "POST" {
            MethodFilter::POST
        } else {
            MethodFilter::GET
        };
        let desk = Arc::clone(&desk);
        let answer = move |request: Request| answer(Arc::clone(&desk), row, request);
        router = router.route(row.path, on(filter, answer));
    }
    let nowhere = move |request: Request| {
        let desk = Arc::clone(&desk);
        async move {
            let asked = nobody(request.headers());
            guarded(desk.trouble(&asked, Trouble::NotFound))
        }
    };
    router.fallback(nowhere).layer(DefaultBodyLimit::max(MOST))
}

async fn answer(desk: Arc<Desk>, row: &'static Route, request: Request) -> Response {
    let mut asked = nobody(request.headers());
    let response = match admitted(&desk, row, request, &mut asked).await {
        Ok(None) => {
            let shown = Asked {
                account: asked.account.clone(),
                secret: asked.secret.clone(),
                token: asked.token.clone(),
                here: asked.here.clone(),
                ..nobody_in(asked.language, asked.now)
            };
            let secret = asked.secret.clone();
            let mut response = match (row.run)(Arc::clone(&desk), asked).await {
                Ok(response) => response,
                Err(trouble) => desk.trouble(&shown, trouble),
            };
            // Whoever has none is given a secret, so that the form they are shown is known again.
            if !response.headers().contains_key(SET_COOKIE) && row.path == "/sign-in" {
                header(&mut response, SET_COOKIE, &cookie::set(&desk, &secret));
            }
            response
        }
        Ok(Some(elsewhere)) => elsewhere,
        Err(trouble) => {
            denied(&desk, row, &asked, &trouble).await;
            desk.trouble(&asked, trouble)
        }
    };
    guarded(response)
}

/// Fills in what was asked by whom; an answer of its own when they are to go elsewhere first.
async fn admitted(
    desk: &Arc<Desk>,
    row: &'static Route,
    mut request: Request,
    asked: &mut Asked,
) -> Result<Option<Response>, Trouble> {
    let headers = request.headers().clone();
    if row.method == "GET" {
        asked.here = request
            .uri()
            .path_and_query()
            .map_or("/", |here| here.as_str())
            .to_owned();
    }
    asked.query = Query::try_from_uri(request.uri())
        .map(|Query(pairs)| Fields(pairs))
        .unwrap_or_default();
    let params = request.extract_parts::<RawPathParams>().await;
    asked.path = params
        .map(|params| {
            Fields(
                params
                    .iter()
                    .map(|(key, value)| (key.to_owned(), value.to_owned()))
                    .collect(),
            )
        })
        .unwrap_or_default();
    let held = cookie::secret(desk, &headers);
    asked.account = account(desk, held.as_deref(), asked.now).await?;
    asked.secret = held
        .or_else(cookie::fresh)
        .ok_or_else(|| Trouble::Broken("no random numbers".to_owned()))?;
    asked.token = cookie::token(&asked.secret);
    if let Some(cookie) = signin::by_header(desk, &headers, asked).await? {
        // A form that came without a session is shown again: its token cannot be right.
        let mut response = redirect(&asked.here);
        header(&mut response, SET_COOKIE, &cookie);
        return Ok(Some(response));
    }
    if let Access::Roles(roles) = row.access {
        let Some(account) = &asked.account else {
            return Ok(Some(redirect(&signin::address(row.method, &asked.here))));
        };
        if !roles.contains(&account.role) {
            return Err(Trouble::Forbidden);
        }
    }
    if request.method() == Method::POST {
        // Browsers say where a form came from, and pages cannot lie about it (Fetch Metadata).
        let site = headers.get("sec-fetch-site").and_then(|value| value.to_str().ok());
        if !matches!(site, None | Some("same-origin" | "none")) {
            return Err(Trouble::Forged);
        }
        let Form(pairs) = Form::<Vec<(String, String)>>::from_request(request, &())
            .await
            .map_err(|_| Trouble::Forged)?;
        asked.form = Fields(pairs);
        if !cookie::is_token(&asked.secret, asked.form.one("token")) {
            return Err(Trouble::Forged);
        }
    }
    Ok(None)
}

async fn account(desk: &Desk, secret: Option<&str>, now: OffsetDateTime) -> Result<Option<Account>, Trouble> {
    let Some(secret) = secret else {
        return Ok(None);
    };
    let id = SessionId::of(secret.as_bytes());
    let idle = Duration::minutes(i64::from(desk.settings.idle_minutes));
    Ok(desk
        .review
        .with_store(move |store| store.session(&id, now, idle))
        .await?)
}

/// A refusal is written down: who was refused what. The path's words may be anything, so the row of the table is named.
async fn denied(desk: &Desk, row: &'static Route, asked: &Asked, trouble: &Trouble) {
    let why = match trouble {
        Trouble::Forbidden => "role",
        Trouble::Forged => "form",
        _ => return,
    };
    let Some(account) = &asked.account else {
        return;
    };
    let (actor, now) = (account.name.clone(), asked.now);
    let detail = json!({"page": row.path, "method": row.method, "why": why});
    let noted = desk
        .review
        .with_store(move |store| store.noted(AuditEvent::Denied, detail, &actor, now))
        .await;
    if let Err(error) = noted {
        tracing::error!("a refusal of the console was not recorded: {error}");
    }
}

fn nobody(headers: &HeaderMap) -> Asked {
    nobody_in(language(headers), OffsetDateTime::now_utc())
}

fn nobody_in(language: Language, now: OffsetDateTime) -> Asked {
    Asked {
        account: None,
        secret: String::new(),
        token: String::new(),
        path: Fields::default(),
        query: Fields::default(),
        form: Fields::default(),
        here: "/".to_owned(),
        language,
        now,
    }
}

/// The one chosen, or the first of the browser's that we speak; Danish otherwise.
fn language(headers: &HeaderMap) -> Language {
    match cookie::value(headers, "language") {
        Some("da") => return Language::Da,
        Some("en") => return Language::En,
        _ => {}
    }
    let accepted = headers.get(ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
    let ours = accepted.unwrap_or_default().split(',').find_map(|item| {
        let tag = item.trim().to_ascii_lowercase();
        match tag.get(..2) {
            Some("da" | "nb" | "nn" | "no" | "sv") => Some(Language::Da),
            Some("en") => Some(Language::En),
            _ => None,
        }
    });
    ours.unwrap_or(Language::Da)
}

/// Sends the browser to another page of ours, by GET.
pub(super) fn redirect(to: &str) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SEE_OTHER;
    header(&mut response, LOCATION, to);
    response
}

/// A header whose value is ours; one that cannot be written is left out.
pub(super) fn header(response: &mut Response, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().append(name, value);
    }
}

fn guarded(mut response: Response) -> Response {
    for (name, value) in HEADERS {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_language_that_we_speak_is_spoken() {
        for (accept, cookie, expected) in [
            ("da-DK,da;q=0.9,en;q=0.8", "", Language::Da),
            ("en-GB,en;q=0.9,da;q=0.8", "", Language::En),
            ("de,en;q=0.5", "", Language::En),
            ("de", "", Language::Da),
            ("en", "language=da", Language::Da),
            ("da", "x=1; language=en", Language::En),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT_LANGUAGE, HeaderValue::from_str(accept).expect("header"));
            headers.insert(
                axum::http::header::COOKIE,
                HeaderValue::from_str(cookie).expect("header"),
            );
            assert_eq!(language(&headers), expected, "{accept} {cookie}");
        }
    }
}
