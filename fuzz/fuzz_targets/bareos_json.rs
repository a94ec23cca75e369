//! The reader of Bareos' and Bacula's `llist jobs` as JSON.
#![no_main]

use anomaly_sources::Format;

#[path = "../../crates/anomaly-sources/tests/bodies/mod.rs"]
mod bodies;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| bodies::any(bytes, Format::BareosJson));
