//! Content statistics: what holds for all bytes, and what attacks and ordinary files look like.

#![cfg(feature = "content")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(clippy::cast_possible_truncation, reason = "files of a test are small")]

mod data;
mod evasions;
mod ordinary;
mod statistics;
mod sums;
