//! What NetBackup tells of one run: a job, or the image that it wrote.

use std::borrow::Cow;

use anomaly_model::chrono::{DateTime, TimeDelta, Utc};
use anomaly_model::{BackupImage, BackupJob, JobStatus, ScheduleType};

use crate::netbackup::{SOURCE, codes};
use crate::{Place, RecordError};

/// One finished run, in our units.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Run {
    pub(super) place: Place,
    pub(super) job_id: String,
    pub(super) client: String,
    pub(super) policy: String,
    pub(super) policy_type: Option<Cow<'static, str>>,
    pub(super) schedule: Option<String>,
    pub(super) schedule_type: Option<ScheduleType>,
    pub(super) started_at: DateTime<Utc>,
    pub(super) ended_at: Option<DateTime<Utc>>,
    pub(super) duration_seconds: Option<f64>,
    pub(super) status: JobStatus,
    pub(super) exit_code: Option<u64>,
    pub(super) image_bytes: Option<u64>,
    pub(super) file_count: Option<u64>,
    pub(super) transferred_bytes: Option<u64>,
    pub(super) dedup_ratio: Option<f64>,
}

impl Run {
    /// When it ended, as far as that is known; else when it started.
    pub(super) fn end(&self) -> DateTime<Utc> {
        let seconds = self.duration_seconds.unwrap_or_default();
        // Whole seconds are exact; a duration that is out of range ends nothing.
        #[expect(clippy::cast_possible_truncation, reason = "saturates")]
        let length = TimeDelta::try_seconds(seconds as i64).unwrap_or_default();
        let by_duration = || self.started_at.checked_add_signed(length);
        self.ended_at
            .or_else(by_duration)
            .unwrap_or(self.started_at)
    }

    pub(super) fn job(self) -> Result<BackupJob, RecordError> {
        let bad = |message: String| RecordError::new(self.place, message);
        let too_large = |code| bad(format!("the status {code} is no exit status"));
        let exit_code = (self.exit_code)
            .map(|code| i64::try_from(code).map_err(|_| too_large(code)))
            .transpose()?;
        let image = BackupImage::default()
            .image_bytes(self.image_bytes)
            .file_count(self.file_count)
            .transferred_bytes(self.transferred_bytes)
            .dedup_ratio(self.dedup_ratio);
        BackupJob::builder(
            SOURCE,
            self.job_id,
            self.client,
            self.policy,
            self.started_at,
        )
        .policy_type(self.policy_type.as_deref())
        .schedule(self.schedule.as_deref())
        .schedule_type(self.schedule_type)
        .ended_at(self.ended_at)
        .duration_seconds(self.duration_seconds)
        .status(self.status)
        .exit_code(exit_code)
        .image(image)
        .build()
        .map_err(|error| bad(error.to_string()))
    }
}

/// One job of the streams of a backup: what they moved together, from the start of the first to
/// the end of the last. `None` without streams.
///
/// Policy and schedule are those of the first. The exit status is the highest, and says how the
/// backup ended, except that it is partial if some streams left an image and others did not. A
/// number is missing if one stream does not report it, unless that stream left no image: then it
/// stored nothing.
pub(super) fn together(mut streams: Vec<Run>, job_id: String) -> Option<Result<Run, RecordError>> {
    streams.sort_by(|a, b| (a.started_at, &a.job_id).cmp(&(b.started_at, &b.job_id)));
    let place = streams.iter().map(|stream| stream.place).min()?;
    let first = streams.first()?.clone();
    if streams.len() == 1 {
        return Some(Ok(Run { job_id, ..first }));
    }
    let too_large = |what| {
        let message =
            format!("the streams of {job_id} have more {what} together than can be counted");
        RecordError::new(place, message)
    };
    let ends: Option<Vec<_>> = streams.iter().map(|stream| stream.ended_at).collect();
    let sums = || {
        Ok((
            sum(&streams, |stream| stream.image_bytes).map_err(|()| too_large("bytes"))?,
            sum(&streams, |stream| stream.file_count).map_err(|()| too_large("files"))?,
            sum(&streams, |stream| stream.transferred_bytes).map_err(|()| too_large("bytes"))?,
        ))
    };
    let (image_bytes, file_count, transferred_bytes) = match sums() {
        Ok(sums) => sums,
        Err(error) => return Some(Err(error)),
    };
    let (exit_code, status) = ending(&streams);
    let ended_at = ends.and_then(|ends| ends.into_iter().max());
    let last = streams.iter().map(Run::end).max();
    let length = last.map(|end| (end - first.started_at).as_seconds_f64());
    Some(Ok(Run {
        place,
        job_id,
        ended_at,
        duration_seconds: length.filter(|_| ended_at.is_none()),
        status,
        exit_code,
        image_bytes,
        file_count,
        transferred_bytes,
        dedup_ratio: dedup_ratio(&streams),
        ..first
    }))
}

/// The highest exit status, and how the backup ended.
fn ending(streams: &[Run]) -> (Option<u64>, JobStatus) {
    let highest = streams.iter().filter_map(|stream| stream.exit_code).max();
    let images = streams
        .iter()
        .filter(|stream| stream.status.has_image())
        .count();
    let status = if images > 0 && images < streams.len() {
        JobStatus::Partial
    } else {
        codes::status_of(highest.unwrap_or_default())
    };
    (highest, status)
}

/// The sum of a number of the streams, where it is known. `Err` if it is beyond 64 bits.
fn sum(streams: &[Run], number: impl Fn(&Run) -> Option<u64>) -> Result<Option<u64>, ()> {
    let mut known = Some(0_u64);
    let mut any = false;
    for stream in streams {
        match number(stream) {
            Some(number) => {
                any = true;
                known = match known {
                    Some(sum) => Some(sum.checked_add(number).ok_or(())?),
                    None => None,
                };
            }
            None if stream.status.has_image() => known = None,
            None => {}
        }
    }
    Ok(known.filter(|_| any))
}

/// The share of all bytes that needed no transfer; missing if it is missing for any of them.
fn dedup_ratio(streams: &[Run]) -> Option<f64> {
    let (mut bytes, mut saved) = (0.0, 0.0);
    for stream in streams {
        match (stream.image_bytes, stream.dedup_ratio) {
            (Some(0), _) => {}
            (Some(image_bytes), Some(ratio)) => {
                bytes += image_bytes as f64;
                saved += image_bytes as f64 * ratio;
            }
            _ if !stream.status.has_image() => {}
            _ => return None,
        }
    }
    (bytes > 0.0).then(|| (saved / bytes).clamp(0.0, 1.0))
}

/// KB that were moved, of an image of `image_kilobytes`, where the tool knows them: it writes 0
/// where it does not, and no image came from nothing.
pub(super) fn known_moved(kilobytes: Option<u64>, image_kilobytes: Option<u64>) -> Option<u64> {
    kilobytes.filter(|&kilobytes| kilobytes > 0 || image_kilobytes == Some(0))
}

/// The ratio of a deduplication rate in percent.
///
/// NetBackup adds up two rates that it has rounded, so that up to half a percent above 100 is 100.
/// What is beyond that, or negative, is no share of anything, and missing.
pub(super) fn ratio_of_percent(percent: f64) -> Option<f64> {
    (0.0..=100.5)
        .contains(&percent)
        .then(|| percent.min(100.0) / 100.0)
}
