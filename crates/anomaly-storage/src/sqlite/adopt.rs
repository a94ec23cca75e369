//! Schema 2: what was stored before there was a log gets its leaves, and states their checksums.

use rusqlite::Connection;

use super::fault::{Fault, Result};
use super::log::Log;
use crate::evidence::LeafKind;

/// Jobs and reviews know the numbers of their leaves already.
pub(super) fn adopt(connection: &Connection) -> Result<()> {
    let mut log = Log::default();
    let mut jobs = connection.prepare(
        "SELECT sequence, leaf, origin, streams.key, job, verdict
         FROM jobs JOIN streams ON streams.id = jobs.stream ORDER BY sequence",
    )?;
    let mut rows = jobs.query(())?;
    while let Some(row) = rows.next()? {
        let parts = [text(row, 2)?, text(row, 3)?, text(row, 4)?, text(row, 5)?];
        log.append(connection, LeafKind::Observation, row.get(0)?, &parts)?;
    }
    let mut reviews = connection.prepare(
        "SELECT reviews.sequence, reviews.leaf, source, job_id, review
         FROM reviews JOIN jobs ON jobs.sequence = reviews.job ORDER BY reviews.sequence",
    )?;
    let mut rows = reviews.query(())?;
    while let Some(row) = rows.next()? {
        let parts = [text(row, 2)?, text(row, 3)?, text(row, 4)?];
        log.append(connection, LeafKind::Review, row.get(0)?, &parts)?;
    }
    log.save(connection)?;

    let mut states = connection.prepare("SELECT stream, state FROM model_states")?;
    let mut rows = states.query(())?;
    while let Some(row) = rows.next()? {
        let stream: i64 = row.get(0)?;
        let checksum = crc32fast::hash(row.get_ref(1)?.as_blob().map_err(rusqlite::Error::from)?);
        connection
            .prepare_cached("UPDATE model_states SET checksum = ?2 WHERE stream = ?1")?
            .execute((stream, checksum))?;
    }
    Ok(())
}

fn text<'a>(row: &'a rusqlite::Row<'_>, column: usize) -> Result<&'a str> {
    let text = row.get_ref(column)?.as_str();
    text.map_err(|error| Fault::Sqlite(error.into()))
}
