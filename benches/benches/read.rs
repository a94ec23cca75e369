//! Reading the outputs of tools: parsing and checking each job.
//!
//! It measures the time on the processor, which on a shared machine is not the time on the clock.

use std::fmt::Write as _;
use std::hint::black_box;
use std::io::BufReader;
use std::time::{Duration, Instant};

use anomaly_model::chrono::{DateTime, TimeDelta, Utc};
use anomaly_model::{BackupImage, BackupJob, ContentStatistics, ScheduleType};
use anomaly_sources::{Format, ReadOptions, Record, read};
use benches::processor_time;
use criterion::measurement::{Measurement, ValueFormatter, WallTime};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};

use crate::printed::{Job, Version};

#[path = "../../crates/anomaly-sources/tests/netbackup/printed.rs"]
#[allow(dead_code, clippy::unwrap_used, reason = "shared with the tests")]
mod printed;

const JOBS: u64 = 10_000;

fn start(index: u64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::minutes(index.cast_signed() * 97)
}

/// What a tool reports of a job, and with `everything` what a walk of the source adds.
fn ndjson(everything: bool) -> String {
    let mut text = String::new();
    for index in 0..JOBS {
        let wave = index * 7 % 11;
        let mut image = BackupImage::default()
            .image_bytes(10_960_835_000 + index * 3_001)
            .file_count(50_365 + index)
            .transferred_bytes(11_107_915 + wave * 20_000_000)
            .stored_bytes(2_456_658 + wave * 9_000_000)
            .files_new(5 + wave)
            .files_changed(300 + wave * 40)
            .files_unmodified(49_000 + wave)
            .directory_count(4_000 + index);
        if everything {
            let content = ContentStatistics::default()
                .mean_entropy_bits(4.5 + wave as f64 / 41.0)
                .mean_entropy_bits_changed(4.6 + wave as f64 / 51.0)
                .entropy_delta_bits_changed(0.0123)
                .printable_share(0.9963)
                .random_files(wave)
                .unseen_extension_files(wave / 3)
                .extension_count(20)
                .extension_shift(0.0248)
                .renamed_files(wave / 2)
                .emptied_files(0)
                .written_bytes(10_960_835)
                .deleted_bytes(wave);
            image = image
                .dedup_ratio(0.88211)
                .files_deleted(wave)
                .content(content);
        }
        let started_at = start(index);
        let id = format!("{index:064x}");
        let client = format!("mail{:03}", index % 100);
        let job = BackupJob::builder("restic", id, client, "restic-daily", started_at)
            .policy_type("filesystem")
            .schedule("daily")
            .schedule_type(ScheduleType::Incremental)
            .ended_at(started_at + TimeDelta::milliseconds(600_210 + wave.cast_signed()))
            .exit_code(0)
            .image(image)
            .build();
        if let Ok(line) = job.map(|job| serde_json::to_string(&job).unwrap_or_default()) {
            _ = writeln!(text, "{line}");
        }
    }
    text
}

fn restic_snapshots() -> String {
    let snapshot = |index: u64| {
        let time = start(index).to_rfc3339();
        format!(
            r#"{{"time":"{time}","parent":"{index:064x}","tree":"{index:064x}","paths":["/home","/etc"],"hostname":"mail01","username":"root","tags":["daily"],"program_version":"restic 0.17.3","summary":{{"backup_start":"{time}","backup_end":"{time}","files_new":{index},"files_changed":7,"files_unmodified":148,"dirs_new":0,"dirs_changed":4,"dirs_unmodified":27,"data_blobs":7,"tree_blobs":5,"data_added":130804,"data_added_packed":43601,"total_files_processed":155,"total_bytes_processed":1593361}},"id":"{index:064x}","short_id":"{index:08x}"}}"#
        )
    };
    let snapshots: Vec<String> = (0..JOBS).map(snapshot).collect();
    format!("[{}]", snapshots.join(","))
}

/// The jobs database of NetBackup, the newest first: of ten records one parent with three streams,
/// five backups of one stream, and a duplication. That is six jobs.
fn bpdbjobs(print: fn(&Job, Version) -> String) -> String {
    let job = |id: u64| {
        let place = id % 10;
        let root = id - place;
        let own = Job::default();
        Job {
            id,
            kind: if place == 9 { 4 } else { 0 },
            client: format!("client{:03}", root / 10 % 500),
            policy: format!("policy{}", root / 10 % 20),
            started: own.started + id,
            ended: own.ended.map(|ended| ended + id),
            parent: if (1..=3).contains(&place) { root } else { id },
            has_backup_id: place != 0,
            kilobytes: (place != 0).then_some(1_000_000 + id),
            dedup: (place != 0).then_some((58.3, 31.4)),
            moved: (place != 0).then_some(102_225),
            ..own
        }
    };
    // No job has the number 0.
    let jobs = (10..JOBS + 10).rev().map(job);
    let lines: Vec<_> = jobs.map(|job| print(&job, Version::V9)).collect();
    lines.join("\n")
}

/// The time that this thread had the processor since some time before.
struct OnTheProcessor(Instant);

impl Measurement for OnTheProcessor {
    type Intermediate = Duration;
    type Value = Duration;

    fn start(&self) -> Duration {
        processor_time(self.0)
    }

    fn end(&self, start: Duration) -> Duration {
        processor_time(self.0).saturating_sub(start)
    }

    fn add(&self, one: &Duration, other: &Duration) -> Duration {
        *one + *other
    }

    fn zero(&self) -> Duration {
        Duration::ZERO
    }

    fn to_f64(&self, value: &Duration) -> f64 {
        WallTime.to_f64(value)
    }

    fn formatter(&self) -> &dyn ValueFormatter {
        WallTime.formatter()
    }
}

fn throughput(criterion: &mut Criterion<OnTheProcessor>) {
    let mut group = criterion.benchmark_group("read");
    group.throughput(Throughput::Elements(JOBS));
    let inputs = [
        (Format::Ndjson, "numbers", ndjson(false), JOBS),
        (Format::Ndjson, "numbers-and-content", ndjson(true), JOBS),
        (Format::ResticSnapshots, "summary", restic_snapshots(), JOBS),
        (
            Format::NetBackupBpdbjobs,
            "most_columns",
            bpdbjobs(Job::most_columns),
            JOBS / 10 * 6,
        ),
        (
            Format::NetBackupBpdbjobs,
            "all_columns",
            bpdbjobs(Job::all_columns),
            JOBS / 10 * 6,
        ),
    ];
    for (format, name, input, expected) in &inputs {
        let id = BenchmarkId::new(format.as_str(), name);
        group.bench_function(id, |bencher| {
            bencher.iter(|| {
                let input = BufReader::with_capacity(1 << 16, input.as_bytes());
                let records = read(input, *format, &ReadOptions::default());
                let jobs = records
                    .into_iter()
                    .flatten()
                    .flatten()
                    .filter_map(Record::job);
                assert_eq!(jobs.map(black_box).count() as u64, *expected);
            });
        });
    }
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default().with_measurement(OnTheProcessor(Instant::now()));
    targets = throughput
}
criterion_main!(benches);
