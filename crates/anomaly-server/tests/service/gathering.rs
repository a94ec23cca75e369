//! Sources that are polled: real tools, a real directory, and what happens when they are not there.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use serde_json::{Value, json};

use crate::client::{Answer, Browser};
use crate::{Service, job};

/// The source of this name, as the service shows it.
fn source(answer: &Answer, name: &str) -> Value {
    let all = answer.json();
    let mut all = all.as_array().unwrap().iter();
    all.find(|source| source["name"] == name).unwrap().clone()
}

/// Waits until a source is as it should be.
pub(crate) fn wait_for(browser: &Browser<'_>, name: &str, is_so: impl Fn(&Value) -> bool) -> Value {
    let answer = browser.wait_for("/api/v1/sources", |answer| is_so(&source(answer, name)));
    source(&answer, name)
}

/// Has it read now.
pub(crate) fn read_now(browser: &Browser<'_>, name: &str) {
    let path = format!("/api/v1/sources/{name}/readings");
    assert_eq!(browser.call("POST", &path, None).status, 202);
}

/// Has it read now, and waits until it was.
pub(crate) fn read_again(browser: &Browser<'_>, name: &str) -> Value {
    let before = source(&browser.open("/api/v1/sources"), name)["succeeded_at"].clone();
    read_now(browser, name);
    wait_for(browser, name, |source| {
        source["succeeded_at"] != before && source["is_reading"] == false
    })
}

pub(crate) fn job_ids(browser: &Browser<'_>) -> Vec<String> {
    let page = browser.open("/api/v1/jobs?limit=1000").json();
    let jobs = page["items"].as_array().unwrap().iter();
    let mut ids: Vec<String> = jobs
        .map(|job| job["job"]["job_id"].as_str().unwrap().to_owned())
        .collect();
    ids.sort();
    ids
}

fn lines(client: &str, days: std::ops::Range<u32>) -> String {
    let lines: Vec<String> = days
        .map(|day| job(client, day, &json!({})).to_string())
        .collect();
    lines.join("\n") + "\n"
}

const DIRECTORY: &str = r#"
    [[gather]]
    name = "drop"
    every_seconds = 3600
    [gather.directory]
    path = "DIR/drop"
    settle_seconds = 0
    most_file_bytes = 100_000
"#;

#[test]
fn a_directory_is_read_once_and_nothing_of_it_is_missed() {
    let directory = Arc::new(tempfile::tempdir().unwrap());
    let drop_in = directory.path().join("drop");
    let put = |name: &str, text: &str| fs::write(drop_in.join(name), text).unwrap();
    fs::create_dir(&drop_in).unwrap();
    put("a.ndjson", &lines("mail01", 0..3));
    let mut service = Service::gathering(DIRECTORY, &[], &directory);
    let administrator = service.administrator();
    let state = wait_for(&administrator, "drop", |source| {
        source["state"] == "working"
    });
    assert_eq!(
        (&state["new_jobs"], &state["known"]),
        (&json!(3), &json!(0))
    );

    // A file that has not changed is not read again, one that has grown is, and a new one; its last
    // record is cut off for now.
    let cut = lines("web01", 0..2);
    put("b.ndjson", &cut[..cut.len() - 40]);
    let mut grown = fs::File::options()
        .append(true)
        .open(drop_in.join("a.ndjson"))
        .unwrap();
    grown.write_all(lines("mail01", 3..4).as_bytes()).unwrap();
    let state = read_again(&administrator, "drop");
    assert_eq!(
        (&state["new_jobs"], &state["known"]),
        (&json!(5), &json!(3))
    );
    assert_eq!(state["refused"], 1, "{state}");
    assert!(
        state["reasons"][0]
            .as_str()
            .unwrap()
            .starts_with("b.ndjson: line 2")
    );
    let state = read_again(&administrator, "drop");
    assert_eq!((&state["known"], &state["refused"]), (&json!(0), &json!(0)));
    let expected = ["mail01-0", "mail01-1", "mail01-2", "mail01-3", "web01-0"];
    assert_eq!(job_ids(&administrator), expected);

    // What came while the service did not run is read when it runs again, and nothing twice.
    drop(administrator);
    service.stop();
    drop(service);
    put("b.ndjson", &cut);
    put("c.ndjson", &lines("db01", 0..1));
    let service = Service::gathering(DIRECTORY, &[], &directory);
    let administrator = service.administrator_again();
    let state = wait_for(&administrator, "drop", |source| {
        source["state"] == "working"
    });
    assert_eq!(
        (&state["new_jobs"], &state["known"]),
        (&json!(2), &json!(1))
    );
    assert_eq!(job_ids(&administrator).len(), 7);

    // Another job under an id that is stored is not taken for that one, and nobody hides a job behind
    // an id that he handed over before: it is named.
    let other = job("mail01", 40, &json!({ "job_id": "web01-0" }));
    put("d.ndjson", &format!("{other}\n"));
    let state = read_again(&administrator, "drop");
    assert_eq!((&state["known"], &state["refused"]), (&json!(0), &json!(1)));
    let reason = state["reasons"][0].as_str().unwrap();
    assert!(
        reason.starts_with("job web01-0: its id is that of another job, of web01"),
        "{reason}"
    );
    assert_eq!(job_ids(&administrator).len(), 7);
}

