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
mod records;
mod site;
mod streams;
mod values;
mod verify;

use std::collections::BTreeMap;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use anomaly_model::chrono::{DateTime, Utc};
use anomaly_model::{
    Anomaly, BackupJob, ClientName, JobKey, JobRef, Review, Severity, StreamKey, Verdict,
};
use rusqlite::{Connection, TransactionBehavior};

use self::fault::Fault;
use self::lock::{Held, Lock};
use self::log::Log;
use self::site::Site;
use self::streams::StreamIds;
use crate::evidence::Tree;
use crate::{
    AnomalyQuery, Around, AuditEntry, AuditQuery, Decision, Delivery, Hash, IncidentQuery,
    IncidentRecord, Inserted, ListedAnomaly, LogHead, LogLeaf, Message, NearbyAnomaly, Observation,
    ObservationQuery, Origin, PendingChange, Purge, Purged, Read, Recorded, SettingsVersion, Store,
    StoreError, Stored, StoredObservation, Transaction, Verification, Waiting,
};

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
            released_at: None,
        })
    }

    /// Sets what this program calls itself to others that wait for it to finish writing.
    pub fn set_program(&mut self, program: &str) {
        self.lock.set_program(program);
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
        let Self {
            connection,
            site,
            lock,
            released_at,
        } = self;
        // Whoever writes batch after batch lets those in that wait.
        if let Some(released_at) = released_at.take() {
            let pause = BREATH.saturating_sub(released_at.elapsed());
            thread::sleep(pause);
        }
        let transaction = begin(connection, site, lock)?;
        Ok(Box::new(SqliteTransaction {
            transaction,
            held: lock.hold(),
            site,
            log: Log::default(),
            ids: StreamIds::default(),
            failed: false,
            begun_at: Instant::now(),
            released_at,
        }))
    }
}

/// How often one that waits asks whether the write lock is free.
const PATIENCE: Duration = Duration::from_millis(2);
/// How long the write lock is left free after a long transaction: one that waits asks meanwhile.
const BREATH: Duration = Duration::from_millis(4);
/// A transaction that others notice.
const LONG: Duration = Duration::from_millis(50);

/// Takes the write lock first, so that what is read is what will be replaced.
///
/// It waits by itself: SQLite would ask ten times a second, and be unlucky for long beside one that
/// writes batch after batch.
fn begin<'a>(
    connection: &'a Connection,
    site: &Site,
    lock: &Lock,
) -> Result<rusqlite::Transaction<'a>, StoreError> {
    let sqlite = |error| site.fail(error);
    let deadline = Instant::now() + site.busy_timeout;
    connection.busy_timeout(Duration::ZERO).map_err(sqlite)?;
    let begun = loop {
        let begun =
            rusqlite::Transaction::new_unchecked(connection, TransactionBehavior::Immediate);
        match begun.map_err(sqlite) {
            Err(error) if error.is_busy() && Instant::now() < deadline => thread::sleep(PATIENCE),
            begun => break begun,
        }
    };
    connection.busy_timeout(site.busy_timeout).map_err(sqlite)?;
    begun.map_err(|error| match error {
        StoreError::Busy {
            database, waited, ..
        } => StoreError::Busy {
            database,
            waited,
            holder: lock.holder(),
        },
        error => error,
    })
}

/// A transaction of SQLite's, which rolls back when it is dropped.
struct SqliteTransaction<'a> {
    transaction: rusqlite::Transaction<'a>,
    /// Let go after the transaction.
    held: Option<Held<'a>>,
    site: &'a Site,
    log: Log,
    ids: StreamIds,
    /// Whether a write failed. SQLite may then have rolled back what came before, and would write
    /// what comes after outside of any transaction.
    failed: bool,
    begun_at: Instant,
    /// When it ended, for the next one.
    released_at: &'a mut Option<Instant>,
}

impl SqliteTransaction<'_> {
    fn write<T>(
        &mut self,
        write: impl FnOnce(&Connection, &mut Log, &mut StreamIds) -> fault::Result<T>,
    ) -> Result<T, StoreError> {
        self.check()?;
        write(&self.transaction, &mut self.log, &mut self.ids).map_err(|fault| {
            // What is refused has changed nothing.
            self.failed = !matches!(fault, Fault::Store(_));
            self.site.say(fault)
        })
    }

    fn check(&self) -> Result<(), StoreError> {
        if self.failed {
            let database = self.site.database.clone();
            return Err(StoreError::Aborted { database });
        }
        Ok(())
    }
}

/// What reads from a database.
trait Reader {
    fn connection(&self) -> &Connection;
    fn site(&self) -> &Site;

    fn read<T>(&self, read: impl FnOnce(&Connection) -> fault::Result<T>) -> Result<T, StoreError> {
        read(self.connection()).map_err(|fault| self.site().say(fault))
    }

    /// The log as this one sees it.
    fn tree(&self) -> fault::Result<Tree>;
}

impl Reader for SqliteStore {
    fn connection(&self) -> &Connection {
        &self.connection
    }

    fn site(&self) -> &Site {
        &self.site
    }

    fn tree(&self) -> fault::Result<Tree> {
        log::tree(&self.connection)
    }
}

