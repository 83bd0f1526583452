//! The console, from outside: the real courier process, spoken to over HTTP.

mod access;
mod client;
#[path = "../courier_peer/mod.rs"]
mod courier_peer;
mod mail;
mod queue;
mod signing_in;
mod world;

use cpr_milter::cpr::made_up;

fn number(seed: u32) -> String {
    made_up::hyphenated(&made_up::number(seed.into()))
}
