//! The section `[server]` of the configuration.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::ServerError;

/// Where the service listens, and how much it takes. Of nothing can it be told to take none.
///
/// ```
/// use anomaly_server::ServerOptions;
///
/// let options = ServerOptions::default();
/// assert_eq!(options.listen.to_string(), "127.0.0.1:8765");
/// assert!(options.listen.ip().is_loopback());
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct ServerOptions {
    /// The address to listen at. Only this machine can reach the default.
    pub listen: SocketAddr,
    /// Certificate and key; plain HTTP when not given, which is allowed on loopback only.
    pub tls: Option<TlsOptions>,
    /// Whether a proxy stands before it that speaks TLS, so that cookies are marked as secure. The
    /// client's address is then the last one in `X-Forwarded-For`: the one that the proxy saw.
    pub behind_proxy: bool,
    /// The address under which people reach it, such as `https://backwatch.example`: for links in
    /// messages.
    pub public_url: Option<String>,
    /// Connections that read at the same time; each has memory of its own.
    pub readers: u8,
    /// The largest body of a request, in bytes.
    pub most_request_bytes: usize,
    /// Seconds after which a request is given up, and a connection on which nothing comes or nothing
    /// is taken.
    pub request_seconds: u16,
    /// Requests that are worked on at the same time; others are turned away.
    pub most_requests: u16,
    /// Connections at the same time; others wait until one ends. Unless it stands behind a proxy, one
    /// address, or /64 of IPv6, has at most a quarter of them.
    pub most_connections: u16,
    /// Hours after which a session ends, whatever was done in it.
    pub session_hours: u16,
    /// Minutes without a request after which a session ends.
    pub idle_minutes: u16,
}

/// Certificate and key, both in PEM files, which are read anew when they change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct TlsOptions {
    /// The certificate, with the intermediate ones behind it.
    pub certificate: PathBuf,
    /// The private key.
    pub key: PathBuf,
}

impl TlsOptions {
    /// TLS by the files `certificate` and `key`.
    #[must_use]
    pub fn new(certificate: impl Into<PathBuf>, key: impl Into<PathBuf>) -> Self {
        Self {
            certificate: certificate.into(),
            key: key.into(),
        }
    }
}

impl Default for ServerOptions {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 8765)),
            tls: None,
            behind_proxy: false,
            public_url: None,
            readers: 4,
            most_request_bytes: 16 << 20,
            request_seconds: 30,
            most_requests: 256,
            most_connections: 512,
            session_hours: 12,
            idle_minutes: 60,
        }
    }
}

impl ServerOptions {
    /// Whether cookies travel over TLS.
    #[must_use]
    pub fn is_secure(&self) -> bool {
        self.tls.is_some() || self.behind_proxy
    }

    /// Checks that every number is one that it can work with.
    pub(crate) fn check(&self) -> Result<(), ServerError> {
        const U16: &str = "1 to 65535";
        let numbers = [
            ("readers", usize::from(self.readers), "1 to 255"),
            ("most_request_bytes", self.most_request_bytes, "1 or more"),
            ("request_seconds", self.request_seconds.into(), U16),
            ("most_requests", self.most_requests.into(), U16),
            ("most_connections", self.most_connections.into(), U16),
            ("session_hours", self.session_hours.into(), U16),
            ("idle_minutes", self.idle_minutes.into(), U16),
        ];
        match numbers.into_iter().find(|(_, number, _)| *number == 0) {
            Some((key, _, allowed)) => Err(ServerError::Option { key, allowed }),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use anomaly_settings::Layers;

    use super::ServerOptions;
    use crate::Server;

    /// A service that takes nothing would start, and answer nobody: each key that could make it so is
    /// refused by name, before anything is made.
    #[test]
    fn a_service_that_takes_nothing_does_not_start() {
        let usual = toml::Table::try_from(ServerOptions::default()).unwrap();
        let numbers = usual.iter().filter(|(_, value)| value.is_integer());
        let keys: Vec<&String> = numbers.map(|(key, _)| key).collect();
        assert_eq!(keys.len(), 7, "{keys:?}");
        let directory = tempfile::tempdir().unwrap();
        let database = directory.path().join("db");
        for key in keys {
            let options: ServerOptions = toml::from_str(&format!("{key} = 0")).unwrap();
            let refused = Server::bind(&database, Layers::default(), options, Vec::new());
            let refused = refused.unwrap_err().to_string();
            let said = format!("server.{key} is 0: must be 1 ");
            assert!(refused.starts_with(&said), "{refused}");
            assert!(!database.exists());
        }
    }
}
