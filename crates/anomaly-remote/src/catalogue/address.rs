//! Addresses of databases: `postgresql://...`, as libpq has it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use postgres::Config;
use postgres::config::{Host, SslMode};

use crate::catalogue::password;
use crate::{RemoteError, RemoteOptions};

/// How long to wait for a connection, unless the address says.
const CONNECT_SECONDS: u64 = 10;
/// Where a server on this machine listens: where Debian puts it, and where PostgreSQL does.
const SOCKET_DIRECTORIES: [&str; 2] = ["/var/run/postgresql", "/tmp"];

/// The database of a director.
#[derive(Debug, Clone)]
pub(crate) struct CatalogueAddress {
    config: Config,
    pub(crate) ca_file: Option<PathBuf>,
}

impl CatalogueAddress {
    pub(crate) fn parse(text: &str) -> Result<Self, RemoteError> {
        let (address, parameters) = text.split_once('?').unwrap_or((text, ""));
        let mut ca_file = None;
        let mut passed_on = Vec::new();
        for parameter in parameters.split('&').filter(|text| !text.is_empty()) {
            match parameter.split_once('=') {
                // A certificate that is shown is always verified, and so is the name in it.
                Some(("sslmode", "verify-full" | "verify-ca")) => passed_on.push("sslmode=require"),
                Some(("sslrootcert", path)) => ca_file = Some(PathBuf::from(path)),
                _ => passed_on.push(parameter),
            }
        }
        let text = format!("{address}?{}", passed_on.join("&"));
        // What is wrong may be the password: the text is not shown.
        let mut config: Config = text.parse().map_err(|error| RemoteError::Address {
            reason: explained(&error),
        })?;
        if config.get_password().is_some() {
            return Err(RemoteError::SecretInAddress);
        }
        if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
            let mut directories = SOCKET_DIRECTORIES.iter();
            let there = directories.find(|directory| Path::new(directory).exists());
            config.host(there.unwrap_or(&"localhost"));
        }
        if config.get_application_name().is_none() {
            config.application_name("backwatch");
        }
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(Duration::from_secs(CONNECT_SECONDS));
        }
        Ok(Self { config, ca_file })
    }

    /// The configuration with the password that is meant for this server.
    pub(crate) fn with_password(&self, options: &RemoteOptions) -> Result<Config, RemoteError> {
        let mut config = self.config.clone();
        if let Some(password) = &options.password {
            config.password(password.reveal());
        } else if let Some(path) = &options.password_file
            && let Some(password) = password::in_file(path, &self.entry())?
        {
            config.password(password.reveal());
        }
        Ok(config)
    }

    /// Whether certificates may be asked for: not on a socket of this machine.
    pub(crate) fn may_use_tls(&self) -> bool {
        let hosts = self.config.get_hosts();
        let is_remote = hosts.is_empty() || hosts.iter().any(|host| matches!(host, Host::Tcp(_)));
        is_remote && self.config.get_ssl_mode() != SslMode::Disable
    }

    /// What a line of a password file must fit.
    fn entry(&self) -> [String; 4] {
        let config = &self.config;
        let host = match config.get_hosts().first() {
            Some(Host::Tcp(host)) => host.clone(),
            // So libpq calls a socket in one of its own directories.
            #[cfg(unix)]
            Some(Host::Unix(path)) if !is_default(path) => path.display().to_string(),
            _ => "localhost".to_owned(),
        };
        let user = config.get_user().unwrap_or_default();
        [
            host,
            config.get_ports().first().unwrap_or(&5432).to_string(),
            config.get_dbname().unwrap_or(user).to_owned(),
            user.to_owned(),
        ]
    }
}

#[cfg(unix)]
fn is_default(path: &Path) -> bool {
    SOCKET_DIRECTORIES
        .iter()
        .any(|default| path == Path::new(default))
}

fn explained(error: &postgres::Error) -> String {
    let cause = std::error::Error::source(error).map(ToString::to_string);
    cause.unwrap_or_else(|| error.to_string())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{CatalogueAddress, SslMode};

    fn refused(text: &str) -> String {
        CatalogueAddress::parse(text).unwrap_err().to_string()
    }

    #[test]
    fn an_address_of_libpq() {
        let text = "postgresql://backwatch@db.example:5433/bareos?sslmode=verify-full&sslrootcert=/ca.pem&connect_timeout=3";
        let address = CatalogueAddress::parse(text).unwrap();
        assert_eq!(
            address.entry(),
            ["db.example", "5433", "bareos", "backwatch"]
        );
        assert_eq!(address.config.get_ssl_mode(), SslMode::Require);
        assert_eq!(address.ca_file.as_deref(), Some(Path::new("/ca.pem")));
    }

    #[test]
    fn without_a_host_it_is_a_socket_on_this_machine() {
        let address = CatalogueAddress::parse("postgresql:///bareos").unwrap();
        assert_eq!(address.entry()[..3], ["localhost", "5432", "bareos"]);
    }

    #[test]
    fn no_message_has_the_password_in_it() {
        for text in [
            "postgresql://backwatch:hunter2@db.example/bareos",
            "postgresql://db.example/bareos?password=hunter2",
        ] {
            let message = refused(text);
            assert!(
                message.contains("PGPASSWORD") && !message.contains("hunter2"),
                "{message}"
            );
        }
        let message = refused("postgresql://backwatch:hunter2@db.example:port/bareos");
        assert!(!message.contains("hunter2"), "{message}");
        let message = refused("postgresql://db.example/bareos?sslmode=never");
        assert_eq!(
            message,
            "is not an address that can be read: invalid value for option `sslmode`"
        );
    }
}
