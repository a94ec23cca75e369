//! A store in one SQLite file.

mod adopt;
mod anomalies;
mod audit;
mod changes;
mod check;
mod columns;
mod conditions;
mod copy;
mod fault;
mod history;
mod incidents;
mod jobs;
mod lock;
mod log;
mod migrations;
mod open;
mod outbox;
#[cfg(test)]
mod plans;
mod private;
mod purge;
mod reader;
mod records;
mod site;
mod streams;
mod transaction;
mod values;
mod verify;

use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::Connection;

use self::lock::Lock;
use self::reader::Reader;
use self::site::Site;
use self::transaction::SqliteTransaction;
use crate::{LogHead, Store, StoreError, Transaction, Verification};

/// Milliseconds in 31 bits.
const LONGEST_WAIT: Duration = Duration::from_hours(24 * 24);

/// A store in one SQLite file, which several processes may use at the same time.
///
/// One writes at a time; readers go on meanwhile and see what was committed. What is committed is
/// on the disk. Beside the file SQLite keeps two more, named `-wal` and `-shm`; they belong to it
/// until the last process has closed it.
#[derive(Debug)]
pub struct SqliteStore {
    connection: Connection,
    site: Site,
    lock: Lock,
    has_written: bool,
    /// When the last transaction ended, if it was a long one.
    released_at: Option<Instant>,
}

impl SqliteStore {
    /// Opens the database at `path`, creates it if there is none (its directory must exist), and
    /// brings an older schema up to date. An empty file counts as a new database.
    ///
    /// A file of up to 4 MiB is looked over as a whole (`PRAGMA integrity_check`). In a larger one
    /// damage is told when it is met: every record is held against its hash when it is read. What
    /// only a look at the whole finds, [`check`](Self::check) does.
    ///
    /// # Errors
    /// [`StoreError::CannotOpen`] when the path cannot be read or written,
    /// [`StoreError::NotBackwatch`] when the file is something else,
    /// [`StoreError::NewerVersion`] when a newer version wrote it, [`StoreError::Damaged`] when it
    /// is cut or overwritten, and [`StoreError::Busy`] when another process keeps it locked.
    /// The second and third leave the file as it is.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        let store = Self::open_or_make(path.as_ref(), true)?;
        open::look_over(&store.connection, &store.site)?;
        Ok(store)
    }

    /// The same, and [`StoreError::CannotOpen`] when there is no file at `path`: for looking at a
    /// database that is there. Damage is told when it is met, so that [`check`](Self::check) can say
    /// all of it, and what is whole can be taken out.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn open_existing(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        Self::open_or_make(path.as_ref(), false)
    }

    fn open_or_make(path: &Path, made: bool) -> Result<Self, StoreError> {
        let (connection, site) = open::open(path, made)?;
        let lock = Lock::new(Path::new(&site.database));
        Ok(Self {
            connection,
            site,
            lock,
            has_written: false,
            released_at: None,
        })
    }

    /// Sets what this program calls itself to others that wait for it to finish writing.
    pub fn set_program(&mut self, program: &str) {
        self.lock.set_program(program);
    }

    /// Sets how long a transaction waits for another process's before it fails with
    /// [`StoreError::Busy`]; half a minute unless set, and 24 days at most, which is what SQLite can
    /// count.
    ///
    /// # Errors
    /// [`StoreError::Failed`] when SQLite refuses.
    pub fn set_busy_timeout(&mut self, timeout: Duration) -> Result<(), StoreError> {
        let timeout = timeout.min(LONGEST_WAIT);
        let set = self.connection.busy_timeout(timeout);
        set.map_err(|error| self.site.fail(error))?;
        self.site.busy_timeout = timeout;
        Ok(())
    }
}

impl SqliteStore {
    /// Hashes everything that was recorded anew, and says what is not as it was: against the hashes
    /// of the log, and against what the log was at the time of each of `checkpoints`.
    ///
    /// Whoever may write the database may also write its hashes: only a checkpoint that was kept
    /// elsewhere tells then. It reads the whole database and holds no lock.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] when the database cannot be read.
    pub fn verify(&self, checkpoints: &[LogHead]) -> Result<Verification, StoreError> {
        self.read(|connection| verify::verify(connection, checkpoints))
    }

    /// Whether the file is whole: its pages, its indexes, what refers to what, the checksums of the
    /// models, and whether all reads that is kept as JSON. Answers with what is wrong, in words, a
    /// hundred findings at most; nothing when it is whole.
    ///
    /// It reads the whole database and holds no lock. Whether records are what was recorded is
    /// another question: see [`verify`](Self::verify).
    ///
    /// # Errors
    /// [`StoreError::Failed`] when the database cannot be read for another reason than damage.
    pub fn check(&self) -> Result<Vec<String>, StoreError> {
        self.read(check::check)
    }

    /// Copies the whole database to a new file, as it is at one moment, while others go on writing.
    ///
    /// The file has its name once it is whole and on the disk.
    ///
    /// # Errors
    /// [`StoreError::CannotCopy`] when there is such a file, or it cannot be written.
    pub fn copy_to(&self, path: impl AsRef<Path>) -> Result<(), StoreError> {
        self.read(|connection| copy::copy(connection, path.as_ref()))
    }

    /// Gives back the space of what was purged. It writes the whole database anew, which needs as
    /// much space again while it lasts, and holds the write lock.
    ///
    /// # Errors
    /// [`StoreError::Busy`] when another process keeps the lock for too long, and
    /// [`StoreError::Full`] when there is not enough space.
    pub fn compact(&mut self) -> Result<(), StoreError> {
        // Others that wait are told for whom.
        drop(self.transaction()?);
        let _held = self.lock.hold();
        // What is still in the log of changes goes to the file too, and the log is made short.
        let compacted = self
            .connection
            .execute_batch("VACUUM; PRAGMA wal_checkpoint(TRUNCATE);");
        compacted.map_err(|error| self.site.fail(error))
    }
}

impl Store for SqliteStore {
    fn transaction(&mut self) -> Result<Box<dyn Transaction + '_>, StoreError> {
        Ok(Box::new(SqliteTransaction::begin(self)?))
    }
}

#[cfg(test)]
mod tests {
    use anomaly_model::chrono::DateTime;
    use anomaly_model::{BackupJob, Judgement, StreamKey, StreamPart, Verdict};

    use super::*;
    use crate::{Observation, Origin, Read as _};

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
                origin: Origin::Tool,
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
