//! What the first ten jobs of a stream are good for.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(
    clippy::large_types_passed_by_value,
    reason = "a builder hands its result over"
)]

mod common;

use anomaly_engine::{Engine, StreamModel};
use anomaly_model::{
    AnomalyKind, BackupImage, BackupJob, ContentStatistics, JobStatus, Judgement, ScheduleType,
    Severity, Verdict,
};
use common::{builder, job, usual_image, usual_jobs};

/// The verdict on the job of this number, from 1, after usual ones.
fn verdict_on(number: u64, job: impl Fn(u64) -> BackupJob) -> Verdict {
    let (engine, mut model) = (Engine::default(), StreamModel::default());
    for usual in usual_jobs(number - 1) {
        _ = engine.judge(&usual, &mut model);
    }
    engine.judge(&job(number - 1), &mut model)
}

fn failed(number: u64) -> BackupJob {
    builder(number).status(JobStatus::Failed).build().unwrap()
}

fn emptied(number: u64) -> BackupJob {
    job(number, BackupImage::default().image_bytes(0).file_count(0))
}

fn overwritten(number: u64) -> BackupJob {
    let image = usual_image(number).transferred_bytes(9_900_000_000);
    job(number, image.files_changed(49_900))
}

/// Half of the files, in their own place, and as large as before.
fn encrypted(number: u64) -> BackupJob {
    let content = ContentStatistics::default()
        .random_files(28_000)
        .mean_entropy_bits_changed(7.95)
        .entropy_delta_bits_changed(3.2);
    let image = usual_image(number).transferred_bytes(5_500_000_000);
    job(number, image.files_changed(28_000).content(content))
}

/// Half of the files, under new names of a new kind.
fn replaced(number: u64) -> BackupJob {
    let content = ContentStatistics::default()
        .random_files(28_000)
        .unseen_extension_files(28_000);
    let image = usual_image(number).transferred_bytes(5_500_000_000);
    let image = image.files_new(28_000).files_deleted(28_000);
    job(number, image.content(content))
}

fn mostly_gone(number: u64) -> BackupJob {
    let image = usual_image(number).image_bytes(4_000_000_000);
    job(number, image.file_count(20_000).files_deleted(30_000))
}

/// What needs no history is told in the first ten jobs as later: a failed and an empty job from the
/// first one on, and from the second one on what an image before it shows.
#[test]
fn the_first_ten_jobs_are_watched() {
    type Case = (
        &'static str,
        u64,
        fn(u64) -> BackupJob,
        AnomalyKind,
        Severity,
    );
    let cases: [Case; 6] = [
        ("failed", 1, failed, AnomalyKind::Failure, Severity::Medium),
        (
            "emptied",
            1,
            emptied,
            AnomalyKind::EmptyBackup,
            Severity::High,
        ),
        (
            "everything rewritten",
            2,
            overwritten,
            AnomalyKind::MassEncryption,
            Severity::Medium,
        ),
        (
            "half of the files encrypted",
            2,
            encrypted,
            AnomalyKind::MassEncryption,
            Severity::High,
        ),
        (
            "half of the files replaced",
            2,
            replaced,
            AnomalyKind::MassEncryption,
            Severity::Medium,
        ),
        (
            "most files gone",
            2,
            mostly_gone,
            AnomalyKind::MassDeletion,
            Severity::High,
        ),
    ];
    for (name, first, job, kind, least) in cases {
        for number in first..=10 {
            let verdict = verdict_on(number, job);
            assert_eq!(
                verdict.kind(),
                Some(kind),
                "{name} at {number}: {}",
                verdict.summary
            );
            assert!(
                verdict.severity() >= Some(least),
                "{name} at {number}: {}",
                verdict.summary
            );
        }
    }
}

