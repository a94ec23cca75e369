#![doc = include_str!("../README.md")]

mod detection;
mod detector;
mod error;
mod excluded;
mod extensions;
mod file;
mod key;
mod knob;
mod list;
mod load;
mod number;
mod place;
mod scope;
mod section;
mod settings;
mod storage;
mod streams;

pub use detection::{DetectionOverrides, DetectionSettings, RuleOverrides, RuleSettings};
pub use detector::DetectorName;
pub use error::SettingsError;
pub use excluded::ExcludedFeatures;
pub use extensions::Extensions;
pub use key::Key;
pub use list::{DetectorSet, StreamParts};
pub use number::{
    AlarmBudget, AttributeDeviations, AttributeRate, FleetAlarmsPerWeek, FleetStreams,
    ForestSamples, ForestTrees, HistoryJobs, IqrFactor, RetentionDays,
    SensitivityPercent, SuspiciousExtensionPercent, WaitSeconds, WarmUpJobs,
};
pub use place::Place;
pub use scope::Scope;
pub use settings::Settings;
pub use storage::StorageSettings;
pub use streams::StreamSettings;
