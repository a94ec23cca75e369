//! Signing in, and what it takes to do anything.

use serde_json::{Value, json};

use crate::client::PASSWORD;
use crate::file_sink::{to_file, told};
use crate::{Service, job};

#[test]
fn the_first_administrator_needs_the_code_that_was_printed() {
    let service = Service::start();
    let mut stranger = service.browser();
    assert_eq!(stranger.open("/").header("location"), "/sign-in");
    assert_eq!(stranger.open("/sign-in").header("location"), "/first-run");
    let form = [("code", "guess"), ("name", "eve"), ("password", PASSWORD)];
    assert_eq!(stranger.send("/first-run", &form).status, 422);
    let form = [
        ("code", service.code.as_str()),
        ("name", "ann"),
        ("password", "short"),
    ];
    assert_eq!(stranger.send("/first-run", &form).status, 422);

    let administrator = service.administrator();
    assert_eq!(administrator.open("/").status, 200);
    // The code is worth nothing any more.
    let form = [
        ("code", service.code.as_str()),
        ("name", "eve"),
        ("password", PASSWORD),
    ];
    assert_eq!(stranger.send("/first-run", &form).status, 422);
    assert_eq!(stranger.open("/first-run").header("location"), "/sign-in");
}

#[test]
fn who_signs_in_has_to_know_the_password() {
    let service = Service::start();
    drop(service.administrator());
    let mut browser = service.browser();
    for (name, password) in [
        ("ann", "wrong"),
        ("nobody", PASSWORD),
        ("", ""),
        ("ann", ""),
    ] {
        let answer = browser.sign_in(name, password, "");
        assert_eq!(answer.status, 401);
        assert_eq!(answer.header("set-cookie"), "");
    }
    let answer = browser.sign_in("ann", PASSWORD, "");
    assert_eq!((answer.status, answer.header("location")), (303, "/"));
    let cookie = answer.header("set-cookie");
    assert!(
        cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"),
        "{cookie}"
    );
    assert_eq!(browser.open("/").status, 200);

    let before = browser.cookie.clone();
    browser.sign_in("ann", PASSWORD, "");
    assert_ne!(
        browser.cookie, before,
        "a session that was there before is not taken over"
    );
    browser.send("/sign-out", &[]);
    assert_eq!(
        browser.open("/anomalies").header("location"),
        "/sign-in?next=%2Fanomalies"
    );
    browser.cookie = before;
    assert_eq!(browser.open("/").status, 303);
}

#[test]
fn only_addresses_of_the_service_follow_a_sign_in() {
    let service = Service::start();
    drop(service.administrator());
    for (next, location) in [
        ("/anomalies?client=a", "/anomalies?client=a"),
        ("https://evil.example", "/"),
        ("//evil.example", "/"),
        ("/\\evil.example", "/"),
        ("/a\nb", "/"),
    ] {
        let form = [("name", "ann"), ("password", PASSWORD), ("next", next)];
        let answer = service.browser().send("/sign-in", &form);
        assert_eq!(answer.header("location"), location, "{next:?}");
    }
}

#[test]
fn pages_of_other_sites_cannot_act_for_somebody() {
    let service = Service::start();
    let administrator = service.administrator();
    let form = [
        ("name", "eve"),
        ("password", PASSWORD),
        ("role", "administrator"),
    ];
    for site in ["cross-site", "same-site"] {
        assert_eq!(administrator.send_from(site, "/users", &form).status, 403);
    }
    let users = administrator.call("GET", "/api/v1/users", None).json();
    assert_eq!(users.as_array().unwrap().len(), 1);
}

