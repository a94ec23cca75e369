//! Sinks, told of what is stored.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use anomaly_model::Severity;
use anomaly_model::chrono::{DateTime, TimeDelta, Utc};
use anomaly_service::AnomalyService;
use anomaly_settings::Settings;
use anomaly_storage::AuditEntry;
use serde_json::{Value, json};

use crate::file_sink::{to_file, told, told_data};
use crate::{Service, job};

fn failed(client: &str, days_ago: i64) -> Value {
    let started_at = DateTime::<Utc>::from(SystemTime::now()) - TimeDelta::days(days_ago);
    let started_at = started_at.to_rfc3339();
    job(
        client,
        1,
        &json!({ "status": "failed", "started_at": started_at }),
    )
}

fn post(service: &Service, key: &str, job: &Value) {
    service.with_key(key, "/api/v1/jobs", "application/json", &job.to_string());
}

/// What another process stores is told too, once; what is old when it comes is history.
#[test]
fn a_sink_is_told_of_what_anybody_stores() {
    let service = Service::telling(&to_file(&["anomaly"], "ocsf"));
    let administrator = service.administrator();
    let key = administrator.key("ingest", &[]);
    for (client, days_ago) in [("old01", 30), ("mail01", 1)] {
        let body = failed(client, days_ago).to_string();
        let receipt = service
            .with_key(&key, "/api/v1/jobs", "application/json", &body)
            .json();
        assert_eq!(receipt["anomalous"], 1, "{receipt}");
    }
    let mut beside = AnomalyService::open(&service.database, Settings::default()).unwrap();
    let other = serde_json::from_value(failed("web01", 0)).unwrap();
    assert!(beside.observe(&other).unwrap().verdict.is_anomalous());

    let told = told(&service, 2);
    let named = |client: &str| told.matches(client).count() > 0;
    assert!(
        named("mail01") && named("web01") && !named("old01"),
        "{told}"
    );
    assert_eq!(told.lines().count(), 2);
    let page = administrator.open("/notifications").text;
    assert!(page.contains("Works"), "{page}");
}

/// Anomalies of today that the dashboard has counted, each in its chart.
fn charted(page: &str) -> u32 {
    let bars = page.split("</title>").filter_map(|bar| {
        let (_, title) = bar.rsplit_once("<title>")?;
        let (count, _severity) = title.split_once(": ")?.1.split_once(' ')?;
        count.parse::<u32>().ok()
    });
    bars.sum()
}

/// Anomalies that were stored since the start, by the metrics.
fn metered(metrics: &str) -> u64 {
    let name = "backwatch_jobs_total{verdict=\"anomalous\"} ";
    let line = metrics.lines().find_map(|line| line.strip_prefix(name));
    line.unwrap().parse().unwrap()
}

/// What was stored while the service did not run is told once it does, and counted once: in the chart of
/// days, and not as what was stored since the start.
#[test]
fn what_was_stored_meanwhile_is_told_and_counted_once() {
    let directory = Arc::new(tempfile::tempdir().unwrap());
    let start = || Service::gathering(&to_file(&["anomaly"], "ocsf"), &[], &directory);
    let mut service = start();
    let key = service.administrator().key("ingest", &[]);
    service.stop();
    let mut beside = AnomalyService::open(&service.database, Settings::default()).unwrap();
    for client in ["first01", "second02", "third03"] {
        let job = serde_json::from_value(failed(client, 0)).unwrap();
        assert!(beside.observe(&job).unwrap().verdict.is_anomalous());
    }
    drop(beside);
    let service = start();
    assert_eq!(told(&service, 3).lines().count(), 3);
    let body = failed("next04", 0).to_string();
    service.with_key(&key, "/api/v1/jobs", "application/json", &body);
    let administrator = service.administrator_again();
    let metrics = administrator.wait_for("/metrics", |answer| metered(&answer.text) > 0);
    assert_eq!(metered(&metrics.text), 1);
    let is_read = |page: &str| !page.contains("Still reading");
    let page = administrator.wait_for("/", |answer| is_read(&answer.text));
    assert_eq!(charted(&page.text), 4, "{}", page.text);
}

/// Changes a number in a file, everywhere.
fn damage(database: &Path, from: &str, to: &str) {
    let mut bytes = fs::read(database).unwrap();
    let places: Vec<usize> = (0..bytes.len() - from.len())
        .filter(|&place| bytes[place..].starts_with(from.as_bytes()))
        .collect();
    assert!(!places.is_empty(), "{from}");
    for place in places {
        bytes[place..place + to.len()].copy_from_slice(to.as_bytes());
    }
    fs::write(database, bytes).unwrap();
}

