//! The whole tree, and what of it is for one job.

use std::borrow::Cow;
use std::sync::LazyLock;

use serde::{Deserialize, Deserializer, Serialize};

use crate::{
    DetectionSettings, GuardSettings, HistoryJobs, IncidentSettings, Key, ReviewSettings,
    RoleSettings, Scope, SettingsError, StorageSettings, StreamSettings, Subject, SwitchedOff,
    SwitchedOffBy,
};

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
    /// What a person's decision covers.
    pub review: ReviewSettings,
    /// Which anomalies belong together.
    pub incidents: IncidentSettings,
    /// What becomes of a change that makes Backwatch see less.
    pub guard: GuardSettings,
    /// Which parts of the watching are on.
    pub roles: RoleSettings,
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
            keys.extend(ReviewSettings::keys());
            keys.extend(IncidentSettings::keys());
            keys.extend(GuardSettings::keys());
            keys.extend(RoleSettings::keys());
            keys.extend(StorageSettings::keys());
            keys
        });
        &KEYS
    }

    /// What holds for a job: the fleet's settings, changed by every scope that is for the job, the
    /// widest first. See [`Scope`] for which is wider.
    ///
    /// At least as many jobs are kept as the warm-up needs, whatever was set: a stream could
    /// otherwise never be judged.
    #[must_use]
    pub fn detection_for<'a>(&self, job: impl Into<Subject<'a>>) -> Cow<'_, DetectionSettings> {
        let mut detection = Cow::Borrowed(&self.detection);
        for scope in self.scopes_for(job.into()) {
            scope.detection.apply_to(detection.to_mut());
        }
        let needed = HistoryJobs::at_least(detection.warm_up_jobs);
        if detection.history_jobs < needed {
            detection.to_mut().history_jobs = needed;
        }
        detection
    }

    /// What switches detection off for a job; `None` where it is on.
    #[must_use]
    pub fn switched_off_for<'a>(&self, job: impl Into<Subject<'a>>) -> Option<SwitchedOffBy<'_>> {
        let scopes = self.scopes_for(job.into());
        let narrowest = scopes
            .into_iter()
            .rev()
            .find_map(|scope| Some((scope, scope.detection.enabled?)));
        match narrowest {
            Some((scope, false)) => Some(SwitchedOffBy::Scope(scope)),
            Some((_, true)) => None,
            None => (!self.detection.enabled).then_some(SwitchedOffBy::Fleet),
        }
    }

    /// What is kept from judging somewhere: in the fleet, or in some scope.
    #[must_use]
    pub fn switched_off_somewhere(&self) -> SwitchedOff {
        let mut off = self.detection.switched_off();
        for scope in &self.scopes {
            let mut detection = self.detection.clone();
            scope.detection.apply_to(&mut detection);
            off.extend(detection.switched_off());
        }
        off
    }

    /// The scopes that are for a job, the widest first.
    fn scopes_for(&self, job: Subject<'_>) -> Vec<&Scope> {
        let mut scopes: Vec<&Scope> = self
            .scopes
            .iter()
            .filter(|scope| scope.covers(job))
            .collect();
        // A stable sort: of scopes that name the same, the later one is applied later.
        scopes.sort_by_key(|scope| scope.rank());
        scopes
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
