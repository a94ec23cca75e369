//! Sinks against real receivers: rsyslog, a mail server, a web server, programs, files.
#![cfg(unix)]
#![allow(
    clippy::unnecessary_debug_formatting,
    reason = "a path in TOML stands in quotes"
)]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test fails by panicking, and says what it did not test"
)]

mod certificates;
mod commands;
mod files;
mod mails;
mod process;
#[path = "../shared/mod.rs"]
mod shared;
mod syslog;
mod webhooks;
