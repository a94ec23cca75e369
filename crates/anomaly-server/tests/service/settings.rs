//! Settings that programs change, by whom, and what a change would have found.

use std::time::{Duration, Instant};

use anomaly_service::{AnomalyService, SettingsRequest};
use anomaly_settings::Settings;
use serde_json::{Value, json};

use crate::client::{Answer, Browser, PASSWORD};
use crate::{Service, job};

pub(crate) const SETTINGS: &str = "/api/v1/settings";

fn tag(browser: &Browser<'_>) -> String {
    browser.open(SETTINGS).header("etag").to_owned()
}

pub(crate) fn patch(browser: &Browser<'_>, body: &Value) -> Answer {
    let tag = tag(browser);
    browser.call_with(&[("if-match", &tag)], "PATCH", SETTINGS, Some(body))
}

fn refused(answer: &Answer) -> (u16, String) {
    let code = answer.json()["code"].as_str().unwrap().to_owned();
    assert_eq!(answer.header("content-type"), "application/problem+json");
    (answer.status, code)
}

/// Another user, signed in.
pub(crate) fn another<'a>(
    service: &'a Service,
    by: &Browser<'_>,
    name: &str,
    role: &str,
) -> Browser<'a> {
    let new = json!({ "name": name, "password": PASSWORD, "role": role });
    assert_eq!(by.call("POST", "/api/v1/users", Some(&new)).status, 201);
    let mut browser = service.browser();
    browser.sign_in(name, PASSWORD, "");
    browser
}

pub(crate) fn verdict(service: &Service, key: &str, client: &str, day: u32) -> String {
    let body = job(client, day, &json!({})).to_string();
    let receipt = service.with_key(key, "/api/v1/jobs", "application/json", &body);
    let verdict = &receipt.json()["records"][0]["verdict"]["state"];
    verdict.as_str().unwrap_or_default().to_owned()
}

/// Jobs, the last of which is an attack.
pub(crate) fn attacked(service: &Service, key: &str, client: &str) {
    let attack = json!({ "files_changed": 60_000, "files_unmodified": 40_000,
        "transferred_bytes": 24_000_000_000_u64 });
    let mut lines: Vec<String> = (0..40)
        .map(|day| job(client, day, &json!({})).to_string())
        .collect();
    lines.push(job(client, 40, &attack).to_string());
    let body = lines.join("\n");
    let receipt = service.with_key(key, "/api/v1/jobs", "application/x-ndjson", &body);
    assert_eq!(receipt.json()["anomalous"], 1, "{}", receipt.text);
}

#[test]
fn settings_are_changed_by_who_has_seen_them() {
    let service = Service::start();
    let administrator = service.administrator();
    let key = administrator.key("ingest", &[]);
    assert_eq!(verdict(&service, &key, "mail01", 1), "warming_up");

    let off =
        json!({ "keys": { "detection.enabled": false, "detection.seed": 7 }, "reason": "a move" });
    let without = administrator.call("PATCH", SETTINGS, Some(&off));
    assert_eq!(refused(&without), (428, "if_match_missing".into()));
    let seen = tag(&administrator);
    for old in ["\"0\"", "W/\"1\"", "nonsense"] {
        let stale = administrator.call_with(&[("if-match", old)], "PATCH", SETTINGS, Some(&off));
        assert_eq!(refused(&stale), (412, "stale".into()), "{old}");
    }
    for role in ["viewer", "operator"] {
        let other = another(&service, &administrator, role, role);
        assert_eq!(refused(&patch(&other, &off)), (403, "forbidden".into()));
        assert_eq!(other.open("/api/v1/settings/keys").status, 200);
    }

    let changed = patch(&administrator, &off);
    assert_eq!(changed.status, 200, "{}", changed.text);
    let parts = &changed.json()["parts"];
    assert_eq!(parts[0]["part"], "detection.enabled");
    assert_eq!(
        (&parts[0]["state"], &parts[0]["loosens"]),
        (&json!("in_force"), &json!(true))
    );
    assert!(parts[0]["until"].is_string(), "what loosens ends: {parts}");
    assert_eq!(
        (&parts[1]["after"], &parts[1]["until"]),
        (&json!(7), &Value::Null)
    );
    let holds = administrator.open(SETTINGS);
    assert_eq!(holds.json()["detection"]["enabled"], false);
    assert_eq!(holds.header("etag"), changed.header("etag"));
    assert_ne!(holds.header("etag"), seen);
    assert_eq!(verdict(&service, &key, "mail01", 2), "not_scored");
    let stale = administrator.call_with(&[("if-match", &seen)], "PATCH", SETTINGS, Some(&off));
    assert_eq!(refused(&stale), (412, "stale".into()));

    let any = json!({ "keys": { "detection.seed": 8 } });
    let any = administrator.call_with(&[("if-match", "*")], "PATCH", SETTINGS, Some(&any));
    assert_eq!(any.status, 200, "{}", any.text);

    // Back to the default, which loosens nothing; and who did it all is kept.
    let on = json!({ "keys": { "detection.enabled": null } });
    assert_eq!(
        patch(&administrator, &on).json()["parts"][0]["state"],
        "in_force"
    );
    assert_eq!(verdict(&service, &key, "mail01", 3), "warming_up");
    let again = patch(&administrator, &on);
    assert_eq!(again.json()["parts"][0]["state"], "unchanged");
    let audit = administrator
        .open("/api/v1/audit?subject=detection.enabled")
        .json();
    let loosening = audit["items"]
        .as_array()
        .unwrap()
        .iter()
        .find(|entry| entry["what"] == "loosening");
    let loosening = loosening.unwrap();
    assert_eq!(
        (&loosening["who"], &loosening["reason"]),
        (&json!("ann"), &json!("a move"))
    );
}

