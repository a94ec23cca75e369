//! A million jobs of 10,000 streams, parsed, judged and stored: what each part costs.
#![allow(clippy::print_stdout, reason = "figures are what it is for")]

use std::error::Error;
use std::time::{Duration, Instant};

use anomaly_engine::{Engine, StreamModel};
use anomaly_model::{BackupJob, StreamKey, StreamPart, Verdict};
use anomaly_settings::Settings;
use anomaly_storage::{Observation, Origin, SqliteStore, Store};
use benches::fleet::job;
use benches::processor_time;
use std::collections::BTreeMap;

fn random_id(stream: u64, day: u64) -> String {
    use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher, Hash, Hasher};
    let one = |what: u64| {
        let mut hasher = BuildHasherDefault::<DefaultHasher>::default().build_hasher();
        (stream, day, what).hash(&mut hasher);
        hasher.finish()
    };
    format!(
        "{:016x}{:016x}{:016x}{:016x}",
        one(0),
        one(1),
        one(2),
        one(3)
    )
}

const STREAMS: u64 = 10_000;

fn main() -> Result<(), Box<dyn Error>> {
    let argument = |name: &str, default: u64| {
        std::env::var(name)
            .ok()
            .and_then(|text| text.parse().ok())
            .unwrap_or(default)
    };
    let days = argument("DAYS", 20);
    let batch = argument("BATCH", 1_000) as usize;
    let state_bytes = argument("STATE", 0) as usize;
    let directory = tempfile::tempdir_in(".")?;
    let path = directory.path().join("db");
    let mut store = SqliteStore::open(&path)?;
    let clock = Instant::now();
    let engine = Engine::new(Settings::default());
    let mut models: BTreeMap<StreamKey, StreamModel> = BTreeMap::new();
    let (mut parsing, mut judging, mut serialising, mut storing, mut wall) = (
        Duration::ZERO,
        Duration::ZERO,
        Duration::ZERO,
        Duration::ZERO,
        Duration::ZERO,
    );
    let mut lap = |total: &mut Duration, begin: &mut Duration| {
        let now = processor_time(clock);
        *total += now - *begin;
        *begin = now;
    };
    for day in 0..days {
        let lines: Vec<String> = (0..STREAMS)
            .map(|stream| {
                Ok(serde_json::to_string(&job(stream, day)?)?.replace(
                    &format!("\"client{stream:05}-{day}\""),
                    &format!("\"{}\"", random_id(stream, day)),
                ))
            })
            .collect::<Result<_, Box<dyn Error>>>()?;
        for lines in lines.chunks(batch) {
            let mut begin = processor_time(clock);
            let jobs: Vec<BackupJob> = lines
                .iter()
                .map(|line| serde_json::from_str(line))
                .collect::<Result<_, _>>()?;
            lap(&mut parsing, &mut begin);
            let judged: Vec<(StreamKey, Verdict)> = jobs
                .iter()
                .map(|job| {
                    let stream = StreamKey::of(job, &StreamPart::DEFAULT);
                    let model = models.entry(stream.clone()).or_default();
                    let verdict = engine.judge(job, model);
                    (stream, verdict)
                })
                .collect();
            lap(&mut judging, &mut begin);
            let states: BTreeMap<StreamKey, Vec<u8>> = judged
                .iter()
                .map(|(stream, _)| {
                    if state_bytes > 0 {
                        (stream.clone(), vec![0; state_bytes])
                    } else {
                        (
                            stream.clone(),
                            models[stream].to_bytes().unwrap_or_default(),
                        )
                    }
                })
                .collect();
            lap(&mut serialising, &mut begin);
            let wall_begin = Instant::now();
            let mut transaction = store.transaction()?;
            for (job, (stream, verdict)) in jobs.iter().zip(&judged) {
                let origin = Origin::Tool;
                transaction.insert(&Observation {
                    job,
                    stream,
                    verdict,
                    origin,
                })?;
            }
            for (stream, state) in &states {
                if state_bytes != 1 {
                    transaction.put_model_state(stream, state)?;
                }
            }
            transaction.commit()?;
            lap(&mut storing, &mut begin);
            wall += wall_begin.elapsed();
        }
        if day % 10 == 9 || day + 1 == days {
            let jobs = ((day + 1) * STREAMS) as f64;
            let micros = |time: Duration| time.as_secs_f64() * 1e6 / jobs;
            println!(
                "{jobs} jobs: parse {:.1} judge {:.1} serialise {:.1} store {:.1} (wall {:.1}) us a job; {} MB",
                micros(parsing),
                micros(judging),
                micros(serialising),
                micros(storing),
                micros(wall),
                std::fs::metadata(&path)?.len() / 1_000_000,
            );
        }
    }
    Ok(())
}
