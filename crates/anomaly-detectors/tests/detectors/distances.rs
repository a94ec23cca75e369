//! What holds for both detectors that measure distances between rows: neighbours and clusters.

use anomaly_detectors::ndarray::{Array1, Array2, ArrayView2, Axis, array};
use anomaly_detectors::{
    ClusterDistanceParams, DetectorError, Fit, MAX_DISTANCE, NearestNeighboursParams, Score,
    Transform,
};
use proptest::prelude::*;

use crate::data::{any_number, bits, matrix, slope};

/// Both detectors in several settings, fitted. Four of nearest neighbours come first.
fn fit_all(data: ArrayView2<'_, f64>) -> Result<Vec<Box<dyn Score>>, DetectorError> {
    let mut fitted: Vec<Box<dyn Score>> = Vec::new();
    for transform in [Transform::Linear, Transform::SignedLog] {
        for trim in [0.0, 0.25] {
            let params = NearestNeighboursParams::default().samples(7).sample_rows(4);
            let detector = params.transform(transform).trim(trim).check()?;
            fitted.push(Box::new(detector.fit(data)?));
        }
    }
    for transform in [Transform::Linear, Transform::SignedLog] {
        for cluster_rows in [2, 4] {
            let params = ClusterDistanceParams::default().cluster_rows(cluster_rows);
            let detector = params.transform(transform).max_rows(30).check()?;
            fitted.push(Box::new(detector.fit(data)?));
        }
    }
    Ok(fitted)
}

proptest! {
    #[test]
    fn contributions_make_the_score(
        (history, new) in (0..5_usize).prop_flat_map(|columns| (
            matrix(2..40_usize, Just(columns), any_number()),
            matrix(0..40_usize, Just(columns), any_number()),
        ))
    ) {
        for detector in fit_all(history.view()).unwrap() {
            for row in new.rows() {
                let score = detector.score_row(row).unwrap();
                prop_assert!(score >= 0.0);
                let contributions = detector.explain(row).unwrap();
                prop_assert!(contributions.iter().all(|value| *value >= 0.0));
                prop_assert!((contributions.sum() - score).abs() <= 1e-12 * score, "{contributions} {score}");
            }
        }
    }

    #[test]
    fn units_do_not_matter(
        data in matrix(3..40_usize, Just(2), -10.0..10.0),
        exponents in (-300..300_i32, -300..300_i32),
        shift in -100_000..100_000_i32,
    ) {
        let units = array![2_f64.powi(exponents.0), -2_f64.powi(exponents.1)];
        let scaled = &data * &units;
        let unshifted = (&data * 1024.0).round();
        let shifted = &unshifted + f64::from(shift);
        let scores = |data: &Array2<f64>| -> Vec<Vec<u64>> {
            let fitted = fit_all(data.view()).unwrap();
            fitted.iter().map(|usual| bits(&usual.score(data.view()).unwrap())).collect()
        };
        prop_assert_eq!(scores(&scaled), scores(&data));
        // The medians of whole numbers and their differences are exact.
        prop_assert_eq!(scores(&shifted), scores(&unshifted));
    }

    #[test]
    fn a_missing_value_to_score_adds_nothing(
        data in matrix(2..30_usize, Just(3), -10.0..10.0),
        row in matrix(Just(1), Just(3), any_number()),
        seen in any_number(),
    ) {
        // A column that says nothing in the history, so that the fits agree.
        let mut holey = data.clone();
        holey.column_mut(1).fill(1.0);
        let mut row = row.row(0).to_owned();
        row[1] = f64::NAN;
        let rest = data.select(Axis(1), &[0, 2]);
        let present = row.select(Axis(0), &[0, 2]);
        for (with, without) in fit_all(holey.view()).unwrap().iter().zip(fit_all(rest.view()).unwrap()) {
            prop_assert_eq!(with.score_row(row.view()), without.score_row(present.view()));
            prop_assert_eq!(with.explain(row.view()).unwrap()[1], 0.0);
        }
        // And one that was never there is not judged.
        holey.column_mut(1).fill(f64::NAN);
        row[1] = seen;
        for (with, without) in fit_all(holey.view()).unwrap().iter().zip(fit_all(rest.view()).unwrap()) {
            prop_assert_eq!(with.score_row(row.view()), without.score_row(present.view()));
        }
    }
}

#[test]
fn an_obvious_outlier_ranks_first_and_is_explained() {
    let mut data = slope(300, 4);
    data[[123, 2]] = 5_000.0;
    for usual in fit_all(data.view()).unwrap() {
        let scores = usual.score(data.view()).unwrap();
        let strangest = (0..300).max_by(|&a, &b| scores[a].total_cmp(&scores[b]));
        assert_eq!(strangest, Some(123), "{usual:?}");
        let contributions = usual.explain(data.row(123)).unwrap();
        assert!(contributions[2] > 0.9 * scores[123], "{contributions}");
    }
}

#[test]
fn a_constant_is_left_or_kept() {
    let mut data = slope(50, 2);
    data.column_mut(1).fill(0.1);
    for usual in fit_all(data.view()).unwrap() {
        let kept = usual.score_row(array![50.3, 0.1].view()).unwrap();
        let left = usual.score_row(array![50.3, 0.2].view()).unwrap();
        assert!(left > 20.0 * kept && left <= MAX_DISTANCE * 1e3);
    }
    let equal = Array2::from_elem((20, 2), 7.0);
    for usual in fit_all(equal.view()).unwrap() {
        assert_eq!(usual.score_row(equal.row(0)), Ok(0.0));
        assert!(usual.score_row(array![7.0, 7.1].view()).unwrap() > 100.0);
    }
}

#[test]
fn nothing_to_measure_scores_nothing() {
    let empty = Array2::<f64>::zeros((20, 0));
    for usual in fit_all(empty.view()).unwrap() {
        assert_eq!(usual.score(empty.view()), Ok(Array1::zeros(20)));
        assert_eq!(usual.explain(empty.row(0)).unwrap().len(), 0);
    }
}
