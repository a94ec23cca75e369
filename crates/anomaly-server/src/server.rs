//! Starting, and ending in good order.

use std::net::SocketAddr;
use std::panic::AssertUnwindSafe;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use anomaly_notify::{NotifyError, Sink, SinkOptions, check_names};
use anomaly_service::AnomalyService;
use anomaly_settings::{Layers, Settings};
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::StatusCode;
use axum::middleware::{from_fn, from_fn_with_state};
use axum_server::Handle;
use axum_server::tls_rustls::{RustlsAcceptor, RustlsConfig};
use futures_util::FutureExt as _;
use tokio::sync::mpsc;
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::{sleep, timeout};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::limit::RequestBodyLimitLayer;
use tower_http::timeout::TimeoutLayer;
use tower_sessions::cookie::SameSite;
use tower_sessions::{Expiry, SessionManagerLayer};

use crate::api::metrics::measure;
use crate::app::{App, Parts};
use crate::certificates;
use crate::connections::{Listener, Peer};
use crate::delivery::deliver;
use crate::explain::explain;
use crate::gather::poll;
use crate::guard::{no_such_page, not_too_many, same_origin};
use crate::identity::identify;
use crate::instance::instance;
use crate::meters::Meters;
use crate::news::Told;
use crate::readers::Readers;
use crate::routes::router;
use crate::security::headers;
use crate::sessions::Sessions;
use crate::teller::tell;
use crate::timers::{self, settle};
use crate::writer::Writer;
use crate::{Accounts, AccountsError, GatherOptions, ServerError, ServerOptions};

/// The longest form or document that is sent, but for jobs.
const MOST_FORM_BYTES: usize = 1 << 20;
/// For how long requests that are being answered may take when the service ends.
const DRAIN: Duration = Duration::from_secs(10);
/// For how long sources are waited for after that: a tool is killed within a moment, and whoever hangs
/// is left.
const LAST_READINGS: Duration = Duration::from_secs(5);
/// How long a part that broke down is left alone.
const BROKEN_DOWN: Duration = Duration::from_secs(1);

/// The service, before it listens.
#[derive(Debug)]
pub struct Server {
    app: App,
    writer: thread::JoinHandle<()>,
    sources: Vec<GatherOptions>,
    listener: std::net::TcpListener,
}

impl Server {
    /// Opens the database at `database`, which is made if it is not there, takes the address, and
    /// opens the sinks that are told what is found. The settings are those that the database keeps,
    /// with `layers` over them, as far as its guard allows.
    ///
    /// # Errors
    /// [`ServerError`] when an option is not allowed, the database cannot be used, the address is taken,
    /// or it can be reached from other machines without TLS.
    pub fn bind(
        database: impl Into<PathBuf>,
        layers: Layers,
        options: ServerOptions,
        sinks: Vec<SinkOptions>,
    ) -> Result<Self, ServerError> {
        options.check()?;
        let database = database.into();
        let address = options.listen;
        if !address.ip().is_loopback() && !options.is_secure() {
            return Err(ServerError::Open { address });
        }
        check_names(&sinks)?;
        let sinks = sinks
            .into_iter()
            .map(|sink| Ok(Arc::new(Sink::open(sink)?)));
        let sinks = sinks.collect::<Result<Vec<_>, NotifyError>>()?;
        let settings = layers.over(Settings::default());
        let mut service = AnomalyService::open(&database, settings)?;
        let settings = settle(&mut service, &layers)?;
        // Before the first job comes: what is there now is old.
        Told::begin(&mut service)?;
        let instance = instance(&mut service)?;
        let listen = |source| ServerError::Listen { address, source };
        let listener = std::net::TcpListener::bind(address).map_err(listen)?;
        listener.set_nonblocking(true).map_err(listen)?;
        let meters = Arc::new(Meters::default());
        let (sender, writer) = Writer::start(service, Arc::clone(&meters))?;
        let readers = Readers::new(database.clone(), settings, options.readers);
        for sink in &sinks {
            meters.sink(sink.name());
        }
        // Of port 0, the one that the system chose: pages tell where to send jobs.
        let options = ServerOptions {
            listen: listener.local_addr().map_err(listen)?,
            ..options
        };
        let app = App::new(Parts {
            options,
            database,
            writer: sender,
            readers,
            layers: Arc::new(layers),
            sinks,
            instance,
            meters,
            setup_code: setup_code()?,
        });
        Ok(Self {
            app,
            writer,
            sources: Vec::new(),
            listener,
        })
    }

    /// The same, and it fetches jobs from these sources itself, once it serves.
    ///
    /// # Errors
    /// [`ServerError::SourceTwice`] when two of them have the same name.
    pub fn gathering(mut self, sources: Vec<GatherOptions>) -> Result<Self, ServerError> {
        if let Some(name) = GatherOptions::name_twice(&sources) {
            let name = name.to_owned();
            return Err(ServerError::SourceTwice { name });
        }
        for source in &sources {
            self.app.source_states.add(source);
            self.app.meters.source(&source.name);
        }
        self.sources = sources;
        Ok(self)
    }