/// Where the tool counts no files, a second job that sends everything is told, and which one it is.
#[test]
fn the_second_job_may_not_send_everything() {
    let sent = |number, bytes| {
        let image = BackupImage::default().image_bytes(10_000_000_000);
        job(number, image.transferred_bytes(bytes))
    };
    let (engine, mut model) = (Engine::default(), StreamModel::default());
    _ = engine.judge(&sent(0, 10_000_000_000), &mut model);
    let verdict = engine.judge(&sent(1, 9_200_000_000), &mut model);
    assert_eq!(
        verdict.summary,
        "Already in job 2 of this stream, 92 % of the data was overwritten."
    );
}

/// A usual job in the first ten is no alarm, and while the stream warms up the verdict says what
/// that hides.
#[test]
fn warm_up_says_what_it_hides() {
    for number in 1..=10 {
        let verdict = verdict_on(number, |number| job(number, usual_image(number)));
        let hides = match number {
            1 => Some("Learning: 0 of 7 jobs learnt, so only what needs no history was judged."),
            2..=7 => Some("only what would be strange in any stream is seen."),
            _ => None,
        };
        match hides {
            Some(hides) => {
                assert_eq!(verdict.judgement, Judgement::WarmingUp);
                assert!(verdict.summary.ends_with(hides), "{}", verdict.summary);
            }
            None => assert_eq!(verdict.judgement, Judgement::Normal, "{}", verdict.summary),
        }
    }
}

/// What stays as the anomaly of the second job left it is told once; and the stream is not taken
/// for one that loses everything at times: when the rest goes, that is told too.
#[test]
fn what_stays_after_the_second_job_is_told_once() {
    let (engine, mut model) = (Engine::default(), StreamModel::default());
    _ = engine.judge(&usual_jobs(1)[0], &mut model);
    assert!(engine.judge(&mostly_gone(1), &mut model).is_anomalous());
    for number in 2..20 {
        let image = usual_image(number)
            .image_bytes(4_000_000_000)
            .file_count(20_000);
        let verdict = engine.judge(&job(number, image), &mut model);
        assert!(
            !verdict.is_anomalous(),
            "job {}: {}",
            number + 1,
            verdict.summary
        );
    }
    let rest = usual_image(20).image_bytes(1_000_000_000).file_count(5_000);
    let verdict = engine.judge(&job(20, rest.files_deleted(15_000)), &mut model);
    assert_eq!(
        verdict.kind(),
        Some(AnomalyKind::MassDeletion),
        "{}",
        verdict.summary
    );
}

/// A full backup sends everything: that its second one does too is no news.
#[test]
fn full_backups_send_everything() {
    let (engine, mut model) = (Engine::default(), StreamModel::default());
    for number in 0..12 {
        let bytes = 10_000_000_000 + number * 3_000_000;
        let image = BackupImage::default()
            .image_bytes(bytes)
            .transferred_bytes(bytes)
            .file_count(50_000 + number);
        let full = builder(number)
            .schedule_type(ScheduleType::Full)
            .image(image)
            .build()
            .unwrap();
        let verdict = engine.judge(&full, &mut model);
        assert!(
            !verdict.is_anomalous(),
            "job {}: {}",
            number + 1,
            verdict.summary
        );
    }
}

/// A stream whose jobs take longer from some day on is told so twice at most.
#[test]
fn jobs_that_stay_slow_are_how_the_stream_is() {
    let (engine, mut model) = (Engine::default(), StreamModel::default());
    let mut told = 0;
    for number in 0..60 {
        let hours = if number < 30 { 1.0 } else { 4.0 } + (number % 5) as f64 / 20.0;
        let job = builder(number)
            .image(usual_image(number))
            .duration_seconds(3_600.0 * hours);
        let verdict = engine.judge(&job.build().unwrap(), &mut model);
        if verdict.is_anomalous() {
            assert_eq!(
                verdict.kind(),
                Some(AnomalyKind::Slowdown),
                "{}",
                verdict.summary
            );
            told += 1;
        }
    }
    assert!((1..=2).contains(&told), "told {told} times");
}
