//! How to reach a server, and what to ask it for.

use std::env;
use std::path::PathBuf;
use std::time::Duration;

use anomaly_sources::Since;

use crate::Secret;

/// How to reach a server, and what to ask it for.
///
/// ```
/// use anomaly_remote::RemoteOptions;
///
/// let options = RemoteOptions::default().ca_file("/etc/backwatch/ca.pem".to_owned());
/// assert_eq!(options.tries, 6);
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct RemoteOptions {
    /// What was read before, and need not be sent again. The server may send some of it all the
    /// same.
    pub since: Option<Since>,
    /// Certificates (PEM) of those who may have signed the server's; the system's when not set.
    pub ca_file: Option<PathBuf>,
    /// The API key, or token, for NetBackup. It wins over [`Self::api_key_file`].
    pub api_key: Option<Secret>,
    /// A file whose first line is the API key.
    pub api_key_file: Option<PathBuf>,
    /// The password for PostgreSQL. It wins over [`Self::password_file`].
    pub password: Option<Secret>,
    /// A password file of PostgreSQL. That it is not there is no error.
    pub password_file: Option<PathBuf>,
    /// How long the server may take for one step: for a connection, a statement, or an answer. One
    /// minute unless set. A database that says nothing is left two seconds later.
    pub timeout: Duration,
    /// How often a request is sent before its failure is an error: six times unless set.
    pub tries: u32,
    /// How long to wait before the second try of a request; twice as long before each further one, up
    /// to a minute, and at least as long as the server asks for. If it asks for more than a minute, the
    /// reading fails. One second unless set.
    pub first_wait: Duration,
}

impl Default for RemoteOptions {
    fn default() -> Self {
        Self {
            since: None,
            ca_file: None,
            api_key: None,
            api_key_file: None,
            password: None,
            password_file: None,
            timeout: Duration::from_mins(1),
            tries: 6,
            first_wait: Duration::from_secs(1),
        }
    }
}

impl RemoteOptions {
    /// The defaults with the credentials of the environment: `NETBACKUP_API_KEY`, and as libpq
    /// has them `PGPASSWORD` and `PGPASSFILE`, or else `~/.pgpass`.
    #[must_use]
    pub fn from_environment() -> Self {
        let text = |name| env::var(name).ok().filter(|text| !text.is_empty());
        let password_file = text("PGPASSFILE")
            .map(PathBuf::from)
            .or_else(|| Some(env::home_dir()?.join(".pgpass")));
        Self {
            api_key: text("NETBACKUP_API_KEY").map(Secret::new),
            password: text("PGPASSWORD").map(Secret::new),
            password_file,
            ..Self::default()
        }
    }

    /// Sets what was read before.
    #[must_use]
    pub fn since(mut self, since: impl Into<Option<Since>>) -> Self {
        self.since = since.into();
        self
    }

    /// Sets the file of certificates.
    #[must_use]
    pub fn ca_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.ca_file = Some(path.into());
        self
    }

    /// Sets the API key.
    #[must_use]
    pub fn api_key(mut self, key: Secret) -> Self {
        self.api_key = Some(key);
        self
    }

    /// Sets the file of the API key, which is then read instead of one from the environment.
    #[must_use]
    pub fn api_key_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.api_key = None;
        self.api_key_file = Some(path.into());
        self
    }

    /// Sets the password.
    #[must_use]
    pub fn password(mut self, password: Secret) -> Self {
        self.password = Some(password);
        self
    }

    /// Sets the password file.
    #[must_use]
    pub fn password_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.password_file = Some(path.into());
        self
    }

    /// Sets how long the server may take for one step.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Sets how often a request is sent, and how long to wait before the second try.
    #[must_use]
    pub fn tries(mut self, tries: u32, first_wait: Duration) -> Self {
        self.tries = tries;
        self.first_wait = first_wait;
        self
    }
}
