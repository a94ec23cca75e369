//! What holds for every detector on any data.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(clippy::needless_pass_by_value, reason = "views are pointers")]

mod any_data;
mod data;
mod invariance;
mod ranking;
mod stored;
