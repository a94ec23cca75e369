//! Every route, with what it asks of whoever calls it.

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::{MethodRouter, delete, get, patch, post};

use crate::account::Permission::{Administer, HandOver, Review, See};
use crate::app::App;
use crate::guard::Access::{self, Anyone, Needs};
use crate::guard::guard;
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

    /// Whether people see it, and not programs.
    pub(crate) fn is_page(&self) -> bool {
        !self.path.starts_with("/api/") && self.path != "/health" && self.path != "/metrics"
    }
}

/// All of them. There is no other way in: what is not here does not exist.
pub(crate) fn table() -> Vec<Route> {
    let mut routes = vec![
        Route::new("GET", "/health", Anyone, get(api::health::health)),
        Route::new("GET", "/metrics", Needs(See), get(api::metrics::metrics)),
        Route::new("GET", "/api/v1/openapi.json", Anyone, get(api::openapi::document)),
        Route::new("POST", "/api/v1/jobs", Needs(HandOver), post(api::jobs::hand_over)),
        Route::new("GET", "/api/v1/jobs", Needs(See), get(api::jobs::list)),
        Route::new("GET", "/api/v1/jobs/{source}/{job_id}", Needs(See), get(api::jobs::show)),
        Route::new("GET", "/api/v1/anomalies", Needs(See), get(api::anomalies::list)),
        Route::new("GET", "/api/v1/anomalies/{source}/{job_id}", Needs(See), get(api::anomalies::show)),
        Route::new("POST", "/api/v1/anomalies/{source}/{job_id}/reviews", Needs(Review), post(api::reviews::review)),
        Route::new("DELETE", "/api/v1/anomalies/{source}/{job_id}/reviews", Needs(Review), delete(api::reviews::take_back)),
        Route::new("POST", "/api/v1/reviews", Needs(Review), post(api::reviews::review_many)),
        Route::new("GET", "/api/v1/incidents", Needs(See), get(api::incidents::list)),
        Route::new("GET", "/api/v1/incidents/{number}", Needs(See), get(api::incidents::show)),
        Route::new("GET", "/api/v1/coverage", Needs(See), get(api::streams::coverage)),
        Route::new("GET", "/api/v1/streams", Needs(See), get(api::streams::list)),
        Route::new("GET", "/api/v1/clients/{client}/recovery-points", Needs(See), get(api::recovery::of_client)),
        Route::new("GET", "/api/v1/settings", Needs(See), get(api::settings::show)),
        Route::new("GET", "/api/v1/audit", Needs(See), get(api::audit::list)),
        Route::new("GET", "/api/v1/audit/head", Needs(See), get(api::audit::head)),
        Route::new("GET", "/api/v1/users", Needs(Administer), get(api::users::list)),
        Route::new("POST", "/api/v1/users", Needs(Administer), post(api::users::add)),
        Route::new("PATCH", "/api/v1/users/{name}", Needs(Administer), patch(api::users::change)),
        Route::new("DELETE", "/api/v1/users/{name}", Needs(Administer), delete(api::users::remove)),
        Route::new("GET", "/api/v1/api-keys", Needs(Administer), get(api::keys::list)),
        Route::new("POST", "/api/v1/api-keys", Needs(Administer), post(api::keys::add)),
        Route::new("DELETE", "/api/v1/api-keys/{id}", Needs(Administer), delete(api::keys::remove)),
        Route::new("GET", "/api/v1/events", Needs(See), get(api::events::stream)),
    ];
    routes.extend(web::routes());
    routes
}

/// The routes, each behind its guard.
pub(crate) fn router() -> Router<App> {
    table().into_iter().fold(Router::new(), |router, route| {
        let guard = from_fn_with_state((route.access, route.is_page()), guard);
        router.route(route.path, route.handler.layer(guard))
    })
}

