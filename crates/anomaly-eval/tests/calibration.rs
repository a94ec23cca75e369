//! p-values mean what they say, on clients that were never seen.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use anomaly_engine::Engine;
use anomaly_eval::{
    CleanJob, DayClass, Fleet, Track, embedded_histories, evaluate, evaluate_left_out,
};

/// How many of the jobs are at least as strange as one in so many.
fn stranger(jobs: &[&CleanJob], one_in: f64) -> f64 {
    let score = |job: &CleanJob| job.answer.as_ref().and_then(|answer| answer.score);
    let strange = jobs
        .iter()
        .filter(|job| score(job).is_some_and(|score| score > one_in.log10()));
    strange.count() as f64
}

fn normal(jobs: &[CleanJob]) -> Vec<&CleanJob> {
    let normal = |job: &&CleanJob| job.class == DayClass::Normal;
    jobs.iter().filter(normal).collect()
}

/// Within a factor of 1.5 of what they promise, each client judged by what the others teach. At one
/// in 90 fourteen jobs are expected, which chance alone moves by a factor of 1.3.
#[test]
fn p_values_hold_on_clients_that_were_left_out() {
    let histories = embedded_histories().unwrap();
    let found = evaluate_left_out(&Engine::default(), &histories, &Track::ALL).unwrap();
    for (track, evaluation) in Track::ALL.iter().zip(&found) {
        let jobs = normal(&evaluation.clean);
        for one_in in [20.0, 45.0, 90.0] {
            let ratio = stranger(&jobs, one_in) * one_in / jobs.len() as f64;
            assert!(
                (1.0 / 1.5..=1.5).contains(&ratio),
                "{track}: {ratio} times one in {one_in}"
            );
        }
    }
}

/// On simulated streams, which are milder than real ones, the budget of one alarm in 365 jobs is not
/// exceeded by half, those of rules and seasons included. (A change that lasts has small p-values
/// every day, and is told once.)
#[test]
fn a_simulated_fleet_keeps_the_budget() {
    let fleet = Fleet::default().clients(22).jobs(180).branches(0).seed(7);
    let histories = fleet.simulate().unwrap();
    for track in Track::ALL {
        let evaluation = evaluate(&Engine::default(), &histories, track).unwrap();
        let jobs = normal(&evaluation.clean);
        let alarms = jobs.iter().filter(|job| job.is_alarm()).count();
        let ratio = alarms as f64 * 365.0 / jobs.len() as f64;
        assert!(ratio <= 1.5, "{track}: {ratio}");
    }
}
