//! How it starts, and how it ends.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::service::{Home, agent, next_line};

fn job(number: usize) -> Value {
    json!({
        "source": "restic",
        "job_id": format!("job-{number}"),
        "client": format!("client{}", number % 50),
        "policy": "daily",
        "started_at": "2026-09-01T03:00:00Z",
        "status": "succeeded",
        "image_bytes": 40_000_000_000_u64,
    })
}

/// With nothing given it keeps its data in the user's own directory, which nobody else may read,
/// listens on this machine alone, and lets nobody in who does not know what it printed.
#[test]
fn it_starts_with_no_configuration() {
    let home = Home::new();
    let mut service = home.serve(&[]);
    assert!(service.base.starts_with("http://127.0.0.1:"));
    let database = format!("database {}", home.database().display());
    assert_eq!(next_line(&mut service.output), database);
    let first_run = next_line(&mut service.output);
    let address = format!("first run: open {}/first-run with the code ", service.base);
    assert_eq!(first_run.strip_prefix(&address).unwrap().len(), 16);
    let health = agent().get(format!("{}/health", service.base)).call();
    assert_eq!(health.unwrap().status(), 200);
    assert!(!others_may(&home.database()));
    assert!(service.terminate().status.success());

    // Who was added on the command line is enough: there is no first run any more.
    home.add_administrator();
    let service = home.serve(&[]);
    service.key();
    let output = service.terminate();
    assert!(output.status.success());
    assert!(
        !String::from_utf8(output.stdout)
            .unwrap()
            .contains("first run")
    );
}

/// Whether anybody but its owner may read or write a file.
fn others_may(path: &Path) -> bool {
    path.metadata().unwrap().permissions().mode() & 0o077 != 0
}

/// What was acknowledged by then is on the disk, what was asked is answered, and nobody who has a
/// page open is waited for.
#[test]
fn sigterm_ends_it_in_good_order() {
    let home = Home::new();
    home.add_administrator();
    let service = home.serve(&[]);
    let key = service.key();
    let jobs = format!("{}/api/v1/jobs", service.base);
    let acknowledged = Mutex::new(Vec::new());
    let page = agent()
        .get(format!("{}/api/v1/events", service.base))
        .header("cookie", service.cookie())
        .call()
        .unwrap();
    let output = thread::scope(|scope| {
        for poster in 0..4 {
            let (key, jobs, acknowledged) = (&key, &jobs, &acknowledged);
            scope.spawn(move || {
                let agent = agent();
                for number in (poster..).step_by(4) {
                    let answer = agent
                        .post(jobs)
                        .header("authorization", format!("Bearer {key}"))
                        .header("content-type", "application/json")
                        .send(job(number).to_string());
                    // Until it is gone.
                    let Ok(answer) = answer else { break };
                    if answer.status() == 200 {
                        acknowledged.lock().unwrap().push(number);
                    }
                }
            });
        }
        let begun = Instant::now();
        while acknowledged.lock().unwrap().len() < 100 {
            assert!(begun.elapsed() < Duration::from_mins(2), "it takes no jobs");
            thread::sleep(Duration::from_millis(5));
        }
        service.terminate()
    });
    assert!(output.status.success());
    // It was told that this is the end, and not cut off.
    let heard = page.into_body().read_to_string();
    assert!(heard.is_ok_and(|heard| heard.starts_with("retry: ")));
    let acknowledged = acknowledged.into_inner().unwrap();
    assert!(acknowledged.len() >= 100);

    let directory = home.path().join("export");
    let database = home.database();
    let export = home
        .backwatch(&["db", "export", "--db"])
        .arg(database)
        .arg(&directory)
        .output()
        .unwrap();
    assert!(export.status.success(), "{export:?}");
    let stored = std::fs::read_to_string(directory.join("jobs.ndjson")).unwrap();
    for number in acknowledged {
        assert!(
            stored.contains(&format!("\"job-{number}\"")),
            "job-{number} is lost"
        );
    }
}

