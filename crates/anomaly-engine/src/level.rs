//! The scale on which shares are compared and remembered.

use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

/// Shares far below this are all alike: nothing happened.
const BOTTOM: f64 = 0.001;
/// Nor is 97 % far from all of it.
const TOP: f64 = 0.05;
/// The logarithm of the odds at level 0.
const LOWEST: f64 = -7.0;
/// Levels per unit of the logarithm.
const PER_UNIT: f64 = 100.0;
/// The highest level: everything.
const HIGHEST: u16 = 1000;
/// Distance of the points at which survival functions are tabulated.
const PER_GRID_STEP: u16 = 50;
/// Points of the grid, from nothing to everything.
pub(crate) const GRID: usize = (HIGHEST / PER_GRID_STEP + 1) as usize;
/// How blurred a past job is on the logarithmic scale: it says what shares like its own are usual.
/// Its tail is that of odds to the power `-1 / BLUR`, about -3: heavier than any normal tail.
const BLUR: f64 = 0.35;

/// Odds to the power `1 / BLUR`, by level.
static WEIGHTS: LazyLock<Vec<f64>> = LazyLock::new(|| {
    (0..=HIGHEST)
        .map(|level| libm::exp((LOWEST + f64::from(level) / PER_UNIT) / BLUR))
        .collect()
});

/// Where a share lies on the scale of log odds, in hundredths: `ln((s + 0.001) / (1 - s + 0.05))`.
///
/// From 1 % to 2 % is as far as from 40 % to 57 %. A level is also how shares are remembered: two
/// bytes each, so that what is judged is what is remembered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Level(u16);

/// A level as it is stored: one more, or 0 where there is none, which is less than any.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct StoredLevel(u16);

impl StoredLevel {
    /// Whether it can be a level.
    pub(crate) fn is_sound(self) -> bool {
        self.0 <= HIGHEST + 1
    }

    pub(crate) fn get(self) -> Option<Level> {
        self.0.checked_sub(1).map(Level)
    }
}

impl From<Option<Level>> for StoredLevel {
    fn from(level: Option<Level>) -> Self {
        Self(level.map_or(0, |level| level.0 + 1))
    }
}

impl Level {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "0 to 1000"
    )]
    pub(crate) fn of(share: f64) -> Self {
        let log_odds = libm::log((share + BOTTOM) / (1.0 - share + TOP));
        let level = ((log_odds - LOWEST) * PER_UNIT).round();
        Self((level.max(0.0) as u16).min(HIGHEST))
    }

    /// The share at this level.
    pub(crate) fn share(self) -> f64 {
        let odds = libm::exp(LOWEST + f64::from(self.0) / PER_UNIT);
        ((odds * (1.0 + TOP) - BOTTOM) / (1.0 + odds)).clamp(0.0, 1.0)
    }

    /// The nearest point of the grid.
    pub(crate) fn nearest_grid_point(self) -> usize {
        usize::from((self.0 + PER_GRID_STEP / 2) / PER_GRID_STEP)
    }

    /// The point of the grid below, at most the last but one, and the part of the way to the next.
    pub(crate) fn on_grid(self) -> (usize, f64) {
        let below = usize::from(self.0 / PER_GRID_STEP).min(GRID - 2);
        let part = (f64::from(self.0) - below as f64 * f64::from(PER_GRID_STEP))
            / f64::from(PER_GRID_STEP);
        (below, part)
    }

    /// The level at a point of the grid.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a point of the grid is below 21"
    )]
    pub(crate) fn at_grid_point(point: usize) -> Self {
        Self(PER_GRID_STEP * point as u16)
    }

    /// How many of some past jobs had at least this share, each blurred: the sum of
    /// `1 / (1 + (odds / past odds)^(1 / 0.35))`.
    pub(crate) fn reached_by(self, past: &[Level]) -> f64 {
        // Once for all of them: the lock is not free.
        let weights: &[f64] = &WEIGHTS;
        let weight = |level: Level| *weights.get(usize::from(level.0)).unwrap_or(&f64::INFINITY);
        let here = weight(self);
        let reached = |level: Level| {
            let there = weight(level);
            there / (there + here)
        };
        // Processors divide several numbers at once.
        let (fours, rest) = past.as_chunks::<4>();
        let fours = fours.iter().flat_map(|four| four.map(reached));
        fours.chain(rest.iter().copied().map(reached)).sum()
    }
}

/// The smallest of each `window` levels in a row; none where one of them is none.
pub(crate) fn smallest_in_windows(mut levels: Vec<StoredLevel>, window: usize) -> Vec<StoredLevel> {
    // The smallest of two windows that overlap or touch is that of the longer one that they make.
    let mut width = 1;
    while width < window {
        let step = width.min(window - width);
        let later = levels.get(step..).unwrap_or_default();
        levels = levels.iter().zip(later).map(|(a, b)| *a.min(b)).collect();
        width += step;
    }
    levels
}

#[cfg(test)]
mod tests {
    use super::{GRID, Level, StoredLevel, smallest_in_windows};

    #[test]
    fn windows_hold_the_smallest_of_their_levels() {
        let levels: Vec<StoredLevel> = (0..40_u16).map(|i| StoredLevel(i * 37 % 101)).collect();
        for window in 1..=41 {
            let by_hand: Vec<StoredLevel> = levels
                .windows(window)
                .filter_map(|window| window.iter().min().copied())
                .collect();
            assert_eq!(smallest_in_windows(levels.clone(), window), by_hand);
        }
    }

    #[test]
    fn shares_keep_their_order_and_come_back() {
        let shares: Vec<f64> = (0..=1000).map(|part| f64::from(part) / 1000.0).collect();
        for pair in shares.windows(2) {
            assert!(Level::of(pair[0]) <= Level::of(pair[1]));
        }
        for share in shares {
            let back = Level::of(share).share();
            assert!(
                (back - share).abs() < 0.0005 + 0.006 * share,
                "{share} came back as {back}"
            );
        }
        assert_eq!(Level::of(1.0).nearest_grid_point(), GRID - 1);
        assert_eq!(Level::of(0.0).nearest_grid_point(), 0);
    }

    #[test]
    fn a_past_job_counts_half_at_its_own_share() {
        let here = Level::of(0.2);
        let reached = |share| here.reached_by(&[Level::of(share)]);
        assert!((reached(0.2) - 0.5).abs() < 1e-12);
        assert!(reached(0.9) > 0.999 && reached(0.01) < 0.001);
    }
}
