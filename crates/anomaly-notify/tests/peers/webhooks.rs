//! A web server that checks what it is told.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use anomaly_model::Severity;
use anomaly_notify::{Event, NotifyError, Sink, signature};
use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use serde_json::Value;
use tempfile::TempDir;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::certificates::{Certificates, secret};
use super::shared::{HOSTILE, anomaly, anomaly_of, night, samples, sink, verdict};

type Told = Arc<Mutex<Vec<(HeaderMap, Vec<u8>)>>>;

/// Answers `/answer/STATUS` with that status, and keeps what it is told; also by `GET`, which is how a
/// redirection is followed.
fn router(told: Told) -> Router {
    Router::new()
        .route("/answer/{status}", post(answer).get(answer))
        .with_state(told)
}

async fn answer(
    Path(status): Path<u16>,
    State(told): State<Told>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    told.lock().unwrap().push((headers, body.to_vec()));
    let status = StatusCode::from_u16(status).unwrap();
    match status.as_u16() {
        204 => status.into_response(),
        302 => (status, [("location", "/answer/204")]).into_response(),
        429 => (status, [("retry-after", "7")]).into_response(),
        _ => (status, "not this time,\r\n\u{1b}[2Jsaid the server").into_response(),
    }
}

async fn receiver() -> (u16, Told) {
    let told = Told::default();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let router = router(Arc::clone(&told));
    tokio::spawn(async move { axum::serve(listener, router).await });
    (port, told)
}

struct Tls(TcpListener, TlsAcceptor);

impl axum::serve::Listener for Tls {
    type Io = TlsStream<TcpStream>;
    type Addr = std::net::SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            let (stream, address) = self.0.accept().await.unwrap();
            // A client that does not trust the certificate is gone.
            if let Ok(stream) = self.1.accept(stream).await {
                return (stream, address);
            }
        }
    }

    fn local_addr(&self) -> std::io::Result<Self::Addr> {
        self.0.local_addr()
    }
}

async fn tls_receiver(certificates: &Certificates) -> (u16, Told) {
    use rustls::pki_types::pem::PemObject as _;
    use rustls::pki_types::{CertificateDer, PrivateKeyDer};

    let told = Told::default();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let certificate = CertificateDer::from_pem_file(&certificates.certificate).unwrap();
    let key = PrivateKeyDer::from_pem_file(&certificates.key).unwrap();
    let config = rustls::ServerConfig::builder_with_provider(Arc::new(
        rustls::crypto::ring::default_provider(),
    ))
    .with_safe_default_protocol_versions()
    .unwrap()
    .with_no_client_auth()
    .with_single_cert(vec![certificate], key)
    .unwrap();
    let router = router(Arc::clone(&told));
    let listener = Tls(listener, TlsAcceptor::from(Arc::new(config)));
    tokio::spawn(async move { axum::serve(listener, router).await });
    (port, told)
}

fn hook(port: u16, status: u16, more: &str) -> Sink {
    sink(&format!(
        "name = \"siem\"\n[webhook]\nurl = \"http://127.0.0.1:{port}/answer/{status}\"\n{more}"
    ))
}

async fn tell(sink: &Sink, event: &Event) -> Result<(), NotifyError> {
    sink.deliver(&[event], night()).await
}

#[tokio::test]
async fn a_receiver_can_check_who_tells_and_what() {
    let directory = TempDir::new().unwrap();
    let (old, new) = ("the key of last year, long enough", [7; 32]);
    let keys = format!("{old}\nwhsec_BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=\n");
    let keys = secret(directory.path(), "keys", &keys);
    let token = secret(directory.path(), "token", "t0ken\n");
    let (port, told) = receiver().await;
    let siem = hook(
        port,
        204,
        &format!("secret_file = {keys:?}\ntoken_file = {token:?}"),
    );
    for (_, event) in samples() {
        tell(&siem, &event).await.unwrap();
        let (headers, body) = told.lock().unwrap().pop().unwrap();
        let header = |name: &str| headers[name].to_str().unwrap();
        assert_eq!(header("content-type"), "application/cloudevents+json");
        assert_eq!(header("authorization"), "Bearer t0ken");
        assert_eq!(header("webhook-id"), event.id);
        assert_eq!(header("webhook-timestamp"), night().timestamp().to_string());
        let signed = |key: &[u8]| signature(key, &event.id, night().timestamp(), &body);
        assert_eq!(
            header("webhook-signature"),
            format!("v1,{} v1,{}", signed(old.as_bytes()), signed(&new))
        );
        let json: Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(json["specversion"], "1.0");
        assert_eq!(json["id"], event.id.as_str());
        assert_eq!(json["data"]["type"], event.topic().as_str());
    }
    let shown = format!("{siem:?} {:?}", siem.options());
    for hidden in ["t0ken", "last year", "/answer"] {
        assert!(!shown.contains(hidden), "{shown}");
    }
}

