//! Who is watched, and how well.

use anomaly_model::{FleetCoverage, StreamCoverage};
use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use utoipa::IntoParams;

use super::body::Asked;
use super::{Cursor, Limit, Page};
use crate::app::{App, now};
use crate::problem::Problem;

/// How well all streams are watched, counted.
#[utoipa::path(get, path = "/api/v1/coverage", tag = "coverage",
    responses((status = 200, body = Object)))]
pub(crate) async fn coverage(State(app): State<App>) -> Result<Json<FleetCoverage>, Problem> {
    let coverage = app.readers.read(|service| service.coverage(now())).await?;
    Ok(Json(coverage))
}

/// A page of streams.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub(crate) struct Asking {
    /// `next` of the page before.
    cursor: Option<String>,
    /// How many: 1 to 1,000; 50 when not given.
    #[param(value_type = Option<u16>)]
    limit: Limit,
}

/// Streams, each with how well it is watched, in the order in which they were first seen.
#[utoipa::path(get, path = "/api/v1/streams", tag = "coverage", params(Asking),
    responses((status = 200, body = Page<Object>), (status = 400, body = Problem)))]
pub(crate) async fn list(
    State(app): State<App>,
    Asked(asking): Asked<Asking>,
) -> Result<Json<Page<StreamCoverage>>, Problem> {
    let limit = asking.limit.get()?;
    let after = asking.cursor.as_deref().map(Cursor::read::<u64>);
    let after = after.transpose()?.unwrap_or(0);
    let page = app
        .readers
        .read(move |service| service.stream_coverage(now(), after, limit))
        .await?;
    Ok(Json(Page {
        items: page.streams,
        next: page.next.map(|place| Cursor::write(&place)),
    }))
}
