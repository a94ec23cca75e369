//! What SQL cannot do on the way to schema 2.

use rusqlite::Connection;
use rusqlite::functions::FunctionFlags;

use super::fault::{Fault, Result};
use super::log::Log;
use crate::evidence::LeafKind;
use crate::job_key::job_key;

/// The functions that the SQL of the migration calls.
pub(super) fn define_functions(connection: &Connection) -> rusqlite::Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
    connection.create_scalar_function("job_key", 2, flags, |call| {
        let text = |argument| {
            call.get_raw(argument)
                .as_str()
                .map_err(rusqlite::Error::from)
        };
        Ok(job_key(text(0)?, text(1)?))
    })?;
    connection.create_scalar_function("checksum", 1, flags, |call| {
        let state = call.get_raw(0).as_blob().map_err(rusqlite::Error::from)?;
        Ok(crc32fast::hash(state))
    })
}

/// What was stored before there was a log gets its leaves, whose number it has already.
pub(super) fn adopt(connection: &Connection) -> Result<()> {
    let mut log = Log::default();
    let mut jobs = connection.prepare(
        "SELECT origin, streams.key, job, verdict, ''
         FROM jobs JOIN streams ON streams.id = jobs.stream ORDER BY number",
    )?;
    let mut rows = jobs.query(())?;
    while let Some(row) = rows.next()? {
        let part = |column| text(row, column);
        let parts = [part(0)?, part(1)?, part(2)?, part(3)?, part(4)?];
        log.append(connection, LeafKind::OldObservation, &parts)?;
    }
    let mut reviews = connection.prepare(
        "SELECT jobs.job ->> 'source', jobs.job ->> 'job_id', review
         FROM reviews JOIN jobs ON jobs.number = reviews.job ORDER BY reviews.number",
    )?;
    let mut rows = reviews.query(())?;
    while let Some(row) = rows.next()? {
        let parts = [text(row, 0)?, text(row, 1)?, text(row, 2)?];
        log.append(connection, LeafKind::Review, &parts)?;
    }
    Ok(log.save(connection)?)
}

fn text<'a>(row: &'a rusqlite::Row<'_>, column: usize) -> Result<&'a str> {
    let text = row.get_ref(column)?.as_str();
    text.map_err(|error| Fault::Sqlite(error.into()))
}
