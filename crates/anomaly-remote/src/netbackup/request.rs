//! Asking for a page, again where that helps.

use std::io::{self, ErrorKind};
use std::path::Path;
use std::thread;
use std::time::Duration;

use anomaly_model::chrono::{SecondsFormat, TimeDelta};
use anomaly_sources::Since;
use serde::Deserialize;
use ureq::Agent;
use ureq::http::header::{ACCEPT, AUTHORIZATION, RETRY_AFTER};
use ureq::http::{HeaderMap, HeaderValue};
use ureq::tls::{Certificate, RootCerts, TlsConfig};

use super::address::{List, NetBackupAddress};
use super::page::{Next, Page};
use crate::{RemoteError, RemoteOptions, tls};

/// So many records are on a page: the most that the interface gives.
const RECORDS: u16 = 100;
/// No page is larger. A record has some kilobytes.
const PAGE_BYTES: u64 = 64 << 20;
/// What is read of the reason for a refusal.
const REASON_BYTES: u64 = 64 << 10;
/// The versions of the interface that are asked for: the first with cursors (NetBackup 10), and
/// what those before it know (8.3).
const VERSIONS: [&str; 2] = ["9.0", "4.0"];
/// The streams of one backup start within a day of each other: a backup is asked for whole.
const STREAMS: TimeDelta = TimeDelta::days(1);

/// The longest wait between two tries.
const LONGEST_WAIT: Duration = Duration::from_mins(1);

/// What it takes to ask for pages.
pub(super) struct Requests {
    agent: Agent,
    url: String,
    key: HeaderValue,
    list: List,
    filter: Option<String>,
    version: usize,
    has_answered: bool,
    timing: Timing,
}

struct Timing {
    tries: u32,
    first_wait: Duration,
}

/// Why there is no page.
enum Trouble {
    /// It may come when asked again, after the wait that the server asks for.
    Passing(Failure, Option<Duration>),
    /// The server does not speak this version of the interface.
    Version,
    Lasting(RemoteError),
}

type Failure = Box<dyn std::error::Error + Send + Sync>;

impl Requests {
    pub(super) fn new(
        address: &NetBackupAddress,
        options: &RemoteOptions,
    ) -> Result<Self, RemoteError> {
        let roots = tls::roots(options.ca_file.as_deref())?;
        let roots: Vec<_> = roots
            .iter()
            .map(|certificate| Certificate::from_der(certificate).to_owned())
            .collect();
        let tls = TlsConfig::builder()
            .root_certs(RootCerts::new_with_certs(&roots))
            .unversioned_rustls_crypto_provider(tls::provider())
            .build();
        let agent = Agent::config_builder()
            .https_only(true)
            // What is in the environment of a service is not for every source.
            .proxy(None)
            // The key is for this server and no other.
            .max_redirects(0)
            .http_status_as_error(false)
            .timeout_per_call(Some(options.timeout))
            .user_agent(concat!("backwatch/", env!("CARGO_PKG_VERSION")))
            .tls_config(tls)
            .build()
            .new_agent();
        Ok(Self {
            agent,
            url: format!(
                "https://{}/netbackup{}",
                address.authority,
                address.list.path()
            ),
            key: key(options)?,
            list: address.list,
            filter: filter(address.list, options.since.as_ref())?,
            version: 0,
            has_answered: false,
            timing: Timing {
                tries: options.tries.max(1),
                first_wait: options.first_wait,
            },
        })
    }

    /// The page at `place`.
    pub(super) fn page(&mut self, place: &Next) -> Result<Page, RemoteError> {
        let mut wait = self.timing.first_wait;
        let mut tries = 1;
        loop {
            match self.ask(place) {
                Ok(page) => {
                    self.has_answered = true;
                    return Ok(page);
                }
                Err(Trouble::Lasting(error)) => return Err(error),
                Err(Trouble::Version) => self.version += 1,
                Err(Trouble::Passing(source, asked)) => {
                    let asked = asked.unwrap_or_default();
                    if tries >= self.timing.tries || asked > LONGEST_WAIT {
                        return Err(RemoteError::NoAnswer { tries, source });
                    }
                    let wait_now = wait.max(asked).min(LONGEST_WAIT);
                    tracing::warn!(error = source, ?wait_now, tries, "asking NetBackup again");
                    thread::sleep(wait_now);
                    wait *= 2;
                    tries += 1;
                }
            }
        }
    }

