//! Fit and score of every detector with its default parameters.

use std::hint::black_box;
use std::time::Duration;

use anomaly_detectors::{
    ClusterDistance, DetectorError, Ecod, Fit, Iqr, IsolationForest, ModifiedZScore,
    NearestNeighbours, Score, ZScore,
};
use benches::observations;
use criterion::{
    BenchmarkId, Criterion, SamplingMode, Throughput, criterion_group, criterion_main,
};
use ndarray::{Array1, Array2};

const ROWS: [usize; 3] = [1_000, 10_000, 100_000];
const COLUMNS: [usize; 2] = [5, 20];

fn bench<D: Fit>(
    criterion: &mut Criterion,
    name: &str,
    detector: &D,
    matrices: &[Array2<f64>],
) -> Result<(), DetectorError> {
    let mut group = criterion.benchmark_group(name);
    group
        .sampling_mode(SamplingMode::Flat)
        .sample_size(10)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1));
    for data in matrices {
        let (rows, columns) = data.dim();
        let fitted = detector.fit(data.view())?;
        let mut scores = Array1::zeros(rows);
        group.throughput(Throughput::Elements(rows as u64));
        group.bench_function(
            BenchmarkId::new("fit", format!("{rows}x{columns}")),
            |bencher| {
                bencher.iter(|| detector.fit(black_box(data.view())));
            },
        );
        group.bench_function(
            BenchmarkId::new("score", format!("{rows}x{columns}")),
            |bencher| {
                bencher.iter(|| fitted.score_into(black_box(data.view()), scores.view_mut()));
            },
        );
    }
    group.finish();
    Ok(())
}

fn detectors(criterion: &mut Criterion) {
    let matrices: Vec<_> = COLUMNS
        .into_iter()
        .flat_map(|columns| ROWS.map(|rows| observations(rows, columns)))
        .collect();
    let mut all = || {
        bench(criterion, "z-score", &ZScore::default(), &matrices)?;
        bench(
            criterion,
            "modified-z-score",
            &ModifiedZScore::default(),
            &matrices,
        )?;
        bench(criterion, "ecod", &Ecod::default(), &matrices)?;
        bench(criterion, "iqr", &Iqr::default(), &matrices)?;
        bench(
            criterion,
            "isolation-forest",
            &IsolationForest::default(),
            &matrices,
        )?;
        bench(
            criterion,
            "nearest-neighbours",
            &NearestNeighbours::default(),
            &matrices,
        )?;
        bench(
            criterion,
            "cluster-distance",
            &ClusterDistance::default(),
            &matrices,
        )
    };
    if let Err(error) = all() {
        unreachable!("data with rows can be fitted: {error}");
    }
}

criterion_group!(benches_of_detectors, detectors);
criterion_main!(benches_of_detectors);