/// What is no ordinary file, too large or not whole is never read, and holds nothing up.
#[cfg(unix)]
#[test]
fn odd_files_of_a_directory_are_refused_or_left() {
    let directory = Arc::new(tempfile::tempdir().unwrap());
    let drop_in = directory.path().join("drop");
    fs::create_dir_all(drop_in.join("inside")).unwrap();
    let put = |name: &str, text: &str| fs::write(drop_in.join(name), text).unwrap();
    let secret = directory.path().join("secret.ndjson");
    fs::write(&secret, lines("secret", 0..1)).unwrap();
    std::os::unix::fs::symlink(&secret, drop_in.join("link.ndjson")).unwrap();
    std::os::unix::fs::symlink("/dev/zero", drop_in.join("zero.ndjson")).unwrap();
    let fifo = Command::new("mkfifo")
        .arg(drop_in.join("pipe.ndjson"))
        .status();
    assert!(fifo.unwrap().success());
    fs::File::create(drop_in.join("huge.ndjson"))
        .unwrap()
        .set_len(1 << 40)
        .unwrap();
    put("nonsense.txt", "this is no list of jobs\n");
    put("empty.ndjson", "");
    put("inside/a.ndjson", &lines("inside", 0..1));
    for name in [".a.ndjson", "a.ndjson.tmp", "a.ndjson.part", "a.ndjson~"] {
        put(name, &lines("unfinished", 0..1));
    }
    put("good.ndjson", &lines("mail01", 0..1));
    let service = Service::gathering(DIRECTORY, &[], &directory);
    let administrator = service.administrator();
    let state = wait_for(&administrator, "drop", |source| {
        source["state"] == "working"
    });
    assert_eq!(job_ids(&administrator), ["mail01-0"]);
    assert_eq!(state["refused"], 5, "{state}");
    let reasons = state["reasons"].to_string();
    for reason in [
        "link.ndjson: is no ordinary file",
        "pipe.ndjson",
        "huge.ndjson: has",
    ] {
        assert!(reasons.contains(reason), "{reason}: {reasons}");
    }
    // They are known now.
    assert_eq!(read_again(&administrator, "drop")["refused"], 0);
}

