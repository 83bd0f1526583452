//! Custody: what the store promises to the session, the courier and the desk.

mod accounts;
mod audit;
mod desk;
mod durable;
mod faults;
mod fixture;
mod hold;
mod judged;
mod keys;
mod outbox;
mod property;
mod raw;
mod syscalls;
