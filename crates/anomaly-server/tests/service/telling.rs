//! Sinks, told of what is stored.

use std::fs;
use std::time::{Duration, Instant, SystemTime};

use anomaly_model::chrono::{DateTime, TimeDelta, Utc};
use anomaly_service::AnomalyService;
use anomaly_settings::Settings;
use serde_json::{Value, json};

use crate::{Service, job};

const SINK: &str = r#"
    [[sinks]]
    name = "log"
    events = ["anomaly"]
    [sinks.file]
    path = "DIR/findings.ndjson"
    format = "ocsf"
"#;

fn failed(client: &str, days_ago: i64) -> Value {
    let started_at = DateTime::<Utc>::from(SystemTime::now()) - TimeDelta::days(days_ago);
    let started_at = started_at.to_rfc3339();
    job(
        client,
        1,
        &json!({ "status": "failed", "started_at": started_at }),
    )
}

/// What another process stores is told too, once; what is old when it comes is history.
#[test]
fn a_sink_is_told_of_what_anybody_stores() {
    let service = Service::telling(SINK);
    let administrator = service.administrator();
    let key = administrator.key("ingest", &[]);
    for (client, days_ago) in [("old01", 30), ("mail01", 1)] {
        let body = failed(client, days_ago).to_string();
        let receipt = service
            .with_key(&key, "/api/v1/jobs", "application/json", &body)
            .json();
        assert_eq!(receipt["anomalous"], 1, "{receipt}");
    }
    let mut beside = AnomalyService::open(&service.database, Settings::default()).unwrap();
    let other = serde_json::from_value(failed("web01", 0)).unwrap();
    assert!(beside.observe(&other).unwrap().verdict.is_anomalous());

    let findings = service.database.with_file_name("findings.ndjson");
    let begun = Instant::now();
    let told = loop {
        let text = fs::read_to_string(&findings).unwrap_or_default();
        if text.lines().count() >= 2 || begun.elapsed() > Duration::from_mins(1) {
            break text;
        }
        std::thread::sleep(Duration::from_millis(100));
    };
    let named = |client: &str| told.matches(client).count() > 0;
    assert!(
        named("mail01") && named("web01") && !named("old01"),
        "{told}"
    );
    assert_eq!(told.lines().count(), 2);
    let page = administrator.open("/notifications").text;
    assert!(page.contains("Works"), "{page}");
}
