//! The reader of mappings of CSV files.
#![no_main]

#[path = "../../crates/anomaly-sources/tests/bodies/mod.rs"]
mod bodies;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| bodies::csv_mapping(bytes));