#[test]
fn a_session_ends_with_the_right_to_it() {
    let service = Service::start();
    let administrator = service.administrator();
    let new = json!({ "name": "bob", "password": PASSWORD, "role": "operator" });
    assert_eq!(
        administrator
            .call("POST", "/api/v1/users", Some(&new))
            .status,
        201
    );
    assert_eq!(
        administrator
            .call("POST", "/api/v1/users", Some(&new))
            .status,
        409
    );

    let mut bob = service.browser();
    bob.sign_in("bob", PASSWORD, "");
    assert_eq!(bob.open("/").status, 200);
    assert_eq!(bob.call("GET", "/api/v1/users", None).status, 403);
    let role = json!({ "role": "viewer" });
    assert_eq!(
        administrator
            .call("PATCH", "/api/v1/users/bob", Some(&role))
            .status,
        204
    );
    assert_eq!(bob.open("/").status, 303);
    bob.sign_in("bob", PASSWORD, "");
    assert_eq!(bob.open("/").status, 200);
    assert_eq!(
        administrator
            .call("DELETE", "/api/v1/users/bob", None)
            .status,
        204
    );
    assert_eq!(bob.open("/").status, 303);

    // Somebody has to be left who lets others in.
    let refused = administrator.call("DELETE", "/api/v1/users/ann", None);
    assert_eq!(
        (refused.status, refused.json()["code"].as_str()),
        (422, Some("account_refused"))
    );
    let audit = administrator.call("GET", "/api/v1/audit", None).json();
    let what: Vec<&str> = audit["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry["what"].as_str().unwrap())
        .collect();
    let expected = [
        "remove_user",
        "set_role",
        "add_user",
        "add_user",
        "settings",
    ];
    assert_eq!(what, expected, "the first settings come first");
}

/// Whoever can take over an account can be a second person too: that is told.
#[test]
fn what_is_done_to_another_account_is_told() {
    let service = Service::telling(&to_file(&["system"], "ocsf"));
    let mut administrator = service.administrator();
    let new = json!({ "name": "bob", "password": PASSWORD, "role": "administrator" });
    let added = administrator.call("POST", "/api/v1/users", Some(&new));
    assert_eq!(added.status, 201);
    let change = json!({ "password": "another battery horse", "second_factor": false });
    let changed = administrator.call("PATCH", "/api/v1/users/bob", Some(&change));
    assert_eq!(changed.status, 204);
    let change = json!({ "role": "viewer" });
    administrator.call("PATCH", "/api/v1/users/bob", Some(&change));
    administrator.call("DELETE", "/api/v1/users/bob", None);
    // One's own password is nobody else's matter.
    let own = [("old", PASSWORD), ("new", "horse battery correct")];
    let own = administrator.send("/account/password", &own);
    assert_eq!(own.status, 303);

    let audit = administrator.call("GET", "/api/v1/audit", None).json();
    let entries = audit["items"].as_array().unwrap().iter();
    let entries: Vec<_> = entries
        .map(|entry| (entry["what"].as_str().unwrap(), entry["severity"].as_str()))
        .collect();
    let medium = Some("medium");
    let expected = [
        ("set_password", None),
        ("remove_user", medium),
        ("set_role", medium),
        ("remove_second_factor", medium),
        ("set_password", medium),
        ("add_user", medium),
        ("add_user", None),
        ("settings", None),
    ];
    assert_eq!(entries, expected);

    let events: Vec<Value> = told(&service, 5)
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let summaries: Vec<&str> = events
        .iter()
        .map(|event| {
            let what = &event["finding_info"];
            assert_eq!(what["types"], json!(["account_changed"]), "{event}");
            assert_eq!(event["unmapped"], json!({ "subject": "bob", "by": "ann" }));
            what["desc"].as_str().unwrap()
        })
        .collect();
    let expected = [
        "ann added bob with the role administrator.",
        "ann gave bob another password.",
        "ann took the second factor of bob away.",
        "ann gave bob the role viewer.",
        "ann removed bob.",
    ];
    assert_eq!(summaries, expected);
}

/// What is asked for in one go is done whole, or not at all.
#[test]
fn a_user_is_changed_whole_or_not_at_all() {
    let service = Service::start();
    let administrator = service.administrator();
    let new = json!({ "name": "bob", "password": PASSWORD, "role": "operator" });
    administrator.call("POST", "/api/v1/users", Some(&new));
    let mut bob = service.browser();
    bob.sign_in("bob", PASSWORD, "");
    let change = |who: &str, change: &Value| {
        let path = format!("/api/v1/users/{who}");
        administrator.call("PATCH", &path, Some(change)).status
    };
    let audited = || {
        let audit = administrator.open("/api/v1/audit").json();
        audit["items"].as_array().unwrap().len()
    };
    let before = audited();
    for (who, refused, status) in [
        ("bob", json!({ "role": "viewer", "password": "short" }), 422),
        (
            "bob",
            json!({ "password": "another battery horse", "role": "ingest" }),
            422,
        ),
        (
            "ann",
            json!({ "password": "another battery horse", "role": "viewer" }),
            422,
        ),
        ("eve", json!({}), 404),
    ] {
        assert_eq!(change(who, &refused), status, "{refused}");
    }
    assert_eq!((audited(), bob.open("/").status), (before, 200));
    assert_eq!(service.browser().sign_in("ann", PASSWORD, "").status, 303);

    let all =
        json!({ "role": "viewer", "password": "another battery horse", "second_factor": false });
    assert_eq!(change("bob", &all), 204);
    assert_eq!((audited(), bob.open("/").status), (before + 3, 303));
    assert_eq!(bob.sign_in("bob", "another battery horse", "").status, 303);
}

/// What an administrator does for others is on the page of the users.
#[test]
fn an_administrator_helps_on_the_page() {
    let service = Service::start();
    let mut ann = service.administrator();
    let form = [("name", "bob"), ("password", PASSWORD), ("role", "viewer")];
    assert_eq!(ann.send("/users", &form).status, 303);
    let mut bob = service.browser();
    bob.sign_in("bob", PASSWORD, "");
    let taken = ann.send("/users/bob/second-factor/remove", &[]);
    assert_eq!((taken.status, bob.open("/").status), (303, 303));
    let form = [("name", "bob"), ("password", "another battery horse")];
    assert_eq!(ann.send("/users/password", &form).status, 303);
    assert_eq!(bob.sign_in("bob", PASSWORD, "").status, 401);
    assert_eq!(bob.sign_in("bob", "another battery horse", "").status, 303);
    assert_eq!(bob.send("/users/password", &form).status, 403);

    let key = [("name", "old"), ("role", "ingest"), ("until", "2020-01-31")];
    let made = ann.send("/api-keys", &key).text;
    assert!(made.contains("2020-01-31"), "its last day: {made}");
    let (_, key) = made.split_once("<code class=\"secret\">").unwrap();
    let key = key.split('<').next().unwrap();
    let late = service.with_key(key, "/api/v1/jobs", "application/json", "{}");
    assert_eq!(late.status, 401);
}

#[test]
fn a_name_is_of_one_person() {
    let service = Service::start();
    let mut stranger = service.browser();
    let form = |name| {
        [
            ("code", service.code.as_str()),
            ("name", name),
            ("password", PASSWORD),
        ]
    };
    assert_eq!(stranger.send("/first-run", &form("Backwatch")).status, 422);
    let administrator = service.administrator();
    let add = |name: &str| {
        let new = json!({ "name": name, "password": PASSWORD, "role": "operator" });
        administrator
            .call("POST", "/api/v1/users", Some(&new))
            .status
    };
    for (name, status) in [
        ("backwatch", 422),
        ("BackWatch", 422),
        ("bob", 201),
        ("Bob", 409),
        ("ANN", 409),
    ] {
        assert_eq!(add(name), status, "{name}");
    }

    // A session of one who was removed is none of the next one of that name.
    stranger.sign_in("bob", PASSWORD, "");
    assert_eq!(stranger.open("/").status, 200);
    let removed = administrator.call("DELETE", "/api/v1/users/bob", None);
    assert_eq!(removed.status, 204);
    assert_eq!(add("bob"), 201);
    assert_eq!(stranger.open("/").status, 303);
}

#[test]
fn keys_are_kept_as_hashes_and_stop_when_they_are_taken_away() {
    let service = Service::start();
    let administrator = service.administrator();
    let key = administrator.key("viewer", &[]);
    let asks = |key: &str| {
        service
            .with_key(key, "/api/v1/jobs?format=auto", "text/plain", "")
            .status
    };
    assert_eq!(asks(&key), 403, "a viewer hands over nothing");
    assert_eq!(asks("bwk_aaaaaaaanothing"), 401);
    let database = std::fs::read(&service.database).unwrap();
    let log = service.database.with_extension("db-wal");
    let log = std::fs::read(log).unwrap_or_default();
    let secret = &key.as_bytes()[12..];
    let holds = |bytes: &[u8]| bytes.windows(secret.len()).any(|window| window == secret);
    assert!(!holds(&database) && !holds(&log));

    let keys = administrator.call("GET", "/api/v1/api-keys", None);
    assert!(!keys.text.contains(std::str::from_utf8(secret).unwrap()));
    let id = keys.json()[0]["id"].as_str().unwrap().to_owned();
    let path = format!("/api/v1/api-keys/{id}");
    assert_eq!(administrator.call("DELETE", &path, None).status, 204);
    assert_eq!(asks(&key), 401);
}

#[test]
fn who_tries_many_passwords_has_to_wait() {
    let service = Service::start();
    drop(service.administrator());
    let mut browser = service.browser();
    let tries = (1..=40).find(|_| browser.sign_in("ann", "wrong", "").status == 429);
    assert!(tries.is_some_and(|tries| tries > 10), "{tries:?}");
    // The right one would do no better now.
    assert_eq!(browser.sign_in("ann", PASSWORD, "").status, 429);
}

#[test]
fn a_key_hands_over_jobs_of_its_own_tools_alone() {
    let service = Service::start();
    let administrator = service.administrator();
    let key = administrator.key("ingest", &["restic"]);
    let hand_over = |source: &str| {
        let body = job("mail01", 1, &json!({ "source": source })).to_string();
        service.with_key(&key, "/api/v1/jobs", "application/json", &body)
    };
    let refused = hand_over("borg");
    assert_eq!(refused.status, 422);
    assert!(
        refused.text.contains("may not hand over"),
        "{}",
        refused.text
    );
    assert_eq!(hand_over("restic").status, 200);
    let jobs = administrator.open("/api/v1/jobs").json();
    assert_eq!(jobs["items"].as_array().unwrap().len(), 1);
    assert_eq!(jobs["items"][0]["job"]["source"], "restic");
}
