//! What people come for, from the first page to the last.

use anomaly_model::chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use thirtyfour::prelude::*;

use crate::client::PASSWORD;
use crate::driver::browse;
use crate::{Browser, Service, is_there};

/// Forty days of usual jobs up to now, and as many as asked on the last one that are not.
fn history(client: &str, is_strange: bool) -> Vec<Value> {
    let now: DateTime<Utc> = std::time::SystemTime::now().into();
    let jobs = (0..=40).map(|day| {
        let extra = if day == 40 && is_strange {
            json!({ "files_changed": 60_000, "files_unmodified": 40_000,
                "transferred_bytes": 24_000_000_000_u64 })
        } else {
            json!({})
        };
        let mut job = crate::client::job(client, day, &extra);
        let started_at = now - TimeDelta::days((40 - day).into()) - TimeDelta::minutes(5);
        job["started_at"] = json!(started_at.to_rfc3339());
        job
    });
    jobs.collect()
}

/// Hands over jobs as a backup tool does, and says how many anomalies there were.
fn hand_over(service: &Service, key: &str, jobs: &[Value]) -> u64 {
    let lines: Vec<String> = jobs.iter().map(ToString::to_string).collect();
    let body = lines.join("\n");
    let receipt = service.with_key(key, "/api/v1/jobs", "application/x-ndjson", &body);
    assert_eq!(receipt.status, 200, "{}", receipt.text);
    receipt.json()["anomalous"].as_u64().unwrap()
}

#[test]
fn the_first_run_makes_the_administrator_who_signs_in_again() {
    if !is_there() {
        return;
    }
    let service = Service::start();
    let code = service.code.clone();
    browse(&service, async |browser| {
        browser.visit("/").await?;
        assert_eq!(browser.path().await?, "/first-run");
        browser.fill("[name=code]", &code).await?;
        browser.fill("[name=name]", "ann").await?;
        browser.fill("[name=password]", PASSWORD).await?;
        browser.click("button.primary").await?;
        browser
            .until("the dashboard", "return location.pathname === '/'")
            .await?;
        // Whoever comes first is taught what to paste.
        let page = browser.text("main").await?;
        assert!(page.contains("curl --fail"), "{page}");
        browser.click("form[action='/sign-out'] button").await?;
        browser
            .until("the sign-in", "return location.pathname === '/sign-in'")
            .await?;
        browser.fill("[name=name]", "ann").await?;
        browser.fill("[name=password]", "not the password").await?;
        browser.click("button.primary").await?;
        browser
            .until(
                "the refusal",
                "return !!document.querySelector('[role=alert]')",
            )
            .await?;
        browser.refused().await?;
        browser.sign_in().await?;
        browser
            .until("the dashboard", "return location.pathname === '/'")
            .await
    });
}

#[test]
fn an_anomaly_is_found_opened_and_reviewed() {
    if !is_there() {
        return;
    }
    let service = Service::start();
    let key = service.administrator().key("ingest", &[]);
    assert_eq!(hand_over(&service, &key, &history("mail01", true)), 1);
    assert_eq!(hand_over(&service, &key, &history("web02", true)), 1);
    browse(&service, async |browser| {
        browser.sign_in().await?;
        browser.click("nav a[href='/anomalies']").await?;
        browser.fill("[name=contains]", "MAIL").await?;
        browser.click(".filters button").await?;
        browser
            .until(
                "the filtered list",
                "return location.search.includes('contains=MAIL')",
            )
            .await?;
        let rows = browser.ask("return document.querySelectorAll('#rows tbody tr').length");
        assert_eq!(rows.await?, json!(1));
        assert!(browser.text(".chips").await?.contains("contains “MAIL”"));
        browser.click("#rows td.what a").await?;
        browser
            .until("the page", "return !!document.getElementById('decide')")
            .await?;
        let charts = browser
            .ask("return document.querySelectorAll('svg.chart').length")
            .await?;
        assert!(charts.as_u64() > Some(0), "{charts}");
        browser
            .fill("#decide textarea", "the new mail archive")
            .await?;
        browser.click("[name=scope][value=this_stream]").await?;
        browser.click("#decide [value=false_positive]").await?;
        browser
            .until(
                "the trail",
                "return document.querySelector('.trail').textContent.includes('the new mail archive')",
            )
            .await?;
        // Those that wait for a review are one less, and can be decided about at once.
        browser.visit("/anomalies?status=not_reviewed").await?;
        let is_shown =
            "return getComputedStyle(document.getElementById('bulk')).display !== 'none'";
        assert_eq!(browser.ask(is_shown).await?, json!(false));
        browser.click("#rows tbody input[type=checkbox]").await?;
        assert_eq!(browser.ask(is_shown).await?, json!(true));
        browser.click("#bulk [value=confirmed]").await?;
        browser
            .until("nothing left", "return !document.getElementById('rows')")
            .await?;
        browser
            .visit("/anomalies?status=confirmed&sort=-score")
            .await?;
        assert!(browser.text("#rows tbody").await?.contains("web02"));
        let sorted = browser
            .find("th[aria-sort=descending]")
            .await?
            .text()
            .await?;
        assert!(sorted.contains("Score"), "{sorted}");
        Ok(())
    });
}

