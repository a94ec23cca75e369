//! `docs/notifications.md`: what it tells to paste is read, and its way to verify works.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anomaly_notify::{SinkOptions, check_names, signature};
use serde::Deserialize;

/// The configuration, as far as it is about sinks.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Configuration {
    sinks: Vec<SinkOptions>,
}

fn page() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/notifications.md");
    fs::read_to_string(path).unwrap()
}

/// The code blocks of a language.
fn blocks(page: &str, language: &str) -> Vec<String> {
    let begin = format!("```{language}\n");
    let blocks = page.split(&begin).skip(1);
    blocks
        .map(|rest| rest.split("```").next().unwrap().to_owned())
        .collect()
}

#[test]
fn every_configuration_to_paste_is_read() {
    let blocks = blocks(&page(), "toml");
    let mut sinks = Vec::new();
    for block in &blocks {
        let read: Configuration =
            toml::from_str(block).unwrap_or_else(|error| panic!("{block}\n{error}"));
        sinks.extend(read.sinks);
    }
    // All of them together are one configuration, with a sink of each kind.
    let read: Configuration = toml::from_str(&blocks.concat()).unwrap();
    assert_eq!(read.sinks, sinks);
    check_names(&sinks).unwrap();
    let kinds: BTreeSet<&str> = sinks.iter().map(|sink| sink.channel.kind()).collect();
    assert_eq!(kinds.len(), 5, "{kinds:?}");
}

/// The page's own Python, given what this crate signs.
#[test]
fn the_way_to_verify_a_signature_verifies_it() {
    let python = std::process::Command::new("python3")
        .arg("--version")
        .output();
    if python.is_err() {
        assert!(
            std::env::var_os("REQUIRE_BACKUP_TOOLS").is_none(),
            "python3 is not installed"
        );
        return;
    }
    let directory = tempfile::TempDir::new().unwrap();
    let key = directory.path().join("key");
    fs::write(&key, "correct horse battery staple\n").unwrap();
    let [code] = blocks(&page(), "python").try_into().unwrap();
    let code = code.replace("/etc/receiver/siem.key", key.to_str().unwrap());
    let signed = signature(
        b"correct horse battery staple",
        "some-id",
        1_000_000,
        b"{\"a\": 1}",
    );
    let checks = format!(
        r#"{code}
def check(expected, now=1000100, body=b'{{"a": 1}}', **changed):
    headers = {{"webhook-id": "some-id", "webhook-timestamp": "1000000",
               "webhook-signature": "v1,b3RoZXI= v1,{signed}"}}
    headers.update({{name.replace("_", "-"): value for name, value in changed.items()}})
    assert is_genuine(headers, body, now) is expected, (now, body, changed)

check(True)
check(False, now=1000301)
check(False, now=999699)
check(False, body=b'{{"a": 2}}')
check(False, webhook_id="other-id")
check(False, webhook_timestamp="1000001")
check(False, webhook_signature="v1,b3RoZXI=")
"#
    );
    let output = std::process::Command::new("python3")
        .args(["-c", &checks])
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}
