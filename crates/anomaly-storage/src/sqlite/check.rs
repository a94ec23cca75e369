//! Whether the file is whole.

use anomaly_model::StreamKey;
use rusqlite::{Connection, Row};
use serde::de::IgnoredAny;

use super::fault::{Fault, Result, is_damage};
use super::values::{count, json};

/// More would not be read.
const MOST: usize = 100;

const REFERENCES: &str = r#"SELECT "table", "rowid", "parent" FROM pragma_foreign_key_check"#;
const MODEL_STATES: &str = "SELECT stream, checksum, state FROM model_states";
const STREAMS: &str = "SELECT id, key FROM streams";

/// What is kept as JSON and is not in the log, where `verify` looks.
const RECORDS: [(&str, &str); 3] = [
    ("incident", "SELECT number, details FROM incidents"),
    ("pending change", "SELECT number, proposal FROM proposals"),
    ("message", "SELECT number, body FROM messages"),
];

/// Adds what it finds wrong.
type Look = fn(&Connection, &mut Vec<String>) -> Result<()>;

/// What is wrong, in words; nothing when the file is whole.
pub(super) fn check(connection: &Connection) -> Result<Vec<String>> {
    let snapshot = connection.unchecked_transaction()?;
    let mut problems = Vec::new();
    // A page that does not read stops a look at what is on it; what was found by then counts.
    let looks: [Look; 5] = [pages, references, streams, model_states, records];
    for look in looks {
        match look(&snapshot, &mut problems) {
            Ok(()) => {}
            Err(Fault::Sqlite(error)) if is_damage(&error) => problems.push(error.to_string()),
            Err(fault) => return Err(fault),
        }
    }
    problems.truncate(MOST);
    Ok(problems)
}

/// Pages, and what an index says of its table.
fn pages(connection: &Connection, problems: &mut Vec<String>) -> Result<()> {
    let mut statement = connection.prepare(&format!("PRAGMA integrity_check({MOST})"))?;
    let mut rows = statement.query(())?;
    while let Some(row) = rows.next()? {
        let found: String = row.get(0)?;
        if found != "ok" {
            problems.push(found);
        }
    }
    Ok(())
}

fn references(connection: &Connection, problems: &mut Vec<String>) -> Result<()> {
    each(connection, REFERENCES, |row| {
        let (table, parent): (String, String) = (row.get(0)?, row.get(2)?);
        let number: Option<i64> = row.get(1)?;
        let number = number.map_or("?".to_owned(), |number| number.to_string());
        problems.push(format!(
            "row {number} of {table} refers to a row of {parent} that is not there"
        ));
        Ok(())
    })
}

fn streams(connection: &Connection, problems: &mut Vec<String>) -> Result<()> {
    each(connection, STREAMS, |row| {
        if json::<StreamKey>(row, 1).is_err() {
            problems.push(format!(
                "the key of stream {} does not read",
                count(row, 0)?
            ));
        }
        Ok(())
    })
}

fn model_states(connection: &Connection, problems: &mut Vec<String>) -> Result<()> {
    each(connection, MODEL_STATES, |row| {
        let state = row.get_ref(2)?.as_blob()?;
        if row.get::<_, i64>(1)? != i64::from(crc32fast::hash(state)) {
            let stream = count(row, 0)?;
            problems.push(format!(
                "the model of stream {stream} does not have the checksum that it was kept with"
            ));
        }
        Ok(())
    })
}

fn records(connection: &Connection, problems: &mut Vec<String>) -> Result<()> {
    for (what, sql) in RECORDS {
        each(connection, sql, |row| {
            if json::<IgnoredAny>(row, 1).is_err() {
                problems.push(format!(
                    "the {what} with the number {} does not read",
                    count(row, 0)?
                ));
            }
            Ok(())
        })?;
    }
    Ok(())
}

fn each(
    connection: &Connection,
    sql: &str,
    mut look: impl FnMut(&Row<'_>) -> rusqlite::Result<()>,
) -> Result<()> {
    let mut statement = connection.prepare(sql)?;
    let mut rows = statement.query(())?;
    while let Some(row) = rows.next()? {
        look(row)?;
    }
    Ok(())
}