    /// The address that it listens at: of port 0, the one that the system chose.
    ///
    /// # Errors
    /// [`ServerError::Listen`] when the system does not say.
    pub fn address(&self) -> Result<SocketAddr, ServerError> {
        let address = self.app.options.listen;
        self.listener
            .local_addr()
            .map_err(|source| ServerError::Listen { address, source })
    }

    /// What the first administrator has to know, while there is none: to be printed where only
    /// whoever started the service reads it.
    ///
    /// # Errors
    /// [`ServerError::Accounts`] when users cannot be read.
    pub fn setup_code(&self) -> Result<Option<&str>, ServerError> {
        let service = AnomalyService::open(&self.app.database, Settings::default())?;
        let accounts = Accounts::load(&service)?;
        Ok(accounts.is_new().then_some(&self.app.setup_code))
    }

    /// Serves until `shutdown` ends, answers what was asked by then, and writes what it was handed.
    ///
    /// # Errors
    /// [`ServerError`] when certificates cannot be read, or the listener or the thread that writes breaks
    /// down.
    pub async fn serve(
        self,
        shutdown: impl Future<Output = ()> + Send + 'static,
    ) -> Result<(), ServerError> {
        let Self {
            app,
            writer,
            sources,
            listener,
        } = self;
        let handle = Handle::new();
        let mut tasks = JoinSet::new();
        for role in app.readers.settings().roles_off() {
            tracing::warn!(%role, "{}", role.off_in_words());
        }
        keep_on(&mut tasks, &app, tell);
        keep_on(&mut tasks, &app, timers::run);
        keep_on(&mut tasks, &app, timers::settle_again);
        for sink in &app.sinks {
            let sink = Arc::clone(sink);
            keep_on(&mut tasks, &app, move |app| deliver(app, Arc::clone(&sink)));
        }
        let (is_read, mut all_read) = mpsc::channel(1);
        let mut pollers = Vec::new();
        for source in sources {
            let is_read = is_read.clone();
            pollers.push(keep_on(&mut tasks, &app, move |app| {
                poll(app, source.clone(), is_read.clone())
            }));
        }
        drop(is_read);
        tasks.spawn({
            let (handle, app) = (handle.clone(), app.clone());
            async move {
                tokio::select! {
                    () = shutdown => {}
                    () = app.writer.ended() => {}
                }
                // Nobody waits for what sources still have to give, nor for who has a page open.
                pollers.iter().for_each(AbortHandle::abort);
                app.live.end();
                handle.graceful_shutdown(Some(DRAIN));
            }
        });
        let served = listen(&app, listener, handle, &mut tasks).await;
        tasks.shutdown().await;
        // Tools end with the threads that read them.
        if timeout(LAST_READINGS, all_read.recv()).await.is_err() {
            tracing::warn!("a source is still being read, and is left");
        }
        app.backtests.stop_all();
        let is_broken = app.writer.has_ended();
        drop(app);
        // The thread ends once everybody who could hand over work is gone.
        let joined = tokio::task::spawn_blocking(move || writer.join()).await;
        if is_broken || !matches!(joined, Ok(Ok(()))) {
            return Err(ServerError::Writer);
        }
        served
    }
}

/// Serves at `listener`, until `handle` says that it is to end.
async fn listen(
    app: &App,
    listener: std::net::TcpListener,
    handle: Handle<Peer>,
    tasks: &mut JoinSet<()>,
) -> Result<(), ServerError> {
    let patience = Duration::from_secs(app.options.request_seconds.into());
    let listener = Listener::new(listener, &app.options).map_err(ServerError::Serve)?;
    let mut server = axum_server::Server::from_listener(listener)
        .handle(handle)
        .http1_only();
    // From when it is connected, and after each answer.
    server.http_builder().http1().header_read_timeout(patience);
    let service = service(app).into_make_service_with_connect_info::<SocketAddr>();
    let ended = match app.options.tls.clone() {
        None => server.serve(service).await,
        Some(tls) => {
            let path = tls.certificate.clone();
            // Whoever runs the service may have chosen another one before.
            _ = rustls::crypto::ring::default_provider().install_default();
            let read = certificates::read(&tls).await;
            let config = read.map_err(|source| ServerError::Tls { path, source })?;
            let config = RustlsConfig::from_config(config);
            tasks.spawn(certificates::renew(config.clone(), tls));
            let acceptor = RustlsAcceptor::new(config).handshake_timeout(patience);
            server.acceptor(acceptor).serve(service).await
        }
    };
    ended.map_err(ServerError::Serve)
}

