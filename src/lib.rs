//! cpr-milter keeps Danish CPR numbers from leaving by e-mail. Table of contents, from the ground up; imports go down
//! only, within a floor also down the list (`tests/floors.rs` checks it).
//!
//! | floor | modules | rule |
//! |---|---|---|
//! | 1, pure | [`cpr`], [`types`], [`policy`] | no I/O, no clock, no threads, no async |
//! | 2, content | [`content`], [`message`], [`document`] | bytes in, bytes out, within limits; no files, no network |
//! | 3, world | [`config`], [`directory`], [`inspect`], [`redact`], [`worker`], [`store`], [`review`], [`courier`] | files, processes, sockets |
//! | 4, edges | [`milter`], [`console`], [`doctor`], [`cli`] | protocols and people |
//!
//! **Logging rule.** No log line, at any level, holds content of a mail, a number, a subject, a file name or the local part
//! of an address. Log the queue ID, the hold's ID, counts, rule ids, and errors that were made without content. The
//! target `indymilter` is capped at `info`: at `trace` it prints headers and bodies.

pub mod cpr;
pub mod types;
pub mod policy;
pub mod content;
pub mod message;
pub mod document;
pub mod config;
pub mod directory;
pub mod inspect;
pub mod redact;
pub mod worker;
pub mod store;
pub mod review;
pub mod courier;
pub mod milter;
pub mod console;
pub mod doctor;
pub mod cli;
