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
    /// The mean excess, above 0.
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
        if tail.is_empty() {
            return None;
        }
        let count = tail.len() as f64;
        let unit: f64 = tail.iter().map(|score| (score - threshold) / count).sum();
        // Of subnormal excesses, the parts may all be 0.
        let unit = unit.max(f64::from_bits(1));
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

    /// Whether `score` exceeds the threshold.
    pub(super) fn contain(&self, score: f64) -> bool {
        score > self.threshold
    }

    /// How many units `score` exceeds the threshold by, if it does.
    pub(super) fn excess(&self, score: f64) -> f64 {
        ((score - self.threshold) / self.unit).min(FARTHEST)
    }
}
