//! One thing that people are told.

use anomaly_model::Severity;
use anomaly_model::chrono::{DateTime, Utc};
use anomaly_service::{AnomalyService, ServiceError};
use anomaly_storage::{AuditEntry, Stored, StoredObservation};

use crate::news::is_news;
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
    /// An anomaly that was stored at a time, with the incident that it belongs to; `None` for one that
    /// was no news by then.
    pub(super) fn of(
        service: &AnomalyService,
        stored: &StoredObservation,
        at: DateTime<Utc>,
    ) -> Result<Option<Self>, ServiceError> {
        let StoredObservation {
            number, verdict, ..
        } = stored;
        let Some(severity) = verdict.severity() else {
            return Ok(None);
        };
        if !is_news(service, stored, at)? {
            return Ok(None);
        }
        let (number, key) = (*number, verdict.key());
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
