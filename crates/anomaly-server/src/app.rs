//! What every request can reach.

use std::path::PathBuf;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use anomaly_model::chrono::{DateTime, Utc};
use anomaly_notify::Sink;
use anomaly_service::{AnomalyService, ServiceError};
use anomaly_settings::Layers;
use anomaly_storage::AuditEntry;
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::ServerOptions;
use crate::account::{Accounts, AccountsError, Known};
use crate::backtests::Backtests;
use crate::bell::Bell;
use crate::calendar::Calendar;
use crate::delivery::SinkStates;
use crate::duties::Duties;
use crate::gather::SourceStates;
use crate::hashing::Hashing;
use crate::live::Live;
use crate::meters::Meters;
use crate::problem::Problem;
use crate::readers::Readers;
use crate::throttle::Throttle;
use crate::writer::Writer;

/// Bodies of jobs that are in memory at the same time; others wait to be sent.
const UPLOADS: usize = 16;
/// Bodies that are taken apart at the same time: each has a processor.
const PARSED_AT_ONCE: usize = 2;

/// What every request can reach; cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct App {
    shared: Arc<Shared>,
}

#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) options: ServerOptions,
    pub(crate) database: PathBuf,
    pub(crate) writer: Writer,
    pub(crate) readers: Readers,
    pub(crate) live: Live,
    pub(crate) hashing: Hashing,
    /// Who has tried to sign in lately.
    pub(crate) throttle: Throttle,
    /// A permit for each request that may be worked on now.
    pub(crate) requests: Semaphore,
    pub(crate) calendar: Calendar,
    pub(crate) backtests: Backtests,
    pub(crate) bell: Bell,
    /// What the service fails at.
    pub(crate) duties: Duties,
    /// A permit for whoever has a proof made: it reads for long where the log is large, and others
    /// want to read too.
    pub(crate) proofs: Arc<Semaphore>,
    /// A permit for each body of jobs that may be in memory.
    uploads: Semaphore,
    /// Requests that wait for one.
    uploads_waiting: AtomicUsize,
    /// A permit for each body that may be read now.
    pub(crate) parsing: Arc<Semaphore>,
    /// What the configuration sets, read once.
    pub(crate) layers: Arc<Layers>,
    /// Who is told what is found.
    pub(crate) sinks: Vec<Arc<Sink>>,
    pub(crate) sink_states: SinkStates,
    pub(crate) source_states: SourceStates,
    /// The id of the installation.
    pub(crate) instance: String,
    /// What the first administrator has to know: the service prints it when it starts.
    pub(crate) setup_code: String,
    pub(crate) meters: Arc<Meters>,
    pub(crate) started_at: DateTime<Utc>,
    accounts: Mutex<Known>,
    /// When the last job was handed over, in microseconds since 1970; 0 for never.
    last_job_micros: AtomicI64,
}

/// What the service is made of.
pub(crate) struct Parts {
    pub(crate) options: ServerOptions,
    pub(crate) database: PathBuf,
    pub(crate) writer: Writer,
    pub(crate) readers: Readers,
    pub(crate) layers: Arc<Layers>,
    pub(crate) sinks: Vec<Arc<Sink>>,
    pub(crate) instance: String,
    pub(crate) meters: Arc<Meters>,
    pub(crate) setup_code: String,
}

impl std::ops::Deref for App {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.shared
    }
}

impl App {
    pub(crate) fn new(parts: Parts) -> Self {
        let duties = Duties::default();
        let requests = Semaphore::new(parts.options.most_requests.into());
        let throttle = Throttle::new(parts.options.behind_proxy);
        let shared = Shared {
            options: parts.options,
            database: parts.database,
            writer: parts.writer,
            readers: parts.readers,
            live: Live::default(),
            hashing: Hashing::default(),
            throttle,
            requests,
            calendar: Calendar::default(),
            backtests: Backtests::default(),
            bell: Bell::new(duties.clone()),
            duties,
            proofs: Arc::new(Semaphore::new(1)),
            uploads: Semaphore::new(UPLOADS),
            uploads_waiting: AtomicUsize::new(0),
            parsing: Arc::new(Semaphore::new(PARSED_AT_ONCE)),
            layers: parts.layers,
            sinks: parts.sinks,
            sink_states: SinkStates::default(),
            source_states: SourceStates::default(),
            instance: parts.instance,
            setup_code: parts.setup_code,
            meters: parts.meters,
            started_at: now(),
            accounts: Mutex::default(),
            last_job_micros: AtomicI64::new(0),
        };
        Self {
            shared: Arc::new(shared),
        }
    }

