//! What programs ask.

use std::env;
use std::fs;

use serde_json::{Value, json};

use crate::client::Browser;
use crate::{Service, job};

fn history(client: &str) -> String {
    let jobs = (0..40).map(|day| format!("{}\n", job(client, day, &json!({}))));
    let attack = json!({ "files_changed": 60_000, "files_unmodified": 40_000,
        "transferred_bytes": 24_000_000_000_u64 });
    jobs.chain([format!("{}\n", job(client, 40, &attack))])
        .collect()
}

/// The administrator of a service that was handed such a history.
fn attacked(service: &Service) -> Browser<'_> {
    let administrator = service.administrator();
    let key = administrator.key("ingest", &[]);
    let history = history("mail01");
    service.with_key(&key, "/api/v1/jobs", "application/x-ndjson", &history);
    administrator
}

#[test]
fn jobs_are_judged_kept_and_known_the_second_time() {
    let mut service = Service::start();
    let administrator = service.administrator();
    let key = administrator.key("ingest", &["restic"]);
    let post = |body: &str| service.with_key(&key, "/api/v1/jobs", "application/x-ndjson", body);

    let receipt = post(&history("mail01"));
    assert_eq!(receipt.status, 200, "{}", receipt.text);
    let receipt = receipt.json();
    assert_eq!(
        (&receipt["new_jobs"], &receipt["anomalous"]),
        (&json!(41), &json!(1))
    );
    let last = &receipt["records"][40];
    assert_eq!(
        (&last["place"], &last["outcome"]),
        (&json!("line 41"), &json!("new"))
    );
    assert_eq!(last["verdict"]["state"], "anomalous");
    let again = post(&history("mail01")).json();
    assert_eq!(
        (&again["new_jobs"], &again["known_jobs"]),
        (&json!(0), &json!(41))
    );
    // What was found before is not for who only hands over.
    assert_eq!(
        again["records"][40],
        json!({ "place": "line 41", "outcome": "known" })
    );

    // One bad record loses nothing else; a tool that the key is not for is refused.
    let mixed = format!(
        "{}\nnonsense\n{}\n",
        job("mail02", 1, &json!({})),
        job("mail02", 2, &json!({ "source": "borg" }))
    );
    let receipt = post(&mixed).json();
    let outcomes: Vec<&Value> = receipt["records"]
        .as_array()
        .unwrap()
        .iter()
        .map(|record| &record["outcome"])
        .collect();
    assert_eq!(outcomes, ["new", "refused", "refused"]);
    assert_eq!(post("nonsense\n").status, 422);
    assert_eq!(
        service
            .with_key(&key, "/api/v1/jobs", "text/plain", "x")
            .status,
        415
    );
    // What hands over jobs sees none.
    assert_eq!(
        administrator
            .call("GET", "/api/v1/jobs?limit=2", None)
            .json()["items"]
            .as_array()
            .unwrap()
            .len(),
        2
    );

    let anomalies = administrator.call("GET", "/api/v1/anomalies", None).json();
    assert_eq!(anomalies["items"][0]["verdict"]["job_id"], "mail01-40");
    service.stop();
}

/// A job that cannot be told from another one is lost if nobody hears of it.
#[test]
fn a_job_that_is_not_kept_is_named() {
    let service = Service::start();
    let administrator = service.administrator();
    let post = |key: &str, jobs: &[Value]| {
        let lines: Vec<String> = jobs.iter().map(ToString::to_string).collect();
        service.with_key(
            key,
            "/api/v1/jobs",
            "application/x-ndjson",
            &lines.join("\n"),
        )
    };
    let (ingest, operator) = (
        administrator.key("ingest", &[]),
        administrator.key("operator", &[]),
    );
    let first = job("mail01", 1, &json!({}));
    let other = job("web01", 1, &json!({ "job_id": "mail01-1" }));
    let later = job("mail01", 9, &json!({ "job_id": "mail01-1" }));
    assert_eq!(post(&ingest, std::slice::from_ref(&first)).status, 200);

    let receipt = post(&ingest, &[first, other.clone(), later]);
    assert_eq!(receipt.status, 200, "{}", receipt.text);
    let receipt = receipt.json();
    let counts = ["new_jobs", "known_jobs", "not_kept_jobs", "refused"].map(|name| &receipt[name]);
    assert_eq!(counts, [0, 1, 2, 0]);
    for record in &receipt["records"].as_array().unwrap()[1..] {
        assert_eq!(record["outcome"], "not_kept");
        let reason = record["reason"].as_str().unwrap();
        assert!(!reason.contains("mail01"), "whose is not its: {reason}");
    }
    // `curl --fail` fails where nothing was kept; who may see jobs is told which one is in the way.
    let receipt = post(&operator, &[other]);
    assert_eq!(receipt.status, 422, "{}", receipt.text);
    assert!(
        receipt.text.contains("of mail01, started 2026-09-02"),
        "{}",
        receipt.text
    );
}