/// Does a part of the work until the service ends: anew, should it break down. That nobody is told any
/// more must not go unnoticed.
fn keep_on<F: Future<Output = ()> + Send>(
    tasks: &mut JoinSet<()>,
    app: &App,
    part: impl Fn(App) -> F + Send + Sync + 'static,
) -> AbortHandle {
    let app = app.clone();
    tasks.spawn(async move {
        while AssertUnwindSafe(part(app.clone()))
            .catch_unwind()
            .await
            .is_err()
        {
            tracing::error!("a part of the service broke down, and is started anew");
            sleep(BROKEN_DOWN).await;
        }
    })
}

/// 80 random bits, in letters and digits that nobody mistakes for each other.
fn setup_code() -> Result<String, ServerError> {
    const LETTERS: &[u8; 32] = b"abcdefghjkmnpqrstuvwxyz023456789";
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|error| AccountsError::Random(error.to_string()))?;
    let letters = bytes
        .iter()
        .map(|byte| char::from(LETTERS[usize::from(byte % 32)]));
    Ok(letters.collect())
}

/// The routes, and what every request goes through before them.
fn service(app: &App) -> Router {
    let options = &app.options;
    let sessions = SessionManagerLayer::new(Sessions::default())
        .with_name(if options.is_secure() {
            "__Host-backwatch"
        } else {
            "backwatch"
        })
        .with_secure(options.is_secure())
        .with_same_site(SameSite::Strict)
        .with_http_only(true)
        // It ends by what it holds: this is when what is left of it goes.
        .with_expiry(Expiry::OnInactivity(time::Duration::hours(
            options.session_hours.into(),
        )));
    let seconds = Duration::from_secs(options.request_seconds.into());
    router(&app.throttle)
        .fallback(no_such_page)
        .layer(from_fn_with_state(app.clone(), identify))
        .layer(sessions)
        .layer(from_fn_with_state(app.clone(), same_origin))
        .layer(TimeoutLayer::with_status_code(
            StatusCode::REQUEST_TIMEOUT,
            seconds,
        ))
        .layer(from_fn_with_state(app.clone(), not_too_many))
        // Jobs are read under a limit of their own; anything else that is sent is short.
        .layer(DefaultBodyLimit::max(MOST_FORM_BYTES))
        .layer(RequestBodyLimitLayer::new(options.most_request_bytes))
        .layer(from_fn(explain))
        .layer(CompressionLayer::new())
        .layer(from_fn_with_state(app.clone(), headers))
        .layer(CatchPanicLayer::new())
        .layer(from_fn_with_state(app.clone(), measure))
        .with_state(app.clone())
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    /// A server of an empty database, which is gone with the directory.
    fn bound() -> (Server, tempfile::TempDir) {
        let directory = tempfile::tempdir().unwrap();
        let mut options = ServerOptions::default();
        options.listen.set_port(0);
        let database = directory.path().join("db");
        let server = Server::bind(database, Layers::default(), options, Vec::new()).unwrap();
        (server, directory)
    }

    /// Whoever waits for room in memory waits to be written, until he gives up.
    #[tokio::test]
    async fn who_waits_for_room_is_counted() {
        let (server, _directory) = bound();
        let app = server.app.clone();
        let mut taken = Vec::new();
        while let Some(Some(permit)) = app.upload().now_or_never() {
            taken.push(permit);
        }
        assert!(!taken.is_empty());
        assert_eq!(app.waiting_to_write(), 0);
        let waiting = tokio::spawn({
            let app = app.clone();
            async move { app.upload().await.is_some() }
        });
        while app.waiting_to_write() == 0 {
            tokio::task::yield_now().await;
        }
        assert_eq!(app.waiting_to_write(), 1);
        waiting.abort();
        assert!(waiting.await.is_err());
        assert_eq!(app.waiting_to_write(), 0);
    }

    /// A part of the work that breaks down is done again, and the service ends when nothing can be
    /// kept any more: whoever watches over it starts it anew.
    #[tokio::test]
    async fn what_breaks_down_is_started_anew() {
        let (server, _directory) = bound();
        let app = server.app.clone();

        let begun = Arc::new(AtomicUsize::new(0));
        let mut tasks = JoinSet::new();
        keep_on(&mut tasks, &app, {
            let begun = Arc::clone(&begun);
            move |_| {
                let begun = begun.fetch_add(1, Ordering::Relaxed);
                async move { assert!(begun == 1, "the first time") }
            }
        });
        tasks.join_next().await.unwrap().unwrap();
        assert_eq!(begun.load(Ordering::Relaxed), 2);

        let (ended, broken) = tokio::join!(server.serve(std::future::pending()), async move {
            app.writer.run::<()>(|_| panic!("the disk is odd")).await
        });
        assert!(broken.is_err());
        assert!(matches!(ended, Err(ServerError::Writer)), "{ended:?}");
    }
}
