//! A request as pages see it: who asks, for what, in which language; and what may go wrong.

use crate::policy::Language;
use crate::review::ReviewError;
use crate::store::{Account, Decider, IncidentId, StoreError};
use axum::response::Response;
use std::future::Future;
use std::pin::Pin;
use time::OffsetDateTime;

/// A page being made.
pub type Running = Pin<Box<dyn Future<Output = Result<Response, Trouble>> + Send>>;

/// Names and values of a form or an address; a name may stand there several times.
#[derive(Clone, Default)]
pub struct Fields(pub Vec<(String, String)>);

impl Fields {
    /// The first value of that name, trimmed; empty without one.
    pub fn one(&self, name: &str) -> &str {
        let mut all = self.0.iter();
        all.find(|(key, _)| key == name).map_or("", |(_, value)| value.trim())
    }

    /// As typed: a password may begin with a blank.
    pub fn raw(&self, name: &str) -> &str {
        let mut all = self.0.iter();
        all.find(|(key, _)| key == name).map_or("", |(_, value)| value)
    }

    /// All values of that name.
    pub fn all(&self, name: &str) -> Vec<&str> {
        let all = self.0.iter().filter(|(key, _)| key == name);
        all.map(|(_, value)| value.trim()).collect()
    }
}

/// One request.
pub struct Asked {
    /// Who asks; always somebody but on pages for everybody.
    pub account: Option<Account>,
    /// What the browser holds.
    pub secret: String,
    /// The token that our forms carry.
    pub token: String,
    /// Parts of the path, by name.
    pub path: Fields,
    /// Behind the question mark.
    pub query: Fields,
    /// Of a form; empty for `GET`.
    pub form: Fields,
    /// Path and question, for coming back.
    pub here: String,
    /// In which to answer.
    pub language: Language,
    /// Now.
    pub now: OffsetDateTime,
}

/// Why there is no page.
#[derive(Debug)]
pub enum Trouble {
    /// There is nothing of that name.
    NotFound,
    /// Not for this role.
    Forbidden,
    /// A form that is not ours, or too old.
    Forged,
    /// Said of what was typed; a key of `words`.
    Wrong(&'static str),
    /// A rule of deciding said no, in its own words.
    Refused(String),
    /// Something is broken; written to the log.
    Broken(String),
}

impl From<ReviewError> for Trouble {
    fn from(error: ReviewError) -> Trouble {
        match &error {
            ReviewError::Store(StoreError::Unknown(_)) => Trouble::NotFound,
            ReviewError::Store(StoreError::Shredded(_)) => Trouble::Refused(error.to_string()),
            _ if error.is_refusal() => Trouble::Refused(error.to_string()),
            _ => Trouble::Broken(error.to_string()),
        }
    }
}

impl Asked {
    /// Who asks.
    ///
    /// # Errors
    /// Nobody: a page that needs somebody stands in the table as one for everybody.
    pub fn account(&self) -> Result<&Account, Trouble> {
        self.account.as_ref().ok_or(Trouble::Forbidden)
    }

    /// The mail that the path names.
    ///
    /// # Errors
    /// None.
    pub fn incident(&self) -> Result<IncidentId, Trouble> {
        IncidentId::parse(self.path.one("id")).ok_or(Trouble::NotFound)
    }

    /// The reason typed into the form, with who gives it.
    ///
    /// # Errors
    /// There is none.
    pub fn reason(&self) -> Result<String, Trouble> {
        match self.form.one("reason") {
            reason if reason.chars().count() >= 3 => Ok(reason.to_owned()),
            _ => Err(Trouble::Wrong("reason_missing")),
        }
    }

    /// For the audit trail.
    pub fn by<'a>(&'a self, reason: &'a str) -> Decider<'a> {
        Decider {
            actor: self.account.as_ref().map_or("", |account| &account.name),
            reason,
            now: self.now,
        }
    }
}
