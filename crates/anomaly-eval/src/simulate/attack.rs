//! A scenario done to jobs that are not simulated.

use anomaly_model::chrono::{DateTime, TimeDelta, Utc};
use anomaly_model::{
    BackupImage, BackupJob, ContentStatistics, JobStatus, PolicyType, ScheduleName,
};

use super::branch::{CLOCK_BACK, MISSED_JOBS, THROTTLE};
use super::client::Client;
use super::deed::do_to;
use super::pattern::Pattern;
use super::random::{Random, bytes};
use super::record::{self, BYTES_PER_SECOND, STRUCTURE_BYTES};
use super::scenario::{self, Deed, Fault, Scenario};
use super::tree::Seen;
use crate::EvalError;

/// An image that holds changes only is of a source this many times as large.
const CHANGES_OF: f64 = 20.0;
/// Files of the tree that stands for a source.
const FEWEST_FILES: u64 = 20;

/// Something that happens to the source or the jobs of a stream: an attack or a fault.
///
/// ```
/// use anomaly_eval::Attack;
/// use anomaly_model::chrono::{DateTime, TimeDelta};
/// use anomaly_model::{BackupImage, BackupJob};
///
/// let start = DateTime::UNIX_EPOCH;
/// let image = BackupImage::default().image_bytes(1_000_000).file_count(100).transferred_bytes(10);
/// let usual = BackupJob::builder("mytool", "7", "mail01", "daily", start).image(image).build()?;
/// let attack = Attack::named("enc_half_newext").ok_or("it is one")?;
/// let jobs = attack.inject(&usual, start, TimeDelta::days(1), 0)?;
/// assert!(jobs[0].image().transferred_bytes > Some(100_000));
/// assert_eq!(jobs[0].image().files_new, None);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Attack {
    scenario: Scenario,
}

impl Attack {
    /// Every attack and fault, without what is legitimate.
    #[must_use]
    pub fn all() -> Vec<Self> {
        let scenarios = scenario::all().into_iter();
        let hostile = scenarios.filter(|scenario| scenario.family != "benign");
        hostile.map(|scenario| Self { scenario }).collect()
    }

    /// The one of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::all().into_iter().find(|attack| attack.name() == name)
    }

    /// Its name, such as `enc_20pct_inplace`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.scenario.kind
    }

    /// What family it is of: `ransomware`, `destruction`, `exfil`, `slow_deletion`, `ops`.
    #[must_use]
    pub fn family(&self) -> &'static str {
        self.scenario.family
    }

    /// How many jobs it takes.
    #[must_use]
    pub fn jobs(&self) -> usize {
        self.scenario.pace.jobs()
    }

    /// The next jobs of a stream if this happened to it, of which `usual` is a usual job: the first
    /// at `first_start`, the others `gap` after each other.
    ///
    /// It is done to a simulated tree of files, in the proportions of the usual image; what comes of
    /// it is added to what a usual job reports, as far as that reports it at all. Notes, suspicious
    /// extensions and attributes of single files are not made up. Jobs have the ids `drill-1`,
    /// `drill-2`, ...
    ///
    /// # Errors
    /// [`EvalError`] when a number leaves the range of the job format.
    pub fn inject(
        &self,
        usual: &BackupJob,
        first_start: DateTime<Utc>,
        gap: TimeDelta,
        seed: u64,
    ) -> Result<Vec<BackupJob>, EvalError> {
        let Scenario { deed, pace, .. } = self.scenario;
        let mut client = Client::new("drill".to_owned(), Pattern::Flat, Random::new(seed, 0));
        let wanted = usual
            .image()
            .file_count
            .unwrap_or(u64::MAX)
            .max(FEWEST_FILES);
        let wanted = usize::try_from(wanted).unwrap_or(usize::MAX);
        client.tree.files.truncate(wanted);
        client.tree.back_up();
        let files = client.tree.files.len() as f64;
        let scale = Scale::of(usual, files, client.tree.total_bytes() as f64);
        let first_start = match deed {
            Deed::Fault(Fault::Missed) => {
                let missed = i32::try_from(MISSED_JOBS).unwrap_or(1);
                first_start + gap * missed
            }
            Deed::Fault(Fault::ClockBack) => first_start + CLOCK_BACK,
            _ => first_start,
        };
        let (mut owed, mut touched) = (0.0, 0);
        let mut jobs = Vec::new();
        for number in 0..pace.jobs() {
            owed += pace.share(number) * files;
            let count = client.random.about(owed - touched as f64);
            touched += do_to(&mut client, deed, count);
            let found = client.tree.back_up();
            let start = first_start + gap * i32::try_from(number).unwrap_or(0);
            jobs.push(injected(usual, deed, number + 1, start, &found, scale)?);
        }
        Ok(jobs)
    }
}

