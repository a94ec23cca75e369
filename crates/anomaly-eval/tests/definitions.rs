//! The figures are those of an independent implementation of the same definitions; see
//! `fixtures/README.md`.
#![allow(
    clippy::unwrap_used,
    clippy::float_cmp,
    reason = "a test fails by panicking, and equal means to the last bit"
)]

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use anomaly_eval::{Answer, Group, Judge, Share, State, Track, embedded_histories, evaluate};
use anomaly_model::{BackupJob, JobStatus, StreamKey, StreamPart};
use serde_json::Value;

/// The judge of `fixtures/judge.py`.
#[derive(Clone, Default)]
struct Shares {
    jobs: usize,
    files_before: HashMap<StreamKey, u64>,
}

impl Judge for Shares {
    fn observe(&mut self, job: &BackupJob) -> Option<Answer> {
        self.jobs += 1;
        if self.jobs.is_multiple_of(37) {
            return None;
        }
        if job.status() == JobStatus::Failed {
            return Some(Answer::new(State::Anomalous, None));
        }
        let image = job.image();
        let files = image.file_count.unwrap();
        let of_files = |count: u64| count as f64 / files.max(1) as f64;
        let mut score =
            image.transferred_bytes.unwrap() as f64 / image.image_bytes.unwrap().max(1) as f64;
        let stream = StreamKey::of(job, &StreamPart::DEFAULT);
        if let Some(before) = self
            .files_before
            .insert(stream, files)
            .filter(|&files| files > 0)
        {
            score = score.max((before as f64 - files as f64) / before as f64);
        }
        if let Some(changed) = image.files_changed {
            score = score.max(of_files(changed + image.files_deleted.unwrap()));
        }
        if let Some(content) = image.content {
            score = score.max(of_files(4 * content.random_files.unwrap()));
        }
        let score = score.min(2.0);
        let state = if score > 0.5 {
            State::Anomalous
        } else {
            State::Normal
        };
        Some(Answer::new(state, Some(score)))
    }
}

fn expected(track: Track) -> Value {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    let path = fixtures.join(format!("definitions_{track}.json"));
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

#[test]
fn figures_are_those_of_the_independent_implementation() {
    let histories = embedded_histories().unwrap();
    for track in Track::ALL {
        let scores = evaluate(&Shares::default(), &histories, track)
            .unwrap()
            .scores;
        let expected = expected(track);
        let count = |name: &str| usize::try_from(expected[name].as_u64().unwrap()).unwrap();
        let number = |name: &str| expected[name].as_f64().unwrap();
        assert_eq!(expected["track"], track.as_str());
        assert_eq!(scores.normal_jobs, count("normal_jobs"));
        assert_eq!(scores.verdicts_missing, count("verdicts_missing"));
        assert_eq!(scores.false_alarms, count("false_alarms"));
        assert_eq!(scores.false_alarms_per_90, number("false_alarms_per_90"));
        assert_eq!(scores.false_alarms_per_365, number("false_alarms_per_365"));
        assert_eq!(scores.false_incidents, count("false_incidents"));
        assert_eq!(
            scores.false_incidents_per_365,
            number("false_incidents_per_365")
        );
        assert_eq!(
            scores.busy_flagged,
            Share::new(count("busy_flagged"), count("busy_days"))
        );
        assert_eq!(scores.threshold_per_90, number("threshold_per_90"));
        assert_eq!(scores.threshold_per_365, number("threshold_per_365"));

        let groups = expected["groups"].as_object().unwrap();
        assert_eq!(scores.groups.len(), groups.len());
        for (name, group) in groups {
            assert_group(&scores.groups[name], group, name);
        }
    }
}

fn assert_group(found: &Group, expected: &Value, name: &str) {
    let share = |key: &str| {
        let count = |key: &str| usize::try_from(expected[key].as_u64().unwrap()).unwrap();
        Share::new(count(key), count("n"))
    };
    assert_eq!(found.first, share("first"), "{name}");
    assert_eq!(found.any, share("any"), "{name}");
    assert_eq!(found.first_at_90, share("first_at_90"), "{name}");
    assert_eq!(found.any_at_90, share("any_at_90"), "{name}");
    assert_eq!(found.first_at_365, share("first_at_365"), "{name}");
    assert_eq!(found.any_at_365, share("any_at_365"), "{name}");
}
