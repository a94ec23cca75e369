//! No query reads a whole table that grows, and none sorts what an index holds in order.

use anomaly_model::chrono::DateTime;
use anomaly_model::{
    AnomalyKind, ClientName, PolicyName, PolicyType, ReviewStatus, ScheduleName, ScheduleType,
    Severity,
};
use rusqlite::Connection;

use super::anomalies::{Cursor, Membership};
use super::jobs::Place;
use super::migrations::MIGRATIONS;
use super::{
    adopt, anomalies, audit, changes, history, incidents, jobs, outbox, purge, records, streams,
    verify,
};
use crate::evidence::LeafKind;
use crate::{
    AnomalyQuery, AuditQuery, IncidentQuery, JudgedAs, ObservationQuery, Origin, Sort, SortKey,
};

fn sorts() -> impl Iterator<Item = Sort> {
    let directions = |&key| [true, false].map(|ascending| Sort { key, ascending });
    SortKey::ALL.iter().flat_map(directions)
}

/// Whether a column is read from the row that an entry of the index stands for, and not from the
/// entry: the plan does not tell of expressions, the program does.
fn reads_the_table(connection: &Connection, sql: &str) -> bool {
    let mut statement = connection.prepare(&format!("EXPLAIN {sql}")).unwrap();
    let steps = statement
        .raw_query()
        .mapped(|row| Ok((row.get("opcode")?, row.get("p1")?, row.get("p3")?)));
    let steps: Vec<(String, i64, i64)> = steps.collect::<rusqlite::Result<_>>().unwrap();
    let opcode = |wanted: &'static str| steps.iter().filter(move |(found, ..)| found == wanted);
    let tables: Vec<i64> = opcode("DeferredSeek").map(|step| step.2).collect();
    opcode("Column").any(|(_, cursor, _)| tables.contains(cursor)) || opcode("Seek").count() > 0
}

/// The steps of the plan for `sql`.
fn plan(connection: &Connection, sql: &str) -> Vec<String> {
    let mut statement = connection
        .prepare(&format!("EXPLAIN QUERY PLAN {sql}"))
        .unwrap();
    let steps = statement.raw_query().mapped(|row| row.get("detail"));
    steps.collect::<rusqlite::Result<_>>().unwrap()
}

fn connection() -> Connection {
    let connection = Connection::open_in_memory().unwrap();
    adopt::define_functions(&connection).unwrap();
    for migration in MIGRATIONS {
        connection.execute_batch(migration.sql).unwrap();
    }
    connection
}

#[test]
fn every_query_follows_an_index() {
    let connection = connection();
    let mut queries = vec![
        jobs::IS_KNOWN,
        jobs::PLACE,
        jobs::RUN_OF,
        jobs::PURGE_OF,
        jobs::STORED_AFTER,
        jobs::LAST_NORMAL,
        anomalies::REVIEWS,
        anomalies::LAST_REVIEW,
        anomalies::IS_ANOMALOUS,
        anomalies::HAS_MANY,
        anomalies::RECORDED_AT,
        streams::STREAM,
        streams::STATUS,
        streams::PURGED_UNTIL,
        streams::STREAMS,
        streams::MODEL_STATE,
        streams::OF_CLIENT,
        streams::DUE,
        streams::COUNT_DUE,
        streams::NOTE,
        anomalies::FALSE_POSITIVES,
        incidents::INCIDENT,
        incidents::PLACE,
        incidents::INCIDENT_OF,
        changes::SETTINGS,
        changes::PROPOSAL,
        changes::PENDING,
        outbox::IS_MESSAGE,
        purge::OLD_MESSAGES,
        outbox::DELIVERIES,
        outbox::DUE,
        outbox::WAITING,
        history::RECORDED,
        history::RECORDED_OF_STREAM,
        purge::OLD_JOBS,
        purge::OLD_INCIDENTS,
        purge::REVIEWS,
        purge::IDLE_STREAMS,
        records::LEAF,
        verify::PROOF,
    ];
    queries.extend(LeafKind::ALL.map(records::sql));
    for sql in queries {
        for step in plan(&connection, sql) {
            let sorts = step.contains("TEMP B-TREE");
            assert!(
                !step.starts_with("SCAN") && !sorts || is_in_order(&step, sql),
                "{step} in {sql}"
            );
        }
    }
}

/// Tables that are read in the order of their numbers, up to a limit; what waits for a second person;
/// the few streams of a client; and the jobs of one stream.
fn is_in_order(step: &str, sql: &str) -> bool {
    step == "SCAN settings_versions" && sql == changes::SETTINGS
        || step == "SCAN messages" && sql == purge::OLD_MESSAGES
        || step == "SCAN proposals USING INDEX pending" && sql == changes::PENDING
        || step.contains("TEMP B-TREE")
            && [streams::OF_CLIENT, history::RECORDED_OF_STREAM].contains(&sql)
}