#[tokio::test]
async fn hostile_names_arrive_as_they_are() {
    let (port, told) = receiver().await;
    for name in HOSTILE {
        for (format, pointer) in [
            ("ocsf", "/resources/0/name"),
            ("cloudevents", "/data/anomaly/verdict/client"),
        ] {
            let siem = hook(port, 204, &format!("format = {format:?}"));
            let event = anomaly_of(verdict(name, name, name, Severity::High), None);
            tell(&siem, &event).await.unwrap();
            let (_, body) = told.lock().unwrap().pop().unwrap();
            let json: Value = serde_json::from_slice(&body).unwrap();
            assert_eq!(json.pointer(pointer).unwrap(), name);
        }
    }
}

#[tokio::test]
async fn an_answer_says_whether_to_try_again() {
    let (port, told) = receiver().await;
    let event = anomaly(Severity::High);
    for (status, is_permanent) in [
        (302, false),
        (400, false),
        (401, false),
        (404, false),
        (413, true),
        (415, false),
        (422, false),
        (429, false),
        (500, false),
        (503, false),
    ] {
        let error = tell(&hook(port, status, ""), &event).await.unwrap_err();
        assert_eq!(error.is_permanent(), is_permanent, "{status}");
        let NotifyError::Answered {
            status: answered,
            retry_after,
            ..
        } = &error
        else {
            panic!("{error:?}");
        };
        assert_eq!(*answered, status);
        assert_eq!(
            *retry_after,
            (status == 429).then_some(Duration::from_secs(7))
        );
        let text = error.in_one_line();
        assert!(
            !text.contains(char::is_control) && !text.contains("/answer"),
            "{text}"
        );
        if status == 500 {
            assert!(
                text.ends_with("answered 500: not this time,\\u{d}\\u{a}\\u{1b}[2Jsaid the server"),
                "{text}"
            );
        }
    }
    // What was told once was not told on where the redirection led to.
    assert_eq!(told.lock().unwrap().len(), 10);
}

#[tokio::test]
async fn only_a_server_with_a_trusted_certificate_is_told() {
    let directory = TempDir::new().unwrap();
    let certificates = Certificates::write(directory.path());
    let (port, told) = tls_receiver(&certificates).await;
    let hook = |host: &str, more: &str| {
        sink(&format!(
            "name = \"siem\"\n[webhook]\nurl = \"https://{host}:{port}/answer/204?key=hidden\"\n{more}"
        ))
    };
    let ca = format!("ca_file = {:?}", certificates.ca);
    let event = anomaly(Severity::High);
    tell(&hook("localhost", &ca), &event).await.unwrap();
    assert_eq!(told.lock().unwrap().len(), 1);
    for untrusted in [hook("localhost", ""), hook("127.0.0.1", &ca)] {
        let error = tell(&untrusted, &event).await.unwrap_err();
        assert!(
            matches!(error, NotifyError::Unreachable { .. }),
            "{error:?}"
        );
        assert!(!error.is_permanent());
        assert!(
            !format!("{error:?}{}", error.in_one_line()).contains("hidden"),
            "{error:?}"
        );
    }
    assert_eq!(told.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn a_proxy_is_asked_where_one_is_named() {
    let (port, told) = receiver().await;
    let siem = sink(&format!(
        "name = \"siem\"\n[webhook]\nurl = \"http://siem.invalid/answer/204\"\nallow_http = true\n\
         proxy = \"http://127.0.0.1:{port}\""
    ));
    tell(&siem, &anomaly(Severity::High)).await.unwrap();
    let (headers, _) = told.lock().unwrap().pop().unwrap();
    assert_eq!(headers["host"], "siem.invalid");
}

/// Paused, the clock runs ahead whenever nothing else is left to do.
#[tokio::test(start_paused = true)]
async fn a_server_that_says_nothing_is_left() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = silent.local_addr().unwrap().port();
    let error = tell(&hook(port, 204, ""), &anomaly(Severity::Low))
        .await
        .unwrap_err();
    assert!(matches!(error, NotifyError::TimedOut { .. }), "{error:?}");
}
