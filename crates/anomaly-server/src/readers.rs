//! Connections that read while one writes.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use anomaly_service::{AnomalyService, ServiceError};
use anomaly_settings::Settings;
use tokio::sync::Semaphore;

use crate::problem::Problem;

/// A few services on the same database, each used by one request at a time.
#[derive(Debug, Clone)]
pub(crate) struct Readers {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    database: PathBuf,
    /// Those that have the settings of now.
    free: Mutex<Vec<AnomalyService>>,
    most: usize,
    permits: Arc<Semaphore>,
    settings: Mutex<Arc<Settings>>,
}

impl Readers {
    pub(crate) fn new(database: PathBuf, settings: Settings, most: u8) -> Self {
        let shared = Shared {
            database,
            free: Mutex::default(),
            most: most.into(),
            permits: Arc::new(Semaphore::new(most.into())),
            settings: Mutex::new(Arc::new(settings)),
        };
        Self {
            shared: Arc::new(shared),
        }
    }

    /// The settings by which is judged now.
    pub(crate) fn settings(&self) -> Arc<Settings> {
        let settings = self.shared.settings.lock();
        Arc::clone(&settings.unwrap_or_else(PoisonError::into_inner))
    }

    /// From now on, these settings are shown. What is read meanwhile is read by the old ones.
    pub(crate) fn set_settings(&self, settings: Settings) {
        let held = self.shared.settings.lock();
        let mut held = held.unwrap_or_else(PoisonError::into_inner);
        *held = Arc::new(settings);
        let free = self.shared.free.lock();
        free.unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// How many may read at the same time, and how many do.
    pub(crate) fn busy(&self) -> (usize, usize) {
        let most = self.shared.most;
        (
            most,
            most - self.shared.permits.available_permits().min(most),
        )
    }

    /// Reads, beside the threads that answer requests.
    ///
    /// # Errors
    /// What `read` answers, and a problem when the database cannot be opened.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&AnomalyService) -> Result<T, ServiceError> + Send + 'static,
    ) -> Result<T, Problem> {
        let permits = Arc::clone(&self.shared.permits);
        let permit = permits.acquire_owned().await;
        let shared = Arc::clone(&self.shared);
        let task = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            let (reader, settings) = shared.take()?;
            let answer = read(&reader);
            shared.give_back(reader, &settings);
            answer
        });
        match task.await {
            Ok(answer) => answer.map_err(|error| Problem::of_service(&error)),
            Err(_) => Err(Problem::internal("a reader ended early")),
        }
    }
}

impl Shared {
    /// A reader, and the settings that it has.
    fn take(&self) -> Result<(AnomalyService, Arc<Settings>), ServiceError> {
        let (settings, free) = {
            let settings = self.settings.lock();
            let settings = settings.unwrap_or_else(PoisonError::into_inner);
            let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
            (Arc::clone(&settings), free.pop())
        };
        let reader = match free {
            Some(reader) => reader,
            None => AnomalyService::open(&self.database, (*settings).clone())?,
        };
        Ok((reader, settings))
    }

    /// Keeps a reader for the next one, unless the settings are others by now.
    fn give_back(&self, reader: AnomalyService, its: &Arc<Settings>) {
        let settings = self.settings.lock();
        let settings = settings.unwrap_or_else(PoisonError::into_inner);
        if Arc::ptr_eq(&settings, its) {
            let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
            free.push(reader);
        }
    }
}
