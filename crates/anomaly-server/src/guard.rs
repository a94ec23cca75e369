//! Who may pass.

use std::sync::Arc;

use axum::extract::{FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};

use crate::account::Permission;
use crate::app::App;
use crate::identity::Identity;
use crate::problem::Problem;

/// What a route asks of whoever calls it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// Nothing.
    Anyone,
    /// This permission.
    Needs(Permission),
}

/// Where a person is sent who has to sign in.
const SIGN_IN: &str = "/sign-in";

/// Lets pass who may, and turns away everybody else: programs with a problem, people to the page
/// where they sign in.
pub(crate) async fn guard(
    State((access, is_page)): State<(Access, bool)>,
    request: Request,
    next: Next,
) -> Response {
    let Access::Needs(permission) = access else {
        return next.run(request).await;
    };
    let identity = request.extensions().get::<Option<Arc<Identity>>>();
    match identity.and_then(Option::as_ref) {
        None if is_page && request.method() == Method::GET => {
            let wanted = request
                .uri()
                .path_and_query()
                .map_or("/", |path| path.as_str());
            let target = if wanted == "/" {
                SIGN_IN.to_owned()
            } else {
                format!("{SIGN_IN}?next={}", crate::web::encoded(wanted))
            };
            Redirect::to(&target).into_response()
        }
        None => turned_away(is_page, Problem::not_signed_in()),
        Some(identity) if !identity.may(permission) => {
            let detail = if identity.role.may(permission) {
                "Only a person who has signed in may do this.".to_owned()
            } else {
                format!("The role {} may not do this.", identity.role)
            };
            turned_away(is_page, Problem::forbidden(detail))
        }
        Some(_) => next.run(request).await,
    }
}

fn turned_away(is_page: bool, problem: Problem) -> Response {
    if is_page {
        crate::web::problem_page(&problem)
    } else {
        problem.into_response()
    }
}

/// Refuses what another site made a browser send: a request that changes something, carries a
/// cookie, and does not come from a page of this service.
///
/// Browsers say where a request comes from (`Sec-Fetch-Site`, and `Origin` before that); programs
/// with an API key send neither, nor a cookie.
pub(crate) async fn same_origin(State(app): State<App>, request: Request, next: Next) -> Response {
    let method = request.method();
    let is_safe = *method == Method::GET || *method == Method::HEAD || *method == Method::OPTIONS;
    if is_safe || is_ours(request.headers(), app.options.is_secure()) {
        return next.run(request).await;
    }
    let detail = "The request comes from a page of another site. A program that is no browser sends the \
                  service's own address as `Origin` with the cookie.";
    Problem::forbidden(detail).into_response()
}

fn is_ours(headers: &HeaderMap, is_secure: bool) -> bool {
    if headers.contains_key(header::AUTHORIZATION) && !headers.contains_key(header::COOKIE) {
        return true;
    }
    let text = |value: Option<&HeaderValue>| {
        value
            .and_then(|value| value.to_str().ok())
            .map(str::to_owned)
    };
    match text(headers.get("sec-fetch-site")).as_deref() {
        Some("same-origin" | "none") => return true,
        Some(_) => return false,
        None => {}
    }
    match (
        text(headers.get(header::ORIGIN)),
        text(headers.get(header::HOST)),
    ) {
        (Some(origin), Some(host)) => {
            let scheme = if is_secure { "https" } else { "http" };
            origin == format!("{scheme}://{host}")
        }
        // No browser: it sends one of them with whatever is not a mere look.
        (None, _) => !headers.contains_key(header::COOKIE),
        _ => false,
    }
}

/// Turns away what comes while as many requests are worked on as may be.
pub(crate) async fn not_too_many(State(app): State<App>, request: Request, next: Next) -> Response {
    if let Ok(_permit) = app.requests.try_acquire() {
        return next.run(request).await;
    }
    let detail = "Too many requests at the same time. Send it again.";
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, "busy", detail).into_response()
}

/// Who asks, in a handler behind a guard.
pub(crate) struct Caller(pub(crate) Arc<Identity>);

impl std::ops::Deref for Caller {
    type Target = Identity;

    fn deref(&self) -> &Identity {
        &self.0
    }
}

impl<S: Sync> FromRequestParts<S> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let identity = parts.extensions.get::<Option<Arc<Identity>>>();
        identity
            .and_then(Option::as_ref)
            .map(|identity| Self(Arc::clone(identity)))
            .ok_or_else(Problem::not_signed_in)
    }
}

/// Answers for what no route is there for.
pub(crate) async fn no_such_page(request: Request) -> Response {
    let problem = Problem::new(StatusCode::NOT_FOUND, "not_found", "There is nothing here.");
    turned_away(crate::routes::is_page(request.uri().path()), problem)
}
