//! The audit log.

use anomaly_model::Severity;
use rusqlite::Connection;

use super::conditions::Conditions;
use super::fault::Result;
use super::log::Log;
use super::records;
use super::values::{count, from_count, from_limit, to_json};
use crate::evidence::LeafKind;
use crate::{AuditEntry, AuditQuery, Stored};

/// What selects the numbers of the entries that a query asks for, with its values.
pub(super) fn select(query: &AuditQuery) -> (String, Conditions) {
    let mut conditions = Conditions::new("TRUE");
    conditions.and_if("who = ?", query.who.clone());
    conditions.and_if("what = ?", query.what.clone());
    conditions.and_if("subject = ?", query.subject.clone());
    conditions.and_at_least("severity", query.at_least);
    conditions.and_if("number < ?", query.before.map(from_count));
    conditions.and_if("number > ?", query.after.map(from_count));
    let sql = format!(
        "SELECT number FROM audit WHERE {} ORDER BY number {} LIMIT {}",
        conditions.sql(),
        if query.after.is_some() { "ASC" } else { "DESC" },
        from_limit(query.limit),
    );
    (sql, conditions)
}

pub(super) fn entries(
    connection: &Connection,
    query: &AuditQuery,
) -> Result<Vec<Stored<AuditEntry>>> {
    let (sql, conditions) = select(query);
    let mut statement = connection.prepare_cached(&sql)?;
    let numbers = statement.query_map(conditions.values(), |row| count(row, 0))?;
    let numbers: Vec<u64> = numbers.collect::<rusqlite::Result<_>>()?;
    let entries = numbers.into_iter().map(|number| {
        let entry = records::record(connection, LeafKind::Audit, number)?;
        Ok(entry.map(|record| Stored { number, record }))
    });
    entries.filter_map(Result::transpose).collect()
}

pub(super) fn insert(connection: &Connection, log: &mut Log, entry: &AuditEntry) -> Result<u64> {
    let text = to_json(entry)?;
    let number = log.next(connection)?;
    connection
        .prepare_cached(
            "INSERT INTO audit (number, who, what, subject, severity, entry)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?
        .execute((
            from_count(number),
            &entry.who,
            &entry.what,
            &entry.subject,
            entry.severity.map(Severity::as_str),
            &text,
        ))?;
    log.append(connection, LeafKind::Audit, &[&text])?;
    Ok(number)
}
