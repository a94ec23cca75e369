//! When a job comes: late, early, by a wrong clock.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use anomaly_engine::{Engine, StreamModel};
use anomaly_model::chrono::TimeDelta;
use anomaly_model::{AnomalyKind, BackupJob, Judgement, Severity};
use common::{assert_is, day, job, learnt, learnt_engine, usual_image};

#[test]
fn a_clock_that_goes_back_is_noticed_once() {
    let mut engine = learnt_engine();
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
    let verdict = learnt_engine().observe(&job(46, usual_image(46)));
    assert_is(&verdict, AnomalyKind::MissedBackup, Severity::Low);
    assert_eq!(
        verdict.summary,
        "No job for 7 days: this stream's longest gap of late was 24 hours."
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
        &learnt_engine().observe(&early),
        AnomalyKind::MassEncryption,
        Severity::High,
    );
}

/// A job of day `number` that started on another day.
fn started_on(started: u64, number: u64) -> BackupJob {
    BackupJob::builder(
        "restic",
        format!("odd-{number}"),
        "mail01",
        "daily",
        day(started),
    )
    .image(usual_image(number))
    .ended_at(day(started) + TimeDelta::minutes(12))
    .build()
    .unwrap()
}

/// One wrong clock, in either direction, is one anomaly, and nothing after it.
#[test]
fn one_wrong_clock_does_not_spoil_the_stream() {
    for wrong in [10, 60_000] {
        let mut engine = learnt_engine();
        assert!(engine.observe(&started_on(wrong, 40)).is_anomalous());
        for number in 41..60 {
            let verdict = engine.observe(&job(number, usual_image(number)));
            assert_eq!(verdict.judgement, Judgement::Normal, "{}", verdict.summary);
        }
    }
}

/// A clock that stays wrong is one anomaly too: what is odd twice in the same way is the new time.
#[test]
fn a_clock_that_stays_wrong_is_noticed_once() {
    for offset in [1_000, 40_000] {
        let mut engine = Engine::default();
        for number in 0..40 {
            engine.observe(&started_on(20_000 + number, number));
        }
        assert!(engine.observe(&started_on(offset, 40)).is_anomalous());
        for number in 41..60 {
            let verdict = engine.observe(&started_on(offset + number - 40, number));
            assert_eq!(verdict.judgement, Judgement::Normal, "{}", verdict.summary);
        }
    }
}

/// A clock that began anew at the first job leaves no gap that is waited for: the next missed backup is
/// told. A yearly job is none of a wrong clock.
#[test]
fn a_wrong_clock_at_the_beginning_hides_no_missed_backup() {
    for (first, told) in [(0, Some("24 hours")), (20_000 - 300, None)] {
        let mut engine = Engine::default();
        assert!(!engine.observe(&started_on(first, 0)).is_anomalous());
        for number in 1..20 {
            let verdict = engine.observe(&started_on(20_000 + number, number));
            assert!(!verdict.is_anomalous(), "{}", verdict.summary);
        }
        let late = engine.observe(&started_on(20_040, 40));
        assert_eq!(late.is_anomalous(), told.is_some(), "{}", late.summary);
        if let Some(longest) = told {
            let expected =
                format!("No job for 21 days: this stream's longest gap of late was {longest}.");
            assert_eq!(late.summary, expected);
        }
    }
}

/// One long gap says nothing; the same again is how this stream is. A longer one is reported again:
/// gaps that grow step by step are each told.
#[test]
fn gaps_do_not_grow_by_repetition() {
    let told = |gap_days: &[u64]| {
        let mut engine = learnt_engine();
        let mut number = 39;
        let mut told = Vec::new();
        for &days in gap_days {
            number += days;
            let verdict = engine.observe(&job(number, usual_image(number)));
            if verdict.is_anomalous() {
                assert_is(&verdict, AnomalyKind::MissedBackup, Severity::Low);
                let gap = format!("No job for {days} days: ");
                assert!(verdict.summary.starts_with(&gap), "{}", verdict.summary);
                told.push(days);
            }
            number += 1;
            assert!(
                !engine
                    .observe(&job(number, usual_image(number)))
                    .is_anomalous()
            );
        }
        told
    };
    assert_eq!(told(&[7, 13, 21, 39, 80]), [7, 13, 21, 39, 80]);
    // Told twice, a week is usual; where gaps differ sevenfold, one of seven weeks is to come.
    assert_eq!(told(&[7, 7, 7, 50, 7]), [7, 7, 50]);
}

/// The gap that is told is the one since the last job, late as that was.
#[test]
fn two_gaps_in_a_row_are_two() {
    let mut engine = learnt_engine();
    engine.observe(&job(46, usual_image(46)));
    let verdict = engine.observe(&job(66, usual_image(66)));
    assert!(
        verdict.summary.starts_with("No job for 20 days: "),
        "{}",
        verdict.summary
    );
}

