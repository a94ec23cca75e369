//! One archive, as borg shows it.

use std::collections::BTreeMap;

use anomaly_model::{BackupImage, BackupJob, BackupJobBuilder, JobStatus};
use serde::Deserialize;

use crate::borg::BORG;
use crate::borg::series::series;
use crate::moment::Moment;
use crate::policy::shortened;
use crate::{Place, ReadOption, ReadOptions, RecordError, json};

/// Digits of the repository's id in the name of a policy.
const ID_DIGITS: usize = 8;

/// What is used of an archive, with the names that versions 1 and 2 have in common.
#[derive(Debug, Deserialize)]
pub(super) struct Archive {
    id: Option<String>,
    name: Option<String>,
    hostname: Option<String>,
    #[serde(default, deserialize_with = "json::moment")]
    start: Option<Moment>,
    /// In a list, the start; since borg 2 also what `--timestamp` said.
    #[serde(default, deserialize_with = "json::moment")]
    time: Option<Moment>,
    #[serde(default, deserialize_with = "json::moment")]
    end: Option<Moment>,
    duration: Option<f64>,
    stats: Option<Stats>,
    /// In a list whose `--format` asks for it.
    size: Option<u64>,
    nfiles: Option<u64>,
}

#[derive(Debug, Default, Deserialize)]
struct Stats {
    original_size: Option<u64>,
    compressed_size: Option<u64>,
    deduplicated_size: Option<u64>,
    nfiles: Option<u64>,
    /// How many files had which letter, since borg 2: those that none had are left out.
    #[serde(rename = "files_stats")]
    letters: Option<BTreeMap<String, u64>>,
}

/// The repository that an archive is in.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Repository {
    id: String,
}

impl Archive {
    /// Whether some file could not be read, as far as the archive tells.
    pub(super) fn has_errors(&self) -> bool {
        let stats = self.stats.as_ref().and_then(|stats| stats.letters.as_ref());
        stats.is_some_and(|letters| letters.get("E").is_some_and(|&files| files > 0))
    }

    /// Whether it is what borg 1 keeps of a backup that did not end.
    pub(super) fn is_checkpoint(&self) -> bool {
        let name = self.name.as_deref().unwrap_or_default();
        name.rsplit_once(".checkpoint").is_some_and(|(_, number)| {
            number
                .strip_prefix('.')
                .unwrap_or(number)
                .parse::<u64>()
                .is_ok()
                || number.is_empty()
        })
    }

    /// The job, so far without the numbers.
    pub(super) fn job(
        &self,
        repository: Option<&Repository>,
        place: Place,
        options: &ReadOptions,
    ) -> Result<BackupJobBuilder, RecordError> {
        let bad = |message: &str| RecordError::new(place, message);
        let id = self.id.clone().ok_or_else(|| bad("`id` is missing"))?;
        let name = self
            .name
            .as_deref()
            .ok_or_else(|| bad("`name` is missing"))?;
        let hostname = self.hostname.clone().filter(|name| !name.is_empty());
        let client = hostname.or_else(|| options.client.clone());
        let client = client.ok_or_else(|| RecordError::needs(place, ReadOption::Client))?;
        let zone = options.timezone;
        let (field, start) = match (self.start, self.time, options.started_at) {
            (Some(start), ..) => ("start", start),
            (None, Some(time), _) => ("time", time),
            (None, None, Some(time)) => ("start", Moment::Zoned(time)),
            (None, None, None) => return Err(bad("`start` is missing")),
        };
        let started_at = start.start(field, zone, place)?;
        let ended_at = self
            .end
            .map(|end| end.end("end", zone, place, started_at))
            .transpose()?;
        let policy = policy(name, repository, options).map_err(bad)?;
        Ok(BackupJob::builder(BORG, id, client, policy, started_at)
            .status(JobStatus::Succeeded)
            .ended_at(ended_at)
            .duration_seconds(self.duration))
    }

    /// What `borg create` counted.
    ///
    /// borg 1 says how large everything is compressed, and the part of it that was not there
    /// before: what was stored, and so the share that was not. borg 2 counted what was not there
    /// before it was compressed, up to its tenth beta, and nothing of the kind since then.
    pub(super) fn created_image(&self) -> BackupImage {
        let image = self.image();
        let Some(stats) = &self.stats else {
            return image;
        };
        let image = match (stats.compressed_size, stats.deduplicated_size) {
            (Some(compressed), Some(deduplicated)) => image
                .stored_bytes(deduplicated)
                .dedup_ratio(share_known_before(compressed, deduplicated)),
            (None, deduplicated) => image.transferred_bytes(deduplicated),
            (Some(_), None) => image,
        };
        let Some(letters) = &stats.letters else {
            return image;
        };
        let count = |letter: &str| letters.get(letter).copied();
        // Files that changed while borg read them have a letter of their own, whose count is not
        // one of files: they are in none of the three.
        image
            .files_new(count("A").unwrap_or(0))
            .files_changed(count("M").unwrap_or(0))
            .files_unmodified(count("U").unwrap_or(0))
            .directory_count(count("d"))
    }

    /// What `borg info` and `borg list` still know of an archive.
    ///
    /// Not the deduplicated size: they count what no other archive of today's repository has, which
    /// the next archive changes, and not what the backup stored.
    pub(super) fn image(&self) -> BackupImage {
        let stats = self.stats.as_ref();
        BackupImage::default()
            .image_bytes(stats.and_then(|stats| stats.original_size).or(self.size))
            .file_count(stats.and_then(|stats| stats.nfiles).or(self.nfiles))
    }
}

fn policy(
    name: &str,
    repository: Option<&Repository>,
    options: &ReadOptions,
) -> Result<String, &'static str> {
    let mut parts = Vec::new();
    if options.has_policy_part("repository") {
        let id = repository.map(|repository| repository.id.as_str());
        let id = id.ok_or("`repository` is missing: the document is cut off behind this")?;
        parts.push(id.chars().take(ID_DIGITS).collect());
    }
    if options.has_policy_part("series") {
        parts.push(series(name));
    }
    parts.retain(|part| !part.is_empty());
    let policy = parts.join("::");
    let policy = Some(policy).filter(|policy| !policy.is_empty());
    policy
        .map(shortened)
        .or_else(|| options.policy.clone())
        .ok_or("the name is a date alone: give the policy as an option")
}

fn share_known_before(compressed: u64, deduplicated: u64) -> Option<f64> {
    (compressed > 0).then(|| (1.0 - deduplicated as f64 / compressed as f64).max(0.0))
}