/// Another process on the same database changes settings too: `backwatch settings set`.
#[test]
fn what_somebody_else_changes_meanwhile_is_seen_and_not_overwritten() {
    let service = Service::start();
    let administrator = service.administrator();
    let seen = tag(&administrator);
    let mut beside = AnomalyService::open(&service.database, Settings::default()).unwrap();
    let request = SettingsRequest {
        parts: vec![("detection.seed".to_owned(), Some(json!(5)))],
        by: "root".to_owned(),
        reason: None,
        until: None,
    };
    let now = std::time::SystemTime::now().into();
    beside.set_settings(&request, None, now).unwrap();
    let change = json!({ "keys": { "detection.seed": 7 } });
    let stale = administrator.call_with(&[("if-match", &seen)], "PATCH", SETTINGS, Some(&change));
    assert_eq!(refused(&stale), (412, "stale".into()));
    assert_eq!(administrator.open(SETTINGS).json()["detection"]["seed"], 5);
    let changed = patch(&administrator, &change).json();
    assert_eq!(changed["parts"][0]["before"], 5, "{changed}");
}

#[test]
fn what_is_wrong_is_named_and_changes_nothing() {
    let service = Service::start();
    let administrator = service.administrator();
    let before = tag(&administrator);
    let wrong = json!({ "keys": { "detection.seed": 7, "detection.alarm_budget": 99,
        "detection.alarm_budge": 1 }, "scopes": [{ "client": "a", "detection": { "enabled": 1 } }] });
    let answer = patch(&administrator, &wrong);
    assert_eq!(refused(&answer).0, 422);
    let errors = answer.json()["errors"].clone();
    let codes: Vec<(&str, &str)> = errors
        .as_array()
        .unwrap()
        .iter()
        .map(|error| {
            (
                error["part"].as_str().unwrap(),
                error["code"].as_str().unwrap(),
            )
        })
        .collect();
    let expected = [
        ("detection.alarm_budge", "setting_unknown"),
        ("detection.alarm_budget", "setting_not_allowed"),
        ("scope", "setting_not_allowed"),
    ];
    assert_eq!(codes, expected);
    assert_eq!(errors[1]["allowed"], "a number from 0.01 to 36.5");
    for (body, code) in [
        (json!({}), "nothing_to_change"),
        (
            json!({ "keys": { "detection.seed": 7 }, "until": "2020-01-01T00:00:00Z" }),
            "end_refused",
        ),
        (
            json!({ "keys": { "detection.enabled": false }, "until": "2999-01-01T00:00:00Z" }),
            "end_refused",
        ),
        (
            json!({ "keys": { "detection.seed": 7 }, "reason": "x".repeat(1_001) }),
            "settings_refused",
        ),
    ] {
        assert_eq!(
            refused(&patch(&administrator, &body)),
            (422, code.into()),
            "{body}"
        );
    }
    assert_eq!(tag(&administrator), before);
}

