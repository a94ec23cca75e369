//! What is read of NetBackup's commands and of its REST interface.
#![allow(
    clippy::needless_pass_by_value,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod bpdbjobs;
mod bpimagelist;
mod families;
mod outline;
mod printed;
mod properties;
mod rest;
#[path = "../shared/mod.rs"]
mod shared;
