//! Why a sink cannot be made, or did not take what it was told.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

/// Why a sink cannot be made, or did not take what it was told.
///
/// No message has a password, a key or the path of an address in it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NotifyError {
    /// The options of a sink do not make sense.
    #[error("{reason}")]
    Options {
        /// What is wrong, and what is allowed.
        reason: String,
    },
    /// A file of a secret or of certificates cannot be used.
    #[error("{}: {reason}", path.display())]
    Secret {
        /// The file.
        path: PathBuf,
        /// What is wrong with it, never what is in it.
        reason: String,
    },
    /// A file cannot be read or written.
    #[error("cannot use {}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// TLS cannot be used.
    #[error("TLS cannot be used: {reason}")]
    Tls {
        /// What is wrong, such as a certificate that cannot be read.
        reason: String,
    },
    /// An event cannot be written in the form that the sink takes.
    #[error("the event cannot be written: {reason}")]
    Body {
        /// What cannot be written, or what wrote it said.
        reason: String,
    },
    /// Nobody answers there, or the connection broke.
    #[error("cannot reach {what}")]
    Unreachable {
        /// The receiver, as errors name it.
        what: String,
        /// What the connection ended with.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// It took too long.
    #[error("{what} did not take it within {} s", limit.as_secs())]
    TimedOut {
        /// The receiver, as errors name it.
        what: String,
        /// How long it may take.
        limit: Duration,
    },
    /// The receiver of a webhook did not say that it took it.
    #[error("{what} answered {status}{}", said(.message))]
    Answered {
        /// The receiver, as errors name it.
        what: String,
        /// The HTTP status.
        status: u16,
        /// The beginning of what it said.
        message: String,
        /// When it wants to be asked again.
        retry_after: Option<Duration>,
    },
    /// The mail server did not take the mail.
    #[error("{what} refused the mail{}", said(.message))]
    MailRefused {
        /// The mail server, as errors name it.
        what: String,
        /// The code of its reply; `None` where it gave none.
        code: Option<u16>,
        /// The enhanced status (RFC 3463) that its reply begins with, such as 5.3.4; `None` where it
        /// gave none.
        enhanced: Option<(u16, u16, u16)>,
        /// What it said.
        message: String,
    },
    /// The command failed.
    #[error("{program} {}{}", ended(*.status), said(.message))]
    Command {
        /// The program.
        program: String,
        /// Its exit status; `None` when it was killed by a signal.
        status: Option<i32>,
        /// The beginning of what it wrote to standard error.
        message: String,
    },
}

impl NotifyError {
    pub(crate) fn options(reason: impl Into<String>) -> Self {
        Self::Options {
            reason: reason.into(),
        }
    }

    /// Whether the receiver said of this very event that it will never take it, so that trying again
    /// is in vain: that it is too large, or what is in it. What a person may mend (a key, an address,
    /// a form that the receiver does not read, a full disk) is not permanent.
    #[must_use]
    pub fn is_permanent(&self) -> bool {
        match self {
            Self::Body { .. } => true,
            // Too large. 400, 415 and 422 are also the answers to a wrong index, a tenant that is
            // missing, or a `format` that was not meant: each event would be given up for it.
            Self::Answered { status, .. } => *status == 413,
            // RFC 3463: too long for the mailbox, too big for the system, or its content. The reply's
            // code does not say it: 554 is also "relay access denied", and 552 a full mailbox.
            Self::MailRefused { enhanced, .. } => {
                matches!(enhanced, Some((5, 2, 3) | (5, 3, 4) | (5, 6, _)))
            }
            // EX_DATAERR of sysexits.h.
            Self::Command { status, .. } => *status == Some(65),
            _ => false,
        }
    }

    /// How long the receiver wants to be left alone.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Answered { retry_after, .. } => *retry_after,
            _ => None,
        }
    }

    /// The error and what caused it, in one line that is fit to be kept and shown.
    #[must_use]
    pub fn in_one_line(&self) -> String {
        let mut text = self.to_string();
        let mut cause = std::error::Error::source(self);
        while let Some(error) = cause {
            let more = error.to_string();
            if !text.contains(&more) {
                text.push_str(": ");
                text.push_str(&more);
            }
            cause = error.source();
        }
        crate::text::one_line(&text, 500).into_owned()
    }
}

fn said(message: &str) -> String {
    if message.is_empty() {
        String::new()
    } else {
        format!(": {message}")
    }
}

fn ended(status: Option<i32>) -> String {
    status.map_or_else(
        || "was killed".to_owned(),
        |status| format!("ended with status {status}"),
    )
}
