//! `restic backup --json`: messages while it runs, and a summary at the end.

use anomaly_model::{BackupJob, JobStatus};
use serde::Deserialize;

use crate::lines::Lines;
use crate::restic::RESTIC;
use crate::restic::summary::Summary;
use crate::run::Tool;
use crate::{
    Format, Head, Input, Place, ReadOption, ReadOptions, Record, RecordError, Records, Source,
    SourceError, json,
};

const RUNS: Tool = Tool {
    source: RESTIC,
    status_of,
    nothing: "no line is the summary of a backup, so restic was stopped before its end or ran \
              without --json",
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
        let is = head.has_but(&["message_type"], &["struct_type"]);
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
        let input = RUNS.opened(input, options)?;
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
        if RUNS.has_failed(&self.run.options) && !self.run.has_ended {
            self.run.has_ended = true;
            let exit_code = self.run.options.exit_code;
            let job = RUNS.failed_job(&self.run.options, exit_code, self.last);
            return Ok(Some(Record::new(self.last, job)));
        }
        if self.run.has_ended || self.has_bad_lines {
            return Ok(None);
        }
        Err(SourceError::Empty {
            reason: RUNS.nothing,
        })
    }
}

/// A run of restic, as far as it has told of itself.
struct Run {
    client: String,
    policy: String,
    options: ReadOptions,
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
            options: options.clone(),
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
            return Ok(Some(Record::skipped(place, reason)));
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
                if code.is_none_or(|code| code == 0 || code == 3) {
                    return Ok(None);
                }
                self.has_ended = true;
                let job = RUNS.failed_job(&self.options, code, place);
                Ok(Some(Record::new(place, job)))
            }
            _ => Ok(None),
        }
    }

    fn summary(&mut self, text: &str, place: Place) -> Result<Record, RecordError> {
        let summary: Summary = json::parse_by_path(text, place)?;
        let ending: Ending = json::parse_by_path(text, place)?;
        let status = match self.options.exit_code {
            Some(code) => status_of(code),
            None if self.is_partial => JobStatus::Partial,
            None => JobStatus::Succeeded,
        };
        self.is_partial = false;
        if ending.dry_run {
            return Ok(Record::skipped(place, "a dry run"));
        }
        let Some(id) = ending.snapshot_id else {
            return Ok(Record::skipped(place, "restic made no snapshot"));
        };
        let started_at = summary.backup_start.or(self.options.started_at);
        let started_at = started_at.ok_or_else(|| {
            let message = "`backup_start` is missing, as before restic 0.17: give the time of the \
                           start as an option";
            RecordError::new(place, message)
        })?;
        // From the same two times as in the list of snapshots, where they are known.
        let duration = ending
            .total_duration
            .filter(|_| summary.backup_start.is_none());
        let (client, policy) = (self.client.clone(), self.policy.clone());
        let job = BackupJob::builder(RESTIC, id, client, policy, started_at)
            .exit_code(self.options.exit_code)
            .status(status)
            .ended_at(summary.backup_end)
            .duration_seconds(duration)
            .image(summary.image())
            .build();
        Ok(Record::built(place, job))
    }
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
