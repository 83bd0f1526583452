//! Sends what we own: notices, DSNs, released and redacted copies.
//!
//! Exists because mail that we took over is ours to deliver, and "sent" is only true when the MTA answered 250.

mod carry;
mod dates;
mod dsn;
mod envelope;
mod gateway;
mod guard;
mod lines;
mod may;
mod mime;
mod notice;
mod outbox;
mod places;
mod reply;
mod run;
mod smtp;
mod templates;
mod words;

pub use carry::{Inside, Languages, Voice};
pub(crate) use dates::spoken;
pub use envelope::{Refused, Transaction};
pub use may::{Verdict, may_notify};
pub use notice::{Composed, Desk, Letter, kind_at_intake};
pub use outbox::{Outbox, Task};
pub use reply::Reply;
pub use run::{CourierError, Pace, run, run_at};
pub use smtp::{Peer, Sent, Timeouts};
pub use templates::{Kind, TemplateProblem, Templates, check_templates};
pub(crate) use words::{clean, doubt_words, place as place_words};
