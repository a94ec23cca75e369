//! What rules say, and where each begins.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(
    clippy::large_types_passed_by_value,
    reason = "a builder hands its result over"
)]

mod common;

use std::collections::BTreeSet;

use anomaly_engine::{Engine, StreamModel};
use anomaly_model::chrono::TimeDelta;
use anomaly_model::{
    AnomalyKind, BackupImage, BackupJob, ContentStatistics, FileChange, FileInspection, FileReason,
    JobStatus, NotableFile, Severity, Verdict,
};
use anomaly_settings::Settings;
use common::{builder, day, job, usual_image, usual_jobs};

fn learnt(engine: &Engine, jobs: u64) -> StreamModel {
    let mut model = StreamModel::default();
    for job in usual_jobs(jobs) {
        _ = engine.judge(&job, &mut model);
    }
    model
}

fn after_forty(job: &BackupJob) -> Verdict {
    let engine = Engine::default();
    engine.judge(job, &mut learnt(&engine, 40))
}

#[test]
fn a_job_that_left_no_image_says_why() {
    let ended = |status| {
        let job = builder(40).status(status).exit_code(7).build().unwrap();
        let verdict = after_forty(&job);
        assert_eq!(verdict.kind(), Some(AnomalyKind::Failure));
        assert_eq!(verdict.severity(), Some(Severity::Medium));
        verdict.summary
    };
    assert_eq!(
        ended(JobStatus::Failed),
        "The job failed (exit code 7) and left no usable image."
    );
    assert_eq!(
        ended(JobStatus::Cancelled),
        "The job was cancelled (exit code 7) and left no usable image."
    );
}

/// What a person accepts is a strange image; a job that left none teaches nothing.
#[test]
fn a_failed_job_is_not_learnt() {
    let engine = Engine::default();
    let mut model = learnt(&engine, 40);
    let failed = builder(40).status(JobStatus::Failed).build().unwrap();
    assert!(engine.judge(&failed, &mut model).is_anomalous());
    assert!(!model.accept(&failed.key()));
    assert!(!model.confirm(&failed.key()));
}

#[test]
fn an_empty_image_says_what_was_there() {
    let after = |before: BackupImage, now: BackupImage| {
        let engine = Engine::default();
        let mut model = StreamModel::default();
        for number in 0..3 {
            _ = engine.judge(&job(number, before), &mut model);
        }
        engine.judge(&job(3, now), &mut model).summary
    };
    let (bytes, files) = (
        BackupImage::default().image_bytes(10_000_000_000),
        BackupImage::default().file_count(50_000),
    );
    let both = bytes.file_count(50_000);
    let though = "though the job reported success";
    assert_eq!(
        after(both, both.image_bytes(0)),
        format!("All 50000 files are empty, {though}; the image before held 50000 files, 10.0 GB.")
    );
    assert_eq!(
        after(both, BackupImage::default().image_bytes(0).file_count(0)),
        format!("The image holds nothing, {though}; the image before held 50000 files, 10.0 GB.")
    );
    assert_eq!(
        after(bytes, bytes.image_bytes(0)),
        format!("The image holds nothing, {though}; the image before held 10.0 GB.")
    );
    assert_eq!(
        after(files, files.file_count(0)),
        format!("The image holds nothing, {though}; the image before held 50000 files.")
    );
    assert_eq!(
        after(both, both.image_bytes(90_000_000).file_count(450)),
        format!("Nearly everything is gone, {though}; the image before held 50000 files, 10.0 GB.")
    );
    // A fiftieth is left: that is a deletion.
    let left = after(both, both.image_bytes(200_000_000).file_count(1_000));
    assert!(left.starts_with("Looks like mass deletion"), "{left}");
}

/// Longer than half as long again as the longest of late, and than two and a half times the middle
/// one; where ten jobs said how long they take, and it sent no more than they do.
#[test]
fn a_slow_job_is_far_beyond_all_of_late() {
    let image = usual_image(0)
        .files_new(0)
        .files_changed(300)
        .files_deleted(0)
        .transferred_bytes(100_000_000);
    let told = |past: &[f64], seconds: f64, sent: u64| {
        let engine = Engine::default();
        let mut model = StreamModel::default();
        let lasting = |number: u64, seconds, image: BackupImage| {
            builder(number)
                .image(image)
                .duration_seconds(seconds)
                .build()
                .unwrap()
        };
        for (number, seconds) in (0..).zip(past) {
            _ = engine.judge(&lasting(number, *seconds, image), &mut model);
        }
        let last = lasting(past.len() as u64, seconds, image.transferred_bytes(sent));
        engine.judge(&last, &mut model).kind() == Some(AnomalyKind::Slowdown)
    };
    let even = [600.0; 20];
    let mut uneven = [600.0; 20];
    uneven[12] = 1_200.0;
    let cases: [(&[f64], f64, bool); 8] = [
        (&even, 1_500.0, false),
        (&even, 1_501.0, true),
        (&uneven, 1_800.0, false),
        (&uneven, 1_801.0, true),
        (&even[..9], 6_000.0, false),
        (&even[..10], 6_000.0, true),
        (&[], 6_000.0, false),
        (&[60.0; 40], 151.0, true),
    ];
    for (past, seconds, expected) in cases {
        assert_eq!(
            told(past, seconds, 100_000_000),
            expected,
            "{seconds} after {past:?}"
        );
    }
    assert!(!told(&even, 6_000.0, 100_000_001), "there was more to do");
}

