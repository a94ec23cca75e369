//! `borg create --json`: one document when the archive is made.

use anomaly_model::JobStatus;
use serde::Deserialize;

use crate::borg::archive::{Archive, Repository};
use crate::borg::{BORG, POLICY_PARTS};
use crate::run::Tool;
use crate::values::{ELEMENT, Path, Value, Values};
use crate::{
    Head, Input, ReadOption, ReadOptions, Record, RecordError, Records, Source, SourceError, json,
};

/// The format `borg-create`.
#[derive(Debug)]
pub(crate) struct Create;

const RUNS: Tool = Tool {
    source: BORG,
    status_of,
    nothing: "there is no archive, so borg was stopped before its end or ran without --json",
};

/// The documents; borgmatic prints a list of them.
const DOCUMENTS: &[Path] = &[&[], &[ELEMENT]];

impl Source for Create {
    fn name(&self) -> &'static str {
        "borg-create"
    }

    fn input(&self) -> &'static str {
        "`borg create --json`"
    }

    fn recognise(&self, head: &Head<'_>) -> Option<&'static str> {
        let has = |key| head.has_below("archive", &[key]) || head.has_below("[].archive", &[key]);
        let is = has("command_line") || has("stats");
        is.then_some("it has an `archive` with `command_line` or `stats`")
    }

    fn never_knows(&self) -> &'static [&'static str] {
        &["files_deleted", "content"]
    }

    fn stream_key(&self) -> &'static str {
        "client as the option says, and as policy the first digits of the repository's id and the \
         archive's name without its date: `98486f82::home`; borg has no schedules"
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
            ReadOption::Timezone,
        ]
    }

    fn open<'a>(
        &self,
        input: Input<'a>,
        options: &ReadOptions,
    ) -> Result<Records<'a>, SourceError> {
        let input = RUNS.opened(input, options)?;
        let values = Values::new(input, DOCUMENTS, options);
        let mut run = Run {
            options: options.clone(),
            is_partial: false,
        };
        Ok(RUNS.records(values, options, move |value| run.hear(value)))
    }
}

/// What is used of a document: the archive, or a message of `--log-json` among them.
#[derive(Deserialize)]
struct Document {
    archive: Option<Archive>,
    repository: Option<Repository>,
    dry_run: Option<bool>,
    #[serde(rename = "type")]
    kind: Option<String>,
    levelname: Option<String>,
    status: Option<String>,
}

struct Run {
    options: ReadOptions,
    /// Whether a message told of a file that could not be read.
    is_partial: bool,
}

impl Run {
    fn hear(&mut self, value: Value<'_>) -> Result<Option<Record>, RecordError> {
        let place = value.raw.place;
        let document: Document = json::parse_by_path(value.raw.text?, place)?;
        let Some(archive) = document.archive else {
            if document.kind.is_some() {
                let is_trouble = matches!(
                    document.levelname.as_deref(),
                    Some("WARNING" | "ERROR" | "CRITICAL")
                );
                self.is_partial |= is_trouble || document.status.as_deref() == Some("E");
                return Ok(None);
            }
            let why = if document.dry_run == Some(true) {
                "a dry run"
            } else {
                "a document without an archive"
            };
            return Ok(Some(Record::skipped(place, why)));
        };
        let is_partial = std::mem::take(&mut self.is_partial) || archive.has_errors();
        let status = match self.options.exit_code {
            Some(code) => status_of(code),
            None if is_partial => JobStatus::Partial,
            None => JobStatus::Succeeded,
        };
        let job = archive.job(document.repository.as_ref(), place, &self.options)?;
        let job = job
            .status(status)
            .exit_code(self.options.exit_code)
            .image(archive.created_image());
        Ok(Some(Record::built(place, job.build())))
    }
}

/// borg's exit statuses: a warning is 1, or 100 to 127 with `BORG_EXIT_CODES=modern`; a signal is
/// added to 128.
fn status_of(exit_code: i64) -> JobStatus {
    match exit_code {
        0 => JobStatus::Succeeded,
        1 | 100..=127 => JobStatus::Partial,
        130 | 143 => JobStatus::Cancelled,
        _ => JobStatus::Failed,
    }
}
