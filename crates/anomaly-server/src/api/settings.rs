//! The settings, as they are in force.

use anomaly_settings::Settings;
use axum::Json;
use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

use crate::app::App;
use crate::problem::Problem;

/// The settings by which is judged now, with an `ETag`.
#[utoipa::path(get, path = "/api/v1/settings", tag = "settings",
    responses((status = 200, body = Object)))]
pub(crate) async fn show(State(app): State<App>) -> Result<Response, Problem> {
    let settings = app.readers.settings();
    let tag = etag(&settings)?;
    let mut response = Json(&*settings).into_response();
    response.headers_mut().insert(header::ETAG, tag);
    Ok(response)
}

/// What changes whenever the settings do.
pub(crate) fn etag(settings: &Settings) -> Result<HeaderValue, Problem> {
    let bytes =
        serde_json::to_vec(settings).map_err(|error| Problem::internal(&error.to_string()))?;
    let hash = URL_SAFE_NO_PAD.encode(Sha256::digest(&bytes));
    HeaderValue::from_str(&format!("\"{hash}\""))
        .map_err(|error| Problem::internal(&error.to_string()))
}
