//! Jobs for tests.
#![allow(dead_code, reason = "each test file uses some of it")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(
    clippy::large_types_passed_by_value,
    reason = "a builder hands its result over"
)]

use anomaly_engine::{Engine, StreamModel};
use anomaly_model::chrono::{DateTime, TimeDelta, Utc};
use anomaly_model::{
    AnomalyKind, BackupImage, BackupJob, BackupJobBuilder, JobStatus, Severity, Verdict,
};
use proptest::collection::vec;
use proptest::prelude::*;

/// Midnight of the given day of 2026.
pub(crate) fn day(number: u64) -> DateTime<Utc> {
    let start: DateTime<Utc> = "2026-01-01T00:00:00Z".parse().unwrap();
    start + TimeDelta::days(number.cast_signed())
}

/// A usual image of the given day: 1 to 3 % of 10 GB rewritten, slow growth.
pub(crate) fn usual_image(number: u64) -> BackupImage {
    let wave = number * 7 % 11;
    BackupImage::default()
        .image_bytes(10_000_000_000 + number * 3_000_000)
        .file_count(50_000 + number * 2)
        .transferred_bytes(100_000_000 + wave * 20_000_000)
        .files_new(5 + wave)
        .files_changed(300 + wave * 40)
        .files_deleted(2 + wave % 3)
}

pub(crate) fn builder(number: u64) -> BackupJobBuilder {
    BackupJob::builder(
        "restic",
        format!("job-{number}"),
        "mail01",
        "daily",
        day(number),
    )
}

pub(crate) fn job(number: u64, image: BackupImage) -> BackupJob {
    let minutes = 10 + (number * 5 % 7).cast_signed();
    builder(number)
        .image(image)
        .ended_at(day(number) + TimeDelta::minutes(minutes))
        .build()
        .unwrap()
}

/// `count` usual days.
pub(crate) fn usual_jobs(count: u64) -> Vec<BackupJob> {
    (0..count)
        .map(|number| job(number, usual_image(number)))
        .collect()
}

/// A job that overwrites this part of the files and of the data; nobody looked into it.
pub(crate) fn overwriting(number: u64, percent: u64) -> BackupJob {
    let image = usual_image(number).transferred_bytes(percent * 100_000_000);
    job(number, image.files_changed(percent * 500))
}

/// A stream of forty usual days.
pub(crate) fn learnt() -> StreamModel {
    let mut model = StreamModel::default();
    for job in usual_jobs(40) {
        _ = Engine::default().judge(&job, &mut model);
    }
    model
}

/// An engine that has seen forty usual days.
pub(crate) fn learnt_engine() -> Engine {
    let mut engine = Engine::default();
    for job in usual_jobs(40) {
        assert!(!engine.observe(&job).is_anomalous());
    }
    engine
}

pub(crate) fn assert_is(verdict: &Verdict, kind: AnomalyKind, severity: Severity) {
    assert_eq!(
        (verdict.kind(), verdict.severity()),
        (Some(kind), Some(severity)),
        "{}",
        verdict.summary
    );
}

/// The real history that the README scans: 56 usual days and a ransomware run.
pub(crate) fn sample() -> Vec<BackupJob> {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../examples/data/fileserver.ndjson"
    );
    let text = std::fs::read_to_string(path).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// Jobs of any shape: two streams, any status, wild numbers, clocks that jump.
pub(crate) fn any_jobs() -> impl Strategy<Value = Vec<BackupJob>> {
    let number = || proptest::option::of(prop_oneof![Just(0), 1..5_000_u64, any::<u64>()]);
    let shape = (
        number(),
        number(),
        number(),
        number(),
        0..400_u64,
        0..12_usize,
        any::<bool>(),
    );
    vec(shape, 20..60).prop_map(|shapes| {
        let job = |(index, shape): (usize, (_, _, _, _, u64, usize, bool))| {
            let (bytes, files, sent, changed, day_of_job, status, other) = shape;
            let image = BackupImage::default()
                .image_bytes(bytes)
                .file_count(files)
                .transferred_bytes(sent)
                .files_changed(changed);
            let status = *JobStatus::ALL.get(status).unwrap_or(&JobStatus::Succeeded);
            let start = day(if day_of_job < 360 {
                index as u64
            } else {
                day_of_job
            });
            let client = if other { "b" } else { "a" };
            BackupJob::builder("restic", index.to_string(), client, "p", start)
                .status(status)
                .image(image)
                .build()
                .unwrap()
        };
        shapes.into_iter().enumerate().map(job).collect()
    })
}
