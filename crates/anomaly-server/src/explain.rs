//! Errors that no handler made, but the router or a layer around it.

use axum::extract::Request;
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::problem::Problem;

/// Puts a problem in the place of an error that is only a status, or a line of text.
pub(crate) async fn explain(request: Request, next: Next) -> Response {
    let is_page = crate::routes::is_page(request.uri().path());
    let bare = next.run(request).await;
    let status = bare.status();
    let kind = bare.headers().get(header::CONTENT_TYPE);
    let is_bare = kind.is_none_or(|kind| kind.as_bytes().starts_with(b"text/plain"));
    if !is_bare || !(status.is_client_error() || status.is_server_error()) {
        return bare;
    }
    let (code, detail) = match status {
        StatusCode::NOT_FOUND => ("not_found", "There is no such thing."),
        StatusCode::METHOD_NOT_ALLOWED => ("method_not_allowed", "It cannot be asked like that."),
        StatusCode::PAYLOAD_TOO_LARGE => ("too_large", "It is too large: send less at once."),
        StatusCode::REQUEST_TIMEOUT => (
            "too_slow",
            "It took too long. Whether it was kept is not known: send it again.",
        ),
        status if status.is_server_error() => {
            ("failed", "The service failed at it. Its log says why.")
        }
        _ => ("invalid", "The request cannot be read."),
    };
    let problem = Problem::new(status, code, detail);
    let mut response = if is_page {
        crate::web::problem_page(&problem)
    } else {
        problem.into_response()
    };
    // Which methods there are is said with the first.
    if let Some(allow) = bare.headers().get(header::ALLOW) {
        response.headers_mut().insert(header::ALLOW, allow.clone());
    }
    response
}
