//! The edge to Postfix: one milter connection per SMTP session, one decision per recipient at the end of each message.
//!
//! The road of one message: [`session`] gathers it, [`judge`] asks inspection and policy, [`tries`] what an earlier try of
//! the same mail made ours, [`plan`] says who owns what afterwards, [`settle`] writes down what becomes ours, [`act`] tells Postfix. Everything that these need from the rest
//! of the house is the trait [`World`]; [`real`] is the one implementation outside tests.
//!
//! Not here: reading mail (`worker`), judging it (`policy`), keeping it (`store`), sending it (`courier`). No type of the
//! milter library leaves this module.
//!
//! **The invariant (DESIGN §3).** For every message and recipient exactly one of delivered, held, refused to the client.
//! Whatever goes wrong is a 4xx *inside* the protocol, never a dropped connection: before Postfix 3.11 one milter error
//! poisons the whole SMTP session (RELEASE_NOTES-3.11).

mod act;
mod callbacks;
mod dry;
mod facts;
mod fields;
mod gate;
mod inherited;
mod judge;
mod listener;
mod negotiate;
mod notes;
mod notice;
pub mod plan;
mod real;
mod reply;
mod serve;
mod session;
mod settle;
mod spool;
mod tries;
mod words;
mod world;

pub use dry::{Dry, Explained, Told, explain};
pub use fields::{Field, Mail};

pub use listener::{Endpoint, ListenError, Socket};
pub use notes::Notes;
pub use real::Real;
pub use serve::{Served, Settings, Shared, run};
pub use tries::Try;
pub use world::{Copied, PolicyWords, Takeover, Trouble, World};
