//! The service over HTTP, as programs and browsers meet it.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod accounts;
mod api;
mod client;
mod gathering;
mod pages;
mod roles;
mod telling;

pub(crate) use client::{Service, job};
