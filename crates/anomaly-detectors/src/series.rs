//! One number over time: what is usual today, by trend and calendar.
//!
//! For short series, 8 to some hundred observations, as a backup job or a daily report gives.

mod huber;
mod novelty;
mod parts;
mod point;
mod seasonal_baseline;

pub use novelty::{FittedNovelty, Novelty, NoveltyParams};
pub use point::Point;
pub use seasonal_baseline::{FittedSeasonalBaseline, SeasonalBaseline, SeasonalBaselineParams};
