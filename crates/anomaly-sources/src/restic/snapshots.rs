//! `restic snapshots --json`: the list of a repository's snapshots.

use anomaly_model::chrono::{DateTime, Utc};
use anomaly_model::{BackupJob, JobStatus};
use serde::Deserialize;

use crate::input::shown;
use crate::restic::SOURCE;
use crate::restic::policy::policy;
use crate::restic::summary::Summary;
use crate::values::{ELEMENT, Values};
use crate::{
    Format, Head, Input, Place, ReadOption, ReadOptions, Record, RecordError, Records, Source,
    SourceError, json,
};

/// The format `restic-snapshots`.
#[derive(Debug)]
pub(crate) struct Snapshots;

impl Source for Snapshots {
    fn name(&self) -> &'static str {
        "restic-snapshots"
    }

    fn input(&self) -> &'static str {
        "`restic snapshots --json`"
    }

    fn recognise(&self, head: &Head<'_>) -> Option<&'static str> {
        let is = head.has(&["[].time", "[].tree", "[].paths"]);
        is.then_some("it is a list of objects with `time`, `tree` and `paths`")
    }

    fn never_knows(&self) -> &'static [&'static str] {
        &["exit_code", "dedup_ratio", "files_deleted", "content"]
    }

    fn stream_key(&self) -> &'static str {
        "`hostname`, and as policy the sorted paths and the sorted tags; restic has no schedules"
    }

    fn policy_parts(&self) -> &'static [&'static str] {
        &["paths", "tags"]
    }

    fn options(&self) -> &'static [ReadOption] {
        &[
            ReadOption::Client,
            ReadOption::Policy,
            ReadOption::PolicyParts,
            ReadOption::StartedAt,
        ]
    }

    fn open<'a>(
        &self,
        input: Input<'a>,
        options: &ReadOptions,
    ) -> Result<Records<'a>, SourceError> {
        let input = input.not_empty()?;
        if !input.head.starts_with(b"[") {
            return Err(SourceError::WrongFormat {
                format: Format::ResticSnapshots,
                expected: "a list, as `restic snapshots --json` prints it",
                found: shown(&input.head),
            });
        }
        let options = options.clone();
        let mut values = Values::new(input, &[&[ELEMENT]], &options);
        let mut is_empty = true;
        let mut next = move || {
            let Some(value) = values.next()? else {
                return if is_empty { Err(EMPTY_LIST) } else { Ok(None) };
            };
            is_empty = false;
            let place = value.raw.place;
            let job = value.raw.text.and_then(|text| job(text, place, &options));
            Ok(Some(Record::new(place, job)))
        };
        Ok(Box::new(std::iter::from_fn(move || next().transpose())))
    }
}

const EMPTY_LIST: SourceError = SourceError::Empty {
    reason: "the list of snapshots is empty",
};

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
    let part = |name, texts: Option<Vec<String>>| {
        let texts = texts.filter(|_| options.has_policy_part(name));
        texts.unwrap_or_default()
    };
    let policy = policy(part("paths", snapshot.paths), part("tags", snapshot.tags));
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
