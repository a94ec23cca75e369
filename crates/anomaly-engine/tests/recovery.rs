//! From where to restore.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::convert::Infallible;

use anomaly_engine::{Engine, Examined, FirstAlarm, Onset, StreamModel, recovery_point};
use anomaly_model::chrono::{DateTime, Utc};
use anomaly_model::{
    AnomalyKind, BackupJob, Confidence, ContentStatistics, JobStatus, Judgement, PValue,
    RecoveryPoint, Review, ReviewStatus, ScheduleType, Severity, SuspectReason, Verdict,
};
use anomaly_settings::DetectionSettings;
use common::{builder, day, usual_image};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

/// What became of the job of one day.
#[derive(Debug, Clone)]
struct Day {
    judgement: Judgement,
    p_value: Option<f64>,
    status: JobStatus,
    review: Option<ReviewStatus>,
    content: bool,
    image_bytes: u64,
}

fn calm() -> Day {
    Day {
        judgement: Judgement::Normal,
        p_value: Some(0.4),
        status: JobStatus::Succeeded,
        review: None,
        content: true,
        image_bytes: 10_000_000_000,
    }
}

fn anomalous(kind: AnomalyKind) -> Day {
    let severity = Severity::Medium;
    Day {
        judgement: Judgement::Anomalous { severity, kind },
        p_value: Some(1e-6),
        ..calm()
    }
}

fn with_p(p_value: f64) -> Day {
    Day {
        p_value: Some(p_value),
        ..calm()
    }
}

fn examined(number: u64, day: &Day) -> Examined {
    let mut image = usual_image(number).image_bytes(day.image_bytes);
    if day.content {
        let mut content = ContentStatistics::default();
        content.random_files = Some(0);
        image = image.content(content);
    }
    let job = builder(number)
        .image(image)
        .status(day.status)
        .build()
        .unwrap();
    let mut verdict = Verdict::new(&job, day.judgement.clone(), "As the test says.");
    verdict.p_value = day.p_value.map(PValue::clamped);
    let review = day
        .review
        .map(|status| Review::new(status, "ada", self::day(number)));
    Examined::of(&job, &verdict, review.as_ref())
}

/// The recovery point of days from day 0 on, when the first alarm was on this day.
fn point(days: &[Day], alarm: Option<usize>) -> RecoveryPoint {
    point_since(days, alarm, None)
}

/// The same, when nothing is known any more of what was before.
fn point_since(
    days: &[Day],
    alarm: Option<usize>,
    deleted_until: Option<DateTime<Utc>>,
) -> RecoveryPoint {
    let onset = |at: usize| {
        let slow = AnomalyKind::SlowDrift;
        match days[at].judgement {
            Judgement::Anomalous { kind, .. } if kind == slow => Onset::Loss,
            _ => Onset::Sudden,
        }
    };
    let first_alarm = alarm.map(|at| FirstAlarm {
        at: day(at as u64),
        onset: onset(at),
    });
    let newest_first = (0..).zip(days).collect::<Vec<_>>().into_iter().rev();
    let stream = Engine::default().stream_of(&builder(0).build().unwrap());
    recovery_point(
        stream,
        &DetectionSettings::default(),
        first_alarm,
        deleted_until,
        newest_first.map(|(number, day)| Ok::<_, Infallible>(examined(number, day))),
    )
    .unwrap()
}

fn chosen(point: &RecoveryPoint) -> Option<(DateTime<Utc>, Confidence)> {
    let image = point.image.as_ref()?;
    Some((image.job.started_at, image.confidence))
}

fn suspects(point: &RecoveryPoint) -> Vec<SuspectReason> {
    point
        .suspects
        .iter()
        .map(|suspect| suspect.reason)
        .collect()
}

#[test]
fn the_newest_normal_image_before_the_first_alarm() {
    let mut days = vec![calm(); 20];
    days[15] = anomalous(AnomalyKind::MassEncryption);
    let point = point(&days, Some(15));
    assert_eq!(chosen(&point), Some((day(14), Confidence::High)));
    assert_eq!(point.first_sign, Some(day(15)));
    let after = vec![SuspectReason::AfterFirstSign; 4];
    assert_eq!(suspects(&point)[..4], after);
    assert_eq!(suspects(&point)[4..], [SuspectReason::Anomalous]);
    assert_eq!(
        point.reasons,
        [
            "The first sign was at 2026-01-16 00:00 UTC.",
            "It and the 6 before it were judged normal."
        ]
    );
}

