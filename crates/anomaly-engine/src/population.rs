//! What is known of streams in general.

mod file;

use std::sync::LazyLock;

pub use self::file::PopulationError;
use crate::level::{GRID, Level};
use crate::statistic::{STATISTICS, View};

/// Past streams, together, count as so many of this stream's own jobs.
const PRIOR_JOBS: f64 = 4.0;
/// So many jobs at most tell which of the past streams this one is like.
const TELLING_JOBS: f64 = 5.0;
/// Fewer than this tell nothing.
const FEWEST_TELLING: usize = 3;
/// The part of the prior in which all past streams count alike, whatever this one looks like.
const ALIKE: f64 = 0.25;
/// The least density of a past stream anywhere, per unit of log odds.
const LEAST_DENSITY: f64 = 1e-3;
/// Units of log odds between two points of the grid.
const GRID_STEP: f64 = 0.5;

/// How often past streams had which shares, and how strong evidence was on usual jobs.
///
/// A new stream is judged by it from its second job on, and by its own past more and more. One is
/// shipped; `learn` makes another from an installation's own jobs.
#[derive(Debug, Clone, PartialEq)]
pub struct Population {
    jobs: u64,
    /// By [`STATISTICS`].
    tables: Vec<Vec<Survival>>,
    /// By [`View::all`]; `None` for one that was never seen.
    calibrations: Vec<Option<Calibration>>,
}

/// How often the jobs of one past stream had at least which share, at the points of the grid.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Survival {
    reached: [f64; GRID],
    ln_density: [f64; GRID],
}

impl Survival {
    /// Of the levels of a stream's jobs.
    pub(crate) fn of(levels: &[Level]) -> Self {
        let reached = std::array::from_fn(|point| {
            let here = Level::at_grid_point(point);
            here.reached_by(levels) / levels.len().max(1) as f64
        });
        Self::new(reached)
    }

    fn new(reached: [f64; GRID]) -> Self {
        let ln_density = std::array::from_fn(|point| {
            let (before, after) = (point.saturating_sub(1), (point + 1).min(GRID - 1));
            let fall = reached[before] - reached[after];
            let density = fall / (GRID_STEP * (after - before) as f64);
            libm::log(density.max(LEAST_DENSITY))
        });
        Self {
            reached,
            ln_density,
        }
    }
}

impl Population {
    /// Of the survival functions of past streams, by statistic, which have so many jobs together.
    pub(crate) fn new(jobs: u64, tables: Vec<Vec<Survival>>) -> Self {
        Self {
            jobs,
            tables,
            calibrations: vec![None; View::all().count()],
        }
    }

    pub(crate) fn set_calibration(&mut self, view: View, calibration: Calibration) {
        if let Some(index) = View::all().position(|other| other == view) {
            self.calibrations[index] = Some(calibration);
        }
    }

    pub(crate) fn calibration(&self, view: View) -> Option<&Calibration> {
        let index = View::all().position(|other| other == view)?;
        self.calibrations.get(index)?.as_ref()
    }

    /// How often a job has at least this level of a statistic, by a stream's own past and by past
    /// streams: `(own + 4 prior) / (jobs + 4)`, above 0, at most 1.
    ///
    /// `index` is that of the statistic in [`STATISTICS`].
    pub(crate) fn p_value(&self, index: usize, now: Level, past: &[Level]) -> f64 {
        let own = now.reached_by(past);
        let prior = self.prior(index, now, past);
        (own + PRIOR_JOBS * prior) / (past.len() as f64 + PRIOR_JOBS)
    }

    /// How often past streams had at least this level, those most that look like this one.
    fn prior(&self, index: usize, now: Level, past: &[Level]) -> f64 {
        let streams = self
            .tables
            .get(index)
            .map(Vec::as_slice)
            .unwrap_or_default();
        if streams.is_empty() {
            return 1.0;
        }
        let likeness = likeness(streams, past);
        let (below, way) = now.on_grid();
        // More seldom than once in all of its jobs, the population knows nothing.
        let least = 1.0 / self.jobs.max(1) as f64;
        let at = |point: usize| {
            let reached = |stream: &Survival| stream.reached[point].max(least);
            let mean: f64 = streams
                .iter()
                .zip(&likeness)
                .map(|(stream, part)| part * reached(stream))
                .sum();
            libm::log(mean)
        };
        libm::exp(at(below) * (1.0 - way) + at(below + 1) * way).min(1.0)
    }
}

