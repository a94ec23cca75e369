//! Who asks.

use std::sync::Arc;

use anomaly_model::SourceName;
use anomaly_model::chrono::{DateTime, TimeDelta, Utc};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use tower_sessions::Session;

use crate::ServerOptions;
use crate::account::{Accounts, Permission, Role};
use crate::app::{App, now};
use crate::problem::Problem;

/// What a session holds.
const SIGNED_IN: &str = "signed_in";

/// Who asks: a person who signed in, or a program with a key.
#[derive(Debug, Clone)]
pub(crate) struct Identity {
    /// As the audit log writes it: `ann`, or `key:nightly`.
    pub(crate) name: String,
    pub(crate) role: Role,
    /// The tools whose jobs a key may hand over; empty for any.
    pub(crate) sources: Vec<SourceName>,
    pub(crate) is_person: bool,
}

impl Identity {
    pub(crate) fn may(&self, permission: Permission) -> bool {
        self.role.may(permission) && (self.is_person || permission != Permission::OwnAccount)
    }

    /// Whether jobs of this tool may be handed over.
    pub(crate) fn covers(&self, source: &SourceName) -> bool {
        self.sources.is_empty() || self.sources.contains(source)
    }
}

/// What an open page asks again and again.
const EVENTS: &str = "/api/v1/events";

/// A person who signed in, as the session keeps it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct SignedIn {
    name: String,
    /// That of the user at the time: a new password or role ends the session.
    generation: u64,
    at: DateTime<Utc>,
    /// When a person last did something in it, to a minute.
    seen_at: DateTime<Utc>,
}

impl SignedIn {
    /// Starts a session under a new id: one that somebody planted is worth nothing.
    pub(crate) async fn start(
        session: &Session,
        name: &str,
        generation: u64,
    ) -> Result<(), Problem> {
        let at = now();
        let signed_in = Self {
            name: name.to_owned(),
            generation,
            at,
            seen_at: at,
        };
        let failed = |error: tower_sessions::session::Error| Problem::internal(&error.to_string());
        session.cycle_id().await.map_err(failed)?;
        session.insert(SIGNED_IN, signed_in).await.map_err(failed)
    }

    /// Whose session it is; nobody's once it has ended.
    fn identity(
        self,
        accounts: &Accounts,
        options: &ServerOptions,
        now: DateTime<Utc>,
    ) -> Option<Identity> {
        let user = accounts.users.get(&self.name)?;
        let longest = TimeDelta::hours(options.session_hours.into());
        let idle = TimeDelta::minutes(options.idle_minutes.into());
        let is_current = user.generation == self.generation
            && now - self.at < longest
            && now - self.seen_at < idle;
        is_current.then_some(Identity {
            name: self.name,
            role: user.role,
            sources: Vec::new(),
            is_person: true,
        })
    }
}

/// Finds out who asks, for the handlers and guards behind it.
pub(crate) async fn identify(
    State(app): State<App>,
    session: Session,
    mut request: Request,
    next: Next,
) -> Response {
    // A page that is left open listens by itself: nobody did anything.
    let is_by_itself = request.uri().path() == EVENTS;
    match who(&app, &session, request.headers(), is_by_itself).await {
        Ok(identity) => {
            request.extensions_mut().insert(identity.map(Arc::new));
            next.run(request).await
        }
        Err(problem) => problem.into_response(),
    }
}

async fn who(
    app: &App,
    session: &Session,
    headers: &HeaderMap,
    is_by_itself: bool,
) -> Result<Option<Identity>, Problem> {
    if let Some(key) = bearer(headers) {
        let accounts = app.accounts().await?;
        let Some((_, kept)) = accounts.api_key(key, now()) else {
            return Err(Problem::not_signed_in());
        };
        return Ok(Some(Identity {
            name: format!("key:{}", kept.name),
            role: kept.role,
            sources: kept.sources.clone(),
            is_person: false,
        }));
    }
    let signed_in: Option<SignedIn> = session
        .get(SIGNED_IN)
        .await
        .map_err(|error| Problem::internal(&error.to_string()))?;
    let Some(signed_in) = signed_in else {
        return Ok(None);
    };
    let accounts = app.accounts().await?;
    let now = now();
    let identity = signed_in.clone().identity(&accounts, &app.options, now);
    if identity.is_some() && !is_by_itself && now - signed_in.seen_at >= TimeDelta::minutes(1) {
        let seen = SignedIn {
            seen_at: now,
            ..signed_in
        };
        let kept = session.insert(SIGNED_IN, seen).await;
        kept.map_err(|error| Problem::internal(&error.to_string()))?;
    }
    Ok(identity)
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, key) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| key.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Who does something stays, for as long as a session may take; who does nothing goes.
    #[test]
    fn a_session_ends_when_it_is_idle_and_when_it_is_old() {
        let start = DateTime::<Utc>::UNIX_EPOCH;
        let accounts: Accounts = serde_json::from_value(serde_json::json!({ "users": { "ann": {
            "role": "viewer", "created_at": start, "created_by": "bob", "generation": 7,
            "password": "",
        } } }))
        .unwrap_or_default();
        let options = ServerOptions::default();
        let is_in = |generation: u64, seen: i64, now: i64| {
            let minutes = |minutes| start + TimeDelta::minutes(minutes);
            let signed_in = SignedIn {
                name: "ann".to_owned(),
                generation,
                at: start,
                seen_at: minutes(seen),
            };
            let identity = signed_in.identity(&accounts, &options, minutes(now));
            identity.is_some()
        };
        assert!(is_in(7, 0, 59) && !is_in(7, 0, 60));
        assert!(is_in(7, 700, 719) && !is_in(7, 719, 720));
        assert!(!is_in(6, 0, 1));
    }
}
