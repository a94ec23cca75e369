//! What the engine says about jobs of known kinds.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(
    clippy::large_types_passed_by_value,
    reason = "a builder hands its result over"
)]

mod common;

use anomaly_engine::Engine;
use anomaly_model::chrono::TimeDelta;
use anomaly_model::{
    AnomalyKind, BackupImage, BackupJob, ContentStatistics, Direction, JobStatus, Judgement,
    ScheduleType, Severity, Verdict,
};
use anomaly_settings::Settings;
use common::{builder, day, job, sample, usual_image, usual_jobs};

/// An engine that has seen forty usual days.
fn learnt() -> Engine {
    let mut engine = Engine::default();
    for job in usual_jobs(40) {
        assert!(!engine.observe(&job).is_anomalous());
    }
    engine
}

fn day_forty(image: BackupImage) -> Verdict {
    learnt().observe(&job(40, image))
}

fn assert_is(verdict: &Verdict, kind: AnomalyKind, severity: Severity) {
    assert_eq!(
        (verdict.kind(), verdict.severity()),
        (Some(kind), Some(severity)),
        "{}",
        verdict.summary
    );
}

#[test]
fn a_real_history_is_quiet_until_the_ransomware_runs() {
    let mut engine = Engine::default();
    let verdicts: Vec<Verdict> = sample().iter().map(|job| engine.observe(job)).collect();
    let (last, before) = verdicts.split_last().unwrap();
    assert!(before.iter().all(|verdict| !verdict.is_anomalous()));
    assert_is(last, AnomalyKind::MassEncryption, Severity::High);
    assert_eq!(
        last.summary,
        "Looks like mass encryption: 382 of 750 files were replaced, and what was written looks \
         random."
    );
    assert!(
        last.findings
            .iter()
            .any(|finding| finding.feature.as_str() == "mean_entropy_bits")
    );
    assert!(last.findings.is_sorted_by(|a, b| a.score >= b.score));
}

#[test]
fn warming_up_is_said_and_ends() {
    let mut engine = Engine::default();
    let verdicts: Vec<Verdict> = usual_jobs(16)
        .iter()
        .map(|job| engine.observe(job))
        .collect();
    assert!(
        verdicts[..14]
            .iter()
            .all(|verdict| verdict.judgement == Judgement::WarmingUp)
    );
    assert!(
        verdicts[..14]
            .iter()
            .all(|verdict| verdict.p_value.is_none())
    );
    assert!(
        verdicts[14..]
            .iter()
            .all(|verdict| verdict.judgement == Judgement::Normal)
    );
    assert_eq!(
        verdicts[3].summary,
        "Learning: 3 of 14 jobs seen, so only what needs no history was judged."
    );
}

#[test]
fn rewriting_everything_looks_like_encryption() {
    let image = usual_image(40);
    let verdict = day_forty(image.transferred_bytes(9_900_000_000).files_changed(50_000));
    assert_is(&verdict, AnomalyKind::MassEncryption, Severity::High);
    assert_eq!(
        verdict.summary,
        "Looks like mass encryption: 50000 of 50080 files were rewritten; nobody looked at what \
         was written."
    );
    let transferred = &verdict.findings[verdict
        .findings
        .iter()
        .position(|finding| finding.feature.as_str() == "transferred_bytes")
        .unwrap()];
    assert_eq!(transferred.direction, Direction::Above);
    assert!(transferred.usual_high.unwrap() < 400_000_000.0);
}

#[test]
fn a_mass_change_that_is_not_encrypted_is_called_so() {
    let content = ContentStatistics::default()
        .random_files(3)
        .entropy_delta_bits_changed(0.01);
    let image = usual_image(40)
        .transferred_bytes(9_900_000_000)
        .files_changed(50_000);
    let verdict = day_forty(image.content(content));
    assert_is(&verdict, AnomalyKind::MassChange, Severity::Medium);
}

#[test]
fn losing_most_files_is_mass_deletion() {
    let image = usual_image(40)
        .image_bytes(2_000_000_000)
        .file_count(9_000)
        .files_deleted(41_080);
    let verdict = day_forty(image);
    assert_is(&verdict, AnomalyKind::MassDeletion, Severity::Medium);
    assert!(
        verdict
            .summary
            .starts_with("Looks like mass deletion: 41078 of 50078 files")
    );
}

