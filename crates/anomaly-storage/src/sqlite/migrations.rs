//! The schema, and how an older one becomes the newest.

use rusqlite::{Connection, Transaction, TransactionBehavior};

use super::adopt;
use super::fault;
use super::site::Site;
use crate::StoreError;

/// Marks the file as ours, in its header: `BkWt`.
pub(super) const APPLICATION_ID: i32 = 0x426b_5774;

/// The step from a schema version to the next.
#[derive(Debug, Clone, Copy)]
pub(super) struct Migration {
    pub(super) sql: &'static str,
    /// What SQL cannot do, after the SQL.
    pub(super) then: fn(&Connection) -> fault::Result<()>,
}

/// Released ones never change.
pub(super) const MIGRATIONS: &[Migration] = &[
    Migration {
        sql: include_str!("migrations/1.sql"),
        then: |_| Ok(()),
    },
    Migration {
        sql: include_str!("migrations/2.sql"),
        then: adopt::adopt,
    },
    Migration {
        sql: include_str!("migrations/3.sql"),
        then: |_| Ok(()),
    },
];

/// Brings the database to the last of `migrations`, each in a transaction of its own.
///
/// A database of another program or of a newer version is refused before anything is written.
pub(super) fn migrate(
    connection: &mut Connection,
    site: &Site,
    migrations: &[Migration],
) -> Result<(), StoreError> {
    while version(connection, site, migrations.len())? < migrations.len() {
        let sqlite = |error| site.fail(error);
        let transaction = connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(sqlite)?;
        // Another process may have been faster while this one waited for the lock.
        let from = version_in(&transaction, site, migrations.len())?;
        if let Some(migration) = migrations.get(from) {
            let to = from + 1;
            take(migration, to, transaction).map_err(|fault| site.say(fault))?;
            tracing::info!(database = site.database, from, to, "schema migrated");
        }
    }
    Ok(())
}

/// One step, to the version `to`.
fn take(migration: &Migration, to: usize, transaction: Transaction<'_>) -> fault::Result<()> {
    adopt::define_functions(&transaction)?;
    transaction.execute_batch(migration.sql)?;
    (migration.then)(&transaction)?;
    transaction.execute_batch(&format!(
        "PRAGMA application_id = {APPLICATION_ID};
         PRAGMA user_version = {to};"
    ))?;
    Ok(transaction.commit()?)
}

/// The schema version of a database that is new, or ours and not newer than `known`.
pub(super) fn version(
    connection: &mut Connection,
    site: &Site,
    known: usize,
) -> Result<usize, StoreError> {
    // In a transaction, so that all that is read is of the same moment.
    let transaction = connection.transaction().map_err(|error| site.fail(error))?;
    version_in(&transaction, site, known)
}

fn version_in(connection: &Connection, site: &Site, known: usize) -> Result<usize, StoreError> {
    let sqlite = |error| site.fail(error);
    let tables: i64 = connection
        .query_row("SELECT count(*) FROM sqlite_schema", (), |row| row.get(0))
        .map_err(sqlite)?;
    let application_id: i32 = connection
        .pragma_query_value(None, "application_id", |row| row.get(0))
        .map_err(sqlite)?;
    let found: i64 = connection
        .pragma_query_value(None, "user_version", |row| row.get(0))
        .map_err(sqlite)?;

    let is_new = application_id == 0 && found == 0 && tables == 0;
    if !is_new && application_id != APPLICATION_ID {
        return Err(site.not_backwatch(format!(
            "an SQLite database of another program (application id {application_id:#010x})"
        )));
    }
    match usize::try_from(found) {
        Ok(version) if version <= known => Ok(version),
        _ => Err(StoreError::NewerVersion {
            database: site.database.clone(),
            found,
            known: i64::try_from(known).unwrap_or(i64::MAX),
        }),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn site() -> Site {
        Site {
            database: "test".into(),
            busy_timeout: Duration::ZERO,
        }
    }

    fn tables(connection: &Connection) -> Vec<String> {
        let mut statement = connection
            .prepare("SELECT name FROM sqlite_schema ORDER BY name")
            .unwrap();
        let names = statement.query_map((), |row| row.get(0)).unwrap();
        names.collect::<Result<_, _>>().unwrap()
    }

    #[test]
    fn a_failing_step_leaves_the_version_before_it_whole() {
        let step = |sql| Migration {
            sql,
            then: |_| Ok(()),
        };
        let first = step("CREATE TABLE a (x);");
        let broken = step("CREATE TABLE b (x); INSERT INTO b VALUES (1); CREATE TABLE a (x);");
        let mended = step("CREATE TABLE b (x);");
        let mut connection = Connection::open_in_memory().unwrap();

        let error = migrate(&mut connection, &site(), &[first, broken]).unwrap_err();
        assert!(matches!(error, StoreError::Failed { .. }), "{error}");
        assert_eq!(version(&mut connection, &site(), 2).unwrap(), 1);
        assert_eq!(tables(&connection), ["a"]);

        migrate(&mut connection, &site(), &[first, mended]).unwrap();
        assert_eq!(version(&mut connection, &site(), 2).unwrap(), 2);
        assert_eq!(tables(&connection), ["a", "b"]);
    }

    #[test]
    fn a_migrated_database_is_not_migrated_again() {
        let mut connection = Connection::open_in_memory().unwrap();
        migrate(&mut connection, &site(), MIGRATIONS).unwrap();
        migrate(&mut connection, &site(), MIGRATIONS).unwrap();
        assert_eq!(
            version(&mut connection, &site(), MIGRATIONS.len()).unwrap(),
            MIGRATIONS.len()
        );
    }
}