impl Reader for SqliteTransaction<'_> {
    fn connection(&self) -> &Connection {
        &self.transaction
    }

    fn site(&self) -> &Site {
        self.site
    }

    fn tree(&self) -> fault::Result<Tree> {
        self.log.current(&self.transaction)
    }
}

impl<T: Reader> Read for T {
    fn is_known(&self, job: &JobKey) -> Result<bool, StoreError> {
        self.read(|connection| jobs::is_known(connection, job))
    }

    fn run_of(&self, job: &JobKey) -> Result<Option<(ClientName, DateTime<Utc>)>, StoreError> {
        self.read(|connection| jobs::run_of(connection, job))
    }

    fn job(&self, job: &JobKey) -> Result<Option<BackupJob>, StoreError> {
        self.read(|connection| jobs::job(connection, job))
    }

    fn verdict(&self, job: &JobKey) -> Result<Option<Verdict>, StoreError> {
        self.read(|connection| jobs::verdict(connection, job))
    }

    fn origin(&self, job: &JobKey) -> Result<Option<Origin>, StoreError> {
        self.read(|connection| jobs::origin(connection, job))
    }

    fn observations(&self, query: &ObservationQuery) -> Result<Vec<StoredObservation>, StoreError> {
        self.read(|connection| jobs::observations(connection, query))
    }

    fn observations_stored_after(
        &self,
        after: u64,
        limit: usize,
    ) -> Result<Vec<StoredObservation>, StoreError> {
        self.read(|connection| jobs::observations_stored_after(connection, after, limit))
    }

    fn recorded_after(
        &self,
        stream: Option<&StreamKey>,
        after: u64,
        limit: usize,
    ) -> Result<Vec<Recorded>, StoreError> {
        self.read(|connection| history::recorded_after(connection, stream, after, limit))
    }

    fn listed_anomalies(&self, query: &AnomalyQuery) -> Result<Vec<ListedAnomaly>, StoreError> {
        self.read(|connection| anomalies::listed(connection, query))
    }

    fn count_unreviewed(&self) -> Result<BTreeMap<Severity, u64>, StoreError> {
        self.read(anomalies::unreviewed)
    }

    fn last_normal(&self, job: &JobKey) -> Result<Option<JobRef>, StoreError> {
        self.read(|connection| jobs::last_normal(connection, job))
    }

    fn reviews(&self, job: &JobKey) -> Result<Vec<Review>, StoreError> {
        self.read(|connection| anomalies::reviews(connection, job))
    }

    fn false_positives(&self, stream: &StreamKey) -> Result<Vec<Anomaly>, StoreError> {
        self.read(|connection| anomalies::false_positives(connection, stream))
    }

    fn anomalies_around(&self, around: &Around<'_>) -> Result<Vec<NearbyAnomaly>, StoreError> {
        self.read(|connection| anomalies::around(connection, around))
    }

    fn model_state(&self, stream: &StreamKey) -> Result<Option<Vec<u8>>, StoreError> {
        self.read(|connection| streams::model_state(connection, stream))
    }

    fn stream_status(&self, stream: &StreamKey) -> Result<Option<String>, StoreError> {
        self.read(|connection| streams::status(connection, stream))
    }

    fn purged_until(&self, stream: &StreamKey) -> Result<Option<DateTime<Utc>>, StoreError> {
        self.read(|connection| streams::purged_until(connection, stream))
    }

    fn streams(
        &self,
        after: u64,
        limit: usize,
    ) -> Result<Vec<Stored<(StreamKey, Option<String>)>>, StoreError> {
        self.read(|connection| streams::streams(connection, after, limit))
    }

    fn streams_of_client(&self, client: &ClientName) -> Result<Vec<StreamKey>, StoreError> {
        self.read(|connection| streams::of_client(connection, client))
    }

    fn due_streams(
        &self,
        until: DateTime<Utc>,
        limit: usize,
    ) -> Result<Vec<Stored<(StreamKey, String)>>, StoreError> {
        self.read(|connection| streams::due(connection, until, limit))
    }

    fn count_due_streams(&self, until: DateTime<Utc>) -> Result<u64, StoreError> {
        self.read(|connection| streams::count_due(connection, until))
    }

    fn note(&self, name: &str) -> Result<Option<String>, StoreError> {
        self.read(|connection| streams::note(connection, name))
    }

    fn incident(&self, number: u64) -> Result<Option<IncidentRecord>, StoreError> {
        self.read(|connection| incidents::incident(connection, number))
    }

    fn incidents(&self, query: &IncidentQuery) -> Result<Vec<Stored<IncidentRecord>>, StoreError> {
        self.read(|connection| incidents::incidents(connection, query))
    }

    fn incident_of(&self, job: &JobKey) -> Result<Option<u64>, StoreError> {
        self.read(|connection| incidents::incident_of(connection, job))
    }

    fn audit_entries(&self, query: &AuditQuery) -> Result<Vec<Stored<AuditEntry>>, StoreError> {
        self.read(|connection| audit::entries(connection, query))
    }

