//! Larger is stranger, and the explanation says why.

use anomaly_detectors::ndarray::{Array1, Array2, Axis, concatenate};
use anomaly_detectors::{Aggregation, Fit, IsolationForest, Score};
use proptest::prelude::*;

use crate::data::{AGGREGATIONS, any_number, fit_all, forest, matrix, univariate};

proptest! {
    #[test]
    fn contributions_make_the_score(data in matrix(2..40_usize, 1..5_usize, -10.0..10.0)) {
        for aggregation in AGGREGATIONS {
            let (_, modified, _) = univariate(aggregation, 0.0);
            let usual = modified.fit(data.view()).unwrap();
            for row in data.rows() {
                let contributions = usual.explain(row).unwrap();
                let whole = match aggregation {
                    Aggregation::Max => contributions.fold(0.0, |a: f64, &b| a.max(b)),
                    _ => contributions.sum(),
                };
                let score = usual.score_row(row).unwrap();
                prop_assert!((whole - score).abs() <= 1e-12 * (1.0 + score));
            }
        }
        let usual = forest(7).fit(data.view()).unwrap();
        for row in data.rows() {
            let whole = usual.explain(row).unwrap().sum();
            let score = usual.score_row(row).unwrap();
            prop_assert!((whole - (1.0 + score.log2())).abs() < 1e-12);
        }
    }

    #[test]
    fn farther_out_is_never_less_strange(
        data in matrix(2..30_usize, Just(2), any_number()),
        other in any_number(),
        mut values in proptest::collection::vec(any_number(), 2..10),
    ) {
        values.retain(|value| !value.is_nan());
        for detector in fit_all(data.view()).unwrap().iter().skip(1) {
            let score = |value: f64| {
                detector.score_row(Array1::from(vec![value, other]).view()).unwrap()
            };
            for pair in values.windows(2) {
                let (low, high) = (pair[0].min(pair[1]), pair[0].max(pair[1]));
                let middle = f64::midpoint(low, high);
                if middle.is_finite() {
                    // Scores rise with the distance from the location, on both sides of it.
                    let ends = score(low).max(score(high));
                    prop_assert!(score(middle) <= ends * (1.0 + 1e-12), "{detector:?} {low} {high}");
                }
            }
        }
    }
}

#[test]
fn an_obvious_outlier_ranks_first_and_is_explained() {
    let usual = Array2::from_shape_fn((300, 4), |(row, column)| {
        let spread = [1.0, 1e-6, 1e9, 0.5][column];
        f64::sin((row * (column + 3)) as f64) * spread
    });
    let outlier = Array1::from(vec![0.1, 0.0, 9e9, 0.2]).insert_axis(Axis(0));
    let data = concatenate(Axis(0), &[usual.view(), outlier.view()]).unwrap();
    let mut detectors = fit_all(data.view()).unwrap();
    detectors.push(Box::new(
        IsolationForest::default().fit(data.view()).unwrap(),
    ));
    for detector in detectors
        .split_off(1)
        .into_iter()
        .filter(|d| d.columns() == 4)
    {
        let scores = detector.score(data.view()).unwrap();
        let strangest = (0..301).max_by(|&a, &b| scores[a].total_cmp(&scores[b]));
        assert_eq!(strangest, Some(300), "{detector:?}");
        let contributions = detector.explain(data.row(300)).unwrap();
        let others = contributions
            .iter()
            .enumerate()
            .filter(|&(column, _)| column != 2);
        assert!(
            others
                .into_iter()
                .all(|(_, &other)| other < contributions[2]),
            "{contributions}"
        );
    }
}
