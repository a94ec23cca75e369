//! That p-values are those of another implementation: `fixtures/make_p_values.py`, which made
//! `fixtures/p_values.json`.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::Path;

use anomaly_engine::{Engine, StreamModel};
use anomaly_model::BackupJob;
use anomaly_settings::Settings;
use serde_json::{Map, Value};

const DATA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../anomaly-eval/data");
const FIXTURE: &str = include_str!("fixtures/p_values.json");
/// What every tool reports.
const ALWAYS: [&str; 8] = [
    "source",
    "job_id",
    "client",
    "policy",
    "started_at",
    "status",
    "image_bytes",
    "file_count",
];

fn jobs(path: &Path) -> Vec<Map<String, Value>> {
    let text = fs::read_to_string(path).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// Measured histories, quiet and attacked, as tools show them that report all, less, or next to
/// nothing.
#[test]
fn p_values_are_those_of_an_independent_implementation() {
    let mut settings = Settings::default();
    let rules = &mut settings.detection.rules;
    // Which jobs teach is left to the detectors alone.
    rules.missed_backup = false;
    rules.clock = false;
    rules.failed_job = false;
    rules.empty_image = false;
    rules.most_gone = false;
    rules.all_overwritten = false;
    rules.slow_loss = false;
    rules.slow_job = false;
    let engine = Engine::new(settings);
    let cases: Vec<Value> = serde_json::from_str(FIXTURE).unwrap();
    let (mut compared, mut strange) = (0, 0);
    for case in &cases {
        let client = Path::new(DATA).join(case["client"].as_str().unwrap());
        let clean = usize::try_from(case["clean_jobs"].as_u64().unwrap()).unwrap();
        let mut history = jobs(&client.join("jobs.ndjson"));
        history.truncate(clean);
        if let Some(branch) = case["branch"].as_u64() {
            history.extend(jobs(&client.join(format!("branches/{branch:02}.ndjson"))));
        }
        let scores = case["scores"].as_array().unwrap();
        assert_eq!(history.len(), scores.len());
        let reports = case["reports"].as_array().unwrap();
        let mut model = StreamModel::default();
        for (mut job, expected) in history.into_iter().zip(scores) {
            job.retain(|key, _| ALWAYS.contains(&key.as_str()) || reports.iter().any(|x| x == key));
            let job: BackupJob = serde_json::from_value(job.into()).unwrap();
            let found = engine.judge(&job, &mut model).p_value;
            let found = found.map(|p_value| -p_value.get().log10());
            let expected = expected.as_f64();
            let place = format!("{} of {} by {reports:?}", job.job_id(), case["client"]);
            assert_eq!(found.is_some(), expected.is_some(), "{place}");
            if let Some((found, expected)) = found.zip(expected) {
                // Written to four digits.
                assert!(
                    (found - expected).abs() < 1e-4,
                    "{place}: {found} for {expected}"
                );
                compared += 1;
                strange += u32::from(expected > 3.0);
            }
        }
    }
    assert!(compared > 3_000 && strange > 40, "{compared}, {strange}");
}
