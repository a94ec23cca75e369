//! Scores stay numbers, whatever the data.

use anomaly_detectors::ndarray::{Array2, Axis};
use anomaly_detectors::tail::Side;
use anomaly_detectors::{Aggregation, DetectorError, Fit, Score, Univariate};
use proptest::prelude::*;

use crate::data::{any_number, fit_all, matrix, univariate};

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
            prop_assert!(scores.iter().all(|score| score.is_finite()), "{detector:?}: {scores}");
            for (row, score) in new.rows().into_iter().zip(&scores) {
                prop_assert_eq!(detector.score_row(row).unwrap().to_bits(), score.to_bits());
                let contributions = detector.explain(row).unwrap();
                prop_assert_eq!(contributions.len(), new.ncols());
                prop_assert!(contributions.iter().all(|value| value.is_finite()));
            }
        }
    }

    #[test]
    fn a_missing_value_adds_nothing(
        data in matrix(2..30_usize, Just(3), any_number()),
        row in matrix(Just(1), Just(3), any_number()),
    ) {
        let mut holey = row.clone();
        holey[[0, 1]] = f64::NAN;
        let (z_score, modified, iqr) = univariate(Aggregation::LogSum, 0.0);
        let rest = data.select(Axis(1), &[0, 2]);
        let row = row.select(Axis(1), &[0, 2]);
        adds_nothing(&z_score, (&data, &holey), (&rest, &row))?;
        adds_nothing(&modified, (&data, &holey), (&rest, &row))?;
        adds_nothing(&iqr, (&data, &holey), (&rest, &row))?;
    }
}

/// Whether rows with a missing value in column 1 score as rows without that column do.
fn adds_nothing<D: Univariate>(
    detector: &D,
    (data, holey): (&Array2<f64>, &Array2<f64>),
    (rest, row): (&Array2<f64>, &Array2<f64>),
) -> Result<(), TestCaseError> {
    let with = detector.fit(data.view()).unwrap();
    let without = detector.fit(rest.view()).unwrap();
    prop_assert_eq!(with.score(holey.view()), without.score(row.view()));
    prop_assert_eq!(with.explain(holey.row(0)).unwrap()[1].to_bits(), 0);
    prop_assert_eq!(with.p_value(1, f64::NAN, Side::Both), None);
    Ok(())
}

#[test]
fn ten_thousand_columns_are_fine() {
    let data = Array2::from_shape_fn((20, 10_000), |(row, column)| ((row * column) % 17) as f64);
    for detector in fit_all(data.view()).unwrap() {
        let scores = detector.score(data.view()).unwrap();
        assert!(scores.iter().all(|score| score.is_finite()));
    }
}
