//! What each role may do.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What a request needs leave for. Every route names one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Permission {
    /// To see jobs, verdicts, anomalies, incidents, streams, coverage and the settings.
    See,
    /// To hand over jobs.
    HandOver,
    /// To decide about anomalies.
    Review,
    /// To change the settings, and what the detection service does.
    Configure,
    /// To see and change users and API keys.
    Administer,
    /// To change the own password and second factor.
    OwnAccount,
}

#[cfg(test)]
impl Permission {
    /// All of them.
    pub(crate) const ALL: [Self; 6] = [
        Self::See,
        Self::HandOver,
        Self::Review,
        Self::Configure,
        Self::Administer,
        Self::OwnAccount,
    ];
}

/// What a user or an API key is for.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Role {
    /// Hands over jobs, and is told what was found in these alone. For API keys only.
    Ingest,
    /// Sees everything but users and keys.
    Viewer,
    /// Decides about anomalies too, and hands over jobs.
    Operator,
    /// May do everything. For people only.
    Administrator,
}

impl Role {
    /// All of them, the least powerful first.
    pub const ALL: [Self; 4] = [
        Self::Ingest,
        Self::Viewer,
        Self::Operator,
        Self::Administrator,
    ];

    /// As it is written: `ingest`, `viewer`, `operator`, `administrator`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ingest => "ingest",
            Self::Viewer => "viewer",
            Self::Operator => "operator",
            Self::Administrator => "administrator",
        }
    }

    /// The role that is written so.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == word)
    }

    /// Whether the role has this permission.
    pub(crate) const fn may(self, permission: Permission) -> bool {
        use Permission::{Administer, Configure, HandOver, OwnAccount, Review, See};
        match self {
            Self::Ingest => matches!(permission, HandOver),
            Self::Viewer => matches!(permission, See | OwnAccount),
            Self::Operator => matches!(permission, See | HandOver | Review | OwnAccount),
            Self::Administrator => matches!(
                permission,
                See | HandOver | Review | Configure | Administer | OwnAccount
            ),
        }
    }
}

impl std::fmt::Display for Role {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}
