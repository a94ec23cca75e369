//! An anomalous job, as it is told.

use anomaly_model::chrono::{DateTime, Utc};
use anomaly_model::{
    Anomaly, AnomalyKind, Finding, JobKey, PolicyType, ScheduleType, Severity, Verdict,
};
use anomaly_model::{ClientName, PolicyName};
use serde::{Deserialize, Serialize};

/// An anomalous job.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct AnomalyNews {
    /// The verdict, and what is known around it.
    pub anomaly: Anomaly,
    /// The number of the incident that it belongs to.
    pub incident: Option<u64>,
    /// What the job's policy protects, where that is known.
    pub policy_type: Option<PolicyType>,
}

impl AnomalyNews {
    /// An anomaly, and the incident that it belongs to.
    #[must_use]
    pub fn new(anomaly: Anomaly, incident: Option<u64>, policy_type: Option<PolicyType>) -> Self {
        Self {
            anomaly,
            incident,
            policy_type,
        }
    }
}

/// An anomalous job in the list of an incident.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct AnomalyLine {
    /// The job.
    pub job: JobKey,
    /// Who was backed up.
    pub client: ClientName,
    /// By which rules.
    pub policy: PolicyName,
    /// How much the job backed up, where that is known.
    pub schedule_type: Option<ScheduleType>,
    /// When the job started.
    pub started_at: DateTime<Utc>,
    /// How much it matters.
    pub severity: Severity,
    /// What it looks like.
    pub kind: AnomalyKind,
    /// How strange it is, as `-log10` of its p-value; `None` when only rules judged.
    pub score: Option<f64>,
    /// One plain sentence.
    pub summary: String,
    /// What is unusual, strongest first; at most [`MOST_FINDINGS`](Self::MOST_FINDINGS).
    pub findings: Vec<Finding>,
    /// The address of the page about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
}

impl AnomalyLine {
    /// The most findings that are told.
    pub const MOST_FINDINGS: usize = 5;

    /// The line for a verdict; `None` if it is no anomaly.
    #[must_use]
    pub fn of(verdict: &Verdict) -> Option<Self> {
        let mut findings = verdict.findings.clone();
        findings.truncate(Self::MOST_FINDINGS);
        Some(Self {
            job: verdict.key(),
            client: verdict.client.clone(),
            policy: verdict.policy.clone(),
            schedule_type: verdict.schedule_type,
            started_at: verdict.started_at,
            severity: verdict.severity()?,
            kind: verdict.kind()?,
            score: verdict.score(),
            summary: verdict.summary.clone(),
            findings,
            link: None,
        })
    }

    /// The same, with the address of the page about it.
    #[must_use]
    pub fn with_link(mut self, link: impl Into<String>) -> Self {
        self.link = Some(link.into());
        self
    }
}
