//! The detectors that can be switched on.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A detector that judges a job against the history of its stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum DetectorName {
    /// How much of the data each kind of attack could have hit, against this stream and streams in
    /// general.
    AffectedShares,
    /// Distance from the mean in standard deviations.
    ZScore,
    /// Distance from the median in median absolute deviations.
    ModifiedZScore,
    /// Distance beyond the quartiles in interquartile ranges: Tukey's fences.
    Iqr,
    /// How few random cuts isolate the job, over all its features at once.
    IsolationForest,
}

impl DetectorName {
    /// Every detector, in ascending order.
    pub const ALL: &[Self] = &[
        Self::AffectedShares,
        Self::ZScore,
        Self::ModifiedZScore,
        Self::Iqr,
        Self::IsolationForest,
    ];

    /// Those that judge unless the settings say otherwise.
    pub const DEFAULT: &[Self] = &[Self::AffectedShares];

    /// The word that stands for it in every format.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AffectedShares => "affected_shares",
            Self::ZScore => "z_score",
            Self::ModifiedZScore => "modified_z_score",
            Self::Iqr => "iqr",
            Self::IsolationForest => "isolation_forest",
        }
    }
}

impl fmt::Display for DetectorName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
