//! How mails are sent.

use std::path::PathBuf;

use lettre::message::Mailbox;
use serde::Deserialize;

use super::{check_timeout, half_a_minute, host_and_port, is_this_machine};
use crate::NotifyError;

/// A mail, in plain text and in HTML: `[sinks.email]`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct EmailOptions {
    /// The mail server and its port: `mail.example:587`.
    pub server: String,
    /// How the way to it is protected: `starttls` (unless set), `tls`, or `none` on this machine.
    #[serde(default)]
    pub tls: MailTls,
    /// The sender: `Backwatch <backwatch@example.org>`.
    pub from: String,
    /// The receivers.
    pub to: Vec<String>,
    /// The user at the mail server.
    pub username: Option<String>,
    /// A file with that user's password.
    pub password_file: Option<PathBuf>,
    /// The certificates (PEM) that are trusted instead of the system's.
    pub ca_file: Option<PathBuf>,
    /// What comes after the first mail of an incident is collected for so many minutes, 0 to 1440;
    /// 60 unless set.
    #[serde(default = "an_hour")]
    pub digest_minutes: u16,
    /// Seconds until it counts as failed, 1 to 600; 30 unless set.
    #[serde(default = "half_a_minute")]
    pub timeout_seconds: u16,
}

/// How the way to a mail server is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum MailTls {
    /// TLS is asked for, and nothing is sent without it (port 587).
    #[default]
    StartTls,
    /// TLS from the first byte on (port 465).
    Tls,
    /// Not at all: to a server on this machine only.
    None,
}

fn an_hour() -> u16 {
    60
}

impl EmailOptions {
    pub(super) fn check(&self) -> Result<(), NotifyError> {
        check_timeout(self.timeout_seconds)?;
        let (host, _) = self.host_and_port()?;
        if self.tls == MailTls::None && !is_this_machine(&host) {
            return Err(NotifyError::options(
                "`tls` is `none`: to another machine mails are sent with `starttls` or `tls` only",
            ));
        }
        if self.digest_minutes > 1440 {
            return Err(NotifyError::options(format!(
                "`digest_minutes` is {}: must be 0 to 1440",
                self.digest_minutes
            )));
        }
        if self.username.is_some() != self.password_file.is_some() {
            return Err(NotifyError::options(
                "`username` and `password_file` belong together",
            ));
        }
        if self.to.is_empty() {
            return Err(NotifyError::options("`to` names nobody"));
        }
        self.sender()?;
        self.receivers().map(|_| ())
    }

    pub(crate) fn host_and_port(&self) -> Result<(String, u16), NotifyError> {
        host_and_port("server", &self.server)
    }

    pub(crate) fn sender(&self) -> Result<Mailbox, NotifyError> {
        mailbox("from", &self.from)
    }

    pub(crate) fn receivers(&self) -> Result<Vec<Mailbox>, NotifyError> {
        self.to.iter().map(|text| mailbox("to", text)).collect()
    }
}

fn mailbox(key: &str, text: &str) -> Result<Mailbox, NotifyError> {
    text.parse().map_err(|_| {
        NotifyError::options(format!(
            "`{key}` is `{text}`: must be a mail address, `ops@example.org` or \
             `Operators <ops@example.org>`"
        ))
    })
}