/// A file that is being written is left until it has not changed for a while: by the clock of this
/// machine, if that of whoever writes it is ahead.
#[test]
fn a_file_that_is_being_written_is_left() {
    let directory = Arc::new(tempfile::tempdir().unwrap());
    let drop_in = directory.path().join("drop");
    fs::create_dir(&drop_in).unwrap();
    let path = drop_in.join("a.ndjson");
    fs::write(&path, lines("mail01", 0..1)).unwrap();
    let tomorrow = SystemTime::now() + Duration::from_hours(24);
    let file = fs::File::options().append(true).open(&path).unwrap();
    file.set_modified(tomorrow).unwrap();
    let configuration = DIRECTORY.replace("settle_seconds = 0", "settle_seconds = 2");
    let service = Service::gathering(&configuration, &[], &directory);
    let administrator = service.administrator();
    // It is looked at again by itself, long before an hour is over.
    let state = wait_for(&administrator, "drop", |source| source["new_jobs"] == 1);
    assert_eq!(state["unsettled"], 0);
    // The first time it was left.
    let metrics = administrator.open("/metrics").text;
    let readings = "backwatch_source_readings_total{source=\"drop\",outcome=\"ok\"} ";
    let readings = metrics.split(readings).nth(1).unwrap().lines().next();
    assert!(readings.unwrap().parse::<u32>().unwrap() >= 2, "{metrics}");
}

/// Whether a tool is there; where it has to be, that it is not is a failure.
fn is_there(tool: &str) -> bool {
    let found = Command::new(tool).arg("version").output().is_ok();
    let required = std::env::var_os("REQUIRE_BACKUP_TOOLS").is_some();
    assert!(found || !required, "{tool} is not installed");
    found
}

const RESTIC: &str = r#"
    [[sinks]]
    name = "log"
    [sinks.file]
    path = "DIR/events.ndjson"

    [[gather]]
    name = "nas"
    every_seconds = 1
    [gather.restic]
    repository = "DIR/repository"
    password_file = "DIR/password"
"#;

#[cfg(unix)]
fn private(path: &Path, text: &str) {
    use std::os::unix::fs::PermissionsExt as _;

    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}

/// A real repository in a directory.
#[cfg(unix)]
struct Repository<'a> {
    home: &'a Path,
}

#[cfg(unix)]
impl<'a> Repository<'a> {
    fn new(home: &'a Path) -> Self {
        private(&home.join("password"), "correct horse\n");
        fs::create_dir(home.join("documents")).unwrap();
        fs::write(home.join("documents/a"), "a").unwrap();
        let repository = Self { home };
        repository.restic(&["init"]);
        repository
    }

    fn restic(&self, arguments: &[&str]) {
        let output = Command::new("restic")
            .args(["--repo", "repository", "--password-file", "password"])
            .arg("--no-cache")
            .args(arguments)
            .current_dir(self.home)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{said}");
    }

    fn backup(&self, day: u32) {
        let time = format!("2026-03-{day:02} 22:00:00");
        self.restic(&["backup", "--host", "files01", "--time", &time, "documents"]);
    }

    /// Moves it out of sight, or back.
    fn rename(&self, from: &str, to: &str) {
        fs::rename(self.home.join(from), self.home.join(to)).unwrap();
    }
}

/// A source that cannot be read is shown as that wherever anybody looks, and nothing else has stopped.
fn is_degraded_everywhere(service: &Service, administrator: &Browser<'_>) {
    let health = service.browser().open("/health");
    assert_eq!(health.status, 200);
    let health = health.json();
    assert_eq!(health["status"], "degraded");
    assert_eq!(health["sources"], json!({ "all": 1, "degraded": 1 }));
    let page = administrator.open("/sources").text;
    assert!(
        page.contains("Degraded") && page.contains("Read now"),
        "{page}"
    );
    let dashboard = administrator.open("/").text;
    assert!(dashboard.contains("1 source cannot be read"), "{dashboard}");
    let metrics = administrator.open("/metrics").text;
    assert!(
        metrics.contains("backwatch_source_up{source=\"nas\"} 0"),
        "{metrics}"
    );
    let key = administrator.key("ingest", &[]);
    let body = job("mail01", 1, &json!({})).to_string();
    let posted = service.with_key(&key, "/api/v1/jobs", "application/json", &body);
    assert_eq!(posted.json()["new_jobs"], 1);
}

