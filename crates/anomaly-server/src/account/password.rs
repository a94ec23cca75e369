//! Passwords, as they are kept.

use std::sync::LazyLock;

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use serde::{Deserialize, Serialize};

use super::AccountsError;

/// A password must have so many characters: long ones need no rules about their kinds.
const LEAST_CHARACTERS: usize = 12;
/// A longer one is only there to make the hash slow.
const MOST_BYTES: usize = 1_024;

/// The hash of a password (Argon2id, as a PHC string), which is never shown.
#[derive(Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Password {
    hash: String,
}

impl std::fmt::Debug for Password {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Password")
    }
}

impl Password {
    /// Hashes a new password of 12 characters or more; takes tens of milliseconds, on purpose.
    ///
    /// # Errors
    /// [`AccountsError::Password`] when it is too short or longer than 1,024 bytes, and
    /// [`AccountsError::Hash`] when the system gives no random numbers.
    pub fn new(password: &str) -> Result<Self, AccountsError> {
        if password.chars().count() < LEAST_CHARACTERS || password.len() > MOST_BYTES {
            return Err(AccountsError::Password {
                least: LEAST_CHARACTERS,
                most: MOST_BYTES,
            });
        }
        let hash = Argon2::default()
            .hash_password(password.as_bytes())
            .map_err(|error| AccountsError::Hash(error.to_string()))?;
        Ok(Self {
            hash: hash.to_string(),
        })
    }

    /// Whether this is the password; takes as long whether it is or not.
    pub(crate) fn is(&self, password: &str) -> bool {
        let Ok(hash) = PasswordHash::new(&self.hash) else {
            return false;
        };
        let argon2 = Argon2::default();
        password.len() <= MOST_BYTES && argon2.verify_password(password.as_bytes(), &hash).is_ok()
    }
}

/// Takes as long as a look at a password, and finds it wrong: so that nobody learns from the time which
/// users there are.
pub(crate) fn spend_as_much(password: &str) -> bool {
    static NOBODY: LazyLock<Option<Password>> =
        LazyLock::new(|| Password::new("nobody has this password").ok());
    if let Some(nobody) = &*NOBODY {
        _ = nobody.is(password);
    }
    false
}
