//! Nothing that was acknowledged is lost: not by a kill, not by a full disk.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(clippy::print_stdout, reason = "children and seeds are told")]

mod full;
mod history;
mod killed;