/// How much each past stream counts, together 1: by how well it explains this one's past jobs, of
/// which at most [`TELLING_JOBS`] count, and all alike to a quarter.
fn likeness(streams: &[Survival], past: &[Level]) -> Vec<f64> {
    let alike = 1.0 / streams.len() as f64;
    if past.len() < FEWEST_TELLING {
        return vec![alike; streams.len()];
    }
    // Two in turns: most jobs are alike, and the next count need not wait for the last.
    let mut counts = [[0_u32; GRID]; 2];
    for (place, level) in past.iter().enumerate() {
        counts[place % 2][level.nearest_grid_point()] += 1;
    }
    let [even, odd] = counts;
    let counts: [f64; GRID] = std::array::from_fn(|point| f64::from(even[point] + odd[point]));
    let tempering = (TELLING_JOBS / past.len() as f64).min(1.0);
    let ln_likelihood = |stream: &Survival| -> f64 {
        let terms = counts.iter().zip(&stream.ln_density);
        tempering
            * terms
                .map(|(count, ln_density)| count * ln_density)
                .sum::<f64>()
    };
    let mut likeness: Vec<f64> = streams.iter().map(ln_likelihood).collect();
    let largest = likeness.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    for part in &mut likeness {
        *part = libm::exp(*part - largest);
    }
    let whole: f64 = likeness.iter().sum();
    for part in &mut likeness {
        *part = (1.0 - ALIKE) * *part / whole + ALIKE * alike;
    }
    likeness
}

/// How strong the evidence was on usual jobs, in powers of ten.
///
/// From evidence to p-values: between the quantiles as they were, beyond the last of them by a
/// generalised Pareto tail (Pickands, Annals of Statistics 3 (1975), 119-131) of shape 1/4, whose
/// scale is the mean of what exceeded it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Calibration {
    /// What the evidence of a half, a quarter, ... of the jobs exceeded; see [`TAILS`].
    quantiles: [f64; TAILS.len()],
    mean_excess: f64,
}

/// The parts of the jobs whose evidence exceeds the quantiles.
const TAILS: [f64; 5] = [0.75, 0.5, 0.25, 0.1, 0.05];
/// Shape of the tail: as heavy as Student's t with four degrees of freedom.
const TAIL_SHAPE: f64 = 0.25;
/// The fewest jobs to calibrate on: five beyond the last quantile.
const FEWEST_CALIBRATING: usize = 100;

impl Calibration {
    /// Of the evidence of usual jobs; `None` if they are too few, or all alike.
    pub(crate) fn of(mut evidence: Vec<f64>) -> Option<Self> {
        if evidence.len() < FEWEST_CALIBRATING {
            return None;
        }
        evidence.sort_by(f64::total_cmp);
        let quantiles = TAILS.map(|tail| quantile(&evidence, 1.0 - tail));
        let threshold = quantiles[TAILS.len() - 1];
        let beyond: Vec<f64> = evidence
            .iter()
            .map(|evidence| evidence - threshold)
            .filter(|excess| *excess > 0.0)
            .collect();
        let mean_excess = beyond.iter().sum::<f64>() / beyond.len().max(1) as f64;
        (mean_excess > 0.0).then_some(Self {
            quantiles,
            mean_excess,
        })
    }

    /// How often a usual job has at least this evidence: above 0, at most 0.75.
    pub(crate) fn p_value(&self, evidence: f64) -> f64 {
        let threshold = self.quantiles[TAILS.len() - 1];
        if evidence > threshold {
            let scale = (1.0 - TAIL_SHAPE) * self.mean_excess;
            let excess = TAIL_SHAPE * (evidence - threshold) / scale;
            return TAILS[TAILS.len() - 1] * libm::pow(1.0 + excess, -1.0 / TAIL_SHAPE);
        }
        let above = self
            .quantiles
            .partition_point(|quantile| *quantile < evidence);
        let Some(below) = above.checked_sub(1) else {
            return TAILS[0];
        };
        let (low, high) = (self.quantiles[below], self.quantiles[above]);
        let part = (evidence - low) / (high - low);
        libm::exp(libm::log(TAILS[below]) * (1.0 - part) + libm::log(TAILS[above]) * part)
    }
}

/// Of ascending values, at least two, with linear interpolation; `part` is below 1.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "an index"
)]
fn quantile(ascending: &[f64], part: f64) -> f64 {
    let place = part * (ascending.len() - 1) as f64;
    let below = place.floor() as usize;
    ascending[below] + (place - below as f64) * (ascending[below + 1] - ascending[below])
}

impl Default for Population {
    /// The population that is shipped; see [`Population::shipped`].
    fn default() -> Self {
        Self::shipped().clone()
    }
}

