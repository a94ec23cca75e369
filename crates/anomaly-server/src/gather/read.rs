//! One reading of a source, in the thread that it has for that.

use std::io::BufReader;
use std::path::Path;
use std::time::Duration;

use anomaly_model::chrono::{DateTime, TimeDelta, Utc};
use anomaly_remote::RemoteOptions;
use anomaly_sources::{Format, ReadOptions, SourceError};

use super::directory;
use super::error::GatherError;
use super::mark::{Files, Mark, Unsettled};
use super::options::{
    BareosOptions, GatherOptions, NetBackupOptions, RepositoryOptions, SourceKind,
};
use super::out::{Out, Tally};
use super::private;
use super::tool::{Run, Tool};

/// What is known of a source before it is read.
#[derive(Debug, Clone)]
pub(super) struct Before {
    pub(super) mark: Mark,
    pub(super) files: Files,
    /// Files that were being written.
    pub(super) unsettled: Vec<Unsettled>,
    pub(super) now: DateTime<Utc>,
}

/// What is known of it after that.
#[derive(Debug)]
pub(super) struct After {
    pub(super) tally: Tally,
    pub(super) unsettled: Vec<Unsettled>,
}

/// Reads a source, and hands over what it gives.
pub(super) fn read(
    source: &GatherOptions,
    before: Before,
    mut out: Out,
) -> Result<After, GatherError> {
    let mut unsettled = before.unsettled;
    let since = |hours: u16| {
        before
            .mark
            .since(TimeDelta::hours(hours.into()), before.now)
    };
    match &source.kind {
        SourceKind::Restic(options) => restic(options, &mut out),
        SourceKind::Rustic(options) => rustic(options, &mut out),
        SourceKind::Bareos(options) => bareos(options, since(options.overlap_hours), &mut out),
        SourceKind::NetBackup(options) => {
            netbackup(options, since(options.overlap_hours), &mut out)
        }
        SourceKind::Directory(options) => {
            directory::gather(options, &before.files, &mut unsettled, &mut out)
        }
    }?;
    out.flush()?;
    let tally = std::mem::take(&mut out.tally);
    Ok(After { tally, unsettled })
}

fn restic(options: &RepositoryOptions, out: &mut Out) -> Result<(), GatherError> {
    let program = options.program.as_deref();
    // It changes nothing there, and needs no lock to read a list.
    let mut arguments = vec!["snapshots", "--json", "--quiet", "--no-lock"];
    if options.cache_directory.is_none() {
        arguments.push("--no-cache");
    }
    let run = Run {
        program: program.unwrap_or(Path::new("restic")),
        arguments: &arguments,
        plain: environment(options, "RESTIC"),
        secret: secrets(options)?,
        limit: Duration::from_secs(options.timeout_seconds.into()),
    };
    list(run, Format::ResticSnapshots, options, out)
}

fn rustic(options: &RepositoryOptions, out: &mut Out) -> Result<(), GatherError> {
    let program = options.program.as_deref();
    let mut arguments = vec!["snapshots", "--json"];
    if options.cache_directory.is_none() {
        arguments.push("--no-cache");
    }
    let run = Run {
        program: program.unwrap_or(Path::new("rustic")),
        arguments: &arguments,
        plain: environment(options, "RUSTIC"),
        secret: secrets(options)?,
        limit: Duration::from_secs(options.timeout_seconds.into()),
    };
    list(run, Format::RusticSnapshots, options, out)
}

/// In its environment, and not in its arguments, which every user of the machine can see.
fn environment(options: &RepositoryOptions, prefix: &str) -> Vec<(&'static str, String)> {
    let path = |path: &Option<std::path::PathBuf>| {
        path.as_ref()
            .map(|path| path.to_string_lossy().into_owned())
    };
    let names = match prefix {
        "RESTIC" => [
            "RESTIC_REPOSITORY",
            "RESTIC_PASSWORD_FILE",
            "RESTIC_PASSWORD_COMMAND",
            "RESTIC_CACHE_DIR",
        ],
        _ => [
            "RUSTIC_REPOSITORY",
            "RUSTIC_PASSWORD_FILE",
            "RUSTIC_PASSWORD_COMMAND",
            "RUSTIC_CACHE_DIR",
        ],
    };
    let values = [
        options.repository.clone(),
        path(&options.password_file),
        options.password_command.clone(),
        path(&options.cache_directory),
    ];
    let pairs = names.into_iter().zip(values);
    pairs
        .filter_map(|(name, value)| Some((name, value?)))
        .collect()
}

fn secrets(options: &RepositoryOptions) -> Result<Vec<(String, String)>, GatherError> {
    if let Some(path) = &options.password_file {
        private::check(path)?;
    }
    let path = options.environment_file.as_deref();
    path.map_or(Ok(Vec::new()), private::environment)
}

fn list(
    run: Run<'_>,
    format: Format,
    options: &RepositoryOptions,
    out: &mut Out,
) -> Result<(), GatherError> {
    let read_options = ReadOptions::default().policy_parts(options.policy_parts.clone());
    let watch = out.watch();
    let mut tool = Tool::start(run, move || watch.is_closed())?;
    let taken = {
        let content = BufReader::new(&mut tool);
        match anomaly_sources::read(content, format, &read_options) {
            Ok(reader) => out.take_all(reader),
            Err(SourceError::Empty { .. }) => Ok(()),
            Err(error) => Err(error.into()),
        }
    };
    // Why the tool failed says more than that its list ended early.
    tool.finish().and(taken)
}

fn bareos(
    options: &BareosOptions,
    since: Option<DateTime<Utc>>,
    out: &mut Out,
) -> Result<(), GatherError> {
    let mut remote = options.remote(since);
    if let Some(path) = &options.password_file {
        private::check(path)?;
        remote = remote.password_file(path);
    }
    let read_options = options.read_options().map_err(wrong)?;
    let address = options.address().map_err(wrong)?;
    take_remote(&address, &remote, &read_options, out)
}

fn netbackup(
    options: &NetBackupOptions,
    since: Option<DateTime<Utc>>,
    out: &mut Out,
) -> Result<(), GatherError> {
    private::check(&options.api_key_file)?;
    let remote = options.remote(since).api_key_file(&options.api_key_file);
    let address = options.address().map_err(wrong)?;
    take_remote(&address, &remote, &ReadOptions::default(), out)
}

fn wrong(reason: String) -> GatherError {
    GatherError::Options { reason }
}

/// What a server sends again is known by its key, and not passed over by its start: a job may have
/// started long before another that was read, and ended after it. Where the first images of a backup
/// may be missing, the rest is no job, and its key is another.
fn take_remote(
    address: &anomaly_remote::Address,
    remote: &RemoteOptions,
    options: &ReadOptions,
    out: &mut Out,
) -> Result<(), GatherError> {
    let opened = address.open(remote)?;
    let since = opened.since.filter(|_| opened.may_be_in_pieces);
    let options = options.clone().since(since);
    match anomaly_sources::read(opened.content, opened.format, &options) {
        Ok(reader) => out.take_all(reader),
        Err(SourceError::Empty { .. }) => Ok(()),
        Err(error) => Err(error.into()),
    }
}