/// A browser has six connections to a service: of more pages than that, the one in front is told.
#[test]
fn any_number_of_pages_may_be_open() {
    if !is_there() {
        return;
    }
    let service = Service::start();
    drop(service.administrator());
    browse(&service, async |browser| {
        browser.sign_in().await?;
        for _ in 0..8 {
            browser.visit_beside("/").await?;
            let listens = "return document.body.dataset.live === 'yes'";
            browser.until("the news are listened to", listens).await?;
        }
        Ok(())
    });
}

#[test]
fn what_comes_is_on_the_open_pages_without_a_reload() {
    if !is_there() {
        return;
    }
    let service = Service::start();
    let key = service.administrator().key("ingest", &[]);
    let mut jobs = history("mail01", true);
    let strange = jobs.pop().unwrap();
    hand_over(&service, &key, &jobs);
    hand_over(&service, &key, &history("web02", true));
    browse(&service, async |browser| {
        browser.sign_in().await?;
        // The script makes addresses of jobs as the server does.
        let parts = "return ['..', '.', '~..', '...', '/'].map(part)";
        let expected = json!(["~..", "~.", "~~..", "...", "%2F"]);
        assert_eq!(browser.ask(parts).await?, expected);
        for (page, shows) in [("/anomalies", "#rows"), ("/", "#incidents")] {
            browser.visit(page).await?;
            // It listens once the server has answered.
            browser
                .until(
                    "the news are listened to",
                    "return document.body.dataset.live === 'yes'",
                )
                .await?;
            browser.ask("window.isTheSamePage = true").await?;
            let (client, job) = if page == "/" {
                ("db03", None)
            } else {
                ("mail01", Some(strange.clone()))
            };
            let jobs = job.map_or_else(|| history(client, true), |job| vec![job]);
            assert_eq!(hand_over(&service, &key, &jobs), 1);
            let is_there = format!(
                "return window.isTheSamePage && document.querySelector('{shows}')?.textContent.includes('{client}')"
            );
            browser.until("the anomaly on the page", &is_there).await?;
            let rings = format!(
                "return document.getElementById('bell-menu')?.textContent.includes('{client}') && !document.getElementById('unread').hidden"
            );
            browser.until("the bell", &rings).await?;
        }
        // What is opened from the bell is read.
        let unread = "return Number(document.getElementById('unread')?.textContent)";
        let before = browser.ask(unread).await?.as_u64().unwrap();
        browser.click("#bell summary").await?;
        browser.click("#bell-menu li.unread a").await?;
        browser
            .until("the page about it", "return location.pathname !== '/'")
            .await?;
        let is_less = format!(
            "return Number(document.getElementById('unread')?.textContent) === {}",
            before - 1
        );
        for _ in 0..50 {
            browser.refresh().await?;
            if browser.ask(&is_less).await? == json!(true) {
                break;
            }
        }
        assert_eq!(browser.ask(&is_less).await?, json!(true));
        browser.click("#bell summary").await?;
        browser.click("#bell-menu form button").await?;
        browser
            .until(
                "all is read",
                "return document.getElementById('unread')?.hidden === true",
            )
            .await
    });
}

