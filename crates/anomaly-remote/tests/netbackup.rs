//! A primary server as its manual describes it, and as networks are.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod servers;

use std::error::Error as _;
use std::fs;
use std::io::Read as _;
use std::time::Duration;

use anomaly_model::chrono::{DateTime, Utc};
use anomaly_model::{BackupJob, JobId};
use anomaly_remote::{Address, Remote, RemoteError, RemoteOptions, Secret};
use anomaly_sources::{ReadOptions, Record, Since, read};
use servers::https::{Reply, Server};

const KEY: &str = "A1uMjmj93mrpsW9qWroT-paNdMSDPdABCEDi7PRPD";

/// A page of jobs with these numbers, and where the next one begins.
fn page(jobs: &[u64], next: &str) -> String {
    let data: Vec<String> = jobs
        .iter()
        .map(|id| {
            format!(
                r#"{{"type":"job","id":"{id}","attributes":{{"jobId":{id},"parentJobId":0,
                "jobType":"BACKUP","state":"DONE","status":0,"clientName":"files01.example.com",
                "policyName":"Files","policyType":"STANDARD","scheduleType":"FULL_BACKUP",
                "startTime":"2026-11-22T03:00:04.000Z","endTime":"2026-11-22T04:30:05.000Z",
                "elapsedTime":"PT1H30M1S","kilobytesTransferred":247834,"numberOfFiles":1822,
                "childCount":0}}}}"#
            )
        })
        .collect();
    format!(
        r#"{{"data":[{}],"meta":{{"pagination":{{{next}"limit":100}}}}}}"#,
        data.join(",")
    )
}

fn options(server: &Server) -> RemoteOptions {
    RemoteOptions::default()
        .ca_file(&server.ca_file)
        .api_key(Secret::new(KEY))
        .tries(4, Duration::ZERO)
}

fn open(server: &Server, list: &str, options: &RemoteOptions) -> Result<Remote, RemoteError> {
    let address = format!("netbackup+https://localhost:{}{list}", server.port);
    Address::parse(&address).unwrap()?.open(options)
}

/// What went wrong, with everything behind it.
fn told(error: &RemoteError) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text = format!("{text}: {error}");
        source = error.source();
    }
    assert!(
        !text.contains(KEY) && !format!("{error:?}").contains(KEY),
        "{text}"
    );
    text
}

fn refused(server: &Server, list: &str, options: &RemoteOptions) -> String {
    told(&open(server, list, options).unwrap_err())
}

fn jobs(remote: Remote) -> Vec<BackupJob> {
    let records = read(remote.content, remote.format, &ReadOptions::default()).unwrap();
    records
        .map(|record| record.unwrap())
        .filter_map(Record::job)
        .collect()
}

