//! Requests to a web server.

mod signature;

use std::time::Duration;

use anomaly_model::chrono::{DateTime, Utc};
use reqwest::header::{
    AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue, RETRY_AFTER, USER_AGENT,
};
use reqwest::{Client, Proxy, StatusCode, redirect};
use url::Url;

use crate::body::{self, cloud_event};
use crate::options::shown;
use crate::secret::Secret;
use crate::text::one_line;
use crate::{Event, Format, NotifyError, WebhookOptions, tls};

use signature::Keys;
pub use signature::signature;

/// No more is read of an answer.
const MOST_ANSWER_BYTES: usize = 1_024;
/// Nobody is left alone for longer.
const LONGEST_RETRY_SECONDS: u64 = 86_400;

pub(crate) struct WebhookSink {
    client: Client,
    url: Url,
    format: Format,
    keys: Option<Keys>,
    limit: Duration,
}

impl WebhookSink {
    pub(crate) fn open(options: &WebhookOptions) -> Result<Self, NotifyError> {
        let url = options.address()?;
        let keys = options
            .secret_file
            .as_deref()
            .map(Secret::read)
            .transpose()?;
        let keys = match (&options.secret_file, keys) {
            (Some(path), Some(text)) => {
                let keys = Keys::parse(text.reveal()).map_err(|reason| NotifyError::Secret {
                    path: path.clone(),
                    reason: reason.to_owned(),
                })?;
                Some(keys)
            }
            _ => None,
        };
        let limit = Duration::from_secs(options.timeout_seconds.into());
        let config = tls::client(tls::roots(options.ca_file.as_deref())?, None)?;
        let mut client = Client::builder()
            .tls_backend_preconfigured(config)
            .default_headers(headers(options)?)
            // Where one is sent on to, nobody has looked at.
            .redirect(redirect::Policy::none())
            .no_proxy()
            .connect_timeout(limit.min(Duration::from_secs(10)))
            .timeout(limit);
        if let Some(proxy) = &options.proxy {
            client = client.proxy(Proxy::all(proxy).map_err(cannot_build)?);
        }
        Ok(Self {
            client: client.build().map_err(cannot_build)?,
            url,
            format: options.format,
            keys,
            limit,
        })
    }

    pub(crate) fn target(&self) -> String {
        shown(&self.url)
    }

    pub(crate) async fn deliver(
        &self,
        event: &Event,
        now: DateTime<Utc>,
    ) -> Result<(), NotifyError> {
        let body = body::line(event, self.format)?;
        let mut request = self.client.post(self.url.clone());
        let media_type = match self.format {
            Format::CloudEvents => cloud_event::MEDIA_TYPE,
            _ => "application/json",
        };
        let seconds = now.timestamp();
        request = request
            .header(CONTENT_TYPE, media_type)
            .header("webhook-id", &event.id)
            .header("webhook-timestamp", seconds);
        if let Some(keys) = &self.keys {
            let signatures = keys.sign(&event.id, seconds, body.as_bytes());
            request = request.header("webhook-signature", signatures);
        }
        let answer = request.body(body).send().await.map_err(|error| {
            if error.is_timeout() {
                return NotifyError::TimedOut {
                    what: self.target(),
                    limit: self.limit,
                };
            }
            NotifyError::Unreachable {
                what: self.target(),
                // The address may be a secret.
                source: Box::new(error.without_url()),
            }
        })?;
        let status = answer.status();
        if status.is_success() {
            return Ok(());
        }
        Err(NotifyError::Answered {
            what: self.target(),
            status: status.as_u16(),
            retry_after: retry_after(answer.headers()),
            message: match redirected(status) {
                Some(hint) => hint.to_owned(),
                None => beginning(answer).await,
            },
        })
    }
}

/// Without the path of the address and the keys.
impl std::fmt::Debug for WebhookSink {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WebhookSink")
            .field("target", &self.target())
            .field("format", &self.format)
            .field("signs", &self.keys.is_some())
            .finish_non_exhaustive()
    }
}

fn cannot_build(error: reqwest::Error) -> NotifyError {
    NotifyError::options(format!("cannot be called: {}", error.without_url()))
}

fn headers(options: &WebhookOptions) -> Result<HeaderMap, NotifyError> {
    let mut headers = HeaderMap::new();
    let agent = concat!("backwatch/", env!("CARGO_PKG_VERSION"));
    headers.insert(USER_AGENT, HeaderValue::from_static(agent));
    if let Some(path) = &options.token_file {
        let token = Secret::read(path)?;
        let bearer = format!("Bearer {}", token.reveal());
        let mut value = HeaderValue::from_str(&bearer).map_err(|_| NotifyError::Secret {
            path: path.clone(),
            reason: "has more in it than one token".to_owned(),
        })?;
        value.set_sensitive(true);
        headers.insert(AUTHORIZATION, value);
    }
    Ok(headers)
}

fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds: u64 = headers
        .get(RETRY_AFTER)?
        .to_str()
        .ok()?
        .trim()
        .parse()
        .ok()?;
    Some(Duration::from_secs(seconds.min(LONGEST_RETRY_SECONDS)))
}

/// What an answer begins with, in one line.
async fn beginning(mut answer: reqwest::Response) -> String {
    let mut bytes = Vec::new();
    while bytes.len() < MOST_ANSWER_BYTES {
        match answer.chunk().await {
            Ok(Some(chunk)) => bytes.extend_from_slice(&chunk),
            _ => break,
        }
    }
    bytes.truncate(MOST_ANSWER_BYTES);
    one_line(String::from_utf8_lossy(&bytes).trim(), 200).into_owned()
}

fn redirected(status: StatusCode) -> Option<&'static str> {
    status
        .is_redirection()
        .then_some("a redirection, which is not followed: give the address that it leads to")
}
