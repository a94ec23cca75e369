//! The features that there are.

use anomaly_model::{BackupImage, BackupJob, ContentStatistics};

use crate::share::{rewritten, transferred};
use crate::{Absent, Feature, Previous, Reading, Suspicion, Transform, Unit};

/// A mean over fewer written files than this says nothing about the job.
const FEW_FILES: u64 = 10;
/// A file name's worth of difference in a size or a transfer does not matter.
const SMALL_BYTES: f64 = 65_536.0;
/// Nor do a few files.
const FEW: f64 = 4.0;
/// A second more or less is the machine's, not the backup's.
const SMALL_SECONDS: f64 = 1.0;

const LOG_BYTES: Transform = Transform::Log { unit: SMALL_BYTES };
const RATIO_BYTES: Transform = Transform::LogRatio { unit: SMALL_BYTES };
const RATIO_COUNT: Transform = Transform::LogRatio { unit: FEW };

macro_rules! features {
    ($($(#[$doc:meta])* $name:ident, $label:literal, $unit:ident, $suspicion:ident,
       $transform:expr, $resolution:literal, $read:expr;)*) => {
        /// Every feature, in a fixed order: the columns of a [`FeatureMatrix`](crate::FeatureMatrix).
        ///
        /// NetBackup's five come first, then file counts, then shares of the data that a job
        /// affected, then content statistics.
        pub static FEATURES: &[Feature] = &[$(
            $(#[$doc])*
            Feature {
                name: stringify!($name),
                label: $label,
                unit: Unit::$unit,
                suspicion: Suspicion::$suspicion,
                transform: $transform,
                resolution: $resolution,
                read: $read,
            },
        )*];
    };
}

features! {
    // What NetBackup looks at.
    image_bytes, "image size", Bytes, Both, RATIO_BYTES, 0.05, |job, previous| {
        let now = reported(job.image().image_bytes)?;
        Ok(Reading::new(now, before(job, previous.and_then(|p| p.image_bytes))?))
    };
    file_count, "files", Files, Both, RATIO_COUNT, 0.05, |job, previous| {
        let now = reported(job.image().file_count)?;
        Ok(Reading::new(now, before(job, previous.and_then(|p| p.file_count))?))
    };
    transferred_bytes, "data transferred", Bytes, Above, LOG_BYTES, 0.7, |job, _| {
        Ok(Reading::new(reported(job.image().transferred_bytes)?, 1.0))
    };
    dedup_ratio, "deduplicated", Share, Below, Transform::Share, 0.7, |job, _| {
        let ratio = job.image().dedup_ratio_or_derived();
        Ok(Reading::new(ratio.ok_or(Absent::NotReported)?, 1.0))
    };
    duration_seconds, "duration", Seconds, Above, Transform::Log { unit: SMALL_SECONDS }, 0.35,
    |job, _| Ok(Reading::new(job.duration_seconds().ok_or(Absent::NotReported)?, 1.0));

    // How many files changed, against all files.
    files_new, "new files", Files, Above, Transform::Share, 0.7, |job, previous| {
        part_of_files(job.image().files_new, job, previous)
    };
    files_changed, "changed files", Files, Above, Transform::Share, 0.7, |job, previous| {
        part_of_files(job.image().files_changed, job, previous)
    };
    files_deleted, "deleted files", Files, Above, Transform::Share, 0.7, |job, previous| {
        part_of_files(job.image().files_deleted, job, previous)
    };
    directory_count, "directories", Directories, Both, RATIO_COUNT, 0.05, |job, previous| {
        let now = reported(job.image().directory_count)?;
        Ok(Reading::new(now, before(job, previous.and_then(|p| p.directory_count))?))
    };
    stored_bytes, "data stored", Bytes, Above, LOG_BYTES, 0.7, |job, _| {
        Ok(Reading::new(reported(job.image().stored_bytes)?, 1.0))
    };

    // How much of the data the job affected.
    rewritten_share, "data rewritten", Share, Above, Transform::Share, 0.7, rewritten_share;
    replaced_share, "files replaced", Share, Above, Transform::Share, 0.7, |job, previous| {
        let (new, deleted) = (job.image().files_new, job.image().files_deleted);
        let replaced = new.zip(deleted).map(|(new, deleted)| new.min(deleted));
        let part = part_of_files(replaced, job, previous)?;
        Ok(Reading::new((part.value / part.reference).min(1.0), 1.0))
    };
    duplicated_share, "data added without transfer", Share, Above, Transform::Share, 0.7,
    |job, previous| {
        let (image, before) = sizes(job, previous)?;
        let grown = (image - before).max(0.0);
        let transferred = transferred(job.image()).ok_or(Absent::NotReported)?;
        Ok(Reading::new(((grown - transferred) / image.max(1.0)).clamp(0.0, 1.0), 1.0))
    };

    // What was written.
    mean_entropy_bits, "content entropy", Bits, Above, Transform::Identity, 0.25, |job, _| {
        let BackupImage { files_new, files_changed, .. } = job.image();
        let written = files_new.zip(*files_changed).map(|(new, changed)| new.saturating_add(changed));
        mean(content(job)?.mean_entropy_bits, written)
    };
    entropy_delta_bits_changed, "rise in entropy of changed files", Bits, Above,
    Transform::Identity, 0.25, |job, previous| {
        let rise = content(job)?.entropy_delta_bits_changed;
        // A first image changes nothing.
        let changed = if previous.is_some() { job.image().files_changed } else { Some(0) };
        mean(rise, changed)
    };
    random_files, "random-looking files", Files, Above, Transform::Share, 0.5, |job, previous| {
        part_of_files(content(job)?.random_files, job, previous)
    };
    unseen_extension_files, "files of kinds never seen here", Files, Above, Transform::Share, 0.7,
    |job, previous| part_of_files(content(job)?.unseen_extension_files, job, previous);
    extension_shift, "shift in kinds of files", Share, Above, Transform::Share, 0.7,
    |job, previous| {
        let shift = content(job)?.extension_shift;
        let absent = if previous.is_some() { Absent::NotReported } else { Absent::NotApplicable };
        Ok(Reading::new(shift.ok_or(absent)?, 1.0))
    };
    renamed_files, "renamed files", Files, Above, Transform::Share, 0.7, |job, previous| {
        part_of_files(content(job)?.renamed_files, job, previous)
    };
    emptied_files, "files written empty", Files, Above, Transform::Share, 0.7, |job, previous| {
        part_of_files(content(job)?.emptied_files, job, previous)
    };
}

/// The feature called `name`.
#[must_use]
pub fn feature(name: &str) -> Option<&'static Feature> {
    FEATURES.iter().find(|feature| feature.name == name)
}

fn reported(value: Option<u64>) -> Result<f64, Absent> {
    value.map(|value| value as f64).ok_or(Absent::NotReported)
}

/// The level to compare with: that of the image before, or 0 for an image that holds changes only,
/// whose level is judged as it is.
fn before(job: &BackupJob, level: Option<u64>) -> Result<f64, Absent> {
    if job.schedule().holds_changes_only() {
        Ok(0.0)
    } else {
        applicable(level)
    }
}

fn applicable(value: Option<u64>) -> Result<f64, Absent> {
    value.map(|value| value as f64).ok_or(Absent::NotApplicable)
}

fn content(job: &BackupJob) -> Result<&ContentStatistics, Absent> {
    job.image().content.as_ref().ok_or(Absent::NotReported)
}

/// A count of files as a part of all files, those of the image before included.
fn part_of_files(
    count: Option<u64>,
    job: &BackupJob,
    previous: Option<&Previous>,
) -> Result<Reading, Absent> {
    let count = reported(count)?;
    let now = reported(job.image().file_count)?;
    let before = before(job, previous.and_then(|previous| previous.file_count))?;
    Ok(Reading::new(count, now.max(before).max(count).max(1.0)))
}

/// The sizes of this image and of the one before it.
fn sizes(job: &BackupJob, previous: Option<&Previous>) -> Result<(f64, f64), Absent> {
    if job.schedule().holds_changes_only() {
        return Err(Absent::NotApplicable);
    }
    let image = reported(job.image().image_bytes)?;
    Ok((
        image,
        applicable(previous.and_then(|previous| previous.image_bytes))?,
    ))
}

fn rewritten_share(job: &BackupJob, previous: Option<&Previous>) -> Result<Reading, Absent> {
    let (image, before) = sizes(job, previous)?;
    let transferred = transferred(job.image()).ok_or(Absent::NotReported)?;
    let grown = (image - before).max(0.0);
    let share = rewritten(transferred, grown, image.max(1.0), before);
    Ok(Reading::new(share.clamp(0.0, 1.0), 1.0))
}

/// A mean over `files` files, where they are enough for it to mean something.
fn mean(value: Option<f64>, files: Option<u64>) -> Result<Reading, Absent> {
    if files.is_some_and(|files| files < FEW_FILES) {
        return Err(Absent::NotApplicable);
    }
    value
        .map(|value| Reading::new(value, 1.0))
        .ok_or(Absent::NotReported)
}
