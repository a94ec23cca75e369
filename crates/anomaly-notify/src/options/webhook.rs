//! How a webhook is told.

use std::fmt;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use url::Url;

use super::{Format, check_timeout, half_a_minute, is_this_machine};
use crate::NotifyError;
use crate::secret::Secret;

/// A request to a web server: `[sinks.webhook]`.
///
/// The address comes from the administrator's configuration alone, and a redirection is not followed:
/// so no stranger makes the server call a host, and private addresses are allowed.
#[derive(Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct WebhookOptions {
    /// The address. `https`, or `http` on this machine. One that is a secret itself belongs into
    /// `url_file`.
    pub url: Option<String>,
    /// A file with the address, which is then never shown but for its host.
    pub url_file: Option<PathBuf>,
    /// In which form: `cloudevents` (unless set) or `ocsf`.
    #[serde(default = "cloud_events")]
    pub format: Format,
    /// A file with the secrets to sign with, one a line: the receiver knows one of them. Not signed
    /// unless set.
    pub secret_file: Option<PathBuf>,
    /// A file with a token that is sent as `Authorization: Bearer`.
    pub token_file: Option<PathBuf>,
    /// The certificates (PEM) that are trusted instead of the system's.
    pub ca_file: Option<PathBuf>,
    /// A proxy, `http://proxy.example:3128`. That of the environment is not used.
    pub proxy: Option<String>,
    /// Whether `http` is allowed to another machine, where everyone on the way can read and change
    /// what is told.
    #[serde(default)]
    pub allow_http: bool,
    /// Seconds until it counts as failed, 1 to 600; 30 unless set.
    #[serde(default = "half_a_minute")]
    pub timeout_seconds: u16,
}

fn cloud_events() -> Format {
    Format::CloudEvents
}

impl WebhookOptions {
    pub(super) fn check(&self) -> Result<(), NotifyError> {
        self.format.check(&[Format::CloudEvents, Format::Ocsf])?;
        check_timeout(self.timeout_seconds)?;
        if let Some(proxy) = &self.proxy {
            let is_plain = |url: &Url| {
                let has_user = !url.username().is_empty() || url.password().is_some();
                url.has_host() && !has_user && matches!(url.scheme(), "http" | "https")
            };
            if !Url::parse(proxy).is_ok_and(|url| is_plain(&url)) {
                return Err(NotifyError::options(
                    "`proxy` must be an address without a user, such as `http://proxy.example:3128`",
                ));
            }
        }
        match (&self.url, &self.url_file) {
            (Some(url), None) => self.checked("url", url).map(|_| ()),
            (None, Some(_)) => Ok(()),
            _ => Err(NotifyError::options("needs one of `url` and `url_file`")),
        }
    }

    /// The address, read from its file where it is in one.
    pub(crate) fn address(&self) -> Result<Url, NotifyError> {
        match (&self.url, &self.url_file) {
            (Some(url), _) => self.checked("url", url),
            (None, Some(path)) => self.checked("url_file", Secret::read(path)?.reveal()),
            (None, None) => Err(NotifyError::options("needs one of `url` and `url_file`")),
        }
    }

    /// No message has the text: it may be a secret.
    fn checked(&self, key: &str, text: &str) -> Result<Url, NotifyError> {
        let bad = |expected: &str| NotifyError::options(format!("`{key}` {expected}"));
        let url = Url::parse(text).map_err(|_| bad("is not an address"))?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(bad("has a user or a password in it: use `token_file`"));
        }
        let host = url.host_str().unwrap_or_default();
        match url.scheme() {
            "https" => Ok(url),
            "http" if is_this_machine(host) || self.allow_http => Ok(url),
            "http" => Err(bad(
                "must begin with https: on the way everyone could read and change what is told \
                 (or set allow_http)",
            )),
            _ => Err(bad("must begin with https")),
        }
    }
}

/// The paths of the files, and the host of the address.
impl fmt::Debug for WebhookOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fn path(file: Option<&PathBuf>) -> Option<&Path> {
            file.map(PathBuf::as_path)
        }
        let origin = self.url.as_deref().and_then(|url| Url::parse(url).ok());
        f.debug_struct("WebhookOptions")
            .field("url", &origin.map(|url| shown(&url)))
            .field("url_file", &path(self.url_file.as_ref()))
            .field("format", &self.format)
            .field("secret_file", &path(self.secret_file.as_ref()))
            .field("token_file", &path(self.token_file.as_ref()))
            .field("ca_file", &path(self.ca_file.as_ref()))
            .field("allow_http", &self.allow_http)
            .field("timeout_seconds", &self.timeout_seconds)
            .finish_non_exhaustive()
    }
}

/// What of an address is no secret.
pub(crate) fn shown(url: &Url) -> String {
    url.origin().ascii_serialization()
}
