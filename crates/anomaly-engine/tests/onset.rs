//! How far back an incident began, as far as the jobs of a stream tell, and what is not restored.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(
    clippy::large_types_passed_by_value,
    reason = "a builder hands its result over"
)]

mod common;

use std::convert::Infallible;

use anomaly_engine::{Engine, Examined, FirstAlarm, Onset, recovery_point};
use anomaly_model::chrono::{DateTime, Utc};
use anomaly_model::{
    AnomalyKind, BackupImage, BackupJob, Direction, FeatureName, Finding, JobStatus, Judgement,
    PValue, RecoveryPoint, Severity, SuspectReason, Verdict,
};
use anomaly_settings::DetectionSettings;
use common::{builder, day, usual_image};

fn of_image(number: u64, image: BackupImage) -> BackupJob {
    builder(number).image(image).build().unwrap()
}

fn calm(job: &BackupJob) -> Verdict {
    with_p(job, 0.4)
}

fn with_p(job: &BackupJob, p_value: f64) -> Verdict {
    let mut verdict = Verdict::new(job, Judgement::Normal, "As the test says.");
    verdict.p_value = Some(PValue::clamped(p_value));
    verdict
}

fn anomaly(job: &BackupJob, kind: AnomalyKind) -> Verdict {
    let severity = Severity::Medium;
    let judgement = Judgement::Anomalous { severity, kind };
    Verdict::new(job, judgement, "As the test says.")
}

/// An anomaly that was found in the least that each of some jobs did.
fn drip(job: &BackupJob) -> Verdict {
    drifting(job, "overwritten_share")
}

fn drifting(job: &BackupJob, feature: &str) -> Verdict {
    let mut verdict = anomaly(job, AnomalyKind::SlowDrift);
    let name = FeatureName::new(feature).unwrap();
    verdict.findings = vec![Finding::new(name, 0.1, (0.0, 0.01), Direction::Above, 4.0)];
    verdict
}

/// The recovery point of the days from day 0 on that `verdict_on` tells of.
fn point(
    days: u64,
    alarm: Option<(u64, Onset)>,
    examined: impl Fn(u64) -> Examined,
) -> RecoveryPoint {
    let first_alarm = alarm.map(|(number, onset)| FirstAlarm {
        at: day(number),
        onset,
    });
    let newest_first = (0..days)
        .rev()
        .map(|number| Ok::<_, Infallible>(examined(number)));
    let stream = Engine::default().stream_of(&of_image(0, usual_image(0)));
    let settings = DetectionSettings::default();
    recovery_point(stream, &settings, first_alarm, None, newest_first).unwrap()
}

fn chosen(point: &RecoveryPoint) -> Option<DateTime<Utc>> {
    Some(point.image.as_ref()?.job.started_at)
}

/// A drip is one that the shares of several jobs show; of sizes that went by and by, the stream held
/// most at some time before. Anything else began with the job.
#[test]
fn an_incident_begins_as_its_first_anomaly_says() {
    let job = of_image(40, usual_image(40));
    let onset = |verdict: &Verdict| FirstAlarm::of(verdict).map(|alarm| (alarm.at, alarm.onset));
    assert_eq!(onset(&drip(&job)), Some((day(40), Onset::Drip)));
    let loss = Some((day(40), Onset::Loss));
    assert_eq!(onset(&drifting(&job, "image_bytes")), loss);
    // Duplicates are judged in single jobs alone.
    assert_eq!(onset(&drifting(&job, "duplicated_share")), loss);
    assert_eq!(onset(&anomaly(&job, AnomalyKind::SlowDrift)), loss);
    let mut sudden = drip(&job);
    sudden.judgement = anomaly(&job, AnomalyKind::MassChange).judgement;
    assert_eq!(onset(&sudden), Some((day(40), Onset::Sudden)));
    for kind in [
        AnomalyKind::Failure,
        AnomalyKind::MissedBackup,
        AnomalyKind::Slowdown,
    ] {
        assert_eq!(onset(&anomaly(&job, kind)), None, "{kind}");
    }
    assert_eq!(onset(&calm(&job)), None);
}

