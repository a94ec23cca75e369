//! Real backups by `rustic_core`: the snapshot as a job, and what is seen on the way.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use anomaly_rustic::content::{Inspection, Sampling};
use anomaly_rustic::model::{AnomalyKind, BackupJob, Severity, Verdict};
use anomaly_rustic::{Before, InspectedSource, backup_job, with_inspection};
use anomaly_service::AnomalyService;
use anomaly_service::settings::Settings;
use rustic_backend::BackendOptions;
use rustic_core::repofile::SnapshotFile;
use rustic_core::{
    BackupOptions, ConfigOptions, Credentials, Excludes, KeyOptions, LocalSource,
    LocalSourceFilterOptions, LocalSourceSaveOptions, Repository, RepositoryOptions,
    SnapshotOptions,
};
use tempfile::TempDir;

/// A directory with its repository.
struct Site {
    place: TempDir,
    /// The paths that were there at the last backup.
    known: Arc<Mutex<HashSet<PathBuf>>>,
    random: u64,
}

impl Site {
    fn new() -> Self {
        let site = Self {
            place: tempfile::tempdir().unwrap(),
            known: Arc::default(),
            random: 1,
        };
        fs::create_dir(site.source()).unwrap();
        site.repository_options(|new, credentials| {
            new.init(
                credentials,
                &KeyOptions::default(),
                &ConfigOptions::default(),
            )
            .unwrap();
        });
        site
    }

    fn source(&self) -> PathBuf {
        self.place.path().join("source")
    }

    fn repository_options<T>(&self, use_it: impl FnOnce(Repository<()>, &Credentials) -> T) -> T {
        let backends = BackendOptions::default()
            .repository(self.place.path().join("repository").to_string_lossy())
            .to_backends()
            .unwrap();
        let options = RepositoryOptions::default().no_cache(true);
        use_it(
            Repository::new(&options, &backends).unwrap(),
            &Credentials::password("test"),
        )
    }

    /// Bytes without a pattern, the same in each run.
    fn random_bytes(&mut self, count: usize) -> Vec<u8> {
        let mut next = || {
            self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let bits = (self.random ^ (self.random >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            let bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            (bits ^ (bits >> 31)).to_le_bytes()[0]
        };
        (0..count).map(|_| next()).collect()
    }

    fn document(&mut self, name: &str, version: usize) {
        let words = [
            "meeting", "budget", "the", "of", "river", "invoice", "a", "and",
        ];
        let picks = self.random_bytes(3_000);
        let text: Vec<&str> = picks
            .iter()
            .map(|pick| words[usize::from(*pick) % words.len()])
            .collect();
        let text = format!("version {version}\n{}", text.join(" "));
        fs::write(self.source().join(name), text).unwrap();
    }

    fn back_up(&self) -> (SnapshotFile, BackupJob) {
        let paths = [self.source()];
        let source = LocalSource::new(
            LocalSourceSaveOptions::default(),
            &Excludes::default(),
            &LocalSourceFilterOptions::default(),
            &paths,
        )
        .unwrap();
        let known = self.known.clone();
        let source = InspectedSource::new(
            source,
            Sampling::Full,
            Inspection::new(),
            move |path: &Path| {
                let was_there = known.lock().unwrap().contains(path);
                was_there.then(Before::new)
            },
        );
        let snapshot = self.repository_options(|new, credentials| {
            let repository = new.open(credentials).unwrap().to_indexed_ids().unwrap();
            let snapshot = SnapshotOptions::default().to_snapshot().unwrap();
            let options = BackupOptions::default();
            repository
                .archive(&options, &source, snapshot, &paths)
                .unwrap()
        });
        let files = fs::read_dir(self.source()).unwrap();
        *self.known.lock().unwrap() = files.map(|file| file.unwrap().path()).collect();
        let job = backup_job(&snapshot).unwrap();
        let seen = source.take();
        (snapshot, with_inspection(&job, seen).unwrap())
    }
}

#[test]
fn a_snapshot_is_the_job_that_its_json_is() {
    let mut site = Site::new();
    for number in 0..12 {
        site.document(&format!("{number}.txt"), 0);
    }
    site.back_up();
    site.document("3.txt", 1);
    site.document("new.txt", 0);
    let (snapshot, job) = site.back_up();

    let summary = snapshot.summary.as_ref().unwrap();
    assert!(job.job_id().as_str().starts_with(&snapshot.id.to_string()));
    assert_eq!(job.job_id().as_str().len(), 64);
    assert_eq!(job.client().name.as_str(), snapshot.hostname);
    let image = job.image();
    assert_eq!(image.image_bytes, Some(summary.total_bytes_processed));
    assert_eq!(image.transferred_bytes, Some(summary.data_added));
    assert_eq!((image.files_new, image.files_changed), (Some(1), Some(1)));
    // Only what rustic read was looked at.
    let inspection = job.inspection().unwrap();
    assert_eq!(inspection.examined_files, Some(2));
    let content = image.content.unwrap();
    let written = fs::metadata(site.source().join("3.txt")).unwrap().len()
        + fs::metadata(site.source().join("new.txt")).unwrap().len();
    assert_eq!(content.written_bytes, Some(written));
    assert_eq!(content.random_files, Some(0));
    assert!(content.mean_entropy_bits.unwrap() < 5.0);
    // What that cannot tell is missing, and not 0.
    let of_the_rest = (
        content.extension_count,
        content.renamed_files,
        content.deleted_bytes,
    );
    assert_eq!(of_the_rest, (None, None, None));
    assert_eq!(content.extension_shift, None);
}

#[test]
fn an_encrypted_directory_is_told_of_at_the_next_backup_with_its_files() {
    let mut site = Site::new();
    let mut service = AnomalyService::in_memory(Settings::default());
    for number in 0..60 {
        site.document(&format!("report {number}.txt"), 0);
    }
    let mut judge = |job: &BackupJob| -> Verdict { service.observe(job).unwrap().verdict };
    for day in 0..14 {
        for number in 0..3 {
            site.document(&format!("report {}.txt", (day * 7 + number * 5) % 60), day);
        }
        let verdict = judge(&site.back_up().1);
        assert!(!verdict.is_anomalous(), "day {day}: {}", verdict.summary);
    }
    for file in fs::read_dir(site.source()).unwrap() {
        let path = file.unwrap().path();
        let length = fs::metadata(&path).unwrap().len();
        let ciphertext = site.random_bytes(usize::try_from(length).unwrap());
        fs::write(path, ciphertext).unwrap();
    }
    let verdict = judge(&site.back_up().1);
    assert_eq!(
        verdict.kind(),
        Some(AnomalyKind::MassEncryption),
        "{}",
        verdict.summary
    );
    assert_eq!(verdict.severity(), Some(Severity::High));
    assert!(
        verdict
            .files
            .iter()
            .any(|file| file.path.contains("report "))
    );
}
