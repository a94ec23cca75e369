//! A fleet that looks like a real one, the same on every run but for its dates: they end today.

use std::time::SystemTime;

use anomaly_model::chrono::{DateTime, NaiveTime, TimeDelta, Utc};
use serde_json::{Value, json};

use crate::Service;
use crate::client::Browser;

/// Days of history.
const DAYS: i64 = 90;
/// By this hour all jobs of the night have ended.
const MORNING: i64 = 7;

/// A client: its name, policy and type of policy, schedule, hour, and size in gigabytes.
struct Client {
    name: &'static str,
    policy: &'static str,
    policy_type: &'static str,
    schedule_type: &'static str,
    hour: i64,
    gigabytes: u64,
    files: u64,
}

const fn client(
    name: &'static str,
    policy: &'static str,
    policy_type: &'static str,
    schedule_type: &'static str,
    (hour, gigabytes, files): (i64, u64, u64),
) -> Client {
    Client {
        name,
        policy,
        policy_type,
        schedule_type,
        hour,
        gigabytes,
        files,
    }
}

const CLIENTS: [Client; 24] = [
    client(
        "files01",
        "nightly-files",
        "filesystem",
        "incremental",
        (1, 820, 412_000),
    ),
    client(
        "files02",
        "nightly-files",
        "filesystem",
        "incremental",
        (1, 640, 288_000),
    ),
    client(
        "home01",
        "home-dirs",
        "filesystem",
        "incremental",
        (2, 310, 530_000),
    ),
    client(
        "home02",
        "home-dirs",
        "filesystem",
        "incremental",
        (2, 275, 467_000),
    ),
    client(
        "mail01",
        "mail",
        "filesystem",
        "incremental",
        (3, 190, 1_240_000),
    ),
    client("db-erp", "oracle-full", "oracle", "full", (4, 420, 64)),
    client("db-crm", "oracle-full", "oracle", "full", (4, 260, 48)),
    client("web01", "web", "filesystem", "incremental", (5, 42, 96_000)),
    client("web02", "web", "filesystem", "incremental", (5, 38, 91_000)),
    client(
        "git01",
        "developers",
        "filesystem",
        "incremental",
        (6, 96, 720_000),
    ),
    client(
        "build03",
        "developers",
        "filesystem",
        "incremental",
        (6, 150, 210_000),
    ),
    client("vcenter", "vmware", "vmware", "full", (20, 1_900, 310)),
    client("wiki", "web", "filesystem", "incremental", (5, 12, 34_000)),
    client(
        "home03",
        "home-dirs",
        "filesystem",
        "incremental",
        (2, 290, 501_000),
    ),
    client(
        "projects",
        "nightly-files",
        "filesystem",
        "incremental",
        (1, 510, 350_000),
    ),
    client(
        "scans",
        "nightly-files",
        "filesystem",
        "incremental",
        (1, 230, 190_000),
    ),
    client(
        "accounting",
        "nightly-files",
        "filesystem",
        "incremental",
        (1, 74, 88_000),
    ),
    client(
        "legal",
        "nightly-files",
        "filesystem",
        "incremental",
        (1, 61, 71_000),
    ),
    client(
        "design",
        "nightly-files",
        "filesystem",
        "incremental",
        (3, 940, 260_000),
    ),
    client("web03", "web", "filesystem", "incremental", (5, 36, 90_500)),
    client(
        "ldap",
        "infrastructure",
        "filesystem",
        "incremental",
        (0, 4, 9_800),
    ),
    client(
        "dns01",
        "infrastructure",
        "filesystem",
        "incremental",
        (0, 2, 7_200),
    ),
    client(
        "monitoring",
        "infrastructure",
        "filesystem",
        "incremental",
        (0, 28, 15_500),
    ),
    client(
        "branch-hamburg",
        "branches",
        "filesystem",
        "incremental",
        (22, 88, 120_000),
    ),
];

