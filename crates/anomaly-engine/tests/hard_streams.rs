//! Streams that misbehave: what is stated in the README's section of that name.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(
    clippy::large_types_passed_by_value,
    reason = "a builder hands its result over"
)]

mod common;

use anomaly_engine::{Engine, StreamModel};
use anomaly_model::chrono::{DateTime, TimeDelta, Utc};
use anomaly_model::{
    AnomalyKind, BackupImage, BackupJob, ContentStatistics, FeatureName, Judgement, ScheduleType,
    Severity, Verdict,
};
use anomaly_settings::Settings;
use common::{builder, day, job, usual_image, usual_jobs};

/// The model of a stream after forty usual days.
fn learnt() -> StreamModel {
    let mut model = StreamModel::default();
    for job in usual_jobs(40) {
        assert!(!judge(&job, &mut model).is_anomalous());
    }
    model
}

fn judge(job: &BackupJob, model: &mut StreamModel) -> Verdict {
    Engine::default().judge(job, model)
}

/// A usual job of the given day that started at another time.
fn started_at(start: DateTime<Utc>, number: u64) -> BackupJob {
    BackupJob::builder("restic", format!("job-{number}"), "mail01", "daily", start)
        .image(usual_image(number))
        .ended_at(start + TimeDelta::minutes(12))
        .build()
        .unwrap()
}

fn assert_quiet(verdict: &Verdict) {
    assert!(
        !verdict.is_anomalous(),
        "{}: {}",
        verdict.job_id,
        verdict.summary
    );
}

fn assert_is(verdict: &Verdict, kind: AnomalyKind) {
    assert_eq!(verdict.kind(), Some(kind), "{}", verdict.summary);
}

/// Nearly everything is encrypted.
fn attacked(number: u64) -> BackupImage {
    usual_image(number)
        .transferred_bytes(9_900_000_000)
        .files_changed(50_000)
}

fn content(number: u64) -> ContentStatistics {
    ContentStatistics::default()
        .mean_entropy_bits(5.1 + number.rem_euclid(3) as f64 / 10.0)
        .mean_entropy_bits_changed(5.0)
        .entropy_delta_bits_changed(0.001 * (number % 5) as f64)
        .random_files(2 + number % 3)
        .unseen_extension_files(number % 2)
        .extension_shift(0.001)
        .extension_count(40 + number % 7)
}

/// A client under a new name is a new stream: it warms up, is judged by streams in general, and an
/// attack on its first days is seen all the same.
#[test]
fn a_renamed_client_warms_up_anew() {
    let mut engine = Engine::default();
    for job in usual_jobs(40) {
        engine.observe(&job);
    }
    let renamed = |number: u64, image| {
        BackupJob::builder("restic", number.to_string(), "mail02", "daily", day(number))
            .image(image)
            .build()
            .unwrap()
    };
    for number in 40..44 {
        let verdict = engine.observe(&renamed(number, usual_image(number)));
        assert_eq!(verdict.judgement, Judgement::WarmingUp);
        assert_eq!(
            verdict.p_value.is_some(),
            number > 40,
            "by streams in general"
        );
    }
    let verdict = engine.observe(&renamed(44, attacked(44)));
    assert_is(&verdict, AnomalyKind::MassEncryption);
}

/// What a tool does not say is not called unseen where it follows from what it says: how many files were
/// replaced, from how many are new and how many there were before.
#[test]
fn what_follows_from_other_numbers_is_seen() {
    for (new, is_seen) in [(Some(7), true), (None, false)] {
        let mut model = StreamModel::default();
        for number in 0..3 {
            let image = usual_image(number).files_deleted(None).files_new(new);
            let verdict = judge(&job(number, image), &mut model);
            let unseen: Vec<&str> = verdict.unseen.iter().map(FeatureName::as_str).collect();
            assert!(unseen.contains(&"files_deleted"), "{unseen:?}");
            // There is nothing before the first.
            let is_unseen = unseen.contains(&"replaced_share");
            assert_eq!(
                is_unseen,
                !is_seen || number == 0,
                "day {number}: {unseen:?}"
            );
        }
    }
}

