//! Templates to pages. They are compiled into the program; all that goes into them is escaped, and what they name must be
//! there.

use super::Desk;
use super::answer::header;
use super::asked::{Asked, Trouble};
use super::words;
use crate::policy::Language;
use crate::store::Role;
use axum::body::Body;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderName, StatusCode};
use axum::response::Response;
use minijinja::{AutoEscape, Environment, UndefinedBehavior, Value, context};
use std::collections::BTreeMap;

/// The pages, by name.
const PAGES: [(&str, &str); 13] = [
    ("layout.html", include_str!("pages/layout.html")),
    ("sign_in.html", include_str!("pages/sign_in.html")),
    ("queue.html", include_str!("pages/queue.html")),
    ("incident.html", include_str!("pages/incident.html")),
    ("incident_decide.html", include_str!("pages/incident_decide.html")),
    ("incident_record.html", include_str!("pages/incident_record.html")),
    ("incident_content.html", include_str!("pages/incident_content.html")),
    ("copy.html", include_str!("pages/copy.html")),
    ("bulk.html", include_str!("pages/bulk.html")),
    ("part.html", include_str!("pages/part.html")),
    ("trail.html", include_str!("pages/trail.html")),
    ("accounts.html", include_str!("pages/accounts.html")),
    ("message.html", include_str!("pages/message.html")),
];

/// Templates and words, ready to be used.
pub(super) struct Pages {
    environment: Environment<'static>,
    danish: Value,
    english: Value,
}

impl Pages {
    pub(super) fn new() -> Pages {
        let mut environment = Environment::new();
        environment.set_auto_escape_callback(|_| AutoEscape::Html);
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        for (name, text) in PAGES {
            if let Err(error) = environment.add_template(name, text) {
                // A test renders every page; nobody meets this.
                tracing::error!("the page {name} is broken: {error}");
            }
        }
        let all = |pick: fn(&(&'static str, &'static str, &'static str)) -> &'static str| {
            let each = words::WORDS.iter().map(|word| (word.0, pick(word)));
            Value::from_serialize(each.collect::<BTreeMap<_, _>>())
        };
        Pages {
            environment,
            danish: all(|word| word.1),
            english: all(|word| word.2),
        }
    }

    fn words(&self, language: Language) -> &Value {
        match language {
            Language::Da => &self.danish,
            Language::En => &self.english,
        }
    }
}

/// A page in the bar at the top: its address, the key of its word.
fn places(role: Role) -> &'static [(&'static str, &'static str)] {
    match role {
        Role::Reviewer => &[("/queue", "queue")],
        Role::Dpo => &[("/queue", "queue"), ("/trail", "trail")],
        Role::Auditor => &[("/queue", "queue"), ("/trail", "trail")],
        Role::Administrator => &[("/accounts", "accounts")],
    }
}

impl Desk {
    /// A page with what all pages have.
    pub(super) fn page(&self, asked: &Asked, name: &str, page: Value) -> Result<Response, Trouble> {
        let html = self.html(asked, name, page).map_err(|error| {
            // The error may quote what was to be shown.
            Trouble::Broken(format!("the page {name} cannot be made: {:?}", error.kind()))
        })?;
        Ok(with_type(html, CONTENT_TYPE, "text/html; charset=utf-8"))
    }

    fn html(&self, asked: &Asked, name: &str, page: Value) -> Result<String, minijinja::Error> {
        let words = self.pages.words(asked.language);
        let account = asked.account.as_ref();
        let here = asked.here.split(['?', '#']).next().unwrap_or("/");
        let nav: Vec<Value> = account
            .map(|account| places(account.role))
            .unwrap_or_default()
            .iter()
            .map(|(address, key)| context! {address, word => words.get_attr(key).unwrap_or_default(), here => here == *address})
            .collect();
        let base = context! {
            t => words,
            language => if asked.language == Language::Da { "da" } else { "en" },
            token => asked.token,
            here => asked.here,
            nav,
            signed_in => account.is_some(),
            name => account.map_or("", |account| account.name.as_str()),
            role => account.map_or("", |account| words::role(account.role, asked.language)),
        };
        let template = self.pages.environment.get_template(name)?;
        template.render(context! {..page, ..base})
    }

    /// What is said when there is no page.
    pub(super) fn trouble(&self, asked: &Asked, trouble: Trouble) -> Response {
        let (status, key, words) = match trouble {
            Trouble::NotFound => (StatusCode::NOT_FOUND, "not_found", String::new()),
            Trouble::Forbidden => (StatusCode::FORBIDDEN, "forbidden", String::new()),
            Trouble::Forged => (StatusCode::FORBIDDEN, "forged", String::new()),
            Trouble::Wrong(key) => (StatusCode::BAD_REQUEST, key, String::new()),
            Trouble::Refused(words) => (StatusCode::CONFLICT, "refused", words),
            Trouble::Broken(words) => {
                tracing::error!("console: {words}");
                (StatusCode::INTERNAL_SERVER_ERROR, "broken", String::new())
            }
        };
        let said = self.pages.words(asked.language).get_attr(key).unwrap_or_default();
        let page = context! {said, details => words};
        let mut response = match self.page(asked, "message.html", page) {
            Ok(response) => response,
            Err(_) => with_type(String::from("cpr-milter"), CONTENT_TYPE, "text/plain"),
        };
        *response.status_mut() = status;
        response
    }
}

/// An answer of one type.
pub(super) fn with_type(body: String, name: HeaderName, media_type: &str) -> Response {
    let mut response = Response::new(Body::from(body));
    header(&mut response, name, media_type);
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_page_is_sound() {
        let pages = Pages::new();
        for (name, _) in PAGES {
            assert!(pages.environment.get_template(name).is_ok(), "{name}");
        }
    }

    #[test]
    fn no_page_has_a_script_or_a_style_of_its_own_or_reaches_elsewhere() {
        for (name, text) in PAGES {
            let text = text.to_lowercase();
            for banned in [
                "<script",
                " style=",
                "<style",
                " onclick",
                "http://",
                "https://",
                "javascript:",
                "|safe",
            ] {
                assert!(!text.contains(banned), "{name}: {banned}");
            }
        }
    }

    #[test]
    fn every_form_that_acts_carries_the_token() {
        for (name, text) in PAGES {
            let posts = text.matches("method=\"post\"").count();
            let tokens = text.matches("name=\"token\" value=\"{{ token }}\"").count();
            assert_eq!(posts, tokens, "{name}");
        }
    }

    #[test]
    fn every_word_that_a_page_uses_is_there_in_both_languages() {
        for (name, text) in PAGES {
            for rest in text
                .split("t.")
                .skip(1)
                .zip(text.split("t."))
                .filter_map(|(rest, before)| {
                    let edge = before
                        .chars()
                        .next_back()
                        .is_none_or(|c| !c.is_alphanumeric() && c != '_');
                    edge.then_some(rest)
                })
            {
                let key: String = rest
                    .chars()
                    .take_while(|c| c.is_ascii_lowercase() || *c == '_')
                    .collect();
                assert!(
                    key.is_empty() || words::WORDS.iter().any(|(known, _, _)| *known == key),
                    "{name}: t.{key}"
                );
            }
        }
    }
}
