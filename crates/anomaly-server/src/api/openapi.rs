//! The description of the interface, as `OpenAPI` 3.1 has it.

use axum::Json;
use utoipa::OpenApi;
use utoipa::openapi::extensions::Extensions;
use utoipa::openapi::security::{
    ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityRequirement, SecurityScheme,
};
use utoipa::openapi::{Content, Ref, RefOr, ResponseBuilder};
use utoipa::{Modify, openapi};

use super::{
    anomalies, audit, backtests, events, health, incidents, jobs, keys, metrics, notifications,
    proofs, recovery, reviews, settings, sources, streams, users,
};

use crate::account::Permission::OwnAccount;
use crate::account::Role;
use crate::guard::Access;
use crate::routes::table;

#[derive(OpenApi)]
#[openapi(
    info(title = "Backwatch", license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0")),
    paths(
        health::health, metrics::metrics, document,
        jobs::hand_over, jobs::list, jobs::show,
        anomalies::list, anomalies::show,
        reviews::review, reviews::take_back, reviews::review_many,
        incidents::list, incidents::show,
        streams::coverage, streams::list, recovery::of_client,
        settings::show, settings::change, settings::keys, settings::loosenings,
        settings::proposals, settings::approve, settings::refuse,
        backtests::create, backtests::show, backtests::remove,
        sources::list, sources::read_now,
        audit::list, audit::head, proofs::inclusion, proofs::consistency, proofs::checkpoint,
        users::list, users::add, users::change, users::remove,
        keys::list, keys::add, keys::remove, events::listen,
        notifications::list, notifications::read,
    ),
    modifiers(&Credentials, &Roles, &Problems),
    security(("api_key" = []), ("session" = []))
)]
struct Document;

struct Credentials;

const SESSION: &str = "Of a person who has signed in; over TLS it is called `__Host-backwatch`. What changes \
                       something also needs the service's own address as `Origin`.";

impl Modify for Credentials {
    fn modify(&self, document: &mut openapi::OpenApi) {
        let api_key = SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
        let cookie = ApiKeyValue::with_description("backwatch", SESSION);
        let session = SecurityScheme::ApiKey(ApiKey::Cookie(cookie));
        let components = document.components.get_or_insert_default();
        components.add_security_scheme("api_key", api_key);
        components.add_security_scheme("session", session);
    }
}

/// Who may ask for what, as the table of the routes has it.
struct Roles;

impl Modify for Roles {
    fn modify(&self, document: &mut openapi::OpenApi) {
        for route in table() {
            let Some(path) = document.paths.paths.get_mut(route.path) else {
                continue;
            };
            let operation = match route.method {
                "GET" => &mut path.get,
                "POST" => &mut path.post,
                "PATCH" => &mut path.patch,
                "DELETE" => &mut path.delete,
                _ => continue,
            };
            let Some(operation) = operation else {
                continue;
            };
            match route.access {
                Access::Anyone => {
                    operation.security = Some(vec![SecurityRequirement::default()]);
                }
                Access::Needs(permission) => {
                    let roles = Role::ALL.into_iter().filter(|role| role.may(permission));
                    let roles: Vec<&str> = roles.map(Role::as_str).collect();
                    // A key is never an administrator, and has no account.
                    if permission == OwnAccount || roles == [Role::Administrator.as_str()] {
                        let scopes: [&str; 0] = [];
                        let session = SecurityRequirement::new("session", scopes);
                        operation.security = Some(vec![session]);
                    }
                    let extensions = Extensions::builder().add("x-roles", roles).build();
                    operation.extensions = Some(extensions);
                }
            }
        }
    }
}

/// Whatever goes wrong is told as a problem document, anywhere.
struct Problems;

const PROBLEM: &str = "application/problem+json";

impl Modify for Problems {
    fn modify(&self, document: &mut openapi::OpenApi) {
        let of_problem = Ref::from_schema_name("Problem");
        let any = ResponseBuilder::new()
            .description("It was not done; the document says why.")
            .content(PROBLEM, Content::new(Some(of_problem)))
            .build();
        let operations = document.paths.paths.values_mut().flat_map(|path| {
            [
                &mut path.get,
                &mut path.post,
                &mut path.put,
                &mut path.patch,
                &mut path.delete,
            ]
        });
        for operation in operations.flatten() {
            let responses = &mut operation.responses.responses;
            for response in responses.values_mut() {
                if let RefOr::T(response) = response
                    && response.content.values().any(is_problem)
                {
                    response.content.clone_from(&any.content);
                }
            }
            responses.insert("default".to_owned(), any.clone().into());
        }
    }
}

fn is_problem(content: &RefOr<Content>) -> bool {
    match content {
        RefOr::T(Content {
            schema: Some(RefOr::Ref(schema)),
            ..
        }) => schema.ref_location.ends_with("/Problem"),
        _ => false,
    }
}

/// The description of this interface.
#[utoipa::path(get, path = "/api/v1/openapi.json", tag = "health",
    responses((status = 200, body = Object)))]
pub(crate) async fn document() -> Json<openapi::OpenApi> {
    Json(Document::openapi())
}
