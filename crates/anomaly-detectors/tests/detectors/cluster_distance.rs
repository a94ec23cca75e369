//! What holds for cluster distance alone.

use anomaly_detectors::ndarray::{Array2, Axis, array};
use anomaly_detectors::{
    Cluster, ClusterDistance, ClusterDistanceParams, Fit, FittedClusterDistance, Score,
};
use proptest::prelude::*;

use crate::data::{any_number, bits, matrix, slope};

fn fit(params: ClusterDistanceParams, data: &Array2<f64>) -> FittedClusterDistance {
    params.check().unwrap().fit(data.view()).unwrap()
}

proptest! {
    #[test]
    fn the_order_of_the_history_does_not_matter(
        (data, shuffled) in matrix(2..60_usize, Just(2), any_number()).prop_flat_map(|data| {
            let order = Just((0..data.nrows()).collect::<Vec<_>>()).prop_shuffle();
            let shuffled = order.prop_map({
                let data = data.clone();
                move |order| data.select(Axis(0), &order)
            });
            (Just(data), shuffled)
        })
    ) {
        let detector = ClusterDistance::default();
        let ours = detector.fit(data.view()).unwrap().score(data.view()).unwrap();
        let theirs = detector.fit(shuffled.view()).unwrap().score(data.view()).unwrap();
        prop_assert_eq!(bits(&ours), bits(&theirs));
    }

    #[test]
    fn sensitivity_divides_the_scores(
        data in matrix(2..60_usize, Just(2), -10.0..10.0),
        sensitivity in -99..=1000_i32,
    ) {
        let usual = fit(ClusterDistanceParams::default(), &data);
        let other = fit(ClusterDistanceParams::default().sensitivity(sensitivity), &data);
        prop_assert_eq!(usual.clusters(), other.clusters());
        let wider = 1.0 + f64::from(sensitivity) / 100.0;
        let scores = usual.score(data.view()).unwrap();
        for (score, other) in scores.iter().zip(other.score(data.view()).unwrap()) {
            prop_assert!((score / wider - other).abs() <= 1e-12 * other);
        }
    }

    #[test]
    fn most_of_the_history_is_inside(data in matrix(4..200_usize, 1..4_usize, any_number())) {
        let usual = fit(ClusterDistanceParams::default(), &data);
        let scores = usual.score(data.view()).unwrap();
        let inside = scores.iter().filter(|&&score| score <= 1.0 + 1e-12).count();
        prop_assert!(4 * inside >= 3 * scores.len(), "{inside} of {}", scores.len());
        let core: usize = usual.clusters().iter().map(Cluster::core_rows).sum();
        prop_assert!(core <= scores.len() && 4 * core >= 3 * scores.len());
    }
}

/// Logarithms of thirty nights: a large one every seventh, and one that went wrong.
fn nights() -> Array2<f64> {
    Array2::from_shape_fn((30, 2), |(night, column)| {
        let spread = 1.0 + (night * (column + 5) % 11) as f64 / 100.0;
        let level = if night % 7 == 6 { 500.0 } else { 20.0 };
        f64::ln(if night == 10 { 150.0 } else { level * spread })
    })
}

#[test]
fn what_happens_every_week_is_usual_and_what_happened_once_is_not() {
    let usual = fit(ClusterDistanceParams::default(), &nights());
    let core: Vec<usize> = usual.clusters().iter().map(Cluster::core_rows).collect();
    assert_eq!(core, [25, 4]);
    let scores = usual.score(nights().view()).unwrap();
    for (night, &score) in scores.iter().enumerate() {
        assert_eq!(score > 1.0, night == 10, "night {night}: {score}");
    }
    // Four rows are not enough where six make a cluster.
    let strict = fit(ClusterDistanceParams::default().cluster_rows(6), &nights());
    assert_eq!(strict.clusters().len(), 1);
    assert!(strict.score_row(nights().row(6)).unwrap() > 1.0);
}

