//! P-values of the tail calibrator hold for short histories, and for odd ones.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod pooled;
mod properties;
mod rates;
mod simulation;