/// Numbers that look random, from 0 to below `most`.
fn mix(client: usize, day: i64, what: u64, most: u64) -> u64 {
    let mut x = ((client as u64) << 40) ^ (day.cast_unsigned() << 8) ^ what;
    for _ in 0..2 {
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        x ^= x >> 31;
    }
    x % most
}

/// What happens to a client, so many days ago.
#[derive(Clone, Copy, PartialEq)]
enum Event {
    Encrypted,
    Deleted,
    Grown,
    Slow,
    Failed,
    Missing,
}

fn event(name: &str, days_ago: i64) -> Option<Event> {
    use Event::{Deleted, Encrypted, Failed, Grown, Missing, Slow};
    Some(match (name, days_ago) {
        // One attack, that spread from client to client.
        (
            "files01" | "files02" | "home01" | "home02" | "home03" | "mail01" | "projects"
            | "scans" | "accounting" | "legal" | "design",
            0,
        ) => Encrypted,
        ("wiki", 12) => Deleted,
        ("build03", 33) | ("web01", 58) => Grown,
        ("db-crm", 21) | ("vcenter", 1) => Slow,
        ("git01", 1) => Failed,
        // Silent since then.
        ("branch-hamburg", 0..=4) => Missing,
        _ => return None,
    })
}

/// A job, as its tool would report it.
fn job(place: usize, client: &Client, days_ago: i64, last: DateTime<Utc>) -> Option<Value> {
    let event = event(client.name, days_ago);
    if event == Some(Event::Missing) {
        return None;
    }
    let day = DAYS - days_ago;
    let draw = |what, most| mix(place, day, what, most);
    let is_full = client.schedule_type == "full";
    let files = client.files + day.cast_unsigned() * (client.files / 4_000);
    let image_bytes = (client.gigabytes * 1_000_000_000) / 1_000
        * (1_000 + day.cast_unsigned() / 2)
        + draw(1, 400_000_000);
    let changed = files / 220 + draw(2, 1 + files / 300);
    let new = files / 900 + draw(3, 1 + files / 900);
    let mut job = json!({
        "source": "restic",
        "job_id": format!("{:08x}", mix(place, day, 99, 1 << 32)),
        "client": client.name,
        "policy": client.policy,
        "policy_type": client.policy_type,
        "schedule": if is_full { "nightly-full" } else { "nightly" },
        "schedule_type": client.schedule_type,
        "status": "succeeded",
        "exit_code": 0,
        "image_bytes": image_bytes,
        "file_count": files,
        "transferred_bytes": image_bytes / 60 + draw(4, image_bytes / 90),
        "stored_bytes": image_bytes / 150 + draw(5, image_bytes / 300),
        "files_new": new,
        "files_changed": changed,
        "files_deleted": draw(6, 1 + files / 2_000),
        "files_unmodified": files - new - changed,
        "content": {
            "mean_entropy_bits_changed": 4.6 + draw(7, 50) as f64 / 100.0,
            "mean_entropy_bits_new": 4.4 + draw(8, 60) as f64 / 100.0,
            "random_files": draw(9, 4),
            "unseen_extension_files": draw(10, 2),
            "renamed_files": draw(11, 9),
        },
    });
    let mut seconds = 600 + client.gigabytes * 2 + draw(12, 300);
    let mut set = |changes: Value| {
        for (name, value) in changes.as_object().unwrap() {
            job[name] = value.clone();
        }
    };
    match event {
        Some(Event::Encrypted) => set(json!({
            "transferred_bytes": image_bytes / 10 * 6,
            "stored_bytes": image_bytes / 10 * 6,
            "files_new": files / 10 * 6,
            "files_deleted": files / 10 * 6,
            "files_changed": changed,
            "files_unmodified": files / 10 * 4,
            "content": { "mean_entropy_bits_changed": 4.8, "mean_entropy_bits_new": 7.97,
                "high_entropy_share_new": 0.98, "random_files": files / 10 * 6,
                "unseen_extension_files": files / 10 * 6, "unseen_extension_share_new": 0.99,
                "renamed_files": 3 },
        })),
        Some(Event::Deleted) => set(json!({
            "image_bytes": image_bytes / 3,
            "file_count": files / 3,
            "files_deleted": files / 3 * 2,
            "files_unmodified": files / 3 - new - changed,
        })),
        Some(Event::Grown) => set(json!({
            "image_bytes": image_bytes * 2,
            "file_count": files * 2,
            "transferred_bytes": image_bytes,
            "stored_bytes": image_bytes / 2,
            "files_new": files,
        })),
        Some(Event::Slow) => seconds *= 9,
        Some(Event::Failed) => set(json!({ "status": "failed", "exit_code": 1 })),
        Some(Event::Missing) | None => {}
    }
    // What runs in the evening has not run today.
    let hour = if client.hour < MORNING {
        client.hour
    } else {
        client.hour - 24
    };
    let started_at = last - TimeDelta::days(days_ago)
        + TimeDelta::hours(hour)
        + TimeDelta::seconds(mix(place, day, 13, 900).cast_signed());
    job["started_at"] = json!(started_at.to_rfc3339());
    let ended_at = started_at + TimeDelta::seconds(seconds.cast_signed());
    job["ended_at"] = json!(ended_at.to_rfc3339());
    Some(job)
}

