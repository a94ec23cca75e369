//! The parts of the watching, each of which can be switched off.

use std::fmt;

use crate::Settings;
use crate::section::section;

section! {
    /// Which parts of the watching are on, beside [`detection.enabled`](crate::DetectionSettings).
    ///
    /// They are NetBackup's three services: gather, detect, alert. Off is never silent: each of them
    /// is shown as off wherever anybody looks, and to switch it off is a loosening.
    pub struct RoleSettings, pub(crate) overrides RoleOverrides, prefix "roles." {
        /// Whether jobs are taken in.
        ///
        /// Off, no source is polled, jobs that are handed over are refused so that whoever hands them
        /// over knows, and no job is called missing: nothing can be concluded from what is not taken
        /// in. NetBackup's counterpart is `disableAnomalyDetection`, which stops the other two with it.
        gather: bool = true,

        /// Whether the service tells its sinks what was found.
        ///
        /// Off, anomalies, incidents and reviews wait in the outbox and are told when it is on again.
        /// What happens to the watching itself is told all the same: who switches this off is told of.
        /// NetBackup's counterpart is `disableAlertService`, whose default is off.
        alert: bool = true,
    }
}

/// A part of the watching that can be switched off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Jobs are taken in.
    Gather,
    /// Jobs are judged.
    Detect,
    /// Sinks are told.
    Alert,
}

impl Role {
    /// Every one, in the order in which a job meets them.
    pub const ALL: [Self; 3] = [Self::Gather, Self::Detect, Self::Alert];

    /// The word that stands for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Gather => "gather",
            Self::Detect => "detect",
            Self::Alert => "alert",
        }
    }

    /// The key of the settings that switches it.
    #[must_use]
    pub const fn key(self) -> &'static str {
        match self {
            Self::Gather => "roles.gather",
            Self::Detect => "detection.enabled",
            Self::Alert => "roles.alert",
        }
    }

    /// The one that this key of the settings switches.
    ///
    /// ```
    /// use anomaly_settings::Role;
    ///
    /// assert_eq!(Role::of_key("detection.enabled"), Some(Role::Detect));
    /// assert_eq!(Role::of_key("detection.seed"), None);
    /// ```
    #[must_use]
    pub fn of_key(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.key() == key)
    }

    /// What it means that it is off, in a sentence.
    #[must_use]
    pub const fn off_in_words(self) -> &'static str {
        match self {
            Self::Gather => "Gathering is switched off: no job is taken in.",
            Self::Detect => "Detection is switched off: jobs are kept, and not judged.",
            Self::Alert => "Alerting is switched off: nobody is told of what is found.",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl Settings {
    /// Whether a part of the watching is on for the whole fleet.
    ///
    /// ```
    /// use anomaly_settings::{Role, Settings};
    ///
    /// let mut settings = Settings::default();
    /// settings.detection.enabled = false;
    /// assert!(settings.is_on(Role::Gather) && !settings.is_on(Role::Detect));
    /// assert_eq!(settings.roles_off(), [Role::Detect]);
    /// ```
    #[must_use]
    pub fn is_on(&self, role: Role) -> bool {
        match role {
            Role::Gather => self.roles.gather,
            Role::Detect => self.detection.enabled,
            Role::Alert => self.roles.alert,
        }
    }

    /// The parts of the watching that are off.
    #[must_use]
    pub fn roles_off(&self) -> Vec<Role> {
        let all = Role::ALL.into_iter();
        all.filter(|role| !self.is_on(*role)).collect()
    }
}
