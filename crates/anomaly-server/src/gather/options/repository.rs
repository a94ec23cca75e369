//! Repositories whose tool lists what is in them.

use std::path::PathBuf;

use anomaly_sources::Format;
use serde::Deserialize;

use super::checks::parts;

/// A repository, whose snapshots the tool itself lists.
///
/// What unlocks it is in files alone: the tool gets their names, or the environment of
/// [`Self::environment_file`].
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct RepositoryOptions {
    /// Where it is, as the tool writes it: a path, or such as `sftp:host:/srv/restic`. One that holds
    /// a password belongs into [`Self::environment_file`].
    pub repository: Option<String>,
    /// A file with its password.
    pub password_file: Option<PathBuf>,
    /// A program that prints its password, which the tool runs.
    pub password_command: Option<String>,
    /// A file of lines `NAME=VALUE` that are the tool's environment, such as the keys to a bucket.
    /// Nobody but Backwatch's user and group may read it.
    pub environment_file: Option<PathBuf>,
    /// The tool; `restic` or `rustic` on the system's path unless set.
    pub program: Option<PathBuf>,
    /// Where the tool may keep what it has fetched; it keeps nothing unless set.
    pub cache_directory: Option<PathBuf>,
    /// Of which parts to make the policy; as `ingest --policy-parts` has it.
    pub policy_parts: Option<Vec<String>>,
    /// Seconds that may be waited for the tool in one reading, 1 to 3600; 300 unless set. Then it is
    /// killed.
    #[serde(default = "five_minutes")]
    pub timeout_seconds: u16,
}

const fn five_minutes() -> u16 {
    300
}

impl RepositoryOptions {
    pub(super) fn check(&self, format: Format) -> Result<(), String> {
        let secret = self.repository.as_ref().is_some_and(|address| {
            let after_scheme = address.split_once("://").map_or("", |(_, rest)| rest);
            let authority = after_scheme.split('/').next().unwrap_or_default();
            authority
                .split_once('@')
                .is_some_and(|(user, _)| user.contains(':'))
        });
        if secret {
            return Err(
                "`repository` has a password in it: put the address into a file, and \
                        name that with `environment_file`"
                    .to_owned(),
            );
        }
        if self.repository.is_none() && self.environment_file.is_none() {
            return Err(
                "needs `repository`, or an `environment_file` that names the repository".to_owned(),
            );
        }
        if self.password_file.is_some() && self.password_command.is_some() {
            return Err(
                "`password_file` and `password_command` are two ways to say one thing: \
                        give one of them"
                    .to_owned(),
            );
        }
        parts(format, self.policy_parts.as_ref())
    }
}
