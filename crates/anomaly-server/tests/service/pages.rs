//! What people see.

use std::time::SystemTime;

use anomaly_model::chrono::{DateTime, TimeDelta, Utc};
use anomaly_model::{AnomalyKind, BackupJob, Incident, JobStatus, Judgement, Severity, Verdict};
use anomaly_service::AnomalyService;
use anomaly_settings::Settings;
use anomaly_storage::IncidentRecord;
use serde_json::json;

use crate::{Service, job};

const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
                      connect-src 'self'; form-action 'self'; base-uri 'none'; \
                      frame-ancestors 'none'";

fn filled(service: &Service, client: &str) {
    let administrator = service.administrator();
    let key = administrator.key("ingest", &[]);
    let attack = json!({ "files_changed": 60_000, "files_unmodified": 40_000,
        "transferred_bytes": 24_000_000_000_u64 });
    let jobs = (0..40)
        .map(|day| job(client, day, &json!({ "job_id": format!("j{day}") })))
        .chain(
            [job(client, 40, &json!({ "job_id": "j40" }))].map(|mut job| {
                for (name, value) in attack.as_object().unwrap() {
                    job[name] = value.clone();
                }
                job
            }),
        );
    let lines: Vec<String> = jobs.map(|job| job.to_string()).collect();
    let body = lines.join("\n");
    let receipt = service
        .with_key(&key, "/api/v1/jobs", "application/x-ndjson", &body)
        .json();
    assert_eq!(receipt["anomalous"], 1);
}

/// A day of another year is not taken for one of this.
#[test]
fn a_day_of_another_year_says_which() {
    let service = Service::start();
    let administrator = service.administrator();
    let key = administrator.key("ingest", &[]);
    let old = json!({ "status": "failed", "started_at": "2014-11-26T22:00:00Z" });
    let body = job("mail01", 1, &old).to_string();
    service.with_key(&key, "/api/v1/jobs", "application/json", &body);
    let page = administrator.open("/").text;
    assert!(
        page.contains("on mail01, since 26 November 2014."),
        "{page}"
    );
}

/// The worst of the open incidents is told of and comes first, however many lesser ones were seen later.
#[test]
fn the_dashboard_begins_with_the_worst() {
    let service = Service::start();
    let administrator = service.administrator();
    let mut beside = AnomalyService::open(&service.database, Settings::default()).unwrap();
    let mut transaction = beside.transaction().unwrap();
    let first: DateTime<Utc> = "2026-01-01T22:00:00Z".parse().unwrap();
    for day in 0..12 {
        let severity = if day == 0 {
            Severity::High
        } else {
            Severity::Low
        };
        let at = first + TimeDelta::days(day);
        let client = format!("client{day:02}");
        let job = BackupJob::builder("restic", client.clone(), client, "daily", at);
        let kind = AnomalyKind::Failure;
        let judgement = Judgement::Anomalous { severity, kind };
        let verdict = Verdict::new(&job.build().unwrap(), judgement, "As the test says.");
        let incident = IncidentRecord {
            first_seen: at,
            last_seen: at,
            severity,
            opened_at: at,
            closed_at: None,
            details: serde_json::to_value(Incident::of(&verdict).unwrap()).unwrap(),
        };
        transaction.open_incident(&incident).unwrap();
    }
    transaction.commit().unwrap();
    let page = administrator.open("/").text;
    assert!(page.contains("headline high"), "{page}");
    let words = "More than 8 incidents are open. The worst looks like failure, on client00,";
    assert!(page.contains(words), "{page}");
    let titles = page.split("<a class=\"title\"").skip(1);
    let shown: Vec<&str> = titles
        .filter_map(|title| title.split_once(" on ")?.1.split_once("</a>"))
        .map(|(client, _)| client)
        .collect();
    let expected = [0, 11, 10, 9, 8, 7, 6, 5].map(|day| format!("client{day:02}"));
    assert_eq!(shown, expected);
}

