//! The output of one run of a tool, which may have failed before it could say anything.

use anomaly_model::chrono::SecondsFormat;
use anomaly_model::{BackupJob, JobStatus};

use crate::values::{Value, Values};
use crate::{Input, Place, ReadOption, ReadOptions, Record, RecordError, Records, SourceError};

/// A tool, as far as its runs are concerned.
#[derive(Clone, Copy)]
pub(crate) struct Tool {
    /// The source of its jobs.
    pub(crate) source: &'static str,
    /// What its exit statuses mean.
    pub(crate) status_of: fn(i64) -> JobStatus,
    /// What is missing in an output without any document, as a reason for being empty.
    pub(crate) nothing: &'static str,
}

impl Tool {
    /// Whether the options say that the run left no image.
    pub(crate) fn has_failed(self, options: &ReadOptions) -> bool {
        let status = options.exit_code.map(self.status_of);
        matches!(status, Some(JobStatus::Failed | JobStatus::Cancelled))
    }

    /// An input that may be empty if the run failed: it said nothing then.
    pub(crate) fn opened<'a>(
        self,
        input: Input<'a>,
        options: &ReadOptions,
    ) -> Result<Input<'a>, SourceError> {
        if self.has_failed(options) {
            Ok(input)
        } else {
            input.not_empty()
        }
    }

    /// The job of a run that left no image, and so no id: one is made of client, policy and start.
    pub(crate) fn failed_job(
        self,
        options: &ReadOptions,
        exit_code: Option<i64>,
        place: Place,
    ) -> Result<BackupJob, RecordError> {
        let needed = |option| RecordError::needs(place, option);
        let client = options.client.as_ref();
        let policy = options.policy.as_ref();
        let client = client.ok_or_else(|| needed(ReadOption::Client))?;
        let policy = policy.ok_or_else(|| needed(ReadOption::Policy))?;
        let started_at = options
            .started_at
            .ok_or_else(|| needed(ReadOption::StartedAt))?;
        let time = started_at.to_rfc3339_opts(SecondsFormat::AutoSi, true);
        let id = format!("{client}/{policy}@{time}");
        BackupJob::builder(self.source, id, client, policy, started_at)
            .exit_code(exit_code)
            .status(exit_code.map_or(JobStatus::Failed, self.status_of))
            .build()
            .map_err(|error| RecordError::new(place, error.to_string()))
    }

    /// The records of a run that prints JSON documents, of which `read` makes records.
    ///
    /// Lines of text are skipped: what the tool wrote to standard error may be in the same file.
    pub(crate) fn records<'a>(
        self,
        mut values: Values<'a>,
        options: &ReadOptions,
        mut read: impl FnMut(Value<'_>) -> Result<Option<Record>, RecordError> + 'a,
    ) -> Records<'a> {
        let options = options.clone();
        let mut has_spoken = false;
        let mut last = Place::line(1);
        let mut next = move || {
            while let Some(value) = values.next()? {
                last = value.raw.place;
                if value.is_stray {
                    let why = "text that is no output of the tool";
                    return Ok(Some(Record::skipped(last, why)));
                }
                if let Some(record) = read(value).unwrap_or_else(|error| Some(Record::Bad(error))) {
                    has_spoken = true;
                    return Ok(Some(record));
                }
            }
            if has_spoken {
                return Ok(None);
            }
            has_spoken = true;
            if self.has_failed(&options) {
                let job = self.failed_job(&options, options.exit_code, last);
                return Ok(Some(Record::new(last, job)));
            }
            Err(SourceError::Empty {
                reason: self.nothing,
            })
        };
        Box::new(std::iter::from_fn(move || next().transpose()))
    }
}
