//! The job record of a simulated job, from what it saw of the tree.

use anomaly_model::chrono::{DateTime, TimeDelta, Utc};
use anomaly_model::{
    BackupImage, BackupJob, BackupJobBuilder, ContentStatistics, JobStatus, ModelError,
};

use super::client::Client;
use super::content::Content;
use super::random::bytes;
use super::tree::Seen;

/// Bytes of structure that a tool sends with each touched file.
pub(super) const STRUCTURE_BYTES: u64 = 400;
/// What a job takes before it reads anything, per file, and per byte that it sends.
const START_SECONDS: f64 = 2.0;
const SECONDS_PER_FILE: f64 = 0.000_4;
pub(super) const BYTES_PER_SECOND: f64 = 60_000_000.0;

/// How a job ran.
#[derive(Debug, Clone, Copy)]
pub(super) struct Run<'a> {
    pub(super) job_id: &'a str,
    pub(super) started_at: DateTime<Utc>,
    pub(super) status: JobStatus,
    pub(super) slower: f64,
    pub(super) sent_bytes: u64,
    /// Whether the image holds what changed only.
    pub(super) holds_changes: bool,
}

fn builder(client: &Client, job_id: &str, started_at: DateTime<Utc>) -> BackupJobBuilder {
    BackupJob::builder(
        "simulated",
        job_id,
        client.name.as_str(),
        client.policy(),
        started_at,
    )
    .policy_type("filesystem")
    .schedule("daily")
    .schedule_type(client.schedule_type())
}

pub(super) fn failed(
    client: &Client,
    job_id: &str,
    started_at: DateTime<Utc>,
) -> Result<BackupJob, ModelError> {
    builder(client, job_id, started_at)
        .ended_at(started_at + TimeDelta::seconds(1))
        .status(JobStatus::Failed)
        .exit_code(1)
        .build()
}

pub(super) fn succeeded(
    client: &Client,
    run: &Run<'_>,
    seen: &Seen,
) -> Result<BackupJob, ModelError> {
    let touched = seen.files_new + seen.files_changed + seen.files_deleted;
    let transferred = run.sent_bytes + STRUCTURE_BYTES * (touched + 5);
    let read = START_SECONDS + SECONDS_PER_FILE * seen.file_count as f64;
    let seconds = (read + transferred as f64 / BYTES_PER_SECOND) * run.slower;
    let milliseconds = i64::try_from(bytes(seconds * 1000.0)).unwrap_or(0);
    let (image_bytes, file_count) = if run.holds_changes {
        (seen.written_bytes(), seen.files_new + seen.files_changed)
    } else {
        (seen.image_bytes, seen.file_count)
    };
    let compressed = seen.stored_bytes / (seen.fresh_bytes.max(1)) as f64;
    let image = BackupImage::default()
        .image_bytes(image_bytes)
        .file_count(file_count)
        .transferred_bytes(transferred)
        .stored_bytes(bytes(run.sent_bytes as f64 * compressed) + STRUCTURE_BYTES * touched / 2)
        .files_new(seen.files_new)
        .files_changed(seen.files_changed)
        .files_deleted(seen.files_deleted)
        .directory_count(8 + file_count / 9)
        .content(content(seen));
    builder(client, run.job_id, run.started_at)
        .ended_at(run.started_at + TimeDelta::milliseconds(milliseconds))
        .duration_seconds(milliseconds as f64 / 1000.0)
        .status(run.status)
        .exit_code(if run.status == JobStatus::Partial {
            3
        } else {
            0
        })
        .image(image)
        .build()
}

impl Seen {
    pub(super) fn written_bytes(&self) -> u64 {
        let changed = self.changed.iter().map(|(bytes, ..)| bytes);
        self.new.iter().map(|(bytes, _)| bytes).chain(changed).sum()
    }
}

pub(super) fn content(seen: &Seen) -> ContentStatistics {
    let changed: Vec<(u64, Content)> = seen
        .changed
        .iter()
        .map(|(bytes, now, _)| (*bytes, *now))
        .collect();
    let all: Vec<(u64, Content)> = seen.new.iter().chain(&changed).copied().collect();
    // An empty file has no entropy.
    let filled = |files: &[(u64, Content)]| -> Vec<Content> {
        files
            .iter()
            .filter(|(bytes, _)| *bytes > 0)
            .map(|(_, content)| *content)
            .collect()
    };
    let entropies = |files: &[(u64, Content)]| -> Vec<f64> {
        filled(files)
            .iter()
            .map(|content| content.entropy_bits)
            .collect()
    };
    let high = |files: &[(u64, Content)]| {
        mean(&filled(files), |content| {
            f64::from(u8::from(content.is_high_entropy()))
        })
    };
    let delta = |(bytes, now, before): &(u64, Content, Content)| {
        if *bytes > 0 {
            now.entropy_bits - before.entropy_bits
        } else {
            -before.entropy_bits
        }
    };
    let all_entropies = entropies(&all);
    let centre = mean(&all_entropies, |bits| *bits);
    let spread =
        centre.and_then(|centre| mean(&all_entropies, |bits| (bits - centre) * (bits - centre)));
    let written = seen.written_bytes();
    let printable: f64 = all
        .iter()
        .map(|(bytes, content)| *bytes as f64 * content.printable_share)
        .sum();
    let random = all
        .iter()
        .filter(|(bytes, content)| *bytes >= 512 && content.is_random());
    ContentStatistics::default()
        .mean_entropy_bits(centre)
        .mean_entropy_bits_new(mean(&entropies(&seen.new), |bits| *bits))
        .mean_entropy_bits_changed(mean(&entropies(&changed), |bits| *bits))
        .entropy_delta_bits_changed(mean(&seen.changed, delta))
        .entropy_sd_bits(spread.map(f64::sqrt))
        .printable_share((written > 0).then(|| (printable / written as f64).clamp(0.0, 1.0)))
        .random_files(random.count() as u64)
        .high_entropy_share_new(high(&seen.new))
        .high_entropy_share_changed(high(&changed))
        .unseen_extension_files(if seen.files_before == 0 {
            0
        } else {
            seen.unseen_extension_files
        })
        .unseen_extension_share_new(
            (seen.files_new > 0 && seen.files_before > 0)
                .then(|| seen.unseen_extension_files as f64 / seen.files_new as f64),
        )
        .extension_count(seen.extension_count)
        .extension_shift(seen.extension_shift)
        .renamed_files(seen.renamed_files)
        .emptied_files(all.iter().filter(|(bytes, _)| *bytes == 0).count() as u64)
        .written_bytes(written)
        .deleted_bytes(seen.deleted_bytes)
}

fn mean<T>(items: &[T], value: impl Fn(&T) -> f64) -> Option<f64> {
    let sum: f64 = items.iter().map(value).sum();
    (!items.is_empty()).then(|| sum / items.len() as f64)
}
