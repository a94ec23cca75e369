//! A million jobs of 10,000 streams, parsed, judged and stored, and then one more.
//!
//! The database is made first, which takes a minute or two, in a directory that `MILLION` names
//! (`target/million` unless set) and that is kept for the next time: 4 GB.

#![allow(clippy::print_stdout, reason = "figures are what it is for")]
#![allow(clippy::unwrap_used, reason = "a benchmark fails by panicking")]

use std::fs::{self, File};
use std::hint::black_box;
use std::io::{Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anomaly_model::BackupJob;
use anomaly_model::chrono::{DateTime, Utc};
use anomaly_service::AnomalyService;
use anomaly_settings::Settings;
use anomaly_storage::{AuditEntry, ObservationQuery, Read as _, SqliteStore, Store as _};
use benches::fleet::job;
use benches::processor_time;
use criterion::{Criterion, SamplingMode, Throughput, criterion_group, criterion_main};

const STREAMS: u64 = 10_000;
const DAYS: u64 = 100;
/// Of what SQLite keeps beside the database: it is written over from the start once it is so long.
const PAGE_BYTES: usize = 4096;

fn path() -> PathBuf {
    let directory = std::env::var_os("MILLION").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/million"),
        PathBuf::from,
    );
    fs::create_dir_all(&directory).unwrap();
    directory.join("db")
}

/// The records of a day, as the lines of a file.
fn records(day: u64) -> Vec<String> {
    (0..STREAMS)
        .map(|stream| serde_json::to_string(&job(stream, day).unwrap()).unwrap())
        .collect()
}

fn take_in(service: &mut AnomalyService, records: &[String]) {
    let jobs = records
        .iter()
        .map(|record| serde_json::from_str::<BackupJob>(record).unwrap());
    let summary = service.observe_all(jobs, |observed| _ = black_box(observed));
    assert_eq!(summary.unwrap().new_jobs, STREAMS);
}

fn open(path: &Path) -> AnomalyService {
    AnomalyService::open(path, Settings::default()).unwrap()
}

/// The day after that of the newest stored job.
fn next_day(path: &Path) -> u64 {
    let store = SqliteStore::open(path).unwrap();
    let newest = store
        .observations(&ObservationQuery::default().limit(1))
        .unwrap();
    newest.first().map_or(0, |newest| {
        let since = newest.job.started_at() - DateTime::UNIX_EPOCH;
        since.num_days().cast_unsigned() + 1
    })
}

/// The most memory that the process held, where the system tells (Linux).
fn most_memory() -> String {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.map_or_else(|| "?".to_owned(), |most| most.trim().to_owned())
}

/// Makes the database, and says how long that took.
fn make(path: &Path) {
    let begin = Instant::now();
    let (mut processor, mut clock) = (Duration::ZERO, Duration::ZERO);
    let first = next_day(path);
    let mut service = open(path);
    for day in first..DAYS {
        let records = records(day);
        let (on_processor, on_clock) = (processor_time(begin), Instant::now());
        take_in(&mut service, &records);
        processor += processor_time(begin).saturating_sub(on_processor);
        clock += on_clock.elapsed();
        if day % 10 == 9 {
            println!(
                "day {}: {processor:.0?} of the processor, {clock:.0?}",
                day + 1
            );
        }
    }
    if first < DAYS {
        let jobs = ((DAYS - first) * STREAMS) as f64;
        println!(
            "{jobs} jobs: {:.0} a second of processor time, {:.0} a second on the clock; {} MB; at most \
             {} of memory, the records of a day among it",
            jobs / processor.as_secs_f64(),
            jobs / clock.as_secs_f64(),
            fs::metadata(path).unwrap().len() / 1_000_000,
            most_memory(),
        );
    }
}

fn million(criterion: &mut Criterion) {
    let path = path();
    make(&path);
    states(&path);
    open_it(criterion, &path);
    batch(criterion, &path);
    append(criterion, &path);
    one_more(&path);
}

/// What is kept of a stream so that its next job can be judged.
fn states(path: &Path) {
    let store = SqliteStore::open(path).unwrap();
    let streams = store.streams(0, 1_000).unwrap();
    let mut bytes: Vec<usize> = streams
        .iter()
        .map(|stream| {
            let state = store.model_state(&stream.record.0).unwrap().unwrap();
            state.len() + stream.record.1.as_ref().map_or(0, String::len)
        })
        .collect();
    bytes.sort_unstable();
    println!(
        "state and status of a stream: median {} bytes, most {}",
        bytes[bytes.len() / 2],
        bytes[bytes.len() - 1]
    );
}

