//! How a syslog server is told.

use std::path::PathBuf;

use serde::Deserialize;

use super::{Format, check_timeout, half_a_minute, host_and_port};
use crate::NotifyError;

/// A message to a syslog server (RFC 5424): `[sinks.syslog]`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct SyslogOptions {
    /// The server and its port: `log.example:6514`.
    pub server: String,
    /// How it gets there: `udp`, `tcp` (RFC 6587, octet counting) or `tls` (RFC 5425).
    pub transport: Transport,
    /// In which form: `text` (unless set), `cef`, `ocsf` or `cloudevents`.
    #[serde(default = "text")]
    pub format: Format,
    /// The facility; `local0` unless set.
    #[serde(default)]
    pub facility: Facility,
    /// The name of this machine in messages; that of the system unless set.
    pub hostname: Option<String>,
    /// The private enterprise number behind the `@` of the structured data; 32473, which is that of
    /// examples, unless set.
    #[serde(default = "example_number")]
    pub enterprise_number: u32,
    /// The certificates (PEM) that are trusted instead of the system's.
    pub ca_file: Option<PathBuf>,
    /// The certificate (PEM) that this machine shows, where the server asks for one.
    pub certificate_file: Option<PathBuf>,
    /// A file with the key (PEM) of that certificate.
    pub key_file: Option<PathBuf>,
    /// Seconds until it counts as failed, 1 to 600; 30 unless set.
    #[serde(default = "half_a_minute")]
    pub timeout_seconds: u16,
}

/// How a message gets to a syslog server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Transport {
    /// In a datagram, which may be lost without anyone knowing.
    Udp,
    /// In a TCP connection.
    Tcp,
    /// In a TCP connection with TLS.
    Tls,
}

macro_rules! facilities {
    ($($Name:ident = $code:literal,)*) => {
        /// The facility of syslog messages.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
        #[serde(rename_all = "lowercase")]
        #[non_exhaustive]
        pub enum Facility {
            $(#[doc = concat!("Number ", $code, ".")] $Name,)*
            /// Number 16.
            #[default]
            Local0,
        }

        impl Facility {
            /// Its number, 0 to 23.
            #[must_use]
            pub const fn number(self) -> u8 {
                match self {
                    $(Self::$Name => $code,)*
                    Self::Local0 => 16,
                }
            }
        }
    };
}

facilities! {
    User = 1,
    Daemon = 3,
    Auth = 4,
    AuthPriv = 10,
    Local1 = 17,
    Local2 = 18,
    Local3 = 19,
    Local4 = 20,
    Local5 = 21,
    Local6 = 22,
    Local7 = 23,
}

fn text() -> Format {
    Format::Text
}

fn example_number() -> u32 {
    32_473
}

impl SyslogOptions {
    pub(super) fn check(&self) -> Result<(), NotifyError> {
        check_timeout(self.timeout_seconds)?;
        self.host_and_port()?;
        if self.certificate_file.is_some() != self.key_file.is_some() {
            return Err(NotifyError::options(
                "`certificate_file` and `key_file` belong together",
            ));
        }
        let has_files = self.ca_file.is_some() || self.certificate_file.is_some();
        if has_files && self.transport != Transport::Tls {
            return Err(NotifyError::options(
                "certificates are for `transport = \"tls\"` only",
            ));
        }
        let is_field = |name: &str| {
            (1..=255).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_graphic())
        };
        if self.hostname.as_deref().is_some_and(|name| !is_field(name)) {
            return Err(NotifyError::options(
                "`hostname` must be 1 to 255 visible ASCII characters",
            ));
        }
        Ok(())
    }

    pub(crate) fn host_and_port(&self) -> Result<(String, u16), NotifyError> {
        host_and_port("server", &self.server)
    }
}
