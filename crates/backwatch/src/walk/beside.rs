//! A walk beside a backup that is being ingested.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anomaly_model::BackupJob;
use anomaly_settings::Settings;
use anomaly_walk::Walked;
use clap::Args;

use crate::exit::Failure;
use crate::terminal::{information, warning};
use crate::walk::{WalkFlags, suspicious, walked, warn_of};

/// A walk of the directory that the newest job backed up.
#[derive(Debug, Args)]
pub(crate) struct Beside {
    /// Walk the directory that was backed up, and judge the newest of the new jobs that left an image
    /// by what was written, too: for tools that do not tell. See `backwatch walk`.
    #[arg(long, value_name = "DIR")]
    pub(crate) walk: Option<PathBuf>,

    /// Remember the walk in this file; beside the database, under the directory's own name, when not
    /// given.
    #[arg(long, value_name = "FILE", requires = "walk")]
    pub(crate) state: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) flags: WalkFlags,
}

impl Beside {
    /// Fills in the newest job that left an image by a walk, if one is asked for, and gives the walk,
    /// whose state is to be kept once the job is.
    ///
    /// What goes wrong is told, and the job is judged as it is: it must not cost the verdict.
    pub(crate) fn fill(
        &self,
        jobs: &mut [BackupJob],
        settings: &Settings,
        database: &Path,
    ) -> Option<Walked> {
        let directory = self.walk.as_deref()?;
        // After one that left no image the walk is the next one's: what was written meanwhile is in
        // no image yet, and would be news to nobody then.
        let newest = jobs
            .iter_mut()
            .filter(|job| job.status().has_image())
            .max_by_key(|job| job.started_at())?;
        match self.filled(directory, newest, settings, database) {
            Ok((job, walked)) => {
                warn_of(&walked);
                if walked.previous().is_none() {
                    let directory = directory.display();
                    information(&format!(
                        "{directory}: the first walk, which the next ones compare with; this job is \
                         judged by the names of its files alone"
                    ));
                }
                *newest = job;
                Some(walked)
            }
            Err(failure) => {
                let directory = directory.display();
                warning(&format!(
                    "{directory} was not walked, and the job is judged without: {failure}"
                ));
                None
            }
        }
    }

    fn filled(
        &self,
        directory: &Path,
        job: &BackupJob,
        settings: &Settings,
        database: &Path,
    ) -> Result<(BackupJob, Walked), Failure> {
        let state = match &self.state {
            Some(state) => state.clone(),
            None => state_beside(database, directory),
        };
        let extensions = suspicious(&settings.detection_for(job));
        // A job that is dated ahead must not make what changes now look long at rest.
        let started_at = job.started_at().min(SystemTime::now().into());
        let options = self.flags.of(directory, &state, started_at);
        let walked = walked(options.suspicious_extensions(extensions))?;
        Ok((walked.fill(job)?, walked))
    }
}

/// Keeps the state of a walk whose job was kept.
pub(crate) fn keep(walked: Option<Walked>) {
    if let Some(Err(error)) = walked.map(Walked::commit) {
        warning(&format!(
            "the walk is not remembered, and the next one compares with the one before: {error}"
        ));
    }
}

/// Where the walk of a directory is remembered: the same place each time.
fn state_beside(database: &Path, directory: &Path) -> PathBuf {
    let directory = directory
        .canonicalize()
        .unwrap_or_else(|_| directory.to_owned());
    let hash = blake3::hash(directory.as_os_str().as_encoded_bytes()).to_hex();
    let mut path = database.as_os_str().to_owned();
    path.push(format!(".walk-{}", &hash[..16]));
    path.into()
}
