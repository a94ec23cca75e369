//! What every store must do, and what the SQLite store must withstand.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod conformance;
mod damage;
mod data;
mod kill;
mod paths;
mod processes;
mod query;
mod schema;
