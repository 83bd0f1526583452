//! Behaviour of `cpr_milter::message`.

mod cases;
mod generated;
mod hostile;
mod rebuild;
mod tables;
