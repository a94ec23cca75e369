//! An event in plain words.

use std::fmt::Write as _;

use anomaly_features::{counted, label};
use anomaly_model::chrono::{DateTime, Utc};
use anomaly_model::{AnomalyKind, Finding, Incident, ReviewStatus, ScheduleType, Severity, Spread};

use crate::text::one_line;
use crate::{Event, IncidentChange, IncidentNews, ReviewNews, What};

/// No name takes more room than this in a sentence.
pub(crate) const MOST_NAME: usize = 80;
/// No sentence is longer.
const MOST_SENTENCE: usize = 1_000;
/// So many names are listed.
const FEW: usize = 3;

/// A headline, in one line that does nothing.
pub(crate) fn title(event: &Event) -> String {
    let text = match &event.what {
        What::Anomaly(news) => {
            let verdict = &news.anomaly.verdict;
            let kind = verdict.kind().unwrap_or(AnomalyKind::Unclassified);
            let (client, policy) = (verdict.client.as_str(), verdict.policy.as_str());
            format!(
                "{} in {}",
                kind_words(kind),
                stream(client, policy, verdict.schedule_type)
            )
        }
        What::Incident(news) => incident_title(news),
        What::Review(news) => format!(
            "{} by {}: {}",
            decision(news.review.status),
            name(news.review.recorded_by()),
            stream(news.client.as_str(), news.policy.as_str(), None)
        ),
        What::System(news) if news.subject.is_empty() => news.kind.title().to_owned(),
        What::System(news) => format!("{}: {}", news.kind.title(), name(&news.subject)),
        What::Test => "This is a test".to_owned(),
    };
    one_line(&text, MOST_SENTENCE).into_owned()
}

/// What happened, in one line that does nothing.
pub(crate) fn message(event: &Event) -> String {
    let text = match &event.what {
        What::Anomaly(news) => format!("{}. {}", title(event), news.anomaly.verdict.summary),
        What::Incident(news) => {
            let first = news.anomalies.first();
            let first = first.map(|line| format!(" {}", line.summary));
            format!("{}.{}", title(event), first.unwrap_or_default())
        }
        What::Review(news) => review_message(news, &title(event)),
        What::System(news) => {
            let by = news.by.as_deref().map(|by| format!(" By {}.", name(by)));
            format!(
                "{}. {}{}",
                title(event),
                news.summary,
                by.unwrap_or_default()
            )
        }
        What::Test => "This is a test. It arrived as a real message would.".to_owned(),
    };
    one_line(&text, MOST_SENTENCE).into_owned()
}

fn incident_title(news: &IncidentNews) -> String {
    let incident = &news.incident;
    let size = size(incident);
    let kind = kind_words(incident.kind());
    let number = news.number;
    match news.change {
        IncidentChange::Opened => format!("Incident {number}: {kind}, {size}"),
        IncidentChange::Grown => format!("Incident {number} has grown: {kind}, {size}"),
        IncidentChange::Closed => format!("Incident {number} is closed: {kind}, {size}"),
        IncidentChange::Reopened => format!("Incident {number} is open again: {kind}, {size}"),
    }
}

/// How much an incident holds: `14 anomalies on 2 clients (file02, mail01)`.
pub(crate) fn size(incident: &Incident) -> String {
    let clients = &incident.clients;
    let count = clients.names.len() as u64;
    let more = if clients.and_more { "more than " } else { "" };
    format!(
        "{} on {more}{} ({})",
        counted_anomalies(incident.anomalies()),
        counted(count, "client"),
        names(clients)
    )
}

fn counted_anomalies(count: u64) -> String {
    if count == 1 {
        "1 anomaly".to_owned()
    } else {
        format!("{count} anomalies")
    }
}

/// The first names, and how many more there are.
pub(crate) fn names<T: AsRef<str> + Ord>(spread: &Spread<T>) -> String {
    let first = spread.names.iter().take(FEW);
    let mut text = first
        .map(|item| name(item.as_ref()))
        .collect::<Vec<_>>()
        .join(", ");
    let more = spread.names.len().saturating_sub(FEW);
    if spread.and_more {
        text.push_str(", …");
    } else if more > 0 {
        _ = write!(text, " and {more} more");
    }
    text
}

fn review_message(news: &ReviewNews, title: &str) -> String {
    let reason = news.review.reason.as_deref();
    let reason = reason.map(|reason| format!(" Reason: {reason}."));
    let undone = news
        .review
        .undo
        .as_ref()
        .map(|_| " A later decision was taken back.");
    format!(
        "{title}.{}{} The anomaly: {}",
        undone.unwrap_or_default(),
        reason.unwrap_or_default(),
        news.summary
    )
}

pub(crate) fn decision(status: ReviewStatus) -> &'static str {
    match status {
        ReviewStatus::Confirmed => "Confirmed",
        ReviewStatus::FalsePositive => "Called a false positive",
        ReviewStatus::Ignored => "Ignored",
        _ => "Not reviewed any more",
    }
}

/// A name in one line of a length that leaves room for others.
pub(crate) fn name(text: &str) -> String {
    one_line(text, MOST_NAME).into_owned()
}

/// `mail01 / daily / full`.
pub(crate) fn stream(client: &str, policy: &str, schedule_type: Option<ScheduleType>) -> String {
    let mut text = format!("{} / {}", name(client), name(policy));
    if let Some(schedule_type) = schedule_type {
        text.push_str(" / ");
        text.push_str(schedule_type.as_str());
    }
    text
}

pub(crate) fn kind_words(kind: AnomalyKind) -> String {
    capital(&kind.as_str().replace('_', " "))
}

fn capital(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(characters).collect()
    })
}

pub(crate) fn severity_word(severity: Severity) -> String {
    severity.as_str().to_uppercase()
}

/// A time for people; all of them are in UTC, which stands beside the first.
pub(crate) fn when(time: DateTime<Utc>) -> String {
    time.format("%Y-%m-%d %H:%M").to_string()
}

/// What, how much, and how much usually; `None` for a feature that there is not any more.
pub(crate) fn finding(finding: &Finding) -> Option<(String, String, String)> {
    let (label, unit) = label(finding.feature.as_str())?;
    let usual = unit.format_range(finding.usual_low, finding.usual_high);
    Some((label.to_owned(), unit.format(finding.observed), usual))
}
