//! An event in `ArcSight`'s Common Event Format.

use anomaly_model::Severity;

use super::words;
use crate::text::one_line;
use crate::{Event, Topic, What};

/// The most that the format's dictionary allows in most of its fields.
const MOST_VALUE: usize = 1_023;

/// One line: `CEF:0|Backwatch|Backwatch|…`.
pub(crate) fn line(event: &Event) -> String {
    let header = [
        "CEF:0",
        "Backwatch",
        "Backwatch",
        env!("CARGO_PKG_VERSION"),
        &header_value(&signature_id(event)),
        &header_value(&words::title(event)),
        severity(event),
    ];
    let extension: Vec<String> = fields(event)
        .into_iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(key, value)| format!("{key}={}", extension_value(&value)))
        .collect();
    format!("{}|{}", header.join("|"), extension.join(" "))
}

fn signature_id(event: &Event) -> String {
    match &event.what {
        What::Anomaly(news) => {
            let kind = news.anomaly.verdict.kind();
            kind.map_or_else(String::new, |kind| kind.as_str().to_owned())
        }
        What::Incident(news) => format!("incident_{}", news.incident.kind()),
        What::Review(news) => format!("review_{}", news.review.status),
        What::System(news) => news.kind.as_str().to_owned(),
        What::Test => "test".to_owned(),
    }
}

/// 0 to 10.
fn severity(event: &Event) -> &'static str {
    match event.severity() {
        _ if event.topic() == Topic::Test => "0",
        Severity::High => "9",
        Severity::Medium => "6",
        _ => "3",
    }
}

fn fields(event: &Event) -> Vec<(&'static str, String)> {
    let millis = |time: anomaly_model::chrono::DateTime<_>| time.timestamp_millis().to_string();
    let mut fields = vec![
        ("rt", millis(event.at)),
        ("cat", "backup-anomaly".to_owned()),
        ("externalId", event.finding_uid()),
        ("act", event.what.activity().as_str().to_owned()),
        ("deviceExternalId", event.instance.clone()),
    ];
    if let Some(number) = event.incident() {
        fields.extend([
            ("cn1Label", "incident".to_owned()),
            ("cn1", number.to_string()),
        ]);
    }
    let mut job = |client: &str, policy: &str, started_at, job_id: &str| {
        fields.extend([
            ("start", millis(started_at)),
            ("dhost", client.to_owned()),
            ("cs1Label", "policy".to_owned()),
            ("cs1", policy.to_owned()),
            ("cs2Label", "jobId".to_owned()),
            ("cs2", job_id.to_owned()),
        ]);
    };
    match &event.what {
        What::Anomaly(news) => {
            let verdict = &news.anomaly.verdict;
            let (client, policy) = (verdict.client.as_str(), verdict.policy.as_str());
            job(client, policy, verdict.started_at, verdict.job_id.as_str());
            if let Some(score) = verdict.score() {
                fields.extend([
                    ("cfp1Label", "score".to_owned()),
                    ("cfp1", format!("{score:.3}")),
                ]);
            }
        }
        What::Review(news) => {
            let (client, policy) = (news.client.as_str(), news.policy.as_str());
            job(client, policy, news.started_at, news.job.job_id.as_str());
            fields.extend([
                ("suser", news.review.recorded_by().to_owned()),
                ("reason", news.review.reason.clone().unwrap_or_default()),
                ("outcome", news.review.status.as_str().to_owned()),
            ]);
        }
        What::Incident(news) => {
            let incident = &news.incident;
            fields.extend([
                ("start", millis(incident.first_seen)),
                ("end", millis(incident.last_seen)),
                ("cnt", incident.anomalies().to_string()),
                ("cs3Label", "clients".to_owned()),
                ("cs3", words::names(&incident.clients)),
                ("cs1Label", "policies".to_owned()),
                ("cs1", words::names(&incident.policies)),
            ]);
            if let ([client], false) = (
                incident.clients.names.iter().collect::<Vec<_>>().as_slice(),
                incident.clients.and_more,
            ) {
                fields.push(("dhost", client.to_string()));
            }
        }
        What::System(news) => fields.extend([
            ("cs4Label", "subject".to_owned()),
            ("cs4", news.subject.clone()),
            ("suser", news.by.clone().unwrap_or_default()),
        ]),
        What::Test => {}
    }
    fields.extend([
        ("request", event.link.clone().unwrap_or_default()),
        ("msg", words::message(event)),
    ]);
    fields
}

/// Escapes what separates: the rest of a header is one line without what acts.
pub(crate) fn header_value(text: &str) -> String {
    let line = one_line(text, MOST_VALUE);
    line.replace('\\', "\\\\").replace('|', "\\|")
}

/// Escapes what separates; line ends stay, as `\n` and `\r`.
pub(crate) fn extension_value(text: &str) -> String {
    let mut value = String::new();
    for character in text.chars().take(MOST_VALUE) {
        match character {
            '\\' => value.push_str("\\\\"),
            '=' => value.push_str("\\="),
            '\n' => value.push_str("\\n"),
            '\r' => value.push_str("\\r"),
            _ => value
                .push_str(&one_line(character.encode_utf8(&mut [0; 4]), 16).replace('\\', "\\\\")),
        }
    }
    value
}
