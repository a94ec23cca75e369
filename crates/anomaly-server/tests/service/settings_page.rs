//! Settings that people change on their page, after a look at the past.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::Service;
use crate::client::{Answer, Browser};
use crate::settings::{SETTINGS, another, attacked, patch, verdict};

/// The page of a backtest once it is done, as a browser without script comes to it.
fn looked_at(browser: &Browser<'_>, page: &str) -> String {
    let begun = Instant::now();
    loop {
        let shown = browser.open(page);
        assert_eq!(shown.status, 200, "{}", shown.text);
        if !shown.text.contains("data-state=\"running\"") {
            assert!(!shown.text.contains("http-equiv"), "nothing is to come");
            return shown.text;
        }
        assert!(shown.text.contains("<meta http-equiv=\"refresh\""));
        assert!(begun.elapsed() < Duration::from_mins(1));
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// The version that the form of the page sends along.
fn version(browser: &Browser<'_>) -> String {
    let page = browser.open("/settings").text;
    let (_, rest) = page.split_once("name=\"version\" value=\"").unwrap();
    rest.split('"').next().unwrap().to_owned()
}

/// Sends the form of the settings; what is in it is as it was but for `fields`.
fn look(browser: &mut Browser<'_>, fields: &[(&str, &str)]) -> Answer {
    let version = version(browser);
    let mut form = vec![("version", version.as_str()), ("action", "backtest")];
    form.extend(fields);
    browser.send("/settings", &form)
}

#[test]
fn a_setting_is_changed_on_its_page_after_a_look_at_the_past() {
    let service = Service::start();
    let mut ann = service.administrator();
    let key = ann.key("ingest", &[]);
    attacked(&service, &key, "mail01");
    // What a browser sends holds all fields; only what differs is asked for.
    let fields = [
        ("detection.enabled", "false"),
        ("detection.alarm_budget", "1"),
        ("detection.seed", " 7 "),
        ("detection.include_extensions", "locked, Crypt"),
    ];
    let looked = look(&mut ann, &fields);
    assert_eq!(looked.status, 303, "{}", looked.text);
    let backtest = looked.header("location").to_owned();
    assert!(backtest.starts_with("/settings/backtests/"), "{backtest}");
    let page = looked_at(&ann, &backtest);
    assert!(page.contains("data-state=\"done\""), "{page}");
    assert!(
        page.contains("In 41 jobs of 1 stream, it would have missed 1 anomaly."),
        "{page}"
    );
    assert!(
        page.contains("href=\"/anomalies/restic/mail01-40\""),
        "{page}"
    );
    assert!(
        page.contains("locked, crypt") && !page.contains("alarm_budget"),
        "{page}"
    );
    assert!(
        page.contains("name=\"until\""),
        "what loosens has an end: {page}"
    );

    let save = format!("{backtest}/save");
    let silent = ann.send(&save, &[("reason", " "), ("until", "")]);
    assert_eq!(silent.status, 422);
    assert!(silent.text.contains("Say why"), "{}", silent.text);
    let bad = ann.send(&save, &[("reason", "a <move>"), ("until", "soon")]);
    assert_eq!(bad.status, 422);
    assert!(
        bad.text.contains("a &#60;move&#62;</textarea>"),
        "{}",
        bad.text
    );
    let vic = another(&service, &ann, "vic", "viewer");
    let seen = vic.open(&backtest).text;
    assert!(
        !seen.contains("save-form") && !seen.contains("stop-form"),
        "{seen}"
    );
    let saved = ann.send(&save, &[("reason", "a move"), ("until", "")]);
    assert_eq!(
        (saved.status, saved.header("location")),
        (303, "/settings?done=in_force")
    );
    let page = ann.open("/settings?done=in_force").text;
    assert!(page.contains("Saved. It is in force."), "{page}");
    assert!(page.contains("Loosened by ann, until "), "{page}");
    assert_eq!(verdict(&service, &key, "mail01", 41), "not_scored");
    let holds = ann.open(SETTINGS).json()["detection"].clone();
    assert_eq!(
        (&holds["seed"], &holds["include_extensions"]),
        (&json!(7), &json!(["locked", "crypt"]))
    );
    // What was looked at was a change of other settings than those that hold now.
    let twice = ann.send(&save, &[("reason", "again"), ("until", "")]);
    assert_eq!(twice.status, 412, "{}", twice.text);
}

#[test]
fn a_form_with_something_wrong_comes_back_as_it_was_typed() {
    let service = Service::start();
    let mut ann = service.administrator();
    let typed = [
        ("detection.alarm_budget", "99"),
        ("detection.seed", "\"><script>alert(1)</script>"),
        ("detection.iqr_factor", "2.5"),
        ("detection.detectors", ""),
    ];
    let wrong = look(&mut ann, &typed);
    assert_eq!(wrong.status, 422);
    let page = wrong.text;
    for shown in [
        "value=\"99\"",
        "value=\"2.5\"",
        "id=\"error-detection.alarm_budget\">Must be a number from 0.01 to 36.5.<",
        "id=\"error-detection.detectors\">Must be a list of one or more of",
        "href=\"#k-detection.seed\"",
    ] {
        assert!(page.contains(shown), "{shown}: {page}");
    }
    assert!(!page.contains("<script>alert"), "{page}");
    assert!(!page.contains("error-detection.iqr_factor"), "{page}");
    let same = look(
        &mut ann,
        &[
            ("detection.alarm_budget", "1"),
            ("detection.enabled", "true"),
        ],
    );
    assert_eq!(same.status, 422);
    assert!(same.text.contains("Nothing differs from what holds."));

    let seen = version(&ann);
    assert_eq!(
        patch(&ann, &json!({ "keys": { "detection.seed": 3 } })).status,
        200
    );
    let late = [("version", seen.as_str()), ("detection.iqr_factor", "2.5")];
    let late = ann.send("/settings", &late);
    assert_eq!(late.status, 412);
    assert!(late.text.contains("value=\"2.5\"") && late.text.contains("have changed meanwhile"));

    let mut vic = another(&service, &ann, "vic", "viewer");
    let page = vic.open("/settings").text;
    assert!(
        page.contains("False alarms to aim at") && !page.contains("name=\"detection."),
        "{page}"
    );
    assert_eq!(
        vic.send("/settings", &[("detection.seed", "1")]).status,
        403
    );
    assert_eq!(vic.send("/settings/scopes", &[("client", "a")]).status, 403);
    let elsewhere = ann.send_from("cross-site", "/settings", &[("detection.seed", "1")]);
    assert_eq!(elsewhere.status, 403);
}

#[test]
fn a_second_person_decides_on_the_page() {
    let service = Service::start();
    let mut ann = service.administrator();
    let mut bob = another(&service, &ann, "bob", "administrator");
    let guard = json!({ "keys": { "guard.second_person": true } });
    assert_eq!(patch(&ann, &guard).status, 200);
    let asked = |ann: &mut Browser<'_>, fields: &[(&str, &str)]| {
        let backtest = look(ann, fields).header("location").to_owned();
        looked_at(ann, &backtest);
        let saved = ann.send(
            &format!("{backtest}/save"),
            &[("reason", "too loud"), ("until", "")],
        );
        saved.header("location").to_owned()
    };
    let fields = [("detection.rules.clock", "false"), ("detection.seed", "9")];
    let backtest = look(&mut ann, &fields).header("location").to_owned();
    let page = looked_at(&ann, &backtest);
    assert!(page.contains("A second person has to approve"), "{page}");
    assert_eq!(asked(&mut ann, &fields), "/settings?done=partly");
    let page = bob.open("/settings").text;
    let (_, rest) = page.split_once("action=\"/settings/proposals/").unwrap();
    let number = rest.split('/').next().unwrap().to_owned();
    assert!(
        page.contains(&format!("id=\"proposal-{number}\"")),
        "{page}"
    );
    assert!(
        page.contains("too loud") && page.contains("Waits for a second person: off."),
        "{page}"
    );
    let approve = format!("/settings/proposals/{number}/approve");
    let own = ann.send(&approve, &[]);
    assert_eq!(own.status, 403);
    assert!(
        own.text.contains("someone else has to approve"),
        "{}",
        own.text
    );
    let approved = bob.send(&approve, &[]);
    assert_eq!(
        (approved.status, approved.header("location")),
        (303, "/settings?done=approved")
    );
    assert_eq!(
        ann.open(SETTINGS).json()["detection"]["rules"]["clock"],
        false
    );
    assert!(ann.open("/settings").text.contains("ann and bob"));

    assert_eq!(
        asked(&mut ann, &[("detection.enabled", "false")]),
        "/settings?done=waiting"
    );
    let waiting = ann.open("/api/v1/settings/proposals").json();
    let refuse = format!("/settings/proposals/{}/refuse", waiting[0]["number"]);
    assert_eq!(
        bob.send(&refuse, &[]).header("location"),
        "/settings?done=refused"
    );
    assert_eq!(ann.open(SETTINGS).json()["detection"]["enabled"], true);
    assert_eq!(bob.send(&refuse, &[]).status, 404);
}

#[test]
fn a_scope_is_added_on_the_page_and_goes() {
    let service = Service::start();
    let mut ann = service.administrator();
    let key = ann.key("ingest", &[]);
    let wrong = [
        ("client", "lab"),
        ("settings", "detection.alarm_budget = 99"),
    ];
    let wrong = ann.send("/settings/scopes", &wrong);
    assert_eq!(wrong.status, 422);
    assert!(
        wrong.text.contains("must be a number from 0.01 to 36.5"),
        "{}",
        wrong.text
    );
    assert!(
        wrong
            .text
            .contains("detection.alarm_budget = 99</textarea>"),
        "{}",
        wrong.text
    );
    for settings in [
        "[detection]\nseed = 1",
        "[[scope]]\nclient = 'b'",
        "nonsense",
    ] {
        let other = [("client", "lab"), ("settings", settings)];
        assert_eq!(
            ann.send("/settings/scopes", &other).status,
            422,
            "{settings}"
        );
    }
    // A day is one, and nothing else that TOML has.
    let until = "2027-01-31T00:00:00Z\"\nschedule = \"a";
    let wrong = ann.send("/settings/scopes", &[("client", "lab"), ("until", until)]);
    assert_eq!(wrong.status, 422);
    assert!(
        wrong.text.contains("The end is a day, such as 2027-01-31."),
        "{}",
        wrong.text
    );
    let save = |ann: &mut Browser<'_>, form: &[(&str, &str)]| {
        let looked = ann.send("/settings/scopes", form);
        assert_eq!(looked.status, 303, "{}", looked.text);
        let backtest = looked.header("location").to_owned();
        looked_at(ann, &backtest);
        let saved = ann.send(
            &format!("{backtest}/save"),
            &[("reason", "a lab"), ("until", "")],
        );
        assert_eq!(
            saved.header("location"),
            "/settings?done=in_force",
            "{}",
            saved.text
        );
    };
    save(
        &mut ann,
        &[
            ("client", "lab"),
            ("settings", "detection.enabled = false\r\n"),
            ("until", "2099-12-31"),
        ],
    );
    let scope = &ann.open(SETTINGS).json()["scope"][0];
    assert_eq!(scope["until"], "2100-01-01T00:00:00Z", "the whole day");
    assert_eq!(verdict(&service, &key, "lab", 1), "not_scored");
    let page = ann.open("/settings").text;
    assert!(page.contains("<strong>client lab</strong>"), "{page}");
    assert!(
        page.contains("<code>detection.enabled = false</code>"),
        "{page}"
    );
    save(&mut ann, &[("client", "lab"), ("action", "backtest")]);
    assert_eq!(verdict(&service, &key, "lab", 2), "warming_up");
}
