//! The table of keys.

use crate::Loosens;
use crate::knob::Knob;

/// One key of the settings: what it is called, what it may be and what it does.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Key {
    /// The key in full, such as `detection.alarm_budget`.
    pub name: &'static str,
    /// The TOML type: `boolean`, `integer`, `float`, `array of strings`.
    pub toml_type: &'static str,
    /// The value when nothing sets it, as TOML.
    pub default: String,
    /// What a value may be, in words: `a number from 0.01 to 36.5`.
    pub allowed: String,
    /// What it means, in one sentence.
    pub meaning: &'static str,
    /// Which way a change of it makes Backwatch see less.
    pub loosens: Loosens,
    /// What a change does, and why the default is what it is.
    pub reason: &'static str,
}

impl Key {
    /// What every environment variable that is a setting begins with.
    pub(crate) const ENVIRONMENT_PREFIX: &'static str = "BACKWATCH_";

    pub(crate) fn new<K: Knob>(
        name: &'static str,
        default: &K,
        meaning: &'static str,
        reason: &'static str,
    ) -> Self {
        Self {
            name,
            toml_type: K::TOML_TYPE,
            // Every default can be written; a test reads each of them back.
            default: toml::Value::try_from(default)
                .map(|value| value.to_string())
                .unwrap_or_default(),
            allowed: K::allowed(),
            // A key that is not in the table is guarded whichever way it changes; a test finds it.
            loosens: Loosens::of(name).unwrap_or(Loosens::AnyChange),
            meaning: meaning.trim_ascii(),
            reason: reason.trim_ascii(),
        }
    }

    /// The environment variable that sets it, such as `BACKWATCH_DETECTION_ALARM_BUDGET`.
    #[must_use]
    pub fn environment_variable(&self) -> String {
        let name = self.name.replace('.', "_").to_ascii_uppercase();
        format!("{}{name}", Self::ENVIRONMENT_PREFIX)
    }
}
