//! Reading an input of a known format.

use std::io::BufRead;

use crate::lines::Lines;
use crate::opening::{Opened, Text};
use crate::restic::{Backup, Snapshots};
use crate::{Format, ReadOptions, Record, SourceError, ndjson};

/// Reads `input`, which must be in `format`.
///
/// Lines are read one by one. A list (`restic-snapshots`) is read whole, so that its jobs come in
/// the order of their start, after its bad records; one element at a time is held as text.
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
pub fn read<R: BufRead>(
    input: R,
    format: Format,
    options: &ReadOptions,
) -> Result<Reader<R>, SourceError> {
    let opened = Opened::new(input)?;
    let inner = match format {
        Format::Ndjson => {
            let Opened { text, line } = opened.not_empty()?;
            Inner::Ndjson(Lines::new(text, line, options))
        }
        Format::ResticSnapshots => Inner::ResticSnapshots(Snapshots::read(opened, options)?),
        Format::ResticBackup => Inner::ResticBackup(Backup::new(opened, options)?),
    };
    Ok(Reader {
        inner,
        ended: false,
    })
}

/// The records of an input; made by [`read`].
///
/// An error ends it: the input could not be read to its end. A bad record is a
/// [`Record::Bad`], and does not.
#[derive(Debug)]
pub struct Reader<R> {
    inner: Inner<R>,
    ended: bool,
}

#[derive(Debug)]
enum Inner<R> {
    Ndjson(Lines<Text<R>>),
    ResticSnapshots(Snapshots),
    ResticBackup(Backup<Text<R>>),
}

impl<R: BufRead> Iterator for Reader<R> {
    type Item = Result<Record, SourceError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let next = match &mut self.inner {
            Inner::Ndjson(lines) => lines.next().map(|line| line.map(ndjson::record)),
            Inner::ResticSnapshots(snapshots) => snapshots.next(),
            Inner::ResticBackup(backup) => backup.next(),
        };
        self.ended = !matches!(next, Ok(Some(_)));
        next.transpose()
    }
}
