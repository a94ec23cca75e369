//! Pages of anomalies, filtered and sorted, where a million jobs and 50,000 anomalies are stored.
//!
//! The database is made first, without judging, in a directory that `LISTS` names (`target/lists`
//! unless set) and that is kept for the next time: 2 GB.

#![allow(clippy::print_stdout, reason = "figures are what it is for")]
#![allow(clippy::unwrap_used, reason = "a benchmark fails by panicking")]

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use std::{env, fs};

use anomaly_model::chrono::{DateTime, TimeDelta};
use anomaly_model::{
    AnomalyKind, ClientName, Direction, FeatureName, Finding, Judgement, PValue, PolicyType,
    ReviewStatus, Severity, StreamKey, StreamPart, Verdict,
};
use anomaly_storage::{
    AnomalyQuery, Observation, Origin, Read as _, Sort, SortKey, SqliteStore, Store as _,
};
use benches::fleet::job;

const STREAMS: u64 = 10_000;
const DAYS: u64 = 100;
/// One job in so many is an anomaly.
const RARITY: u64 = 20;
const PAGE: usize = 50;
const REPEATS: usize = 40;

fn path() -> PathBuf {
    let directory = env::var_os("LISTS").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/lists"),
        PathBuf::from,
    );
    fs::create_dir_all(&directory).unwrap();
    directory.join("db")
}

fn verdict(job: &anomaly_model::BackupJob, stream: u64, day: u64) -> Verdict {
    let place = stream + day * 7;
    if !place.is_multiple_of(RARITY) {
        return Verdict::new(job, Judgement::Normal, "As usual.");
    }
    let draw = (place / RARITY) as usize;
    let judgement = Judgement::Anomalous {
        severity: Severity::ALL[draw % Severity::ALL.len()],
        kind: AnomalyKind::ALL[draw % AnomalyKind::ALL.len()],
    };
    let mut verdict = Verdict::new(
        job,
        judgement,
        "Looks like growth: 41 GB were transferred, where 2 to 5 GB are usual.",
    );
    verdict.p_value = Some(PValue::clamped(10_f64.powf(-((draw % 997) as f64) / 50.0)));
    let finding = |name| {
        let feature = FeatureName::new(name).unwrap();
        Finding::new(feature, 41e9, (2e9, 5e9), Direction::Above, 7.5)
    };
    let names = [
        "transferred_bytes",
        "image_bytes",
        "files_new",
        "duration_seconds",
    ];
    verdict.findings = names
        .iter()
        .take(1 + draw % 4)
        .map(|name| finding(*name))
        .collect();
    verdict
}

fn make(path: &Path) {
    let mut store = SqliteStore::open(path).unwrap();
    if store.log_head().unwrap().size >= STREAMS * DAYS {
        return;
    }
    let begin = Instant::now();
    for day in 0..DAYS {
        let mut transaction = store.transaction().unwrap();
        transaction.set_now(DateTime::UNIX_EPOCH + TimeDelta::days(day.cast_signed()));
        for stream in 0..STREAMS {
            let job = job(stream, day).unwrap();
            let observation = Observation {
                job: &job,
                stream: &StreamKey::of(&job, &StreamPart::DEFAULT),
                verdict: &verdict(&job, stream, day),
                origin: Origin::Tool,
            };
            transaction.insert(&observation).unwrap();
        }
        transaction.commit().unwrap();
    }
    println!("made in {:.0?}", begin.elapsed());
}

/// The median and the slowest of some repeats of one page.
fn time(store: &SqliteStore, query: &AnomalyQuery) -> (Duration, Duration, usize) {
    let mut took: Vec<Duration> = Vec::new();
    let mut found = 0;
    for _ in 0..REPEATS {
        let begin = Instant::now();
        found = store.listed_anomalies(query).unwrap().len();
        took.push(begin.elapsed());
    }
    took.sort();
    (took[took.len() / 2], took[took.len() - 1], found)
}

fn main() {
    let path = path();
    make(&path);
    let store = SqliteStore::open_existing(&path).unwrap();
    let all = AnomalyQuery::default;
    let mut queries = Vec::new();
    for &key in SortKey::ALL {
        for ascending in [false, true] {
            let sort = Sort { key, ascending };
            queries.push((format!("sorted by {sort}"), all().sorted(sort)));
        }
    }
    let strangest: Sort = "-score".parse().unwrap();
    let client = ClientName::new("client00420").unwrap();
    queries.extend([
        ("of a client".to_owned(), all().client(client.clone())),
        (
            "of a client, by score".to_owned(),
            all().client(client).sorted(strangest),
        ),
        (
            "containing 420".to_owned(),
            all().containing("420".to_owned()),
        ),
        (
            "containing nothing known".to_owned(),
            all().containing("nothing".to_owned()),
        ),
        (
            "of a policy type that none is of".to_owned(),
            all().policy_type(PolicyType::new("oracle").unwrap()),
        ),
        (
            "severe, not reviewed, strange, of a kind, by score".to_owned(),
            all()
                .at_least(Severity::Medium)
                .review_status(ReviewStatus::NotReviewed)
                .least_score(5.0)
                .kind(AnomalyKind::Growth)
                .sorted(strangest),
        ),
    ]);
    println!("{} anomalies", store.anomalies(&all()).unwrap().len());
    println!(
        "{:52} {:>9} {:>9} {:>9}",
        "a page of 50", "median", "slowest", "page 20"
    );
    for (name, query) in queries {
        let query = query.limit(PAGE);
        let (median, slowest, found) = time(&store, &query);
        // Where the list goes on, far down.
        let far = store
            .listed_anomalies(&query.clone().limit(PAGE * 19))
            .unwrap();
        let last = far.last().map(|last| last.anomaly.verdict.key());
        let (later, ..) = time(&store, &query.after(last));
        println!("{name:52} {median:>9.1?} {slowest:>9.1?} {later:>9.1?}  ({found} found)");
    }
}