/// Of two anomalies the earlier one says how it began; of two at one time, the one that began longer
/// ago.
#[test]
fn the_first_alarm_is_the_earliest() {
    let at = |number, onset| FirstAlarm {
        at: day(number),
        onset,
    };
    let pairs = [
        (at(1, Onset::Sudden), at(2, Onset::Loss)),
        (at(1, Onset::Loss), at(2, Onset::Sudden)),
        (at(1, Onset::Drip), at(1, Onset::Sudden)),
        (at(1, Onset::Loss), at(1, Onset::Drip)),
    ];
    for (first, second) in pairs {
        assert_eq!(first.or_before(second), first);
        assert_eq!(second.or_before(first), first);
        assert_eq!(first.or_before(first), first);
    }
}

/// What takes a week of jobs or two to be seen, and is found that soon after the first alarm, began
/// before it: the jobs of two weeks before the alarm are not trusted then. Where all of its jobs are
/// later than the alarm, it began with it.
#[test]
fn a_drip_that_is_found_later_may_reach_back() {
    let alarm = 40;
    for later in 0..20 {
        let examined = |number: u64| {
            let job = of_image(number, usual_image(number));
            let verdict = match number {
                number if number == alarm => anomaly(&job, AnomalyKind::MassChange),
                number if number == alarm + 1 + later => drip(&job),
                _ => calm(&job),
            };
            Examined::of(&job, &verdict, None)
        };
        let point = point(70, Some((alarm, Onset::Sudden)), examined);
        // The job that starts at the alarm is one of those in which the drip may be seen.
        let jobs = later + 2;
        let all_later = jobs >= 14 || jobs == 7;
        let expected = if all_later { alarm - 1 } else { alarm - 15 };
        assert_eq!(chosen(&point), Some(day(expected)), "{jobs} jobs");
        let slow = point
            .reasons
            .iter()
            .any(|reason| reason.contains("small steps"));
        assert_eq!(slow, !all_later, "{:?}", point.reasons);
        let holds_most = point
            .reasons
            .iter()
            .any(|reason| reason.contains("the most"));
        assert!(!holds_most, "{:?}", point.reasons);
    }
}

/// An image that holds nothing is none to restore, whatever was said of its job.
#[test]
fn an_empty_image_restores_nothing() {
    for empty in [
        usual_image(38).image_bytes(0),
        usual_image(38).file_count(0),
    ] {
        let examined = |number: u64| {
            let image = if number == 38 {
                empty
            } else {
                usual_image(number)
            };
            let job = of_image(number, image);
            let verdict = if number == 39 {
                anomaly(&job, AnomalyKind::MassEncryption)
            } else {
                calm(&job)
            };
            Examined::of(&job, &verdict, None)
        };
        let point = point(45, Some((39, Onset::Sudden)), examined);
        assert_eq!(chosen(&point), Some(day(37)));
    }
}

/// What went on with an anomaly that was reported is no proof, and neither is what nearly was one.
#[test]
fn what_is_strange_is_named_as_such() {
    let settings = DetectionSettings::default();
    let strange = settings.p_value_threshold();
    let cases = [
        (strange * 0.9, Some(SuspectReason::GoesOn)),
        (strange * 1.1, Some(SuspectReason::Raised)),
        (strange * 9.0, Some(SuspectReason::Raised)),
        (strange * 11.0, None),
    ];
    for (p_value, expected) in cases {
        let examined = |number: u64| {
            let job = of_image(number, usual_image(number));
            let verdict = match number {
                30 => anomaly(&job, AnomalyKind::MassEncryption),
                32 => with_p(&job, p_value),
                _ => calm(&job),
            };
            Examined::of(&job, &verdict, None)
        };
        let point = point(35, Some((30, Onset::Sudden)), examined);
        let reason = point
            .suspects
            .iter()
            .find(|suspect| suspect.job.started_at == day(32));
        let expected = expected.unwrap_or(SuspectReason::AfterFirstSign);
        assert_eq!(
            reason.map(|suspect| suspect.reason),
            Some(expected),
            "{p_value}"
        );
    }
    // However few alarms are asked for, one usual job in twenty is the most that is raised.
    let mut loud = DetectionSettings::default();
    loud.alarm_budget = anomaly_settings::AlarmBudget::new(30.0).unwrap();
    let job = |number: u64| of_image(number, usual_image(number));
    for (p_value, is_raised) in [(0.07, true), (0.09, false)] {
        let newest_first = [with_p(&job(1), p_value), calm(&job(0))];
        let newest_first = newest_first.iter().zip([job(1), job(0)]);
        let newest_first = newest_first
            .map(|(verdict, job)| Ok::<_, Infallible>(Examined::of(&job, verdict, None)));
        let stream = Engine::default().stream_of(&job(0));
        let point = recovery_point(stream, &loud, None, None, newest_first).unwrap();
        assert_eq!(
            chosen(&point),
            Some(day(u64::from(!is_raised))),
            "{p_value}"
        );
    }
}

