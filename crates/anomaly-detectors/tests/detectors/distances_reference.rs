//! Agreement with scikit-learn; `fixtures/make_distances.py` made its values.

use anomaly_detectors::ndarray::{Array2, Axis, concatenate};
use anomaly_detectors::{
    Cluster, ClusterDistanceParams, Fit, FittedNearestNeighbours, NearestNeighboursParams, Score,
    Transform,
};
use serde::Deserialize;
use serde_json::json;

#[derive(Deserialize)]
struct Distances {
    history: Vec<[f64; 3]>,
    probes: Vec<[f64; 3]>,
    baselines: Vec<(f64, f64, usize)>,
    neighbours: Vec<Neighbours>,
    clusters: Vec<Clusters>,
}

#[derive(Deserialize)]
struct Neighbours {
    transform: Transform,
    samples: usize,
    sample_rows: usize,
    coordinates: Vec<f64>,
    scores: Vec<f64>,
}

#[derive(Deserialize)]
struct Clusters {
    transform: Transform,
    cluster_rows: usize,
    core_rows: Vec<usize>,
    radii: Vec<f64>,
    scores: Vec<f64>,
}

fn distances() -> Distances {
    serde_json::from_str(include_str!("../fixtures/distances.json")).unwrap()
}

#[track_caller]
fn assert_close(ours: f64, theirs: f64) {
    let difference = (ours - theirs).abs();
    assert!(difference <= 1e-9 * theirs.abs(), "{ours} is not {theirs}");
}

fn rows_of(distances: &Distances) -> (Array2<f64>, Array2<f64>) {
    let history = Array2::from(distances.history.clone());
    let probes = Array2::from(distances.probes.clone());
    let all = concatenate(Axis(0), &[history.view(), probes.view()]).unwrap();
    (history, all)
}

#[test]
fn neighbours_are_as_far_as_scikit_learn_says() {
    let distances = distances();
    let (history, rows) = rows_of(&distances);
    for case in &distances.neighbours {
        let params = NearestNeighboursParams::default().transform(case.transform);
        let params = params.samples(case.samples).sample_rows(case.sample_rows);
        let fitted = params.check().unwrap().fit(history.view()).unwrap();
        for (ours, theirs) in fitted.baselines().iter().zip(&distances.baselines) {
            assert_close(ours.location(), theirs.0);
            assert_close(ours.scale(), theirs.1);
        }
        // With the same rows drawn.
        let mut stored = serde_json::to_value(&fitted).unwrap();
        stored["coordinates"] = json!(case.coordinates);
        stored["columns"] = json!(distances.baselines);
        let read: FittedNearestNeighbours = serde_json::from_value(stored).unwrap();
        let scores = read.score(rows.view()).unwrap();
        assert_eq!(scores.len(), case.scores.len());
        for (row, (&ours, &theirs)) in scores.iter().zip(&case.scores).enumerate() {
            // A row of the history lies on its copy to the last bit here, in the fixture to a
            // rounding of the logarithm.
            let drawn = row < history.nrows() && case.transform == Transform::SignedLog;
            if !drawn {
                assert_close(ours, theirs);
            }
        }
    }
}

#[test]
fn clusters_are_those_of_scikit_learn() {
    let distances = distances();
    let (history, rows) = rows_of(&distances);
    for case in &distances.clusters {
        let params = ClusterDistanceParams::default().cluster_rows(case.cluster_rows);
        let detector = params.transform(case.transform).check().unwrap();
        let fitted = detector.fit(history.view()).unwrap();
        let core_rows: Vec<usize> = fitted.clusters().iter().map(Cluster::core_rows).collect();
        assert_eq!(core_rows, case.core_rows);
        for (cluster, &radius) in fitted.clusters().iter().zip(&case.radii) {
            assert_close(cluster.radius(), radius);
        }
        let scores = fitted.score(rows.view()).unwrap();
        assert_eq!(scores.len(), case.scores.len());
        for (&ours, &theirs) in scores.iter().zip(&case.scores) {
            assert_close(ours, theirs);
        }
    }
}
