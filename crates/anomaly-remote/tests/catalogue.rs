//! A real PostgreSQL with what a real Bacula wrote into it.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod servers;

use std::error::Error as _;
use std::io::{BufRead as _, Read as _};
use std::net::TcpListener;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use anomaly_model::JobId;
use anomaly_model::chrono::{DateTime, Utc};
use anomaly_remote::{Address, Remote, RemoteError, RemoteOptions, Secret};
use anomaly_sources::{Format, ReadOptions, Record, Since, read};
use postgres::Client;
use servers::postgresql::PostgreSql;

/// The tables as `pg_dump` printed them, and what `\copy` made of the query at the same moment.
const DUMP: &str = include_str!("fixtures/bacula-9.6.sql");
const COPIED: &str = include_str!("../../anomaly-sources/tests/fixtures/bacula-9.6-catalogue.csv");
const HOW_TO: &str = include_str!("../../../docs/how-to/bareos.md");

fn open(address: &str, options: &RemoteOptions) -> Result<Remote, RemoteError> {
    Address::parse(address).unwrap()?.open(options)
}

fn text(address: &str, options: &RemoteOptions) -> String {
    let mut text = String::new();
    let mut remote = open(address, options).unwrap();
    remote.content.read_to_string(&mut text).unwrap();
    text
}

/// What went wrong, with everything behind it.
fn refused(address: &str, options: &RemoteOptions) -> String {
    let error = open(address, options).unwrap_err();
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text = format!("{text}: {error}");
        source = error.source();
    }
    text
}

fn ids(csv: &str) -> Vec<u64> {
    let rows = csv.lines().skip(1);
    rows.map(|row| row.split(',').next().unwrap().parse().unwrap())
        .collect()
}

/// The block of the how-to page that begins with `start`.
fn block(start: &str) -> &'static str {
    let from = HOW_TO.find(start).unwrap();
    let text = &HOW_TO[from..];
    &text[..text.find("```").unwrap()]
}

#[test]
fn a_server_that_says_nothing_is_left() {
    // The system accepts, and nobody reads.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = silent.local_addr().unwrap().port();
    let address = format!("postgresql://u@127.0.0.1:{port}/bareos?sslmode=disable");
    let options = RemoteOptions::default().timeout(Duration::from_millis(100));
    let (told, answer) = mpsc::channel();
    thread::spawn(move || told.send(refused(&address, &options)));
    let message = answer.recv_timeout(Duration::from_mins(1)).unwrap();
    assert_eq!(message, "did not answer within 2 s");
}

/// Servers take seconds to start: all of it uses one.
#[test]
fn a_catalogue_is_read_live() {
    let Some(server) = PostgreSql::start() else {
        return;
    };
    let mut admin = server.database("bareos");
    admin.batch_execute(DUMP).unwrap();
    // The role that the how-to page makes, which may read three tables.
    admin.batch_execute(block("CREATE ROLE")).unwrap();
    let address = server.address("backwatch", "bareos");

    the_same_as_a_copy(&address);
    the_query_of_the_how_to_page_gives_the_same(&mut admin);
    what_was_read_before_is_not_sent_again(&address);
    over_the_network_it_takes_a_certificate_and_a_password(&server);
    what_the_user_may_not_read(&server, &mut admin);
    more_rows_than_are_fetched_at_a_time(&server);
    nothing_can_be_written(&server);
    nothing_waits_for_long(&server);
}

fn the_same_as_a_copy(address: &str) {
    let remote = open(address, &RemoteOptions::default()).unwrap();
    assert_eq!(remote.format, Format::BareosCatalogue);
    assert_eq!(text(address, &RemoteOptions::default()), COPIED);
    let records = read(remote.content, remote.format, &ReadOptions::default()).unwrap();
    let jobs = records
        .map(|record| record.unwrap())
        .filter_map(Record::job);
    assert_eq!(jobs.count(), 11);
}

fn the_query_of_the_how_to_page_gives_the_same(admin: &mut Client) {
    let query = block("SELECT Jobs.JobId");
    let mut csv = String::new();
    let copy = format!("COPY ({query}) TO STDOUT (FORMAT csv, HEADER)");
    let mut copied = admin.copy_out(&copy).unwrap();
    copied.read_to_string(&mut csv).unwrap();
    assert_eq!(csv, COPIED);
}

fn what_was_read_before_is_not_sent_again(address: &str) {
    let since = |since: Since| text(address, &RemoteOptions::default().since(since));
    let job = |id: &str| Since::from(JobId::new(id).unwrap());
    // 7 ended after 8 began, and 23 and 22 are copies of jobs that ended before.
    assert_eq!(ids(&since(job("24"))), [25, 26, 27]);
    let late = ids(&since(job("6")));
    assert!(
        late.contains(&7) && late.contains(&8) && !late.contains(&6),
        "{late:?}"
    );
    assert_eq!(ids(&since(job("27"))), Vec::<u64>::new());
    let time: DateTime<Utc> = "2026-11-25T23:32:20Z".parse().unwrap();
    assert_eq!(ids(&since(time.into())), [25, 26, 27]);

    let options = RemoteOptions::default().since(job("24"));
    assert_eq!(open(address, &options).unwrap().since, None);
    let options = RemoteOptions::default().since(Since::from(time));
    assert_eq!(open(address, &options).unwrap().since, Some(time.into()));
    let options = RemoteOptions::default().since(job("4711/mail01"));
    let message = "cannot be read on from the job 4711/mail01: a JobId is a number";
    assert_eq!(refused(address, &options), message);
}

