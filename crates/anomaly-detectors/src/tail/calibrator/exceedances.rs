//! The scores of the tail, by how far they exceed its threshold.

/// The fewest scores in a tail, if the history has more: fewer say nothing about its scale.
const FEWEST_IN_TAIL: usize = 7;
/// The order statistic from which the body is measured, as a part of the scores.
const BODY_FROM: f64 = 0.15;
/// A score of the history exceeds the threshold by this many units at most: farther is as strange.
const FARTHEST: f64 = 1e6;

/// The scores of the tail, by how far they exceed its threshold.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Exceedances {
    /// What the scores of the tail exceed.
    threshold: f64,
    /// How far the body reaches below the threshold: above 0, finite.
    unit: f64,
    /// In units, ascending; at least one.
    pub(super) excesses: Vec<f64>,
    /// Whether the unit says how far apart usual scores are. Not if the body is tied, or if a score
    /// is farther away than any scale can explain.
    pub(super) has_scale: bool,
}

impl Exceedances {
    /// Of at least two ascending scores. `None` if no score exceeds the threshold.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    pub(super) fn of(sorted: &[f64], tail_share: f64, most_in_tail: usize) -> Option<Self> {
        let count = sorted.len();
        let share = (tail_share * count as f64).ceil() as usize;
        let in_tail = share.max(FEWEST_IN_TAIL).min(most_in_tail).min(count / 2);
        let threshold = *sorted.get(count.checked_sub(in_tail + 1)?)?;
        let low = *sorted.get((BODY_FROM * count as f64) as usize)?;
        let tail = sorted.get(sorted.partition_point(|&score| score <= threshold)..)?;
        let body = (threshold - low).min(f64::MAX);
        let unit = if body > 0.0 {
            body
        } else {
            // Ties up to the threshold: the scale is that of the tail alone.
            (tail.get(tail.len() / 2)? - threshold).min(f64::MAX)
        };
        let mut exceedances = Self {
            threshold,
            unit,
            excesses: Vec::new(),
            has_scale: false,
        };
        exceedances.excesses = tail
            .iter()
            .map(|&score| exceedances.excess(score).min(FARTHEST))
            .collect();
        exceedances.has_scale =
            body > 0.0 && exceedances.excesses.iter().all(|&excess| excess < FARTHEST);
        (!tail.is_empty()).then_some(exceedances)
    }

    /// How many units `score`, a number, exceeds the threshold by: negative or 0 below it; finite.
    pub(super) fn excess(&self, score: f64) -> f64 {
        let difference = score - self.threshold;
        let excess = if difference.is_finite() {
            difference / self.unit
        } else {
            (score / 2.0 - self.threshold / 2.0) / self.unit * 2.0
        };
        excess.clamp(f64::MIN, f64::MAX)
    }
}
