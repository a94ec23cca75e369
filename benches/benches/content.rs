//! Looking into the bytes of files, beside copying them.
//!
//! Each sample is the fastest of its turns: what else runs on the machine is in the others.

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anomaly_features::content::{
    BlockStatistics, FileObservation, FilesSeen, Inspection, Sampling,
};
use anomaly_model::FileChange;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use rand::Rng;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

/// Long enough for steady figures, and short enough for one turn on a busy core.
const FILE_BYTES: usize = 1 << 20;
/// What a reader hands over at once.
const PIECE_BYTES: usize = 1 << 16;

/// The time that this many turns would take if each were as fast as the fastest.
fn fastest<T>(turns: u64, mut turn: impl FnMut() -> T) -> Duration {
    let times = (0..turns).map(|_| {
        let start = Instant::now();
        black_box(turn());
        start.elapsed()
    });
    let fastest = times.min().unwrap_or_default();
    fastest * u32::try_from(turns).unwrap_or(u32::MAX)
}

fn random() -> Vec<u8> {
    let mut bytes = vec![0; FILE_BYTES];
    ChaCha8Rng::seed_from_u64(0).fill_bytes(&mut bytes);
    bytes
}

fn text() -> Vec<u8> {
    let source = include_str!("../../crates/anomaly-features/src/share.rs");
    source.bytes().cycle().take(FILE_BYTES).collect()
}

fn statistics(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("content");
    group.throughput(Throughput::Bytes(FILE_BYTES as u64));
    let size_bytes = Some(FILE_BYTES as u64);
    for (name, file) in [
        ("random", random()),
        ("text", text()),
        ("zeros", vec![0; FILE_BYTES]),
    ] {
        let mut copy = vec![0; FILE_BYTES];
        group.bench_function(format!("memcpy/{name}"), |bencher| {
            bencher.iter_custom(|turns| {
                fastest(turns, || {
                    copy.copy_from_slice(black_box(&file));
                    black_box(&mut copy);
                })
            });
        });
        for (mode, sampling, size_bytes) in [
            ("full", Sampling::Full, size_bytes),
            ("full-unknown-size", Sampling::Full, None),
            ("strided", Sampling::Strided { seed: 1 }, size_bytes),
            ("strided-unknown-size", Sampling::Strided { seed: 1 }, None),
        ] {
            let mut statistics = BlockStatistics::new(sampling, size_bytes);
            group.bench_function(format!("{mode}/{name}"), |bencher| {
                bencher.iter_custom(|turns| {
                    fastest(turns, || {
                        statistics.restart(size_bytes);
                        for piece in black_box(&file).chunks(PIECE_BYTES) {
                            statistics.update(piece);
                        }
                        statistics.finish()
                    })
                });
            });
        }
    }
    group.finish();
}

/// Files that are read whole, and files that are only counted.
fn files(criterion: &mut Criterion) {
    let text = text();
    let mut group = criterion.benchmark_group("files");
    for size in [100, 4_096, 65_536] {
        let mut statistics = BlockStatistics::new(Sampling::Full, None);
        group.bench_function(format!("statistics/{size}"), |bencher| {
            bencher.iter_custom(|turns| {
                fastest(turns, || {
                    statistics.restart(Some(size as u64));
                    statistics.update(black_box(&text[..size]));
                    statistics.finish()
                })
            });
        });
    }
    let extensions = [
        "c", "docx", "h", "jpg", "md", "pdf", "rs", "toml", "txt", "xlsx",
    ];
    let names: Vec<String> = (0..1_000)
        .map(|number| format!("home/file-{number}.{}", extensions[number % 10]))
        .collect();
    let mut statistics = BlockStatistics::new(Sampling::Full, None);
    statistics.update(&text[..20_000]);
    let found = statistics.finish();
    group.throughput(Throughput::Elements(names.len() as u64));
    for (name, change) in [
        ("unmodified", FileChange::Unmodified),
        ("new", FileChange::New),
    ] {
        let mut seen = FilesSeen::new(Arc::new(Inspection::new()));
        group.bench_function(format!("observe/{name}"), |bencher| {
            bencher.iter_custom(|turns| {
                fastest(turns, || {
                    for (number, name) in names.iter().enumerate() {
                        let mut file = FileObservation::new(name, change);
                        file.size_bytes = Some(10_000 + number as u64);
                        if change == FileChange::New {
                            file.statistics = Some(&found);
                        }
                        seen.observe(&file);
                    }
                })
            });
        });
    }
    group.finish();
}

criterion_group!(benches, statistics, files);
criterion_main!(benches);
