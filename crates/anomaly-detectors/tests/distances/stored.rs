//! What is stored scores the same, or is refused.

use anomaly_detectors::ndarray::Array2;
use anomaly_detectors::{
    Cluster, ClusterDistance, DetectorError, Fit, FittedClusterDistance, FittedNearestNeighbours,
    NearestNeighbours, NearestNeighboursParams, Score,
};
use proptest::prelude::*;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::data::{any_number, bits, matrix, slope};

fn neighbours() -> NearestNeighbours {
    let params = NearestNeighboursParams::default();
    params.samples(3).sample_rows(4).check().unwrap()
}

proptest! {
    #[test]
    fn what_is_stored_scores_the_same(data in matrix(2..40_usize, 0..5_usize, any_number())) {
        stored(&neighbours().fit(data.view()).unwrap(), &data)?;
        stored(&ClusterDistance::default().fit(data.view()).unwrap(), &data)?;
    }

    #[test]
    fn a_damaged_store_is_refused_or_harmless(
        data in matrix(4..40_usize, 1..4_usize, -10.0..10.0),
        damages in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        damaged(&neighbours().fit(data.view()).unwrap(), &data, &damages)?;
        damaged(&ClusterDistance::default().fit(data.view()).unwrap(), &data, &damages)?;
    }
}

fn stored<F>(fitted: &F, data: &Array2<f64>) -> Result<(), TestCaseError>
where
    F: Score + PartialEq + Serialize + DeserializeOwned,
{
    let scores = bits(&fitted.score(data.view()).unwrap());
    let json = serde_json::to_string(fitted).unwrap();
    let bytes = postcard::to_stdvec(fitted).unwrap();
    let from_json: F = serde_json::from_str(&json).unwrap();
    let from_bytes: F = postcard::from_bytes(&bytes).unwrap();
    for read in [from_json, from_bytes] {
        prop_assert_eq!(&read, fitted);
        prop_assert_eq!(&bits(&read.score(data.view()).unwrap()), &scores);
    }
    Ok(())
}

fn damaged<F>(
    fitted: &F,
    data: &Array2<f64>,
    damages: &[(prop::sample::Index, u8)],
) -> Result<(), TestCaseError>
where
    F: Score + Serialize + DeserializeOwned,
{
    let mut bytes = postcard::to_stdvec(fitted).unwrap();
    for (place, byte) in damages {
        let at = place.index(bytes.len());
        bytes[at] = *byte;
    }
    let Ok(read) = postcard::from_bytes::<F>(&bytes) else {
        return Ok(());
    };
    match read.score(data.view()) {
        Ok(scores) => prop_assert!(scores.iter().all(|score| score.is_finite())),
        Err(error) => {
            let other_width = matches!(error, DetectorError::WidthMismatch { .. });
            prop_assert!(other_width, "{error}");
        }
    }
    Ok(())
}

#[test]
fn what_no_fit_can_give_is_refused() {
    let data = slope(20, 2);
    let neighbours = serde_json::to_string(&neighbours().fit(data.view()).unwrap()).unwrap();
    let clusters = ClusterDistance::default().fit(data.view()).unwrap();
    let rows: usize = clusters.clusters().iter().map(Cluster::core_rows).sum();
    let clusters = serde_json::to_string(&clusters).unwrap();
    let list = clusters.find(r#""clusters":["#).unwrap();
    let values = clusters.find(r#","coordinates""#).unwrap();
    let with = |list_of_clusters: &str| {
        format!(
            r#"{}"clusters":[{list_of_clusters}]{}"#,
            &clusters[..list],
            &clusters[values..]
        )
    };
    for (error, expected) in [
        (
            refusal::<FittedNearestNeighbours>(&neighbours.replace("nearest-neighbours", "iqr")),
            "the stored nearest-neighbours cannot be used: it is the state of iqr; fit it again",
        ),
        (
            refusal::<FittedNearestNeighbours>(
                &neighbours.replace(r#""version":1"#, r#""version":2"#),
            ),
            "the stored nearest-neighbours cannot be used: it is of version 2, this program reads 1; fit it again",
        ),
        (
            refusal::<FittedNearestNeighbours>(
                &neighbours.replace(r#""sample_rows":4,"c"#, r#""sample_rows":0,"c"#),
            ),
            "the stored nearest-neighbours cannot be used: its subsamples have 0 rows; fit it again",
        ),
        (
            refusal::<FittedNearestNeighbours>(
                &neighbours.replace(r#""sample_rows":4,"c"#, r#""sample_rows":3,"c"#),
            ),
            "the stored nearest-neighbours cannot be used: the coordinates are not those of 3 samples of 3 rows in 2 columns; fit it again",
        ),
        (
            refusal::<FittedClusterDistance>(&clusters.replace("cluster-distance", "iqr")),
            "the stored cluster-distance cannot be used: it is the state of iqr; fit it again",
        ),
        (
            refusal::<FittedClusterDistance>(&with("")),
            "the stored cluster-distance cannot be used: its clusters have 0 rows, not 1 to 1024; fit it again",
        ),
        (
            refusal::<FittedClusterDistance>(&with(&format!("[{rows},0.0]"))),
            &format!(
                "the stored cluster-distance cannot be used: a cluster of {rows} rows with radius 0 is from no fit; fit it again"
            ),
        ),
        (
            refusal::<FittedClusterDistance>(&with("[7,1.0]")),
            "the stored cluster-distance cannot be used: the coordinates are not those of 7 rows in 2 columns; fit it again",
        ),
    ] {
        assert!(error.starts_with(expected), "{error}");
    }
}

fn refusal<F: DeserializeOwned + std::fmt::Debug>(json: &str) -> String {
    serde_json::from_str::<F>(json).unwrap_err().to_string()
}
