//! Servers that are polled: a real PostgreSQL with a director's catalogue, and a primary server that
//! says what it is told to.
#![cfg(unix)]

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::sync::Arc;

use serde_json::json;
use tempfile::TempDir;

use crate::Service;
use crate::gathering::{job_ids, read_again, read_now, wait_for};
use crate::servers::https::{Reply, Server};
use crate::servers::postgresql::PostgreSql;

/// What a real Bacula wrote.
const DUMP: &str = include_str!("../../../anomaly-remote/tests/fixtures/bacula-9.6.sql");
const HOW_TO: &str = include_str!("../../../../docs/how-to/bareos.md");
/// All of it happened within minutes: most of it ten days before, for this.
const BEFORE: &str = "
    UPDATE job SET jobtdate = jobtdate - 864000, starttime = starttime - interval '10 days',
        endtime = endtime - interval '10 days',
        realendtime = realendtime - interval '10 days' WHERE jobid < 25;
    UPDATE jobhisto SET jobtdate = jobtdate - 864000, starttime = starttime - interval '10 days',
        endtime = endtime - interval '10 days',
        realendtime = realendtime - interval '10 days' WHERE jobid < 25;";
/// Another job like the last one, which began before it and ended after it.
const ANOTHER: &str = "
    CREATE TEMP TABLE another AS SELECT * FROM job WHERE jobid = 26;
    UPDATE another SET jobid = 30, starttime = starttime - interval '3 hours',
        endtime = endtime + interval '1 hour',
        realendtime = realendtime + interval '1 hour', jobtdate = jobtdate + 3600;
    INSERT INTO job SELECT * FROM another;";

#[test]
fn a_catalogue_is_polled_and_what_ends_late_is_not_missed() {
    let Some(server) = PostgreSql::start() else {
        return;
    };
    let mut admin = server.database("bareos");
    admin.batch_execute(DUMP).unwrap();
    admin.batch_execute(BEFORE).unwrap();
    // The role that the how-to page makes, which may read three tables.
    let from = HOW_TO.find("CREATE ROLE").unwrap();
    let role = HOW_TO[from..].split("```").next().unwrap();
    admin.batch_execute(role).unwrap();
    let directory = Arc::new(tempfile::tempdir().unwrap());
    let configuration = format!(
        "[[gather]]\nname = 'director'\nevery_seconds = 3600\n[gather.bareos]\naddress = '{}'\n\
         overlap_hours = 1\n",
        server.address("backwatch", "bareos")
    );
    let mut service = Service::gathering(&configuration, &[], &directory);
    let administrator = service.administrator();
    let state = wait_for(&administrator, "director", |source| {
        source["state"] == "working"
    });
    let all = state["new_jobs"].as_u64().unwrap();
    assert!(all == 11 && state["known"] == 0, "{state}");
    assert_eq!(job_ids(&administrator).len() as u64, all);

    // Only what may be new is sent.
    let state = read_again(&administrator, "director");
    assert_eq!(state["new_jobs"], all);
    let sent = state["known"].as_u64().unwrap();
    assert!(0 < sent && sent < all, "{state}");
    admin.batch_execute(ANOTHER).unwrap();
    let state = read_again(&administrator, "director");
    assert_eq!(state["new_jobs"], all + 1, "{state}");

    // Whoever is kept out is degraded, and comes back.
    admin.batch_execute("ALTER ROLE backwatch NOLOGIN").unwrap();
    read_now(&administrator, "director");
    let state = wait_for(&administrator, "director", |source| {
        source["state"] == "degraded"
    });
    assert!(
        state["why"]
            .as_str()
            .unwrap()
            .contains("cannot read the catalogue"),
        "{state}"
    );
    admin.batch_execute("ALTER ROLE backwatch LOGIN").unwrap();
    let state = read_again(&administrator, "director");
    assert_eq!(
        (&state["state"], &state["new_jobs"]),
        (&json!("working"), &json!(all + 1))
    );

    // Another run of the service reads on where this one ended.
    drop(administrator);
    service.stop();
    drop(service);
    let service = Service::gathering(&configuration, &[], &directory);
    let administrator = service.administrator_again();
    let state = wait_for(&administrator, "director", |source| {
        source["state"] == "working"
    });
    assert_eq!(state["new_jobs"], 0);
    assert!(state["known"].as_u64().unwrap() < all, "{state}");
}

const KEY: &str = "A1uMjmj93mrpsW9qWroT-paNdMSDPdABCEDi7PRPD";

