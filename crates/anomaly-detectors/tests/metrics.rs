//! The measures of ranking: agreement with scikit-learn, whose values `fixtures/make_metrics.py`
//! made, and what holds for any scores.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use anomaly_detectors::metrics::{auroc, average_precision};
use proptest::prelude::*;
use serde::Deserialize;

#[derive(Deserialize)]
struct Reference {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    scores: Vec<f64>,
    labels: Vec<bool>,
    auroc: f64,
    average_precision: f64,
}

#[test]
fn values_are_those_of_scikit_learn() {
    let reference: Reference = serde_json::from_str(include_str!("fixtures/metrics.json")).unwrap();
    assert_eq!(reference.cases.len(), 9);
    for case in reference.cases {
        for (ours, theirs) in [
            (auroc(&case.scores, &case.labels), case.auroc),
            (
                average_precision(&case.scores, &case.labels),
                case.average_precision,
            ),
        ] {
            let ours = ours.unwrap();
            assert!((ours - theirs).abs() < 1e-14, "{ours} is not {theirs}");
        }
    }
}

#[test]
fn what_cannot_be_ranked_has_no_value() {
    for (scores, labels) in [
        (&[][..], &[][..]),
        (&[1.0, 2.0], &[true, true]),
        (&[1.0, 2.0], &[false, false]),
        (&[1.0, f64::NAN], &[true, false]),
        (&[1.0, 2.0, 3.0], &[true, false]),
    ] {
        assert_eq!(auroc(scores, labels), None);
        assert_eq!(average_precision(scores, labels), None);
    }
    let infinite = [f64::NEG_INFINITY, 0.0, f64::INFINITY, f64::INFINITY];
    let labels = [false, false, true, false];
    assert_eq!(auroc(&infinite, &labels), Some(2.5 / 3.0));
    assert_eq!(average_precision(&infinite, &labels), Some(0.5));
}

/// Scores with many ties, and labels of which both occur.
fn ranking() -> impl Strategy<Value = (Vec<f64>, Vec<bool>)> {
    prop::collection::vec((-4_i8..4, any::<bool>()), 2..40)
        .prop_map(|rows| {
            let scores = rows.iter().map(|row| f64::from(row.0)).collect();
            (scores, rows.iter().map(|row| row.1).collect::<Vec<_>>())
        })
        .prop_filter("both labels", |(_, labels)| {
            labels.contains(&true) && labels.contains(&false)
        })
}

proptest! {
    #[test]
    fn the_area_is_the_share_of_pairs_in_order((scores, labels) in ranking()) {
        let (mut wins, mut pairs) = (0.0, 0.0);
        for (a, _) in scores.iter().zip(&labels).filter(|row| *row.1) {
            for (b, _) in scores.iter().zip(&labels).filter(|row| !*row.1) {
                wins += f64::midpoint(f64::from(a > b), f64::from(a >= b));
                pairs += 1.0;
            }
        }
        prop_assert_eq!(auroc(&scores, &labels), Some(wins / pairs));
    }

    #[test]
    fn the_precision_is_the_mean_over_the_anomalies((scores, labels) in ranking()) {
        let precision = |threshold: &f64| {
            let taken = scores.iter().zip(&labels).filter(|row| row.0 >= threshold);
            let found = taken.clone().filter(|row| *row.1).count();
            found as f64 / taken.count() as f64
        };
        let anomalies = scores.iter().zip(&labels).filter(|row| *row.1);
        let precisions: Vec<f64> = anomalies.map(|row| precision(row.0)).collect();
        let mean = precisions.iter().sum::<f64>() / precisions.len() as f64;
        let ours = average_precision(&scores, &labels).unwrap();
        prop_assert!((ours - mean).abs() < 1e-14, "{ours} is not {mean}");
    }

    #[test]
    fn only_the_order_counts((scores, labels) in ranking()) {
        let stretched: Vec<f64> = scores.iter().map(|score| score.powi(3) * 1e100).collect();
        prop_assert_eq!(auroc(&stretched, &labels), auroc(&scores, &labels));
        prop_assert_eq!(
            average_precision(&stretched, &labels),
            average_precision(&scores, &labels)
        );
        let turned: Vec<f64> = scores.iter().map(|score| -score).collect();
        let sum = auroc(&turned, &labels).unwrap() + auroc(&scores, &labels).unwrap();
        prop_assert!((sum - 1.0).abs() < 1e-15);
    }
}
