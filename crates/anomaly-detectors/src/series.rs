//! One number over time: what is usual today, by trend and calendar, and whether it still is what it
//! was.
//!
//! For short series, 8 to some hundred observations, as a backup job or a daily report gives.

mod cumulative_sum;
mod frozen_reference;
mod huber;
mod level_shift;
mod novelty;
mod parts;
mod point;
mod seasonal_baseline;
mod since_reference;
mod single_change;
mod slow_drift;

pub use level_shift::{FittedLevelShift, LevelChange, LevelShift, LevelShiftParams};
pub use novelty::{FittedNovelty, Novelty, NoveltyParams};
pub use point::Point;
pub use seasonal_baseline::{FittedSeasonalBaseline, SeasonalBaseline, SeasonalBaselineParams};
pub use slow_drift::{FittedSlowDrift, SlowDrift, SlowDriftParams, WindowDrift};