#[test]
fn the_edge_is_one_radius_from_a_core_row() {
    // The k-distance of -2 and 2 is 3, of -1 and 1 and of 0 it is 2: the median is 0, the scale
    // 1.4826, the quartiles are 2 and 3, the fence is 6, and the largest k-distance 3.
    let scale = 1.482_602_218_505_602;
    let usual = fit(
        ClusterDistanceParams::default(),
        &array![[-2.0], [-1.0], [0.0], [1.0], [2.0]],
    );
    assert_eq!(usual.clusters().len(), 1);
    assert!((usual.clusters()[0].radius() - 3.0 / scale).abs() < 1e-12);
    let scores = usual.score(array![[5.0], [-8.0], [2.0]].view()).unwrap();
    for (score, expected) in scores.iter().zip([1.0, 2.0, 1.0 / 3.0]) {
        assert!((score - expected).abs() < 1e-12, "{scores}");
    }
}

#[test]
fn counts_with_ties_are_one_cluster() {
    // Whole numbers, each many times: between two of them is not outside.
    let data = Array2::from_shape_fn((80, 1), |(row, _)| (row * 5 % 8) as f64);
    let usual = fit(ClusterDistanceParams::default(), &data);
    assert_eq!(usual.clusters().len(), 1);
    let scores = usual
        .score(array![[3.0], [3.5], [8.0], [40.0]].view())
        .unwrap();
    assert!(
        scores[0] == 0.0 && scores[1] < 1.0 && scores[2] < 1.5,
        "{scores}"
    );
    assert!(scores[3] > 10.0, "{scores}");
}

#[test]
fn a_smallest_scale_gives_a_constant_an_edge() {
    let data = Array2::from_elem((20, 1), 5.0);
    let usual = fit(ClusterDistanceParams::default().min_scale(0.5), &data);
    let scores = usual.score(array![[5.0], [5.5], [7.0]].view()).unwrap();
    // Equal rows reach one scale, and their cluster half of it.
    assert_eq!(scores, array![0.0, 2.0, 8.0]);
    assert_eq!(usual.clusters()[0].radius(), 0.5);
}

#[test]
fn the_state_does_not_grow_with_the_history() {
    let data = slope(5_000, 2);
    let usual = fit(ClusterDistanceParams::default(), &data);
    let core: usize = usual.clusters().iter().map(Cluster::core_rows).sum();
    assert!(core > 700 && core <= 1024, "{core}");
    // More points than fit into one block.
    let many = fit(ClusterDistanceParams::default().max_rows(3_000), &data);
    let core: usize = many.clusters().iter().map(Cluster::core_rows).sum();
    assert!(core > 2_250 && core <= 3_000, "{core}");
    assert!(many.score_row(array![50.0, 900.0].view()).unwrap() > 10.0);
    assert_eq!(usual, fit(ClusterDistanceParams::default(), &data));
}

#[test]
fn parameters_are_checked() {
    let params = ClusterDistanceParams::default();
    assert_eq!(params.check(), Ok(ClusterDistance::default()));
    for (wrong, message) in [
        (
            params.sensitivity(-100),
            "`sensitivity` is -100: must be -99 to 1000",
        ),
        (
            params.cluster_rows(1),
            "`cluster_rows` is 1: must be 2 to 1024",
        ),
        (
            params.max_rows(8193),
            "`max_rows` is 8193: must be 2 to 8192",
        ),
        (
            params.min_scale(f64::NAN),
            "`min_scale` is NaN: must be finite and not negative",
        ),
    ] {
        assert_eq!(wrong.check().unwrap_err().to_string(), message);
    }
    let read: ClusterDistance = serde_json::from_str(r#"{"sensitivity":20}"#).unwrap();
    assert_eq!(read.params(), params.sensitivity(20));
    assert!(serde_json::from_str::<ClusterDistance>(r#"{"max_rows":0}"#).is_err());
}
