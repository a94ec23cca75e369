//! What the engine says about jobs of known kinds.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(
    clippy::large_types_passed_by_value,
    reason = "a builder hands its result over"
)]

mod common;

use anomaly_engine::{Engine, StreamModel};
use anomaly_model::chrono::TimeDelta;
use anomaly_model::{
    AnomalyKind, BackupImage, BackupJob, ContentStatistics, Direction, JobStatus, Judgement,
    ScheduleType, Severity, Verdict,
};
use anomaly_settings::Settings;
use common::{assert_is, builder, day, job, learnt_engine, sample, usual_image, usual_jobs};

fn day_forty(image: BackupImage) -> Verdict {
    learnt_engine().observe(&job(40, image))
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
        verdicts[..7]
            .iter()
            .all(|verdict| verdict.judgement == Judgement::WarmingUp)
    );
    assert!(
        verdicts[7..]
            .iter()
            .all(|verdict| verdict.judgement == Judgement::Normal)
    );
    // The first job has nothing to be compared with; the second is, with streams in general.
    assert_eq!(verdicts[0].p_value, None);
    assert!(
        verdicts[1..]
            .iter()
            .all(|verdict| verdict.p_value.is_some())
    );
    assert_eq!(
        verdicts[0].summary,
        "Learning: 0 of 7 jobs learnt, so only what needs no history was judged."
    );
    assert_eq!(
        verdicts[3].summary,
        "Learning: 3 of 7 jobs learnt, so only what would be strange in any stream is seen."
    );
}

