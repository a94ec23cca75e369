//! What holds for nearest neighbours alone.

use std::collections::HashSet;

use anomaly_detectors::ndarray::{Array2, Axis, array, concatenate};
use anomaly_detectors::{
    Fit, FittedNearestNeighbours, NearestNeighbours, NearestNeighboursParams, Score, Transform,
};

use crate::data::slope;

fn fit(params: NearestNeighboursParams, data: &Array2<f64>) -> FittedNearestNeighbours {
    params.check().unwrap().fit(data.view()).unwrap()
}

/// The stored coordinates of each subsample, as text.
fn subsamples(fitted: &FittedNearestNeighbours) -> Vec<String> {
    let stored = serde_json::to_value(fitted).unwrap();
    let coordinates = stored["coordinates"].as_array().unwrap();
    let size = fitted.sample_rows() * fitted.columns();
    coordinates
        .chunks(size)
        .map(|sample| format!("{sample:?}"))
        .collect()
}

#[test]
fn a_row_of_the_history_is_not_its_own_neighbour() {
    // Every subsample is one of the two rows; the other one is 2 / 1.4826 scales away.
    let params = NearestNeighboursParams::default().transform(Transform::Linear);
    let fitted = fit(params, &array![[1.0], [3.0]]);
    let scores = fitted.score(array![[1.0], [3.0]].view()).unwrap();
    let expected = 2.0 / 1.482_602_218_505_602;
    assert!(
        scores.iter().all(|score| (score - expected).abs() < 1e-12),
        "{scores}"
    );

    // Neither does a small history look more usual than new rows like it.
    let (history, new) = (slope(20, 2), slope(40, 2));
    let new = new.slice_axis(Axis(0), (20..).into());
    let fitted = fit(NearestNeighboursParams::default().trim(0.0), &history);
    let mean = |data| fitted.score(data).unwrap().mean().unwrap();
    let (old, new) = (mean(history.view()), mean(new));
    assert!(old > 0.7 * new && old < 2.0 * new, "{old} {new}");
}

#[test]
fn what_was_there_often_is_at_distance_0() {
    let mut data = slope(300, 2);
    data.slice_axis_mut(Axis(0), (0..200).into()).fill(5.0);
    let fitted = fit(NearestNeighboursParams::default(), &data);
    assert_eq!(fitted.score_row(array![5.0, 5.0].view()), Ok(0.0));
}

#[test]
fn trimming_keeps_anomalies_of_the_history_from_being_neighbours() {
    let usual = slope(200, 2);
    let strange = Array2::from_shape_fn((30, 2), |(row, column)| {
        900.0 + (row * (column + 2) % 13) as f64
    });
    let data = concatenate(Axis(0), &[usual.view(), strange.view()]).unwrap();
    let new = array![905.0, 904.0];
    let score = |trim| {
        let fitted = fit(NearestNeighboursParams::default().trim(trim), &data);
        fitted.score_row(new.view()).unwrap()
    };
    assert!(
        score(0.25) > 3.0 * score(0.0),
        "{} {}",
        score(0.25),
        score(0.0)
    );
}

#[test]
fn the_state_does_not_grow_with_the_history() {
    let fitted = fit(NearestNeighboursParams::default(), &slope(20_000, 2));
    assert_eq!(fitted.sample_rows(), 16);
    let samples = subsamples(&fitted);
    assert_eq!(samples.len(), 50);
    assert_eq!(
        fit(NearestNeighboursParams::default(), &slope(9, 2)).sample_rows(),
        5
    );
    // The largest subsamples that are allowed fill a block each.
    let params = NearestNeighboursParams::default()
        .samples(3)
        .sample_rows(1024);
    let large = fit(params, &slope(5_000, 1));
    assert_eq!(large.sample_rows(), 1024);
    assert!(large.score_row(array![1e6].view()).unwrap() > 10.0);
}

#[test]
fn neighbouring_seeds_share_no_subsample() {
    // Different in every row.
    let data = Array2::from_shape_fn((500, 1), |(row, _)| (row * row) as f64);
    let mut seen = HashSet::new();
    for seed in 0..8 {
        let fitted = fit(NearestNeighboursParams::default().seed(seed), &data);
        for sample in subsamples(&fitted) {
            assert!(
                seen.insert(sample),
                "a subsample of seed {seed} was there before"
            );
        }
    }
}

#[test]
fn another_order_of_the_history_is_like_another_seed() {
    let data = slope(400, 3);
    let mut reversed = data.clone();
    reversed.invert_axis(Axis(0));
    let params = NearestNeighboursParams::default().samples(500).trim(0.0);
    let scores = |params, history| fit(params, history).score(data.view()).unwrap();
    let one = scores(params, &data);
    for other in [scores(params, &reversed), scores(params.seed(1), &data)] {
        let change = (&other - &one).mapv(f64::abs).mean().unwrap() / one.mean().unwrap();
        assert!(change > 0.0 && change < 0.1, "{change}");
    }
}

#[test]
fn a_seed_gives_the_same_scores_for_ever() {
    let mut data = slope(5_000, 3);
    data[[17, 1]] = f64::NAN;
    data[[18, 2]] = f64::INFINITY;
    let fitted = fit(NearestNeighboursParams::default().seed(42), &data);
    let scores = fitted.score(data.view()).unwrap();
    let golden = [0, 17, 18, 4_999].map(|row| scores[row]);
    assert_eq!(
        golden,
        [
            0.486_830_498_573_717_96,
            0.083_148_607_478_593_91,
            2_278.544_472_956_744,
            0.112_086_243_201_745_65
        ]
    );
}

#[test]
fn parameters_are_checked() {
    let params = NearestNeighboursParams::default();
    assert_eq!(params.check(), Ok(NearestNeighbours::default()));
    for (wrong, message) in [
        (params.samples(0), "`samples` is 0: must be 1 to 1000"),
        (
            params.sample_rows(1025),
            "`sample_rows` is 1025: must be 1 to 1024",
        ),
        (params.trim(0.6), "`trim` is 0.6: must be 0 to 0.5"),
        (params.trim(f64::NAN), "`trim` is NaN: must be 0 to 0.5"),
        (
            params.min_scale(-1.0),
            "`min_scale` is -1: must be finite and not negative",
        ),
    ] {
        assert_eq!(wrong.check().unwrap_err().to_string(), message);
    }
    let read: NearestNeighbours = serde_json::from_str(r#"{"transform":"linear"}"#).unwrap();
    assert_eq!(read.params(), params.transform(Transform::Linear));
    assert!(serde_json::from_str::<NearestNeighbours>(r#"{"samples":0}"#).is_err());
}
