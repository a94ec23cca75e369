//! The interface is what its description says: tried by `schemathesis`, which makes requests of it,
//! right ones and wrong ones.

use std::process::Command;

use serde_json::json;

use crate::client::Browser;
use crate::{Service, job};

/// What the answers are held to.
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,\
    response_schema_conformance,response_headers_conformance";

/// Who may change users may shut himself out, so they come last.
const USERS: &str = "/api/v1/(users|api-keys)";
/// Never ends.
const EVENTS: &str = "/api/v1/events";

#[test]
fn it_does_what_its_description_says() {
    let required = std::env::var_os("REQUIRE_BACKUP_TOOLS").is_some();
    let is_there = Command::new("schemathesis").arg("--version").output();
    if is_there.is_err() {
        assert!(!required, "schemathesis is not installed");
        eprintln!("skipped: schemathesis is not installed");
        return;
    }
    let service = Service::start();
    let administrator = service.administrator();
    let key = administrator.key("ingest", &[]);
    for day in 1..=20 {
        let status = if day % 5 == 0 { "failed" } else { "succeeded" };
        let body = job("mail01", day, &json!({ "status": status })).to_string();
        let answer = service.with_key(&key, "/api/v1/jobs", "application/json", &body);
        assert_eq!(answer.status, 200, "{}", answer.text);
    }
    try_out(
        &service,
        &administrator,
        &["--exclude-path", EVENTS, "--exclude-path-regex", USERS],
    );
    try_out(&service, &administrator, &["--include-path-regex", USERS]);
}

fn try_out(service: &Service, administrator: &Browser<'_>, which: &[&str]) {
    let directory = tempfile::tempdir().unwrap();
    let output = Command::new("schemathesis")
        .arg("run")
        .arg(format!("{}/api/v1/openapi.json", service.base))
        .args(["--header", &format!("Cookie: {}", administrator.cookie)])
        .args(["--header", "Sec-Fetch-Site: same-origin"])
        .args(["--checks", CHECKS, "--max-examples", "20", "--no-color"])
        .args(["--generation-deterministic", "--phases", "coverage,fuzzing"])
        .args(which)
        .current_dir(directory.path())
        .output()
        .unwrap();
    let report = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{report}");
    assert!(report.contains(" passed"), "{report}");
}
