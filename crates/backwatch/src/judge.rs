//! What judges: settings, population and database, as the command line names them.

use std::path::Path;
use std::time::SystemTime;

use anomaly_model::StreamPart;
use anomaly_service::AnomalyService;
use anomaly_service::storage::SqliteStore;
use anomaly_settings::{Layers, Role, Settings};

use crate::cli::JudgeOptions;
use crate::exit::Failure;
use crate::guard;
use crate::population;
use crate::switched_off::SwitchedOff;

/// What judges, and what is known of how it does.
#[derive(Debug)]
pub(crate) struct Judge {
    pub(crate) service: AnomalyService,
    /// What tells streams apart.
    pub(crate) key: Vec<StreamPart>,
    /// What the settings keep from judging.
    pub(crate) off: SwitchedOff,
}

impl Judge {
    /// A judge that keeps everything in `database`, or in memory. To others that wait for it, it is
    /// `program`.
    pub(crate) fn open(
        program: &str,
        database: Option<&Path>,
        options: &JudgeOptions,
    ) -> Result<Self, Failure> {
        // Read once: a file that changes later has no part in this run.
        let layers = Layers::read_here(options.settings.as_deref(), &options.set)?;
        let settings = layers.over(Settings::default());
        let (population, fingerprint) =
            population::read_with_fingerprint(options.population.as_deref())?.unzip();
        let mut off = SwitchedOff::by(&settings);
        let mut service = match database {
            Some(path) => {
                let mut store = SqliteStore::open(path)?;
                store.set_busy_timeout(settings.storage.wait())?;
                store.set_program(program);
                let mut service = AnomalyService::with_store(Box::new(store), settings);
                off = SwitchedOff::by_report(&guard::settle(
                    &mut service,
                    &layers,
                    SystemTime::now().into(),
                )?);
                if !service.settings().is_on(Role::Gather) {
                    return Err(Failure::NotGathered);
                }
                guard::note_population(&mut service, fingerprint.as_deref())?;
                // A run is short: what it hands over comes now.
                service.set_received_at(SystemTime::now().into());
                service
            }
            None => AnomalyService::in_memory(settings),
        };
        if let Some(population) = population {
            service = service.with_population(population);
        }
        let key = service.settings().streams.key.parts().to_vec();
        Ok(Self { service, key, off })
    }
}
