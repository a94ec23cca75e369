//! Reading an input of a known format.

use std::fmt;
use std::io::BufRead;

use anomaly_model::BackupJob;

use crate::{Format, Input, ReadOptions, Record, Records, Since, SourceError};

/// Reads `input`, which must be in `format`, one record at a time and in the order of the input.
///
/// Blank lines, a byte order mark and either kind of line end are fine.
///
/// ```
/// use anomaly_sources::{Format, ReadOptions, Record, read};
///
/// let lines = r#"{"source":"borg","job_id":"1","client":"a","policy":"b",
/// {"source":"borg","job_id":"2","client":"a","policy":"b","started_at":"2026-11-22T03:00:00Z","status":"succeeded"}"#;
/// let records: Result<Vec<Record>, _> =
///     read(lines.as_bytes(), Format::Ndjson, &ReadOptions::default())?.collect();
/// match records?.as_slice() {
///     [Record::Bad(error), Record::Job(job)] => {
///         assert_eq!(error.to_string(), "line 1, column 56: cut off in the middle of the record");
///         assert_eq!(job.place.line, 2);
///         assert_eq!(job.value.job_id().as_str(), "2");
///     }
///     other => unreachable!("{other:?}"),
/// }
/// # Ok::<(), anomaly_sources::SourceError>(())
/// ```
///
/// # Errors
/// [`SourceError`] when the input is empty, is not text, does not have the form of the format,
/// cannot be read, or when the format needs an option that is not set.
pub fn read<'a>(
    input: impl BufRead + 'a,
    format: Format,
    options: &ReadOptions,
) -> Result<Reader<'a>, SourceError> {
    let source = format.source();
    let asked = options.policy_parts.iter().flatten();
    let known = source.policy_parts();
    if let Some(part) = asked.clone().find(|part| !known.contains(&part.as_str())) {
        let part = part.clone();
        return Err(SourceError::UnknownPolicyPart { format, part });
    }
    Ok(Reader {
        format,
        records: source.open(Input::new(input)?, options)?,
        since: options.since.clone(),
        passed_over: 0,
        has_passed_job: false,
        ended: false,
    })
}

/// The records of an input; made by [`read`].
///
/// An error ends it: the input could not be read to its end. A bad record is a
/// [`Record::Bad`], and does not.
pub struct Reader<'a> {
    format: Format,
    records: Records<'a>,
    since: Option<Since>,
    passed_over: u64,
    /// Whether the last job was passed over, and with it what is said of it.
    has_passed_job: bool,
    ended: bool,
}

impl Reader<'_> {
    /// How many records were passed over so far, because of [`ReadOptions::since`].
    #[must_use]
    pub fn passed_over(&self) -> u64 {
        self.passed_over
    }

    fn next_record(&mut self) -> Result<Option<Record>, SourceError> {
        while let Some(record) = self.records.next().transpose()? {
            if let Record::Bad(error) = &record
                && let Some(option) = error.needs
            {
                let format = self.format;
                return Err(SourceError::OptionNeeded { format, option });
            }
            let is_remark = matches!(record, Record::Remark(_));
            let is_passed = if is_remark {
                self.has_passed_job
            } else {
                self.was_read_before(&record)
            };
            if matches!(record, Record::Job(_)) {
                self.has_passed_job = is_passed;
            }
            if !is_passed {
                return Ok(Some(record));
            }
            self.passed_over += u64::from(!is_remark);
        }
        match self.since.take() {
            Some(Since::Job(job_id)) => Err(SourceError::SinceNotFound { job_id }),
            Some(Since::Time(_)) | None => Ok(None),
        }
    }

    fn was_read_before(&mut self, record: &Record) -> bool {
        let job = match record {
            Record::Job(job) => Some(&job.value),
            Record::Skipped(_) | Record::Bad(_) | Record::Remark(_) => None,
        };
        match &self.since {
            None => false,
            Some(Since::Time(time)) => job.is_some_and(|job| job.started_at() <= *time),
            Some(Since::Job(last)) => {
                if job.map(BackupJob::job_id) == Some(last) {
                    self.since = None;
                }
                true
            }
        }
    }
}

impl Iterator for Reader<'_> {
    type Item = Result<Record, SourceError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let next = self.next_record();
        self.ended = !matches!(next, Ok(Some(_)));
        next.transpose()
    }
}

impl fmt::Debug for Reader<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader")
            .field("format", &self.format)
            .field("since", &self.since)
            .field("passed_over", &self.passed_over)
            .finish_non_exhaustive()
    }
}