/// How much larger a source is than the tree that stands for it.
#[derive(Debug, Clone, Copy)]
struct Scale {
    files: f64,
    bytes: f64,
    holds_changes: bool,
    /// The tree's.
    tree_files: f64,
    tree_bytes: f64,
}

impl Scale {
    fn of(usual: &BackupJob, tree_files: f64, tree_bytes: f64) -> Self {
        let holds_changes = usual.schedule().holds_changes_only();
        let whole = if holds_changes { CHANGES_OF } else { 1.0 };
        let image = usual.image();
        let size = image.image_bytes.or(image.transferred_bytes);
        let size = size.map_or(tree_bytes, |size| size as f64 * whole);
        let count = image.file_count;
        let count = count.map_or(tree_files, |count| count as f64 * whole);
        Self {
            files: count / tree_files.max(1.0),
            bytes: size / tree_bytes.max(1.0),
            holds_changes,
            tree_files,
            tree_bytes,
        }
    }
}

fn injected(
    usual: &BackupJob,
    deed: Deed,
    number: usize,
    start: DateTime<Utc>,
    seen: &Seen,
    scale: Scale,
) -> Result<BackupJob, EvalError> {
    let (status, slower) = match deed {
        Deed::Fault(Fault::Killed) => (JobStatus::Failed, 1.0),
        Deed::Fault(Fault::ReadErrors) => (JobStatus::Partial, 1.0),
        Deed::Fault(Fault::Throttled) => (usual.status(), THROTTLE),
        _ => (usual.status(), 1.0),
    };
    let (client, policy) = (&usual.client().name, &usual.policy().name);
    let source = usual.source().as_str();
    let id = format!("drill-{number}");
    let builder = BackupJob::builder(source, id, client.as_str(), policy.as_str(), start)
        .policy_type(usual.policy().policy_type.as_ref().map(PolicyType::as_str))
        .schedule(usual.schedule().name.as_ref().map(ScheduleName::as_str))
        .schedule_type(usual.schedule().schedule_type)
        .status(status);
    if status == JobStatus::Failed {
        return Ok(builder.exit_code(1).build()?);
    }
    let more_seconds = seen.fresh_bytes as f64 * scale.bytes / BYTES_PER_SECOND;
    let seconds = usual.duration_seconds();
    let seconds = seconds.map(|usual| ((usual + more_seconds) * slower * 1000.0).round() / 1000.0);
    let image = image(usual.image(), seen, scale);
    Ok(builder.duration_seconds(seconds).image(image).build()?)
}

