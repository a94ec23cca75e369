//! Why a server cannot be read.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

/// Why a server cannot be read, or not to its end.
///
/// A message is meant to follow the address. No message has a password or a key in it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RemoteError {
    /// It is no address of a server that can be read.
    #[error("is not an address that can be read: {reason}")]
    Address {
        /// What is wrong, and what to write instead.
        reason: String,
    },
    /// The address has a password in it.
    #[error(
        "an address with a password or a key in it can be read by every user of this machine: take \
         it out, and give a password in PGPASSWORD or a password file, a key in a file"
    )]
    SecretInAddress,
    /// A file of certificates, a key or a password cannot be read.
    #[error("cannot read {}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// A file does not hold what it must.
    #[error("{}: {reason}", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// There is no key to show to NetBackup, or one that cannot be sent.
    #[error("needs an API key: {reason}")]
    ApiKey {
        /// What is missing.
        reason: &'static str,
    },
    /// The certificates that are trusted cannot be used.
    #[error("TLS cannot be used: {reason}")]
    Tls {
        /// What is wrong with them.
        reason: String,
    },
    /// The database cannot be reached, or refused.
    #[error("cannot read the catalogue{}", hint(.source))]
    Catalogue {
        /// What the driver of the database said.
        source: tokio_postgres::Error,
    },
    /// The database accepted the connection, and did not answer.
    #[error("did not answer within {} s", limit.as_secs())]
    Silent {
        /// How long it may take.
        limit: Duration,
    },
    /// This machine has nothing left to connect with.
    #[error("cannot be connected to")]
    System {
        /// What the operating system said.
        source: io::Error,
    },
    /// It cannot be read on from a job.
    #[error("cannot be read on from the job {job_id}: {reason}")]
    SinceJob {
        /// The job.
        job_id: String,
        /// Why not.
        reason: &'static str,
    },
    /// NetBackup refused to answer.
    #[error("answered {status}{}", said(.message))]
    Refused {
        /// The HTTP status.
        status: u16,
        /// What it said.
        message: String,
    },
    /// NetBackup could not be reached, or its answer did not arrive.
    #[error("sent no page{}", after(*.tries))]
    NoAnswer {
        /// How often it was asked.
        tries: u32,
        /// Why the last answer did not arrive.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// NetBackup's answer is no page of a list.
    #[error("the answer is not a page of jobs or images: {reason}")]
    NotAPage {
        /// What is wrong with it.
        reason: String,
    },
}

/// What to do about an error of the database, where that is known.
fn hint(error: &tokio_postgres::Error) -> &'static str {
    use tokio_postgres::error::SqlState;

    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        if error.to_string().contains("certificate") {
            return ": its certificate is not one that is trusted here; name the one that signed it \
                    (--ca-file), or put sslmode=disable into the address of a server on this \
                    machine";
        }
        if error.to_string().contains("does not support TLS") {
            return " (over a network TLS is required, unless the address says sslmode=disable)";
        }
        cause = error.source();
    }
    match error.code() {
        Some(code) if *code == SqlState::UNDEFINED_TABLE => {
            " (the database is not that of a Bareos or Bacula director)"
        }
        Some(code) if *code == SqlState::INSUFFICIENT_PRIVILEGE => {
            " (the user needs SELECT on job, jobhisto and client)"
        }
        Some(code) if *code == SqlState::QUERY_CANCELED => " (the statement took too long)",
        _ => "",
    }
}

fn after(tries: u32) -> String {
    if tries > 1 {
        format!(" after {tries} tries")
    } else {
        String::new()
    }
}

fn said(message: &str) -> String {
    if message.is_empty() {
        String::new()
    } else {
        format!(": {message}")
    }
}