impl Population {
    /// The population that is shipped: learnt from the labelled histories that come with Backwatch.
    #[must_use]
    pub fn shipped() -> &'static Self {
        static SHIPPED: LazyLock<Population> = LazyLock::new(|| {
            Population::from_json(include_str!("population/shipped.json")).unwrap_or_else(|error| {
                tracing::error!(%error, "the shipped population cannot be read: nothing is known of streams in general");
                Population::new(0, vec![Vec::new(); STATISTICS.len()])
            })
        });
        &SHIPPED
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::{Calibration, FEWEST_CALIBRATING, Population, TAILS};
    use crate::level::Level;
    use crate::statistic::{STATISTICS, View};

    fn levels() -> impl Strategy<Value = Vec<Level>> {
        let share = prop_oneof![Just(0.0), 0.0..0.05_f64, 0.0..=1.0_f64];
        vec(share.prop_map(Level::of), 0..60)
    }

    /// As many p-values are below each of some levels as there should be: exactly, where the evidence
    /// is spread evenly (of 101, one lies on each level); and beyond the last of them, evidence goes as
    /// far on average as it did.
    #[test]
    fn a_calibration_holds_on_what_it_was_made_of() {
        for count in [FEWEST_CALIBRATING, 101, 997, 1000] {
            let evidence: Vec<f64> = (0..count)
                .rev()
                .map(|i| i as f64 / (count - 1) as f64)
                .collect();
            let calibration = Calibration::of(evidence.clone()).unwrap();
            for tail in TAILS {
                let p_value = calibration.p_value(1.0 - tail);
                assert!((p_value - tail).abs() < 1e-9, "{p_value} for {tail}");
            }
            let beyond = evidence.iter().map(|x| x - 0.95).filter(|x| *x > 0.0);
            let (sum, number) = beyond.fold((0.0, 0.0), |(sum, n), x| (sum + x, n + 1.0));
            let step = 1e-4;
            let mean: f64 = (0..200_000)
                .map(|i| calibration.p_value(0.95 + step * (f64::from(i) + 0.5)) / 0.05 * step)
                .sum();
            assert!(
                (mean * number / sum - 1.0).abs() < 0.002,
                "{mean} for {}",
                sum / number
            );
            assert_eq!(
                Calibration::of(evidence[1..].to_vec()).is_some(),
                count > FEWEST_CALIBRATING
            );
        }
        assert_eq!(Calibration::of(vec![1.0; 200]), None, "all alike");
    }

    proptest! {
        /// The more was hit, the rarer, for every statistic and every past; and the p-value is one.
        #[test]
        fn a_larger_share_is_rarer(past in levels(), a in 0.0..=1.0_f64, b in 0.0..=1.0_f64) {
            let (small, large) = (Level::of(a.min(b)), Level::of(a.max(b)));
            for (index, statistic) in STATISTICS.iter().enumerate() {
                let p_value = |now| Population::shipped().p_value(index, now, &past);
                let (of_small, of_large) = (p_value(small), p_value(large));
                prop_assert!(of_large <= of_small * (1.0 + 1e-12), "{}", statistic.name());
                prop_assert!(of_large > 0.0 && of_small <= 1.0, "{}", statistic.name());
            }
        }

        /// Without a past of its own, a stream is judged as one that is like any other.
        #[test]
        fn without_a_past_the_prior_judges(share in 0.0..=1.0_f64) {
            let (population, now) = (Population::shipped(), Level::of(share));
            for index in 0..STATISTICS.len() {
                let p_value = population.p_value(index, now, &[]);
                let prior = population.prior(index, now, &[]);
                prop_assert!((p_value - prior).abs() <= 1e-12 * prior);
            }
        }

        /// A past job with such a share makes the next one less rare, one without it rarer.
        #[test]
        fn the_past_teaches(now in 0.05..=1.0_f64) {
            let (population, now) = (Population::shipped(), Level::of(now));
            for (index, statistic) in STATISTICS.iter().enumerate() {
                let after = |level, jobs| population.p_value(index, now, &vec![level; jobs]);
                let name = statistic.name();
                // A job at its own share counts half.
                prop_assert!(after(Level::of(1.0), 20) > 0.4, "{name}");
                prop_assert!(after(Level::of(0.0), 40) < after(Level::of(0.0), 0), "{name}");
            }
        }

        /// Stronger evidence is rarer, in every view, at every strength, without a jump.
        #[test]
        fn stronger_evidence_is_rarer(evidence in -5.0..30.0_f64, more in 0.0..1.0_f64) {
            for calibration in View::all().filter_map(|view| Population::shipped().calibration(view)) {
                let (one, other) = (calibration.p_value(evidence), calibration.p_value(evidence + more));
                prop_assert!(other <= one * (1.0 + 1e-12) && other > 0.0 && one <= 0.75);
                let near = calibration.p_value(evidence + 1e-9);
                prop_assert!((near - one).abs() < 1e-4);
            }
        }
    }
}
