//! The detectors by name: the one table to add a detector to.

use std::fmt::Write as _;

use anomaly_detectors::ndarray::{Array2, ArrayView2};
use anomaly_detectors::{
    ClusterDistance, DetectorError, Ecod, Ensemble, Fit, Histogram, Iqr, IsolationForest,
    IsolationForestParams, Mahalanobis, ModifiedZScore, NearestNeighbours, Score, ZScore,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::DetectError;

const AGGREGATION: (&str, &str) = ("aggregation", "max, sum_of_squares or log_sum");
const MIN_SCALE: (&str, &str) = ("min_scale", "finite and not negative");
const TRANSFORM: (&str, &str) = ("transform", "linear or signed_log");
const SEED: (&str, &str) = ("seed", "0 to 18446744073709551615");

/// Every detector that can be asked for, in the order of `--list`.
pub(crate) static DETECTORS: &[Detector] = &[
    Detector::of::<ZScore>(
        "z-score",
        "far from the mean, in standard deviations",
        &[AGGREGATION, MIN_SCALE],
    ),
    Detector::of::<ModifiedZScore>(
        "modified-z-score",
        "far from the median, in median absolute deviations",
        &[AGGREGATION, MIN_SCALE],
    ),
    Detector::of::<Iqr>(
        "iqr",
        "outside Tukey's fences",
        &[("k", "0 to 1000"), AGGREGATION, MIN_SCALE],
    ),
    Detector::of::<IsolationForest>(
        "isolation-forest",
        "easy to isolate by random splits",
        &[
            ("trees", "1 to 10000"),
            ("max_samples", "2 to 1048576"),
            ("columns_per_split", "1 to 64"),
            ("pooled_gain", "0 to 1"),
            (
                "scoring",
                "depth, density, adjusted_density or depth_and_density",
            ),
            (
                "column_weights",
                "finite numbers from 0, not all 0, one per column",
            ),
            SEED,
        ],
    )
    .with_presets(&[("plain", "the forest of Liu, Ting and Zhou (2008)", || {
        to_value(IsolationForestParams::plain())
    })]),
    Detector::of::<ClusterDistance>(
        "cluster-distance",
        "far from every cluster of past rows; 1 is on the edge of one",
        &[
            ("sensitivity", "-99 to 1000"),
            ("cluster_rows", "2 to 1024"),
            ("max_rows", "2 to 8192"),
            TRANSFORM,
            MIN_SCALE,
        ],
    ),
    Detector::of::<NearestNeighbours>(
        "nearest-neighbours",
        "far from the nearest row of small subsamples",
        &[
            ("samples", "1 to 1000"),
            ("sample_rows", "1 to 1024"),
            TRANSFORM,
            ("trim", "0 to 0.5"),
            MIN_SCALE,
            SEED,
        ],
    ),
    Detector::of::<Histogram>(
        "histogram",
        "in bins that few others are in",
        &[("bins", "0 to 1000")],
    ),
    Detector::of::<Mahalanobis>(
        "mahalanobis",
        "far from the centre for the way the columns vary together",
        &[TRANSFORM, ("trim", "0 to 0.5"), MIN_SCALE],
    ),
    Detector::of::<Ecod>(
        "ecod",
        "far out in the tails of its columns",
        &[("tails", "per_row or per_value")],
    ),
    Detector::of::<Ensemble>(
        "ensemble",
        "surprising to several detectors that look for different things",
        &[
            (
                "members",
                "a list of 1 to 16 detectors, as JSON: [{\"ecod\":{}},{\"isolation-forest\":{\"trees\":300}}]",
            ),
            ("trim", "0 to 0.5"),
            SEED,
        ],
    ),
];

/// The parameter that sets all others.
const PRESET: &str = "preset";

/// Name, meaning and parameters of a configuration that is known by a name.
type Preset = (&'static str, &'static str, fn() -> Value);

/// Fits a detector of these parameters.
type FitFn = fn(&Value, ArrayView2<'_, f64>) -> Result<Box<dyn Score>, Refused>;

/// A detector by name.
#[derive(Debug)]
pub(crate) struct Detector {
    pub(crate) name: &'static str,
    /// What it finds strange.
    finds: &'static str,
    /// Its parameters by their serialised names, with what each may be.
    allowed: &'static [(&'static str, &'static str)],
    defaults: fn() -> Value,
    presets: &'static [Preset],
    check: fn(&Value) -> Result<(), Refused>,
    fit: FitFn,
}

/// Why a detector did not take its parameters or the data.
enum Refused {
    /// The parameter and what serde says of it; no name if it is about none in particular.
    Parameter(String, serde_json::Error),
    Data(DetectorError),
}

impl Detector {
    const fn of<D>(
        name: &'static str,
        finds: &'static str,
        allowed: &'static [(&'static str, &'static str)],
    ) -> Self
    where
        D: Fit + Default + Serialize + DeserializeOwned,
        D::Fitted: 'static,
    {
        Self {
            name,
            finds,
            allowed,
            defaults: || to_value(D::default()),
            presets: &[],
            check: |parameters| checked::<D>(parameters).map(drop),
            fit: |parameters, data| {
                let detector: D = checked(parameters)?;
                let fitted = detector.fit(data).map_err(Refused::Data)?;
                Ok(Box::new(fitted))
            },
        }
    }

    const fn with_presets(mut self, presets: &'static [Preset]) -> Self {
        self.presets = presets;
        self
    }

    /// The detector of this name.
    pub(crate) fn named(name: &str) -> Option<&'static Self> {
        DETECTORS.iter().find(|detector| detector.name == name)
    }

    pub(crate) fn has_seed(&self) -> bool {
        self.allowed.contains(&SEED)
    }

    fn defaults(&self) -> Map<String, Value> {
        map((self.defaults)())
    }

    /// The parameters of the last preset that the user set, or the defaults.
    fn preset(&self, set: &[(String, String)]) -> Result<Map<String, Value>, DetectError> {
        let chosen = set.iter().rev().find(|(key, _)| key == PRESET);
        let Some((_, chosen)) = chosen.filter(|_| !self.presets.is_empty()) else {
            return Ok(self.defaults());
        };
        let preset = self.presets.iter().find(|(name, ..)| name == chosen);
        let Some((.., parameters)) = preset else {
            let names: Vec<_> = self.presets.iter().map(|(name, ..)| *name).collect();
            return Err(DetectError::WrongParameter {
                detector: self.name,
                reason: format!("`{PRESET}` is {chosen}: must be {}", names.join(" or ")),
            });
        };
        Ok(map(parameters()))
    }

    /// The preset or the defaults, with what the user set, checked.
    pub(super) fn parameters(&self, set: &[(String, String)]) -> Result<Value, DetectError> {
        let mut parameters = self.preset(set)?;
        let has_presets = !self.presets.is_empty();
        for (key, text) in set.iter().filter(|(key, _)| !has_presets || key != PRESET) {
            let Some(value) = parameters.get_mut(key) else {
                let mut names: Vec<_> = self.allowed.iter().map(|(name, _)| *name).collect();
                names.extend(has_presets.then_some(PRESET));
                return Err(DetectError::UnknownParameter {
                    detector: self.name,
                    key: key.clone(),
                    parameters: names.join(", "),
                });
            };
            *value = match value {
                Value::String(_) => Value::String(text.clone()),
                _ => serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.clone())),
            };
        }
        let parameters = Value::Object(parameters);
        (self.check)(&parameters).map_err(|refused| self.error(refused, set))?;
        Ok(parameters)
    }

    /// Fits the detector with parameters that [`Detector::parameters`] gave.
    pub(super) fn fit(
        &self,
        parameters: &Value,
        data: &Array2<f64>,
    ) -> Result<Box<dyn Score>, DetectError> {
        (self.fit)(parameters, data.view()).map_err(|refused| self.error(refused, &[]))
    }

    fn error(&self, refused: Refused, set: &[(String, String)]) -> DetectError {
        match refused {
            Refused::Data(source) => DetectError::Detector(source),
            Refused::Parameter(key, source) => {
                let given = set.iter().rev().find(|(name, _)| *name == key);
                let allowed = self.allowed.iter().find(|(name, _)| *name == key);
                let reason = match (given, allowed) {
                    (Some((_, text)), Some((_, allowed))) => {
                        format!("`{key}` is {text}: must be {allowed}")
                    }
                    // The detector's own check names parameter, value and range.
                    _ => source.to_string(),
                };
                DetectError::WrongParameter {
                    detector: self.name,
                    reason,
                }
            }
        }
    }
}

