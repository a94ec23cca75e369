//! That p-values are those of another implementation: `fixtures/make_p_values.py`, which made
//! `fixtures/p_values.json`.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::fs;
use std::path::Path;

use anomaly_engine::{Engine, StreamModel};
use anomaly_features::Share;
use anomaly_model::BackupJob;
use anomaly_settings::Settings;
use common::{job, learnt, overwriting, usual_image};
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

/// Every share that stands out is told, and no other.
#[test]
fn every_share_that_stands_out_is_told() {
    let told = |job: &BackupJob| {
        let verdict = Engine::default().judge(job, &mut learnt());
        let names = verdict.findings.into_iter();
        let mut shares: Vec<&str> = names
            .filter_map(|finding| {
                let name = |share: &&Share| share.name() == finding.feature.as_str();
                Share::ALL.iter().find(name).map(|share| share.name())
            })
            .collect();
        shares.sort_unstable();
        shares
    };
    assert_eq!(
        told(&overwriting(40, 50)),
        ["overwritten_share", "rewritten_share", "touched_share"]
    );
    let touched = usual_image(40).files_changed(40_000);
    assert_eq!(told(&job(40, touched)), ["touched_share"]);
}

/// Where what was rewritten is left out, a stream is judged as one whose tool does not say how much it
/// sends: by the same numbers, to the last bit.
#[test]
fn what_is_left_out_is_as_if_nobody_said_it() {
    let flags = [(
        "detection.excluded_features".to_owned(),
        "[\"rewritten_share\"]".to_owned(),
    )];
    let without = Engine::new(Settings::load(None, [], &flags).unwrap());
    let (mut left_out, mut unsaid) = (StreamModel::default(), StreamModel::default());
    for number in 0..60 {
        // From day 30 on, a little more each day than there was.
        let mut image = usual_image(number);
        if number > 30 {
            image = image.files_changed(2_000).transferred_bytes(400_000_000);
        }
        let stored = image.stored_bytes(image.transferred_bytes.unwrap() / 2);
        image.transferred_bytes = None;
        let one = without.judge(&job(number, stored), &mut left_out);
        let other = Engine::default().judge(&job(number, image), &mut unsaid);
        assert_eq!(one.p_value, other.p_value, "day {number}");
        assert_eq!(one.p_value.is_some(), number > 0, "day {number}");
    }
}
