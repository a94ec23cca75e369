//! A snapshot, as restic and rustic print it.

use anomaly_model::chrono::{DateTime, Utc};
use anomaly_model::{BackupJob, BackupJobBuilder, JobStatus};
use serde::Deserialize;

use crate::policy::{paths_and_tags, shortened};
use crate::restic::summary::Summary;
use crate::restic::{RESTIC, RUSTIC};
use crate::{Place, ReadOptions, RecordError, json};

/// What is used of a snapshot, with the names that both give it.
#[derive(Deserialize)]
pub(super) struct Snapshot {
    id: Option<String>,
    #[serde(default, deserialize_with = "json::time")]
    time: Option<DateTime<Utc>>,
    program_version: Option<String>,
    hostname: Option<String>,
    /// rustic's alone.
    label: Option<String>,
    paths: Option<Vec<String>>,
    tags: Option<Vec<String>>,
    summary: Option<Summary>,
}

impl Snapshot {
    pub(super) fn parse(text: &str, place: Place) -> Result<Self, RecordError> {
        json::parse_by_path(text, place)
    }

    /// Whether it is in a repository, not made in a dry run.
    pub(super) fn is_stored(&self) -> bool {
        self.id.is_some()
    }

    /// A snapshot exists, so the backup succeeded; whether some files could not be read (restic's
    /// exit status 3) is not recorded in it.
    ///
    /// The job started when the backup did. `time` says when, where there is no summary; it differs
    /// only if someone gave the snapshot another time with `--time`.
    pub(super) fn job(
        self,
        place: Place,
        options: &ReadOptions,
    ) -> Result<BackupJobBuilder, RecordError> {
        let bad = |message: &str| RecordError::new(place, message);
        let id = self
            .id
            .ok_or_else(|| bad("`id` is missing: this is no snapshot as a list shows it"))?;
        let summary = self.summary.unwrap_or_default();
        // A summary without a time was not written by a backup.
        let summary = if summary.backup_start.is_some() {
            summary
        } else {
            summary.totals()
        };
        let started_at = summary.backup_start.or(self.time).or(options.started_at);
        let client = self.hostname.filter(|name| !name.is_empty());
        let client = client.or_else(|| options.client.clone());
        let part = |name, texts: Option<Vec<String>>| {
            let texts = texts.filter(|_| options.has_policy_part(name));
            texts.unwrap_or_default()
        };
        let label = self
            .label
            .filter(|label| !label.is_empty() && options.has_policy_part("label"));
        let selection = paths_and_tags(part("paths", self.paths), part("tags", self.tags));
        let policy = match (label, selection) {
            (Some(label), Some(selection)) => Some(format!("{label}: {selection}")),
            (label, selection) => label.or(selection),
        };
        let policy = policy.map(shortened).or_else(|| options.policy.clone());
        let by_rustic = self
            .program_version
            .is_some_and(|program| program.starts_with(RUSTIC));
        let builder = BackupJob::builder(
            if by_rustic { RUSTIC } else { RESTIC },
            id,
            client.ok_or_else(|| bad("`hostname` is missing: give the client as an option"))?,
            policy.ok_or_else(|| {
                bad("`paths` and `tags` are missing: give the policy as an option")
            })?,
            started_at.ok_or_else(|| bad("`time` is missing"))?,
        );
        Ok(builder
            .status(JobStatus::Succeeded)
            .ended_at(summary.backup_end)
            .image(summary.image()))
    }
}
