//! The forms in which events are told: golden files, the schema of OCSF, and hostile names.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod golden;
mod hostile;
mod mail;
mod ocsf;
mod page;
#[path = "../shared/mod.rs"]
mod shared;