#[test]
fn an_anomaly_is_reviewed_and_taken_back() {
    let service = Service::start();
    let administrator = attacked(&service);
    let path = "/api/v1/anomalies/restic/mail01-40";
    let reviews = format!("{path}/reviews");

    let decision = json!({ "status": "false_positive", "scope": "this_stream", "reason": "moved" });
    let decided = administrator.call("POST", &reviews, Some(&decision)).json();
    assert_eq!(decided["review"]["reviewer"], "ann");
    assert!(decided["review"]["expires_at"].is_string(), "{decided}");
    let listed = |status| {
        let found = administrator.call("GET", &format!("/api/v1/anomalies?status={status}"), None);
        found.json()["items"].as_array().unwrap().len()
    };
    assert_eq!((listed("false_positive"), listed("not_reviewed")), (1, 0));
    assert_eq!(administrator.call("DELETE", &reviews, None).status, 200);
    assert_eq!((listed("false_positive"), listed("not_reviewed")), (0, 1));
    let nothing = administrator.call("DELETE", &reviews, None);
    assert_eq!(
        (nothing.status, nothing.json()["code"].as_str()),
        (422, Some("review_refused"))
    );

    let many = json!({ "jobs": [{ "source": "restic", "job_id": "mail01-40" },
        { "source": "restic", "job_id": "gone" }], "decision": { "status": "confirmed" } });
    let answers = administrator
        .call("POST", "/api/v1/reviews", Some(&many))
        .json();
    assert_eq!(answers[0]["done"]["review"]["status"], "confirmed");
    assert_eq!(answers[1]["problem"]["code"], "not_found");
    let record = administrator.call("GET", path, None).json();
    assert_eq!(record["reviews"].as_array().unwrap().len(), 3);
    assert!(record["incident"].is_number());
    let incident = record["incident"].to_string();
    let incident = administrator.call("GET", &format!("/api/v1/incidents/{incident}"), None);
    assert_eq!(
        incident.json()["incident"]["clients"]["names"],
        json!(["mail01"])
    );
    let recovery = administrator.call("GET", "/api/v1/clients/mail01/recovery-points", None);
    assert_eq!(
        recovery.json()[0]["image"]["job"]["key"]["job_id"],
        "mail01-39"
    );
}

#[test]
fn lists_go_on_where_they_ended() {
    let service = Service::start();
    let administrator = attacked(&service);
    let mut seen = Vec::new();
    let mut path = "/api/v1/jobs?limit=7".to_owned();
    loop {
        let page = administrator.call("GET", &path, None).json();
        let items = page["items"].as_array().unwrap();
        seen.extend(
            items
                .iter()
                .map(|item| item["job"]["job_id"].as_str().unwrap().to_owned()),
        );
        match page["next"].as_str() {
            Some(next) => path = format!("/api/v1/jobs?limit=7&cursor={next}"),
            None => break,
        }
    }
    let expected: Vec<String> = (0..=40).rev().map(|day| format!("mail01-{day}")).collect();
    assert_eq!(seen, expected);
    for bad in [
        "limit=0",
        "limit=1001",
        "cursor=nonsense",
        "client=",
        "unknown=1",
    ] {
        let answer = administrator.call("GET", &format!("/api/v1/jobs?{bad}"), None);
        assert_eq!(
            (answer.status, answer.header("content-type")),
            (400, "application/problem+json"),
            "{bad}"
        );
    }
}

