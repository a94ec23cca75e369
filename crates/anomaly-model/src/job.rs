//! The backup job.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::record::{JobRecord, MAX_DURATION_SECONDS};
use crate::{
    BackupImage, BackupJobBuilder, Client, ClientName, FileInspection, JobId, JobStatus,
    ModelError, Policy, PolicyName, PolicyType, Schedule, ScheduleName, ScheduleType, SourceName,
};

/// What identifies a job: the tool and the tool's own id. The same key twice is the same job.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct JobKey {
    /// The tool that ran the job.
    pub source: SourceName,
    /// The tool's own id.
    pub job_id: JobId,
}

impl JobKey {
    /// The job with the id `job_id` of the tool `source`.
    #[must_use]
    pub fn new(source: SourceName, job_id: JobId) -> Self {
        Self { source, job_id }
    }
}

/// One finished backup job, as its tool reported it.
///
/// A job that breaks a rule of the job format cannot exist: [`BackupJob::builder`] and
/// deserialisation share one check. What the tool did not report is `None`.
///
/// ```
/// use anomaly_model::{BackupImage, BackupJob, JobStatus};
/// use anomaly_model::chrono::{DateTime, TimeDelta};
///
/// let started_at = DateTime::UNIX_EPOCH;
/// let job = BackupJob::builder("restic", "4711", "mail01", "daily", started_at)
///     .ended_at(started_at + TimeDelta::seconds(90))
///     .status(JobStatus::Succeeded)
///     .image(BackupImage::default().image_bytes(40_000_000_000).file_count(120_345))
///     .build()?;
/// assert_eq!(job.duration_seconds(), Some(90.0));
///
/// let refused = BackupJob::builder("restic", "4711", "", "daily", started_at).build();
/// assert_eq!(refused.unwrap_err().to_string(), r#"`client` is "": must be text that is not blank"#);
/// # Ok::<(), anomaly_model::ModelError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct BackupJob {
    pub(crate) source: SourceName,
    pub(crate) job_id: JobId,
    pub(crate) client: Client,
    pub(crate) policy: Policy,
    pub(crate) schedule: Schedule,
    pub(crate) started_at: DateTime<Utc>,
    pub(crate) ended_at: Option<DateTime<Utc>>,
    pub(crate) status: JobStatus,
    pub(crate) exit_code: Option<i64>,
    pub(crate) duration_seconds: Option<f64>,
    pub(crate) image: BackupImage,
    pub(crate) inspection: Option<Box<FileInspection>>,
}

impl BackupJob {
    /// Starts a job from what every job must have; its status is `succeeded` unless set.
    pub fn builder(
        source: impl Into<String>,
        job_id: impl Into<String>,
        client: impl Into<String>,
        policy: impl Into<String>,
        started_at: DateTime<Utc>,
    ) -> BackupJobBuilder {
        BackupJobBuilder::new(
            source.into(),
            job_id.into(),
            client.into(),
            policy.into(),
            started_at,
        )
    }

    /// The tool that ran the job.
    #[must_use]
    pub fn source(&self) -> &SourceName {
        &self.source
    }

    /// The tool's own id of the job.
    #[must_use]
    pub fn job_id(&self) -> &JobId {
        &self.job_id
    }

    /// What identifies the job.
    #[must_use]
    pub fn key(&self) -> JobKey {
        JobKey::new(self.source.clone(), self.job_id.clone())
    }

    /// Who was backed up.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// By which rules.
    #[must_use]
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Under which schedule.
    #[must_use]
    pub fn schedule(&self) -> &Schedule {
        &self.schedule
    }

    /// When the job started.
    #[must_use]
    pub fn started_at(&self) -> DateTime<Utc> {
        self.started_at
    }

    /// When the job ended, where the tool says so; never before it started.
    #[must_use]
    pub fn ended_at(&self) -> Option<DateTime<Utc>> {
        self.ended_at
    }

    /// How the job ended.
    #[must_use]
    pub fn status(&self) -> JobStatus {
        self.status
    }

    /// The tool's own status code.
    #[must_use]
    pub fn exit_code(&self) -> Option<i64> {
        self.exit_code
    }

    /// How long the job took, in seconds: as reported, or else from its two times. Neither is more
    /// than a hundred years: times that lie further apart say nothing.
    #[must_use]
    pub fn duration_seconds(&self) -> Option<f64> {
        self.duration_seconds.or_else(|| {
            self.ended_at
                .map(|end| (end - self.started_at).as_seconds_f64())
                .filter(|seconds| *seconds <= MAX_DURATION_SECONDS)
        })
    }

    /// What the job stored.
    #[must_use]
    pub fn image(&self) -> &BackupImage {
        &self.image
    }

    /// What was seen by looking into the new and changed files, where someone did.
    #[must_use]
    pub fn inspection(&self) -> Option<&FileInspection> {
        self.inspection.as_deref()
    }

    /// The same job, with what someone beside the tool saw of its files: `image` and `inspection`
    /// take the place of what was reported.
    ///
    /// # Errors
    /// [`ModelError`] when what was seen breaks a rule of the job format.
    pub fn with_files_seen(
        &self,
        image: BackupImage,
        inspection: FileInspection,
    ) -> Result<Self, ModelError> {
        inspection.check()?;
        let mut record = JobRecord::default();
        record.set_image(&image);
        Ok(Self {
            image: record.checked_image()?,
            inspection: Some(Box::new(inspection)),
            ..self.clone()
        })
    }
}

impl Serialize for BackupJob {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        /// The fields in the order in which the job format lists them.
        #[derive(Serialize)]
        struct Line<'a> {
            source: &'a SourceName,
            job_id: &'a JobId,
            client: &'a ClientName,
            policy: &'a PolicyName,
            #[serde(skip_serializing_if = "Option::is_none")]
            policy_type: Option<&'a PolicyType>,
            #[serde(skip_serializing_if = "Option::is_none")]
            schedule: Option<&'a ScheduleName>,
            #[serde(skip_serializing_if = "Option::is_none")]
            schedule_type: Option<ScheduleType>,
            started_at: DateTime<Utc>,
            #[serde(skip_serializing_if = "Option::is_none")]
            ended_at: Option<DateTime<Utc>>,
            status: JobStatus,
            #[serde(skip_serializing_if = "Option::is_none")]
            exit_code: Option<i64>,
            #[serde(skip_serializing_if = "Option::is_none")]
            duration_seconds: Option<f64>,
            #[serde(flatten)]
            image: &'a BackupImage,
            #[serde(skip_serializing_if = "Option::is_none")]
            inspection: Option<&'a FileInspection>,
        }

        Line {
            source: &self.source,
            job_id: &self.job_id,
            client: &self.client.name,
            policy: &self.policy.name,
            policy_type: self.policy.policy_type.as_ref(),
            schedule: self.schedule.name.as_ref(),
            schedule_type: self.schedule.schedule_type,
            started_at: self.started_at,
            ended_at: self.ended_at,
            status: self.status,
            exit_code: self.exit_code,
            duration_seconds: self.duration_seconds,
            image: &self.image,
            inspection: self.inspection(),
        }
        .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for BackupJob {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        JobRecord::deserialize(deserializer)?
            .check()
            .map_err(serde::de::Error::custom)
    }
}
