//! One thing that people are told.

use anomaly_model::chrono::{DateTime, Utc};
use anomaly_model::{Severity, Verdict};
use anomaly_service::{AnomalyService, ServiceError};
use anomaly_storage::{AuditEntry, Stored};

use crate::news::NEWS;
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
                        incident.first_seen.format("%-d %B"),
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
        let record = &entry.record;
        let mut title = record.what.replace('_', " ");
        if let Some(first) = title.get_mut(..1) {
            first.make_ascii_uppercase();
        }
        let reason = record.reason.clone();
        Some(Self {
            number: entry.number,
            about: About::Record(entry.number),
            at: record.at,
            severity: record.severity?,
            title: format!("{title}: {}", record.subject),
            text: reason.unwrap_or_else(|| format!("By {}.", record.who)),
            link: "/audit".to_owned(),
        })
    }
}
