//! The service over HTTP, as programs and browsers meet it.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test fails by panicking"
)]

mod accounts;
mod api;
mod bell;
mod client;
mod described;
mod file_sink;
mod gathering;
mod monitoring;
mod pages;
mod proofs;
mod roles;
mod second_factor;
mod servers_polled;
mod settings;
mod settings_page;
mod telling;

pub(crate) use client::{Service, job};
#[path = "../../../anomaly-remote/tests/servers/mod.rs"]
mod servers;