#[test]
fn growth_by_copies_is_growth() {
    let verdict = day_forty(
        usual_image(40)
            .image_bytes(30_000_000_000)
            .file_count(150_000),
    );
    assert_is(&verdict, AnomalyKind::Growth, Severity::Medium);
    assert!(
        verdict.summary.contains("mostly by copies"),
        "{}",
        verdict.summary
    );
}

#[test]
fn rules_need_no_history() {
    let mut engine = Engine::default();
    let failed = builder(0)
        .status(JobStatus::Failed)
        .exit_code(1)
        .build()
        .unwrap();
    let verdict = engine.observe(&failed);
    assert_is(&verdict, AnomalyKind::Failure, Severity::Medium);
    assert_eq!(
        verdict.summary,
        "The job failed (exit code 1) and left no usable image."
    );
    assert_eq!(verdict.p_value, None);

    let empty = job(1, BackupImage::default().image_bytes(0).file_count(0));
    let verdict = engine.observe(&empty);
    assert_is(&verdict, AnomalyKind::EmptyBackup, Severity::High);
    assert_eq!(
        verdict.summary,
        "The image holds nothing, though the job reported success."
    );
}

#[test]
fn an_emptied_source_is_an_empty_backup() {
    let nothing = day_forty(BackupImage::default().image_bytes(0).file_count(0));
    assert_is(&nothing, AnomalyKind::EmptyBackup, Severity::High);
    let truncated = day_forty(usual_image(40).image_bytes(0));
    assert_is(&truncated, AnomalyKind::EmptyBackup, Severity::High);
    let nearly = day_forty(usual_image(40).image_bytes(2_000).file_count(1));
    assert_is(&nearly, AnomalyKind::EmptyBackup, Severity::High);
    assert_eq!(
        nearly.summary,
        "Nearly everything is gone, though the job reported success; the image before held 50078 \
         files, 10.1 GB."
    );
}

#[test]
fn a_partial_job_is_reported_when_that_begins() {
    let mut engine = learnt();
    let partial = |number: u64| {
        builder(number)
            .status(JobStatus::Partial)
            .image(usual_image(number))
            .build()
            .unwrap()
    };
    assert_is(
        &engine.observe(&partial(40)),
        AnomalyKind::Failure,
        Severity::Low,
    );
    assert!(!engine.observe(&partial(41)).is_anomalous());
}

#[test]
fn a_clock_that_goes_back_is_noticed_once() {
    let mut engine = learnt();
    let early = job(10_040, usual_image(40));
    let early = BackupJob::builder("restic", "early", "mail01", "daily", day(10))
        .image(*early.image())
        .build()
        .unwrap();
    let verdict = engine.observe(&early);
    assert_is(&verdict, AnomalyKind::Unclassified, Severity::Low);
    assert!(
        verdict
            .summary
            .starts_with("Started 29 days before a job that ran earlier")
    );
    assert!(!engine.observe(&job(40, usual_image(40))).is_anomalous());
}

#[test]
fn a_long_gap_is_a_missed_backup() {
    let verdict = learnt().observe(&job(46, usual_image(46)));
    assert_is(&verdict, AnomalyKind::MissedBackup, Severity::Low);
    assert_eq!(
        verdict.summary,
        "No job for 7 days: this stream's longest gap of late was 24 hours."
    );
}

/// A full backup transfers everything, as it should; next to incremental ones it would be an alarm.
#[test]
fn full_and_incremental_jobs_never_share_a_baseline() {
    let mut engine = Engine::default();
    for number in 0..120 {
        let full = number % 7 == 0;
        let (schedule_type, sent) = if full {
            (ScheduleType::Full, 10_000_000_000)
        } else {
            (ScheduleType::Incremental, 100_000_000)
        };
        let job = builder(number)
            .schedule_type(schedule_type)
            .image(usual_image(number).transferred_bytes(sent + number * 100_000))
            .build()
            .unwrap();
        let verdict = engine.observe(&job);
        assert!(!verdict.is_anomalous(), "day {number}: {}", verdict.summary);
    }
}

/// What is flagged does not become usual by repetition; what a person accepts does.
#[test]
fn anomalies_teach_nothing_until_a_person_accepts_them() {
    let strange = |number: u64| job(number, usual_image(number).transferred_bytes(9_900_000_000));
    let mut engine = learnt();
    for number in 40..60 {
        assert!(
            engine.observe(&strange(number)).is_anomalous(),
            "day {number}"
        );
    }
    let mut accepting = learnt();
    for number in 40..60 {
        if accepting.observe(&strange(number)).is_anomalous() {
            assert!(accepting.accept(&strange(number)));
            assert!(!accepting.accept(&strange(number)), "once only");
        }
    }
    assert!(!accepting.observe(&strange(60)).is_anomalous());
}

