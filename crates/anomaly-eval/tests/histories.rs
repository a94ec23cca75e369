//! Histories are read whole or not at all, and what a judge is shown is what its track allows.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use anomaly_engine::Engine;
use anomaly_eval::{
    Answer, Event, Judge, State, Track, embedded_histories, evaluate, naming, read_histories,
};
use anomaly_model::BackupJob;
use tempfile::TempDir;

fn data() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("data")
}

#[test]
fn the_program_carries_what_is_in_the_directory() {
    let embedded = embedded_histories().unwrap();
    assert_eq!(embedded.len(), 16);
    assert_eq!(embedded, read_histories(&data()).unwrap());
}

/// A copy of one history, one file of which is changed.
fn damaged(file: &str, change: impl Fn(&str) -> String) -> String {
    let directory = TempDir::new().unwrap();
    let (from, to) = (data().join("d01-gosrc"), directory.path().join("d01-gosrc"));
    fs::create_dir_all(to.join("branches")).unwrap();
    for name in ["jobs.ndjson", "labels.ndjson"] {
        fs::copy(from.join(name), to.join(name)).unwrap();
    }
    for entry in fs::read_dir(from.join("branches")).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), to.join("branches").join(entry.file_name())).unwrap();
    }
    let text = fs::read_to_string(to.join(file)).unwrap();
    fs::write(to.join(file), change(&text)).unwrap();
    let mut error: &dyn std::error::Error = &read_histories(directory.path()).unwrap_err();
    let mut text = error.to_string();
    while let Some(source) = error.source() {
        text = format!("{text}: {source}");
        error = source;
    }
    text.replace(directory.path().to_str().unwrap(), "DIR")
}

fn without_line(number: usize) -> impl Fn(&str) -> String {
    move |text| {
        let mut lines: Vec<&str> = text.lines().collect();
        lines.remove(number - 1);
        lines.join("\n")
    }
}

/// A history with a job missing would be another history, and its figures no longer those.
#[test]
fn a_damaged_history_is_refused_with_its_place() {
    assert_eq!(
        damaged("jobs.ndjson", without_line(7)),
        "history d01-gosrc: 139 jobs have 140 labels"
    );
    assert_eq!(
        damaged("jobs.ndjson", |text| text.replacen(
            "d01-gosrc-0003",
            "d01-gosrc-0004",
            1
        )),
        "history d01-gosrc: job d01-gosrc-0004 stands where the label of d01-gosrc-0003 does"
    );
    assert_eq!(
        damaged("labels.ndjson", |text| text.replacen(
            "\"step\":5",
            "\"step\":4",
            1
        )),
        "history d01-gosrc: step 4 comes after step 4"
    );
    let error = damaged("labels.ndjson", |text| {
        text.replacen("\"step\":5", "\"step\":-5", 1)
    });
    assert!(
        error.starts_with("DIR/d01-gosrc/labels.ndjson: line 6: "),
        "{error}"
    );
    let error = damaged("branches/02.ndjson", |text| text.replacen("restic", "", 1));
    assert!(
        error.starts_with("DIR/d01-gosrc/branches/02.ndjson: line 1"),
        "{error}"
    );
    assert_eq!(
        damaged("branches/02.ndjson", |text| text.replace("-b02", "-b03")),
        "history d01-gosrc: job d01-gosrc-0093-b03 stands where the label of d01-gosrc-0093-b02 does"
    );
    let empty = TempDir::new().unwrap();
    let error = read_histories(empty.path()).unwrap_err().to_string();
    assert!(error.contains("holds no history"), "{error}");
}

fn fields(track: Track) -> BTreeSet<String> {
    let mut fields = BTreeSet::new();
    for job in embedded_histories()
        .unwrap()
        .iter()
        .flat_map(|history| &history.jobs)
    {
        let shown = serde_json::to_value(track.view(job).unwrap()).unwrap();
        fields.extend(shown.as_object().unwrap().keys().cloned());
    }
    fields
}

#[test]
fn a_track_shows_its_fields_and_no_others() {
    let metadata = [
        "source",
        "job_id",
        "client",
        "policy",
        "policy_type",
        "schedule",
        "schedule_type",
        "started_at",
        "ended_at",
        "status",
        "exit_code",
        "duration_seconds",
        "image_bytes",
        "file_count",
        "transferred_bytes",
        "dedup_ratio",
    ];
    let counts = [
        "stored_bytes",
        "files_new",
        "files_changed",
        "files_deleted",
        "directory_count",
    ];
    let mut expected: BTreeSet<String> = metadata.map(str::to_owned).into();
    assert_eq!(fields(Track::Metadata), expected);
    expected.extend(counts.map(str::to_owned));
    assert_eq!(fields(Track::Counts), expected);
    expected.insert("content".to_owned());
    assert_eq!(fields(Track::Content), expected);
}

#[test]
fn a_job_is_shown_as_it_is_apart_from_that() {
    for history in &embedded_histories().unwrap() {
        for job in &history.jobs {
            assert_eq!(&Track::Content.view(job).unwrap(), job);
        }
    }
}

/// Branches share the judging of their past, which must change nothing.
#[test]
fn a_branch_is_judged_as_if_from_the_start() {
    let histories = &embedded_histories().unwrap()[2..3];
    let found = evaluate(&Engine::default(), histories, Track::Content).unwrap();
    let history = &histories[0];
    for (branch, event) in history.branches.iter().zip(&found.events) {
        let mut engine = Engine::default();
        let jobs = history.jobs[..branch.prefix_jobs]
            .iter()
            .chain(&branch.jobs);
        let answers: Vec<Option<Answer>> = jobs
            .map(|job: &BackupJob| Judge::observe(&mut engine, job))
            .collect();
        let own = &answers[branch.prefix_jobs..];
        let affected: Vec<Option<Answer>> = branch.affected().map(|at| own[at].clone()).collect();
        assert_eq!(event.answers, affected, "branch {}", branch.number);
    }
}

#[test]
fn everything_that_is_not_legitimate_has_a_right_name() {
    for history in embedded_histories().unwrap() {
        for branch in &history.branches {
            let named = naming(branch.family(), branch.kind()).is_some();
            assert_eq!(named, branch.family() != "benign", "{}", branch.kind());
        }
    }
}

/// Judges by what restic reports: it does not count the files that are gone.
#[derive(Clone, Default)]
struct Uncounted(Engine);

impl Judge for Uncounted {
    fn observe(&mut self, job: &BackupJob) -> Option<Answer> {
        let mut job = serde_json::to_value(job).unwrap();
        job.as_object_mut().unwrap().remove("files_deleted");
        let job: BackupJob = serde_json::from_value(job).unwrap();
        Judge::observe(&mut self.0, &job)
    }
}

/// The numbers of files before and after tell what is gone: as much is found as if it were counted.
#[test]
fn what_is_gone_need_not_be_counted() {
    let histories = embedded_histories().unwrap();
    let found = |events: Vec<Event>| -> Vec<bool> {
        let first = events.iter().map(|event| event.answers.first());
        first
            .map(|answer| matches!(answer, Some(Some(answer)) if answer.state == State::Anomalous))
            .collect()
    };
    let counted = evaluate(&Engine::default(), &histories, Track::Counts).unwrap();
    let uncounted = evaluate(&Uncounted::default(), &histories, Track::Counts).unwrap();
    let (counted, uncounted) = (found(counted.events), found(uncounted.events));
    assert_eq!(counted.len(), 142);
    assert_eq!(counted, uncounted);
}