/// A job that did not come is not the last one, and neither is one that is dated ahead; and a stream that
/// is silent is counted, where it is not named.
#[test]
fn the_dashboard_says_when_no_job_comes() {
    let service = Service::start();
    let administrator = service.administrator();
    let mut beside = AnomalyService::open(&service.database, Settings::default()).unwrap();
    let now = DateTime::<Utc>::from(SystemTime::now());
    let job = |client: &str, days_ago: i64| {
        let start = now - TimeDelta::days(days_ago);
        let job = BackupJob::builder(
            "restic",
            format!("{client}-{days_ago}"),
            client,
            "daily",
            start,
        );
        job.ended_at(start + TimeDelta::minutes(9)).build().unwrap()
    };
    // More streams than the page looks at for silent ones, and none of them is.
    let many = (0..1_000).map(|number| job(&format!("many{number}"), 60));
    beside.observe_all(many, |_| {}).unwrap();
    let usual = (10..50).rev().map(|days_ago| job("mail01", days_ago));
    beside.observe_all(usual, |_| {}).unwrap();
    let ticks = [now - TimeDelta::minutes(1), now].map(|now| beside.tick(now, |_| {}).unwrap());
    assert_eq!(ticks.map(|report| report.missed).iter().sum::<u64>(), 1);
    beside.observe(&job("ahead01", -30)).unwrap();

    let page = administrator.open("/").text;
    assert!(page.contains("The last job ended 9 days ago."), "{page}");
    assert!(page.contains("1 silent: see"), "{page}");
    assert!(
        !page.contains("Every stream whose rhythm is known"),
        "{page}"
    );
    let metrics = administrator.open("/metrics").text;
    let name = "backwatch_last_job_timestamp_seconds ";
    let last = metrics.lines().find_map(|line| line.strip_prefix(name));
    let (seconds, _) = last.unwrap().split_once('.').unwrap();
    let expected = job("mail01", 10).ended_at().unwrap();
    assert_eq!(seconds, expected.timestamp().to_string());
}

/// A setting that a reason names is set as code.
#[test]
fn a_page_shows_no_back_ticks() {
    let service = Service::start();
    let mut beside = AnomalyService::open(&service.database, Settings::default()).unwrap();
    let now = DateTime::<Utc>::from(SystemTime::now());
    let job = |days_ago: i64| {
        let start = now - TimeDelta::days(days_ago);
        BackupJob::builder("restic", days_ago.to_string(), "mail01", "daily", start)
    };
    let usual = (800..820)
        .rev()
        .map(|days_ago| job(days_ago).build().unwrap());
    beside.observe_all(usual, |_| {}).unwrap();
    let failed = job(1).status(JobStatus::Failed).build().unwrap();
    assert!(beside.observe(&failed).unwrap().verdict.is_anomalous());
    assert_eq!(beside.purge(now, 1_000).unwrap().jobs, 20);
    let page = service.administrator().open("/anomalies/restic/1").text;
    let shown = "they are old (<code>storage.retention_days</code>). The backup tool";
    assert!(page.contains(shown) && !page.contains('`'), "{page}");
}

/// Hostile names: every page has to show them as text.
const HOSTILE: &str = "<script>alert(1)</script>\"'&";

#[test]
fn every_page_shows_and_trusts_nothing() {
    let service = Service::start();
    filled(&service, HOSTILE);
    let mut browser = service.browser();
    browser.sign_in("ann", crate::client::PASSWORD, "");
    for path in [
        "/",
        "/anomalies",
        "/anomalies?severity=low&kind=&status=&client=&policy=&sort=&least_score=&started_from=",
        "/anomalies?contains=%3Cscript%3Ealert(1)&sort=policy&started_until=2100-01-01",
        "/anomalies/restic/j40",
        "/incidents",
        "/incidents/1",
        "/streams",
        "/sources",
        "/settings",
        "/notifications",
        "/bell",
        "/bell/menu",
        "/audit",
        "/account",
        "/users",
    ] {
        let page = browser.open(path);
        assert_eq!(page.status, 200, "{path}: {}", page.text);
        assert_eq!(page.header("content-security-policy"), POLICY, "{path}");
        assert_eq!(page.header("cache-control"), "no-store", "{path}");
        assert!(!page.text.contains("<script>alert"), "{path}");
        assert!(!page.text.contains(" style="), "{path} has a style in line");
        let elsewhere = page.text.match_indices("://").filter(|(at, _)| {
            let before = &page.text[..*at];
            !before.ends_with("http") || !page.text[*at..].starts_with("://127.0.0.1")
        });
        let elsewhere: Vec<&str> = elsewhere
            .map(|(at, _)| &page.text[at.saturating_sub(10)..(at + 20).min(page.text.len())])
            .collect();
        let named = |text: &&str| !text.contains("www.w3.org");
        assert!(!elsewhere.iter().any(named), "{path}: {elsewhere:?}");
    }
    assert_eq!(browser.open("/nothing").status, 404);
    assert_eq!(browser.open("/anomalies/restic/nothing").status, 404);
    let asset = browser.open("/assets/nothing");
    assert_eq!(asset.status, 404);
    assert!(asset.text.contains("no such thing"), "{}", asset.text);
}