fn to_value(parameters: impl Serialize) -> Value {
    serde_json::to_value(parameters).unwrap_or_default()
}

/// The same, in the order of the names, however the rest of the program is built.
fn map(mut parameters: Value) -> Map<String, Value> {
    parameters.sort_all_objects();
    match parameters {
        Value::Object(parameters) => parameters,
        _ => Map::new(),
    }
}

fn checked<D: DeserializeOwned>(parameters: &Value) -> Result<D, Refused> {
    serde_path_to_error::deserialize(parameters)
        .map_err(|error| Refused::Parameter(error.path().to_string(), error.into_inner()))
}

/// Every detector with what it finds strange, and its parameters: name, default, what is allowed.
pub(super) fn list() -> String {
    let mut text = String::new();
    for (index, detector) in DETECTORS.iter().enumerate() {
        let gap = if index == 0 { "" } else { "\n" };
        _ = writeln!(text, "{gap}{}: {}", detector.name, detector.finds);
        let defaults = detector.defaults();
        for (name, allowed) in detector.allowed {
            let default = match defaults.get(*name) {
                Some(Value::String(word)) => word.clone(),
                // Too long for its column: one below the other.
                Some(Value::Array(parts)) if !parts.is_empty() => {
                    let parts: Vec<_> = parts.iter().map(Value::to_string).collect();
                    _ = writeln!(text, "  {name:<24} {:<18} {allowed}", "see below");
                    _ = writeln!(text, "    [{}]", parts.join(",\n     "));
                    continue;
                }
                Some(value) => value.to_string(),
                None => String::new(),
            };
            _ = writeln!(text, "  {name:<24} {default:<18} {allowed}");
        }
        for (name, meaning, _) in detector.presets {
            _ = writeln!(text, "  {PRESET:<24} {:<18} {name}: {meaning}", "");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_parameter_is_listed_with_what_the_detector_allows() {
        for detector in DETECTORS {
            let defaults = detector.defaults();
            let listed: BTreeSet<_> = detector.allowed.iter().map(|(name, _)| *name).collect();
            let known: BTreeSet<_> = defaults.keys().map(String::as_str).collect();
            assert_eq!(known, listed, "{}", detector.name);
            assert!(detector.parameters(&[]).is_ok(), "{}", detector.name);
            for (name, allowed) in detector.allowed {
                let set = [((*name).to_owned(), "-1000".to_owned())];
                let error = detector.parameters(&set).unwrap_err().to_string();
                let message = format!("{}: `{name}` is -1000: must be {allowed}", detector.name);
                assert_eq!(error, message);
                if defaults[*name].is_string() {
                    for word in allowed.replace(" or ", ", ").split(", ") {
                        let set = [((*name).to_owned(), word.to_owned())];
                        assert!(detector.parameters(&set).is_ok(), "{name}: {word}");
                    }
                }
            }
        }
    }
}
