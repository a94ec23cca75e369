//! Findings against OCSF's own schema: `fixtures/ocsf_detection_finding.json`.

use anomaly_model::ReviewStatus;
use anomaly_notify::IncidentChange;
use serde_json::{Map, Value};

use crate::shared::{anomaly_of, event, incident_of, night, review, samples, sink, verdict};

fn schema() -> Value {
    serde_json::from_str(include_str!("../fixtures/ocsf_detection_finding.json")).unwrap()
}

/// What is wrong with an object of the schema.
fn offences(schema: &Value, kind: &str, object: &Map<String, Value>, at: &str) -> Vec<String> {
    let of_kind = &schema[kind];
    let known = of_kind["attributes"].as_object().unwrap();
    let mut found = Vec::new();
    for (name, attribute) in known {
        if attribute["required"] == true && !object.contains_key(name) {
            found.push(format!("{at}.{name} is missing"));
        }
    }
    if let Some(any) = of_kind["constraints"]["at_least_one"].as_array()
        && !any
            .iter()
            .any(|name| object.contains_key(name.as_str().unwrap()))
    {
        found.push(format!("{at} has none of {any:?}"));
    }
    for (name, value) in object {
        let at = format!("{at}.{name}");
        let Some(attribute) = known.get(name) else {
            found.push(format!("{at} is not known"));
            continue;
        };
        let one = [value.clone()];
        let values = match (value, attribute["is_array"] == true) {
            (Value::Array(values), true) => values.as_slice(),
            (_, true) => {
                found.push(format!("{at} is no list"));
                continue;
            }
            _ => &one,
        };
        for value in values {
            found.extend(offence(schema, attribute, value, &at));
        }
    }
    found
}

fn offence(schema: &Value, attribute: &Value, value: &Value, at: &str) -> Vec<String> {
    let kind = attribute["type"].as_str().unwrap();
    let fits = match kind {
        "string" => value.is_string(),
        "integer" => value.is_i64(),
        "float" => value.is_number(),
        "boolean" => value.is_boolean(),
        "json" => true,
        "object" => value.is_object(),
        kind => match value.as_object() {
            Some(object) => return offences(schema, kind, object, at),
            None => false,
        },
    };
    if !fits {
        return vec![format!("{at} is {value}, and no {kind}")];
    }
    // Closed lists are of numbers here.
    match attribute["enum"].as_array() {
        Some(allowed) if kind == "integer" && !allowed.contains(&value.to_string().into()) => {
            vec![format!("{at} is {value}, and none of {allowed:?}")]
        }
        _ => Vec::new(),
    }
}

fn of_finding(finding: &Value) -> Vec<String> {
    offences(
        &schema(),
        "detection_finding",
        finding.as_object().unwrap(),
        "",
    )
}

#[test]
fn every_finding_is_one_of_the_schema() {
    let sink = sink("name = \"a\"\n[file]\npath = \"/a\"");
    let mut events = samples();
    for status in ReviewStatus::ALL {
        events.push((status.as_str(), review(*status)));
    }
    let mut by_rule = verdict("a", "b", "c", anomaly_model::Severity::Low);
    (by_rule.findings, by_rule.p_value) = (Vec::new(), None);
    events.push(("by rule", anomaly_of(by_rule.clone(), None)));
    let news = incident_of(&[by_rule], IncidentChange::Grown);
    let bare = event(anomaly_notify::What::Incident(Box::new(news)));
    events.push(("incident by rule", bare));
    for (name, event) in events {
        let line = sink.preview(&[&event], night()).unwrap().concat();
        let finding: Value = serde_json::from_slice(&line).unwrap();
        let found = of_finding(&finding);
        assert!(found.is_empty(), "{name}: {found:#?}");
        let class = finding["class_uid"].as_u64().unwrap();
        let type_uid = finding["type_uid"].as_u64().unwrap();
        assert_eq!(
            class * 100 + finding["activity_id"].as_u64().unwrap(),
            type_uid
        );
    }
}

#[test]
fn a_finding_that_is_none_is_caught() {
    let sink = sink("name = \"a\"\n[file]\npath = \"/a\"");
    let line = sink.preview(&[&samples()[0].1], night()).unwrap().concat();
    let good: Value = serde_json::from_slice(&line).unwrap();
    let caught = |pointer: &str, value: Option<Value>| {
        let mut bad = good.clone();
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        let object = bad.pointer_mut(parent).unwrap().as_object_mut().unwrap();
        match value {
            Some(value) => _ = object.insert(name.to_owned(), value),
            None => _ = object.remove(name).unwrap(),
        }
        !of_finding(&bad).is_empty()
    };
    assert!(caught("/time", None));
    assert!(caught("/finding_info/uid", None));
    assert!(caught("/metadata/product/name", Some(7.into())));
    assert!(caught("/anomaly_analyses/0/anomalies", None));
    assert!(caught("/anomaly_analyses/0/anomalies/0/observations", None));
    assert!(caught(
        "/anomaly_analyses/0/baselines/0/observation_parameter",
        None
    ));
    assert!(caught("/severity_id", Some(7.into())));
    assert!(caught("/severty", Some(7.into())));
    assert!(caught("/resources", Some("mail01".into())));
}

/// A finding keeps its id from when it is made to when it is closed.
#[test]
fn updates_have_the_id_of_what_they_change() {
    let samples = samples();
    let uid = |name: &str| {
        let found = samples.iter().find(|(sample, _)| *sample == name);
        found.unwrap().1.finding_uid()
    };
    assert_eq!(uid("anomaly"), uid("review"));
    assert_eq!(uid("opened"), uid("grown"));
    assert_eq!(uid("opened"), uid("closed"));
    assert_eq!(uid("opened"), uid("reopened"));
    assert_ne!(uid("opened"), uid("anomaly"));
    let mut ids: Vec<&str> = samples.iter().map(|(_, event)| event.id.as_str()).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), samples.len());
}
