//! Addresses of databases: `postgresql://...`, as libpq has it.

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode};

use crate::catalogue::password;
use crate::{RemoteError, RemoteOptions, Secret};

/// How long to wait for a connection, unless the address says.
const CONNECT_SECONDS: u64 = 10;
/// Where a server on this machine listens: where Debian puts it, and where PostgreSQL does.
const SOCKET_DIRECTORIES: [&str; 2] = ["/var/run/postgresql", "/tmp"];

/// The database of a director.
#[derive(Debug, Clone)]
pub(crate) struct CatalogueAddress {
    config: Config,
    /// Whether the address says what is to be thought of TLS.
    has_ssl_mode: bool,
    pub(crate) ca_file: Option<PathBuf>,
}

impl CatalogueAddress {
    pub(crate) fn parse(text: &str) -> Result<Self, RemoteError> {
        let (address, parameters) = text.split_once('?').unwrap_or((text, ""));
        let (mut ca_file, mut has_ssl_mode) = (None, false);
        let mut passed_on = Vec::new();
        for parameter in parameters.split('&').filter(|text| !text.is_empty()) {
            has_ssl_mode |= parameter.starts_with("sslmode=");
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
        if config.get_hosts().is_empty() {
            // Its certificate and its line of the password file have the name that it is called by.
            for address in config.get_hostaddrs().to_vec() {
                config.host(address.to_string());
            }
        }
        if config.get_hosts().is_empty() {
            let mut directories = SOCKET_DIRECTORIES.iter();
            let there = directories.find(|directory| Path::new(directory).exists());
            config.host(*there.unwrap_or(&"localhost"));
        }
        if config.get_application_name().is_none() {
            config.application_name("backwatch");
        }
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(Duration::from_secs(CONNECT_SECONDS));
        }
        Ok(Self {
            config,
            has_ssl_mode,
            ca_file,
        })
    }

    /// The certificates that are trusted instead of the system's.
    pub(crate) fn ca_file<'a>(&'a self, options: &'a RemoteOptions) -> Option<&'a Path> {
        options.ca_file.as_deref().or(self.ca_file.as_deref())
    }

    /// The configuration with the password that is meant for this server.
    pub(crate) fn with_password(&self, options: &RemoteOptions) -> Result<Config, RemoteError> {
        let mut config = self.config.clone();
        // Whoever is in between could say that the server has no TLS, and be told the password.
        if !self.has_ssl_mode && (self.is_elsewhere() || self.ca_file(options).is_some()) {
            config.ssl_mode(SslMode::Require);
        }
        if let Some(password) = &options.password {
            config.password(password.reveal());
        } else if let Some(path) = &options.password_file
            && let Some(password) = self.password_in(path)?
        {
            config.password(password.reveal());
        }
        Ok(config)
    }

    /// Whether certificates may be asked for: not on a socket of this machine.
    pub(crate) fn may_use_tls(&self) -> bool {
        let hosts = self.config.get_hosts();
        hosts.iter().any(|host| matches!(host, Host::Tcp(_)))
            && self.config.get_ssl_mode() != SslMode::Disable
    }

    /// Whether a network lies between this machine and one of its hosts.
    fn is_elsewhere(&self) -> bool {
        let addresses = self.config.get_hostaddrs();
        let is_far = |host: &Host| matches!(host, Host::Tcp(name) if !is_this_machine(name));
        addresses.iter().any(|address| !address.is_loopback())
            || addresses.is_empty() && self.config.get_hosts().iter().any(is_far)
    }

    /// The one password that a password file has for its hosts.
    fn password_in(&self, path: &Path) -> Result<Option<Secret>, RemoteError> {
        let entries = self.entries();
        let found = entries.iter().map(|entry| password::in_file(path, entry));
        let passwords = found.collect::<Result<Vec<_>, _>>()?;
        let differ = |pair: &[Option<Secret>]| {
            let mut revealed = pair.iter().map(|one| one.as_ref().map(Secret::reveal));
            revealed.next() != revealed.next()
        };
        if passwords.windows(2).any(differ) {
            return Err(RemoteError::Address {
                reason: "it has several hosts, and each has a password of its own: name one"
                    .to_owned(),
            });
        }
        Ok(passwords.into_iter().next().flatten())
    }

    /// What a line of a password file must fit, for each host.
    fn entries(&self) -> Vec<[String; 4]> {
        let config = &self.config;
        let user = config.get_user().unwrap_or_default();
        let ports = config.get_ports();
        let entry = |(place, host): (usize, &Host)| {
            let host = match host {
                Host::Tcp(host) => host.clone(),
                // So libpq calls a socket in one of its own directories.
                #[cfg(unix)]
                Host::Unix(path) if is_default(path) => "localhost".to_owned(),
                #[cfg(unix)]
                Host::Unix(path) => path.display().to_string(),
            };
            let port = ports.get(place).or(ports.first()).unwrap_or(&5432);
            let database = config.get_dbname().unwrap_or(user);
            [host, port.to_string(), database.to_owned(), user.to_owned()]
        };
        config.get_hosts().iter().enumerate().map(entry).collect()
    }
}