/// The usual image with what was seen added to it, as far as it reports that.
fn image(usual: &BackupImage, seen: &Seen, scale: Scale) -> BackupImage {
    let files = |count: u64| count as f64 * scale.files;
    let sized = |size: f64| size * scale.bytes;
    let plus = |usual: Option<u64>, more: f64| usual.map(|usual| bytes(usual as f64 + more));
    let touched = files(seen.files_new + seen.files_changed + seen.files_deleted);
    let sent = sized(seen.fresh_bytes as f64) + STRUCTURE_BYTES as f64 * touched;
    let grown = |usual: Option<u64>, now: f64, before: f64, written: f64| {
        if scale.holds_changes {
            plus(usual, written)
        } else {
            usual.map(|usual| bytes(usual as f64 * now / before.max(1.0)))
        }
    };
    let written_files = seen.files_new + seen.files_changed;
    let image_bytes = grown(
        usual.image_bytes,
        seen.image_bytes as f64,
        scale.tree_bytes,
        sized(seen.written_bytes() as f64),
    );
    let file_count = grown(
        usual.file_count,
        seen.file_count as f64,
        scale.tree_files,
        files(written_files),
    );
    let transferred_bytes = plus(usual.transferred_bytes, sent);
    let dedup_ratio = usual.dedup_ratio.map(|ratio| {
        let size = image_bytes.unwrap_or(0) as f64;
        let sent = match transferred_bytes {
            Some(transferred) => transferred as f64,
            None => (1.0 - ratio) * size + sent,
        };
        if size > 0.0 {
            (1.0 - sent / size).clamp(0.0, 1.0)
        } else {
            ratio
        }
    });
    let files_new = plus(usual.files_new, files(seen.files_new));
    let files_changed = plus(usual.files_changed, files(seen.files_changed));
    let files_unmodified = usual.files_unmodified.map(|unmodified| {
        let left = unmodified as f64 - files(seen.files_changed + seen.files_deleted);
        bytes(left)
    });
    BackupImage::default()
        .image_bytes(image_bytes)
        .file_count(file_count)
        .transferred_bytes(transferred_bytes)
        .stored_bytes(plus(
            usual.stored_bytes,
            sized(seen.stored_bytes) + STRUCTURE_BYTES as f64 * touched / 2.0,
        ))
        .dedup_ratio(dedup_ratio)
        .files_new(files_new)
        .files_changed(files_changed)
        .files_unmodified(files_unmodified)
        .files_deleted(plus(usual.files_deleted, files(seen.files_deleted)))
        .directory_count(usual.directory_count)
        .content(usual.content.map(|content| {
            let written = usual.files_new.unwrap_or(0) + usual.files_changed.unwrap_or(0);
            self::content(&content, written as f64, seen, scale)
        }))
}

/// Two lots of files together: counts are added, and means weigh as many files as they are of.
fn content(
    usual: &ContentStatistics,
    written: f64,
    seen: &Seen,
    scale: Scale,
) -> ContentStatistics {
    let more = record::content(seen);
    let weight = |count: u64| count as f64 * scale.files;
    let all = weight(seen.files_new + seen.files_changed);
    let mean = |usual: Option<f64>, more: Option<f64>, weight: f64| {
        usual.map(|usual| match more {
            Some(more) if weight > 0.0 => (usual * written + more * weight) / (written + weight),
            _ => usual,
        })
    };
    let count = |usual: Option<u64>, more: Option<u64>, scale: f64| {
        usual.map(|usual| bytes(usual as f64 + more.unwrap_or(0) as f64 * scale))
    };
    let (new, changed) = (weight(seen.files_new), weight(seen.files_changed));
    ContentStatistics::default()
        .mean_entropy_bits(mean(usual.mean_entropy_bits, more.mean_entropy_bits, all))
        .mean_entropy_bits_new(mean(
            usual.mean_entropy_bits_new,
            more.mean_entropy_bits_new,
            new,
        ))
        .mean_entropy_bits_changed(mean(
            usual.mean_entropy_bits_changed,
            more.mean_entropy_bits_changed,
            changed,
        ))
        .entropy_delta_bits_changed(mean(
            usual.entropy_delta_bits_changed,
            more.entropy_delta_bits_changed,
            changed,
        ))
        .entropy_sd_bits(mean(usual.entropy_sd_bits, more.entropy_sd_bits, all))
        .printable_share(mean(usual.printable_share, more.printable_share, all))
        .random_files(count(usual.random_files, more.random_files, scale.files))
        .high_entropy_share_new(mean(
            usual.high_entropy_share_new,
            more.high_entropy_share_new,
            new,
        ))
        .high_entropy_share_changed(mean(
            usual.high_entropy_share_changed,
            more.high_entropy_share_changed,
            changed,
        ))
        .unseen_extension_files(count(
            usual.unseen_extension_files,
            more.unseen_extension_files,
            scale.files,
        ))
        .unseen_extension_share_new(mean(
            usual.unseen_extension_share_new,
            more.unseen_extension_share_new,
            new,
        ))
        .extension_count(usual.extension_count)
        .extension_shift(
            usual
                .extension_shift
                .map(|usual| usual.max(more.extension_shift.unwrap_or(0.0))),
        )
        .renamed_files(count(usual.renamed_files, more.renamed_files, scale.files))
        .emptied_files(count(usual.emptied_files, more.emptied_files, scale.files))
        .written_bytes(count(usual.written_bytes, more.written_bytes, scale.bytes))
        .deleted_bytes(count(usual.deleted_bytes, more.deleted_bytes, scale.bytes))
}