/// A clock that was set back is told in the unit that a person would choose.
#[test]
fn a_clock_says_how_far_it_went_back() {
    for (back, said) in [
        (TimeDelta::minutes(61), Some("61 minutes")),
        (TimeDelta::minutes(119), Some("119 minutes")),
        (TimeDelta::minutes(120), Some("2 hours")),
        (TimeDelta::hours(47), Some("47 hours")),
        (TimeDelta::hours(48), Some("2 days")),
        (TimeDelta::minutes(60), None),
    ] {
        let start = day(39) - back;
        let early = BackupJob::builder("restic", "early", "mail01", "daily", start)
            .image(usual_image(40))
            .build()
            .unwrap();
        let verdict = after_forty(&early);
        let summary = said.map(|said| format!("Started {said} before a job that ran earlier: "));
        assert_eq!(
            verdict.is_anomalous(),
            said.is_some(),
            "{}",
            verdict.summary
        );
        assert!(
            summary.is_none_or(|said| verdict.summary.starts_with(&said)),
            "{}",
            verdict.summary
        );
    }
}

/// Where somebody looked into what the first jobs overwrote, it is called by what was seen; and what a
/// stream did before is not told again.
#[test]
fn early_overwriting_is_called_what_it_is() {
    let engine = Engine::default();
    let sent = |number: u64, bytes: u64, random: Option<u64>| {
        let content = random.map(|random| ContentStatistics::default().random_files(random));
        let image = BackupImage::default()
            .image_bytes(10_000_000_000)
            .file_count(50_000);
        job(number, image.transferred_bytes(bytes).content(content))
    };
    let second = |random| {
        let mut model = StreamModel::default();
        _ = engine.judge(&sent(0, 10_000_000_000, Some(0)), &mut model);
        engine.judge(&sent(1, 9_400_000_000, random), &mut model)
    };
    for (random, kind) in [
        (None, AnomalyKind::MassEncryption),
        (Some(0), AnomalyKind::MassChange),
        (Some(24_000), AnomalyKind::MassChange),
    ] {
        let verdict = second(random);
        assert_eq!(
            verdict.kind(),
            Some(kind),
            "{random:?}: {}",
            verdict.summary
        );
        assert!(
            verdict
                .summary
                .starts_with("Already in job 2 of this stream, 94 %"),
            "{}",
            verdict.summary
        );
    }
    assert_eq!(
        second(Some(48_000)).kind(),
        Some(AnomalyKind::MassEncryption)
    );

    let again = |confirmed: bool| {
        let mut model = StreamModel::default();
        _ = engine.judge(&sent(0, 10_000_000_000, None), &mut model);
        let first = engine.judge(&sent(1, 9_400_000_000, None), &mut model);
        assert!(!confirmed || model.confirm(&first.key()));
        _ = engine.judge(&sent(2, 100_000_000, None), &mut model);
        engine
            .judge(&sent(3, 9_400_000_000, None), &mut model)
            .summary
    };
    assert!(!again(false).contains("Already in job"), "{}", again(false));
    assert!(again(true).contains("Already in job 4"), "{}", again(true));
}

/// The job that failed or left nothing wrote no files to look into; what rewrote them did.
#[test]
fn files_are_named_where_they_tell_something() {
    let note = NotableFile::new("home/a.txt", FileChange::New, vec![FileReason::RansomNote]);
    let mut files = FileInspection::default();
    files.notable_files = vec![note.clone()];
    let named = |number: u64, image: BackupImage, status: JobStatus, hours: i64| {
        let job = builder(number)
            .image(image)
            .status(status)
            .inspection(files.clone());
        let job = job
            .ended_at(day(number) + TimeDelta::hours(hours))
            .build()
            .unwrap();
        let verdict = after_forty(&job);
        assert!(verdict.is_anomalous());
        (verdict.kind().unwrap(), verdict.files)
    };
    let usual = usual_image(40);
    let rewritten = usual.transferred_bytes(9_900_000_000).files_changed(50_000);
    let empty = BackupImage::default().image_bytes(0).file_count(0);
    assert_eq!(
        named(40, rewritten, JobStatus::Succeeded, 1),
        (AnomalyKind::MassEncryption, vec![note])
    );
    for (kind, number, image, status, hours) in [
        (AnomalyKind::EmptyBackup, 40, empty, JobStatus::Succeeded, 1),
        (AnomalyKind::Failure, 40, usual, JobStatus::Failed, 1),
        (AnomalyKind::Failure, 40, usual, JobStatus::Partial, 1),
        (
            AnomalyKind::MissedBackup,
            55,
            usual_image(55),
            JobStatus::Succeeded,
            0,
        ),
        (AnomalyKind::Slowdown, 40, usual, JobStatus::Succeeded, 20),
    ] {
        assert_eq!(named(number, image, status, hours), (kind, Vec::new()));
    }
}

