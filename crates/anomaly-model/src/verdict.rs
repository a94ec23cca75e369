//! What was concluded about a job.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::raw::Raw;
use crate::{
    AnomalyKind, BackupJob, ClientName, FeatureName, Finding, JobId, JobKey, JobRef, ModelError,
    NotableFile, PolicyName, Review, ScheduleType, Severity, SourceName,
};

/// How often a usual job of a stream is at least as strange as this one: above 0, at most 1.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(try_from = "f64", into = "f64")]
pub struct PValue(f64);

impl PValue {
    /// The smallest p-value; anything rarer is reported as this.
    pub const MIN: Self = Self(1e-300);

    /// Checks a p-value.
    ///
    /// # Errors
    /// [`ModelError::Invalid`] unless `1e-300 <= p_value <= 1`.
    pub fn new(p_value: f64) -> Result<Self, ModelError> {
        Raw::from(p_value)
            .real("p_value", &(Self::MIN.0..=1.0))
            .map(Self)
    }

    /// The nearest p-value; 1 when `p_value` is not a number.
    #[must_use]
    pub fn clamped(p_value: f64) -> Self {
        if p_value.is_nan() {
            Self(1.0)
        } else {
            Self(p_value.clamp(Self::MIN.0, 1.0))
        }
    }

    /// The probability.
    #[must_use]
    pub fn get(self) -> f64 {
        self.0
    }

    /// `-log10` of the probability: 0 to 300, larger is stranger, comparable across streams.
    ///
    /// ```
    /// # use anomaly_model::PValue;
    /// assert_eq!(PValue::new(0.001)?.score(), 3.0);
    /// # Ok::<(), anomaly_model::ModelError>(())
    /// ```
    #[must_use]
    pub fn score(self) -> f64 {
        // The absolute value turns the -0.0 of a certain event into 0.0.
        (-self.0.log10()).abs()
    }
}

impl TryFrom<f64> for PValue {
    type Error = ModelError;

    fn try_from(p_value: f64) -> Result<Self, ModelError> {
        Self::new(p_value)
    }
}

impl From<PValue> for f64 {
    fn from(p_value: PValue) -> Self {
        p_value.0
    }
}

/// What was concluded about a job.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Judgement {
    /// Nothing unusual in what could be seen.
    Normal,
    /// Unusual for its stream, or for any.
    Anomalous {
        /// How much it matters.
        severity: Severity,
        /// What it looks like.
        kind: AnomalyKind,
    },
    /// The stream has too little history: judged only by what needs none.
    WarmingUp,
    /// Not judged.
    NotScored {
        /// Why not.
        reason: String,
    },
}

/// The false positive by which a strange job counts as usual.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CoveredBy {
    /// The job that a person said was usual, and others like it.
    pub job: JobRef,
    /// Who said so.
    pub reviewer: String,
    /// When that was said.
    pub reviewed_at: DateTime<Utc>,
    /// Until when it holds; `None` for no end.
    pub expires_at: Option<DateTime<Utc>>,
}

impl CoveredBy {
    /// By what `review` says of `job`.
    #[must_use]
    pub fn new(job: JobRef, review: &Review) -> Self {
        Self {
            job,
            reviewer: review.reviewer.clone(),
            reviewed_at: review.reviewed_at,
            expires_at: review.expires_at,
        }
    }
}

/// A change that was reported once and has lasted since: perhaps the new normal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct LevelShift {
    /// Strange jobs since it was reported, that one and the last one included.
    pub jobs: u32,
    /// The job with which it was reported; `None` if that is too long ago to be known.
    pub began_with: Option<JobKey>,
    /// Whether the settings made it the new normal with this job.
    pub accepted: bool,
}

impl LevelShift {
    /// A change that has lasted for `jobs` jobs, and waits for a person.
    #[must_use]
    pub fn new(jobs: u32, began_with: Option<JobKey>) -> Self {
        Self {
            jobs,
            began_with,
            accepted: false,
        }
    }
}

/// The verdict on one job, with the reasons.
///
/// Serialises as the verdict record of the job format: `state`, `severity`, `kind` and `reason`
/// stand for the [`Judgement`], `score` follows from `p_value`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "VerdictRecord", into = "VerdictRecord")]
#[non_exhaustive]
pub struct Verdict {
    /// The tool that ran the job.
    pub source: SourceName,
    /// The tool's own id of the job.
    pub job_id: JobId,
    /// Who was backed up.
    pub client: ClientName,
    /// By which rules.
    pub policy: PolicyName,
    /// How much the job backed up, where the tool says so.
    pub schedule_type: Option<ScheduleType>,
    /// When the job started.
    pub started_at: DateTime<Utc>,
    /// The conclusion.
    pub judgement: Judgement,
    /// How often a usual job is at least this strange; `None` when only rules judged.
    pub p_value: Option<PValue>,
    /// What is unusual, strongest first.
    pub findings: Vec<Finding>,
    /// One plain sentence.
    pub summary: String,
    /// Features that the job did not report and that would have been used.
    pub unseen: Vec<FeatureName>,
    /// The files that show what happened, the weightiest first, where someone looked into them.
    pub files: Vec<NotableFile>,
    /// The false positive without which the job would be an anomaly.
    pub covered_by: Option<CoveredBy>,
    /// The change that the job goes on with, once that has lasted long enough to be the new normal.
    pub level_shift: Option<LevelShift>,
}

