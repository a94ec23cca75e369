//! Scores stay numbers, and the same numbers, whatever the data and however it is asked.

use anomaly_detectors::DetectorError;
use anomaly_detectors::ndarray::Array2;
use proptest::prelude::*;

use crate::data::{any_number, bits, matrix, slope};
use crate::every::{Detector, every_detector};

proptest! {
    #[test]
    fn any_data_has_finite_scores(
        (history, new) in (0..5_usize).prop_flat_map(|columns| (
            matrix(0..40_usize, Just(columns), any_number()),
            matrix(0..40_usize, Just(columns), any_number()),
        ))
    ) {
        for detector in every_detector() {
            finite_scores(&detector, &history, &new)?;
        }
    }
}

/// Fits and scores, and checks what holds for every detector.
pub(crate) fn finite_scores(
    detector: &Detector,
    history: &Array2<f64>,
    new: &Array2<f64>,
) -> Result<(), TestCaseError> {
    let name = &detector.name;
    if history.nrows() < 2 {
        let error = (detector.fit)(history.view()).unwrap_err();
        let too_few = matches!(error, DetectorError::NotEnoughHistory { needed: 2, .. });
        prop_assert!(too_few, "{name}: {error}");
        return Ok(());
    }
    let fitted = (detector.fit)(history.view()).unwrap();
    prop_assert_eq!(fitted.columns(), history.ncols());
    let scores = fitted.score(new.view()).unwrap();
    prop_assert!(
        scores.iter().all(|score| score.is_finite()),
        "{name}: {scores}"
    );
    for (row, score) in new.rows().into_iter().zip(&scores) {
        prop_assert_eq!(
            fitted.score_row(row).unwrap().to_bits(),
            score.to_bits(),
            "{}",
            name
        );
        let contributions = fitted.explain(row).unwrap();
        prop_assert_eq!(contributions.len(), new.ncols());
        let finite = contributions.iter().all(|value| value.is_finite());
        prop_assert!(finite, "{name}: {contributions}");
    }

    // The same from an array that lies in memory column after column.
    let by_column = |data: &Array2<f64>| data.t().as_standard_layout().into_owned();
    let (history, new) = (by_column(history), by_column(new));
    let fitted = (detector.fit)(history.t()).unwrap();
    prop_assert_eq!(
        bits(&fitted.score(new.t()).unwrap()),
        bits(&scores),
        "{}",
        name
    );
    Ok(())
}

#[test]
fn wrong_shapes_are_named() {
    let data = slope(8, 3);
    let width = |given| DetectorError::WidthMismatch { fitted: 3, given };
    assert_eq!(
        width(4).to_string(),
        "4 columns given, but the detector was fitted on 3: score the same columns"
    );
    let length = DetectorError::OutputLength { rows: 8, given: 1 };
    assert_eq!(
        length.to_string(),
        "room for 1 scores, but there are 8 rows: make both equal"
    );
    for detector in every_detector() {
        let fitted = (detector.fit)(data.view()).unwrap();
        for given in [0, 2, 4] {
            let other = Array2::zeros((2, given));
            assert_eq!(fitted.score(other.view()), Err(width(given)));
            assert_eq!(fitted.score_row(other.row(0)), Err(width(given)));
            assert_eq!(fitted.explain(other.row(0)), Err(width(given)));
        }
        let mut room = Array2::zeros((1, 1));
        let written = fitted.score_into(data.view(), room.row_mut(0));
        assert_eq!(written.as_ref(), Err(&length));
    }
}

#[test]
fn what_is_far_out_is_strange_and_explained() {
    let mut data = slope(300, 4);
    data.row_mut(123).fill(5_000.0);
    let mut one = data.row(50).to_owned();
    one[2] = -7_000.0;
    for detector in every_detector() {
        let fitted = (detector.fit)(data.view()).unwrap();
        let scores = fitted.score(data.view()).unwrap();
        let strangest = (0..300).max_by(|&a, &b| scores[a].total_cmp(&scores[b]));
        assert_eq!(strangest, Some(123), "{}", detector.name);
        let contributions = fitted.explain(one.view()).unwrap();
        let largest = (0..4).max_by(|&a, &b| contributions[a].total_cmp(&contributions[b]));
        assert_eq!(largest, Some(2), "{}: {contributions}", detector.name);
    }
}

/// -0.0 is the zero that it equals: what is learnt from it, and stored, is the same to the last bit.
#[test]
fn zeros_have_no_sign() {
    let low = slope(30, 3).mapv(|value| if value < 40.0 { 0.0 } else { value });
    let high = low.mapv(|value| 0.0 - value);
    for data in [low, high] {
        let negative = data.mapv(|value| if value == 0.0 { -0.0 } else { value });
        for detector in every_detector() {
            let [ours, theirs] =
                [&data, &negative].map(|rows| (detector.fit)(rows.view()).unwrap());
            assert_eq!(theirs.to_json(), ours.to_json(), "{}", detector.name);
            let scores = [&ours, &theirs].map(|fitted| bits(&fitted.score(data.view()).unwrap()));
            assert_eq!(scores[0], scores[1], "{}", detector.name);
        }
    }
}
