//! Proofs about the log of evidence, for whoever holds its root.

use std::path::PathBuf;
use std::sync::Arc;

use anomaly_storage::{
    Checkpoint, ConsistencyProof, Hash, InclusionProof, Read, SigningKey, StoreError,
};
use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::InPath;
use super::body::Asked;
use crate::app::App;
use crate::problem::Problem;

fn base64(path: &[Hash]) -> Vec<String> {
    path.iter().map(|hash| STANDARD.encode(hash)).collect()
}

/// Makes a proof about the log of a size, or as it is now: one at a time, since the log may be large.
async fn prove<T: Send + 'static>(
    app: &App,
    size: Option<u64>,
    proof: impl FnOnce(&dyn Read, u64) -> Result<Option<T>, StoreError> + Send + 'static,
) -> Result<Option<T>, Problem> {
    // The semaphore is never closed. The permit ends with the work, whoever still waits for it.
    let permit = Arc::clone(&app.proofs).acquire_owned().await;
    app.readers
        .read(move |service| {
            let _permit = permit;
            let log = service.records();
            let size = match size {
                Some(size) => size,
                None => log.log_head()?.size,
            };
            Ok(proof(log, size)?)
        })
        .await
}

/// In which log.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct OfSize {
    /// The size of the log whose root you hold; what it is now when not given.
    size: Option<u64>,
}

/// Shows that a record is in the log (RFC 9162, section 2.1.3). All hashes are SHA-256, in Base64.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct InclusionView {
    /// The place of the leaf, from 0: one less than its number.
    leaf_index: u64,
    /// What the leaf's hash is of, behind a byte 0, in Base64; `null` when the record was deleted
    /// because it is old.
    leaf_data: Option<String>,
    /// The hash of the leaf.
    leaf_hash: String,
    /// The size of the log.
    tree_size: u64,
    /// The root of the log at that size.
    root: String,
    /// The hashes beside the way from the leaf to the root, from the leaf up.
    inclusion_path: Vec<String>,
}

/// Proves that an entry of the audit log, or any other record, is in the log of evidence.
#[utoipa::path(get, path = "/api/v1/audit/{number}/proof", tag = "audit",
    params(("number" = u64, Path, description = "The number of the entry, from 1."), OfSize),
    responses((status = 200, body = InclusionView), (status = 404, body = Problem)))]
pub(crate) async fn inclusion(
    State(app): State<App>,
    InPath(number): InPath<u64>,
    Asked(OfSize { size }): Asked<OfSize>,
) -> Result<Json<InclusionView>, Problem> {
    let proof = prove(&app, size, move |log, size| {
        InclusionProof::of(log, number, size)
    })
    .await?;
    let proof = proof.ok_or_else(|| Problem::not_found("leaf in a log of this size"))?;
    Ok(Json(InclusionView {
        leaf_index: proof.leaf.number - 1,
        leaf_data: proof.leaf.data.map(|data| STANDARD.encode(data)),
        leaf_hash: STANDARD.encode(proof.leaf.hash),
        tree_size: proof.size,
        root: STANDARD.encode(proof.root),
        inclusion_path: base64(&proof.path),
    }))
}

/// From which log to which.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Sizes {
    /// The size of the log whose root you hold, 1 or more.
    first: u64,
    /// The size of the later log; what it is now when not given.
    second: Option<u64>,
}

/// Shows that a log holds all of an earlier one (RFC 9162, section 2.1.4). All hashes are SHA-256, in
/// Base64.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ConsistencyView {
    /// The size of the earlier log.
    first: u64,
    /// The size of the later log.
    second: u64,
    /// The root of the later log. That of the earlier one is yours.
    root: String,
    /// The hashes that both roots are made of.
    consistency_path: Vec<String>,
}

/// Proves that the log of evidence has only grown since it had a size.
#[utoipa::path(get, path = "/api/v1/audit/consistency", tag = "audit", params(Sizes),
    responses((status = 200, body = ConsistencyView), (status = 400, body = Problem),
        (status = 404, body = Problem)))]
pub(crate) async fn consistency(
    State(app): State<App>,
    Asked(Sizes { first, second }): Asked<Sizes>,
) -> Result<Json<ConsistencyView>, Problem> {
    let proof = prove(&app, second, move |log, second| {
        ConsistencyProof::of(log, first, second)
    })
    .await?;
    let proof = proof.ok_or_else(|| Problem::not_found("log, or none that came from the other"))?;
    Ok(Json(ConsistencyView {
        first: proof.first,
        second: proof.second,
        root: STANDARD.encode(proof.root),
        consistency_path: base64(&proof.path),
    }))
}

/// Where the key is that signs checkpoints, as `backwatch checkpoint` makes it: beside the database.
pub(crate) fn key_path(app: &App) -> PathBuf {
    let mut path = app.database.clone().into_os_string();
    path.push(".key");
    path.into()
}

/// The head of the log, signed: a checkpoint (C2SP tlog-checkpoint), where there is a key to sign it.
#[utoipa::path(get, path = "/api/v1/audit/checkpoint", tag = "audit",
    responses((status = 200, body = String, content_type = "text/plain"),
        (status = 404, body = Problem)))]
pub(crate) async fn checkpoint(State(app): State<App>) -> Result<Response, Problem> {
    let path = key_path(&app);
    if !path.exists() {
        let detail =
            "There is no key to sign with: `backwatch checkpoint` makes one, the first time.";
        return Err(Problem::new(
            StatusCode::NOT_FOUND,
            "no_signing_key",
            detail,
        ));
    }
    let key = SigningKey::open(&path).map_err(|error| Problem::internal(&error.to_string()))?;
    let head = app
        .readers
        .read(|service| Ok(service.records().log_head()?))
        .await?;
    let text = Checkpoint::sign(head, &key).to_string();
    let kind = [(header::CONTENT_TYPE, "text/plain; charset=utf-8")];
    Ok((kind, text).into_response())
}
