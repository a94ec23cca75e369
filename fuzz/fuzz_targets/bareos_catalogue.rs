//! The reader of Bareos' and Bacula's rows of the catalogue as CSV.
#![no_main]

use anomaly_sources::Format;

#[path = "../../crates/anomaly-sources/tests/bodies/mod.rs"]
mod bodies;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| bodies::any(bytes, Format::BareosCatalogue));
