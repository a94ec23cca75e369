//! Writing to the database, all or nothing.

use std::thread;
use std::time::{Duration, Instant};

use anomaly_model::chrono::{DateTime, Utc};
use anomaly_model::{JobKey, Review, StreamKey};
use rusqlite::{Connection, TransactionBehavior};

use super::fault::{self, Fault};
use super::lock::{Held, Lock};
use super::log::Log;
use super::reader::Reader;
use super::site::Site;
use super::streams::{self, StreamIds};
use super::{SqliteStore, anomalies, audit, changes, incidents, jobs, open, outbox, purge};
use crate::evidence::Tree;
use crate::{
    AuditEntry, Decision, Delivery, IncidentRecord, Inserted, Message, Observation, PendingChange,
    Purge, Purged, SettingsVersion, StoreError, Transaction,
};

/// How often one that waits asks whether the write lock is free.
const PATIENCE: Duration = Duration::from_millis(2);
/// How long the write lock is left free after a long transaction: one that waits asks meanwhile.
const BREATH: Duration = Duration::from_millis(4);
/// A transaction that others notice.
const LONG: Duration = Duration::from_millis(50);

/// A transaction of SQLite's, which rolls back when it is dropped.
pub(super) struct SqliteTransaction<'a> {
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

impl<'a> SqliteTransaction<'a> {
    /// Begins one, when the write lock is free.
    pub(super) fn begin(store: &'a mut SqliteStore) -> Result<Self, StoreError> {
        let SqliteStore {
            connection,
            site,
            lock,
            has_written,
            released_at,
        } = store;
        if !*has_written {
            let set = connection.execute_batch(open::WRITERS_SETTINGS);
            set.map_err(|error| site.fail(error))?;
            *has_written = true;
        }
        // Whoever writes batch after batch lets those in that wait.
        if let Some(released_at) = released_at.take() {
            let pause = BREATH.saturating_sub(released_at.elapsed());
            thread::sleep(pause);
        }
        let transaction = begin(connection, site, lock)?;
        Ok(Self {
            transaction,
            held: lock.hold(),
            site,
            log: Log::default(),
            ids: StreamIds::default(),
            failed: false,
            begun_at: Instant::now(),
            released_at,
        })
    }

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
