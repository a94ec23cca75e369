//! What every store must do, and what the SQLite store must withstand.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]
#![allow(clippy::print_stdout, reason = "child processes tell what they did")]

mod both_stores;
mod checkpoints;
mod conformance;
mod damage;
mod data;
mod evidence;
mod forged_purges;
mod guarded;
mod incidents;
#[cfg(feature = "checkpoints")]
mod keys;
mod kill;
mod lists;
mod log;
mod outbox;
mod paths;
mod processes;
mod purge;
mod query;
mod schema;
mod small_log;
mod status;
mod upkeep;
mod wal;
