//! Scores of a history as a new observation gets them.

/// Scores every observation of `history` by a fit that has not seen it, in the order of the
/// history.
///
/// What a detector was fitted on looks less strange to it than what is new, by much in a short
/// history: a calibration on such scores raises too many alarms. Here `fit` learns from all but one
/// of `folds` parts, and `score` judges the part left out (cross-fitting; for calibration: Vovk,
/// "Cross-conformal predictors", Annals of Mathematics and Artificial Intelligence 74 (2015), 9-28).
///
/// Part `f` has the observations `f`, `f + folds`, `f + 2 folds` and so on, so every part covers the
/// whole time. With 10 parts a fit sees nine tenths, nearly what the final one sees. Take no number
/// that has a factor in common with the period of the data, such as 7 for days: whole weekdays
/// would be left out. `folds` is taken to be at least 2, and at most as many as there are
/// observations; that many leave out one at a time.
///
/// # Errors
/// The first one of `fit`: usually that so many observations are not enough.
///
/// ```
/// use anomaly_detectors::ndarray::{Array2, aview1};
/// use anomaly_detectors::tail::cross_fitted_scores;
/// use anomaly_detectors::{DetectorError, Fit, Score, ZScore};
///
/// let history = [[3.0, 1.0], [4.0, 2.0], [3.5, 1.5], [9.0, 2.0], [3.0, 2.0]];
/// let scores = cross_fitted_scores(
///     &history,
///     5,
///     |train| ZScore::default().fit(Array2::from(train.to_vec()).view()),
///     |fitted, row| fitted.score(aview1(row).insert_axis(ndarray::Axis(0))).map_or(0.0, |s| s[0]),
/// )?;
/// assert!(scores[3] > 5.0, "seen from the others, it is far out");
/// # Ok::<(), DetectorError>(())
/// ```
pub fn cross_fitted_scores<T: Clone, F, E>(
    history: &[T],
    folds: usize,
    mut fit: impl FnMut(&[T]) -> Result<F, E>,
    mut score: impl FnMut(&F, &T) -> f64,
) -> Result<Vec<f64>, E> {
    let folds = folds.min(history.len()).max(2);
    let mut scores = vec![f64::NAN; history.len()];
    let mut train = Vec::with_capacity(history.len());
    for fold in 0..folds {
        train.clear();
        let others = history.iter().enumerate();
        train.extend(
            others
                .filter(|(index, _)| index % folds != fold)
                .map(|(_, observation)| observation.clone()),
        );
        let fitted = fit(&train)?;
        let places = scores.iter_mut().zip(history);
        for (place, observation) in places.skip(fold).step_by(folds) {
            *place = score(&fitted, observation);
        }
    }
    Ok(scores)
}
