//! Reading the jobs database of NetBackup: lines a second, parsed, brought together and validated.

use std::hint::black_box;

use anomaly_sources::{Format, ReadOptions, Record, read};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

use crate::printed::{Job, Version};

#[path = "../../crates/anomaly-sources/tests/netbackup/printed.rs"]
#[allow(dead_code, clippy::unwrap_used, reason = "shared with the tests")]
mod printed;

const LINES: u64 = 20_000;

/// What a site runs, the newest first: backups of one stream, backups of three streams with their
/// parents, and jobs that are no backups.
fn jobs() -> Vec<Job> {
    let job = |id: u64| {
        let place = id % 10;
        let root = id - place;
        let is_child = (1..=3).contains(&place);
        let own = Job::default();
        Job {
            id,
            kind: if place == 9 { 4 } else { 0 },
            client: format!("client{:03}", root / 10 % 500),
            policy: format!("policy{}", root / 10 % 20),
            started: own.started + id,
            ended: own.ended.map(|ended| ended + id),
            parent: if is_child { root } else { id },
            has_backup_id: place != 0,
            kilobytes: (place != 0).then_some(1_000_000 + id),
            dedup: (place != 0).then_some((58.3, 31.4)),
            moved: (place != 0).then_some(102_225),
            ..own
        }
    };
    (0..LINES).rev().map(job).collect()
}

fn bpdbjobs(criterion: &mut Criterion) {
    let jobs = jobs();
    let print = |line: fn(&Job, Version) -> String| {
        let lines: Vec<_> = jobs.iter().map(|job| line(job, Version::V9)).collect();
        lines.join("\n")
    };
    let mut group = criterion.benchmark_group("bpdbjobs");
    group
        .throughput(Throughput::Elements(LINES))
        .sample_size(20);
    for (name, text) in [
        ("most_columns", print(Job::most_columns)),
        ("all_columns", print(Job::all_columns)),
    ] {
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                let text = black_box(text.as_bytes());
                let options = ReadOptions::default();
                let records = read(text, Format::NetBackupBpdbjobs, &options);
                let records = records.into_iter().flatten();
                records
                    .filter(|record| matches!(record, Ok(Record::Job(_))))
                    .count()
            });
        });
    }
    group.finish();
}

criterion_group!(benches, bpdbjobs);
criterion_main!(benches);
