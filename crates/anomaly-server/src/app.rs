//! What every request can reach.

use std::path::PathBuf;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use anomaly_model::chrono::{DateTime, Utc};
use anomaly_notify::Sink;
use anomaly_settings::Layers;
use anomaly_storage::AuditEntry;
use tokio::sync::Semaphore;

use crate::ServerOptions;
use crate::account::{Accounts, AccountsError};
use crate::backtests::Backtests;
use crate::bell::Bell;
use crate::calendar::Calendar;
use crate::delivery::SinkStates;
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

/// Accounts are read anew after this long: a user who was taken away on the command line is out.
const ACCOUNTS_ARE_FRESH: Duration = Duration::from_secs(1);

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
    /// A permit for whoever has a proof made: it reads for long where the log is large, and others
    /// want to read too.
    pub(crate) proofs: Arc<Semaphore>,
    /// A permit for each body of jobs that may be in memory.
    pub(crate) uploads: Semaphore,
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
    accounts: Mutex<Option<(Instant, Arc<Accounts>)>>,
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
            bell: Bell::default(),
            proofs: Arc::new(Semaphore::new(1)),
            uploads: Semaphore::new(UPLOADS),
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
        let fresh = {
            let known = self.accounts.lock().unwrap_or_else(PoisonError::into_inner);
            known
                .as_ref()
                .filter(|(at, _)| at.elapsed() < ACCOUNTS_ARE_FRESH)
                .map(|(_, accounts)| Arc::clone(accounts))
        };
        if let Some(accounts) = fresh {
            return Ok(accounts);
        }
        let read = self
            .readers
            .read(|service| Ok(Accounts::load(service)))
            .await?;
        let accounts = Arc::new(read.map_err(|error| Problem::of_accounts(&error))?);
        let mut known = self.accounts.lock().unwrap_or_else(PoisonError::into_inner);
        *known = Some((Instant::now(), Arc::clone(&accounts)));
        Ok(accounts)
    }

    /// Changes users and keys; the next request knows.
    pub(crate) async fn change_accounts<T: Send + 'static, E: IntoIterator<Item = AuditEntry>>(
        &self,
        change: impl FnOnce(&mut Accounts) -> Result<(T, E), AccountsError> + Send + 'static,
    ) -> Result<T, Problem> {
        let changed = self
            .writer
            .run(|service| Ok(Accounts::change(service, now(), change)))
            .await?;
        let mut known = self.accounts.lock().unwrap_or_else(PoisonError::into_inner);
        *known = None;
        drop(known);
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

/// What time it is.
pub(crate) fn now() -> DateTime<Utc> {
    SystemTime::now().into()
}
