//! Numbers that are within their range by construction.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::SettingsError;
use crate::knob::Knob;

macro_rules! numbers {
    ($(
        $(#[$doc:meta])*
        $Name:ident($Number:ty), $key:literal, $min:literal..=$max:literal, $default:literal;
    )*) => {$(
        $(#[$doc])*
        ///
        #[doc = concat!("From ", $min, " to ", $max, "; ", $default, " unless set.")]
        #[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
        pub struct $Name($Number);

        impl $Name {
            /// The least value allowed.
            pub const MIN: Self = Self($min);
            /// The greatest value allowed.
            pub const MAX: Self = Self($max);

            /// Checks the range.
            ///
            /// # Errors
            #[doc = concat!(
                "[`SettingsError::Invalid`] when `value` is not from ", $min, " to ", $max, "."
            )]
            pub fn new(value: $Number) -> Result<Self, SettingsError> {
                if ($min..=$max).contains(&value) {
                    Ok(Self(value))
                } else {
                    Err(SettingsError::invalid($key, value.to_string(), Self::allowed()))
                }
            }

            /// The number.
            #[must_use]
            pub const fn get(self) -> $Number {
                self.0
            }
        }

        impl Default for $Name {
            fn default() -> Self {
                Self($default)
            }
        }

        impl Knob for $Name {
            const TOML_TYPE: &'static str = <$Number as Knob>::TOML_TYPE;

            fn allowed() -> String {
                format!("{} from {} to {}", <$Number as Knob>::allowed(), $min, $max)
            }
        }

        impl fmt::Display for $Name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl Serialize for $Name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                self.0.serialize(serializer)
            }
        }

        impl<'de> Deserialize<'de> for $Name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                Self::new(<$Number>::deserialize(deserializer)?).map_err(serde::de::Error::custom)
            }
        }
    )*};
}

numbers! {
    /// False alarms to expect of one stream of ordinary jobs in 365 jobs.
    AlarmBudget(f64), "alarm_budget", 0.01..=36.5, 1.0;
    /// `NetBackup`'s sensitivity: percent by which clusters grow; more means fewer alarms.
    SensitivityPercent(f64), "sensitivity_percent", -60.0..=1000.0, 0.0;
    /// False alarms to expect of all streams together in a week; 0 for no such limit.
    FleetAlarmsPerWeek(f64), "fleet_alarms_per_week", 0.0..=10_000.0, 0.0;
    /// Streams that share the alarms of the fleet.
    FleetStreams(u32), "fleet_streams", 1..=10_000_000, 1;
    /// Jobs that a stream must have before its history judges.
    WarmUpJobs(u32), "warm_up_jobs", 5..=365, 7;
    /// Newest learnt jobs that are kept per stream.
    HistoryJobs(u32), "history_jobs", 20..=400, 120;
    /// Consistent jobs after which a change that lasts becomes the new normal by itself; 0 for never.
    AcceptLevelShiftAfterJobs(u32), "accept_level_shift_after_jobs", 0..=365, 0;
    /// Tukey's k: interquartile ranges beyond the quartiles at which the fences stand.
    IqrFactor(f64), "iqr_factor", 0.5..=10.0, 1.5;
    /// Trees of the isolation forest.
    ForestTrees(u32), "forest_trees", 10..=500, 50;
    /// Jobs that each tree of the isolation forest is grown from.
    ForestSamples(u32), "forest_samples", 8..=1024, 64;
    /// Standard deviations above the mean of past divergences at which attributes are strange.
    AttributeDeviations(f64), "attribute_deviations", 2.0..=1000.0, 19.0;
    /// How far each usual job moves the usual attributes towards its own.
    AttributeRate(f64), "attribute_rate", 0.01..=1.0, 0.1;
    /// Days for which jobs are kept; 0 for good.
    RetentionDays(u32), "retention_days", 0..=36_500, 365;
    /// Seconds to wait for another program that writes.
    WaitSeconds(u32), "wait_seconds", 0..=86_400, 5;
    /// Percent of the written files that must have a suspicious extension.
    SuspiciousExtensionPercent(f64), "suspicious_extension_percent", 10.0..=100.0, 10.0;
    /// How far beyond the value of the reviewed job a false positive covers later ones: a factor.
    DefaultCeiling(f64), "ceiling", 1.0..=2.0, 1.1;
    /// Days for which a false positive covers later jobs.
    ExpiryDays(u32), "expires_after_days", 1..=3660, 90;
    /// The most days for which a false positive may cover later jobs.
    LongestExpiryDays(u32), "longest_days", 1..=3660, 366;
    /// Days for which a loosening holds.
    GuardDays(u32), "guard.expires_after_days", 1..=3660, 30;
    /// The most days for which a loosening may hold.
    LongestGuardDays(u32), "guard.longest_days", 1..=3660, 366;
    /// Hours within which anomalies of one client belong together.
    ClientHours(u32), "client_hours", 1..=8784, 192;
    /// Hours within which anomalies of many clients belong together.
    FleetHours(u32), "fleet_hours", 1..=744, 24;
    /// Clients that are many.
    ManyClients(u32), "clients", 2..=100_000, 5;
}

impl AlarmBudget {
    /// Jobs that the budget is stated for: a year of daily backups.
    const BUDGET_JOBS: f64 = 365.0;

    /// The p-value of which ordinary jobs have less as often as the budget allows: the budget
    /// divided by 365.
    pub(crate) fn p_value(self) -> f64 {
        self.get() / Self::BUDGET_JOBS
    }
}

impl SensitivityPercent {
    /// By what the alarm budget is multiplied: `(1 + percent / 100)^-4`.
    ///
    /// A cluster that is wider by a factor is left by so many fewer jobs, where tails fall with the
    /// fourth power of the distance, as those of calibrated evidence do.
    pub(crate) fn factor(self) -> f64 {
        (1.0 + self.get() / 100.0).powi(-4)
    }
}

impl FleetAlarmsPerWeek {
    /// The p-value of which the jobs of so many streams have less as often as that, one job a day
    /// each; nothing if there is no limit.
    pub(crate) fn p_value(self, streams: FleetStreams) -> Option<f64> {
        let jobs_per_week = 7.0 * f64::from(streams.get());
        (self.get() > 0.0).then(|| self.get() / jobs_per_week)
    }
}

impl HistoryJobs {
    /// The fewest that hold a warm-up of this many jobs.
    pub(crate) fn at_least(warm_up: WarmUpJobs) -> Self {
        Self(warm_up.get().clamp(Self::MIN.get(), Self::MAX.get()))
    }
}
