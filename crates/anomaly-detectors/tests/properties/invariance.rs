//! What does not change a score.

use anomaly_detectors::ndarray::{Array2, Axis, array};
use anomaly_detectors::{Aggregation, Baseline, Fit, Score, Univariate, ZScore};
use proptest::prelude::*;

use crate::data::{any_number, bits, fit_all, matrix, univariate};

proptest! {
    #[test]
    fn the_layout_of_the_data_does_not_matter(data in matrix(2..40_usize, 1..5_usize, any_number())) {
        let transposed = data.t().as_standard_layout().into_owned();
        let by_column = fit_all(transposed.t()).unwrap();
        for (by_row, by_column) in fit_all(data.view()).unwrap().iter().zip(by_column) {
            let scores = by_row.score(data.view()).unwrap();
            prop_assert_eq!(bits(&scores), bits(&by_column.score(transposed.t()).unwrap()));
        }
    }

    #[test]
    fn the_order_of_history_does_not_matter_to_univariate_detectors(
        (data, shuffled) in matrix(2..30_usize, Just(2), any_number()).prop_flat_map(|data| {
            let order = Just((0..data.nrows()).collect::<Vec<_>>()).prop_shuffle();
            let shuffled = order.prop_map({
                let data = data.clone();
                move |order| data.select(Axis(0), &order)
            });
            (Just(data), shuffled)
        })
    ) {
        let (z_score, modified, iqr) = univariate(Aggregation::LogSum, 0.0);
        prop_assert_eq!(modified.fit(data.view()), modified.fit(shuffled.view()));
        prop_assert_eq!(iqr.fit(data.view()), iqr.fit(shuffled.view()));
        let ours = z_score.fit(data.view()).unwrap();
        let theirs = z_score.fit(shuffled.view()).unwrap();
        for (a, b) in ours.baselines().iter().zip(theirs.baselines()) {
            let largest = a.location().abs().max(a.scale());
            prop_assert!((a.location() - b.location()).abs() <= 1e-14 * largest);
            prop_assert!((a.scale() - b.scale()).abs() <= 1e-14 * largest);
        }
    }

    #[test]
    fn units_do_not_matter(
        data in matrix(3..30_usize, Just(2), -10.0..10.0),
        exponent in -300..300_i32,
        shift in -100.0..100.0,
    ) {
        let unit = 2_f64.powi(exponent);
        let scaled = &data * unit;
        let (a, b) = (fit_all(data.view()).unwrap(), fit_all(scaled.view()).unwrap());
        // A minimum scale is in the unit of the columns, so that only those without are compared.
        for index in [0, 1, 2, 3, 7, 8, 9, 13, 14, 15] {
            let scores = a[index].score(data.view()).unwrap();
            prop_assert_eq!(bits(&scores), bits(&b[index].score(scaled.view()).unwrap()));
        }

        let shifted = &data + shift;
        let (z_score, modified, iqr) = univariate(Aggregation::Max, 0.0);
        same_after_shift(&z_score, &data, &shifted)?;
        same_after_shift(&modified, &data, &shifted)?;
        same_after_shift(&iqr, &data, &shifted)?;
    }
}

fn same_after_shift<D: Univariate>(
    detector: &D,
    data: &Array2<f64>,
    shifted: &Array2<f64>,
) -> Result<(), TestCaseError> {
    let (a, b) = (
        detector.fit(data.view()).unwrap(),
        detector.fit(shifted.view()).unwrap(),
    );
    let scores = a.score(data.view()).unwrap();
    for (index, (score, other)) in scores
        .iter()
        .zip(b.score(shifted.view()).unwrap())
        .enumerate()
    {
        // What rounding to the shifted numbers costs, in scales.
        let finest = a
            .baselines()
            .iter()
            .map(Baseline::scale)
            .fold(f64::MAX, f64::min);
        let lost = 1e-12 / finest * (1.0 + score);
        prop_assert!(
            (score - other).abs() <= lost,
            "row {index}: {score} {other}"
        );
    }
    Ok(())
}

#[test]
fn numbers_near_the_largest_keep_their_proportions() {
    let unit = 2_f64.powi(1020);
    let (history, new) = (array![[9.0], [9.5], [8.0], [-9.0]], array![[-15.0], [15.0]]);
    let usual = ZScore::default().fit(history.view()).unwrap();
    let huge = ZScore::default().fit((&history * unit).view()).unwrap();
    // From the mean, 4.4 units, to -15 units is farther than the largest number.
    let scores = usual.score(new.view()).unwrap();
    assert_eq!(
        bits(&scores),
        bits(&huge.score((&new * unit).view()).unwrap())
    );
}
