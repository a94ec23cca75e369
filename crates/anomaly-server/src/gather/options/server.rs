//! Servers that are asked over the network.

use std::path::PathBuf;
use std::time::Duration;

use anomaly_model::chrono::{DateTime, Utc};
use anomaly_remote::{Address, RemoteOptions};
use anomaly_sources::{Format, ReadOptions, Since};
use serde::Deserialize;

use super::checks::{in_range, zone};

/// What every server has is declared here, once. `serde(flatten)` would do the same, but says neither
/// where an unknown key is nor which ones there are.
macro_rules! server {
    (
        $(#[$about:meta])*
        $name:ident, asked for $format:expr, {
            $($(#[$doc:meta])* pub $field:ident: $kind:ty,)*
        }
        $(#[$overlap:meta])*
    ) => {
        $(#[$about])*
        #[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
        #[serde(deny_unknown_fields)]
        #[non_exhaustive]
        pub struct $name {
            $($(#[$doc])* pub $field: $kind,)*
            /// Certificates (PEM) of those who may have signed the server's; the system's unless set.
            pub ca_file: Option<PathBuf>,
            /// Hours before the end of the newest job that was read from which on is read again, 1 to
            /// 8760; 24 unless set.
            $(#[$overlap])*
            #[serde(default = "a_day")]
            pub overlap_hours: u16,
            /// Seconds that the server may take for one step, 1 to 3600; 60 unless set.
            #[serde(default = "a_minute")]
            pub timeout_seconds: u16,
        }

        impl $name {
            /// Where it is.
            pub(in crate::gather) fn address(&self) -> Result<Address, String> {
                address(&self.address, $format)
            }

            /// How it is asked, but for what proves who asks.
            pub(in crate::gather) fn remote(&self, since: Option<DateTime<Utc>>) -> RemoteOptions {
                // Nothing of the environment: what the service is started with is not for every source.
                let remote = RemoteOptions::default()
                    .timeout(Duration::from_secs(self.timeout_seconds.into()))
                    // What lasts longer is for the next reading.
                    .tries(2, Duration::from_secs(1))
                    .since(since.map(Since::Time));
                match &self.ca_file {
                    Some(path) => remote.ca_file(path),
                    None => remote,
                }
            }

            fn check_server(&self) -> Result<(), String> {
                in_range("overlap_hours", self.overlap_hours.into(), 1, 8_760)?;
                self.address().map(|_| ())
            }
        }
    };
}

server! {
    /// The catalogue of a Bareos or Bacula director.
    BareosOptions, asked for Format::BareosCatalogue, {
        /// `postgresql://USER@HOST/DATABASE`.
        pub address: String,
        /// A password file of PostgreSQL: `HOST:PORT:DATABASE:USER:PASSWORD` a line.
        pub password_file: Option<PathBuf>,
        /// The zone of the director's times.
        pub timezone: Option<String>,
    }
}

server! {
    /// The REST interface of a NetBackup primary server.
    NetBackupOptions, asked for Format::NetBackupRest, {
        /// `netbackup+https://HOST[:PORT]`, with `/admin/jobs`, which is meant if there is nothing, or
        /// `/catalog/images` after it.
        pub address: String,
        /// A file whose first line is the API key. Nobody but Backwatch's user and group may read it.
        pub api_key_file: PathBuf,
    }
    /// NetBackup is asked by the start of a job: a job that takes longer than a day and this is not
    /// seen.
}

const fn a_minute() -> u16 {
    60
}

const fn a_day() -> u16 {
    24
}

impl BareosOptions {
    pub(super) fn check(&self) -> Result<(), String> {
        self.read_options()?;
        self.check_server()
    }

    /// What the reader is told.
    pub(in crate::gather) fn read_options(&self) -> Result<ReadOptions, String> {
        let zone = zone(self.timezone.as_deref())?;
        Ok(ReadOptions::default().timezone(zone))
    }
}

impl NetBackupOptions {
    pub(super) fn check(&self) -> Result<(), String> {
        self.check_server()
    }
}

/// Reads the address of a server of which this is the format.
fn address(text: &str, format: Format) -> Result<Address, String> {
    // One that is refused may have a password in it, and is not shown.
    let address = match Address::parse(text) {
        Some(Ok(address)) => address,
        Some(Err(error)) => return Err(format!("`address` {error}")),
        None => return Err("`address` is not one of a server".to_owned()),
    };
    if address.format() == format {
        Ok(address)
    } else {
        Err("`address` is one of another kind of server".to_owned())
    }
}
