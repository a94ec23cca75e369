//! One-time passwords of an authenticator (TOTP, RFC 6238).

use serde::{Deserialize, Serialize};
use totp_rs::{Algorithm, Builder, Secret, Totp};

use super::AccountsError;

/// Seconds for which a one-time password is good; that before and that after are taken too.
const STEP_SECONDS: u64 = 30;

/// The secret that a user's authenticator shares with the service.
///
/// It has to be kept as it is: whoever reads the database can make one-time passwords, though not
/// passwords.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct SecondFactor {
    secret_base32: String,
    /// The last step that was used: none is taken twice.
    last_step: u64,
}

impl std::fmt::Debug for SecondFactor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SecondFactor")
    }
}

impl SecondFactor {
    /// A new secret of 160 random bits.
    pub(crate) fn new() -> Result<Self, AccountsError> {
        let mut bytes = [0; 20];
        getrandom::fill(&mut bytes).map_err(|error| AccountsError::Random(error.to_string()))?;
        let secret_base32 = Secret::new(Box::new(bytes)).to_base32();
        Ok(Self {
            secret_base32,
            last_step: 0,
        })
    }

    /// What a person types into an authenticator that has no camera.
    pub(crate) fn secret(&self) -> &str {
        &self.secret_base32
    }

    /// Whether `code` is a one-time password of now, at `seconds` since 1970, that was not used yet.
    pub(crate) fn takes(&mut self, code: &str, seconds: u64) -> bool {
        let Some(totp) = self.totp() else {
            return false;
        };
        let now = seconds / STEP_SECONDS;
        for step in now.saturating_sub(1)..=now + 1 {
            let expected = totp.generate(step * STEP_SECONDS).to_string();
            let is_it: bool =
                subtle::ConstantTimeEq::ct_eq(expected.as_bytes(), code.as_bytes()).into();
            if is_it && step > self.last_step {
                self.last_step = step;
                return true;
            }
        }
        false
    }

    fn totp(&self) -> Option<Totp> {
        let secret = Secret::try_from_base32(&self.secret_base32).ok()?;
        let builder = Builder::new()
            .with_algorithm(Algorithm::SHA1)
            .with_digits(6);
        builder
            .with_step_duration(STEP_SECONDS)
            .with_secret(secret)
            .build()
            .ok()
    }
}
