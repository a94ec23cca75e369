//! The reader of `bpimagelist -json`.
#![no_main]

use anomaly_sources::Format;

#[path = "../../crates/anomaly-sources/tests/bodies/mod.rs"]
mod bodies;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| bodies::any(bytes, Format::NetBackupBpimagelistJson));
