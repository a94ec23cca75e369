//! Content statistics: what holds for all bytes, and what attacks and ordinary files look like.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod data;
mod evasions;
mod ordinary;
mod statistics;
mod sums;
