//! How a program is called.

use std::path::Path;

use serde::Deserialize;

use super::{check_timeout, half_a_minute};
use crate::NotifyError;

/// A program of this machine: `[sinks.command]`.
///
/// It gets the event as one line of JSON (`CloudEvents` 1.0) on standard input, no shell looks at its
/// arguments, and nothing of an event is in them.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct CommandOptions {
    /// The program by its absolute path, then its arguments.
    pub argv: Vec<String>,
    /// Seconds until it is killed, 1 to 600; 30 unless set.
    #[serde(default = "half_a_minute")]
    pub timeout_seconds: u16,
}

impl CommandOptions {
    pub(super) fn check(&self) -> Result<(), NotifyError> {
        check_timeout(self.timeout_seconds)?;
        let is_absolute = |program: &String| Path::new(program).is_absolute();
        if !self.argv.first().is_some_and(is_absolute) {
            return Err(NotifyError::options(
                "`argv` must begin with the absolute path of a program",
            ));
        }
        if self.argv.iter().any(|word| word.contains('\0')) {
            return Err(NotifyError::options("`argv` has a zero byte in it"));
        }
        Ok(())
    }
}
