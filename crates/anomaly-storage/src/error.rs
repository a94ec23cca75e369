//! What can go wrong with a store.

use std::error::Error;
use std::path::PathBuf;
use std::time::Duration;

use anomaly_model::{FeatureName, JobKey};

use crate::Holder;

type Source = Box<dyn Error + Send + Sync + 'static>;

/// Why a store could not do what it was asked.
///
/// Every message names the database and says what to do. `database` is the path of the file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The file could not be opened or made.
    #[error(
        "cannot open the database {database}: {source}; its directory must exist, and this user \
         must be allowed to write the directory and the file"
    )]
    CannotOpen {
        /// The database.
        database: String,
        /// What the system said.
        source: Source,
    },
    /// The file is something else. It was left as it is.
    #[error("{database} is not a Backwatch database but {found}: give the path of another file")]
    NotBackwatch {
        /// The file.
        database: String,
        /// What it is, in words.
        found: String,
    },
    /// The database was written by a newer version of this crate. It was left as it is.
    #[error(
        "{database} has schema version {found}, and this program knows versions up to {known}: \
         use the newer version that wrote it"
    )]
    NewerVersion {
        /// The database.
        database: String,
        /// Its schema version.
        found: i64,
        /// The newest schema version that this crate knows.
        known: i64,
    },
    /// Another process kept the write lock for too long. Nothing changed.
    #[error(
        "{} is writing to {database} and did not finish within {waited:?}: try again when it has",
        holder.as_ref().map_or_else(|| "another process".to_owned(), Holder::to_string)
    )]
    Busy {
        /// The database.
        database: String,
        /// How long the store waited.
        waited: Duration,
        /// Who holds the lock, where that can be told.
        holder: Option<Holder>,
    },
    /// No space is left. What was committed is kept, the transaction under way is not.
    #[error("no space is left for {database}: free some, then repeat the last step ({source})")]
    Full {
        /// The database.
        database: String,
        /// What the system said.
        source: Source,
    },
    /// What is stored cannot be read.
    #[error("{database} is damaged: restore it from a copy ({source})")]
    Damaged {
        /// The database.
        database: String,
        /// What was found.
        source: Source,
    },
    /// The stored model of a stream is not what was stored. The rest is.
    #[error(
        "the stored model of {stream} in {database} does not have the checksum that it was kept \
         with: restore the database from a copy, or let the stream be forgotten"
    )]
    DamagedModel {
        /// The database.
        database: String,
        /// The stream, as people read it.
        stream: String,
    },
    /// Reading or writing failed for another reason.
    #[error("cannot use the database {database}: {source}; what was committed before is kept")]
    Failed {
        /// The database.
        database: String,
        /// What the system said.
        source: Source,
    },
    /// The copy could not be made. The database is as it was.
    #[error("cannot copy the database to {}: {source}", path.display())]
    CannotCopy {
        /// Where the copy was to be.
        path: PathBuf,
        /// What the system said.
        source: Source,
    },
    /// An earlier write of the same transaction failed, so nothing of it was kept.
    #[error("a write to {database} failed before the commit: repeat the whole transaction")]
    Aborted {
        /// The database.
        database: String,
    },
    /// The verdict of an observation is about another job.
    #[error(
        "the verdict is about job {} of {}, the observation about job {} of {}: store each verdict \
         with its own job",
        verdict.job_id, verdict.source, job.job_id, job.source
    )]
    OtherJob {
        /// The job of the observation.
        job: JobKey,
        /// The job that the verdict is about.
        verdict: JobKey,
    },
    /// A finding of the verdict observed something that is not a number, which its record cannot
    /// hold.
    #[error(
        "the verdict on job {} of {} cannot be kept: `{feature}` was observed as {observed}, and \
         must be a finite number",
        job.job_id, job.source
    )]
    NotFinite {
        /// The job.
        job: JobKey,
        /// The feature of the finding.
        feature: FeatureName,
        /// What it says was observed.
        observed: f64,
    },
    /// A review of a job that is unknown or not anomalous.
    #[error(
        "no anomaly is stored for job {} of {}: only anomalies can be reviewed",
        job.job_id, job.source
    )]
    NoSuchAnomaly {
        /// The job.
        job: JobKey,
    },
    /// A list was to go on after a job that is not stored, or no more.
    #[error(
        "the list cannot go on after job {} of {}: it is not stored; start it anew",
        job.job_id, job.source
    )]
    NoSuchJob {
        /// The job.
        job: JobKey,
    },
    /// A change of something that is not there.
    #[error("no {what} with the number {number} is stored")]
    NoSuchRecord {
        /// What it was taken for: `incident`, `pending change`, `message`, `leaf`.
        what: &'static str,
        /// Its number.
        number: u64,
    },
}

impl StoreError {
    /// Whether the same call can succeed once another process has finished.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        matches!(self, Self::Busy { .. })
    }

    /// Whether what is stored is not what was stored.
    #[must_use]
    pub fn is_damaged(&self) -> bool {
        matches!(self, Self::Damaged { .. } | Self::DamagedModel { .. })
    }

    /// Whether what was asked for is not there, or cannot be kept: nothing is wrong with the store.
    #[must_use]
    pub fn is_refused(&self) -> bool {
        matches!(
            self,
            Self::OtherJob { .. }
                | Self::NotFinite { .. }
                | Self::NoSuchAnomaly { .. }
                | Self::NoSuchJob { .. }
                | Self::NoSuchRecord { .. }
        )
    }
}
