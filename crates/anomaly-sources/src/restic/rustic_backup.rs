//! `rustic backup --json`: the snapshot of each source, when it is made.

use anomaly_model::JobStatus;

use crate::restic::RUSTIC;
use crate::restic::snapshot::Snapshot;
use crate::run::Tool;
use crate::values::{Value, Values};
use crate::{
    Head, Input, ReadOption, ReadOptions, Record, RecordError, Records, Source, SourceError,
};

/// The format `rustic-backup`.
#[derive(Debug)]
pub(crate) struct RusticBackup;

const RUNS: Tool = Tool {
    source: RUSTIC,
    status_of,
    nothing: "there is no snapshot, so rustic was stopped before its end or ran without --json",
};

impl Source for RusticBackup {
    fn name(&self) -> &'static str {
        "rustic-backup"
    }

    fn input(&self) -> &'static str {
        "`rustic backup --json`"
    }

    fn recognise(&self, head: &Head<'_>) -> Option<&'static str> {
        let is = head.has(&["time", "tree", "paths"]) && head.has_text("program_version", RUSTIC);
        is.then_some("it is an object with `time`, `tree` and `paths`, made by rustic")
    }

    fn never_knows(&self) -> &'static [&'static str] {
        &["dedup_ratio", "files_deleted", "content"]
    }

    fn stream_key(&self) -> &'static str {
        "`hostname`, and as policy the label, the sorted paths and the sorted tags; rustic has no \
         schedules"
    }

    fn policy_parts(&self) -> &'static [&'static str] {
        &["label", "paths", "tags"]
    }

    fn options(&self) -> &'static [ReadOption] {
        &[
            ReadOption::Client,
            ReadOption::Policy,
            ReadOption::PolicyParts,
            ReadOption::StartedAt,
            ReadOption::ExitCode,
        ]
    }

    fn open<'a>(
        &self,
        input: Input<'a>,
        options: &ReadOptions,
    ) -> Result<Records<'a>, SourceError> {
        let input = RUNS.opened(input, options)?;
        let values = Values::new(input, &[&[]], options);
        let read_options = options.clone();
        Ok(RUNS.records(values, options, move |value| record(value, &read_options)))
    }
}

fn record(value: Value<'_>, options: &ReadOptions) -> Result<Option<Record>, RecordError> {
    let place = value.raw.place;
    let snapshot = Snapshot::parse(value.raw.text?, place)?;
    if !snapshot.is_stored() {
        return Ok(Some(Record::skipped(place, "a dry run")));
    }
    // The run failed, but this snapshot of it is there.
    let status = match options.exit_code {
        None | Some(0) => JobStatus::Succeeded,
        Some(_) => JobStatus::Partial,
    };
    let job = snapshot.job(place, options)?;
    let job = job.status(status).exit_code(options.exit_code).build();
    Ok(Some(Record::built(place, job)))
}

/// rustic's exit statuses: of those that are no success, none tells what failed.
fn status_of(exit_code: i64) -> JobStatus {
    match exit_code {
        0 => JobStatus::Succeeded,
        130 => JobStatus::Cancelled,
        _ => JobStatus::Failed,
    }
}
