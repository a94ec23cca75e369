//! The pages in a real browser: Chromium, driven over the `WebDriver` protocol.
//!
//! `SCREENSHOTS=docs/screenshots cargo test -p anomaly-server --test browser screenshots` writes what
//! they look like.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

#[path = "../service/client.rs"]
#[allow(dead_code, reason = "the tests without a browser use the rest")]
mod client;
mod driver;
mod fleet;
mod journeys;
mod pages;
mod screenshots;

pub(crate) use client::Service;
pub(crate) use driver::{Browser, is_there};
