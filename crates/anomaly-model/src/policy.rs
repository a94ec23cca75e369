//! By which rules a client is protected.

use serde::{Deserialize, Serialize};

use crate::{PolicyName, PolicyType};

/// A policy, repository or job definition.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Policy {
    /// Its name.
    pub name: PolicyName,
    /// What it protects, where the tool says so.
    pub policy_type: Option<PolicyType>,
}

impl Policy {
    /// The policy of this name and type.
    #[must_use]
    pub fn new(name: PolicyName, policy_type: Option<PolicyType>) -> Self {
        Self { name, policy_type }
    }
}
