//! What parameters may be, and what a wrong one is told.

use anomaly_detectors::series::SlowDriftParams;
use anomaly_detectors::tail::TailCalibratorParams;
use anomaly_detectors::{
    Aggregation, ClusterDistanceParams, DetectorError, Ecod, EcodParams, EcodTails, Ensemble,
    EnsembleMember, EnsembleParams, Fit, HistogramParams, Iqr, IqrParams, IsolationForest,
    IsolationForestParams, MahalanobisParams, ModifiedZScore, ModifiedZScoreParams, ZScore,
    ZScoreParams,
};
use serde_json::{Value, json};

use crate::data::slope;
use crate::every::every_detector;

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
    let params = IsolationForestParams::default;

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
    assert_eq!(
        forest(params().trees(0)),
        "`trees` is 0: must be 1 to 10000"
    );
    assert_eq!(
        forest(params().trees(10_001)),
        "`trees` is 10001: must be 1 to 10000"
    );
    assert_eq!(
        forest(params().max_samples(1)),
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
fn every_number_has_a_range() {
    for detector in every_detector() {
        let wrong = |name: &str, value: Value| {
            let mut changed = detector.parameters.clone();
            changed[name] = value;
            (detector.read_parameters)(&changed)
        };
        for (name, value) in detector.parameters.as_object().unwrap() {
            // Every seed is as good as another.
            if !value.is_number() || name == "seed" {
                continue;
            }
            // Less than most numbers may be, and more than any number of things.
            let refused = [-1_000_000_000_i64, 4_000_000_000].map(|far| {
                let expected = format!("`{name}` is {far}: must be ");
                wrong(name, json!(far)).is_err_and(|error| error.starts_with(&expected))
            });
            assert!(refused.contains(&true), "{}: {name}", detector.name);
        }
        let error = wrong("no_such_parameter", json!(1)).unwrap_err();
        let expected = "unknown field `no_such_parameter`";
        assert!(error.starts_with(expected), "{}: {error}", detector.name);
    }
}

/// A detector tells its parameters, and what was fitted its detector.
#[test]
fn what_was_asked_for_is_told() {
    let data = slope(12, 2);
    let z_score = ZScoreParams::default().min_scale(0.5);
    assert_eq!(z_score.check().unwrap().params(), z_score);
    let modified = ModifiedZScoreParams::default().min_scale(0.5);
    assert_eq!(modified.check().unwrap().params(), modified);
    let drift = SlowDriftParams::default().min_scale(0.5);
    let detector = drift.check().unwrap();
    assert_eq!(detector.params(), drift);
    assert_eq!(detector.fit(&[1.0; 9]).unwrap().params(), drift);
    let calibrator = TailCalibratorParams::default().outliers(0.2);
    let fitted = calibrator.check().unwrap().fit(&[1.0; 9]).unwrap();
    assert_eq!((fitted.params(), fitted.observations()), (calibrator, 9));

    let histogram = HistogramParams::default().bins(3);
    let detector = histogram.check().unwrap();
    assert_eq!(detector.params(), histogram);
    assert_eq!(detector.fit(data.view()).unwrap().detector(), detector);
    let detector = EcodParams::default().tails(EcodTails::PerRow);
    let detector = detector.check().unwrap();
    assert_eq!(detector.fit(data.view()).unwrap().detector(), detector);
    let detector = MahalanobisParams::default().trim(0.5).check().unwrap();
    assert_eq!(detector.fit(data.view()).unwrap().detector(), detector);
    let detector = ClusterDistanceParams::default().max_rows(9);
    let detector = detector.check().unwrap();
    assert_eq!(detector.fit(data.view()).unwrap().detector(), detector);
    let members = [EnsembleMember::Ecod(Ecod::default())];
    let detector = EnsembleParams::default().members(members).check().unwrap();
    assert_eq!(detector.fit(data.view()).unwrap().detector(), &detector);
}

/// The default ensemble is the one that its documentation describes.
#[test]
fn the_default_ensemble_has_three_members() {
    let described = r#"{"members":[
        {"isolation-forest":{"trees":100,"columns_per_split":1,"scoring":"depth_and_density"}},
        {"nearest-neighbours":{"trim":0.0}},
        {"mahalanobis":{"trim":0.0}}
    ],"trim":0.25}"#;
    let described: Ensemble = serde_json::from_str(described).unwrap();
    assert_eq!(Ensemble::default(), described);
}