/// That a source begins to report counts or contents, or ceases to, is no anomaly; what it does not
/// report is named as not seen, and what it does is judged from the first job on.
#[test]
fn a_source_may_begin_and_cease_to_report() {
    let sizes = |number| {
        usual_image(number)
            .files_new(None)
            .files_changed(None)
            .files_deleted(None)
    };
    let everything = |number| usual_image(number).content(content(number));
    let unseen =
        |verdict: &Verdict, name: &str| verdict.unseen.iter().any(|unseen| unseen.as_str() == name);
    let mut model = StreamModel::default();
    for number in 0..120 {
        let (with_counts, with_content) = ((30..90).contains(&number), (60..90).contains(&number));
        let image = if with_content {
            everything(number)
        } else if with_counts {
            usual_image(number)
        } else {
            sizes(number)
        };
        let verdict = judge(&job(number, image), &mut model);
        assert_quiet(&verdict);
        assert_eq!(
            unseen(&verdict, "files_changed"),
            !with_counts,
            "day {number}"
        );
        assert_eq!(
            unseen(&verdict, "random_files"),
            !with_content,
            "day {number}"
        );
    }
    // The day on which it begins is judged by what streams in general do.
    let encrypted = |number| {
        let content = content(number).random_files(20_000);
        attacked(number).files_changed(20_000).content(content)
    };
    for model in [learnt(), model] {
        let verdict = judge(&job(120, encrypted(120)), &mut model.clone());
        assert_is(&verdict, AnomalyKind::MassEncryption);
    }
}

/// After a year without jobs one missed backup is told, and the stream goes on as before: what
/// happened in between is judged like one night.
#[test]
fn a_gap_of_a_year_is_one_missed_backup() {
    let back = day(40 + 365);
    let mut model = learnt();
    assert_is(
        &judge(&started_at(back, 40), &mut model),
        AnomalyKind::MissedBackup,
    );
    for number in 41..60_u64 {
        let start = back + TimeDelta::days(number.cast_signed() - 40);
        assert_quiet(&judge(&started_at(start, number), &mut model));
    }
    // An attack in the year hides behind no gap.
    let mut model = learnt();
    let verdict = judge(
        &BackupJob::builder("restic", "back", "mail01", "daily", back)
            .image(attacked(40))
            .build()
            .unwrap(),
        &mut model,
    );
    assert_is(&verdict, AnomalyKind::MassEncryption);
}

/// Ten jobs within a minute, and times that are there twice, are jobs like others: each is judged,
/// and neither they nor the night after them are alarms.
#[test]
fn many_jobs_at_once_are_jobs_like_others() {
    for step_seconds in [0, 6] {
        let mut model = learnt();
        let start = day(40);
        for number in 0..10 {
            let start = start + TimeDelta::seconds(step_seconds * number);
            let number = 40 + number.unsigned_abs();
            assert_quiet(&judge(&started_at(start, number), &mut model));
        }
        for number in 41..60 {
            assert_quiet(&judge(&started_at(day(number), number + 10), &mut model));
        }
        assert_is(
            &judge(&job(61, attacked(70)), &mut model),
            AnomalyKind::MassEncryption,
        );
    }
}

/// A value that never changes is usual whatever it is: 0, 1 or the largest there is.
#[test]
fn a_stream_of_one_value_is_quiet() {
    for value in [1, 4_096, u64::MAX] {
        let image = BackupImage::default()
            .image_bytes(value)
            .file_count(value)
            .transferred_bytes(value)
            .stored_bytes(value)
            .files_new(0)
            .files_changed(0)
            .files_deleted(0);
        let mut model = StreamModel::default();
        for number in 0..60 {
            let verdict = judge(&job(number, image), &mut model);
            assert!(
                !verdict.is_anomalous(),
                "{value}, day {number}: {}",
                verdict.summary
            );
        }
    }
}