/// A job whose id browsers take for a step in a path has a page, and is decided about, like any other.
#[test]
fn a_job_named_like_a_step_has_a_page() {
    let service = Service::start();
    let mut administrator = service.administrator();
    let key = administrator.key("ingest", &[]);
    for (source, job_id) in [("restic", ".."), ("..", ".")] {
        let failed = json!({ "status": "failed", "source": source, "job_id": job_id });
        let body = job("mail01", 1, &failed).to_string();
        service.with_key(&key, "/api/v1/jobs", "application/json", &body);
    }
    let list = administrator.open("/anomalies").text;
    for page in ["/anomalies/restic/~..", "/anomalies/~../~."] {
        assert!(list.contains(&format!("href=\"{page}\"")), "{list}");
        let shown = administrator.open(page);
        assert_eq!(shown.status, 200, "{}", shown.text);
        let reviews = format!("{page}/reviews");
        assert!(
            shown.text.contains(&format!("action=\"{reviews}\"")),
            "{}",
            shown.text
        );
        let answer = administrator.send(&reviews, &[("status", "confirmed")]);
        assert_eq!((answer.status, answer.header("location")), (303, page));
        let record = administrator.open(&format!("/api/v1{page}"));
        assert_eq!(record.status, 200, "{}", record.text);
    }
}

#[test]
fn forms_decide_about_anomalies() {
    let service = Service::start();
    filled(&service, "mail01");
    let mut browser = service.browser();
    browser.sign_in("ann", crate::client::PASSWORD, "");
    let page = "/anomalies/restic/j40";
    let form = [
        ("status", "false_positive"),
        ("scope", "this_job"),
        ("reason", "a move"),
    ];
    let answer = browser.send(&format!("{page}/reviews"), &form);
    assert_eq!((answer.status, answer.header("location")), (303, page));
    assert!(
        browser
            .open(page)
            .text
            .contains("called it false positive: a move")
    );
    browser.send(&format!("{page}/reviews/take-back"), &[]);
    assert!(
        browser
            .open("/anomalies?status=not_reviewed")
            .text
            .contains("j40")
    );
    let form = [
        ("job", "restic/j40"),
        ("status", "ignored"),
        ("back", "/anomalies?client=mail01"),
    ];
    let answer = browser.send("/anomalies/reviews", &form);
    assert_eq!(answer.header("location"), "/anomalies?client=mail01");
    assert!(
        browser
            .open("/anomalies?status=ignored")
            .text
            .contains("j40")
    );
    // What is not done says why: of one page and of many alike.
    let form = [("status", "false_positive"), ("scope", "this_stream")];
    let one = browser.send(&format!("{page}/reviews"), &form);
    let many = browser.send(
        "/anomalies/reviews",
        &[&form[..], &[("job", "restic/j40")]].concat(),
    );
    let why = "a false positive that covers later jobs needs a reason";
    assert!(one.text.contains(why), "{}", one.text);
    assert_eq!(many.status, 409, "{}", many.text);
    assert!(many.text.contains("0 of 1 were decided."), "{}", many.text);
    assert!(many.text.contains(why), "{}", many.text);
}

#[test]
fn a_spreadsheet_takes_nothing_for_a_formula() {
    let service = Service::start();
    filled(&service, "=cmd()\"x\",y");
    let mut browser = service.browser();
    browser.sign_in("ann", crate::client::PASSWORD, "");
    let file = browser.open("/anomalies.csv");
    assert_eq!(file.header("content-type"), "text/csv; charset=utf-8");
    let lines: Vec<&str> = file.text.lines().collect();
    let columns = "job_id,client,policy_type,count,score,severity,summary,received_at,review_status,\
                   policy,schedule,schedule_type,kind,started_at,source";
    assert_eq!(lines[0], columns);
    assert!(
        lines[1].starts_with("\"j40\",\"'=cmd()\"\"x\"\",y\",\"\",\""),
        "{}",
        lines[1]
    );
}