/// A number that a rule and a detector both find is told once.
#[test]
fn a_finding_is_told_once() {
    let image = usual_image(40).files_changed(20_000);
    let slow = builder(40)
        .image(image)
        .ended_at(day(40) + TimeDelta::hours(90))
        .build()
        .unwrap();
    let verdict = after_forty(&slow);
    let names: Vec<&str> = verdict
        .findings
        .iter()
        .map(|finding| finding.feature.as_str())
        .collect();
    assert!(names.contains(&"duration_seconds"), "{names:?}");
    assert_eq!(
        names.len(),
        names.iter().collect::<BTreeSet<_>>().len(),
        "{names:?}"
    );
}

/// While detection is off, what is remembered is the last image that there was: neither a failed job
/// nor an empty one takes its place.
#[test]
fn what_comes_while_detection_is_off_is_no_measure() {
    let mut engine = Engine::new(
        Settings::load(
            None,
            [],
            &[("detection.enabled".to_owned(), "false".to_owned())],
        )
        .unwrap(),
    );
    for job in usual_jobs(40) {
        engine.observe(&job);
    }
    let failed = builder(40)
        .status(JobStatus::Failed)
        .image(usual_image(40).image_bytes(1_000_000).file_count(7));
    assert!(!engine.observe(&failed.build().unwrap()).is_anomalous());
    assert!(
        !engine
            .observe(&job(41, usual_image(41).image_bytes(0)))
            .is_anomalous()
    );
    engine.set_settings(Settings::default());
    let verdict = engine.observe(&job(42, usual_image(42)));
    assert!(!verdict.is_anomalous(), "{}", verdict.summary);
    // It is compared with an image, though the stream has taught nothing.
    let halved = usual_image(43)
        .image_bytes(4_000_000_000)
        .file_count(20_000);
    let verdict = engine.observe(&job(43, halved));
    assert_eq!(
        verdict.kind(),
        Some(AnomalyKind::MassDeletion),
        "{}",
        verdict.summary
    );
}

/// The verdicts on daily images that hold these parts of a hundred.
fn holding(percents: impl IntoIterator<Item = u64>) -> Vec<(u64, Verdict)> {
    let engine = Engine::default();
    let mut model = StreamModel::default();
    (0..)
        .zip(percents)
        .map(|(number, percent)| {
            let image = BackupImage::default()
                .image_bytes(percent * 100_000_000)
                .file_count(percent * 500);
            (percent, engine.judge(&job(number, image), &mut model))
        })
        .collect()
}

/// What went little by little cannot wait once most is gone.
#[test]
fn a_slow_loss_is_as_severe_as_what_is_gone() {
    let verdicts = holding([100; 20].into_iter().chain((35..100).rev()));
    let told: Vec<_> = verdicts
        .iter()
        .filter(|(_, verdict)| verdict.kind() == Some(AnomalyKind::SlowDrift))
        .map(|(percent, verdict)| (*percent, verdict.severity().unwrap()))
        .collect();
    assert!(told.len() > 2, "{told:?}");
    for (percent, severity) in &told {
        let expected = if *percent <= 50 {
            Severity::High
        } else {
            Severity::Medium
        };
        assert_eq!(*severity, expected, "{told:?}");
    }
    assert!(told.iter().any(|(percent, _)| *percent <= 50), "{told:?}");
}

/// A stream that fell by as much twice goes up and down by itself; one fall that was made good hides
/// nothing.
#[test]
fn what_comes_and_goes_is_no_slow_loss() {
    // Once it held a little more: what comes and goes since then is in what is gone.
    for (dips, is_told) in [(0, true), (1, true), (2, false)] {
        let dips = (0..dips).flat_map(|_| [vec![88], vec![100; 10]].concat());
        let percents = [[104; 2].as_slice(), &[100; 20]]
            .concat()
            .into_iter()
            .chain(dips)
            .chain((84..100).rev());
        let verdicts = holding(percents);
        let told = verdicts
            .iter()
            .any(|(_, verdict)| verdict.kind() == Some(AnomalyKind::SlowDrift));
        assert_eq!(told, is_told);
    }
}

/// Growth of which less than half was sent is mostly copies of what was there.
#[test]
fn growth_says_whether_it_was_sent() {
    let usual = usual_image(40);
    for (sent, copies) in [
        (0, true),
        (4_700_000_000, true),
        (5_200_000_000, false),
        (9_900_000_000, false),
    ] {
        let grown = usual.image_bytes(20_000_000_000).transferred_bytes(sent);
        let verdict = after_forty(&job(40, grown));
        assert_eq!(
            verdict.kind(),
            Some(AnomalyKind::Growth),
            "{}",
            verdict.summary
        );
        assert_eq!(
            verdict.summary.contains("mostly by copies"),
            copies,
            "{}",
            verdict.summary
        );
    }
}
