//! Stored neighbours and clusters that no fit can give.

use anomaly_detectors::{
    Cluster, ClusterDistance, Fit, FittedClusterDistance, FittedNearestNeighbours,
    NearestNeighbours, NearestNeighboursParams,
};

use crate::data::slope;
use crate::stored::refusal;

fn neighbours() -> NearestNeighbours {
    let params = NearestNeighboursParams::default();
    params.samples(3).sample_rows(4).check().unwrap()
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
