//! The one table of pages: what is not in it is not there, and each row says who may see it.

use super::asked::{Asked, Running};
use super::{Desk, accounts, bulk, decide, incident, part, preview, queue, signin, trail, unmask};
use crate::store::Role;
use std::sync::Arc;

/// Who may see a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Everybody, signed in or not.
    Anyone,
    /// Accounts of these roles.
    Roles(&'static [Role]),
}

/// One row.
pub struct Route {
    /// `GET`, which shows and never acts, or `POST`, which needs the token that our own form holds.
    pub method: &'static str,
    /// As axum writes it.
    pub path: &'static str,
    /// Who may.
    pub access: Access,
    pub(super) run: fn(Arc<Desk>, Asked) -> Running,
}

const EVERY: Access = Access::Roles(&Role::ALL);
const READS: Access = Access::Roles(&[Role::Reviewer, Role::Dpo, Role::Auditor]);
const DECIDES: Access = Access::Roles(&[Role::Reviewer, Role::Dpo]);
const AUDITS: Access = Access::Roles(&[Role::Dpo, Role::Auditor]);
const ADMINISTERS: Access = Access::Roles(&[Role::Administrator]);

const fn get(path: &'static str, access: Access, run: fn(Arc<Desk>, Asked) -> Running) -> Route {
    Route {
        method: "GET",
        path,
        access,
        run,
    }
}

const fn post(path: &'static str, access: Access, run: fn(Arc<Desk>, Asked) -> Running) -> Route {
    Route {
        method: "POST",
        path,
        access,
        run,
    }
}

/// All pages.
pub static ROUTES: &[Route] = &[
    get("/style.css", Access::Anyone, signin::style),
    get("/sign-in", Access::Anyone, signin::form),
    post("/sign-in", Access::Anyone, signin::sign_in),
    post("/language", Access::Anyone, signin::language),
    post("/sign-out", EVERY, signin::sign_out),
    get("/", EVERY, signin::home),
    get("/queue", READS, queue::page),
    post("/queue/check", DECIDES, bulk::check),
    post("/queue/decide", DECIDES, bulk::decide),
    get("/mail/{id}", READS, incident::page),
    post("/mail/{id}/decide", DECIDES, decide::decide),
    get("/mail/{id}/copy", DECIDES, preview::page),
    post("/mail/{id}/unmask", DECIDES, unmask::ask),
    post("/mail/{id}/unmask/agree", DECIDES, unmask::agree),
    post("/mail/{id}/mask", DECIDES, unmask::mask),
    get("/mail/{id}/part/{part}", DECIDES, part::warn),
    post("/mail/{id}/part/{part}", DECIDES, part::download),
    get("/trail", AUDITS, trail::page),
    get("/accounts", ADMINISTERS, accounts::page),
    post("/accounts", ADMINISTERS, accounts::change),
];
