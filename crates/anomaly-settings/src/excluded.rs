//! Features that are told not to judge.

use anomaly_features::{FEATURES, Share, feature};
use anomaly_model::FeatureName;
use serde::{Deserialize, Deserializer, Serialize};

use crate::SettingsError;
use crate::knob::Knob;

/// Features and shares that do not judge: each the name of one that there is.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize)]
#[serde(transparent)]
pub struct ExcludedFeatures(Vec<FeatureName>);

impl ExcludedFeatures {
    /// Checks that there is a feature of every name.
    ///
    /// # Errors
    /// [`SettingsError::Invalid`] when there is none of some name.
    pub fn new(names: impl Into<Vec<FeatureName>>) -> Result<Self, SettingsError> {
        let names = names.into();
        match names.iter().find(|name| !is_known(name.as_str())) {
            Some(unknown) => Err(SettingsError::invalid(
                "excluded_features",
                unknown.to_string(),
                Self::allowed(),
            )),
            None => Ok(Self(names)),
        }
    }

    /// The names, in the order given.
    #[must_use]
    pub fn names(&self) -> &[FeatureName] {
        &self.0
    }
}

fn is_known(name: &str) -> bool {
    feature(name).is_some() || Share::ALL.iter().any(|share| share.name() == name)
}

impl Knob for ExcludedFeatures {
    const TOML_TYPE: &'static str = "array of strings";

    fn allowed() -> String {
        let shares = Share::ALL.iter().map(|share| share.name());
        let shares = shares.filter(|name| feature(name).is_none());
        let names: Vec<&str> = FEATURES
            .iter()
            .map(|feature| feature.name)
            .chain(shares)
            .collect();
        format!("a list of any of {}", names.join(", "))
    }
}

impl<'de> Deserialize<'de> for ExcludedFeatures {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(Vec::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}
