#![doc = include_str!("../README.md")]

mod detection;
mod detector;
mod error;
mod excluded;
mod extensions;
mod file;
mod guard;
mod incidents;
mod key;
mod knob;
mod list;
mod load;
mod loosening;
mod number;
mod parts;
mod place;
mod review;
mod roles;
mod scope;
mod section;
mod settings;
mod storage;
mod streams;
mod subject;
mod switched_off;

pub use detection::{DetectionOverrides, DetectionSettings, RuleOverrides, RuleSettings};
pub use detector::DetectorName;
pub use error::SettingsError;
pub use excluded::ExcludedFeatures;
pub use extensions::Extensions;
pub use guard::GuardSettings;
pub use incidents::IncidentSettings;
pub use key::Key;
pub use list::{DetectorSet, StreamParts};
pub use load::Layers;
pub use loosening::Loosens;
pub use number::{
    AcceptLevelShiftAfterJobs, AlarmBudget, AttributeDeviations, AttributeRate, ClientHours,
    DefaultCeiling, ExpiryDays, FleetAlarmsPerWeek, FleetHours, FleetStreams, ForestSamples,
    ForestTrees, GuardDays, HistoryJobs, IqrFactor, LongestExpiryDays, LongestGuardDays,
    ManyClients, RetentionDays, SensitivityPercent, SuspiciousExtensionPercent, WaitSeconds,
    WarmUpJobs,
};
pub use parts::{Difference, Parts};
pub use place::Place;
pub use review::ReviewSettings;
pub use roles::{Role, RoleSettings};
pub use scope::Scope;
pub use settings::Settings;
pub use storage::StorageSettings;
pub use streams::StreamSettings;
pub use subject::{Subject, SwitchedOffBy};
pub use switched_off::SwitchedOff;
