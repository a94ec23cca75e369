//! Backs up a directory with `rustic_core`, looks at what is written on the way, and judges the job.
//!
//! `cargo run --manifest-path crates/anomaly-rustic/Cargo.toml --example back_up_and_judge -- \
//!  DIRECTORY REPOSITORY DATABASE`, with the repository's password in `RUSTIC_PASSWORD`. The
//! repository and the database are created where there is none.
#![allow(clippy::print_stderr, reason = "an example shows what it does")]

use std::collections::HashMap;
use std::env::VarError;
use std::error::Error;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::{env, fs};

use anomaly_rustic::content::{Inspected, Inspection, Sampling};
use anomaly_rustic::{Before, InspectedSource, backup_job, with_inspection};
use anomaly_service::AnomalyService;
use anomaly_service::settings::Settings;
use rustic_backend::BackendOptions;
use rustic_core::repofile::{Node, NodeType, SnapshotFile};
use rustic_core::{
    BackupOptions, ConfigOptions, Credentials, IndexedFull, KeyOptions, LocalSource,
    LocalSourceFilterOptions, LocalSourceSaveOptions, LsOptions, Repository, RepositoryOptions,
    SnapshotOptions,
};

fn main() -> ExitCode {
    let arguments: Vec<PathBuf> = env::args_os().skip(1).map(PathBuf::from).collect();
    match run(&arguments, env::var("RUSTIC_PASSWORD")) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[PathBuf], password: Result<String, VarError>) -> Result<(), Box<dyn Error>> {
    let [directory, repository, database] = arguments else {
        return Err("usage: back_up_and_judge DIRECTORY REPOSITORY DATABASE".into());
    };
    let password = password
        .map_err(|error| format!("RUSTIC_PASSWORD has the password of the repository: {error}"))?;
    let (snapshot, seen) = back_up(directory, repository, &password)?;
    // From here on nothing may fail the backup: it is done. That nobody reads this is no reason either.
    _ = writeln!(io::stdout(), "backed up as snapshot {}", snapshot.id);
    if let Err(error) = judge(&snapshot, seen, database) {
        _ = writeln!(io::stderr(), "the snapshot was not judged: {error}");
    }
    Ok(())
}

/// The backup, and what was seen of the files meanwhile.
fn back_up(
    directory: &Path,
    repository: &Path,
    password: &str,
) -> Result<(SnapshotFile, Inspected), Box<dyn Error>> {
    let directory = fs::canonicalize(directory)?;

    let backends = BackendOptions::default()
        .repository(repository.to_string_lossy())
        .to_backends()?;
    let credentials = Credentials::password(password);
    // A repository on this machine needs no copy of its index.
    let repository_options = RepositoryOptions::default().no_cache(true);
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

    let paths = [directory];
    let snapshot = SnapshotOptions::default().to_snapshot()?;
    // What was there before tells new files from changed ones. Without it all that is written is new.
    let before = files_of_the_last_snapshot(&repository, &snapshot.hostname, &paths);
    let before = before.unwrap_or_else(|error| {
        _ = writeln!(io::stderr(), "the last snapshot cannot be read: {error}");
        HashMap::new()
    });
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
    let snapshot = repository.archive(&BackupOptions::default(), &source, snapshot, &paths)?;
    Ok((snapshot, source.take()))
}

/// Hands the backup over, and says what is strange about it. An error is about the judging alone.
fn judge(snapshot: &SnapshotFile, seen: Inspected, database: &Path) -> Result<(), Box<dyn Error>> {
    let job = with_inspection(&backup_job(snapshot)?, seen)?;
    let mut service = AnomalyService::open(database, Settings::default())?;
    let verdict = service.observe(&job)?.verdict;
    let mut out = io::stdout().lock();
    _ = writeln!(out, "{}", verdict.summary);
    for file in &verdict.files {
        let reasons: Vec<&str> = file
            .reasons
            .iter()
            .map(|reason| reason.in_words())
            .collect();
        _ = writeln!(out, "  {}: {}", file.path, reasons.join(", "));
    }
    Ok(())
}

/// The files of the newest snapshot of the same host and paths: others have other files.
fn files_of_the_last_snapshot<S: IndexedFull>(
    repository: &Repository<S>,
    hostname: &str,
    paths: &[PathBuf],
) -> Result<HashMap<PathBuf, Before>, Box<dyn Error>> {
    let is_of_these = |snapshot: &SnapshotFile| {
        let has = |path: &PathBuf| {
            path.to_str()
                .is_some_and(|path| snapshot.paths.contains(path))
        };
        let count = (&snapshot.paths).into_iter().count();
        snapshot.hostname == hostname && count == paths.len() && paths.iter().all(has)
    };
    let snapshots = repository.get_matching_snapshots(is_of_these)?;
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    /// Backs `directory` up, as the program does, and says what was seen.
    fn seen(place: &Path, directory: &str) -> Inspected {
        let repository = place.join("repository");
        back_up(&place.join(directory), &repository, "test")
            .unwrap()
            .1
    }

    #[test]
    fn changed_files_are_told_from_new_ones_beside_another_directory() {
        let place = tempfile::tempdir().unwrap();
        for directory in ["one", "other"] {
            fs::create_dir(place.path().join(directory)).unwrap();
            fs::write(
                place.path().join(directory).join("letter"),
                "Dear Sir or Madam",
            )
            .unwrap();
            seen(place.path(), directory);
        }
        fs::write(
            place.path().join("one/letter"),
            "Dear Sir or Madam, dear all",
        )
        .unwrap();
        fs::write(place.path().join("one/new"), "Dear Sir or Madam").unwrap();
        let image = seen(place.path(), "one").image;
        assert_eq!((image.files_new, image.files_changed), (Some(1), Some(1)));
    }

    #[test]
    fn what_cannot_be_judged_is_backed_up() {
        let place = tempfile::tempdir().unwrap();
        fs::create_dir(place.path().join("documents")).unwrap();
        fs::write(place.path().join("documents/letter"), "Dear Sir or Madam").unwrap();
        // A directory is no database.
        let arguments = ["documents", "repository", "."].map(|name| place.path().join(name));
        assert!(AnomalyService::open(&arguments[2], Settings::default()).is_err());
        run(&arguments, Ok("test".to_owned())).unwrap();
        let snapshots = fs::read_dir(arguments[1].join("snapshots")).unwrap();
        assert_eq!(snapshots.count(), 1);
    }
}
