//! Jobs for tests.
#![allow(dead_code, reason = "each test file uses some of it")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(
    clippy::large_types_passed_by_value,
    reason = "a builder hands its result over"
)]

use anomaly_service::AnomalyService;
use anomaly_service::model::chrono::{DateTime, TimeDelta, Utc};
use anomaly_service::model::{BackupImage, BackupJob, ContentStatistics, JobStatus, Verdict};
use anomaly_service::settings::Settings;

/// Midnight of the given day of 2026.
pub(crate) fn day(number: u64) -> DateTime<Utc> {
    let start: DateTime<Utc> = "2026-01-01T00:00:00Z".parse().unwrap();
    start + TimeDelta::days(number.cast_signed())
}

/// A usual image of the given day: 1 to 3 % of 10 GB rewritten, slow growth, nothing random.
pub(crate) fn usual_image(number: u64) -> BackupImage {
    let wave = number * 7 % 11;
    let content = ContentStatistics::default()
        .random_files(wave % 3)
        .entropy_delta_bits_changed(0.0)
        .mean_entropy_bits_changed(5.0);
    BackupImage::default()
        .image_bytes(10_000_000_000 + number * 3_000_000)
        .file_count(50_000 + number * 2)
        .transferred_bytes(100_000_000 + wave * 20_000_000)
        .files_new(5 + wave)
        .files_changed(300 + wave * 40)
        .files_deleted(2 + wave % 3)
        .content(content)
}

/// An image of which this part was overwritten, by what looks random or not.
pub(crate) fn overwritten(number: u64, percent: u64, random: bool) -> BackupImage {
    let image = usual_image(number)
        .transferred_bytes(percent * 100_000_000)
        .files_changed(percent * 500);
    if random {
        let content = ContentStatistics::default()
            .random_files(percent * 500)
            .entropy_delta_bits_changed(2.5)
            .mean_entropy_bits_changed(7.9);
        image.content(content)
    } else {
        image
    }
}

/// A job of a client's daily policy, an hour later than midnight for each client.
pub(crate) fn job_of(client: u64, number: u64, image: BackupImage) -> BackupJob {
    let start = day(number) + TimeDelta::minutes(client.cast_signed());
    BackupJob::builder(
        "restic",
        format!("{client}-{number}"),
        format!("client{client:03}"),
        "daily",
        start,
    )
    .ended_at(start + TimeDelta::minutes(12))
    .image(image)
    .build()
    .unwrap()
}

pub(crate) fn job(number: u64, image: BackupImage) -> BackupJob {
    job_of(1, number, image)
}

pub(crate) fn failed(client: u64, number: u64) -> BackupJob {
    let start = day(number) + TimeDelta::minutes(client.cast_signed());
    BackupJob::builder(
        "restic",
        format!("failed-{client}-{number}"),
        format!("client{client:03}"),
        "daily",
        start,
    )
    .status(JobStatus::Failed)
    .build()
    .unwrap()
}

/// The usual jobs of some days of some clients, in the order of their start.
pub(crate) fn usual_jobs(clients: u64, days: std::ops::Range<u64>) -> Vec<BackupJob> {
    days.flat_map(|number| (1..=clients).map(move |client| (client, number)))
        .map(|(client, number)| job_of(client, number, usual_image(number)))
        .collect()
}

/// A service that has seen the usual jobs of the first forty days of some clients.
pub(crate) fn settled(clients: u64) -> AnomalyService {
    let mut service = AnomalyService::in_memory(Settings::default());
    service
        .observe_all(usual_jobs(clients, 0..40), |observed| {
            assert!(
                !observed.verdict.is_anomalous(),
                "{}",
                observed.verdict.summary
            );
        })
        .unwrap();
    service
}

pub(crate) fn observe(service: &mut AnomalyService, job: &BackupJob) -> Verdict {
    service.observe(job).unwrap().verdict
}
