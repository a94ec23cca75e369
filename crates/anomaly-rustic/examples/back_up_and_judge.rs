//! Backs up a directory with `rustic_core`, looks at what is written on the way, and judges the job.
//!
//! `cargo run --manifest-path crates/anomaly-rustic/Cargo.toml --example back_up_and_judge -- \
//!  DIRECTORY REPOSITORY DATABASE`, with the repository's password in `RUSTIC_PASSWORD`. The
//! repository and the database are created where there is none.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "an example shows what it does"
)]

use std::collections::HashMap;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::{env, fs};

use anomaly_rustic::content::{Inspection, Sampling};
use anomaly_rustic::{Before, InspectedSource, backup_job, with_inspection};
use anomaly_service::AnomalyService;
use anomaly_service::settings::Settings;
use rustic_backend::BackendOptions;
use rustic_core::repofile::{Node, NodeType};
use rustic_core::{
    BackupOptions, ConfigOptions, Credentials, IndexedFull, KeyOptions, LocalSource,
    LocalSourceFilterOptions, LocalSourceSaveOptions, LsOptions, Repository, RepositoryOptions,
    SnapshotOptions,
};

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<PathBuf> = env::args_os().skip(1).map(PathBuf::from).collect();
    let [directory, repository, database] = arguments.as_slice() else {
        return Err("usage: back_up_and_judge DIRECTORY REPOSITORY DATABASE".into());
    };
    let password = env::var("RUSTIC_PASSWORD")
        .map_err(|error| format!("RUSTIC_PASSWORD has the password of the repository: {error}"))?;
    let directory = fs::canonicalize(directory)?;

    let backends = BackendOptions::default()
        .repository(repository.to_string_lossy())
        .to_backends()?;
    let credentials = Credentials::password(&password);
    let repository_options = RepositoryOptions::default();
    let new = Repository::new(&repository_options, &backends)?;
    let opened = if new.config_id()?.is_none() {
        new.init(
            &credentials,
            &KeyOptions::default(),
            &ConfigOptions::default(),
        )?
    } else {
        new.open(&credentials)?
    };
    let repository = opened.to_indexed()?;

    // What was there before tells new files from changed ones.
    let before = files_of_the_last_snapshot(&repository)?;
    let paths = [directory.clone()];
    let source = LocalSource::new(
        LocalSourceSaveOptions::default(),
        &rustic_core::Excludes::default(),
        &LocalSourceFilterOptions::default(),
        &paths,
    )?;
    let source = InspectedSource::new(
        source,
        Sampling::Strided { seed: 0 },
        Inspection::new(),
        move |path: &Path| before.get(path).copied(),
    );
    let snapshot = SnapshotOptions::default().to_snapshot()?;
    let snapshot = repository.archive(&BackupOptions::default(), &source, snapshot, &paths)?;
    println!("backed up as snapshot {}", snapshot.id);

    // From here on nothing may fail the backup: it is done.
    let job = with_inspection(&backup_job(&snapshot)?, source.take())?;
    let mut service = AnomalyService::open(database, Settings::default())?;
    let verdict = service.observe(&job)?.verdict;
    println!("{}", verdict.summary);
    for file in &verdict.files {
        let reasons: Vec<&str> = file
            .reasons
            .iter()
            .map(|reason| reason.in_words())
            .collect();
        println!("  {}: {}", file.path, reasons.join(", "));
    }
    Ok(())
}

fn files_of_the_last_snapshot<S: IndexedFull>(
    repository: &Repository<S>,
) -> Result<HashMap<PathBuf, Before>, Box<dyn Error>> {
    let snapshots = repository.get_all_snapshots()?;
    let mut files = HashMap::new();
    let Some(last) = snapshots.into_iter().max_by(|a, b| a.time.cmp(&b.time)) else {
        return Ok(files);
    };
    let root = repository.node_from_snapshot_and_path(&last, "")?;
    let is_file = |node: &Node| node.node_type == NodeType::File;
    for entry in repository.ls(&root, &LsOptions::default())? {
        let (path, node) = entry?;
        if is_file(&node) {
            let mut before = Before::new();
            before.size_bytes = Some(node.meta.size);
            files.insert(Path::new("/").join(path), before);
        }
    }
    Ok(files)
}
