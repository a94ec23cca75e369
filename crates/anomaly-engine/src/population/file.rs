//! A population as a file: JSON, so that people can look at it.

use serde::{Deserialize, Serialize};

use super::{Calibration, Population, Survival, TAILS};
use crate::level::GRID;
use crate::statistic::{STATISTICS, View};

const FORMAT: u32 = 1;
/// Digits of the numbers in the file.
const DIGITS: i32 = 5;
/// The least number above 0 that it holds.
const LEAST: f64 = 1e-5;

/// Why the file of a population cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PopulationError {
    /// The text is no such file.
    #[error("this is not the file of a population: {0}")]
    Json(#[from] serde_json::Error),
    /// It was written by a newer version.
    #[error(
        "the population is of format {found}, this program reads {FORMAT}: update it, or learn the population again"
    )]
    Format {
        /// The format of the file.
        found: u32,
    },
    /// It holds nothing to judge by.
    #[error(
        "the population holds no stream or no calibration that this program knows: learn it again"
    )]
    Empty,
    /// A number in it can be of no population.
    #[error("{place} of the population: {found} is not {expected}; learn it again")]
    Value {
        /// The part of the population in which it stands.
        place: String,
        /// What stands there.
        found: f64,
        /// What could.
        expected: &'static str,
    },
}

#[derive(Serialize, Deserialize)]
struct File {
    format: u32,
    /// Jobs that it was learnt from.
    jobs: u64,
    statistics: Vec<StatisticTable>,
    views: Vec<ViewTable>,
}

#[derive(Serialize, Deserialize)]
struct StatisticTable {
    statistic: String,
    /// Of each stream: how often its jobs had at least the share, from nothing to everything.
    streams: Vec<[f64; GRID]>,
}

#[derive(Serialize, Deserialize)]
struct ViewTable {
    view: String,
    quantiles: [f64; TAILS.len()],
    mean_excess: f64,
}

impl Population {
    /// The population as JSON text.
    #[must_use]
    pub fn to_json(&self) -> String {
        let statistics = STATISTICS
            .iter()
            .zip(&self.tables)
            .map(|(statistic, streams)| StatisticTable {
                statistic: statistic.name(),
                streams: streams
                    .iter()
                    .map(|stream| stream.reached.map(rounded))
                    .collect(),
            });
        let views = View::all()
            .zip(&self.calibrations)
            .filter_map(|(view, calibration)| {
                let Calibration {
                    quantiles,
                    mean_excess,
                } = calibration.as_ref()?;
                Some(ViewTable {
                    view: view.name(),
                    quantiles: quantiles.map(rounded),
                    mean_excess: rounded(*mean_excess).max(LEAST),
                })
            });
        let file = File {
            format: FORMAT,
            jobs: self.jobs,
            statistics: statistics.collect(),
            views: views.collect(),
        };
        let text = serde_json::to_string(&file).unwrap_or_default();
        // A line for each stream, for people who compare two.
        text.replace("],[", "],\n[").replace("{\"", "\n{\"") + "\n"
    }

    /// Reads what [`to_json`](Self::to_json) wrote. Statistics and views that this version does not
    /// know are left out; one that is missing is not known.
    ///
    /// # Errors
    /// [`PopulationError`] if the text is no population, or of a newer format.
    pub fn from_json(text: &str) -> Result<Self, PopulationError> {
        let file: File = serde_json::from_str(text)?;
        if file.format != FORMAT {
            return Err(PopulationError::Format { found: file.format });
        }
        let mut tables = vec![Vec::new(); STATISTICS.len()];
        for StatisticTable { statistic, streams } in file.statistics {
            let Some(index) = STATISTICS
                .iter()
                .position(|known| known.name() == statistic)
            else {
                continue;
            };
            for reached in streams {
                check(
                    &statistic,
                    &reached,
                    |part| (0.0..=1.0).contains(&part),
                    "a part from 0 to 1",
                )?;
                let falls = |before, part| part <= before;
                in_order(
                    &statistic,
                    &reached,
                    falls,
                    "at most as large as the one before it",
                )?;
                tables[index].push(Survival::new(reached));
            }
        }
        let mut population = Self::new(file.jobs, tables);
        for ViewTable {
            view,
            quantiles,
            mean_excess,
        } in file.views
        {
            check(&view, &quantiles, f64::is_finite, "finite")?;
            let rises = |before, quantile| quantile >= before;
            in_order(
                &view,
                &quantiles,
                rises,
                "at least as large as the one before it",
            )?;
            check(&view, &[mean_excess], |excess| excess > 0.0, "above 0")?;
            if let Some(known) = View::all().find(|known| known.name() == view) {
                population.set_calibration(
                    known,
                    Calibration {
                        quantiles,
                        mean_excess,
                    },
                );
            }
        }
        let known = population.tables.iter().any(|streams| !streams.is_empty())
            && population.calibrations.iter().any(Option::is_some);
        if known {
            Ok(population)
        } else {
            Err(PopulationError::Empty)
        }
    }
}

fn check(
    place: &str,
    values: &[f64],
    allowed: impl Fn(f64) -> bool,
    expected: &'static str,
) -> Result<(), PopulationError> {
    match values.iter().find(|value| !allowed(**value)) {
        Some(&found) => Err(PopulationError::Value {
            place: place.to_owned(),
            found,
            expected,
        }),
        None => Ok(()),
    }
}

/// Whether each value may come after the one before it.
fn in_order(
    place: &str,
    values: &[f64],
    allowed: impl Fn(f64, f64) -> bool,
    expected: &'static str,
) -> Result<(), PopulationError> {
    match values.windows(2).find(|pair| !allowed(pair[0], pair[1])) {
        Some(pair) => Err(PopulationError::Value {
            place: place.to_owned(),
            found: pair[1],
            expected,
        }),
        None => Ok(()),
    }
}

fn rounded(value: f64) -> f64 {
    let unit = 10_f64.powi(DIGITS);
    (value * unit).round() / unit
}
