//! A model that was stored is the model that was.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(
    clippy::large_types_passed_by_value,
    reason = "a builder hands its result over"
)]

mod common;

use std::collections::BTreeMap;

use anomaly_engine::{Engine, EngineError, StreamModel};
use anomaly_features::FEATURES;
use anomaly_model::{
    AnomalyKind, AttributeHistograms, BackupJob, FileInspection, Severity, StreamKey, Verdict,
};
use common::{any_jobs as jobs, builder, job, sample, usual_image, usual_jobs};
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Value, json};

/// Judges all jobs; every model is stored and read back before the jobs at `restarts`.
fn verdicts(jobs: &[BackupJob], restarts: &[usize]) -> Vec<String> {
    let engine = Engine::default();
    let mut models: BTreeMap<StreamKey, StreamModel> = BTreeMap::new();
    let mut verdicts = Vec::new();
    for (index, job) in jobs.iter().enumerate() {
        if restarts.contains(&index) {
            for model in models.values_mut() {
                *model = StreamModel::from_bytes(&model.to_bytes().unwrap()).unwrap();
            }
        }
        let model = models.entry(engine.stream_of(job)).or_default();
        verdicts.push(serde_json::to_string(&engine.judge(job, model)).unwrap());
    }
    verdicts
}

/// The model of one stream after these jobs.
fn model_after(jobs: &[BackupJob]) -> StreamModel {
    let (engine, mut model) = (Engine::default(), StreamModel::default());
    for job in jobs {
        _ = engine.judge(job, &mut model);
    }
    model
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn a_restart_changes_nothing(jobs in jobs(), restarts in vec(0..60_usize, 1..6)) {
        prop_assert_eq!(verdicts(&jobs, &[]), verdicts(&jobs, &restarts));
    }

    /// Whatever comes, every verdict is one that can be read back.
    #[test]
    fn every_verdict_is_valid(jobs in jobs()) {
        for line in verdicts(&jobs, &[]) {
            let verdict: Verdict = serde_json::from_str(&line).unwrap();
            prop_assert_eq!(serde_json::to_string(&verdict).unwrap(), line);
            prop_assert!(verdict.findings.iter().all(|finding| finding.observed.is_finite()));
        }
    }

    #[test]
    fn garbage_is_no_model(bytes in vec(any::<u8>(), 0..200)) {
        let mut format_one = vec![1];
        format_one.extend(&bytes);
        for bytes in [bytes, format_one] {
            // What happens to be a model may be used; nothing may panic.
            if let Ok(mut model) = StreamModel::from_bytes(&bytes) {
                _ = Engine::default().judge(&builder(0).build().unwrap(), &mut model);
            }
        }
    }
}

#[test]
fn a_real_history_survives_restarts() {
    let jobs = sample();
    let every_job: Vec<usize> = (0..jobs.len()).collect();
    assert_eq!(verdicts(&jobs, &[]), verdicts(&jobs, &every_job));
}

#[test]
fn broken_states_are_told_apart() {
    let state = model_after(&usual_jobs(200)).to_bytes().unwrap();
    assert!(state.len() <= 16 * 1024, "{} bytes", state.len());
    assert!(matches!(
        StreamModel::from_bytes(&[]),
        Err(EngineError::EmptyState)
    ));
    let cut = StreamModel::from_bytes(&state[..state.len() / 2]);
    assert!(matches!(cut, Err(EngineError::DamagedState { .. })));
    let mut longer = state.clone();
    longer.push(0);
    assert!(matches!(
        StreamModel::from_bytes(&longer),
        Err(EngineError::DamagedState { .. })
    ));
    let mut newer = state;
    newer[0] = 9;
    let error = StreamModel::from_bytes(&newer).unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("the model state has format 9"),
        "{error}"
    );
}

/// The sample's stream before its last job, which is the ransomware run, and that job.
fn before_the_attack() -> (Vec<BackupJob>, BackupJob) {
    let jobs = sample();
    let engine = Engine::default();
    let (attack, before) = jobs.split_last().unwrap();
    let stream = engine.stream_of(attack);
    let own = before.iter().filter(|job| engine.stream_of(job) == stream);
    (own.cloned().collect(), attack.clone())
}

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures");