/// A record that is damaged, old or new, keeps nobody from hearing of the others, and is shown.
#[test]
fn a_damaged_record_silences_no_other() {
    let directory = Arc::new(tempfile::tempdir().unwrap());
    let start = || Service::gathering(&to_file(&["anomaly"], "ocsf"), &[], &directory);
    let mut service = start();
    let database = service.database.clone();
    let key = service.administrator().key("ingest", &[]);
    let mut old = failed("old01", 60);
    old["status"] = json!("succeeded");
    old["image_bytes"] = json!(41_234_567_891_u64);
    let (kind, path) = ("application/json", "/api/v1/jobs");
    let receipt = service.with_key(&key, path, kind, &old.to_string());
    assert_eq!(receipt.json()["anomalous"], 0, "{}", receipt.text);
    service.stop();
    let mut beside = AnomalyService::open(&database, Settings::default()).unwrap();
    for client in ["first01", "damaged02", "third03"] {
        let mut job = failed(client, 0);
        if client == "damaged02" {
            job["image_bytes"] = json!(52_345_678_912_u64);
        }
        let job = serde_json::from_value(job).unwrap();
        assert!(beside.observe(&job).unwrap().verdict.is_anomalous());
    }
    drop(beside);
    damage(&database, "41234567891", "41234567892");
    damage(&database, "52345678912", "52345678913");

    let service = start();
    let body = failed("next04", 0).to_string();
    service.with_key(&key, path, kind, &body);
    let told = told(&service, 3);
    for (client, is_told) in [
        ("first01", true),
        ("damaged02", false),
        ("third03", true),
        ("next04", true),
        ("old01", false),
    ] {
        assert_eq!(told.contains(client), is_told, "{client}: {told}");
    }
    let administrator = service.administrator_again();
    let is_read = |page: &str| !page.contains("Still reading");
    let page = administrator.wait_for("/", |answer| is_read(&answer.text));
    assert_eq!(charted(&page.text), 3, "{}", page.text);
    let words = "Something that is stored is damaged and was passed over";
    assert!(page.text.contains(words), "{}", page.text);
    let bell = administrator.open("/api/v1/notifications").text;
    assert!(bell.contains("next04"), "{bell}");
    let health = service.browser().open("/health");
    let found = health.json();
    assert_eq!((health.status, &found["status"]), (200, &json!("degraded")));
    assert_eq!(found["failing"].as_array().unwrap().len(), 1, "{found}");
    assert_eq!(found["failing"][0]["duty"], "read");
    let metrics = administrator.open("/metrics").text;
    for line in ["{duty=\"read\"} 0", "{duty=\"tell\"} 1"] {
        assert!(
            metrics.contains(&format!("backwatch_duty_up{line}")),
            "{metrics}"
        );
    }
}

/// Who called an anomaly what is told too, whoever it was.
#[test]
fn a_sink_is_told_what_people_decide() {
    let service = Service::telling(&to_file(&["review"], "cloudevents"));
    let administrator = service.administrator();
    let key = administrator.key("ingest", &[]);
    let body = failed("mail01", 0).to_string();
    service.with_key(&key, "/api/v1/jobs", "application/json", &body);
    let review = json!({ "status": "confirmed", "reason": "the disk is full" });
    let path = "/api/v1/anomalies/restic/mail01-1/reviews";
    let answer = administrator.call("POST", path, Some(&review));
    assert_eq!(answer.status, 200, "{}", answer.text);
    let told = told_data(&service, 1);
    assert_eq!(told.len(), 1);
    assert_eq!(told[0]["type"], "review");
    assert_eq!(told[0]["review"]["reason"], "the disk is full");
    assert_eq!(told[0]["review"]["reviewer"], "ann");
}

