//! `restic snapshots --json`: the list of a repository's snapshots.

use std::io::BufRead;
use std::vec;

use anomaly_model::chrono::{DateTime, Utc};
use anomaly_model::{BackupJob, JobStatus};
use serde::Deserialize;

use crate::elements::Elements;
use crate::opening::{Opened, shown};
use crate::restic::SOURCE;
use crate::restic::policy::policy;
use crate::restic::summary::Summary;
use crate::{Format, Place, ReadOptions, Record, RecordError, SourceError, json};

/// All snapshots of a list: the bad ones first, then the jobs in the order of their start.
#[derive(Debug)]
pub(crate) struct Snapshots {
    records: vec::IntoIter<Record>,
    /// Why the list could not be read to its end.
    cut: Option<SourceError>,
}

impl Snapshots {
    pub(crate) fn read<R: BufRead>(
        opened: Opened<R>,
        options: &ReadOptions,
    ) -> Result<Self, SourceError> {
        let opened = opened.not_empty()?;
        if !opened.head().starts_with(b"[") {
            return Err(SourceError::WrongFormat {
                format: Format::ResticSnapshots,
                expected: "a list, as `restic snapshots --json` prints it",
                found: shown(opened.head()),
            });
        }
        let mut elements = Elements::new(opened.text, opened.line, options);
        let mut records = Vec::new();
        let cut = loop {
            match elements.next() {
                Ok(Some(element)) => {
                    let place = element.place;
                    let job = element.text.and_then(|text| job(text, place, options));
                    records.push(Record::new(place, job));
                }
                Ok(None) => break None,
                Err(error) => break Some(error),
            }
        };
        if records.is_empty() && cut.is_none() {
            return Err(SourceError::Empty {
                reason: "the list of snapshots is empty",
            });
        }
        records.sort_by_key(|record| match record {
            Record::Job(job) => Some(job.value.started_at()),
            Record::Skipped(_) | Record::Bad(_) => None,
        });
        Ok(Self {
            records: records.into_iter(),
            cut,
        })
    }

    pub(crate) fn next(&mut self) -> Result<Option<Record>, SourceError> {
        match (self.records.next(), self.cut.take()) {
            (None, Some(error)) => Err(error),
            (record, cut) => {
                self.cut = cut;
                Ok(record)
            }
        }
    }
}

/// What is used of a snapshot, with restic's names.
#[derive(Deserialize)]
struct Snapshot {
    id: Option<String>,
    #[serde(default, deserialize_with = "json::time")]
    time: Option<DateTime<Utc>>,
    hostname: Option<String>,
    paths: Option<Vec<String>>,
    tags: Option<Vec<String>>,
    summary: Option<Summary>,
}

/// A snapshot exists, so the backup succeeded; whether some files could not be read (exit status 3)
/// is not recorded in it.
///
/// The job started when the backup did. `time` says when, where there is no summary; it differs
/// only if someone gave the snapshot another time with `--time`.
fn job(text: &str, place: Place, options: &ReadOptions) -> Result<BackupJob, RecordError> {
    let bad = |message: &str| RecordError::new(place, message);
    let snapshot: Snapshot = json::parse_by_path(text, place)?;
    let id = snapshot.id.ok_or_else(|| {
        bad(
            "`id` is missing: this is no snapshot as `restic snapshots --json` prints it without \
             `--group-by`",
        )
    })?;
    let summary = snapshot.summary.unwrap_or_default();
    // A summary without a time was not written by a backup.
    let summary = if summary.backup_start.is_some() {
        summary
    } else {
        summary.totals()
    };
    let started_at = summary
        .backup_start
        .or(snapshot.time)
        .or(options.started_at);
    let client = snapshot.hostname.or_else(|| options.client.clone());
    let policy = policy(
        snapshot.paths.unwrap_or_default(),
        snapshot.tags.unwrap_or_default(),
    );
    BackupJob::builder(
        SOURCE,
        id,
        client.ok_or_else(|| bad("`hostname` is missing: give the client as an option"))?,
        policy
            .or_else(|| options.policy.clone())
            .ok_or_else(|| bad("`paths` and `tags` are missing: give the policy as an option"))?,
        started_at.ok_or_else(|| bad("`time` is missing"))?,
    )
    .status(JobStatus::Succeeded)
    .ended_at(summary.backup_end)
    .image(summary.image())
    .build()
    .map_err(|error| bad(&error.to_string()))
}
