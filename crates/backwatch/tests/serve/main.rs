//! The service as a process: how it starts and ends, and what it takes from the network.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod limits;
mod page;
mod process;
mod secrets;
mod service;
mod systemd;
mod tls;
