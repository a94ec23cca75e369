//! Who changed what.

use askama::Template;
use axum::extract::State;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::chrome::{Chrome, PageResult, show};
use super::words::{When, when};
use crate::api::proofs::key_path;
use crate::api::{Asked, AuditFilter, Cursor, Page as ListPage};
use crate::app::App;

#[derive(Template)]
#[template(path = "audit.html")]
struct Page {
    chrome: Chrome,
    rows: Vec<Row>,
    next: Option<String>,
    leaves: u64,
    root: String,
    /// Whether there is a key that signs checkpoints.
    has_key: bool,
}

struct Row {
    number: u64,
    at: When,
    who: String,
    what: String,
    subject: String,
    severity: &'static str,
    reason: String,
    before: String,
    after: String,
}

pub(crate) async fn page(
    State(app): State<App>,
    chrome: Chrome,
    Asked(filter): Asked<AuditFilter>,
) -> PageResult {
    let (query, limit) = filter.query()?;
    let (found, head) = app
        .readers
        .read(move |service| {
            let records = service.records();
            Ok((records.audit_entries(&query)?, records.log_head()?))
        })
        .await?;
    let list = ListPage::cut(found, limit, |entry| Cursor::write(&entry.number));
    let json =
        |value: Option<serde_json::Value>| value.map(|value| value.to_string()).unwrap_or_default();
    let rows = list.items.into_iter().map(|stored| {
        let entry = stored.record;
        Row {
            number: stored.number,
            at: when(entry.at),
            who: entry.who,
            what: entry.what.replace('_', " "),
            subject: entry.subject,
            severity: entry.severity.map_or("", |severity| severity.as_str()),
            reason: entry.reason.unwrap_or_default(),
            before: json(entry.before),
            after: json(entry.after),
        }
    });
    Ok(show(&Page {
        chrome,
        rows: rows.collect(),
        next: list.next.map(|cursor| format!("/audit?cursor={cursor}")),
        leaves: head.size,
        root: STANDARD.encode(head.root),
        has_key: key_path(&app).exists(),
    })?)
}
