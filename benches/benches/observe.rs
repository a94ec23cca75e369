//! Judging one job: the whole way from a job to a verdict, and storing a model in between.

use std::hint::black_box;

use anomaly_engine::{Engine, StreamModel};
use anomaly_model::chrono::{DateTime, TimeDelta};
use anomaly_model::{BackupImage, BackupJob, ContentStatistics, ModelError};
use anomaly_settings::{HistoryJobs, Settings};
use criterion::{BatchSize, BenchmarkId, Criterion, criterion_group, criterion_main};

/// A usual job, with what NetBackup reports or with everything.
fn job(day: u64, everything: bool) -> Result<BackupJob, ModelError> {
    let wave = day * 7 % 11;
    let mut image = BackupImage::default()
        .image_bytes(10_000_000_000 + day * 3_000_000)
        .file_count(50_000 + day * 2)
        .transferred_bytes(100_000_000 + wave * 20_000_000);
    if everything {
        let content = ContentStatistics::default()
            .mean_entropy_bits(4.5 + wave as f64 / 40.0)
            .mean_entropy_bits_changed(4.6 + wave as f64 / 50.0)
            .entropy_delta_bits_changed(0.01)
            .random_files(wave)
            .unseen_extension_files(wave / 3)
            .extension_shift(0.01)
            .renamed_files(wave / 2)
            .emptied_files(0);
        image = image
            .files_new(5 + wave)
            .files_changed(300 + wave * 40)
            .files_deleted(2 + wave % 3)
            .directory_count(4_000 + day)
            .stored_bytes(40_000_000 + wave * 9_000_000)
            .content(content);
    }
    let start = DateTime::UNIX_EPOCH + TimeDelta::days(day.cast_signed());
    BackupJob::builder("restic", day.to_string(), "mail01", "daily", start)
        .ended_at(start + TimeDelta::seconds(600 + wave.cast_signed() * 30))
        .image(image)
        .build()
}

/// An engine whose streams keep every job of this history: the default keeps the newest 120.
fn engine(history: u32) -> Engine {
    let mut settings = Settings::default();
    if let Ok(history) = HistoryJobs::new(history)
        && settings.detection.history_jobs < history
    {
        settings.detection.history_jobs = history;
    }
    Engine::new(settings)
}

fn observe(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("observe");
    for (name, everything) in [("five-features", false), ("all-features", true)] {
        for history in [20, 120, 400] {
            let (engine, mut model) = (engine(history), StreamModel::default());
            let jobs: Result<Vec<BackupJob>, _> = (0..=history.into())
                .map(|day| job(day, everything))
                .collect();
            let Ok(jobs) = jobs else { continue };
            let Some((next, learnt)) = jobs.split_last() else {
                continue;
            };
            for job in learnt {
                _ = engine.judge(job, &mut model);
            }
            group.bench_function(BenchmarkId::new(name, history), |bencher| {
                bencher.iter_batched_ref(
                    || model.clone(),
                    |model| black_box(engine.judge(next, model)),
                    BatchSize::SmallInput,
                );
            });
            let Ok(state) = model.to_bytes() else {
                continue;
            };
            group.bench_function(
                BenchmarkId::new(format!("{name}-restore"), history),
                |bencher| {
                    bencher.iter(|| StreamModel::from_bytes(black_box(&state)));
                },
            );
        }
    }
    group.finish();
}

criterion_group!(benches, observe);
criterion_main!(benches);
