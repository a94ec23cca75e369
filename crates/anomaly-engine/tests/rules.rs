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
use anomaly_settings::{RuleSettings, Settings};
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

fn with(flags: &[(&str, &str)]) -> Settings {
    let flags = flags
        .iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
    Settings::load(None, [], &flags.collect::<Vec<_>>()).unwrap()
}

/// An engine whose detectors say nothing while a stream warms up: only rules speak.
fn by_rules(switch: impl Fn(&mut RuleSettings)) -> Engine {
    let warming_up = [
        ("detection.detectors", "[\"z_score\"]"),
        ("detection.warm_up_jobs", "60"),
    ];
    let mut settings = with(&warming_up);
    switch(&mut settings.detection.rules);
    Engine::new(settings)
}

/// The last verdict on images of which each but the last is the same.
fn early(engine: &Engine, usual: BackupImage, jobs: u64, last: BackupImage) -> Verdict {
    let mut model = StreamModel::default();
    for number in 0..jobs {
        let verdict = engine.judge(&job(number, usual), &mut model);
        assert!(!verdict.is_anomalous(), "{}", verdict.summary);
    }
    engine.judge(&job(jobs, last), &mut model)
}

/// What a stream's first jobs do is told from a bound on, and where its rule is switched on: half of the
/// files and of the data gone, nine tenths overwritten, half of the files random.
#[test]
fn first_jobs_break_rules_that_are_on() {
    use AnomalyKind::{MassChange, MassDeletion, MassEncryption};
    type Switch = fn(&mut RuleSettings);
    let most_gone: Switch = |rules| rules.most_gone = false;
    let overwritten: Switch = |rules| rules.all_overwritten = false;
    let sizes = BackupImage::default()
        .image_bytes(10_000_000_000)
        .file_count(50_000);
    let usual = sizes.transferred_bytes(100_000_000);
    let random = |random, kinds| {
        let content = ContentStatistics::default().random_files(random);
        sizes.content(content.unseen_extension_files(kinds))
    };
    let half = sizes.image_bytes(5_000_000_000).file_count(25_000);
    let sent = usual.transferred_bytes(9_000_000_000);
    let looks = |files| sent.content(ContentStatistics::default().random_files(files));
    let cases: [(BackupImage, BackupImage, u64, Option<AnomalyKind>, Switch); 14] = [
        (sizes, half, 3, Some(MassDeletion), most_gone),
        (sizes, half.image_bytes(5_000_000_001), 3, None, most_gone),
        (sizes, half.file_count(25_001), 3, None, most_gone),
        (usual, sent, 1, Some(MassEncryption), overwritten),
        (usual, sent, 6, Some(MassEncryption), overwritten),
        (usual, sent, 7, None, overwritten),
        (
            usual,
            sent.transferred_bytes(8_999_999_999),
            1,
            None,
            overwritten,
        ),
        (usual, looks(25_000), 1, Some(MassEncryption), overwritten),
        (usual, looks(24_999), 1, Some(MassChange), overwritten),
        (
            random(0, 0),
            random(25_000, 25_000),
            1,
            Some(MassEncryption),
            overwritten,
        ),
        (
            random(0, 0),
            random(25_000, 25_000),
            6,
            Some(MassEncryption),
            overwritten,
        ),
        (random(0, 0), random(25_000, 25_000), 7, None, overwritten),
        (random(0, 0), random(24_999, 25_000), 1, None, overwritten),
        (random(0, 0), random(25_000, 24_999), 1, None, overwritten),
    ];
    for (usual, last, jobs, kind, switch) in cases {
        let verdict = early(&by_rules(|_| {}), usual, jobs, last);
        assert_eq!(verdict.kind(), kind, "{last:?}: {}", verdict.summary);
        let verdict = early(&by_rules(switch), usual, jobs, last);
        assert!(!verdict.is_anomalous(), "{last:?}: {}", verdict.summary);
    }
}

/// A job that took far longer is told of where its rule is switched on.
#[test]
fn a_slow_job_is_told_of_if_its_rule_is_on() {
    for (is_on, kind) in [(true, Some(AnomalyKind::Slowdown)), (false, None)] {
        let engine = by_rules(|rules| rules.slow_job = is_on);
        let mut model = learnt(&engine, 12);
        let slow = builder(12).image(usual_image(7)).duration_seconds(60_000.0);
        let verdict = engine.judge(&slow.build().unwrap(), &mut model);
        assert_eq!(verdict.kind(), kind, "{}", verdict.summary);
    }
}