fn stored(name: &str) -> StreamModel {
    let state = std::fs::read(format!("{FIXTURES}/{name}")).unwrap();
    StreamModel::from_bytes(&state).unwrap()
}

/// A state in which two columns have each the other's name.
fn exchanged(state: &[u8], one: &str, other: &str) -> Vec<u8> {
    let named = |name: &str| [&[u8::try_from(name.len()).unwrap()], name.as_bytes()].concat();
    let place = |name: &[u8]| {
        let mut parts = state.windows(name.len());
        parts.position(|part| part == name).unwrap()
    };
    let (mut first, mut second) = (named(one), named(other));
    if place(&first) > place(&second) {
        (first, second) = (second, first);
    }
    let (a, b) = (place(&first), place(&second));
    let between = &state[a + first.len()..b];
    let rest = &state[b + second.len()..];
    [&state[..a], &second, between, &first, rest].concat()
}

/// A state that an earlier version stored is read for ever. Format 1 did not know what each job did
/// to the data: what it knew is kept, and streams in general stand in for the rest.
///
/// `model_v1.bin` is the sample's stream before its last job. It is never written anew; a new
/// format gets a file of its own.
#[test]
fn a_state_of_format_one_is_still_read() {
    let (before, attack) = before_the_attack();
    let mut old = stored("model_v1.bin");
    assert_eq!(old.learnt_jobs(), model_after(&before).learnt_jobs());
    let verdict = Engine::default().judge(&attack, &mut old);
    assert_eq!(verdict.kind(), Some(AnomalyKind::MassEncryption));
    assert_eq!(verdict.severity(), Some(Severity::High));
}

/// Format 2 knew all that a verdict needs, but for what was accepted, which it had moved.
#[test]
fn a_state_of_format_two_is_still_read() {
    let (before, attack) = before_the_attack();
    let mut fresh = model_after(&before);
    let engine = Engine::default();
    let expected = engine.judge(&attack, &mut fresh);
    assert_eq!(engine.judge(&attack, &mut stored("model_v2.bin")), expected);
}

/// A state of an earlier format with something in every field, and what that format's own code says
/// that it holds; `make_old_models.sh` made both. Once as they are, and once with two columns exchanged.
fn whole(format: u8) -> [(Vec<u8>, Value); 2] {
    let name = format!("{FIXTURES}/model_v{format}_whole");
    let state = std::fs::read(format!("{name}.bin")).unwrap();
    let text = std::fs::read_to_string(format!("{name}.json")).unwrap();
    let old: Value = serde_json::from_str(&text).unwrap();
    let (one, other) = ("files_changed", "files_deleted");
    let mut moved = old.clone();
    for name in moved["features"].as_array_mut().unwrap() {
        if name == one {
            *name = other.into();
        } else if name == other {
            *name = one.into();
        }
    }
    let exchanged = exchanged(&state, one, other);
    [(state, old), (exchanged, moved)]
}

/// A row of old columns as it is remembered today: the columns of today's features, in 32nds.
#[expect(clippy::cast_possible_truncation, reason = "no row is as far out")]
fn row_of_today(row: &Value, old: &Value, parts: f64) -> Value {
    let at = |name: &str| {
        let index = old["features"]
            .as_array()
            .unwrap()
            .iter()
            .position(|old| old == name);
        match row[index.unwrap()].as_f64() {
            Some(coordinate) => json!((coordinate * parts).round() as i64),
            None => json!(i16::MIN),
        }
    };
    FEATURES.iter().map(|feature| at(feature.name)).collect()
}

/// What waits, as it is remembered today.
fn held_of_today(held: &Value, old: &Value, parts: f64) -> Value {
    let lesson = match &held["lesson"] {
        lesson @ Value::Object(kind) if kind.contains_key("Numbers") => {
            let lesson = &lesson["Numbers"];
            let row = row_of_today(&lesson["row"], old, parts);
            json!({"Numbers": {"row": row, "gap_seconds": lesson["gap_seconds"]}})
        }
        empty => json!({"Empty": {"image": empty["Empty"]["image"], "replaced": null}}),
    };
    json!({
        "job": held["job"], "lesson": lesson, "number": held["number"], "told": true, "accepted": null,
    })
}

