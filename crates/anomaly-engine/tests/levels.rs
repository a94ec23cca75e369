//! How strange a level is, by the detectors of levels: in streams whose jobs report how long they took
//! and nothing else.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use anomaly_engine::{Engine, StreamModel};
use anomaly_model::chrono::{DateTime, TimeDelta, Utc};
use anomaly_model::{BackupJob, Direction, Judgement, Verdict};
use anomaly_settings::Settings;

/// An engine that asks these detectors, and calls next to nothing strange.
fn asking(detectors: &str) -> Engine {
    within(detectors, "0.01", &[])
}

fn within(detectors: &str, budget: &str, more: &[(&str, &str)]) -> Engine {
    let detectors = format!("[{detectors}]");
    let flags = [
        ("detection.detectors", detectors.as_str()),
        ("detection.alarm_budget", budget),
    ];
    let flags: Vec<(String, String)> = flags
        .iter()
        .chain(more)
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect();
    Engine::new(Settings::load(None, [], &flags).unwrap())
}

fn lasting(number: usize, seconds: f64) -> BackupJob {
    let start: DateTime<Utc> = "2026-01-01T00:00:00Z".parse().unwrap();
    let start = start + TimeDelta::days(i64::try_from(number).unwrap());
    BackupJob::builder("restic", format!("{number}"), "mail01", "daily", start)
        .duration_seconds(seconds)
        .build()
        .unwrap()
}

/// The verdict on a job that took so long, after others that are all usual, as a person says of those
/// that were called strange.
fn after(engine: &Engine, past: &[f64], seconds: f64) -> Verdict {
    let mut model = StreamModel::default();
    for (number, seconds) in past.iter().enumerate() {
        let job = lasting(number, *seconds);
        if engine.judge(&job, &mut model).is_anomalous() {
            assert!(model.accept(&job.key()));
        }
    }
    assert_eq!(model.learnt_jobs(), past.len());
    engine.judge(&lasting(past.len(), seconds), &mut model)
}

fn p_value(verdict: &Verdict) -> f64 {
    verdict.p_value.unwrap().get()
}

/// Durations are judged on a logarithmic scale, in steps of 0.35, to a 32nd of a step.
fn coordinate(seconds: f64) -> f64 {
    (32.0 * seconds.ln_1p() / 0.35).round() / 32.0
}

/// The upper tail of Student's t with four degrees of freedom.
fn tail(t: f64) -> f64 {
    let square = t * t;
    0.5 - t * (6.0 + square) / (2.0 * (4.0 + square).powf(1.5))
}

fn assert_near(found: f64, expected: f64, what: &str) {
    assert!(
        (found / expected - 1.0).abs() < 1e-6,
        "{what}: {found} for {expected}"
    );
}

/// Ten minutes every day: no spread is taken for less than one step of the scale, and the middle of
/// `n` jobs is known to its `n`-th part.
#[test]
fn a_constant_stream_has_a_spread_of_one_step() {
    let past = [600.0; 40];
    for seconds in [1_800.0, 3_600.0, 20_000.0] {
        let steps = coordinate(seconds) - coordinate(600.0);
        let expected = tail(steps / (1.0 + 1.0 / 40.0_f64).sqrt());
        for detector in [
            "\"z_score\"",
            "\"modified_z_score\"",
            "\"iqr\"",
            "\"z_score\", \"iqr\"",
        ] {
            let found = p_value(&after(&asking(detector), &past, seconds));
            assert_near(found, expected, &format!("{detector} of {seconds} s"));
        }
    }
    // What lies inside the fences is no outlier; a job that takes less than usual is none either.
    assert_near(
        p_value(&after(&asking("\"iqr\""), &past, 900.0)),
        1.0,
        "inside",
    );
    let short = p_value(&after(&asking("\"z_score\""), &past, 60.0));
    assert!(short > 0.99, "{short}");
}

