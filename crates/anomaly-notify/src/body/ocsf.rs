//! An event in the form of an OCSF Detection Finding (class 2004), in JSON.

use anomaly_model::chrono::{DateTime, Utc};
use anomaly_model::{ClientName, Direction, Finding, PolicyName, ReviewStatus, Severity};
use serde_json::{Map, Value, json};

use super::words;
use crate::event::Activity;
use crate::{Event, IncidentChange, NotifyError, Topic, What};

/// The version of the schema.
const SCHEMA: &str = "1.8.0";
const CATEGORY: u32 = 2;
const CLASS: u32 = 2004;
/// Of very many, so many are resources and observables.
const MOST_RESOURCES: usize = 100;

/// One line of JSON.
pub(crate) fn json(event: &Event) -> Result<String, NotifyError> {
    serde_json::to_string(&finding(event)).map_err(|error| NotifyError::Body {
        reason: error.to_string(),
    })
}

fn finding(event: &Event) -> Value {
    let (activity_id, activity_name) = match event.what.activity() {
        Activity::Created => (1, "Create"),
        Activity::Updated => (2, "Update"),
        Activity::Closed => (3, "Close"),
    };
    let (severity_id, severity) = severity(event);
    let (status_id, status) = status(event);
    let mut finding = json!({
        "activity_id": activity_id,
        "activity_name": activity_name,
        "category_uid": CATEGORY,
        "category_name": "Findings",
        "class_uid": CLASS,
        "class_name": "Detection Finding",
        "type_uid": CLASS * 100 + activity_id,
        "type_name": format!("Detection Finding: {activity_name}"),
        "time": event.at.timestamp_millis(),
        "severity_id": severity_id,
        "severity": severity,
        "status_id": status_id,
        "status": status,
        "is_alert": event.what.activity() != Activity::Closed && event.topic() != Topic::Test,
        "message": words::message(event),
        "metadata": {
            "version": SCHEMA,
            "uid": event.id,
            "product": {
                "name": "Backwatch",
                "vendor_name": "Backwatch",
                "version": env!("CARGO_PKG_VERSION"),
                "uid": event.instance,
            },
        },
        "finding_info": finding_info(event),
    });
    if let Some(map) = finding.as_object_mut() {
        add_subject(event, map);
    }
    finding
}

fn severity(event: &Event) -> (u32, &'static str) {
    match event.severity() {
        _ if event.topic() == Topic::Test => (1, "Informational"),
        Severity::High => (4, "High"),
        Severity::Medium => (3, "Medium"),
        _ => (2, "Low"),
    }
}

fn status(event: &Event) -> (u32, &'static str) {
    match &event.what {
        What::Incident(news) if news.change == IncidentChange::Closed => (4, "Resolved"),
        What::Review(news) => match news.review.status {
            ReviewStatus::Confirmed => (2, "In Progress"),
            ReviewStatus::FalsePositive | ReviewStatus::Ignored => (3, "Suppressed"),
            _ => (1, "New"),
        },
        _ => (1, "New"),
    }
}

fn finding_info(event: &Event) -> Value {
    // 1: a rule, 3: statistics.
    let (type_id, analytic) = match &event.what {
        What::System(_) | What::Test => (1, "backwatch"),
        What::Anomaly(news) if news.anomaly.verdict.p_value.is_none() => (1, "backwatch-rules"),
        _ => (3, "backwatch-statistics"),
    };
    let mut info = json!({
        "uid": event.finding_uid(),
        "title": words::title(event),
        "analytic": {
            "type_id": type_id,
            "name": analytic,
            "version": env!("CARGO_PKG_VERSION"),
        },
    });
    let mut set = |key: &str, value: Value| info[key] = value;
    if let Some(link) = &event.link {
        set("src_url", json!(link));
    }
    if event.what.activity() == Activity::Created {
        set("created_time", millis(event.at));
    } else {
        set("modified_time", millis(event.at));
    }
    match &event.what {
        What::Anomaly(news) => {
            let verdict = &news.anomaly.verdict;
            set("desc", json!(verdict.summary));
            set("first_seen_time", millis(verdict.started_at));
            set("types", json!([verdict.kind()]));
        }
        What::Review(news) => {
            set("desc", json!(news.summary));
            set("first_seen_time", millis(news.started_at));
        }
        What::Incident(news) => {
            set("first_seen_time", millis(news.incident.first_seen));
            set("last_seen_time", millis(news.incident.last_seen));
            set("related_events_count", json!(news.incident.anomalies()));
            set("types", json!([news.incident.kind()]));
        }
        What::System(news) => {
            set("desc", json!(news.summary));
            set("types", json!([news.kind]));
        }
        What::Test => {}
    }
    info
}

