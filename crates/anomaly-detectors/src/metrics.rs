//! How well scores rank what is labelled as anomalous above what is not.
//!
//! For comparing detectors on labelled data. Both measures depend on the order of the scores alone,
//! so that any scale will do, infinite scores too, and equal scores are treated as equal: the order
//! of the rows changes nothing. The values are those of scikit-learn's `roc_auc_score` and
//! `average_precision_score`.

use std::cmp::Ordering;

/// The area under the receiver operating characteristic: how likely it is that a row labelled
/// `true` scores higher than one labelled `false`, both drawn at random, where a tie counts half.
///
/// 0.5 is what guessing gives, 1 is a perfect ranking. Computed by counting the pairs (Hanley and
/// `McNeil`, "The meaning and use of the area under a receiver operating characteristic (ROC)
/// curve", Radiology 143 (1982), 29-36) in whole numbers, rounded once.
///
/// `None` unless there is one score per label, no score is NaN, and both labels occur.
///
/// ```
/// use anomaly_detectors::metrics::auroc;
///
/// // Of the four pairs, the anomalies win two, tie in one and lose one.
/// let area = auroc(&[0.1, 0.4, 0.4, 0.8], &[false, true, false, true]);
/// assert_eq!(area, Some(0.875));
/// assert_eq!(auroc(&[0.1, 0.4], &[false, false]), None);
/// ```
#[must_use]
pub fn auroc(scores: &[f64], labels: &[bool]) -> Option<f64> {
    let ranking = Ranking::of(scores, labels)?;
    let (mut positives_above, mut half_wins) = (0, 0);
    for tie in &ranking.ties {
        // Each `false` loses to all `true` above it, and ties with those beside it.
        half_wins += u128::from(tie.negatives) * (2 * positives_above + u128::from(tie.positives));
        positives_above += u128::from(tie.positives);
    }
    let pairs = u128::from(ranking.positives) * u128::from(ranking.negatives);
    Some(half_wins as f64 / (2 * pairs) as f64)
}

/// The average precision: of the rows that score at least as high as a row labelled `true`, the
/// share labelled `true`, averaged over the rows labelled `true`.
///
/// `sum over thresholds n of (R_n - R_(n-1)) P_n`, with recall `R` and precision `P` at each
/// distinct score from the highest: the step-wise area under the precision-recall curve, without
/// the interpolation that flatters (Davis and Goadrich, "The relationship between precision-recall
/// and ROC curves", ICML 2006). What guessing gives is the share of `true` among the labels.
///
/// `None` unless there is one score per label, no score is NaN, and both labels occur.
///
/// ```
/// use anomaly_detectors::metrics::average_precision;
///
/// // One anomaly stands first of 1, the other is second of 3 with a row that ties.
/// let precision = average_precision(&[0.1, 0.4, 0.4, 0.8], &[false, true, false, true]);
/// assert_eq!(precision, Some((1.0 + 2.0 / 3.0) / 2.0));
/// ```
#[must_use]
pub fn average_precision(scores: &[f64], labels: &[bool]) -> Option<f64> {
    let ranking = Ranking::of(scores, labels)?;
    let (mut found, mut taken, mut sum) = (0, 0, 0.0);
    for tie in &ranking.ties {
        found += tie.positives;
        taken += tie.positives + tie.negatives;
        sum += tie.positives as f64 * (found as f64 / taken as f64);
    }
    Some(sum / ranking.positives as f64)
}

/// Labels in the order of their scores.
struct Ranking {
    /// From the highest score.
    ties: Vec<Tie>,
    positives: u64,
    negatives: u64,
}

/// Rows of equal score.
#[derive(Default)]
struct Tie {
    positives: u64,
    negatives: u64,
}

impl Ranking {
    fn of(scores: &[f64], labels: &[bool]) -> Option<Self> {
        if scores.len() != labels.len() || scores.iter().any(|score| score.is_nan()) {
            return None;
        }
        let mut rows: Vec<(f64, bool)> =
            scores.iter().copied().zip(labels.iter().copied()).collect();
        // No score is NaN; compared as numbers, so that -0.0 and 0.0 are a tie.
        let compare = |a: f64, b: f64| a.partial_cmp(&b).unwrap_or(Ordering::Equal);
        rows.sort_unstable_by(|a, b| compare(b.0, a.0));
        let ties: Vec<Tie> = rows
            .chunk_by(|a, b| compare(a.0, b.0).is_eq())
            .map(Tie::of)
            .collect();
        let positives = ties.iter().map(|tie| tie.positives).sum();
        let negatives = ties.iter().map(|tie| tie.negatives).sum();
        (positives > 0 && negatives > 0).then_some(Self {
            ties,
            positives,
            negatives,
        })
    }
}

impl Tie {
    fn of(rows: &[(f64, bool)]) -> Self {
        rows.iter().fold(Self::default(), |mut tie, (_, label)| {
            if *label {
                tie.positives += 1;
            } else {
                tie.negatives += 1;
            }
            tie
        })
    }
}
