//! Every route, with what it asks of whoever calls it.

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::{MethodRouter, delete, get, patch, post};

use crate::account::Permission::{Administer, Configure, HandOver, OwnAccount, Review, See};
use crate::app::App;
use crate::guard::Access::{self, Anyone, Needs};
use crate::guard::guard;
use crate::throttle::Throttle;
use crate::{api, web};

/// One method of one path.
pub(crate) struct Route {
    pub(crate) method: &'static str,
    pub(crate) path: &'static str,
    pub(crate) access: Access,
    handler: MethodRouter<App>,
}

impl Route {
    pub(crate) fn new(
        method: &'static str,
        path: &'static str,
        access: Access,
        handler: MethodRouter<App>,
    ) -> Self {
        Self {
            method,
            path,
            access,
            handler,
        }
    }

    /// Whether somebody tries a password at it.
    fn is_a_try(&self) -> bool {
        self.method == "POST"
            && matches!(self.path, "/sign-in" | "/first-run" | "/account/password")
    }

    /// Whether people see it, and not programs.
    pub(crate) fn is_page(&self) -> bool {
        is_page(self.path)
    }
}

/// Whether people see what is at this path, and not programs.
pub(crate) fn is_page(path: &str) -> bool {
    !path.starts_with("/api/") && path != "/health" && path != "/metrics"
}

