//! When and how much a job backs up.

use serde::{Deserialize, Serialize};

use crate::ScheduleName;
use crate::words::words;

words! {
    /// How much a job of a schedule backs up.
    pub enum ScheduleType, "schedule_type" {
        /// All that is protected, whatever was backed up before.
        Full = "full",
        /// What changed since the last full or incremental backup.
        DifferentialIncremental = "differential_incremental",
        /// What changed since the last full backup.
        CumulativeIncremental = "cumulative_incremental",
        /// What changed, where the tool knows one kind only.
        Incremental = "incremental",
        /// Started by a user.
        UserBackup = "user_backup",
        /// Anything else.
        Other = "other",
    }
}

impl ScheduleType {
    /// Whether an image of this type holds what changed, not what there is. Such images are not
    /// compared with the one before: another day has other changes, or none.
    #[must_use]
    pub const fn holds_changes_only(self) -> bool {
        matches!(
            self,
            Self::DifferentialIncremental | Self::CumulativeIncremental
        )
    }
}

/// The schedule that a job ran under.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Schedule {
    /// Its name, where the tool has one.
    pub name: Option<ScheduleName>,
    /// Its type, where the tool has one.
    pub schedule_type: Option<ScheduleType>,
}

impl Schedule {
    /// The schedule of this name and type.
    #[must_use]
    pub fn new(name: Option<ScheduleName>, schedule_type: Option<ScheduleType>) -> Self {
        Self {
            name,
            schedule_type,
        }
    }

    /// Whether images of this schedule are known to hold what changed, not what there is.
    #[must_use]
    pub fn holds_changes_only(&self) -> bool {
        self.schedule_type
            .is_some_and(ScheduleType::holds_changes_only)
    }
}