    fn settings(&self) -> Result<Option<Stored<SettingsVersion>>, StoreError> {
        self.read(changes::settings)
    }

    fn settings_versions(&self) -> Result<Vec<Stored<SettingsVersion>>, StoreError> {
        self.read(changes::settings_versions)
    }

    fn proposal(&self, number: u64) -> Result<Option<PendingChange>, StoreError> {
        self.read(|connection| changes::proposal(connection, number))
    }

    fn pending(&self) -> Result<Vec<Stored<PendingChange>>, StoreError> {
        self.read(changes::pending)
    }

    fn due_messages(
        &self,
        sink: &str,
        now: DateTime<Utc>,
        limit: usize,
    ) -> Result<Vec<Stored<Message>>, StoreError> {
        self.read(|connection| outbox::due(connection, sink, now, limit))
    }

    fn waiting(&self, sink: &str) -> Result<Waiting, StoreError> {
        self.read(|connection| outbox::waiting(connection, sink))
    }

    fn deliveries(&self, message: u64) -> Result<Vec<Delivery>, StoreError> {
        self.read(|connection| outbox::deliveries(connection, message))
    }

    fn log_head(&self) -> Result<LogHead, StoreError> {
        let tree = self.tree().map_err(|fault| self.site().say(fault))?;
        Ok(tree.head())
    }

    fn leaf(&self, number: u64) -> Result<Option<LogLeaf>, StoreError> {
        self.read(|connection| records::leaf(connection, number))
    }

    fn leaf_hashes(&self, after: u64, limit: usize) -> Result<Vec<Hash>, StoreError> {
        self.read(|connection| log::hashes(connection, after, limit))
    }
}

impl Transaction for SqliteTransaction<'_> {
    fn set_now(&mut self, now: DateTime<Utc>) {
        self.log.set_now(now.timestamp_micros());
    }

    fn insert(&mut self, observation: &Observation<'_>) -> Result<Inserted, StoreError> {
        let key = observation.checked_key()?;
        self.write(|connection, log, ids| jobs::insert(connection, log, ids, &key, observation))
    }

    fn put_model_state(&mut self, stream: &StreamKey, state: &[u8]) -> Result<(), StoreError> {
        self.write(|connection, _, ids| streams::put_model_state(connection, ids, stream, state))
    }

    fn put_stream_status(
        &mut self,
        stream: &StreamKey,
        status: &str,
        due_at: Option<DateTime<Utc>>,
    ) -> Result<(), StoreError> {
        self.write(|connection, _, ids| {
            streams::put_status(connection, ids, stream, status, due_at)
        })
    }

    fn put_note(&mut self, name: &str, note: &str) -> Result<(), StoreError> {
        self.write(|connection, _, _| streams::put_note(connection, name, note))
    }

    fn review(&mut self, job: &JobKey, review: &Review) -> Result<Option<Review>, StoreError> {
        self.write(|connection, log, _| anomalies::review(connection, log, job, review))
    }

    fn open_incident(&mut self, incident: &IncidentRecord) -> Result<u64, StoreError> {
        self.write(|connection, _, _| incidents::open(connection, incident))
    }

    fn put_incident(&mut self, number: u64, incident: &IncidentRecord) -> Result<(), StoreError> {
        self.write(|connection, _, _| incidents::put(connection, number, incident))
    }

    fn put_in_incident(&mut self, job: &JobKey, incident: u64) -> Result<(), StoreError> {
        self.write(|connection, _, _| incidents::put_job(connection, job, incident))
    }

    fn audit(&mut self, entry: &AuditEntry) -> Result<u64, StoreError> {
        self.write(|connection, log, _| audit::insert(connection, log, entry))
    }

    fn accept_settings(&mut self, version: &SettingsVersion) -> Result<u64, StoreError> {
        self.write(|connection, log, _| changes::accept_settings(connection, log, version))
    }

    fn propose(&mut self, change: &PendingChange) -> Result<u64, StoreError> {
        self.write(|connection, _, _| changes::propose(connection, change))
    }

    fn decide(&mut self, proposal: u64, decision: &Decision) -> Result<(), StoreError> {
        self.write(|connection, _, _| changes::decide(connection, proposal, decision))
    }

    fn post(&mut self, message: &Message, sinks: &[&str]) -> Result<u64, StoreError> {
        self.write(|connection, _, _| outbox::post(connection, message, sinks))
    }

    fn put_delivery(&mut self, message: u64, delivery: &Delivery) -> Result<(), StoreError> {
        self.write(|connection, _, _| outbox::put_delivery(connection, message, delivery))
    }

    fn purge(&mut self, purge: &Purge) -> Result<Purged, StoreError> {
        self.write(|connection, log, _| purge::purge(connection, log, purge))
    }

    fn commit(mut self: Box<Self>) -> Result<(), StoreError> {
        self.write(|connection, log, _| Ok(log.save(connection)?))?;
        let Self {
            transaction,
            held,
            site,
            begun_at,
            released_at,
            ..
        } = *self;
        let committed = transaction.commit();
        drop(held);
        if begun_at.elapsed() > LONG {
            *released_at = Some(Instant::now());
        }
        committed.map_err(|error| site.fail(error))
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
