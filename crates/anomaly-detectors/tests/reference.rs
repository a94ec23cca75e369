//! Agreement with `NumPy`, `SciPy` and scikit-learn; `fixtures/make_reference.py` made their values.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use anomaly_detectors::ndarray::{Array2, array};
use anomaly_detectors::tail::{Side, harmonic_mean_p_value, student_t_tail};
use anomaly_detectors::{
    Fit, Iqr, IsolationForestParams, ModifiedZScore, Score, Univariate, ZScore,
};
use serde::Deserialize;

#[derive(Deserialize)]
struct Reference {
    univariate: Vec<Column>,
    tails: Vec<Tail>,
    harmonic_means: Vec<HarmonicMean>,
    forest: Forest,
}

#[derive(Deserialize)]
struct Column {
    values: Vec<f64>,
    probes: Vec<f64>,
    #[serde(rename = "z-score")]
    z_score: Vec<f64>,
    #[serde(rename = "modified-z-score")]
    modified_z_score: Vec<f64>,
    fences: (f64, f64),
}

#[derive(Deserialize)]
struct Tail {
    z: f64,
    /// `null` is infinity.
    degrees_of_freedom: Option<f64>,
    above: f64,
    both: f64,
}

#[derive(Deserialize)]
struct HarmonicMean {
    p_values: Vec<f64>,
    weights: Vec<f64>,
    equal: f64,
    weighted: f64,
}

#[derive(Deserialize)]
struct Forest {
    rows: Vec<[f64; 3]>,
    max_samples: usize,
    scores: Vec<f64>,
}

fn reference() -> Reference {
    serde_json::from_str(include_str!("fixtures/reference.json")).unwrap()
}

#[track_caller]
fn assert_close(ours: f64, theirs: f64, tolerance: f64) {
    let difference = (ours - theirs).abs();
    assert!(
        difference <= tolerance * theirs.abs(),
        "{ours} is not {theirs}"
    );
}

fn distances<D: Univariate>(detector: &D, column: &Column) -> Vec<f64> {
    let data = Array2::from_shape_vec((column.values.len(), 1), column.values.clone()).unwrap();
    let usual = detector.fit(data.view()).unwrap();
    let distance = |&probe: &f64| usual.distances(array![probe].view()).unwrap()[0];
    column.probes.iter().map(distance).collect()
}

#[test]
fn distances_are_those_of_numpy_and_scipy() {
    for column in reference().univariate {
        let fences = column.fences;
        let middle = f64::midpoint(fences.0, fences.1);
        let in_fences = |&probe: &f64| (probe - middle) / (fences.1 - middle);
        let iqr: Vec<f64> = column.probes.iter().map(in_fences).collect();
        for (ours, theirs) in [
            (distances(&ZScore::default(), &column), &column.z_score),
            (
                distances(&ModifiedZScore::default(), &column),
                &column.modified_z_score,
            ),
            (distances(&Iqr::default(), &column), &iqr),
        ] {
            assert_eq!(ours.len(), theirs.len());
            for (ours, theirs) in ours.into_iter().zip(theirs) {
                assert_close(ours, *theirs, 1e-9);
            }
        }
    }
}

#[test]
fn tails_are_those_of_scipy() {
    for tail in reference().tails {
        let freedom = tail.degrees_of_freedom.unwrap_or(f64::INFINITY);
        // SciPy underflows to 0, which is no p-value.
        let above = tail.above.max(f64::MIN_POSITIVE);
        let both = tail.both.max(f64::MIN_POSITIVE);
        assert_close(student_t_tail(tail.z, freedom, Side::Above), above, 1e-9);
        assert_close(student_t_tail(-tail.z, freedom, Side::Below), above, 1e-9);
        assert_close(student_t_tail(tail.z, freedom, Side::Both), both, 1e-9);
    }
}

#[test]
fn harmonic_means_are_those_of_scipy() {
    for case in reference().harmonic_means {
        let ours = harmonic_mean_p_value(&case.p_values, &case.weights);
        assert_close(ours, case.weighted, 1e-12);
        assert_close(
            harmonic_mean_p_value(&case.p_values, &[]),
            case.equal,
            1e-12,
        );
    }
}

#[test]
fn forest_scores_scatter_around_those_of_scikit_learn() {
    let Forest {
        rows,
        max_samples,
        scores,
    } = reference().forest;
    let data = Array2::from(rows);
    let params = IsolationForestParams::plain().trees(4_000);
    let forest = params.max_samples(max_samples).check().unwrap();
    let ours = forest.fit(data.view()).unwrap().score(data.view()).unwrap();
    let differences = || ours.iter().zip(&scores).map(|(ours, theirs)| ours - theirs);
    let mean = differences().sum::<f64>() / scores.len() as f64;
    assert!(mean.abs() < 0.001, "{mean}");
    assert!(differences().all(|difference| difference.abs() < 0.006));
}
