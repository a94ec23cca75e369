//! What is known about a job of a history, and never shown to a judge.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The truth about one job: a line of `labels.ndjson`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Label {
    /// The branch that the job is in; `None` for a job of the clean history.
    pub branch: Option<u32>,
    /// The step of the clean history at which the branch leaves it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base_step: Option<u64>,
    /// The job's place in the client's history, from 0. A missed job leaves a gap.
    pub step: u64,
    /// The job.
    pub job_id: String,
    /// What the job is.
    pub label: JobLabel,
    /// Where in a branch the job is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attack_phase: Option<Phase>,
    /// What happened in the branch: `enc_full_inplace`, `benign_import`, ...
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attack_kind: Option<String>,
    /// The family of what happened: `ransomware`, `destruction`, `exfil`, `ops` or `benign`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attack_family: Option<String>,
    /// Names the event: client, kind and step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attack_id: Option<String>,
    /// How much the event touched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub severity: Option<AttackSize>,
    /// New, changed and deleted files as a share of the files of the image before; may exceed 1.
    #[serde(default)]
    pub churn_frac: f64,
    /// Whether more than 30 % of the files changed without an attack.
    #[serde(default)]
    pub benign_event: bool,
    /// Whether this is the client's first job.
    #[serde(default)]
    pub initial: bool,
}

/// What a job is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum JobLabel {
    /// Nothing happened.
    Normal,
    /// An attack is in it.
    Attack,
    /// An operational fault is in it.
    Ops,
    /// A legitimate mass change is in it.
    Benign,
    /// The job after an attack, on which nothing more was done.
    Post,
    /// What was attacked has been restored.
    Recovery,
    /// A label of a newer writer.
    #[serde(other)]
    Other,
}

/// Where in a branch a job is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Phase {
    /// The attack or fault is going on: an affected job.
    Attack,
    /// The legitimate mass change is in it: an affected job.
    Benign,
    /// The job after the attack.
    Post,
    /// The restore.
    Recovery,
    /// Life goes on.
    After,
    /// A phase of a newer writer.
    #[serde(other)]
    Other,
}

impl Phase {
    /// Whether a job in this phase is one that the event touched.
    #[must_use]
    pub fn is_affected(self) -> bool {
        matches!(self, Self::Attack | Self::Benign)
    }
}

/// How much an event touched.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct AttackSize {
    /// Files touched.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub n_touched: Option<u64>,
    /// Files touched as a share of the files before; a replaced file counts twice, as one new and
    /// one deleted file, so that it may exceed 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub frac_touched: Option<f64>,
    /// The same in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// What the event was made with, and what else is known of it.
    #[serde(flatten)]
    pub more: Map<String, Value>,
}