/// A tool that lists a source's jobs ends with the service, and so does what it has started.
#[cfg(target_os = "linux")]
#[test]
fn sigterm_ends_the_tools_of_sources_too() {
    let home = Home::new();
    let alive = home.path().join("alive");
    std::fs::create_dir(&alive).unwrap();
    let tool = format!(
        "#!/bin/sh\nsleep 600 &\necho $$ $! >{0}/$$.new\nmv {0}/$$.new {0}/$$\nwait\n",
        alive.display()
    );
    let tool = home.write("restic", &tool);
    std::fs::set_permissions(&tool, Permissions::from_mode(0o700)).unwrap();
    let source = |number: usize| {
        format!(
            "[[gather]]\nname = 'nas{number}'\n[gather.restic]\nrepository = '/srv'\n\
             program = '{tool}'\n"
        )
    };
    // Several, so that it is no accident that one has ended in time.
    let sources: String = (0..8).map(source).collect();
    let service = home.serve(&["--config", &home.write("gather.toml", &sources)]);
    let begun = Instant::now();
    let ids = || {
        let files = std::fs::read_dir(&alive).unwrap();
        let files = files.map(|file| file.unwrap().path());
        let whole = files.filter(|path| path.extension().is_none());
        let ids: Vec<String> = whole
            .map(|path| std::fs::read_to_string(path).unwrap())
            .collect();
        ids
    };
    while ids().len() < 8 {
        assert!(begun.elapsed() < Duration::from_mins(1), "not all are read");
        thread::sleep(Duration::from_millis(20));
    }
    assert!(service.terminate().status.success());
    let ids = ids().join(" ");
    let is_there = |id: &str| match std::fs::read_to_string(format!("/proc/{id}/stat")) {
        // One that nobody has waited for yet has ended.
        Ok(stat) => !stat.contains(") Z "),
        Err(_) => false,
    };
    let begun = Instant::now();
    while ids.split_whitespace().any(is_there) {
        assert!(begun.elapsed() < Duration::from_mins(1), "they live on");
        thread::sleep(Duration::from_millis(20));
    }
}

/// What is wrong keeps the service from starting, and is said without the secret in it.
#[test]
fn a_configuration_that_is_wrong_is_told() {
    let home = Home::new();
    let source =
        |address: &str| format!("[[gather]]\nname = 'a'\n[gather.bareos]\naddress = '{address}'\n");
    let once = source("postgresql://backwatch@director.example/bareos");
    for (text, status, what) in [
        (source("postgresql://u:hunter2@h/d"), 2, "password"),
        (source("director.example"), 2, "is not one of a server"),
        (once.repeat(2), 4, "two sources have the name `a`"),
        (
            "[server]\nmost_requests = 0\n".to_owned(),
            2,
            "server.most_requests is 0: must be 1 to 65535",
        ),
    ] {
        let file = home.write("wrong.toml", &text);
        let output = home.backwatch(&["serve", "--config", &file]).output();
        let output = output.unwrap();
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(status), "{error}");
        assert!(error.contains(what), "{error}");
        assert!(!error.contains("hunter2"), "{error}");
    }
}

/// The configuration that the package brings is one that it starts with; so is each line of it that
/// is only a proposal.
#[test]
fn the_packaged_configuration_is_good() {
    let home = Home::new();
    let packaged = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packaging/backwatch.toml");
    let service = home.serve(&["--config", packaged.to_str().unwrap()]);
    assert!(service.terminate().status.success());

    let text = std::fs::read_to_string(&packaged).unwrap();
    let is_key = |line: &str| line.starts_with('[') || line.contains(" = ");
    let proposed: Vec<&str> = text
        .lines()
        .map(|line| line.strip_prefix("# ").unwrap_or(line))
        .filter(|line| is_key(line))
        .collect();
    let path = home.path().join("all.toml");
    std::fs::write(&path, proposed.join("\n")).unwrap();
    let output = home
        .backwatch(&["serve", "--config", path.to_str().unwrap()])
        .output()
        .unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(
        error.contains("/run/credentials/backwatch.service/hook.key"),
        "{error}"
    );
}
