//! Anomalies that belong together, as they are told.

use std::collections::BTreeSet;

use anomaly_model::chrono::{DateTime, Utc};
use anomaly_model::{Confidence, Incident, JobRef, PolicyType, RecoveryPoint};
use serde::{Deserialize, Serialize};

use super::AnomalyLine;

/// What became of an incident.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum IncidentChange {
    /// It is new.
    Opened,
    /// It has more anomalies than before.
    Grown,
    /// It is over.
    Closed,
    /// It was over, and a decision that closed it was taken back.
    Reopened,
}

impl IncidentChange {
    /// The word that stands for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Opened => "opened",
            Self::Grown => "grown",
            Self::Closed => "closed",
            Self::Reopened => "reopened",
        }
    }
}

/// An incident that was opened, grew, was closed, or was opened again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct IncidentNews {
    /// Its number.
    pub number: u64,
    /// What became of it.
    pub change: IncidentChange,
    /// All that it holds by now: since when, how much, who was hit.
    pub incident: Incident,
    /// What the policies protect, as far as that is known.
    pub policy_types: BTreeSet<PolicyType>,
    /// Whether there is a job of which that is not known, or not kept.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub other_policy_types: bool,
    /// The anomalies that are new, or the worst of all; at most
    /// [`MOST_ANOMALIES`](Self::MOST_ANOMALIES).
    pub anomalies: Vec<AnomalyLine>,
    /// From where to restore the streams that were hit, as far as that is known; at most
    /// [`MOST_STREAMS`](Self::MOST_STREAMS).
    pub recovery: Vec<RecoveryLine>,
}

impl IncidentNews {
    /// The most anomalies that are told.
    pub const MOST_ANOMALIES: usize = 20;
    /// The most streams of which it is told from where to restore them.
    pub const MOST_STREAMS: usize = 20;

    /// What became of the incident `number`; nothing is known of policy types, single anomalies and
    /// recovery points.
    #[must_use]
    pub fn new(number: u64, change: IncidentChange, incident: Incident) -> Self {
        Self {
            number,
            change,
            incident,
            policy_types: BTreeSet::new(),
            other_policy_types: true,
            anomalies: Vec::new(),
            recovery: Vec::new(),
        }
    }

    /// The same, with what the policies of all its jobs protect; `None` stands for a policy of which
    /// that is not known.
    #[must_use]
    pub fn with_policy_types(
        mut self,
        policy_types: impl IntoIterator<Item = Option<PolicyType>>,
    ) -> Self {
        self.other_policy_types = false;
        for policy_type in policy_types {
            match policy_type {
                Some(policy_type) => _ = self.policy_types.insert(policy_type),
                None => self.other_policy_types = true,
            }
        }
        self
    }

    /// The same, with the first [`MOST_ANOMALIES`](Self::MOST_ANOMALIES) of `anomalies`.
    #[must_use]
    pub fn with_anomalies(mut self, anomalies: impl IntoIterator<Item = AnomalyLine>) -> Self {
        self.anomalies = anomalies.into_iter().take(Self::MOST_ANOMALIES).collect();
        self
    }

    /// The same, with the first [`MOST_STREAMS`](Self::MOST_STREAMS) of `recovery`.
    #[must_use]
    pub fn with_recovery(mut self, recovery: impl IntoIterator<Item = RecoveryLine>) -> Self {
        self.recovery = recovery.into_iter().take(Self::MOST_STREAMS).collect();
        self
    }
}

/// From where to restore one stream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RecoveryLine {
    /// The stream, in words: `mail01 / daily / full`.
    pub stream: String,
    /// The newest image before the first sign that was judged normal; `None` if there is none.
    pub image: Option<JobRef>,
    /// How much speaks for that image.
    pub confidence: Option<Confidence>,
    /// When the first sign was.
    pub first_sign: Option<DateTime<Utc>>,
    /// Why this image, or why none.
    pub reasons: Vec<String>,
}

impl From<&RecoveryPoint> for RecoveryLine {
    fn from(point: &RecoveryPoint) -> Self {
        Self {
            stream: point.stream.to_string(),
            image: point.image.as_ref().map(|image| image.job.clone()),
            confidence: point.image.as_ref().map(|image| image.confidence),
            first_sign: point.first_sign,
            reasons: point.reasons.clone(),
        }
    }
}