/// An incident is closed once all in it was reviewed. What is then taken out of it, and put back, closes
/// it no second time; what is found anew makes it grow, and it is closed again. A decision that is taken
/// back opens it, and the next one does not: it is open by then.
#[test]
fn a_sink_is_told_once_that_an_incident_is_closed() {
    let service = Service::telling(&to_file(&["incident", "review"], "cloudevents"));
    let administrator = service.administrator();
    let key = administrator.key("ingest", &[]);
    let review = |job: &str, status: &str, lines: usize| {
        let review = json!({ "status": status, "reason": "seen" });
        let path = format!("/api/v1/anomalies/restic/{job}/reviews");
        let answer = administrator.call("POST", &path, Some(&review));
        assert_eq!(answer.status, 200, "{}", answer.text);
        told(&service, lines);
    };
    post(&service, &key, &failed("mail01", 0));
    told(&service, 1);
    review("mail01-1", "confirmed", 3);
    review("mail01-1", "confirmed", 4);
    review("mail01-1", "false_positive", 5);
    review("mail01-1", "confirmed", 6);
    let mut second = failed("mail01", 0);
    second["job_id"] = json!("again");
    post(&service, &key, &second);
    told(&service, 7);
    review("again", "confirmed", 9);
    let take_back = |job: &str, lines: usize| {
        let path = format!("/api/v1/anomalies/restic/{job}/reviews");
        assert_eq!(administrator.call("DELETE", &path, None).status, 200);
        told(&service, lines);
    };
    take_back("again", 11);
    let mut third = failed("mail01", 0);
    third["job_id"] = json!("third");
    post(&service, &key, &third);
    told(&service, 12);
    review("again", "confirmed", 13);
    take_back("again", 14);
    review("again", "confirmed", 15);
    review("third", "confirmed", 17);
    let changes: Vec<String> = told_data(&service, 17)
        .iter()
        .map(|data| data["change"].as_str().unwrap_or("review").to_owned())
        .collect();
    let expected = [
        "opened", "review", "closed", "review", "review", "review", "grown", "review", "closed",
        "review", "reopened", "grown", "review", "review", "review", "review", "closed",
    ];
    assert_eq!(changes, expected);
}

/// What was called a false positive joins nothing that comes after it. Where that is taken back, its
/// incident is open again, and what came meanwhile is part of it.
#[test]
fn a_sink_is_told_that_a_false_positive_was_none() {
    let service = Service::telling(&to_file(&["incident", "review"], "cloudevents"));
    let administrator = service.administrator();
    let key = administrator.key("ingest", &[]);
    let path = "/api/v1/anomalies/restic/mail01-1/reviews";
    post(&service, &key, &failed("mail01", 0));
    told(&service, 1);
    let review = json!({ "status": "false_positive", "reason": "a test" });
    assert_eq!(administrator.call("POST", path, Some(&review)).status, 200);
    told(&service, 3);
    let mut second = failed("mail01", 0);
    second["job_id"] = json!("again");
    post(&service, &key, &second);
    told(&service, 4);
    assert_eq!(administrator.call("DELETE", path, None).status, 200);
    let data = told_data(&service, 6);
    let last = &data[5];
    assert_eq!(
        (&last["change"], &last["number"]),
        (&json!("reopened"), &json!(1))
    );
    assert_eq!(data[3]["number"], 2);
    assert_ne!(last["incident"]["counts"], data[0]["incident"]["counts"]);
}

/// Whoever was told that an incident opened is told that it grew, by whatever it did.
#[test]
fn a_sink_for_a_type_of_policy_is_told_that_its_incident_grew_by_another() {
    let scope = "[sinks.scope]\npolicy_types = [\"vmware\"]\n";
    let sink = to_file(&["incident"], "cloudevents");
    let service = Service::telling(&format!("{sink}\n{scope}"));
    let administrator = service.administrator();
    let key = administrator.key("ingest", &[]);
    for (lines, policy_type) in [(1, "vmware"), (2, "standard")] {
        let mut job = failed("mail01", 0);
        job["job_id"] = json!(policy_type);
        job["policy_type"] = json!(policy_type);
        post(&service, &key, &job);
        told(&service, lines);
    }
    let changes: Vec<Value> = told_data(&service, 2)
        .iter()
        .map(|data| data["change"].clone())
        .collect();
    assert_eq!(changes, ["opened", "grown"]);
}

/// Writes a system event and 150 after it that matter less, all at once.
fn flood(service: &Service) -> AnomalyService {
    let mut beside = AnomalyService::open(&service.database, Settings::default()).unwrap();
    let mut transaction = beside.transaction().unwrap();
    for place in 0..=150 {
        let (who, severity) = match place {
            0 => ("mallory", Severity::High),
            _ => ("eve", Severity::Low),
        };
        let at = SystemTime::now().into();
        let entry = AuditEntry::new(at, who, "loosening", format!("client{place}"));
        transaction.audit(&entry.with_severity(severity)).unwrap();
    }
    transaction.commit().unwrap();
    beside
}

