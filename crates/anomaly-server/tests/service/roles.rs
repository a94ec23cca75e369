//! Gathering, detection and alerting, switched off and on.

use std::sync::Arc;
use std::time::SystemTime;

use anomaly_model::chrono::{DateTime, TimeDelta, Utc};
use anomaly_service::{AnomalyService, SettingsRequest};
use anomaly_settings::Settings;
use serde_json::{Value, json};

use crate::file_sink::{to_file, told};
use crate::{Service, job};

const ROLES: [(&str, &str, &str); 3] = [
    ("gather", "roles.gather", "Gathering is switched off"),
    ("detect", "detection.enabled", "Detection is switched off"),
    ("alert", "roles.alert", "Alerting is switched off"),
];

fn off(key: &str, sinks: &str) -> Service {
    let directory = Arc::new(tempfile::tempdir().unwrap());
    Service::gathering(sinks, &[(key, "false")], &directory)
}

#[test]
fn off_is_shown_everywhere_as_off() {
    for (role, key, words) in ROLES {
        let service = off(key, "");
        let administrator = service.administrator();
        let health = service.browser().open("/health");
        assert_eq!(health.status, 200, "a new start would not mend it");
        let health = health.json();
        assert_eq!(health["status"], "degraded");
        for (other, ..) in ROLES {
            let state = if other == role { "off" } else { "on" };
            assert_eq!(health["roles"][other], state, "{key}: {other}");
        }
        for page in [
            "/",
            "/anomalies",
            "/streams",
            "/audit",
            "/sources",
            "/account",
        ] {
            let text = administrator.open(page).text;
            assert!(
                text.contains(words),
                "{page} does not say that {key} is off"
            );
        }
        let is_looking = !administrator.open("/").text.contains("is not looking");
        assert_eq!(is_looking, role != "detect", "{key}");
        let metrics = administrator.open("/metrics").text;
        for (other, ..) in ROLES {
            let line = format!(
                "backwatch_role_enabled{{role=\"{other}\"}} {}",
                u8::from(other != role)
            );
            assert!(metrics.contains(&line), "{line}");
        }
    }
    let on = Service::start();
    let administrator = on.administrator();
    assert_eq!(on.browser().open("/health").json()["status"], "ok");
    assert!(!administrator.open("/").text.contains("switched off"));
}

#[test]
fn what_is_handed_over_is_refused_or_kept_unjudged() {
    let body = job("mail01", 1, &json!({})).to_string();
    let post = |service: &Service| {
        let key = service.administrator().key("ingest", &[]);
        service.with_key(&key, "/api/v1/jobs", "application/json", &body)
    };
    let refused = post(&off("roles.gather", ""));
    assert_eq!(refused.status, 503);
    assert_eq!(refused.json()["code"], "not_gathered");
    assert_eq!(refused.header("retry-after"), "1");

    let kept = post(&off("detection.enabled", "")).json();
    assert_eq!(kept["new_jobs"], 1);
    assert_eq!(kept["records"][0]["verdict"]["state"], "not_scored");
}

fn failed(client: &str) -> Value {
    let started_at = DateTime::<Utc>::from(SystemTime::now()) - TimeDelta::hours(2);
    let extra = json!({ "status": "failed", "started_at": started_at.to_rfc3339() });
    job(client, 1, &extra)
}

/// Anomalies are held while alerting is off, and told when it is on. That it was switched off is told
/// while it is off.
#[test]
fn who_switches_alerting_off_is_told_of_and_nothing_is_lost() {
    let service = Service::telling(&to_file(&["anomaly", "incident", "system"], "ocsf"));
    let administrator = service.administrator();
    let mut beside = AnomalyService::open(&service.database, Settings::default()).unwrap();
    let mut switch = |value: Option<Value>| {
        let request = SettingsRequest {
            parts: vec![("roles.alert".into(), value)],
            by: "eve".into(),
            reason: Some("too loud".into()),
            until: None,
        };
        beside
            .set_settings(&request, None, SystemTime::now().into())
            .unwrap();
    };
    switch(Some(json!(false)));
    administrator.wait_for("/health", |health| health.json()["roles"]["alert"] == "off");
    let key = administrator.key("ingest", &[]);
    let body = failed("mail01").to_string();
    let receipt = service.with_key(&key, "/api/v1/jobs", "application/json", &body);
    assert_eq!(receipt.json()["anomalous"], 1);
    // An anomaly, and its incident.
    let held = |text: &str| text.contains("backwatch_outbox_messages{sink=\"log\"} 2");
    administrator.wait_for("/metrics", |metrics| held(&metrics.text));
    let off = told(&service, 1);
    assert!(
        off.contains("switched_off") && off.contains("eve") && off.contains("too loud"),
        "{off}"
    );
    assert!(!off.contains("mail01"), "{off}");

    switch(None);
    administrator.wait_for("/metrics", |metrics| {
        metrics
            .text
            .contains("backwatch_outbox_messages{sink=\"log\"} 0")
    });
    let on = told(&service, 4);
    assert!(on.contains("switched_on") && on.contains("mail01"), "{on}");
    let audit = administrator.open("/api/v1/audit").json();
    let of_role = |entry: &&Value| entry["subject"] == "roles.alert";
    let entries = audit["items"].as_array().unwrap().iter().filter(of_role);
    let what: Vec<(&Value, &Value)> = entries
        .map(|entry| (&entry["what"], &entry["severity"]))
        .collect();
    assert_eq!(
        what,
        [
            (&json!("settings"), &json!("low")),
            (&json!("loosening"), &json!("high"))
        ]
    );
}
