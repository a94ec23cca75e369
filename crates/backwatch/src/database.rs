//! A database of earlier runs, as the commands name it that look into one.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anomaly_model::chrono::{DateTime, Utc};
use anomaly_model::{JobId, JobKey, SourceName};
use anomaly_service::AnomalyService;
use anomaly_service::storage::SqliteStore;
use anomaly_settings::{Layers, Settings};
use clap::Args;

use crate::cli::{key_value, time};
use crate::exit::Failure;
use crate::guard;
use crate::switched_off::SwitchedOff;

/// Which database, and by what settings it is read.
#[derive(Debug, Args)]
pub(crate) struct DatabaseOptions {
    /// The database, as `scan --db` or `ingest --db` made it.
    #[arg(long, value_name = "PATH")]
    pub(crate) db: PathBuf,

    /// Read settings from this TOML file.
    #[arg(long, value_name = "FILE")]
    pub(crate) settings: Option<PathBuf>,

    /// Change one setting, such as `review.ceiling=1.2`; wins over file and environment.
    #[arg(long, value_name = "KEY=VALUE", value_parser = key_value)]
    pub(crate) set: Vec<(String, String)>,
}

/// What time it is.
#[derive(Debug, Args)]
pub(crate) struct Now {
    /// The time to take for now: an RFC 3339 time with a zone; that of the system when not given.
    #[arg(long, value_name = "TIME", value_parser = time)]
    now: Option<DateTime<Utc>>,
}

impl Now {
    /// What time it is.
    pub(crate) fn time(&self) -> DateTime<Utc> {
        self.now.unwrap_or_else(|| SystemTime::now().into())
    }
}

impl DatabaseOptions {
    /// Opens the database, which has to be there, and says what the settings keep from judging.
    pub(crate) fn open(&self) -> Result<(AnomalyService, SwitchedOff), Failure> {
        self.open_at(SystemTime::now().into())
    }

    /// The same, as it is at `now`.
    pub(crate) fn open_at(
        &self,
        now: DateTime<Utc>,
    ) -> Result<(AnomalyService, SwitchedOff), Failure> {
        let (mut service, layers) = self.open_with_layers()?;
        let configured = layers.over(service.kept_settings()?);
        let report = service.look_by(&configured, now)?;
        Ok((service, SwitchedOff::by_report(&report)))
    }

    /// The same, for a command that changes what is in it: what the settings loosen is taken down
    /// first.
    pub(crate) fn open_to_change(
        &self,
        now: DateTime<Utc>,
    ) -> Result<(AnomalyService, SwitchedOff), Failure> {
        let (mut service, layers) = self.open_with_layers()?;
        let report = guard::settle(&mut service, &layers, now)?;
        Ok((service, SwitchedOff::by_report(&report)))
    }

    /// Opens the database, and reads the settings without looking at those in it.
    pub(crate) fn open_alone(&self) -> Result<AnomalyService, Failure> {
        Ok(self.open_with_layers()?.0)
    }

    fn open_with_layers(&self) -> Result<(AnomalyService, Layers), Failure> {
        let layers = Layers::read_here(self.settings.as_deref(), &self.set)?;
        require(&self.db)?;
        // An empty file becomes none by being looked at.
        if std::fs::metadata(&self.db).is_ok_and(|file| file.len() == 0) {
            SqliteStore::open_existing(&self.db)?;
        }
        let settings = layers.over(Settings::default());
        Ok((AnomalyService::open(&self.db, settings)?, layers))
    }
}

/// Says so where there is no database at `path`.
pub(crate) fn require(path: &Path) -> Result<(), Failure> {
    if path.exists() {
        return Ok(());
    }
    let path = path.to_owned();
    Err(Failure::NoDatabase { path })
}

/// Opens the store at `path`, which has to be there.
pub(crate) fn existing(path: &Path) -> Result<SqliteStore, Failure> {
    require(path)?;
    Ok(SqliteStore::open_existing(path)?)
}

/// A job as the command line names it: its tool and the tool's own id, such as `restic:4711`.
pub(crate) fn job(text: &str) -> Result<JobKey, String> {
    let (source, id) = text
        .split_once(':')
        .ok_or("write it as SOURCE:JOB, such as restic:4711")?;
    let source = SourceName::new(source).map_err(|error| error.to_string())?;
    let id = JobId::new(id).map_err(|error| error.to_string())?;
    Ok(JobKey::new(source, id))
}

/// The same, the other way round.
pub(crate) fn job_name(job: &JobKey) -> String {
    format!("{}:{}", job.source, job.job_id)
}