/// Never the one before by default: what was too weak for an alarm is a sign shortly before one.
#[test]
fn the_first_sign_may_be_before_the_first_alarm() {
    let mut days = vec![calm(); 30];
    days[25] = anomalous(AnomalyKind::MassEncryption);
    days[24] = with_p(0.01);
    days[20] = with_p(0.02);
    days[5] = with_p(0.01);
    let point = point(&days, Some(25));
    assert_eq!(chosen(&point), Some((day(19), Confidence::High)));
    assert_eq!(point.first_sign, Some(day(20)));
    let reasons = suspects(&point);
    assert_eq!(reasons.len(), 10);
    assert_eq!(reasons[5], SuspectReason::Raised);
    assert_eq!(reasons[9], SuspectReason::Raised);
}

/// What is as rare as an anomaly has to be is none, and what is ten times as frequent is no sign of one.
#[test]
fn a_sign_is_rarer_than_its_bound() {
    let strange = DetectionSettings::default().p_value_threshold();
    let raised = 10.0 * strange;
    assert!(raised < 0.05);
    let last = |p_value| {
        let mut days = vec![calm(); 20];
        days[18] = with_p(p_value);
        days[19] = anomalous(AnomalyKind::MassEncryption);
        suspects(&point(&days, Some(19))).get(1).copied()
    };
    let less = 1.0 - 1e-9;
    assert_eq!(last(strange * less), Some(SuspectReason::GoesOn));
    assert_eq!(last(strange), Some(SuspectReason::Raised));
    assert_eq!(last(raised * less), Some(SuspectReason::Raised));
    assert_eq!(last(raised), None);
}

/// Few normal jobs up to the image are counted.
#[test]
fn few_jobs_say_how_many_they_are() {
    for (calm_jobs, said) in [
        (1, "Only 1 job up to and with it was judged normal."),
        (3, "Only 3 jobs up to and with it were judged normal."),
    ] {
        let mut days = vec![calm(); calm_jobs];
        days.push(anomalous(AnomalyKind::MassEncryption));
        let point = point(&days, Some(calm_jobs));
        assert_eq!(point.reasons.last().map(String::as_str), Some(said));
    }
}

/// An older image held notably more if it was larger by more than a fiftieth.
#[test]
fn a_fiftieth_more_is_about_as_much() {
    for (bytes, held_more) in [(10_200_000_000, false), (10_200_000_001, true)] {
        let mut days = vec![calm(); 40];
        days[5].image_bytes = bytes;
        days[39] = anomalous(AnomalyKind::SlowDrift);
        let found = chosen(&point(&days, Some(39))).unwrap().0;
        assert_eq!(found, if held_more { day(5) } else { day(24) }, "{bytes}");
    }
}

#[test]
fn what_was_not_judged_normal_is_no_proof() {
    let warming = Day {
        judgement: Judgement::WarmingUp,
        ..calm()
    };
    let not_scored = Day {
        judgement: Judgement::NotScored {
            reason: "off".to_owned(),
        },
        p_value: None,
        ..calm()
    };
    let partial = Day {
        status: JobStatus::Partial,
        ..calm()
    };
    let failed = Day {
        status: JobStatus::Failed,
        ..anomalous(AnomalyKind::Failure)
    };
    let mut days = vec![calm(); 12];
    days.extend([warming.clone(), not_scored, partial, failed]);
    days.push(anomalous(AnomalyKind::MassDeletion));
    let found = point(&days, Some(16));
    assert_eq!(chosen(&found), Some((day(11), Confidence::High)));
    assert_eq!(
        suspects(&found),
        [
            SuspectReason::Anomalous,
            SuspectReason::Partial,
            SuspectReason::NotJudged,
            SuspectReason::WarmingUp
        ],
        "what failed left no image"
    );
    let mut days = vec![warming; 6];
    days.push(anomalous(AnomalyKind::MassDeletion));
    let none = point(&days, Some(6));
    assert_eq!(none.image, None);
    assert!(
        none.reasons[1].starts_with("No image before that was judged normal"),
        "{:?}",
        none.reasons
    );
    assert_eq!(none.suspects.len(), 7);
}

