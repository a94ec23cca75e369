//! The end-of-job hook of a Rust backup tool: each finished snapshot is judged, and a strange one
//! is reported; whatever happens here, the backup itself has succeeded.
//!
//! `SnapshotSummary` has the shape of `rustic_core`'s. Run it with
//! `cargo run --example end_of_job_hook`.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "an example speaks to its reader"
)]

use std::error::Error;

use anomaly_service::AnomalyService;
use anomaly_service::model::{BackupImage, BackupJob, ModelError};
use anomaly_service::settings::Settings;
use chrono::{DateTime, TimeDelta, Utc};

/// What the backup tool knows when a snapshot is finished.
struct SnapshotSummary {
    files_new: u64,
    files_changed: u64,
    files_unmodified: u64,
    total_files_processed: u64,
    total_bytes_processed: u64,
    data_added: u64,
    data_added_packed: u64,
    backup_start: DateTime<Utc>,
    backup_end: DateTime<Utc>,
}

/// The snapshot that the summary belongs to.
struct Snapshot {
    id: String,
    hostname: String,
    label: String,
    summary: SnapshotSummary,
}

/// One field of the tool's for each of ours. What the tool does not know is left out.
fn to_job(snapshot: &Snapshot) -> Result<BackupJob, ModelError> {
    let summary = &snapshot.summary;
    let image = BackupImage::default()
        .image_bytes(summary.total_bytes_processed)
        .file_count(summary.total_files_processed)
        .transferred_bytes(summary.data_added)
        .stored_bytes(summary.data_added_packed)
        .files_new(summary.files_new)
        .files_changed(summary.files_changed)
        .files_unmodified(summary.files_unmodified);
    let Snapshot {
        id,
        hostname,
        label,
        ..
    } = snapshot;
    BackupJob::builder("rustic", id, hostname, label, summary.backup_start)
        .ended_at(summary.backup_end)
        .image(image)
        .build()
}

/// The hook. Its errors are the detector's: they are told, and the backup stands.
fn anomaly_check(service: &mut AnomalyService, snapshot: &Snapshot) {
    let verdict = to_job(snapshot)
        .map_err(Box::<dyn Error>::from)
        .and_then(|job| Ok(service.observe(&job)?.verdict));
    match verdict {
        Ok(verdict) if verdict.is_anomalous() => {
            println!(
                "{}  {}: {}",
                verdict.started_at, snapshot.id, verdict.summary
            );
        }
        Ok(_) => {}
        Err(error) => eprintln!("snapshot {} was not judged: {error}", snapshot.id),
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    // A tool keeps its history in a file: AnomalyService::open("backwatch.db", settings).
    let mut service = AnomalyService::in_memory(Settings::default());
    let mut start: DateTime<Utc> = "2026-10-01T22:00:00Z".parse()?;
    for night in 0..40 {
        anomaly_check(&mut service, &usual_night(night, start));
        start += TimeDelta::days(1);
    }
    println!("Forty usual nights. Now everything is encrypted under new names:");
    let mut encrypted = usual_night(40, start);
    encrypted.summary.files_new = 12_000;
    encrypted.summary.files_unmodified = 0;
    encrypted.summary.data_added = encrypted.summary.total_bytes_processed;
    encrypted.summary.data_added_packed = encrypted.summary.total_bytes_processed;
    anomaly_check(&mut service, &encrypted);
    Ok(())
}

/// A night on which some files changed, more on some nights than on others.
fn usual_night(night: u64, backup_start: DateTime<Utc>) -> Snapshot {
    let files_changed = 20 + night * 7 % 31;
    let data_added = files_changed * 400_000;
    Snapshot {
        id: format!("snapshot-{night:04}"),
        hostname: "mail01".to_owned(),
        label: "daily".to_owned(),
        summary: SnapshotSummary {
            files_new: night % 5,
            files_changed,
            files_unmodified: 12_000 - files_changed,
            total_files_processed: 12_000 + night,
            total_bytes_processed: 6_000_000_000 + night * 2_000_000,
            data_added,
            data_added_packed: data_added / 3,
            backup_start,
            backup_end: backup_start + TimeDelta::seconds(60 + files_changed.cast_signed()),
        },
    }
}
