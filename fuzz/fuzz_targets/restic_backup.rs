//! The reader of `restic backup --json`.
#![no_main]

#[path = "../../crates/anomaly-sources/tests/bodies/mod.rs"]
mod bodies;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| bodies::restic_backup(bytes));