/// What was deleted was not judged badly: it is not remembered.
#[test]
fn what_was_deleted_is_not_called_strange() {
    let deleted = DateTime::from_timestamp(0, 0);
    let attack = anomalous(AnomalyKind::MassDeletion);
    let none = point_since(&[attack.clone(), calm()], Some(0), deleted);
    assert_eq!(none.image, None);
    let reason = &none.reasons[1];
    assert!(
        reason.starts_with("No job before that is stored that was judged normal")
            && reason.contains("those up to 1970-01-01 00:00 UTC were deleted"),
        "{reason}"
    );
    let days = [calm(), calm(), attack];
    let few = point_since(&days, Some(2), deleted);
    assert_eq!(chosen(&few), Some((day(1), Confidence::Low)));
    let reason = few.reasons.last().unwrap();
    assert!(reason.ends_with("older ones were deleted."), "{reason}");
}

#[test]
fn confidence_is_what_speaks_for_it() {
    let attack = || anomalous(AnomalyKind::MassEncryption);
    let confidence = |days: &[Day]| chosen(&point(days, Some(days.len() - 1))).unwrap().1;
    let with = |day: Day| {
        let mut days = vec![calm(); 20];
        days.extend([day, attack()]);
        confidence(&days)
    };
    assert_eq!(with(calm()), Confidence::High);
    let unseen = Day {
        content: false,
        ..calm()
    };
    assert_eq!(with(unseen), Confidence::Medium);
    let usual = Day {
        review: Some(ReviewStatus::FalsePositive),
        ..anomalous(AnomalyKind::Growth)
    };
    assert_eq!(with(usual), Confidence::Medium);
    let by_rules = Day {
        p_value: None,
        ..calm()
    };
    assert_eq!(with(by_rules), Confidence::Low);
    assert_eq!(
        confidence(&[calm(), calm(), calm(), attack()]),
        Confidence::Low
    );
}

/// Ignored is neither a sign nor a proof; what only failed says nothing of the data.
#[test]
fn what_does_not_matter_is_no_sign() {
    let mut days = vec![calm(); 20];
    days[17] = Day {
        review: Some(ReviewStatus::Ignored),
        ..anomalous(AnomalyKind::Growth)
    };
    days[18] = anomalous(AnomalyKind::Slowdown);
    days[19] = anomalous(AnomalyKind::MassEncryption);
    let point = point(&days, Some(19));
    assert_eq!(chosen(&point), Some((day(16), Confidence::High)));
    assert_eq!(point.first_sign, Some(day(19)));
}

/// Of what goes a little every day, the image is one that held about the most.
#[test]
fn a_slow_loss_began_long_before_it_was_seen() {
    let size = |number: u64| Day {
        // Full until day 30, then 1 % less each day.
        image_bytes: 10_000_000_000 - 100_000_000 * number.saturating_sub(30),
        ..calm()
    };
    let mut days: Vec<Day> = (0..60).map(size).collect();
    let slow = anomalous(AnomalyKind::SlowDrift).judgement;
    days[55].judgement = slow;
    let point = point(&days, Some(55));
    let (at, confidence) = chosen(&point).unwrap();
    assert_eq!(confidence, Confidence::Low);
    assert!((day(28)..=day(32)).contains(&at), "{at}");
    let reasons = suspects(&point);
    assert_eq!(reasons.last(), Some(&SuspectReason::Shrinking));
    assert!(
        point.reasons[1].starts_with("It came in small steps"),
        "{:?}",
        point.reasons
    );
}

#[test]
fn without_an_incident_the_newest_calm_image_is_the_answer() {
    let mut days = vec![calm(); 20];
    days[19] = with_p(0.01);
    let point = point(&days, None);
    assert_eq!(chosen(&point), Some((day(18), Confidence::High)));
    assert_eq!(point.first_sign, None);
    assert_eq!(
        point.reasons[0],
        "Nothing says that data of this client were hit."
    );
}

/// An image that needs others says so.
#[test]
fn an_image_of_changes_says_what_it_takes() {
    let job = builder(1)
        .schedule_type(ScheduleType::DifferentialIncremental)
        .image(usual_image(1))
        .build()
        .unwrap();
    let mut verdict = Verdict::new(&job, Judgement::Normal, "Fine.");
    verdict.p_value = Some(PValue::clamped(0.5));
    let newest_first = [Ok::<_, Infallible>(Examined::of(&job, &verdict, None))];
    let stream = Engine::default().stream_of(&job);
    let point = recovery_point(
        stream,
        &DetectionSettings::default(),
        None,
        None,
        newest_first,
    )
    .unwrap();
    let last = point.reasons.last().unwrap();
    assert!(last.starts_with("It holds changes only"), "{last}");
}

