//! What is stored scores the same, or is refused.

use anomaly_detectors::ndarray::Array2;
use anomaly_detectors::{
    Aggregation, DetectorError, Fit, FittedIqr, FittedIsolationForest, FittedModifiedZScore,
    FittedZScore, Iqr, Score,
};
use proptest::prelude::*;

use crate::data::{any_number, bits, forest, matrix, univariate};

proptest! {
    #[test]
    fn what_is_stored_scores_the_same(data in matrix(2..40_usize, 0..5_usize, any_number())) {
        let (z_score, modified, iqr) = univariate(Aggregation::LogSum, 0.0);
        stored::<FittedZScore>(&z_score.fit(data.view()).unwrap(), &data)?;
        stored::<FittedModifiedZScore>(&modified.fit(data.view()).unwrap(), &data)?;
        stored::<FittedIqr>(&iqr.fit(data.view()).unwrap(), &data)?;
        stored::<FittedIsolationForest>(&forest(3).fit(data.view()).unwrap(), &data)?;
    }

    #[test]
    fn a_damaged_store_is_refused_or_harmless(
        data in matrix(4..40_usize, 1..4_usize, -10.0..10.0),
        damages in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let mut forest = postcard::to_stdvec(&forest(3).fit(data.view()).unwrap()).unwrap();
        let mut iqr = postcard::to_stdvec(&Iqr::default().fit(data.view()).unwrap()).unwrap();
        for (place, byte) in damages {
            let at = place.index(forest.len());
            forest[at] = byte;
            let at = place.index(iqr.len());
            iqr[at] = byte;
        }
        if let Ok(read) = postcard::from_bytes::<FittedIsolationForest>(&forest) {
            harmless(&read, &data)?;
        }
        if let Ok(read) = postcard::from_bytes::<FittedIqr>(&iqr) {
            harmless(&read, &data)?;
        }
    }
}

fn stored<F>(fitted: &F, data: &Array2<f64>) -> Result<(), TestCaseError>
where
    F: Score + PartialEq + serde::Serialize + serde::de::DeserializeOwned,
{
    let json = serde_json::to_string(fitted).unwrap();
    let from_json: F = serde_json::from_str(&json).unwrap();
    prop_assert_eq!(&from_json, fitted);
    let bytes = postcard::to_stdvec(fitted).unwrap();
    let from_bytes: F = postcard::from_bytes(&bytes).unwrap();
    prop_assert_eq!(&from_bytes, fitted);
    let scores = bits(&fitted.score(data.view()).unwrap());
    prop_assert_eq!(bits(&from_json.score(data.view()).unwrap()), scores.clone());
    prop_assert_eq!(bits(&from_bytes.score(data.view()).unwrap()), scores);
    Ok(())
}

fn harmless(detector: &dyn Score, data: &Array2<f64>) -> Result<(), TestCaseError> {
    match detector.score(data.view()) {
        Ok(scores) => prop_assert!(scores.iter().all(|score| score.is_finite())),
        Err(error) => {
            let other_width = matches!(error, DetectorError::WidthMismatch { .. });
            prop_assert!(other_width, "{error}");
        }
    }
    Ok(())
}

#[test]
fn another_detector_or_version_is_refused() {
    let data = Array2::from_shape_fn((10, 2), |(row, column)| (row * (column + 2) % 7) as f64);
    let iqr = serde_json::to_string(&Iqr::default().fit(data.view()).unwrap()).unwrap();
    let newer = iqr.replace(r#""version":1"#, r#""version":2"#);
    let impossible = iqr.replace(r#""columns":[[2.625,"#, r#""columns":[[2.625,-"#);
    let forest = serde_json::to_string(&forest(2).fit(data.view()).unwrap()).unwrap();
    let fewer = forest.replace(r#""trees":2"#, r#""trees":3"#);
    let deep: Vec<_> = [r#"{"Split":[0,0.5]}"#; 5]
        .into_iter()
        .chain([r#"{"Leaf":2}"#; 6])
        .collect();
    let trees = forest.find(r#""trees":["#).unwrap();
    let deep = format!(r#"{}"trees":[[{}],[]]}}"#, &forest[..trees], deep.join(","));
    let lost = forest.replace(r#""sample_rows":10"#, r#""sample_rows":11"#);

    for (error, expected) in [
        (
            refusal::<FittedZScore>(&iqr.replace(r#""k":1.5,"#, "")),
            "the stored z-score cannot be used: it is the state of iqr; fit it again",
        ),
        (
            refusal::<FittedIqr>(&newer),
            "the stored iqr cannot be used: it is of version 2, this program reads 1; fit it again",
        ),
        (
            refusal::<FittedIqr>(&impossible),
            "the stored baseline cannot be used: location 2.625 and scale -5.5 are from no fit; fit it again",
        ),
        (
            refusal::<FittedIsolationForest>(&fewer),
            "the stored isolation-forest cannot be used: it has 2 of 3 trees; fit it again",
        ),
        (
            refusal::<FittedIsolationForest>(&deep),
            "the stored isolation-forest cannot be used: a split at depth 4 asks whether column 0 exceeds 0.5; fit it again",
        ),
        (
            refusal::<FittedIsolationForest>(&lost),
            "the stored isolation-forest cannot be used: a tree has lost rows; fit it again",
        ),
    ] {
        assert!(error.starts_with(expected), "{error}");
    }
}

fn refusal<F: serde::de::DeserializeOwned + std::fmt::Debug>(json: &str) -> String {
    serde_json::from_str::<F>(json).unwrap_err().to_string()
}
