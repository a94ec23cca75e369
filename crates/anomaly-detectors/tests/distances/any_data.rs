//! What holds for both detectors on any data.

use anomaly_detectors::ndarray::{Array1, Array2, Axis, array};
use anomaly_detectors::{ClusterDistance, DetectorError, Fit, MAX_DISTANCE, NearestNeighbours};
use proptest::prelude::*;

use crate::data::{any_number, bits, fit_all, matrix, slope};

proptest! {
    #[test]
    fn any_data_has_finite_scores(
        (history, new) in (0..5_usize).prop_flat_map(|columns| (
            matrix(0..40_usize, Just(columns), any_number()),
            matrix(0..40_usize, Just(columns), any_number()),
        ))
    ) {
        if history.nrows() < 2 {
            let error = fit_all(history.view()).unwrap_err();
            let too_few = matches!(error, DetectorError::NotEnoughHistory { needed: 2, .. });
            prop_assert!(too_few, "{error}");
            return Ok(());
        }
        for detector in fit_all(history.view()).unwrap() {
            let scores = detector.score(new.view()).unwrap();
            prop_assert!(scores.iter().all(|s| s.is_finite() && *s >= 0.0), "{detector:?}: {scores}");
            for (row, score) in new.rows().into_iter().zip(&scores) {
                prop_assert_eq!(detector.score_row(row).unwrap().to_bits(), score.to_bits());
                let contributions = detector.explain(row).unwrap();
                prop_assert_eq!(contributions.len(), new.ncols());
                prop_assert!(contributions.iter().all(|value| *value >= 0.0));
                prop_assert!((contributions.sum() - score).abs() <= 1e-12 * score, "{contributions} {score}");
            }
        }
    }

    #[test]
    fn units_and_layout_do_not_matter(
        data in matrix(3..40_usize, Just(2), -10.0..10.0),
        exponents in (-300..300_i32, -300..300_i32),
        shift in -100_000..100_000_i32,
    ) {
        let units = array![2_f64.powi(exponents.0), -2_f64.powi(exponents.1)];
        let scaled = &data * &units;
                let unshifted = (&data * 1024.0).round();
        let shifted = &unshifted + f64::from(shift);
        let by_column = data.t().as_standard_layout().into_owned();
        let scores = |data: &Array2<f64>| -> Vec<Vec<u64>> {
            let fitted = fit_all(data.view()).unwrap();
            fitted.iter().map(|usual| bits(&usual.score(data.view()).unwrap())).collect()
        };
        let by_row = scores(&data);
        prop_assert_eq!(&scores(&scaled), &by_row);
        prop_assert_eq!(&scores(&by_column.reversed_axes()), &by_row);
        // The medians of whole numbers and their differences are exact.
        prop_assert_eq!(scores(&shifted), scores(&unshifted));
    }

    #[test]
    fn the_order_of_rows_to_score_does_not_matter(data in matrix(2..40_usize, Just(3), any_number())) {
        let order: Vec<usize> = (0..data.nrows()).rev().collect();
        for usual in fit_all(data.view()).unwrap() {
            let scores = usual.score(data.view()).unwrap().select(Axis(0), &order);
            let reversed = usual.score(data.select(Axis(0), &order).view()).unwrap();
            prop_assert_eq!(bits(&reversed), bits(&scores));
        }
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

#[test]
fn ten_thousand_columns_are_fine() {
    let data = Array2::from_shape_fn((20, 10_000), |(row, column)| ((row * column) % 17) as f64);
    for usual in fit_all(data.view()).unwrap() {
        let scores = usual.score(data.view()).unwrap();
        assert!(scores.iter().all(|score| score.is_finite()));
    }
}

#[test]
fn wrong_shapes_are_named() {
    let data = slope(10, 3);
    for usual in fit_all(data.view()).unwrap() {
        let width = DetectorError::WidthMismatch {
            fitted: 3,
            given: 2,
        };
        let narrow = array![1.0, 2.0];
        assert_eq!(usual.score_row(narrow.view()), Err(width.clone()));
        assert_eq!(usual.explain(narrow.view()), Err(width.clone()));
        assert_eq!(usual.score(Array2::zeros((1, 2)).view()), Err(width));
        let length = DetectorError::OutputLength { rows: 10, given: 1 };
        let mut room = Array1::zeros(1);
        assert_eq!(usual.score_into(data.view(), room.view_mut()), Err(length));
    }
    let one_row = slope(1, 3);
    let message = |error: DetectorError| error.to_string();
    assert_eq!(
        message(
            NearestNeighbours::default()
                .fit(one_row.view())
                .unwrap_err()
        ),
        "1 rows of history: nearest-neighbours needs at least 2"
    );
    assert_eq!(
        message(ClusterDistance::default().fit(one_row.view()).unwrap_err()),
        "1 rows of history: cluster-distance needs at least 2"
    );
}

#[cfg(feature = "rayon")]
#[test]
fn the_number_of_threads_changes_nothing() {
    let data = slope(1_001, 3);
    let run = |threads| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        pool.install(|| {
            use anomaly_detectors::Score;
            let neighbours = NearestNeighbours::default().fit(data.view()).unwrap();
            let clusters = ClusterDistance::default().fit(data.view()).unwrap();
            let scores = [
                neighbours.score(data.view()).unwrap(),
                clusters.score(data.view()).unwrap(),
            ];
            (neighbours, clusters, scores.map(|scores| bits(&scores)))
        })
    };
    let one = run(1);
    assert_eq!(one, run(2));
    assert_eq!(one, run(7));
}
