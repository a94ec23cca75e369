//! Passwords, hashed and compared beside everything else, a few at a time.

use std::sync::Arc;

use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

use crate::account::{Password, User, spend_as_much};
use crate::problem::Problem;

/// Each takes 19 MiB, and a core for tens of milliseconds: whoever tries a thousand passwords at
/// once waits for his turn, and takes neither from those who read and judge.
const AT_ONCE: usize = 2;

/// Whose turn it is.
#[derive(Debug)]
pub(crate) struct Hashing {
    turns: Arc<Semaphore>,
}

impl Default for Hashing {
    fn default() -> Self {
        Self {
            turns: Arc::new(Semaphore::new(AT_ONCE)),
        }
    }
}

impl Hashing {
    /// A new password, hashed.
    pub(crate) async fn hash(&self, password: String) -> Result<Password, Problem> {
        let hashed = self.take_turn(move || Password::new(&password)).await?;
        hashed.map_err(|error| Problem::of_accounts(&error))
    }

    /// Whether this is the user's password. It takes as long when there is no such user.
    pub(crate) async fn is_password(
        &self,
        user: Option<&User>,
        password: String,
    ) -> Result<bool, Problem> {
        let kept = user.map(|user| user.password.clone());
        self.take_turn(move || {
            kept.map_or_else(|| spend_as_much(&password), |kept| kept.is(&password))
        })
        .await
    }

    async fn take_turn<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Problem> {
        let failed = |error: &dyn std::error::Error| Problem::internal(&error.to_string());
        let turn = Arc::clone(&self.turns).acquire_owned().await;
        let turn = turn.map_err(|error| failed(&error))?;
        let work = spawn_blocking(move || {
            // The turn ends with the work, not with whoever gave up waiting for it.
            let _turn = turn;
            work()
        });
        work.await.map_err(|error| failed(&error))
    }
}