/// A real repository is polled; while it is away it is degraded, everywhere, and the service goes on;
/// when it is back it recovers by itself.
#[cfg(unix)]
#[test]
fn a_repository_that_goes_away_is_degraded_until_it_is_back() {
    if !is_there("restic") {
        return;
    }
    let directory = Arc::new(tempfile::tempdir().unwrap());
    let home = directory.path();
    let repository = Repository::new(home);
    repository.backup(1);
    repository.backup(2);
    let service = Service::gathering(RESTIC, &[], &directory);
    let administrator = service.administrator();
    wait_for(&administrator, "nas", |source| source["new_jobs"] == 2);
    repository.backup(3);
    let state = wait_for(&administrator, "nas", |source| source["new_jobs"] == 3);
    assert_eq!(state["kind"], "restic");
    let last = state["last_job_at"].as_str().unwrap();
    assert!(last.starts_with("2026-03-03"), "{state}");
    let jobs = administrator.open("/api/v1/jobs").json();
    assert_eq!(jobs["items"][0]["job"]["client"], "files01");
    // Its lock would be one, and it leaves none.
    let locks = fs::read_dir(home.join("repository/locks")).unwrap();
    assert_eq!(locks.count(), 0);

    repository.rename("repository", "away");
    let state = wait_for(&administrator, "nas", |source| {
        source["state"] == "degraded" && source["failures"].as_u64() >= Some(2)
    });
    let why = state["why"].as_str().unwrap();
    assert!(why.contains("restic ended with exit status"), "{why}");
    assert!(state["degraded_since"].is_string(), "{state}");
    is_degraded_everywhere(&service, &administrator);

    repository.rename("away", "repository");
    wait_for(&administrator, "nas", |source| source["state"] == "working");
    assert_eq!(service.browser().open("/health").json()["status"], "ok");
    let audit = administrator.wait_for("/api/v1/audit", |audit| {
        audit.text.contains("source_recovered")
    });
    let count = |what: &str| audit.text.matches(&format!("\"{what}\"")).count();
    let counts = (count("source_degraded"), count("source_recovered"));
    assert_eq!(counts, (1, 1), "{}", audit.text);
    let events = home.join("events.ndjson");
    administrator.wait_for("/health", |_| {
        let told = fs::read_to_string(&events).unwrap_or_default();
        assert!(!told.contains("correct horse"));
        told.contains("source_degraded") && told.contains("source_recovered")
    });
}

/// What rustic prints of a repository with one snapshot.
const PRINTED: &str = r#"[{"group_key":{},"snapshots":[{"time":"2026-03-01T22:00:00Z",
    "program_version":"rustic 0.10.0","tree":"588d","paths":["/srv"],"hostname":"files01",
    "username":"root","uid":0,"gid":0,"tags":[],"id":"f00d","original":"f00d","label":"nightly",
    "summary":{"files_new":3,"files_changed":1,"files_unmodified":96,"data_added":1000,
    "total_files_processed":100,"total_bytes_processed":5000,
    "backup_start":"2026-03-01T22:00:00Z","backup_end":"2026-03-01T22:01:00Z"}}]}]"#;

/// A program that stands in for a tool.
#[cfg(unix)]
fn script(path: &Path, text: &str) {
    use std::os::unix::fs::PermissionsExt as _;

    fs::write(path, format!("#!/bin/sh\n{text}\n")).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o700)).unwrap();
}

