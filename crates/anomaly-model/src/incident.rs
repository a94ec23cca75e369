//! Anomalies that belong together.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::{AnomalyKind, ClientName, PolicyName, Severity, Verdict};

/// Names that were hit; of very many, the first of the alphabet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(bound(deserialize = "T: Ord + Deserialize<'de>"))]
#[non_exhaustive]
pub struct Spread<T> {
    /// The names.
    pub names: BTreeSet<T>,
    /// Whether there are more than [`MOST_NAMES`](Self::MOST_NAMES).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub and_more: bool,
}

impl<T: Ord + Clone> Spread<T> {
    /// The most names that are kept.
    pub const MOST_NAMES: usize = 1_000;

    /// One name.
    #[must_use]
    pub fn of(name: T) -> Self {
        Self {
            names: BTreeSet::from([name]),
            and_more: false,
        }
    }

    /// Adds what `other` has.
    pub fn merge(&mut self, other: &Self) {
        self.names.extend(other.names.iter().cloned());
        self.and_more |= other.and_more;
        while self.names.len() > Self::MOST_NAMES {
            self.names.pop_last();
            self.and_more = true;
        }
    }
}

/// Anomalies that belong together, as one thing that happened.
///
/// Merging is commutative and associative: in whichever order anomalies come, the incident is the
/// same.
///
/// ```
/// use anomaly_model::{AnomalyKind, BackupJob, Incident, Judgement, Severity, Verdict};
/// # let start = anomaly_model::chrono::DateTime::UNIX_EPOCH;
/// let anomaly = |client, severity, kind| {
///     let job = BackupJob::builder("restic", client, client, "daily", start).build()?;
///     Ok::<_, anomaly_model::ModelError>(Verdict::new(&job, Judgement::Anomalous { severity, kind }, "."))
/// };
/// let first = anomaly("mail01", Severity::Low, AnomalyKind::Growth)?;
/// let second = anomaly("file02", Severity::High, AnomalyKind::MassEncryption)?;
/// let mut incident = Incident::of(&first).ok_or("an anomaly")?;
/// incident.merge(&Incident::of(&second).ok_or("an anomaly")?);
/// assert_eq!(incident.severity(), Severity::High);
/// assert_eq!(incident.kind(), AnomalyKind::MassEncryption);
/// assert_eq!((incident.anomalies(), incident.clients.names.len()), (2, 2));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Incident {
    /// When the first job of it started.
    pub first_seen: DateTime<Utc>,
    /// When the last job of it started.
    pub last_seen: DateTime<Utc>,
    /// How many anomalies of each severity and kind there are.
    pub counts: BTreeMap<Severity, BTreeMap<AnomalyKind, u64>>,
    /// Who was hit.
    pub clients: Spread<ClientName>,
    /// Whose jobs show it.
    pub policies: Spread<PolicyName>,
}

impl Incident {
    /// One anomaly; `None` if the verdict is none.
    #[must_use]
    pub fn of(anomaly: &Verdict) -> Option<Self> {
        let (severity, kind) = (anomaly.severity()?, anomaly.kind()?);
        Some(Self {
            first_seen: anomaly.started_at,
            last_seen: anomaly.started_at,
            counts: BTreeMap::from([(severity, BTreeMap::from([(kind, 1)]))]),
            clients: Spread::of(anomaly.client.clone()),
            policies: Spread::of(anomaly.policy.clone()),
        })
    }

    /// Takes in another part of the same incident.
    pub fn merge(&mut self, other: &Self) {
        self.first_seen = self.first_seen.min(other.first_seen);
        self.last_seen = self.last_seen.max(other.last_seen);
        for (&severity, kinds) in &other.counts {
            for (&kind, &count) in kinds {
                let own = self.counts.entry(severity).or_default();
                *own.entry(kind).or_default() += count;
            }
        }
        self.clients.merge(&other.clients);
        self.policies.merge(&other.policies);
    }

    /// The worst of its anomalies.
    #[must_use]
    pub fn severity(&self) -> Severity {
        let worst = self.counts.last_key_value();
        worst.map_or(Severity::Low, |(severity, _)| *severity)
    }

    /// What it looks like: the most frequent kind among its worst anomalies.
    #[must_use]
    pub fn kind(&self) -> AnomalyKind {
        let worst = self.counts.last_key_value();
        let most = worst.and_then(|(_, kinds)| kinds.iter().rev().max_by_key(|(_, count)| **count));
        most.map_or(AnomalyKind::Unclassified, |(kind, _)| *kind)
    }

    /// How many anomalies it holds.
    #[must_use]
    pub fn anomalies(&self) -> u64 {
        self.counts.values().flat_map(BTreeMap::values).sum()
    }
}
