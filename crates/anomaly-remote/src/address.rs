//! Where jobs are read from live.

use std::fmt;
use std::io::BufRead;

use anomaly_sources::{Format, Since};

use crate::catalogue::{Catalogue, CatalogueAddress};
use crate::netbackup::{NetBackup, NetBackupAddress};
use crate::pieces::Pieces;
use crate::{RemoteError, RemoteOptions};

/// Where jobs are read from live: the database of a Bareos or Bacula director, or a NetBackup
/// primary server.
///
/// ```
/// use anomaly_remote::Address;
///
/// let address = Address::parse("postgresql://backwatch@director.example/bareos").unwrap()?;
/// assert_eq!(address.format().as_str(), "bareos-catalogue");
///
/// // All else is the name of a file.
/// assert!(Address::parse("jobs.csv").is_none());
/// # Ok::<(), anomaly_remote::RemoteError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Address {
    text: String,
    kind: Kind,
}

#[derive(Debug, Clone)]
enum Kind {
    Catalogue(Box<CatalogueAddress>),
    NetBackup(NetBackupAddress),
}

impl Address {
    /// Reads an address: `postgresql://...`, as libpq has it, or `netbackup+https://HOST[:PORT]`
    /// with `/admin/jobs` (which is meant if there is nothing) or `/catalog/images` after it. `None`
    /// if `text` is not an address of either kind.
    ///
    /// # Errors
    /// [`RemoteError`] when the address is wrong, or has a password in it.
    #[must_use]
    pub fn parse(text: &str) -> Option<Result<Self, RemoteError>> {
        let (scheme, rest) = text.split_once("://")?;
        let kind = match scheme {
            "postgresql" | "postgres" => {
                CatalogueAddress::parse(text).map(|address| Kind::Catalogue(Box::new(address)))
            }
            "netbackup+https" => NetBackupAddress::parse(rest).map(Kind::NetBackup),
            "netbackup+http" | "netbackup" => Err(RemoteError::Address {
                reason: "NetBackup's addresses begin with netbackup+https://".to_owned(),
            }),
            _ => return None,
        };
        let text = text.to_owned();
        Some(kind.map(|kind| Self { text, kind }))
    }

    /// The format of what is read there.
    #[must_use]
    pub fn format(&self) -> Format {
        match self.kind {
            Kind::Catalogue(_) => Format::BareosCatalogue,
            Kind::NetBackup(_) => Format::NetBackupRest,
        }
    }

    /// Connects, and reads what is there. It never comes all at once: a catalogue is read 2,000
    /// rows at a time, and NetBackup's list a page of 100 records.
    ///
    /// # Errors
    /// [`RemoteError`] when the server cannot be reached, or refuses. A failure while reading is an
    /// [`io::Error`](std::io::Error) with a [`RemoteError`] in it.
    pub fn open(&self, options: &RemoteOptions) -> Result<Remote, RemoteError> {
        let content: Box<dyn BufRead> = match &self.kind {
            Kind::Catalogue(address) => Box::new(Pieces::of(Catalogue::open(address, options)?)),
            Kind::NetBackup(address) => Box::new(Pieces::of(NetBackup::open(address, options)?)),
        };
        Ok(Remote {
            content,
            format: self.format(),
            // The catalogue is asked for what comes after a job, and does not send the job itself.
            since: options
                .since
                .clone()
                .filter(|since| matches!(since, Since::Time(_))),
            may_be_in_pieces: matches!(&self.kind, Kind::NetBackup(address) if address.is_of_images()),
        })
    }
}

/// What is read from a server.
#[non_exhaustive]
pub struct Remote {
    /// The records, as [`anomaly_sources::read`] takes them.
    pub content: Box<dyn BufRead>,
    /// Their format.
    pub format: Format,
    /// What may still be among them that was read before: for
    /// [`ReadOptions::since`](anomaly_sources::ReadOptions::since).
    pub since: Option<Since>,
    /// Whether a backup that started before [`since`](Self::since) may lack some of its images, and pass
    /// for a smaller one: then it must be passed over even where what is known is told by its id.
    pub may_be_in_pieces: bool,
}

impl fmt::Debug for Remote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (f.debug_struct("Remote").field("format", &self.format)).finish_non_exhaustive()
    }
}

/// The address as it was given.
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}