/// A tool that hangs is killed when its time is over, with what it has started; its source is degraded,
/// and says why; nothing else waits for it, and when the tool works again it is read.
#[cfg(target_os = "linux")]
#[test]
fn a_tool_that_hangs_is_killed_and_read_when_it_works_again() {
    let directory = Arc::new(tempfile::tempdir().unwrap());
    let path = |name: &str| directory.path().join(name);
    let text = format!(
        "if [ -e {works} ]; then cat <<'END'\n{PRINTED}\nEND\nexit; fi\n\
         sleep 600 & echo $$ $! >>{run}; wait",
        works = path("works").display(),
        run = path("run").display(),
    );
    script(&path("rustic"), &text);
    let configuration = r#"
        [[gather]]
        name = "hangs"
        every_seconds = 1
        [gather.rustic]
        program = "DIR/rustic"
        repository = "/srv/rustic"
        timeout_seconds = 1

        [[gather]]
        name = "drop"
        [gather.directory]
        path = "DIR"
        suffix = ".ndjson"
        settle_seconds = 0
    "#;
    fs::write(path("a.ndjson"), lines("mail01", 0..1)).unwrap();
    let service = Service::gathering(configuration, &[], &directory);
    let administrator = service.administrator();
    wait_for(&administrator, "drop", |source| source["new_jobs"] == 1);
    let state = wait_for(&administrator, "hangs", |source| {
        source["state"] == "degraded" && source["failures"].as_u64() >= Some(2)
    });
    let why = state["why"].as_str().unwrap();
    assert!(
        why.contains("had not ended after 1s and was killed"),
        "{why}"
    );
    // Of the two that have failed by then nothing is left.
    let ids = fs::read_to_string(path("run")).unwrap();
    let is_there = |id: &str| match fs::read_to_string(format!("/proc/{id}/stat")) {
        // One that nobody has waited for yet has ended.
        Ok(stat) => !stat.contains(") Z "),
        Err(_) => false,
    };
    administrator.wait_for("/health", |_| !ids.split_whitespace().take(4).any(is_there));

    fs::write(path("works"), "").unwrap();
    let state = wait_for(&administrator, "hangs", |source| {
        source["state"] == "working"
    });
    assert_eq!(state["new_jobs"], 1, "{state}");
}

/// What rustic is asked, and how what it prints is read. It gets its address and its keys in its
/// environment.
#[cfg(unix)]
#[test]
fn a_tool_gets_its_keys_in_its_environment_alone() {
    use std::os::unix::fs::PermissionsExt as _;

    let directory = Arc::new(tempfile::tempdir().unwrap());
    let path = |name: &str| directory.path().join(name);
    let checked = format!(
        "echo \"$*|$RUSTIC_REPOSITORY|$RUSTIC_PASSWORD_FILE|$OPENDAL_KEY|$RUSTIC_PASSWORD\" >{}\n\
         cat <<'END'\n{PRINTED}\nEND",
        path("asked").display()
    );
    script(&path("rustic"), &checked);
    private(&path("password"), "x");
    private(&path("env"), "# of the bucket\nOPENDAL_KEY='k e y'\n");
    let configuration = r#"
        [[gather]]
        name = "bucket"
        [gather.rustic]
        program = "DIR/rustic"
        repository = "opendal:s3"
        password_file = "DIR/password"
        environment_file = "DIR/env"
    "#;
    let service = Service::gathering(configuration, &[], &directory);
    let administrator = service.administrator();
    let state = wait_for(&administrator, "bucket", |source| {
        source["state"] == "working"
    });
    assert_eq!(state["new_jobs"], 1, "{state}");
    let asked = fs::read_to_string(path("asked")).unwrap();
    let expected = format!(
        "snapshots --json --no-cache|opendal:s3|{}|k e y|\n",
        path("password").display()
    );
    assert_eq!(asked, expected);
    let job = administrator.open("/api/v1/jobs").json();
    assert_eq!(job["items"][0]["job"]["source"], "rustic");

    // A file that everybody may read is none for secrets.
    fs::set_permissions(path("env"), fs::Permissions::from_mode(0o644)).unwrap();
    read_now(&administrator, "bucket");
    let state = wait_for(&administrator, "bucket", |source| {
        source["state"] == "degraded"
    });
    assert!(
        state["why"].as_str().unwrap().contains("chmod o="),
        "{state}"
    );
}