#[test]
fn every_list_begins_at_its_index() {
    let connection = connection();
    let client = || ClientName::new("mail01").unwrap();
    let after = [None, Some(Place::default())];
    let cursors = after.map(|place| Some(Cursor::new(place?, 0.into())));
    let query = AnomalyQuery::default;
    for (query, index) in [
        (query(), "anomalies ("),
        (query().started_from(DateTime::UNIX_EPOCH), "anomalies ("),
        (query().client(client()), "anomalies_of_client"),
        (query().at_least(Severity::High), "anomalies_by_severity"),
        (
            query().review_status(ReviewStatus::NotReviewed),
            "anomalies_by_review",
        ),
    ] {
        for after in cursors.clone() {
            let sql = anomalies::conditions(&query, after, Membership::Few).select_jobs(Some(50));
            check(&connection, &sql, index);
        }
    }
    for (query, index) in [
        (query(), "anomalies ("),
        (query().client(client()), "anomalies_of_client"),
    ] {
        for after in cursors.clone() {
            let query = query.clone().incident(1);
            let sql = anomalies::conditions(&query, after, Membership::Many).select_jobs(Some(50));
            // Of each it asks whether it is one of its own.
            let steps = plan(&connection, &sql);
            assert!(
                format!("{} (", steps[0]).contains(index)
                    && !steps.iter().any(|step| step.contains("TEMP B-TREE")),
                "{steps:?} in {sql}"
            );
        }
    }
    for (sort, after) in sorts().zip(cursors.iter().cycle()) {
        let filters = query()
            .client(client())
            .policy(PolicyName::new("daily").unwrap())
            .policy_type(PolicyType::new("oracle").unwrap())
            .schedule(ScheduleName::new("nightly").unwrap())
            .schedule_type(ScheduleType::Full)
            .containing("mail".to_owned())
            .at_least(Severity::Medium)
            .least_score(3.0)
            .kind(AnomalyKind::Growth)
            .review_status(ReviewStatus::NotReviewed)
            .started_from(DateTime::UNIX_EPOCH);
        for query in [query().sorted(sort), filters.sorted(sort)] {
            let sql =
                anomalies::conditions(&query, after.clone(), Membership::Few).select_jobs(Some(50));
            // The newest first is in the order of another index.
            if query != AnomalyQuery::default() {
                let steps = plan(&connection, &sql);
                assert!(
                    steps[0].contains("INDEX anomaly_list"),
                    "{steps:?} in {sql}"
                );
                assert!(!reads_the_table(&connection, &sql), "{sql}");
            }
        }
    }
    let query = ObservationQuery::default;
    for (query, stream, index) in [
        (query(), None, "jobs_by_start"),
        (query(), Some(1), "jobs_of_stream"),
        (query().origin(Origin::Tool), None, "jobs_by_start"),
        (query().origin(Origin::Tool), Some(1), "jobs_of_stream"),
        (
            query().judged_as(JudgedAs::Normal),
            Some(1),
            "jobs_of_stream",
        ),
        (
            query().judged_as(JudgedAs::Anomalous),
            None,
            "jobs_by_start",
        ),
    ] {
        for after in after {
            let sql = jobs::conditions(&query, stream, after).select_jobs(Some(50));
            check(&connection, &sql, index);
        }
    }
    for (client, index) in [
        (None, "anomalies ("),
        (Some(client()), "anomalies_of_client"),
    ] {
        for order in ["ASC", "DESC"] {
            let conditions = anomalies::nearby(client.as_ref(), 0, 9);
            let sql = anomalies::nearest(&conditions, order, 50);
            // Each then asks for its incident.
            let steps = plan(&connection, &sql);
            assert!(
                steps.len() == 2 && format!("{} (", steps[0]).contains(index),
                "{steps:?}"
            );
        }
    }
    // Its jobs are of several streams: they are put in order.
    let sql = jobs::conditions(&query().client(client()), None, None).select_jobs(Some(50));
    assert!(plan(&connection, &sql)[0].contains("jobs_of_stream"));
}

/// Entries of the audit log are read in their order until there are enough: what one person did, who
/// has no index, too. Events are counted in dozens, and put in order.
#[test]
fn audit_entries_and_incidents_are_read_in_the_order_of_their_index() {
    let connection = connection();
    let query = AuditQuery::default;
    for (query, index) in [
        (query(), "SCAN audit ("),
        (query().who("ann".to_owned()), "SCAN audit ("),
        (query().what("review".to_owned()), "audit_of_what"),
        (query().subject("mail01".to_owned()), "audit_of_subject"),
        (query().at_least(Severity::High), "system_events"),
        (query().at_least(Severity::Low), "system_events"),
        (query().before(9), "INTEGER PRIMARY KEY"),
        (query().after(9), "INTEGER PRIMARY KEY"),
    ] {
        let (sql, _) = audit::select(&query.limit(50));
        let steps = plan(&connection, &sql);
        let is_sorted = steps.len() > 1;
        assert!(
            format!("{} (", steps[0]).contains(index) && is_sorted == sql.contains("?, ?"),
            "{steps:?} in {sql}"
        );
    }
    let query = IncidentQuery::default;
    for (query, index) in [
        (query(), "incidents_by_last_seen"),
        (query().open(true), "open_incidents"),
        (query().open(false), "incidents_by_last_seen"),
        (query().at_least(Severity::Medium), "incidents_by_last_seen"),
        (
            query().open(true).at_least(Severity::Medium),
            "open_incidents",
        ),
        (
            query().seen_from(DateTime::UNIX_EPOCH),
            "incidents_by_last_seen",
        ),
    ] {
        for after in [None, Some((0, 9))] {
            let (sql, _) = incidents::select(&query.clone().limit(50), after);
            check(&connection, &sql, index);
        }
    }
}

fn check(connection: &Connection, sql: &str, index: &str) {
    let steps = plan(connection, sql);
    assert!(
        steps.len() == 1 && format!("{} (", steps[0]).contains(index),
        "{steps:?} in {sql}, not {index}"
    );
}
