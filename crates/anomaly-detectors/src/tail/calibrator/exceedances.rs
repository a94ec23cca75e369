//! The scores of the tail, by how far they exceed its threshold.

/// The fewest scores in a tail.
const FEWEST_IN_TAIL: usize = 3;
/// An excess of this many units is far enough.
const FARTHEST: f64 = 1e300;

/// The scores of the tail, by how far they exceed its threshold.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Exceedances {
    /// What the scores of the tail exceed.
    threshold: f64,
    /// The median excess, above 0.
    unit: f64,
    /// In units, ascending; at least one.
    pub(super) excesses: Vec<f64>,
    /// Logarithm of the unit over the body: how far the threshold is from the lower quartile. `None`
    /// if they are equal.
    ln_unit: Option<f64>,
}

impl Exceedances {
    /// Of ascending scores. `None` if no score exceeds the threshold.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    pub(super) fn of(sorted: &[f64], tail_share: f64, most_in_tail: usize) -> Option<Self> {
        let scores = sorted.len();
        let share = (tail_share * scores as f64).ceil() as usize;
        let in_tail = share.max(FEWEST_IN_TAIL).min(most_in_tail);
        let threshold = *sorted.get(scores.checked_sub(in_tail + 1)?)?;
        let tail = sorted.get(sorted.partition_point(|&score| score <= threshold)..)?;
        let unit = tail.get((tail.len().checked_sub(1)?) / 2)? - threshold;
        let body = threshold - sorted.get(scores / 4)?;
        let mut exceedances = Self {
            threshold,
            unit,
            excesses: Vec::new(),
            ln_unit: (body > 0.0).then(|| libm::log(unit) - libm::log(body)),
        };
        exceedances.excesses = tail
            .iter()
            .map(|&score| exceedances.excess(score))
            .collect();
        Some(exceedances)
    }

    /// The logarithm of a scale in bodies, of the one in units.
    pub(super) fn ln_in_bodies(&self, ln_scale: f64) -> Option<f64> {
        Some(self.ln_unit? + ln_scale)
    }

    /// How many units `score` exceeds the threshold by; not above 0 if it does not.
    pub(super) fn excess(&self, score: f64) -> f64 {
        ((score - self.threshold) / self.unit).min(FARTHEST)
    }
}
