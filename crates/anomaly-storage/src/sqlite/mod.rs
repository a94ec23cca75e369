//! A store in one SQLite file.

mod json;
mod migrations;
mod open;
mod read;
mod site;
mod write;

use std::path::Path;
use std::time::Duration;

use anomaly_model::{Anomaly, BackupJob, JobKey, JobRef, Review, StreamKey, Verdict};
use rusqlite::{Connection, TransactionBehavior};

use self::site::Site;
use crate::{AnomalyQuery, Inserted, Observation, Store, StoreError, Transaction};

/// A store in one SQLite file, which several processes may use at the same time.
///
/// One writes at a time; readers go on meanwhile and see what was committed. What is committed is
/// on the disk. Beside the file SQLite keeps two more, named `-wal` and `-shm`; they belong to it
/// until the last process has closed it.
#[derive(Debug)]
pub struct SqliteStore {
    connection: Connection,
    site: Site,
}

impl SqliteStore {
    /// Opens the database at `path`, creates it if there is none (its directory must exist), and
    /// brings an older schema up to date. An empty file counts as a new database.
    ///
    /// # Errors
    /// [`StoreError::CannotOpen`] when the path cannot be read or written,
    /// [`StoreError::NotBackwatch`] when the file is something else,
    /// [`StoreError::NewerVersion`] when a newer version wrote it, [`StoreError::Damaged`] when it
    /// is cut or overwritten, and [`StoreError::Busy`] when another process keeps it locked.
    /// The second and third leave the file as it is.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        let (connection, site) = open::open(path.as_ref())?;
        Ok(Self { connection, site })
    }

    /// Sets how long a transaction waits for another process's before it fails with
    /// [`StoreError::Busy`]; half a minute unless set.
    ///
    /// # Errors
    /// [`StoreError::Failed`] when SQLite refuses.
    pub fn set_busy_timeout(&mut self, timeout: Duration) -> Result<(), StoreError> {
        let set = self.connection.busy_timeout(timeout);
        set.map_err(|error| self.site.fail(error))?;
        self.site.busy_timeout = timeout;
        Ok(())
    }

    fn read<T>(&self, result: rusqlite::Result<T>) -> Result<T, StoreError> {
        result.map_err(|error| self.site.fail(error))
    }
}

impl Store for SqliteStore {
    fn transaction(&mut self) -> Result<Box<dyn Transaction + '_>, StoreError> {
        let Self { connection, site } = self;
        // Immediate: the write lock comes first, so that what is read is what will be replaced.
        match connection.transaction_with_behavior(TransactionBehavior::Immediate) {
            Ok(transaction) => Ok(Box::new(SqliteTransaction {
                transaction,
                site,
                failed: false,
            })),
            Err(error) => Err(site.fail(error)),
        }
    }

    fn verdict(&self, job: &JobKey) -> Result<Option<Verdict>, StoreError> {
        self.read(read::verdict(&self.connection, job))
    }

    fn job(&self, job: &JobKey) -> Result<Option<BackupJob>, StoreError> {
        self.read(read::job(&self.connection, job))
    }

    fn is_known(&self, job: &JobKey) -> Result<bool, StoreError> {
        self.read(read::is_known(&self.connection, job))
    }

    fn anomalies(&self, query: &AnomalyQuery) -> Result<Vec<Anomaly>, StoreError> {
        self.read(read::anomalies(&self.connection, query))
    }

    fn last_normal(&self, job: &JobKey) -> Result<Option<JobRef>, StoreError> {
        self.read(read::last_normal(&self.connection, job))
    }

    fn reviews(&self, job: &JobKey) -> Result<Vec<Review>, StoreError> {
        self.read(read::reviews(&self.connection, job))
    }
}

/// A transaction of SQLite's, which rolls back when it is dropped.
struct SqliteTransaction<'a> {
    transaction: rusqlite::Transaction<'a>,
    site: &'a Site,
    /// Whether a write failed. SQLite may then have rolled back what came before, and would write
    /// what comes after outside of any transaction.
    failed: bool,
}

impl SqliteTransaction<'_> {
    fn read<T>(&self, result: rusqlite::Result<T>) -> Result<T, StoreError> {
        result.map_err(|error| self.site.fail(error))
    }

    fn write<T>(
        &mut self,
        write: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        self.check()?;
        let result = write(&self.transaction);
        self.failed = result.is_err();
        self.read(result)
    }

    fn check(&self) -> Result<(), StoreError> {
        if self.failed {
            let database = self.site.database.clone();
            return Err(StoreError::Aborted { database });
        }
        Ok(())
    }
}

