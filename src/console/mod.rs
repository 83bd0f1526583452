//! Web pages for those who decide about held mail: pages made on the server, no script at all, one answer a request.
//!
//! | file | what |
//! |---|---|
//! | `routes` | the one table of pages: who may see what |
//! | `answer` | a request's way through it: session, role, token against forged forms, headers |
//! | `signin`, `password`, `totp`, `cookie` | who somebody is |
//! | `queue`, `incident`, `preview`, `part`, `unmask`, `decide`, `bulk`, `trail`, `accounts` | one page, or deed, each |
//! | `show`, `words`, `vocabulary`, `render` | how things are said, in Danish and English |
//!
//! What may be decided by whom is said by `review` and `store`; a page that forgets a rule is refused there.

mod accounts;
mod answer;
mod asked;
mod bulk;
mod cookie;
mod decide;
mod incident;
mod listen;
mod part;
pub mod password;
mod preview;
mod queue;
mod render;
mod routes;
mod show;
mod signin;
pub mod totp;
mod trail;
mod unmask;
mod vocabulary;
mod words;

pub use answer::app;
pub use listen::{ConsoleError, serve};
pub use routes::{Access, ROUTES};

use crate::config::Console;
use crate::review::Review;
use std::sync::Arc;
use tokio::sync::Semaphore;

/// Everything that pages are made from.
pub struct Desk {
    review: Arc<Review>,
    settings: Console,
    pages: render::Pages,
    /// Passwords are hashed one or two at a time: each takes 19 MiB and a core.
    hashing: Semaphore,
}

impl Desk {
    /// For a store that can open mail.
    pub fn new(review: Arc<Review>) -> Desk {
        Desk {
            settings: review.config().console.clone(),
            review,
            pages: render::Pages::new(),
            hashing: Semaphore::new(2),
        }
    }

    /// Cookies are for TLS only where reviewers come by TLS.
    fn is_https(&self) -> bool {
        self.settings.address.starts_with("https://")
    }
}
