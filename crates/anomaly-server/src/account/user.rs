//! A person who signs in.

use anomaly_model::chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{Password, Role, SecondFactor};

/// A person who signs in.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[non_exhaustive]
pub struct User {
    /// What the person may do.
    pub role: Role,
    /// When the user was added.
    pub created_at: DateTime<Utc>,
    /// Who added the user.
    pub created_by: String,
    /// Sessions and passwords from before do not count: it grows whenever one of them is taken away.
    pub(crate) generation: u64,
    pub(crate) password: Password,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) second_factor: Option<SecondFactor>,
}

impl User {
    /// Whether the person has to show a one-time password.
    #[must_use]
    pub fn has_second_factor(&self) -> bool {
        self.second_factor.is_some()
    }
}
