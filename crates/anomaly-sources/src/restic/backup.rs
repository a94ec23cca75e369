//! `restic backup --json`: messages while it runs, and a summary at the end.

use anomaly_model::chrono::{DateTime, SecondsFormat, Utc};
use anomaly_model::{BackupJob, BackupJobBuilder, JobStatus};
use serde::Deserialize;

use crate::lines::Lines;
use crate::restic::SOURCE;
use crate::restic::summary::Summary;
use crate::{
    Format, Head, Input, Located, Place, ReadOption, ReadOptions, Record, RecordError, Records,
    Source, SourceError, json,
};

/// The format `restic-backup`.
#[derive(Debug)]
pub(crate) struct Backup;

impl Source for Backup {
    fn name(&self) -> &'static str {
        "restic-backup"
    }

    fn input(&self) -> &'static str {
        "`restic backup --json`"
    }

    fn recognise(&self, head: &Head<'_>) -> Option<&'static str> {
        // `restic ls` writes `message_type` too, beside `struct_type`.
        let is = head.has_line(&["message_type"], &["struct_type"]);
        is.then_some("it has lines with `message_type`")
    }

    fn never_knows(&self) -> &'static [&'static str] {
        &["dedup_ratio", "files_deleted", "content"]
    }

    fn stream_key(&self) -> &'static str {
        "client and policy as the options say; restic has no schedules"
    }

    fn options(&self) -> &'static [ReadOption] {
        &[
            ReadOption::Client,
            ReadOption::Policy,
            ReadOption::StartedAt,
            ReadOption::ExitCode,
        ]
    }

    fn open<'a>(
        &self,
        input: Input<'a>,
        options: &ReadOptions,
    ) -> Result<Records<'a>, SourceError> {
        let run = Run::new(options)?;
        // restic prints nothing when it cannot even open the repository.
        let input = if run.has_failed() {
            input
        } else {
            input.not_empty()?
        };
        let mut messages = Messages {
            last: Place::line(input.line),
            lines: Lines::new(input, options),
            run,
            has_bad_lines: false,
        };
        Ok(Box::new(std::iter::from_fn(move || {
            messages.next().transpose()
        })))
    }
}

/// What restic printed, line by line.
struct Messages<'a> {
    lines: Lines<'a>,
    run: Run,
    last: Place,
    has_bad_lines: bool,
}

impl Messages<'_> {
    fn next(&mut self) -> Result<Option<Record>, SourceError> {
        while let Some(line) = self.lines.next()? {
            let place = line.place;
            self.last = place;
            match line.text.and_then(|text| self.run.hear(text, place)) {
                Ok(None) => {}
                Ok(Some(record)) => return Ok(Some(record)),
                Err(error) => {
                    self.has_bad_lines = true;
                    return Ok(Some(Record::Bad(error)));
                }
            }
        }
        if self.run.has_failed() && !self.run.has_ended {
            self.run.has_ended = true;
            return Ok(Some(Record::new(
                self.last,
                self.run.failure(self.run.exit_code, self.last),
            )));
        }
        if self.run.has_ended || self.has_bad_lines {
            return Ok(None);
        }
        Err(SourceError::Empty {
            reason: "no line is the summary of a backup, so restic was stopped before its end or \
                     ran without --json",
        })
    }
}

/// A run of restic, as far as it has told of itself.
#[derive(Debug)]
struct Run {
    client: String,
    policy: String,
    started_at: Option<DateTime<Utc>>,
    exit_code: Option<i64>,
    /// Whether there was a file that could not be read.
    is_partial: bool,
    /// Whether it has said how it ended.
    has_ended: bool,
}

/// What is used of a summary besides its [`Summary`].
#[derive(Deserialize)]
struct Ending {
    /// Absent if nothing had changed and restic was told to make no snapshot then.
    snapshot_id: Option<String>,
    #[serde(default)]
    dry_run: bool,
    total_duration: Option<f64>,
}

impl Run {
    fn new(options: &ReadOptions) -> Result<Self, SourceError> {
        let needed = |value: &Option<String>, option| {
            let format = Format::ResticBackup;
            value
                .clone()
                .ok_or(SourceError::OptionNeeded { format, option })
        };
        Ok(Self {
            client: needed(&options.client, ReadOption::Client)?,
            policy: needed(&options.policy, ReadOption::Policy)?,
            started_at: options.started_at,
            exit_code: options.exit_code,
            is_partial: false,
            has_ended: false,
        })
    }

