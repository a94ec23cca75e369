//! The whole tree, and what of it is for one job.

use std::borrow::Cow;
use std::sync::LazyLock;

use anomaly_model::BackupJob;
use serde::{Deserialize, Deserializer, Serialize};

use crate::{DetectionSettings, HistoryJobs, Key, Scope, SettingsError, StorageSettings, StreamSettings};

/// Every setting.
///
/// `Default` is what holds when nothing is set; [`Settings::keys`] lists every key with its
/// default, range and reason; [`Settings::load`] reads file, environment and flags.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Settings {
    /// What judges a job, and how loudly, unless a scope changes it.
    pub detection: DetectionSettings,
    /// How jobs are grouped.
    pub streams: StreamSettings,
    /// How the database is kept.
    pub storage: StorageSettings,
    /// Settings for some of the jobs: `[[scope]]` in the file.
    #[serde(
        rename = "scope",
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "scopes_that_name"
    )]
    pub scopes: Vec<Scope>,
}

impl Settings {
    /// Every key that can be set for the whole fleet, in the order of the file.
    ///
    /// ```
    /// use anomaly_settings::Settings;
    ///
    /// let budget = Settings::keys().iter().find(|key| key.name == "detection.alarm_budget");
    /// let budget = budget.ok_or("every key is listed")?;
    /// assert_eq!(budget.default, "1.0");
    /// assert_eq!(budget.allowed, "a number from 0.01 to 36.5");
    /// assert_eq!(budget.environment_variable(), "BACKWATCH_DETECTION_ALARM_BUDGET");
    /// # Ok::<(), &str>(())
    /// ```
    #[must_use]
    pub fn keys() -> &'static [Key] {
        static KEYS: LazyLock<Vec<Key>> = LazyLock::new(|| {
            let mut keys = DetectionSettings::keys();
            keys.extend(StreamSettings::keys());
            keys.extend(StorageSettings::keys());
            keys
        });
        &KEYS
    }

    /// What holds for `job`: the fleet's settings, changed by every scope that is for the job, the
    /// widest first. See [`Scope`] for which is wider.
    ///
    /// At least as many jobs are kept as the warm-up needs, whatever was set: a stream could
    /// otherwise never be judged.
    #[must_use]
    pub fn detection_for(&self, job: &BackupJob) -> Cow<'_, DetectionSettings> {
        let mut scopes: Vec<&Scope> = self
            .scopes
            .iter()
            .filter(|scope| scope.covers(job))
            .collect();
        // A stable sort: of scopes that name the same, the later one is applied later.
        scopes.sort_by_key(|scope| scope.rank());

        let mut detection = Cow::Borrowed(&self.detection);
        for scope in scopes {
            scope.detection.apply_to(detection.to_mut());
        }
        let needed = HistoryJobs::at_least(detection.warm_up_jobs);
        if detection.history_jobs < needed {
            detection.to_mut().history_jobs = needed;
        }
        detection
    }

    /// The settings as a TOML file that [`Settings::load`] reads back to the same.
    ///
    /// # Errors
    /// [`SettingsError::Write`] when the TOML writer fails; it has no reason to.
    pub fn to_toml(&self) -> Result<String, SettingsError> {
        toml::to_string(self).map_err(|source| SettingsError::Write { source })
    }
}

fn scopes_that_name<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Scope>, D::Error> {
    let scopes = Vec::<Scope>::deserialize(deserializer)?;
    if scopes.iter().any(Scope::names_nothing) {
        let names = Scope::NAMES.join(", ");
        let message = format!("a scope names nothing: name at least one of {names}");
        return Err(serde::de::Error::custom(message));
    }
    Ok(scopes)
}
