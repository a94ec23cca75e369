//! Who changed what, and what proves that nothing was changed beside.

use anomaly_model::Severity;
use anomaly_storage::{AuditEntry, AuditQuery};
use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::body::Asked;
use super::{Cursor, Limit, Page};
use crate::app::App;
use crate::problem::Problem;

/// Which entries to list.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub(crate) struct Filter {
    /// Only of what was done by this one.
    pub(crate) who: Option<String>,
    /// Only of this word: `review`, `settings`, `exclude`, ...
    pub(crate) what: Option<String>,
    /// Only of what was done to this.
    pub(crate) subject: Option<String>,
    /// Only system events of this severity or a higher one.
    #[param(value_type = Option<String>)]
    pub(crate) severity: Option<Severity>,
    /// `next` of the page before.
    pub(crate) cursor: Option<String>,
    /// How many: 1 to 1,000; 50 when not given.
    #[param(value_type = Option<u16>)]
    pub(crate) limit: Limit,
}

/// An entry of the audit log.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct EntryView {
    /// Its number in the log of evidence.
    pub(crate) number: u64,
    /// Who, when, what, to what, and what stood there before and after.
    #[serde(flatten)]
    #[schema(value_type = Object)]
    pub(crate) entry: AuditEntry,
}

impl Filter {
    pub(crate) fn query(&self) -> Result<(AuditQuery, usize), Problem> {
        let limit = self.limit.get()?;
        let before = self.cursor.as_deref().map(Cursor::read::<u64>);
        let query = AuditQuery::default()
            .who(self.who.clone())
            .what(self.what.clone())
            .subject(self.subject.clone())
            .at_least(self.severity)
            .before(before.transpose()?)
            .limit(limit + 1);
        Ok((query, limit))
    }
}

/// Entries of the audit log, newest first.
#[utoipa::path(get, path = "/api/v1/audit", tag = "audit", params(Filter),
    responses((status = 200, body = Page<EntryView>), (status = 400, body = Problem)))]
pub(crate) async fn list(
    State(app): State<App>,
    Asked(filter): Asked<Filter>,
) -> Result<Json<Page<EntryView>>, Problem> {
    let (query, limit) = filter.query()?;
    let found = app
        .readers
        .read(move |service| Ok(service.records().audit_entries(&query)?))
        .await?;
    let page = Page::cut(found, limit, |entry| Cursor::write(&entry.number));
    Ok(Json(page.map(|stored| EntryView {
        number: stored.number,
        entry: stored.record,
    })))
}

/// What stands for everything that was ever recorded.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Head {
    /// How many leaves the log has.
    size: u64,
    /// The root of their Merkle tree (RFC 6962), in Base64: kept elsewhere, it proves that nothing
    /// before it was changed since.
    root: String,
}

/// The head of the log of evidence.
#[utoipa::path(get, path = "/api/v1/audit/head", tag = "audit",
    responses((status = 200, body = Head)))]
pub(crate) async fn head(State(app): State<App>) -> Result<Json<Head>, Problem> {
    use base64::Engine as _;
    let head = app
        .readers
        .read(|service| Ok(service.records().log_head()?))
        .await?;
    Ok(Json(Head {
        size: head.size,
        root: base64::engine::general_purpose::STANDARD.encode(head.root),
    }))
}