fn assert_holds(state: &[u8], expected: &Value) {
    let model = StreamModel::from_bytes(state).unwrap();
    // By the text, in which numbers are written alike.
    let found: Value = serde_json::from_str(&serde_json::to_string(&model).unwrap()).unwrap();
    for (field, found) in found.as_object().unwrap() {
        assert_eq!(found, &expected[field], "{field}");
    }
}

/// Everything that format 1 held is there, under its name of today; the rest is as in a new stream.
#[test]
fn all_that_format_one_held_is_read() {
    for (state, old) in whole(1) {
        assert_eq!(old.as_object().unwrap().len(), 9);
        let mut expected = serde_json::to_value(StreamModel::default()).unwrap();
        for field in old
            .as_object()
            .unwrap()
            .keys()
            .filter(|field| *field != "features")
        {
            expected[field] = old[field].clone();
        }
        let learnt = old["history"]["jobs"].as_array().unwrap();
        let learnt = learnt
            .iter()
            .map(|job| row_of_today(&job["row"], &old, 32.0));
        expected["history"] = learnt.collect();
        let held = old["held"].as_array().unwrap();
        expected["held"] = held
            .iter()
            .map(|held| held_of_today(held, &old, 32.0))
            .collect();
        assert_holds(&state, &expected);
    }
}

/// So is everything that format 2 held. What a person had accepted waits among the others, marked, and
/// can be taken back; what was reported twice teaches no more.
#[test]
fn all_that_format_two_held_is_read() {
    for (state, old) in whole(2) {
        assert_eq!(old.as_object().unwrap().len(), 13);
        let mut expected = old.clone();
        expected["features"] = FEATURES.iter().map(|feature| feature.name).collect();
        let (mut learnt, mut held) = (Vec::new(), Vec::new());
        for job in old["history"]["jobs"].as_array().unwrap() {
            let row = row_of_today(&job["row"], &old, 1.0);
            match &job["accepted"] {
                Value::Null => learnt.push(row),
                accepted => held.push(json!({
                    "job": accepted["job"],
                    "lesson": {"Numbers": {"row": row, "gap_seconds": null}},
                    "number": accepted["number"], "told": true, "accepted": "Itself",
                })),
            }
        }
        assert_eq!(held.len(), 1);
        let waiting = old["held"].as_array().unwrap();
        held.extend(waiting.iter().map(|held| held_of_today(held, &old, 1.0)));
        held.sort_by_key(|held| held["number"].as_u64());
        (expected["history"], expected["held"]) = (learnt.into(), held.into());
        let mut told = 0;
        for job in expected["memory"]["jobs"].as_array_mut().unwrap() {
            let was_told = job.as_object_mut().unwrap().remove("told").unwrap();
            told += u32::from(was_told == true);
            job["strange"] = "Unsaid".into();
        }
        assert!(told > 1 && old["reported_loss"] != 0.0 && old["incident"].is_object());
        assert_holds(&state, &expected);

        let mut model = StreamModel::from_bytes(&state).unwrap();
        assert!(model.retract(&builder(40).build().unwrap().key()));
    }
}

/// Where nobody ever looked into files, nothing is written of them: a state is as long as before there
/// was anything to write.
#[test]
fn what_nobody_looked_into_takes_no_room() {
    let rest = |jobs: &[BackupJob]| {
        let state = model_after(jobs).to_bytes().unwrap();
        let (_, rest) = postcard::take_from_bytes::<StreamModel>(&state[1..]).unwrap();
        rest.len()
    };
    assert_eq!(rest(&usual_jobs(40)), 0);
    assert!(rest(&looked_into()) > 100);
}

/// The newest format, frozen too: a later version has to read it, and goes on to the same verdict.
/// Somebody looked into the files of these jobs, and one strange job of two was accepted.
#[test]
fn a_state_of_format_three_is_still_read() {
    let jobs = looked_into();
    let mut fresh = model_after(&jobs[..42]);
    assert!(fresh.accept(&jobs[40].key()));
    let engine = Engine::default();
    let mut stored = stored("model_v3.bin");
    assert_eq!(stored, fresh);
    let expected = engine.judge(&jobs[42], &mut fresh);
    assert_eq!(engine.judge(&jobs[42], &mut stored), expected);
    assert!(stored.retract(&jobs[40].key()));
}