/// An anomaly before the first alarm is a sign of it if it is one of data, with fewer than a week of
/// calm jobs between.
#[test]
fn a_sign_is_near_the_alarm_and_of_data() {
    for (kind, calm_between, is_sign) in [
        (AnomalyKind::Growth, 3, true),
        (AnomalyKind::Growth, 6, true),
        (AnomalyKind::Growth, 7, false),
        (AnomalyKind::Slowdown, 3, false),
        (AnomalyKind::Failure, 3, false),
    ] {
        let alarm = 40;
        let sign = alarm - 1 - calm_between;
        let examined = |number: u64| {
            let job = of_image(number, usual_image(number));
            let verdict = match number {
                number if number == alarm => anomaly(&job, AnomalyKind::MassEncryption),
                number if number == sign => anomaly(&job, kind),
                _ => calm(&job),
            };
            Examined::of(&job, &verdict, None)
        };
        let point = point(45, Some((alarm, Onset::Sudden)), examined);
        let begins = if is_sign { sign } else { alarm };
        assert_eq!(point.first_sign, Some(day(begins)), "{kind} {calm_between}");
        assert_eq!(
            chosen(&point),
            Some(day(begins - 1)),
            "{kind} {calm_between}"
        );
        let two = point.reasons[0].starts_with("The first alarm was at");
        assert_eq!(two, is_sign, "{:?}", point.reasons);
        assert!(point.reasons[0].contains(&day(begins).format("%Y-%m-%d").to_string()));
    }
}

/// Of what went little by little, the image holds about the most, in files or in bytes: but for a
/// fiftieth, which is no more.
#[test]
fn what_went_slowly_is_restored_from_when_it_was_there() {
    let shrunk = |bytes: u64, files: u64| {
        let examined = move |number: u64| {
            let (image_bytes, file_count) = if number < 30 {
                (bytes, files)
            } else {
                (1_000_000, 5_000)
            };
            let image = BackupImage::default()
                .image_bytes(image_bytes)
                .file_count(file_count);
            let job = of_image(number, image);
            let verdict = if number == 80 {
                anomaly(&job, AnomalyKind::SlowDrift)
            } else {
                calm(&job)
            };
            Examined::of(&job, &verdict, None)
        };
        let found = point(85, Some((80, Onset::Loss)), examined);
        assert!(
            found.reasons[1].ends_with("holds about the most that is remembered."),
            "{:?}",
            found.reasons
        );
        chosen(&found).unwrap()
    };
    let (newest, before) = (day(80 - 15), day(29));
    assert_eq!(shrunk(1_000_000, 5_000), newest);
    assert_eq!(shrunk(1_019_000, 5_090), newest);
    assert_eq!(shrunk(1_030_000, 5_000), before);
    assert_eq!(shrunk(1_000_000, 5_150), before);
}

/// As many suspects are listed as a page holds, and the others are counted; what failed left none.
#[test]
fn suspects_beyond_a_page_are_counted() {
    let most = RecoveryPoint::MOST_SUSPECTS as u64;
    for newer in [most - 1, most, most + 1, most + 50] {
        let examined = |number: u64| {
            let status = if number == 12 {
                JobStatus::Failed
            } else {
                JobStatus::Succeeded
            };
            let job = builder(number)
                .image(usual_image(number))
                .status(status)
                .build()
                .unwrap();
            let verdict = match number {
                10 => anomaly(&job, AnomalyKind::MassEncryption),
                12 => anomaly(&job, AnomalyKind::Failure),
                _ => calm(&job),
            };
            Examined::of(&job, &verdict, None)
        };
        // The job of day 10 and those after it, but the one that left no image.
        let point = point(10 + newer + 1, Some((10, Onset::Sudden)), examined);
        assert_eq!(chosen(&point), Some(day(9)));
        assert_eq!(point.suspects.len() as u64, newer.min(most));
        assert_eq!(point.more_suspects, newer - newer.min(most));
    }
}
