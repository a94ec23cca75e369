//! Fit and score of every detector with its default parameters, and of the plain isolation forest.

use std::hint::black_box;
use std::time::Duration;

use anomaly_detectors::{
    ClusterDistance, DetectorError, Ecod, Ensemble, Fit, Histogram, Iqr, IsolationForest,
    IsolationForestParams, Mahalanobis, ModifiedZScore, NearestNeighbours, Score, ZScore,
};
use benches::observations;
use criterion::{
    BenchmarkId, Criterion, SamplingMode, Throughput, criterion_group, criterion_main,
};
use ndarray::{Array1, ArrayView2};

/// Rows and columns; detectors are compared on 200,000 rows of 5.
const SHAPES: [(usize, usize); 4] = [(1_000, 5), (1_000, 20), (200_000, 5), (200_000, 20)];

/// Fits one detector.
type Fitting = Box<dyn Fn(ArrayView2<'_, f64>) -> Result<Box<dyn Score>, DetectorError>>;

/// Every detector with its name, and the forest as first published.
fn every_detector() -> Vec<(&'static str, Fitting)> {
    let plain = IsolationForestParams::plain().check().unwrap_or_default();
    vec![
        ("z-score", fitting(ZScore::default())),
        ("modified-z-score", fitting(ModifiedZScore::default())),
        ("iqr", fitting(Iqr::default())),
        ("isolation-forest", fitting(IsolationForest::default())),
        ("isolation-forest-plain", fitting(plain)),
        ("cluster-distance", fitting(ClusterDistance::default())),
        ("nearest-neighbours", fitting(NearestNeighbours::default())),
        ("histogram", fitting(Histogram::default())),
        ("mahalanobis", fitting(Mahalanobis::default())),
        ("ecod", fitting(Ecod::default())),
        ("ensemble", fitting(Ensemble::default())),
    ]
}

fn fitting<D: Fit<Fitted: 'static> + 'static>(detector: D) -> Fitting {
    Box::new(move |data| Ok(Box::new(detector.fit(data)?)))
}

fn detectors(criterion: &mut Criterion) {
    let matrices = SHAPES.map(|(rows, columns)| observations(rows, columns));
    for (name, fit) in every_detector() {
        let mut group = criterion.benchmark_group(name);
        group
            .sampling_mode(SamplingMode::Flat)
            .sample_size(10)
            .warm_up_time(Duration::from_millis(300))
            .measurement_time(Duration::from_secs(1));
        for data in &matrices {
            let (rows, columns) = data.dim();
            let shape = format!("{rows}x{columns}");
            group.throughput(Throughput::Elements(rows as u64));
            group.bench_function(BenchmarkId::new("fit", &shape), |bencher| {
                bencher.iter(|| fit(black_box(data.view())));
            });
            group.bench_function(BenchmarkId::new("score", &shape), |bencher| {
                let Ok(fitted) = fit(data.view()) else {
                    unreachable!("data with rows can be fitted");
                };
                let mut scores = Array1::zeros(rows);
                bencher.iter(|| fitted.score_into(black_box(data.view()), scores.view_mut()));
            });
        }
        group.finish();
    }
}

criterion_group!(benches_of_detectors, detectors);
criterion_main!(benches_of_detectors);