/// Of reasons that are as severe, the one that explains more gives the sentence: a number that is far from
/// usual before a time, and before a combination in which no number is.
#[test]
fn what_has_a_number_explains_more() {
    let engine = Engine::default();
    let late = builder(46).image(usual_image(46));
    let late = late
        .ended_at(day(46) + TimeDelta::hours(20))
        .build()
        .unwrap();
    let verdict = engine.judge(&late, &mut learnt(&engine, 40));
    assert_eq!(
        verdict.kind(),
        Some(AnomalyKind::Slowdown),
        "{}",
        verdict.summary
    );

    // The forest finds that no job was like it, and no number of it that is far from usual.
    let mut settings = with(&[
        ("detection.detectors", "[\"isolation_forest\"]"),
        ("detection.alarm_budget", "36.5"),
    ]);
    let judged = |settings: &Settings| {
        let engine = Engine::new(settings.clone());
        let mut model = StreamModel::default();
        let lasting = |number: u64, seconds: f64| {
            let image = BackupImage::default().transferred_bytes(1_000_000);
            let job = builder(number).image(image).duration_seconds(seconds);
            job.build().unwrap()
        };
        for number in 0..40 {
            let usual = lasting(number, if number == 15 { 1_200.0 } else { 600.0 });
            if engine.judge(&usual, &mut model).is_anomalous() {
                assert!(model.accept(&usual.key()));
            }
        }
        engine.judge(&lasting(40, 1_801.0), &mut model)
    };
    let both = judged(&settings);
    assert_eq!(both.kind(), Some(AnomalyKind::Slowdown), "{}", both.summary);
    settings.detection.rules.slow_job = false;
    let combination = judged(&settings);
    assert_eq!(combination.severity(), both.severity());
    assert_eq!(
        combination.summary,
        "No single number is far from usual, but their combination is."
    );
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

/// How much was left when a slow loss was told.
fn told_at(percents: impl IntoIterator<Item = u64>) -> Vec<u64> {
    let verdicts = holding([100; 20].into_iter().chain(percents));
    let told = verdicts
        .into_iter()
        .filter(|(_, verdict)| verdict.kind() == Some(AnomalyKind::SlowDrift));
    told.map(|(percent, _)| percent).collect()
}

/// Beside the largest step, 15 % have to be gone; or 20 % in all, of which that step was no more than half.
/// A step of more than 15 % is told as what it is.
#[test]
fn a_loss_is_slow_if_no_step_explains_it() {
    let after_step = |step: u64| told_at((70..=100 - step).rev())[0];
    assert_eq!(
        [1, 10, 11, 13, 15].map(after_step),
        [84, 80, 78, 74, 70],
        "what is left"
    );
    for (step, told) in [(15, vec![84, 69]), (16, vec![84])] {
        let slowly = (84..100).rev();
        assert_eq!(told_at(slowly.chain([84 - step])), told);
    }
}

/// What came back to more than nine tenths is told when it goes again, as the first time; what came back to
/// less is told when another tenth is gone.
#[test]
fn a_loss_that_was_made_good_is_news_again() {
    for (back, again) in [(91, 84), (90, 79), (88, 78)] {
        let percents = (84..100).rev().chain([back]).chain((70..back).rev());
        assert_eq!(told_at(percents)[..2], [84, again], "back to {back} %");
    }
}

/// What could not be read is not lost; what is gone when all is read again is.
#[test]
fn what_could_not_be_read_is_no_slow_loss() {
    let engine = Engine::default();
    let mut model = StreamModel::default();
    let mut kind = |number: u64, percent: u64, status| {
        let image = BackupImage::default()
            .image_bytes(percent * 100_000_000)
            .file_count(percent * 500);
        let job = builder(number).image(image).status(status);
        engine.judge(&job.build().unwrap(), &mut model).kind()
    };
    for (number, percent) in (0..).zip([100; 20].into_iter().chain((85..100).rev())) {
        assert_eq!(kind(number, percent, JobStatus::Succeeded), None);
    }
    assert_eq!(kind(35, 84, JobStatus::Partial), Some(AnomalyKind::Failure));
    assert_eq!(
        kind(36, 84, JobStatus::Succeeded),
        Some(AnomalyKind::SlowDrift)
    );
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
        (4_941_499_999, true),
        (4_941_500_000, false),
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