#[test]
fn keys_alone_lead_from_the_sign_in_to_a_review() {
    if !is_there() {
        return;
    }
    let service = Service::start();
    let key = service.administrator().key("ingest", &[]);
    for client in ["mail01", "web02", "db03"] {
        assert_eq!(hand_over(&service, &key, &history(client, true)), 1);
    }
    browse(&service, async |browser| {
        browser.visit("/anomalies").await?;
        // The name has the focus.
        browser.press("ann").await?;
        browser.press(Key::Tab + PASSWORD).await?;
        browser.press(Key::Enter + "").await?;
        browser
            .until("the list", "return !!document.getElementById('rows')")
            .await?;
        // The first thing that has the focus leads past the menu.
        browser.press(Key::Tab + "").await?;
        assert_eq!(browser.focused().await?, "Skip to the content");
        browser.press("jjk").await?;
        let current = "return [...document.querySelectorAll('#rows tbody tr')].findIndex(row => row.classList.contains('current'))";
        assert_eq!(browser.ask(current).await?, json!(0));
        browser.press("x").await?;
        let legend = browser.text("#bulk legend").await?;
        assert_eq!(legend, "The chosen one is");
        browser.press("x").await?;
        browser.press(Key::Enter + "").await?;
        browser
            .until("the page", "return !!document.getElementById('decide')")
            .await?;
        browser.tab_to("TEXTAREA").await?;
        browser.press("seen").await?;
        browser.press(Key::Tab + "").await?;
        assert_eq!(browser.focused().await?, "Confirm the anomaly");
        browser.press(Key::Enter + "").await?;
        browser
            .until("the trail", "return document.querySelector('.trail').textContent.includes('called it confirmed: seen')")
            .await?;
        // The bell opens and closes by keys.
        browser.tab_to("SUMMARY").await?;
        browser.press(Key::Enter + "").await?;
        browser
            .until(
                "the bell is open",
                "return document.getElementById('bell').open",
            )
            .await?;
        browser.press(Key::Escape + "").await?;
        browser
            .until(
                "the bell is closed",
                "return !document.getElementById('bell').open",
            )
            .await
    });
}

#[test]
fn a_setting_is_changed_after_a_look_at_the_past() {
    if !is_there() {
        return;
    }
    let service = Service::start();
    let key = service.administrator().key("ingest", &[]);
    hand_over(&service, &key, &history("mail01", true));
    browse(&service, async |browser: &Browser<'_>| {
        browser.sign_in().await?;
        browser.click("nav a[href='/settings']").await?;
        browser
            .until(
                "the form",
                "return !!document.getElementById('settings-form')",
            )
            .await?;
        let field = "[name='detection.alarm_budget']";
        let before = browser.find(field).await?.prop("value").await?.unwrap();
        let other = if before == "3" { "4" } else { "3" };
        browser.fill(field, other).await?;
        browser
            .click("#settings-form button[value=backtest]")
            .await?;
        browser
            .until(
                "the backtest",
                "return document.getElementById('backtest')?.dataset.state === 'done'",
            )
            .await?;
        let outcome = browser.text("#outcome").await?;
        assert!(outcome.contains("Gained"), "{outcome}");
        // Nothing is changed before it is saved.
        let kept = service.administrator_again().open("/api/v1/settings");
        assert!(
            !kept.text.contains(&format!("\"alarm_budget\":{other}.0")),
            "{}",
            kept.text
        );
        browser
            .fill("#save-form [name=reason]", "fewer false alarms")
            .await?;
        browser.click("#save-form button").await?;
        browser
            .until("the notice", "return !!document.getElementById('notice')")
            .await?;
        let notice = browser.text("#notice").await?;
        assert!(notice.contains("in force"), "{notice}");
        let value = browser.find(field).await?.prop("value").await?.unwrap();
        assert_eq!(value.trim_end_matches(".0"), other);
        browser.visit("/audit").await?;
        assert!(browser.text("#rows").await?.contains("fewer false alarms"));
        Ok(())
    });
}