fn open_it(criterion: &mut Criterion, path: &Path) {
    let mut group = criterion.benchmark_group("open");
    group.sample_size(20);
    group.bench_function("million", |bencher| bencher.iter(|| open(path)));
}

/// A day of the whole fleet, by the processor's time.
fn batch(criterion: &mut Criterion, path: &Path) {
    let mut group = criterion.benchmark_group("batch");
    group.throughput(Throughput::Elements(STREAMS));
    group.sample_size(10).sampling_mode(SamplingMode::Flat);
    let mut service = open(path);
    let mut day = next_day(path);
    group.bench_function("parse, judge and store", |bencher| {
        bencher.iter_custom(|days| {
            let begin = Instant::now();
            let mut total = Duration::ZERO;
            for _ in 0..days {
                let records = records(day);
                day += 1;
                let on_processor = processor_time(begin);
                take_in(&mut service, &records);
                total += processor_time(begin).saturating_sub(on_processor);
            }
            total
        });
    });
}

/// A record with its leaf of the log, in a transaction that is not committed.
fn append(criterion: &mut Criterion, path: &Path) {
    let mut store = SqliteStore::open(path).unwrap();
    let mut transaction = store.transaction().unwrap();
    transaction.set_now(DateTime::<Utc>::UNIX_EPOCH);
    let entry = AuditEntry::new(DateTime::UNIX_EPOCH, "ann", "exclude", "mail01 / daily");
    let mut group = criterion.benchmark_group("append");
    group.bench_function("an audit entry and its leaf", |bencher| {
        bencher.iter(|| transaction.audit(&entry).unwrap());
    });
}

/// One job that is on the disk when the call returns, beside writing one page and flushing it: in a
/// service that was started just now, for which the file system must find room for what it writes, and
/// in one that has run for a day.
fn one_more(path: &Path) {
    let mut service = open(path);
    let day = next_day(path);
    let file = path.with_file_name("page");
    let mut file = File::create(file).unwrap();
    file.write_all(&vec![0; 16_000 * PAGE_BYTES]).unwrap();
    file.sync_all().unwrap();
    observe_some(&mut service, day, &mut file, "started just now");
    take_in(&mut service, &records(day + 1));
    observe_some(&mut service, day + 2, &mut file, "after a day");
}

fn observe_some(service: &mut AnomalyService, day: u64, file: &mut File, what: &str) {
    const TIMES: u64 = 500;
    let begin = Instant::now();
    let mut observed = Vec::new();
    let mut flushed = Vec::new();
    let mut processor = Duration::ZERO;
    for stream in 0..TIMES {
        // Streams that are not side by side, as jobs come.
        let job = job(stream * 7_919 % STREAMS, day).unwrap();
        let (on_processor, on_clock) = (processor_time(begin), Instant::now());
        let known = service.observe(&job).unwrap().already_known;
        observed.push(on_clock.elapsed());
        processor += processor_time(begin).saturating_sub(on_processor);
        assert!(!known);

        let on_clock = Instant::now();
        file.seek(SeekFrom::Start(stream * PAGE_BYTES as u64))
            .unwrap();
        file.write_all(&[1; PAGE_BYTES]).unwrap();
        file.sync_data().unwrap();
        flushed.push(on_clock.elapsed());
    }
    let mut beyond: Vec<f64> = observed
        .iter()
        .zip(&flushed)
        .map(|(one, other)| one.as_secs_f64() - other.as_secs_f64())
        .collect();
    observed.sort_unstable();
    flushed.sort_unstable();
    beyond.sort_unstable_by(f64::total_cmp);
    let middle = observed.len() / 2;
    println!(
        "one durable job, {what}: median {:?}; a page flushed: median {:?}; one over the other, \
         median of the pairs: {:.0} us; processor time of a job {:?}",
        observed[middle],
        flushed[middle],
        beyond[middle] * 1e6,
        processor / u32::try_from(TIMES).unwrap()
    );
}

criterion_group!(benches, million);
criterion_main!(benches);