/// Full and incremental images under one schedule that does not say which is which: in the first
/// round the way down, the way up, and images in which every file is new are told, each time since
/// none of it can wait, and three times more at most until a person has accepted them; from the second
/// fall on it is how the stream is, changes are parts of the largest image, and what an image lacks
/// is not lost. An attack among them sends no more than a full image does: it is seen by the files
/// that it changes, once the first round is forgotten.
#[test]
fn full_and_incremental_images_under_one_name() {
    for schedule_type in [None, Some(ScheduleType::Other)] {
        let of = |number: u64, bytes, files, changed| {
            let image = usual_image(number)
                .image_bytes(bytes)
                .transferred_bytes(bytes);
            builder(number)
                .schedule_type(schedule_type)
                .image(image.file_count(files).files_changed(changed))
                .build()
                .unwrap()
        };
        let usual = |number: u64| {
            let changed = 300 + number % 5 * 40;
            if number.is_multiple_of(7) {
                of(number, 10_000_000_000 + number * 3_000_000, 50_000, changed)
            } else {
                of(
                    number,
                    100_000_000 + number % 5 * 20_000_000,
                    changed,
                    changed,
                )
            }
        };
        let mut model = StreamModel::default();
        let mut told = Vec::new();
        for number in 0..141 {
            let verdict = judge(&usual(number), &mut model);
            if verdict.is_anomalous() {
                if number > 8 {
                    assert!(model.accept(&verdict.key()));
                }
                told.push((number, verdict.summary));
            }
        }
        assert!(
            told.len() <= 8 && told.iter().filter(|(number, _)| *number >= 8).count() <= 3,
            "{told:?}"
        );
        let verdict = judge(&of(141, 7_000_000_000, 35_000, 35_000), &mut model);
        assert!(verdict.is_anomalous(), "{}", verdict.summary);
    }
}

/// Images that are known to hold changes only are judged by how much they hold: any day may hold
/// nothing, and one that holds everything is strange.
#[test]
fn images_of_changes_only_are_judged_by_their_size() {
    for schedule_type in [
        ScheduleType::DifferentialIncremental,
        ScheduleType::CumulativeIncremental,
    ] {
        let of = |number: u64, bytes, files| {
            let image = BackupImage::default()
                .image_bytes(bytes)
                .transferred_bytes(bytes)
                .file_count(files);
            builder(number)
                .schedule_type(schedule_type)
                .image(image)
                .build()
                .unwrap()
        };
        let mut model = StreamModel::default();
        for number in 0..60 {
            let (bytes, files) = match number % 7 {
                5 | 6 => (0, 0),
                weekday => (
                    100_000_000 + weekday * 20_000_000 + number % 11 * 3_000_000,
                    300 + number % 11 * 40,
                ),
            };
            assert_quiet(&judge(&of(number, bytes, files), &mut model));
        }
        let verdict = judge(&of(60, 9_900_000_000, 50_000), &mut model);
        assert!(verdict.is_anomalous(), "{}", verdict.summary);
    }
}

/// A job that arrives late says so, once for each, and is judged; it is not what the next job is
/// compared with, and does not turn back the time.
#[test]
fn late_jobs_do_not_spoil_the_stream() {
    let clock_off = [("detection.rules.clock".to_owned(), "false".to_owned())];
    let quiet_clock = Engine::new(Settings::load(None, [], &clock_off).unwrap());
    for engine in [Engine::default(), quiet_clock] {
        let clock = engine.settings().detection.rules.clock;
        let mut model = learnt();
        // Days 40 to 60, of which each third one arrives after the two that follow it.
        let in_disorder = (0..7).flat_map(|round| [1, 2, 0].map(|place| 40 + round * 3 + place));
        for number in in_disorder {
            let late = number % 3 == 1;
            let verdict = engine.judge(&job(number, usual_image(number)), &mut model);
            assert_eq!(
                verdict.is_anomalous(),
                late && clock,
                "day {number}: {}",
                verdict.summary
            );
            if late && clock {
                assert_eq!(verdict.severity(), Some(Severity::Low));
                assert!(
                    verdict.summary.contains("or the job arrived late"),
                    "{}",
                    verdict.summary
                );
            }
        }
        // An old and smaller image arrives; the next one is no growth.
        let next = job(61, usual_image(61));
        let without = engine.judge(&next, &mut model.clone()).p_value;
        let old = BackupJob::builder("restic", "old", "mail01", "daily", day(2))
            .image(usual_image(2).image_bytes(9_000_000_000))
            .build()
            .unwrap();
        _ = engine.judge(&old, &mut model);
        let after = engine.judge(&next, &mut model).p_value;
        let (without, after) = (without.unwrap().get(), after.unwrap().get());
        assert!(after > without / 2.0, "{after} after, {without} without");
    }
}