/// A page of jobs with these numbers.
fn page(jobs: &[u64]) -> Reply {
    let data: Vec<_> = jobs
        .iter()
        .map(|id| {
            json!({ "type": "job", "id": id.to_string(), "attributes": { "jobId": id,
                "parentJobId": 0, "jobType": "BACKUP", "state": "DONE", "status": 0,
                "clientName": "files01.example.com", "policyName": "Files",
                "policyType": "STANDARD", "scheduleType": "FULL_BACKUP",
                "startTime": "2026-03-22T03:00:04.000Z", "endTime": "2026-03-22T04:30:05.000Z",
                "elapsedTime": "PT1H30M1S", "kilobytesTransferred": 247_834,
                "numberOfFiles": 1822, "childCount": 0 } })
        })
        .collect();
    let page = json!({ "data": data, "meta": { "pagination": { "limit": 100 } } });
    Reply::new(200, page.to_string())
}

/// A page of images that were written for 90 seconds from these times on.
fn images(starts: &[&str]) -> Reply {
    let data: Vec<_> = starts
        .iter()
        .map(|start| {
            json!({ "type": "image", "id": format!("files01_{start}"), "attributes": {
                "clientName": "files01.example.com", "policyName": "Files",
                "policyType": "Standard", "scheduleName": "Full", "scheduleType": "FULL",
                "backupTime": start, "backupStatus": 0, "elapsedTimeSeconds": 90,
                "imageType": "NORMAL", "kbytes": 247_834, "numFiles": 1822,
                "numberFragments": 1 } })
        })
        .collect();
    let page = json!({ "data": data, "meta": { "pagination": { "limit": 100 } } });
    Reply::new(200, page.to_string())
}

/// Of a backup that began before what is asked for, the images that are sent are no backup.
#[test]
fn images_are_polled_and_what_is_left_of_a_backup_is_no_job() {
    let [old, stream] = ["2026-03-22T03:01:00.000Z", "2026-03-22T03:02:00.000Z"];
    let [middle, new] = ["2026-03-24T03:01:30.000Z", "2026-03-25T03:00:00.000Z"];
    let server = Server::start(vec![
        images(&[old, stream, middle]),
        images(&[stream, middle, new]),
    ]);
    let directory = Arc::new(tempfile::tempdir().unwrap());
    let service = Service::gathering(
        &primary(&server, "/catalog/images", &directory),
        &[],
        &directory,
    );
    let administrator = service.administrator();
    wait_for(&administrator, "primary", |source| source["new_jobs"] == 2);
    let state = read_again(&administrator, "primary");
    assert_eq!(state["new_jobs"], 3, "{state}");
    // Between the first two images.
    let since = server.requests()[1].query("filter");
    assert_eq!(
        since.as_deref(),
        Some("backupTime ge 2026-03-22T03:01:30.000Z")
    );
}

/// The configuration for a server, whose key is in a file.
fn primary(server: &Server, list: &str, directory: &TempDir) -> String {
    let key = directory.path().join("key");
    fs::write(&key, format!("{KEY}\n")).unwrap();
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
    format!(
        "[[gather]]\nname = 'primary'\nevery_seconds = 3600\n[gather.netbackup]\n\
         address = 'netbackup+https://localhost:{}{list}'\napi_key_file = 'DIR/key'\nca_file = '{}'\n",
        server.port,
        server.ca_file.display()
    )
}

#[test]
fn a_primary_server_is_polled_and_reads_on() {
    let refused = Reply::new(401, r#"{"errorMessage":"the key has expired"}"#);
    let server = Server::start(vec![page(&[1, 2]), page(&[2, 3]), refused, page(&[3, 4])]);
    let directory = Arc::new(tempfile::tempdir().unwrap());
    let service = Service::gathering(&primary(&server, "", &directory), &[], &directory);
    let administrator = service.administrator();
    wait_for(&administrator, "primary", |source| source["new_jobs"] == 2);
    let state = read_again(&administrator, "primary");
    assert_eq!(
        (&state["new_jobs"], &state["known"]),
        (&json!(3), &json!(1))
    );

    read_now(&administrator, "primary");
    let state = wait_for(&administrator, "primary", |source| {
        source["state"] == "degraded"
    });
    let why = state["why"].as_str().unwrap();
    assert!(
        why.contains("401") && why.contains("expired") && !why.contains(KEY),
        "{why}"
    );
    let state = read_again(&administrator, "primary");
    assert_eq!(
        (&state["state"], &state["new_jobs"]),
        (&json!("working"), &json!(4))
    );

    let requests = server.requests();
    assert!(
        requests
            .iter()
            .all(|request| request.header("authorization") == KEY)
    );
    let filters: Vec<_> = requests
        .iter()
        .map(|request| request.query("filter"))
        .collect();
    // A day before the end of the newest job, and another one for the streams of a backup.
    let later = Some("startTime gt 2026-03-20T04:30:05.000Z".to_owned());
    assert_eq!(filters, [None, later.clone(), later.clone(), later]);
}
