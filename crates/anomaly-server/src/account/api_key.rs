//! Keys that programs sign in with.

use anomaly_model::SourceName;
use anomaly_model::chrono::{DateTime, Utc};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::{AccountsError, Role};

/// What every key begins with, so that scanners for secrets find one that was left somewhere.
const PREFIX: &str = "bwk_";
/// Characters of a key behind the prefix that say which it is; they are kept, the rest is not.
const ID_CHARACTERS: usize = 8;

/// A key that a program signs in with, as it is kept: its hash alone.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct ApiKey {
    /// What it is called.
    pub(crate) name: String,
    /// What it may do; never an administrator.
    pub(crate) role: Role,
    /// The tools whose jobs it may hand over; empty for any.
    #[serde(default)]
    pub(crate) sources: Vec<SourceName>,
    /// When it was made.
    pub(crate) created_at: DateTime<Utc>,
    /// By whom.
    pub(crate) created_by: String,
    /// From when on it does not count; `None` for never.
    pub(crate) expires_at: Option<DateTime<Utc>>,
    /// SHA-256 of the key, whose 256 random bits nobody guesses: a slow hash would gain nothing.
    hash: String,
}

/// A key that was just made: the only time that it can be read.
pub(crate) struct NewApiKey {
    /// The part of it that says which it is.
    pub(crate) id: String,
    /// The key itself.
    pub(crate) key: String,
}

impl std::fmt::Debug for NewApiKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "NewApiKey({})", self.id)
    }
}

impl NewApiKey {
    pub(crate) fn random() -> Result<Self, AccountsError> {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes).map_err(|error| AccountsError::Random(error.to_string()))?;
        let mut id = [0; 6];
        getrandom::fill(&mut id).map_err(|error| AccountsError::Random(error.to_string()))?;
        let id = URL_SAFE_NO_PAD.encode(id);
        let key = format!("{PREFIX}{id}{}", URL_SAFE_NO_PAD.encode(bytes));
        Ok(Self { id, key })
    }
}

impl ApiKey {
    pub(crate) fn new(
        key: &NewApiKey,
        name: &str,
        role: Role,
        sources: Vec<SourceName>,
        (created_by, created_at): (&str, DateTime<Utc>),
        expires_at: Option<DateTime<Utc>>,
    ) -> Self {
        Self {
            name: name.to_owned(),
            role,
            sources,
            created_at,
            created_by: created_by.to_owned(),
            expires_at,
            hash: hash(&key.key),
        }
    }

    /// The part of a key that says which it is.
    pub(crate) fn id_of(key: &str) -> Option<&str> {
        key.strip_prefix(PREFIX)?.get(..ID_CHARACTERS)
    }

    /// Whether this is the key, and it still counts at `now`.
    pub(crate) fn is(&self, key: &str, now: DateTime<Utc>) -> bool {
        let is_it: bool = self.hash.as_bytes().ct_eq(hash(key).as_bytes()).into();
        is_it && self.expires_at.is_none_or(|end| now < end)
    }
}

fn hash(key: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(key.as_bytes()))
}