/// What three jobs in ten do moves the mean and spreads it; the middle one does not see it.
#[test]
fn detectors_differ_where_some_jobs_do() {
    let (usual, other) = (600.0, 30_000.0);
    let past: Vec<f64> = (0..40)
        .map(|number| if number % 10 < 3 { other } else { usual })
        .collect();
    let far = 3.0e7;
    let draw = (1.0 + 1.0 / 40.0_f64).sqrt();
    let (near, apart) = (coordinate(usual), coordinate(other) - coordinate(usual));
    let (mean, variance) = (near + 0.3 * apart, 0.3 * 0.7 * apart * apart * 40.0 / 39.0);
    let by_mean = p_value(&after(&asking("\"z_score\""), &past, far));
    assert_near(
        by_mean,
        tail((coordinate(far) - mean) / variance.sqrt() / draw),
        "mean",
    );
    let by_middle = p_value(&after(&asking("\"modified_z_score\""), &past, far));
    // Most jobs are alike, so that the median deviation is none, and the mean one stands in for it.
    let deviation = (std::f64::consts::PI / 2.0).sqrt() * 0.3 * apart;
    assert_near(
        by_middle,
        tail((coordinate(far) - near) / deviation / draw),
        "middle",
    );
    // Several detectors are one by the harmonic mean of what they say, which grows with how many.
    let both = p_value(&after(
        &asking("\"z_score\", \"modified_z_score\""),
        &past,
        far,
    ));
    assert!(
        by_middle < both && both < by_mean,
        "{by_middle} {both} {by_mean}"
    );
}

/// What was seen before is as usual as it was often: with `k` of `n` jobs at least as far out, no less
/// than `(k + 1) / (n + 1)`.
#[test]
fn what_was_seen_is_not_rare() {
    let engine = asking("\"modified_z_score\"");
    for count in [40, 80] {
        for seen in [1, 2, 3, 8] {
            let past: Vec<f64> = (0..count)
                .map(|number| {
                    if number % (count / seen) == 3 {
                        1e6
                    } else {
                        600.0
                    }
                })
                .collect();
            let far = past.iter().filter(|seconds| **seconds > 600.0).count();
            assert_eq!(far, seen);
            let expected = (seen + 1) as f64 / (count + 1) as f64;
            assert_near(
                p_value(&after(&engine, &past, 1e6)),
                expected,
                &format!("{seen} of {count}"),
            );
            // Farther than any is rarer than that.
            assert!(p_value(&after(&engine, &past, 1e8)) < 1.0 / (count + 1) as f64);
        }
    }
    // Half of the jobs did so.
    let past: Vec<f64> = (0..40)
        .map(|number| if number % 2 == 0 { 600.0 } else { 1e6 })
        .collect();
    assert!(p_value(&after(&engine, &past, 1e6)) > 0.5);
}

/// Of two sides, either may be as far out; on one of them, only that.
#[test]
fn a_side_that_is_not_suspicious_is_not_looked_at() {
    let engine = asking("\"modified_z_score\"");
    let shared = |number: usize, ratio: f64| {
        let start = lasting(number, 1.0).started_at();
        let job = BackupJob::builder("restic", format!("{number}"), "mail01", "daily", start);
        let image = anomaly_model::BackupImage::default().dedup_ratio(ratio);
        job.image(image).build().unwrap()
    };
    let judged = |odd: &[usize], ratio: f64| {
        let mut model = StreamModel::default();
        for number in 0..40 {
            let usual = if odd.contains(&number) { 0.001 } else { 0.95 };
            let job = shared(number, usual);
            if engine.judge(&job, &mut model).is_anomalous() {
                assert!(model.accept(&job.key()));
            }
        }
        p_value(&engine.judge(&shared(40, ratio), &mut model))
    };
    // Data that deduplicate less than ever are suspicious, and such that do so more are not.
    assert!(judged(&[], 0.001) < 0.01);
    assert!(judged(&[], 0.999) > 0.5);
    assert_near(judged(&[7], 0.001), 2.0 / 41.0, "as little as once before");
    assert_near(
        judged(&[7, 9, 20], 0.001),
        4.0 / 41.0,
        "as little as three times before",
    );
}

