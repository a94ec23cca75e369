//! The rules of other tools, as they are documented.

mod attributes;
mod rules;

use std::collections::HashMap;

use anomaly_detectors::DetectorError;
use anomaly_model::{BackupJob, StreamKey, StreamPart};

use self::attributes::Attributes;
use crate::{Answer, Judge, State};

/// The rule of another tool, or of a textbook, on the numbers that a job reports.
///
/// These are re-implementations from documentation, not the tools themselves. They look at the five
/// attributes that every track shows. Each learns from every job that reports numbers, whether it
/// was flagged or not, as is documented of those that say so. A job without numbers (a failed one)
/// is not judged: tools report it in another way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Peer {
    /// The distance of the five attributes from the nearest cluster of past jobs, above 10.
    ///
    /// `NetBackup` documents the features, the grouping and "how far the new value is from the
    /// cluster of similar past observations", not the algorithm: the clusters are those of
    /// [`ClusterDistance`](anomaly_detectors::ClusterDistance). Threshold (its sister product Backup
    /// Exec calls scores above 10 medium) and the 30 runs before the first anomaly are Backup Exec's.
    ClusterDistance,
    /// Any of the five attributes more than 3 standard deviations from its mean.
    ZScore,
    /// Any of the five attributes more than 3.5 robust deviations from its median: Iglewicz and
    /// Hoaglin, "How to Detect and Handle Outliers" (1993).
    ModifiedZScore,
    /// Vault for Unraid, sensitivity "balanced": image size or duration against the last 10 runs of the
    /// policy, whatever their schedule type: a modified z-score above 3.5 (unless the MAD is 0), more
    /// than 5 times the median, or less than half of it.
    VaultForUnraid,
    /// npbackup: the image size more than 10 % below or 50 % above the mean of the last 5 runs.
    Npbackup,
    /// Two points, no learning: more than half of the files gone since the job before, or more than
    /// 80 % of the data new. Such rules are those of Veeam's index scan and of Datashelter.
    TwoPoints,
}

impl Peer {
    /// Every rule.
    pub const ALL: [Self; 6] = [
        Self::ClusterDistance,
        Self::ZScore,
        Self::ModifiedZScore,
        Self::VaultForUnraid,
        Self::Npbackup,
        Self::TwoPoints,
    ];

    /// Its short name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ClusterDistance => "cluster-distance",
            Self::ZScore => "z-score",
            Self::ModifiedZScore => "modified-z-score",
            Self::VaultForUnraid => "vault-for-unraid",
            Self::Npbackup => "npbackup",
            Self::TwoPoints => "two-points",
        }
    }

    /// What the rule is called where there is room.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::ClusterDistance => "cluster distance (NetBackup as described), 10",
            Self::ZScore => "z-score, 3",
            Self::ModifiedZScore => "modified z-score (MAD), 3.5",
            Self::VaultForUnraid => "Vault for Unraid, last 10 runs",
            Self::Npbackup => "npbackup, size, last 5 runs",
            Self::TwoPoints => "two points: half of the files gone, 80 % new",
        }
    }

    /// The score above which it raises an alarm.
    #[must_use]
    pub fn threshold(self) -> f64 {
        match self {
            Self::ClusterDistance => 10.0,
            Self::ZScore => 3.0,
            Self::ModifiedZScore => 3.5,
            // Several limits, each taken as 1.
            Self::VaultForUnraid | Self::Npbackup | Self::TwoPoints => 1.0,
        }
    }

    /// Jobs of the stream before it says anything.
    #[must_use]
    pub fn warm_up_jobs(self) -> usize {
        match self {
            Self::ClusterDistance => 30,
            Self::ZScore | Self::ModifiedZScore | Self::VaultForUnraid => 10,
            Self::Npbackup => 5,
            Self::TwoPoints => 1,
        }
    }

    /// What it compares a job with.
    fn stream_parts(self) -> &'static [StreamPart] {
        match self {
            Self::VaultForUnraid | Self::Npbackup => &[StreamPart::Client, StreamPart::Policy],
            _ => &StreamPart::DEFAULT,
        }
    }

    fn score(self, history: &[Attributes], job: &Attributes) -> Result<f64, DetectorError> {
        match self {
            Self::ClusterDistance => rules::cluster_distance(history, job),
            Self::ZScore => rules::z_score(history, job),
            Self::ModifiedZScore => rules::modified_z_score(history, job),
            Self::VaultForUnraid => Ok(rules::vault_for_unraid(history, job)),
            Self::Npbackup => Ok(rules::npbackup(history, job)),
            Self::TwoPoints => Ok(rules::two_points(history, job)),
        }
    }
}

/// A judge by a peer's rule.
///
/// ```
/// use anomaly_eval::{Peer, PeerJudge, Track, embedded_histories, evaluate};
///
/// let histories = embedded_histories()?;
/// let rule = PeerJudge::new(Peer::TwoPoints);
/// let scores = evaluate(&rule, &histories[..2], Track::Metadata)?.scores;
/// assert_eq!(scores.verdicts_missing, 0);
/// # Ok::<(), anomaly_eval::EvalError>(())
/// ```
#[derive(Debug, Clone)]
pub struct PeerJudge {
    peer: Peer,
    streams: HashMap<StreamKey, Vec<Attributes>>,
}

impl PeerJudge {
    /// A judge by this rule, that has seen nothing yet.
    #[must_use]
    pub fn new(peer: Peer) -> Self {
        Self {
            peer,
            streams: HashMap::new(),
        }
    }
}

impl Judge for PeerJudge {
    fn observe(&mut self, job: &BackupJob) -> Option<Answer> {
        let Some(attributes) = Attributes::of(job) else {
            return Some(Answer::new(State::NotScored, None));
        };
        let stream = StreamKey::of(job, self.peer.stream_parts());
        let history = self.streams.entry(stream).or_default();
        let score = if history.len() < self.peer.warm_up_jobs() {
            None
        } else {
            self.peer.score(history, &attributes).ok()
        };
        history.push(attributes);
        let state = match score {
            None => State::WarmingUp,
            Some(score) if score > self.peer.threshold() => State::Anomalous,
            Some(_) => State::Normal,
        };
        Some(Answer::new(state, score))
    }
}