/// Forty usual jobs and three strange ones, with what was seen in their files.
fn looked_into() -> Vec<BackupJob> {
    let job = |number: u64| {
        let mut image = common::usual_image(number);
        let mut attributes = AttributeHistograms::default();
        attributes.size = vec![5 + number % 3, 7, 2];
        let mut inspection = FileInspection::default();
        if number >= 40 {
            image = image.transferred_bytes(5_000_000_000).files_changed(25_000);
            attributes.size = vec![1, 2, 400];
            inspection.written_extensions = [("locky".to_owned(), 30_000)].into();
        }
        inspection.attributes = Some(attributes);
        builder(number)
            .image(image)
            .inspection(inspection)
            .build()
            .unwrap()
    };
    (0..43).map(job).collect()
}

/// A number that can be no share is none: the state is damaged.
#[test]
fn a_level_beyond_the_highest_is_damage() {
    let everything = |number| {
        let image = usual_image(number).transferred_bytes(10_000_000_000);
        job(number, image.files_changed(60_000))
    };
    let jobs = [job(0, usual_image(0)), everything(1)];
    let state = model_after(&jobs).to_bytes().unwrap();
    // All of the data: the highest level, 1000, stored as one more, in two bytes of seven bits.
    let highest = state
        .windows(2)
        .position(|two| two == [0xe9, 0x07])
        .unwrap();
    let mut beyond = state.clone();
    beyond[highest] += 1;
    assert!(StreamModel::from_bytes(&state).is_ok());
    assert!(matches!(
        StreamModel::from_bytes(&beyond),
        Err(EngineError::DamagedState { .. })
    ));
}

/// A state knows its columns by name: where a later version has put them elsewhere, they are found;
/// what it does not have any more is forgotten, and what is new has no past.
#[test]
fn columns_are_found_by_their_names() {
    let mut jobs = usual_jobs(40);
    let strange = usual_image(40).transferred_bytes(9_900_000_000);
    jobs.push(job(40, strange.files_changed(50_000)));
    let model = model_after(&jobs);
    let exchanged = |model: &StreamModel, one: &str, other: &str| {
        StreamModel::from_bytes(&exchanged(&model.to_bytes().unwrap(), one, other)).unwrap()
    };
    // What was learnt moves, and what is held: each where the other says the same of both columns.
    let learnt = model_after(&jobs[..40]);
    assert_ne!(exchanged(&learnt, "files_changed", "files_deleted"), learnt);
    let alike = |number| {
        job(
            number,
            usual_image(number).files_changed(300).files_deleted(300),
        )
    };
    let mut even: Vec<BackupJob> = (0..40).map(alike).collect();
    let learnt = model_after(&even);
    assert_eq!(exchanged(&learnt, "files_changed", "files_deleted"), learnt);
    even.push(jobs[40].clone());
    let held = model_after(&even);
    assert_ne!(exchanged(&held, "files_changed", "files_deleted"), held);

    let once = exchanged(&model, "files_changed", "files_deleted");
    assert_ne!(once, model, "the one's past is the other's");
    assert_eq!(exchanged(&once, "files_deleted", "files_changed"), model);
    assert_eq!(once.learnt_jobs(), model.learnt_jobs());
    // What is held moves too: accepted, it says the same of the other column.
    let (mut held, mut moved) = (model.clone(), once);
    assert!(held.accept(&jobs[40].key()) && moved.accept(&jobs[40].key()));
    assert_eq!(exchanged(&moved, "files_changed", "files_deleted"), held);

    let state = model.to_bytes().unwrap();
    let name = b"files_changed";
    let at = state
        .windows(name.len())
        .position(|part| part == name)
        .unwrap();
    let mut renamed = state;
    renamed[at] = b'F';
    let read = StreamModel::from_bytes(&renamed).unwrap();
    assert_eq!(read.learnt_jobs(), model.learnt_jobs());
    assert_ne!(read, model);
    assert_eq!(
        StreamModel::from_bytes(&read.to_bytes().unwrap()).unwrap(),
        read
    );
}