#[test]
fn what_is_not_reported_is_unseen_and_not_zero() {
    let mut engine = Engine::default();
    for number in 0..30 {
        let image = BackupImage::default().image_bytes(1_000_000_000 + number * 1_000_000);
        let verdict = engine.observe(&job(number, image));
        assert!(!verdict.is_anomalous());
        assert!(
            verdict
                .unseen
                .iter()
                .any(|feature| feature.as_str() == "file_count")
        );
        assert!(
            verdict
                .unseen
                .iter()
                .all(|feature| feature.as_str() != "image_bytes")
        );
    }
    let bare = builder(30).build().unwrap();
    let verdict = engine.observe(&bare);
    assert_eq!(
        verdict.judgement,
        Judgement::NotScored {
            reason: "the job reports no size, count or duration".to_owned()
        }
    );
}

/// Backups that never vary are usual, and one file more is no anomaly.
#[test]
fn a_constant_stream_is_quiet_and_still_sees_an_attack() {
    let image = BackupImage::default()
        .image_bytes(1_000_000_000)
        .file_count(1_000)
        .transferred_bytes(0)
        .files_changed(0);
    let mut engine = Engine::default();
    for number in 0..60 {
        let odd = if number % 20 == 19 {
            image.file_count(1_001)
        } else {
            image
        };
        assert!(
            !engine.observe(&job(number, odd)).is_anomalous(),
            "day {number}"
        );
    }
    let attacked = image.transferred_bytes(990_000_000).files_changed(1_000);
    assert_is(
        &engine.observe(&job(60, attacked)),
        AnomalyKind::MassEncryption,
        Severity::High,
    );
}

#[test]
fn a_gap_in_the_clock_does_not_hide_an_attack() {
    let attacked = usual_image(40)
        .transferred_bytes(9_900_000_000)
        .files_changed(50_000);
    let early = BackupJob::builder("restic", "early", "mail01", "daily", day(10))
        .image(attacked)
        .ended_at(day(10) + TimeDelta::minutes(12))
        .build()
        .unwrap();
    assert_is(
        &learnt().observe(&early),
        AnomalyKind::MassEncryption,
        Severity::High,
    );
}

/// Each knob of detection changes verdicts in the direction that its documentation says.
#[test]
fn settings_do_what_they_say() {
    let score = |key: &str, value: &str| {
        let flags = [(key.to_owned(), value.to_owned())];
        let settings = Settings::load(None, [], &flags).unwrap();
        let mut engine = Engine::new(settings);
        for job in usual_jobs(40) {
            engine.observe(&job);
        }
        engine
            .observe(&job(40, usual_image(40).transferred_bytes(6_000_000_000)))
            .score()
    };
    let only = |detector: &str| score("detection.detectors", &format!("[\"{detector}\"]"));
    assert!(
        ["z_score", "modified_z_score", "iqr"]
            .iter()
            .all(|name| only(name) > Some(2.0))
    );
    assert_eq!(
        only("isolation_forest"),
        None,
        "ranks among 40 jobs are no one in 365"
    );
    let all = score("detection.seed", "0").unwrap();
    assert!(
        score("detection.iqr_factor", "10").unwrap() < all,
        "the fences are farther out"
    );
    assert!(score("detection.excluded_features", "[\"transferred_bytes\"]").unwrap() < all);
    assert_eq!(score("detection.enabled", "false"), None);
    assert_eq!(score("detection.warm_up_jobs", "41"), None);
    assert!(score("detection.warm_up_jobs", "40").is_some());
}

#[test]
fn the_budget_is_where_alarms_begin() {
    let anomalous = |budget: &str| {
        let flags = [("detection.alarm_budget".to_owned(), budget.to_owned())];
        let mut engine = Engine::new(Settings::load(None, [], &flags).unwrap());
        for job in usual_jobs(40) {
            engine.observe(&job);
        }
        let verdict = engine.observe(&job(40, usual_image(40).transferred_bytes(2_500_000_000)));
        let threshold = engine.settings().detection.alarm_budget.p_value_threshold();
        assert_eq!(
            verdict.is_anomalous(),
            verdict.p_value.unwrap().get() < threshold
        );
        verdict.is_anomalous()
    };
    assert!(anomalous("36.5"));
    assert!(!anomalous("0.01"));
}
