//! The service over HTTP, as programs and browsers meet it.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test fails by panicking"
)]

mod accounts;
mod api;
mod client;
mod described;
mod pages;
mod proofs;
mod settings;
mod telling;

pub(crate) use client::{Service, job};
