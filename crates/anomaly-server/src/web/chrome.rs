//! What is around every page.

use anomaly_settings::Role as WatchRole;
use askama::Template;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Response};

use super::bell::BellView;
use crate::account::{Permission, Role};
use crate::app::App;
use crate::guard::Caller;
use crate::problem::Problem;

/// What is around every page: who looks at it, and what that person may do.
#[derive(Debug, Clone)]
pub(crate) struct Chrome {
    pub(crate) name: String,
    pub(crate) role: Role,
    pub(crate) may_review: bool,
    pub(crate) may_administer: bool,
    pub(crate) may_configure: bool,
    /// `light`, `dark`, or empty for what the system has.
    pub(crate) theme: &'static str,
    /// What the person is told; a program is told nothing here.
    pub(crate) bell: Option<BellView>,
    /// Which parts of the watching are off, a sentence each.
    pub(crate) off: Vec<&'static str>,
}

impl FromRequestParts<App> for Chrome {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let caller = Caller::from_request_parts(parts, app).await?;
        Ok(Self {
            name: caller.name.clone(),
            role: caller.role,
            may_review: caller.may(Permission::Review),
            may_administer: caller.may(Permission::Administer),
            may_configure: caller.may(Permission::Configure),
            theme: theme(parts),
            bell: caller
                .may(Permission::OwnAccount)
                .then(|| BellView::of(app, &caller.name)),
            off: app
                .readers
                .settings()
                .roles_off()
                .into_iter()
                .map(WatchRole::off_in_words)
                .collect(),
        })
    }
}

fn theme(parts: &Parts) -> &'static str {
    let cookies = parts.headers.get(header::COOKIE);
    let cookies = cookies.and_then(|value| value.to_str().ok()).unwrap_or("");
    let mut themes = cookies.split(';').filter_map(|cookie| match cookie.trim() {
        "theme=light" => Some("light"),
        "theme=dark" => Some("dark"),
        _ => None,
    });
    themes.next().unwrap_or("")
}

/// A template as an answer.
pub(crate) fn show(page: &impl Template) -> Result<Response, Problem> {
    let html = page
        .render()
        .map_err(|error| Problem::internal(&error.to_string()))?;
    Ok(Html(html).into_response())
}

/// A page that could not be shown, as a page.
#[derive(Template)]
#[template(path = "problem.html")]
struct ProblemPage<'a> {
    title: &'a str,
    detail: &'a str,
}

/// A problem, as a page.
pub(crate) fn problem_page(problem: &Problem) -> Response {
    let page = ProblemPage {
        title: problem.status().canonical_reason().unwrap_or("Error"),
        detail: problem.detail(),
    };
    let html = page
        .render()
        .unwrap_or_else(|_| problem.detail().to_owned());
    (problem.status(), Html(html)).into_response()
}

/// A problem that is answered with a page.
pub(crate) struct PageProblem(Problem);

impl From<Problem> for PageProblem {
    fn from(problem: Problem) -> Self {
        Self(problem)
    }
}

impl IntoResponse for PageProblem {
    fn into_response(self) -> Response {
        problem_page(&self.0)
    }
}

/// What a handler of a page answers.
pub(crate) type PageResult = Result<Response, PageProblem>;

/// Sends the browser to a page, after a form was sent.
pub(crate) fn see(address: &str) -> Response {
    (StatusCode::SEE_OTHER, [(header::LOCATION, address)]).into_response()
}

/// Whether an address is of this service: what a link made elsewhere wants to go to after a sign-in.
pub(crate) fn is_own(address: &str) -> bool {
    let ok = |character: char| !character.is_control() && character != '\\';
    address.starts_with('/') && !address.starts_with("//") && address.chars().all(ok)
}