/// A job is strange that is rarer than the budget asks, and not one that is just as rare; a number stands
/// out that is rarer than one in a hundred.
#[test]
fn as_rare_as_the_bound_is_not_beyond_it() {
    let once = |count: usize| {
        let mut past = vec![600.0; count];
        past[5] = 1e6;
        past
    };
    // As far as one of 39 is 2 in 40, 18.25 times in a year of days.
    for (budget, is_strange) in [("18.25", false), ("18.26", true)] {
        let verdict = after(&within("\"modified_z_score\"", budget, &[]), &once(39), 1e6);
        assert_near(p_value(&verdict), 0.05, budget);
        assert_eq!(verdict.is_anomalous(), is_strange, "{budget}");
    }
    let remembering = [("detection.history_jobs", "365")];
    let engine = within("\"modified_z_score\"", "18.25", &remembering);
    for (count, stands_out) in [(199, false), (200, true)] {
        let verdict = after(&engine, &once(count), 1e6);
        assert!(verdict.is_anomalous(), "{}", verdict.summary);
        assert_eq!(!verdict.findings.is_empty(), stands_out, "{count}");
    }
}

/// The forest ranks a job among those before it. Where even the first rank would be no alarm, it says
/// nothing, rather than that the job is normal.
#[test]
fn a_forest_says_nothing_where_it_could_never_alarm() {
    let past: Vec<f64> = (0..40)
        .map(|number| 600.0 + f64::from(number) * 40.0)
        .collect();
    let forest = "\"isolation_forest\"";
    // The first rank of 41 is an alarm from 365 / 41 alarms a year on.
    for (budget, judged) in [("8.85", false), ("8.95", true)] {
        let verdict = after(&within(forest, budget, &[]), &past, 1e9);
        let is_silent = matches!(verdict.judgement, Judgement::NotScored { .. });
        assert_eq!(!is_silent, judged, "{budget}: {}", verdict.summary);
    }
    let engine = within(forest, "9.3", &[("detection.forest_trees", "300")]);
    let (far, middle) = (after(&engine, &past, 1e9), after(&engine, &past, 1_400.0));
    let (far, middle) = (p_value(&far) * 41.0, p_value(&middle) * 41.0);
    assert!(
        (far - far.round()).abs() < 1e-9 && far >= 1.0,
        "a rank: {far}"
    );
    assert!(
        far < 5.0 && middle > 8.0 && middle <= 41.0,
        "{far}, {middle}"
    );
}

/// A feature that few jobs had is not judged, nor is one that is left out.
#[test]
fn a_feature_takes_eight_jobs() {
    let engine = within("\"modified_z_score\"", "1.0", &[]);
    for (known, judged) in [(7, false), (8, true)] {
        let verdict = after(&engine, &vec![600.0; known], 1e9);
        assert_eq!(
            verdict.p_value.is_some(),
            judged,
            "{known}: {}",
            verdict.summary
        );
    }
    let without = [("detection.excluded_features", "[\"duration_seconds\"]")];
    let blind = after(
        &within("\"modified_z_score\"", "1.0", &without),
        &[600.0; 40],
        1e9,
    );
    assert_eq!(blind.p_value, None, "{}", blind.summary);
    assert!(matches!(blind.judgement, Judgement::NotScored { .. }));
}

/// The usual range of a finding leaves one job in forty out on either side.
#[test]
fn the_usual_range_holds_95_percent() {
    let engine = within("\"modified_z_score\"", "1.0", &[]);
    let durations: Vec<f64> = (0..40)
        .map(|number| 600.0 * 1.05_f64.powi(number))
        .collect();
    // In another order than their own.
    let past: Vec<f64> = (0..40).map(|number| durations[number * 7 % 40]).collect();
    let verdict = after(&engine, &past, 1e9);
    let [finding] = verdict.findings.as_slice() else {
        unreachable!("{:?}", verdict.findings)
    };
    assert_eq!(finding.direction, Direction::Above);
    // Coordinates are remembered to about one part in a hundred.
    let near = |found: f64, expected: f64| (found / expected - 1.0).abs() < 0.02;
    assert!(near(finding.usual_low, durations[1]), "{finding:?}");
    assert!(near(finding.usual_high, durations[38]), "{finding:?}");
}

/// Levels say nothing while the stream warms up, however long a person wants that to take.
#[test]
fn levels_wait_for_the_warm_up() {
    for (warm_up, judged) in [("41", false), ("40", true)] {
        let engine = within(
            "\"modified_z_score\"",
            "1.0",
            &[("detection.warm_up_jobs", warm_up)],
        );
        let verdict = after(&engine, &[600.0; 40], 1e9);
        assert_eq!(
            verdict.p_value.is_some(),
            judged,
            "{warm_up}: {}",
            verdict.summary
        );
    }
}