    /// Takes in one message; `None` if it says nothing about the run's end.
    fn hear(&mut self, text: &str, place: Place) -> Result<Option<Record>, RecordError> {
        #[derive(Deserialize)]
        struct Message {
            message_type: String,
        }

        #[derive(Deserialize)]
        struct Trouble {
            during: Option<String>,
        }

        #[derive(Deserialize)]
        struct ExitError {
            code: Option<i64>,
        }

        // `Fatal: ...` and `Warning: ...`, where standard error went into the same file.
        if !text.trim_start().starts_with('{') {
            let reason = "text that is no message of restic";
            return Ok(Some(Record::Skipped(Located::new(place, reason))));
        }
        let message: Message = json::parse_by_path(text, place)?;
        match message.message_type.as_str() {
            "summary" => {
                self.has_ended = true;
                self.summary(text, place).map(Some)
            }
            "error" => {
                let trouble: Trouble = json::parse_by_path(text, place)?;
                // Trouble during the scan, which only estimates the size, does not count.
                self.is_partial |= trouble.during.as_deref() == Some("archival");
                Ok(None)
            }
            "exit_error" => {
                let ExitError { code } = json::parse_by_path(text, place)?;
                if code.is_none_or(|code| !is_failure(code)) {
                    return Ok(None);
                }
                self.has_ended = true;
                Ok(Some(Record::new(place, self.failure(code, place))))
            }
            _ => Ok(None),
        }
    }

    fn summary(&mut self, text: &str, place: Place) -> Result<Record, RecordError> {
        let summary: Summary = json::parse_by_path(text, place)?;
        let ending: Ending = json::parse_by_path(text, place)?;
        let status = match self.exit_code {
            Some(code) => status_of(code),
            None if self.is_partial => JobStatus::Partial,
            None => JobStatus::Succeeded,
        };
        self.is_partial = false;
        if ending.dry_run {
            return Ok(Record::Skipped(Located::new(place, "a dry run")));
        }
        let Some(id) = ending.snapshot_id else {
            return Ok(Record::Skipped(Located::new(
                place,
                "restic made no snapshot",
            )));
        };
        let started_at = summary.backup_start.or(self.started_at);
        // From the same two times as in the list of snapshots, where they are known.
        let duration = ending
            .total_duration
            .filter(|_| summary.backup_start.is_none());
        let job = self
            .job(id, started_at, place)?
            .exit_code(self.exit_code)
            .status(status)
            .ended_at(summary.backup_end)
            .duration_seconds(duration)
            .image(summary.image());
        build(job, place).map(|job| Record::Job(Located::new(place, job)))
    }

    /// The job of a run that ended without a snapshot, and so without an id.
    fn failure(&self, exit_code: Option<i64>, place: Place) -> Result<BackupJob, RecordError> {
        let started_at = self.started_at.unwrap_or_default();
        let time = started_at.to_rfc3339_opts(SecondsFormat::AutoSi, true);
        let id = format!("{}/{}@{time}", self.client, self.policy);
        let job = self.job(id, self.started_at, place)?;
        let status = exit_code.map_or(JobStatus::Failed, status_of);
        build(job.exit_code(exit_code).status(status), place)
    }

    fn job(
        &self,
        id: String,
        started_at: Option<DateTime<Utc>>,
        place: Place,
    ) -> Result<BackupJobBuilder, RecordError> {
        let started_at = started_at.ok_or_else(|| {
            let message = "`backup_start` is missing, as before restic 0.17 and when restic fails: \
                           give the time of the start as an option";
            RecordError::new(place, message)
        })?;
        let (client, policy) = (self.client.clone(), self.policy.clone());
        Ok(BackupJob::builder(SOURCE, id, client, policy, started_at))
    }

    fn has_failed(&self) -> bool {
        self.exit_code.is_some_and(is_failure)
    }
}

fn build(job: BackupJobBuilder, place: Place) -> Result<BackupJob, RecordError> {
    job.build()
        .map_err(|error| RecordError::new(place, error.to_string()))
}

/// restic's exit statuses; one that is not known is a failure, as its manual asks for.
fn status_of(exit_code: i64) -> JobStatus {
    match exit_code {
        0 => JobStatus::Succeeded,
        3 => JobStatus::Partial,
        130 => JobStatus::Cancelled,
        _ => JobStatus::Failed,
    }
}

/// Whether there is no usable snapshot.
fn is_failure(exit_code: i64) -> bool {
    matches!(
        status_of(exit_code),
        JobStatus::Failed | JobStatus::Cancelled
    )
}