#[test]
fn what_the_file_sets_is_changed_in_the_file() {
    let file =
        "[detection]\nalarm_budget = 4\n\n[[scope]]\nclient = 'lab'\ndetection.enabled = false\n";
    let service = Service::configured(file, "");
    let administrator = service.administrator();
    let keys = administrator.open("/api/v1/settings/keys").json();
    let budget = keys
        .as_array()
        .unwrap()
        .iter()
        .find(|key| key["name"] == "detection.alarm_budget");
    let budget = budget.unwrap();
    assert_eq!(
        (&budget["value"], &budget["default"]),
        (&json!(4.0), &json!("1.0"))
    );
    assert!(
        budget["fixed_by"]
            .as_str()
            .unwrap()
            .ends_with("settings.toml:2:1")
    );
    for body in [
        json!({ "keys": { "detection.alarm_budget": 2, "detection.seed": 7 } }),
        json!({ "scopes": [{ "client": "lab" }] }),
    ] {
        let answer = patch(&administrator, &body);
        assert_eq!(refused(&answer), (409, "setting_fixed".into()));
        assert!(
            answer.json()["detail"]
                .as_str()
                .unwrap()
                .contains("settings.toml:")
        );
    }
    let holds = administrator.open(SETTINGS).json();
    assert_eq!(
        (
            &holds["detection"]["alarm_budget"],
            &holds["detection"]["seed"]
        ),
        (&json!(4.0), &json!(0))
    );
    assert_eq!(
        patch(&administrator, &json!({ "keys": { "detection.seed": 7 } })).status,
        200
    );
    let page = administrator.open("/settings").text;
    assert!(!page.contains("name=\"detection.alarm_budget\""), "{page}");
    assert!(page.contains("settings.toml:2:1"), "{page}");
}

#[test]
fn a_scope_is_set_and_taken_away() {
    let service = Service::start();
    let administrator = service.administrator();
    let key = administrator.key("ingest", &[]);
    let scope = json!({ "client": "lab", "detection": { "enabled": false } });
    let until = "2099-01-01T00:00:00Z";
    let endless = json!({ "keys": { "guard.endless": true } });
    assert_eq!(patch(&administrator, &endless).status, 200);
    let set = patch(
        &administrator,
        &json!({ "scopes": [scope], "until": until }),
    );
    assert_eq!(
        set.json()["parts"][0]["part"],
        "scope client lab",
        "{}",
        set.text
    );
    assert_eq!(set.json()["parts"][0]["after"]["until"], until);
    assert_eq!(verdict(&service, &key, "lab", 1), "not_scored");
    assert_eq!(verdict(&service, &key, "mail01", 1), "warming_up");
    let gone = patch(&administrator, &json!({ "scopes": [{ "client": "lab" }] }));
    assert_eq!(gone.json()["parts"][0]["after"], Value::Null);
    assert_eq!(verdict(&service, &key, "lab", 2), "warming_up");
}

