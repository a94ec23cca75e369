//! A sink that writes into a file, and what it was told.

use std::fs;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::Service;

/// A sink that writes these events into a file.
pub(crate) fn to_file(events: &[&str], format: &str) -> String {
    format!(
        r#"
        [[sinks]]
        name = "log"
        events = {events:?}
        [sinks.file]
        path = "DIR/findings.ndjson"
        format = "{format}"
        "#
    )
}

/// What was told, once it is so many lines.
pub(crate) fn told(service: &Service, lines: usize) -> String {
    let findings = service.database.with_file_name("findings.ndjson");
    let begun = Instant::now();
    loop {
        let text = fs::read_to_string(&findings).unwrap_or_default();
        if text.lines().count() >= lines || begun.elapsed() > Duration::from_mins(1) {
            break text;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// The same, of what was told as `CloudEvents`.
pub(crate) fn told_data(service: &Service, lines: usize) -> Vec<Value> {
    let told = told(service, lines);
    let data = told.lines().map(|line| {
        let event: Value = serde_json::from_str(line).unwrap();
        event["data"].clone()
    });
    data.collect()
}
