//! `docs/events.md`: each event, as the code writes it.

use std::fmt::Write as _;
use std::{env, fs};

use anomaly_model::chrono::TimeDelta;
use anomaly_notify::SystemKind;

use crate::shared::{night, samples, sink};

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/events.md");
/// Set to write the page instead of checking it.
const WRITE: &str = "BLESS";

/// What each example is of.
const EXAMPLES: &[(&str, &str)] = &[
    (
        "anomaly",
        "An anomalous job. `anomaly.verdict` is a [verdict record](records.md#verdict); `last_normal` \
         is the newest job of the stream before it that was judged normal.",
    ),
    (
        "opened",
        "Anomalies that belong together: the first of them was found. `counts` has how many there are \
         of each severity and kind, `anomalies` at most 20 of them, `recovery` from where to restore \
         at most 20 streams.",
    ),
    (
        "grown",
        "The same incident with more anomalies: those that are new.",
    ),
    ("closed", "The last of its anomalies was reviewed."),
    (
        "reopened",
        "A review with which it was closed was taken back: one of its anomalies waits again.",
    ),
    ("review", "What a person decided about an anomaly."),
    (
        "system",
        "Something happened to the watching itself. `kind` is one of the list above.",
    ),
    ("test", "Somebody wants to see whether the sink works."),
];

#[test]
fn each_event_is_on_the_page() {
    let sink = sink("name = \"a\"\n[webhook]\nurl = \"https://siem.example/\"");
    let mut page = INTRODUCTION.to_owned();
    for kind in SystemKind::ALL {
        writeln!(page, "| `{}` | {}. |", kind.as_str(), kind.title()).unwrap();
    }
    let samples = samples();
    assert_eq!(samples.len(), EXAMPLES.len());
    for ((name, event), (example, meaning)) in samples.iter().zip(EXAMPLES) {
        assert_eq!(name, example);
        let body = sink
            .preview(&[event], night() + TimeDelta::hours(1))
            .unwrap();
        let mut json: serde_json::Value = serde_json::from_slice(&body[0]).unwrap();
        // In which order names come depends on what else is built.
        json.sort_all_objects();
        let title = json["type"].as_str().unwrap();
        let text = serde_json::to_string_pretty(&json).unwrap();
        let text = text.replace(env!("CARGO_PKG_VERSION"), "VERSION");
        write!(
            page,
            "\n## {title}: {name}\n\n{meaning}\n\n```json\n{text}\n```\n"
        )
        .unwrap();
    }
    if env::var_os(WRITE).is_some() {
        fs::write(FILE, &page).unwrap();
    }
    let found = fs::read_to_string(FILE).unwrap_or_default();
    assert!(
        found == page,
        "docs/events.md is not what the code writes; \
         {WRITE}=1 cargo test -p anomaly-notify --test forms page writes it anew"
    );
}

const INTRODUCTION: &str = "\
# Events

*Written by `BLESS=1 cargo test -p anomaly-notify --test forms page`.*

What [sinks](notifications.md) are told, as CloudEvents 1.0 in structured mode: what a webhook gets as \
the body of a `POST`, a file as a line, a command on standard input. Mails, syslog, CEF and OCSF say \
the same in their own forms.

| field | |
|---|---|
| `id` | The same whenever the same is told again: by it a receiver knows what it was told before. |
| `source` | The installation that tells. |
| `subject` | What it is about. |
| `time` | When it happened, or was found. |
| `type` | What happened to what, with the version of the form. |
| `severity` | How much it matters: `low`, `medium`, `high`. |
| `data` | The event; `data.type` says which. `data.link` is the address of the page about it, where `public_url` is set. |

Readers ignore fields that they do not know: later versions may add some.

## What happens to the watching itself

The kinds of `system` events:

| `data.kind` | |
|---|---|
";