/// All of them. There is no other way in: what is not here does not exist.
#[expect(clippy::too_many_lines, reason = "a table")]
pub(crate) fn table() -> Vec<Route> {
    let mut routes = vec![
        Route::new("GET", "/health", Anyone, get(api::health::health)),
        Route::new("GET", "/metrics", Needs(See), get(api::metrics::metrics)),
        Route::new(
            "GET",
            "/api/v1/openapi.json",
            Anyone,
            get(api::openapi::document),
        ),
        Route::new(
            "POST",
            "/api/v1/jobs",
            Needs(HandOver),
            post(api::jobs::hand_over),
        ),
        Route::new("GET", "/api/v1/jobs", Needs(See), get(api::jobs::list)),
        Route::new(
            "GET",
            "/api/v1/jobs/{source}/{job_id}",
            Needs(See),
            get(api::jobs::show),
        ),
        Route::new(
            "GET",
            "/api/v1/anomalies",
            Needs(See),
            get(api::anomalies::list),
        ),
        Route::new(
            "GET",
            "/api/v1/anomalies/{source}/{job_id}",
            Needs(See),
            get(api::anomalies::show),
        ),
        Route::new(
            "POST",
            "/api/v1/anomalies/{source}/{job_id}/reviews",
            Needs(Review),
            post(api::reviews::review),
        ),
        Route::new(
            "DELETE",
            "/api/v1/anomalies/{source}/{job_id}/reviews",
            Needs(Review),
            delete(api::reviews::take_back),
        ),
        Route::new(
            "POST",
            "/api/v1/reviews",
            Needs(Review),
            post(api::reviews::review_many),
        ),
        Route::new(
            "GET",
            "/api/v1/incidents",
            Needs(See),
            get(api::incidents::list),
        ),
        Route::new(
            "GET",
            "/api/v1/incidents/{number}",
            Needs(See),
            get(api::incidents::show),
        ),
        Route::new(
            "GET",
            "/api/v1/coverage",
            Needs(See),
            get(api::streams::coverage),
        ),
        Route::new(
            "GET",
            "/api/v1/streams",
            Needs(See),
            get(api::streams::list),
        ),
        Route::new(
            "GET",
            "/api/v1/clients/{client}/recovery-points",
            Needs(See),
            get(api::recovery::of_client),
        ),
        Route::new(
            "GET",
            "/api/v1/sources",
            Needs(See),
            get(api::sources::list),
        ),
        Route::new(
            "POST",
            "/api/v1/sources/{name}/readings",
            Needs(Configure),
            post(api::sources::read_now),
        ),
        Route::new(
            "GET",
            "/api/v1/settings",
            Needs(See),
            get(api::settings::show),
        ),
        Route::new(
            "PATCH",
            "/api/v1/settings",
            Needs(Configure),
            patch(api::settings::change),
        ),
        Route::new(
            "GET",
            "/api/v1/settings/keys",
            Needs(See),
            get(api::settings::keys),
        ),
        Route::new(
            "GET",
            "/api/v1/settings/loosenings",
            Needs(See),
            get(api::settings::loosenings),
        ),
        Route::new(
            "GET",
            "/api/v1/settings/proposals",
            Needs(See),
            get(api::settings::proposals),
        ),
        Route::new(
            "POST",
            "/api/v1/settings/proposals/{number}/approve",
            Needs(Configure),
            post(api::settings::approve),
        ),
        Route::new(
            "DELETE",
            "/api/v1/settings/proposals/{number}",
            Needs(Configure),
            delete(api::settings::refuse),
        ),
        Route::new(
            "POST",
            "/api/v1/backtests",
            Needs(Configure),
            post(api::backtests::create),
        ),
        Route::new(
            "GET",
            "/api/v1/backtests/{id}",
            Needs(See),
            get(api::backtests::show),
        ),
        Route::new(
            "DELETE",
            "/api/v1/backtests/{id}",
            Needs(Configure),
            delete(api::backtests::remove),
        ),
        Route::new("GET", "/api/v1/audit", Needs(See), get(api::audit::list)),
        Route::new(
            "GET",
            "/api/v1/audit/{number}/proof",
            Needs(See),
            get(api::proofs::inclusion),
        ),
        Route::new(
            "GET",
            "/api/v1/audit/consistency",
            Needs(See),
            get(api::proofs::consistency),
        ),
        Route::new(
            "GET",
            "/api/v1/audit/checkpoint",
            Needs(See),
            get(api::proofs::checkpoint),
        ),
        Route::new(
            "GET",
            "/api/v1/audit/head",
            Needs(See),
            get(api::audit::head),
        ),
        Route::new(
            "GET",
            "/api/v1/users",
            Needs(Administer),
            get(api::users::list),
        ),
        Route::new(
            "POST",
            "/api/v1/users",
            Needs(Administer),
            post(api::users::add),
        ),
        Route::new(
            "PATCH",
            "/api/v1/users/{name}",
            Needs(Administer),
            patch(api::users::change),
        ),
        Route::new(
            "DELETE",
            "/api/v1/users/{name}",
            Needs(Administer),
            delete(api::users::remove),
        ),
        Route::new(
            "GET",
            "/api/v1/api-keys",
            Needs(Administer),
            get(api::keys::list),
        ),
        Route::new(
            "POST",
            "/api/v1/api-keys",
            Needs(Administer),
            post(api::keys::add),
        ),
        Route::new(
            "DELETE",
            "/api/v1/api-keys/{id}",
            Needs(Administer),
            delete(api::keys::remove),
        ),
        Route::new(
            "GET",
            "/api/v1/notifications",
            Needs(OwnAccount),
            get(api::notifications::list),
        ),
        Route::new(
            "POST",
            "/api/v1/notifications/read",
            Needs(OwnAccount),
            post(api::notifications::read),
        ),
        Route::new(
            "GET",
            "/api/v1/events",
            Needs(See),
            get(api::events::listen),
        ),
    ];
    routes.extend(web::routes());
    routes
}