    fn ask(&self, place: &Next) -> Result<Page, Trouble> {
        let version = VERSIONS.get(self.version).unwrap_or(&VERSIONS[0]);
        let mut request = self
            .agent
            .get(&self.url)
            .header(
                ACCEPT,
                format!("application/vnd.netbackup+json;version={version}"),
            )
            .header(AUTHORIZATION, self.key.clone())
            .query("page[limit]", RECORDS.to_string());
        if self.list == List::Jobs {
            request = request.query("sort", "jobId");
        }
        if let Some(filter) = &self.filter {
            request = request.query("filter", filter);
        }
        request = match place {
            Next::First => request,
            Next::After(cursor) => request.query("page[after]", cursor),
            Next::Offset(offset) => request.query("page[offset]", offset.to_string()),
        };
        let mut response = request.call().map_err(|error| self.trouble(error))?;
        let status = response.status();
        let limit = if status.is_success() {
            PAGE_BYTES
        } else {
            REASON_BYTES
        };
        let body = response.body_mut().with_config().limit(limit).read_to_vec();
        match status.as_u16() {
            200 => {
                let text = body.map_err(|error| self.trouble(error))?;
                let cut = serde_json::from_slice::<serde::de::IgnoredAny>(&text)
                    .is_err_and(|error| error.is_eof());
                match Page::new(text, place) {
                    // Cut off without anyone noticing.
                    Err(error) if cut => Err(Trouble::Passing(error.into(), None)),
                    page => page.map_err(Trouble::Lasting),
                }
            }
            406 if self.version + 1 < VERSIONS.len() && !self.has_answered => Err(Trouble::Version),
            429 | 500 | 502 | 503 | 504 => {
                let error = refused(status.as_u16(), &body.unwrap_or_default());
                Err(Trouble::Passing(error.into(), wait_in(response.headers())))
            }
            _ => Err(Trouble::Lasting(refused(
                status.as_u16(),
                &body.unwrap_or_default(),
            ))),
        }
    }

    /// Whether asking again may help.
    fn trouble(&self, error: ureq::Error) -> Trouble {
        let lasts = match &error {
            // Nobody has ever answered there.
            ureq::Error::HostNotFound | ureq::Error::ConnectionFailed => !self.has_answered,
            ureq::Error::Io(error) => match error.kind() {
                ErrorKind::ConnectionRefused => !self.has_answered,
                // So rustls says that it does not trust a certificate.
                kind => kind == ErrorKind::InvalidData,
            },
            ureq::Error::Timeout(_) | ureq::Error::Protocol(_) => false,
            _ => true,
        };
        if lasts {
            let source = error.into();
            return Trouble::Lasting(RemoteError::NoAnswer { tries: 1, source });
        }
        Trouble::Passing(error.into(), None)
    }
}

/// The key as it is sent.
fn key(options: &RemoteOptions) -> Result<HeaderValue, RemoteError> {
    let text = match (&options.api_key, &options.api_key_file) {
        (Some(key), _) => key.reveal().to_owned(),
        (None, Some(path)) => first_line(path)?,
        (None, None) => {
            return Err(RemoteError::ApiKey {
                reason: "give a file with it (--api-key-file), or NETBACKUP_API_KEY",
            });
        }
    };
    let key = text.trim();
    let mut value = HeaderValue::from_str(key).map_err(|_| RemoteError::ApiKey {
        reason: "the one that was given has characters in it that no key has",
    })?;
    if key.is_empty() {
        return Err(RemoteError::ApiKey {
            reason: "the one that was given is empty",
        });
    }
    value.set_sensitive(true);
    Ok(value)
}

fn first_line(path: &Path) -> Result<String, RemoteError> {
    let text = std::fs::read_to_string(path).map_err(|source: io::Error| RemoteError::File {
        path: path.to_owned(),
        source,
    })?;
    Ok(text.lines().next().unwrap_or_default().to_owned())
}

/// What the server is asked to leave out.
fn filter(list: List, since: Option<&Since>) -> Result<Option<String>, RemoteError> {
    let time = match since {
        Some(Since::Time(time)) => {
            Some((*time - STREAMS).to_rfc3339_opts(SecondsFormat::Millis, true))
        }
        Some(Since::Job(job)) => {
            return Err(RemoteError::SinceJob {
                job_id: job.to_string(),
                reason: "NetBackup's jobs do not end in the order of their numbers; give a time",
            });
        }
        _ => None,
    };
    Ok(match list {
        List::Jobs => time.map(|time| format!("startTime gt {time}")),
        // Without one it would be the last day.
        List::Images => Some(format!(
            "backupTime ge {}",
            time.as_deref().unwrap_or("1970-01-01T00:00:00.000Z")
        )),
    })
}

/// How long the server asks to wait.
fn wait_in(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers
        .get(RETRY_AFTER)?
        .to_str()
        .ok()?
        .trim()
        .parse()
        .ok()?;
    Some(Duration::from_secs(seconds))
}

/// A refusal with what NetBackup says about it.
fn refused(status: u16, body: &[u8]) -> RemoteError {
    #[derive(Deserialize)]
    struct Reason {
        #[serde(rename = "errorMessage")]
        message: Option<String>,
    }

    let reason: Option<Reason> = serde_json::from_slice(body).ok();
    RemoteError::Refused {
        status,
        message: reason.and_then(|reason| reason.message).unwrap_or_default(),
    }
}