    /// All users and keys, no older than a second.
    pub(crate) async fn accounts(&self) -> Result<Arc<Accounts>, Problem> {
        let (fresh, changes) = {
            let known = self.known_accounts();
            (known.fresh(), known.changes())
        };
        if let Some(accounts) = fresh {
            return Ok(accounts);
        }
        let read = self
            .readers
            .read(|service| Ok(Accounts::load(service)))
            .await?;
        let accounts = Arc::new(read.map_err(|error| Problem::of_accounts(&error))?);
        self.known_accounts().keep(&accounts, changes);
        Ok(accounts)
    }

    fn known_accounts(&self) -> MutexGuard<'_, Known> {
        self.accounts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes users and keys; the next request knows.
    pub(crate) async fn change_accounts<T: Send + 'static, E: IntoIterator<Item = AuditEntry>>(
        &self,
        change: impl FnOnce(&mut Accounts) -> Result<(T, E), AccountsError> + Send + 'static,
    ) -> Result<T, Problem> {
        let app = self.clone();
        let changed = self
            .writer
            .run(move |service| {
                let changed = Accounts::change(service, now(), change);
                // Here, since whoever asked may have gone.
                app.known_accounts().forget();
                Ok(changed)
            })
            .await?;
        changed.map_err(|error| Problem::of_accounts(&error))
    }

    /// Marks a notice as read by a person, or all of them.
    pub(crate) async fn mark_read(&self, name: &str, number: Option<u64>) -> Result<(), Problem> {
        let people = self.accounts().await?.users.keys().cloned().collect();
        let (app, name) = (self.clone(), name.to_owned());
        self.writer
            .run(move |service| app.bell.read(service, &name, number, &people))
            .await
    }

    /// Waits until a body of jobs may be in memory, and for as long as what this answers is kept.
    pub(crate) async fn upload(&self) -> Option<SemaphorePermit<'_>> {
        let _waiting = Waiting::new(&self.uploads_waiting);
        // It is never closed.
        self.uploads.acquire().await.ok()
    }

    /// Requests that wait to be written: for the thread that writes, or for room in memory before that.
    pub(crate) fn waiting_to_write(&self) -> usize {
        self.writer.waiting() + self.uploads_waiting.load(Ordering::Relaxed)
    }

    /// The address under which people reach the service.
    pub(crate) fn address(&self) -> String {
        let options = &self.options;
        options.public_url.clone().unwrap_or_else(|| {
            let scheme = if options.tls.is_some() {
                "https"
            } else {
                "http"
            };
            format!("{scheme}://{}", options.listen)
        })
    }

    pub(crate) fn note_job(&self) {
        self.last_job_micros
            .store(now().timestamp_micros(), Ordering::Relaxed);
    }

    /// When the last job was handed over to this process.
    pub(crate) fn last_job_at(&self) -> Option<DateTime<Utc>> {
        match self.last_job_micros.load(Ordering::Relaxed) {
            0 => None,
            micros => DateTime::from_timestamp_micros(micros),
        }
    }
}

/// One who waits, until he is dropped: whoever asked may give up.
struct Waiting<'a>(&'a AtomicUsize);

impl<'a> Waiting<'a> {
    fn new(waiting: &'a AtomicUsize) -> Self {
        waiting.fetch_add(1, Ordering::Relaxed);
        Self(waiting)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// What time it is.
pub(crate) fn now() -> DateTime<Utc> {
    SystemTime::now().into()
}

/// When the last job ended that came by then; `None` when none did.
pub(crate) fn last_job_ended_at(
    service: &AnomalyService,
    now: DateTime<Utc>,
) -> Result<Option<DateTime<Utc>>, ServiceError> {
    let last = service.last_job(now)?;
    Ok(last.map(|job| job.ended_at().unwrap_or(job.started_at()).min(now)))
}
