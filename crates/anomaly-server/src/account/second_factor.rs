//! One-time passwords of an authenticator (TOTP, RFC 6238).

use serde::{Deserialize, Serialize};
use totp_rs::{Algorithm, Builder, Secret, Totp};

use super::AccountsError;

/// Seconds for which a one-time password is good; that before and that after are taken too.
const STEP_SECONDS: u64 = 30;
/// Wrong ones in a row that cost nothing.
const FREE_TRIES: u32 = 5;
/// Seconds after the last of them until another one is looked at, and twice as many after each,
const FIRST_WAIT_SECONDS: u64 = 60;
/// up to an hour: some 24 tries a day, of which each has three chances in a million.
const LONGEST_WAIT_SECONDS: u64 = 3_600;

/// The secret that a user's authenticator shares with the service.
///
/// It has to be kept as it is: whoever reads the database can make one-time passwords, though not
/// passwords.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct SecondFactor {
    secret_base32: String,
    /// The last step that was used: none is taken twice.
    last_step: u64,
    /// Wrong one-time passwords since the last right one. Only who knows the password gets so far.
    #[serde(default)]
    wrong_codes: u32,
    /// When the last of them came, in seconds since 1970.
    #[serde(default)]
    wrong_at: u64,
}

/// What became of a one-time password.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tried {
    Right,
    Wrong,
    /// The last wrong one that costs nothing: whoever sends them knows the password.
    LastFree,
    /// It was not looked at: too many were wrong.
    NotLookedAt,
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
            wrong_codes: 0,
            wrong_at: 0,
        })
    }

    /// What a person types into an authenticator that has no camera.
    pub(crate) fn secret(&self) -> &str {
        &self.secret_base32
    }

    /// Looks at a one-time password at `seconds` since 1970, unless too many were wrong.
    pub(crate) fn try_code(&mut self, code: &str, seconds: u64) -> Tried {
        // A clock that was set back keeps nobody out.
        let waited = seconds.checked_sub(self.wrong_at);
        if code.is_empty() || waited.is_some_and(|waited| waited < self.wait_seconds()) {
            return Tried::NotLookedAt;
        }
        if self.takes(code, seconds) {
            self.forgive();
            return Tried::Right;
        }
        self.wrong_codes = self.wrong_codes.saturating_add(1);
        self.wrong_at = seconds;
        if self.wrong_codes == FREE_TRIES {
            Tried::LastFree
        } else {
            Tried::Wrong
        }
    }

    /// Forgets the wrong ones: who sent them knows the password no more.
    pub(crate) fn forgive(&mut self) {
        self.wrong_codes = 0;
    }

    /// Seconds after a wrong one in which none is looked at.
    fn wait_seconds(&self) -> u64 {
        match self.wrong_codes.checked_sub(FREE_TRIES) {
            None => 0,
            Some(more) => (FIRST_WAIT_SECONDS << more.min(6)).min(LONGEST_WAIT_SECONDS),
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    /// The right one of a moment.
    fn right(factor: &SecondFactor, seconds: u64) -> String {
        let totp = factor.totp().unwrap();
        totp.generate(seconds).to_string()
    }

    #[test]
    fn who_guesses_waits_longer_each_time_and_nobody_waits_for_ever() {
        let mut factor = SecondFactor::new().unwrap();
        let mut now = 1_800_000_000;
        let guess = |factor: &mut SecondFactor, now| factor.try_code("no code", now);
        for _ in 1..FREE_TRIES {
            assert_eq!(guess(&mut factor, now), Tried::Wrong);
        }
        assert_eq!(guess(&mut factor, now), Tried::LastFree);
        let mut waits = Vec::new();
        for _ in 0..9 {
            let wait = factor.wait_seconds();
            let code = right(&factor, now + wait - 1);
            let too_soon = factor.try_code(&code, now + wait - 1);
            assert_eq!(too_soon, Tried::NotLookedAt, "not even the right one");
            now += wait;
            assert_eq!(guess(&mut factor, now), Tried::Wrong);
            waits.push(wait);
        }
        assert_eq!(waits, [60, 120, 240, 480, 960, 1920, 3600, 3600, 3600]);

        // The right one ends it, once it is looked at; so does a new password, at once.
        let kept = serde_json::to_string(&factor).unwrap();
        let again = || serde_json::from_str::<SecondFactor>(&kept).unwrap();
        let mut waited = again();
        let code = right(&waited, now + 3_600);
        assert_eq!(waited.try_code(&code, now + 3_600), Tried::Right);
        assert_eq!(guess(&mut waited, now + 3_600), Tried::Wrong);
        let mut forgiven = again();
        forgiven.forgive();
        let code = right(&forgiven, now);
        assert_eq!(forgiven.try_code(&code, now), Tried::Right);
        // A clock that was set back by a year keeps nobody out for a year.
        let mut back = again();
        let earlier = now - 31_536_000;
        let code = right(&back, earlier);
        assert_eq!(back.try_code(&code, earlier), Tried::Right);
    }
}
