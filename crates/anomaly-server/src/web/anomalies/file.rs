//! The list as a file.

use std::io;

use anomaly_storage::{AnomalyQuery, ListedAnomaly};
use axum::body::Body;
use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use futures_util::stream::try_unfold;

use super::super::chrome::PageResult;
use super::Row;
use crate::api::{Asked, Filter};
use crate::app::App;

/// The columns of the file, NetBackup's first.
const COLUMNS: &str = "job_id,client,policy_type,count,score,severity,summary,received_at,\
                       review_status,policy,schedule,schedule_type,kind,started_at,source\r\n";
/// Lines that are read at a time: no more are in memory, however long the file is.
const PAGE: usize = 500;

/// The same list as a file (RFC 4180), however long.
pub(crate) async fn csv(State(app): State<App>, Asked(filter): Asked<Filter>) -> PageResult {
    let (query, _) = filter.query()?;
    let first = Some((COLUMNS.to_owned(), query.limit(PAGE)));
    let pages = try_unfold(first, move |place| {
        let app = app.clone();
        async move {
            let Some((mut text, query)) = place else {
                return Ok(None);
            };
            let found = read(&app, query.clone()).await?;
            for listed in &found {
                text.push_str(&line(listed));
            }
            let last = found.last().filter(|_| found.len() == PAGE);
            let next = last.map(|last| {
                let after = last.anomaly.verdict.key();
                (String::new(), query.after(after))
            });
            Ok::<_, io::Error>(Some((text, next)))
        }
    });
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
        (
            header::CONTENT_DISPOSITION,
            "attachment; filename=\"anomalies.csv\"",
        ),
    ];
    Ok((headers, Body::from_stream(pages)).into_response())
}

async fn read(app: &App, query: AnomalyQuery) -> io::Result<Vec<ListedAnomaly>> {
    let found = app
        .readers
        .read(move |service| Ok(service.records().listed_anomalies(&query)?));
    // The file breaks off: who reads it is told by the connection.
    found
        .await
        .map_err(|problem| io::Error::other(problem.detail().to_owned()))
}

fn line(listed: &ListedAnomaly) -> String {
    let row = Row::of(listed);
    let fields = [
        row.job_id,
        row.client,
        row.policy_type,
        row.count.to_string(),
        row.score,
        row.severity.to_string(),
        row.summary,
        row.received_at.map(|at| at.machine).unwrap_or_default(),
        listed.anomaly.review_status().to_string(),
        row.policy,
        row.schedule,
        row.schedule_type.to_owned(),
        row.kind,
        row.started_at.machine,
        listed.job.source().to_string(),
    ];
    let fields: Vec<String> = fields.iter().map(|field| quoted(field)).collect();
    format!("{}\r\n", fields.join(","))
}

/// A field in quotes. What a spreadsheet would take for a formula is made text.
fn quoted(field: &str) -> String {
    let is_formula = field.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let guard = if is_formula { "'" } else { "" };
    format!("\"{guard}{}\"", field.replace('"', "\"\""))
}
