//! From a row of the catalogue to a job.

use anomaly_model::{BackupJob, JobStatus, ScheduleType};

use super::SOURCE;
use super::clock::times;
use super::image::image;
use super::row::{Column, Row};
use crate::{Located, ReadOption, ReadOptions, Record, RecordError};

pub(super) fn record<T: AsRef<str>>(row: &Row<T>, options: &ReadOptions) -> Record {
    match read(row, options) {
        Ok(Found::Job(job)) => Record::Job(Located::new(row.place, *job)),
        Ok(Found::Other(why)) => Record::Skipped(Located::new(row.place, why)),
        Err(error) => Record::Bad(error),
    }
}

enum Found {
    Job(Box<BackupJob>),
    /// No finished backup of a client, and why not.
    Other(&'static str),
}

fn read<T: AsRef<str>>(row: &Row<T>, options: &ReadOptions) -> Result<Found, RecordError> {
    let job_id = row.needed_count(Column::JobId)?;
    if let Some(kind) = other_than_backup(row)? {
        return Ok(Found::Other(kind));
    }
    let Some(status) = status(row)? else {
        return Ok(Found::Other("has not ended"));
    };
    if is_made_of_earlier_backups(row)? {
        return Ok(Found::Other("made of earlier backups, not from the client"));
    }
    let client = row.text(Column::Client).or(options.client.as_deref());
    let Some(client) = client else {
        return if row.has(Column::Client) {
            Ok(Found::Other("its client is no longer in the catalogue"))
        } else {
            Err(RecordError::needs(row.place, ReadOption::Client))
        };
    };
    let (started_at, ended_at) = times(row, options)?;
    let name = row.needed(Column::Name)?;
    BackupJob::builder(SOURCE, job_id.to_string(), client, name, started_at)
        .schedule_type(schedule_type(row))
        .ended_at(ended_at)
        .status(status)
        .image(image(row)?)
        .build()
        .map(|job| Found::Job(Box::new(job)))
        .map_err(|error| RecordError::new(row.place, error.to_string()))
}

/// What the job did, if it did not back up a client.
///
/// A backup becomes an `M` when its data are moved to another pool: it was a backup all the same.
fn other_than_backup<T: AsRef<str>>(row: &Row<T>) -> Result<Option<&'static str>, RecordError> {
    Ok(Some(match row.code(Column::Type)? {
        'B' | 'M' => return Ok(None),
        'R' => "a restore",
        'V' => "a verification",
        'C' | 'c' => "a copy of a backup",
        'g' => "a migration of backups",
        'O' => "a consolidation of backups",
        'A' => "an archive job",
        'D' => "an admin job",
        'S' => "a scan of volumes",
        'U' | 'I' => "a job of the director itself",
        _ => return Err(row.refused(Column::Type, "a type of job, such as B for a backup")),
    }))
}

/// How the job ended; `None` if it has not.
fn status<T: AsRef<str>>(row: &Row<T>) -> Result<Option<JobStatus>, RecordError> {
    Ok(Some(match row.code(Column::JobStatus)? {
        // Errors are files that could not be read, too.
        'T' if !row.has(Column::JobErrors) => JobStatus::Succeeded,
        'T' if row.needed_count(Column::JobErrors)? == 0 => JobStatus::Succeeded,
        'T' | 'W' | 'I' | 'e' => JobStatus::Partial,
        'E' | 'f' => JobStatus::Failed,
        'A' => JobStatus::Cancelled,
        'B' | 'C' | 'F' | 'L' | 'M' | 'R' | 'S' | 'a' | 'c' | 'd' | 'i' | 'j' | 'l' | 'm' | 'p'
        | 'q' | 's' | 't' => return Ok(None),
        _ => return Err(row.refused(Column::JobStatus, "a status of a backup, such as T")),
    }))
}

/// A virtual full backup, or the other end of a migration, is told from a backup by its times: it
/// takes over those of the last job that it is made of, and only its `RealEndTime` is its own.
fn is_made_of_earlier_backups<T: AsRef<str>>(row: &Row<T>) -> Result<bool, RecordError> {
    let has_virtual_level = row.text(Column::Level) == Some("f");
    let (end, real_end) = (
        row.moment(Column::EndTime)?,
        row.moment(Column::RealEndTime)?,
    );
    let took_over_times = end
        .zip(real_end)
        .is_some_and(|(end, real_end)| end != real_end);
    // The client read nothing for it.
    let read = row.count(Column::ReadBytes)?.unwrap_or(0);
    Ok(has_virtual_level || took_over_times && read == 0)
}

/// Bareos' and Bacula's differential backup holds what changed since the last full one, which is
/// cumulative in the words of the job format.
fn schedule_type<T: AsRef<str>>(row: &Row<T>) -> Option<ScheduleType> {
    Some(match row.text(Column::Level)? {
        "F" => ScheduleType::Full,
        "D" => ScheduleType::CumulativeIncremental,
        "I" => ScheduleType::DifferentialIncremental,
        _ => ScheduleType::Other,
    })
}
