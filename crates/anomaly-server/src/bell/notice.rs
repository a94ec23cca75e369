//! One thing that people are told.

use anomaly_model::chrono::{DateTime, Utc};
use anomaly_model::{Severity, Verdict};
use anomaly_service::{AnomalyService, ServiceError};
use anomaly_storage::{AuditEntry, Stored};

use crate::news::NEWS;
use crate::system::system_news;
use crate::web::{address, kind, spread};

/// One thing that people are told.
#[derive(Debug, Clone)]
pub(crate) struct Notice {
    /// The number in the log of the newest record that it is about.
    pub(crate) number: u64,
    pub(super) about: About,
    pub(crate) at: DateTime<Utc>,
    pub(crate) severity: Severity,
    pub(crate) title: String,
    pub(crate) text: String,
    /// The page about it.
    pub(crate) link: String,
}

/// What a notice is about: an incident has one, however it grows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum About {
    Incident(u64),
    Record(u64),
}

impl Notice {
    /// An anomaly that was stored at a time, with the incident that it belongs to; `None` for one of
    /// a job that had long ended by then: nobody is told of the past.
    pub(super) fn of(
        service: &AnomalyService,
        number: u64,
        verdict: &Verdict,
        at: DateTime<Utc>,
    ) -> Result<Option<Self>, ServiceError> {
        let Some(severity) = verdict
            .severity()
            .filter(|_| at - verdict.started_at < NEWS)
        else {
            return Ok(None);
        };
        let key = verdict.key();
        let incident = match service.incident_of(&key)? {
            Some(number) => service.incident(number)?,
            None => None,
        };
        let alone = Self {
            number,
            about: incident.as_ref().map_or(About::Record(number), |incident| {
                About::Incident(incident.number)
            }),
            at,
            severity,
            title: format!(
                "{} on {}",
                verdict.kind().map(kind).unwrap_or_default(),
                verdict.client
            ),
            text: verdict.summary.clone(),
            link: address(&key),
        };
        Ok(Some(match incident {
            Some(report) if report.incident.anomalies() > 1 => {
                let incident = &report.incident;
                Self {
                    severity: incident.severity(),
                    title: format!("{} on {}", kind(incident.kind()), spread(incident)),
                    text: format!(
                        "{} anomalies since {}, the last on {}.",
                        incident.anomalies(),
                        incident.first_seen.format("%-d %B %Y"),
                        verdict.client,
                    ),
                    link: format!("/incidents/{}", report.number),
                    ..alone
                }
            }
            _ => alone,
        }))
    }

    /// What the audit log says of Backwatch itself; `None` for what is done every day.
    pub(super) fn of_entry(entry: &Stored<AuditEntry>) -> Option<Self> {
        let news = system_news(&entry.record)?;
        Some(Self {
            number: entry.number,
            about: About::Record(entry.number),
            at: entry.record.at,
            severity: news.severity,
            title: format!("{}: {}", news.kind.title(), news.subject),
            text: news.summary,
            link: "/audit".to_owned(),
        })
    }
}
