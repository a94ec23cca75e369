//! Building a job in code.

use chrono::{DateTime, Utc};

use crate::record::JobRecord;
use crate::{BackupImage, BackupJob, FileInspection, JobStatus, ModelError, ScheduleType};

/// Collects what is known of a job; [`build`](Self::build) checks it.
///
/// Made by [`BackupJob::builder`]. Setters of what a tool may not know take the value or an `Option`
/// of it; [`status`](Self::status) and [`image`](Self::image) take the value.
#[derive(Debug, Clone)]
#[must_use = "a builder does nothing until `build` is called"]
pub struct BackupJobBuilder {
    record: JobRecord,
}

impl BackupJobBuilder {
    pub(crate) fn new(
        source: String,
        job_id: String,
        client: String,
        policy: String,
        started_at: DateTime<Utc>,
    ) -> Self {
        let record = JobRecord {
            source: Some(source.into()),
            job_id: Some(job_id.into()),
            client: Some(client.into()),
            policy: Some(policy.into()),
            started_at: Some(started_at.into()),
            ..JobRecord::default()
        };
        Self { record }.status(JobStatus::Succeeded)
    }

    /// What the policy protects: `filesystem`, `vmware`, ...
    pub fn policy_type<'a>(mut self, policy_type: impl Into<Option<&'a str>>) -> Self {
        self.record.policy_type = policy_type.into().map(|text| text.to_owned().into());
        self
    }

    /// The schedule's name.
    pub fn schedule<'a>(mut self, schedule: impl Into<Option<&'a str>>) -> Self {
        self.record.schedule = schedule.into().map(|text| text.to_owned().into());
        self
    }

    /// The schedule's type.
    pub fn schedule_type(mut self, schedule_type: impl Into<Option<ScheduleType>>) -> Self {
        self.record.schedule_type = schedule_type
            .into()
            .map(|schedule_type| schedule_type.as_str().to_owned().into());
        self
    }

    /// When the job ended.
    pub fn ended_at(mut self, ended_at: impl Into<Option<DateTime<Utc>>>) -> Self {
        self.record.ended_at = ended_at.into().map(Into::into);
        self
    }

    /// How the job ended.
    pub fn status(mut self, status: JobStatus) -> Self {
        self.record.status = Some(status.as_str().to_owned().into());
        self
    }

    /// The tool's own status code.
    pub fn exit_code(mut self, exit_code: impl Into<Option<i64>>) -> Self {
        self.record.exit_code = exit_code.into().map(Into::into);
        self
    }

    /// How long the job took, in seconds; derived from the two times when not set.
    pub fn duration_seconds(mut self, duration_seconds: impl Into<Option<f64>>) -> Self {
        self.record.duration_seconds = duration_seconds.into().map(Into::into);
        self
    }

    /// What the job stored.
    pub fn image(mut self, image: BackupImage) -> Self {
        self.record.set_image(&image);
        self
    }

    /// What was seen by looking into the new and changed files.
    pub fn inspection(mut self, inspection: impl Into<Option<FileInspection>>) -> Self {
        self.record.inspection = inspection.into().map(Box::new);
        self
    }

    /// Checks everything and makes the job.
    ///
    /// # Errors
    /// [`ModelError`] names the first field that breaks a rule of the job format, and its value.
    pub fn build(self) -> Result<BackupJob, ModelError> {
        self.record.check()
    }
}
