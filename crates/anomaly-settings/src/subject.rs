//! Whose jobs settings are for, without a job.

use anomaly_model::chrono::{DateTime, Utc};
use anomaly_model::{BackupJob, ClientName, PolicyName, PolicyType, ScheduleType};

use crate::Scope;

/// What scopes look at: whose job it is, and when it started.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// Who is backed up.
    pub client: &'a ClientName,
    /// By which rules.
    pub policy: &'a PolicyName,
    /// What the policy protects, where that is known.
    pub policy_type: Option<&'a PolicyType>,
    /// How much is backed up, where that is known.
    pub schedule_type: Option<ScheduleType>,
    /// The time: for a job, that of its start.
    pub at: DateTime<Utc>,
}

impl<'a> From<&'a BackupJob> for Subject<'a> {
    fn from(job: &'a BackupJob) -> Self {
        Self {
            client: &job.client().name,
            policy: &job.policy().name,
            policy_type: job.policy().policy_type.as_ref(),
            schedule_type: job.schedule().schedule_type,
            at: job.started_at(),
        }
    }
}

/// What switches detection off.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum SwitchedOffBy<'a> {
    /// `detection.enabled` of the whole fleet.
    Fleet,
    /// The narrowest scope that sets it.
    Scope(&'a Scope),
}
