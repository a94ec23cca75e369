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

    let told = told(&service, 2);
    let named = |client: &str| told.matches(client).count() > 0;
    assert!(
        named("mail01") && named("web01") && !named("old01"),
        "{told}"
    );
    assert_eq!(told.lines().count(), 2);
    let page = administrator.open("/notifications").text;
    assert!(page.contains("Works"), "{page}");
}

/// Who called an anomaly what is told too, whoever it was.
#[test]
fn a_sink_is_told_what_people_decide() {
    let service = Service::telling(
        r#"
        [[sinks]]
        name = "log"
        events = ["review"]
        [sinks.file]
        path = "DIR/findings.ndjson"
        format = "cloudevents"
    "#,
    );
    let administrator = service.administrator();
    let key = administrator.key("ingest", &[]);
    let body = failed("mail01", 0).to_string();
    service.with_key(&key, "/api/v1/jobs", "application/json", &body);
    let review = json!({ "status": "confirmed", "reason": "the disk is full" });
    let path = "/api/v1/anomalies/restic/mail01-1/reviews";
    let answer = administrator.call("POST", path, Some(&review));
    assert_eq!(answer.status, 200, "{}", answer.text);
    let told = told(&service, 1);
    let event: Value = serde_json::from_str(told.lines().next().unwrap()).unwrap();
    assert_eq!(event["data"]["type"], "review");
    assert_eq!(event["data"]["review"]["reason"], "the disk is full");
    assert_eq!(event["data"]["review"]["reviewer"], "ann");
    assert_eq!(told.lines().count(), 1);
}

/// What was told, once it is so many lines.
fn told(service: &Service, lines: usize) -> String {
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