/// The real engine on a real-looking stream: a drip that is reported when it has lasted is not
/// restored from the day before.
#[test]
fn a_drip_is_not_restored_from_the_day_before() {
    let dripping = |number: u64| {
        let image = usual_image(number).transferred_bytes(1_400_000_000);
        let job: BackupJob = builder(number)
            .image(image.files_changed(7_000))
            .build()
            .unwrap();
        job
    };
    let (engine, mut model) = (Engine::default(), StreamModel::default());
    let mut seen = Vec::new();
    let mut alarm = None;
    for number in 0..60 {
        let job = if number < 45 {
            builder(number).image(usual_image(number)).build().unwrap()
        } else {
            dripping(number)
        };
        let verdict = engine.judge(&job, &mut model);
        if verdict.is_anomalous() && alarm.is_none() {
            alarm = FirstAlarm::of(&verdict);
        }
        seen.push(Ok::<_, Infallible>(Examined::of(&job, &verdict, None)));
    }
    seen.reverse();
    let alarm = alarm.unwrap();
    assert!(alarm.at > day(46));
    assert_eq!(alarm.onset, Onset::Drip);
    let settings = DetectionSettings::default();
    let stream = engine.stream_of(&dripping(0));
    let point = recovery_point(stream, &settings, Some(alarm), None, seen).unwrap();
    let (at, _) = chosen(&point).unwrap();
    assert!(at < day(45), "{at}");
}

fn any_day() -> impl Strategy<Value = Day> {
    let judgements = vec![
        Judgement::Normal,
        Judgement::Normal,
        Judgement::WarmingUp,
        anomalous(AnomalyKind::MassEncryption).judgement,
        anomalous(AnomalyKind::SlowDrift).judgement,
        anomalous(AnomalyKind::Failure).judgement,
    ];
    let p_values = vec![None, Some(0.5), Some(0.5), Some(0.02), Some(1e-5)];
    let reviews = vec![
        None,
        None,
        Some(ReviewStatus::FalsePositive),
        Some(ReviewStatus::Confirmed),
        Some(ReviewStatus::Ignored),
    ];
    (
        select(judgements),
        select(p_values),
        select(JobStatus::ALL),
        select(reviews),
        any::<bool>(),
        1_000_000..20_000_000_u64,
    )
        .prop_map(
            |(judgement, p_value, status, review, content, image_bytes)| Day {
                judgement,
                p_value,
                status,
                review,
                content,
                image_bytes,
            },
        )
}

proptest! {
    /// Whatever the history: what is chosen succeeded, was judged normal or called usual, and is
    /// from before the first alarm and the first sign; every image after it is a suspect, and none
    /// from before it.
    #[test]
    fn what_is_chosen_is_proof(days in vec(any_day(), 1..80), alarm in proptest::option::of(0..80_usize)) {
        let alarm = alarm.map(|alarm| alarm % days.len());
        let point = point(&days, alarm);
        let left = |day: &Day| matches!(day.status, JobStatus::Succeeded | JobStatus::Partial);
        let images = |from: usize| days[from..].iter().filter(|day| left(day)).count() as u64;
        let listed = point.suspects.len() as u64 + point.more_suspects;
        let Some(image) = &point.image else {
            prop_assert_eq!(listed, images(0));
            return Ok(());
        };
        let at = days
            .iter()
            .enumerate()
            .position(|(number, _)| day(number as u64) == image.job.started_at)
            .unwrap();
        prop_assert!(alarm.is_none_or(|alarm| at < alarm));
        prop_assert!(point.first_sign.is_none_or(|sign| image.job.started_at < sign));
        let chosen = &days[at];
        prop_assert_eq!(chosen.status, JobStatus::Succeeded);
        let usual = chosen.review == Some(ReviewStatus::FalsePositive);
        let normal = chosen.judgement == Judgement::Normal && chosen.p_value.unwrap_or(1.0) > 0.02;
        prop_assert!(normal || usual, "{chosen:?}");
        prop_assert_eq!(listed, images(at + 1));
        prop_assert!(point.suspects.iter().all(|suspect| suspect.job.started_at > image.job.started_at));
    }
}
