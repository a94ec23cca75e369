//! Metrics as Prometheus reads them, and what is shipped for it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use serde_json::{Value, json};

use crate::{Service, job};

const CONFIGURATION: &str = r#"
    [[sinks]]
    name = "log"
    [sinks.file]
    path = "DIR/events.ndjson"

    [[gather]]
    name = "drop"
    [gather.directory]
    path = "DIR"
    suffix = ".jobs"
"#;

/// Name, kind and labels of a metric.
type Metrics = BTreeMap<String, (String, BTreeSet<String>)>;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The table of the page.
fn documented() -> Metrics {
    let page = fs::read_to_string(root().join("docs/metrics.md")).unwrap();
    let rows = page.lines().filter_map(|line| line.strip_prefix("| `"));
    rows.map(|row| {
        let cells: Vec<&str> = row.split(" | ").collect();
        let labels = cells[2].split(", ").map(|label| label.trim_matches('`'));
        let labels = labels.filter(|label| !label.is_empty()).map(str::to_owned);
        let name = cells[0].trim_end_matches('`').to_owned();
        (name, (cells[1].to_owned(), labels.collect()))
    })
    .collect()
}

/// What is given, by what it says itself.
fn given(text: &str) -> Metrics {
    let kinds = text.lines().filter_map(|line| line.strip_prefix("# TYPE "));
    let mut metrics: Metrics = kinds
        .map(|line| line.split_once(' ').unwrap())
        .map(|(name, kind)| (name.to_owned(), (kind.to_owned(), BTreeSet::new())))
        .collect();
    for line in text
        .lines()
        .filter(|line| !line.starts_with('#') && !line.is_empty())
    {
        let (series, _) = line.rsplit_once(' ').unwrap();
        let (name, labels) = series.split_once('{').unwrap_or((series, "}"));
        let base = ["_bucket", "_sum", "_count"]
            .iter()
            .filter_map(|end| name.strip_suffix(end))
            .find(|base| {
                metrics
                    .get(*base)
                    .is_some_and(|(kind, _)| kind == "histogram")
            });
        let (_, known) = metrics.get_mut(base.unwrap_or(name)).unwrap();
        let labels = labels
            .trim_end_matches('}')
            .split("\",")
            .filter_map(|pair| pair.split_once('='));
        known.extend(
            labels
                .map(|(label, _)| label.to_owned())
                .filter(|label| label != "le"),
        );
    }
    metrics
}

#[test]
fn the_page_about_metrics_has_what_is_given_and_nothing_else() {
    let directory = Arc::new(tempfile::tempdir().unwrap());
    let service = Service::gathering(CONFIGURATION, &[], &directory);
    let administrator = service.administrator();
    let key = administrator.key("ingest", &[]);
    let strange = json!({ "status": "failed" });
    for body in [job("mail01", 1, &json!({})), job("mail01", 2, &strange)] {
        let body = body.to_string();
        service.with_key(&key, "/api/v1/jobs", "application/json", &body);
    }
    let is_there = |text: &str| {
        text.contains("backwatch_source_up") && text.contains("verdict=\"anomalous\"} 1")
    };
    administrator.wait_for("/metrics", |answer| is_there(&answer.text));
    // The request before is in it now.
    let text = administrator.open("/metrics").text;
    assert_eq!(given(&text), documented(), "{text}");
    for line in [
        "backwatch_jobs_total{verdict=\"anomalous\"} 1",
        "backwatch_role_enabled{role=\"detect\"} 1",
        "backwatch_database_up 1",
        "backwatch_streams{state=\"warming_up\"} 1",
        "route=\"/api/v1/jobs\",status=\"2xx\",le=\"+Inf\"} 2",
    ] {
        assert!(text.contains(line), "{line}: {text}");
    }
    // Neither what was asked for nor whose backups they are.
    administrator.open("/nothing/mail01");
    let text = administrator.open("/metrics").text;
    assert!(text.contains("route=\"none\",status=\"4xx\"") && !text.contains("mail01"));
}

/// Every metric that is named there is one that is given.
fn names_what_there_is(file: &str, text: &str) {
    let documented = documented();
    let is_part = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    let mut found = 0;
    for (at, _) in text.match_indices("backwatch_") {
        let name: String = text[at..].chars().take_while(|c| is_part(*c)).collect();
        let base = ["_bucket", "_sum", "_count"]
            .iter()
            .filter_map(|end| name.strip_suffix(end))
            .find(|base| {
                documented
                    .get(*base)
                    .is_some_and(|(kind, _)| kind == "histogram")
            });
        let name = base.unwrap_or(&name);
        assert!(documented.contains_key(name), "{file}: there is no {name}");
        found += 1;
    }
    assert!(found > 20, "{file} names {found} metrics");
}

#[test]
fn the_dashboard_shows_each_metric() {
    let text = fs::read_to_string(root().join("packaging/grafana/backwatch.json")).unwrap();
    let dashboard: Value = serde_json::from_str(&text).unwrap();
    names_what_there_is("backwatch.json", &text);
    for name in documented().keys() {
        assert!(text.contains(name.as_str()), "no panel shows {name}");
    }
    let panels = dashboard["panels"].as_array().unwrap();
    let mut ids = BTreeSet::new();
    for panel in panels {
        assert!(ids.insert(panel["id"].as_u64().unwrap()), "{panel}");
        let is_row = panel["type"] == "row";
        let has_targets = panel["targets"]
            .as_array()
            .is_some_and(|all| !all.is_empty());
        assert!(is_row || has_targets, "{panel}");
        assert!(
            is_row || panel["datasource"]["uid"] == "${datasource}",
            "{panel}"
        );
    }
}

/// Of what takes days there are fewer steps.
const TESTS: [&str; 2] = ["backwatch.rules.test.yml", "backwatch.rules.days.test.yml"];

#[test]
fn each_rule_fires_when_it_should_and_not_before() {
    let directory = root().join("packaging/prometheus");
    let rules = fs::read_to_string(directory.join("backwatch.rules.yml")).unwrap();
    let tests = TESTS.map(|file| fs::read_to_string(directory.join(file)).unwrap());
    let tests = tests.concat();
    names_what_there_is("backwatch.rules.yml", &rules);
    names_what_there_is("the tests of it", &tests);
    let alerts = rules
        .lines()
        .filter_map(|line| line.trim().strip_prefix("- alert: "));
    for alert in alerts {
        let named = format!("alertname: {alert}\n");
        let cases: Vec<&str> = tests.split(&named).skip(1).collect();
        let fires = |case: &&&str| case.trim_start().starts_with("exp_alerts:\n");
        let fires = cases.iter().filter(fires).count();
        assert!(
            fires >= 1 && fires < cases.len(),
            "{alert}: {fires} of {}",
            cases.len()
        );
    }
    if Command::new("promtool").arg("--version").output().is_err() {
        let required = std::env::var_os("REQUIRE_BACKUP_TOOLS").is_some();
        assert!(!required, "promtool is not installed");
        _ = writeln!(
            std::io::stderr(),
            "promtool is not installed: rules are not tested"
        );
        return;
    }
    let check = ["check", "rules", "backwatch.rules.yml"];
    let test = ["test", "rules", TESTS[0], TESTS[1]];
    for arguments in [&check[..], &test[..]] {
        let ran = Command::new("promtool")
            .args(arguments)
            .current_dir(&directory)
            .output()
            .unwrap();
        let said = [ran.stdout, ran.stderr].concat();
        assert!(ran.status.success(), "{}", String::from_utf8_lossy(&said));
    }
}
