//! Data and detectors for the tests.

use anomaly_detectors::ndarray::{Array1, Array2, ArrayView2};
use anomaly_detectors::{
    Aggregation, DetectorError, Fit, Iqr, IqrParams, IsolationForest, IsolationForestParams,
    ModifiedZScore, ModifiedZScoreParams, Score, ZScore, ZScoreParams,
};
use proptest::prelude::*;

pub(crate) const AGGREGATIONS: [Aggregation; 3] = [
    Aggregation::Max,
    Aggregation::SumOfSquares,
    Aggregation::LogSum,
];

/// Whatever a float can be, often the same and often ugly.
pub(crate) fn any_number() -> impl Strategy<Value = f64> + Clone {
    let ugly = [
        f64::NAN,
        f64::INFINITY,
        f64::NEG_INFINITY,
        f64::MAX,
        f64::MIN,
        1e308,
        -1e308,
        f64::MIN_POSITIVE,
        5e-324,
        -0.0,
        0.0,
        0.1,
        1.0,
    ];
    prop_oneof![
        4 => proptest::sample::select(ugly.to_vec()),
        3 => any::<f64>(),
        3 => -10.0..10.0,
    ]
}

pub(crate) fn matrix(
    rows: impl Strategy<Value = usize>,
    columns: impl Strategy<Value = usize>,
    number: impl Strategy<Value = f64> + Clone,
) -> impl Strategy<Value = Array2<f64>> {
    (rows, columns).prop_flat_map(move |(rows, columns)| {
        proptest::collection::vec(number.clone(), rows * columns)
            .prop_map(move |values| Array2::from_shape_vec((rows, columns), values).unwrap())
    })
}

pub(crate) fn forest(trees: usize) -> IsolationForest {
    let params = IsolationForestParams::default().max_samples(16);
    params.trees(trees).check().unwrap()
}

pub(crate) fn univariate(
    aggregation: Aggregation,
    min_scale: f64,
) -> (ZScore, ModifiedZScore, Iqr) {
    let z_score = ZScoreParams::default().aggregation(aggregation);
    let modified = ModifiedZScoreParams::default().aggregation(aggregation);
    let iqr = IqrParams::default().aggregation(aggregation);
    (
        z_score.min_scale(min_scale).check().unwrap(),
        modified.min_scale(min_scale).check().unwrap(),
        iqr.min_scale(min_scale).check().unwrap(),
    )
}

/// All detectors in several settings, fitted.
pub(crate) fn fit_all(data: ArrayView2<'_, f64>) -> Result<Vec<Box<dyn Score>>, DetectorError> {
    let mut fitted: Vec<Box<dyn Score>> = vec![Box::new(forest(5).fit(data)?)];
    for aggregation in AGGREGATIONS {
        for min_scale in [0.0, 0.5] {
            let (z_score, modified, iqr) = univariate(aggregation, min_scale);
            fitted.push(Box::new(z_score.fit(data)?));
            fitted.push(Box::new(modified.fit(data)?));
            fitted.push(Box::new(iqr.fit(data)?));
        }
    }
    Ok(fitted)
}

pub(crate) fn bits(scores: &Array1<f64>) -> Vec<u64> {
    scores.iter().map(|score| score.to_bits()).collect()
}
