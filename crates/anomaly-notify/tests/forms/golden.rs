//! Every form of every event, held by files.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anomaly_model::chrono::TimeDelta;
use anomaly_notify::Event;

use crate::shared::{night, samples, sink};

/// Set to write the files instead of checking them.
const WRITE: &str = "BLESS";

const CLOUD_EVENTS: &str = "name = \"a\"\n[webhook]\nurl = \"https://siem.example/\"";
const OCSF: &str = "name = \"a\"\n[file]\npath = \"/a\"";
const CEF: &str = "name = \"a\"\n[file]\npath = \"/a\"\nformat = \"cef\"";
const SYSLOG: &str = "name = \"a\"\n[syslog]\nserver = \"[::1]:514\"\ntransport = \"udp\"\nhostname = \"backup.example\"";
const MAIL: &str = "
    name = \"ops\"
    [email]
    server = \"localhost:25\"
    tls = \"none\"
    from = \"Backwatch <backwatch@example.org>\"
    to = [\"Operators <ops@example.org>\"]";

fn check(name: &str, text: &str) {
    // The version of the program is in most of them.
    let text = text.replace(env!("CARGO_PKG_VERSION"), "VERSION");
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/golden")
        .join(name);
    if std::env::var_os(WRITE).is_some() {
        fs::write(&path, text).unwrap();
        return;
    }
    let golden = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        golden == text,
        "{} differs; with {WRITE}=1 this test writes it anew. Now it is:\n{text}",
        path.display()
    );
}

/// One part for each event.
fn all(toml: &str, events: &[(&str, Event)]) -> String {
    let sink = sink(toml);
    let mut text = String::new();
    for (name, event) in events {
        for bytes in sink
            .preview(&[event], night() + TimeDelta::hours(1))
            .unwrap()
        {
            let part = String::from_utf8(bytes).unwrap();
            let part = match serde_json::from_str::<serde_json::Value>(&part) {
                Ok(mut json) => {
                    // In which order names come depends on what else is built.
                    json.sort_all_objects();
                    serde_json::to_string_pretty(&json).unwrap()
                }
                Err(_) => part.replace('\r', ""),
            };
            _ = writeln!(text, "== {name}\n{part}");
        }
    }
    text
}

#[test]
fn cloud_events() {
    check("cloudevents.txt", &all(CLOUD_EVENTS, &samples()));
}

#[test]
fn findings_of_ocsf() {
    check("ocsf.txt", &all(OCSF, &samples()));
}

#[test]
fn common_event_format() {
    check("cef.txt", &all(CEF, &samples()));
}

#[test]
fn messages_of_syslog() {
    check("syslog.txt", &all(SYSLOG, &samples()));
}

#[test]
fn mails() {
    check("mail.txt", &all(MAIL, &samples()));
}

/// What is kept in the outbox is read back by later versions.
#[test]
fn an_event_of_the_outbox_reads_back() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/outbox.ndjson");
    let written: Vec<String> = samples()
        .iter()
        .map(|(_, event)| serde_json::to_string(event).unwrap() + "\n")
        .collect();
    check("outbox.ndjson", &written.concat());
    let lines = fs::read_to_string(path).unwrap();
    let read: Vec<Event> = lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let told: Vec<Event> = samples().into_iter().map(|(_, event)| event).collect();
    assert_eq!(read, told);
}
