//! A fleet: a million jobs of 10,000 streams, and what judging them costs.
//!
//! It tells the time on the processor, which on a shared machine is not the time on the clock.
#![allow(clippy::print_stdout, reason = "figures are what it is for")]

use std::time::{Duration, Instant};

use anomaly_engine::{Engine, StreamModel};
use anomaly_model::chrono::{DateTime, TimeDelta};
use anomaly_model::{BackupImage, BackupJob, ContentStatistics, ModelError};
use anomaly_settings::{HistoryJobs, Settings};
use benches::processor_time;

const STREAMS: u64 = 10_000;
const DAYS: u64 = 100;

/// Numbers that look random, from 0 to below `most`.
fn mix(stream: u64, day: u64, what: u64, most: u64) -> u64 {
    let mut x = (stream << 40) ^ (day << 8) ^ what;
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (x ^ (x >> 31)) % most
}

/// A usual job that reports all that there is.
fn job(stream: u64, day: u64) -> Result<BackupJob, ModelError> {
    let draw = |what, most| mix(stream, day, what, most);
    let files = 20_000 + stream * 5 + day * 2;
    let changed = 100 + draw(1, 600);
    let sent = changed * 300_000 + draw(2, 50_000_000);
    let content = ContentStatistics::default()
        .mean_entropy_bits(4.5 + draw(3, 40) as f64 / 100.0)
        .mean_entropy_bits_changed(4.5 + draw(4, 40) as f64 / 100.0)
        .entropy_delta_bits_changed(draw(5, 40) as f64 / 1_000.0 - 0.02)
        .random_files(draw(6, 10))
        .unseen_extension_files(draw(7, 3))
        .extension_shift(draw(8, 20) as f64 / 1_000.0)
        .renamed_files(draw(9, 6))
        .emptied_files(draw(10, 2));
    let image = BackupImage::default()
        .image_bytes(files * 200_000 + draw(11, 10_000_000))
        .file_count(files)
        .directory_count(files / 12)
        .transferred_bytes(sent)
        .stored_bytes(sent / 10 * (4 + draw(12, 2)))
        .files_new(5 + draw(13, 30))
        .files_changed(changed)
        .files_deleted(2 + draw(14, 20))
        .content(content);
    let start = DateTime::UNIX_EPOCH + TimeDelta::days(day.cast_signed());
    let client = format!("client{stream:05}");
    BackupJob::builder("restic", format!("{client}-{day}"), client, "daily", start)
        .ended_at(start + TimeDelta::seconds(600 + draw(15, 300).cast_signed()))
        .image(image)
        .build()
}

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
