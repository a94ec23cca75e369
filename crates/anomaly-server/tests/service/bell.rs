//! What people are told in the browser.

use std::thread;
use std::time::{Duration, Instant, SystemTime};

use anomaly_model::chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use crate::client::{Browser, PASSWORD};
use crate::{Service, job};

/// Jobs up to now, of which the last one is strange.
fn lines(client: &str) -> String {
    let lines = (0..=40_u32).map(|day| {
        let extra = if day < 40 {
            json!({})
        } else {
            json!({ "files_changed": 60_000, "files_unmodified": 40_000,
                "transferred_bytes": 24_000_000_000_u64 })
        };
        let mut job = job(client, day, &extra);
        let started_at = DateTime::<Utc>::from(SystemTime::now())
            - TimeDelta::days((40 - day).into())
            - TimeDelta::minutes(5);
        job["started_at"] = json!(started_at.to_rfc3339());
        format!("{job}\n")
    });
    lines.collect()
}

/// What a person is told, as soon as there are so many.
fn told(browser: &Browser<'_>, count: usize) -> Vec<Value> {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        let answer = browser.open("/api/v1/notifications");
        assert_eq!(answer.status, 200, "{}", answer.text);
        let found = answer.json().as_array().unwrap().clone();
        if found.len() >= count {
            return found;
        }
        assert!(Instant::now() < deadline, "{found:?}");
        thread::sleep(Duration::from_millis(100));
    }
}

#[test]
fn what_was_read_is_kept_for_each_person() {
    let mut service = Service::start();
    let database = service.database.clone();
    let mut ann = service.administrator();
    let new = json!({ "name": "bob", "password": PASSWORD, "role": "viewer" });
    assert_eq!(ann.call("POST", "/api/v1/users", Some(&new)).status, 201);
    let mut bob = service.browser();
    bob.sign_in("bob", PASSWORD, "");
    // That an account was made is told, too.
    let added = &told(&ann, 1)[0];
    assert_eq!(added["title"], "An account was changed: bob");
    assert_eq!(added["text"], "ann added bob with the role viewer.");
    let key = ann.key("ingest", &[]);
    for client in ["mail01", "web02"] {
        let body = lines(client);
        let receipt = service.with_key(&key, "/api/v1/jobs", "application/x-ndjson", &body);
        assert_eq!(receipt.json()["anomalous"], 1, "{}", receipt.text);
    }
    let found = told(&ann, 2);
    let unread = |found: &[Value]| found.iter().filter(|one| one["is_read"] == false).count();
    assert_eq!(unread(&found), found.len());
    assert!(found[0]["title"].as_str().unwrap().contains("web02") || found.len() == 2);
    // One is read, then all; the other person has read none of it.
    let number = found[0]["number"].as_u64().unwrap();
    let answer = ann.send(&format!("/bell/{number}/read"), &[("back", "/anomalies")]);
    assert_eq!(
        (answer.status, answer.header("location")),
        (303, "/anomalies")
    );
    let found = told(&ann, found.len());
    assert_eq!(
        (&found[0]["is_read"], unread(&found)),
        (&json!(true), found.len() - 1)
    );
    let all = ann.call("POST", "/api/v1/notifications/read", Some(&json!({})));
    assert_eq!(all.status, 204, "{}", all.text);
    assert_eq!(unread(&told(&ann, found.len())), 0);
    assert!(ann.open("/").text.contains("Nothing unread"));
    assert_eq!(unread(&told(&bob, found.len())), found.len());
    // A program has no bell.
    let answer = service.browser().open("/api/v1/notifications");
    assert_eq!(answer.status, 401);
    let elsewhere = ann.send_from("cross-site", "/bell/read", &[]);
    assert_eq!(elsewhere.status, 403);

    // It is as it was after a new start.
    service.stop();
    let again = Service::on(&database);
    let ann = again.administrator_again();
    assert_eq!(unread(&told(&ann, found.len())), 0);
    let mut bob = again.browser();
    bob.sign_in("bob", PASSWORD, "");
    assert_eq!(unread(&told(&bob, found.len())), found.len());
}

#[test]
fn nobody_is_told_of_the_past() {
    let service = Service::start();
    let ann = service.administrator();
    let key = ann.key("ingest", &[]);
    let history: Vec<String> = lines("mail01")
        .lines()
        .map(|line| {
            let mut job: Value = serde_json::from_str(line).unwrap();
            let started_at = job["started_at"].as_str().unwrap();
            let started_at = started_at.parse::<DateTime<Utc>>();
            let earlier = started_at.unwrap() - TimeDelta::days(30);
            job["started_at"] = json!(earlier.to_rfc3339());
            job.to_string()
        })
        .collect();
    let receipt = service.with_key(
        &key,
        "/api/v1/jobs",
        "application/x-ndjson",
        &history.join("\n"),
    );
    assert_eq!(receipt.json()["anomalous"], 1);
    let news = service.with_key(
        &key,
        "/api/v1/jobs",
        "application/x-ndjson",
        &lines("web02"),
    );
    assert_eq!(news.status, 200);
    let found = told(&ann, 1);
    assert!(
        !found.iter().any(|one| one.to_string().contains("mail01")),
        "{found:?}"
    );
}
