//! Scores of a history by fits that have not seen them.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use anomaly_detectors::tail::cross_fitted_scores;
use proptest::prelude::*;

proptest! {
    /// A fit is what it was given, and a score says what the fit had not: the parts are every
    /// `folds`th observation, each is left out once, and all else is learnt from in its order.
    #[test]
    fn each_observation_is_judged_by_all_that_are_not_in_its_part(
        count in 0..40_usize, asked in 0..50_usize,
    ) {
        let history: Vec<usize> = (0..count).collect();
        let folds = asked.min(count).max(2);
        let mut fits = 0;
        let scores = cross_fitted_scores(
            &history,
            asked,
            |train| {
                fits += 1;
                Ok::<_, ()>(train.to_vec())
            },
            |train, &observation| {
                let others = history.iter().filter(|other| **other % folds != observation % folds);
                assert!(train.iter().eq(others), "{observation} by {train:?}");
                observation as f64
            },
        );
        // In the order of the history, none left out.
        let expected: Vec<f64> = history.iter().map(|&observation| observation as f64).collect();
        prop_assert_eq!(scores, Ok(expected));
        prop_assert_eq!(fits, folds);
    }
}

#[test]
fn the_first_error_of_a_fit_is_given() {
    let result = cross_fitted_scores(
        &[1, 2, 3, 4, 5],
        5,
        |train| {
            if train.contains(&3) {
                Ok(())
            } else {
                Err(train.len())
            }
        },
        |(), _| 0.0,
    );
    assert_eq!(result, Err(4));
}