/// Anomalies of several clients, in an order of their own: each page goes on where the one before
/// ended, and the file has them all.
#[test]
fn anomalies_are_filtered_sorted_and_paged() {
    let service = Service::start();
    let administrator = service.administrator();
    let key = administrator.key("ingest", &[]);
    let post = |body: &str| service.with_key(&key, "/api/v1/jobs", "application/x-ndjson", body);
    for (client, kind) in [
        ("mail01", "oracle"),
        ("web02", "filesystem"),
        ("web03", "oracle"),
        ("db04", "oracle"),
        ("db05", "filesystem"),
        ("home06", "filesystem"),
        ("home07", "filesystem"),
    ] {
        let policy = json!({ "policy_type": kind, "schedule": "nightly", "schedule_type": "full" });
        let attack = json!({ "policy_type": kind, "schedule": "nightly", "schedule_type": "full",
            "files_changed": 60_000, "files_unmodified": 40_000,
            "transferred_bytes": 24_000_000_000_u64 });
        let days = (0..41).map(|day| {
            if day < 40 {
                (day, &policy)
            } else {
                (day, &attack)
            }
        });
        let lines: Vec<String> = days
            .map(|(day, extra)| job(client, day, extra).to_string())
            .collect();
        assert_eq!(post(&lines.join("\n")).status, 200);
    }
    let list = |asked: &str| -> Vec<Value> {
        let (mut found, mut cursor) = (Vec::new(), String::new());
        loop {
            let path = format!("/api/v1/anomalies?limit=2&{asked}{cursor}");
            let page = administrator.open(&path);
            assert_eq!(page.status, 200, "{asked}: {}", page.text);
            let page = page.json();
            found.extend(page["items"].as_array().unwrap().iter().cloned());
            match page["next"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return found,
            }
        }
    };
    let all = list("");
    assert_eq!(all.len(), 7);
    let of = |place: &str, found: &[Value]| -> Vec<Value> {
        let values = found.iter().map(|one| one.pointer(place).unwrap().clone());
        values.collect()
    };
    for (sort, place) in [
        ("client", "/verdict/client"),
        ("policy", "/verdict/policy"),
        ("score", "/verdict/score"),
        ("count", "/count"),
        ("received", "/received_at"),
        ("started", "/verdict/started_at"),
    ] {
        let (up, down) = (
            list(&format!("sort={sort}")),
            list(&format!("sort=-{sort}")),
        );
        assert_eq!((up.len(), down.len()), (all.len(), all.len()), "{sort}");
        let ids = |found: &[Value]| {
            let mut ids = of("/verdict/job_id", found);
            ids.sort_by_key(ToString::to_string);
            ids.dedup();
            ids.len()
        };
        assert_eq!((ids(&up), ids(&down)), (all.len(), all.len()), "{sort}");
        let (up, mut down) = (of(place, &up), of(place, &down));
        down.reverse();
        assert_eq!(up, down, "{sort}");
        let key = |value: &Value| (value.as_f64().unwrap_or(0.0), value.to_string());
        assert!(up.is_sorted_by(|a, b| key(a) <= key(b)), "{sort}: {up:?}");
    }
    let oracle = list("policy_type=oracle&schedule=nightly&schedule_type=full&contains=WEB");
    assert!(
        of("/verdict/client", &oracle)
            .iter()
            .all(|name| name == "web03")
    );
    assert_eq!(oracle.len(), list("client=web03").len());
    assert_eq!(list("least_score=299"), [] as [Value; 0]);
    assert_eq!(
        list("least_score=0").len(),
        list("sort=-score&least_score=0").len()
    );
    assert_eq!(list("started_from=2200-01-01"), [] as [Value; 0]);
    let file = administrator.open("/anomalies.csv?sort=client");
    assert_eq!(file.text.lines().count(), all.len() + 1);
    for bad in ["sort=nothing", "least_score=much", "started_from=lately"] {
        let answer = administrator.open(&format!("/api/v1/anomalies?{bad}"));
        assert_eq!(answer.status, 400, "{bad}");
    }
}

#[test]
fn the_description_of_the_interface_is_golden() {
    let service = Service::start();
    let mut document = service.browser().open("/api/v1/openapi.json").json();
    // In which order they come depends on what else is built.
    document.sort_all_objects();
    let text = format!("{}\n", serde_json::to_string_pretty(&document).unwrap());
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/openapi.json");
    if env::var_os("BLESS").is_some() {
        fs::write(path, &text).unwrap();
    }
    let golden = fs::read_to_string(path).unwrap_or_default();
    assert!(
        golden == text,
        "docs/openapi.json differs; BLESS=1 writes it anew"
    );
}

#[test]
fn the_health_is_there_for_anyone_and_the_metrics_are_not() {
    let service = Service::start();
    let stranger = service.browser();
    let health = stranger.open("/health");
    assert_eq!(
        (health.status, &health.json()["status"]),
        (200, &json!("ok"))
    );
    assert_eq!(stranger.open("/metrics").status, 401);
    assert_eq!(service.administrator().open("/metrics").status, 200);
}

/// A large body is taken as far as it is promised, and what is in it has an end.
#[test]
fn a_body_has_so_many_bytes_and_so_many_records() {
    let service = Service::start();
    let key = service.administrator().key("ingest", &[]);
    let hand_over =
        |body: &str| service.with_key(&key, "/api/v1/jobs", "application/x-ndjson", body);
    // One record, with room around it: 12 of the 16 MiB.
    let long = format!("{}{}\n", job("mail01", 1, &json!({})), " ".repeat(12 << 20));
    let answer = hand_over(&long);
    assert_eq!(answer.status, 200, "{}", answer.text);
    let answer = hand_over(&"1\n".repeat(10_001));
    assert_eq!(answer.status, 413);
    assert_eq!(answer.json()["code"], "too_many_records");
}

/// What somebody makes up is no failure of the service, and takes nobody else's place.
#[test]
fn what_is_made_up_is_answered_as_such() {
    let service = Service::start();
    let administrator = service.administrator();
    let key = administrator.key("ingest", &[]);
    let failed = job("mail01", 1, &json!({ "status": "failed" })).to_string();
    service.with_key(&key, "/api/v1/jobs", "application/json", &failed);
    // Base64 of the largest number.
    let cursor = "/api/v1/incidents?cursor=MTg0NDY3NDQwNzM3MDk1NTE2MTU";
    assert_eq!(administrator.open(cursor).status, 410);
    let book = json!({ "status": "confirmed", "reason": "x".repeat(3_000) });
    let path = "/api/v1/anomalies/restic/mail01-1/reviews";
    let answer = administrator.call("POST", path, Some(&book));
    assert_eq!(answer.status, 422, "{}", answer.text);
    assert!(answer.text.contains("2000 characters"), "{}", answer.text);
}
