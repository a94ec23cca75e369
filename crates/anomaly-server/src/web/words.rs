//! How things are written on pages.

use anomaly_features::label;
use anomaly_model::chrono::{DateTime, Datelike as _, NaiveDate, Utc};
use anomaly_model::{
    AnomalyKind, FeatureName, Finding, Incident, JobKey, ReviewStatus, Severity, Verdict,
};
use serde_json::Value;

use crate::api::job_in_path;
use crate::app::now;

/// A value of a setting, as people read and type it: lists as words with commas between, where that
/// says the same list.
pub(crate) fn value(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => "none".to_owned(),
        Some(Value::Bool(is_on)) => if *is_on { "on" } else { "off" }.to_owned(),
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(words)) => {
            let names: Vec<String> = words.iter().map(|word| self::value(Some(word))).collect();
            let text = names.join(", ");
            // A word with a space or a bracket in it would come back as another list.
            if list(&text).is_some_and(|words| words == names) {
                text
            } else {
                Value::from(words.as_slice()).to_string()
            }
        }
        Some(Value::Object(_)) => lines(value, "").join("; "),
        Some(other) => other.to_string(),
    }
}

/// The words of a list as people type it; `None` where it is written as TOML has it.
pub(crate) fn list(typed: &str) -> Option<Vec<&str>> {
    let words = typed.split([',', ' ', '\n', '\r', '\t']);
    (!typed.starts_with('[')).then(|| words.filter(|word| !word.is_empty()).collect())
}

/// What a scope sets, as the file writes it: `detection.alarm_budget = 4.0`.
pub(crate) fn lines(value: Option<&Value>, prefix: &str) -> Vec<String> {
    match value {
        Some(Value::Object(table)) => {
            let dot = if prefix.is_empty() { "" } else { "." };
            let entries = table.iter();
            entries
                .flat_map(|(key, value)| lines(Some(value), &format!("{prefix}{dot}{key}")))
                .collect()
        }
        Some(value) => vec![format!("{prefix} = {value}")],
        None => Vec::new(),
    }
}

/// Text in the path or query of an address, as it is in itself.
pub(crate) fn encoded(text: &str) -> String {
    use std::fmt::Write as _;
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(byte.into());
        } else {
            // Writing to a string does not fail.
            _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

/// The address of the page about an anomaly.
pub(crate) fn address(job: &JobKey) -> String {
    format!("/anomalies/{}", job_in_path(job))
}

/// A moment: how it is shown, and how machines read it.
#[derive(Debug, Clone)]
pub(crate) struct When {
    pub(crate) machine: String,
    pub(crate) shown: String,
}

/// A moment, in UTC; a script shows it in the reader's own zone.
pub(crate) fn when(time: DateTime<Utc>) -> When {
    When {
        machine: time.to_rfc3339(),
        shown: time.format("%Y-%m-%d %H:%M UTC").to_string(),
    }
}

/// A day, such as `26 November`; with its year if that is another one than this.
pub(crate) fn day(date: NaiveDate) -> String {
    dated(date, "%-d %B")
}

/// A month, in the same way: `November`.
pub(crate) fn month(date: NaiveDate) -> String {
    dated(date, "%B")
}

/// The same, where there is little room: `Nov`.
pub(crate) fn short_month(date: NaiveDate) -> String {
    dated(date, "%b")
}

fn dated(date: NaiveDate, format: &str) -> String {
    let words = date.format(format);
    if date.year() == now().year() {
        words.to_string()
    } else {
        format!("{words} {}", date.year())
    }
}

/// How long ago something was, in words: `5 minutes ago`.
pub(crate) fn ago(time: DateTime<Utc>, now: DateTime<Utc>) -> String {
    let seconds = (now - time).num_seconds();
    let (count, unit) = match seconds {
        ..60 => return "just now".to_owned(),
        60..3_600 => (seconds / 60, "minute"),
        3_600..172_800 => (seconds / 3_600, "hour"),
        _ => (seconds / 86_400, "day"),
    };
    format!("{} ago", counted(count.unsigned_abs(), unit))
}

pub(crate) use anomaly_features::counted;

/// What an anomaly looks like, in words.
pub(crate) fn kind(kind: AnomalyKind) -> String {
    let mut words = kind.as_str().replace('_', " ");
    if let Some(first) = words.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    words
}

/// Where an incident was seen, in words.
pub(crate) fn spread(incident: &Incident) -> String {
    let clients = &incident.clients;
    match (clients.names.len(), clients.names.first()) {
        (1, Some(client)) => client.to_string(),
        (count, _) if clients.and_more => format!("more than {}", counted(count as u64, "client")),
        (count, _) => counted(count as u64, "client"),
    }
}

/// A review status, in words.
pub(crate) fn status(status: ReviewStatus) -> &'static str {
    match status {
        ReviewStatus::Confirmed => "Confirmed",
        ReviewStatus::FalsePositive => "False positive",
        ReviewStatus::Ignored => "Ignored",
        _ => "Not reviewed",
    }
}

/// A severity, with what stands for it beside its colour.
pub(crate) fn shape(severity: Severity) -> &'static str {
    match severity {
        Severity::High => "▲",
        Severity::Medium => "◆",
        _ => "●",
    }
}

/// The name of a feature, as people read it.
pub(crate) fn feature(name: &FeatureName) -> String {
    label(name.as_str()).map_or_else(|| name.to_string(), |(label, _)| label.to_owned())
}

/// A finding: what, how much, how much usually, and how far.
#[derive(Debug, Clone)]
pub(crate) struct FindingRow {
    pub(crate) name: String,
    pub(crate) feature: String,
    pub(crate) observed: String,
    pub(crate) usual: String,
    pub(crate) direction: &'static str,
}

/// Findings, in words.
pub(crate) fn findings(verdict: &Verdict) -> Vec<FindingRow> {
    let mut rows: Vec<FindingRow> = verdict.findings.iter().filter_map(finding).collect();
    // A number of files and their share of all have the same name.
    let names: Vec<String> = rows.iter().map(|row| row.name.clone()).collect();
    let of_name = |name: &String| names.iter().filter(|other| *other == name).count();
    for row in rows.iter_mut().filter(|row| row.observed.ends_with('%')) {
        if of_name(&row.name) > 1 {
            row.name.insert_str(0, "share of ");
        }
    }
    rows
}

fn finding(finding: &Finding) -> Option<FindingRow> {
    let (label, unit) = label(finding.feature.as_str())?;
    Some(FindingRow {
        name: label.to_owned(),
        feature: finding.feature.to_string(),
        observed: unit.format(finding.observed),
        usual: unit.format_range(finding.usual_low, finding.usual_high),
        direction: finding.direction.as_str(),
    })
}

/// The score, unless it was a rule that raised the alarm and not the numbers.
pub(crate) fn score(verdict: &Verdict) -> String {
    let score = verdict.score().filter(|_| !verdict.findings.is_empty());
    score.map_or_else(|| "rule".to_owned(), |score| format!("{score:.1}"))
}