fn is_this_machine(name: &str) -> bool {
    name == "localhost"
        || name
            .parse()
            .is_ok_and(|address: IpAddr| address.is_loopback())
}

#[cfg(unix)]
fn is_default(path: &Path) -> bool {
    SOCKET_DIRECTORIES
        .iter()
        .any(|default| path == Path::new(default))
}

fn explained(error: &tokio_postgres::Error) -> String {
    let cause = std::error::Error::source(error).map(ToString::to_string);
    cause.unwrap_or_else(|| error.to_string())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{CatalogueAddress, SslMode};
    use crate::RemoteOptions;

    fn refused(text: &str) -> String {
        CatalogueAddress::parse(text).unwrap_err().to_string()
    }

    #[test]
    fn an_address_of_libpq() {
        let text = "postgresql://backwatch@db.example:5433/bareos?sslmode=verify-full&sslrootcert=/ca.pem&connect_timeout=3";
        let address = CatalogueAddress::parse(text).unwrap();
        assert_eq!(
            address.entries(),
            [["db.example", "5433", "bareos", "backwatch"]]
        );
        assert_eq!(address.config.get_ssl_mode(), SslMode::Require);
        assert_eq!(address.ca_file.as_deref(), Some(Path::new("/ca.pem")));
    }

    #[test]
    fn without_a_host_it_is_a_socket_on_this_machine() {
        let address = CatalogueAddress::parse("postgresql:///bareos").unwrap();
        assert_eq!(address.entries()[0][..3], ["localhost", "5432", "bareos"]);
    }

    /// Who is in between cannot take TLS away: only the address can.
    #[test]
    fn over_a_network_tls_is_required_unless_the_address_says_otherwise() {
        let plain = RemoteOptions::default();
        let with_ca = RemoteOptions::default().ca_file("/ca.pem".to_owned());
        for (address, options, mode) in [
            ("//u@db.example/bareos", &plain, SslMode::Require),
            ("//u@192.0.2.7/bareos", &plain, SslMode::Require),
            ("//u@localhost,db.example/bareos", &plain, SslMode::Require),
            ("///bareos?hostaddr=192.0.2.7", &plain, SslMode::Require),
            (
                "//u@localhost/bareos?hostaddr=192.0.2.7",
                &plain,
                SslMode::Require,
            ),
            (
                "//u@db.example/bareos?hostaddr=127.0.0.1",
                &plain,
                SslMode::Prefer,
            ),
            (
                "//u@db.example/bareos?sslmode=prefer",
                &with_ca,
                SslMode::Prefer,
            ),
            (
                "//u@db.example/bareos?sslmode=disable",
                &plain,
                SslMode::Disable,
            ),
            ("//u@localhost/bareos", &plain, SslMode::Prefer),
            ("//u@127.0.0.1/bareos", &plain, SslMode::Prefer),
            ("//u@localhost/bareos", &with_ca, SslMode::Require),
            (
                "//u@localhost/bareos?sslrootcert=/ca.pem",
                &plain,
                SslMode::Require,
            ),
        ] {
            let parsed = CatalogueAddress::parse(&format!("postgresql:{address}")).unwrap();
            let config = parsed.with_password(options).unwrap();
            assert_eq!(config.get_ssl_mode(), mode, "{address}");
        }
    }

    #[test]
    fn a_password_is_for_the_host_that_its_line_names() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("pgpass");
        let lines = "localhost:*:*:*:here\n192.0.2.7:*:*:*:there\n*:5433:*:*:port\n*:*:*:*:any\n";
        std::fs::write(&path, lines).unwrap();
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;

            let mode = std::fs::Permissions::from_mode(0o600);
            std::fs::set_permissions(&path, mode).unwrap();
        }
        let options = RemoteOptions::default().password_file(&path);
        let password = |address: &str| {
            let parsed = CatalogueAddress::parse(&format!("postgresql:{address}")).unwrap();
            let config = parsed.with_password(&options).ok()?;
            let password = config.get_password().unwrap_or_default();
            Some(String::from_utf8(password.to_vec()).unwrap())
        };
        assert_eq!(password("///bareos").as_deref(), Some("here"));
        let by_address = "///bareos?hostaddr=192.0.2.7";
        assert_eq!(password(by_address).as_deref(), Some("there"));
        assert_eq!(password("//db1,db2/bareos").as_deref(), Some("any"));
        assert_eq!(
            password("//db1:5433,db2:5433/bareos").as_deref(),
            Some("port")
        );
        assert_eq!(password("//db1:5433,db2:5432/bareos"), None);
        assert_eq!(password("//localhost,db2/bareos"), None);
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