/// However much happens at once, the one event that counts is among what is told.
#[test]
fn many_events_at_once_hide_none() {
    let mut service = Service::telling(&to_file(&["system"], "cloudevents"));
    let administrator = service.administrator();
    flood(&service);
    let mut subjects: Vec<String> = told_data(&service, 151)
        .iter()
        .map(|data| data["subject"].as_str().unwrap().to_owned())
        .collect();
    subjects.sort();
    let mut expected: Vec<String> = (0..=150).map(|place| format!("client{place}")).collect();
    expected.sort();
    assert_eq!(subjects, expected);
    let bell = |text: &str| text.contains("client0") && text.contains("client150");
    let found = administrator.open("/api/v1/notifications").text;
    assert!(bell(&found), "{found}");

    // Nor when the service starts anew.
    let database = service.database.clone();
    service.stop();
    let again = Service::on(&database);
    let administrator = again.administrator_again();
    let begun = Instant::now();
    while !bell(&administrator.open("/api/v1/notifications").text) {
        assert!(begun.elapsed() < Duration::from_mins(1));
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// What was told is written down soon, so that a stop repeats little of it; and what failed at once,
/// before anything else is tried.
#[cfg(unix)]
#[test]
fn what_was_told_is_written_down_on_the_way() {
    let service = Service::telling(
        r#"
        [[sinks]]
        name = "page"
        events = ["system"]
        [sinks.command]
        argv = ["/bin/sh", "DIR/take"]
        timeout_seconds = 600
    "#,
    );
    let file = |name: &str| service.database.with_file_name(name);
    // The first call fails, and the 32nd waits.
    let script = r#"
        cat > /dev/null
        echo called >> "DIR/calls"
        calls=$(wc -l < "DIR/calls")
        if [ "$calls" -eq 1 ]; then exit 1; fi
        while [ "$calls" -eq 32 ] && [ ! -e "DIR/go" ]; do sleep 0.1; done
    "#;
    let directory = file("").display().to_string();
    let script = script.replace("DIR", directory.trim_end_matches('/'));
    fs::write(file("take"), script).unwrap();
    let beside = flood(&service);
    let begun = Instant::now();
    let calls = || fs::read_to_string(file("calls")).unwrap_or_default();
    while calls().lines().count() < 32 {
        assert!(begun.elapsed() < Duration::from_mins(2), "{}", calls());
        std::thread::sleep(Duration::from_millis(100));
    }
    let later = DateTime::<Utc>::from(SystemTime::now()) + TimeDelta::days(1);
    let records = beside.records();
    let waiting = records.due_messages("page", later, 1_000).unwrap();
    let tried = |message: u64| records.deliveries(message).unwrap()[0].attempts;
    assert_eq!(waiting.iter().map(|one| tried(one.number)).sum::<u32>(), 1);
    // 30 were taken, of which 20 are written down.
    assert_eq!(waiting.len(), 151 - 20);
    fs::write(file("go"), "").unwrap();
}

/// A sink that fails is tried with one message for each wait, however many there are; that is not counted
/// against them, and all of them go, in their order, once somebody has seen that it works again.
#[cfg(unix)]
#[test]
fn a_dead_sink_costs_one_try_for_each_wait() {
    let service = Service::telling(
        r#"
        [[sinks]]
        name = "page"
        events = ["system"]
        [sinks.command]
        argv = ["/bin/sh", "DIR/take"]
    "#,
    );
    let file = |name: &str| service.database.with_file_name(name);
    let script = r#"
        event=$(cat)
        if [ -e "DIR/up" ]; then
            echo "$event" >>"DIR/findings.ndjson"
        else
            echo called >>"DIR/calls"
            exit 1
        fi
    "#;
    let directory = file("").display().to_string();
    let script = script.replace("DIR", directory.trim_end_matches('/'));
    fs::write(file("take"), script).unwrap();
    let beside = flood(&service);
    let mut administrator = service.administrator();
    let calls = || fs::read_to_string(file("calls")).unwrap_or_default();
    administrator.wait_for("/health", |_| calls().lines().count() >= 3);
    let later = DateTime::<Utc>::from(SystemTime::now()) + TimeDelta::days(1);
    let records = beside.records();
    let waiting = records.due_messages("page", later, 1_000).unwrap();
    let tried = |message: u64| records.deliveries(message).unwrap()[0].attempts;
    assert_eq!(waiting.iter().map(|one| tried(one.number)).sum::<u32>(), 1);
    assert!(waiting.len() >= 151);

    // The next wait is of ten seconds at least, if nobody tries the sink.
    fs::write(file("up"), "").unwrap();
    let page = administrator.send("/notifications/page/test", &[]).text;
    assert!(page.contains("took the test"), "{page}");
    let told = told_data(&service, 152);
    assert_eq!(calls().lines().count(), 3);
    let subjects = told.iter().filter_map(|data| data["subject"].as_str());
    let numbers: Vec<usize> = subjects
        .filter_map(|subject| subject.strip_prefix("client")?.parse().ok())
        .collect();
    let mut sorted = numbers.clone();
    sorted.sort_unstable();
    assert_eq!(sorted, (0..=150).collect::<Vec<_>>());
    // The first one of all was tried, and has waited for itself.
    let rest: Vec<usize> = numbers.into_iter().filter(|number| *number > 0).collect();
    assert!(rest.is_sorted(), "{rest:?}");
}
