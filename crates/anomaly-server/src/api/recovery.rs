//! From where to restore.

use anomaly_model::{ClientName, RecoveryPoint};
use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use utoipa::IntoParams;

use super::InPath;
use super::body::Asked;
use crate::app::App;
use crate::problem::Problem;

/// Of which incident.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub(crate) struct Asking {
    /// The incident to go back before; the newest open one of the client when not given.
    incident: Option<u64>,
}

/// From where to restore each stream of a client.
#[utoipa::path(get, path = "/api/v1/clients/{client}/recovery-points", tag = "recovery",
    params(("client" = String, Path, description = "The client."), Asking),
    responses((status = 200, body = Vec<Object>), (status = 404, body = Problem)))]
pub(crate) async fn of_client(
    State(app): State<App>,
    InPath(client): InPath<String>,
    Asked(asking): Asked<Asking>,
) -> Result<Json<Vec<RecoveryPoint>>, Problem> {
    let client = ClientName::new(client).map_err(|_| Problem::not_found("client"))?;
    let points = app
        .readers
        .read(move |service| service.recovery_points(&client, asking.incident))
        .await?;
    if points.is_empty() {
        return Err(Problem::not_found("client"));
    }
    Ok(Json(points))
}
