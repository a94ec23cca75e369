//! Incidents, listed and shown.

use anomaly_model::Incident;
use anomaly_model::Severity;
use anomaly_model::chrono::{DateTime, Utc};
use anomaly_service::IncidentReport;
use anomaly_storage::IncidentQuery;
use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::body::Asked;
use super::{Cursor, InPath, Limit, Page};
use crate::app::App;
use crate::problem::Problem;

/// Which incidents to list.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub(crate) struct Filter {
    /// Only open ones, or only closed ones.
    open: Option<bool>,
    /// Only of this severity or a higher one: `low`, `medium`, `high`.
    #[param(value_type = Option<String>)]
    severity: Option<Severity>,
    /// Only those of which a job started at this time or later.
    seen_from: Option<DateTime<Utc>>,
    /// `next` of the page before.
    cursor: Option<String>,
    /// How many: 1 to 1,000; 50 when not given.
    #[param(value_type = Option<u16>)]
    limit: Limit,
}

/// Anomalies that belong together.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct IncidentView {
    /// Its number, which stays.
    number: u64,
    /// The worst of its anomalies.
    #[schema(value_type = String)]
    severity: Severity,
    /// What happened: first and last seen, clients, policies, and how many anomalies of which kind.
    #[schema(value_type = Object)]
    incident: Incident,
    /// When the last of its anomalies was reviewed; `null` while one waits.
    closed_at: Option<DateTime<Utc>>,
    /// The incident that it turned out to be part of.
    merged_into: Option<u64>,
}

impl From<IncidentReport> for IncidentView {
    fn from(report: IncidentReport) -> Self {
        Self {
            number: report.number,
            severity: report.incident.severity(),
            incident: report.incident,
            closed_at: report.closed_at,
            merged_into: report.merged_into,
        }
    }
}

/// Incidents, those seen last first.
#[utoipa::path(get, path = "/api/v1/incidents", tag = "incidents", params(Filter),
    responses((status = 200, body = Page<IncidentView>), (status = 400, body = Problem)))]
pub(crate) async fn list(
    State(app): State<App>,
    Asked(filter): Asked<Filter>,
) -> Result<Json<Page<IncidentView>>, Problem> {
    let limit = filter.limit.get()?;
    let after = filter.cursor.as_deref().map(Cursor::read::<u64>);
    let query = IncidentQuery::default()
        .open(filter.open)
        .at_least(filter.severity)
        .seen_from(filter.seen_from)
        .after(after.transpose()?)
        .limit(limit + 1);
    let found = app
        .readers
        .read(move |service| service.incidents(&query))
        .await?;
    let page = Page::cut(found, limit, |report| Cursor::write(&report.number));
    Ok(Json(page.map(IncidentView::from)))
}

/// An incident.
#[utoipa::path(get, path = "/api/v1/incidents/{number}", tag = "incidents",
    params(("number" = u64, Path, description = "Its number.")),
    responses((status = 200, body = IncidentView), (status = 404, body = Problem)))]
pub(crate) async fn show(
    State(app): State<App>,
    InPath(number): InPath<u64>,
) -> Result<Json<IncidentView>, Problem> {
    let found = app
        .readers
        .read(move |service| service.incident(number))
        .await?;
    let found = found.ok_or_else(|| Problem::not_found("incident"))?;
    Ok(Json(found.into()))
}
