//! What keeps the service from running.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use anomaly_service::ServiceError;

use crate::AccountsError;

/// Why the service cannot start, or had to end.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServerError {
    /// The database cannot be used.
    #[error(transparent)]
    Service(#[from] ServiceError),
    /// What is kept of users and keys cannot be used.
    #[error(transparent)]
    Accounts(#[from] AccountsError),
    /// A sink cannot be used.
    #[error(transparent)]
    Sink(#[from] anomaly_notify::NotifyError),
    /// Two sources have the same name.
    #[error("two sources have the name `{name}`")]
    SourceTwice {
        /// The name.
        name: String,
    },
    /// A number of the options is one that it cannot work with.
    #[error("server.{key} is 0: must be {allowed}")]
    Option {
        /// Which, such as `most_requests`.
        key: &'static str,
        /// What it may be, in words.
        allowed: &'static str,
    },
    /// The address is taken, or may not be used.
    #[error("cannot listen at {address}: {source}; choose another one with server.listen")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// A certificate or its key cannot be used.
    #[error("cannot use {} for TLS: {source}", path.display())]
    Tls {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: io::Error,
    },
    /// Everybody on the network could read along.
    #[error(
        "{address} can be reached from other machines, and without TLS everybody between can read \
         passwords: set server.tls, or server.behind_proxy where a proxy on this machine speaks TLS"
    )]
    Open {
        /// The address.
        address: SocketAddr,
    },
    /// A thread could not be started.
    #[error("cannot start: {0}")]
    Start(io::Error),
    /// Nothing can be kept any more.
    #[error("the thread that writes broke down: the log says why")]
    Writer,
    /// The connection to clients broke down as a whole.
    #[error("cannot go on serving: {0}")]
    Serve(io::Error),
}