/// The routes, each behind its guard.
pub(crate) fn router(throttle: &Throttle) -> Router<App> {
    table().into_iter().fold(Router::new(), |router, route| {
        let guard = from_fn_with_state((route.access, route.is_page()), guard);
        let is_a_try = route.is_a_try();
        let handler = route.handler.layer(guard);
        let handler = if is_a_try {
            throttle.throttled(handler)
        } else {
            handler
        };
        router.route(route.path, handler)
    })
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;
    use std::sync::Arc;

    use anomaly_service::AnomalyService;
    use anomaly_settings::Settings;
    use axum::body::Body;
    use axum::extract::ConnectInfo;
    use axum::http::{Method, Request, StatusCode};
    use axum::middleware::{Next, from_fn_with_state};
    use tower::ServiceExt as _;
    use tower_sessions::SessionManagerLayer;

    use super::*;
    use crate::ServerOptions;
    use crate::account::{Permission, Role};
    use crate::app::Parts;
    use crate::identity::Identity;
    use crate::meters::Meters;
    use crate::readers::Readers;
    use crate::sessions::Sessions;
    use crate::writer::Writer;

    type Who = Option<Arc<Identity>>;

    async fn be(
        axum::extract::State(who): axum::extract::State<Who>,
        mut request: axum::extract::Request,
        next: Next,
    ) -> axum::response::Response {
        request.extensions_mut().insert(who);
        next.run(request).await
    }

    fn app(directory: &std::path::Path) -> App {
        let database = directory.join("db");
        let service = AnomalyService::open(&database, Settings::default()).unwrap();
        let meters = Arc::new(Meters::default());
        let (writer, _) = Writer::start(service, Arc::clone(&meters)).unwrap();
        let readers = Readers::new(database.clone(), Settings::default(), 2);
        App::new(Parts {
            options: ServerOptions::default(),
            database,
            writer,
            readers,
            layers: Arc::default(),
            sinks: Vec::new(),
            instance: "test".into(),
            meters,
            setup_code: "code".into(),
        })
    }

    fn filled(path: &str) -> String {
        let mut filled = path.to_owned();
        for (name, value) in [
            ("{source}", "restic"),
            ("{job_id}", "1"),
            ("{number}", "1"),
            ("{client}", "mail01"),
            ("{name}", "nobody"),
            ("{id}", "nothing"),
            ("{file}", "app.css"),
        ] {
            filled = filled.replace(name, value);
        }
        assert!(
            !filled.contains('{'),
            "{path} has a part that this test does not know"
        );
        filled
    }

    /// Each route, with each role and with none: whoever lacks the permission is turned away, and
    /// whoever has it is not.
    #[tokio::test]
    async fn every_route_lets_in_who_may_and_nobody_else() {
        let directory = tempfile::tempdir().unwrap();
        let app = app(directory.path());
        let people = Role::ALL.map(|role| {
            Some(Arc::new(Identity {
                name: role.to_string(),
                role,
                sources: Vec::new(),
                is_person: role != Role::Ingest,
            }))
        });
        for route in table() {
            for who in std::iter::once(None).chain(people.clone()) {
                let may = match route.access {
                    Anyone => true,
                    Needs(permission) => who
                        .as_ref()
                        .is_some_and(|identity| identity.role.may(permission)),
                };
                let router = router(&app.throttle)
                    .layer(from_fn_with_state(who.clone(), be))
                    .layer(SessionManagerLayer::new(Sessions::default()))
                    .with_state(app.clone());
                let request = Request::builder()
                    .method(Method::from_bytes(route.method.as_bytes()).unwrap())
                    .uri(filled(route.path))
                    .extension(ConnectInfo(SocketAddr::from(([127, 0, 0, 1], 1))))
                    .body(Body::empty())
                    .unwrap();
                let response = router.oneshot(request).await.unwrap();
                let status = response.status();
                let is_turned_away = status == StatusCode::UNAUTHORIZED
                    || status == StatusCode::FORBIDDEN
                    || response.headers().get("location").is_some_and(|location| {
                        location.to_str().unwrap().starts_with("/sign-in?next=")
                    })
                    || (route.path == "/" && status == StatusCode::SEE_OTHER);
                let role = who.as_ref().map(|identity| identity.role);
                // A form that signs nobody in is no matter of permissions.
                if route.path != "/sign-in" {
                    assert_eq!(
                        is_turned_away, !may,
                        "{} {} as {role:?}: {status}",
                        route.method, route.path
                    );
                }
            }
        }
    }

    #[test]
    fn only_what_must_be_is_open_to_anyone() {
        let open: Vec<String> = table()
            .iter()
            .filter(|route| route.access == Anyone)
            .map(|route| format!("{} {}", route.method, route.path))
            .collect();
        let expected = [
            "GET /health",
            "GET /api/v1/openapi.json",
            "GET /assets/{file}",
            "GET /first-run",
            "POST /first-run",
            "GET /sign-in",
            "POST /sign-in",
            "POST /sign-out",
        ];
        assert_eq!(open, expected);
    }

    #[test]
    fn a_stronger_role_may_all_that_a_weaker_one_may() {
        for permission in Permission::ALL {
            let may = |role: Role| role.may(permission);
            assert!(!may(Role::Viewer) || may(Role::Operator), "{permission:?}");
            assert!(
                !may(Role::Operator) || may(Role::Administrator),
                "{permission:?}"
            );
        }
    }
}
