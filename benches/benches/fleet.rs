//! A fleet: a million jobs of 10,000 streams, and what judging them costs.
//!
//! It tells the time on the processor, which on a shared machine is not the time on the clock.
#![allow(clippy::print_stdout, reason = "figures are what it is for")]

use std::time::{Duration, Instant};

use anomaly_engine::{Engine, StreamModel};
use anomaly_model::BackupJob;
use anomaly_settings::{HistoryJobs, Settings};
use benches::fleet::job;
use benches::processor_time;

const STREAMS: u64 = 10_000;
const DAYS: u64 = 100;

/// The median time of one verdict in a stream that keeps so many jobs, after twice as many, and the
/// state that it leaves.
fn one_stream(kept: u32) -> Result<(), Box<dyn std::error::Error>> {
    let mut settings = Settings::default();
    settings.detection.history_jobs = HistoryJobs::new(kept)?;
    let engine = Engine::new(settings);
    let mut model = StreamModel::default();
    let mut times = Vec::new();
    for day in 0..2_000 {
        let job = job(0, day)?;
        let begin = Instant::now();
        _ = engine.judge(&job, &mut model);
        if day >= 2 * u64::from(kept) {
            times.push(begin.elapsed());
        }
    }
    times.sort_unstable();
    println!(
        "{kept} jobs of history: {:.1} us a verdict at the median, {} bytes of state",
        times[times.len() / 2].as_secs_f64() * 1e6,
        model.to_bytes()?.len()
    );
    Ok(())
}

fn fleet() -> Result<(), Box<dyn std::error::Error>> {
    let mut engine = Engine::default();
    let (mut judging, mut anomalous) = (Duration::ZERO, 0_u64);
    for day in 0..DAYS {
        let jobs: Result<Vec<BackupJob>, _> = (0..STREAMS).map(|stream| job(stream, day)).collect();
        let jobs = jobs?;
        let clock = Instant::now();
        let begin = processor_time(clock);
        for job in &jobs {
            anomalous += u64::from(engine.observe(job).is_anomalous());
        }
        judging += processor_time(clock).saturating_sub(begin);
    }
    let jobs = STREAMS * DAYS;
    println!(
        "{jobs} jobs of {STREAMS} streams: {:.1} s on one core, {:.1} us a job; {anomalous} anomalous",
        judging.as_secs_f64(),
        judging.as_secs_f64() * 1e6 / jobs as f64
    );
    Ok(())
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    one_stream(20)?;
    one_stream(120)?;
    one_stream(400)?;
    fleet()
}