#[test]
fn a_second_person_is_another_person() {
    let service = Service::start();
    let administrator = service.administrator();
    let bob = another(&service, &administrator, "bob", "administrator");
    let eve = another(&service, &administrator, "eve", "operator");
    let guard = json!({ "keys": { "guard.second_person": true } });
    assert_eq!(patch(&administrator, &guard).status, 200);

    let off = json!({ "keys": { "detection.rules.clock": false }, "reason": "wrong clocks" });
    let asked = patch(&administrator, &off);
    assert_eq!(asked.status, 202, "{}", asked.text);
    assert_eq!(asked.json()["parts"][0]["state"], "waiting");
    let number = asked.json()["parts"][0]["proposal"].as_u64().unwrap();
    let holds = || administrator.open(SETTINGS).json()["detection"]["rules"]["clock"].clone();
    let waiting = || administrator.open("/api/v1/settings/proposals").json();
    assert_eq!(holds(), true);
    assert_eq!(waiting()[0]["number"], number);
    assert_eq!(waiting()[0]["reason"], "wrong clocks");

    let one = format!("/api/v1/settings/proposals/{number}");
    let approve = format!("{one}/approve");
    assert_eq!(
        refused(&administrator.call("POST", &approve, None)),
        (403, "same_person".into())
    );
    assert_eq!(
        refused(&eve.call("POST", &approve, None)),
        (403, "forbidden".into())
    );
    assert_eq!(holds(), true);
    let mine = administrator.open("/settings").text;
    assert!(
        mine.contains(">Withdraw<") && !mine.contains(">Approve<"),
        "{mine}"
    );
    assert!(bob.open("/settings").text.contains(">Approve<"));
    assert!(!eve.open("/settings").text.contains(">Approve<"));
    let approved = bob.call("POST", &approve, None);
    assert_eq!(
        (approved.status, &approved.json()["seconded_by"]),
        (200, &json!("bob"))
    );
    assert_eq!((holds(), waiting()), (json!(false), json!([])));
    assert_eq!(
        refused(&bob.call("POST", &approve, None)),
        (404, "not_found".into())
    );
    let loosenings = administrator.open("/api/v1/settings/loosenings").json();
    assert_eq!(loosenings[0]["part"], "detection.rules.clock");

    // Who asked takes it back.
    let more = json!({ "keys": { "detection.rules.slow_job": false } });
    let number = patch(&bob, &more).json()["parts"][0]["proposal"]
        .as_u64()
        .unwrap();
    let one = format!("/api/v1/settings/proposals/{number}");
    assert_eq!(bob.call("DELETE", &one, None).status, 200);
    assert_eq!(waiting(), json!([]));
}

fn finished(browser: &Browser<'_>, path: &str) -> Value {
    let begun = Instant::now();
    loop {
        let view = browser.open(path).json();
        if view["state"] != "running" || begun.elapsed() > Duration::from_mins(1) {
            return view;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_backtest_says_what_would_be_lost_and_changes_nothing() {
    let service = Service::start();
    let administrator = service.administrator();
    let key = administrator.key("ingest", &[]);
    attacked(&service, &key, "mail01");
    let before = tag(&administrator);
    let body = json!({ "keys": { "detection.enabled": false } });
    let viewer = another(&service, &administrator, "vic", "viewer");
    assert_eq!(
        viewer.call("POST", "/api/v1/backtests", Some(&body)).status,
        403
    );
    let begun = administrator.call("POST", "/api/v1/backtests", Some(&body));
    assert_eq!(begun.status, 202, "{}", begun.text);
    let path = begun.header("location").to_owned();
    let view = finished(&viewer, &path);
    assert_eq!(view["state"], "done", "{view}");
    assert_eq!(view["settings"][0]["part"], "detection.enabled");
    let result = &view["result"];
    assert_eq!(
        (&result["jobs"], &result["before"]["anomalies"]),
        (&json!(41), &json!(1))
    );
    assert_eq!(
        (&result["lost"]["count"], &result["gained"]["count"]),
        (&json!(1), &json!(0))
    );
    assert_eq!(result["lost"]["anomalies"][0]["job"]["job_id"], "mail01-40");
    assert_eq!(result["by_stream"][0]["lost"], 1);
    assert_eq!(tag(&administrator), before.as_str());

    // Only what began later is counted; nothing did.
    let later = json!({ "keys": { "detection.enabled": false }, "since": "2099-01-01T00:00:00Z" });
    let begun = administrator.call("POST", "/api/v1/backtests", Some(&later));
    let later = begun.header("location").to_owned();
    assert_eq!(finished(&administrator, &later)["result"]["jobs"], 0);
    let wrong = json!({ "keys": { "detection.enabled": 3 } });
    let wrong = administrator.call("POST", "/api/v1/backtests", Some(&wrong));
    assert_eq!(refused(&wrong), (422, "setting_not_allowed".into()));
    assert_eq!(viewer.call("DELETE", &path, None).status, 403);
    assert_eq!(administrator.call("DELETE", &path, None).status, 204);
    assert_eq!(
        refused(&administrator.open(&path)),
        (404, "not_found".into())
    );
}
