//! `kopia snapshot create --json`: the manifest of each source, when its snapshot is made.

use anomaly_model::JobStatus;

use crate::kopia::{KOPIA, POLICY_PARTS, STREAM_KEY, manifest};
use crate::run::Tool;
use crate::values::Values;
use crate::{Head, Input, ReadOption, ReadOptions, Records, Source, SourceError};

/// The format `kopia-create`.
#[derive(Debug)]
pub(crate) struct Create;

const RUNS: Tool = Tool {
    source: KOPIA,
    status_of,
    nothing: "there is no snapshot, so kopia was stopped before its end or ran without --json",
};

impl Source for Create {
    fn name(&self) -> &'static str {
        "kopia-create"
    }

    fn input(&self) -> &'static str {
        "`kopia snapshot create --json`"
    }

    fn recognise(&self, head: &Head<'_>) -> Option<&'static str> {
        let is = head.has(&["source.userName", "startTime"]);
        is.then_some("it is an object with `source.userName` and `startTime`")
    }

    fn never_knows(&self) -> &'static [&'static str] {
        &[
            "dedup_ratio",
            "transferred_bytes",
            "stored_bytes",
            "files_new",
            "files_changed",
            "files_deleted",
            "content",
        ]
    }

    fn stream_key(&self) -> &'static str {
        STREAM_KEY
    }

    fn policy_parts(&self) -> &'static [&'static str] {
        POLICY_PARTS
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
        Ok(RUNS.records(values, options, move |value| {
            let place = value.raw.place;
            manifest::record(value.raw.text?, place, &read_options).map(Some)
        }))
    }
}

/// kopia's exit statuses: of those that are no success, none tells what failed.
fn status_of(exit_code: i64) -> JobStatus {
    match exit_code {
        0 => JobStatus::Succeeded,
        130 => JobStatus::Cancelled,
        _ => JobStatus::Failed,
    }
}
