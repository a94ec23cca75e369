//! `backwatch db`: looking after a database.

use std::fs::{self, File};
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anomaly_features::{Unit, counted};
use anomaly_model::{JobKey, Review};
use anomaly_service::AnomalyService;
use anomaly_service::storage::{AuditQuery, Origin, Read as _, SqliteStore};
use anomaly_settings::Settings;
use serde::Serialize;

use crate::cli::{DbCommand, DbOptions};
use crate::database::existing;
use crate::exit::{Exit, Failure};
use crate::guard::user;
use crate::terminal::{harmless, told};

/// Observations that are held in memory at a time.
const PAGE: usize = 1_000;

pub(crate) fn run(command: &DbCommand) -> Result<Exit, Failure> {
    match command {
        DbCommand::Check(options) => check(options),
        DbCommand::Backup { options, file } => {
            existing(&options.db)?.copy_to(file)?;
            told(&format!("Copied to {}.", file.display()))
        }
        DbCommand::Compact(options) => {
            let mut store = existing(&options.db)?;
            store.set_program("backwatch db compact");
            let size = || fs::metadata(&options.db).map(|file| file.len());
            let before = size()?;
            store.compact()?;
            let [before, after] = [before, size()?].map(|bytes| Unit::Bytes.format(bytes as f64));
            told(&format!("The file had {before} and has {after} now."))
        }
        DbCommand::Export { options, directory } => export(&existing(&options.db)?, directory),
        DbCommand::Forget {
            options,
            stream,
            by,
        } => {
            let by = by.clone().or_else(user).ok_or(Failure::NoReviewer)?;
            forget(existing(&options.db)?, stream, &by)
        }
    }
}

fn check(options: &DbOptions) -> Result<Exit, Failure> {
    let problems = existing(&options.db)?.check()?;
    if problems.is_empty() {
        return told("The whole file reads.");
    }
    let mut output = anstream::stdout().lock();
    for problem in &problems {
        writeln!(output, "{}", harmless(problem))?;
    }
    Ok(Exit::Anomalies)
}

fn forget(store: SqliteStore, name: &str, by: &str) -> Result<Exit, Failure> {
    let mut found = Vec::new();
    let mut last = 0;
    loop {
        let page = store.streams(last, PAGE)?;
        let Some(newest) = page.last() else { break };
        last = newest.number;
        let streams = page.into_iter().map(|stored| stored.record.0);
        found.extend(streams.filter(|stream| stream.to_string() == name));
    }
    if found.is_empty() {
        let what = format!("the stream {name:?}");
        return Err(Failure::NothingKnown { what });
    }
    let mut service = AnomalyService::with_store(Box::new(store), Settings::default());
    for stream in &found {
        service.forget(stream, by, SystemTime::now().into())?;
    }
    told(&format!("{name} warms up anew."))
}

/// A review, and what it is of.
#[derive(Debug, Serialize)]
struct ReviewLine<'a> {
    #[serde(flatten)]
    job: &'a JobKey,
    #[serde(flatten)]
    review: &'a Review,
}

fn export(store: &SqliteStore, directory: &Path) -> Result<Exit, Failure> {
    fs::create_dir_all(directory).map_err(|source| Failure::Create {
        path: directory.to_owned(),
        source,
    })?;
    let mut jobs = Lines::create(directory.join("jobs.ndjson"))?;
    let mut verdicts = Lines::create(directory.join("verdicts.ndjson"))?;
    let mut reviews = Lines::create(directory.join("reviews.ndjson"))?;
    let mut written = 0;
    let mut last = 0;
    loop {
        let page = store.observations_stored_after(last, PAGE)?;
        let Some(newest) = page.last() else { break };
        last = newest.number;
        for observation in &page {
            // What the clock missed is no job of a tool's: taken in again, it would be one that failed.
            if observation.origin == Origin::Tool {
                jobs.write(&observation.job)?;
                written += 1;
            }
            verdicts.write(&observation.verdict)?;
            if observation.verdict.is_anomalous() {
                let job = &observation.job.key();
                for review in &store.reviews(job)? {
                    reviews.write(&ReviewLine { job, review })?;
                }
            }
        }
    }
    for lines in [jobs, verdicts, reviews] {
        lines.finish()?;
    }
    audit(store, Lines::create(directory.join("audit.ndjson"))?)?;
    told(&format!(
        "{} written to {}, with verdicts, reviews and the audit log.",
        counted(written, "job"),
        directory.display()
    ))
}

/// The audit log, those entries first that were written last.
fn audit(store: &SqliteStore, mut lines: Lines) -> Result<(), Failure> {
    let mut query = AuditQuery::default().limit(PAGE);
    loop {
        let page = store.audit_entries(&query)?;
        let Some(oldest) = page.last() else { break };
        query = query.before(oldest.number);
        for entry in &page {
            lines.write(&entry.record)?;
        }
    }
    lines.finish()
}

/// A new file of JSON lines.
struct Lines {
    path: PathBuf,
    file: BufWriter<File>,
}

impl Lines {
    fn create(path: PathBuf) -> Result<Self, Failure> {
        match File::create_new(&path) {
            Ok(file) => Ok(Self {
                path,
                file: BufWriter::new(file),
            }),
            Err(source) => Err(Failure::Create { path, source }),
        }
    }

    fn write(&mut self, record: &impl Serialize) -> Result<(), Failure> {
        serde_json::to_writer(&mut self.file, record)?;
        self.file
            .write_all(b"\n")
            .map_err(|source| Failure::Create {
                path: self.path.clone(),
                source,
            })
    }

    fn finish(self) -> Result<(), Failure> {
        let Self { path, file } = self;
        let file = file
            .into_inner()
            .map_err(std::io::IntoInnerError::into_error);
        let written = file.and_then(|file| file.sync_all());
        written.map_err(|source| Failure::Create { path, source })
    }
}
