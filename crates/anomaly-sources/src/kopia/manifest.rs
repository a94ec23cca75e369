//! The manifest of one snapshot.

use anomaly_model::chrono::{DateTime, Utc};
use anomaly_model::{BackupImage, BackupJob, JobStatus};
use serde::Deserialize;

use crate::kopia::KOPIA;
use crate::policy::shortened;
use crate::{Place, ReadOptions, Record, RecordError, json};

/// What is used of a manifest, with kopia's names.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Manifest {
    id: Option<String>,
    source: Option<ManifestSource>,
    #[serde(default, deserialize_with = "json::time")]
    start_time: Option<DateTime<Utc>>,
    #[serde(default, deserialize_with = "json::time")]
    end_time: Option<DateTime<Utc>>,
    /// Why not everything is in it.
    incomplete: Option<String>,
    /// Only in a list.
    stats: Option<Stats>,
    root_entry: Option<RootEntry>,
    /// Only in a list with `--storage-stats`.
    storage_stats: Option<StorageStats>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ManifestSource {
    host: Option<String>,
    user_name: Option<String>,
    path: Option<String>,
}

/// `fileCount` counts only what was read anew, and overflows: the summary of the root knows better.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Stats {
    non_cached_files: Option<u64>,
}

#[derive(Deserialize)]
struct RootEntry {
    /// Of a snapshot of one file.
    size: Option<u64>,
    summ: Option<Summary>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Summary {
    size: Option<u64>,
    files: Option<u64>,
    dirs: Option<u64>,
    #[serde(default)]
    num_failed: u64,
    #[serde(default)]
    num_ignored_errors: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct StorageStats {
    new_data: NewData,
}

/// What no earlier snapshot of the list has.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct NewData {
    original_content_bytes: Option<u64>,
    packed_content_bytes: Option<u64>,
}

/// The record of a manifest.
pub(super) fn record(
    text: &str,
    place: Place,
    options: &ReadOptions,
) -> Result<Record, RecordError> {
    let bad = |message: &str| RecordError::new(place, message);
    let manifest: Manifest = json::parse_by_path(text, place)?;
    // Written now and then while a backup runs.
    if manifest.incomplete.as_deref() == Some("checkpoint") {
        return Ok(Record::skipped(
            place,
            "a checkpoint of a backup that did not end",
        ));
    }
    let source = manifest.source.as_ref();
    let client = source.and_then(|source| source.host.clone());
    let client = client.or_else(|| options.client.clone());
    let job = BackupJob::builder(
        KOPIA,
        manifest.id.clone().ok_or_else(|| bad("`id` is missing"))?,
        client.ok_or_else(|| bad("`source.host` is missing: give the client as an option"))?,
        source
            .and_then(|source| source.policy(options))
            .or_else(|| options.policy.clone())
            .ok_or_else(|| bad("`source` is missing: give the policy as an option"))?,
        manifest
            .start_time
            .or(options.started_at)
            .ok_or_else(|| bad("`startTime` is missing"))?,
    )
    .ended_at(manifest.end_time)
    .status(manifest.status())
    .exit_code(options.exit_code)
    .image(manifest.image());
    Ok(Record::built(place, job.build()))
}

impl ManifestSource {
    fn policy(&self, options: &ReadOptions) -> Option<String> {
        let part = |name, text: &Option<String>| {
            let text = text.clone().filter(|text| !text.is_empty());
            text.filter(|_| options.has_policy_part(name))
        };
        let parts = [part("user", &self.user_name), part("path", &self.path)];
        let parts: Vec<String> = parts.into_iter().flatten().collect();
        (!parts.is_empty()).then(|| shortened(parts.join(":")))
    }
}

impl Manifest {
    /// Whatever the run ended with: of several sources, or behind this snapshot, others may fail.
    fn status(&self) -> JobStatus {
        let has_failures = self.summary().is_some_and(|summary| summary.num_failed > 0);
        match self.incomplete.as_deref() {
            Some("canceled") => JobStatus::Cancelled,
            Some(reason) if !reason.is_empty() => JobStatus::Partial,
            _ if has_failures => JobStatus::Partial,
            _ => JobStatus::Succeeded,
        }
    }

    fn summary(&self) -> Option<&Summary> {
        self.root_entry.as_ref()?.summ.as_ref()
    }

    fn image(&self) -> BackupImage {
        let image = match (self.summary(), &self.root_entry) {
            (Some(summary), _) => BackupImage::default()
                .image_bytes(summary.size)
                .file_count(summary.files)
                .directory_count(summary.dirs)
                .files_unmodified(self.files_unmodified(summary)),
            (None, Some(root)) => BackupImage::default()
                .image_bytes(root.size)
                .file_count(root.size.map(|_| 1)),
            (None, None) => BackupImage::default(),
        };
        let new = self.storage_stats.as_ref().map(|stats| &stats.new_data);
        image
            .transferred_bytes(new.and_then(|new| new.original_content_bytes))
            .stored_bytes(new.and_then(|new| new.packed_content_bytes))
    }

    /// All files but those that were read anew, of which some may have failed. (kopia's own count
    /// of the others has symbolic links in it.)
    fn files_unmodified(&self, summary: &Summary) -> Option<u64> {
        let read = self.stats.as_ref()?.non_cached_files?;
        let has_errors = summary.num_failed > 0 || summary.num_ignored_errors > 0;
        let files = summary.files.filter(|_| !has_errors);
        files?.checked_sub(read)
    }
}
