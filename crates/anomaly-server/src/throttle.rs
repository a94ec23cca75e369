//! How often somebody may try to sign in.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::extract::ConnectInfo;
use axum::http::{Request, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::MethodRouter;
use tower_governor::governor::GovernorConfigBuilder;
use tower_governor::key_extractor::KeyExtractor;
use tower_governor::{GovernorError, GovernorLayer};

use crate::app::App;
use crate::connections::network;
use crate::problem::Problem;

/// Tries that one address has at once,
const BURST: u32 = 10;
/// and seconds after which it has another one.
const PERIOD_SECONDS: u64 = 6;

/// Who has tried lately, for each way to try.
pub(crate) struct Throttle {
    behind_proxy: bool,
    /// Each forgets those who may try as often as anybody again.
    forget: Mutex<Vec<Box<dyn Fn() + Send + Sync>>>,
}

impl fmt::Debug for Throttle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Throttle").finish_non_exhaustive()
    }
}

/// Who tries: an address of the network.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Peer {
    behind_proxy: bool,
}

impl KeyExtractor for Peer {
    type Key = IpAddr;

    fn extract<T>(&self, request: &Request<T>) -> Result<IpAddr, GovernorError> {
        let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
        let ConnectInfo(peer) = peer.ok_or(GovernorError::UnableToExtractKey)?;
        // What stands last was written by the proxy; what stands before it, by anybody.
        let forwarded = request.headers().get_all("x-forwarded-for");
        let last = forwarded
            .iter()
            .next_back()
            .and_then(|value| value.to_str().ok());
        let last = last.and_then(|list| list.rsplit(',').next()?.trim().parse().ok());
        let peer = last.filter(|_| self.behind_proxy).unwrap_or(peer.ip());
        Ok(network(peer))
    }
}

impl Throttle {
    pub(crate) fn new(behind_proxy: bool) -> Self {
        Self {
            behind_proxy,
            forget: Mutex::default(),
        }
    }

    /// Turns away who tries too often at `handler`.
    pub(crate) fn throttled(&self, handler: MethodRouter<App>) -> MethodRouter<App> {
        let behind_proxy = self.behind_proxy;
        let mut builder = GovernorConfigBuilder::default().key_extractor(Peer { behind_proxy });
        builder
            .period(Duration::from_secs(PERIOD_SECONDS))
            .burst_size(BURST);
        // Only of a period or a burst of nothing there is none.
        let Some(config) = builder.finish() else {
            return handler;
        };
        let limiter = Arc::clone(config.limiter());
        let mut forget = self.forget.lock().unwrap_or_else(PoisonError::into_inner);
        forget.push(Box::new(move || limiter.retain_recent()));
        let layer = GovernorLayer::new(config);
        handler.layer(layer.error_handler(|error| answer(&error)))
    }

    /// Forgets those who may try as often as anybody again.
    pub(crate) fn forget(&self) {
        let forget = self.forget.lock().unwrap_or_else(PoisonError::into_inner);
        forget.iter().for_each(|forget| forget());
    }
}

fn answer(error: &GovernorError) -> Response {
    match error {
        GovernorError::TooManyRequests { .. } => {
            let detail = "Too many tries. Wait a minute, then try again.";
            let problem = Problem::new(StatusCode::TOO_MANY_REQUESTS, "too_many", detail);
            crate::web::problem_page(&problem)
        }
        _ => Problem::internal("the address of a request is not known").into_response(),
    }
}