/// However many jobs there were: what is remembered after 400 is at most 16 KiB, after ten thousand
/// no more, nor with as many anomalies that wait for a person as there may be; and the last jobs are
/// judged as the first.
#[test]
fn ten_thousand_jobs_are_remembered_in_16_kib() {
    let engine = Engine::default();
    let mut model = StreamModel::default();
    let mut judge = |number: u64, start: DateTime<Utc>, image: BackupImage| {
        let stored = 60_000_000 + number % 11 * 10_000_000;
        let image = image
            .stored_bytes(stored)
            .directory_count(4_000 + number % 9);
        let seconds = 600 + number.cast_signed() % 71;
        let job = BackupJob::builder("restic", format!("{number:064x}"), "mail01", "daily", start)
            .image(image.content(content(number)))
            .ended_at(start + TimeDelta::seconds(seconds))
            .build()
            .unwrap();
        let verdict = engine.judge(&job, &mut model);
        (verdict, model.to_bytes().unwrap().len())
    };
    let mut largest = 0;
    for number in 0..10_000 {
        let (verdict, bytes) = judge(number, day(number), usual_image(number % 1_000));
        // The growth of a thousand days is taken back in one.
        if number % 1_000 != 0 {
            assert_quiet(&verdict);
        }
        largest = largest.max(bytes);
    }
    for number in 10_000..10_080 {
        // Each second one arrives long after its time.
        let start = if number % 2 == 0 {
            day(number)
        } else {
            day(number - 100)
        };
        let (verdict, bytes) = judge(number, start, usual_image(number % 1_000));
        assert_eq!(verdict.is_anomalous(), number % 2 == 1);
        largest = largest.max(bytes);
    }
    assert!(judge(10_080, day(10_080), attacked(80)).0.is_anomalous());
    assert!(largest <= 16 * 1024, "{largest} bytes");
}

/// An emptied source is an anomaly each time, until it is accepted; when it is filled again with
/// what it held, that is how it was, and no growth.
#[test]
fn an_emptied_source_that_is_filled_again_goes_on() {
    let nothing = BackupImage::default().image_bytes(0).file_count(0);
    let mut model = learnt();
    for number in 40..44 {
        assert_is(
            &judge(&job(number, nothing), &mut model),
            AnomalyKind::EmptyBackup,
        );
    }
    for number in 44..60 {
        let verdict = judge(&job(number, usual_image(number)), &mut model);
        assert_eq!(verdict.judgement, Judgement::Normal, "{}", verdict.summary);
    }
    // It is remembered that there was more: filled again with a tenth is not how it was.
    let mut model = learnt();
    _ = judge(&job(40, nothing), &mut model);
    let tenth = usual_image(41).image_bytes(1_000_000_000).file_count(5_000);
    assert_is(
        &judge(&job(41, tenth), &mut model),
        AnomalyKind::MassDeletion,
    );
}

/// A job that overwrites so much of the data.
fn changing(number: u64, percent: u64) -> BackupJob {
    let image = usual_image(number).transferred_bytes(percent * 100_000_000);
    job(number, image.files_changed(percent * 500))
}

/// What is told of jobs that overwrite so much.
fn told_of(model: &mut StreamModel, days: std::ops::Range<u64>, percent: u64) -> Vec<String> {
    days.map(|number| judge(&changing(number, percent), model))
        .filter(Verdict::is_anomalous)
        .map(|verdict| verdict.summary)
        .collect()
}

/// A day without the change hides it from the smallest of two weeks, and does not end it: it is told
/// once, and again when it gets worse.
#[test]
fn a_drip_that_rests_a_day_is_told_once() {
    let mut model = learnt();
    let mut told = Vec::new();
    for week in 0..6 {
        let first = 40 + week * 14;
        told.extend(told_of(&mut model, first..first + 13, 5));
        _ = judge(&job(first + 13, usual_image(first + 13)), &mut model);
    }
    assert_eq!(told.len(), 1, "{told:?}");
    let worse = told_of(&mut model, 124..154, 12);
    assert!(!worse.is_empty(), "what gets worse is told");
}

/// What is told anew does not claim that it never was.
#[test]
fn a_drip_that_comes_again_says_what_came_before() {
    let mut model = learnt();
    let told = told_of(&mut model, 40..61, 5);
    assert!(told[0].ends_with("% in as many before."), "{told:?}");
    for number in 61..90 {
        _ = judge(&job(number, usual_image(number)), &mut model);
    }
    let again = told_of(&mut model, 90..111, 5);
    let words = "% in as many before, but for what was reported then.";
    assert!(again[0].ends_with(words), "{again:?}");
}