impl Transaction for SqliteTransaction<'_> {
    fn verdict(&self, job: &JobKey) -> Result<Option<Verdict>, StoreError> {
        self.read(read::verdict(&self.transaction, job))
    }

    fn job(&self, job: &JobKey) -> Result<Option<BackupJob>, StoreError> {
        self.read(read::job(&self.transaction, job))
    }

    fn model_state(&self, stream: &StreamKey) -> Result<Option<Vec<u8>>, StoreError> {
        self.read(read::model_state(&self.transaction, stream))
    }

    fn insert(&mut self, observation: &Observation<'_>) -> Result<Inserted, StoreError> {
        let key = observation.checked_key()?;
        self.write(|connection| write::insert(connection, &key, observation))
    }

    fn put_model_state(&mut self, stream: &StreamKey, state: &[u8]) -> Result<(), StoreError> {
        self.write(|connection| write::put_model_state(connection, stream, state))
    }

    fn review(&mut self, job: &JobKey, review: &Review) -> Result<Option<Review>, StoreError> {
        let verdict = self.verdict(job)?;
        if !verdict.is_some_and(|verdict| verdict.is_anomalous()) {
            return Err(StoreError::NoSuchAnomaly { job: job.clone() });
        }
        let replaced = self.read(read::reviews(&self.transaction, job))?.pop();
        self.write(|connection| write::review(connection, job, review))?;
        Ok(replaced)
    }

    fn commit(self: Box<Self>) -> Result<(), StoreError> {
        self.check()?;
        let site = self.site;
        self.transaction.commit().map_err(|error| site.fail(error))
    }
}

#[cfg(test)]
mod tests {
    use anomaly_model::chrono::DateTime;
    use anomaly_model::{Judgement, StreamPart};

    use super::*;

    /// SQLite's own bound on the size of the file stands for the end of the disk.
    #[test]
    fn a_full_disk_spoils_only_the_transaction_that_met_it() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("db");
        let mut store = SqliteStore::open(&path).unwrap();
        let pragma = |name| {
            store
                .connection
                .pragma_query_value(None, name, |row| row.get(0))
        };
        let pages: i64 = pragma("page_count").unwrap();
        store
            .connection
            .pragma_update(None, "max_page_count", pages + 10)
            .unwrap();
        let job = |id: &str| {
            BackupJob::builder("restic", id, "mail01", "daily", DateTime::UNIX_EPOCH)
                .build()
                .unwrap()
        };
        let (kept, lost) = (job("kept"), job("lost"));
        let stream = StreamKey::of(&kept, &StreamPart::DEFAULT);
        let insert = |transaction: &mut dyn Transaction, job: &BackupJob| {
            let verdict = Verdict::new(job, Judgement::Normal, "As usual.");
            transaction.insert(&Observation {
                job,
                stream: &stream,
                verdict: &verdict,
            })
        };

        let mut transaction = store.transaction().unwrap();
        insert(&mut *transaction, &kept).unwrap();
        transaction.put_model_state(&stream, b"after kept").unwrap();
        transaction.commit().unwrap();

        let mut transaction = store.transaction().unwrap();
        insert(&mut *transaction, &lost).unwrap();
        let full = transaction.put_model_state(&stream, &vec![0; 1_000_000]);
        assert!(matches!(full, Err(StoreError::Full { .. })), "{full:?}");
        // Whoever goes on regardless stores no half of it.
        let aborted = insert(&mut *transaction, &job("later"));
        assert!(
            matches!(aborted, Err(StoreError::Aborted { .. })),
            "{aborted:?}"
        );
        let aborted = transaction.commit();
        assert!(
            matches!(aborted, Err(StoreError::Aborted { .. })),
            "{aborted:?}"
        );

        drop(store);
        let mut store = SqliteStore::open(&path).unwrap();
        assert_eq!(store.job(&kept.key()).unwrap(), Some(kept));
        assert_eq!(store.job(&lost.key()).unwrap(), None);
        assert_eq!(store.job(&job("later").key()).unwrap(), None);
        let state = store.transaction().unwrap().model_state(&stream).unwrap();
        assert_eq!(state.unwrap(), b"after kept");
    }
}