/// Who is told.
pub(crate) const SINKS: &str = r#"
    [[sinks]]
    name = "siem"
    events = ["anomaly", "incident"]
    [sinks.file]
    path = "DIR/findings.ndjson"
    format = "ocsf"
"#;

/// All jobs, in the order in which they came.
pub(crate) fn jobs() -> Vec<Value> {
    let now: DateTime<Utc> = SystemTime::now().into();
    let last = (now - TimeDelta::hours(MORNING)).date_naive();
    let last = last.and_time(NaiveTime::MIN).and_utc();
    let mut jobs: Vec<Value> = (0..DAYS)
        .flat_map(|days_ago| {
            let clients = CLIENTS.iter().enumerate();
            clients.filter_map(move |(place, client)| job(place, client, days_ago, last))
        })
        .collect();
    jobs.sort_by_key(|job| job["started_at"].as_str().unwrap().to_owned());
    jobs
}

/// A service with the fleet, and what its people have done so far.
pub(crate) fn filled(service: &Service) {
    let mut ann = service.administrator();
    let key = ann.key("ingest", &[]);
    let lines: Vec<String> = jobs().iter().map(ToString::to_string).collect();
    let receipt = service.with_key(
        &key,
        "/api/v1/jobs",
        "application/x-ndjson",
        &lines.join("\n"),
    );
    assert_eq!(receipt.status, 200, "{}", receipt.text);
    for (client, status, reason) in [
        ("build03", "false_positive", "New build cache, planned"),
        (
            "wiki",
            "confirmed",
            "Attachments were deleted by mistake, restored",
        ),
        ("web01", "ignored", "Old"),
    ] {
        review(&mut ann, client, status, reason);
    }
    for (name, role) in [("bob", "operator"), ("carol", "viewer")] {
        let new = json!({ "name": name, "role": role, "password": crate::client::PASSWORD });
        assert_eq!(ann.call("POST", "/api/v1/users", Some(&new)).status, 201);
    }
}

fn review(ann: &mut Browser<'_>, client: &str, status: &str, reason: &str) {
    let found = ann
        .open(&format!("/api/v1/anomalies?client={client}"))
        .json();
    let found = found["items"].as_array().unwrap();
    let verdict = &found
        .last()
        .unwrap_or_else(|| panic!("nothing of {client}"))["verdict"];
    let page = format!(
        "/anomalies/{}/{}/reviews",
        verdict["source"].as_str().unwrap(),
        verdict["job_id"].as_str().unwrap()
    );
    let form = [
        ("status", status),
        ("scope", "this_job"),
        ("reason", reason),
    ];
    assert_eq!(ann.send(&page, &form).status, 303);
}
