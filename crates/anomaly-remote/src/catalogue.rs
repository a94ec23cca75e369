//! The catalogue of a Bareos or Bacula director in PostgreSQL, read a piece at a time.

mod address;
mod password;
mod session;

use std::io;

use anomaly_sources::Since;
use tokio_postgres::SimpleQueryMessage;
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::pieces::Source;
use crate::{RemoteError, RemoteOptions, tls};

pub(crate) use address::CatalogueAddress;
use session::Session;

/// The jobs of `Job`, and those that are in `JobHisto` only.
const JOBS: &str = include_str!("catalogue/jobs.sql");
/// So many rows are fetched, and held, at a time.
const ROWS: usize = 2_000;
/// How long the server keeps the transaction open for a reader that is busy with what it has.
const IDLE_MILLISECONDS: u32 = 30 * 60 * 1000;

/// The rows of a catalogue as CSV with a first line of names.
pub(crate) struct Catalogue {
    session: Session,
    has_named_columns: bool,
    has_ended: bool,
}

impl Catalogue {
    pub(crate) fn open(
        address: &CatalogueAddress,
        options: &RemoteOptions,
    ) -> Result<Self, RemoteError> {
        let begin = begin(options)?;
        let config = address.with_password(options)?;
        let roots = if address.may_use_tls() {
            tls::roots(address.ca_file(options))?
        } else {
            Vec::new()
        };
        let tls = MakeRustlsConnect::new(tls::client(roots)?);
        let mut session = Session::open(&config, tls, options.timeout)?;
        session.query(&begin)?;
        Ok(Self {
            session,
            has_named_columns: false,
            has_ended: false,
        })
    }
}

/// Rows, as many as are fetched at a time.
impl Source for Catalogue {
    fn next(&mut self, text: &mut Vec<u8>) -> io::Result<()> {
        if self.has_ended {
            return Ok(());
        }
        let rows = self
            .session
            .query(&format!("FETCH FORWARD {ROWS} FROM jobs"))
            .map_err(io::Error::other)?;
        let mut csv = csv::Writer::from_writer(text);
        self.has_ended = true;
        for row in rows {
            match row {
                SimpleQueryMessage::RowDescription(columns) if !self.has_named_columns => {
                    self.has_named_columns = true;
                    for column in columns.iter() {
                        csv.write_field(column.name())?;
                    }
                    csv.write_record(None::<&[u8]>)?;
                }
                SimpleQueryMessage::Row(row) => {
                    self.has_ended = false;
                    // A name that is no text is missing, which the reader will say.
                    let value = |n| row.try_get(n).ok().flatten().unwrap_or_default();
                    csv.write_record((0..row.len()).map(value))?;
                }
                _ => {}
            }
        }
        csv.flush()
    }
}

/// What opens the cursor `jobs`. Nothing can be written, and nothing waits for long.
fn begin(options: &RemoteOptions) -> Result<String, RemoteError> {
    let timeout = options.timeout.as_millis();
    let newer = newer(options.since.as_ref())?;
    Ok(format!(
        "SET default_transaction_read_only = on;
         SET statement_timeout = {timeout};
         SET lock_timeout = {timeout};
         SET idle_in_transaction_session_timeout = {IDLE_MILLISECONDS};
         SET datestyle = 'ISO';
         BEGIN READ ONLY;
         DECLARE jobs NO SCROLL CURSOR FOR
         WITH found AS ({JOBS})
         SELECT * FROM found {newer} ORDER BY JobId"
    ))
}

/// Which rows may be new. `JobTDate` is the end of a job in seconds since 1970, or the start of one
/// that has not ended.
fn newer(since: Option<&Since>) -> Result<String, RemoteError> {
    match since {
        Some(Since::Time(time)) => Ok(format!("WHERE JobTDate >= {}", time.timestamp())),
        Some(Since::Job(job)) => {
            let id: u32 = job.as_str().parse().map_err(|_| RemoteError::SinceJob {
                job_id: job.to_string(),
                reason: "a JobId is a number",
            })?;
            // A longer job with a smaller number ended after it.
            Ok(format!(
                "WHERE JobId > {id}
                 OR JobTDate > (SELECT max(JobTDate) FROM found WHERE JobId = {id}) AND JobId <> {id}"
            ))
        }
        _ => Ok(String::new()),
    }
}