fn add_subject(event: &Event, finding: &mut Map<String, Value>) {
    let mut unmapped = Map::new();
    let mut set = |key: &str, value: Value| _ = finding.insert(key.to_owned(), value);
    if let Some(number) = event.incident() {
        unmapped.insert("incident".to_owned(), json!(number));
    }
    match &event.what {
        What::Anomaly(news) => {
            let verdict = &news.anomaly.verdict;
            set("start_time", millis(verdict.started_at));
            set("resources", resources([&verdict.client], [&verdict.policy]));
            set("observables", observables([&verdict.client]));
            set(
                "evidences",
                json!([{"data": {
                    "source": verdict.source,
                    "job_id": verdict.job_id,
                    "score": verdict.score(),
                    "p_value": verdict.p_value,
                    "unseen": verdict.unseen,
                    "last_normal": news.anomaly.last_normal,
                }}]),
            );
            let target = words::stream(
                verdict.client.as_str(),
                verdict.policy.as_str(),
                verdict.schedule_type,
            );
            let analyses: Vec<Value> = analysis(&target, &verdict.findings).into_iter().collect();
            if !analyses.is_empty() {
                set("anomaly_analyses", Value::Array(analyses));
            }
        }
        What::Review(news) => {
            set("start_time", millis(news.started_at));
            set("resources", resources([&news.client], [&news.policy]));
            set("observables", observables([&news.client]));
            if let Some(reason) = &news.review.reason {
                set("comment", json!(reason));
            }
            unmapped.insert("review".to_owned(), json!(news.review));
            unmapped.insert("job".to_owned(), json!(news.job));
        }
        What::Incident(news) => {
            let incident = &news.incident;
            set("start_time", millis(incident.first_seen));
            set("end_time", millis(incident.last_seen));
            let (clients, policies) = (&incident.clients.names, &incident.policies.names);
            set("resources", resources(clients, policies));
            set("observables", observables(clients));
            let lines = &news.anomalies;
            if !lines.is_empty() {
                let data = lines.iter().map(|line| json!({"data": line}));
                set("evidences", Value::Array(data.collect()));
            }
            let analyses = lines.iter().filter_map(|line| {
                let (client, policy) = (line.client.as_str(), line.policy.as_str());
                analysis(
                    &words::stream(client, policy, line.schedule_type),
                    &line.findings,
                )
            });
            let analyses: Vec<Value> = analyses.collect();
            if !analyses.is_empty() {
                set("anomaly_analyses", Value::Array(analyses));
            }
            if !news.recovery.is_empty() {
                unmapped.insert("recovery".to_owned(), json!(news.recovery));
            }
        }
        What::System(news) => {
            unmapped.insert("subject".to_owned(), json!(news.subject));
            unmapped.insert("by".to_owned(), json!(news.by));
        }
        What::Test => {}
    }
    if !unmapped.is_empty() {
        set("unmapped", Value::Object(unmapped));
    }
}

fn resources<'a>(
    clients: impl IntoIterator<Item = &'a ClientName>,
    policies: impl IntoIterator<Item = &'a PolicyName>,
) -> Value {
    let clients = clients.into_iter().take(MOST_RESOURCES);
    let policies = policies.into_iter().take(MOST_RESOURCES);
    clients
        .map(|name| json!({"type": "backup client", "name": name}))
        .chain(policies.map(|name| json!({"type": "backup policy", "name": name})))
        .collect()
}

fn observables<'a>(clients: impl IntoIterator<Item = &'a ClientName>) -> Value {
    let clients = clients.into_iter().take(MOST_RESOURCES).enumerate();
    // 1: a host name.
    let of = |(position, name)| {
        json!({
            "name": format!("resources[{position}].name"),
            "type_id": 1,
            "type": "Hostname",
            "value": name,
        })
    };
    clients.map(of).collect()
}

/// One series that was looked at; `None` where rules alone found something.
fn analysis(target: &str, findings: &[Finding]) -> Option<Value> {
    if findings.is_empty() {
        return None;
    }
    let observed = findings.iter().map(|finding| {
        json!({
            "observation_parameter": finding.feature,
            "observation_type": observation_type(finding),
            "observed_pattern": match finding.direction {
                Direction::Below => "BELOW_USUAL",
                _ => "ABOVE_USUAL",
            },
            "observations": [{"value": finding.observed.to_string()}],
        })
    });
    let usual = findings.iter().map(|finding| {
        json!({
            "observation_parameter": finding.feature,
            "observation_type": observation_type(finding),
            "observed_pattern": "USUAL_RANGE",
            "observations": [
                {"value": finding.usual_low.to_string()},
                {"value": finding.usual_high.to_string()},
            ],
        })
    });
    Some(json!({
        "analysis_targets": [{"name": target, "type": "backup stream"}],
        "anomalies": observed.collect::<Vec<_>>(),
        "baselines": usual.collect::<Vec<_>>(),
    }))
}

/// OCSF's own words, where they fit.
fn observation_type(finding: &Finding) -> &'static str {
    let name = finding.feature.as_str();
    if name.ends_with("_bytes") || name.ends_with("_files") || name.ends_with("_count") {
        "Volume Analysis"
    } else if name.ends_with("_seconds") {
        "Time Pattern Analysis"
    } else {
        "Distribution Analysis"
    }
}

fn millis(time: DateTime<Utc>) -> Value {
    json!(time.timestamp_millis())
}