/// After a job of odd time, the gap before the next is the one to the nearer of the two: to the odd one if
/// that came late, and to the one before it if that came early.
#[test]
fn a_gap_is_to_the_nearer_of_two() {
    let at = |id: &str, start| {
        let job = BackupJob::builder("restic", id, "mail01", "daily", start);
        job.image(usual_image(40)).build().unwrap()
    };
    let told_of = |model: &mut StreamModel, start| {
        let verdict = Engine::default().judge(&at("last", start), model);
        assert_is(&verdict, AnomalyKind::MissedBackup, Severity::Low);
        verdict.summary
    };
    let (engine, hours) = (Engine::default(), TimeDelta::hours);
    let longest = "this stream's longest gap of late was 24 hours.";

    // Two hours early, and a day after the last one: that was a day.
    let mut model = learnt();
    assert!(
        engine
            .judge(&at("early", day(39) - hours(2)), &mut model)
            .is_anomalous()
    );
    assert!(
        !engine
            .judge(&at("next", day(40)), &mut model)
            .is_anomalous()
    );
    let summary = told_of(&mut model, day(40) + hours(61));
    assert_eq!(summary, format!("No job for 2 days: {longest}"));

    // Ten days early, and a week after the last one: that was a week.
    let mut model = learnt();
    assert!(
        engine
            .judge(&at("early", day(29)), &mut model)
            .is_anomalous()
    );
    let summary = told_of(&mut model, day(46));
    assert_eq!(summary, format!("No job for 7 days: {longest}"));

    // A week late, which was said to be usual until that was taken back, and a day after: that was a day.
    let mut model = learnt();
    let late = engine.judge(&at("late", day(46)), &mut model);
    assert!(late.is_anomalous() && model.accept(&late.key()));
    assert!(
        !engine
            .judge(&at("next", day(47)), &mut model)
            .is_anomalous()
    );
    assert!(model.retract(&late.key()));
    let summary = told_of(&mut model, day(50));
    assert_eq!(summary, format!("No job for 3 days: {longest}"));
}

/// No gap is as long as 2^31 seconds, 68 years: such a one is told, and not remembered.
#[test]
fn a_gap_of_68_years_is_not_remembered() {
    for (seconds, remembered) in [((1 << 31) - 1, true), (1 << 31, false)] {
        let gap = TimeDelta::seconds(seconds);
        let late = BackupJob::builder("restic", "late", "mail01", "daily", day(39) + gap);
        let late = late.image(usual_image(40)).build().unwrap();
        let mut model = learnt();
        assert!(Engine::default().judge(&late, &mut model).is_anomalous());
        assert_eq!(model.confirm_gap(gap, true), remembered);
    }
}

/// Whether a job that comes `gap` after others, which came after `gaps`, is told of as one before which
/// another was missed.
fn is_missed(gaps: &[TimeDelta], gap: TimeDelta) -> bool {
    let mut engine = Engine::default();
    let mut start = day(0);
    let mut came = |number: u64, gap: TimeDelta| {
        start += gap;
        let job = BackupJob::builder("restic", number.to_string(), "mail01", "daily", start);
        let verdict = engine.observe(&job.image(usual_image(number)).build().unwrap());
        // Told of, be it as known.
        verdict.summary.starts_with("No job for")
    };
    came(0, TimeDelta::zero());
    for (&gap, number) in gaps.iter().zip(1..) {
        assert!(!came(number, gap), "{gap} is usual");
    }
    came(gaps.len() as u64 + 1, gap)
}

/// Two and a half times the longest gap is late; where gaps differ more than that, as many times as the
/// longest is the middle one, and four times at most. Six gaps say nothing.
#[test]
fn a_job_is_late_beyond_what_gaps_differ_by() {
    for (gap_hours, late_hours) in [
        ([24; 7].as_slice(), Some(60)),
        (&[24; 6], None),
        (&[24, 24, 24, 72, 24, 24, 24], Some(216)),
        (&[24, 24, 24, 240, 24, 24, 24], Some(960)),
        (&[1, 4, 1, 4, 1, 4, 4], Some(10)),
        (&[1, 4, 1, 4, 1, 4, 1, 4], Some(10)),
    ] {
        let gaps: Vec<TimeDelta> = gap_hours
            .iter()
            .map(|&hours| TimeDelta::hours(hours))
            .collect();
        let second = TimeDelta::seconds(1);
        match late_hours.map(TimeDelta::hours) {
            Some(late) => {
                assert!(!is_missed(&gaps, late), "{gap_hours:?}");
                assert!(is_missed(&gaps, late + second), "{gap_hours:?}");
            }
            None => assert!(!is_missed(&gaps, TimeDelta::days(900)), "{gap_hours:?}"),
        }
    }
}

/// Whoever starts jobs by hand, one after the other, keeps no schedule of minutes.
#[test]
fn nothing_is_missed_within_an_hour() {
    let quick = [TimeDelta::seconds(15); 10];
    assert!(!is_missed(&quick, TimeDelta::hours(1)));
    assert!(is_missed(&quick, TimeDelta::seconds(60 * 60 + 1)));
}

/// An hour out of turn is nothing, and does not turn back the time: the next job is late when it would
/// have been.
#[test]
fn an_hour_out_of_turn_is_in_turn() {
    let started = |start| {
        let job = BackupJob::builder("restic", "odd", "mail01", "daily", start);
        job.image(usual_image(40)).build().unwrap()
    };
    let hour = TimeDelta::hours(1);
    let second = TimeDelta::seconds(1);
    let too_early = started(day(39) - hour - second);
    assert!(learnt_engine().observe(&too_early).is_anomalous());
    for (gap, is_late) in [
        (TimeDelta::hours(60), false),
        (TimeDelta::hours(60) + second, true),
    ] {
        let mut engine = learnt_engine();
        let early = engine.observe(&started(day(39) - hour));
        assert!(!early.is_anomalous(), "{}", early.summary);
        let next = engine.observe(&started(day(39) + gap));
        assert_eq!(next.is_anomalous(), is_late, "{}", next.summary);
    }
}