fn over_the_network_it_takes_a_certificate_and_a_password(server: &PostgreSql) {
    let address = format!("postgresql://backwatch@localhost:{}/bareos", server.port);
    let secret = || Secret::new("choose another one");
    let trusted = RemoteOptions::default().ca_file(&server.ca_file);
    assert_eq!(text(&address, &trusted.clone().password(secret())), COPIED);
    let in_address = format!(
        "{address}?sslmode=verify-full&sslrootcert={}",
        server.ca_file.display()
    );
    assert_eq!(
        text(&in_address, &RemoteOptions::default().password(secret())),
        COPIED
    );

    let untrusted = RemoteOptions::default().password(secret());
    let message = refused(&address, &untrusted);
    assert!(
        message.contains("not one that is trusted here; name the one that signed"),
        "{message}"
    );
    // The certificate is for another name.
    let message = refused(&address.replace("localhost", "127.0.0.1"), &trusted);
    assert!(message.contains("not one that is trusted"), "{message}");
    let message = refused(&address, &trusted);
    assert!(message.contains("password missing"), "{message}");
    let wrong = trusted.password(Secret::new("hunter2"));
    let message = refused(&address, &wrong);
    assert!(
        message.contains("password authentication failed"),
        "{message}"
    );
    assert!(!message.contains("hunter2"), "{message}");
}

fn what_the_user_may_not_read(server: &PostgreSql, admin: &mut Client) {
    let address = server.address("stranger", "bareos");
    admin.batch_execute("CREATE ROLE stranger LOGIN").unwrap();
    let message = refused(&address, &RemoteOptions::default());
    assert!(
        message.contains("needs SELECT on job, jobhisto and client"),
        "{message}"
    );
    let message = refused(
        &server.address("admin", "postgres"),
        &RemoteOptions::default(),
    );
    assert!(
        message.contains("not that of a Bareos or Bacula director"),
        "{message}"
    );
}

fn more_rows_than_are_fetched_at_a_time(server: &PostgreSql) {
    let mut admin = server.database("large");
    admin.batch_execute(DUMP).unwrap();
    admin
        .batch_execute(
            "TRUNCATE Job, JobHisto;
             INSERT INTO JobHisto (JobId, Job, Name, Type, Level, ClientId, JobStatus, JobTDate)
             SELECT n, 'Night.' || n, 'Night, \"all\"', 'B', 'F', 1, 'T', n
             FROM generate_series(1, 5000) AS n;
             INSERT INTO Job SELECT * FROM JobHisto WHERE JobId > 3000",
        )
        .unwrap();
    let address = server.address("admin", "large");
    assert_eq!(
        ids(&text(&address, &RemoteOptions::default())),
        (1..=5000).collect::<Vec<_>>()
    );

    // The connection is lost in the middle, and the rest is read later.
    let mut remote = open(&address, &RemoteOptions::default()).unwrap();
    let mut line = String::new();
    for _ in 0..100 {
        line.clear();
        remote.content.read_line(&mut line).unwrap();
    }
    let lost = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = \
                'backwatch' AND datname = 'large'";
    admin.batch_execute(lost).unwrap();
    let error = remote
        .content
        .read_to_string(&mut String::new())
        .unwrap_err();
    assert_eq!(error.to_string(), "cannot read the catalogue");
    assert_eq!(ids(&format!("\n{line}")), [99]);
    let options = RemoteOptions::default().since(Since::from(JobId::new("99").unwrap()));
    assert_eq!(
        ids(&text(&address, &options)),
        (100..=5000).collect::<Vec<_>>()
    );
}

fn nothing_can_be_written(server: &PostgreSql) {
    let mut admin = server.database("trapped");
    admin.batch_execute(DUMP).unwrap();
    admin
        .batch_execute(
            "ALTER TABLE Client RENAME TO clients;
             CREATE FUNCTION trap() RETURNS SETOF clients LANGUAGE sql VOLATILE AS
             'UPDATE clients SET Name = Name RETURNING *';
             CREATE VIEW Client AS SELECT * FROM trap()",
        )
        .unwrap();
    let mut remote = open(
        &server.address("admin", "trapped"),
        &RemoteOptions::default(),
    )
    .unwrap();
    let error = remote
        .content
        .read_to_string(&mut String::new())
        .unwrap_err();
    let cause = format!("{:?}", error.into_inner().unwrap());
    assert!(
        cause.contains("cannot execute UPDATE in a read-only transaction"),
        "{cause}"
    );
}

fn nothing_waits_for_long(server: &PostgreSql) {
    let mut admin = server.database("slow");
    admin.batch_execute(DUMP).unwrap();
    admin
        .batch_execute(
            "ALTER TABLE Client RENAME TO clients;
             CREATE VIEW Client AS SELECT clients.* FROM clients, pg_sleep(3600)",
        )
        .unwrap();
    let options = RemoteOptions::default().timeout(Duration::from_millis(100));
    let mut remote = open(&server.address("admin", "slow"), &options).unwrap();
    let error = remote
        .content
        .read_to_string(&mut String::new())
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "cannot read the catalogue (the statement took too long)"
    );
}