impl Verdict {
    /// A verdict on `job` without p-value, findings and blind spots.
    #[must_use]
    pub fn new(job: &BackupJob, judgement: Judgement, summary: impl Into<String>) -> Self {
        Self {
            source: job.source().clone(),
            job_id: job.job_id().clone(),
            client: job.client().name.clone(),
            policy: job.policy().name.clone(),
            schedule_type: job.schedule().schedule_type,
            started_at: job.started_at(),
            judgement,
            p_value: None,
            findings: Vec::new(),
            summary: summary.into(),
            unseen: Vec::new(),
            files: Vec::new(),
            covered_by: None,
            level_shift: None,
        }
    }

    /// A verdict on `job` that says why it was not judged: a reason such as `detection is off`, without
    /// a full stop.
    #[must_use]
    pub fn not_scored(job: &BackupJob, reason: impl Into<String>) -> Self {
        let reason = reason.into();
        let summary = format!("Not judged: {reason}.");
        Self::new(job, Judgement::NotScored { reason }, summary)
    }

    /// What identifies the job.
    #[must_use]
    pub fn key(&self) -> JobKey {
        JobKey::new(self.source.clone(), self.job_id.clone())
    }

    /// Whether the job is anomalous.
    #[must_use]
    pub fn is_anomalous(&self) -> bool {
        matches!(self.judgement, Judgement::Anomalous { .. })
    }

    /// How much it matters, if the job is anomalous.
    #[must_use]
    pub fn severity(&self) -> Option<Severity> {
        match self.judgement {
            Judgement::Anomalous { severity, .. } => Some(severity),
            _ => None,
        }
    }

    /// What it looks like, if the job is anomalous.
    #[must_use]
    pub fn kind(&self) -> Option<AnomalyKind> {
        match self.judgement {
            Judgement::Anomalous { kind, .. } => Some(kind),
            _ => None,
        }
    }

    /// `-log10` of the p-value; larger is stranger.
    #[must_use]
    pub fn score(&self) -> Option<f64> {
        self.p_value.map(PValue::score)
    }
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum State {
    Normal,
    Anomalous,
    WarmingUp,
    NotScored,
}

/// The verdict record, field for field.
#[derive(Serialize, Deserialize)]
struct VerdictRecord {
    source: SourceName,
    job_id: JobId,
    client: ClientName,
    policy: PolicyName,
    schedule_type: Option<ScheduleType>,
    started_at: DateTime<Utc>,
    state: State,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    score: Option<f64>,
    p_value: Option<PValue>,
    severity: Option<Severity>,
    kind: Option<AnomalyKind>,
    findings: Vec<Finding>,
    summary: String,
    unseen: Vec<FeatureName>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    files: Vec<NotableFile>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    covered_by: Option<CoveredBy>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    level_shift: Option<LevelShift>,
}

impl From<Verdict> for VerdictRecord {
    fn from(verdict: Verdict) -> Self {
        let (severity, kind, score) = (verdict.severity(), verdict.kind(), verdict.score());
        let (state, reason) = match verdict.judgement {
            Judgement::Normal => (State::Normal, None),
            Judgement::Anomalous { .. } => (State::Anomalous, None),
            Judgement::WarmingUp => (State::WarmingUp, None),
            Judgement::NotScored { reason } => (State::NotScored, Some(reason)),
        };
        Self {
            source: verdict.source,
            job_id: verdict.job_id,
            client: verdict.client,
            policy: verdict.policy,
            schedule_type: verdict.schedule_type,
            started_at: verdict.started_at,
            state,
            reason,
            score,
            p_value: verdict.p_value,
            severity,
            kind,
            findings: verdict.findings,
            summary: verdict.summary,
            unseen: verdict.unseen,
            files: verdict.files,
            covered_by: verdict.covered_by,
            level_shift: verdict.level_shift,
        }
    }
}

impl TryFrom<VerdictRecord> for Verdict {
    type Error = ModelError;

    fn try_from(record: VerdictRecord) -> Result<Self, ModelError> {
        let judgement = match record.state {
            State::Normal => Judgement::Normal,
            State::Anomalous => Judgement::Anomalous {
                severity: record
                    .severity
                    .ok_or(ModelError::Missing { field: "severity" })?,
                kind: record.kind.ok_or(ModelError::Missing { field: "kind" })?,
            },
            State::WarmingUp => Judgement::WarmingUp,
            State::NotScored => Judgement::NotScored {
                reason: record
                    .reason
                    .ok_or(ModelError::Missing { field: "reason" })?,
            },
        };
        Ok(Self {
            source: record.source,
            job_id: record.job_id,
            client: record.client,
            policy: record.policy,
            schedule_type: record.schedule_type,
            started_at: record.started_at,
            judgement,
            p_value: record.p_value,
            findings: record.findings,
            summary: record.summary,
            unseen: record.unseen,
            files: record.files,
            covered_by: record.covered_by,
            level_shift: record.level_shift,
        })
    }
}
