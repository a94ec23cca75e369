//! What parameters may be, and what a wrong one is told.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use anomaly_detectors::ndarray::{Array1, Array2, Axis};
use anomaly_detectors::{
    Aggregation, DetectorError, Fit, Iqr, IqrParams, IsolationForest, IsolationForestParams,
    ModifiedZScore, ModifiedZScoreParams, Score, ZScore, ZScoreParams,
};

#[test]
fn defaults_are_allowed() {
    assert_eq!(ZScoreParams::default().check(), Ok(ZScore::default()));
    assert_eq!(
        ModifiedZScoreParams::default().check(),
        Ok(ModifiedZScore::default())
    );
    assert_eq!(IqrParams::default().check(), Ok(Iqr::default()));
    assert_eq!(
        IsolationForestParams::default().check(),
        Ok(IsolationForest::default())
    );
}

#[test]
fn an_error_names_parameter_value_and_range() {
    let message = |error: DetectorError| error.to_string();
    let scale = |min_scale| {
        message(
            ZScoreParams::default()
                .min_scale(min_scale)
                .check()
                .unwrap_err(),
        )
    };
    let k = |k| message(IqrParams::default().k(k).check().unwrap_err());
    let forest = |params: IsolationForestParams| message(params.check().unwrap_err());
    let params = IsolationForestParams::default();

    assert_eq!(
        scale(-1.0),
        "`min_scale` is -1: must be finite and not negative"
    );
    assert_eq!(
        scale(f64::INFINITY),
        "`min_scale` is inf: must be finite and not negative"
    );
    assert_eq!(
        scale(f64::NAN),
        "`min_scale` is NaN: must be finite and not negative"
    );
    assert_eq!(k(-0.5), "`k` is -0.5: must be 0 to 1000");
    assert_eq!(k(f64::NAN), "`k` is NaN: must be 0 to 1000");
    assert_eq!(forest(params.trees(0)), "`trees` is 0: must be 1 to 10000");
    assert_eq!(
        forest(params.trees(10_001)),
        "`trees` is 10001: must be 1 to 10000"
    );
    assert_eq!(
        forest(params.max_samples(1)),
        "`max_samples` is 1: must be 2 to 1048576"
    );
}

#[test]
fn reading_parameters_checks_them() {
    let read: Iqr = serde_json::from_str(r#"{"k":3.0,"aggregation":"sum_of_squares"}"#).unwrap();
    let expected = IqrParams::default()
        .k(3.0)
        .aggregation(Aggregation::SumOfSquares);
    assert_eq!(read.params(), expected);

    let error = serde_json::from_str::<IsolationForest>(r#"{"trees":0}"#).unwrap_err();
    assert!(error.to_string().starts_with("`trees` is 0"), "{error}");
    let error = serde_json::from_str::<ZScore>(r#"{"min_scal":0}"#).unwrap_err();
    assert!(
        error.to_string().starts_with("unknown field `min_scal`"),
        "{error}"
    );
}

#[test]
fn wrong_shapes_are_named() {
    let data = Array2::from_shape_fn((8, 3), |(row, column)| (row * column) as f64);
    let wide = Array2::<f64>::zeros((2, 4));
    let fitted: [Box<dyn Score>; 2] = [
        Box::new(ModifiedZScore::default().fit(data.view()).unwrap()),
        Box::new(IsolationForest::default().fit(data.view()).unwrap()),
    ];
    for detector in fitted {
        let mut room = Array1::zeros(1);
        let width = DetectorError::WidthMismatch {
            fitted: 3,
            given: 4,
        };
        assert_eq!(detector.score(wide.view()), Err(width.clone()));
        assert_eq!(detector.score_row(wide.row(0)), Err(width.clone()));
        assert_eq!(detector.explain(wide.row(0)), Err(width.clone()));
        assert_eq!(
            width.to_string(),
            "4 columns given, but the detector was fitted on 3: score the same columns"
        );
        assert_eq!(
            detector
                .score_into(data.view(), room.view_mut())
                .unwrap_err()
                .to_string(),
            "room for 1 scores, but there are 8 rows: make both equal"
        );
    }
    let (one_row, _) = data.view().split_at(Axis(0), 1);
    assert_eq!(
        ZScore::default().fit(one_row).unwrap_err().to_string(),
        "1 rows of history: z-score needs at least 2"
    );
}