#[test]
fn rewriting_everything_looks_like_encryption() {
    let image = usual_image(40);
    let verdict = day_forty(image.transferred_bytes(9_900_000_000).files_changed(50_000));
    assert_is(&verdict, AnomalyKind::MassEncryption, Severity::High);
    assert_eq!(
        verdict.summary,
        "Looks like mass encryption: 50000 of 50080 files were rewritten; what was written was not \
         examined."
    );
    let transferred = &verdict.findings[verdict
        .findings
        .iter()
        .position(|finding| finding.feature.as_str() == "transferred_bytes")
        .unwrap()];
    assert_eq!(transferred.direction, Direction::Above);
    assert!(transferred.usual_high < 400_000_000.0);
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
    assert_is(&verdict, AnomalyKind::MassDeletion, Severity::High);
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
    let mut engine = learnt_engine();
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

/// A job of the given day that overwrites nearly everything.
fn overwriting(number: u64) -> BackupJob {
    let image = usual_image(number).transferred_bytes(9_900_000_000);
    job(number, image.files_changed(50_000))
}

/// Strange jobs do not make the next one usual, however often they are reported: that takes a person.
#[test]
fn anomalies_teach_nothing_until_one_is_accepted() {
    let mut engine = learnt_engine();
    let mut flagged = Vec::new();
    for number in 40..125 {
        let strange = number % 20 == 0;
        let job = if strange {
            overwriting(number)
        } else {
            job(number, usual_image(number))
        };
        if engine.observe(&job).is_anomalous() {
            assert!(strange, "day {number}");
            flagged.push(number);
        }
        if number == 80 {
            assert!(engine.accept(&overwriting(80)));
            assert!(engine.accept(&overwriting(60)));
        }
    }
    assert_eq!(flagged, [40, 60, 80]);
}

/// What goes on is told once, as what it is, and not learnt; what a person accepts is. What cannot
/// wait is told each time.
#[test]
fn an_anomaly_that_goes_on_is_told_once() {
    // Half of the data, not looked at: a medium anomaly.
    let overwriting = |number: u64| {
        let image = usual_image(number).transferred_bytes(5_000_000_000);
        job(number, image.files_changed(25_000))
    };
    let mut urgent = learnt_engine();
    for number in 40..42 {
        let verdict = urgent.observe(&self::overwriting(number));
        assert_is(&verdict, AnomalyKind::MassEncryption, Severity::High);
    }
    let engine = Engine::default();
    let mut model = StreamModel::default();
    for job in usual_jobs(40) {
        _ = engine.judge(&job, &mut model);
    }
    assert!(engine.judge(&overwriting(40), &mut model).is_anomalous());
    let next = engine.judge(&overwriting(41), &mut model);
    assert_eq!(next.judgement, Judgement::Normal);
    assert!(
        next.summary
            .starts_with("The same as was reported 1 job ago: Looks like"),
        "{}",
        next.summary
    );
    assert!(!next.findings.is_empty());
    assert_eq!(model.learnt_jobs(), 40);
    assert!(model.accept(&overwriting(41).key()));
    assert!(!model.accept(&overwriting(41).key()), "once only");
    assert_eq!(model.learnt_jobs(), 41);
    let after = engine.judge(&overwriting(42), &mut model);
    assert_eq!(after.judgement, Judgement::Normal);
    let begins = "Unusual, but not enough to be reported";
    assert!(after.summary.starts_with(begins), "{}", after.summary);
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

/// Each knob of detection changes verdicts in the direction that its documentation says.
#[test]
fn settings_do_what_they_say() {
    let judged = |flags: &[(&str, &str)]| {
        let flags: Vec<_> = flags
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect();
        let settings = Settings::load(None, [], &flags).unwrap();
        let mut engine = Engine::new(settings);
        for job in usual_jobs(40) {
            engine.observe(&job);
        }
        engine.observe(&job(40, usual_image(40).transferred_bytes(6_000_000_000)))
    };
    let score = |key: &str, value: &str| judged(&[(key, value)]).score();
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
    assert!(score("detection.excluded_features", "[\"transferred_bytes\"]").unwrap() < all);
    let iqr = ("detection.detectors", "[\"iqr\"]");
    assert!(
        judged(&[iqr, ("detection.iqr_factor", "10")]).score() < judged(&[iqr]).score(),
        "the fences are farther out"
    );
    let warming_up =
        |jobs| judged(&[("detection.warm_up_jobs", jobs)]).judgement == Judgement::WarmingUp;
    assert!(warming_up("41") && !warming_up("40"));
    assert_eq!(score("detection.enabled", "false"), None);
}

#[test]
fn the_budget_is_where_alarms_begin() {
    let anomalous = |budget: &str| {
        let flags = [("detection.alarm_budget".to_owned(), budget.to_owned())];
        let mut engine = Engine::new(Settings::load(None, [], &flags).unwrap());
        for job in usual_jobs(40) {
            engine.observe(&job);
        }
        let image = usual_image(40).transferred_bytes(2_500_000_000);
        let verdict = engine.observe(&job(40, image.files_changed(12_000)));
        let threshold = engine.settings().detection.p_value_threshold();
        assert_eq!(
            verdict.is_anomalous(),
            verdict.p_value.unwrap().get() < threshold
        );
        verdict.is_anomalous()
    };
    assert!(anomalous("36.5"));
    assert!(!anomalous("0.01"));
}

/// A note that an attacker leaves behind does not make an emptied source usual.
#[test]
fn an_emptied_source_stays_an_anomaly_until_it_is_accepted() {
    for left in [0, 1] {
        let left = BackupImage::default().image_bytes(300).file_count(left);
        let emptied = |number: u64| job(number, left);
        let mut engine = learnt_engine();
        for number in 40..45 {
            assert_is(
                &engine.observe(&emptied(number)),
                AnomalyKind::EmptyBackup,
                Severity::High,
            );
        }
        assert!(engine.accept(&emptied(44)));
        let verdict = engine.observe(&emptied(45));
        assert!(!verdict.is_anomalous(), "{}", verdict.summary);
        // It holds for as long as the source is empty, and not for the next time.
        let image = usual_image(46)
            .image_bytes(20_000_000_000)
            .file_count(90_000);
        engine.observe(&job(46, image));
        for number in 47..70 {
            engine.observe(&job(number, image));
        }
        assert_is(
            &engine.observe(&emptied(70)),
            AnomalyKind::EmptyBackup,
            Severity::High,
        );
    }
}

/// What comes after an anomaly is no anomaly, whether it stays there or goes back.
#[test]
fn the_way_back_is_not_another_anomaly() {
    let halved = usual_image(40)
        .image_bytes(5_000_000_000)
        .file_count(20_000)
        .files_deleted(30_000);
    let quiet = |number| {
        usual_image(number)
            .image_bytes(5_000_000_000)
            .file_count(20_000)
    };
    for stays in [true, false] {
        let mut engine = learnt_engine();
        assert!(engine.observe(&job(40, halved)).is_anomalous());
        let next = if stays { quiet(41) } else { usual_image(41) };
        let verdict = engine.observe(&job(41, next));
        assert_eq!(verdict.judgement, Judgement::Normal, "{}", verdict.summary);
    }
}

/// Jobs that report nothing teach nothing, and do not hide what comes after them.
#[test]
fn bare_jobs_hide_nothing() {
    let mut engine = learnt_engine();
    for number in 40..200 {
        engine.observe(&builder(number).build().unwrap());
    }
    let image = usual_image(200)
        .image_bytes(2_000_000_000)
        .file_count(9_000)
        .files_deleted(41_080);
    assert_is(
        &engine.observe(&job(200, image)),
        AnomalyKind::MassDeletion,
        Severity::High,
    );
}

/// Writing everything anew takes long; the time it takes is not the story.
#[test]
fn a_slow_encryption_is_an_encryption() {
    let image = usual_image(40)
        .transferred_bytes(9_900_000_000)
        .files_changed(50_000);
    let slow = builder(40)
        .image(image)
        .ended_at(day(40) + TimeDelta::hours(20))
        .build()
        .unwrap();
    assert_is(
        &learnt_engine().observe(&slow),
        AnomalyKind::MassEncryption,
        Severity::High,
    );
    let only_slow = builder(40)
        .image(usual_image(40))
        .ended_at(day(40) + TimeDelta::hours(40));
    let verdict = learnt_engine().observe(&only_slow.build().unwrap());
    assert_is(&verdict, AnomalyKind::Slowdown, Severity::Low);
}

/// Unknown counts are not zero, and one archive is no mass encryption.
#[test]
fn looking_encrypted_takes_many_files() {
    let mut engine = Engine::default();
    let image = |number: u64, random| {
        let content = ContentStatistics::default().random_files(random);
        usual_image(number)
            .files_new(None)
            .files_changed(None)
            .content(content)
    };
    for number in 0..40 {
        engine.observe(&job(number, image(number, 0)));
    }
    let mut archive = engine.clone();
    let all = image(40, 50_000).transferred_bytes(9_900_000_000);
    assert_is(
        &engine.observe(&job(40, all)),
        AnomalyKind::MassEncryption,
        Severity::High,
    );
    let one = image(40, 1).transferred_bytes(2_000_000_000);
    assert_ne!(
        archive.observe(&job(40, one)).kind(),
        Some(AnomalyKind::MassEncryption)
    );
}

/// An incremental image holds what changed: on a quiet day that is nothing.
#[test]
fn quiet_days_of_a_differential_schedule_are_quiet() {
    let mut engine = Engine::default();
    for number in 0..140 {
        let busy = number % 7 < 5;
        let (bytes, files) = if busy {
            (200_000_000 + number % 5 * 9_000_000, 900)
        } else {
            (0, 0)
        };
        let image = BackupImage::default().image_bytes(bytes).file_count(files);
        let job = builder(number)
            .schedule_type(ScheduleType::DifferentialIncremental)
            .image(image);
        let verdict = engine.observe(&job.build().unwrap());
        assert!(!verdict.is_anomalous(), "day {number}: {}", verdict.summary);
    }
}

#[test]
fn switching_on_again_is_no_anomaly() {
    let off = [("detection.enabled".to_owned(), "false".to_owned())];
    let (on, off) = (
        Engine::default(),
        Engine::new(Settings::load(None, [], &off).unwrap()),
    );
    let mut model = StreamModel::default();
    for number in 0..120 {
        let engine = if (40..100).contains(&number) {
            &off
        } else {
            &on
        };
        let verdict = engine.judge(&job(number, usual_image(number)), &mut model);
        assert!(!verdict.is_anomalous(), "day {number}: {}", verdict.summary);
    }
}

#[test]
fn a_blind_spot_inside_the_content_is_named() {
    let mut engine = learnt_engine();
    let content = ContentStatistics::default().random_files(3);
    let verdict = engine.observe(&job(40, usual_image(40).content(content)));
    for feature in [
        "mean_entropy_bits",
        "entropy_delta_bits_changed",
        "extension_shift",
    ] {
        assert!(
            verdict.unseen.iter().any(|name| name.as_str() == feature),
            "{feature}"
        );
    }
}

/// A decision can be taken back, and then the job teaches nothing again.
#[test]
fn what_was_accepted_can_be_taken_back() {
    let strange = overwriting;
    let engine = Engine::default();
    let mut model = StreamModel::default();
    for job in usual_jobs(40) {
        _ = engine.judge(&job, &mut model);
    }
    let before = model.learnt_jobs();
    let after = |model: &StreamModel, number| engine.judge(&strange(number), &mut model.clone());
    let flagged = engine.judge(&strange(40), &mut model);
    assert!(flagged.is_anomalous());
    let waiting = after(&model, 41);
    for _ in 0..40 {
        assert!(model.accept(&strange(40).key()));
        assert_ne!(after(&model, 41), waiting, "it teaches");
        assert!(model.retract(&strange(40).key()));
        assert!(!model.retract(&strange(40).key()));
        assert_eq!(model.learnt_jobs(), before);
        assert_eq!(after(&model, 41), waiting, "it does not");
    }
    assert!(model.accept(&strange(40).key()), "and accepted once more");
}

/// What was accepted more than 32 strange jobs ago stays learnt, and can no more be taken back; the
/// model does not grow by it.
#[test]
fn what_was_accepted_long_ago_stays_learnt() {
    let engine = Engine::default();
    let mut model = StreamModel::default();
    let mut accepted = Vec::new();
    for job in usual_jobs(40) {
        _ = engine.judge(&job, &mut model);
    }
    // Each in another way than the last, so that the next one is still strange.
    for number in 40..140 {
        let job = match number % 4 {
            0 => overwriting(number),
            1 => job(number, usual_image(number).image_bytes(40_000_000_000)),
            _ => job(number, usual_image(number)),
        };
        if engine.judge(&job, &mut model).is_anomalous() && model.accept(&job.key()) {
            accepted.push(job.key());
        }
    }
    assert!(!accepted.is_empty());
    let learnt = model.learnt_jobs();
    for number in 140..172 {
        let failing = usual_image(number).image_bytes(0);
        assert!(
            engine
                .judge(&job(number, failing), &mut model)
                .is_anomalous()
        );
    }
    // Beside as many usual ones as are kept.
    assert_eq!(model.learnt_jobs(), learnt.min(120));
    assert!(accepted.iter().all(|key| !model.retract(key)));
    assert!(model.to_bytes().unwrap().len() <= 16 * 1024);
    let waiting =
        (140..172).filter(|&number| model.accept(&job(number, usual_image(number)).key()));
    assert_eq!(waiting.count(), 32);
}

/// What goes on and gets worse in small steps is told again: what it is compared with moves only
/// when a person hears of it.
#[test]
fn small_steps_do_not_hide_what_gets_worse() {
    let overwriting = |number: u64, percent: u64| {
        let image = usual_image(number).transferred_bytes(percent * 100_000_000);
        job(number, image.files_changed(percent * 500))
    };
    let mut engine = learnt_engine();
    let mut told = Vec::new();
    for (number, percent) in (40..).zip([30, 36, 42, 48, 54, 60, 66, 72, 78]) {
        if engine.observe(&overwriting(number, percent)).is_anomalous() {
            told.push(percent);
        }
    }
    assert!(told.len() >= 2, "{told:?}");
    assert!(
        told.windows(2).all(|pair| pair[1] <= pair[0] * 2) && told[0] == 30,
        "{told:?}"
    );
    assert!(told.last() >= Some(&54), "{told:?}");
}

/// A slow attack that was told does not cover a large one after it.
#[test]
fn a_drip_does_not_cover_a_mass_encryption() {
    let changing = |number: u64, percent: u64| {
        let image = usual_image(number).transferred_bytes(percent * 100_000_000);
        job(number, image.files_changed(percent * 500))
    };
    let mut engine = learnt_engine();
    let told = (40..60)
        .filter(|number| engine.observe(&changing(*number, 14)).is_anomalous())
        .count();
    assert!(told >= 1, "the drip");
    assert!(engine.observe(&changing(60, 70)).is_anomalous());
}