#[test]
fn pages_follow_each_other_whatever_happens_on_the_way() {
    let last = page(&[5], "");
    let server = Server::start(vec![
        Reply::new(200, page(&[1, 2], r#""next":"b c/2","#)),
        Reply::new(429, "").header("Retry-After: 0"),
        Reply::new(503, "<html>busy</html>"),
        Reply::new(200, page(&[3, 4], r#""next":"4","#)),
        Reply::new(200, last.as_str()).cut_at(last.len() / 2),
        Reply::new(200, last.as_str()),
    ]);
    let options = options(&server);
    let found = jobs(open(&server, "", &options).unwrap());
    let ids: Vec<&str> = found.iter().map(|job| job.job_id().as_str()).collect();
    assert_eq!(ids, ["1", "2", "3", "4", "5"]);
    assert_eq!(found[0].image().image_bytes, Some(247_834 * 1024));

    let requests = server.requests();
    let cursors: Vec<_> = requests
        .iter()
        .map(|request| request.query("page[after]"))
        .collect();
    let after = |cursor: &str| Some(cursor.to_owned());
    assert_eq!(
        cursors,
        [
            None,
            after("b c/2"),
            after("b c/2"),
            after("b c/2"),
            after("4"),
            after("4")
        ]
    );
    for request in requests {
        assert!(
            request.line.starts_with("GET /netbackup/admin/jobs?"),
            "{request:?}"
        );
        assert_eq!(request.header("authorization"), KEY);
        assert_eq!(
            request.header("accept"),
            "application/vnd.netbackup+json;version=9.0"
        );
        assert_eq!(request.query("page[limit]").as_deref(), Some("100"));
        assert_eq!(request.query("sort").as_deref(), Some("jobId"));
        assert_eq!(request.query("filter"), None);
    }
    assert!(!format!("{options:?}").contains(KEY));
}

#[test]
fn images_are_counted_off_and_older_servers_speak_another_version() {
    let server = Server::start(vec![
        Reply::new(406, ""),
        Reply::new(200, page(&[1], r#""next":100,"#)),
        Reply::new(200, page(&[2], r#""next":100,"#)),
    ]);
    let found = jobs(open(&server, "/catalog/images", &options(&server)).unwrap());
    assert_eq!(found.len(), 2);
    let requests = server.requests();
    let versions = requests.iter().map(|request| request.header("accept"));
    assert!(
        versions
            .skip(1)
            .all(|accept| accept.ends_with(";version=4.0"))
    );
    assert_eq!(requests[1].query("page[offset]"), None);
    assert_eq!(requests[2].query("page[offset]").as_deref(), Some("100"));
    // Else it would be the images of the last day.
    let all = "backupTime ge 1970-01-01T00:00:00.000Z";
    assert_eq!(requests[2].query("filter").as_deref(), Some(all));
}

#[test]
fn what_was_read_before_is_not_asked_for() {
    let server = Server::start(vec![Reply::new(200, page(&[1], ""))]);
    let time: DateTime<Utc> = "2026-11-22T03:00:00.5Z".parse().unwrap();
    let since = options(&server).since(Since::from(time));
    assert_eq!(open(&server, "", &since).unwrap().since, Some(time.into()));
    open(&server, "/catalog/images", &since).unwrap();
    let filters: Vec<_> = server
        .requests()
        .iter()
        .map(|request| request.query("filter").unwrap())
        .collect();
    // A day earlier: all streams of a backup that was not complete.
    assert_eq!(
        filters,
        [
            "startTime gt 2026-11-21T03:00:00.500Z",
            "backupTime ge 2026-11-21T03:00:00.500Z"
        ]
    );
    let job = Since::from(JobId::new("4711").unwrap());
    assert_eq!(
        refused(&server, "", &options(&server).since(job)),
        "cannot be read on from the job 4711: NetBackup's jobs do not end in the order of their \
         numbers; give a time"
    );
}

#[test]
fn the_key_goes_to_the_server_that_it_is_for_and_nowhere_else() {
    let other = Server::start(vec![Reply::new(200, page(&[1], ""))]);
    // A server that nobody vouches for.
    let message = refused(
        &other,
        "",
        &options(&Server::start(vec![Reply::new(200, "")])),
    );
    assert!(message.contains("invalid peer certificate"), "{message}");
    // A server with the certificate of another one.
    let address = format!("netbackup+https://127.0.0.1:{}", other.port);
    let wrong = Address::parse(&address)
        .unwrap()
        .unwrap()
        .open(&options(&other));
    let message = told(&wrong.unwrap_err());
    assert!(message.contains("invalid peer certificate"), "{message}");
    // A server that sends us on.
    let location = format!(
        "Location: https://localhost:{}/netbackup/admin/jobs",
        other.port
    );
    let server = Server::start(vec![Reply::new(307, "").header(location)]);
    assert_eq!(refused(&server, "", &options(&server)), "answered 307");
    assert_eq!(other.requests().len(), 0);
}

#[test]
fn the_key_comes_from_a_file() {
    let server = Server::start(vec![Reply::new(200, page(&[1], ""))]);
    let path = server.directory().join("key");
    fs::write(&path, format!("{KEY}\n")).unwrap();
    let of_file = options(&server).api_key_file(&path);
    open(&server, "", &of_file).unwrap();
    assert_eq!(server.requests()[0].header("authorization"), KEY);
    fs::write(&path, "\n").unwrap();
    let empty = "needs an API key: the one that was given is empty";
    assert_eq!(refused(&server, "", &of_file), empty);
    fs::write(&path, format!("{KEY}\u{7}")).unwrap();
    let wrong = refused(&server, "", &of_file);
    assert!(
        wrong.contains("has characters in it that no key has"),
        "{wrong}"
    );
    let none = RemoteOptions::default().ca_file(&server.ca_file);
    let message = refused(&server, "", &none);
    assert!(message.contains("--api-key-file"), "{message}");
    let missing = refused(
        &server,
        "",
        &of_file.api_key_file(server.directory().join("none")),
    );
    assert!(missing.starts_with("cannot read "), "{missing}");
}

#[test]
fn some_answers_stay_as_they_are() {
    let reason = r#"{"errorCode":8700,"errorMessage":"Your session or token has expired."}"#;
    for (reply, tries, message) in [
        (
            Reply::new(401, reason),
            1,
            "answered 401: Your session or token has expired.",
        ),
        (Reply::new(404, "<html>"), 1, "answered 404"),
        (
            Reply::new(500, reason),
            4,
            "sent no page after 4 tries: answered 500: Your session or token has expired.",
        ),
        (
            Reply::new(429, "").header("Retry-After: 86400"),
            1,
            "sent no page: answered 429",
        ),
        (
            Reply::new(200, "<html>log in here</html>"),
            1,
            "the answer is not a page of jobs or images: expected value at line 1 column 1",
        ),
        (
            Reply::new(200, "{}"),
            1,
            "the answer is not a page of jobs or images: it has no `data`",
        ),
    ] {
        let server = Server::start(vec![reply]);
        assert_eq!(refused(&server, "", &options(&server)), message);
        assert_eq!(server.requests().len(), tries, "{message}");
    }
}

#[test]
fn a_list_that_goes_in_a_circle_ends() {
    let server = Server::start(vec![Reply::new(200, page(&[1], r#""next":"1","#))]);
    let mut remote = open(&server, "", &options(&server)).unwrap();
    let error = remote
        .content
        .read_to_string(&mut String::new())
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "the answer is not a page of jobs or images: the next page is the same again"
    );
}

#[test]
fn nobody_is_there() {
    let server = Server::start(vec![Reply::new(200, "")]);
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = free.local_addr().unwrap().port();
    drop(free);
    let address = Address::parse(&format!("netbackup+https://localhost:{port}")).unwrap();
    let message = told(&address.unwrap().open(&options(&server)).unwrap_err());
    assert!(message.starts_with("sent no page: "), "{message}");
}
